from peer_fakes import addr, peer_id

from nearnet.core.peer_manager.known_peers import UNLIMITED, KnownPeer, PeerStatus, PeerTable
from nearnet.wire.messages import PeerInfo


def peer(number: int, status: PeerStatus = PeerStatus.UNKNOWN, group: str = UNLIMITED, **fields) -> KnownPeer:
    return KnownPeer(peer_id(number), 0, 0, 0.0, status=status, group=group, **fields)


def fill(table: PeerTable, *peers: KnownPeer) -> None:
    for one in peers:
        assert table.add(one) == (True, [])


def ids(table: PeerTable) -> list[int]:
    return [int.from_bytes(one.id, "big") for one in table]


def test_one_address_belongs_to_one_peer():
    table = PeerTable(10, 10)
    a, b = peer(1), peer(2)
    fill(table, a, b)
    assert table.move(a, addr(1)) is None
    assert table.move(b, addr(1)) is a
    assert (a.addr, b.addr, table.at(addr(1))) == (None, addr(1), b)
    assert table.move(b, addr(2)) is None
    assert (table.at(addr(1)), table.at(addr(2))) == (None, b)
    assert table.move(b, addr(2)) is None
    table.remove(b)
    assert table.at(addr(2)) is table.get(b.id) is None
    assert len(table) == 1


def test_a_group_over_its_share_loses_its_own_oldest():
    table = PeerTable(10, 2)
    old = peer(1, group="g")
    fill(table, old, peer(2, group="g"), peer(3, group="h"))
    assert table.add(peer(4, group="g")) == (True, [old])
    assert ids(table) == [2, 3, 4]


def test_a_peer_that_proved_itself_leaves_its_group():
    table = PeerTable(10, 1)
    proved = peer(1, group="g")
    fill(table, proved)
    table.set_status(proved, PeerStatus.CONNECTED)
    assert proved.group == UNLIMITED
    fill(table, peer(2, group="g"))
    table.set_status(proved, PeerStatus.UNKNOWN)
    assert ids(table) == [2, 1]


def test_room_is_made_by_the_largest_group_then_the_idle_then_the_banned():
    table = PeerTable(6, 10)
    idle, busy = peer(1, PeerStatus.NOT_CONNECTED), peer(2, PeerStatus.CONNECTED)
    soon, late = peer(3, PeerStatus.BANNED, ban_ends=1.0), peer(4, PeerStatus.BANNED, ban_ends=2.0)
    told, boot = peer(5, group="g"), peer(6, boot=True)
    fill(table, idle, busy, late, soon, told, boot)
    left = []
    for number in range(10, 14):
        added, evicted = table.add(peer(number, PeerStatus.CONNECTED))
        assert added
        left += evicted
    assert left == [told, idle, soon, late]
    assert table.add(peer(20)) == (False, [])
    assert table.add(peer(21, PeerStatus.CONNECTED)) == (True, []), "connected ones always find room"
    assert len(table) == 7


def test_the_largest_group_pays():
    table = PeerTable(3, 10)
    small, big = peer(1, group="a"), peer(2, group="b")
    fill(table, small, big, peer(3, group="b"))
    assert table.add(peer(4, group="c"))[1] == [big]


def test_state_and_info():
    one = peer(1, persistent=True, account_id="a.near")
    assert one.pinned
    assert not peer(2).pinned
    assert one.info.id == peer_id(1)
    assert one.state.peer_info == one.info


def test_who_is_banned():
    table = PeerTable(10, 10)
    loaded, later = peer(1, PeerStatus.BANNED), peer(2)
    fill(table, loaded, later)
    table.set_status(later, PeerStatus.BANNED)
    assert list(table.banned.values()) == [loaded, later]
    table.set_status(later, PeerStatus.NOT_CONNECTED)
    table.remove(loaded)
    assert table.banned == {}


def test_what_is_told_of_those_without_an_address():
    table = PeerTable(10, 10)
    placed = peer(1)
    fill(table, placed, peer(2))
    table.move(placed, addr(1))
    told = [PeerInfo(peer_id(number), addr(9)) for number in (1, 2, 3)]
    assert table.without_address(told) == told[1:]


def test_every_change_is_counted():
    table = PeerTable(10, 10)
    one = peer(1)
    seen = [table.changes]
    for change in (
        lambda: table.add(one),
        lambda: table.move(one, addr(1)),
        lambda: table.set_status(one, PeerStatus.BANNED),
        lambda: table.remove(one),
    ):
        change()
        seen.append(table.changes)
    assert seen == sorted(set(seen))
