"""Whatever a neighbor of the one dialect sends, the other's never gets what its rules forbid (`wire.md` §5, §6).

Honest neighbors of both dialects send random valid traffic, two more send damaged frames; every frame that the core
sends is read by its dialect and held against the rules. Nobody honest is banned for what he relayed.
"""

import dataclasses
import random

import pytest
from hand import ME, Core, edge_of, key_of
from hypothesis import given, settings
from hypothesis import strategies as st

from nearnet.core.gossip.accounts_data import MOST_PAYLOAD_BYTES
from nearnet.core.routing_table.edge import (
    EDGE_AHEAD,
    FIRST_UNIX_NONCE,
    NONCE_WINDOW,
    is_current,
    sign_edge,
    unix_nonce,
    verify_edge,
)
from nearnet.keys import CryptoHash, PublicKey, SecretKey, Signature
from nearnet.wire import messages as m
from nearnet.wire.dialect import detect
from nearnet.wire.framing import Framer
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.routed_body import NEVER_TO_PROTOBUF, PING
from nearnet.wire.routed_frame import routed_digest
from nearnet.wire.signed_payload import sign_payload

NEW = "protobuf"
HONEST = {"old 1": "borsh", "old 2": "borsh", "new 1": NEW, "new 2": NEW}
DAMAGED = {"bad old": "borsh", "bad new": NEW}
FAR = [key_of("far 1"), SecretKey.from_seed("far 2", "secp256k1"), key_of("far 3")]
EXPIRES = 1800.0
AT_ONCE = 60.0
"""Seconds that pass between two looks at most."""
MOST_HOPS = 2**32 - 2
SECOND_TIER = (1, 2, 3, 11, 12, 14, 15, 21, 27, 31, 32, 34, 18)
"""Indices of bodies by their index in tier 2 (`wire.md` §6)."""


class Bridge:
    """A core with neighbors of both dialects; `play` lets one of them say something."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.core = Core(nearnet={"dialect": "auto"}, max_num_peers=20, ideal_connections_hi=20)
        self.hands = {name: self.core.ready(name, dialect=spoken) for name, spoken in (HONEST | DAMAGED).items()}
        self.framers = {name: Framer() for name in self.hands}
        self.asked = {name: [] for name in self.hands}
        self.hashes = []
        self.told = 0
        self.core.advance(2)
        self.look()

    # --- what neighbors say ---------------------------------------------------------------------

    def routed(self, spoken):
        chance = self.chance
        author = chance.choice([*FAR, key_of("old 1"), key_of("new 2")])
        ends = [hand.id for hand in self.hands.values()] + [ME.public_key, FAR[0].public_key, *self.hashes[-3:]]
        index = chance.choice([*range(42), 200, 255])
        body = bytes([index]) + chance.randbytes(chance.randrange(60))
        if index == PING:
            body = bytes([PING]) + chance.randbytes(8) + author.public_key
        message = m.RoutedMessage(
            chance.choice(ends), author.public_key, Signature(b""), chance.choice([0, 1, 2, 99, 255]), body
        )
        created = chance.choice([None, (0, 0), (1_700_000_000, 5), (-1, 0)])
        hops = chance.choice([0, 7, MOST_HOPS, 2**32 - 1])
        message = dataclasses.replace(message, signature=author.sign(routed_digest(message)))
        self.hashes.append(routed_digest(message))
        if spoken == NEW and index in NEVER_TO_PROTOBUF:
            return m.PeersRequest(512, 128)  # A node of today has no such message to send.
        if spoken == NEW and index in SECOND_TIER and chance.random() < 0.5:
            return self.newer_form(message, created, hops)
        return m.Routed(message, created, hops) if spoken == NEW else m.Routed(message)

    def newer_form(self, message, created, hops):
        """Field 37, signed."""
        own = bytes([1, SECOND_TIER.index(message.body[0])]) + message.body[1:]
        target = (
            pb.PeerIdOrHash(peer_id=pb.PublicKey(borsh=message.target))
            if isinstance(message.target, PublicKey)
            else pb.PeerIdOrHash(hash=pb.CryptoHash(hash=message.target))
        )
        form = pb.RoutedMessageV3(
            target=target,
            author=pb.PublicKey(borsh=message.author),
            ttl=message.ttl,
            borsh_body=own,
            signature=pb.Signature(borsh=message.signature),
            num_hops=hops,
        )
        if created is not None:
            form.created_at = created[0]
        return pb.PeerMessage(routed_v3=form).SerializeToString()

    def table(self, spoken):
        chance, now = self.chance, unix_nonce(self.core.now.wall)
        edges = []
        for _ in range(chance.randrange(1, 6)):
            a, b = chance.sample([*FAR, *map(key_of, HONEST)], 2)
            nonce = now + chance.randrange(-4000, 3000) if chance.random() < 0.5 else chance.randrange(1, 500)
            edges.append(edge_of(a, b, nonce, removed_by=chance.choice([a, b])))
        if chance.random() < 0.2:
            edges.append(edge_of(ME, chance.choice(FAR), chance.choice([5, 8, now - 3, now + 4])))
        accounts = []
        if chance.random() < 0.4:
            epoch = CryptoHash.of(bytes([chance.randrange(4)]))
            signature = FAR[0].sign(bytes(32))
            accounts.append(m.AnnounceAccount(f"a{chance.randrange(5)}.near", FAR[0].public_key, epoch, signature))
        return m.SyncRoutingTable(tuple(edges), tuple(accounts))

    def question(self, spoken):
        return self.chance.choice(
            [
                m.PeersRequest(*self.chance.choice([(5, 1), (512, 128), (None, None)])),
                m.BlockRequest(CryptoHash(bytes(32))),
                m.Block(b"block"),
                m.Transaction(b"transaction"),
                m.Challenge(b"challenge"),
                m.BlockHeadersRequest((CryptoHash(bytes(32)),)),
                m.PeersResponse((m.PeerInfo(FAR[1].public_key, m.SocketAddress("127.0.0.9", 24567)),)),
            ]
        )

    def renewal(self, hand):
        nonce = unix_nonce(self.core.now.wall) + self.chance.choice([-600, 0, 600])
        return m.RequestUpdateNonce(sign_edge(hand.key, ME.public_key, nonce))

    def todays(self, spoken):
        """What only protobuf nodes tell."""
        chance, key = self.chance, key_of(f"account {self.chance.randrange(3)}")
        if spoken != NEW:
            return m.EpochSyncFinalizationRequest(CryptoHash(bytes(32)))
        data = m.AccountData(FAR[0].public_key, key.public_key, (), chance.randrange(9), (chance.randrange(9), 0))
        host = m.SnapshotHostInfo(key.public_key, CryptoHash(bytes(32)), chance.randrange(9), (1, 2**60), b"")
        host = dataclasses.replace(host, signature=key.sign(host.digest()))
        signed = sign_payload(data, key)
        assert len(signed.payload) < MOST_PAYLOAD_BYTES
        return chance.choice(
            [
                m.SyncAccountsData((signed,), chance.random() < 0.5, chance.random() < 0.5),
                m.SyncSnapshotHosts((host,)),
                m.DistanceVector(key.public_key, ((ME.public_key, 3),), (edge_of(key, FAR[0], 5),)),
                m.StateRequestHeader(1, CryptoHash(bytes(32))),
                m.EpochSyncRequest(),
            ]
        )

    def play(self):
        name = self.chance.choice(list(self.hands))
        hand = self.hands[name]
        if hand.closed is not None:
            return
        spoken = hand.dialect.name
        said = self.chance.choice([self.routed, self.routed, self.table, self.question, self.renewal, self.todays])
        message = said(hand) if said == self.renewal else said(spoken)
        frame = message if isinstance(message, bytes) else hand.dialect.encode(message)
        if name in DAMAGED:
            frame = bytearray(frame)
            for _ in range(self.chance.randrange(1, 4)):
                frame[self.chance.randrange(len(frame))] ^= 1 << self.chance.randrange(8)
            frame = bytes(frame[: self.chance.choice([len(frame), self.chance.randrange(len(frame) + 1)])])
        hand.frame(frame)
        for _ in range(self.chance.choice([1, 1, 1, 2, 20])):
            self.core.advance(self.chance.choice([0.01, 0.1, 1.1, AT_ONCE]))
            self.look()

    # --- what the core says ----------------------------------------------------------------------

    def look(self):
        """Every frame that it sent to anybody since the last look keeps the rules."""
        self.core.manager.take_dirty()
        for name, hand in self.hands.items():
            framer = self.framers[name]
            for chunk in hand.peer.to_send():
                framer.feed(chunk)
            while (frame := framer.next_frame()) is not None:
                self.told += 1
                self.keeps_the_rules(hand, bytes(frame))
            self.core.manager.drained(hand.peer, 0, self.core.now)
            self.core.act()

    def keeps_the_rules(self, hand, frame):
        spoken = hand.dialect.name
        assert detect(frame[0]) == spoken
        skipped = []
        message = hand.dialect.decode(frame, skipped.append)  # Malformed or unknown would be raised here.
        assert skipped == []
        (self.is_for_today if spoken == NEW else self.is_for_the_old_era)(message, frame)
        for edge in _edges(message):
            assert verify_edge(edge)
            is_answer = not isinstance(message, m.SyncRoutingTable)  # To who proposed the nonce, and nobody else.
            wall = self.core.now.wall + (NONCE_WINDOW - EDGE_AHEAD) * is_answer
            assert is_current(edge.nonce, wall, EXPIRES + AT_ONCE + NONCE_WINDOW * is_answer)
        if isinstance(message, m.Routed):
            routed = message.message
            assert routed.author.verify(routed_digest(routed), routed.signature)
            assert routed.ttl > 0

    def is_for_the_old_era(self, message, frame):
        assert not isinstance(message, _PROTOBUF_ONLY), message
        assert not isinstance(message, m.Disconnect), "nobody stops here"

    def is_for_today(self, message, frame):
        assert not isinstance(message, (m.ResponseUpdateNonce, m.DistanceVector, *_OLD)), message
        for edge in _edges(message):
            assert edge.nonce >= FIRST_UNIX_NONCE
        if isinstance(message, m.Routed):
            index = message.message.body[0]
            assert index not in NEVER_TO_PROTOBUF
            assert message.num_hops <= MOST_HOPS
            fields = [field.name for field, _ in pb.PeerMessage.FromString(frame).ListFields()]
            assert fields == ["routed"], "field 37 is never written"
        if isinstance(message, m.PeersResponse):
            assert len(message.peers) <= 512
            assert len(message.direct_peers) <= 128


_OLD = (m.HandshakeV2, m.EpochSyncFinalizationRequest, m.EpochSyncFinalizationResponse)
_PROTOBUF_ONLY = (
    m.SyncAccountsData,
    m.SyncSnapshotHosts,
    m.DistanceVector,
    m.StateRequestHeader,
    m.StateRequestPart,
    m.StateResponse,
    m.OptimisticBlock,
)


def _edges(message):
    match message:
        case m.SyncRoutingTable(edges):
            return edges
        case m.LastEdge(edge) | m.ResponseUpdateNonce(edge):
            return (edge,)
    return ()


@pytest.mark.threat(40)
@pytest.mark.interop("bridge", "retired bodies", "RoutedMessageV3", "expiry of edges", "nonces")
@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_nothing_forbidden_is_sent_and_nobody_honest_is_banned(seed):
    bridge = Bridge(seed)
    for _ in range(25):
        bridge.play()
    banned = {event.peer_id for event in bridge.core.events if event.kind == "banned"}
    assert not banned & {bridge.hands[name].id for name in HONEST}


def test_the_traffic_is_worth_looking_at():
    """Much of it comes through, in both directions; else the property above says little."""
    bridges = [Bridge(seed) for seed in range(30)]
    for bridge in bridges:
        for _ in range(40):
            bridge.play()
    passed = sum(bridge.core.manager.routed.forwarded for bridge in bridges)
    assert passed > 40
    assert sum(bridge.told for bridge in bridges) > 1000
