"""Which peer a message to an account goes to (`network-2026.md` §6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hand import Core, Hand, edge_of, key_of

from nearnet.client import DefaultClient, announcement_digest
from nearnet.errors import RouteNotFound
from nearnet.keys import CryptoHash, PublicKey, SecretKey, Signature
from nearnet.wire.messages import (
    AccountData,
    AnnounceAccount,
    Routed,
    SyncAccountsData,
    SyncRoutingTable,
)
from nearnet.wire.signed_payload import sign_payload

BODY = b"\x0bhi"
ANNOUNCED, NAMED, ACCOUNT_KEY = key_of("announced"), key_of("named"), key_of("account key")


def announcement(account: str = "a.near", key: SecretKey = ACCOUNT_KEY, epoch: bytes = bytes(32)) -> AnnounceAccount:
    one = AnnounceAccount(account, ANNOUNCED.public_key, CryptoHash(epoch), Signature(b""))
    return replace(one, signature=key.sign(announcement_digest(account, one.peer_id, one.epoch_id)))


def data(peer: SecretKey = NAMED, key: SecretKey = ACCOUNT_KEY, version: int = 1) -> SyncAccountsData:
    return SyncAccountsData(
        (sign_payload(AccountData(peer.public_key, key.public_key, (), version, (version, 0)), key),)
    )


def node(client: Any = None) -> tuple[Core, Hand]:
    """A core with a neighbor by which both peers of the account are reached."""
    core = Core(client=client)
    hand = core.ready("neighbor", dialect="protobuf")
    nonce = int(core.now.wall) | 1
    hand.say(SyncRoutingTable(tuple(edge_of(hand.key, far, nonce) for far in (ANNOUNCED, NAMED))))
    core.advance(3)
    hand.read()
    return core, hand


def target(core: Core, hand: Hand, account: str = "a.near") -> PublicKey | CryptoHash:
    core.manager.send_routed(account, BODY, core.now)
    (routed,) = hand.told(Routed)
    target: PublicKey | CryptoHash = routed.message.target
    return target


def lookups(core: Core) -> dict[str, int]:
    counters = core.manager.context.counters
    return {label: count for (metric, label), count in counters.items() if metric == "near_account_to_peer_lookups"}


@pytest.mark.interop("SyncAccountsData", "announcements")
def test_account_data_of_the_key_that_signed_the_announcement_comes_first() -> None:
    core, hand = node()
    hand.say(SyncRoutingTable((), (announcement(),)))
    assert target(core, hand) == ANNOUNCED.public_key
    hand.say(data(key=key_of("another account")))
    assert target(core, hand) == ANNOUNCED.public_key
    hand.say(data())
    assert target(core, hand) == NAMED.public_key
    assert target(core, hand) == NAMED.public_key, "from what is kept"
    hand.say(data(peer=ANNOUNCED, version=2))
    assert target(core, hand) == ANNOUNCED.public_key, "the newest data counts"
    assert lookups(core) == {"AnnounceAccount": 2, "AccountData": 3}


def test_a_new_announcement_under_another_key_ends_it() -> None:
    core, hand = node()
    hand.say(data(), SyncRoutingTable((), (announcement(),)))
    assert target(core, hand) == NAMED.public_key
    hand.say(SyncRoutingTable((), (announcement(key=key_of("later"), epoch=b"\1" * 32),)))
    assert target(core, hand) == ANNOUNCED.public_key


def test_a_client_may_know_the_keys_of_an_account() -> None:
    core, hand = node()
    core.manager.context.client.account_keys = lambda account: (  # type: ignore[attr-defined]
        [key_of("old key").public_key, ACCOUNT_KEY.public_key] if account == "a.near" else []
    )
    hand.say(data())
    assert target(core, hand) == NAMED.public_key
    with pytest.raises(RouteNotFound, match=r"no peer is known for the account b\.near"):
        core.manager.send_routed("b.near", BODY, core.now)
    hand.say(SyncRoutingTable((), (announcement("b.near"),)))
    assert target(core, hand, "b.near") == NAMED.public_key


def test_data_that_has_left_does_not_count() -> None:
    core, hand = node()
    hand.say(data(), SyncRoutingTable((), (announcement(),)))
    assert target(core, hand) == NAMED.public_key
    core.manager.accounts_data._data.pop(ACCOUNT_KEY.public_key)
    assert target(core, hand) == ANNOUNCED.public_key
    assert isinstance(core.manager.context.client, DefaultClient)
