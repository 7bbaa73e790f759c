"""Commands that end when something happens: a connection that becomes Ready, a pong that comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nearnet.errors import NoAnswer, PeerRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.keys import CryptoHash, PeerId
    from nearnet.net.driver import Driver
    from nearnet.net.events import EventLog, NodeEvent

__all__ = ["OTHER_WAY", "Pong", "wait_for_pong", "wait_until_ready"]

OTHER_WAY = 0.25
"""Seconds that a failed dial waits for what may still connect: the other dialect, or the peer's own dial that won."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to one ping."""

    peer_id: PeerId
    hops: int
    """Connections on the pong's way back."""
    milliseconds: float
    nonce: int
    hash: CryptoHash
    """Of the ping."""


async def wait_until_ready(
    driver: Driver, events: EventLog, peer_id: PeerId, dial: Callable[[], None], timeout: float
) -> None:
    """Call `dial`, then wait until that peer is Ready; `PeerRefused` with the reason when it is not in time."""
    core, changed = driver.core, asyncio.Event()
    reasons: list[str] = []

    def watch(event: NodeEvent) -> None:
        if event.peer_id == peer_id:
            if event.kind in ("dial_failed", "handshake_failed", "disconnected", "banned"):
                reasons.append(str(event.data.get("reason", event.kind)))
            changed.set()

    unlisten = events.listen(watch)
    try:
        async with asyncio.timeout(timeout):
            dial()
            while peer_id not in core.peers:
                failed = bool(reasons) and not core.dialer.is_dialing(peer_id)
                changed.clear()
                try:
                    async with asyncio.timeout(OTHER_WAY if failed else None):
                        await changed.wait()
                except TimeoutError:
                    if failed and not core.dialer.is_dialing(peer_id):
                        break
    except TimeoutError:
        reasons.append(f"not connected within {timeout:g} s")
    finally:
        unlisten()
    if peer_id not in core.peers:
        raise PeerRefused(f"no connection to {peer_id}: {reasons[0]}")


async def wait_for_pong(driver: Driver, events: EventLog, peer_id: PeerId, ttl: int | None, timeout: float) -> Pong:
    """Ping, and wait for the pong; `RouteNotFound` or `NoAnswer`."""
    answer: asyncio.Future[NodeEvent] = asyncio.get_running_loop().create_future()
    sought: str | None = None

    def watch(event: NodeEvent) -> None:
        if event.kind == "pong" and event.data["hash"] == sought and not answer.done():
            answer.set_result(event)

    unlisten = events.listen(watch)
    try:
        digest = driver.run(lambda now: driver.core.ping(peer_id, now, ttl))
        sought = str(digest)
        async with asyncio.timeout(timeout):
            event = await answer
    except TimeoutError:
        raise NoAnswer(f"no pong from {peer_id} within {timeout:g} s") from None
    finally:
        unlisten()
    data = event.data
    hops = data["num_hops"] if data["num_hops"] is not None else 100 - data["ttl"]
    return Pong(peer_id, hops + 1, data["milliseconds"], data["nonce"], digest)
