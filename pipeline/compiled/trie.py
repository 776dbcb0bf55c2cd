"""Strings as paths from one root, in one double array (Aoe 1989): what begins at a place of a text is found step by step, without cutting it out.

A node is the number of its row. The next character's rank added to the node's base is the row of the node one step on, if that row
names the node as its parent: one row is fetched a step, wherever in the text, so many steps can be on their way from memory at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, Int, Places, coded
from pipeline.compiled.kernels import kernel, lean_kernel

Table = npt.NDArray[np.uint64]
Nodes = npt.NDArray[np.int64]
Ranks = npt.NDArray[np.uint16]

ROOT = 0
"""Also what a step gives that no string takes: there is no way back to the root."""

_ROW_BITS, _NEXT_BITS = np.uint64(24), np.uint64(48)
_ROW = np.uint64((1 << 24) - 1)
_NOBODY = _ROW
_NEXT = 15
_ONE = np.uint64(1)
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_MOST_PAIRS = 21
"""Binary logarithm of the bits of ``pairs``, at most: a quarter of a megabyte, which a processor keeps near."""
_TRIES = 32
_SIZES = 20


class Trie(NamedTuple):
    """``table`` (n_rows, 2): base, parent and how it may go on in one number; the node's value (0 for none). ``ranks`` (n_codes,): of code points, from 1; 0 for none.

    How a string may go on are 16 bits, for the last four of each next rank; for the first two ranks ``pairs`` has bits: what is told to
    lead nowhere need not be fetched. ``pair_shift`` makes a place in ``pairs``. Rows lie as far beyond the last node as the highest rank
    goes, so that no step leads out of the table.
    """

    table: Table
    ranks: Ranks
    pairs: npt.NDArray[np.uint8]
    pair_shift: np.uint64


@lean_kernel
def rank_of(trie: Trie, code: Int) -> Int:
    """A code point's rank, 0 where no string holds it."""
    return np.int64(trie.ranks[code]) if code < len(trie.ranks) else np.int64(0)


@lean_kernel
def below(first: np.uint64, rank: Int) -> Int:
    """Where the node one step on is, if there is one: ``first`` is the first number of its parent's row."""
    return np.int64(first & _ROW) + rank


@lean_kernel
def above(first: np.uint64) -> Int:
    """The parent that a row names by its first number."""
    return np.int64((first >> _ROW_BITS) & _ROW)


@lean_kernel
def may_go_on(first: np.uint64, rank: Int) -> Int:
    """0 where no string goes on so from the node with this first number, else 1."""
    return np.int64((first >> (_NEXT_BITS + np.uint64(rank & _NEXT))) & _ONE)


@lean_kernel
def _pair(trie: Trie, first: Int, second: Int) -> Int:
    """Which bit of ``pairs`` tells of two ranks."""
    return np.int64(((np.uint64(first) << _ROW_BITS) | np.uint64(second)) * _MIXER >> trie.pair_shift)


@lean_kernel
def may_begin(trie: Trie, first: Int, second: Int) -> Int:
    """0 where no string begins with these ranks, else 1."""
    pair = _pair(trie, first, second)
    return np.int64(trie.pairs[pair >> 3] >> np.uint8(pair & 7) & np.uint8(1))


@lean_kernel
def child(trie: Trie, parent: Int, code: Int) -> Int:
    """The node one step on; :data:`ROOT` where no string goes on so."""
    node = below(trie.table[parent, 0], rank_of(trie, code))
    return node if above(trie.table[node, 0]) == parent else np.int64(ROOT)


@kernel
def _nodes(codes: Codes, borders: Places, order: Nodes) -> tuple[Nodes, Codes, Nodes]:
    """``(parents, last, ends)``: the nodes' parents and last characters, parents first (-1 for the root), and each string's node.

    ``order`` sorts the strings by code points.
    """
    parents = np.empty(len(codes), dtype=np.int64)
    last = np.empty(len(codes), dtype=np.uint32)
    ends = np.empty(len(order), dtype=np.int64)
    longest = 0
    for string in order:
        longest = max(longest, borders[string + 1] - borders[string])
    path = np.empty(longest, dtype=np.int64)
    made = 0
    begun, length = np.int64(0), np.int64(0)
    for string in order:
        begin, size = borders[string], borders[string + 1] - borders[string]
        shared = 0
        while shared < min(size, length) and codes[begin + shared] == codes[begun + shared]:
            shared += 1
        for depth in range(shared, size):
            parents[made] = path[depth - 1] if depth else -1
            last[made] = codes[begin + depth]
            path[depth] = made
            made += 1
        ends[string] = path[size - 1]
        begun, length = begin, size
    return parents[:made], last[:made], ends


@lean_kernel
def _free(following: Nodes, row: Int) -> Int:
    """The first free row from ``row`` on; ``following`` is the row itself where it is free, else one further on (Tarjan 1975)."""
    while following[row] != row:
        following[row] = following[following[row]]
        row = following[row]
    return np.int64(row)


@kernel
def _placed(
    families: Nodes,
    begins: Nodes,
    children: Nodes,
    ranks: Nodes,
    rows: Nodes,
    bases: Nodes,
    first: int,
    size: int,
) -> int:
    """Give the children of each family the first rows that are free at one base, from row ``first`` on; the last row taken, -1 where ``size`` are too few.

    A family looks on from where one of its size had to look long, so that full stretches are not searched again and again.
    """
    following = np.arange(size + 1)
    begun = np.full(_SIZES, first)
    last = first
    for family in families:
        begin, end = begins[family], begins[family + 1]
        lowest, span = ranks[children[begin]], ranks[children[end - 1]] - ranks[children[begin]]
        kind, tries = np.int64(np.log2(end - begin)), 0
        row = _free(following, begun[kind])
        while True:
            if row + span >= size:
                return -1
            base = row - lowest
            fits = True
            for number in range(begin + 1, end):
                place = base + ranks[children[number]]
                if following[place] != place:
                    fits = False
                    break
            if fits:
                break
            row = _free(following, row + 1)
            tries += 1
        if tries > _TRIES:
            begun[kind] = row
        bases[family] = base
        for number in range(begin, end):
            place = rows[children[number]] = base + ranks[children[number]]
            following[place] = place + 1
            last = max(last, place)
    return last


@lean_kernel
def _foresee(trie: Trie, parents: Nodes, ranks: Nodes, rows: Nodes) -> None:
    """Tell of each node how it may go on, and of each pair that it may begin a string."""
    for node in range(len(parents)):
        parent = parents[node]
        if parent < 0:
            continue
        trie.table[rows[parent], 0] |= _ONE << (_NEXT_BITS + np.uint64(ranks[node] & _NEXT))
        if parents[parent] < 0:
            pair = _pair(trie, ranks[parent], ranks[node])
            trie.pairs[pair >> 3] |= np.uint8(1) << np.uint8(pair & 7)


def trie_of(strings: Sequence[str], values: npt.ArrayLike | None = None) -> tuple[Trie, Nodes]:
    """``(trie, ends)``: the node that each string ends at. Strings may repeat; none is empty.

    ``values`` (n_strings,) are the ends' values; of a string that repeats the last one's.

    Raises:
        OverflowError: the strings are more than rows can be numbered for, sixteen million.
    """
    order = np.array(sorted(range(len(strings)), key=strings.__getitem__), dtype=np.int64)
    parents, last, ends = _nodes(*coded(strings), order)
    points, many = np.unique(last, return_counts=True)
    ranks = np.zeros(int(points.max(initial=0)) + 1, dtype=np.uint16)
    ranks[points[np.argsort(-many, kind="stable")]] = np.arange(1, len(points) + 1)
    rank = ranks[last].astype(np.int64)

    rows, bases = rank.copy(), np.zeros(len(rank), dtype=np.int64)  # what begins a string stands at its rank
    inner = np.flatnonzero(parents >= 0)
    children = inner[np.lexsort((rank[inner], parents[inner]))]
    sizes = np.bincount(parents[inner], minlength=len(parents))
    begins = np.concatenate([[0], np.cumsum(sizes)])
    families = np.flatnonzero(sizes)
    families = families[np.argsort(-sizes[families], kind="stable")]
    size = len(rows) + 2 * len(points) + 2
    while (end := _placed(families, begins, children, rank, rows, bases, len(points) + 1, size)) < 0:
        size *= 2
    if end + len(points) >= _ROW:
        raise OverflowError(f"{len(strings):,} strings")

    table = np.zeros((end + len(points) + 1, 2), dtype=np.uint64)
    table[:, 0] = _NOBODY << _ROW_BITS
    named = np.where(parents >= 0, rows[parents], ROOT).astype(np.uint64)
    table[rows, 0] = (named << _ROW_BITS) | bases.astype(np.uint64)
    bits = min(max(len(rank).bit_length(), 1) + 2, _MOST_PAIRS)
    trie = Trie(table, ranks, np.zeros(1 << (bits - 3), dtype=np.uint8), np.uint64(64 - bits))
    _foresee(trie, parents, rank, rows)
    if values is not None:
        put(trie, rows[ends], values)
    return trie, rows[ends]


def put(trie: Trie, ends: Nodes, values: npt.ArrayLike) -> None:
    """Give nodes their values; of a node given twice the last counts."""
    trie.table[ends, 1] = np.asarray(values, dtype=np.uint64)
