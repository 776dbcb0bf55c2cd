"""Which clauses hold no disguised word for sure: all but a few in a hundred, whose words :mod:`pipeline.text.disguise` then reads.

Each rule here follows one step of that module and finds everything it would change, and a little more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, Int
from pipeline.compiled.cutting import ALNUM, Cut, Dictionary, cut_words
from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.trie import ROOT, VALUE, Trie, child, may_begin

HAN, ORDINARY, ODD, APART, BETWEEN, LETTER, CAPITAL, TOUCHING, COMMON, SPLIT = (
    np.uint16(1 << bit) for bit in (4, 5, 6, 7, 8, 9, 10, 11, 12, 15)
)
"""Kinds of characters, beside those of :mod:`pipeline.compiled.cutting`, as :func:`pipeline.classifier.compiled.tables.kinds` tells them:
ideographs; what changes nothing; what is changed by itself; what stands between spaced-out characters; of these, what stands there anyway
or ends a clause; letters; capitals; what makes letters part of a longer code; characters that stand for no other; the first
parts of taken-apart characters.
"""

_ALL = 1 << 16
_LONGEST = 4
_BREAK, _SPACE, _QUOTE, _ZERO, _ONE, _THREE = 10, 32, 39, 48, 49, 51
_LISTING = 0x3001


class Guises(NamedTuple):
    """What words are looked up in: ``known`` words and terms, ``plain`` windows that stand for nothing else, ``short`` initials, and ``splits``.

    ``sounds``, ``looks`` and ``turned`` have words as values (from 1), of which ``words`` (n, 4) are the characters and ``keys`` tells
    whether any may be changed; ``sound`` and ``look`` (65536,) are what characters count as in them.
    """

    known: Trie
    plain: Trie
    short: Trie
    splits: Trie
    sounds: Trie
    looks: Trie
    turned: Trie
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
        if node < 0:
            return 0
    return np.int64(trie.table[node, 1] & VALUE)


@lean_kernel
def _has_joined(trie: Trie, text: Codes, start: int, middle: int, after: int, end: int) -> bool:
    """Whether ``text[start:middle]`` and ``text[after:end]`` make one."""
    node: Int = ROOT
    for place in range(start, end):
        if middle <= place < after:
            continue
        node = child(trie, node, text[place])
        if node < 0:
            return False
    return bool(trie.table[node, 1] & VALUE)


@lean_kernel
def _makes_word(
    text: Codes, size: int, start: int, end: int, kinds: npt.NDArray[np.uint16], known: Trie
) -> bool:
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
def _gaps(text: Codes, size: int, kinds: npt.NDArray[np.uint16], known: Trie) -> bool:
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
def _spaced_out(size: int, kinds: npt.NDArray[np.uint16]) -> bool:
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
        while gap < size and not kinds[gap] & HAN and not kinds[gap] & ALNUM:
            gap += 1
        if gap == unit or gap - unit > 3:
            alone = 0
        place = gap
    return False


@lean_kernel
def _letters(text: Codes, size: int, kinds: npt.NDArray[np.uint16], short: Trie) -> bool:
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
def _reworded(text: Codes, count: int, cut: Cut, guises: Guises) -> bool:
    """Tokens that stand for a word of the same sound or look, or one written backwards."""
    for first in range(count - 1):
        start = cut.starts[first]
        one, two = text[start], text[start + 1]
        if one >= _ALL or two >= _ALL:
            return True
        if not (
            may_begin(guises.sounds, guises.sound[one], guises.sound[two])
            or may_begin(guises.looks, guises.look[one], guises.look[two])
            or may_begin(guises.turned, one, two)
        ):
            continue
        for after in range(first + 2, min(first + _LONGEST, count) + 1):
            end = cut.starts[after]
            if end - start > _LONGEST:
                break
            pair = cut.starts[first + 1] - start + 2
            if end - start == 2 * (after - first) == pair:
                continue
            if _stands_for(text, start, end, first, after, cut, guises):
                return True
    return False


@lean_kernel
def _likened(trie: Trie, text: Codes, start: int, end: int, likeness: npt.NDArray[np.uint16]) -> Int:
    node: Int = ROOT
    for place in range(start, end):
        code = text[place]
        node = child(trie, node, likeness[code] if code < _ALL else code)
        if node < 0:
            return 0
    return np.int64(trie.table[node, 1] & VALUE)


@lean_kernel
def _stands_for(text: Codes, start: int, end: int, first: int, after: int, cut: Cut, guises: Guises) -> bool:
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
            cut.starts[token + 1] - cut.starts[token] > 1 or (cut.kinds[cut.starts[token]] & COMMON != 0)
        ):
            return False
    return own or bool(guises.keys[word - 1])


@lean_kernel
def _turned(text: Codes, size: int, count: int, words: Dictionary, cut: Cut, back: Codes) -> bool:
    """Nearly no words make it up, and far fewer make it up when read from its end."""
    if size < 5 or count < 0.8 * size:
        return False
    for place in range(size):
        back[place] = text[size - 1 - place]
    fewer, _ = cut_words(back, size, words, cut, cut.starts, -1)
    return fewer <= (0.62 if size >= 7 else 0.5) * count


@lean_kernel
def may_be_disguised(
    text: Codes, size: int, count: int, words: Dictionary, cut: Cut, turned: Cut, back: Codes, guises: Guises
) -> bool:
    """Whether a clause of ``count`` tokens (``cut``) may hold a disguised word; ``turned`` and ``back`` are room."""
    kinds = cut.kinds
    ordinary = True
    split = False
    for place in range(size):
        ordinary = ordinary and kinds[place] & ORDINARY != 0
        split = split or kinds[place] & SPLIT != 0
    if not ordinary:
        for place in range(size):
            if kinds[place] & ODD or text[place] >= _ALL:
                return True
        if (
            _gaps(text, size, kinds, guises.known)
            or _spaced_out(size, kinds)
            or _letters(text, size, kinds, guises.short)
        ):
            return True
    if split:
        for place in range(size - 1):
            if kinds[place] & SPLIT:
                part = child(guises.splits, -1, text[place])
                if part >= 0 and child(guises.splits, part, text[place + 1]) >= 0:
                    return True
    return _turned(text, size, count, words, turned, back) or _reworded(text, count, cut, guises)
