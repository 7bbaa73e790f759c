"""Messages of 1 MiB passed on by a real node, beside a bare relay (`bare_relay.py`) on the same two cores.

The sender and the receiver share these cores with the node, as in all cases here. Some messages are always under way,
so that what can be done at once is.
"""

from __future__ import annotations

import hashlib
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bare_relay import read_exactly
from benchmarks.forward import routed_to
from benchmarks.harness import Options, Result, best_of, by_turns
from benchmarks.node_process import NodeProcess, Process, RawClient
from nearnet.keys import SecretKey

MIB = 2**20
MESSAGES = 200
UNDER_WAY = 8


class BareRelay(Process):
    """The floor."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("bare_relay.py")
        self._process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        address = "127.0.0.1", int(self._process.stdout.readline())
        self.near, self.far = socket.create_connection(address), socket.create_connection(address)


class Stream:
    """One who sends and one who gets; `walls` are the seconds per message of each round."""

    def __init__(self, process: Process, near: socket.socket, far: socket.socket) -> None:
        self._process = process
        self._near = near
        self._far = far
        self._buffer = memoryview(bytearray(2 * MIB))
        self.walls: list[float] = []

    def __call__(self, frames: Sequence[bytes]) -> float:
        """One round: CPU seconds of the process per message."""
        room = threading.Semaphore(UNDER_WAY)

        def send() -> None:
            for frame in frames:
                room.acquire()
                self._near.sendall(frame)

        begun, wall = self._process.cpu(), time.monotonic()
        sender = threading.Thread(target=send)
        sender.start()
        for _ in frames:
            self._take()
            room.release()
        sender.join()
        self.walls.append((time.monotonic() - wall) / len(frames))
        return (self._process.cpu() - begun) / len(frames)

    def _take(self) -> None:
        """One large frame; gossip on the way is passed over."""
        length = 0
        while length < MIB:
            assert read_exactly(self._far, self._buffer[:4]), "the node closed the connection"
            length = int.from_bytes(self._buffer[:4], "little")
            read_exactly(self._far, self._buffer[:length])


def _frames(near: RawClient, far: RawClient, count: int, mark: int) -> list[bytes]:
    return [routed_to(far, near, mark, number, MIB) for number in range(count)]


def best_hash() -> float:
    """CPU seconds of one sha256 of 1 MiB."""
    data = bytes(MIB)
    return best_of(lambda: [hashlib.sha256(data).digest() for _ in range(20)], 20)


def _case(node: Process, options: Options) -> list[Result]:
    near, far = RawClient(node, SecretKey.from_seed("large near")), RawClient(node, SecretKey.from_seed("large far"))
    count = options.size(MESSAGES, 10)
    with BareRelay() as relay:
        ours, floor = Stream(node, near.socket, far.socket), Stream(relay, relay.near, relay.far)
        ours(_frames(near, far, count, 0))
        floor(_frames(near, far, count, 0))
        hashes = [best_hash()]
        turns = by_turns(
            lambda round: ours(_frames(near, far, count, round + 1)),
            options,
            lambda: floor(_frames(near, far, count, 0)),
        )
        hashes.append(best_hash())
        relay.near.close()
    for client in (near, far):
        client.close()
    name = f"1 MiB, {node.dialect}"
    rates = [100 * min(hashes) / statistics.median(stream.walls[1:]) for stream in (ours, floor)]
    detail = f"the bare relay {rates[1]:.0f} %; one hash {1e3 * min(hashes):.2f} ms"
    return [
        turns.result(f"{name}, CPU", "x a bare relay's"),
        Result(f"{name}, messages a second", rates[0], "% of sha256's", None, detail, None, 70),
        Result(f"{name}, messages a second", rates[0] / rates[1], "x a bare relay's"),
    ]


def run(options: Options) -> list[Result]:
    """In both dialects."""
    results = []
    for dialect in ("borsh", "protobuf"):
        with NodeProcess(dialect=dialect) as node:
            results += _case(node, options)
    return results
