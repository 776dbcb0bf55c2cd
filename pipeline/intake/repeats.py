"""Exact and near repeats: copied and slightly edited opinions, grouped as they stream by."""

from __future__ import annotations

import numpy as np
from datasketch import MinHash, MinHashLSH

from pipeline.text.shingles import N_PERMUTATIONS

NEAR = 0.8
"""Estimated Jaccard similarity of character 3-grams from which two texts are one opinion repeated."""

_BANDS = (25, 5)


class Repeats:
    """An index of first occurrences. Memory grows with distinct opinions (0.5 kB each), never with text."""

    def __init__(self) -> None:
        self._index = MinHashLSH(num_perm=N_PERMUTATIONS, params=_BANDS)
        self._exact: dict[bytes, str] = {}

    def first_of(self, identity: str, signature: bytes) -> str:
        """Id of the earliest opinion that this one repeats, or "" where it is the first of its kind.

        Opinions without a signature (not valid) repeat nothing. Near repeats are compared with first occurrences
        only, so a chain of edits cannot drift: every member is near the opinion it is said to repeat.
        """
        if not signature:
            return ""
        if signature in self._exact:
            return self._exact[signature]
        values = np.frombuffer(signature, dtype="<u4")
        minhash = MinHash(num_perm=N_PERMUTATIONS, hashvalues=values, scheme="affine32", hashfunc=int)
        best, similarity = "", NEAR
        for candidate in sorted(self._index.query(minhash)):
            near = float(np.mean(np.frombuffer(candidate, dtype="<u4") == values))
            if near > similarity or (near == similarity and not best):
                best, similarity = self._exact[candidate], near
        self._exact[signature] = best or identity
        if not best:
            self._index.insert(signature, minhash, check_duplication=False)
        return best
