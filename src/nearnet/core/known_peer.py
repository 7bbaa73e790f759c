"""What is kept about a peer, connected or not, and its stored form (`behaviour.md` §6, §9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from nearnet.errors import Malformed, ReasonForBan
from nearnet.wire.borsh import Reader, Writer
from nearnet.wire.borsh_dialect import read_peer_info, write_peer_info

if TYPE_CHECKING:
    from nearnet.wire.messages import PeerInfo

__all__ = ["Ban", "KnownPeerState", "PeerStatus", "TrustLevel", "decode_known_peer", "encode_known_peer"]


class PeerStatus(IntEnum):
    """How we stand with a known peer; the numbers are the stored ones."""

    UNKNOWN = 0
    """Never connected, or the last dial failed."""
    NOT_CONNECTED = 1
    CONNECTED = 2
    BANNED = 3

    @property
    def label(self) -> str:
        """The field's name for it, such as ``NotConnected``."""
        return "".join(part.capitalize() for part in self.name.split("_"))


class TrustLevel(IntEnum):
    """Who says that a peer has its address. A lower level never replaces a higher one."""

    INDIRECT = 0
    """Others told it."""
    DIRECT = 1
    """It said so from that address."""
    SIGNED = 2
    """A handshake proved it, or the operator wrote it down."""


@dataclass(frozen=True, slots=True)
class Ban:
    """A ban as stored: it ends at `time_ns` (unix nanoseconds) plus the configured `ban_window`."""

    reason: ReasonForBan
    time_ns: int


@dataclass(frozen=True, slots=True)
class KnownPeerState:
    """One row of the Peers column; times in unix nanoseconds. `ban` is there exactly when `status` is BANNED."""

    peer_info: PeerInfo
    status: PeerStatus
    first_seen: int
    last_seen: int
    ban: Ban | None = None


def encode_known_peer(state: KnownPeerState) -> bytes:
    """Its borsh bytes."""
    writer = Writer()
    write_peer_info(writer, state.peer_info)
    writer.u8(state.status)
    if state.ban is not None:
        writer.u8(state.ban.reason)
        writer.u64(state.ban.time_ns)
    writer.u64(state.first_seen)
    writer.u64(state.last_seen)
    return writer.getvalue()


def decode_known_peer(data: bytes) -> KnownPeerState:
    """The inverse; raises `Malformed`."""
    reader = Reader(data)
    peer_info = read_peer_info(reader)
    try:
        status = PeerStatus(reader.u8())
        ban = Ban(ReasonForBan(reader.u8()), reader.u64()) if status is PeerStatus.BANNED else None
    except ValueError as error:
        raise Malformed(f"no known peer's state: {error}") from error
    state = KnownPeerState(peer_info, status, reader.u64(), reader.u64(), ban)
    reader.finish()
    return state
