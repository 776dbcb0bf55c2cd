"""Features of clauses, by number: what :func:`pipeline.classifier.features.clause_features` gives, where nothing is disguised."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, Int, Places
from pipeline.compiled.cut import BEGIN, END, Cut, Dictionary, Ints, room
from pipeline.compiled.cutting import ngrams, read_words, tokens
from pipeline.compiled.disguises import WORDS, Guises
from pipeline.compiled.hidden_signs import may_hide
from pipeline.compiled.hidden_words import may_stand_for_others
from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.kinds import DIGIT, NUMERAL, Kinds
from pipeline.compiled.trie import ROOT, Trie, child

_NUMBER = 35
_POINT, _COMMA = 46, 44
_LONGEST_PATTERN = 8
_NAME = np.array([ord(character) for character in "〔姓名〕"], dtype=np.uint32)
_ROOM = 8
"""Features of one character but for pairs of classes, at most."""
_TOGETHER = 2048
"""Characters that are read at once: as many as what is known of them stays in a processor's own memory."""


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
    """Feature numbers of n clauses as they stand, repeats included: ``features[begins[i]:ends[i]]``.

    ``hidden`` (n,) tells what each may hold that stands for something else, 0 for nothing; see :mod:`pipeline.compiled.disguises`.
    """

    features: Ints
    begins: Places
    ends: Places
    hidden: npt.NDArray[np.uint8]


@lean_kernel
def _put(features: Ints, at: Int, feature: Int) -> Int:
    if feature < 0:
        return at
    features[at] = feature
    return at + 1


@lean_kernel
def _meanings(
    count: int, cut: Cut, meanings: Meanings, seen: npt.NDArray[np.int16], features: Ints, at: Int
) -> Int:
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
def _numbers(text: Codes, size: int, kinds: Kinds, folded: Codes) -> int:
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
def _patterns(folded: Codes, length: int, meanings: Meanings, features: Ints, at: Int) -> Int:
    """The class of the longest pattern around each number, of several the first."""
    for place in range(length):
        if folded[place] != _NUMBER:
            continue
        longest, found = 1, np.int64(0)
        for start in range(max(0, place - _LONGEST_PATTERN + 1), place + 1):
            node: Int = ROOT
            for end in range(start, min(length, start + _LONGEST_PATTERN)):
                node = child(meanings.patterns, node, folded[end])
                if node == ROOT:
                    break
                value = np.int64(meanings.patterns.table[node, 1])
                # what ends with the text is found among the longest, as slices beyond it are shorter than asked for
                span = _LONGEST_PATTERN if end + 1 == length else end + 1 - start
                if value and end >= place and span > longest:
                    longest, found = span, value
        if found:
            at = _put(features, at, meanings.alone[found - 1])
    return at


@lean_kernel
def _without_names(codes: Codes, start: int, end: int, text: Codes, at: int) -> int:
    """Copy ``codes[start:end]`` without marks of names to ``text`` from ``at`` on; returns where it ends."""
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
        text[at] = codes[place]
        at += 1
        place += 1
    return at


class Room(NamedTuple):
    """Room for clauses that are read at once, ``borders`` and their ``text``; for one, folded and turned round; and the classes met in it."""

    text: Codes
    borders: Places
    cut: Cut
    folded: Codes
    back: Codes
    turned: Cut
    seen: npt.NDArray[np.int16]

    def __repr__(self) -> str:
        """Without the text."""
        return f"Room({len(self.text)})"


@lean_kernel
def _gather(codes: Codes, starts: Places, ends: Places, first: int, room: Room) -> int:
    """Put clauses from ``first`` on side by side, at least one; returns how many. Clause i's characters end at ``borders[i + 1] - 1``, the next begins two further on."""
    many = at = 0
    while first + many < len(starts) and (
        not many or at + ends[first + many] - starts[first + many] + 2 <= _TOGETHER
    ):
        room.borders[many] = at
        room.text[at] = BEGIN
        at = _without_names(codes, starts[first + many], ends[first + many], room.text, at + 1)
        room.text[at] = END
        at += 1
        many += 1
    room.borders[many] = at
    return many


@lean_kernel
def _count(
    codes: Codes,
    starts: Places,
    ends: Places,
    words: Dictionary,
    meanings: Meanings,
    guises: Guises,
    room: Room,
    counted: Counted,
    first: int,
) -> int:
    """Fill ``counted`` from clause ``first`` on; returns the clause that there is no more room for, or their number."""
    features = counted.features
    cut = room.cut
    at: Int = counted.ends[first - 1] if first else 0
    while first < len(starts):
        if at + len(room.text) * (_ROOM + len(room.seen)) > len(features):
            return first
        many = _gather(codes, starts, ends, first, room)
        read_words(room.text, room.borders[many], words, cut)
        odd = figured = 0
        for number in range(many):
            begin, end = room.borders[number] + 1, room.borders[number + 1] - 1
            text, kinds = room.text[begin:end], cut.kinds[begin:end]
            while cut.odd[odd] < begin:
                odd += 1
            while cut.figured[figured] <= begin:
                figured += 1
            counted.begins[first + number] = at
            count = tokens(room.text, begin, end, words, cut)
            hidden = may_hide(text, kinds, guises) if cut.odd[odd] < end else np.uint8(0)
            if may_stand_for_others(text, kinds, count, words, cut, room.turned, room.back, guises):
                hidden |= WORDS
            counted.hidden[first + number] = hidden
            at = ngrams(begin, end, cut, features, at)
            at = _meanings(count, cut, meanings, room.seen, features, at)
            if cut.figured[figured] < end:  # else none of the patterns can be there
                length = _numbers(text, end - begin, kinds, room.folded)
                at = _patterns(room.folded, length, meanings, features, at)
            counted.ends[first + number] = at
        first += many
    return first


def count_clauses(
    codes: Codes, starts: Places, ends: Places, words: Dictionary, meanings: Meanings, guises: Guises
) -> Counted:
    """Features of the clauses ``codes[starts[i]:ends[i]]``."""
    n = len(starts)
    longest = int((ends - starts).max(initial=0)) + 2
    together = max(longest, _TOGETHER)
    text, folded, back = (np.empty(size, dtype=np.uint32) for size in (together, longest, longest))
    seen = np.empty(len(meanings.alone) + 1, dtype=np.int16)
    begins = np.empty(together // 2 + 1, dtype=np.int64)
    place = Room(text, begins, room(together), folded, back, room(longest), seen)
    features = np.empty(8 * int((ends - starts).sum()) + 200 * together, dtype=np.int32)
    begun, ended = np.empty((2, n), dtype=np.int64)
    counted = Counted(features, begun, ended, np.empty(n, dtype=np.uint8))
    done = 0
    while (done := _count(codes, starts, ends, words, meanings, guises, place, counted, done)) < n:
        counted = counted._replace(features=np.concatenate([counted.features, np.empty_like(features)]))
    return counted
