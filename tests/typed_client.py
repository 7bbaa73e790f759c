"""Clients of every form that the protocol allows: `test_embedding.py` has mypy check them as strictly as it can."""

from __future__ import annotations

from collections.abc import Awaitable

from nearnet import (
    AnnounceAccount,
    AnnouncementVerdict,
    Ban,
    Banned,
    Block,
    BlockRequest,
    BodyKind,
    Client,
    CryptoHash,
    DefaultClient,
    EventStream,
    GenesisId,
    Message,
    MessageAnswer,
    NetworkConfig,
    Node,
    NodeEvent,
    Opaque,
    Overflow,
    PeerChainInfo,
    PeerInfo,
    ReasonForBan,
    RoutedAnswer,
    RoutedMessage,
    Unbanned,
)


class Bytes(DefaultClient):
    """Answers at once, with bytes and with messages."""

    def on_routed(self, message: RoutedMessage) -> bytes | None:
        return message.body or None

    def on_message(self, message: Message, peer: PeerInfo) -> Block | None:
        return Block(b"") if isinstance(message, BlockRequest) else None

    def validate_announcement(
        self, announcement: AnnounceAccount, last_epoch: CryptoHash | None
    ) -> bool | ReasonForBan:
        return ReasonForBan.INVALID_SIGNATURE if last_epoch is None else True


class Later(DefaultClient):
    """Answers later, with bodies and bans."""

    async def on_routed(self, message: RoutedMessage) -> Opaque | Ban:
        return Opaque(BodyKind.QUERY_RESPONSE, b"") if message.body else Ban(ReasonForBan.ABUSIVE, 60.0)

    async def on_message(self, message: Message, peer: PeerInfo) -> Message | None:
        return None


class Either(DefaultClient):
    """Decides each time whether it answers at once."""

    def on_routed(self, message: RoutedMessage) -> RoutedAnswer | Awaitable[RoutedAnswer]:
        return super().on_routed(message)

    def on_message(self, message: Message, peer: PeerInfo) -> MessageAnswer | Awaitable[MessageAnswer]:
        return super().on_message(message, peer)


class OnItsOwn:
    """A client that inherits nothing."""

    def chain_info(self) -> PeerChainInfo:
        return PeerChainInfo(GenesisId("chain", CryptoHash(bytes(32))), 1, (0,), False)

    def validate_announcement(
        self, announcement: AnnounceAccount, last_epoch: CryptoHash | None
    ) -> AnnouncementVerdict:
        return "relay_only"

    def on_message(self, message: Message, peer: PeerInfo) -> None:
        return None

    async def on_routed(self, message: RoutedMessage) -> bytes:
        return message.body


def clients(config: NetworkConfig) -> list[Client]:
    """Return one of each."""
    return [Bytes(config), Later(config), Either(config), OnItsOwn()]


async def events(node: Node) -> None:
    """What streams and waits yield."""
    ban: Banned = await node.wait_for(Banned, lambda event: event.reason is ReasonForBan.ABUSIVE, timeout=5)
    some: EventStream[Unbanned] = node.events(Unbanned, maxsize=10)
    every: EventStream[NodeEvent] = node.events()
    first: Unbanned | Overflow = await anext(some)
    async for event in every:
        if isinstance(event, Banned):
            print(event.seconds, ban.seconds, first)
