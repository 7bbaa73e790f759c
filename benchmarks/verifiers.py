"""One ed25519 signature checked, by what nearnet calls and by PyNaCl's own call; on two threads too."""

from __future__ import annotations

import threading
import time

from benchmarks.harness import Options, Result, by_turns
from nearnet.keys import SecretKey, check_signatures, signature_row

CHECKS = 2_000


def run(options: Options) -> list[Result]:
    """Ours beside PyNaCl's `VerifyKey.verify`."""
    key = SecretKey.from_seed("signer")
    digests = [number.to_bytes(32, "big") for number in range(options.size(CHECKS, 50))]
    checks = [signature_row(key.public_key, digest, key.sign(digest)) for digest in digests]

    def one(_: int) -> float:
        begun = time.thread_time()
        check_signatures(checks)
        return (time.thread_time() - begun) / len(checks)

    def two(_: int) -> float:
        threads = [threading.Thread(target=check_signatures, args=(checks,)) for _ in range(2)]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (time.monotonic() - begun) / len(checks) / 2

    return [
        by_turns(one, options).result("one signature", "x PyNaCl's verify"),
        by_turns(two, options).result("one signature, two threads", "x PyNaCl's verify, wall"),
    ]
