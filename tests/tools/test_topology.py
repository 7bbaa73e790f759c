"""The shapes of local networks."""

from __future__ import annotations

import random

import pytest

from nearnet.tools.topology import TOPOLOGIES, distances, link_dialects, links, longest_route, routes


@pytest.mark.parametrize(
    ("topology", "nodes", "expected"),
    [
        ("line", 4, [(0, 1), (1, 2), (2, 3)]),
        ("ring", 4, [(0, 1), (0, 3), (1, 2), (2, 3)]),
        ("ring", 2, [(0, 1)]),
        ("star", 4, [(0, 1), (0, 2), (0, 3)]),
        ("mesh", 4, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]),
    ],
)
def test_shapes(topology: str, nodes: int, expected: list[tuple[int, int]]) -> None:
    assert links(topology, nodes, random.Random(1)) == expected


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("nodes", [1, 2, 3, 7, 40])
def test_everybody_is_in_reach(topology: str, nodes: int) -> None:
    for seed in range(10):
        pairs = links(topology, nodes, random.Random(seed))
        assert all(0 <= low < high < nodes for low, high in pairs)
        assert len(set(pairs)) == len(pairs)
        assert sorted(distances(pairs, 0)) == list(range(nodes))


def test_random_has_more_than_a_tree() -> None:
    assert len(links("random", 10, random.Random(1))) == 9 + 5
    assert len(links("random", 3, random.Random(1))) == 3


@pytest.mark.parametrize(
    ("topology", "nodes", "expected"),
    [("line", 5, (0, 4)), ("ring", 6, (0, 3)), ("star", 5, (1, 2)), ("mesh", 4, (0, 1)), ("line", 1, (0, 0))],
)
def test_the_longest_route(topology: str, nodes: int, expected: tuple[int, int]) -> None:
    assert longest_route(links(topology, nodes, random.Random(1)), nodes) == expected


def test_distances_leave_out_what_is_apart() -> None:
    assert distances([(0, 1), (2, 3)], 0) == {0: 0, 1: 1}


def test_routes() -> None:
    ring = links("ring", 4, random.Random(1))
    assert routes(ring, 0) == {1: (1, (1,)), 2: (2, (1, 3)), 3: (1, (3,))}
    assert routes([(0, 1), (1, 2), (3, 4)], 0) == {1: (1, (1,)), 2: (2, (1,))}


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("nodes", [2, 3, 5, 12])
def test_every_borsh_link_of_a_mixed_network_is_next_to_a_bridge(topology: str, nodes: int) -> None:
    for seed in range(10):
        pairs = links(topology, nodes, random.Random(seed))
        spoken = link_dialects(pairs, ("borsh", "protobuf"))
        assert list(spoken) == pairs
        today = {node for pair, dialect in spoken.items() if dialect == "protobuf" for node in pair}
        assert all(today.intersection(pair) for pair, dialect in spoken.items() if dialect == "borsh")
        assert len(pairs) == 1 or set(spoken.values()) == {"borsh", "protobuf"}


def test_one_dialect_is_spoken_everywhere() -> None:
    assert link_dialects([(0, 1), (1, 2)], ("borsh",)) == {(0, 1): "borsh", (1, 2): "borsh"}
