"""A real `nearnet run` in a process of its own, and raw clients of it. Loopback only; Linux's /proc and CPU clocks."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from nearnet.config import parse_socket
from nearnet.core.edge import sign_edge
from nearnet.keys import CryptoHash, PeerId, SecretKey
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import GenesisId, Handshake, Message, PeerChainInfo

CHAIN = "benchmark"
BORSH = dialect_named("borsh")
TIMEOUT = 60.0
NEARNET = str(Path(sys.executable).with_name("nearnet"))


class NodeProcess:
    """The node; a temporary home folder that goes with it. `started` seconds passed until it listened."""

    def __init__(self, *arguments: str, rpc: str = "") -> None:
        self._home = tempfile.mkdtemp(prefix="nearnet-bench-")
        init = [NEARNET, "init", "--home", self._home, "--chain-id", CHAIN, "--test-seed", "benchmark node"]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
        run = [NEARNET, "run", "--home", self._home, "--network-addr", "127.0.0.1:0", "--rpc-addr", rpc]
        begun = time.monotonic()
        self._process = subprocess.Popen(
            [*run, "--dialect", "borsh", "--log-format", "json", "--log-level", "error", *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        assert first, "nearnet run ended before it listened"
        line = json.loads(first)
        self.started = time.monotonic() - begun
        self.peer_id = PeerId.from_text(line["peer_id"])
        self.address = parse_socket(line["addr"])

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(TIMEOUT)
        shutil.rmtree(self._home)

    def cpu(self) -> float:
        """CPU seconds of all its threads so far: Linux's clock of another process."""
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def megabytes(self) -> float:
        """Its memory in RAM now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


class RawClient:
    """A peer that shakes hands and then only sends and counts bytes."""

    def __init__(self, node: NodeProcess, key: SecretKey) -> None:
        self.key = key
        self._node = node
        self.socket = socket.create_connection((node.address.ip, node.address.port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._framer = Framer()
        info = PeerChainInfo(GenesisId(CHAIN, CryptoHash(bytes(32))), 0, (), False)
        port = self.socket.getsockname()[1]
        edge = sign_edge(key, node.peer_id, 1)
        self.send(Handshake(52, 50, key.public_key, node.peer_id, port, info, edge))
        answer = BORSH.decode(self.receive())
        assert isinstance(answer, Handshake), answer

    def send(self, message: Message) -> None:
        """One message."""
        frame = BORSH.encode(message)
        self.socket.sendall(frame_prefix(len(frame)) + frame)

    def receive(self) -> bytes:
        """The next frame's content."""
        while (frame := self._framer.next_frame()) is None:
            data = self.socket.recv(1 << 18)
            assert data, "the node closed the connection"
            self._framer.feed(data)
        return bytes(frame)

    def receive_until(self, kind: str, count: int) -> list[bytes]:
        """Frames of one kind, others skipped."""
        found: list[bytes] = []
        while len(found) < count:
            frame = self.receive()
            if BORSH.kind(frame) == kind:
                found.append(frame)
        return found

    def drain(self) -> None:
        """Forget what has come so far."""
        self.socket.settimeout(0.1)
        try:
            while True:
                self._framer.feed(self.socket.recv(1 << 18))
        except TimeoutError:
            self.socket.settimeout(TIMEOUT)
        while self._framer.next_frame() is not None:
            pass

    def close(self) -> None:
        """End it."""
        self.socket.close()
