"""Frame splitting: a stream of 300-byte frames in chunks of 64 KiB, beside the bare slices."""

from __future__ import annotations

from benchmarks.harness import Options, Result, best_of, by_turns, cpu_of
from nearnet.wire.framing import Framer, frame_prefix

FRAME = 300
CHUNK = 64 * 1024


def run(options: Options) -> list[Result]:
    """Per frame."""
    count = options.size(200_000, 1000)
    stream = (frame_prefix(FRAME) + bytes(FRAME)) * count
    chunks = [stream[start : start + CHUNK] for start in range(0, len(stream), CHUNK)]

    def split() -> None:
        framer = Framer()
        found = 0
        for chunk in chunks:
            framer.feed(chunk)
            while framer.next_frame() is not None:
                found += 1
        assert found == count

    def slices() -> None:
        for start in range(0, len(stream), FRAME + 4):
            stream[start + 4 : start + 4 + FRAME]

    turns = by_turns(lambda _: cpu_of(split, count), options, lambda: best_of(slices, count))
    return [turns.result("frame splitting, per frame", "x a slice")]
