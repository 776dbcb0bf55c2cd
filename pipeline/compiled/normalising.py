"""Many texts normalised at once: one pass over the code points of those in which characters only vanish, fold and close up."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.characters import N_CODE_POINTS, UNICODE, every_character, points
from pipeline.compiled.codes import Codes, Places, coded
from pipeline.compiled.keeping import kept_tables
from pipeline.compiled.kernels import kernel
from pipeline.text.normalise import (
    BREAK_CHARACTERS,
    DROPPED,
    ESCAPES_BEGIN,
    FOLD,
    LEADING_SIGNS,
    SPACES,
    normalise,
    simplify,
)

_LEADING, _SIMPLIFIED, _FOREIGN, _DROPPED, _SPACE, _BREAK, _REFERRED = range(7)
"""Kinds of characters: signs that may not lead; others of GB2312; not in it; left out; blanks; breaks; left to :func:`normalise`."""

_CLEAN, _UNSIMPLIFIED, _UNTOUCHED = range(3)
"""What a text is after the pass: normalised; so but for OpenCC; one with an escape or a character that is referred."""

_PLANES = 0x20000
"""Beyond are rare ideographs, tags and private use: referred."""

_NO_GAP, _A_SPACE, _A_BREAK = range(3)


class _Characters(NamedTuple):
    """Of each code point, what it folds to (itself, for most) and the kind of that; of ASCII, the letter an escape goes on with, or 0."""

    folded: Codes
    kinds: npt.NDArray[np.uint8]
    escapes: Codes


@functools.cache
def _characters() -> _Characters:
    return kept_tables(_Characters, f"normalising-{UNICODE}", _made)


def _made() -> _Characters:
    every = every_character()
    kinds = np.full(N_CODE_POINTS, _REFERRED, dtype=np.uint8)
    kinds[points(_inert(every[:_PLANES]))] = _FOREIGN
    simplified = points(every[:0x10000].encode("gb2312", "ignore").decode("gb2312"))
    kinds[simplified] = np.where(kinds[simplified] == _FOREIGN, _SIMPLIFIED, _REFERRED)
    kinds[points(LEADING_SIGNS)] = _LEADING
    folded = np.arange(N_CODE_POINTS, dtype=np.uint32)
    for point, plain in FOLD.items():
        if kinds[point] != _REFERRED:
            folded[point] = ord(plain)
            kinds[point] = kinds[ord(plain)]
    kinds[points("".join(DROPPED.findall(every)))] = _DROPPED
    kinds[points("".join(SPACES.findall(every)))] = _SPACE
    kinds[points(BREAK_CHARACTERS)] = _BREAK
    escapes = np.zeros(128, dtype=np.uint32)
    for first, letter in ESCAPES_BEGIN.items():
        escapes[ord(first)] = ord(letter)
    return _Characters(folded, kinds, escapes)


def _inert(characters: str) -> str:
    """Those that do not decompose, are no marks and join no character before them: a text of these alone is NFC."""
    parts = (unicodedata.decomposition(character).split() for character in characters)
    joining = {chr(int(pair[1], 16)) for pair in parts if len(pair) == 2 and pair[0][0] != "<"}
    joining.update(map(chr, range(0x1161, 0x1200)))  # Hangul vowels and finals join by rule, not by list
    return "".join(
        character
        for character in characters
        if unicodedata.is_normalized("NFD", character)
        and not unicodedata.combining(character)
        and character not in joining
    )


@kernel
def _cleaned(
    codes: Codes,
    borders: Places,
    folded: Codes,
    kinds: npt.NDArray[np.uint8],
    escapes: Codes,
    cleaned: Codes,
    ends: Places,
    states: npt.NDArray[np.uint8],
) -> None:
    """Write the clean texts end to end into ``cleaned``, text i up to ``ends[i]``, and their states; of an untouched text nothing.

    ``escapes`` (128,): the small letter with which a character would begin an escape, 0 for most.
    """
    done = 0
    for text in range(len(borders) - 1):
        begin = done
        gap = _NO_GAP
        previous = np.uint32(0)
        states[text] = _CLEAN
        for code in codes[borders[text] : borders[text + 1]]:
            kind = kinds[code]
            if kind == _SPACE:
                gap = max(gap, _A_SPACE)
            elif kind == _BREAK:
                gap = _A_BREAK
            elif kind <= _FOREIGN and not (kind == _LEADING and done == begin):
                if gap != _NO_GAP and done > begin:
                    previous = np.uint32(10 if gap == _A_BREAK else 32)
                    cleaned[done] = previous
                    done += 1
                gap = _NO_GAP
                character = folded[code]
                if previous < 128 and escapes[previous] and character | 32 == escapes[previous]:
                    kind = _REFERRED
                elif kind == _FOREIGN:
                    states[text] = _UNSIMPLIFIED
                previous = character
                cleaned[done] = character
                done += 1
            if kind == _REFERRED:
                states[text] = _UNTOUCHED
                done = begin
                break
        ends[text] = done


def normalised(texts: Sequence[str]) -> list[str]:
    """``[normalise(text) for text in texts]``."""
    codes, borders = coded(texts)
    cleaned = np.empty(len(codes), dtype=np.uint32)
    ends = np.empty(len(texts), dtype=np.int64)
    states = np.empty(len(texts), dtype=np.uint8)
    _cleaned(codes, borders, *_characters(), cleaned, ends, states)
    joined = cleaned[: ends[-1] if len(ends) else 0].tobytes().decode("utf-32-le")
    result = []
    begin = 0
    for text, end, state in zip(texts, ends.tolist(), states.tolist(), strict=True):
        clean = joined[begin:end]
        if state == _UNTOUCHED or (state == _UNSIMPLIFIED and simplify(clean) != clean):
            clean = normalise(text)
        result.append(clean)
        begin = end
    return result
