"""MinHash signatures of texts (Broder 1997): equal texts have equal ones, edited copies nearly so."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.text.normalise import NOISE

N_PERMUTATIONS = 128
SHORT = 60
"""Characters; in a text up to so long one negation turns what it says."""

NEGATIONS = "不没無无未非别勿莫"
_NEGATION = re.compile(f"[{NEGATIONS}]")


@functools.cache
def empty_minhash() -> Any:
    """The ``MinHash`` of nothing: copied for every text, and its ``permutations`` are those of all signatures."""
    from datasketch import MinHash  # noqa: PLC0415  # costs more than the rest of this module together

    return MinHash(num_perm=N_PERMUTATIONS, seed=1, hashfunc=int, scheme="affine32", gpu_mode="disable")


def shingles(text: str) -> npt.NDArray[np.uint64]:
    """Numbers of the distinct character 3-grams of a text without punctuation and blanks, ascending.

    Texts of fewer than three characters are padded, so that equal short texts have equal shingles.
    """
    bare = NOISE.sub("", text).lower().ljust(3, "\0")
    points = np.frombuffer(bare.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    mixed = points[:-2] * np.uint64(2_654_435_761) + points[1:-1] * np.uint64(40_503) + points[2:]
    return np.unique(mixed % np.uint64((1 << 32) - 5))


def signature(text: str) -> bytes:
    """``N_PERMUTATIONS`` MinHash values and a count of negations (0 for a long text), little-endian uint32.

    从来没拿过 and 从来拿过 share most of their shingles and say opposite things: the count tells them apart.
    """
    minhash = empty_minhash().copy()
    minhash.update_batch(shingles(text).tolist())
    negations = len(_NEGATION.findall(text)) if len(text) <= SHORT else 0
    return bytes(np.append(minhash.hashvalues, negations).astype("<u4").tobytes())
