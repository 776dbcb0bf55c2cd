"""First occurrences of opinions in less than 500 bytes each, found by compiled loops: for some thousands of opinions and more.

Gives what :class:`~pipeline.intake.repeats.PlainIndex` gives. Each band has a hash table of first occurrences (open
addressing, linear probing); signatures are compared where they lie.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.compiled.kernels import kernel
from pipeline.intake.repeats import ALIKE, BANDS, COMMON, Numbers, PlainIndex, Rows
from pipeline.text.shingles import N_PERMUTATIONS

_FULLEST = 0.85
"""Share of a table's slots that may be taken."""

_ROOM = 1.4
"""A table that is made anew has so many times the slots it needs at the moment."""

_FIRST_MIXER = np.uint64(0x9E3779B97F4A7C15)
_SECOND_MIXER = np.uint64(0xC2B2AE3D27D4EB4F)
_HALF = np.uint64(32)

Words = npt.NDArray[np.uint64]
Entries = npt.NDArray[np.uint32]


class CompiledIndex:
    """Goes on where a plain index stopped, with the same answers; at most 2³¹ opinions.

    An entry of ``_bands[band]`` is the place of a first occurrence counted from 1, in its lowest ``_bits`` bits, and above
    them some of its hash, so that few signatures are looked at in vain; 0 is an empty slot. ``_apart[first]`` has a bit for
    each band that was too common for it to be entered. ``_keys`` and ``_known`` are a table of all signatures met: a hash of
    64 bits, and the place, from 1, of the first occurrence that it repeats or is.
    """

    def __init__(self, plain: PlainIndex) -> None:
        self._length = 0
        self._met = 0
        self._rows = np.empty((0, N_PERMUTATIONS), dtype=np.uint16)
        self._numbers = np.empty(0, dtype=np.int32)
        self._apart = np.empty(0, dtype=np.uint32)
        self._bands = np.zeros((BANDS, 0), dtype=np.uint32)
        self._bits = 0
        self._keys = np.empty(0, dtype=np.uint64)
        self._known = np.zeros(0, dtype=np.uint32)
        self._adopt(plain)

    def firsts(self, rows: Rows, numbers: Numbers) -> Numbers:
        """As :class:`~pipeline.intake.repeats.Index` says."""
        self._make_room(len(rows))
        found = np.empty(len(rows), dtype=np.int64)
        self._length, new = _look_up(
            rows, rows.view(np.uint64), numbers, self._length,
            self._rows, self._rows.view(np.uint64), self._numbers, self._apart, self._bands, self._bits,
            self._keys, self._known, found,
        )  # fmt: skip
        self._met += new
        return found

    def _adopt(self, plain: PlainIndex) -> None:
        """Enter the first occurrences in their order, then what repeats them."""
        if plain.rows:
            self.firsts(np.array(plain.rows), np.array(plain.numbers, dtype=np.int64))
            self._make_room(len(plain.known))
            rows = np.frombuffer(b"".join(plain.known), dtype=np.uint64).reshape(-1, BANDS)
            _remember(rows, np.array([*plain.known.values()], dtype=np.int64), self._keys, self._known)
            self._met = len(plain.known)

    def _make_room(self, more: int) -> None:
        """Let everything hold so many signatures more, all of them new."""
        firsts, met = self._length + more, self._met + more
        if firsts > len(self._numbers):
            length = max(firsts, len(self._numbers) * 33 // 32)
            for array in (self._rows, self._numbers, self._apart):
                array.resize((length, *array.shape[1:]), refcheck=False)  # in place where the system can
        if firsts > _FULLEST * self._bands.shape[1]:
            slots = int(firsts / _FULLEST * _ROOM) + 1
            self._bits = slots.bit_length()
            self._bands = np.zeros((BANDS, 0), dtype=np.uint32)  # let go before the new one is there
            self._bands = np.zeros((BANDS, slots), dtype=np.uint32)
            _enter(self._rows.view(np.uint64), self._apart, self._length, self._bands, self._bits)
        if met > _FULLEST * len(self._known):
            slots = int(met / _FULLEST * _ROOM) + 1
            keys, known = np.empty(slots, dtype=np.uint64), np.zeros(slots, dtype=np.uint32)
            _move(self._keys, self._known, keys, known)
            self._keys, self._known = keys, known


@kernel
def _mixed(value: np.uint64) -> np.uint64:
    value *= _FIRST_MIXER
    return (value ^ (value >> _HALF)) * _SECOND_MIXER


@kernel
def _scaled(mixed: np.uint64, slots: int) -> np.int64:
    """The slot where a search for a hash begins, by its upper half."""
    return np.int64(((mixed >> _HALF) * np.uint64(slots)) >> _HALF)


@kernel
def _tag(mixed: np.uint64, bits: int) -> np.uint32:
    """As much of a hash's lower half as an entry can hold above so many bits, in its place."""
    return np.uint32(mixed << np.uint64(bits))


@kernel
def _hash(row: Words) -> np.uint64:
    mixed = _FIRST_MIXER
    for band in range(BANDS):
        mixed = _mixed(mixed ^ row[band])
    return mixed ^ (mixed >> _HALF)


@kernel
def _slot(key: np.uint64, keys: Words, known: Entries) -> np.int64:
    """Where a key is, or where it can be put."""
    slot = _scaled(key, len(keys))
    while known[slot] != 0 and keys[slot] != key:
        slot = slot + 1 if slot + 1 < len(keys) else np.int64(0)
    return slot


@kernel
def _remember(rows: Words, firsts: Numbers, keys: Words, known: Entries) -> None:
    for i in range(len(rows)):
        key = _hash(rows[i])
        slot = _slot(key, keys, known)
        keys[slot], known[slot] = key, firsts[i] + 1


@kernel
def _move(keys: Words, known: Entries, new_keys: Words, new_known: Entries) -> None:
    for old in range(len(keys)):
        if known[old] != 0:
            slot = _slot(keys[old], new_keys, new_known)
            new_keys[slot], new_known[slot] = keys[old], known[old]


@kernel
def _find(row: Words, bands: Entries, mixed: Words, slots: Numbers, entries: Entries) -> None:
    """Where the search begins in each band, and what is there: memory fetches all at once what is asked in one go."""
    for band in range(BANDS):
        mixed[band] = _mixed(row[band])
        slots[band] = _scaled(mixed[band], bands.shape[1])
        entries[band] = bands[band, slots[band]]


@kernel
def _enter(words: Words, apart: Entries, length: int, bands: Entries, bits: int) -> None:
    """Fill empty tables with the first occurrences, but for the bands that were too common."""
    size = bands.shape[1]
    mixed, slots = np.empty(BANDS, dtype=np.uint64), np.empty(BANDS, dtype=np.int64)
    entries = np.empty(BANDS, dtype=np.uint32)
    for first in range(length):
        _find(words[first], bands, mixed, slots, entries)
        for band in range(BANDS):
            if (apart[first] >> np.uint32(band)) & np.uint32(1) == 0:
                slot, entry = slots[band], entries[band]
                while entry != 0:
                    slot = slot + 1 if slot + 1 < size else 0
                    entry = bands[band, slot]
                bands[band, slot] = _tag(mixed[band], bits) | np.uint32(first + 1)


@kernel
def _alike(row: Rows, other: Rows) -> np.int64:
    """How many values are equal."""
    same = np.uint16(0)  # as wide as what is compared: so the loop becomes a few instructions
    for place in range(N_PERMUTATIONS):
        same = np.uint16(same + np.uint16(row[place] == other[place]))
    return np.int64(same)


@kernel
def _nearest(
    asked: Rows,
    asked_words: Words,
    rows: Rows,
    words: Words,
    bands: Entries,
    bits: int,
    mixed: Words,
    slots: Numbers,
    entries: Entries,
    sharing: Numbers,
) -> np.int64:
    """The likest first occurrence, the earliest of equally like ones, or -1 where none is near.

    Of each band, ``slots`` becomes where it can be entered, and ``sharing`` how many were there that share it.
    """
    size, low = bands.shape[1], np.uint32((np.uint64(1) << np.uint64(bits)) - np.uint64(1))
    best, most = np.int64(-1), np.int64(ALIKE - 1)
    _find(asked_words, bands, mixed, slots, entries)
    for band in range(BANDS):
        tag, slot, entry, shared = _tag(mixed[band], bits), slots[band], entries[band], 0
        while entry != 0:
            first = np.int64(entry & low) - 1
            if entry & ~low == tag and words[first, band] == asked_words[band]:
                shared += 1
                same = _alike(rows[first], asked)
                if same > most or (same == most and first < best):
                    best, most = first, same
            slot = slot + 1 if slot + 1 < size else 0
            entry = bands[band, slot]
        slots[band], sharing[band] = slot, shared
    return best


@kernel
def _look_up(
    asked: Rows,
    asked_words: Words,
    asked_numbers: Numbers,
    length: int,
    rows: Rows,
    words: Words,
    numbers: npt.NDArray[np.int32],
    apart: Entries,
    bands: Entries,
    bits: int,
    keys: Words,
    known: Entries,
    found: Numbers,
) -> tuple[int, int]:
    """Fill ``found``; how many first occurrences there are afterwards, and how many signatures were new."""
    mixed, entries = np.empty(BANDS, dtype=np.uint64), np.empty(BANDS, dtype=np.uint32)
    slots, sharing = np.empty(BANDS, dtype=np.int64), np.empty(BANDS, dtype=np.int64)
    new = 0
    for i in range(len(asked)):
        key = _hash(asked_words[i])
        place = _slot(key, keys, known)
        if known[place] == 0:
            new += 1
            best = _nearest(
                asked[i], asked_words[i], rows, words, bands, bits, mixed, slots, entries, sharing
            )
            if best < 0:
                best = np.int64(length)
                length += 1
                rows[best], numbers[best], apart[best] = asked[i], asked_numbers[i], 0
                for band in range(BANDS):
                    if sharing[band] < COMMON:
                        bands[band, slots[band]] = _tag(mixed[band], bits) | np.uint32(length)
                    else:
                        apart[best] |= np.uint32(1) << np.uint32(band)
            keys[place], known[place] = key, best + 1
        found[i] = numbers[np.int64(known[place]) - 1]
    return length, new
