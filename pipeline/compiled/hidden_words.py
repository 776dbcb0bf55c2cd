"""Which clauses hold no words of other characters than they stand for, and none written backwards, for sure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, Int
from pipeline.compiled.cut import BEGIN, END, Cut, Dictionary
from pipeline.compiled.cutting import read_words, tokens
from pipeline.compiled.disguises import LONG, LONGEST, SHORT, Guises, pair_of, value_of
from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.kinds import COMMON, N_KINDS, Kinds
from pipeline.compiled.trie import ROOT, Trie, child


@lean_kernel
def _reworded(text: Codes, kinds: Kinds, count: int, cut: Cut, guises: Guises) -> bool:
    """Tokens that stand for a word of the same sound or look, or one written backwards."""
    for first in range(count - 1):
        start, behind = cut.starts[first], cut.starts[first + 2]
        one, two = text[start], text[start + 1]
        if one >= N_KINDS or two >= N_KINDS:
            return True
        if behind - start > LONGEST:
            continue
        begun = (
            guises.sounding[guises.syllables[one], guises.syllables[two]] | guises.pairs[pair_of(one, two)]
        )
        if not begun & (SHORT | LONG if behind - start == 2 else LONG):
            continue
        for after in range(first + 2, min(first + LONGEST, count) + 1):
            end = cut.starts[after]
            if end - start > LONGEST:
                break
            if not begun & (SHORT if end - start == 2 else LONG):
                continue
            pair = cut.starts[first + 1] - start + 2
            if end - start == 2 * (after - first) == pair:
                continue
            if _stands_for(text, kinds, start, end, first, after, cut, guises):
                return True
    return False


@lean_kernel
def _likened(trie: Trie, text: Codes, start: int, end: int, likeness: npt.NDArray[np.uint16]) -> Int:
    node: Int = ROOT
    for place in range(start, end):
        code = text[place]
        node = child(trie, node, likeness[code] if code < N_KINDS else code)
        if node == ROOT:
            return 0
    return np.int64(trie.table[node, 1])


@lean_kernel
def _stands_for(
    text: Codes,
    kinds: Kinds,
    start: int,
    end: int,
    first: int,
    after: int,
    cut: Cut,
    guises: Guises,
) -> bool:
    sound = _likened(guises.sounds, text, start, end, guises.sound)
    look = 0 if sound else _likened(guises.looks, text, start, end, guises.look)
    turned = value_of(guises.turned, text, start, end)
    word = sound or look or turned
    if not word or value_of(guises.plain, text, start, end):
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
            cut.starts[token + 1] - cut.starts[token] > 1 or kinds[cut.starts[token]] & COMMON != 0
        ):
            return False
    return own or bool(guises.keys[word - 1])


@lean_kernel
def _turned(text: Codes, count: int, words: Dictionary, cut: Cut, back: Codes) -> bool:
    """Nearly no words make it up, and far fewer make it up when read from its end."""
    size = len(text)
    if size < 5 or count < 0.8 * size:
        return False
    back[0], back[size + 1] = BEGIN, END
    for place in range(size):
        back[size - place] = text[place]
    read_words(back, size + 2, words, cut)
    fewer = tokens(back, 1, size + 1, words, cut)
    return fewer <= (0.62 if size >= 7 else 0.5) * count


@lean_kernel
def may_stand_for_others(
    text: Codes,
    kinds: Kinds,
    count: int,
    words: Dictionary,
    cut: Cut,
    turned: Cut,
    back: Codes,
    guises: Guises,
) -> bool:
    """Whether any of the ``count`` tokens of a clause (``cut``) may stand for others; ``turned`` and ``back`` are room."""
    return _turned(text, count, words, turned, back) or _reworded(text, kinds, count, cut, guises)
