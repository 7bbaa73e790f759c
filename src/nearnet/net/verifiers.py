"""Who checks ed25519 signatures: PyNaCl (libsodium), or another library that accepts nothing real nodes refuse.

`solders` (Rust's ed25519-dalek, strict) takes less time for one signature, but keeps the interpreter's lock, so threads
do not help it: on one core it is the faster one, on several PyNaCl is. The choice is the process's.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from nearnet import keys
from nearnet.core.routing_table.edge import build_edge, sign_edge
from nearnet.errors import ConfigError
from nearnet.keys import SecretKey, check_signatures, signature_row
from nearnet.wire.edge_bytes import Edge

if TYPE_CHECKING:
    from nearnet.keys import ManyChecks, Open

__all__ = ["VERIFIERS", "check_many_at_once", "choose", "current", "solders_open"]

VERIFIERS: Final = ("pynacl", "solders")

_MEASURED: Final = 32
"""Signatures that each thread checks to see who is faster: 4 ms in all."""

_log = logging.getLogger("nearnet.node")


def solders_open() -> Open:
    """A check in the form of libsodium's `crypto_sign_open`: 0 when it holds. `ConfigError` without solders."""
    try:
        from solders.pubkey import Pubkey
        from solders.signature import Signature
    except ImportError:
        raise ConfigError(
            "nearnet.verifier: solders is not installed; pip install 'nearnet[solders]', or choose pynacl"
        ) from None

    def check(_: object, __: object, signed: bytes, length: int, public: bytes) -> int:
        return 0 if Signature(signed[:64]).verify(Pubkey(public), signed[64:length]) else -1

    return check


def current() -> str:
    """The name of the one in use."""
    return "pynacl" if keys.uses_pynacl() else "solders"


def choose(name: str, threads: int) -> str:
    """Use this one from now on, or with ``auto`` the one that is faster here with so many threads; its name."""
    if name == "auto":
        name = _fastest(threads)
        _log.info("= verifier: %s is the fastest here", name)
    _use(name)
    return name


def check_many_at_once() -> bool:
    """Have PyNaCl's library check many signatures in one call, where numba is installed; whether it does now.

    Takes a third of a second and 110 MB, at its first time on a machine a second more: for a thread, on a node that
    has much to check.
    """
    if not keys.uses_pynacl():
        return False
    try:
        from nearnet.net import compiled_checks
    except ImportError:
        return False
    if not _is_right(compiled_checks):
        # Nobody's signature is taken on the word of a compiler.
        _log.error("! signatures are checked one by one: checked many at once they come out wrong here")
        return False
    keys.use_check(None, compiled_checks)
    return True


def _is_right(many: ManyChecks) -> bool:
    """Whether these find what is wrong, and nothing else."""
    key, other = SecretKey.from_seed("a signature to try with"), SecretKey.from_seed("another's")
    good = signature_row(key.public_key, bytes(32), key.sign(bytes(32)))
    bad = good[: -len(other.public_key) + 1] + other.public_key[1:]
    if [many.first_refused(rows, 0, 2) for rows in (good + good, good + bad, bad + good)] != [2, 1, 0]:
        return False
    edge, later = (
        build_edge(key, other.public_key, nonce, sign_edge(other, key.public_key, nonce).signature) for nonce in (1, 3)
    )
    wrong = (
        Edge.build(*edge.key, 1, edge.signature0, later.signature1),
        Edge.build(*edge.key, 1, later.signature0, edge.signature1),
    )
    return [many.first_refused_edge(edge + one, 2) for one in (later, *wrong)] == [2, 1, 1]


def _use(name: str) -> None:
    keys.use_check(None if name == "pynacl" else solders_open())


def _fastest(threads: int) -> str:
    times: dict[str, float] = {}
    for name in VERIFIERS:
        try:
            _use(name)
        except ConfigError:
            continue
        times[name] = _seconds(threads)
    return min(times, key=lambda name: times[name])


def _seconds(threads: int) -> float:
    """For `_MEASURED` checks on each thread."""
    key = SecretKey.from_seed("a signature to measure by")
    rows = [
        signature_row(key.public_key, digest, key.sign(digest))
        for digest in (bytes((n,)) * 32 for n in range(_MEASURED))
    ]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(check_signatures, [rows[:1]] * threads))  # the threads have started, the code is loaded
        begun = time.perf_counter()
        list(pool.map(check_signatures, [rows] * threads))
        return time.perf_counter() - begun
