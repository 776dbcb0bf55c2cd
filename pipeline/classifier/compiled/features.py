"""Features of clauses, by number: what :func:`pipeline.classifier.features.clause_features` gives, where nothing is disguised."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, Int, Places
from pipeline.compiled.cutting import BEFORE, BEHIND, DIGIT, NUMERAL, Cut, Dictionary, Ints, cut_words, room
from pipeline.compiled.disguises import Guises, may_be_disguised
from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.trie import ROOT, VALUE, Trie, child

_BEGIN, _NUMBER = 2, 35
_POINT, _COMMA = 46, 44
_FIGURE = DIGIT | NUMERAL
_LONGEST_PATTERN = 8
_NAME = np.array([ord(character) for character in "〔姓名〕"], dtype=np.uint32)
_LOW = np.uint64((1 << 24) - 1)
_ROOM = 8
"""Features of one character but for pairs of classes, at most."""


class Meanings(NamedTuple):
    """Features by meaning class: ``alone`` (n,), ``negated`` (n,) and ``pairs`` (n, n), -1 for what is none; ``negating`` (n,) classes.

    ``patterns`` of numbers, ``#`` standing for the number, have their class (from 1) as value.
    """

    alone: Ints
    negated: Ints
    pairs: npt.NDArray[np.int32]
    negating: npt.NDArray[np.bool_]
    patterns: Trie


class Counted(NamedTuple):
    """Feature numbers of n clauses, repeats included: ``features[borders[i]:borders[i + 1]]``.

    ``unsure`` are clauses that may hold a disguised word: they have none.
    """

    features: Ints
    borders: Places
    unsure: npt.NDArray[np.bool_]


@lean_kernel
def _put(features: Ints, at: int, feature: Int) -> int:
    if feature < 0:
        return at
    features[at] = feature
    return at + 1


@lean_kernel
def _meanings(
    count: int, cut: Cut, meanings: Meanings, seen: npt.NDArray[np.int16], features: Ints, at: int
) -> int:
    known = 0
    negated = False
    for token in range(count):
        kind = cut.classes[token]
        if kind < 0:
            continue
        at = _put(features, at, meanings.alone[kind])
        if negated:
            at = _put(features, at, meanings.negated[kind])
        new = True
        for earlier in range(known):
            at = _put(features, at, meanings.pairs[seen[earlier], kind])
            new = new and seen[earlier] != kind
        if new:
            seen[known] = kind
            known += 1
        negated = negated or meanings.negating[kind]
    return at


@lean_kernel
def _may_hold_pattern(kinds: npt.NDArray[np.uint16], size: int) -> bool:
    """Whether any number stands beside a character that one of the patterns has beside its number."""
    for place in range(size):
        if kinds[place] & _FIGURE and (
            (place > 0 and kinds[place - 1] & BEFORE) or (place + 1 < size and kinds[place + 1] & BEHIND)
        ):
            return True
    return False


@lean_kernel
def _numbers(text: Codes, size: int, kinds: npt.NDArray[np.uint16], folded: Codes) -> int:
    """The text with :data:`_NUMBER` for each number in it; its length, 0 where no number is."""
    place = length = 0
    found = False
    while place < size:
        kind = kinds[place]
        if kind & DIGIT:
            place += 1
            while place < size:
                if kinds[place] & DIGIT:
                    place += 1
                elif (
                    (text[place] == _POINT or text[place] == _COMMA)
                    and place + 1 < size
                    and kinds[place + 1] & DIGIT
                ):
                    place += 2
                else:
                    break
            folded[length] = _NUMBER
            found = True
        elif kind & NUMERAL:
            while place < size and kinds[place] & NUMERAL:
                place += 1
            folded[length] = _NUMBER
            found = True
        else:
            folded[length] = text[place]
            found = found or text[place] == _NUMBER
            place += 1
        length += 1
    return length if found else 0


@lean_kernel
def _patterns(folded: Codes, length: int, meanings: Meanings, features: Ints, at: int) -> int:
    """The class of the longest pattern around each number, of several the first."""
    for place in range(length):
        if folded[place] != _NUMBER:
            continue
        longest, found = 1, np.int64(0)
        for start in range(max(0, place - _LONGEST_PATTERN + 1), place + 1):
            node: Int = ROOT
            for end in range(start, min(length, start + _LONGEST_PATTERN)):
                node = child(meanings.patterns, node, folded[end])
                if node < 0:
                    break
                value = np.int64(meanings.patterns.table[node, 1] & VALUE)
                # what ends with the text is found among the longest, as slices beyond it are shorter than asked for
                span = _LONGEST_PATTERN if end + 1 == length else end + 1 - start
                if value and end >= place and span > longest:
                    longest, found = span, value
        if found:
            at = _put(features, at, meanings.alone[found - 1])
    return at


@lean_kernel
def _at_beginning(text: Codes, size: int, words: Dictionary, features: Ints, at: int) -> int:
    strings = words.strings
    node = child(strings, -1, _BEGIN)
    for place in range(min(2, size)):
        if node >= 0:
            node = child(strings, node, text[place])
            if node >= 0:
                at = _put(features, at, np.int64(strings.table[node, 1] & _LOW) - 1)
    return at


@lean_kernel
def _without_names(codes: Codes, start: int, end: int, text: Codes) -> int:
    size = 0
    place = start
    while place < end:
        if (
            codes[place] == _NAME[0]
            and place + 3 < end
            and codes[place + 1] == _NAME[1]
            and codes[place + 2] == _NAME[2]
            and codes[place + 3] == _NAME[3]
        ):
            place += 4
            continue
        text[size] = codes[place]
        size += 1
        place += 1
    return size


class Room(NamedTuple):
    """Room for one clause: its text, folded and turned round, its words both ways, and the classes met in it."""

    text: Codes
    folded: Codes
    back: Codes
    cut: Cut
    turned: Cut
    seen: npt.NDArray[np.int16]

    def __repr__(self) -> str:
        """Without the text."""
        return f"Room({len(self.text)})"


@lean_kernel
def _count(
    codes: Codes,
    starts: Places,
    ends: Places,
    plain: bool,
    words: Dictionary,
    meanings: Meanings,
    guises: Guises,
    room: Room,
    counted: Counted,
    first: int,
) -> int:
    """Fill ``counted`` from clause ``first`` on; returns the clause that there is no more room for, or their number."""
    features, borders, unsure = counted
    text, cut = room.text, room.cut
    at = borders[first]
    for clause in range(first, len(starts)):
        if at + (ends[clause] - starts[clause] + 1) * (_ROOM + len(room.seen)) > len(features):
            return clause
        size = _without_names(codes, starts[clause], ends[clause], text)
        count, after = cut_words(text, size, words, cut, features, at)
        unsure[clause] = not plain and may_be_disguised(
            text, size, count, words, cut, room.turned, room.back, guises
        )
        if not unsure[clause]:
            after = _meanings(count, cut, meanings, room.seen, features, after)
            if _may_hold_pattern(cut.kinds, size):
                length = _numbers(text, size, cut.kinds, room.folded)
                after = _patterns(room.folded, length, meanings, features, after)
            at = _at_beginning(text, size, words, features, after)
        borders[clause + 1] = at
    return len(starts)


def count_clauses(
    codes: Codes,
    starts: Places,
    ends: Places,
    words: Dictionary,
    meanings: Meanings,
    guises: Guises,
    *,
    plain: bool = False,
) -> Counted:
    """Features of the clauses ``codes[starts[i]:ends[i]]``; where they are known to be ``plain`` none is unsure."""
    n = len(starts)
    longest = int((ends - starts).max(initial=0)) + 1
    text, folded, back = (np.empty(longest, dtype=np.uint32) for _ in range(3))
    seen = np.empty(len(meanings.alone) + 1, dtype=np.int16)
    place = Room(text, folded, back, room(longest), room(longest), seen)
    features = np.empty(8 * int((ends - starts).sum()) + 200 * longest, dtype=np.int32)
    borders, unsure = np.zeros(n + 1, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    done = 0
    while True:
        counted = Counted(features, borders, unsure)
        done = _count(codes, starts, ends, plain, words, meanings, guises, place, counted, done)
        if done == n:
            return Counted(features[: borders[n]], borders, unsure)
        features = np.concatenate([features, np.empty_like(features)])
