"""Segmentation and character n-grams in one walk: the likeliest words of a dictionary (as jieba, without new words), and features by the way.

Many clauses are read at once, each between :data:`~pipeline.compiled.cut.BEGIN` and :data:`~pipeline.compiled.cut.END`, which no word holds: what nodes are fetched for them is on its
way from memory together, and a clause's n-grams with its ends are found like any others.
"""

from __future__ import annotations

import numpy as np

from pipeline.compiled.codes import Codes, Int
from pipeline.compiled.cut import (
    CLASS,
    CLASS_BITS,
    DEEPEST,
    END,
    FEATURE,
    NGRAM,
    WORD_BITS,
    Cut,
    Dictionary,
    Ints,
)
from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.kinds import (
    ALNUM,
    BEFORE,
    BEHIND,
    BLOCK,
    DIGIT,
    NUMERAL,
    ORDINARY,
    REST,
    SPLIT,
    kind_of,
)
from pipeline.compiled.trie import ROOT, above, below, child, may_begin, may_go_on, rank_of

_OPEN, _CLOSE, _BREAK = 0x3014, 0x3015, 10
_LONGEST_MARK = 6
_FIGURE = DIGIT | NUMERAL
_ONE = np.uint16(1)


@lean_kernel
def _look(text: Codes, size: int, words: Dictionary, cut: Cut) -> None:
    """What each character is by itself and beside the one before it."""
    odd: Int = 0
    figured: Int = 0
    marked = False
    before = np.uint32(0)
    for place in range(size):
        code = text[place]
        kind = kind_of(words.kinds, code)
        cut.kinds[place] = kind
        cut.blocks[place] = np.uint8(kind & BLOCK)
        cut.ranks[place] = rank_of(words.strings, code)
        cut.odd[odd], cut.figured[figured] = place, place
        odd += np.int64((kind & ORDINARY == 0) | ((before & SPLIT > 0) & (kind & REST > 0)))
        figured += np.int64(
            ((before & BEFORE > 0) & (kind & _FIGURE > 0)) | ((before & _FIGURE > 0) & (kind & BEHIND > 0))
        )
        marked = marked or code == _OPEN
        before = kind
    cut.ranks[size : size + DEEPEST + 1] = 0
    cut.odd[odd], cut.figured[figured] = size, size
    if marked:
        _mark(text, size, cut)


@lean_kernel
def _mark(text: Codes, size: int, cut: Cut) -> None:
    """Marks of masked data, which are tokens."""
    place = 0
    while place < size:
        if text[place] == _OPEN:
            end = place + 1
            while (
                end < size
                and end - place <= _LONGEST_MARK
                and text[end] != _OPEN
                and text[end] != _CLOSE
                and text[end] != _BREAK
                and text[end] != END
            ):
                end += 1
            if end < size and text[end] == _CLOSE and end > place + 1:
                cut.blocks[place : end + 1] = 2
                cut.ends[place] = end + 1
                place = end
        place += 1


@lean_kernel
def _walk(size: int, words: Dictionary, cut: Cut) -> None:
    """The strings that begin at each place, into ``values`` and ``longer``.

    Depth by depth for all places at once, and without a branch on what is found, so that the memory is asked for many nodes at a time.
    """
    table = words.strings.table
    going: Int = 0
    for place in range(size):
        node = cut.ranks[place]
        cut.values[0, place], cut.longer[place] = table[node, 1], 0
        cut.nodes[going], cut.going[going] = node, place
        begun = np.int64(above(table[node, 0]) == ROOT)
        going += begun & may_begin(words.strings, node, cut.ranks[place + 1])
    cut.values[1:NGRAM, :size] = 0
    depth = 1
    while going and depth < DEEPEST:
        kept: Int = 0
        for number in range(going):
            place, parent = cut.going[number], cut.nodes[number]
            node = below(table[parent, 0], cut.ranks[place + depth])
            first = table[node, 0]
            found = np.int64(above(first) == parent)
            value = table[node, 1] * np.uint64(found)
            cut.values[depth, place] = value
            cut.longer[place] |= np.uint16(value >> WORD_BITS != 0) << np.uint16(depth - 1)
            cut.nodes[kept], cut.going[kept] = node, place
            kept += found & may_go_on(first, cut.ranks[place + depth + 1])
        going = kept
        depth += 1


@lean_kernel
def _likeliest(size: int, words: Dictionary, cut: Cut) -> None:
    """The best word of each place, from the last to the first; of equal ones the longest."""
    cut.scores[size] = 0.0
    for place in range(size - 1, -1, -1):
        if cut.blocks[place] != 1:
            cut.scores[place] = 0.0
            continue
        value = cut.values[0, place]
        best, end = words.logs[value >> WORD_BITS] + cut.scores[place + 1], place + 1
        longer, depth = cut.longer[place], 1
        while longer:
            if longer & _ONE:
                longer_value = cut.values[depth, place]
                score = words.logs[longer_value >> WORD_BITS] + cut.scores[place + depth + 1]
                if score >= best:
                    best, end, value = score, place + depth + 1, longer_value
            longer >>= _ONE
            depth += 1
        cut.scores[place], cut.ends[place] = best, end
        cut.words[place] = np.int16((value >> CLASS_BITS) & CLASS) if value >> WORD_BITS else np.int16(0)


@lean_kernel
def read_words(text: Codes, size: int, words: Dictionary, cut: Cut) -> None:
    """Fill ``cut`` with what there is to know of each place of ``text[:size]``, clauses each between :data:`BEGIN` and :data:`END`."""
    _look(text, size, words, cut)
    _walk(size, words, cut)
    _likeliest(size, words, cut)


@lean_kernel
def ngrams(begin: Int, end: Int, cut: Cut, features: Ints, at: Int) -> Int:
    """The n-grams of the clause between ``begin`` and ``end``, with its ends, into ``features`` from ``at`` on; returns where they end."""
    for place in range(begin - 1, end):
        for depth in range(NGRAM):
            feature = np.int64(cut.values[depth, place] & FEATURE)
            features[at] = feature - 1
            at += np.int64(feature > 0)
    return at


@lean_kernel
def _class_of(text: Codes, start: int, end: int, words: Dictionary) -> np.int16:
    node: Int = ROOT
    for place in range(start, end):
        node = child(words.strings, node, text[place])
        if node == ROOT:
            return np.int16(0)
    value = words.strings.table[node, 1]
    return np.int16((value >> CLASS_BITS) & CLASS) if value >> WORD_BITS else np.int16(0)


@lean_kernel
def tokens(text: Codes, begin: int, end: int, words: Dictionary, cut: Cut) -> int:
    """How many tokens the clause between ``begin`` and ``end`` has, told in ``cut``; single letters and digits in a row are one."""
    count = 0
    place = begin
    while place < end:
        cut.starts[count] = place - begin
        kind = np.int16(0)
        after = place + 1
        if cut.blocks[place]:
            after = cut.ends[place]
        if cut.blocks[place] == 1:
            kind = cut.words[place]
            if after == place + 1 and cut.kinds[place] & ALNUM:
                while cut.blocks[after] == 1 and cut.ends[after] == after + 1 and cut.kinds[after] & ALNUM:
                    after += 1
                if after > place + 1:
                    kind = _class_of(text, place, after, words)
        cut.classes[count] = kind - np.int16(1)
        count += 1
        place = after
    cut.starts[count] = end - begin
    return count
