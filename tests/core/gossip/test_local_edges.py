"""What the graph says of us, held against our connections (`behaviour.md` §3; `threats.md` rows 19, 43, 44)."""

import pytest
from hand import ME, Core, edge_of, key_of

from nearnet.core.routing_table.edge import sign_edge, sign_removal
from nearnet.errors import ReasonForBan
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import (
    PartialEdgeInfo,
    RequestUpdateNonce,
    ResponseUpdateNonce,
    SyncRoutingTable,
)


@pytest.mark.threat(43)
def test_an_edge_that_says_we_are_connected():
    core = Core()
    hand = core.ready()
    ghost = key_of("ghost")
    hand.say(SyncRoutingTable((edge_of(ME, ghost, 1),)))
    core.advance(5)
    assert core.manager.table.get(ME.public_key, ghost.public_key).nonce == 1
    core.advance(1.5)
    removal = core.manager.table.get(ME.public_key, ghost.public_key)
    assert removal.nonce == 2
    told = [edge for table in hand.told(SyncRoutingTable) for edge in table.edges]
    assert removal in told


@pytest.mark.threat(43)
def test_unless_it_connects_meanwhile():
    core = Core()
    hand = core.ready()
    ghost = key_of("ghost")
    hand.say(SyncRoutingTable((edge_of(ME, ghost, 1),)))
    core.advance(2)
    hand.say(SyncRoutingTable((edge_of(ME, ghost, 3),)))
    core.advance(1)
    late = core.hand("ghost")
    late.shake(5)
    assert late.peer.is_ready
    core.advance(8)
    assert core.manager.table.get(ME.public_key, ghost.public_key).nonce == 5


def test_a_link_made_and_lost_within_the_wait_is_removed_once():
    core = Core()
    hand = core.ready()
    ghost = key_of("ghost")
    hand.say(SyncRoutingTable((edge_of(ME, ghost, 1),)))
    core.advance(2)
    hand.say(SyncRoutingTable((edge_of(ME, ghost, 2, ghost),)))
    core.advance(8)
    assert core.manager.table.get(ME.public_key, ghost.public_key).nonce == 2


@pytest.mark.threat(44)
def test_a_removal_of_a_live_link_asks_for_a_newer_nonce():
    core = Core()
    hand = core.ready()
    removal = sign_removal(hand.key, hand.edge())
    hand.say(SyncRoutingTable((removal,)))
    core.advance(0.1)
    (asked,) = hand.told(RequestUpdateNonce)
    assert asked.partial_edge_info == sign_edge(ME, hand.id, 3)
    renewed = edge_of(ME, hand.key, 3)
    hand.say(ResponseUpdateNonce(renewed))
    core.advance(10)
    assert hand.closed is None
    assert hand.edge() == hand.peer.edge == renewed


@pytest.mark.threat(44)
def test_and_leaves_when_none_comes():
    core = Core()
    hand, other = core.ready(), core.ready("other")
    hand.say(SyncRoutingTable((sign_removal(hand.key, hand.edge()),)))
    core.advance(5)
    assert hand.closed is None
    core.advance(2)
    assert hand.closed == "edge removed and not renewed"
    assert other.closed is None


def test_one_request_for_each_removal():
    core = Core()
    hand = core.ready()
    removal = sign_removal(hand.key, hand.edge())
    hand.say(SyncRoutingTable((removal,)))
    core.advance(0.1)
    core.manager.local_edges.seen(removal, core.now)
    assert len(hand.told(RequestUpdateNonce)) == 1


def ask(hand, nonce, signature=None):
    partial = sign_edge(hand.key, ME.public_key, nonce)
    hand.say(RequestUpdateNonce(PartialEdgeInfo(nonce, signature or partial.signature)))


@pytest.mark.threat(19)
def test_a_request_is_signed_answered_and_told():
    core = Core()
    hand, other = core.ready(), core.ready("other")
    core.advance(2)
    other.read()
    ask(hand, 3)
    (answer,) = hand.told(ResponseUpdateNonce)
    assert (answer.edge.nonce, answer.edge) == (3, hand.edge())
    core.advance(0.1)
    assert hand.edge() in [edge for table in other.told(SyncRoutingTable) for edge in table.edges]


def test_a_request_that_is_not_newer_is_no_offence():
    core = Core()
    hand = core.ready()
    ask(hand, 5)
    hand.read()
    ask(hand, 3)
    (answer,) = hand.told(ResponseUpdateNonce)
    assert answer.edge.nonce == 5
    hand.say(SyncRoutingTable((sign_removal(hand.key, hand.edge()),)))
    core.advance(0.1)
    hand.read()
    ask(hand, 3)
    assert hand.told(ResponseUpdateNonce) == []
    assert hand.closed is None


@pytest.mark.threat(19)
@pytest.mark.parametrize("nonce", [1003, 2**63 + 1, 2**64 - 1])
def test_a_request_out_of_range_is_not_answered_and_costs_no_ban(nonce):
    core = Core()
    hand = core.ready()
    ask(hand, nonce)
    assert hand.told(ResponseUpdateNonce) == []
    assert hand.edge().nonce == 1
    assert hand.ban is None
    assert hand.peer.is_ready
    assert core.manager.context.counters["nearnet_ignored_messages", "RequestUpdateNonce"] == 1


@pytest.mark.threat(19)
@pytest.mark.interop("nonces")
@pytest.mark.parametrize(("ahead", "is_signed"), [(298, True), (302, False), (1190, False), (1300, False)])
def test_a_protobuf_peer_gets_no_nonce_over_five_minutes_ahead(ahead, is_signed):
    core = Core()
    hand = core.ready("a", dialect="protobuf")
    core.advance(20)
    hand.read()
    nonce = int(core.now.wall) + ahead | 1
    ask(hand, nonce)
    told = [edge.nonce for table in hand.told(SyncRoutingTable) for edge in table.edges if edge.involves(hand.id)]
    assert told == ([nonce] if is_signed else [])
    assert hand.peer.is_ready


@pytest.mark.threat(17)
@pytest.mark.interop("nonces")
def test_the_edge_of_a_handshake_far_ahead_is_told_once_others_take_it():
    core = Core()
    watcher = core.ready("watcher", dialect="protobuf")
    core.advance(2)
    watcher.read()
    nonce = int(core.now.wall) + 420 | 1
    ahead = core.hand("ahead", dialect="protobuf")
    ahead.shake(nonce)
    assert ahead.peer.is_ready

    def told():
        return [
            edge.nonce for table in watcher.told(SyncRoutingTable) for edge in table.edges if edge.involves(ahead.id)
        ]

    core.advance(110)
    assert told() == []
    core.advance(15)
    assert told() == [nonce]


@pytest.mark.threat(19)
@pytest.mark.parametrize("nonce", [2, "forged"])
def test_requests_that_ban(nonce):
    core = Core()
    hand = core.ready()
    if nonce == "forged":
        ask(hand, 3, sign_edge(hand.key, ME.public_key, 5).signature)
    else:
        ask(hand, nonce)
    assert hand.told(ResponseUpdateNonce) == []
    assert hand.ban is ReasonForBan.INVALID_EDGE


def test_a_bridge_may_ask_for_a_unix_nonce():
    core = Core()
    hand = core.ready()
    ask(hand, int(core.now.wall) | 1)
    (answer,) = hand.told(ResponseUpdateNonce)
    assert answer.edge.nonce == int(core.now.wall) | 1


def test_a_removed_edge_is_signed_anew():
    core = Core()
    hand = core.ready()
    hand.say(SyncRoutingTable((sign_removal(hand.key, hand.edge()),)))
    core.advance(0.1)
    hand.read()
    ask(hand, 3)
    (answer,) = hand.told(ResponseUpdateNonce)
    assert answer.edge.nonce == 3
    core.advance(10)
    assert hand.closed is None


@pytest.mark.parametrize("which", ["not ours", "forged"])
def test_responses_that_ban(which):
    core = Core()
    hand = core.ready()
    good = edge_of(ME, hand.key, 3)
    edge = edge_of(key_of("x"), hand.key, 3) if which == "not ours" else Edge(good[:-10] + b"\1" + good[-9:])
    hand.say(ResponseUpdateNonce(edge))
    assert hand.ban is ReasonForBan.INVALID_EDGE


def test_responses_that_say_nothing_new():
    core = Core()
    hand = core.ready()
    hand.say(ResponseUpdateNonce(hand.edge()))
    assert hand.closed is None


def test_a_response_about_another_link_of_ours():
    core = Core()
    hand = core.ready()
    before = hand.peer.edge
    hand.say(ResponseUpdateNonce(edge_of(ME, key_of("ghost"), 1)))
    assert hand.peer.edge == before
    core.advance(7)
    assert core.manager.table.get(ME.public_key, key_of("ghost").public_key).nonce == 2


def test_a_close_signs_the_removal():
    core = Core()
    hand = core.ready()
    core.manager.lost(hand.peer, "gone", core.now)
    assert hand.edge().nonce == 2
    assert hand.edge().removal[0] == (ME.public_key < hand.id)


def test_a_removal_that_is_known_is_not_signed_again():
    core = Core()
    hand = core.ready()
    removal = sign_removal(hand.key, hand.edge())
    hand.say(SyncRoutingTable((removal,)))
    core.advance(0.1)
    core.manager.lost(hand.peer, "gone", core.now)
    assert hand.edge() == removal


def test_today_is_answered_by_a_table():
    core = Core()
    hand = core.ready(dialect="protobuf")
    nonce = int(core.now.wall) | 1
    core.manager.local_edges.requested(hand.peer, sign_edge(hand.key, ME.public_key, nonce), core.now)
    assert hand.read() == [SyncRoutingTable((hand.edge(),))]
    core.manager.local_edges.seen(sign_removal(hand.key, hand.edge()), core.now)
    (request,) = hand.told(RequestUpdateNonce)
    assert request.partial_edge_info.nonce == nonce + 2
