"""Exact and near repeats: copied and slightly edited opinions, grouped as they stream by."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.text.shingles import N_PERMUTATIONS

NEAR = 0.6
"""Estimated Jaccard similarity of character 3-grams from which two texts are one opinion repeated."""

ALIKE = int(np.ceil(NEAR * N_PERMUTATIONS))
"""Equal values of two signatures that make it."""

BANDS = 32
COMMON = 64
"""First occurrences that are entered under the same values of a band; later ones are found by their other bands.

So many are shared by what no repeats are, by a form's standing phrases: walking them all would take time with the square
of the opinions.
"""

LARGE = 4096
"""Opinions from which on the loops are compiled: reading the compiled ones alone takes half a second."""

_AT_ONCE = 1024

Rows = npt.NDArray[np.uint16]
Numbers = npt.NDArray[np.int64]


class Repeats:
    """An index of first occurrences by bands of their signatures (locality-sensitive hashing, Indyk & Motwani 1998).

    A pair at similarity s shares a band of four with probability 1 - (1 - s⁴)³²: 0.99 at 0.6, 0.9998 at 0.7. Of each value
    the lowest 16 bits are kept (b-bit minwise hashing, Li & König 2010): 1 of 65,536 different ones passes for equal. Memory
    grows with distinct opinions (of many, 500 bytes each, and 20 for each different edited copy), never with text.
    """

    def __init__(self, large: int = LARGE) -> None:
        """``large``: opinions from which on the loops are compiled; the answers are the same."""
        self._large = large
        self._index: Index = PlainIndex()
        self._seen = 0
        self._names: dict[int, str] = {}

    def first_of(self, identity: str, signature: bytes, about: tuple[str, ...] = ()) -> str:
        """Id of the earliest opinion that this one repeats, or "" where it is the first of its kind.

        What :meth:`firsts` says, by the ids of opinions that all came by this method; it takes five times as long.
        """
        number = self._seen
        first = int(self.firsts([signature], [about])[0])
        if first != number:
            return self._names[first]
        if signature:
            self._names[number] = identity
        return ""

    def firsts(self, signatures: Sequence[bytes], abouts: Sequence[tuple[str, ...]]) -> Numbers:
        """For each opinion the number of the earliest one that it repeats, or its own; shape (n,).

        Opinions are numbered as they come, from 0, over all calls. The same words said of other departments (``abouts``) are
        another opinion, and so is a short text with a negation more or less. Opinions without a signature (not valid) repeat
        nothing. Near repeats are compared with first occurrences only, so a chain of edits cannot drift: every member is
        near the opinion it is said to repeat. Of several the likest is taken, of equally like ones the earliest.
        """
        found = np.arange(self._seen, self._seen + len(signatures), dtype=np.int64)
        valid = [place for place, signature in enumerate(signatures) if signature]
        for start in range(0, len(valid), _AT_ONCE):
            some = valid[start : start + _AT_ONCE]
            values = np.frombuffer(b"".join([signatures[place] for place in some]), dtype="<u4")
            values = values.reshape(len(some), N_PERMUTATIONS + 1)
            negations = values[:, -1].tolist()
            masks = [_mask(abouts[place], count) for place, count in zip(some, negations, strict=True)]
            rows = values[:, :-1].astype(np.uint16) ^ np.array(masks)
            found[some] = self._index_for(int(found[some[-1]])).firsts(rows, found[some])
        self._seen += len(signatures)
        return found

    def _index_for(self, number: int) -> Index:
        """The index, compiled from the ``large``-th opinion on."""
        if number >= self._large and isinstance(self._index, PlainIndex):
            from pipeline.intake.compiled_repeats import CompiledIndex  # noqa: PLC0415  # costs more than a small input

            self._index = CompiledIndex(self._index)
        return self._index


@functools.lru_cache(maxsize=4096)
def _mask(about: tuple[str, ...], negations: int) -> Rows:
    """What signatures of one sort are masked with, so that they are like none of another sort; shape (N_PERMUTATIONS,)."""
    sort = hashlib.shake_128(repr((about, negations)).encode())
    return np.frombuffer(sort.digest(2 * N_PERMUTATIONS), dtype=np.uint16)


class Index(Protocol):
    """First occurrences by the bands of their signatures."""

    def firsts(self, rows: Rows, numbers: Numbers) -> Numbers:
        """Number of the opinion that each one repeats, or its own: ``rows`` (n, N_PERMUTATIONS), ``numbers`` (n,) → (n,)."""


class PlainIndex:
    """An index of Python's own dicts, 10 kB a first occurrence.

    ``rows`` and ``numbers``: of each first occurrence. ``known``: row of every opinion met → the place of its first
    occurrence in these.
    """

    def __init__(self) -> None:
        self.rows: list[Rows] = []
        self.numbers: list[int] = []
        self.known: dict[bytes, int] = {}
        self._bands: dict[tuple[int, int], tuple[int, ...]] = {}

    def firsts(self, rows: Rows, numbers: Numbers) -> Numbers:
        """As :class:`Index` says."""
        return np.array(
            [self._first(*one) for one in zip(rows, numbers.tolist(), strict=True)], dtype=np.int64
        )

    def _first(self, row: Rows, number: int) -> int:
        key = row.tobytes()
        if key not in self.known:
            bands = list(enumerate(row.view(np.uint64).tolist()))
            near = self._nearest(row, bands)
            self.known[key] = self._entered(row, number, bands) if near is None else near
        return self.numbers[self.known[key]]

    def _nearest(self, row: Rows, bands: list[tuple[int, int]]) -> int | None:
        candidates = sorted({first for band in bands for first in self._bands.get(band, ())})
        if not candidates:
            return None
        alike = np.count_nonzero(np.array([self.rows[first] for first in candidates]) == row, axis=1)
        likest = int(alike.argmax())
        return candidates[likest] if alike[likest] >= ALIKE else None

    def _entered(self, row: Rows, number: int, bands: list[tuple[int, int]]) -> int:
        first = len(self.numbers)
        self.rows.append(row)
        self.numbers.append(number)
        for band in bands:
            sharing = self._bands.get(band, ())
            if len(sharing) < COMMON:
                self._bands[band] = (*sharing, first)
        return first
