"""Who is let in, before any byte is read (`threats.md`, limits: sockets in all, per address, cool-down)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.runtime.addresses import host_group, is_loopback

if TYPE_CHECKING:
    from nearnet.core.context import Context
    from nearnet.core.runtime.clock import Now
    from nearnet.wire.messages import SocketAddress

__all__ = ["refuse_socket"]


def refuse_socket(context: Context, address: SocketAddress, now: Now) -> str | None:
    """The limit or rule that keeps a new connection from there out; None: let it in."""
    limits = context.config.nearnet.limits
    if len(context.connections) >= context.config.network.max_num_peers + limits.pending_connections:
        return "pending_connections"
    if context.config.network.experimental.inbound_disabled:
        return "inbound_disabled"
    if context.peer_store.is_blacklisted_ip(address.ip):
        return "blacklist"
    if is_loopback(address.ip) and not limits.per_ip_on_loopback:
        return None
    if context.limits.is_cooling(address.ip, now):
        return "cool_down"
    host = host_group(address.ip)
    same = [peer for peer in context.connections.values() if host_group(peer.address.ip) == host]
    pending = sum(not peer.is_ready for peer in same)
    if pending >= limits.pending_per_ip:
        return "pending_per_ip"
    if len(same) - pending >= limits.connected_per_ip:
        return "connected_per_ip"
    return None
