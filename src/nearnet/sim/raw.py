"""A client that speaks the protocol by hand: what it sends is written in the scenario, what it hears is listed.

`RawPeer` is its simulated end; the steps and `raw_bytes` serve the runner on real sockets too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

from nearnet.client import DefaultClient
from nearnet.core.routing_table.edge import edge_digest, sign_edge, unix_nonce
from nearnet.errors import Malformed, UnknownMessage
from nearnet.keys import CryptoHash, PublicKey, Signature
from nearnet.sim.signatures import FastKey, made_up_edge
from nearnet.sim.steps import Step
from nearnet.wire.dialect import detect, dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import (
    GenesisId,
    Handshake,
    HandshakeFailure,
    Message,
    PeerChainInfo,
    PeersRequest,
    PeersResponse,
    Routed,
    RoutedMessage,
    SyncRoutingTable,
)
from nearnet.wire.routed_body import Opaque, Ping, encode_body
from nearnet.wire.routed_frame import routed_digest

if TYPE_CHECKING:
    from nearnet.config import NetworkConfig
    from nearnet.keys import PeerId, SecretKey
    from nearnet.sim.wires import End

__all__ = [
    "RawBytes",
    "RawHandshake",
    "RawListen",
    "RawOpen",
    "RawPeer",
    "RawPeersRequest",
    "RawPing",
    "RawRouted",
    "RawSend",
    "RawTable",
    "heard_name",
    "mesh",
    "raw_bytes",
    "read_frames",
]


@dataclass(frozen=True, slots=True)
class RawOpen(Step):
    """Raw client `client` (or so many of them: `client` followed by 0, 1, ..) connects to a node."""

    client: str
    to: int
    count: int = 1
    key: str | None = None
    """The name that its key follows from; the client's own unless told."""
    dialect: str = "borsh"
    """The dialect that it speaks."""


@dataclass(frozen=True, slots=True)
class RawListen(Step):
    """Raw client `client` listens in place of node `instead`, which does not run, and has its key."""

    client: str
    instead: int


@dataclass(frozen=True, slots=True)
class RawSend(Step):
    """What is common to all that a raw client sends."""

    client: str


@dataclass(frozen=True, slots=True)
class RawHandshake(RawSend):
    """A Handshake, right but for what is said here."""

    version: int | None = None
    genesis: str | None = None
    """Another chain's name."""
    nonce: int | None = None
    """None: 1 in borsh, the present time in protobuf."""
    port: int = 12345
    signed: bool = True
    target: bool = True
    """Whether it is meant for the node it goes to."""
    claims: int | None = None
    """The node whose id it claims."""
    garbage: int = 0
    """So many random bytes in place of the body behind the versions."""


@dataclass(frozen=True, slots=True)
class RawPing(RawSend):
    """A routed ping to a node, or to the client itself (`to` None)."""

    to: int | None
    ttl: int = 100
    nonce: int = 0


@dataclass(frozen=True, slots=True)
class RawRouted(RawSend):
    """A routed message to node `to` with a body of this index, which some other client has signed; or nobody has."""

    to: int
    index: int
    forged: bool = False
    author: str = "somebody"
    """The name that the author's key follows from."""


@dataclass(frozen=True, slots=True)
class RawPeersRequest(RawSend):
    """A PeersRequest."""


@dataclass(frozen=True, slots=True)
class RawTable(RawSend):
    """A SyncRoutingTable of a full mesh of so many made-up peers, its edges of this nonce."""

    peers: int
    nonce: int = 1
    ahead: float | None = None
    """Seconds from the present to the time that the nonce is, in place of `nonce`."""
    third_keys: int = 0
    """So many edges more, at the end, each with a key and a signature of the third type that nobody made."""


@dataclass(frozen=True, slots=True)
class RawBytes(RawSend):
    """Bytes as they are, or as the content of one frame; `count` times."""

    data: bytes = field(repr=False)
    framed: bool = True
    count: int = 1


def raw_bytes(
    step: RawSend,
    key: SecretKey,
    node: PeerId,
    config: NetworkConfig,
    ids: list[PeerId],
    noise: bytes,
    name: str = "borsh",
    wall: float = 0.0,
) -> bytes:
    """The bytes of a step, for the node that has this id and config; `ids` are those of all nodes.

    `name` is the dialect's, `wall` the time (unix seconds) that nonces are made of.
    """
    dialect = dialect_named(name)
    match step:
        case RawHandshake():
            content = dialect.encode(_handshake(step, key, node, config, ids, name, wall))
            if step.garbage:
                content = content[:9] + noise[: step.garbage]
        case RawPing():
            target = key.public_key if step.to is None else ids[step.to]
            body = encode_body(Ping(step.nonce, key.public_key))
            content = dialect.encode(_signed(target, key, step.ttl, body))
        case RawRouted(_, to, index, forged, author):
            author_key = FastKey(f"raw {author}")
            signer = FastKey("raw forger") if forged else author_key
            content = dialect.encode(_signed(ids[to], author_key, 100, encode_body(Opaque(index, b"body")), signer))
        case RawPeersRequest():
            content = dialect.encode(PeersRequest())
        case RawTable(_, peers, nonce, ahead, third_keys):
            nonce = nonce if ahead is None else unix_nonce(wall + ahead)
            content = dialect.encode(SyncRoutingTable((*mesh(peers, nonce), *_third_edges(third_keys, nonce))))
        case RawBytes():
            data = step.data if not step.framed else frame_prefix(len(step.data)) + step.data
            return data * step.count
        case _:
            raise TypeError(f"{step} sends nothing")
    return frame_prefix(len(content)) + content


def _signed(target: PeerId, author: SecretKey, ttl: int, body: bytes, signer: SecretKey | None = None) -> Routed:
    """A routed message that `signer` signed in the name of `author`; the author itself where there is none."""
    unsigned = RoutedMessage(target, author.public_key, Signature(bytes(65)), ttl, body)
    return Routed(replace(unsigned, signature=(signer or author).sign(routed_digest(unsigned))))


def _handshake(
    step: RawHandshake,
    key: SecretKey,
    node: PeerId,
    config: NetworkConfig,
    ids: list[PeerId],
    dialect: str,
    wall: float,
) -> Handshake:
    versions = config.nearnet.protocol_versions[dialect]
    version = versions.own if step.version is None else step.version
    chain = DefaultClient(config).chain_info()
    if step.genesis is not None:
        chain = PeerChainInfo(GenesisId(step.genesis, CryptoHash(bytes(32))))
    nonce = step.nonce if step.nonce is not None else (1 if dialect == "borsh" else unix_nonce(wall))
    partial = sign_edge(key, node, nonce)
    if not step.signed:
        partial = type(partial)(nonce, key.sign(bytes(32)))
    return Handshake(
        protocol_version=version,
        oldest_supported_version=min(versions.oldest, version),
        sender_peer_id=key.public_key if step.claims is None else ids[step.claims],
        target_peer_id=node if step.target else key.public_key,
        sender_listen_port=step.port,
        sender_chain_info=chain,
        partial_edge_info=partial,
    )


def mesh(count: int, nonce: int) -> list[Edge]:
    """The edges of a full mesh of made-up peers, under fast signatures."""
    keys = sorted((FastKey(f"mesh {number}") for number in range(count)), key=lambda key: key.public_key)
    return [made_up_edge(first, second, nonce) for first, second in combinations(keys, 2)]


def _third_edges(count: int, nonce: int) -> list[Edge]:
    """Edges between a made-up peer, which signs them, and one whose key and signature have the form of the third type
    only."""
    key, edges = FastKey("third"), []
    for number in range(count):
        peer = PublicKey(b"\2" + bytes((number,)) * 1952)
        signature = key.sign(edge_digest(key.public_key, peer, nonce))
        tail = nonce.to_bytes(8, "little") + signature + b"\2" + bytes(3309) + b"\0"
        edges.append(Edge(key.public_key + peer + tail))
    return edges


def heard_name(message: Message) -> str:
    """How a message is listed: by its class, a failure by its reason, routed ones by body and what they show."""
    match message:
        case HandshakeFailure(reason=reason):
            return type(reason).__name__
        case Handshake(partial_edge_info=partial):
            return f"Handshake nonce {partial.nonce}"
        case PeersResponse(peers=peers):
            return f"PeersResponse {sorted(info.addr.port for info in peers if info.addr is not None)}"
        case SyncRoutingTable(edges=edges, accounts=accounts):
            return f"SyncRoutingTable {len(edges)} edges {len(accounts)} accounts"
        case Routed(message=inner):
            return f"Routed {inner.body[0]} ttl {inner.ttl}"
        case _:
            return type(message).__name__


def read_frames(framer: Framer, data: bytes) -> list[str]:
    """What these bytes complete, as listed by a raw client."""
    framer.feed(data)
    names = []
    while (frame := framer.next_frame()) is not None:
        try:
            names.append(heard_name(dialect_named(detect(frame[0])).decode(frame)))
        except (UnknownMessage, Malformed):
            names.append("unreadable")
    return names


class RawPeer:
    """A raw client in the simulator: it takes what comes and keeps its name."""

    def __init__(self, name: str, host: str, key: SecretKey) -> None:
        self.name = name
        self.host = host
        self.key = key
        self.heard: list[str] = []
        self.to = 0
        """The node it speaks to."""
        self.dialect = "borsh"
        self.up = self.reachable = True
        self._framer = Framer()
        self._end: End | None = None
        self._waiting: list[bytes] = []

    def on_open(self, end: End) -> None:
        """The connection is there: what was to be sent goes out."""
        end.tag = self
        self._end = end
        for data in self._waiting:
            end.send(data)
        self._waiting.clear()

    def on_failed(self, why: str) -> None:
        """It is not."""
        self.heard.append("refused")

    def on_accept(self, end: End, ip: str, port: int) -> None:
        """A node dialed us."""
        self.on_open(end)

    def send(self, data: bytes) -> None:
        """Send, once connected."""
        if self._end is None:
            self._waiting.append(data)
        else:
            self._end.send(data)

    def close(self) -> None:
        """Hang up."""
        if self._end is not None:
            self._end.close()

    def on_bytes(self, end: End, data: bytes) -> None:
        """Bytes from the node."""
        self.heard += read_frames(self._framer, data)

    def on_drained(self, end: End, unsent: int) -> None:
        """A raw client does not care."""

    def on_lost(self, end: End, why: str) -> None:
        """The node hung up."""
        self.heard.append("closed")
