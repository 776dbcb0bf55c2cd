"""What disguised words are found by, and what a clause may hold of them: see :mod:`pipeline.text.disguise`.

:mod:`pipeline.compiled.hidden_signs` and :mod:`pipeline.compiled.hidden_words` tell which clauses hold nothing disguised for sure: all but a
few in a hundred. Each of their rules follows one step of that module and finds everything it would change, and a little more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, Int
from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.trie import ROOT, Trie, child

LONGEST = 4
"""Characters of the longest words that are disguised."""

SIGNS, WORDS, LETTERS, PARTS = (np.uint8(1 << bit) for bit in range(4))
"""What a clause may hold: signs that hide something; words that stand for others; letters that do; and parts of characters."""

SHORT, LONG = np.uint8(1), np.uint8(2)
"""What two characters may begin: a term of these two, and a longer one."""

_MIXER = np.uint64(0x9E3779B97F4A7C15)
_PAIR_BITS = 16


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
def value_of(trie: Trie, text: Codes, start: Int, end: Int) -> Int:
    """The value of ``text[start:end]``, 0 for none."""
    node: Int = ROOT
    for place in range(start, end):
        node = child(trie, node, text[place])
        if node == ROOT:
            return 0
    return np.int64(trie.table[node, 1])


@lean_kernel
def pair_of(one: Int, two: Int) -> Int:
    """Where :class:`Guises` keeps what two characters may begin, and here and there another two."""
    return np.int64(
        (np.uint64(one) << np.uint64(_PAIR_BITS) | np.uint64(two)) * _MIXER >> np.uint64(64 - _PAIR_BITS)
    )
