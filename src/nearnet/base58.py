"""Base58 with Bitcoin's alphabet, as NEAR writes keys and hashes (`wire.md` §3)."""

from __future__ import annotations

from nearnet.errors import BadKey

__all__ = ["b58decode", "b58encode", "most_letters"]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_MAX_TEXT = 200
"""Longer than any key of ed25519 or secp256k1: decoding is quadratic in the length."""

_AT_ONCE = 5
"""Letters that are worked out together, so that a long key takes a fifth of the time: as many as fit into 30 bits, by
which Python divides a large number fastest."""

_STEP = 58**_AT_ONCE
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)


def b58encode(data: bytes) -> str:
    """The text form; each leading zero byte is a ``1``."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    letters: list[str] = []
    while number:
        number, part = divmod(number, _STEP)
        part, last = divmod(part, 58**2)
        first, middle = divmod(part, 58**2)
        letters += (_PAIRS[last], _PAIRS[middle], _ALPHABET[first])
    letters.reverse()
    return "1" * zeros + "".join(letters).lstrip("1")


def b58decode(text: str, most: int = _MAX_TEXT) -> bytes:
    """The inverse; `BadKey` for a letter that base58 has not, or a text of more than `most` letters."""
    if len(text) > most:
        raise BadKey(f"a base58 text of {len(text)} characters is longer than any key")
    number = 0
    for start in range(0, len(text), _AT_ONCE):
        part, base = 0, 1
        for letter in text[start : start + _AT_ONCE]:
            if letter not in _VALUE:
                raise BadKey(f"{letter!r} is no base58 character")
            part = part * 58 + _VALUE[letter]
            base *= 58
        number = number * base + part
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def most_letters(length: int) -> int:
    """Return how many letters the text of so many bytes has at most: one bit over log(256) / log(58) for each."""
    return length * 138 // 100 + 1
