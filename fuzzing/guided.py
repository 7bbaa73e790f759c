"""One target with atheris, led by coverage: `python -m fuzzing.guided TARGET FOLDER SECONDS`, a process of its own.

libFuzzer ends the process at the first finding and writes the input to ``FOLDER/crash-..``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

__all__ = ["main"]

_MEGABYTES = 1024
"""Resident, beyond which it is a finding; a node with its API takes a tenth."""

_SECONDS_AN_INPUT = 5


def main(name: str, folder: str, seconds: int, seed: int) -> None:
    """Never returns: libFuzzer ends the process. The imports, slow under instrumentation, are part of the time."""
    begun = time.monotonic()
    import atheris

    with atheris.instrument_imports(include=["nearnet", "fuzzing.whole_core"]):
        from fuzzing.targets import TARGETS
    from fuzzing.plain import MOST_BYTES
    from fuzzing.seeds import seeds_of

    corpus = Path(folder) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds_of(name)):
        (corpus / f"seed-{number:04}").write_bytes(data)
    flags = [
        f"-max_total_time={max(1, round(seconds - (time.monotonic() - begun)))}",
        f"-seed={seed + 1}",
        f"-max_len={MOST_BYTES}",
        f"-rss_limit_mb={_MEGABYTES}",
        f"-malloc_limit_mb={_MEGABYTES // 2}",
        f"-timeout={_SECONDS_AN_INPUT}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([name, *flags, str(corpus)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
