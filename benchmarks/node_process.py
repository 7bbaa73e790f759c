"""Real nodes in processes of their own, and raw clients of them. Loopback only; Linux's /proc and CPU clocks."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from nearnet.config import NetworkConfig, parse_socket
from nearnet.core.routing_table.edge import next_nonce, sign_edge
from nearnet.errors import NearnetError
from nearnet.keys import CryptoHash, PeerId, SecretKey
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import (
    GenesisId,
    GenesisMismatch,
    Handshake,
    HandshakeFailure,
    LastEdge,
    Message,
    PeerChainInfo,
    ProtocolVersionMismatch,
    SocketAddress,
)

CHAIN = "benchmark"
BORSH = dialect_named("borsh")
TIMEOUT = 60.0
NEARNET = str(Path(sys.executable).with_name("nearnet"))


@dataclass(frozen=True, slots=True)
class Beside:
    """How another node's program is started, and what must be known to shake hands with it."""

    command: str
    peer_id: str
    dialect: str
    chain_id: str
    genesis_hash: str


class Process:
    """A node's process: where it listens, what it costs. A context manager that ends it."""

    peer_id: PeerId
    address: SocketAddress
    dialect: str
    genesis: GenesisId
    _process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(TIMEOUT)

    def cpu(self) -> float:
        """CPU seconds of all its threads so far: Linux's clock of another process."""
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def megabytes(self) -> float:
        """Its memory in RAM now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


class NodeProcess(Process):
    """`nearnet run` with a temporary home folder. `started` seconds passed until it listened."""

    def __init__(
        self, *arguments: str, rpc: str = "", dialect: str = "borsh", cores: int | None = None, home: str | None = None
    ) -> None:
        """`cores`: how many it may use; `home`: one that is there already, and stays."""
        self._temporary = None if home else tempfile.mkdtemp(prefix="nearnet-bench-")
        home = home or make_home(self._temporary or "")
        run = [NEARNET, "run", "--home", home, "--network-addr", "127.0.0.1:0", "--rpc-addr", rpc]
        begun = time.monotonic()
        self._process = subprocess.Popen(
            [*run, "--dialect", dialect, "--log-format", "json", "--log-level", "error", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=None if cores is None else lambda: os.sched_setaffinity(0, range(cores)),
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        assert first, "nearnet run ended before it listened"
        line = json.loads(first)
        self.started = time.monotonic() - begun
        self.peer_id = PeerId.from_text(line["peer_id"])
        self.address = parse_socket(line["addr"])
        self.rpc_addr: str = line["rpc_addr"]
        self.dialect = dialect
        self.genesis = GenesisId(CHAIN, CryptoHash(bytes(32)))

    def metric(self, series: str) -> float:
        """One series of the node's metrics, by name and labels; 0 while it is not there. It needs an RPC address."""
        with urllib.request.urlopen(f"http://{self.rpc_addr}/metrics", timeout=TIMEOUT) as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(f"{series} ")), 0.0)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        super().__exit__(kind, error, at)
        if self._temporary is not None:
            shutil.rmtree(self._temporary)


class OtherProcess(Process):
    """Another node's program."""

    def __init__(self, beside: Beside) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._process = subprocess.Popen(
            shlex.split(beside.command.replace("{port}", str(port))), stdout=subprocess.DEVNULL, text=True
        )
        self.peer_id = PeerId.from_text(beside.peer_id)
        self.address = SocketAddress("127.0.0.1", port)
        self.dialect = beside.dialect
        self.genesis = GenesisId(beside.chain_id, CryptoHash.from_text(beside.genesis_hash))
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if (code := self._process.poll()) is not None:
                    raise NearnetError(f"the program given with --beside ended with exit code {code}") from None
                if time.monotonic() > deadline:
                    self._process.terminate()
                    raise NearnetError(
                        f"the program given with --beside does not listen at 127.0.0.1:{port} after {TIMEOUT:g} s"
                    ) from None
                time.sleep(0.05)


def make_home(folder: str) -> str:
    """A home of the benchmark's chain in this folder."""
    init = [NEARNET, "init", "--home", folder, "--chain-id", CHAIN, "--test-seed", "benchmark node"]
    subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
    return folder


class RawClient:
    """A peer that shakes hands and then only sends and counts bytes."""

    def __init__(self, node: Process, key: SecretKey) -> None:
        self.key = key
        self.dialect = dialect_named(node.dialect)
        self.socket = socket.create_connection((node.address.ip, node.address.port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.framer = Framer()
        versions = NetworkConfig().nearnet.protocol_versions[node.dialect]
        self._shake_hands(
            node, versions.own, versions.oldest, node.genesis, int(time.time()) | 1 if node.dialect == "protobuf" else 1
        )

    def _shake_hands(self, node: Process, version: int, oldest: int, genesis: GenesisId, nonce: int) -> None:
        """Until it agrees: another node's version, genesis and last nonce are what it says they are."""
        for _ in range(4):
            chain = PeerChainInfo(genesis, 0, (), False)
            edge = sign_edge(self.key, node.peer_id, nonce)
            port = self.socket.getsockname()[1]
            self.send(Handshake(version, oldest, self.key.public_key, node.peer_id, port, chain, edge))
            match answer := self.dialect.decode(self.receive()):
                case Handshake():
                    return
                case HandshakeFailure(reason=ProtocolVersionMismatch(version=version)):
                    oldest = min(oldest, version)
                case HandshakeFailure(reason=GenesisMismatch(genesis_id=genesis)):
                    pass
                case LastEdge(edge=last):
                    nonce = next_nonce(last.nonce)
                case _:
                    break
        raise NearnetError(f"no handshake with {node.peer_id} at {node.address}: it says {answer}")

    def send(self, message: Message) -> None:
        """One message."""
        frame = self.dialect.encode(message)
        self.socket.sendall(frame_prefix(len(frame)) + frame)

    def receive(self) -> bytes:
        """The next frame's content."""
        while (frame := self.framer.next_frame()) is None:
            self.read()
        return frame

    def read(self) -> None:
        """Have the framer take what comes next."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise NearnetError("the node closed the connection")
        self.framer.feed(data)

    def receive_until(self, kind: str, count: int) -> list[bytes]:
        """Frames of one kind, others skipped."""
        found: list[bytes] = []
        while len(found) < count:
            frame = self.receive()
            if self.dialect.kind(frame) == kind:
                found.append(frame)
        return found

    def drain(self) -> None:
        """Forget what has come so far."""
        self.socket.settimeout(0.1)
        try:
            while True:
                self.read()
        except TimeoutError:
            self.socket.settimeout(TIMEOUT)
        while self.framer.next_frame() is not None:
            pass

    def close(self) -> None:
        """End it."""
        self.socket.close()
