"""What passing large messages on costs without any protocol: read a frame, hash it, write it. `python bare_relay.py`.

Prints its port; the first connection sends, the second one gets. Ends with the first.
"""

from __future__ import annotations

import hashlib
import socket

READ = 256 * 1024


def read_exactly(sock: socket.socket, view: memoryview) -> bool:
    """Fill it; False at the stream's end."""
    while view:
        count = sock.recv_into(view, min(len(view), READ))
        if not count:
            return False
        view = view[count:]
    return True


def main() -> None:
    """One sender, one receiver."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        near, far = server.accept()[0], server.accept()[0]
    prefix = memoryview(bytearray(4))
    frame = memoryview(bytearray())
    while read_exactly(near, prefix):
        length = int.from_bytes(prefix, "little")
        if len(frame) != length:
            frame = memoryview(bytearray(length))
        read_exactly(near, frame)
        hashlib.sha256(frame).digest()
        far.sendall(prefix)
        far.sendall(frame)


if __name__ == "__main__":
    main()
