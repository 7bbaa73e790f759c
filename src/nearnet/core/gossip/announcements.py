"""Which peer serves which account (`AnnounceAccount`; `behaviour.md` §7, `threats.md` rows 62, 63).

All of them are in the store; the latest are in memory as well. What is put in was validated by the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.runtime.limits import LruDict
from nearnet.errors import Malformed
from nearnet.wire.borsh.dialect import decode_announcement, encode_announcement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nearnet.core.runtime.journal import Journal
    from nearnet.core.runtime.store_reader import StoreReader
    from nearnet.keys import CryptoHash, PeerId
    from nearnet.wire.messages import AnnounceAccount

__all__ = ["COLUMN", "Announcements"]

COLUMN = "AccountAnnouncements"


class Announcements:
    """The newest known announcement of each account, at most `capacity` of them in memory (about 600 bytes each)."""

    __slots__ = ("_cache", "_complete", "_journal", "_relayed", "_store")

    def __init__(self, store: StoreReader, journal: Journal, capacity: int = 10_000) -> None:
        """Fills memory from the store."""
        self._store = store
        self._journal = journal
        self._cache: LruDict[str, AnnounceAccount] = LruDict(capacity)
        self._relayed: LruDict[str, AnnounceAccount] = LruDict(capacity)
        """Those that the client wants passed on and nothing else."""
        self._complete = True
        """Whether memory holds all that the store does, so that unknown accounts cost no read."""
        for _, value in store.items(COLUMN):
            announcement = _readable(value)
            if announcement is not None:
                self._keep(announcement)

    def select_new(self, announcements: Iterable[AnnounceAccount]) -> list[AnnounceAccount]:
        """Those that say something about another epoch than what is known; of two for one epoch the first."""
        new = {}
        for announcement in announcements:
            account_id, epoch_id = announcement.account_id, announcement.epoch_id
            if (account_id, epoch_id) not in new and self.last_epoch(account_id) != epoch_id:
                new[account_id, epoch_id] = announcement
        return list(new.values())

    def add(self, announcement: AnnounceAccount) -> None:
        """Keep one that the client found valid, in place of the account's former one."""
        self._keep(announcement)
        self._relayed.pop(announcement.account_id)
        self._journal.write(COLUMN, announcement.account_id.encode(), encode_announcement(announcement))

    def relay(self, announcement: AnnounceAccount) -> None:
        """Pass one on, and know it for that; what it says is not used, and not stored."""
        self._relayed.put(announcement.account_id, announcement)

    def get(self, account_id: str) -> AnnounceAccount | None:
        """The account's announcement."""
        announcement = self._cache.get(account_id)
        if announcement is not None or self._complete:
            return announcement
        value = self._store.get(COLUMN, account_id.encode())
        announcement = None if value is None else _readable(value)
        if announcement is not None:
            self._keep(announcement)
        return announcement

    def newest(self, account_id: str) -> AnnounceAccount | None:
        """Return what is to be told of the account: the announcement in memory, also one that is only passed on."""
        return self._relayed.peek(account_id) or self._cache.peek(account_id)

    def owner(self, account_id: str) -> PeerId | None:
        """The peer that serves the account."""
        announcement = self.get(account_id)
        return None if announcement is None else announcement.peer_id

    def last_epoch(self, account_id: str) -> CryptoHash | None:
        """The epoch of the account's announcement, also of one that is only passed on."""
        announcement = self._relayed.get(account_id) or self.get(account_id)
        return None if announcement is None else announcement.epoch_id

    def all(self) -> list[AnnounceAccount]:
        """Those in memory that are used here."""
        return list(self._cache.values())

    def told(self) -> list[AnnounceAccount]:
        """For a first sync: those in memory, with those that are only passed on."""
        return [*self._cache.values(), *self._relayed.values()]

    def __len__(self) -> int:
        return len(self._cache)

    def _keep(self, announcement: AnnounceAccount) -> None:
        if self._cache.put(announcement.account_id, announcement) is not None:
            self._complete = False


def _readable(value: bytes) -> AnnounceAccount | None:
    """A stored row; None for one that does not decode, which stays where it is until the account announces anew."""
    try:
        return decode_announcement(value)
    except Malformed:
        return None
