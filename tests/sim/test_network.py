"""Connections between two plain parties: what arrives, in what order, when, and how it ends."""

import pytest

from nearnet.sim.network import TCP_TIMEOUT, Conditions, Latency
from nearnet.sim.wires import KERNEL_BYTES, Flow
from nearnet.sim.world import World
from nearnet.wire.messages import SocketAddress


class Party:
    """Takes what comes, and writes it down with the time."""

    def __init__(self, world, host):
        self.world, self.host = world, host
        self.up = self.reachable = True
        self.end = None
        self.got, self.log = b"", []

    def on_open(self, end):
        end.tag, self.end = self, end
        self.log.append(("open", self.world.time))

    def on_accept(self, end, ip, port):
        assert ip != self.host
        assert port >= 1024
        self.on_open(end)

    def on_failed(self, why):
        self.log.append((why, self.world.time))

    def on_bytes(self, end, data):
        self.got += data
        self.log.append((data, self.world.time))

    def on_drained(self, end, unsent):
        self.log.append(("drained", unsent))

    def on_lost(self, end, why):
        self.log.append((why, self.world.time))


def pair(conditions=None, seed=1):
    world = World(seed, conditions or Conditions(Latency(0.1)))
    a, b = Party(world, "10.0.0.1"), Party(world, "10.0.0.2")
    address = SocketAddress(b.host, 1)
    world.network.listeners[address] = b
    world.network.connect(a, address, 1.0, a.on_open, a.on_failed)
    return world, a, b


def test_a_connection_takes_a_round_trip():
    world, a, b = pair()
    world.run(1)
    assert a.log == [("open", pytest.approx(0.2))]
    assert b.log == [("open", pytest.approx(0.1))]


@pytest.mark.parametrize("what", ["nobody", "hidden", "there", "back"])
def test_who_is_not_reached_does_not_answer(what):
    world, a, b = pair()
    world.run(0)
    other = SocketAddress("10.0.0.9" if what == "nobody" else b.host, 1)
    b.reachable = what != "hidden"
    if what in ("there", "back"):
        world.network.cut([a.host if what == "there" else b.host], [b.host if what == "there" else a.host], False)
    world.network.connect(a, other, 1.0, a.on_open, a.on_failed)
    world.run(5)
    assert ("no answer within 1 s", 1.0) in a.log


def test_a_host_without_a_listener_refuses():
    world, a, b = pair()
    b.up = False
    world.run(1)
    assert a.log == [("Connection refused", pytest.approx(0.2))]


def test_order_is_kept_whatever_the_jitter():
    world, a, b = pair(Conditions(Latency(0.05, 1.0), jitter=3.0))
    world.run(5)
    for number in range(200):
        a.end.send(bytes((number,)))
    world.run(5)
    assert b.got == bytes(range(200))


def test_bandwidth():
    world, a, b = pair(Conditions(Latency(0.1), bandwidth=1000.0))
    world.run(1)
    a.end.send(bytes(2000))
    world.run(10)
    assert b.log[-1][1] == pytest.approx(1 + 2.0 + 0.1)


def test_a_reader_that_does_not_read_holds_the_sender_up():
    world, a, b = pair()
    world.run(1)
    b.end.pause()
    chunk = bytes(KERNEL_BYTES // 2)
    assert [a.end.send(chunk) for _ in range(4)] == [0, 0, KERNEL_BYTES // 2, KERNEL_BYTES]
    world.run(10)
    assert b.got == b""
    b.end.resume()
    world.run(10)
    assert len(b.got) == 2 * KERNEL_BYTES
    assert ("drained", 0) in a.log


def test_when_bytes_were_sent():
    flow = Flow(0.1)
    with pytest.raises(ValueError, match="call keep_marks"):
        flow.written(1)
    flow.mark(7, 1.0)
    flow.keep_marks()
    flow.mark(5, 2.0)
    flow.mark(5, 3.0)
    flow.mark(1, 9.0)
    assert [flow.written(count) for count in (1, 5, 6, 10, 11)] == [2.0, 2.0, 3.0, 3.0, 9.0]
    assert len(flow.marks) == 1


def test_a_stuck_reader_stays_stuck():
    world, a, b = pair()
    world.run(1)
    b.end.stuck = True
    a.end.send(b"x")
    b.end.resume()
    world.run(1)
    assert b.got == b""


def test_a_cut_holds_bytes_and_a_heal_lets_them_go():
    world, a, b = pair()
    world.run(1)
    world.network.cut([a.host], [b.host], both_ways=False)
    a.end.send(b"there")
    b.end.send(b"back")
    world.run(5)
    assert (a.got, b.got) == (b"back", b"")
    world.network.heal()
    world.run(1)
    assert b.got == b"there"
    world.run(200)
    assert not any("timed out" in str(what) for what, _ in a.log + b.log)


def test_what_is_on_its_way_at_a_heal_does_not_overtake_what_met_the_cut():
    world, a, b = pair()
    world.run(1)
    world.network.cut([a.host], [b.host])
    a.end.send(b"one ")
    world.run(0.05)
    a.end.send(b"two ")
    world.run(0.06)  # The first has met the cut, the second has not.
    world.network.heal()
    a.end.send(b"three")
    a.end.close()
    world.run(1)
    assert b.got == b"one two three"
    assert b.log[-1][0] == "closed by the peer"


def test_a_cut_after_a_heal_keeps_the_order_too():
    world, a, b = pair()
    world.run(1)
    for _ in range(2):
        world.network.cut([a.host], [b.host])
        a.end.send(b"more ")
        world.run(0.15)
        world.network.heal()
        world.run(0.05)
    assert b.got == b""
    world.run(0.1)
    assert b.got == b"more more "


def test_a_long_cut_ends_the_connection_for_both():
    world, a, b = pair()
    world.run(1)
    world.network.cut([a.host], [b.host])
    world.run(100)
    for party in (a, b):
        what, when = party.log[-1]
        assert what == "Connection timed out"
        assert abs(when - 1 - TCP_TIMEOUT) <= 5
    assert world.network.wires == {}


def test_heal_of_one_host_leaves_the_others_cut():
    world, a, b = pair()
    world.network.cut([a.host], [b.host])
    world.network.heal("10.0.0.77")
    assert not world.network.passes(a.host, b.host)
    world.network.heal(a.host)
    assert world.network.passes(a.host, b.host)


def test_close_after_what_was_sent():
    world, a, b = pair()
    world.run(1)
    a.end.send(b"last words")
    a.end.close()
    world.run(1)
    assert (b.got, b.log[-1][0]) == (b"last words", "closed by the peer")
    assert world.network.wires == {}
    b.end.send(b"nobody hears")
    world.run(1)
    assert a.got == b""


def test_close_to_one_that_does_not_read_comes_within_a_second():
    world, a, b = pair(Conditions(Latency(0.1), bandwidth=10.0))
    world.run(1)
    a.end.send(bytes(1000))
    a.end.close()
    world.run(1.2)
    assert b.log[-1][0] == "closed by the peer"


def test_a_close_that_meets_a_cut_is_not_heard():
    world, a, b = pair()
    world.run(1)
    a.end.close()
    world.network.cut([a.host], [b.host])
    world.run(30)
    assert b.log[-1][0] == "open"
    world.run(40)
    assert b.log[-1][0] == "Connection timed out"


def test_a_machine_that_came_back_resets_what_it_does_not_know():
    world, a, b = pair()
    world.run(1)
    b.end.closed = b.end.gone = True
    world.network.vanish(b.host)
    world.run(10)
    world.network.heal(b.host)
    a.end.send(b"still there?")
    world.run(1)
    assert a.log[-1][0] == "Connection reset by peer"


def test_reset():
    world, a, b = pair()
    world.run(1)
    world.network.snap(a.end.wire)
    assert (a.log[-1][0], b.log[-1][0]) == ("Connection reset by peer",) * 2


def test_connections_break_at_the_rate_asked_for():
    world, a, b = pair(Conditions(Latency(0.1), breaks_per_hour=3600.0))
    world.run(60)
    assert a.log[-1][0] == b.log[-1][0] == "Connection reset by peer"


def test_a_wrong_bit():
    world, a, b = pair()
    world.run(1)
    a.end.out.corrupt = 1
    a.end.send(bytes(100))
    a.end.send(bytes(100))
    world.run(1)
    assert sum(bin(byte).count("1") for byte in b.got) == 1
    assert b.got[100:] == bytes(100)
