"""Which protocol version worked at which address (`network-2026.md` §1), so that later dials need no extra round trip.

Only a version that led to a Ready connection is kept: nothing that an unproved stranger answers is remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from nearnet.errors import Malformed
from nearnet.wire.borsh.primitives import Reader, Writer

if TYPE_CHECKING:
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.journal import Journal
    from nearnet.core.runtime.store_reader import StoreReader

__all__ = ["ASK_AGAIN", "MOST_ADDRESSES", "VERSION_COLUMN", "AddressVersions", "decode_version"]

VERSION_COLUMN: Final = "AddressVersion"

ASK_AGAIN: Final = 86_400.0
"""Seconds for which a version below our own is taken for granted. An upgraded peer still accepts the old one for some
releases, and answers with it. What a peer is sent depends on its version (`network-2026.md` §3), so it is asked again
with our own version then, which costs one round trip a day."""

MOST_ADDRESSES: Final = 1000
"""Addresses that are remembered. A key has at most 260 bytes (a host name of 253 and a port), so all take 0.4 MB."""


class AddressVersions:
    """At most `MOST_ADDRESSES` protobuf versions by dialed address; the least recently used one leaves first.

    `own` is the version that is sent where nothing is remembered, so it is not kept. The order of use does not survive
    a restart: the stored rows are as old as each other then.
    """

    __slots__ = ("_journal", "_own", "_versions")

    def __init__(self, store: StoreReader, journal: Journal, own: int, now: Now) -> None:
        """Read the column. A row that does not decode is ignored: the next version that works takes its place."""
        self._journal = journal
        self._own = own
        self._versions: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """By place: the version, and since when it is taken for granted (monotonic)."""
        for key, value in store.items(VERSION_COLUMN):
            try:
                place, version = key.decode(), decode_version(value)
            except (UnicodeDecodeError, Malformed):
                continue
            if version == own:
                journal.write(VERSION_COLUMN, key, None)
            else:
                self._put(place, version, now.mono)

    def __len__(self) -> int:
        return len(self._versions)

    def get(self, place: str, now: Now) -> int | None:
        """Return the version to try first at `place`; None for our own, which is tried where nothing is known."""
        known = self._versions.get(place)
        if known is None:
            return None
        self._versions.move_to_end(place)
        version, since = known
        return None if version < self._own and now.mono - since >= ASK_AGAIN else version

    def worked(self, place: str, version: int, now: Now) -> None:
        """Remember that a Handshake of `version` led to a Ready connection at `place`."""
        known, since = self._versions.get(place, (None, 0.0))
        if version == self._own:
            if known is not None:
                del self._versions[place]
                self._journal.write(VERSION_COLUMN, place.encode(), None)
            return
        is_granted = version == known and now.mono - since < ASK_AGAIN
        self._put(place, version, since if is_granted else now.mono)
        if version != known:
            self._journal.write(VERSION_COLUMN, place.encode(), _encode(version))

    def _put(self, place: str, version: int, since: float) -> None:
        self._versions[place] = (version, since)
        self._versions.move_to_end(place)
        if len(self._versions) > MOST_ADDRESSES:
            oldest, _ = self._versions.popitem(last=False)
            self._journal.write(VERSION_COLUMN, oldest.encode(), None)


def _encode(version: int) -> bytes:
    writer = Writer()
    writer.u32(version)
    return writer.getvalue()


def decode_version(data: bytes) -> int:
    """Return the version of one stored row, a borsh u32; raises `Malformed`."""
    reader = Reader(data)
    version = reader.u32()
    reader.finish()
    return version
