"""Strings as paths from one root, in one hash table: what begins at a place of a text is found step by step, without cutting it out.

A node is the number of the slot that holds its last step. Slots are probed linearly (Knuth 1998, vol. 3, 6.4); a step and the
node's value lie side by side, since fetching them from memory is what a look-up costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, Int, Places, coded
from pipeline.compiled.kernels import lean_kernel

Table = npt.NDArray[np.uint64]
Nodes = npt.NDArray[np.int64]

ROOT = -1
"""Also what a step gives that no string takes: there is no way back to the root."""

_DIRECT = 1 << 16
_MOST_PAIRS = 22
"""Binary logarithm of the bits of ``pairs``, at most: half a megabyte, which a processor keeps near."""
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_CODE_BITS = np.uint64(21)
_ONE = np.uint64(1)
_VALUE_BITS = 48
_FILTER = np.uint64(15)
_SMALLEST = 10
"""Binary logarithm of the smallest table's slots."""


VALUE = np.uint64((1 << _VALUE_BITS) - 1)
"""Of a node's second number the value; above it stands, in 16 bits, how the strings may go on."""


class Trie(NamedTuple):
    """``table`` (n_slots, 2): parent and code point in one number (0 for an empty slot); the node's value (0 for none) and its filter.

    A filter has a bit for the last four bits of each next code point: most steps that lead nowhere end at it, and cost no look-up.
    ``pairs`` is such a filter for the first two code points. ``firsts`` are the nodes one step from the root, by code point;
    ``shift`` makes a slot of a hash, ``pair_shift`` a place in ``pairs``.
    """

    table: Table
    firsts: npt.NDArray[np.int32]
    pairs: npt.NDArray[np.uint8]
    shift: np.uint64
    pair_shift: np.uint64


@lean_kernel
def _pair(trie: Trie, first: Int, second: Int) -> Int:
    """Which bit of ``pairs`` tells of two code points."""
    mixed = ((np.uint64(first) << _CODE_BITS) | np.uint64(second)) * _MIXER
    return np.int64(mixed >> trie.pair_shift)


@lean_kernel
def may_begin(trie: Trie, first: Int, second: Int) -> bool:
    """Whether any string may begin with two code points."""
    pair = _pair(trie, first, second)
    return bool(trie.pairs[pair >> 3] >> np.uint8(pair & 7) & np.uint8(1))


@lean_kernel
def _slot(trie: Trie, step: np.uint64) -> np.uint64:
    """Where a step is, or would be."""
    last = np.uint64(len(trie.table) - 1)
    slot = (step * _MIXER) >> trie.shift
    while trie.table[slot, 0] != step and trie.table[slot, 0] != np.uint64(0):
        slot = (slot + _ONE) & last
    return slot


@lean_kernel
def child(trie: Trie, parent: Int, code: Int) -> Int:
    """The node one step on; below 0 where no string goes on so."""
    if parent >= 0:
        if (
            trie.table[parent, 1] >> (np.uint64(_VALUE_BITS) + (np.uint64(code) & _FILTER))
        ) & _ONE == np.uint64(0):
            return np.int64(-1)
    elif code < _DIRECT:
        return np.int64(trie.firsts[code])
    step = (np.uint64(parent + 1) << _CODE_BITS) | np.uint64(code)
    slot = _slot(trie, step)
    return np.int64(slot) if trie.table[slot, 0] == step else np.int64(-1)


@lean_kernel
def _insert(trie: Trie, codes: Codes, borders: Places, ends: Nodes) -> bool:
    """Add strings; ``ends`` gets each one's last node. False where the table would be more than three quarters full."""
    made = 0
    for number in range(len(borders) - 1):
        node: Int = ROOT
        for place in range(borders[number], borders[number + 1]):
            code = codes[place]
            step = (np.uint64(node + 1) << _CODE_BITS) | np.uint64(code)
            slot = _slot(trie, step)
            if trie.table[slot, 0] == np.uint64(0):
                trie.table[slot, 0] = step
                made += 1
                if made * 4 > len(trie.table) * 3:
                    return False
            if node >= 0:
                trie.table[node, 1] |= _ONE << (np.uint64(_VALUE_BITS) + (np.uint64(code) & _FILTER))
            elif code < _DIRECT:
                trie.firsts[code] = np.int32(slot)
            if place == borders[number] + 1:
                pair = _pair(trie, codes[place - 1], code)
                trie.pairs[pair >> 3] |= np.uint8(1) << np.uint8(pair & 7)
            node = np.int64(slot)
        ends[number] = node
    return True


def trie_of(strings: Sequence[str], values: npt.ArrayLike | None = None) -> tuple[Trie, Nodes]:
    """``(trie, ends)``: the node that each string ends at. Strings may repeat; none is empty.

    ``values`` (n_strings,) are the ends' values, from 1; of a string that repeats the last one's.
    """
    codes, borders = coded(strings)
    ends = np.empty(len(borders) - 1, dtype=np.int64)
    bits = max(_SMALLEST, len(strings).bit_length())
    while True:
        pair_bits = min(bits + 4, _MOST_PAIRS)
        trie = Trie(
            np.zeros((1 << bits, 2), dtype=np.uint64),
            np.full(_DIRECT, ROOT, dtype=np.int32),
            np.zeros(1 << (pair_bits - 3), dtype=np.uint8),
            np.uint64(64 - bits),
            np.uint64(64 - pair_bits),
        )
        if _insert(trie, codes, borders, ends):
            break
        bits += 1
    if values is not None:
        put(trie, ends, np.asarray(values))
    return trie, ends


def put(trie: Trie, ends: Nodes, values: npt.ArrayLike) -> None:
    """Give nodes their values, below 2⁴⁸; of a node given twice the last counts."""
    second = trie.table[:, 1]
    kept = second[ends] & ~VALUE
    second[ends] = kept | np.asarray(values, dtype=np.uint64)
