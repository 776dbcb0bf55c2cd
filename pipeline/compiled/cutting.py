"""Segmentation and character n-grams in one walk: the likeliest words of a dictionary (as jieba, without new words), and features by the way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, Int
from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.trie import ROOT, VALUE, Trie, child, may_begin

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

DEEPEST = 16
"""Characters of the longest word that is looked for."""

NGRAM = 4
"""Characters of the longest n-gram."""

BLOCK, ALNUM, DIGIT, NUMERAL, BEFORE, BEHIND = (np.uint16(1 << bit) for bit in (0, 1, 2, 3, 13, 14))
"""Kinds of characters: what words are looked for in; ASCII letters and digits; ASCII digits; characters that write numbers;
what stands before and behind the number in a pattern."""

_OPEN, _CLOSE, _BREAK = 0x3014, 0x3015, 10
_END = 3
_AT_ENDS = 2
_LONGEST_MARK = 6
WORD_BITS = np.uint64(24)
_LOW = np.uint64((1 << 24) - 1)
_ALL = 1 << 16


class Dictionary(NamedTuple):
    """``strings`` hold words and n-grams; a node's value is its word's number (from 1) × 2²⁴ + its feature's (from 1).

    ``logs`` are the words' log probabilities, ``unknown`` that of a character that is no word; ``classes`` are the words' meaning
    classes (-1 for none). ``kinds`` (65536,) tells of each character which kinds it is of.
    """

    strings: Trie
    logs: Floats
    unknown: float
    classes: npt.NDArray[np.int16]
    kinds: npt.NDArray[np.uint16]


class Cut(NamedTuple):
    """Room for one clause: of each place the likeliest word's end, number (0 for none) and log probability of all from there on.

    ``blocks`` are 1 where words are looked for, 2 in a mark of masked data, else 0; ``kinds`` are the characters'. Of the tokens, in
    order, ``starts`` (and the end of the last), and ``classes``, their meaning classes. Of the strings that begin at each place: how
    deep they go (``depths``), the ``values`` of their nodes, depth by depth, and the last of the ``nodes``; ``going`` are places in work.
    """

    ends: Ints
    words: Ints
    scores: Floats
    blocks: npt.NDArray[np.uint8]
    kinds: npt.NDArray[np.uint16]
    starts: Ints
    classes: npt.NDArray[np.int16]
    going: Ints
    nodes: npt.NDArray[np.int64]
    depths: Ints
    values: npt.NDArray[np.uint64]


def room(length: int) -> Cut:
    """Room for clauses of up to so many characters."""
    return Cut(
        np.empty(length + 1, dtype=np.int32),
        np.empty(length + 1, dtype=np.int32),
        np.empty(length + 1, dtype=np.float64),
        np.empty(length + 1, dtype=np.uint8),
        np.empty(length + 1, dtype=np.uint16),
        np.empty(length + 2, dtype=np.int32),
        np.empty(length + 1, dtype=np.int16),
        np.empty(length, dtype=np.int32),
        np.empty(length, dtype=np.int64),
        np.empty(length, dtype=np.int32),
        np.empty((DEEPEST, length), dtype=np.uint64),
    )


@lean_kernel
def kind_of(kinds: npt.NDArray[np.uint16], code: Int) -> np.uint16:
    """Kinds of a character; beyond the table are only ideographs that words are looked for in, and signs."""
    if code < _ALL:
        return np.uint16(kinds[code])
    ideograph = 0x20000 <= code <= 0x2A6DF or 0x2A700 <= code <= 0x2EBEF or 0x2F800 <= code <= 0x2FA1F
    return BLOCK if ideograph else np.uint16(0)


@lean_kernel
def _find_blocks(text: Codes, size: int, words: Dictionary, cut: Cut) -> None:
    marked = False
    for place in range(size):
        code = text[place]
        kind = kind_of(words.kinds, code)
        cut.kinds[place] = kind
        cut.blocks[place] = np.uint8(kind & BLOCK)
        marked = marked or code == _OPEN
    cut.blocks[size] = 0
    place = 0 if marked else size
    while place < size:
        if text[place] == _OPEN:
            end = place + 1
            while (
                end < size
                and end - place <= _LONGEST_MARK
                and text[end] != _OPEN
                and text[end] != _CLOSE
                and text[end] != _BREAK
            ):
                end += 1
            if end < size and text[end] == _CLOSE and end > place + 1:
                cut.blocks[place : end + 1] = 2
                cut.ends[place] = end + 1
                place = end
        place += 1


@lean_kernel
def _walk(text: Codes, size: int, words: Dictionary, cut: Cut) -> None:
    """The strings that begin at each place, into ``values``, ``depths`` and ``nodes``.

    Depth by depth for all places at once, so that the memory is asked for many nodes at a time.
    """
    table = words.strings.table
    going = 0
    for place in range(size):
        node = child(words.strings, -1, text[place])
        cut.depths[place] = 0
        if node >= 0:
            cut.nodes[place], cut.values[0, place], cut.depths[place] = node, table[node, 1], 1
            cut.going[going] = place
            going += 1
    depth = 1
    while going and depth < DEEPEST:
        kept = 0
        for number in range(going):
            place = cut.going[number]
            if place + depth >= size:
                continue
            code = text[place + depth]
            if depth == 1 and not may_begin(words.strings, text[place], code):
                continue
            node = child(words.strings, cut.nodes[place], code)
            if node >= 0:
                cut.nodes[place], cut.values[depth, place], cut.depths[place] = (
                    node,
                    table[node, 1],
                    depth + 1,
                )
                cut.going[kept] = place
                kept += 1
        going = kept
        depth += 1


@lean_kernel
def _ngrams(text: Codes, size: int, words: Dictionary, cut: Cut, features: Ints, at: int) -> int:
    """The n-grams that were met, and what the text ends with, into ``features`` from ``at`` on; returns where they end."""
    for place in range(size):
        for depth in range(min(NGRAM, cut.depths[place])):
            feature = np.int64(cut.values[depth, place] & _LOW)
            features[at] = feature - 1
            at += 1 if feature > 0 else 0
    for length in range(1, min(_AT_ENDS, size) + 1):
        if cut.depths[size - length] == length:
            node = child(words.strings, cut.nodes[size - length], _END)
            if node >= 0:
                features[at] = np.int64(words.strings.table[node, 1] & _LOW) - 1
                at += 1
    return at


@lean_kernel
def _likeliest(size: int, words: Dictionary, cut: Cut) -> None:
    """The best word of each place, from the last to the first; of equal ones the longest."""
    for place in range(size - 1, -1, -1):
        if cut.blocks[place] != 1:
            continue
        end, word = place + 1, np.int64(0)
        best = words.unknown + (cut.scores[end] if cut.blocks[end] == 1 else 0.0)
        for depth in range(cut.depths[place]):
            after = place + depth + 1
            if cut.blocks[after - 1] != 1:
                break
            found = np.int64((cut.values[depth, place] & VALUE) >> WORD_BITS)
            if found:
                score = words.logs[found - 1] + (cut.scores[after] if cut.blocks[after] == 1 else 0.0)
                if score >= best or depth == 0:
                    best, end, word = score, after, found
        cut.scores[place], cut.ends[place], cut.words[place] = best, end, word


@lean_kernel
def _class_of(text: Codes, start: int, end: int, words: Dictionary) -> np.int16:
    node: Int = ROOT
    for place in range(start, end):
        node = child(words.strings, node, text[place])
        if node < 0:
            return np.int16(-1)
    word = np.int64((words.strings.table[node, 1] & VALUE) >> WORD_BITS)
    return words.classes[word - 1] if word else np.int16(-1)


@lean_kernel
def _collect(text: Codes, size: int, words: Dictionary, cut: Cut) -> int:
    """The tokens in order; single letters and digits in a row are one."""
    count = 0
    place = 0
    while place < size:
        cut.starts[count] = place
        kind = np.int16(-1)
        if cut.blocks[place] == 0:
            end = place + 1
        elif cut.blocks[place] == 2:
            end = cut.ends[place]
        else:
            end = cut.ends[place]
            word = cut.words[place]
            kind = words.classes[word - 1] if word else np.int16(-1)
            if end == place + 1 and cut.kinds[place] & ALNUM:
                while cut.blocks[end] == 1 and cut.ends[end] == end + 1 and cut.kinds[end] & ALNUM:
                    end += 1
                if end > place + 1:
                    kind = _class_of(text, place, end, words)
        cut.classes[count] = kind
        count += 1
        place = end
    cut.starts[count] = size
    return count


@lean_kernel
def cut_words(
    text: Codes, size: int, words: Dictionary, cut: Cut, features: Ints, at: int
) -> tuple[int, int]:
    """``(tokens, at)``: how many tokens ``text[:size]`` has, told in ``cut``; its n-grams go into ``features`` from ``at`` on, which is moved (none where below 0)."""
    _find_blocks(text, size, words, cut)
    _walk(text, size, words, cut)
    if at >= 0:
        at = _ngrams(text, size, words, cut, features, at)
    _likeliest(size, words, cut)
    return _collect(text, size, words, cut), at
