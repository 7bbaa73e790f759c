"""The PeerManagerActor (document §2.4, §5, §7): the front of the core, membership, dialing, known peers, bans."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "core/peer_manager")
