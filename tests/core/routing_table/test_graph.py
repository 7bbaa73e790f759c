"""Shortest paths by lists, by numpy and by the loop for numba alike, held against what they are by definition."""

import itertools
import subprocess
import sys
from array import array
from contextlib import contextmanager
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearnet.core.routing_table import graph, graph_numba
from nearnet.core.routing_table.graph import DEEP, MAX_NEXT_HOPS, NO_ROUTES, NUMPY_FROM, Snapshot, shortest_paths

WAYS = ["lists", "numpy", "loop"]
if find_spec("numba"):
    WAYS.append("numba")
ALL = pytest.mark.parametrize("way", WAYS)


@contextmanager
def going(way):
    """`shortest_paths` goes this way, whatever the size; "loop" is what numba compiles, not compiled."""
    least, compiled = graph.COMPILED_FROM, graph_numba.compiled
    if way in ("loop", "numba"):
        graph.COMPILED_FROM = 0
        graph_numba.compiled = compiled if way == "numba" else lambda: graph_numba.breadth_first
    try:
        yield
    finally:
        graph.COMPILED_FROM, graph_numba.compiled = least, compiled


def snapshot(edges, count, way="lists", inactive=()):
    """Of pairs of numbers; with enough inactive slots to be numpy's when asked for."""
    slots = [*((pair, 1) for pair in edges), *((pair, 0) for pair in inactive)]
    if way == "numpy":
        slots += [((0, count - 1), 0)] * NUMPY_FROM
    first, second = (array("I", [pair[end] for pair, _ in slots]) for end in (0, 1))
    return Snapshot(first, second, bytes(state for _, state in slots), count)


def routes_by(way, edges, count, inactive=()):
    """All that is found that way."""
    with going(way):
        return shortest_paths(snapshot(edges, count, way, inactive))


def routes_of(edges, count, way="lists", inactive=()):
    """Per peer, its distance and next hops."""
    routes = routes_by(way, edges, count, inactive)
    assert len(routes) == count
    return [(routes.distance(peer), routes.next_hops(peer)) for peer in range(count)]


def distances(edges, count, start):
    found, frontier = {start: 0}, [start]
    for peer in frontier:
        for pair in edges:
            if peer in pair and (other := sum(pair) - peer) not in found:
                found[other] = found[peer] + 1
                frontier.append(other)
    return found


def by_definition(edges, count):
    """A neighbor starts a shortest path when it is one hop nearer than we are."""
    mine = distances(edges, count, 0)
    near = {peer: distances(edges, count, peer) for peer, hops in mine.items() if hops == 1}
    return [
        (mine.get(peer), tuple(hop for hop in sorted(near) if peer and near[hop].get(peer, count) == mine[peer] - 1))
        if peer in mine
        else (None, ())
        for peer in range(count)
    ]


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 12))
    pairs = [(a, b) for b in range(count) for a in range(b)]
    if not pairs:
        return count, [], []
    chosen = draw(st.dictionaries(st.sampled_from(pairs), st.booleans()))
    turned = [pair[::-1] if draw(st.booleans()) else pair for pair in chosen]
    return count, [p for p, on in zip(turned, chosen.values(), strict=True) if on], turned


@ALL
@given(graphs())
def test_random_graphs(way, drawn):
    count, edges, known = drawn
    inactive = [pair for pair in known if pair not in edges]
    assert routes_of(edges, count, way, inactive) == by_definition(edges, count)


@ALL
@pytest.mark.scenario(54)
def test_three_layers_of_three(way):
    """Each layer is joined to the next entirely; one edge within a layer changes nothing."""
    layers = [(1, 2, 3), (4, 5, 6), (7, 8, 9)]
    edges = [(0, peer) for peer in layers[0]]
    edges += [(a, b) for near, far in itertools.pairwise(layers) for a in near for b in far] + [(1, 2)]
    assert len(edges) == 22
    expected = [(0, ()), (1, (1,)), (1, (2,)), (1, (3,))] + [(2, (1, 2, 3))] * 3 + [(3, (1, 2, 3))] * 3
    assert routes_of(edges, 12, way, inactive=[(0, 9)]) == [*expected, (None, ()), (None, ())]
    assert routes_of([*edges, (10, 11)], 12, way)[10:] == [(None, ())] * 2, "a pair that nobody is joined to"


@ALL
@pytest.mark.parametrize("length", [1, 2, DEEP - 1, DEEP, DEEP + 1, 3 * DEEP])
def test_chains(way, length):
    edges = [(peer, peer + 1) for peer in range(length)]
    expected = [(0, ())] + [(hops, (1,)) for hops in range(1, length + 1)]
    assert routes_of(edges, length + 2, way) == [*expected, (None, ())]


@ALL
@pytest.mark.threat(41)
@pytest.mark.parametrize("neighbors", [1, 63, 64, 65, 127, 128, 129, 140])
def test_the_first_128_neighbors_get_a_bit(way, neighbors):
    far = neighbors + 1
    edges = [(0, peer) for peer in range(neighbors, 0, -1)] + [(peer, far) for peer in range(1, far)]
    routes = routes_of(edges, far + 1, way)
    used = min(neighbors, MAX_NEXT_HOPS)
    assert routes[far] == (2, tuple(range(1, used + 1)))
    assert routes[1 : used + 1] == [(1, (peer,)) for peer in range(1, used + 1)]
    assert routes[used + 1 : far] == [(3, tuple(range(1, used + 1)))] * (neighbors - used), "the others: the long way"


@ALL
def test_what_else_routes_tell(way):
    routes = routes_by(way, [(0, 2), (2, 3)], 5)
    assert routes.neighbors == (2,)
    assert routes.unreachable == [1, 4]
    assert routes.distance(5) is None, "a peer that came later"
    assert routes.next_hops(5) == ()
    assert routes.next_hops(3) is routes.next_hops(2), "one tuple per mask"


@given(graphs(), st.data())
def test_what_holds_with_an_edge_more_or_less(drawn, data):
    count, edges, known = drawn
    inactive = [pair for pair in known if pair not in edges]
    if not known:
        return
    changed = data.draw(st.sampled_from(known))
    before = routes_by("lists", edges, count)
    if before.hold_with(*changed, changed in inactive):
        after = [*edges, changed] if changed in inactive else [pair for pair in edges if pair != changed]
        assert routes_of(after, count) == routes_of(edges, count)


def test_what_is_seen_to_hold():
    square = routes_by("lists", [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)], 7)
    assert square.hold_with(1, 2, True)
    assert square.hold_with(1, 2, False)
    assert square.hold_with(5, 6, True), "neither is reached"
    assert not square.hold_with(4, 5, True), "now it is"
    assert not square.hold_with(5, 4, False)
    assert not square.hold_with(3, 4, False), "the only way"
    assert not square.hold_with(0, 3, True), "a shorter way"
    assert not square.hold_with(1, 4, True)
    fork = routes_by("lists", [(0, 1), (0, 2), (1, 3), (1, 4)], 5)
    assert not fork.hold_with(2, 3, True), "one more next hop"
    diamond = routes_by("lists", [(0, 1), (1, 2), (1, 3), (2, 4)], 5)
    assert diamond.hold_with(3, 4, True), "another way, the same next hop"
    assert diamond.hold_with(4, 3, True)


def test_a_large_graph_without_numba(monkeypatch):
    monkeypatch.setattr(graph_numba, "compiled", lambda: None)
    monkeypatch.setattr(graph, "COMPILED_FROM", 0)
    assert shortest_paths(snapshot([(0, 1)], 2)).next_hops(1) == (1,)


def test_before_the_first_computation():
    assert (NO_ROUTES.distance(0), NO_ROUTES.distance(1), NO_ROUTES.next_hops(0)) == (0, None, ())
    assert NO_ROUTES.unreachable == ()


def test_a_small_graph_does_not_import_numpy():
    code = (
        "import sys; from array import array; from nearnet.core.routing_table.graph import *;"
        "shortest_paths(Snapshot(array('I', [0]), array('I', [1]), b'\\1', 2)); sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
