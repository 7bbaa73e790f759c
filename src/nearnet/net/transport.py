"""One TCP connection on the event loop (the PeerActor's socket, document §2.3): bytes to the core, bytes from it.

It decides nothing: `core/peer/peer.py` is the connection, this is its wire.
"""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nearnet.config import NetworkConfig
    from nearnet.core.peer.peer import Peer

__all__ = [
    "CLOSE_GRACE",
    "HIGH_WATER",
    "JOIN_UP_TO",
    "KEEP_ALIVE",
    "READ_OF_LARGE",
    "READ_UP_TO",
    "PeerConnection",
    "attach",
    "prepare_socket",
    "remote_end",
]

CLOSE_GRACE = 1.0
"""Seconds in which a closed connection may still send what was queued; then it is cut."""

JOIN_UP_TO = 256 * 1024
"""Bytes up to which many small frames are put together: one copy costs less than a buffer for each."""

HIGH_WATER = 256 * 1024
"""Bytes held by the transport above which it tells when they are down again (`resume_writing`).

Small beside the core's send queue, whose limit counts these bytes too: what the core believes unsent is never
more than this above the truth.
"""

READ_UP_TO = 64 * 1024
"""Bytes read at once: some 200 small messages, whose signatures hold the loop for 6 to 12 ms."""

READ_OF_LARGE = 256 * 1024
"""Bytes read at once of a frame that lacks more than that."""

_USER_TIMEOUT_MS = 50_000
KEEP_ALIVE = (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 4))
"""A host that vanished is noticed, idle or with data under way, though not everywhere in time: see `half_open.py`."""


def prepare_socket(sock: socket.socket, config: NetworkConfig) -> None:
    """Non-blocking, without delay, with a dead host noticed; buffer sizes only where the operator set them."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (*KEEP_ALIVE, ("TCP_USER_TIMEOUT", _USER_TIMEOUT_MS)):
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    network = config.network
    for field, size, option in (
        ("so_recv_buffer_size", network.so_recv_buffer_size, socket.SO_RCVBUF),
        ("so_send_buffer_size", network.so_send_buffer_size, socket.SO_SNDBUF),
    ):
        if field in network.model_fields_set and size:
            sock.setsockopt(socket.SOL_SOCKET, option, size)


def remote_end(name: tuple[str, int] | tuple[str, int, int, int]) -> tuple[str, int]:
    """IP and port of a socket's name; an IPv4 address that came over IPv6 is told as IPv4."""
    ip = name[0].partition("%")[0]
    return ip.removeprefix("::ffff:") if "." in ip else ip, name[1]


class PeerConnection(asyncio.BufferedProtocol):
    """The asyncio end of one `Peer`. Bytes may be sent, and the end may come, before the transport is there."""

    __slots__ = (
        "_buffer",
        "_early",
        "_ending",
        "_on_bytes",
        "_on_drained",
        "_on_lost",
        "_transport",
        "_why",
        "gone",
        "peer",
    )

    def __init__(
        self,
        peer: Peer,
        on_bytes: Callable[[PeerConnection, bytes], None],
        on_drained: Callable[[PeerConnection], None],
        on_lost: Callable[[PeerConnection, str], None],
        buffer: memoryview,
    ) -> None:
        """`buffer`: of `READ_OF_LARGE` bytes, shared by all connections of one loop."""
        self.peer = peer
        self._buffer = buffer
        self.gone = asyncio.get_running_loop().create_future()
        """Done when the socket is closed."""
        self._on_bytes = on_bytes
        self._on_drained = on_drained
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes | memoryview] = []
        self._ending = False
        self._why = "closed by the peer"

    # --- what the event loop calls ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is there: send what waited for it."""
        transport = self._transport = cast("asyncio.Transport", transport)
        most = min(HIGH_WATER, self.peer.outbox.queue_bytes // 4)
        transport.set_write_buffer_limits(high=most, low=most // 2)
        early, self._early = self._early, []
        if early:
            transport.writelines(early)
        if self._ending:
            self._end(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to: what is in it is taken before anything else is read."""
        return self._buffer if self.peer.framer.missing > READ_UP_TO else self._buffer[:READ_UP_TO]

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came in."""
        if not self._ending:
            self._on_bytes(self, bytes(self._buffer[:nbytes]))

    def resume_writing(self) -> None:
        """What waited to be sent is down to the low mark."""
        if not self._ending:
            self._on_drained(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed, by whichever end."""
        if not self.gone.done():
            self.gone.set_result(None)
        why = self._why
        if exc is not None:
            why = os.strerror(exc.errno) if isinstance(exc, OSError) and exc.errno else type(exc).__name__
        self._on_lost(self, why)

    # --- what the node calls ---------------------------------------------------------------------

    def send(self, chunks: Sequence[bytes | memoryview]) -> int:
        """Write these, together; returns how many bytes are not with the kernel yet."""
        transport = self._transport
        if transport is None:
            self._early.extend(chunks)
            return sum(map(len, self._early))
        if len(chunks) == 1:
            transport.write(chunks[0])
        elif sum(map(len, chunks)) <= JOIN_UP_TO:
            transport.write(b"".join(chunks))
        else:
            transport.writelines(chunks[:-1])
            transport.write(chunks[-1])  # asyncio's `writelines` of Python 3.12 does not look at the high mark.
        return transport.get_write_buffer_size()

    @property
    def unsent(self) -> int:
        """Bytes that are not with the kernel yet."""
        return self.send(())

    def pause(self) -> None:
        """Read no more; for a connection that has brought bytes."""
        if self._transport is not None and not self._ending:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport is not None and not self._ending:
            self._transport.resume_reading()

    def close(self, flush: bool) -> None:
        """End it; with `flush` after what is queued, if that goes out within `CLOSE_GRACE`."""
        self._ending = True
        if not flush:
            self.abort()
        elif self._transport is not None:
            self._end(self._transport)

    def _end(self, transport: asyncio.Transport) -> None:
        transport.close()
        asyncio.get_running_loop().call_later(CLOSE_GRACE, self.abort)

    def abort(self, why: str = "closed by the peer") -> None:
        """Cut it now; `why` is told to the core, unless it has closed the connection itself."""
        self._ending = True
        self._why = why
        self._early.clear()
        if self._transport is not None and not self.gone.done():
            self._transport.abort()

    @property
    def sock(self) -> socket.socket | None:
        """To ask the kernel about it, while it is open."""
        sock: socket.socket | None = None if self._transport is None else self._transport.get_extra_info("socket")
        return None if sock is None or sock.fileno() < 0 else sock

    @property
    def is_closing(self) -> bool:
        """Whether the transport has begun to close its socket, or has done so."""
        return self.gone.done() or (self._transport is not None and self._transport.is_closing())


async def attach(connection: PeerConnection, sock: socket.socket, config: NetworkConfig | None = None) -> None:
    """Give the socket to a transport, which owns it from then on; with `config`, one that was accepted, as it came."""
    loop = asyncio.get_running_loop()
    failed = True
    try:
        if config is not None:
            prepare_socket(sock, config)
            await loop.connect_accepted_socket(lambda: connection, sock)
        else:
            await loop.create_connection(lambda: connection, sock=sock)
        failed = False
    except OSError as error:
        connection.connection_lost(error)
    finally:
        # uvloop's transports close the descriptor by themselves. One that ends before this point never hears of the
        # Python object, which would close the same number once more: by then perhaps another peer's.
        if isinstance(loop, asyncio.BaseEventLoop):
            if failed:
                sock.close()
        elif failed or connection.is_closing:
            sock.detach()
