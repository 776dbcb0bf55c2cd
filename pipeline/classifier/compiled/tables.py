"""What the compiled loops look things up in, made of a model, its lexicon, the dictionary and the list of disguises."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from pipeline.classifier.compiled.features import Meanings
from pipeline.classifier.features import BEGIN, END, NEGATION_CLASSES
from pipeline.compiled import disguises as guise
from pipeline.compiled.cutting import (
    ALNUM,
    BEFORE,
    BEHIND,
    BLOCK,
    DIGIT,
    NGRAM,
    NUMERAL,
    WORD_BITS,
    Dictionary,
)
from pipeline.compiled.disguises import Guises
from pipeline.compiled.trie import Trie, put, trie_of
from pipeline.lexicon import NUMBER, Lexicon
from pipeline.text import disguise
from pipeline.text.dictionary import frequencies
from pipeline.text.disguises import Disguises, load_disguises
from pipeline.text.segment import Segmenter

_ALL = 1 << 16
_SURROGATES = range(0xD800, 0xE000)
_BMP = [chr(point) for point in range(_ALL) if point not in _SURROGATES]
# what rjieba looks for words in
_BLOCK = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaffa-zA-Z0-9+#&\._%\-]"
_JAMO = r"[\u1100-\u11ff\uac00-\ud7af]"


def _points(pattern: str) -> npt.NDArray[np.int64]:
    """Code points of the characters that a pattern of one matches."""
    return np.array([ord(found) for found in re.findall(pattern, "".join(_BMP))], dtype=np.int64)


def _ordinals(characters: Iterable[str]) -> npt.NDArray[np.int64]:
    return np.array([ord(character) for character in characters if ord(character) < _ALL], dtype=np.int64)


def _changed(listed: Disguises) -> npt.NDArray[np.int64]:
    """Code points that a reading of disguises changes by themselves, or joins to others."""
    decomposed = (
        ord(character)
        for character in _BMP
        if unicodedata.combining(character) or unicodedata.normalize("NFD", character) != character
    )
    listing = (point for point in (*listed.signs, *disguise.LOOKALIKES) if point < _ALL)
    adorned = _points(r"[\u24b6-\u24e9\u249c-\u24b5⓪①-⑳㉑-㉟\u20d0-\u20f0\ufe00-\ufe0f]")
    return np.array([*decomposed, *listing, *adorned, *_points(_JAMO), *_SURROGATES], dtype=np.int64)


@functools.lru_cache(maxsize=1)
def kinds(lexicon: Lexicon) -> npt.NDArray[np.uint16]:
    """Which kinds each character is of, (65536,); see :mod:`pipeline.compiled.cutting` and :mod:`pipeline.compiled.disguises`."""
    listed = load_disguises()
    parts = [pattern.partition(NUMBER) for pattern in lexicon.patterns]
    table = np.zeros(_ALL, dtype=np.uint16)
    members: dict[np.uint16, npt.NDArray[np.int64]] = {
        BLOCK: _points(_BLOCK),
        ALNUM: _points("[0-9A-Za-z]"),
        DIGIT: _points("[0-9]"),
        NUMERAL: _points("[〇零一二两三四五六七八九十百千万亿几半]"),
        guise.HAN: _points(f"[{disguise.HAN}]"),
        guise.ORDINARY: _points(disguise.ORDINARY),
        guise.ODD: _changed(listed),
        guise.APART: _points(rf"{disguise.APART}|[%％]"),
        guise.BETWEEN: _ordinals(disguise.MAY_STAND_BETWEEN),
        guise.LETTER: _points("[A-Za-z]"),
        guise.CAPITAL: _points("[A-Z]"),
        guise.TOUCHING: _points("[A-Za-z0-9@._/-]"),
        guise.COMMON: _ordinals(listed.common),
        guise.SPLIT: _ordinals(form[0] for form in listed.whole),
        BEFORE: _ordinals(before[-1] for before, _, _ in parts if before),
        BEHIND: _ordinals(after[0] for _, _, after in parts if after),
    }
    for kind, points in members.items():
        table[points] |= kind
    return table


def dictionary(vocabulary: dict[str, int], segmenter: Segmenter, classes: list[str]) -> Dictionary:
    """Words with what they mean, numbered as ``classes`` are, and the vocabulary's n-grams."""
    known, lexicon = frequencies(segmenter), segmenter.lexicon
    words = list(known)
    logs = np.log(np.maximum(np.fromiter(known.values(), dtype=np.float64, count=len(known)), 1.0))
    unknown = -float(np.log(float(sum(known.values()))))
    number = {name: i for i, name in enumerate(classes)}
    place = dict(zip(words, range(len(words)), strict=True))
    kinds_of_words = np.full(len(words), -1, dtype=np.int16)
    kinds_of_words[[place[term] for term in lexicon.classes]] = [
        number[name] for name in lexicon.classes.values()
    ]
    ngrams = [
        feature for feature in vocabulary if len(feature) <= NGRAM or BEGIN in feature or END in feature
    ]
    strings, ends = trie_of([*words, *ngrams])
    values = np.zeros(len(strings.table), dtype=np.uint64)
    values[ends[: len(words)]] = np.arange(1, len(words) + 1, dtype=np.uint64) << WORD_BITS
    values[ends[len(words) :]] |= np.array([vocabulary[feature] + 1 for feature in ngrams], dtype=np.uint64)
    put(strings, ends, values[ends])
    return Dictionary(strings, logs + unknown, unknown, kinds_of_words, kinds(lexicon))


def meanings(vocabulary: dict[str, int], lexicon: Lexicon, classes: list[str]) -> Meanings:
    """Features of meaning classes."""

    def numbers(names: Iterable[str]) -> npt.NDArray[np.int32]:
        return np.array([vocabulary.get(name, -1) for name in names], dtype=np.int32)

    number = {name: i for i, name in enumerate(classes)}
    patterns, _ = trie_of(list(lexicon.patterns), [number[name] + 1 for name in lexicon.patterns.values()])
    return Meanings(
        alone=numbers(f"c:{name}" for name in classes),
        negated=numbers(f"n:{name}" for name in classes),
        pairs=numbers(f"p:{earlier}|{name}" for earlier in classes for name in classes).reshape(
            len(classes), len(classes)
        ),
        negating=np.array([name in NEGATION_CLASSES for name in classes]),
        patterns=patterns,
    )


def _likeness(table: dict[int, str]) -> npt.NDArray[np.uint16]:
    """What each character is translated to, itself where to nothing else."""
    likeness = np.arange(_ALL, dtype=np.uint16)
    for point, plain in table.items():
        if point < _ALL:
            likeness[point] = ord(plain)
    return likeness


def guises(lexicon: Lexicon) -> Guises:
    """What disguised words are found by."""
    listed = load_disguises()
    words = sorted(listed.words)
    number = {word: i for i, word in enumerate(words, start=1)}
    letters = np.zeros((len(words), 4), dtype=np.uint32)
    for row, word in zip(letters, words, strict=True):
        row[: len(word)] = [ord(character) for character in word[:4]]

    def by_word(table: dict[str, str]) -> Trie:
        return trie_of(list(table), [number[word] for word in table.values()])[0]

    def among(strings: Iterable[str]) -> Trie:
        found = sorted(strings)
        return trie_of(found, np.ones(len(found)))[0]

    return Guises(
        known=among({*words, *lexicon.classes}),
        plain=among({*words, *listed.plain}),
        short=among(listed.short),
        splits=among(listed.whole),
        sounds=by_word(listed.sounds),
        looks=by_word(listed.looks),
        turned=by_word(listed.turned),
        words=letters,
        keys=np.array([word in listed.keys for word in words]),
        sound=_likeness(listed.sound),
        look=_likeness(listed.look),
    )
