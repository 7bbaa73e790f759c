"""The least used next hop; the routing table's own tests hold it against whole graphs."""

from peer_fakes import peer_id

from nearnet.core.routing_table.edge_table import LAG, LeastUsed

A, B, C = peer_id(1), peer_id(2), peer_id(3)


def test_in_turns():
    use = LeastUsed()
    assert [use.choose((A, B, C)) for _ in range(6)] == [A, B, C, A, B, C]
    assert use.choose((B,)) == B
    assert [use.choose((A, B, C)) for _ in range(2)] == [A, C]


def test_a_newcomer_catches_up_at_once():
    use = LeastUsed()
    for _ in range(100):
        use.choose((A,))
    turns = [use.choose((B, A)) for _ in range(2 * LAG)]
    assert turns[: LAG - 1] == [B] * (LAG - 1)
    assert turns.count(A) >= 4


def test_who_is_no_neighbor_is_forgotten():
    use = LeastUsed()
    for _ in range(3):
        use.choose((A,))
    use.keep([B, None])
    assert [use.choose((A, B)) for _ in range(2)] == [A, B]
