"""Components as rows: golden bytes, nonces, and which peers are of which."""

import struct

import pytest
from graph_fakes import edge
from peer_fakes import DictStore, peer_id

from nearnet.core.routing_table.components import Components
from nearnet.core.runtime.actions import Write
from nearnet.store.memory import MemoryStore
from nearnet.wire.borsh.dialect import decode_edges
from tests.vectors_file import vectors


def nonce(number):
    return struct.pack("<Q", number)


@pytest.mark.scenario(48)
def test_the_first_nonce_is_0_and_the_last_one_used_is_kept():
    store = MemoryStore()
    for number in range(3):
        component = Components(store).new([peer_id(1)], [edge(1, 2)])
        assert component.nonce == nonce(number)
        store.commit(component.stored())
        assert dict(store.items("LastComponentNonce")) == {b"": nonce(number)}


def test_its_rows():
    golden = bytes.fromhex(vectors("borsh")["component_edges"]["borsh"])
    edges = list(decode_edges(golden))
    component = Components(MemoryStore()).new([peer_id(1), peer_id(2)], edges)
    mapped = [Write("PeerComponent", peer_id(number), nonce(0)) for number in (1, 2)]
    rows = [Write("ComponentEdges", nonce(0), golden), Write("LastComponentNonce", b"", nonce(0)), *mapped]
    assert component.stored() == rows
    assert component.dropped() == [Write(row.column, row.key, None) for row in rows if row.key]


def test_a_peer_belongs_to_its_last_component():
    store = MemoryStore()
    first = Components(store).new([peer_id(1), peer_id(2)], [edge(1, 2), edge(2, 3)])
    store.commit(first.stored())
    second = Components(store).new([peer_id(2)], [edge(2, 4)])
    store.commit(second.stored())
    components = Components(store)
    assert components.of(peer_id(1)) == first._replace(peers=(peer_id(1),))
    assert components.of(peer_id(2)) == second
    assert components.of(peer_id(3)) is None, "only an end of an edge"


def test_a_peer_of_a_component_that_is_missing():
    store = MemoryStore()
    store.commit([Write("PeerComponent", peer_id(1), nonce(5))])
    component = Components(store).of(peer_id(1))
    assert (component.nonce, component.peers, component.edges) == (nonce(5), (peer_id(1),), [])


def test_a_store_without_components_is_asked_once():
    store = DictStore()
    components = Components(store)
    assert components.of(peer_id(1)) is None
    assert store.reads == 0, "for every peer that turns up"
    store.apply(components.new([peer_id(1)], [edge(1, 2)]).stored())
    assert components.of(peer_id(1)).peers == (peer_id(1),)
    assert Components(store).of(peer_id(1)).peers == (peer_id(1),)
