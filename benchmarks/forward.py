"""Signed messages forwarded by a real node (socket, decode, verify, next hop, ttl, send): the whole process' CPU.

A raw client floods the node with messages for other raw clients. It waits for each burst to arrive, so that the node
never has more than `BURST` bytes of them in its queues.
"""

from __future__ import annotations

import itertools
import selectors
import statistics
import time

from benchmarks.forward_core import signed_message
from benchmarks.harness import Options, Result, Turns, by_turns, verification_on_two_cores
from benchmarks.node_process import TIMEOUT, NodeProcess, OtherProcess, Process, RawClient
from nearnet.keys import SecretKey
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import Routed

BODY = 200
CHUNK_RESPONSE = 12
"""A body that asks for no reply, and may have any length from 57 bytes on. Real nodes read each body, and pass on none
that they cannot: see `_body`."""

BURST = 160 * 1024
_floods = itertools.count()

UNLIMITED = "network.experimental.network_config_overrides.received_messages_rate_limits.rate_limits"
"""A protobuf node takes 5000 chunk responses a second from one peer: the flood is to be counted, not to be dropped."""

RATES = ("--set", f'{UNLIMITED}={{"PartialEncodedChunkResponse": {{"maximum_size": 1000000000, "refill_rate": 1e9}}}}')

ROOM = ("--set", "network.max_num_peers=128", "--set", "network.ideal_connections_hi=128")


class Flood:
    """One node, one sender, some receivers: rounds of messages, what each cost and how long it took."""

    def __init__(self, node: Process, neighbors: int, body: int, messages: int) -> None:
        self._node = node
        self._messages = messages
        self._body = body
        mark = next(_floods)  # a known key would have to use a higher nonce
        self._near = RawClient(node, SecretKey.from_seed(f"near {mark}"))
        self._far = [RawClient(node, SecretKey.from_seed(f"far {mark} {number}")) for number in range(neighbors)]
        self._selector = selectors.DefaultSelector()
        for client in self._far:
            client.socket.setblocking(False)
            self._selector.register(client.socket, selectors.EVENT_READ, client)
        self._rounds = 0
        self.walls: list[float] = []
        """Seconds per message of each round."""
        self._find_ways()

    def _find_ways(self) -> None:
        """Until something has come to each receiver: other nodes use an edge a second after they know it."""
        missing, deadline = set(self._far), time.monotonic() + TIMEOUT
        while missing:
            assert time.monotonic() < deadline, "the node passes nothing on"
            self._rounds += 1
            self._near.socket.sendall(b"".join(self._frame(client, 0) for client in missing))
            while heard := self._heard(0.25):
                missing -= {client for client, count in heard.items() if count}

    def __call__(self, _: int) -> float:
        """One round: CPU seconds per message."""
        frames = self._frames()
        at_once = max(1, min(BURST // (self._body + 200), len(frames)))
        begun, wall = self._node.cpu(), time.monotonic()
        for start in range(0, len(frames), at_once):
            burst = frames[start : start + at_once]
            self._near.socket.sendall(b"".join(burst))
            self._await(len(burst))
        self.walls.append((time.monotonic() - wall) / len(frames))
        return (self._node.cpu() - begun) / len(frames)

    def _frames(self) -> list[bytes]:
        self._rounds += 1
        return [self._frame(self._far[number % len(self._far)], number) for number in range(self._messages)]

    def _frame(self, receiver: RawClient, number: int) -> bytes:
        return routed_to(receiver, self._near, self._rounds, number, self._body)

    def _await(self, count: int) -> None:
        """Until so many have come out at the other side."""
        while count > 0:
            heard = self._heard(TIMEOUT)
            assert heard, "the node lost messages"
            count -= sum(heard.values())

    def _heard(self, timeout: float) -> dict[RawClient, int]:
        """Messages that come now, by their receivers; empty when nothing at all comes for so many seconds."""
        heard: dict[RawClient, int] = {}
        for key, _ in self._selector.select(timeout):
            client: RawClient = key.data
            client.read()
            frames = iter(client.framer.next_frame, None)
            heard[client] = sum(client.dialect.routed(frame) is not None for frame in frames)
        return heard

    def close(self) -> None:
        """End the clients."""
        for client in (self._near, *self._far):
            client.close()


def routed_to(receiver: RawClient, sender: RawClient, mark: int, number: int, size: int) -> bytes:
    """A message with its length in front; no other of this mark and number is the same."""
    body = _body(mark.to_bytes(4, "little") + number.to_bytes(4, "little"), size)
    frame = sender.dialect.encode(Routed(signed_message(sender.key, receiver.key.public_key, body)))
    return frame_prefix(len(frame)) + frame


def _body(marks: bytes, size: int) -> bytes:
    """A hash, of which `marks` is the beginning, and one part of a chunk without its proof."""
    part = bytes(max(0, size - 57))
    count, length, none = (number.to_bytes(4, "little") for number in (1, len(part), 0))
    return bytes([CHUNK_RESPONSE]) + marks.ljust(32, b"\0") + count + bytes(8) + length + part + none + none


def _measure(node: Process, options: Options, body: int, neighbors: int = 1) -> tuple[Turns, float]:
    """CPU per message against the floor, and seconds of wall time per message."""
    messages = options.size(min(10_000, 100 * 2**20 // (body + 300)), 20)
    flood = Flood(node, neighbors, body, messages)
    if not options.small:
        flood(0)  # the first one warms the node up
        flood.walls.clear()
    turns = by_turns(flood, options)
    flood.close()
    return turns, statistics.median(flood.walls)


def _sizes(node: Process, options: Options) -> list[Result]:
    out = []
    for body in (100, 1024, 16 * 1024):
        turns, _ = _measure(node, options, body)
        out.append(turns.result(f"forward, {node.dialect}, {body} bytes", "verifications"))
    return out


def _rates(options: Options) -> list[Result]:
    """Messages a second on one core and on two, in units of one thread that does nothing but verify."""
    out = []
    for cores, least in ((1, 0.9), (2, 1.35)):
        both = verification_on_two_cores()
        with NodeProcess(cores=cores) as node:
            turns, wall = _measure(node, options, BODY)
        both = (both + verification_on_two_cores()) / 2
        floor = statistics.median(turns.floor)
        name, detail = f"forward, messages a second, {cores} core{'s' * (cores > 1)}", f"{1 / wall:.0f} a second"
        if cores > 1:
            detail += f"; two threads that do nothing but verify: {floor / both:.2f}"
        out.append(Result(name, floor / wall, "x bare verifications", None, detail, None, least))
    return out


def run(options: Options) -> list[Result]:
    """One message of 200 bytes first; then sizes, dialects, numbers of neighbors, rates; then another node's."""
    results = []
    for dialect in ("borsh", "protobuf"):
        with NodeProcess(*RATES, dialect=dialect) as node:
            turns, _ = _measure(node, options, BODY)
            results.append(turns.result(f"forward, {dialect}, {BODY} bytes", "verifications", 1.1))
            results += _sizes(node, options)
    for neighbors in (16, 127):  # and the sender: as many as a node may have
        with NodeProcess(*ROOM) as node:
            turns, _ = _measure(node, options, BODY, neighbors)
            results.append(turns.result(f"forward, to {neighbors} neighbors", "verifications"))
    results += _rates(options)
    if options.beside is not None:
        results += beside(options)
    return results


def beside(options: Options) -> list[Result]:
    """Both nodes by turns, under the same load."""
    assert options.beside is not None
    with NodeProcess(*RATES, dialect=options.beside.dialect) as node, OtherProcess(options.beside) as other:
        floods = [Flood(one, 1, BODY, options.size(10_000, 20)) for one in (node, other)]
        for flood in floods:
            flood(0)
            flood.walls.clear()
        turns = by_turns(floods[0], options, lambda: floods[1](0))
        rate = statistics.median(floods[1].walls) / statistics.median(floods[0].walls)
    name = "forward, beside the other node"
    return [turns.result(name, "x its CPU"), Result(f"{name}, rate", rate, "x its messages a second")]
