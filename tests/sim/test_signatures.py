from dataclasses import replace

import pytest

from nearnet import keys
from nearnet.core.routing_table.edge import EdgeCheck, build_edge, run_checks, sign_edge, verify_edge
from nearnet.core.runtime.actions import Verify
from nearnet.keys import SecretKey
from nearnet.sim.signatures import MOST_HOPS, EdgePool, FastKey, fast_signatures, made_up_edge
from nearnet.wire.borsh.dialect import BorshDialect
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import Disconnect, Routed, RoutedMessage, SyncRoutingTable
from nearnet.wire.routed_body import Ping, encode_body

A, B = sorted((FastKey("a"), FastKey("b")), key=lambda key: key.public_key)


def edge_of(nonce=1):
    return made_up_edge(A, B, nonce)


def whole(steps):
    """What a generator comes to in the end."""

    def run():
        nonlocal result
        result = yield from steps

    result = None
    for _ in run():
        pass
    return result


def test_fast_keys_have_the_form_of_the_curves():
    key = FastKey("a")
    assert len(key.public_key) == 33
    assert len(key.sign(bytes(32))) == 65
    assert key.sign(bytes(32)) == FastKey("a").sign(bytes(32)) != FastKey("b").sign(bytes(32))
    with fast_signatures():
        assert key.public_key.verify(bytes(32), key.sign(bytes(32)))
        assert not key.public_key.verify(b"1" * 32, key.sign(bytes(32)))
        assert not FastKey("b").public_key.verify(bytes(32), key.sign(bytes(32)))


def test_the_curve_is_back_afterwards_whatever_happens():
    before = keys._sodium_open
    real = SecretKey.from_seed("real")
    with fast_signatures():
        assert not real.public_key.verify(bytes(32), real.sign(bytes(32)))
    with pytest.raises(ZeroDivisionError), fast_signatures():
        raise ZeroDivisionError
    assert keys._sodium_open is before
    assert real.public_key.verify(bytes(32), real.sign(bytes(32)))
    assert not A.public_key.verify(bytes(32), A.sign(bytes(32)))


def test_without_the_switch_nothing_is_exchanged():
    before = keys._sodium_open
    with fast_signatures(enabled=False):
        assert keys._sodium_open is before


def test_an_edge_is_held_once_and_is_what_it_was():
    pool, edge = EdgePool(), edge_of()
    shared = pool.share(edge)
    assert pool.share(edge_of()) is shared
    assert shared == edge
    assert hash(shared) == hash(edge)
    assert (shared.key, shared.nonce, shared.is_active) == (edge.key, edge.nonce, edge.is_active)
    assert (shared.parts(), shared.signatures, shared.removal) == (edge.parts(), edge.signatures, edge.removal)
    assert shared.key[0] is pool.share(edge_of(3)).key[0]


def test_a_shared_dialect_decodes_the_same():
    pool, plain = EdgePool(), BorshDialect()
    dialect = pool.dialect(plain)
    assert pool.dialect(plain) is dialect
    message = SyncRoutingTable((edge_of(), edge_of(3)))
    frame = dialect.encode(message)
    assert frame == plain.encode(message)
    assert dialect.decode(frame) == message
    assert dialect.decode(frame) is dialect.decode(bytes(bytearray(frame)))
    assert dialect.decode(plain.encode(Disconnect())) == Disconnect()
    in_steps = whole(dialect.table_in_steps(frame))
    assert in_steps == message
    assert in_steps.edges[0] is dialect.decode(frame).edges[0]


def test_checks_come_out_as_the_cores_own():
    right, other = EdgeCheck(edge_of()), EdgeCheck(edge_of(7))
    digest = bytes(32)
    forged = EdgeCheck(Edge.build(A.public_key, B.public_key, 5, A.sign(digest), B.sign(digest)))
    misshapen = EdgeCheck(edge_of(2))
    with fast_signatures():
        assert verify_edge(edge_of())
        for checks in ((right, right), (right, forged, other), (misshapen,), (other, right)):
            pool = EdgePool()
            first = pool.run_checks(Verify(3, checks))
            assert first == pool.run_checks(Verify(3, checks)) == run_checks(3, checks)


def test_real_edges_are_shared_as_well():
    key, other = SecretKey.from_seed("1"), SecretKey.from_seed("2", "secp256k1")
    edge = build_edge(key, other.public_key, 1, sign_edge(other, key.public_key, 1).signature)
    assert EdgePool().run_checks(Verify(1, (EdgeCheck(edge),))).outcomes == ("valid",)


def test_a_message_that_goes_round_is_found():
    pool = EdgePool()
    for _ in range(MOST_HOPS):
        pool.passed_on(b"digest")
    pool.passed_on(b"another")
    with pytest.raises(AssertionError, match="hops: a message was passed on 101 times"):
        pool.passed_on(b"digest")


@pytest.mark.parametrize("wrong", [0, 2])
def test_a_message_passed_on_with_another_ttl_is_found(wrong, monkeypatch):
    dialect = EdgePool().dialect(BorshDialect())
    routed = RoutedMessage(A.public_key, B.public_key, B.sign(bytes(32)), 9, encode_body(Ping(1, B.public_key)))
    frame = dialect.routed(dialect.encode(Routed(routed)))
    assert dialect.routed(dialect.forward(frame)).ttl == 8
    monkeypatch.setattr(BorshDialect, "forward", lambda self, rf: self.encode(Routed(replace(routed, ttl=9 - wrong))))
    with pytest.raises(AssertionError, match=f"hops: a message of ttl 9 was passed on as {9 - wrong}"):
        dialect.forward(frame)


def test_a_message_passed_on_at_the_end_of_its_way_is_found():
    dialect = EdgePool().dialect(BorshDialect())
    routed = RoutedMessage(A.public_key, B.public_key, B.sign(bytes(32)), 1, encode_body(Ping(1, B.public_key)))
    with pytest.raises(AssertionError, match="hops: a message of ttl 1 was passed on as 0"):
        dialect.forward(dialect.routed(dialect.encode(Routed(routed))))
