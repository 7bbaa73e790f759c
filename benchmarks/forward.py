"""One signed message forwarded by a real node (socket, decode, verify, next hop, ttl, send): the whole process' CPU.

A raw client floods the node with 200-byte messages for a second raw client. The client waits for each burst to arrive,
so that the node never has more than `BURST` of them in its queues.
"""

from __future__ import annotations

import threading

from benchmarks.harness import Result, by_turns
from benchmarks.node_process import BORSH, NodeProcess, RawClient
from nearnet.keys import SecretKey, Signature
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import Routed, RoutedMessage
from nearnet.wire.routed_frame import routed_digest

MESSAGES = 10_000
BURST = 500
BODY = 200
OPAQUE = 16
"""A body index that the node neither reads nor expects a reply to."""


def _messages(author: SecretKey, target: SecretKey, first: int) -> list[bytes]:
    out = []
    for number in range(first, first + MESSAGES):
        body = bytes([OPAQUE]) + number.to_bytes(8, "little") + bytes(BODY - 9)
        unsigned = RoutedMessage(target.public_key, author.public_key, Signature(bytes(65)), 100, body)
        signature = author.sign(routed_digest(unsigned))
        message = RoutedMessage(unsigned.target, unsigned.author, signature, 100, body)
        frame = BORSH.encode(Routed(message))
        out.append(frame_prefix(len(frame)) + frame)
    return out


def run() -> list[Result]:
    """The ratio of one forwarded message to one verification."""
    with NodeProcess() as node:
        near = RawClient(node, SecretKey.from_seed("near"))
        far = RawClient(node, SecretKey.from_seed("far"))

        def flood(number: int) -> float:
            messages = _messages(near.key, far.key, (number + 1) * MESSAGES)
            arrived = threading.Semaphore(0)

            def read() -> None:
                for _ in range(MESSAGES // BURST):
                    far.receive_until("Routed", BURST)
                    arrived.release()

            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            begun = node.cpu()
            for start in range(0, MESSAGES, BURST):
                near.socket.sendall(b"".join(messages[start : start + BURST]))
                assert arrived.acquire(timeout=30), "the node lost messages"
            spent = node.cpu() - begun
            reader.join()
            return spent / MESSAGES

        flood(1_000)  # a first one warms the node up
        ratio, each = by_turns(flood)
        near.close()
        far.close()
    return [Result("forward, per message", ratio, "verifications", 1.2, f"{each * 1e6:.1f} µs of CPU")]
