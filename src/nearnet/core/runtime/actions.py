"""What the core asks of the shell. Rare things only: bytes to send wait in each peer's own queue.

The shell carries each out in order and tells the outcome through the manager's input of the same theme (`Dial` ->
`dialed` or `dial_failed`, `Verify` -> `verified`, `CheckMessage` -> `checked`, `Recompute` -> `routes_ready`,
`Persist` -> `persisted`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nearnet.keys import check_signatures

if TYPE_CHECKING:
    from nearnet.core.routing_table.edge import EdgeCheck
    from nearnet.core.routing_table.graph import Snapshot
    from nearnet.keys import PeerId
    from nearnet.wire.messages import PeerInfo
    from nearnet.wire.routed_frame import RoutedFrame

__all__ = [
    "Action",
    "CheckMessage",
    "Close",
    "Dial",
    "Event",
    "Notify",
    "PauseReading",
    "Persist",
    "Recompute",
    "ResumeReading",
    "Verify",
    "Write",
]


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a TCP connection to `peer.addr` within `timeout` seconds and speak `dialect` there."""

    id: int
    peer: PeerInfo
    dialect: str
    timeout: float
    host: str | None = None
    """The host name as the operator gave it: resolved again on every dial, in a thread."""
    probe: float | None = None
    """Seconds until a readable answer must be there, for else another dialect is tried; None when there is no other."""


@dataclass(frozen=True, slots=True)
class Close:
    """Send what is queued for that connection (if `flush`), then close its socket. `reason` is a metric label."""

    connection: int
    """`Peer.id`."""
    reason: str
    flush: bool = True


@dataclass(frozen=True, slots=True)
class PauseReading:
    """Read no more from the socket of that connection until `ResumeReading`."""

    connection: int
    """`Peer.id`."""


@dataclass(frozen=True, slots=True)
class ResumeReading:
    """Read from the socket of that connection again."""

    connection: int
    """`Peer.id`."""


@dataclass(frozen=True, slots=True)
class Verify:
    """Check these edges' signatures, in order, off the loop (document §8.4)."""

    id: int
    checks: tuple[EdgeCheck, ...]
    """`EdgeCheck` holds the edge and says which signature checks it needs."""


@dataclass(frozen=True, slots=True)
class CheckMessage:
    """Hash a large routed message and check its signature, off the loop: `checked` is told the `outcome`."""

    connection: int
    """`Peer.id` of its sender. Until the outcome is there, only large messages are looked at behind it."""
    message: RoutedFrame

    def outcome(self) -> str:
        """Do it: ``"valid"``, ``"strict"`` or ``"forged"``, as `keys.check_signature`."""
        return check_signatures([self.message.signature_row()])[0]


@dataclass(frozen=True, slots=True)
class Recompute:
    """Compute next hops over this snapshot; on the loop when it is small, on a worker thread when it is not."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Write:
    """One row to store; `value` None deletes it."""

    column: str
    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Persist:
    """Commit these rows in one transaction; at once when `urgent`, else within a second.

    With a `token` the outcome is told by `persisted(token, error, now)`.
    """

    writes: tuple[Write, ...]
    urgent: bool = False
    token: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something an operator may want to know; `kind` is a fixed word, `data` JSON-able."""

    kind: str
    peer_id: PeerId | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the subscribers, the log and the metrics."""

    event: Event


Action = Dial | Close | PauseReading | ResumeReading | Verify | CheckMessage | Recompute | Persist | Notify
