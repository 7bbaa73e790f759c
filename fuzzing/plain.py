"""Inputs by chance alone: a seed's bytes cut, flipped, copied, joined. Any Python has it; the same seed, the same run.

Memory is held against the input's size, by tracemalloc.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from dataclasses import dataclass

from fuzzing.targets import Target

__all__ = ["MOST_BYTES", "Finding", "bound_of", "fuzz", "mutated"]

MOST_BYTES = 16_384
"""Of an input."""

_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63, 2**64 - 1)
_FIRST_USE = 2**24
_PER_BYTE = 400


@dataclass(frozen=True, slots=True)
class Finding:
    """What failed, and how."""

    data: bytes
    why: str


def bound_of(size: int) -> int:
    """Bytes of memory that an input of this size may take at its peak; the first part is for what is loaded once."""
    return _FIRST_USE + _PER_BYTE * size


def mutated(seeds: list[bytes], chance: random.Random) -> bytes:
    """One of them, changed a few times."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at, to = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
        match chance.randrange(8):
            case 0:
                del data[at:]
            case 1:
                del data[at : min(to, at + 16)]
            case 2 if data:
                data[min(at, len(data) - 1)] ^= 1 << chance.randrange(8)
            case 3 if data:
                data[min(at, len(data) - 1)] = chance.randrange(256)
            case 4:
                data[at:at] = data[at:to][:64]
            case 5:
                other = chance.choice(seeds)
                start = chance.randint(0, len(other))
                data[at:] = other[start:]
            case 6:
                size = chance.choice((1, 2, 4, 8))
                number = (chance.choice(_EDGES) & (1 << 8 * size) - 1).to_bytes(size, "little")
                data[at : at + size] = number
            case _:
                data[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(data[:MOST_BYTES])


def fuzz(target: Target, seeds: list[bytes], seconds: float, seed: int = 0) -> tuple[int, Finding | None]:
    """All seeds, then changed ones for so long; how many inputs, and the first that failed."""
    chance = random.Random(seed)
    end = time.monotonic() + seconds
    count = 0
    for count, one in enumerate(seeds, 1):
        if (finding := _one(target, one)) is not None:
            return count, finding
    while time.monotonic() < end:
        count += 1
        if (finding := _one(target, mutated(seeds, chance), measured=count % 8 == 0)) is not None:
            return count, finding
    return count, None


def _one(target: Target, data: bytes, measured: bool = False) -> Finding | None:
    if measured:
        tracemalloc.start()
    try:
        target(data)
        if measured and (peak := tracemalloc.get_traced_memory()[1]) > bound_of(len(data)):
            return Finding(data, f"{peak} bytes of memory for an input of {len(data)}")
    except Exception as error:  # noqa: BLE001 - whatever comes out is what is looked for.
        return Finding(data, f"{type(error).__name__}: {error}")
    finally:
        if measured:
            tracemalloc.stop()
    return None
