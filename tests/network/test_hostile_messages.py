"""Hostile messages against live nodes: routed ones, lists of peers, announcements (`threats.md` rows 46-63)."""

import asyncio

import pytest
from network.cluster import Cluster, make_config
from network.raw_peer import RawPeer, ping, routed

from nearnet import NetworkConfig, Node
from nearnet.client import DefaultClient
from nearnet.errors import ReasonForBan
from nearnet.keys import CryptoHash, PublicKey, SecretKey
from nearnet.wire.messages import (
    AnnounceAccount,
    EpochSyncRequest,
    PeerInfo,
    PeersRequest,
    PeersResponse,
    Routed,
    SocketAddress,
    SyncRoutingTable,
)
from nearnet.wire.routed_body import Pong, encode_body
from nearnet.wire.routed_frame import routed_digest


def peer_number(number: int) -> PublicKey:
    """Some peer's id."""
    return PublicKey(b"\0" + number.to_bytes(32, "big"))


def drops(node) -> dict[tuple[str, str], int]:
    """Routed messages that were dropped, by body and reason."""
    return node.core.routed.drops


def pongs(messages) -> list[Routed]:
    return [one for one in messages if isinstance(one, Routed) and one.message.body[0] == 15]


@pytest.mark.threat(48)
async def test_a_forged_routed_message_bans_who_brought_it():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node, "a") as a, await RawPeer.ready(node, "b") as b:
            good = ping(b.key, b.key.public_key, 1)
            forged = ping(SecretKey.from_seed("author"), b.key.public_key, 1).message
            a.send(Routed(type(forged)(forged.target, forged.author, good.message.signature, forged.ttl, forged.body)))
            await a.rest()
            await cluster.until(lambda: bool(cluster.bans))
            assert cluster.bans[0][1].data["reason"] == "InvalidSignature"
            assert cluster.bans[0][1].peer_id == a.key.public_key, "the neighbor, not the author"
            assert not [one for one in await b.answers() if isinstance(one, Routed)], "nothing is passed on"


@pytest.mark.threat(46)
@pytest.mark.scenario(58)
async def test_a_ping_to_oneself_through_the_node():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node) as raw:
            for ttl in (0, 1):
                raw.send(ping(raw.key, raw.key.public_key, ttl, ttl))
            assert await raw.answers(100) is not None
            assert drops(node) == {("Ping", "TtlExpired"): 2}
            for ttl in (2, 3, 4):
                sent = ping(raw.key, raw.key.public_key, ttl, ttl)
                raw.send(sent)
                back = (await raw.receive_kind(Routed)).message
                assert (back.ttl, back.body, back.signature) == (ttl - 1, sent.message.body, sent.message.signature)


@pytest.mark.threat(47)
async def test_a_message_that_is_sent_round_for_ever_ends():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(timing={"drop_duplicated_messages_period": 0}))
        async with await RawPeer.ready(node, "a") as a, await RawPeer.ready(node, "b") as b:
            # Body 13 expects no answer, so the route-back cache has no part in this.
            message = routed(a.key, b.key.public_key, b"\x0dround and round")
            for _ in range(100):
                a.send(message)
                assert (await b.receive_kind(Routed)).message.ttl == 99
            for number in range(2):
                a.send(message)
                await a.answers(number)
            assert drops(node) == {("PartialEncodedChunk", "Loop"): 2}
        assert cluster.bans == []


@pytest.mark.threat(49)
@pytest.mark.scenario(57)
async def test_duplicates_cost_no_signature_check():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(timing={"drop_duplicated_messages_period": 5}))
        async with await RawPeer.ready(node, "a") as a, await RawPeer.ready(node, "b") as b:
            a.send(*[routed(a.key, b.key.public_key, b"\x0dagain")] * 500)
            await a.answers()
            assert drops(node) == {("PartialEncodedChunk", "Duplicate"): 499}
            assert len([one for one in await b.answers() if isinstance(one, Routed)]) == 1


@pytest.mark.threat(51)
@pytest.mark.scenario(52)
async def test_ways_back_survive_a_greedy_neighbor():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(timing={"route_back_cache_size": 17, "route_back_evict": 1}))
        names = ("honest", "greedy", "target")
        honest, greedy, target = [await RawPeer.ready(node, name) for name in names]
        async with honest, greedy, target:
            asked = [ping(honest.key, target.key.public_key, number) for number in range(8)]
            honest.send(*asked)
            for one in asked:
                assert (await target.receive_kind(Routed)).message.body == one.message.body
            greedy.send(*(ping(greedy.key, target.key.public_key, 100 + number) for number in range(50)))
            await greedy.answers()
            for one in asked:
                answer = encode_body(Pong(1, target.key.public_key))
                target.send(routed(target.key, routed_digest(one.message), answer))
            got = [(await honest.receive_kind(Routed)).message.target for _ in asked]
            assert got == [routed_digest(one.message) for one in asked]


@pytest.mark.threat(52)
async def test_an_answer_passes_once_and_a_guess_never():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(timing={"drop_duplicated_messages_period": 0}))
        async with await RawPeer.ready(node, "a") as a, await RawPeer.ready(node, "b") as b:
            request = routed(a.key, b.key.public_key, b"\x04a question")
            a.send(request)
            await b.receive_kind(Routed)
            reply = routed(b.key, routed_digest(request.message), b"\x05an answer")
            b.send(reply)
            await b.answers(1)
            b.send(reply, routed(b.key, CryptoHash.of(b"a guess"), b"\x05another"))
            await b.answers(2)
            assert len([one for one in await a.answers() if isinstance(one, Routed)]) == 1
            assert drops(node) == {("QueryResponse", "NoRouteFound"): 2}
        assert cluster.bans == []


@pytest.mark.threat(53)
async def test_small_questions_with_large_answers():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node) as raw:
            raw.send(*[PeersRequest()] * 50)
            assert sum(isinstance(one, PeersResponse) for one in await raw.answers()) == 3
            assert node.core.context.limits.hits("peers_requests") == 47
            raw.send(*[EpochSyncRequest(CryptoHash(bytes(32)))] * 5)
            await raw.answers(2)
            assert node.client.counts == {"EpochSyncRequest": 1}
        assert cluster.bans == []


@pytest.mark.threat(53)
async def test_a_flood_of_tables_is_read_slowly_and_wholly():
    """Slowly where the next token is minutes away; wholly where it comes soon."""

    def config(per_second: float) -> NetworkConfig:
        return make_config(limits={"tables_per_second": {"borsh": {"burst": 5, "per_second": per_second}}})

    def tables_read(node: Node, raw: RawPeer) -> int:
        return node.core.peers[raw.key.public_key].received_by_type["SyncRoutingTable"][0]

    async with Cluster() as cluster:
        node = await cluster.start(config(0.01))
        async with await RawPeer.ready(node, "flood") as raw, await RawPeer.ready(node, "good") as good:
            raw.send(*[SyncRoutingTable()] * 30)
            await good.answers(1)
            await cluster.until(lambda: node.core.context.limits.hits("tables_per_second") > 0)
            await good.answers(2)  # Nobody else waits.
            assert tables_read(node, raw) == 5, "and the rest stays in the socket"
        node = await cluster.start(config(50))
        async with await RawPeer.ready(node, "flood") as raw:
            raw.send(*[SyncRoutingTable()] * 30)
            await raw.answers()
            assert tables_read(node, raw) == 30
        assert cluster.bans == []


@pytest.mark.threat(54)
async def test_a_flood_of_pings():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node, "a") as a, await RawPeer.ready(node, "b") as b:
            a.send(*(ping(a.key, node.peer_id, number) for number in range(300)))
            a.send(*(ping(a.key, b.key.public_key, number) for number in range(300, 500)))
            for number in range(300, 500):
                assert int.from_bytes((await b.receive_kind(Routed)).message.body[1:9], "little") == number
            dropped = drops(node)["Ping", "PingRate"]
            assert 150 < dropped <= 200, "100 a second for the node itself; those that pass are not counted"
            answered = [(await a.receive_kind(Routed)).message.body for _ in range(300 - dropped)]
            assert answered[99] == encode_body(Pong(99, node.peer_id))
            assert await b.answers(1) is not None, "another hop has its own rate"
        assert cluster.bans == []


@pytest.mark.threat(55)
async def test_a_flood_of_forwarded_transactions():
    async with Cluster() as cluster:
        # Twelve times as many as pass in a second: however slow the machine is, it does not take twelve seconds.
        node = await cluster.start(make_config(timing={"max_transactions_per_block_message": 100}))
        async with await RawPeer.ready(node) as raw:
            transactions = [routed(raw.key, node.peer_id, b"\1" + number.to_bytes(4, "big")) for number in range(1200)]
            raw.send(*transactions)
            await raw.answers()
            assert 100 <= node.client.counts["Routed"] < 1200
            assert drops(node)["ForwardTx", "TransactionsPerBlockExceeded"] == 1200 - node.client.counts["Routed"]
            raw.send(b"\x0bblock", routed(raw.key, node.peer_id, b"\1after a block"))
            await raw.answers(2)
            assert drops(node)["ForwardTx", "TransactionsPerBlockExceeded"] == 1201 - node.client.counts["Routed"]
        assert cluster.bans == []


@pytest.mark.threat(56)
async def test_a_huge_list_of_peers():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node, "honest") as honest, await RawPeer.ready(node, "huge") as huge:
            known = len(node.core.peer_store)
            peers = tuple(PeerInfo(peer_number(n), SocketAddress("127.0.0.1", n)) for n in range(1, 514))
            huge.send(PeersResponse(peers))
            await huge.rest()
            await cluster.until(lambda: [one.data["reason"] for _, one in cluster.bans] == ["Abusive"])
            assert len(node.core.peer_store) == known
            honest.send(PeersResponse(peers[:512]))
            await honest.answers()
            assert known < len(node.core.peer_store) <= known + 512


@pytest.mark.threat(57)
async def test_poisoned_addresses():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node) as raw:
            poison = [
                SocketAddress("0.0.0.0", 24567),
                SocketAddress("::", 24567),
                SocketAddress("224.0.0.1", 24567),
                SocketAddress("ff02::1", 24567),
                SocketAddress("255.255.255.255", 24567),
                SocketAddress("127.0.0.1", 0),
                node.addr,
            ]
            raw.send(PeersResponse(tuple(PeerInfo(peer_number(n + 1), addr) for n, addr in enumerate(poison))))
            raw.send(PeersResponse((PeerInfo(node.peer_id, SocketAddress("127.0.0.1", 1)),)))
            raw.send(PeersResponse((PeerInfo(peer_number(99), SocketAddress("10.0.0.1", 24567)),)))
            await raw.answers()
            told = [known.info for known in node.core.peer_store.peers() if known.info.id != raw.key.public_key]
            assert [info.id for info in told] == [peer_number(99)]
        assert cluster.bans == []


@pytest.mark.threat(60)
@pytest.mark.scenario(14)
async def test_a_blacklisted_port_is_advisory():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(blacklist=["127.0.0.1:4444"]))
        async with await RawPeer.dial(node) as raw:
            raw.send(raw.handshake(port=4444))
            assert await raw.rest() == []
        async with await RawPeer.ready(node, port=4445):
            assert len(node.core.peers) == 1
        assert cluster.bans == []


class Strict(DefaultClient):
    """Knows whose signature is right: those that start with a zero byte twice."""

    def __init__(self) -> None:
        super().__init__(make_config())
        self.asked: list[str] = []

    def validate_announcement(self, announcement, last_epoch):
        self.asked.append(announcement.account_id)
        if announcement.signature[1]:
            return ReasonForBan.INVALID_SIGNATURE
        return super().validate_announcement(announcement, last_epoch)


def announcement(account: str, peer: PublicKey, epoch: int = 1, first: int = 0) -> AnnounceAccount:
    signature = SecretKey.from_seed("account").sign(bytes(32))
    return AnnounceAccount(account, peer, CryptoHash.of(b"%d" % epoch), type(signature)(b"\0%c" % first + bytes(63)))


@pytest.mark.threat(62)
@pytest.mark.scenario(30)
async def test_announcements_forged_and_contradicting():
    async with Cluster() as cluster:
        client = Strict()
        node = await cluster.start(client=client)
        async with await RawPeer.ready(node, "a") as a, await RawPeer.ready(node, "b") as b:
            a.send(SyncRoutingTable((), (announcement("alice.near", peer_number(1)),)))
            b.send(SyncRoutingTable((), (announcement("alice.near", peer_number(1)),)))
            b.send(SyncRoutingTable((), (announcement("alice.near", peer_number(2)),)))
            await asyncio.gather(a.answers(), b.answers())
            assert client.asked == ["alice.near"], "validated once, whoever tells it"
            assert node.core.announcements.owner("alice.near") == peer_number(1), "of one epoch the first is kept"
            assert cluster.bans == []
            forged = announcement("carol.near", peer_number(3), first=1)
            b.send(SyncRoutingTable((), (announcement("bob.near", peer_number(3)), forged)))
            await b.rest()
            await cluster.until(lambda: [one.data["reason"] for _, one in cluster.bans] == ["InvalidSignature"])
            assert node.core.announcements.owner("bob.near") is None, "one wrong one drops all of that message"
            assert not [one for one in await a.answers(2) if isinstance(one, SyncRoutingTable) and one.accounts]


@pytest.mark.threat(63)
async def test_a_flood_of_announcements():
    async with Cluster() as cluster:
        limits = {"announcements": 500, "accounts_per_message_received": 500}
        node = await cluster.start(make_config(limits=limits))
        async with await RawPeer.ready(node, "flood") as flood:
            flood.send(SyncRoutingTable((), tuple(announcement(f"a{n}.near", peer_number(1)) for n in range(700))))
            await flood.answers()
            assert len(node.core.announcements) == 500
            assert node.core.context.limits.hits("accounts_per_message_received") == 1
            assert node.core.announcements.owner("a699.near") is None
            more = (announcement(f"b{n}.near", peer_number(1), epoch=2) for n in range(400))
            flood.send(SyncRoutingTable((), tuple(more)))
            await flood.answers(2)
            assert len(node.core.announcements.all()) <= 10_000
        assert cluster.bans == []


@pytest.mark.threat(53)
@pytest.mark.scenario(74)
async def test_what_the_chain_client_is_for_reaches_it_once():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node) as raw:
            for index in (8, 9, 10, 11, 12, 15, 18, 20):
                raw.send(bytes((index,)) + (bytes(4) if index == 8 else bytes(32)))
            await raw.answers()
            assert set(node.client.counts.values()) == {1}
            assert "Block" in node.client.counts
        assert cluster.bans == []
