"""Hostile and broken sockets against a live node: frames, floods, silence (`threats.md` rows 1-10, 27, 30, 70)."""

import asyncio
import os
import random
import socket

import pytest
from network.cluster import Cluster, address, make_config
from network.raw_peer import BORSH, RawPeer, edge_between, framed, ping, routed

from nearnet.core.peer import inbound
from nearnet.errors import PeerRefused
from nearnet.keys import SecretKey
from nearnet.wire.messages import Handshake, HandshakeFailure, PeersRequest, PeersResponse, Routed

MIB = 2**20


def resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.threat(1)
@pytest.mark.scenario(51)
async def test_lengths_of_512_mib_and_one_more():
    async with Cluster() as cluster:
        node = await cluster.start()
        before = resident()
        async with await RawPeer.ready(node, "patient") as patient, await RawPeer.ready(node, "abusive") as abusive:
            patient.send_bytes((2**29).to_bytes(4, "little"))
            abusive.send_bytes((2**29 + 1).to_bytes(4, "little"))
            await abusive.rest()
            await cluster.until(lambda: [event.peer_id for _, event in cluster.bans] == [abusive.key.public_key])
            assert cluster.bans[0][1].data["reason"] == "Abusive"
            assert list(node.core.peers) == [patient.key.public_key], "the frame of 512 MiB is waited for"
            assert resident() - before < MIB
        async with await RawPeer.dial(node, "nobody") as nobody:
            nobody.send_bytes((2**29 + 1).to_bytes(4, "little"))
            assert await nobody.rest() == []
        assert len(cluster.bans) == 1, "an id that was not proved is not banned"


@pytest.mark.threat(2)
async def test_sixty_sockets_with_a_claim_and_silence():
    async with Cluster() as cluster:
        node = await cluster.start()
        loop = asyncio.get_running_loop()
        clients = [socket.create_connection((node.addr.ip, node.addr.port)) for _ in range(60)]
        await cluster.until(lambda: len(node.core.context.connections) == 60)
        before = resident()
        for number, client in enumerate(clients):
            client.setblocking(False)
            await loop.sock_sendall(client, (2**16 if number < 30 else 2**29).to_bytes(4, "little"))
        ends = [await asyncio.wait_for(loop.sock_recv(client, 1), 5) for client in clients[30:]]
        assert ends == [b""] * 30, "a frame that no handshake needs closes"
        assert len(node.core.context.connections) == 30
        assert resident() - before < 5 * MIB
        for client in clients:
            client.close()


@pytest.mark.threat(3, 4)
async def test_eight_malformed_messages_are_dropped_and_the_ninth_closes():
    async with Cluster() as cluster:
        node = await cluster.start()
        giant = b"\3" + (2**32 - 1).to_bytes(4, "little") + bytes(60)
        cut = [b"\5\0", b"\4", b"\7\1\0\0\0", giant, b"\6trailing", b"\x0d\0", b"\x08\xff\xff\xff\xff", b"\3"]
        async with await RawPeer.ready(node) as raw:
            raw.send(*cut, b"", b"\x15", b"\xff" * 100, b"")
            edges = list(node.core.table.edges())
            await raw.answers()
            assert list(node.core.table.edges()) == edges
            raw.send(PeersRequest())
            assert isinstance(await raw.receive_kind(PeersResponse), PeersResponse)
            raw.send(cut[0])
            await raw.rest()
        assert node.core.context.counters["nearnet_connections_closed", "decode"] == 1
        assert node.core.context.counters["nearnet_malformed_messages", ""] == 9
        assert cluster.bans == []


@pytest.mark.slow
@pytest.mark.threat(5)
@pytest.mark.scenario(70)
async def test_random_bytes_close_in_time():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(handshake_timeout=0.5))
        chance = random.Random(5)
        for size in (1, 3, 4, 5, 100, 5000, 200_000):
            for _ in range(4):
                async with await RawPeer.dial(node) as raw:
                    raw.send_bytes(chance.randbytes(size))
                    assert all(isinstance(one, HandshakeFailure) for one in await raw.rest(3))
                async with await RawPeer.ready(node, f"{chance.random()}") as raw:
                    raw.send(*(chance.randbytes(chance.randrange(50)) for _ in range(size // 100)))
                    raw.send_bytes(chance.randbytes(size))
        await cluster.until(lambda: not node.core.context.connections, 3)
        async with await RawPeer.ready(node, "well behaved"):
            pass


@pytest.mark.threat(6)
@pytest.mark.scenario(75)
async def test_frames_cut_and_joined_anywhere():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(limits={"pings_per_second": 10_000}))
        chance = random.Random(6)
        async with await RawPeer.dial(node) as raw:
            sent = [ping(raw.key, node.peer_id, nonce) for nonce in range(40)]
            contents = [raw.handshake(), *sent]
            stream = b"".join(framed(BORSH.encode(one)) for one in contents)
            at = 0
            while at < len(stream):
                step = chance.choice([1, 1, 2, 3, 200, 1000])
                raw.send_bytes(stream[at : at + step])
                await raw.writer.drain()
                at += step
            assert isinstance(await raw.receive(), Handshake)
            pongs = [(await raw.receive_kind(Routed)).message.body for _ in sent]
            assert pongs == [b"\x0f" + nonce.to_bytes(8, "little") + node.peer_id for nonce in range(40)]


@pytest.mark.threat(8)
async def test_a_frame_that_trickles_in_stalls(monkeypatch):
    monkeypatch.setattr(inbound, "STALL_SECONDS", 0.4)
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node, "slow") as slow, await RawPeer.ready(node, "good") as good:
            slow.send_bytes((100_000).to_bytes(4, "little") + b"\x0b" * 10)
            await slow.rest()
            await good.answers()
        assert node.core.context.counters["nearnet_connections_closed", "stalled"] == 1
        assert cluster.bans == []


async def _round_trips(good: list[RawPeer], rounds: int, first: int) -> None:
    """Have every ping of all peers answered, which they send at the same time."""
    for number in range(rounds):
        await asyncio.gather(*(raw.answers(first + number) for raw in good))


@pytest.mark.threat(10)
async def test_a_stuck_reader_costs_nobody_else():
    async with Cluster() as cluster:
        # Opaque bodies of a mebibyte: a few of them fill a queue of 16.
        node = await cluster.start(make_config(limits={"queue_bytes": 16 * MIB, "pings_per_second": 100_000}))
        good = [await RawPeer.ready(node, f"good {number}") for number in range(9)]
        stuck = await RawPeer.dial(node, "stuck", limit=1024)
        stuck.writer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await stuck.shake()
        stuck.writer.transport.pause_reading()
        sender = await RawPeer.ready(node, "sender")
        memory = resident()
        for number in range(12):
            sender.send(routed(sender.key, stuck.key.public_key, b"\x0d" + number.to_bytes(4, "little") + bytes(MIB)))
            await sender.writer.drain()
        await sender.answers()
        peer = node.core.peers[stuck.key.public_key]
        held = peer.queued
        assert held > 6 * MIB, "it does not read"
        await _round_trips(good, 20, 2000)
        assert peer.queued >= held, "all were answered while nothing left its queue"
        for number in range(12, 30):
            sender.send(routed(sender.key, stuck.key.public_key, b"\x0d" + number.to_bytes(4, "little") + bytes(MIB)))
        await sender.answers(7)
        full = ("PartialEncodedChunk", "OutgoingQueueLimitExceeded")
        await cluster.until(lambda: node.core.routed.drops.get(full, 0) > 0, what="its queue is full")
        assert peer.queued <= 16 * MIB
        assert resident() - memory < 64 * MIB
        assert len(node.core.peers) == 11, "what does not fit is dropped; nobody loses a connection by it"
        assert cluster.bans == []
        for raw in (*good, stuck, sender):
            raw.cut()


@pytest.mark.threat(27)
async def test_the_fifth_pending_socket_of_one_address_is_closed():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(limits={"per_ip_on_loopback": True}))
        pending = [await RawPeer.dial(node) for _ in range(4)]
        await cluster.until(lambda: len(node.core.context.connections) == 4)
        async with await RawPeer.dial(node, "fifth") as fifth:
            assert await fifth.rest() == []
        async with await RawPeer.dial(node, "elsewhere", local_addr=("127.0.0.2", 0)) as other:
            assert isinstance(await other.shake(), Handshake)
            assert len(node.core.context.connections) == 5, "the four are still pending, and nobody waits for them"
        for raw in pending:
            raw.cut()
        await cluster.until(lambda: not node.core.context.connections)
        pending += [await RawPeer.ready(node, f"peer {number}") for number in range(8)]
        async with await RawPeer.dial(node, "ninth") as ninth:
            assert await ninth.rest() == []
        assert node.core.context.limits.hits("pending_per_ip") == 1
        assert node.core.context.limits.hits("connected_per_ip") == 1
        for raw in pending:
            raw.cut()


@pytest.mark.threat(16, 59)
async def test_an_address_cools_down_after_a_ban():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(limits={"per_ip_on_loopback": True}))
        async with await RawPeer.ready(node) as raw:
            raw.send_bytes(b"\xff\xff\xff\xff")
            await raw.rest()
        async with await RawPeer.dial(node, "a new key") as again:
            assert await again.rest() == [], "closed before any read"
        async with await RawPeer.dial(node, "elsewhere", local_addr=("127.0.0.2", 0)) as other:
            assert isinstance(await other.shake(), Handshake)


@pytest.mark.scenario(29, 64)
async def test_a_hundred_silent_sockets():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(max_num_peers=10))
        clients = [await RawPeer.dial(node, f"{number}") for number in range(70)]
        await cluster.until(lambda: len(node.core.context.connections) == 70)
        for number in range(30):
            async with await RawPeer.dial(node, f"above {number}") as above:
                assert await above.rest() == []
            assert (len(node.core.context.connections), len(node.driver.connections)) == (70, 70)
        assert isinstance(await clients[0].shake(), Handshake), "who is in can finish"
        for client in clients:
            client.cut()
        await cluster.until(lambda: not node.driver.connections)


@pytest.mark.threat(29)
async def test_dead_addresses_hold_nobody_up():
    async with Cluster() as cluster:
        node, other = await cluster.start(), await cluster.start()
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(0)
            dead = f"127.0.0.1:{silent.getsockname()[1]}"
            dials = [
                asyncio.create_task(node.connect(f"{SecretKey.from_seed(f'{n}').public_key}@{dead}", timeout=1.5))
                for n in range(20)
            ]
            await asyncio.sleep(0)
            await node.connect(address(other), timeout=1)
            for dial in dials:
                with pytest.raises(PeerRefused):
                    await dial


@pytest.mark.threat(70)
@pytest.mark.scenario(31)
@pytest.mark.parametrize("crashes", [12, pytest.param(45, marks=pytest.mark.slow)])
async def test_one_of_seven_crashes_again_and_again(crashes):
    async with Cluster() as cluster:
        six = [await cluster.start() for _ in range(6)]
        await cluster.wire(*((n, (n + 1) % 6) for n in range(6)))
        descriptors = len(os.listdir("/proc/self/fd"))
        for _ in range(crashes):
            seventh = await cluster.start(key="the seventh")
            for node in (six[0], six[3]):
                await seventh.connect(address(node))
            await asyncio.sleep(0.11)  # Its life, by the scenario.
            for connection in list(seventh.driver.connections.values()):
                connection.abort()
            await cluster.stop(seventh)
        gone = SecretKey.from_seed("the seventh").public_key
        await cluster.until(lambda: all(gone not in node.core.peers for node in six))
        await cluster.until(lambda: all(node.core.table.reachable_count == 6 for node in six), what="six know six")
        assert cluster.bans == []
        assert len(os.listdir("/proc/self/fd")) <= descriptors + 4
        assert len(asyncio.all_tasks()) < 30


@pytest.mark.threat(60)
@pytest.mark.scenario(15, 96)
async def test_a_blacklisted_address_is_closed_at_accept_in_either_form():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(addr="[::]:0", blacklist=["127.0.0.1"]))
        loop = asyncio.get_running_loop()
        for ip in ("127.0.0.1", "::ffff:127.0.0.1"):
            client = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET)
            client.setblocking(False)
            await loop.sock_connect(client, (ip, node.addr.port))
            assert await asyncio.wait_for(loop.sock_recv(client, 1), 5) == b""
            client.close()
        reader, writer = await asyncio.open_connection("::1", node.addr.port)
        await cluster.until(lambda: len(node.core.context.connections) == 1)
        writer.close()
        assert not reader.at_eof()


@pytest.mark.threat(31)
async def test_edges_of_a_banned_one_leave_the_others_alone():
    async with Cluster() as cluster:
        node = await cluster.start()
        x, y = SecretKey.from_seed("x"), SecretKey.from_seed("y")
        async with await RawPeer.ready(node, "a") as a, await RawPeer.ready(node, "b") as b:
            a.tell(edge_between(x, y))
            await cluster.until(lambda: node.core.table.get(x.public_key, y.public_key) is not None)
            a.send_bytes(b"\xff\xff\xff\xff")
            await a.rest()
            assert await b.answers() is not None
            assert node.core.table.get(x.public_key, y.public_key) is not None
