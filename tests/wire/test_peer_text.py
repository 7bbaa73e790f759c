import pytest

from nearnet.errors import ConfigError
from nearnet.wire.messages import SocketAddress
from nearnet.wire.peer_text import parse_address, parse_peer, parse_peers
from tests.vectors_file import vectors

KEY = "ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX"


@pytest.mark.parametrize("case", vectors("borsh")["peer_infos"], ids=lambda case: case["text"][:20])
def test_vectors(case):
    peer = parse_peer(case["text"])
    assert str(peer) == case["text"]
    assert str(peer.info()) == case["text"]


def test_forms():
    assert parse_peer(KEY).info().addr is None
    named = parse_peer(f" {KEY}@example.org:24567@alice.near ")
    assert (named.host, named.port, named.account_id, named.has_ip) == ("example.org", 24567, "alice.near", False)
    assert named.info().addr is None
    assert str(named) == f"{KEY}@example.org:24567@alice.near"
    six = parse_peer(f"{KEY}@[2001:DB8:0::1]:1")
    assert six.info().addr == SocketAddress("2001:db8::1", 1)
    assert parse_peer(f"{KEY}@alice.near").account_id == "alice.near"
    assert parse_peer(KEY.removeprefix("ed25519:")).id == parse_peer(KEY).id
    assert parse_peers("") == ()
    assert len(parse_peers(f"{KEY}@1.2.3.4:5, {KEY}@alice.near,")) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{KEY}@1.2.3.4:5@alice.near@more", "more than a key"),
        (f"{KEY}@nowhere@alice.near", "is not HOST:PORT"),
        (f"{KEY}@UPPER", "neither HOST:PORT nor an account"),
        (f"{KEY}@1.2.3.4:99999", "port of 0 to 65535"),
        (f"{KEY}@1.2.3.4:x", "port of 0 to 65535"),
        (f"{KEY}@1.2.3.4:{1:05000}", "port of 0 to 65535"),
        (f"{KEY}@:1", "port of 0 to 65535"),
        (f"{KEY}@::1:24567", "stands in brackets"),
        (f"{KEY}@[1.2.3.4]:24567", "no IPv6 address"),
        (f"{KEY}@[zz]:24567", "no IPv6 address"),
        ("nokey0", "invalid public key"),
    ],
)
def test_refusals(text, words):
    with pytest.raises(ConfigError, match=words):
        parse_peer(text)


def test_addresses():
    assert parse_address("127.0.0.1:0") == ("127.0.0.1", 0)
    assert parse_address("[::]:24567") == ("::", 24567)
    with pytest.raises(ConfigError):
        parse_address("24567")
