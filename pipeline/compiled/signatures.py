"""Signatures of many texts at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.compiled.characters import UNSETTLED, bare_forms, marked
from pipeline.compiled.codes import Coded, Codes, Places
from pipeline.compiled.kernels import kernel
from pipeline.text.shingles import N_PERMUTATIONS, NEGATIONS, SHORT, permutations, signature


@kernel
def _bare(codes: Codes, forms: Codes, bare: Codes) -> int:
    """Write a text in lower case without punctuation and blanks, padded to three; its length, or 0 where that is not settled."""
    n = 0
    for code in codes:
        form = forms[code]
        if form == UNSETTLED:
            return 0
        if form != 0:
            bare[n] = form
            n += 1
    while n < 3:
        bare[n] = 0
        n += 1
    return n


@kernel
def _shingled(bare: Codes, hashes: Codes) -> None:
    """The shingle at each place, as in ``shingles``, through the finalizer of MurmurHash3 (Appleby 2011)."""
    for place in range(len(bare) - 2):
        first, second, third = np.uint64(bare[place]), np.uint64(bare[place + 1]), np.uint64(bare[place + 2])
        shingle = first * np.uint64(2_654_435_761) + second * np.uint64(40_503) + third
        mixed = np.uint32(shingle % np.uint64((1 << 32) - 5))
        mixed = np.uint32(mixed ^ (mixed >> 16))
        mixed = np.uint32(mixed * 0x85EBCA6B)
        mixed = np.uint32(mixed ^ (mixed >> 13))
        mixed = np.uint32(mixed * 0xC2B2AE35)
        hashes[place] = np.uint32(mixed ^ (mixed >> 16))


@kernel
def _take_minima(hashes: Codes, factors: Codes, terms: Codes, minima: Codes) -> None:
    """The least value of each permutation; the number of ``hashes`` is a multiple of four (four at a time are twice as fast)."""
    for k in range(N_PERMUTATIONS):
        minima[k] = 0xFFFFFFFF
    for place in range(0, len(hashes), 4):
        a, b, c, d = hashes[place], hashes[place + 1], hashes[place + 2], hashes[place + 3]
        for k in range(N_PERMUTATIONS):
            least = min(np.uint32(factors[k] * a + terms[k]), np.uint32(factors[k] * b + terms[k]))
            other = min(np.uint32(factors[k] * c + terms[k]), np.uint32(factors[k] * d + terms[k]))
            minima[k] = min(minima[k], least, other)


@kernel
def _signed(
    codes: Codes,
    borders: Places,
    forms: Codes,
    negations: npt.NDArray[np.bool_],
    factors: Codes,
    terms: Codes,
    rows: npt.NDArray[np.uint32],
    settled: npt.NDArray[np.bool_],
) -> None:
    """Fill ``rows``, but for those of texts that are not ``settled``."""
    longest = 0
    for text in range(len(borders) - 1):
        longest = max(longest, borders[text + 1] - borders[text])
    bare = np.empty(longest + 3, dtype=np.uint32)
    hashes = np.empty(longest + 4, dtype=np.uint32)
    for text in range(len(borders) - 1):
        own = codes[borders[text] : borders[text + 1]]
        length = _bare(own, forms, bare)
        settled[text] = length > 0
        if length == 0:
            continue
        _shingled(bare[:length], hashes)
        n = length - 2
        while n % 4:
            hashes[n] = hashes[n - 1]
            n += 1
        _take_minima(hashes[:n], factors, terms, rows[text])
        rows[text, N_PERMUTATIONS] = 0
        if len(own) <= SHORT:
            for code in own:
                rows[text, N_PERMUTATIONS] += negations[code]


def signatures(texts: Coded) -> npt.NDArray[np.uint32]:
    """A row for each text, (n, ``N_PERMUTATIONS`` + 1): the numbers of :func:`pipeline.text.shingles.signature`."""
    n = len(texts.borders) - 1
    rows = np.empty((n, N_PERMUTATIONS + 1), dtype=np.uint32)
    settled = np.empty(n, dtype=np.bool_)
    factors, terms = permutations()
    _signed(*texts, bare_forms(), marked(NEGATIONS), factors, terms, rows, settled)
    for number in np.flatnonzero(~settled):
        own = texts.codes[texts.borders[number] : texts.borders[number + 1]]
        text = own.tobytes().decode("utf-32-le", "surrogatepass")
        rows[number] = np.frombuffer(signature(text), dtype="<u4")
    return rows
