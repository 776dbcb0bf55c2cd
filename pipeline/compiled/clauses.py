"""Many texts cut into clauses at once."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.characters import N_CODE_POINTS, points
from pipeline.compiled.codes import Coded, Codes, Places
from pipeline.compiled.kernels import kernel
from pipeline.text.clauses import LONGEST, MARKS, SENTENCE_ENDS
from pipeline.text.normalise import LEADING_SIGNS

Offsets = npt.NDArray[np.int32]

_MARK, _SENTENCE_END, _LEADING, _BLANK, _CHARACTER = 1, 2, 4, 8, 16
"""What a code point can be, as bits: a mark between clauses, one between sentences, a bullet, a blank, a Chinese character."""


class ClauseArrays(NamedTuple):
    """The clauses of n texts in order: of text i, those from ``borders[i]`` to ``borders[i + 1]``.

    ``starts``, ``ends`` and ``sentences`` (a number for each clause) are those of
    :class:`pipeline.text.clauses.Clause`, relative to the text; ``borders`` (n + 1,) begins with 0.
    """

    starts: Offsets
    ends: Offsets
    sentences: Offsets
    borders: Places


@functools.cache
def _kinds() -> npt.NDArray[np.uint8]:
    blanks = "".join(filter(str.isspace, map(chr, range(0x10000))))
    kinds = np.zeros(N_CODE_POINTS, dtype=np.uint8)
    for kind, characters in (
        (_MARK, MARKS),
        (_SENTENCE_END, SENTENCE_ENDS),
        (_LEADING, LEADING_SIGNS),
        (_BLANK, blanks),
    ):
        kinds[points(characters)] |= kind
    kinds[0x4E00:0xA000] = _CHARACTER
    return kinds


@kernel
def _spaced_out(codes: Codes, first: int, last: int, start: int, kinds: npt.NDArray[np.uint8]) -> int:
    """Where the single characters with a mark between each two end that begin at ``start``, three or more; else ``start``.

    The text lies from ``first`` to ``last``.
    """
    if not kinds[codes[start]] & _CHARACTER or (start > first and kinds[codes[start - 1]] & _CHARACTER):
        return start
    place = start + 1
    while (
        place + 1 < last
        and kinds[codes[place]] & _MARK
        and kinds[codes[place + 1]] & _CHARACTER
        and not (place + 2 < last and kinds[codes[place + 2]] & _CHARACTER)
    ):
        place += 2
    return place if place >= start + 5 else start


@kernel
def _cut(
    codes: Codes,
    borders: Places,
    kinds: npt.NDArray[np.uint8],
    starts: Offsets,
    ends: Offsets,
    sentences: Offsets,
    clause_borders: Places,
) -> None:
    """Fill the arrays as :class:`ClauseArrays` has them; the number of clauses is the last of ``clause_borders``."""
    n = 0
    for text in range(len(borders) - 1):
        first, last = borders[text], borders[text + 1]
        clause_borders[text] = n
        sentence = 0
        place = first
        while place < last:
            new_sentence = False
            while place < last and kinds[codes[place]] & _MARK:
                new_sentence |= kinds[codes[place]] & _SENTENCE_END != 0
                place += 1
            start = place
            while place < last and not kinds[codes[place]] & _MARK:
                place = max(place + 1, _spaced_out(codes, first, last, place, kinds))
            if start < place and n > clause_borders[text] and new_sentence:
                sentence += 1
            end = place
            while start < end and kinds[codes[start]] & _LEADING:
                start += 1
            while end > start and kinds[codes[end - 1]] & _BLANK:
                end -= 1
            for cut in range(start, end, LONGEST):
                starts[n] = cut - first
                ends[n] = min(cut + LONGEST, end) - first
                sentences[n] = sentence
                n += 1
    clause_borders[len(borders) - 1] = n


def clauses(texts: Coded) -> ClauseArrays:
    """The clauses that :func:`pipeline.text.clauses.split_clauses` gives of each text."""
    n_texts = len(texts.borders) - 1
    most = (len(texts.codes) + n_texts) // 2 + len(texts.codes) // LONGEST
    starts, ends, sentences = (np.empty(most, dtype=np.int32) for _ in range(3))
    borders = np.empty(n_texts + 1, dtype=np.int64)
    _cut(*texts, _kinds(), starts, ends, sentences, borders)
    n = borders[-1]
    return ClauseArrays(starts[:n].copy(), ends[:n].copy(), sentences[:n].copy(), borders)
