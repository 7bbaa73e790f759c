"""Check ML-DSA-65 signatures with the library `cryptography` (the extra `mldsa`; `network-2026.md` §3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["MlDsaCheck", "load"]

MlDsaCheck: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""Takes key, signature and signed bytes, all without their tags; tells whether the signature holds."""

_KEY_LENGTH = 1952


def load() -> MlDsaCheck | None:
    """Return a check of such signatures; None where no library has one.

    `cryptography` has it since release 48: release 47 has the module, but its wheels refuse every key. The import takes
    some 20 ms, so it is left until the first such key is met. A check takes about 150 µs, keeps the
    interpreter's lock for that long, so that threads gain nothing, and uses an empty context.
    """
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
    except ImportError:
        return None
    read = MLDSA65PublicKey.from_public_bytes
    try:
        read(bytes(_KEY_LENGTH))
    except UnsupportedAlgorithm:
        return None

    def check(key: bytes, signature: bytes, signed: bytes) -> bool:
        try:
            read(key).verify(signature, signed)
        except (InvalidSignature, ValueError):
            return False
        return True

    return check
