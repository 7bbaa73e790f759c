"""Hostile gossip against live nodes: forged, malformed, old and lying edges (`threats.md` rows 18, 31-39, 43, 44)."""

import pytest
from network.cluster import Cluster, make_config
from network.raw_peer import RawPeer, edge_between

from nearnet import Node
from nearnet.core.routing_table.edge import edge_digest, sign_edge
from nearnet.keys import PeerId, SecretKey, Signature
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import RequestUpdateNonce, ResponseUpdateNonce, SyncRoutingTable

KEYS = sorted((SecretKey.from_seed(f"edges {number}") for number in range(12)), key=lambda key: key.public_key)
A, B, C, D = KEYS[:4]
IDENTITY = PeerId(b"\0\1" + bytes(31))
IDENTITY_SIGNATURE = Signature(b"\0\1" + bytes(63))
"""Of whatever message, under the key of small order above, by today's loose rule (row 39)."""


def rebuilt(edge: Edge, **changes) -> Edge:
    """That edge with other parts."""
    names = ("peer0", "peer1", "nonce", "signature0", "signature1", "removal")
    return Edge.build(**{**dict(zip(names, edge.parts(), strict=True)), **changes})


ACTIVE, REMOVED = edge_between(A, B, 7), edge_between(A, B, 8)
FORGED = {
    "signature of another": rebuilt(ACTIVE, signature1=C.sign(edge_digest(A.public_key, B.public_key, 7))),
    "another nonce": rebuilt(ACTIVE, nonce=9),
    "keys out of order": rebuilt(ACTIVE, peer0=B.public_key, peer1=A.public_key),
    "self edge": edge_between(A, A, 7),
    "nonce 0": rebuilt(ACTIVE, nonce=0),
    "even without removal": rebuilt(ACTIVE, nonce=8),
    "odd with removal": rebuilt(REMOVED, nonce=7),
    "removed by the other": rebuilt(REMOVED, removal=(not REMOVED.parts()[5][0], REMOVED.parts()[5][1])),
    "removed by a third": rebuilt(REMOVED, removal=(True, C.sign(edge_digest(A.public_key, B.public_key, 8)))),
    "removal of no edge": rebuilt(REMOVED, signature0=C.sign(edge_digest(A.public_key, B.public_key, 7))),
}


def checks(node: Node) -> int:
    """Signature checks of edges asked for until now."""
    return node.core.intake.verified_count


def known(node: Node, a: SecretKey, b: SecretKey) -> int:
    """The nonce of their edge as the node has it, 0 for none."""
    edge = node.core.table.get(a.public_key, b.public_key)
    return 0 if edge is None else edge.nonce


async def edges_told(raw: RawPeer, *keys: SecretKey) -> list[Edge]:
    """What the node has told this peer of edges between these."""
    tables = [message for message in await raw.answers() if isinstance(message, SyncRoutingTable)]
    ids = {key.public_key for key in keys}
    return [edge for table in tables for edge in table.edges if set(edge.key) <= ids]


@pytest.mark.threat(31, 32, 33, 34)
@pytest.mark.parametrize("what", FORGED)
async def test_an_edge_that_is_wrong_bans_its_teller_and_goes_nowhere(what):
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node, "liar") as liar, await RawPeer.ready(node, "witness") as witness:
            begun = checks(node)
            liar.tell(FORGED[what], edge_between(C, D, 1))
            await liar.rest()
            await cluster.until(lambda: bool(cluster.bans))
            assert [(event.peer_id, event.data["reason"]) for _, event in cluster.bans] == [
                (liar.key.public_key, "InvalidEdge")
            ]
            if what in ("keys out of order", "self edge", "nonce 0", "even without removal", "odd with removal"):
                assert checks(node) - begun <= 2, "no crypto but for the good one beside it"
            assert (known(node, A, B), known(node, C, D)) == (0, 0), "nothing after it in that list is used"
            assert await edges_told(witness, A, B, C, D) == []
            assert list(node.core.peers) == [witness.key.public_key]


@pytest.mark.threat(34)
async def test_the_right_removal_is_taken_and_told():
    async with Cluster() as cluster:
        node = await cluster.start()
        assert len(REMOVED) == 271
        async with await RawPeer.ready(node, "teller") as teller, await RawPeer.ready(node, "witness") as witness:
            teller.tell(REMOVED)
            await cluster.until(lambda: known(node, A, B) == 8)
            assert await witness.receive_kind(SyncRoutingTable)
        assert cluster.bans == []


@pytest.mark.threat(35, 38)
async def test_what_is_known_costs_no_crypto():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node, "a") as a, await RawPeer.ready(node, "b") as b:
            a.tell(edge_between(A, B, 9), edge_between(A, B, 7), edge_between(A, B, 5))
            await cluster.until(lambda: known(node, A, B) == 9)
            begun = checks(node)
            assert begun == 2, "of several nonces of one edge the newest"
            for raw in (a, b):
                raw.tell(*(edge_between(A, B, nonce) for nonce in (9, 8, 7, 1)))
                await raw.answers()
            assert checks(node) == begun
            assert known(node, A, B) == 9
        assert cluster.bans == []


@pytest.mark.threat(37)
async def test_one_forgery_at_the_end_of_a_long_list_repeated():
    pairs = [(one, other) for at, one in enumerate(KEYS) for other in KEYS[:at]]
    good = [edge_between(one, other, 3) for one, other in pairs[1:]]
    bad = rebuilt(edge_between(*pairs[0], 3), nonce=5)
    async with Cluster() as cluster:
        node = await cluster.start()
        for number in range(3):
            async with await RawPeer.ready(node, f"liar {number}") as liar:
                begun = checks(node)
                liar.tell(*good, bad)
                await liar.rest()
                if number:
                    assert checks(node) - begun <= 2, "the valid ones before it were kept"
        await cluster.until(lambda: len(cluster.bans) == 3)
        await cluster.until(lambda: all(known(node, *pair) == 3 for pair in pairs[1:]))
        assert known(node, *pairs[0]) == 0


@pytest.mark.threat(39, 40)
async def test_what_only_our_rule_refuses_bans_nobody():
    edge = Edge.build(IDENTITY, B.public_key, 1, IDENTITY_SIGNATURE, B.sign(edge_digest(IDENTITY, B.public_key, 1)))
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node) as raw:
            raw.tell(edge, edge_between(A, C, 1))
            await cluster.until(lambda: known(node, A, C) == 1)
            assert node.core.table.get(IDENTITY, B.public_key) is None
            assert await raw.answers() is not None
        assert cluster.bans == []


@pytest.mark.threat(18)
async def test_the_victim_of_an_even_nonce_is_not_banned_by_a_third():
    async with Cluster() as cluster:
        node, third = await cluster.start(), await cluster.start()
        await cluster.wire((1, 0))
        async with await RawPeer.dial(node) as raw:
            raw.send(raw.handshake(nonce=2))
            assert await raw.rest() == []
        await cluster.nodes[1].ping(node.peer_id)
        assert not [edge for edge in third.core.table.edges() if edge.involves(raw.key.public_key)]
        assert cluster.bans == []


@pytest.mark.threat(43)
@pytest.mark.scenario(60)
async def test_an_edge_that_says_we_are_connected():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(timing={"wait_peer_before_remove": 0.3}))
        stranger = SecretKey.from_seed("stranger")
        async with await RawPeer.ready(node) as raw:
            raw.tell(edge_between(node.key, stranger, 7))
            await cluster.until(lambda: known(node, node.key, stranger) == 7)
            await cluster.until(lambda: known(node, node.key, stranger) == 8, what="our removal")
            told = [edge for edge in await edges_told(raw, node.key, stranger) if edge.nonce == 8]
            assert len(told) == 1
            raw.tell(edge_between(node.key, stranger, 9))
            await cluster.until(lambda: known(node, node.key, stranger) == 9)
            async with await RawPeer.ready(node, stranger, nonce=11) as late:
                assert await late.answers() is not None
                await cluster.stays(lambda: known(node, node.key, stranger) == 11, 0.4)
        assert cluster.bans == []


@pytest.mark.threat(44)
@pytest.mark.scenario(60)
@pytest.mark.parametrize("answers", [True, False])
async def test_gossip_says_that_a_live_link_is_removed(answers):
    async with Cluster() as cluster:
        node = await cluster.start(make_config(timing={"wait_on_try_update_nonce": 0.4}))
        async with await RawPeer.ready(node, "neighbor") as raw, await RawPeer.ready(node, "teller") as teller:
            removal = edge_between(raw.key, node.key, 2)
            teller.tell(removal)
            teller.tell(removal)
            asked = await raw.receive_kind(RequestUpdateNonce)
            assert asked.partial_edge_info.nonce == 3
            if answers:
                raw.send(ResponseUpdateNonce(edge_between(raw.key, node.key, 3)))
                await cluster.stays(lambda: len(node.core.peers) == 2, 0.6)
                assert known(node, node.key, raw.key) == 3
            else:
                assert not [one for one in await raw.rest() if isinstance(one, RequestUpdateNonce)], "asked once"
                assert list(node.core.peers) == [teller.key.public_key]
        assert cluster.bans == []


@pytest.mark.threat(44)
async def test_a_nonce_that_is_not_above_ours_is_answered_with_ours():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node, nonce=5) as raw:
            raw.send(RequestUpdateNonce(sign_edge(raw.key, node.peer_id, 3)))
            assert (await raw.receive_kind(ResponseUpdateNonce)).edge.nonce == 5
            raw.send(ResponseUpdateNonce(edge_between(A, B, 3)))
            await raw.rest()
        await cluster.until(lambda: len(cluster.bans) == 1, what="an answer about others is none")


@pytest.mark.threat(36)
async def test_more_edges_than_are_held_are_left_out_without_a_ban():
    pairs = [(one, other) for at, one in enumerate(KEYS) for other in KEYS[:at]]
    async with Cluster() as cluster:
        node = await cluster.start(make_config(limits={"edges_per_source": 20, "edges_per_message_received": 60}))
        async with await RawPeer.ready(node) as raw:
            raw.tell(*(edge_between(one, other, 1) for one, other in pairs))
            await cluster.until(lambda: node.core.table.edge_count >= 20)
            assert await raw.answers() is not None
            await cluster.stays(lambda: node.core.table.edge_count <= 21, 0.2)
            assert node.core.context.limits.hits("edges_per_message_received") == 1
            held = next(pair for pair in pairs if known(node, *pair))
            raw.tell(edge_between(*held, 3))
            await cluster.until(lambda: known(node, *held) == 3, what="a newer nonce of a held edge always is")
        assert cluster.bans == []
