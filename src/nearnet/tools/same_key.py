"""Whether a node with this node's key is up already (`config.md`): two with one key push each other out of the network.

Such a node, a reference node whose home we read for one, is found where the home's own config has its RPC.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from nearnet.config import load_config
from nearnet.errors import NearnetError

if TYPE_CHECKING:
    from nearnet.home import Home
    from nearnet.keys import PeerId

__all__ = ["same_key_at", "warn_of_same_key"]

_log = logging.getLogger("nearnet.run")


def same_key_at(home: Home, peer_id: PeerId, own: str | None) -> str | None:
    """Where a node of this id answers, or None. `own`: where our own RPC listens, which is not asked. Blocks."""
    from nearnet.tools.rpc_client import RpcClient  # a start needs no HTTP

    try:
        address = load_config(home.config_path, {}, (), home.base).config.rpc.addr
        if not address or (own is not None and address.rpartition(":")[2] == own.rpartition(":")[2]):
            return None
        status = RpcClient(address).call("status")
    except NearnetError:
        return None
    return address if isinstance(status, dict) and status.get("node_public_key") == str(peer_id) else None


def warn_of_same_key(home: Home, peer_id: PeerId, own: str | None) -> None:
    """Look for it on a thread that delays neither the start nor the stop, and tell it in the log."""
    threading.Thread(target=_look, args=(home, peer_id, own), daemon=True, name="same key").start()


def _look(home: Home, peer_id: PeerId, own: str | None) -> None:
    address = same_key_at(home, peer_id, own)
    if address is not None:
        _log.warning(
            "! a node with this key is up already, its RPC answers at %s: two of them push each other out of the "
            "network; stop one, or give this one a home of its own with nearnet init",
            address,
        )
