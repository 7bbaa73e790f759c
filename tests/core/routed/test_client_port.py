"""What the chain client is given and what its answers do (`behaviour.md` §8; document §2.4)."""

import pytest
from hand import ME, Core, key_of
from world import make_config

from nearnet.client import Ban, DefaultClient
from nearnet.errors import ReasonForBan
from nearnet.keys import CryptoHash
from nearnet.wire.message_kinds import MOST_TRANSACTION
from nearnet.wire.messages import (
    Block,
    BlockHeadersRequest,
    BlockRequest,
    EpochSyncRequest,
    Routed,
    RoutedMessage,
    Transaction,
)
from nearnet.wire.routed_frame import routed_digest

HASH = CryptoHash(bytes(32))


class Scripted(DefaultClient):
    """Keeps what it is given and answers what it was told to."""

    def __init__(self):
        super().__init__(make_config())
        self.given = []
        self.answer = None

    def on_message(self, message, peer):
        self.given.append((message, peer))
        return self.answer

    def on_routed(self, message):
        self.given.append(message)
        return self.answer


@pytest.fixture
def client():
    return Scripted()


def routed(hand, body, target=ME.public_key):
    unsigned = RoutedMessage(target, hand.id, b"", 100, body)
    digest = routed_digest(unsigned)
    return Routed(RoutedMessage(target, hand.id, hand.key.sign(digest), 100, body)), digest


@pytest.mark.scenario(74)
def test_a_message_and_its_answer(client):
    core = Core(client=client)
    hand = core.ready()
    client.answer = Block(b"the block")
    hand.say(BlockRequest(HASH))
    assert client.given == [(BlockRequest(HASH), hand.peer.info)]
    assert hand.told(Block) == [Block(b"the block")]
    client.answer = None
    hand.say(Transaction(b"t"), Block(b"b"))
    assert [type(message) for message, _ in client.given[1:]] == [Transaction, Block]


def test_a_peer_without_an_info_is_not_handed_over(client):
    core = Core(client=client)
    hand = core.ready()
    hand.peer.info = None
    hand.say(BlockRequest(HASH))
    assert client.given == []


@pytest.mark.threat(53)
@pytest.mark.scenario(78)
def test_epoch_sync_requests_are_limited(client):
    core = Core(client=client)
    hand = core.ready()
    hand.say(EpochSyncRequest(HASH), EpochSyncRequest(HASH))
    assert len(client.given) == 1
    core.advance(31)
    hand.say(EpochSyncRequest(HASH))
    assert len(client.given) == 2


def test_what_is_not_the_chains_is_not_for_the_client(client):
    core = Core(client=client)
    core.ready().frame(b"\x10")  # Index 16, long retired.
    assert client.given == []
    assert core.manager.context.counters["nearnet_ignored_messages", "HandshakeV2"] == 1


@pytest.mark.scenario(63)
def test_a_ban_by_the_client(client):
    core = Core(client=client)
    hand = core.ready()
    client.answer = Ban(ReasonForBan.BAD_BLOCK, 60.0)
    hand.say(Block(b"bad"))
    assert hand.closed == "banned: BadBlock"
    known = core.manager.peer_store.get(hand.id)
    assert known.ban.reason is ReasonForBan.BAD_BLOCK
    assert known.ban_ends == core.now.mono + 60


def test_a_ban_is_deferred_while_it_would_leave_too_few(client):
    core = Core(client=client, nearnet={"min_peers_kept": 1})
    hand = core.ready()
    client.answer = Ban(ReasonForBan.BAD_BLOCK)
    hand.say(Block(b"bad"))
    assert hand.closed is None
    assert core.events[-1].kind == "ban_deferred"
    core.ready("another")
    hand.say(Block(b"bad"))
    assert hand.closed == "banned: BadBlock"


def test_a_routed_request_is_answered_by_its_hash(client):
    core = Core(client=client)
    hand = core.ready()
    client.answer = b"\x03the status"
    request, digest = routed(hand, b"\2\4\0\0\0near" + bytes(32))
    hand.say(request)
    assert client.given == [request.message]
    (answer,) = hand.told(Routed)
    assert (answer.message.target, answer.message.body) == (digest, b"\x03the status")
    assert ME.public_key.verify(routed_digest(answer.message), answer.message.signature)


def test_an_answer_that_nobody_waits_for_is_dropped_in_words(client):
    core = Core(client=client)
    hand = core.ready()
    client.answer = b"\x03the status"
    hand.say(routed(hand, b"\x10no reply expected")[0])
    assert hand.told(Routed) == []
    assert core.events[-1].kind == "reply_dropped"


def test_an_answer_given_later(client):
    core = Core(client=client)
    hand = core.ready()
    hand.say(BlockRequest(HASH))
    core.manager.client_answer(hand.id, BlockRequest(HASH), Block(b"late"), core.now)
    assert hand.told(Block) == [Block(b"late")]
    core.manager.client_answer(key_of("gone").public_key, BlockRequest(HASH), Block(b"late"), core.now)
    core.manager.client_answer(hand.id, BlockRequest(HASH), None, core.now)
    assert hand.told(Block) == []


@pytest.mark.interop("Block and other messages of the chain")
@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
def test_no_peer_is_asked_for_more_headers_than_it_bans_for(client, dialect):
    core = Core(client=client)
    hand = core.ready(dialect=dialect)
    client.answer = BlockHeadersRequest((HASH,) * 20)
    hand.say(Block(b"b"))
    assert len(hand.told(BlockHeadersRequest)) == 1
    client.answer = BlockHeadersRequest((HASH,) * 21)
    hand.say(Block(b"b"))
    assert len(hand.told(BlockHeadersRequest)) == (1 if dialect == "borsh" else 0)
    dropped = [event.data["reason"] for event in core.events if event.kind == "answer_dropped"]
    assert [("21 hashes" in reason, "at most 20" in reason) for reason in dropped] == (
        [] if dialect == "borsh" else [(True, True)]
    )


@pytest.mark.interop("Block and other messages of the chain")
@pytest.mark.parametrize("make", [Transaction, Block])
def test_no_peer_is_sent_a_larger_answer_than_it_takes(client, make):
    core = Core(client=client)
    old, new = core.ready("old"), core.ready("new", dialect="protobuf")
    around = len(new.dialect.encode(make(bytes(2**24)))) - 2**24
    most = MOST_TRANSACTION if make is Transaction else 32 * 2**20 - around
    for length, arrives in ((most, True), (most + 1, False)):
        client.answer = make(bytes(length))
        for hand in (old, new):
            hand.say(BlockRequest(HASH))
            assert len(hand.told(make)) == (arrives or hand is old)
    assert core.kinds().count("answer_dropped") == 1
    counted = {} if make is Transaction else {"Block": 1}
    assert core.manager.context.outbox.too_large == counted
    assert (old.closed, new.closed) == (None, None)
