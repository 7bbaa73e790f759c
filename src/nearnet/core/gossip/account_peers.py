"""Which peer a message to an account goes to (`network-2026.md` §6).

It is the peer that the account's `AccountData` names, and otherwise the one that was announced. `AccountData` names an
account only by its key. The key of an account is what the client says (`account_keys`), or the one that the account's
announcement holds under: announcements are signed with it (`wire.md` §4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from nearnet.client import announcement_digest
from nearnet.core.runtime.limits import LruDict

if TYPE_CHECKING:
    from nearnet.client import Client
    from nearnet.core.gossip.accounts_data import AccountsData
    from nearnet.core.gossip.announcements import Announcements
    from nearnet.keys import PeerId, PublicKey
    from nearnet.wire.messages import AnnounceAccount

__all__ = ["AccountPeers", "Found"]

_KNOWN: Final = 1000
"""Accounts whose keys are kept, at about 300 bytes each."""


class Found(NamedTuple):
    """The peer of an account, and where that is known from: ``AccountData`` or ``AnnounceAccount``."""

    peer_id: PeerId
    source: str


class AccountPeers:
    """Looks accounts up for whoever sends to one."""

    __slots__ = ("_accounts_data", "_announcements", "_client", "_keys")

    def __init__(self, client: Client, announcements: Announcements, accounts_data: AccountsData) -> None:
        self._client = client
        self._announcements = announcements
        self._accounts_data = accounts_data
        self._keys: LruDict[str, tuple[AnnounceAccount, PublicKey]] = LruDict(_KNOWN)
        """Account -> the announcement, and the key that it holds under."""

    def find(self, account_id: str) -> Found | None:
        """Return the peer that messages to an account go to; None when nobody told one.

        It costs one signature check for each key of `AccountData` (128 at most) when the account's key is not known.
        """
        told = {data.account_key: data.peer_id for data in self._accounts_data.all()}
        announcement = self._announcements.get(account_id)
        for key in self._client_keys(account_id):
            if key in told:
                return Found(told[key], "AccountData")
        if announcement is None:
            return None
        key_found = self._key_of(announcement, list(told))
        if key_found is not None and key_found in told:
            return Found(told[key_found], "AccountData")
        return Found(announcement.peer_id, "AnnounceAccount")

    def _client_keys(self, account_id: str) -> list[PublicKey]:
        ask = getattr(self._client, "account_keys", None)
        return [] if ask is None else list(ask(account_id))

    def _key_of(self, announcement: AnnounceAccount, keys: list[PublicKey]) -> PublicKey | None:
        known = self._keys.get(announcement.account_id)
        if known is not None and known[0] == announcement:
            return known[1]
        digest = announcement_digest(announcement.account_id, announcement.peer_id, announcement.epoch_id)
        for key in keys:
            if key.verify(digest, announcement.signature):
                self._keys.put(announcement.account_id, (announcement, key))
                return key
        return None
