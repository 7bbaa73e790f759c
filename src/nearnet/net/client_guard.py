"""The embedding program's client, kept at arm's length: its faults are logged, its answers may come later.

A later answer (an awaitable) is passed on by `on_answer(neighbour, request, answer)` when it is there.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.client import Ban, Client
    from nearnet.errors import ReasonForBan
    from nearnet.keys import CryptoHash, PeerId, PublicKey
    from nearnet.wire.messages import AnnounceAccount, Message, PeerChainInfo, PeerInfo, RoutedMessage

__all__ = ["MOST_LATER_ANSWERS", "ClientGuard"]

MOST_LATER_ANSWERS = 1000
"""Answers waited for at once; what is asked beyond that is dropped, so that a flood of requests holds no memory."""

_log = logging.getLogger("nearnet.client")


class ClientGuard:
    """A `Client` that wraps one. `neighbour` says who brought the message that is being handed over."""

    def __init__(
        self,
        client: Client,
        neighbour: Callable[[], PeerId | None],
        on_answer: Callable[[PeerId, object, object], None],
    ) -> None:
        self._client = client
        self._neighbour = neighbour
        self._on_answer = on_answer
        self._chain_info = client.chain_info()
        self._later: set[asyncio.Future[Any]] = set()
        self.failures = 0
        """Exceptions that came out of the embedding program's code."""
        self.dropped = 0
        """Requests dropped because too many answers were waited for."""

    def chain_info(self) -> PeerChainInfo:
        """As the client tells; what it told last while it fails."""
        try:
            self._chain_info = self._client.chain_info()
        except Exception as error:
            self._failed("chain_info", error)
        return self._chain_info

    def validate_announcement(
        self, announcement: AnnounceAccount, last_epoch: CryptoHash | None
    ) -> bool | Literal["relay_only"] | ReasonForBan:
        """As the client judges; an announcement on which it fails is dropped."""
        try:
            return self._client.validate_announcement(announcement, last_epoch)
        except Exception as error:
            self._failed("validate_announcement", error)
            return False

    def on_message(self, message: Message, peer: PeerInfo) -> Message | Ban | None:
        """Handed over; None now when the answer comes later."""
        return cast("Message | Ban | None", self._ask("on_message", peer.id, message, message, peer))

    def on_routed(self, message: RoutedMessage) -> bytes | Ban | None:
        """Handed over; None now when the answer comes later."""
        return cast("bytes | Ban | None", self._ask("on_routed", self._neighbour(), message, message))

    def account_keys(self, account_id: str) -> list[PublicKey]:
        """Return the keys of an account as a client knows them that can tell; none while it fails."""
        ask = getattr(self._client, "account_keys", None)
        if ask is None:
            return []
        try:
            return list(ask(account_id))
        except Exception as error:
            self._failed("account_keys", error)
            return []

    def on_network_info(self, info: object) -> None:
        """Told to a client that wants to know."""
        tell = getattr(self._client, "on_network_info", None)
        if tell is None:
            return
        try:
            tell(info)
        except Exception as error:
            self._failed("on_network_info", error)

    def _ask(self, method: str, neighbour: PeerId | None, request: object, *arguments: object) -> object:
        try:
            answer = getattr(self._client, method)(*arguments)
        except Exception as error:
            self._failed(method, error)
            return None
        if not inspect.isawaitable(answer):
            return cast("object", answer)
        if len(self._later) >= MOST_LATER_ANSWERS or neighbour is None:
            self.dropped += 1
            if inspect.iscoroutine(answer):
                answer.close()
            return None
        later = asyncio.ensure_future(answer)
        self._later.add(later)
        later.add_done_callback(partial(self._answered, method, neighbour, request))
        return None

    def _answered(self, method: str, neighbour: PeerId, request: object, later: asyncio.Future[Any]) -> None:
        self._later.discard(later)
        if later.cancelled():
            return
        error = later.exception()
        if error is None:
            self._on_answer(neighbour, request, later.result())
        else:
            self._failed(method, error)

    def _failed(self, method: str, error: BaseException) -> None:
        self.failures += 1
        _log.error("! %s of the client raised; the node goes on without its answer", method, exc_info=error)

    def close(self) -> None:
        """The node stops: later answers are of no use any more."""
        for later in tuple(self._later):
            later.cancel()
