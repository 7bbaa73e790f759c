import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearnet.core.runtime.addresses import (
    Blacklist,
    Scope,
    host_group,
    is_loopback,
    may_tell,
    normalise,
    scope,
    source_group,
)
from nearnet.wire.messages import SocketAddress


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("127.0.0.1", Scope.LOOPBACK),
        ("127.200.3.4", Scope.LOOPBACK),
        ("::1", Scope.LOOPBACK),
        ("::ffff:127.0.0.1", Scope.LOOPBACK),
        ("10.1.2.3", Scope.PRIVATE),
        ("192.168.0.1", Scope.PRIVATE),
        ("100.64.0.1", Scope.PRIVATE),
        ("169.254.1.1", Scope.PRIVATE),
        ("fe80::1", Scope.PRIVATE),
        ("fd00::1", Scope.PRIVATE),
        ("::ffff:10.0.0.1", Scope.PRIVATE),
        ("8.8.8.8", Scope.PUBLIC),
        ("2a00:1450::1", Scope.PUBLIC),
        ("::ffff:8.8.8.8", Scope.PUBLIC),
        ("0.0.0.0", None),
        ("::", None),
        ("::ffff:0.0.0.0", None),
        ("224.0.0.1", None),
        ("ff02::1", None),
        ("255.255.255.255", None),
        ("240.0.0.1", None),
    ],
)
def test_scope(ip, expected):
    assert scope(ip) is expected
    assert is_loopback(ip) is (expected is Scope.LOOPBACK)


TELLERS = {Scope.LOOPBACK: "127.0.0.1", Scope.PRIVATE: "10.0.0.1", Scope.PUBLIC: "8.8.8.8"}


@pytest.mark.threat(57)
@pytest.mark.parametrize("teller", list(Scope))
@pytest.mark.parametrize("told", list(Scope))
def test_a_peer_tells_its_own_scope_or_wider(teller, told):
    address = SocketAddress(TELLERS[told], 24567)
    assert may_tell(address, TELLERS[teller], "auto") is (told >= teller)
    assert may_tell(address, TELLERS[teller], True)
    assert may_tell(address, TELLERS[teller], False) is (told is Scope.PUBLIC)


@pytest.mark.threat(57)
@pytest.mark.parametrize("allow_private", ["auto", True, False])
@pytest.mark.parametrize(("ip", "port"), [("8.8.8.8", 0), ("0.0.0.0", 1), ("::", 1), ("224.0.0.1", 1), ("ff02::1", 1)])
def test_never_told_by_anybody(ip, port, allow_private):
    assert not may_tell(SocketAddress(ip, port), "127.0.0.1", allow_private)


def test_a_teller_of_no_scope_tells_public_ones_only():
    assert may_tell(SocketAddress("8.8.8.8", 1), "240.0.0.1", "auto")
    assert not may_tell(SocketAddress("10.0.0.1", 1), "240.0.0.1", "auto")


def test_groups():
    assert source_group("8.8.1.2") == source_group("8.8.250.1") == source_group("::ffff:8.8.0.9") == "8.8.0.0/16"
    assert source_group("8.9.1.2") != source_group("8.8.1.2")
    assert source_group("2a00:1450:0:12ff::1") == source_group("2a00:1450:0:1200:1::") == "2a00:1450:0:1200::/56"
    assert source_group("2a00:1450:0:1300::1") != source_group("2a00:1450:0:1200::1")
    assert host_group("8.8.1.2") == host_group("::ffff:8.8.1.2") == "8.8.1.2"
    assert host_group("2a00:1450:0:12ff::1") == "2a00:1450:0:1200::/56"


def test_one_form():
    assert normalise(SocketAddress("::ffff:1.2.3.4", 5)) == SocketAddress("1.2.3.4", 5)
    assert normalise(SocketAddress("2A00:0::1", 5)) == SocketAddress("2a00::1", 5)


@pytest.mark.threat(59, 60)
def test_blacklist_takes_mapped_addresses_for_the_same():
    blacklist = Blacklist([("1.2.3.4", None), ("::ffff:5.6.7.8", 80), ("2a00::1", None)])
    for ip in ("1.2.3.4", "::ffff:1.2.3.4", "2a00:0::1"):
        assert blacklist.has_ip(ip)
        assert blacklist.has(SocketAddress(ip, 9))
    for ip in ("5.6.7.8", "::ffff:5.6.7.8"):
        assert not blacklist.has_ip(ip)
        assert blacklist.has(SocketAddress(ip, 80))
        assert not blacklist.has(SocketAddress(ip, 81))
    assert not blacklist.has(SocketAddress("9.9.9.9", 80))


def test_an_empty_blacklist_lists_nobody():
    assert not Blacklist([]).has(SocketAddress("1.2.3.4", 1))


@given(st.ip_addresses(), st.integers(1, 65535))
def test_any_address_has_a_form_and_a_group(ip, port):
    address = SocketAddress(str(ip), port)
    assert normalise(normalise(address)) == normalise(address)
    assert scope(address.ip) is scope(normalise(address).ip)
    assert source_group(address.ip) == source_group(normalise(address).ip)
