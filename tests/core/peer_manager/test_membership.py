"""Whom we are connected to (document §5, §7.1-§7.3; `behaviour.md` §2, §6)."""

import random

import pytest
from hand import ME, Core, key_of

from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.peer_manager.membership import MAX_DIRECT_PEERS
from nearnet.errors import ConfigError, NotConnected, PeerRefused, ReasonForBan
from nearnet.wire.messages import Handshake, PeerInfo, PeersRequest, PeersResponse, SocketAddress


def info(name, ip="10.0.0.1", port=24567):
    return PeerInfo(key_of(name).public_key, SocketAddress(ip, port))


def boot(*names):
    return ",".join(str(info(name, f"10.0.0.{n + 1}")) for n, name in enumerate(names))


# --- looking for peers -----------------------------------------------------------------------------


@pytest.mark.scenario(2)
def test_boot_nodes_are_dialed():
    core = Core(outbound_disabled=False, boot_nodes=boot("a", "b"))
    core.advance(1)
    assert {dial.peer.id for dial in core.dials} == {key_of("a").public_key, key_of("b").public_key}
    hand = core.hand("a", "10.0.0.1", next(d for d in core.dials if d.peer.id == key_of("a").public_key))
    (proposed,) = hand.read()
    hand.say(hand.handshake(proposed.partial_edge_info.nonce))
    assert hand.peer.is_ready
    assert core.manager.peer_store.get(hand.id).last_attempt[1] == "Ok"


def test_who_was_unknown_before_our_dial_has_its_attempt_noted_too():
    core = Core()
    hand = core.dialed("a")
    (proposed,) = hand.read()
    hand.say(hand.handshake(proposed.partial_edge_info.nonce))
    assert core.manager.peer_store.get(hand.id).last_attempt[1] == "Ok"


@pytest.mark.threat(29)
def test_failed_dials_back_off():
    core = Core(outbound_disabled=False, boot_nodes=boot("a"))
    core.advance(0.1)
    for dial in core.dials:
        core.manager.dial_failed(dial, "connection refused", core.now)
    core.act()
    assert core.events[-1].kind == "dial_failed"
    assert core.events[-1].data["reason"] == "connection refused"
    before = len(core.dials)
    core.advance(0.5)
    assert len(core.dials) == before
    core.advance(5)
    assert len(core.dials) == before + 1


def test_a_stop_looks_for_nobody():
    core = Core(outbound_disabled=False, boot_nodes=boot("a"))
    core.manager.stop(core.now)
    core.act()
    before = len(core.dials)
    core.advance(100)
    assert len(core.dials) == before
    idle = PeerManager(core.manager.config, ME, core.manager.context.client, core.store, random.Random(1), core.now)
    idle.stop(core.now)
    assert idle.take_actions() == [], "one that has never started has nothing to stop"


@pytest.mark.scenario(24)
def test_one_too_many_is_dropped():
    core = Core(ideal_connections_lo=1, ideal_connections_hi=2, safe_set_size=0, minimum_outbound_peers=0)
    hands = [core.ready(f"peer {n}") for n in range(3)]
    core.advance(70)
    assert sum(hand.closed == "over ideal_connections_hi" for hand in hands) == 1


def test_peers_are_asked_for_when_nobody_is_left_to_dial():
    core = Core(outbound_disabled=False)
    hand = core.ready()
    core.advance(1.1)
    assert len(hand.told(PeersRequest)) == 1, "once at the beginning"
    core.advance(58)
    assert hand.told(PeersRequest) == []
    core.advance(60)
    assert 1 <= len(hand.told(PeersRequest)) <= 2
    quiet = Core()
    hand = quiet.ready()
    quiet.advance(1.1)
    hand.read()
    quiet.advance(600)
    assert hand.told(PeersRequest) == []


# --- ends ------------------------------------------------------------------------------------------


def test_ends_are_told_by_what_they_ended():
    core = Core()
    core.manager.lost(core.ready("ready").peer, "gone", core.now)
    core.manager.lost(core.dialed("dialed").peer, "gone", core.now)
    core.manager.lost(core.hand("accepted").peer, "gone", core.now)
    core.act()
    ends = [event for event in core.events if event.kind in ("disconnected", "dial_failed", "handshake_failed")]
    assert [(event.kind, event.data["reason"]) for event in ends] == [
        ("disconnected", "gone"),
        ("dial_failed", "handshake: gone"),
        ("handshake_failed", "handshake: gone"),
    ]


# --- commands --------------------------------------------------------------------------------------


def test_connect_dials_at_once_though_outbound_is_disabled():
    core = Core()
    core.manager.connect(info("a"), core.now)
    core.manager.connect(info("a"), core.now)
    core.act()
    assert [dial.peer for dial in core.dials] == [info("a")]
    core.hand("a", "10.0.0.1", core.dials[0])
    core.manager.connect(info("a"), core.now)
    core.act()
    assert len(core.dials) == 1


def test_connect_when_connected_does_nothing():
    core = Core()
    hand = core.ready("a")
    core.manager.connect(info("a"), core.now)
    core.act()
    assert core.dials == []
    assert hand.closed is None


def test_connect_to_a_known_peer_needs_no_address():
    core = Core()
    hand = core.ready("a")
    core.manager.lost(hand.peer, "gone", core.now)
    core.manager.connect(PeerInfo(hand.id), core.now, "borsh")
    core.act()
    assert core.dials[-1].peer.addr == SocketAddress("127.0.0.1", 24568)
    with pytest.raises(ConfigError, match="no address is known"):
        core.manager.connect(PeerInfo(key_of("nobody").public_key), core.now)


def test_connect_to_a_host_name():
    core = Core()
    core.manager.connect(PeerInfo(key_of("a").public_key), core.now, "borsh", "example.org:24567")
    core.act()
    assert core.dials[0].host == "example.org:24567"
    core.manager.dial_failed(core.dials[0], "no such host", core.now)
    core.act()
    assert core.events[-1].data["address"] == "example.org:24567"


def test_connect_refusals():
    core = Core()
    with pytest.raises(PeerRefused, match="itself"):
        core.manager.connect(PeerInfo(ME.public_key), core.now)
    with pytest.raises(PeerRefused, match="itself"):
        core.manager.ban(ME.public_key, ReasonForBan.NONE, core.now)
    assert core.manager.peer_store.bans() == []
    core.manager.ban(key_of("a").public_key, ReasonForBan.ABUSIVE, core.now)
    with pytest.raises(PeerRefused, match="banned here; nearnet unban"):
        core.manager.connect(info("a"), core.now)


def test_disconnect():
    core = Core()
    hand = core.ready()
    core.manager.disconnect(hand.id, core.now)
    core.act()
    assert hand.closed == "by command"
    with pytest.raises(NotConnected, match="is not connected"):
        core.manager.disconnect(hand.id, core.now)


def test_a_ban_is_not_shortened():
    core = Core()
    stranger = key_of("stranger").public_key
    core.manager.ban(stranger, ReasonForBan.ABUSIVE, core.now, 100.0)
    with pytest.raises(PeerRefused, match="is banned already, for Abusive, and longer than that; unban it before"):
        core.manager.ban(stranger, ReasonForBan.NONE, core.now, 99.0)
    core.manager.ban(stranger, ReasonForBan.NONE, core.now, 101.0)
    assert core.manager.peer_store.get(stranger).ban_ends == core.now.mono + 101


@pytest.mark.scenario(19)
@pytest.mark.scenario(20)
def test_a_ban_ends_by_itself():
    core = Core()
    hand = core.ready()
    core.manager.ban(hand.id, ReasonForBan.BAD_BLOCK, core.now, 2.0)
    core.act()
    assert hand.closed == "banned: BadBlock"
    assert core.manager.peer_store.is_banned(hand.id)
    core.advance(2.1)
    assert not core.manager.peer_store.is_banned(hand.id)
    assert core.kinds().count("unbanned") == 1
    assert core.store.get("Peers", hand.id) is not None


def test_unban():
    core = Core()
    peer = key_of("a").public_key
    core.manager.ban(peer, ReasonForBan.ABUSIVE, core.now)
    core.manager.unban(peer, core.now)
    assert not core.manager.peer_store.is_banned(peer)
    with pytest.raises(NotConnected, match="is not banned"):
        core.manager.unban(peer, core.now)


def test_a_new_blacklist_ends_connections():
    core = Core()
    a, b, c = core.ready("a", "9.9.9.1"), core.ready("b", "9.9.9.2"), core.ready("c", "9.9.9.3")
    pending = core.hand("d", "9.9.9.4")
    core.manager.membership.set_blacklist((("9.9.9.1", None), ("9.9.9.2", 24568)), core.now)
    core.act()
    assert (a.closed, b.closed, c.closed, pending.closed) == ("blacklisted", "blacklisted", None, None)


# --- peers told ------------------------------------------------------------------------------------


@pytest.mark.scenario(34)
def test_peers_are_told_with_their_listen_ports():
    core = Core()
    a, b = core.ready("a"), core.ready("b")
    b.say(PeersRequest())
    (answer,) = b.told(PeersResponse)
    assert PeerInfo(a.id, SocketAddress("127.0.0.1", 24568)) in answer.peers or core.manager.peer_store.get(a.id)


@pytest.mark.threat(53)
def test_requests_are_answered_three_at_once_then_one_in_ten_seconds():
    core = Core()
    hand = core.ready()
    hand.say(*[PeersRequest()] * 10)
    assert len(hand.told(PeersResponse)) == 3
    assert core.manager.limits.hits("peers_requests") == 7
    core.advance(10.1)
    hand.say(*[PeersRequest()] * 10)
    assert len(hand.told(PeersResponse)) == 1
    assert hand.closed is None


def test_the_asker_may_want_less():
    core = Core()
    hand = core.ready(dialect="protobuf")
    hand.say(PeersRequest(0, 0), PeersRequest(512, MAX_DIRECT_PEERS))
    none, some = hand.told(PeersResponse)
    assert (none.peers, none.direct_peers) == ((), ())
    assert [peer.id for peer in some.direct_peers] == [hand.id]


@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
def test_an_answer_is_written_once_for_all_who_ask(dialect, monkeypatch):
    core = Core()
    a, b = core.ready("a", "127.0.0.1", dialect=dialect), core.ready("b", "127.0.0.2", dialect=dialect)
    written = []
    encode = type(a.peer.dialect).encode
    monkeypatch.setattr(
        type(a.peer.dialect), "encode", lambda self, message: written.append(message) or encode(self, message)
    )
    answers = []

    def ask(hand):
        hand.say(PeersRequest())
        answers.extend(hand.told(PeersResponse))
        return sum(isinstance(message, PeersResponse) for message in written)

    assert [ask(a), ask(b), ask(a)] == [1, 1, 1]
    core.manager.ban(key_of("b").public_key, ReasonForBan.ABUSIVE, core.now, 60.0)
    core.act()
    assert ask(a) == 2
    c = core.ready("c", "127.0.0.3", dialect=dialect)
    assert ask(c) == 3
    first, *same, without_b, with_c = ({peer.id for peer in answer.peers} for answer in answers)
    assert same == [first, first]
    assert without_b == first - {b.id}
    assert with_c == without_b | {c.id}


@pytest.mark.threat(56)
def test_too_long_a_list_is_abuse_and_none_of_it_is_taken():
    core = Core()
    hand = core.ready()
    hand.say(PeersResponse(tuple(info(f"peer {n}", "8.8.8.8", n + 1) for n in range(513))))
    assert hand.closed == "banned: Abusive"
    assert core.manager.peer_store.get(key_of("peer 0").public_key) is None


@pytest.mark.threat(57)
def test_told_peers_are_known():
    core = Core()
    hand = core.ready(ip="9.9.9.9")
    hand.say(PeersResponse((info("a", "8.8.8.8"), info("b", "192.168.1.1"), info("c", "0.0.0.0"))))
    known = core.manager.peer_store
    assert known.get(key_of("a").public_key).addr == SocketAddress("8.8.8.8", 24567)
    assert known.get(key_of("b").public_key) is known.get(key_of("c").public_key) is None
    before = len(known)
    hand.say(PeersResponse((info("a", "8.8.4.4"),)))
    assert (len(known), known.get(key_of("a").public_key).addr.ip) == (before, "8.8.8.8"), "told once"


def test_a_persistent_peer_is_dialed_again():
    core = Core(nearnet={"persistent_peers": boot("a")}, outbound_disabled=False)
    core.advance(0.1)
    hand = core.hand("a", "10.0.0.1", core.dials[0])
    (proposed,) = [message for message in hand.read() if isinstance(message, Handshake)]
    hand.say(hand.handshake(proposed.partial_edge_info.nonce))
    core.manager.lost(hand.peer, "gone", core.now)
    before = len(core.dials)
    core.advance(15)
    assert len(core.dials) > before
