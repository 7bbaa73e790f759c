"""The embedding application's side (document §2.4; `behaviour.md` §8): what it supplies, what it is handed.

The network knows no chain. Whoever embeds a node supplies a `Client`; the daemon runs the `DefaultClient`.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from nearnet.errors import ConfigError, ReasonForBan
from nearnet.keys import CryptoHash
from nearnet.wire.account_id import valid_account_id
from nearnet.wire.borsh.primitives import Writer
from nearnet.wire.messages import GenesisId, Message, PeerChainInfo
from nearnet.wire.routed_body import Body

if TYPE_CHECKING:
    from nearnet.config import NetworkConfig
    from nearnet.keys import PeerId
    from nearnet.wire.messages import AnnounceAccount, PeerInfo, RoutedMessage

__all__ = [
    "EPOCHS_REMEMBERED",
    "AnnouncementVerdict",
    "Ban",
    "Client",
    "DefaultClient",
    "MessageAnswer",
    "RoutedAnswer",
    "announcement_digest",
]

EPOCHS_REMEMBERED = 16
"""Epochs per account by which the default client knows an announcement as old (`behaviour.md` §7)."""


@dataclass(frozen=True, slots=True)
class Ban:
    """A client's answer that bans who sent the message; `seconds` None is `network.ban_window`."""

    reason: ReasonForBan
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Raise `ConfigError` for a reason that is none, and for a time that is negative or no number."""
        if not isinstance(self.reason, ReasonForBan):
            raise ConfigError(f"invalid reason of a Ban: expected a ReasonForBan, got {self.reason!r:.200}")
        seconds = self.seconds
        is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        if seconds is not None and not (is_number and math.isfinite(seconds) and seconds >= 0):
            raise ConfigError(
                f"invalid seconds of a Ban: expected a number of at least 0 or None, got {seconds!r:.200}"
            )


MessageAnswer: TypeAlias = Message | Ban | None
"""What a client may say to a neighbor's message: a message goes back to it, a ban meets it."""

RoutedAnswer: TypeAlias = bytes | Body | Ban | None
"""What a client may say to a routed message: a body goes back to its author, a ban meets who brought it."""

AnnouncementVerdict: TypeAlias = bool | Literal["relay_only"] | ReasonForBan
"""What a client may say to an announcement."""


@runtime_checkable
class Client(Protocol):
    """What an embedding program implements. Called on the event loop: long work belongs elsewhere.

    `on_message` and `on_routed` may be coroutines: their answer goes out when it is there.

    A client that also has `on_network_info(info)` is told about connections and routes every few seconds, once
    there are `nearnet.min_peers`. A client that also has `account_keys(account_id)` returns the public keys of a
    validator's account: a message to the account then goes to the peer that `AccountData` of such a key names.
    """

    def chain_info(self) -> PeerChainInfo:
        """Genesis, height, tracked shards, archival: told in every handshake. The genesis must never change."""

    def validate_announcement(
        self, announcement: AnnounceAccount, last_epoch: CryptoHash | None
    ) -> AnnouncementVerdict:
        """True: keep and tell others. False: drop it silently (unknown or older epoch). A reason bans the sender.
        ``relay_only``: tell others, but neither store it nor send by it.

        `last_epoch` is that of the account's announcement held now. Asked only when the epoch is another.
        """

    def on_message(self, message: Message, peer: PeerInfo) -> MessageAnswer | Awaitable[MessageAnswer]:
        """A block, header, transaction or challenge message of neighbor `peer`; the answer goes back to it."""

    def on_routed(self, message: RoutedMessage) -> RoutedAnswer | Awaitable[RoutedAnswer]:
        """A routed message for this node. A body (of `nearnet.bodies`, or its bytes) goes back to its author.

        The replies that `Node.request` waits for do not come here.

        A ban meets the neighbor that brought it: only for what that one must have checked itself.
        """


def announcement_digest(account_id: str, peer_id: PeerId, epoch_id: CryptoHash) -> CryptoHash:
    """What the account's key signs in an announcement (`wire.md` §4)."""
    writer = Writer()
    writer.string(account_id)
    writer.raw(peer_id + epoch_id)
    return CryptoHash.of(writer.getvalue())


class DefaultClient:
    """A client without a chain: answers from the config, asks for nothing, counts what it is given."""

    def __init__(self, config: NetworkConfig) -> None:
        self._info = PeerChainInfo(
            GenesisId(config.chain_id, config.genesis_hash), config.head_height, config.tracked_shards, config.archive
        )
        self._policy = config.nearnet.announcements
        self._most_accounts = config.nearnet.timing.announce_account_cache_size
        self._epochs: OrderedDict[str, OrderedDict[CryptoHash, None]] = OrderedDict()
        self.counts: dict[str, int] = {}
        """How many messages of each class it was given; routed ones as ``Routed``."""

    def chain_info(self) -> PeerChainInfo:
        """As configured."""
        return self._info

    def validate_announcement(
        self, announcement: AnnounceAccount, last_epoch: CryptoHash | None
    ) -> AnnouncementVerdict:
        """It cannot know account keys nor the order of epochs: new is what is none of the last 16 seen."""
        if self._policy == "ignore" or not valid_account_id(announcement.account_id):
            return False
        seen = self._epochs.setdefault(announcement.account_id, OrderedDict())
        self._epochs.move_to_end(announcement.account_id)
        if len(self._epochs) > self._most_accounts:
            self._epochs.popitem(last=False)
        if last_epoch is not None:
            seen[last_epoch] = None
        new = announcement.epoch_id not in seen
        seen[announcement.epoch_id] = None
        while len(seen) > EPOCHS_REMEMBERED:
            seen.popitem(last=False)
        return "relay_only" if new and self._policy == "relay_only" else new

    def on_message(self, message: Message, peer: PeerInfo) -> MessageAnswer | Awaitable[MessageAnswer]:
        """Count it; there is no answer."""
        self._count(type(message).__name__)
        return None

    def on_routed(self, message: RoutedMessage) -> RoutedAnswer | Awaitable[RoutedAnswer]:
        """Count it; there is no answer."""
        self._count("Routed")
        return None

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
