"""A client of one's own that knows which key each account has, and judges announcements by it.

    python examples/validating_client.py

An announcement says which peer serves an account. The default client has no chain and takes every well-formed one; this
one has a list of keys. A right signature is kept and told on; an unknown account is dropped; a wrong signature bans
the neighbor that sent it, which should have checked it too.
"""

from __future__ import annotations

import asyncio

from nearnet import (
    AccountAnnounced,
    AnnounceAccount,
    AnnouncementVerdict,
    Banned,
    CryptoHash,
    DefaultClient,
    NetworkConfig,
    Node,
    PeerId,
    PublicKey,
    ReasonForBan,
    SecretKey,
    announcement_digest,
)

EPOCH = CryptoHash.of(b"epoch 1")


class ValidatingClient(DefaultClient):
    """Knows the accounts' public keys."""

    def __init__(self, config: NetworkConfig, keys: dict[str, PublicKey]) -> None:
        super().__init__(config)
        self.keys = keys

    def validate_announcement(
        self, announcement: AnnounceAccount, last_epoch: CryptoHash | None
    ) -> AnnouncementVerdict:
        """True keeps it and tells the neighbors, False drops it, a reason bans who sent it."""
        key = self.keys.get(announcement.account_id)
        if key is None:
            return False
        digest = announcement_digest(announcement.account_id, announcement.peer_id, announcement.epoch_id)
        return key.verify(digest, announcement.signature) or ReasonForBan.INVALID_SIGNATURE


def announcement(account_id: str, peer_id: PeerId, key: SecretKey) -> AnnounceAccount:
    """Signed with the account's key, which is not the node's."""
    signature = key.sign(announcement_digest(account_id, peer_id, EPOCH))
    return AnnounceAccount(account_id, peer_id, EPOCH, signature)


async def main() -> None:
    """Two honest validators and one who announces somebody else's account."""
    overrides = {"network_config_overrides": {"outbound_disabled": True}}
    config = NetworkConfig.model_validate(
        {"network": {"addr": "127.0.0.1:0", "experimental": overrides}, "nearnet": {"dialect": "borsh"}}
    )
    alice, bob = SecretKey.generate(), SecretKey.generate()
    keys = {"alice.near": alice.public_key, "bob.near": bob.public_key}
    async with (
        Node(config, client=ValidatingClient(config, keys)) as judge,
        Node(config) as honest,
        Node(config) as liar,
        asyncio.timeout(10),
    ):
        events = judge.events(AccountAnnounced, Banned)
        honest.announce(announcement("alice.near", honest.peer_id, alice))
        honest.announce(announcement("carol.near", honest.peer_id, SecretKey.generate()))
        await honest.connect(f"{judge.peer_id}@{judge.addr}")
        assert isinstance(await anext(events), AccountAnnounced)
        print("known accounts:", ", ".join(account for account, _ in judge.network_info().known_producers))
        assert [account for account, _ in judge.network_info().known_producers] == ["alice.near"]

        liar.announce(announcement("bob.near", liar.peer_id, alice))
        await liar.connect(f"{judge.peer_id}@{judge.addr}")
        assert isinstance(await anext(events), Banned)
        print("banned:", ", ".join(f"{ban.peer_id} for {ban.reason.label}" for ban in judge.bans()))
        assert [ban.peer_id for ban in judge.bans()] == [liar.peer_id]


if __name__ == "__main__":
    asyncio.run(main())
