"""Exact and near repeats: copied and slightly edited opinions, grouped as they stream by."""

from __future__ import annotations

import numpy as np
from datasketch import MinHash, MinHashLSH

from pipeline.text.shingles import N_PERMUTATIONS

NEAR = 0.6
"""Estimated Jaccard similarity of character 3-grams from which two texts are one opinion repeated."""

_BANDS = (32, 4)
"""A pair at similarity s becomes a candidate with probability 1 - (1 - s⁴)³²: 0.99 at 0.6, 0.9998 at 0.7."""

_Key = tuple[tuple[str, ...], bytes]


class Repeats:
    """An index of first occurrences. Memory grows with distinct opinions (0.5 kB each), never with text."""

    def __init__(self) -> None:
        self._index = MinHashLSH(num_perm=N_PERMUTATIONS, params=_BANDS)
        self._exact: dict[_Key, str] = {}

    def first_of(self, identity: str, signature: bytes, about: tuple[str, ...] = ()) -> str:
        """Id of the earliest opinion that this one repeats, or "" where it is the first of its kind.

        The same words said of other departments (``about``) are another opinion. Opinions without a signature (not
        valid) repeat nothing. Near repeats are compared with first occurrences only, so a chain of edits cannot
        drift: every member is near the opinion it is said to repeat.
        """
        if not signature:
            return ""
        key = (about, signature)
        if key in self._exact:
            return self._exact[key]
        values = np.frombuffer(signature, dtype="<u4")
        minhash = MinHash(num_perm=N_PERMUTATIONS, hashvalues=values, scheme="affine32", hashfunc=int)
        best, similarity = "", NEAR
        for candidate in sorted(self._index.query(minhash)):
            near = float(np.mean(np.frombuffer(candidate[1], dtype="<u4") == values))
            if candidate[0] == about and (near > similarity or (near == similarity and not best)):
                best, similarity = self._exact[candidate], near
        self._exact[key] = best or identity
        if not best:
            self._index.insert(key, minhash, check_duplication=False)
        return best
