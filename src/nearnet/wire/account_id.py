"""Account ids (`wire.md` §3): 2 to 64 characters, dot-separated parts of letters, digits and single separators."""

from __future__ import annotations

import re

__all__ = ["valid_account_id"]

_ACCOUNT_ID = re.compile(r"(?:(?:[a-z0-9]+[-_])*[a-z0-9]+\.)*(?:[a-z0-9]+[-_])*[a-z0-9]+")


def valid_account_id(text: str) -> bool:
    """Whether `text` is an account id."""
    return 2 <= len(text) <= 64 and _ACCOUNT_ID.fullmatch(text) is not None
