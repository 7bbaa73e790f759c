"""One connection's queue and counts."""

import pytest
from world import START

from nearnet.core.peer.handshake_table import PeerState
from nearnet.core.peer.peer import JOIN_BELOW, Outbox, Peer
from nearnet.core.runtime.clock import Now
from nearnet.core.runtime.timers import Timers
from nearnet.wire.borsh.dialect import BorshDialect
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import PeersRequest, SocketAddress


def a_peer(queue_bytes=1000):
    peer = Peer(1, SocketAddress("127.0.0.1", 5), Outbox(queue_bytes), START)
    peer.dialect = BorshDialect()
    return peer


def test_frames_wait_together_until_they_are_taken():
    peer = a_peer()
    peer.send(PeersRequest())
    peer.send_frame(b"abc", "Other")
    assert list(peer.outbox.dirty) == [peer]
    assert (peer.out_bytes, peer.queued) == (12, 12)
    assert b"".join(peer.to_send()) == frame_prefix(1) + b"\6" + frame_prefix(3) + b"abc"
    assert (peer.to_send(), peer.queued) == ([], 0)
    assert peer.sent_by_type == {"PeersRequest": [1, 1], "Other": [1, 3]}
    assert peer.sent_bytes == 12


def test_a_large_frame_is_not_copied():
    peer = a_peer(10**6)
    content = bytes(JOIN_BELOW)
    peer.send_frame(content, "Block")
    assert peer.out[1] is content
    peer.send_frame(content, "Block")
    assert peer.sent_by_type == {"Block": [2, 2 * JOIN_BELOW]}


@pytest.mark.threat(10)
def test_over_the_limit_nothing_more_is_taken():
    peer = a_peer(20)
    peer.unsent = 10
    peer.send_frame(b"12345", "x")
    assert peer.outbox.overflowed == {}
    peer.send_frame(b"12345", "x")
    assert list(peer.outbox.overflowed) == [peer]
    queued = peer.queued
    peer.send_frame(b"12345", "x")
    assert peer.queued == queued


@pytest.mark.threat(10)
def test_a_routed_message_that_does_not_fit_is_dropped_and_closes_nothing():
    peer = a_peer(20)
    assert peer.send_frame(b"123456", "Routed")
    peer.unsent = 2
    assert not peer.send_frame(b"12345", "Routed"), "one byte too many"
    assert (peer.queued, peer.outbox.overflowed) == (12, {})
    assert peer.send_frame(b"1234", "Routed")
    assert (peer.queued, peer.outbox.overflowed) == (20, {})
    assert peer.sent_by_type == {"Routed": [2, 10]}


@pytest.mark.parametrize(("kind", "most"), [("PeersRequest", 2**19), ("Block", 2**25), ("Routed", None)])
def test_a_protobuf_peer_gets_no_frame_over_the_size_of_its_kind(kind, most):
    content, length = bytes(2**25 + 1), 2**25 if most is None else most
    for name, takes in (("protobuf", most is None), ("borsh", True)):
        peer = a_peer(2**30)
        peer.dialect = dialect_named(name)
        assert peer.send_frame(memoryview(content)[:length], kind)
        peer.to_send()
        peer.outbox.dirty.clear()
        assert peer.send_frame(memoryview(content)[:length], kind, (b"1",)) == takes
        assert (bool(peer.out), bool(peer.outbox.dirty)) == (takes, takes)
        assert peer.outbox.too_large == ({} if takes else {kind: 1})


def test_a_closed_or_speechless_peer_queues_nothing():
    peer = a_peer()
    peer.state = PeerState.CLOSED
    peer.send(PeersRequest())
    assert peer.queued == 0
    peer = a_peer()
    peer.dialect = None
    peer.send(PeersRequest())
    assert peer.queued == 0


def test_received_is_counted_by_type():
    peer = a_peer()
    peer.count_received("Block", 10)
    peer.count_received("Block", 5)
    assert peer.received_by_type == {"Block": [2, 15]}
    assert not peer.is_ready
    assert "inbound" in repr(peer)


def test_the_id_is_proved_when_ready():
    peer = a_peer()
    with pytest.raises(ValueError, match="no proved id"):
        _ = peer.ready_id


def test_timers_end_with_it():
    peer, timers = a_peer(), Timers()
    peer.timers.append(timers.at(1.0, lambda now: None))
    peer.cancel_timers()
    assert timers.next() is None
    assert peer.timers == []


def test_deadlines_that_have_run_are_let_go_and_the_others_end_with_the_connection():
    peer, timers, ran = a_peer(), Timers(), []
    for second in range(100):
        peer.keep(timers.at(START.mono + second, ran.append))
        timers.run(Now(START.mono + second, START.wall))
        assert len(peer.timers) < 20
    last = timers.at(START.mono + 1000, ran.append)
    peer.keep(last)
    peer.cancel_timers()
    assert len(ran) == 100
    assert not last.armed
