"""MinHash signatures of texts (Broder 1997): equal texts have equal ones, edited copies nearly so."""

from __future__ import annotations

import functools
import re

import numpy as np
import numpy.typing as npt

from pipeline.text.normalise import NOISE

N_PERMUTATIONS = 128
SHORT = 60
"""Characters; in a text up to so long one negation turns what it says."""

NEGATIONS = "不没無无未非别勿莫"
_NEGATION = re.compile(f"[{NEGATIONS}]")


_SEED = 1

Hashes = npt.NDArray[np.uint32]


@functools.cache
def permutations() -> tuple[Hashes, Hashes]:
    """Factors (odd) and terms of h → factor · h + term modulo 2³², each of shape (``N_PERMUTATIONS``,).

    They are, as all of a signature, those of datasketch's ``MinHash(scheme="affine32", seed=1)``, whose import takes longer than
    a small run may.
    """
    drawn = np.random.RandomState(_SEED)
    factors = drawn.randint(0, 1 << 31, N_PERMUTATIONS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, drawn.randint(0, 1 << 32, N_PERMUTATIONS, dtype=np.uint32)


def _spread(hashes: Hashes) -> Hashes:
    """The finalizer of MurmurHash3 (Appleby 2011): every bit depends on every other."""
    once = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    twice = (once ^ (once >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return np.asarray(twice ^ (twice >> np.uint32(16)))


def shingles(text: str) -> Hashes:
    """Numbers of the distinct character 3-grams of a text without punctuation and blanks, ascending.

    Texts of fewer than three characters are padded, so that equal short texts have equal shingles.
    """
    bare = NOISE.sub("", text).lower().ljust(3, "\0")
    points = np.frombuffer(bare.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    mixed = points[:-2] * np.uint64(2_654_435_761) + points[1:-1] * np.uint64(40_503) + points[2:]
    return np.unique(mixed % np.uint64((1 << 32) - 5)).astype(np.uint32)


def signature(text: str) -> bytes:
    """``N_PERMUTATIONS`` MinHash values and a count of negations (0 for a long text), little-endian uint32.

    从来没拿过 and 从来拿过 share most of their shingles and say opposite things: the count tells them apart.
    """
    factors, terms = permutations()
    minima = (_spread(shingles(text))[:, np.newaxis] * factors + terms).min(axis=0)
    negations = len(_NEGATION.findall(text)) if len(text) <= SHORT else 0
    return bytes(np.append(minima, negations).astype("<u4").tobytes())
