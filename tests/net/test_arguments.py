"""Wrong arguments of an embedding program's calls: refused in words, and before anything is stored or sent."""

from __future__ import annotations

import math
from typing import Any

import pytest
from real_nodes import quiet_config, running

from nearnet import (
    AnnounceAccount,
    BodyKind,
    ConfigError,
    CryptoHash,
    Node,
    Opaque,
    PeerId,
    PeerInfo,
    ReasonForBan,
    SecretKey,
)
from nearnet.bodies import Ping, StateRequestHeader
from nearnet.net.arguments import (
    as_blacklist,
    as_body,
    as_peer,
    as_peer_id,
    as_reason,
    as_request,
    as_seconds,
    as_target,
    as_ttl,
)
from nearnet.wire.messages import SocketAddress

KEY = SecretKey.from_seed("a stranger")
PEER = PeerId(KEY.public_key)
HASH = CryptoHash.of(b"a message")
ANNOUNCEMENT = AnnounceAccount("a.near", PEER, HASH, KEY.sign(HASH))


@pytest.mark.parametrize("peer", [None, 5, b"bytes", HASH, PeerInfo(PEER)])
def test_what_is_no_peer_id(peer: object) -> None:
    with pytest.raises(ConfigError, match="invalid peer: expected a PeerId or a text"):
        as_peer_id(peer)


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        (None, "invalid peer: expected a PeerInfo or a text"),
        (PEER, "invalid peer: expected a PeerInfo or a text"),
        (PeerInfo("ed25519:x"), "invalid id of the peer: expected a PeerId"),  # type: ignore[arg-type]
        (PeerInfo(PEER, "10.0.0.7:9"), "expected a SocketAddress or None"),  # type: ignore[arg-type]
        (PeerInfo(PEER, SocketAddress("10.0.0.7", 0)), "invalid port to dial: expected 1 to 65535, got 0"),
        (PeerInfo(PEER, SocketAddress("10.0.0.7", 65536)), "invalid port to dial"),
        (PeerInfo(PEER, SocketAddress("10.0.0.7", True)), "invalid port to dial"),
        (f"{PEER}@10.0.0.7:0", "invalid port to dial: expected 1 to 65535, got 0"),
        (f"{PEER}@example.near:0", "invalid port to dial: expected 1 to 65535, got 0"),
    ],
)
def test_what_cannot_be_dialed(peer: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        as_peer(peer)


def test_peers_to_dial() -> None:
    assert as_peer(PeerInfo(PEER)) == (PeerInfo(PEER), None)
    assert as_peer(f"{PEER}@10.0.0.7:9") == (PeerInfo(PEER, SocketAddress("10.0.0.7", 9)), None)
    assert as_peer(f"{PEER}@example.near:9") == (PeerInfo(PEER), "example.near:9")


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, -0.001, True, "5", None, 1e12])
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ConfigError, match="invalid timeout: expected a number of seconds from 0 to"):
        as_seconds("timeout", value)


@pytest.mark.parametrize("ttl", [0, 256, -1, 1.0, True, "5"])
def test_what_is_no_ttl(ttl: object) -> None:
    with pytest.raises(ConfigError, match="invalid ttl: expected a whole number from 1 to 255"):
        as_ttl(ttl)


@pytest.mark.parametrize("reason", [6, "Abusive", None, ReasonForBan.INVALID_DISTANCE_VECTOR])
def test_what_is_no_reason_for_a_ban(reason: object) -> None:
    with pytest.raises(ConfigError, match="invalid reason: expected a ReasonForBan"):
        as_reason(reason)


@pytest.mark.parametrize("target", [None, 5, b"bytes", "Not An Account", ""])
def test_what_is_no_target(target: object) -> None:
    with pytest.raises(ConfigError, match="invalid target: expected a PeerId"):
        as_target(target)


def test_targets() -> None:
    assert as_target(PEER) == as_target(str(PEER)) == PEER
    assert as_target(HASH) == HASH
    assert as_target("a.near") == "a.near"


@pytest.mark.parametrize("body", [b"", "text", None, 5, bytearray(b"x")])
def test_what_is_no_body(body: object) -> None:
    with pytest.raises(ConfigError, match=r"invalid body: expected a body of nearnet\.bodies, or at least one byte"):
        as_body(body)


@pytest.mark.parametrize("body", [Opaque(256, b""), StateRequestHeader("0", HASH), Opaque(4, None)])  # type: ignore[arg-type]
def test_bodies_that_cannot_be_written(body: object) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        as_body(body)


def test_bodies() -> None:
    assert as_body(b"\x04why") == as_body(Opaque(BodyKind.QUERY_REQUEST, b"why")) == b"\x04why"


def test_what_is_no_request() -> None:
    assert as_request(b"\x04why") == b"\x04why"
    with pytest.raises(ConfigError, match="call ping"):
        as_request(Ping(1, PEER))
    with pytest.raises(ConfigError, match="no way back for a QueryResponse: expected one of TxStatusRequest, Query"):
        as_request(Opaque(BodyKind.QUERY_RESPONSE, b"x"))


@pytest.mark.parametrize(
    "entries", [["10.0.0.7"], "10.0.0.7", ("10.0.0.7",), (("10.0.0.7", 65536),), (("10.0.0.7", True),), (("x", None),)]
)
def test_what_is_no_blacklist(entries: object) -> None:
    with pytest.raises(ConfigError, match="blacklist: expected"):
        as_blacklist(entries)


def test_a_blacklist() -> None:
    entries = (("10.0.0.7", None), ("2001:DB8::1", 24567))
    assert as_blacklist(entries) == (("10.0.0.7", None), ("2001:db8::1", 24567))


async def done(call: Any) -> None:
    result = call()
    if hasattr(result, "__await__"):
        await result


async def test_nothing_is_stored_nor_sent_for_wrong_arguments() -> None:
    async with running(1) as (node,):
        wrong: Any = node
        for call in (
            lambda: wrong.ban(PEER, ReasonForBan.ABUSIVE, math.nan),
            lambda: wrong.ban(PEER, ReasonForBan.ABUSIVE, -5),
            lambda: wrong.ban(PEER, 6),
            lambda: wrong.ban(5),
            lambda: wrong.unban(b"x"),
            lambda: wrong.disconnect(b"x"),
            lambda: wrong.connect(f"{PEER}@10.0.0.7:0"),
            lambda: wrong.connect(f"{PEER}@10.0.0.7:9", timeout=math.nan),
            lambda: wrong.ping(PEER, timeout=-1),
            lambda: wrong.ping(PEER, ttl=0),
            lambda: wrong.send_routed(PEER, "text"),
            lambda: wrong.send_routed(PEER, b"\x04x", ttl=1000),
            lambda: wrong.request(PEER, b"\x05x"),
            lambda: wrong.request(PEER, b"\x04x", timeout="5"),
            lambda: wrong.announce("a.near"),
            lambda: wrong.announce(AnnounceAccount("a.near", str(PEER), HASH, ANNOUNCEMENT.signature)),  # type: ignore[arg-type]
            lambda: wrong.wait_for("banned"),
            lambda: wrong.events("banned"),
            lambda: wrong.events(maxsize=0),
        ):
            with pytest.raises(ConfigError, match="expected"):
                await done(call)
        with pytest.raises(ConfigError, match="not back by a message's hash"):
            await node.request(HASH, b"\x04x")  # type: ignore[arg-type]
        assert (node.bans(), node.known_peers(), list(node.recent_events)) == ((), (), [])
        node.announce(ANNOUNCEMENT)
        assert node.network_info().known_producers == (("a.near", PEER),)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"config": {"chain_id": "c"}}, "invalid config: expected a NetworkConfig, got"),
        ({"config": quiet_config(), "key": KEY.text}, "invalid key: expected a SecretKey, got a str"),
        ({"config": quiet_config(), "client": object()}, "invalid client: expected an object with the methods of"),
    ],
)
def test_what_no_node_can_be_made_of(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        Node(**arguments)
    assert KEY.text not in str(caught.value)
