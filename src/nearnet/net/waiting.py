"""Commands that end when something happens: an event, a connection that becomes Ready, a pong that comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from nearnet.errors import NoAnswer, PeerRefused, RouteNotFound
from nearnet.events import Banned, DialFailed, Disconnected, HandshakeFailed, NodeEvent, PongReceived

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.core.peer_manager.manager import PeerManager
    from nearnet.core.runtime.clock import Now
    from nearnet.keys import CryptoHash, PeerId
    from nearnet.net.client_guard import ClientGuard
    from nearnet.net.driver import Driver
    from nearnet.net.events import EventLog
    from nearnet.wire.messages import RoutedMessage

__all__ = ["OTHER_WAY", "Pong", "wait_for_event", "wait_for_pong", "wait_for_reply", "wait_until_ready"]

E = TypeVar("E", bound=NodeEvent)

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


async def wait_for_event(
    events: EventLog, kind: type[E], predicate: Callable[[E], bool] | None, timeout: float | None
) -> E:
    """Return the next event of class `kind` that `predicate` holds for; `NoAnswer` without one in `timeout` seconds.

    An exception of `predicate` ends the wait and is raised here: it never reaches whoever told the event.
    """
    found: asyncio.Future[E] = asyncio.get_running_loop().create_future()

    def watch(event: NodeEvent) -> None:
        if found.done() or not isinstance(event, kind):
            return
        try:
            if predicate is None or predicate(event):
                found.set_result(event)
        except Exception as error:
            found.set_exception(error)

    def end() -> None:
        if not found.done():
            found.set_exception(NoAnswer(f"the node stopped before the event {kind.__name__}"))

    unlisten = events.listen(watch, end)
    try:
        return await asyncio.wait_for(found, timeout)
    except TimeoutError:
        if found.done() and not found.cancelled():
            raise  # The predicate's own.
        raise NoAnswer(f"no event {kind.__name__} that fits within {timeout:g} s") from None
    finally:
        unlisten()


async def wait_until_ready(
    driver: Driver, events: EventLog, peer_id: PeerId, dial: Callable[[], None], timeout: float
) -> None:
    """Call `dial`, then wait until that peer is Ready; `PeerRefused` with the reason when it is not in time."""
    core, changed = driver.core, asyncio.Event()
    reasons: list[str] = []

    def watch(event: NodeEvent) -> None:
        if event.peer_id == peer_id:
            match event:
                case DialFailed() | HandshakeFailed() | Disconnected():
                    reasons.append(event.reason)
                case Banned():
                    reasons.append(event.reason.label)
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
    digest = driver.run(lambda now: driver.core.ping(peer_id, now, ttl))
    try:
        pong = await wait_for_event(events, PongReceived, lambda pong: pong.hash == digest, timeout)
    except NoAnswer:
        raise NoAnswer(f"no pong from {peer_id} within {timeout:g} s") from None
    hops = pong.num_hops if pong.num_hops is not None else 100 - pong.ttl
    return Pong(peer_id, hops + 1, pong.milliseconds, pong.nonce, digest)


def _peer_of(core: PeerManager, target: PeerId | str) -> PeerId:
    if not isinstance(target, str):
        return target
    found = core.account_peers.find(target)
    if found is None:
        raise RouteNotFound("UnknownAccount", f"no peer is known for the account {target} yet")
    return found.peer_id


async def wait_for_reply(
    driver: Driver, guard: ClientGuard, target: PeerId | str, body: bytes, timeout: float
) -> RoutedMessage:
    """Send a request to a peer or to an account, and return the reply; `RouteNotFound` or `NoAnswer`."""
    core = driver.core

    def ask(now: Now) -> tuple[CryptoHash, asyncio.Future[RoutedMessage]]:
        author = _peer_of(core, target)
        digest = core.send_routed(target, body, now)
        return digest, guard.expect(digest, author)

    digest, reply = driver.run(ask)
    try:
        return await asyncio.wait_for(reply, timeout)
    except TimeoutError:
        raise NoAnswer(f"no reply from {target} within {timeout:g} s") from None
    finally:
        guard.forget(digest, reply)
