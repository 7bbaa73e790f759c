"""Compiles the hottest modules for this checkout into build/compiled (`make compiled`), or says that nothing can."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from nearnet.compiled import BUILT, NOTE, digest_of_sources, is_current

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Build anew what is not of these very sources."""
    if os.environ.get("NEARNET_PURE"):
        print("NEARNET_PURE is set: all modules stay Python")
        return
    if is_current():
        return
    digest = digest_of_sources()
    shutil.rmtree(BUILT, ignore_errors=True)
    begun = time.monotonic()
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", str(BUILT), "--build-temp", "build/o"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    count = len(list(BUILT.rglob("*.so"))) - 1
    if done.returncode or count < 1:
        said = (done.stdout + done.stderr).split("\n")
        why = next((line[-300:] for line in reversed(said) if line), "there is no C compiler")
        print(f"not compiled: {why}\n(all of it: {' '.join(command)})")
        return
    NOTE.write_text(digest)
    print(f"{count} modules compiled in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
