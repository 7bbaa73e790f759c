from peer_fakes import ME, START, DictStore, addr, info, later, make_config, node, peer_id

from nearnet.core.peer_manager.known_peers import (
    COLUMN,
    Ban,
    KnownPeerState,
    PeerStatus,
    PeerTable,
    TrustLevel,
    encode_known_peer,
    load_peers,
)
from nearnet.core.runtime.actions import Write
from nearnet.core.runtime.clock import Now
from nearnet.errors import ReasonForBan
from nearnet.wire.messages import PeerInfo

DAY = 86_400


def row(number: int, status: PeerStatus, age: float = 0.0, ban: Ban | None = None, address=None) -> Write:
    seen = int((START.wall - age) * 1e9)
    state = KnownPeerState(info(number, address), status, seen, seen, ban)
    return Write(COLUMN, peer_id(number), encode_known_peer(state))


def load(rows=(), now: Now = START, capacity: int = 100, **config) -> PeerTable:
    table = PeerTable(capacity, 10)
    assert load_peers(table, ME, make_config(**config), DictStore(rows), now) == 0
    return table


def test_connected_becomes_not_connected_and_trust_indirect():
    table = load([row(1, PeerStatus.CONNECTED, age=60), row(2, PeerStatus.UNKNOWN)])
    one = table.get(peer_id(1))
    assert one is table.at(addr(1))
    assert (one.status, one.trust) == (PeerStatus.NOT_CONNECTED, TrustLevel.INDIRECT)
    assert one.seen_at == START.mono - 60
    assert table.get(peer_id(2)).status is PeerStatus.UNKNOWN


def test_a_row_of_the_future_is_as_of_now():
    assert load([row(1, PeerStatus.UNKNOWN, age=-365 * DAY)]).get(peer_id(1)).seen_at == START.mono


def test_bans_stay_for_their_window():
    ban = Ban(ReasonForBan.INVALID_EDGE, START.unix_ns)
    rows = [row(1, PeerStatus.BANNED, ban=ban)]
    peer = load(rows, later(10_000)).get(peer_id(1))
    assert (peer.status, peer.ban) == (PeerStatus.BANNED, ban)
    assert abs(peer.ban_ends - later(10_800).mono) < 1e-3
    over = load(rows, later(10_801)).get(peer_id(1))
    assert (over.status, over.ban) == (PeerStatus.NOT_CONNECTED, None)


def test_the_operators_peers_always_join():
    rows = [row(1, PeerStatus.BANNED, 5, Ban(ReasonForBan.ABUSIVE, START.unix_ns)), row(2, PeerStatus.CONNECTED, 5)]
    names = {"boot_nodes": (node(1), node(3, host="boot.near.org:24567")), "persistent_peers": (node(2), node(1))}
    table = load(rows, **names)
    one, two, three = (table.get(peer_id(number)) for number in (1, 2, 3))
    assert (one.boot, one.persistent, one.status) == (True, True, PeerStatus.BANNED)
    assert (two.boot, two.persistent, two.status, two.trust) == (
        False,
        True,
        PeerStatus.NOT_CONNECTED,
        TrustLevel.SIGNED,
    )
    assert two.first_seen == int((START.wall - 5) * 1e9)
    assert (three.host, three.addr, three.pinned) == ("boot.near.org:24567", None, True)


def test_we_are_not_our_own_peer():
    mine = node(0)
    rows = [row(0, PeerStatus.CONNECTED)]
    assert len(load(rows, boot_nodes=(mine,), persistent_peers=(mine,))) == 0


def test_two_peers_with_one_address():
    """The newest has it; the operator's word comes first."""
    rows = [row(2, PeerStatus.UNKNOWN, 9, address=addr(1)), row(3, PeerStatus.UNKNOWN, 5, address=addr(1))]
    assert load(rows).at(addr(1)).id == peer_id(3)
    table = load(rows, boot_nodes=(node(1), node(1)))
    assert table.at(addr(1)).id == peer_id(1)
    assert table.get(peer_id(3)).addr is None


def test_the_newest_stay_when_there_are_too_many():
    rows = [row(number, PeerStatus.CONNECTED, age=number) for number in range(1, 6)]
    assert [peer.id for peer in load(rows, capacity=2)] == [peer_id(2), peer_id(1)]
    full = load([row(2, PeerStatus.UNKNOWN)], capacity=1, boot_nodes=(node(1),))
    assert [peer.id for peer in full] == [peer_id(1)]


def test_unreadable_rows_are_counted_and_addressless_ones_loaded():
    bare = KnownPeerState(PeerInfo(peer_id(4)), PeerStatus.NOT_CONNECTED, 0, 0)
    store = DictStore([Write(COLUMN, peer_id(4), encode_known_peer(bare)), Write(COLUMN, b"x", b"\x09")])
    table = PeerTable(10, 10)
    assert load_peers(table, ME, make_config(), store, START) == 1
    assert table.get(peer_id(4)).addr is None
