"""Which clauses hold no signs, letters or parts of characters that hide a word, for sure."""

from __future__ import annotations

import numpy as np

from pipeline.compiled.codes import Codes, Int
from pipeline.compiled.disguises import LETTERS, LONGEST, PARTS, SIGNS, Guises, value_of
from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.kinds import (
    ALNUM,
    APART,
    BETWEEN,
    CAPITAL,
    HAN,
    LETTER,
    N_KINDS,
    ODD,
    SPLIT,
    TOUCHING,
    Kinds,
)
from pipeline.compiled.trie import ROOT, Trie, child

_BREAK, _SPACE, _QUOTE, _ZERO, _ONE, _THREE = 10, 32, 39, 48, 49, 51
_LISTING = 0x3001
_STOPS = tuple(map(ord, "，,。！？!?；;…"))


@lean_kernel
def _has_joined(trie: Trie, text: Codes, start: int, middle: int, after: int, end: int) -> bool:
    """Whether ``text[start:middle]`` and ``text[after:end]`` make one."""
    node: Int = ROOT
    for place in range(start, end):
        if middle <= place < after:
            continue
        node = child(trie, node, text[place])
        if node == ROOT:
            return False
    return bool(trie.table[node, 1] > 0)


@lean_kernel
def _makes_word(text: Codes, size: int, start: int, end: int, kinds: Kinds, known: Trie) -> bool:
    """Whether the characters on both sides of ``text[start:end]`` make a word together."""
    left = start
    while left > 0 and start - left < LONGEST - 1 and kinds[left - 1] & HAN:
        left -= 1
    right = end
    while right < size and right - end < LONGEST - 1 and kinds[right] & HAN:
        right += 1
    for first in range(left, start):
        for after in range(end + 1, min(right, end + LONGEST - (start - first)) + 1):
            if _has_joined(known, text, first, start, end, after):
                return True
    return False


@lean_kernel
def _gaps(text: Codes, size: int, kinds: Kinds, known: Trie) -> bool:
    """A sign or more between two characters that belongs there not, or that parts a word."""
    for place in range(1, size):
        if not kinds[place - 1] & HAN or not kinds[place] & APART:
            continue
        end = place
        usual = listing = False
        while end < size and end - place < 3 and kinds[end] & APART:
            usual = usual or kinds[end] & BETWEEN
            listing = listing or text[end] == _LISTING
            end += 1
        parted = end < size and kinds[end] & HAN != 0
        if parted and (not usual or (not listing and _makes_word(text, size, place, end, kinds, known))):
            return True
    return False


@lean_kernel
def _between(code: Int, kind: np.uint32) -> bool:
    """Whether a character may stand between spaced-out ones: what stands apart, and stops."""
    if kind & APART:
        return True
    for stop in _STOPS:  # noqa: SIM110  # numba compiles no generator
        if code == stop:
            return True
    return False


@lean_kernel
def _spaced_out(text: Codes, size: int, kinds: Kinds) -> bool:
    """Three characters or more, each alone between signs."""
    alone = 0
    place = 0
    while place < size:
        if kinds[place] & HAN:
            unit = place + 1
            alone += 1
        elif kinds[place] & ALNUM:
            unit = place
            while unit < size and kinds[unit] & ALNUM:
                unit += 1
        else:
            alone = 0
            place += 1
            continue
        if alone >= 3:
            return True
        gap = unit
        while gap < size and _between(text[gap], kinds[gap]):
            gap += 1
        if gap == unit or gap - unit > 3:
            alone = 0
        place = gap
    return False


@lean_kernel
def _letters(text: Codes, size: int, kinds: Kinds, short: Trie) -> bool:
    """Letters that may spell or abbreviate a word: not a capital or two, not a short word by itself."""
    within = size
    for place in range(size):
        within -= text[place] == _SPACE or text[place] == _BREAK
    place = 0
    while place < size:
        if not kinds[place] & LETTER or (place and kinds[place - 1] & TOUCHING):
            place += 1
            continue
        end = place
        capital, simple = False, True
        letters = 0
        while end < size:
            code = text[end]
            follows = end + 1 < size and kinds[end + 1] & LETTER
            if kinds[end] & LETTER:
                capital = capital or kinds[end] & CAPITAL != 0
                letters += 1
            elif (code in (_ZERO, _ONE, _THREE) and follows) or (
                code == _ZERO and not (end + 1 < size and _ZERO <= text[end + 1] <= _ZERO + 9)
            ):
                letters += 1
                simple = False
            elif (code in (_SPACE, _QUOTE)) and follows:
                simple = False
            else:
                break
            end += 1
        before = place > 0 and kinds[place - 1] & HAN
        after = end < size and kinds[end] & HAN
        if simple:
            alone = not before and not after and end - place < within and (letters <= LONGEST or capital)
            quiet = alone or (capital and letters < LONGEST)
        else:
            ends = end == size or not kinds[end] & TOUCHING
            alone = False
            quiet = ends and capital and letters == end - place < LONGEST
        if not quiet or (not alone and value_of(short, text, place, end)):
            return True
        place = max(end, place + 1)
    return False


@lean_kernel
def _taken_apart(text: Codes, kinds: Kinds, splits: Trie) -> bool:
    """Two characters that are parts of one."""
    for place in range(len(text) - 1):
        if kinds[place] & SPLIT:
            part = child(splits, ROOT, text[place])
            if part != ROOT and child(splits, part, text[place + 1]) != ROOT:
                return True
    return False


@lean_kernel
def may_hide(text: Codes, kinds: Kinds, guises: Guises) -> np.uint8:
    """What may hide something in a clause: :data:`SIGNS`, :data:`LETTERS` and :data:`PARTS`; the other two are not looked for beside signs."""
    size = len(text)
    some, signs = np.uint32(0), 0
    for place in range(size):
        if text[place] >= N_KINDS:
            return SIGNS
        some |= kinds[place]
        signs += kinds[place] & (HAN | ALNUM) == 0
    if (
        some & ODD
        or (some & APART and _gaps(text, size, kinds, guises.known))
        or (signs >= 2 and _spaced_out(text, size, kinds))
    ):
        return SIGNS
    found = np.uint8(0)
    if some & LETTER and _letters(text, size, kinds, guises.short):
        found |= LETTERS
    if some & SPLIT and _taken_apart(text, kinds, guises.splits):
        found |= PARTS
    return found
