"""Checks of a home folder: its config, its key, its port, its bans."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nearnet.config import load_config
from nearnet.core.peer_manager.known_peers import decode_known_peer
from nearnet.errors import AlreadyRunning, ConfigError, Malformed, StoreError
from nearnet.home import Home
from nearnet.net.listener import Listener
from nearnet.store.base import PEERS
from nearnet.store.opening import MEMORY
from nearnet.tools.doctor.finding import Finding, fine, unknown, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nearnet.config import NetworkConfig
    from nearnet.keys import PeerId, SecretKey

__all__ = ["bans_or_why", "check_bans", "check_config", "check_key", "check_port", "holder", "stored_bans"]


def check_config(path: Path) -> tuple[Finding, Home | None, NetworkConfig | None]:
    """config.json with the environment over it."""
    try:
        home = Home.open(path)
        loaded = load_config(home.config_path, os.environ, (), home.base)
    except ConfigError as error:
        missing = not (path / "config.json").exists()
        advice = f"nearnet init --home {path} --chain-id ID" if missing else "correct it; nearnet config validate"
        return wrong("config", "; ".join(str(error).splitlines()), advice), None, None
    seen = f"{home.config_path}: chain {loaded.config.chain_id}, genesis {loaded.config.genesis_hash}"
    if loaded.warnings:
        seen += f"; {'; '.join(loaded.warnings)}"
    return fine("config", seen), home, loaded.config


def check_key(home: Home) -> tuple[Finding, SecretKey | None]:
    """node_key.json, and who may read it and the admin token."""
    try:
        key = home.key().key
        if home.token_path.exists():
            home.admin_token()
    except ConfigError as error:
        return wrong("key", str(error), _advice_on(home, str(error))), None
    return fine("key", f"this node is {key.public_key}"), key


def _advice_on(home: Home, said: str) -> str:
    if not home.key_path.exists():
        return f"put a copy of the key back, or have a new one made: nearnet init --home {home.path} --chain-id ID"
    if "chmod" in said or "owner" in said:
        return "what runs nearnet must own both files, alone (chmod 600)"
    return "put a copy of the file back; or move this one away and run nearnet init: a new node to all others"


def holder(home: Home) -> int | None:
    """The process that runs the node of this home, 0 when it does not say which; None when nobody does."""
    try:
        number = os.open(home.state / "lock", os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        told = os.pread(number, 20, 0).decode(errors="replace").strip()
        return int(told) if told.isdigit() else 0
    else:
        return None
    finally:
        os.close(number)


async def check_port(config: NetworkConfig, pid: int | None) -> Finding:
    """Whether we could listen where the config says, or the node of this home does; `pid` is its process."""
    address = config.network.listen_address
    if address is None:
        return fine("port", "no listener is configured (network.addr): nobody can dial this node")
    try:
        Listener(address, lambda sock, _: sock.close()).close()
    except AlreadyRunning as error:
        if pid is not None:
            return fine("port", f"{address} is this node's own (process {pid or 'unknown'})")
        return wrong("port", str(error), f"ss -ltnp 'sport = :{address.port}' shows which")
    except ConfigError as error:
        return wrong("port", str(error), "set network.addr to 0.0.0.0:24567")
    if pid is not None:
        return wrong("port", f"the node of this home runs (process {pid}), and {address} is free", "see its log")
    return fine("port", f"{address} is free")


def stored_bans(store: Path | str, window: float) -> dict[PeerId, str]:
    """Who is banned now by what lies on the disk, and why; empty without a database."""
    from nearnet.store.sqlite import SqliteStore

    if store == MEMORY or not Path(store).exists():
        return {}
    bans = {}
    database = SqliteStore(store, check_rows=False)
    try:
        for _, value in database.items(PEERS):
            try:
                state = decode_known_peer(value)
            except Malformed:
                continue
            if state.ban is not None and state.ban.time_ns / 1e9 + window > time.time():
                bans[state.peer_info.id] = state.ban.reason.label
    finally:
        database.close()
    return bans


def check_bans(config: NetworkConfig, bans: dict[PeerId, str], boot_addresses: Iterable[str] = ()) -> Finding:
    """Whether a boot node is banned or blacklisted: the others are as they should be."""
    banned = [f"{node.info.id} for {bans[node.info.id]}" for node in config.network.boot_nodes if node.info.id in bans]
    if banned:
        return wrong("bans", f"boot nodes are banned: {', '.join(banned)}", "nearnet unban PEER, when it was a mistake")
    listed = {ip for ip, _ in config.network.blacklist}
    named = sorted(listed.intersection(boot_addresses))
    if named:
        return wrong("bans", f"boot nodes are blacklisted: {', '.join(named)}", "take them from network.blacklist")
    return fine("bans", f"{len(bans)} peers are banned, no boot node among them")


def bans_or_why(store: Path | str, config: NetworkConfig, addresses: Sequence[str]) -> Finding:
    """`check_bans` with what lies on the disk."""
    try:
        bans = stored_bans(store, config.network.ban_window)
    except StoreError as error:
        return unknown("bans", f"the database does not open: {error}")
    return check_bans(config, bans, addresses)
