"""Which clauses hold nothing disguised for sure: all but a few in a hundred, which :mod:`pipeline.text.disguise` then reads.

Each rule here follows one step of that module and finds everything it would change, and a little more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, Int
from pipeline.compiled.cutting import BEGIN, END, Cut, Dictionary, read_words, tokens
from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.kinds import (
    ALNUM,
    APART,
    BETWEEN,
    CAPITAL,
    COMMON,
    HAN,
    LETTER,
    N_KINDS,
    ODD,
    SPLIT,
    TOUCHING,
    Kinds,
)
from pipeline.compiled.trie import ROOT, Trie, child

_LONGEST = 4
_BREAK, _SPACE, _QUOTE, _ZERO, _ONE, _THREE = 10, 32, 39, 48, 49, 51
_LISTING = 0x3001
_STOPS = tuple(map(ord, "，,。！？!?；;…"))
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_PAIR_BITS = 16

SIGNS, WORDS = np.uint8(1), np.uint8(2)
"""What a clause may hold: signs, letters or parts of characters that hide something; and words that stand for others."""

SHORT, LONG = np.uint8(1), np.uint8(2)
"""What two characters may begin: a term of these two, and a longer one."""


class Guises(NamedTuple):
    """What words are looked up in: ``known`` words and terms, ``plain`` windows that stand for nothing else, ``short`` initials, and ``splits``.

    ``sounds``, ``looks`` and ``turned`` have words as values (from 1), of which ``words`` (n, 4) are the characters and ``keys`` tells
    whether any may be changed; ``sound`` and ``look`` (65536,) are what characters count as in them. What two characters may begin in any
    of the three, ``sounding`` (n, n) tells by the numbers that ``syllables`` (65536,) gives them, and ``pairs`` by :func:`pair_of` them.
    """

    known: Trie
    plain: Trie
    short: Trie
    splits: Trie
    sounds: Trie
    looks: Trie
    turned: Trie
    syllables: npt.NDArray[np.uint16]
    sounding: npt.NDArray[np.uint8]
    pairs: npt.NDArray[np.uint8]
    words: Codes
    keys: npt.NDArray[np.bool_]
    sound: npt.NDArray[np.uint16]
    look: npt.NDArray[np.uint16]


@lean_kernel
def _has(trie: Trie, text: Codes, start: Int, end: Int) -> Int:
    """The value of ``text[start:end]``, 0 for none."""
    node: Int = ROOT
    for place in range(start, end):
        node = child(trie, node, text[place])
        if node == ROOT:
            return 0
    return np.int64(trie.table[node, 1])


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
    while left > 0 and start - left < _LONGEST - 1 and kinds[left - 1] & HAN:
        left -= 1
    right = end
    while right < size and right - end < _LONGEST - 1 and kinds[right] & HAN:
        right += 1
    for first in range(left, start):
        for after in range(end + 1, min(right, end + _LONGEST - (start - first)) + 1):
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
            alone = not before and not after and end - place < within and (letters <= _LONGEST or capital)
            quiet = alone or (capital and letters < _LONGEST)
        else:
            ends = end == size or not kinds[end] & TOUCHING
            alone = False
            quiet = ends and capital and letters == end - place < _LONGEST
        if not quiet or (not alone and _has(short, text, place, end)):
            return True
        place = max(end, place + 1)
    return False


@lean_kernel
def pair_of(one: Int, two: Int) -> Int:
    """Where :class:`Guises` keeps what two characters may begin, and here and there another two."""
    return np.int64(
        (np.uint64(one) << np.uint64(_PAIR_BITS) | np.uint64(two)) * _MIXER >> np.uint64(64 - _PAIR_BITS)
    )


@lean_kernel
def _reworded(text: Codes, kinds: Kinds, count: int, cut: Cut, guises: Guises) -> bool:
    """Tokens that stand for a word of the same sound or look, or one written backwards."""
    for first in range(count - 1):
        start, behind = cut.starts[first], cut.starts[first + 2]
        one, two = text[start], text[start + 1]
        if one >= N_KINDS or two >= N_KINDS:
            return True
        if behind - start > _LONGEST:
            continue
        begun = (
            guises.sounding[guises.syllables[one], guises.syllables[two]] | guises.pairs[pair_of(one, two)]
        )
        if not begun & (SHORT | LONG if behind - start == 2 else LONG):
            continue
        for after in range(first + 2, min(first + _LONGEST, count) + 1):
            end = cut.starts[after]
            if end - start > _LONGEST:
                break
            if not begun & (SHORT if end - start == 2 else LONG):
                continue
            pair = cut.starts[first + 1] - start + 2
            if end - start == 2 * (after - first) == pair:
                continue
            if _stands_for(text, kinds, start, end, first, after, cut, guises):
                return True
    return False


@lean_kernel
def _likened(trie: Trie, text: Codes, start: int, end: int, likeness: npt.NDArray[np.uint16]) -> Int:
    node: Int = ROOT
    for place in range(start, end):
        code = text[place]
        node = child(trie, node, likeness[code] if code < N_KINDS else code)
        if node == ROOT:
            return 0
    return np.int64(trie.table[node, 1])


@lean_kernel
def _stands_for(
    text: Codes,
    kinds: Kinds,
    start: int,
    end: int,
    first: int,
    after: int,
    cut: Cut,
    guises: Guises,
) -> bool:
    sound = _likened(guises.sounds, text, start, end, guises.sound)
    look = 0 if sound else _likened(guises.looks, text, start, end, guises.look)
    turned = _has(guises.turned, text, start, end)
    word = sound or look or turned
    if not word or _has(guises.plain, text, start, end):
        return False
    if word == turned:
        return after - first == end - start
    own = False
    for token in range(first, after):
        same = True
        for place in range(cut.starts[token], cut.starts[token + 1]):
            same = same and text[place] == guises.words[word - 1, place - start]
        own = own or same
        if not same and (
            cut.starts[token + 1] - cut.starts[token] > 1 or kinds[cut.starts[token]] & COMMON != 0
        ):
            return False
    return own or bool(guises.keys[word - 1])


@lean_kernel
def _turned(text: Codes, count: int, words: Dictionary, cut: Cut, back: Codes) -> bool:
    """Nearly no words make it up, and far fewer make it up when read from its end."""
    size = len(text)
    if size < 5 or count < 0.8 * size:
        return False
    back[0], back[size + 1] = BEGIN, END
    for place in range(size):
        back[size - place] = text[place]
    read_words(back, size + 2, words, cut)
    fewer = tokens(back, 1, size + 1, words, cut)
    return fewer <= (0.62 if size >= 7 else 0.5) * count


@lean_kernel
def _spelt(text: Codes, kinds: Kinds, guises: Guises) -> bool:
    """Whether signs, letters or parts of characters may hide anything."""
    size = len(text)
    some, signs = np.uint32(0), 0
    for place in range(size):
        if text[place] >= N_KINDS:
            return True
        some |= kinds[place]
        signs += kinds[place] & (HAN | ALNUM) == 0
    if (
        some & ODD
        or (some & APART and _gaps(text, size, kinds, guises.known))
        or (signs >= 2 and _spaced_out(text, size, kinds))
        or (some & LETTER and _letters(text, size, kinds, guises.short))
    ):
        return True
    if some & SPLIT:
        for place in range(size - 1):
            if kinds[place] & SPLIT:
                part = child(guises.splits, ROOT, text[place])
                if part != ROOT and child(guises.splits, part, text[place + 1]) != ROOT:
                    return True
    return False


@lean_kernel
def may_be_disguised(
    text: Codes,
    kinds: Kinds,
    odd: bool,
    count: int,
    words: Dictionary,
    cut: Cut,
    turned: Cut,
    back: Codes,
    guises: Guises,
) -> np.uint8:
    """What a clause of ``count`` tokens (``cut``) may hold: 0, :data:`SIGNS`, :data:`WORDS` or both.

    ``odd`` tells whether any of its places is; ``turned`` and ``back`` are room.
    """
    found = SIGNS if odd and _spelt(text, kinds, guises) else np.uint8(0)
    if _turned(text, count, words, turned, back) or _reworded(text, kinds, count, cut, guises):
        found |= WORDS
    return found
