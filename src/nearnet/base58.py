"""Base58 with Bitcoin's alphabet, as NEAR writes keys and hashes (`wire.md` §3)."""

from __future__ import annotations

from nearnet.errors import BadKey

__all__ = ["b58decode", "b58encode"]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_MAX_TEXT = 200
"""Longer than any key: decoding is quadratic in the length."""


def b58encode(data: bytes) -> str:
    """The text form; each leading zero byte is a ``1``."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    letters = []
    while number:
        number, digit = divmod(number, 58)
        letters.append(_ALPHABET[digit])
    return "1" * zeros + "".join(reversed(letters))


def b58decode(text: str) -> bytes:
    """The inverse; `BadKey` for a letter that base58 has not, or a text too long for any key."""
    if len(text) > _MAX_TEXT:
        raise BadKey(f"a base58 text of {len(text)} characters is longer than any key")
    number = 0
    for letter in text:
        if letter not in _VALUE:
            raise BadKey(f"{letter!r} is no base58 character")
        number = number * 58 + _VALUE[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
