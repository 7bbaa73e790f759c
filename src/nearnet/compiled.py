"""Where Python finds the compiled forms of the hottest modules (`setup.py` makes them; docs/performance.md).

Installed, they lie beside their sources. In a checkout, where sources change, `make compiled` puts them into
build/compiled, with a note of what they were made of: they count while the sources are still the same to the byte.
"""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from pathlib import Path

__all__ = ["BUILT", "NOTE", "digest_of_sources", "is_compiled", "is_current", "with_compiled"]

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parents[1]

BUILT = _CHECKOUT / "build" / "compiled"
NOTE = BUILT / "made-of"


def with_compiled(path: list[str], part: str) -> list[str]:
    """The `__path__` of a part of the package, with the folder of its compiled modules before it where that counts.

    `NEARNET_PURE=1` in the environment keeps a checkout to its sources.
    """
    return [str(BUILT / "nearnet" / part), *path] if is_current() else path


def is_compiled() -> bool:
    """Whether this process uses them."""
    return "nearnet.core.compiled__mypyc" in sys.modules


def digest_of_sources() -> str:
    """Of all that a checkout's compiled code depends on.

    The modules that are compiled, those whose constants they hold, the list of them, and this Python's version.
    """
    parts = [path for part in ("core", "wire") for path in (_PACKAGE / part).rglob("*.py")]
    names = ["keys.py", *(path.relative_to(_PACKAGE).as_posix() for path in parts)]
    digest = hashlib.sha256(str(sys.implementation.cache_tag).encode() + (_CHECKOUT / "setup.py").read_bytes())
    for name in sorted(names):
        digest.update(name.encode() + b"\0" + (_PACKAGE / name).read_bytes())
    return digest.hexdigest()


@cache
def is_current() -> bool:
    """Whether what `make compiled` made counts: it is of these sources, and wanted."""
    if os.environ.get("NEARNET_PURE"):
        return False
    try:
        return NOTE.read_text() == digest_of_sources()
    except OSError:
        return False
