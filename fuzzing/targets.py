"""What is fed with bytes, and what must hold of every input.

A target takes bytes and returns; whatever it raises is a finding. Only the documented errors (`errors.py`) are caught
here, by their class. What decodes is encoded again and must decode to the same value.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from fuzzing.whole_core import feed_core
from nearnet.api.jsonrpc import JsonRpc
from nearnet.base58 import b58decode, b58encode
from nearnet.config import NetworkConfig
from nearnet.config.loading import config_from, load_config
from nearnet.core.routing_table.edge import verify_edge
from nearnet.errors import BadKey, ConfigError, FrameTooLarge, Malformed, Unsupported, WireError
from nearnet.keys import CryptoHash, PublicKey, SecretKey, Signature
from nearnet.net.node import Node
from nearnet.store.base import COLUMNS
from nearnet.store.schema import describe_row
from nearnet.tools.decode import decode_all, frames_in
from nearnet.wire.borsh.dialect import at_once, decode_edges, encode_edges
from nearnet.wire.dialect import Dialect, dialect_named
from nearnet.wire.framing import Framer
from nearnet.wire.messages import Routed, SyncRoutingTable
from nearnet.wire.peer_text import parse_address, parse_peer, parse_peers
from nearnet.wire.routed_body import decode_body, encode_body

__all__ = ["TARGETS", "Target"]

Target = Callable[[bytes], None]

_SMALL_FRAME = 4096
"""The limit of the framer here, so that lengths over it are often met."""

DIALECTS = (dialect_named("borsh"), dialect_named("protobuf"))


# --- frames ------------------------------------------------------------------------------------------


def _split(stream: bytes) -> tuple[list[bytes], bool]:
    """The plainest reading of a stream: its whole frames, and whether one claims too much."""
    frames = []
    while len(stream) >= 4:
        length = int.from_bytes(stream[:4], "little")
        if length > _SMALL_FRAME:
            return frames, True
        if len(stream) < 4 + length:
            break
        frames.append(stream[4 : 4 + length])
        stream = stream[4 + length :]
    return frames, False


def frames(data: bytes) -> None:
    """Any stream in pieces of any size, here of the first byte's, has the same frames."""
    size, stream = data[0] + 1 if data else 1, data[1:]
    framer, seen, too_large = Framer(_SMALL_FRAME), [], False
    try:
        for at in range(0, len(stream), size):
            framer.feed(stream[at : at + size])
            while (frame := framer.next_frame()) is not None:
                seen.append(frame)
    except FrameTooLarge:
        too_large = True
    assert (seen, too_large) == _split(stream)
    assert framer.buffered <= len(stream)


# --- messages ----------------------------------------------------------------------------------------


def _message(dialect: Dialect, frame: bytes) -> None:
    assert isinstance(dialect.kind(frame), str)
    dialect.peek_handshake_version(frame)
    with suppress(Malformed):
        dialect.trace_context(frame)
    skipped: list[int] = []
    try:
        message = dialect.decode(frame, skipped.append)
    except WireError:
        return
    assert all(count > 0 for count in skipped)
    if not dialect.can_encode(message):
        assert isinstance(message, Routed)  # A body or a hop count that protobuf nodes fall over is never sent them.
        return
    told = dialect.encode(message)
    assert dialect.decode(told) == message
    assert dialect.encode(dialect.decode(told)) == told
    if isinstance(message, SyncRoutingTable):
        assert at_once(dialect.table_in_steps(frame)) == message
    other = DIALECTS[dialect is DIALECTS[0]]
    if other.can_encode(message) and not isinstance(message, Routed):
        with suppress(Unsupported):
            other.decode(other.encode(message))


def _routed(dialect: Dialect, frame: bytes) -> None:
    """By offsets and whole, the same; passed on in either dialect, the same but for a ttl one less."""
    if not frame:
        return  # Skipped before it gets so far.
    try:
        routed = dialect.routed(frame)
        if routed is None:
            return
        message = routed.message()
        assert (routed.target, routed.author, routed.ttl) == (message.target, message.author, message.ttl)
        _ = routed.created_at
    except WireError:
        return
    with suppress(WireError):
        whole = dialect.decode(frame)
        assert isinstance(whole, Routed)
        assert whole.message == message
    if not message.ttl:
        return
    for to in DIALECTS:
        if to.carries(routed):
            passed = to.routed(to.forward(routed))
            assert passed is not None
            assert (passed.digest(), passed.ttl) == (routed.digest(), message.ttl - 1)


def borsh(data: bytes) -> None:
    """A frame of the documented era, whole and by offsets."""
    _message(DIALECTS[0], data)
    _routed(DIALECTS[0], data)


def protobuf(data: bytes) -> None:
    """A frame of today's, whole and by offsets."""
    _message(DIALECTS[1], data)
    _routed(DIALECTS[1], data)


def routed_body(data: bytes) -> None:
    """The inner layer: what only the addressee decodes."""
    with suppress(Malformed):
        body = decode_body(data)
        assert encode_body(body) == data
        assert decode_body(encode_body(body)) == body


def edges(data: bytes) -> None:
    """A list of edges, each held against its signatures."""
    try:
        found = decode_edges(data)
    except Malformed:
        return
    assert encode_edges(found) == data
    for edge in found[:4]:
        assert edge.peer0 in edge.key
        assert edge.is_active == (edge.nonce % 2 == 1)
        assert verify_edge(edge) in (True, False)


def decode_tool(data: bytes) -> None:
    """`nearnet decode` of any text."""
    with suppress(ConfigError):
        for _ in decode_all(frames_in(data.decode(errors="surrogateescape"))):
            pass


def rows(data: bytes) -> None:
    """A row of the store: column by the first byte, key by the second."""
    if len(data) >= 2:
        key, value = data[2 : 2 + data[1]], data[2 + data[1] :]
        with suppress(Malformed):
            json.dumps(describe_row(COLUMNS[data[0] % len(COLUMNS)], key, value))


# --- what people write -------------------------------------------------------------------------------


def peer_text(data: bytes) -> None:
    """Keys, hashes, addresses and peers in text, as the command line hands them over."""
    text = data.decode(errors="surrogateescape")
    for parse in (parse_peers, parse_peer, parse_address, SecretKey.from_text):
        with suppress(ConfigError):
            parse(text)
    for kind in (PublicKey, Signature, CryptoHash):
        with suppress(BadKey):
            value = kind.from_text(text)
            assert kind.from_text(str(value)) == value
    with suppress(ConfigError):
        peer = parse_peer(text)
        assert parse_peer(str(peer)) == peer
    with suppress(BadKey):
        assert b58encode(b58decode(text)) == text


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="nearnet-fuzz-")


def config(data: bytes) -> None:
    """A config file of any content; one value of `--set`."""
    path = Path(_folder().name) / "config.json"
    path.write_bytes(data)
    with suppress(ConfigError):
        loaded = load_config(path)
        assert config_from(loaded.config.model_dump(mode="json", exclude_unset=True)) == loaded.config
        json.dumps(loaded.values())
    with suppress(ConfigError):
        load_config(None, settings=[data.decode(errors="surrogateescape")])
    with suppress(ConfigError):
        load_config(None, environ={"NEARNET_NETWORK__ADDR": data.decode(errors="surrogateescape")})


@cache
def _rpc() -> tuple[asyncio.AbstractEventLoop, JsonRpc]:
    """Those of a live node that dials nobody."""
    loop = asyncio.new_event_loop()
    quiet = {"addr": "127.0.0.1:0", "experimental": {"network_config_overrides": {"outbound_disabled": True}}}
    node = Node(NetworkConfig.model_validate({"network": quiet}), key=SecretKey.from_seed("fuzz"))
    loop.run_until_complete(node.start())
    rpc = JsonRpc(node, lambda: "127.0.0.1:3030", 0.0)
    del rpc.methods["nearnet_connect"]  # Nothing here reaches beyond this process.
    return loop, rpc


def jsonrpc(data: bytes) -> None:
    """A body of the JSON-RPC, with the admin token and without; a fault of ours would be status 500."""
    loop, rpc = _rpc()
    for authorized in (False, True):
        answer: Any
        answer, status = loop.run_until_complete(rpc.answer(data, authorized))
        assert status != 500, answer
        assert ("result" in answer) != ("error" in answer)
        json.dumps(answer, allow_nan=False)


def core(data: bytes) -> None:
    """A whole core; see `feed_core`."""
    feed_core(data)


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (frames, borsh, protobuf, routed_body, edges, core, rows, config, peer_text, jsonrpc, decode_tool)
}
"""By name."""
