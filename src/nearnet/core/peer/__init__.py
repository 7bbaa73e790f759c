"""The PeerActor (document §2.3, §7): one connection, its handshake, its inbound frames and their rates."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "core/peer")
