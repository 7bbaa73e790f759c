"""The PeerManagerActor (document §2.4, §5, §7): the front of the core, membership, dialing, known peers, bans."""
