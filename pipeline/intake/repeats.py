"""Exact and near repeats: copied and slightly edited opinions, grouped as they stream by."""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

from pipeline.text.shingles import N_PERMUTATIONS

NEAR = 0.6
"""Estimated Jaccard similarity of character 3-grams from which two texts are one opinion repeated."""

_BANDS = 32
_MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)


class Repeats:
    """An index of first occurrences by bands of their signatures (locality-sensitive hashing, Indyk & Motwani 1998).

    A pair at similarity s shares a band of four with probability 1 - (1 - s⁴)³²: 0.99 at 0.6, 0.9998 at 0.7. Memory
    grows with distinct opinions (4 kB each), never with text.
    """

    def __init__(self) -> None:
        self._exact: dict[tuple[tuple[str, ...], bytes], str] = {}
        self._firsts: list[tuple[str, tuple[str, ...], bytes]] = []
        # chains through (first, band) slots: the latest slot of each band value, and for each slot the one before it
        self._latest: dict[int, int] = {}
        self._before = array("q")

    def first_of(self, identity: str, signature: bytes, about: tuple[str, ...] = ()) -> str:
        """Id of the earliest opinion that this one repeats, or "" where it is the first of its kind.

        The same words said of other departments (``about``) are another opinion, and so is a short text with a
        negation more or less. Opinions without a signature (not
        valid) repeat nothing. Near repeats are compared with first occurrences only, so a chain of edits cannot
        drift: every member is near the opinion it is said to repeat.
        """
        if not signature:
            return ""
        key = (about, signature)
        if key not in self._exact:
            values = np.frombuffer(signature, dtype="<u4")
            bands = _bands(values[:N_PERMUTATIONS])
            first = self._nearest(values, bands, about)
            if not first:
                self._insert((identity, about, signature), bands)
            self._exact[key] = first or identity
            return first
        return self._exact[key]

    def _nearest(self, values: npt.NDArray[np.uint32], bands: list[int], about: tuple[str, ...]) -> str:
        candidates = set()
        for band in bands:
            slot = self._latest.get(band, -1)
            while slot >= 0:
                candidates.add(slot // _BANDS)
                slot = self._before[slot]
        best, similarity = "", 0.0
        for number in sorted(candidates):
            identity, theirs, signature = self._firsts[number]
            same = np.frombuffer(signature, dtype="<u4") == values
            near = float(np.mean(same[:N_PERMUTATIONS]))
            if theirs == about and same[-1] and near >= NEAR and near > similarity:
                best, similarity = identity, near
        return best

    def _insert(self, first: tuple[str, tuple[str, ...], bytes], bands: list[int]) -> None:
        slot = len(self._firsts) * _BANDS
        self._firsts.append(first)
        for offset, band in enumerate(bands):
            self._before.append(self._latest.get(band, -1))
            self._latest[band] = slot + offset


def _bands(values: npt.NDArray[np.uint32]) -> list[int]:
    """One number for each band of four values; equal bands in the same place have equal numbers."""
    pairs = values.view("<u8").reshape(_BANDS, N_PERMUTATIONS // _BANDS // 2)
    mixed = np.bitwise_xor.reduce(pairs * _MIXERS, axis=1) ^ np.arange(_BANDS, dtype=np.uint64)
    return mixed.tolist()  # type: ignore[no-any-return]  # numpy types tolist as Any
