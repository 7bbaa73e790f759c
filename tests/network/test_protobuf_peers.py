"""Raw peers of the protobuf dialect with live nodes (`scenarios.md` 56-99; `behaviour.md` §10)."""

import asyncio
import dataclasses
import random
import time

import pytest
from network.cluster import Cluster, address, make_config
from network.raw_peer import RawListener, RawPeer, edge_between, framed, ping

from nearnet.client import DefaultClient
from nearnet.core.routing_table import expiry
from nearnet.core.routing_table.edge import sign_edge, unix_nonce
from nearnet.errors import NearnetError, PeerRefused, ReasonForBan
from nearnet.keys import CryptoHash, SecretKey
from nearnet.store.memory import MemoryStore
from nearnet.wire.messages import (
    Block,
    BlockHeaders,
    BlockHeadersRequest,
    BlockRequest,
    Challenge,
    Disconnect,
    EpochSyncRequest,
    EpochSyncResponse,
    GenesisId,
    GenesisMismatch,
    Handshake,
    InvalidTarget,
    OptimisticBlock,
    ProtocolVersionMismatch,
    RequestUpdateNonce,
    Routed,
    StateRequestHeader,
    StateRequestPart,
    StateResponse,
    SyncRoutingTable,
    Transaction,
)

NEW = "protobuf"
OTHER_GENESIS = GenesisId("other", CryptoHash(bytes(32)))


async def ready(node, name="today", **words):
    return await RawPeer.ready(node, name, NEW, **words)


async def flags(raw):
    """Of the Disconnects that come until the node closes, the flags."""
    return [one.remove_from_connection_store for one in await raw.rest() if isinstance(one, Disconnect)]


def edge_of(node, raw):
    return node.core.table.get(node.peer_id, raw.key.public_key)


# --- handshakes ----------------------------------------------------------------------------------


@pytest.mark.scenario(73)
@pytest.mark.threat(11, 12, 14)
@pytest.mark.interop("Handshake", "HandshakeFailure")
async def test_one_socket_through_every_failure_to_ready():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.dial(node, dialect=NEW) as raw:
            for version in (1, 79):
                told = await raw.shake(version=version, genesis=OTHER_GENESIS)
                assert told.reason == ProtocolVersionMismatch(88, 80)
            assert (await raw.shake(genesis=OTHER_GENESIS)).reason == GenesisMismatch(node.core.context.genesis_id)
            stranger = SecretKey.from_seed("stranger").public_key
            assert (await raw.shake(target=stranger)).reason == InvalidTarget()
            answer = await raw.shake(version=81)
            assert (answer.protocol_version, answer.sender_listen_port) == (81, node.addr.port)
        assert cluster.bans == []


@pytest.mark.scenario(68)
@pytest.mark.threat(17, 18)
@pytest.mark.interop("nonces", "Disconnect")
async def test_nonces_that_are_refused():
    async with Cluster() as cluster:
        node = await cluster.start()
        now = unix_nonce(time.time())
        refused = {
            now - 86400: False,
            now + 86400: False,
            253402300799: False,
            2**64 - 1: False,
            0: False,
            now + 1: True,
        }
        for nonce, flag in refused.items():
            async with await RawPeer.dial(node, dialect=NEW) as raw:
                raw.send(raw.handshake(nonce=nonce))
                assert await flags(raw) == [flag]
        async with await ready(node) as raw:
            assert edge_of(node, raw).nonce >= now
        assert cluster.bans == []


@pytest.mark.scenario(65)
@pytest.mark.threat(25)
async def test_a_copy_of_our_key_is_refused_as_a_loop():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.dial(node, node.key, NEW) as copy:
            copy.send(copy.handshake())
            assert await flags(copy) == [True]
        assert node.core.context.counters["near_connected_to_myself", ""] == 1
        assert (node.core.peers, cluster.bans) == ({}, [])


@pytest.mark.scenario(72)
@pytest.mark.threat(26)
@pytest.mark.parametrize("second", ["in", "out"])
@pytest.mark.parametrize("first", ["in", "out"])
async def test_the_second_connection_of_an_id_is_refused_and_the_first_lives(first, second):
    async with Cluster() as cluster:
        node = await cluster.start()
        async with RawListener(node, "twice", NEW) as listener:

            async def dials_in():
                raw = await RawPeer.dial(node, listener.key, NEW)
                raw.send(raw.handshake(nonce=unix_nonce(time.time()) + 10))
                return raw

            dials = []
            if first == "out":
                dials.append(asyncio.create_task(node.connect(listener.address, NEW)))
            one = await (listener.ready() if dials else dials_in())
            await cluster.until(lambda: bool(node.core.peers))
            (kept,) = node.core.peers.values()
            if second == "in":
                assert await flags(await dials_in()) == [True]
            else:
                dials.append(asyncio.create_task(node.connect(listener.address, NEW, timeout=0.5)))
                await asyncio.wait(dials)
                assert listener.connected.empty(), "nobody dials whom he has"
            assert await one.answers() is not None
            assert list(node.core.peers.values()) == [kept]
            await asyncio.gather(*dials, return_exceptions=True)
            one.cut()
        assert cluster.bans == []


@pytest.mark.scenario(71)
@pytest.mark.threat(24)
async def test_both_dial_at_once():
    async with Cluster() as cluster:
        a, b = await cluster.start(), await cluster.start()
        await asyncio.gather(a.connect(address(b), NEW), b.connect(address(a), NEW))
        await cluster.routes_are({0: {1: [1]}, 1: {0: [0]}})
        assert len(a.core.context.connections) == len(b.core.context.connections) == 1


@pytest.mark.scenario(64)
async def test_who_is_among_the_waiting_sockets_can_finish():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(max_num_peers=2, limits={"pending_connections": 5}))
        clients = [await RawPeer.dial(node, f"{number}", NEW) for number in range(7)]
        await cluster.until(lambda: len(node.core.context.connections) == 7)
        async with await RawPeer.dial(node, "above", NEW) as above:
            assert await above.rest() == [], "before any read there is no dialect to say it in"
        assert isinstance(await clients[0].shake(), Handshake)
        for client in clients:
            client.cut()


@pytest.mark.scenario(79)
async def test_a_raw_peer_pings_in_order_and_a_raw_boot_node_is_dialed():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await ready(node) as raw:
            raw.send(*(ping(raw.key, node.peer_id, number, ttl=2) for number in range(4)))
            pongs = [await raw.receive_kind(Routed) for _ in range(4)]
            assert [int.from_bytes(pong.message.body[1:9], "little") for pong in pongs] == [0, 1, 2, 3]
            assert all(pong.created_at is not None and pong.num_hops == 0 for pong in pongs)
        async with RawListener(node, "boot node", NEW) as listener:
            config = make_config(outbound=True, dialect=NEW, boot_nodes=listener.address)
            dialer = await cluster.start(config)
            peer, asked = await listener.asked()
            assert asked.sender_peer_id == dialer.peer_id
            peer.target = dataclasses.replace(peer.target, peer_id=dialer.peer_id)
            peer.send(peer.handshake(nonce=asked.partial_edge_info.nonce))
            await cluster.until(lambda: listener.key.public_key in dialer.core.peers)


# --- messages ------------------------------------------------------------------------------------


@pytest.mark.scenario(58)
@pytest.mark.threat(46)
@pytest.mark.interop("Routed")
async def test_a_ping_to_oneself_through_the_node():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await ready(node) as raw:
            for ttl in (0, 1):
                raw.send(ping(raw.key, raw.key.public_key, ttl, ttl))
            await raw.answers(100)
            assert node.core.routed.drops == {("Ping", "TtlExpired"): 2}
            for ttl in (2, 3, 4):
                sent = dataclasses.replace(ping(raw.key, raw.key.public_key, ttl, ttl), created_at=(1, 2), num_hops=7)
                raw.send(sent)
                back = await raw.receive_kind(Routed)
                assert (back.message.ttl, back.num_hops, back.created_at) == (ttl - 1, 8, (1, 2))
                assert (back.message.body, back.message.signature) == (sent.message.body, sent.message.signature)


class Given(DefaultClient):
    """Keeps what it is given."""

    def __init__(self, config):
        super().__init__(config)
        self.messages = []

    def on_message(self, message, peer):
        self.messages.append(message)


FOR_THE_CLIENT = [
    BlockHeadersRequest((CryptoHash(bytes(32)),)),
    BlockHeaders(b"\x02\0\0\0" + bytes(70) + bytes(range(70)), (bytes(70), bytes(range(70)))),
    BlockRequest(CryptoHash(bytes(32))),
    Block(b"a block"),
    Transaction(b"a transaction"),
    Challenge(b"a challenge"),
    EpochSyncRequest(),
    EpochSyncResponse(b"a proof"),
    StateRequestHeader(2**63, CryptoHash(bytes(32))),
    StateRequestPart(1, CryptoHash(bytes(32)), 2**63),
    StateResponse(b"a part"),
    OptimisticBlock(b"inner", SecretKey.from_seed("producer").sign(bytes(32)), CryptoHash(bytes(32))),
]


@pytest.mark.scenario(74, 75)
@pytest.mark.threat(6)
@pytest.mark.interop("Block and other messages of the chain")
@pytest.mark.parametrize("most", [1, 7, 4096])
async def test_each_kind_reaches_the_client_once_and_unchanged_however_it_is_cut(most):
    async with Cluster() as cluster:
        config = make_config()
        client = Given(config)
        node = await cluster.start(config, client=client)
        chance = random.Random(most)
        async with await ready(node) as raw:
            stream = b"".join(framed(raw.dialect.encode(message)) for message in FOR_THE_CLIENT)
            while stream:
                size = chance.randrange(1, most + 1)
                raw.send_bytes(stream[:size])
                await raw.writer.drain()
                stream = stream[size:]
            await raw.answers()
            assert client.messages == FOR_THE_CLIENT
        assert cluster.bans == []


@pytest.mark.threat(4, 5)
@pytest.mark.scenario(70)
@pytest.mark.interop("unknown messages and fields", "Disconnect")
async def test_what_does_not_read_closes_at_the_ninth_and_what_is_unknown_never():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await ready(node) as raw:
            raw.send(*[b"\xea\x04\x05\n\x03abc"] * 100, b"")
            assert await raw.answers() is not None
            raw.send(*[b"\x3a\x04\n\x02\n\x09"] * 8)
            assert await raw.answers(2) is not None
            raw.send(b"\x3a\x04\n\x02\n\x09")
            assert await flags(raw) == [False]
        assert node.core.context.counters["nearnet_connections_closed", "decode"] == 1
        assert cluster.bans == []


@pytest.mark.scenario(76, 78)
@pytest.mark.interop("rates by kind", "EpochSyncRequest")
async def test_rates_hit_the_flood_and_not_the_honest():
    async with Cluster() as cluster:
        rate = {"initial_size": 5, "maximum_size": 10, "refill_rate": 2.5}
        overrides = {"received_messages_rate_limits": {"rate_limits": {"BlockRequest": rate}}}
        config = make_config(experimental={"network_config_overrides": {"outbound_disabled": True, **overrides}})
        client = Given(config)
        node = await cluster.start(config, client=client)
        async with await ready(node) as raw:
            raw.send(*[BlockRequest(CryptoHash(bytes(32)))] * 7, *[Transaction(b"x")] * 7, *[EpochSyncRequest()] * 3)
            await raw.answers()
            kinds = [type(message).__name__ for message in client.messages]
            counts = {kind: kinds.count(kind) for kind in ("BlockRequest", "Transaction", "EpochSyncRequest")}
            assert 5 <= counts.pop("BlockRequest") < 7
            assert counts == {"Transaction": 7, "EpochSyncRequest": 1}
        assert cluster.bans == []


# --- ends ----------------------------------------------------------------------------------------


@pytest.mark.interop("Disconnect")
async def test_a_clean_stop_says_so():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await ready(node) as raw:
            await cluster.stop(node)
            assert await flags(raw) == [False]


@pytest.mark.interop("Disconnect")
async def test_a_disconnect_is_answered():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await ready(node) as raw, await ready(node, "third") as third:
            raw.send(Disconnect())
            assert await flags(raw) == [False]
            edges = {}
            while edges.get(raw.key.public_key, 1) % 2:
                for edge in (await third.receive_kind(SyncRoutingTable)).edges:
                    edges |= dict.fromkeys((edge.peer0, edge.peer1), edge.nonce)
        assert cluster.bans == []


@pytest.mark.scenario(63)
@pytest.mark.interop("Disconnect")
async def test_a_ban_is_told_with_the_flag_and_ends():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await ready(node) as raw:
            node.ban(raw.key.public_key, ReasonForBan.BAD_BLOCK, seconds=1.0)
            assert await flags(raw) == [True]
        async with await RawPeer.dial(node, raw.key, NEW) as again:
            again.send(again.handshake(nonce=unix_nonce(time.time()) + 10))
            assert await flags(again) == [True]
        await cluster.until(lambda: not node.core.peer_store.is_banned(raw.key.public_key))
        async with await RawPeer.ready(node, raw.key, NEW, nonce=unix_nonce(time.time()) + 10):
            assert raw.key.public_key in node.core.peers


# --- nonces that are times -----------------------------------------------------------------------


@pytest.mark.scenario(69)
@pytest.mark.interop("fresh nonces", "RequestUpdateNonce")
async def test_the_dialer_asks_for_fresh_nonces():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(dialect=NEW, timing={"nonce_refresh_interval": 0.2}))
        async with RawListener(node, dialect=NEW) as listener:
            dial = asyncio.create_task(node.connect(listener.address))
            raw = await listener.ready()
            await dial
            for _ in range(3):
                asked = (await raw.receive_kind(RequestUpdateNonce)).partial_edge_info
                assert asked.nonce > edge_of(node, raw).nonce
                raw.tell(edge_between(raw.key, node.key, asked.nonce))
                await cluster.until(lambda asked=asked: edge_of(node, raw).nonce == asked.nonce)
        assert cluster.bans == []


@pytest.mark.scenario(69)
@pytest.mark.interop("fresh nonces", "ResponseUpdateNonce")
async def test_who_is_asked_answers_with_a_table_and_tells_everybody():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await ready(node, "a") as raw, await ready(node, "b") as other:
            nonce = edge_of(node, raw).nonce + 2
            raw.send(RequestUpdateNonce(sign_edge(raw.key, node.peer_id, nonce)))
            for hearer in (raw, other):
                while not any(edge.nonce == nonce for edge in (await hearer.receive_kind(SyncRoutingTable)).edges):
                    pass
            assert edge_of(node, raw).nonce == nonce


@pytest.mark.slow
@pytest.mark.scenario(69, 81)
@pytest.mark.threat(45)
@pytest.mark.interop("expiry of edges", "fresh nonces")
async def test_what_is_kept_fresh_stays_and_what_is_not_expires(monkeypatch):
    monkeypatch.setattr(expiry, "SPAN", 1)
    timing = {"edge_expires_after": 4.0, "nonce_refresh_interval": 1.0}
    async with Cluster() as cluster:
        for _ in range(3):
            await cluster.start(make_config(dialect=NEW, timing=timing))
        await cluster.wire((0, 1), (1, 2))
        await cluster.routes_are({0: {1: [1], 2: [1]}, 2: {1: [1], 0: [1]}})
        async with await ready(cluster.nodes[0], "teller") as raw:
            far = SecretKey.from_seed("far")
            raw.tell(edge_between(raw.key, far, unix_nonce(time.time())))
            await cluster.until(lambda: bool(cluster.nodes[2].core.table.next_hops(far.public_key)))
            await cluster.until(lambda: not cluster.nodes[2].core.table.next_hops(far.public_key))
            assert cluster.routes(0)[2] == [1], "links outlive what they were at first"
            assert cluster.routes(2)[0] == [1]
        assert cluster.bans == []


# --- which dialect -------------------------------------------------------------------------------


def auto(**changes):
    config = make_config(dialect="auto", **changes)
    return config.model_copy(update={"nearnet": config.nearnet.model_copy(update={"dialect_probe_timeout": 0.3})})


@pytest.mark.interop("which dialect")
async def test_a_listener_of_the_documented_era_is_found_and_remembered():
    """It is silent to what it does not understand; the second connection speaks its dialect."""
    async with Cluster() as cluster:
        store = MemoryStore()
        node = await cluster.start(auto(), "asks", store)
        async with RawListener(node, "old era") as listener:
            dial = asyncio.create_task(node.connect(listener.address))
            silent = await listener.peer()
            assert (await silent.reader.readexactly(5))[4] >= 34
            raw = await listener.ready()
            await silent.reader.read(), "the first is closed"
            await dial
            raw.cut()
            await cluster.until(lambda: not node.core.peers)
            await cluster.stop(node)
            again = await cluster.start(auto(), "asks", store)
            dial = asyncio.create_task(again.connect(listener.address))
            raw = await listener.ready()
            await dial
            assert [peer.dialect_name for peer in again.core.peers.values()] == ["borsh"]
        assert cluster.bans == []


@pytest.mark.interop("which dialect")
async def test_a_listener_of_today_is_asked_once():
    async with Cluster() as cluster:
        node = await cluster.start(auto())
        async with RawListener(node, "today", NEW) as listener:
            dial = asyncio.create_task(node.connect(listener.address))
            await listener.ready()
            await dial
            await cluster.stays(lambda: listener.connected.empty(), 0.5)
            assert [peer.dialect_name for peer in node.core.peers.values()] == [NEW]


@pytest.mark.interop("which dialect")
async def test_who_understands_neither_is_given_up_after_two():
    async with Cluster() as cluster:
        node = await cluster.start(auto(handshake_timeout=0.5))
        async with RawListener(node, "mute") as listener:
            dial = asyncio.create_task(node.connect(listener.address))
            first = [(await (await listener.peer()).reader.readexactly(5))[4] for _ in range(2)]
            assert [byte >= 34 for byte in first] == [True, False]
            with pytest.raises(PeerRefused):
                await dial
            assert listener.connected.empty()
        assert cluster.bans == []


@pytest.mark.interop("which dialect")
async def test_one_port_for_both():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await ready(node, "new") as new, await RawPeer.ready(node, "old") as old:
            assert [peer.dialect_name for peer in node.core.peers.values()] == [NEW, "borsh"]
            for raw in (new, old):
                assert await raw.answers() is not None
        with pytest.raises(NearnetError):
            await node.connect(address(node))
