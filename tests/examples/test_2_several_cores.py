"""Read this second: several cores that talk to each other under one virtual clock.

`tests/world.py` joins whole cores by pipes in memory. Every byte goes through the real framing and the real dialect,
and every signature is real. The world carries out each action of a core at once and in order, so the test needs no
event loop and never waits. Use it for what several nodes decide together: who hears of an edge, which way a message
takes, what a node forgets.
"""

from itertools import pairwise

from world import World


def line_of_four():
    """Return a world of four nodes in a line, 0 - 1 - 2 - 3, that have told each other everything."""
    # The clock of a world starts at an odd time and moves only when the test says so.
    world = World()
    nodes = [world.node() for _ in range(4)]

    # `connect` dials, and returns when nobody has anything left to send. The handshake is over by then.
    for node, following in pairwise(nodes):
        node.connect(following)

    # Nodes tell their tables a second after the handshake, and compute routes at most once a second. The world goes
    # from timer to timer, so these three seconds take a few milliseconds.
    world.advance(3)
    return world, nodes


def test_an_edge_travels_from_a_table_to_everybody():
    world, nodes = line_of_four()
    first, second, third, last = nodes

    # The first node has no connection to the last one. It knows the way because its neighbor told it of the edges
    # behind, and each of these edges was verified, put into the table, and told on.
    assert first.routes() == {
        second.id: [second.id],
        third.id: [second.id],
        last.id: [second.id],
    }
    assert first.core.table.distance(last.id) == 3

    # A node that goes takes its edge with it: when the connection ends, its neighbor signs the removal of the edge. The
    # removal has to travel the same way as the edge did.
    world.stop(last)
    world.advance(3)
    assert first.routes() == {second.id: [second.id], third.id: [second.id]}
    removed = first.core.table.get(third.id, last.id)
    assert removed is not None
    assert removed.nonce % 2 == 0, "the first node holds the removal, not only the lack of an edge"


def test_a_ping_crosses_the_line_and_its_pong_comes_back():
    world, (first, second, third, last) = line_of_four()

    # A command returns at once. `settle` carries out what follows from it, at every node, until nothing is left to do.
    first.core.ping(last.id, world.now)
    world.settle()

    # Each core tells what happened by events, and the world keeps them by node. The first node tells of its pong.
    assert first.event("pong").peer_id == last.id

    # Counters say what reached whom. The ping was for the last node alone; the two nodes between passed it on without
    # looking into it.
    assert [node.core.routed.delivered.get("Ping", 0) for node in (first, second, third, last)] == [0, 0, 0, 1]


def test_a_ping_with_too_short_a_life_does_not_arrive():
    world, (first, second, third, last) = line_of_four()

    # Each hop takes one from the ttl, and the last node is three hops away. This shows that the message of the test
    # above was really passed on from hop to hop.
    first.core.ping(last.id, world.now, ttl=2)
    world.settle()
    assert last.core.routed.delivered == {}
    assert "pong" not in first.kinds()

    # The message ended at the node where its ttl was used up, and that node has counted why.
    assert [node.core.routed.drops for node in (first, second, third)] == [{}, {}, {("Ping", "TtlExpired"): 1}]
