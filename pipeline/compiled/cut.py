"""The dictionary that clauses are cut by, and room for what there is to know of them place by place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.kinds import Kinds
from pipeline.compiled.trie import Trie

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

DEEPEST = 16
"""Characters of the longest word that is looked for."""

NGRAM = 4
"""Characters of the longest n-gram."""

BEGIN, END = 2, 3
"""Code points of what stands before and behind each clause."""

CLASS_BITS, WORD_BITS = np.uint64(24), np.uint64(40)
FEATURE, CLASS = np.uint64((1 << 24) - 1), np.uint64((1 << 16) - 1)
"""Of a node's value the n-gram's feature (from 1); above it, in 16 bits, its meaning class (from 1); above both the word's place in the logarithms."""


class Dictionary(NamedTuple):
    """``strings`` hold words, all of :data:`BLOCK` characters, and n-grams; what their nodes' values are see :data:`FEATURE`.

    ``logs`` are log probabilities of words, the first that of a character that is no word. ``kinds`` (65536,) tells of each character
    which kinds it is of.
    """

    strings: Trie
    logs: Floats
    kinds: Kinds


class Cut(NamedTuple):
    """Room for clauses: of each place the likeliest word's end, its meaning class (from 1) and the log probability of all from there on.

    ``blocks`` are 1 where words are looked for, 2 in a mark of masked data, else 0; ``kinds`` are the characters'. Of the places, in
    order and with one behind the last, ``odd`` are those where something may be hidden, ``figured`` those at which a number and what stands
    beside one in a pattern meet. ``values`` are those of the strings that begin at each place, depth by depth, of n-grams 0 where there is
    none; of the words among them that are longer than a character ``longer`` has bits. ``ranks``, ``nodes`` and ``going`` (places) are in
    work. ``starts`` (and the end of the last) and ``classes`` are the tokens of one clause, counted from its beginning.
    """

    ends: Ints
    words: npt.NDArray[np.int16]
    scores: Floats
    blocks: npt.NDArray[np.uint8]
    kinds: Kinds
    odd: Ints
    figured: Ints
    starts: Ints
    classes: npt.NDArray[np.int16]
    longer: npt.NDArray[np.uint16]
    values: npt.NDArray[np.uint64]
    ranks: npt.NDArray[np.int64]
    nodes: npt.NDArray[np.int64]
    going: npt.NDArray[np.int64]


def room(length: int) -> Cut:
    """Room for clauses of so many characters together, their ends included."""
    return Cut(
        ends=np.empty(length + 1, dtype=np.int32),
        words=np.empty(length + 1, dtype=np.int16),
        scores=np.empty(length + 1, dtype=np.float64),
        blocks=np.empty(length + 1, dtype=np.uint8),
        kinds=np.empty(length + 1, dtype=np.uint32),
        odd=np.empty(length + 1, dtype=np.int32),
        figured=np.empty(length + 1, dtype=np.int32),
        starts=np.empty(length + 2, dtype=np.int32),
        classes=np.empty(length + 1, dtype=np.int16),
        longer=np.empty(length, dtype=np.uint16),
        values=np.empty((DEEPEST, length), dtype=np.uint64),
        ranks=np.empty(length + DEEPEST + 1, dtype=np.int64),
        nodes=np.empty(length + 1, dtype=np.int64),
        going=np.empty(length + 1, dtype=np.int64),
    )
