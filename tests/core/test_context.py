"""What the parts share."""

from hand import Core

from nearnet.wire.messages import SocketAddress


def test_counts():
    context = Core().manager.context
    context.count("metric", "label")
    context.count("metric", "label")
    assert context.counters["metric", "label"] == 2


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
