"""What the parts share."""

from hand import Core

from nearnet.core.runtime.actions import Persist, Write
from nearnet.wire.messages import SocketAddress


def test_counts_and_rows():
    context = Core().manager.context
    context.count("metric", "label")
    context.count("metric", "label")
    assert context.counters["metric", "label"] == 2
    context.persist([])
    assert context.actions == []
    write = Write("Peers", b"k", b"v")
    context.persist([write], urgent=True)
    assert context.actions == [Persist((write,), urgent=True)]


def test_what_is_told_of_where_we_listen():
    core = Core()
    assert core.manager.context.told_address == SocketAddress("127.0.0.1", 24567)
    core.manager.listening(SocketAddress("::", 1))
    assert core.manager.context.told_address is None
    core.manager.listening(None)
    assert core.manager.context.told_address is None


def test_outbound_connections_are_counted():
    core = Core()
    core.ready("a")
    assert core.manager.context.outbound_count == 0
    hand = core.dialed("b")
    (proposed,) = hand.read()
    hand.say(hand.handshake(proposed.partial_edge_info.nonce))
    assert core.manager.context.outbound_count == 1
