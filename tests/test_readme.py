"""The README's program runs as it stands, against a node that listens where it dials."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from nearnet import NetworkConfig, Node

README = (Path(__file__).parent.parent / "README.md").read_text()
PEER = re.compile(r"ed25519:\w+@10\.0\.0\.7:24567")


async def test_the_library_program() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    config = {"chain_id": "my-chain", "network": {"addr": "127.0.0.1:0"}, "nearnet": {"dialect": "borsh"}}
    async with Node(NetworkConfig.model_validate(config)) as node:
        program = PEER.sub(f"{node.peer_id}@{node.addr}", program)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    hops, milliseconds = out.decode().split()
    assert int(hops) == 1
    assert float(milliseconds) > 0


def test_the_two_commands() -> None:
    """`make run` and `make test` are there, and CI calls the latter."""
    root = Path(__file__).parent.parent
    makefile = (root / "Makefile").read_text()
    for command in ("run", "test"):
        assert f"make {command} " in README
        assert f"\n{command}: " in makefile
    assert (root / ".ci" / "run").read_text().rstrip().endswith("make test")
