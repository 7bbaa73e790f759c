"""The gate's rules, each at its boundary; what the three generations are; faults of ours that they find."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from nearnet import keys
from nearnet.core.peer.handshake_table import PeerState
from nearnet.errors import ReasonForBan
from nearnet.keys import CryptoHash, PublicKey, Signature
from nearnet.sim.generations import AHEAD, GENERATIONS, MOST_ACCOUNTS, MOST_EDGES, WINDOW, Gate
from nearnet.sim.invariants import InvariantBroken
from nearnet.sim.node import SimNode
from nearnet.sim.play import Player, play
from nearnet.sim.raw import RawHandshake, RawOpen, RawRouted, RawTable, raw_bytes
from nearnet.sim.reference_limits import BORSH_SIZES, RATES, most_bytes
from nearnet.sim.scenarios import find
from nearnet.sim.signatures import EdgePool, FastKey, fast_signatures, made_up_edge
from nearnet.sim.steps import Connect, Scenario, Setup, Start, Wait, config_of
from nearnet.wire import messages as m
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import SnapshotHostInfo, SyncSnapshotHosts
from nearnet.wire.protobuf.fields import delimited

ME, SENDER = FastKey("me"), FastKey("sender")
WALL = 1_700_000_000.0
HASH = CryptoHash(bytes(32))
INFO = m.PeerInfo(SENDER.public_key, m.SocketAddress("9.9.9.9", 24567))
PROTOBUF, BORSH = dialect_named("protobuf"), dialect_named("borsh")


def config(generation=None):
    return config_of(Setup(generation=generation), lambda number: INFO)


class Core:
    """What a gate asks of a core, and what it told it."""

    def __init__(self):
        self.peer_id = ME.public_key
        self.got = []
        self.ends = []
        self.known = None
        self.context = SimpleNamespace(connections={1: None}, close=self._close)
        self.ban = lambda peer, reason, now: self._end(reason)
        self.table = SimpleNamespace(
            get=lambda a, b: self.known, components=SimpleNamespace(edge_between=lambda a, b: None)
        )

    def _close(self, peer, why, now, flagged):
        self._end((why, flagged))

    def _end(self, what):
        self.ends.append(what)
        self.peer.state = PeerState.CLOSED

    def receive(self, peer, data, now):
        framer = Framer()
        framer.feed(data)
        while (frame := framer.next_frame()) is not None:
            self.got.append(frame)


class Peer(SimpleNamespace):
    """A connection, Ready unless told otherwise."""

    @property
    def is_ready(self):
        return self.state is PeerState.READY


class Door:
    """A gate of some year between a sender and a core."""

    def __init__(self, year, state=PeerState.READY):
        self.gate = Gate(GENERATIONS[year], EdgePool())
        self.core = Core()
        self.dialect = dialect_named(GENERATIONS[year].dialect)
        self.peer = self.core.peer = Peer(
            id=1, state=state, peer_id=SENDER.public_key, ready_id=SENDER.public_key, sent_version=87
        )
        self.gate.attach(self.core)

    def feed(self, *frames, written=0.0, wall=WALL):
        """What of these frames gets through; a message is encoded in the dialect of the year."""
        before = len(self.core.got)
        contents = [frame if isinstance(frame, bytes) else self.dialect.encode(frame) for frame in frames]
        data = b"".join(frame_prefix(len(content)) + content for content in contents)
        with fast_signatures():
            self.gate.receive(self.peer, data, lambda count: written, SimpleNamespace(wall=wall, mono=5.0))
        return self.core.got[before:]

    def rules(self):
        """How often each rule was applied."""
        found = {}
        for case, count in self.gate.counts.items():
            found[case.rule] = found.get(case.rule, 0) + count
        return found


def edge(nonce=1, one="a", other="b"):
    first, second = sorted((FastKey(one), FastKey(other)), key=lambda key: key.public_key)
    return made_up_edge(first, second, nonce)


def announcement(number=0):
    return m.AnnounceAccount(f"account{number}.near", SENDER.public_key, HASH, Signature(bytes(65)))


def routed(index, forged=False):
    step = RawRouted("A", 0, index, forged=forged)
    return raw_bytes(step, SENDER, ME.public_key, config(), [ME.public_key], b"", "protobuf")[4:]


def handshake(shards=(), version=87, nonce=None, dialect="protobuf"):
    data = raw_bytes(
        RawHandshake("A", version=version, nonce=nonce), SENDER, ME.public_key, config(), [], b"", dialect, WALL
    )[4:]
    one = dialect_named(dialect).decode(data)
    chain = m.PeerChainInfo(one.sender_chain_info.genesis_id, 1, shards, False)
    return m.Handshake(**{**{name: getattr(one, name) for name in one.__slots__}, "sender_chain_info": chain})


# --- what each year reads -------------------------------------------------------------------------


@pytest.mark.parametrize("year", GENERATIONS)
def test_a_frame_of_the_other_dialect_is_lost(year):
    door = Door(year)
    other = BORSH if GENERATIONS[year].dialect == "protobuf" else PROTOBUF
    assert door.feed(other.encode(m.PeersRequest())) == []
    assert door.rules() == {"foreign dialect": 1}
    assert len(door.feed(m.PeersRequest())) == 1
    assert door.core.ends == []


@pytest.mark.parametrize(("year", "lost"), [(2022, True), (2025, True), (2026, False)])
def test_a_table_with_a_key_of_the_third_type(year, lost):
    step = RawTable("A", 3, third_keys=1)
    with fast_signatures():
        frame = raw_bytes(step, SENDER, ME.public_key, config(), [], b"", GENERATIONS[year].dialect)[4:]
    door = Door(year)
    assert door.feed(frame) == ([] if lost else [frame])
    assert door.rules() == ({"third key": 1} if lost else {})


def test_an_empty_frame_passes():
    assert Door(2026).feed(b"") == [b""]


def test_a_length_that_nobody_may_claim():
    door = Door(2026)
    door.gate.receive(door.peer, frame_prefix(2**30), lambda count: 0.0, SimpleNamespace(wall=WALL, mono=0.0))
    assert door.core.ends == [ReasonForBan.ABUSIVE]


def test_pieces_of_a_frame_wait_for_each_other():
    door = Door(2026)
    content = PROTOBUF.encode(m.PeersRequest(512, 128))
    data = frame_prefix(len(content)) + content
    for at in range(len(data)):
        assert door.core.got == []
        door.gate.receive(door.peer, data[at : at + 1], lambda count: 0.0, SimpleNamespace(wall=WALL, mono=0.0))
    assert door.core.got == [content]


def test_what_came_before_an_offense_counts_and_what_comes_after_does_not():
    door = Door(2026)
    assert len(door.feed(m.PeersRequest(), m.BlockHeadersRequest((HASH,) * 21), m.PeersRequest())) == 1
    assert door.core.ends == [ReasonForBan.ABUSIVE]
    assert door.feed(m.PeersRequest()) == []


# --- tables ---------------------------------------------------------------------------------------


def test_tables_over_the_rate_are_dropped_whole():
    door = Door(2026)
    table = m.SyncRoutingTable((edge(int(WALL)),), (announcement(),))
    assert len(door.feed(*[table] * 11)) == 10
    assert door.rules() == {"table rate": 1}
    assert door.feed(table, written=0.99) == []
    assert len(door.feed(table, written=2.0)) == 1
    assert door.gate.total("table rate", sender=SENDER.public_key) == 2
    assert door.gate.total("table rate", sender=ME.public_key) == 0


@pytest.mark.parametrize("year", [2022, 2025])
def test_other_years_take_any_number_of_tables(year):
    door = Door(year)
    assert len(door.feed(*[m.SyncRoutingTable((edge(),), ())] * 50)) == 50
    assert door.rules() == {}


def test_too_many_edges_cost_all_edges():
    most = (edge(int(WALL)),) * MOST_EDGES
    door = Door(2026)
    table = m.SyncRoutingTable(most, (announcement(),))
    assert door.feed(table) == [PROTOBUF.encode(table)]
    assert door.feed(m.SyncRoutingTable((*most, most[0]), (announcement(),))) == [
        PROTOBUF.encode(m.SyncRoutingTable((), (announcement(),)))
    ]
    assert door.rules() == {"table edges": 1}


def test_too_many_announcements_cost_all_announcements():
    most = (announcement(),) * MOST_ACCOUNTS
    door, one = Door(2026), edge(int(WALL))
    table = m.SyncRoutingTable((one,), most)
    assert door.feed(table) == [PROTOBUF.encode(table)]
    assert door.feed(m.SyncRoutingTable((one,), (*most, most[0]))) == [PROTOBUF.encode(m.SyncRoutingTable((one,), ()))]
    assert door.rules() == {"table accounts": 1}


def test_edges_ahead_are_dropped_one_by_one():
    near, far = edge(int(WALL + AHEAD)), edge(int(WALL + AHEAD) + 1, "c")
    door = Door(2026)
    assert door.feed(m.SyncRoutingTable((far, near), ())) == [PROTOBUF.encode(m.SyncRoutingTable((near,), ()))]
    assert door.feed(m.SyncRoutingTable((far, far), ())) == []
    assert door.rules() == {"edge ahead": 3}
    assert Door(2025).feed(m.SyncRoutingTable((far,), ())) == [PROTOBUF.encode(m.SyncRoutingTable((far,), ()))]


# --- rates, sizes, lengths ------------------------------------------------------------------------

MESSAGES = {
    "PeersRequest": m.PeersRequest(),
    "PeersResponse": m.PeersResponse(),
    "RequestUpdateNonce": m.RequestUpdateNonce(m.PartialEdgeInfo(int(WALL), Signature(bytes(65)))),
    "BlockRequest": m.BlockRequest(HASH),
    "SyncSnapshotHosts": SyncSnapshotHosts(()),
    "EpochSyncRequest": m.EpochSyncRequest(bytes(32)),
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_messages_over_the_rate_are_dropped(kind):
    burst, rate = RATES[kind]
    door = Door(2026)
    assert len(door.feed(*[MESSAGES[kind]] * (int(burst) + 1))) == burst
    assert door.rules() == {"rate": 1}
    assert len(door.feed(*[MESSAGES[kind]] * 2, written=1.01 / rate)) == 1
    assert len(Door(2025).feed(*[MESSAGES[kind]] * (int(burst) + 1))) == burst + 1


def test_two_forms_of_a_witness_share_a_rate():
    door = Door(2026)
    assert len(door.feed(*[routed(22)] * 600, *[routed(40)] * 600)) == 1000
    assert door.gate.total("rate") == 200


@pytest.mark.parametrize(("field", "kind"), [(10, "PeersRequest"), (14, "BlockRequest"), (13, "BlockHeaders")])
def test_frames_over_the_size_of_their_kind_are_dropped(field, kind):
    most = most_bytes(kind)
    assert most == (32 * 2**20 if kind == "BlockHeaders" else 512 * 2**10)
    head = len(delimited(field, bytes(most - 8))) - (most - 8)
    door = Door(2026)
    assert len(door.feed(delimited(field, bytes(most - head)))) == 1
    assert door.feed(delimited(field, bytes(most - head + 1))) == []
    assert door.rules() == {"size": 1}


def test_what_borsh_may_hold_inside_protobuf():
    most = BORSH_SIZES["Transaction"]
    door = Door(2026)
    assert len(door.feed(m.Transaction(bytes(most)))) == 1
    assert door.feed(m.Transaction(bytes(most + 1))) == []
    assert door.rules() == {"borsh size": 1}


def test_lists_that_are_too_long():
    for message, longer, end in [
        (m.BlockHeadersRequest((HASH,) * 20), m.BlockHeadersRequest((HASH,) * 21), [ReasonForBan.ABUSIVE]),
        (m.PeersResponse((INFO,) * 512), m.PeersResponse((INFO,) * 513), [ReasonForBan.ABUSIVE]),
        (m.PeersResponse((), (INFO,) * 128), m.PeersResponse((), (INFO,) * 129), [ReasonForBan.ABUSIVE]),
        (_hosts(512), _hosts(513), []),
    ]:
        door = Door(2026)
        assert len(door.feed(message)) == 1
        assert door.core.ends == []
        assert door.feed(longer) == []
        assert door.core.ends == end
        assert len(Door(2025).feed(longer)) == 1


def _hosts(shards):
    return SyncSnapshotHosts(
        (SnapshotHostInfo(SENDER.public_key, HASH, 1, tuple(range(shards)), Signature(bytes(65))),)
    )


# --- handshakes and nonces ------------------------------------------------------------------------


def test_tracked_shards_of_a_handshake():
    for shards, passed in ((128, 1), (129, 0)):
        door = Door(2026, PeerState.ACCEPTED)
        assert len(door.feed(handshake(tuple(range(shards))))) == passed
        assert door.core.ends == []


def test_a_second_handshake_closes():
    door = Door(2026)
    assert door.feed(handshake()) == []
    assert door.core.ends == [("second handshake", True)]
    assert len(Door(2025).feed(handshake())) == 1


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_answer_carries_the_version_that_was_sent(year):
    for version, passed in ((87, 1), (86, 0), (88, 0)):
        door = Door(year, PeerState.DIALED)
        assert len(door.feed(handshake(version=version))) == passed
        assert bool(door.core.ends) != bool(passed)
    assert len(Door(year, PeerState.ACCEPTED).feed(handshake(version=3))) == 1


def test_a_node_of_2022_takes_small_nonces_where_it_knows_no_edge():
    for known, nonce, passed in ((None, 999, 1), (None, 1001, 0), (None, int(WALL), 0), (7, 1007, 1), (7, 1009, 0)):
        door = Door(2022, PeerState.ACCEPTED)
        door.core.known = None if known is None else edge(known)
        assert len(door.feed(handshake(nonce=nonce, dialect="borsh"))) == passed, nonce
        assert door.core.ends == ([] if passed else [("nonce too far", False)])


@pytest.mark.parametrize(
    ("ahead", "passed", "end"),
    [
        (AHEAD, 1, []),
        (AHEAD + 1, 0, []),
        (WINDOW - 1, 0, []),
        (WINDOW, 0, [ReasonForBan.INVALID_EDGE]),
        (1 - WINDOW, 1, []),
        (-WINDOW, 0, [ReasonForBan.INVALID_EDGE]),
    ],
)
def test_a_request_for_a_nonce(ahead, passed, end):
    request = m.RequestUpdateNonce(m.PartialEdgeInfo(int(WALL + ahead), Signature(bytes(65))))
    door = Door(2026)
    assert (len(door.feed(request)), door.core.ends) == (passed, end)
    assert len(Door(2025).feed(request)) == 1


# --- routed messages ------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [14, 18, 24])
def test_a_node_of_2026_bans_for_a_forged_message_of_any_body(index):
    door = Door(2026)
    assert len(door.feed(routed(index), routed(index, forged=True), routed(index))) == 1
    assert door.core.ends == [ReasonForBan.INVALID_SIGNATURE]


def test_a_node_of_2025_does_not_look_at_signatures_of_tier_1():
    door = Door(2025)
    frames = [routed(index, forged=True) for index in (24, 18, 14)]
    assert door.gate.check([PROTOBUF.routed(frames[0]).signature_row()]) == ["forged"]
    assert door.feed(*frames) == frames
    rows = [PROTOBUF.routed(frame).signature_row() for frame in frames]
    assert door.gate.check(rows) == ["valid", "forged", "forged"]


def test_it_remembers_few_of_them():
    door = Door(2025)
    for number in range(1001):
        step = RawRouted("A", 0, 24, author=str(number))
        door.feed(raw_bytes(step, SENDER, ME.public_key, config(), [ME.public_key], b"", "protobuf")[4:])
    assert len(door.gate._trusted) == 1000


def test_before_the_handshake_a_routed_message_is_the_cores():
    door = Door(2026, PeerState.ACCEPTED)
    assert len(door.feed(routed(14, forged=True))) == 1


def test_a_routed_message_that_does_not_read_is_the_cores():
    door = Door(2026)
    assert door.feed(delimited(17, b"")) == [delimited(17, b"")]
    assert door.core.ends == []


@pytest.mark.parametrize("frame", [delimited(7, b"\x0a\x01"), delimited(12, b"\x0a")])
def test_what_does_not_read_is_dropped(frame):
    door = Door(2026)
    assert door.feed(frame) == []
    assert door.rules() == {"malformed": 1}
    assert door.core.ends == []
    assert Door(2025).feed(frame) == [frame]


# --- what it sends --------------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "tables"), [(2022, 1), (2025, 1), (2026, 2)])
def test_pieces_of_a_table_are_sent_as_one(year, tables):
    dialect = dialect_named(GENERATIONS[year].dialect)
    pieces = [m.SyncRoutingTable((edge(),), (announcement(),)), m.PeersRequest(), m.SyncRoutingTable((edge(3, "c"),))]
    contents = [dialect.encode(piece) for piece in pieces]
    framer = Framer()
    gate = Gate(GENERATIONS[year], EdgePool())
    framer.feed(gate.sent(b"".join(frame_prefix(len(content)) + content for content in contents)))
    messages = [dialect.decode(framer.next_frame()) for _ in range(tables + 1)]
    assert framer.next_frame() is None
    assert gate.sent(b"") == b""
    if tables == 1:
        assert messages[0] == m.SyncRoutingTable((edge(), edge(3, "c")), (announcement(),))
    else:
        assert messages[0] == pieces[0]


# --- nodes of a world -----------------------------------------------------------------------------


def test_a_setup_of_a_year_has_its_versions_and_its_gate():
    versions = config(2026).nearnet.protocol_versions["protobuf"]
    assert (versions.own, versions.oldest, versions.automatic) == (87, 84, False)
    assert config(2025).nearnet.protocol_versions["protobuf"].own == 84
    assert config(2022).nearnet.dialect == "borsh"
    later = config_of(
        Setup(generation=2026, nearnet={"protocol_versions": {"protobuf": [120, 119]}}), lambda number: INFO
    )
    assert later.nearnet.protocol_versions["protobuf"].own == 120
    player = Player(Scenario("two", "", 2, (), setups={1: Setup(generation=2025)}))
    assert [node.is_ours for node in player.world.nodes] == [True, False]
    assert player.gate(1).generation.year == 2025


def test_nodes_of_2022_and_2026_do_not_hear_each_other():
    scenario = Scenario(
        "silence",
        "",
        2,
        (Connect(0, 1), Wait(3), Connect(1, 0), Wait(30)),
        setups={0: Setup(generation=2022), 1: Setup(generation=2026)},
    )
    player = Player(scenario)
    player.run()
    assert [len(node.core.peers) for node in player.world.nodes] == [0, 0]
    assert all(player.gate(node).total("foreign dialect") for node in (0, 1))


def _played(seed):
    """The world of a seed of the chaos, at its end."""
    scenario = find("chaos of generations")
    steps = scenario.generate(random.Random(f"{seed} timeline"), scenario.nodes)
    setups = scenario.cast(random.Random(f"{seed} cast"), scenario.nodes)
    player = Player(replace(scenario, steps=steps, setups=setups, generate=None, cast=None), seed)
    player.run()
    return player.world


def test_the_chaos_has_all_generations_and_its_attackers_get_through():
    worlds = [_played(seed) for seed in range(3)]
    for world in worlds:
        years = {None if node.gate is None else node.gate.generation.year for node in world.nodes}
        assert years == {None, *GENERATIONS}
    drops = [node.core.routed.drops for world in worlds for node in world.nodes if node.is_ours]
    assert sum(count for one in drops for (_, reason), count in one.items() if reason == "InvalidSignature") > 0


@pytest.mark.parametrize("nodes", [2, 3, 5])
def test_a_small_chaos(nodes):
    result = play(find("chaos of generations", nodes), 1)
    assert result.failure is None
    assert {node: setup.generation for node, setup in result.scenario.setups.items()}.get(2, 2025) == 2025


def test_a_node_of_2026_bans_one_of_2025_and_that_is_between_them():
    steps = (
        Connect(0, 1),
        Wait(5),
        RawOpen("A", 0, dialect="protobuf"),
        RawHandshake("A"),
        Wait(2),
        RawRouted("A", 1, 24, forged=True),
        Wait(2),
    )
    setups = {0: Setup(generation=2025), 1: Setup(generation=2026)}
    player = Player(Scenario("forged", "", 2, steps, setups=setups, quiet=False))
    player.run()
    assert player.kinds(1)["banned"] == 1
    assert player.gate(1).total("forged", sender=player.id(0)) == 1


def test_an_edge_with_a_key_of_the_third_type_goes_to_nodes_of_2026_only():
    """Ours finds it right. Nodes 4 and 5 come later, and get it, or do not get it, in their first table."""
    years = {1: 2026, 2: 2022, 3: 2025, 4: 2025, 5: 2026}
    steps = (
        *(Connect(node, 0) for node in (1, 2, 3)),
        Wait(10),
        RawOpen("A", 0, dialect="protobuf"),
        RawHandshake("A"),
        Wait(2),
        RawTable("A", 4, ahead=0.0, third_keys=2),
        Wait(10),
        Start(4),
        Start(5),
        Connect(4, 0),
        Connect(5, 0),
        Wait(15),
    )
    setups = {node: Setup(generation=year) for node, year in years.items()}
    ours = Setup(nearnet={"dialect": "auto"})
    before = keys.use_ml_dsa(lambda *_: True)
    try:
        player = Player(Scenario("third keys", "", 6, steps, setup=ours, setups=setups, later=(4, 5), quiet=False))
        player.run()
    finally:
        keys.use_ml_dsa(before)
    counts = [node.core.table.edge_count for node in player.world.nodes]
    assert counts == [14, 14, 12, 12, 12, 14], "six links, six edges of the mesh, and two of the third type"
    assert all(not player.gate(node).counts for node in years)


# --- faults of ours that must be found ------------------------------------------------------------


def _plant(monkeypatch, fault):
    """Have `fault` done to each core of ours when it starts."""
    start = SimNode.start

    def started(node):
        start(node)
        if node.is_ours:
            fault(node)

    monkeypatch.setattr(SimNode, "start", started)


def _rewrite_tables(monkeypatch, rewrite):
    """Have each table that one of ours sends by protobuf replaced by `rewrite` of it."""
    flush = SimNode._flush

    def rewritten(node, peer, now):
        if node.is_ours and peer.is_protobuf:
            framer = Framer()
            framer.feed(b"".join(peer.to_send()))
            data = b""
            while (frame := framer.next_frame()) is not None:
                message = PROTOBUF.decode(frame)
                tables = rewrite(message) if isinstance(message, m.SyncRoutingTable) and message.edges else ()
                for content in map(PROTOBUF.encode, tables) if tables else (frame,):
                    data += frame_prefix(len(content)) + content
            peer.out, peer.out_bytes = [data], len(data)
        flush(node, peer, now)

    monkeypatch.setattr(SimNode, "_flush", rewritten)


def _without_a_bucket(monkeypatch):
    """Ours sends each edge in a table of its own, at once."""
    _rewrite_tables(monkeypatch, lambda table: [m.SyncRoutingTable((one,), table.accounts) for one in table.edges])


def _with_third_keys(monkeypatch):
    """Ours tells everybody of an edge whose second key is of the third type."""
    strange = Edge(FastKey("a").public_key + b"\2" + bytes(1952 + 8) + bytes(65) + b"\2" + bytes(3309) + b"\0")
    _rewrite_tables(monkeypatch, lambda table: [m.SyncRoutingTable((*table.edges, strange), table.accounts)])


def _without_verification(monkeypatch):
    def trust(node):
        node.core.routed.check = lambda rows: ["valid"] * len(rows)

    _plant(monkeypatch, trust)


@pytest.mark.parametrize(
    ("plant", "scenario", "seeds", "found"),
    [
        (_without_a_bucket, "chaos of generations", 3, ": table rate"),
        (_with_third_keys, "chaos of generations", 3, ": third key"),
        (
            _without_verification,
            "a forged endorsement",
            1,
            "bans: <SimNode 2> banned 1, who is honest: InvalidSignature",
        ),
        (_without_verification, "chaos of generations", 3, "who is honest: InvalidSignature"),
    ],
)
def test_a_fault_of_ours_is_found(monkeypatch, plant, scenario, seeds, found):
    plant(monkeypatch)
    failures = [play(find(scenario), seed).failure for seed in range(seeds)]
    assert any(failure and found in failure for failure in failures), failures


FAULTY = """
{fault}
from nearnet.sim.explore import run_seed
failures = [run_seed("{scenario}", seed).failure or "none" for seed in range(3)]
print(*failures, sep="\\n")
"""


@pytest.mark.parametrize(
    ("fault", "scenario", "found"),
    [
        (
            "from nearnet.core.routing_table import edge\n"
            "now = edge.unix_nonce; edge.unix_nonce = lambda wall: now(wall + 1100)",
            "chaos of generations",
            "agreement: <SimNode",
        ),
        (
            "from nearnet.core.gossip.own_edges import NonceRefresh\nNonceRefresh.ready = lambda *_: None",
            "chaos of generations",
            "bridge: <SimNode",
        ),
        (
            "from nearnet.core.gossip import own_edges\nnew = own_edges.renewed_nonce\n"
            "ahead = lambda last: 1300 if last > 10**9 else 0  # A bridge's first request follows a counter.\n"
            "own_edges.renewed_nonce = lambda last, wall: new(last, wall + ahead(last))",
            "three generations",
            "who is honest: InvalidEdge",
        ),
    ],
    ids=["edges 18 minutes ahead", "a bridge that asks for no nonce", "a request for a nonce 22 minutes ahead"],
)
def test_a_fault_in_the_core_is_found(fault, scenario, found):
    """In a process that keeps to the sources: what is compiled has no parts to replace."""
    program = FAULTY.format(fault=fault, scenario=scenario)
    environment = {**os.environ, "NEARNET_PURE": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert found in done.stdout, done.stdout


def test_a_refusal_of_our_fault_breaks_an_invariant():
    player = Player(
        Scenario(
            "two",
            "",
            2,
            (Connect(0, 1), Wait(5)),
            setup=Setup(nearnet={"dialect": "auto"}),
            setups={1: Setup(generation=2026)},
        )
    )
    player.run()
    node, gate = player.world.nodes[1], player.gate(1)
    gate._count("edge ahead", "SyncRoutingTable", Peer(peer_id=player.id(0)))
    gate._count("rate", "PeersRequest", Peer(peer_id=PublicKey(FastKey("raw").public_key)))
    player.invariants.touched(node)
    gate._count("rate", "PeersRequest", Peer(peer_id=player.id(0)))
    with pytest.raises(InvariantBroken, match="within limits: <SimNode 1> refused a PeersRequest of <SimNode 0>: rate"):
        player.invariants.touched(node)
