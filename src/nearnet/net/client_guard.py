"""The embedding program's client, kept at arm's length: its faults are logged, its answers may come later.

What a client's method returns is checked before the core sees it: an exception (`asyncio.CancelledError` included) and
a value of a wrong type are logged with the peer and count as no answer, so that neither closes a connection. A later
answer (an awaitable) is passed on by `on_answer(neighbor, request, answer)` when it is there.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from nearnet.client import Ban
from nearnet.errors import NearnetError, NoAnswer, ReasonForBan
from nearnet.keys import CryptoHash, PublicKey
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import GenesisId, Message, PeerChainInfo
from nearnet.wire.routed_body import Body, encode_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.client import AnnouncementVerdict, Client, MessageAnswer
    from nearnet.keys import PeerId
    from nearnet.wire.messages import AnnounceAccount, PeerInfo, RoutedMessage

__all__ = ["MOST_LATER_ANSWERS", "ClientGuard"]

MOST_LATER_ANSWERS = 1000
"""Answers waited for at once; what is asked beyond that is dropped, so that a flood of requests holds no memory."""

_FAULTS = (Exception, asyncio.CancelledError)
"""What may come out of the program's code without being meant for the loop."""

A = TypeVar("A")
"""What a method of the client may answer."""

_log = logging.getLogger("nearnet.client")


class _Request(NamedTuple):
    """A request of this node that waits for its reply, by `author` alone: others could write one as well."""

    author: PeerId
    reply: asyncio.Future[RoutedMessage]


class ClientGuard:
    """A `Client` that wraps one. `neighbor` says who brought the message that is being handed over."""

    def __init__(
        self,
        client: Client,
        neighbor: Callable[[], PeerId | None],
        on_answer: Callable[[PeerId, object, object], None],
    ) -> None:
        self._client = client
        self._neighbor = neighbor
        self._on_answer = on_answer
        self._chain_info = _check_chain_info(client.chain_info())
        self._later: set[asyncio.Future[Any]] = set()
        self._requests: dict[CryptoHash, list[_Request]] = {}
        self._closed = False
        self.failures = 0
        """Faults of the embedding program's code."""
        self.dropped = 0
        """Requests dropped because too many answers were waited for."""

    # --- what the client is asked ----------------------------------------------------------------

    def chain_info(self) -> PeerChainInfo:
        """As the client tells; what it told last while it fails."""
        try:
            self._chain_info = _check_chain_info(self._client.chain_info())
        except _FAULTS as error:
            self._failed("chain_info", None, error)
        return self._chain_info

    def validate_announcement(
        self, announcement: AnnounceAccount, last_epoch: CryptoHash | None
    ) -> AnnouncementVerdict:
        """As the client judges; an announcement on which it fails is dropped."""
        try:
            return _check_verdict(self._client.validate_announcement(announcement, last_epoch))
        except _FAULTS as error:
            self._failed("validate_announcement", announcement.peer_id, error)
            return False

    def on_message(self, message: Message, peer: PeerInfo) -> MessageAnswer:
        """Handed over; None now when the answer comes later."""
        return self._ask("on_message", peer.id, _check_message_answer, message, message, peer)

    def on_routed(self, message: RoutedMessage) -> bytes | Ban | None:
        """A reply goes to the request that waits for it, all else to the client; None now when the answer is later."""
        if self._requests and self._replied(message):
            return None
        return self._ask("on_routed", self._neighbor(), _check_routed_answer, message, message)

    def account_keys(self, account_id: str) -> list[PublicKey]:
        """Return the keys of an account as a client knows them that can tell; none while it fails."""
        ask = getattr(self._client, "account_keys", None)
        if ask is None:
            return []
        try:
            keys = list(ask(account_id))
            if not all(isinstance(key, PublicKey) for key in keys):
                raise _wrong(keys, "public keys")
        except _FAULTS as error:
            self._failed("account_keys", None, error)
            return []
        return keys

    def on_network_info(self, info: object) -> None:
        """Told to a client that wants to know."""
        tell = getattr(self._client, "on_network_info", None)
        if tell is None:
            return
        try:
            tell(info)
        except _FAULTS as error:
            self._failed("on_network_info", None, error)

    # --- replies to requests of this node --------------------------------------------------------

    def expect(self, digest: CryptoHash, author: PeerId) -> asyncio.Future[RoutedMessage]:
        """Return the reply of `author` to the message with that hash, once it is there; call `forget` after that."""
        reply: asyncio.Future[RoutedMessage] = asyncio.get_running_loop().create_future()
        self._requests.setdefault(digest, []).append(_Request(author, reply))
        return reply

    def forget(self, digest: CryptoHash, reply: asyncio.Future[RoutedMessage]) -> None:
        """Wait for that reply no more."""
        left = [request for request in self._requests.pop(digest, ()) if request.reply is not reply]
        if left:
            self._requests[digest] = left

    def _replied(self, message: RoutedMessage) -> bool:
        """Whether requests took it: all that wait for a reply to that hash, as a message sent twice has one hash."""
        requests = self._requests.get(CryptoHash(message.target), ())
        taken = [request for request in requests if request.author == message.author]
        for request in taken:
            if not request.reply.done():
                request.reply.set_result(message)
        return bool(taken)

    # --- answers ---------------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        neighbor: PeerId | None,
        check: Callable[[object], A],
        request: object,
        *arguments: object,
    ) -> A | None:
        """Return the client's answer once it is checked; None for a fault, and for an answer that comes later."""
        try:
            answer = getattr(self._client, method)(*arguments)
            if not inspect.isawaitable(answer):
                return check(answer)
            if len(self._later) >= MOST_LATER_ANSWERS or neighbor is None:
                self.dropped += 1
                if inspect.iscoroutine(answer):
                    answer.close()
                return None
            later = asyncio.ensure_future(answer)
        except _FAULTS as error:
            self._failed(method, neighbor, error)
            return None
        self._later.add(later)
        later.add_done_callback(partial(self._answered, method, neighbor, check, request))
        return None

    def _answered(
        self,
        method: str,
        neighbor: PeerId,
        check: Callable[[object], Any],
        request: object,
        later: asyncio.Future[Any],
    ) -> None:
        self._later.discard(later)
        if self._closed:
            return
        try:
            answer = check(later.result())
        except _FAULTS as error:
            self._failed(method, neighbor, error)
        else:
            self._on_answer(neighbor, request, answer)

    def _failed(self, method: str, peer: PeerId | None, error: BaseException) -> None:
        self.failures += 1
        about = "" if peer is None else f" (peer {peer})"
        text = "! %s of the client raised%s; the node goes on without its answer"
        _log.error(text, method, about, exc_info=error)

    def close(self) -> None:
        """The node stops: later answers are of no use any more, and no reply comes."""
        self._closed = True
        for later in tuple(self._later):
            later.cancel()
        for requests in self._requests.values():
            for request in requests:
                if not request.reply.done():
                    request.reply.set_exception(NoAnswer("the node stopped before the reply came"))


# --- what a client may return ------------------------------------------------------------------------


def _wrong(value: object, expected: str) -> TypeError:
    if inspect.iscoroutine(value):
        value.close()
    return TypeError(f"it returned {value!r:.200}: expected {expected}")


def _check_chain_info(info: object) -> PeerChainInfo:
    """Return what every handshake tells; `TypeError` for what no handshake can tell."""
    if not isinstance(info, PeerChainInfo) or not isinstance(info.genesis_id, GenesisId):
        raise _wrong(info, "a PeerChainInfo with a GenesisId")
    if not isinstance(info.genesis_id.chain_id, str) or not isinstance(info.genesis_id.hash, CryptoHash):
        raise _wrong(info.genesis_id, "a text and a CryptoHash")
    if not all(type(number) is int and 0 <= number < 2**64 for number in (info.height, *info.tracked_shards)):
        raise _wrong(info, "a height and shards from 0 to 2^64 - 1")
    if not isinstance(info.archival, bool):
        raise _wrong(info, "True or False for archival")
    return info


def _check_verdict(verdict: object) -> AnnouncementVerdict:
    if isinstance(verdict, (bool, ReasonForBan)):
        return verdict
    if verdict == "relay_only":
        return "relay_only"
    raise _wrong(verdict, 'a bool, "relay_only" or a ReasonForBan')


def _check_message_answer(answer: object) -> MessageAnswer:
    if answer is None or isinstance(answer, Ban):
        return answer
    if not isinstance(answer, Message) or not isinstance(getattr(answer, "data", b""), bytes):
        raise _wrong(answer, "a message, a Ban or None")
    try:
        dialect_named("protobuf").encode(answer)
    except NearnetError:  # It has no form there, but perhaps in the neighbor's dialect.
        with suppress(NearnetError):
            dialect_named("borsh").encode(answer)
    return answer


def _check_routed_answer(answer: object) -> bytes | Ban | None:
    if answer is None or isinstance(answer, (bytes, Ban)):
        return answer
    if isinstance(answer, Body):
        return encode_body(answer)
    raise _wrong(answer, "a body, its bytes, a Ban or None")
