"""Clients for scenarios: one that counts what it is asked, and one with a chain of numbered opaque Blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nearnet.client import DefaultClient
from nearnet.sim.invariants import InvariantBroken
from nearnet.wire.messages import Block

if TYPE_CHECKING:
    from nearnet.config import NetworkConfig
    from nearnet.keys import CryptoHash
    from nearnet.sim.node import SimNode
    from nearnet.wire.messages import AnnounceAccount, Message, PeerInfo, RoutedMessage

__all__ = ["BlockClient", "CountingClient"]

_PERIOD = 1.0


class CountingClient(DefaultClient):
    """The default client, which also counts the announcements that it judged."""

    def __init__(self, config: NetworkConfig, node: SimNode | None = None) -> None:
        """With a `node` of the simulator, what it is given twice within the duplicate window breaks an invariant."""
        super().__init__(config)
        self.validations = 0
        self._node = node
        self._given: dict[tuple[bytes, bytes | None], float] = {}

    def on_routed(self, message: RoutedMessage) -> None:
        """Counted; never the same one from the same neighbor within the window."""
        super().on_routed(message)
        if self._node is None:
            return
        now, key = self._node.now.mono, (message.signature, self._node.core.client_port.neighbor)
        window = self._node.config.nearnet.timing.drop_duplicated_messages_period
        if now - self._given.get(key, -1e9) < window:
            raise InvariantBroken("delivered once", f"{self._node} was given a message twice within {window:g} s")
        self._given[key] = now

    def validate_announcement(self, announcement: AnnounceAccount, last_epoch: CryptoHash | None) -> Any:
        """Counted."""
        self.validations += 1
        return super().validate_announcement(announcement, last_epoch)


class BlockClient(CountingClient):
    """Makes a Block with the next number each second, and relays the newest one that it knows."""

    def __init__(self, node: SimNode) -> None:
        super().__init__(node.config, node)
        self.height = 0
        self._maker = node
        self._run = node.runs
        node.around.timeline.later(_PERIOD, self._make)

    def _make(self) -> None:
        node = self._maker
        if not node.up or node.runs != self._run:
            return
        if not node.paused:
            self.height += 1
            self._relay(None)
        node.around.timeline.later(_PERIOD, self._make)

    def _relay(self, teller: PeerInfo | None) -> None:
        node = self._maker
        if not node.up or node.runs != self._run:
            return
        block = Block(self.height.to_bytes(8, "little"))
        for peer_id in list(node.core.peers):
            if teller is None or peer_id != teller.id:
                node.do(node.core.client_answer, peer_id, None, block)

    def on_message(self, message: Message, peer: PeerInfo) -> None:
        """A Block that is newer is relayed."""
        super().on_message(message, peer)
        if isinstance(message, Block) and len(message.data) == 8:
            number = int.from_bytes(message.data, "little")
            if number > self.height:
                self.height = number
                self._maker.around.timeline.later(0.0, lambda: self._relay(peer))
