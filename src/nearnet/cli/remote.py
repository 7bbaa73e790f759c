"""Verbs that ask a running node, or tell it what to do: status, peers, .., connect, ban, .. (`cli.md`)."""

# Without postponed annotations, as typer reads them (see `app.py`).
import time
from typing import Annotated, Any

import typer

from nearnet.cli.options import HomeOption, JsonOption
from nearnet.cli.output import print_json, print_table, printable
from nearnet.cli.running_node import RpcOption, rpc_client
from nearnet.errors import ConfigError, RouteNotFound
from nearnet.keys import PeerId
from nearnet.wire.peer_text import parse_peer

__all__ = [
    "accounts",
    "ban",
    "bans",
    "connect",
    "disconnect",
    "edges",
    "known",
    "peers",
    "routes",
    "status",
    "unban",
]

_Peer = Annotated[str, typer.Argument(help="KEY, KEY@HOST:PORT, ..", metavar="PEER")]


def status(rpc_addr: RpcOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """What a running node is and does.

    Example: nearnet status --rpc-addr 127.0.0.1:3030
    """
    told = rpc_client(rpc_addr, home).call("status")
    if as_json:
        print_json(told)
        return
    own = told["nearnet"]
    hit = [f"{name} {limit['hit']} times" for name, limit in own["limits"].items() if limit["hit"]]
    facts = {
        "peer id": told["node_public_key"],
        "listens on": own["addr"] or "nothing",
        "chain": f"{told['chain_id']}, genesis {told['genesis_hash']}",
        "protocol": ", ".join(f"{name} {new} to {old}" for name, (new, old) in own["protocol_versions"].items()),
        "up for": f"{told['uptime_sec']} s",
        "connections": f"{own['connections']}, and {own['pending']} in their handshake",
        "known peers": own["known_peers"],
        "graph": f"{own['edges']} edges, {own['reachable']} peers in reach",
        "limits hit": ", ".join(hit) or "none",
        "degraded": own["degraded"] or "no",
    }
    # A node of an earlier release does not tell these two.
    protocol, clock = own.get("protocol"), own.get("clock")
    if protocol is not None and protocol["state"] != "ok":
        facts[protocol["state"]] = protocol["sentence"]
    if clock is not None and clock["state"] != "ok":
        facts["clock"] = clock["sentence"]
    for name, fact in facts.items():
        print(f"{name + ':':<13}{printable(str(fact))}")


def peers(rpc_addr: RpcOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """The connections of a running node.

    Example: nearnet peers --json
    """
    told = rpc_client(rpc_addr, home).call("nearnet_peers")
    columns = ("peer_id", "addr", "direction", "dialect", "nonce", "connected_ms", "sent_bytes", "received_bytes")
    _show(told, columns, as_json)


def edges(rpc_addr: RpcOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """The edges of the graph that a running node holds, removed ones too.

    Example: nearnet edges
    """
    _show(rpc_client(rpc_addr, home).call("nearnet_edges"), ("peer0", "peer1", "nonce", "active"), as_json)


def routes(
    peer: Annotated[str | None, typer.Argument(help="Only to this one.", metavar="[PEER]")] = None,
    rpc_addr: RpcOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Distance and next hops of every peer in a running node's reach, or of one.

    Example: nearnet routes ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX
    """
    peer_id = None if peer is None else _peer_id(peer)
    params = {} if peer_id is None else {"peer_id": str(peer_id)}
    told = rpc_client(rpc_addr, home).call("nearnet_routes", **params)
    if as_json:
        print_json(told)
    if peer_id is not None and not told:
        raise RouteNotFound("NoRouteFound", f"no way is known to {peer_id}: `nearnet edges` tells who is connected")
    if not as_json:
        rows = ((name, way["distance"], ", ".join(way["next_hops"])) for name, way in told.items())
        print_table(("peer_id", "distance", "next_hops"), rows)


def accounts(rpc_addr: RpcOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Which peer serves which account, as announced.

    Example: nearnet accounts
    """
    _show(rpc_client(rpc_addr, home).call("nearnet_accounts"), ("account_id", "peer_id", "epoch_id"), as_json)


def bans(rpc_addr: RpcOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Whom a running node has banned, why, and until when.

    Example: nearnet bans
    """
    _show(rpc_client(rpc_addr, home).call("nearnet_bans"), ("peer_id", "addr", "reason", "banned_at", "until"), as_json)


def known(rpc_addr: RpcOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """The peers that a running node knows, connected or not.

    Example: nearnet known
    """
    told = rpc_client(rpc_addr, home).call("nearnet_known_peers")
    _show(told, ("peer_id", "addr", "status", "trust", "first_seen", "last_seen"), as_json)


def connect(peer: _Peer, rpc_addr: RpcOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Have a running node dial a peer, and wait until both have shaken hands.

    Example: nearnet connect ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX@10.0.0.7:24567
    """
    parse_peer(peer)
    told = rpc_client(rpc_addr, home, admin=True).call("nearnet_connect", peer=peer)
    _done(told, f"connected to {peer}", as_json)


def disconnect(peer: _Peer, rpc_addr: RpcOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Have a running node close a connection.

    Example: nearnet disconnect ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX
    """
    peer_id = _peer_id(peer)
    told = rpc_client(rpc_addr, home, admin=True).call("nearnet_disconnect", peer_id=str(peer_id))
    _done(told, f"disconnected from {peer_id}", as_json)


def ban(
    peer: _Peer,
    reason: Annotated[str, typer.Option("--reason", help="Abusive, BadHandshake, ..")] = "None",
    seconds: Annotated[
        str | None, typer.Option("--for", help="How long; network.ban_window unless told.", metavar="DURATION")
    ] = None,
    rpc_addr: RpcOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a running node ban a peer: its connection ends, and none is taken until the ban does.

    Example: nearnet ban ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX --reason Abusive --for 3h
    """
    peer_id = _peer_id(peer)
    params: dict[str, Any] = {"peer_id": str(peer_id), "reason": reason}
    if seconds is not None:
        params["seconds"] = _duration(seconds)
    told = rpc_client(rpc_addr, home, admin=True).call("nearnet_ban", **params)
    _done(told, f"banned {peer_id}", as_json)


def unban(peer: _Peer, rpc_addr: RpcOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Have a running node end a ban.

    Example: nearnet unban ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX
    """
    peer_id = _peer_id(peer)
    told = rpc_client(rpc_addr, home, admin=True).call("nearnet_unban", peer_id=str(peer_id))
    _done(told, f"unbanned {peer_id}", as_json)


def _peer_id(peer: str) -> PeerId:
    return parse_peer(peer).id


def _duration(text: str) -> float:
    from nearnet.config.values import parse_duration

    try:
        return parse_duration(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError as error:
        raise ConfigError(f"--for: expected {error}, got {text!r}") from None


def _show(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print_json(rows)
    else:
        names = [column.removesuffix("_ms") for column in columns]
        print_table(names, ([_cell(column, row[column]) for column in columns] for row in rows))


def _cell(column: str, value: Any) -> Any:
    """As people read it: times, seconds, yes and no."""
    if value is None:
        return None
    if column in ("first_seen", "last_seen", "banned_at", "until"):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))
    if column == "connected_ms":
        return f"{value / 1000:.0f} s"
    return ("no", "yes")[value] if isinstance(value, bool) else value


def _done(told: Any, words: str, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        print(words)
