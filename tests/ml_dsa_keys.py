"""Keys of ML-DSA-65 for tests, and a process with or without a library that verifies them (`network-2026.md` §3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from nearnet import keys
from nearnet.core.routing_table.edge import edge_digest
from nearnet.keys import PublicKey, SecretKey, Signature
from nearnet.ml_dsa import MlDsaCheck
from nearnet.wire.edge_bytes import Edge

__all__ = ["ODD_KEY", "ODD_SIGNATURE", "MlDsaKey", "edge_between", "verifying"]

ODD_KEY = PublicKey(b"\2" + bytes(range(32)) * 61)
"""Of the right length, and nobody's."""

ODD_SIGNATURE = Signature(b"\2" + bytes(range(256)) * 12 + bytes(237))


class MlDsaKey:
    """Signs, as `SecretKey` does, with a key of ML-DSA-65 that is always the same one for a name."""

    def __init__(self, name: str) -> None:
        self._key = MLDSA65PrivateKey.from_seed_bytes(hashlib.sha256(name.encode()).digest())
        self.public_key = PublicKey.from_bytes(b"\2" + self._key.public_key().public_bytes_raw())

    def sign(self, digest: bytes) -> Signature:
        """Another one each time: this type of signature has something random in it."""
        return Signature.from_bytes(b"\2" + self._key.sign(digest))


def edge_between(
    a: SecretKey | MlDsaKey, b: SecretKey | MlDsaKey, nonce: int = 1, removed_by: SecretKey | MlDsaKey | None = None
) -> Edge:
    """A valid edge between two keys of any type; an even nonce: removed by `removed_by`."""
    first, second = sorted((a, b), key=lambda key: key.public_key)
    ends = first.public_key, second.public_key
    active = nonce if nonce % 2 else nonce - 1
    signatures = [key.sign(edge_digest(*ends, active)) for key in (first, second)]
    remover = removed_by or first
    removal = None if nonce % 2 else (remover is first, remover.sign(edge_digest(*ends, nonce)))
    return Edge.build(*ends, nonce, *signatures, removal)


@contextmanager
def verifying(check: MlDsaCheck | None) -> Iterator[None]:
    """Verify such signatures by `check` within this block; None: as where no library can."""
    before = keys.use_ml_dsa(check)
    try:
        yield
    finally:
        keys.use_ml_dsa(before)
