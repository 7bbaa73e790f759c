"""The PeerActor (document §2.3, §7): one connection, its handshake, its inbound frames and their rates."""
