"""Durations, peers and addresses of the config."""

import pytest

from nearnet.config.values import BootNode, parse_blacklist, parse_duration, parse_peer, parse_peers, parse_socket
from nearnet.errors import ConfigError
from nearnet.wire.messages import SocketAddress

KEY = "ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX"


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"secs": 20, "nanos": 0}, 20.0),
        ({"secs": 1, "nanos": 500_000_000}, 1.5),
        ({"secs": 3}, 3.0),
        ({"nanos": 250_000_000}, 0.25),
        (0, 0.0),
        (7, 7.0),
        (0.05, 0.05),
        ("10m", 600.0),
        ("90s", 90.0),
        ("1h30m", 5400.0),
        ("2 d", 172_800.0),
        ("50ms", 0.05),
        ("1.5h", 5400.0),
    ],
)
def test_durations(given, seconds):
    assert parse_duration(given) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "given",
    [True, None, "", "10", "5x", "-1s", -1, float("nan"), float("inf"), 1e300, [1], {}, {"secs": -1}, {"secs": 1.5}],
)
def test_what_is_no_duration(given):
    with pytest.raises(ValueError, match="a duration of at least 0"):
        parse_duration(given)


def test_peers_with_an_address_or_a_name():
    by_ip, by_name = parse_peers(f"{KEY}@1.2.3.4:5, {KEY}@boot.near.org:24567@a.near,")
    assert by_ip.info.addr == SocketAddress("1.2.3.4", 5)
    assert by_ip.host is None
    assert by_name.info.addr is None
    assert by_name.host == "boot.near.org:24567"
    assert by_name.info.account_id == "a.near"
    assert str(by_ip) == f"{KEY}@1.2.3.4:5"
    assert str(by_name) == f"{KEY}@boot.near.org:24567@a.near"
    assert parse_peers((by_ip, by_name)) == (by_ip, by_name)
    assert parse_peers([f"{KEY}@[::1]:7"]) == (BootNode(parse_peer(f"{KEY}@[::1]:7").info),)
    assert parse_peers("") == ()


def test_all_wrong_peers_are_named():
    with pytest.raises(ValueError, match=r"(?s)nonsense.*has no address") as caught:
        parse_peers(f"nonsense,{KEY},{KEY}@1.2.3.4:99999")
    assert "99999" in str(caught.value)
    assert len(parse_peers(KEY, need_place=False)) == 1
    for wrong in (5, [5], None):
        with pytest.raises(ValueError, match="comma separated"):
            parse_peers(wrong)
    with pytest.raises(ConfigError):
        parse_peer("x@y@z@w")


def test_socket_addresses():
    assert parse_socket("0.0.0.0:24567") == SocketAddress("0.0.0.0", 24567)
    assert parse_socket("[::]:0") == SocketAddress("::", 0)
    for wrong in ("1.2.3.4", "host:5", ":5", "::1:5", "1.2.3.4:65536"):
        with pytest.raises(ValueError, match="IP:PORT"):
            parse_socket(wrong)


def test_blacklist():
    entries = ["1.2.3.4", "1.2.3.4:80", "::1", "[::1]:80"]
    assert parse_blacklist(entries) == (("1.2.3.4", None), ("1.2.3.4", 80), ("::1", None), ("::1", 80))
    assert parse_blacklist(parse_blacklist(entries)) == parse_blacklist(entries)
    for wrong in ("1.2.3.4", ["name"], [5]):
        with pytest.raises(ValueError, match="a list of"):
            parse_blacklist(wrong)
