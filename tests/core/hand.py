"""A core with peers played by hand: bytes go in by `receive`, what it queued comes out as messages."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

from world import START, make_config

from nearnet.client import DefaultClient
from nearnet.core.peer.peer import Peer
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.routing_table.edge import build_edge, sign_edge, sign_removal, unix_nonce
from nearnet.core.runtime.actions import Action, CheckMessage, Close, Dial, Event, Notify, Verify
from nearnet.core.runtime.clock import Now
from nearnet.errors import ReasonForBan
from nearnet.keys import PeerId, SecretKey
from nearnet.sim.interpreter import ActionInterpreter
from nearnet.store.memory import MemoryStore
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import Handshake, Message, PeerChainInfo, PeerInfo, SocketAddress

VERSIONS = {"borsh": (52, 50), "protobuf": (84, 80)}
ME = SecretKey.from_seed("the node")


def key_of(name: str) -> SecretKey:
    """A test key."""
    return SecretKey.from_seed(name)


def edge_of(a: SecretKey, b: SecretKey, nonce: int = 1, removed_by: SecretKey | None = None) -> Edge:
    """A valid edge between two test keys."""
    active = nonce if nonce % 2 else nonce - 1
    edge = build_edge(a, b.public_key, active, sign_edge(b, a.public_key, active).signature)
    return edge if nonce % 2 else sign_removal(removed_by or a, edge)


class Core(ActionInterpreter):
    """One node's core. What needs no network is carried out, other actions are kept by kind.

    With `verify=False` signature checks wait: a test carries them out by `carry_out`, with `verify` set again.
    """

    def __init__(
        self, store: MemoryStore | None = None, client: Any = None, verify: bool = True, **network: Any
    ) -> None:
        self.now = START
        self.store = store or MemoryStore()
        config = make_config(**network)
        client = client or DefaultClient(config)
        self.manager = self.core = PeerManager(config, ME, client, self.store, random.Random(1), self.now)
        self.manager.listening(SocketAddress("127.0.0.1", 24567))
        self.verify = verify
        self.events: list[Event] = []
        self.closed: dict[int, str] = {}
        """Why it closed a connection, by `Peer.id`."""
        self.dials: list[Dial] = []
        self.others: list[Action] = []
        """Of reading and not reading; with `verify=False` checks of large messages too."""
        self.verifies: list[Verify] = []
        self._ports = 50_000
        self.manager.start(self.now)
        self.act()

    def act(self) -> None:
        """Carry out what can be, keep the rest."""
        while self.carry_out_all():
            pass

    def do(self, command: Callable[..., Any], *arguments: object) -> Any:
        """One input of the core, now."""
        return command(*arguments, self.now)

    def on_verify(self, action: Verify) -> None:
        if self.verify:
            super().on_verify(action)
        else:
            self.verifies.append(action)

    def on_check_message(self, action: CheckMessage) -> None:
        if self.verify:
            super().on_check_message(action)
        else:
            self.others.append(action)

    def on_notify(self, action: Notify) -> None:
        self.events.append(action.event)

    def on_close(self, action: Close) -> None:
        self.closed[action.connection] = action.reason

    def on_dial(self, action: Dial) -> None:
        self.dials.append(action)

    def on_other(self, action: Action) -> None:
        self.others.append(action)

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.now.mono + seconds
        while (due := self.manager.next_timer()) is not None and due <= end:
            self._move(max(due, self.now.mono))
            self.manager.on_timer(self.now)
            self.act()
        self._move(end)

    def _move(self, mono: float) -> None:
        self.now = Now(mono, self.now.wall + mono - self.now.mono)

    def kinds(self) -> list[str]:
        """The kinds of all events so far."""
        return [event.kind for event in self.events]

    def hand(
        self,
        name: str = "hand",
        ip: str = "127.0.0.1",
        dial: Dial | None = None,
        key: SecretKey | None = None,
        dialect: str = "borsh",
    ) -> Hand:
        """A new connection: accepted, or the outcome of `dial`."""
        self._ports += 1
        address = SocketAddress(ip, self._ports)
        if dial is not None:
            peer = self.manager.dialed(dial, address, self.now, 50_000)
        else:
            accepted = self.manager.accept(address, self.now)
            assert accepted is not None
            peer = accepted
        self.act()
        return Hand(self, peer, key or key_of(name), dialect)

    def dialed(self, name: str, ip: str = "10.0.0.1", dialect: str | None = "borsh") -> Hand:
        """The core dials a peer of that name and the TCP connection is there. No dialect: the config's."""
        key = key_of(name)
        self.manager.connect(PeerInfo(key.public_key, SocketAddress(ip, 24567)), self.now, dialect)
        self.act()
        return self.hand(name, ip, self.dials[-1], dialect=self.dials[-1].dialect)

    def ready(self, name: str = "hand", ip: str = "127.0.0.1", dialect: str = "borsh") -> Hand:
        """A peer whose handshake is done; what it was told so far is read away."""
        hand = self.hand(name, ip, dialect=dialect)
        hand.shake()
        assert hand.peer.is_ready, self.closed
        hand.read()
        return hand


class Hand:
    """The other end of one connection."""

    def __init__(self, core: Core, peer: Peer, key: SecretKey, dialect: str = "borsh") -> None:
        self.core = core
        self.dialect = dialect_named(dialect)
        self.peer = peer
        self.key = key
        self._framer = Framer()

    @property
    def id(self) -> PeerId:
        return self.key.public_key

    @property
    def closed(self) -> str | None:
        """Why the core closed it, None while it lives."""
        return self.core.closed.get(self.peer.id)

    @property
    def ban(self) -> ReasonForBan | None:
        """Why the core banned it, None where it did not."""
        known = self.core.manager.peer_store.get(self.id)
        return None if known is None or known.ban is None else known.ban.reason

    def raw(self, data: bytes) -> None:
        """These bytes come in."""
        self.core.manager.receive(self.peer, data, self.core.now)
        self.core.act()

    def frame(self, content: bytes) -> None:
        """One frame comes in."""
        self.raw(frame_prefix(len(content)) + content)

    def say(self, *messages: Message) -> None:
        """These messages come in, in one read."""
        contents = [self.dialect.encode(message) for message in messages]
        self.raw(b"".join(frame_prefix(len(content)) + content for content in contents))

    def read(self) -> list[Message]:
        """What the core queued for us since the last call."""
        self.core.manager.take_dirty()
        for chunk in self.peer.to_send():
            self._framer.feed(bytes(chunk))
        messages = []
        while (frame := self._framer.next_frame()) is not None:
            messages.append(self.dialect.decode(frame))
        return messages

    def drain(self, unsent: int = 0) -> list[Message]:
        """Read, and tell the core that the transport holds `unsent` bytes."""
        messages = self.read()
        self.core.manager.drained(self.peer, unsent, self.core.now)
        self.core.act()
        return messages

    def told(self, kind: type[Message] | Any) -> list[Any]:
        """Of what is read now, the messages of this class."""
        return [message for message in self.read() if isinstance(message, kind)]

    def handshake(self, nonce: int | None = None, **changes: Any) -> Handshake:
        """A right Handshake of ours, but for the changes. No nonce: the dialect's first."""
        if nonce is None:
            nonce = 1 if self.dialect.name == "borsh" else unix_nonce(self.core.now.wall)
        chain = PeerChainInfo(self.core.manager.context.genesis_id, 1)
        partial = sign_edge(self.key, ME.public_key, nonce)
        good = Handshake(*VERSIONS[self.dialect.name], self.id, ME.public_key, 24568, chain, partial)
        return dataclasses.replace(good, **changes)

    def shake(self, nonce: int | None = None, **changes: Any) -> list[Message]:
        """Send a Handshake, read the answer."""
        self.say(self.handshake(nonce, **changes))
        return self.read()

    def edge(self, nonce: int = 1) -> Edge:
        """The edge of this connection."""
        edge = self.core.manager.table.get(ME.public_key, self.id)
        assert edge is not None
        return edge
