"""Who comes, goes and talks: nodes that start and stop, pings across the nodes that stay, sockets that say nothing
or nonsense. The same seed, the same choices."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress

from nearnet import NetworkConfig, Node
from nearnet.errors import NearnetError
from nearnet.keys import SecretKey

__all__ = ["KINDS", "Visitors"]

KINDS = {"start": 4, "stop": 3, "connect": 4, "disconnect": 3, "ping": 60, "silence": 2, "noise": 2}
"""What happens, and how often in proportion."""

_AT_ONCE = 20
"""Pings: some 200 messages a second, so that what remembers them for a minute is as large as it gets after two."""

_MOST = 5
"""Visitors at once. Each comes back under its own key, so that what is known of them does not grow for ever."""


def _config(dialect: str) -> NetworkConfig:
    quiet = {"network_config_overrides": {"outbound_disabled": True}}
    return NetworkConfig.model_validate(
        {
            "chain_id": "soak",
            "network": {"addr": "127.0.0.1:0", "experimental": quiet},
            "nearnet": {"dialect": dialect},
        }
    )


class Visitors:
    """All of them; `happened` counts what they did."""

    def __init__(self, places: list[str], seed: int) -> None:
        self._places = places
        self._chance = random.Random(seed)
        self._here: dict[int, Node] = {}
        self.happened: Counter[str] = Counter()

    async def run(self, seconds: float, pause: float = 0.01) -> None:
        """One thing after another for so long; all have gone at the end."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            kind = self._chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
            with suppress(NearnetError, OSError):
                await getattr(self, f"_{kind}")()
                self.happened[kind] += 1
            await asyncio.sleep(pause)
        for node in self._here.values():
            await node.stop()
        self._here.clear()

    def _one(self) -> Node:
        if not self._here:
            raise NearnetError("nobody is here")
        return self._here[self._chance.choice(sorted(self._here))]

    async def _start(self) -> None:
        away = [number for number in range(_MOST) if number not in self._here]
        if not away:
            raise NearnetError("all are here")
        number = self._chance.choice(away)
        dialect = ("borsh", "protobuf")[number % 2]
        node = Node(_config(dialect), key=SecretKey.from_seed(f"visitor {number}"))
        await node.start()
        self._here[number] = node
        await node.connect(self._chance.choice(self._places), timeout=5)

    async def _stop(self) -> None:
        node = self._one()
        number = next(number for number, one in self._here.items() if one is node)
        del self._here[number]
        await node.stop()

    async def _connect(self) -> None:
        await self._one().connect(self._chance.choice(self._places), timeout=5)

    async def _disconnect(self) -> None:
        node = self._one()
        peers = sorted(node.core.peers)
        if peers:
            node.disconnect(self._chance.choice(peers))

    async def _ping(self) -> None:
        node = self._one()
        known = [peer for peer in node.core.table.peers() if peer != node.peer_id and node.core.table.next_hops(peer)]
        if not known:
            raise NearnetError("nobody to ping")
        asked = [self._chance.choice(sorted(known)) for _ in range(_AT_ONCE)]
        await asyncio.gather(*(node.ping(peer, timeout=1) for peer in asked), return_exceptions=True)

    async def _socket(self, data: bytes) -> None:
        host, _, port = self._chance.choice(self._places).partition("@")[2].rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(data)
        asyncio.get_running_loop().call_later(self._chance.uniform(0, 2), writer.transport.abort)

    async def _silence(self) -> None:
        await self._socket(b"")

    async def _noise(self) -> None:
        await self._socket(self._chance.randbytes(self._chance.randrange(1, 3000)))
