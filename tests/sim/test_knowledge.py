"""What each node can know of a mixed network, and what it is wrong about."""

import pytest

from nearnet.core.routing_table.edge import sign_removal
from nearnet.sim.knowledge import Part, components_of
from nearnet.sim.play import Player
from nearnet.sim.signatures import made_up_edge
from nearnet.sim.steps import Connect, Scenario, Setup, Wait

OURS = Setup(nearnet={"dialect": "auto"})
STEPS = (Connect(0, 1), Connect(1, 2), Connect(2, 3), Wait(20))


@pytest.fixture
def player():
    """0 and 1 of 2022, 2 ours, 3 of 2026, in a line: the link 0-1 is a counter."""
    setups = {0: Setup(generation=2022), 1: Setup(generation=2022), 3: Setup(generation=2026)}
    player = Player(Scenario("line", "", 4, STEPS, setup=OURS, setups=setups, quiet=False))
    player.run()
    return player


def pair(player, a, b):
    return tuple(sorted((player.id(a), player.id(b))))


def edge(player, a, b, nonce=None):
    """The newest edge of two nodes, or the one with that nonce."""
    nodes = player.world.nodes
    if nonce is None:
        return nodes[a].core.table.get(nodes[a].id, nodes[b].id)
    first, second = sorted((nodes[a].key, nodes[b].key), key=lambda key: key.public_key)
    return made_up_edge(first, second, nonce)


def put(player, node, one):
    node = player.world.nodes[node]
    with player.world.running():
        node.core.table.add([one], None, node.now)


def test_a_counter_is_for_those_that_documented_era_connections_reach(player):
    nodes = player.world.nodes
    part = Part(nodes)
    counter, dated = edge(player, 0, 1), edge(player, 1, 2)
    assert [part.can_take(node, counter.key, counter.nonce) for node in nodes] == [True, True, True, False]
    assert [part.can_take(node, dated.key, dated.nonce) for node in nodes] == [True] * 4
    assert [part.wrong_about(node) for node in nodes] == [{}] * 4


def test_an_edge_that_did_not_arrive(player):
    nodes = player.world.nodes
    put(player, 3, sign_removal(nodes[1].key, edge(player, 1, 2)))
    nonce = edge(player, 1, 2).nonce
    assert Part(nodes).wrong_about(nodes[3]) == {pair(player, 1, 2): f"{nonce} expected, nothing held"}


def test_an_edge_of_those_that_are_not_connected(player):
    nodes = player.world.nodes
    nonce = int(nodes[3].now.wall) | 1
    put(player, 3, edge(player, 0, 3, nonce))
    assert Part(nodes).wrong_about(nodes[3]) == {pair(player, 0, 3): f"held with {nonce}, but they are not connected"}


def test_the_end_of_a_counter_is_not_known_everywhere(player):
    nodes = player.world.nodes
    put(player, 3, edge(player, 0, 2, 1))
    assert Part(nodes).wrong_about(nodes[3]) == {}
    put(player, 1, edge(player, 0, 2, 1))
    assert list(Part(nodes).wrong_about(nodes[1])) == [pair(player, 0, 2)]


def test_clocks_that_are_far_apart_excuse_what_is_too_far_ahead(player):
    nodes = player.world.nodes
    ahead = edge(player, 2, 3, (int(nodes[2].now.wall) + 250) | 1)
    put(player, 2, ahead)
    put(player, 3, ahead)
    assert list(Part(nodes).wrong_about(nodes[0])) == [pair(player, 2, 3)]
    nodes[3].clock.jump(wall=-290.0)
    assert Part(nodes).wrong_about(nodes[0]) == {}
    nodes[3].clock.jump(wall=+290.0 + 2000.0)
    assert Part(nodes).can_take(nodes[0], ahead.key, ahead.nonce) is False
    nodes[3].clock.jump(wall=-2000.0)
    assert Part(nodes).can_take(nodes[0], ahead.key, ahead.nonce) is True


def test_only_documented_era_nodes_have_no_clock_that_counts(player):
    assert Part(player.world.nodes[:1]).can_take(player.world.nodes[0], pair(player, 0, 1), 1)


def test_ways(player):
    nodes = player.world.nodes
    part = Part(nodes)
    ways = {(a, b): part.has_way(nodes[a], nodes[b]) for a in range(4) for b in range(4) if a != b}
    assert [which for which, has in ways.items() if not has] == [(3, 0)]


def test_a_way_that_one_on_it_does_not_know(player):
    """3 comes to hear of the counter 0-1 all the same: it knows a way then, while 2 knows how it goes on."""
    nodes = player.world.nodes
    put(player, 3, edge(player, 0, 1))
    player.world.run(3)
    assert Part(nodes).has_way(nodes[3], nodes[0])
    table = nodes[2].core.table
    table.forget(range(len(table.slots)), lambda one: one != edge(player, 0, 1))
    with player.world.running():
        nodes[2].do(nodes[2].core.on_timer)
    player.world.run(3)
    assert table.next_hops(nodes[0].id) == ()
    assert not Part(nodes).has_way(nodes[3], nodes[0])


def test_a_way_out_of_the_part(player):
    nodes = player.world.nodes
    part = Part([nodes[3], nodes[0], nodes[1]])
    assert part.has_way(nodes[1], nodes[0])
    assert not part.has_way(nodes[3], nodes[1]), "its next hop is another's"


def test_where_all_is_known_every_way_is():
    player = Player(Scenario("line", "", 4, STEPS, setup=OURS, quiet=False))
    player.run()
    nodes = player.world.nodes
    nodes[0].core.table.forget(range(len(nodes[0].core.table.slots)), lambda _: False)
    assert Part(nodes).has_way(nodes[0], nodes[3]), "it must: that it has none is to be found"


def test_parts_of_a_graph():
    links = {b"a": [b"b"], b"b": [b"a"], b"c": [], b"d": [b"e"], b"e": [b"d"]}
    assert components_of(links) == [[b"a", b"b"], [b"c"], [b"d", b"e"]]
