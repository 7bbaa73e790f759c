"""Outbound connections that lasted, remembered to be dialed again (`threats.md` row 58, `behaviour.md` §10).

Only links that we chose to make and that held ten minutes count: an attacker cannot put itself here by dialing us.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from nearnet.errors import Malformed
from nearnet.wire.borsh.dialect import read_peer_info, write_peer_info
from nearnet.wire.borsh.primitives import Reader, Writer

if TYPE_CHECKING:
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.journal import Journal
    from nearnet.core.runtime.store_reader import StoreReader
    from nearnet.keys import PeerId
    from nearnet.wire.messages import PeerInfo

__all__ = ["COLUMN", "LASTING", "MOST_LINKS", "RecentLink", "RecentLinks", "decode_link"]

COLUMN = "RecentOutboundConnections"

LASTING = 600.0
"""Seconds after which a connection is worth remembering."""

MOST_LINKS = 40
"""About 200 bytes each."""


@dataclass(frozen=True, slots=True)
class RecentLink:
    """One remembered connection; times in unix nanoseconds."""

    peer_info: PeerInfo
    established: int
    connected_until: int


class RecentLinks:
    """At most `MOST_LINKS` links; the one that ended longest ago leaves first.

    Their order is that in which they were last up, not that of the stored times: a wall clock set back by a year does
    not make the old ones look newest (what claims to be of the future is taken as of now).
    """

    __slots__ = ("_journal", "_links")

    def __init__(self, store: StoreReader, journal: Journal, now: Now) -> None:
        self._journal = journal
        links = []
        for _, value in store.items(COLUMN):
            try:
                links.append(decode_link(value))
            except Malformed:
                # It is only a hint whom to dial first; the next link takes its place.
                continue
        links.sort(key=lambda link: (min(link.connected_until, now.unix_ns), link.peer_info.id))
        self._links = OrderedDict((link.peer_info.id, link) for link in links[-MOST_LINKS:])

    def up(self, info: PeerInfo, established_at: float, now: Now) -> None:
        """An outbound connection that was made at `established_at` (monotonic) is still up, or just ended."""
        lasted = now.mono - established_at
        if lasted < LASTING:
            return
        self._links[info.id] = RecentLink(info, max(0, now.unix_ns - int(lasted * 1e9)), now.unix_ns)
        self._links.move_to_end(info.id)
        self._changed(info.id)
        if len(self._links) > MOST_LINKS:
            self._changed(self._links.popitem(last=False)[0])

    def forget(self, peer_id: PeerId) -> None:
        """The other side asked us not to come back (Disconnect with the flag), or was banned."""
        if self._links.pop(peer_id, None) is not None:
            self._changed(peer_id)

    def __contains__(self, peer_id: PeerId) -> bool:
        return peer_id in self._links

    def newest_first(self) -> list[RecentLink]:
        """All of them; the first two are the anchors that a restart dials before anybody else."""
        return list(reversed(self._links.values()))

    def _changed(self, peer_id: PeerId) -> None:
        self._journal.changed(COLUMN, peer_id, partial(self._row, peer_id))

    def _row(self, peer_id: PeerId) -> bytes | None:
        link = self._links.get(peer_id)
        return None if link is None else _encode(link)


def _encode(link: RecentLink) -> bytes:
    writer = Writer()
    write_peer_info(writer, link.peer_info)
    writer.u64(link.established)
    writer.u64(link.connected_until)
    return writer.getvalue()


def decode_link(data: bytes) -> RecentLink:
    """One stored row; raises `Malformed`."""
    reader = Reader(data)
    link = RecentLink(read_peer_info(reader), reader.u64(), reader.u64())
    reader.finish()
    return link
