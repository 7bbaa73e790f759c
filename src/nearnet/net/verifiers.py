"""Who checks ed25519 signatures: PyNaCl (libsodium), which accepts nothing that real nodes refuse.

Its check releases the interpreter's lock, so that threads help. Where numba is installed, one call of the same library
checks many signatures. The choice is the process's: `keys.use_check` is the seam for another library.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from nearnet import keys
from nearnet.core.routing_table.edge import build_edge, sign_edge
from nearnet.keys import SecretKey, signature_row
from nearnet.wire.edge_bytes import Edge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nearnet.config.field_types import VerifierName
    from nearnet.keys import ManyChecks, Open

__all__ = ["check_many_at_once", "choose", "current"]

_CHECKS: Final[Mapping[VerifierName, Open | None]] = {"auto": None, "pynacl": None}
"""The check of one signature, by the names of `nearnet.verifier`; None means PyNaCl's."""

_log = logging.getLogger("nearnet.node")


def choose(name: VerifierName) -> None:
    """Check the process's signatures with this library from now on, one by one until `check_many_at_once`."""
    keys.use_check(_CHECKS[name])


def current() -> str:
    """Return the name of the library in use: "another" after `keys.use_check` with a check that is not PyNaCl's."""
    return "pynacl" if keys.uses_pynacl() else "another"


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
