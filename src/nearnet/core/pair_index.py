"""Which slot holds the edge of two peers: a hash table in plain arrays, at 10 bytes an edge where a dict takes 106.

It grows by one bucket for every other edge (linear hashing), so that no edge waits for all others to be put anew.
"""

from __future__ import annotations

from array import array

__all__ = ["PairIndex"]

_END = 2**32 - 1
"""Ends a chain; no slot has this number."""

_LOAD = 2
"""Edges a bucket."""


class PairIndex:
    """Maps (first, second) to a slot, where the columns `first` and `second` hold the slots' pairs."""

    __slots__ = ("_chain", "_factors", "_first", "_heads", "_mask", "_second", "_size", "_split")

    def __init__(self, first: array[int], second: array[int], salt: int) -> None:
        """`salt`: a secret, so that nobody can choose pairs that share a bucket; it changes nothing that is seen."""
        self._first, self._second = first, second
        self._factors = salt % 2**29 | 1, (salt >> 29) % 2**29 | 1
        self._heads = array("I", [_END])
        """By bucket, its first slot."""
        self._chain = array("I")
        """By slot, the next one of its bucket."""
        self._mask = 0
        self._split = 0
        """Buckets before this one have been split in this doubling."""
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def _mixed(self, first: int, second: int) -> int:
        """Stays below 2**62 while there are fewer than 2**30 peers: larger numbers are objects, also where compiled."""
        factor0, factor1 = self._factors
        mixed = first * factor0 + second * factor1
        return mixed ^ mixed >> 17

    def _bucket(self, first: int, second: int) -> int:
        mixed = self._mixed(first, second)
        bucket = mixed & self._mask
        return mixed & (2 * self._mask + 1) if bucket < self._split else bucket

    def get(self, first: int, second: int) -> int | None:
        """The slot of this pair, None when it is not there."""
        slot = self._heads[self._bucket(first, second)]
        while slot != _END:
            if self._second[slot] == second and self._first[slot] == first:
                return slot
            slot = self._chain[slot]
        return None

    def add(self, slot: int, first: int, second: int) -> None:
        """A slot with its pair, which is in the columns, and not here yet."""
        heads, chain = self._heads, self._chain
        bucket = self._bucket(first, second)
        if slot == len(chain):
            chain.append(heads[bucket])
        else:
            chain[slot] = heads[bucket]
        heads[bucket] = slot
        self._size += 1
        if self._size > _LOAD * len(heads):
            self._grow()

    def remove(self, slot: int) -> None:
        """A slot whose pair is still in the columns."""
        chain = self._chain
        bucket = self._bucket(self._first[slot], self._second[slot])
        at = self._heads[bucket]
        if at == slot:
            self._heads[bucket] = chain[slot]
        else:
            while chain[at] != slot:
                at = chain[at]
            chain[at] = chain[slot]
        self._size -= 1

    def _grow(self) -> None:
        """One bucket more: it takes its share of the one that is next to be split."""
        chain, firsts, seconds = self._chain, self._first, self._second
        slot = self._heads[self._split]
        stays = goes = _END
        while slot != _END:
            following = chain[slot]  # One bit more of its hash (see `_bucket`) says where it belongs.
            if self._mixed(firsts[slot], seconds[slot]) & self._mask + 1:
                chain[slot], goes = goes, slot
            else:
                chain[slot], stays = stays, slot
            slot = following
        self._heads[self._split] = stays
        self._heads.append(goes)
        self._split += 1
        if self._split > self._mask:
            self._mask = 2 * self._mask + 1
            self._split = 0
