"""What the compiled loops look things up in, made of a model, its lexicon, the dictionary and the list of disguises."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from pipeline.classifier.compiled.features import Meanings
from pipeline.classifier.features import BEGIN, END, NEGATION_CLASSES
from pipeline.compiled import disguises as guise
from pipeline.compiled import kinds as k
from pipeline.compiled.codes import coded
from pipeline.compiled.cut import CLASS_BITS, NGRAM, WORD_BITS, Dictionary
from pipeline.compiled.disguises import Guises
from pipeline.compiled.trie import Trie, put, trie_of
from pipeline.lexicon import NUMBER, Lexicon
from pipeline.text import disguise
from pipeline.text.dictionary import frequencies
from pipeline.text.disguises import Disguises, load_disguises
from pipeline.text.segment import Segmenter

_SURROGATES = range(0xD800, 0xE000)
_BMP = [chr(point) for point in range(k.N_KINDS) if point not in _SURROGATES]
# what rjieba looks for words in
_BLOCK = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaffa-zA-Z0-9+#&\._%\-]"
_IN_WORDS = re.compile(_BLOCK[:-1] + "\U00020000-\U0002a6df\U0002a700-\U0002ebef\U0002f800-\U0002fa1f]")
_JAMO = r"[\u1100-\u11ff\uac00-\ud7af]"


def _points(pattern: str) -> npt.NDArray[np.int64]:
    """Code points of the characters that a pattern of one matches."""
    return np.array([ord(found) for found in re.findall(pattern, "".join(_BMP))], dtype=np.int64)


def _ordinals(characters: Iterable[str]) -> npt.NDArray[np.int64]:
    return np.array(
        [ord(character) for character in characters if ord(character) < k.N_KINDS], dtype=np.int64
    )


def _changed(listed: Disguises) -> npt.NDArray[np.int64]:
    """Code points that a reading of disguises changes by themselves, or joins to others."""
    decomposed = (
        ord(character)
        for character in _BMP
        if unicodedata.combining(character) or unicodedata.normalize("NFD", character) != character
    )
    listing = (point for point in (*listed.signs, *disguise.LOOKALIKES) if point < k.N_KINDS)
    adorned = _points(r"[\u24b6-\u24e9\u249c-\u24b5⓪①-⑳㉑-㉟\u20d0-\u20f0\ufe00-\ufe0f]")
    return np.array([*decomposed, *listing, *adorned, *_points(_JAMO), *_SURROGATES], dtype=np.int64)


@functools.lru_cache(maxsize=1)
def kinds(lexicon: Lexicon) -> k.Kinds:
    """Which kinds each character is of, (65536,); see :mod:`pipeline.compiled.kinds`."""
    listed = load_disguises()
    parts = [pattern.partition(NUMBER) for pattern in lexicon.patterns]
    table = np.zeros(k.N_KINDS, dtype=np.uint32)
    members: dict[np.uint32, npt.NDArray[np.int64]] = {
        k.BLOCK: _points(_BLOCK),
        k.ALNUM: _points("[0-9A-Za-z]"),
        k.DIGIT: _points("[0-9]"),
        k.NUMERAL: _points("[〇零一二两三四五六七八九十百千万亿几半]"),
        k.HAN: _points(f"[{disguise.HAN}]"),
        k.ORDINARY: _points(disguise.ORDINARY),
        k.ODD: _changed(listed),
        k.APART: _points(rf"{disguise.APART}|[%％]"),
        k.BETWEEN: _ordinals(disguise.MAY_STAND_BETWEEN),
        k.LETTER: _points("[A-Za-z]"),
        k.CAPITAL: _points("[A-Z]"),
        k.TOUCHING: _points("[A-Za-z0-9@._/-]"),
        k.COMMON: _ordinals(listed.common),
        k.SPLIT: _ordinals(form[0] for form in listed.whole),
        k.REST: _ordinals(form[1] for form in listed.whole),
        k.BEFORE: _ordinals(before[-1] for before, _, _ in parts if before),
        k.BEHIND: _ordinals(after[0] for _, _, after in parts if after),
    }
    for kind, points in members.items():
        table[points] |= kind
    return table


def met(words: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Of each word whether a text can hold it as one: of words with other characters none is looked for, whatever is listed."""
    codes, borders = coded(words)
    strange = [point for point in np.unique(codes).tolist() if not _IN_WORDS.fullmatch(chr(point))]
    met = np.ones(len(words), dtype=np.bool_)
    met[np.searchsorted(borders, np.flatnonzero(np.isin(codes, strange)), side="right") - 1] = False
    return met


def dictionary(vocabulary: dict[str, int], segmenter: Segmenter, classes: list[str]) -> Dictionary:
    """Words with what they mean, numbered as ``classes`` are, and the vocabulary's n-grams."""
    known, lexicon = frequencies(segmenter), segmenter.lexicon
    words = list(known)
    often = np.fromiter(known.values(), dtype=np.int64, count=len(known))
    unknown = -float(np.log(float(often.sum())))
    different, which = np.unique(np.maximum(often, 1), return_inverse=True)
    values = (which + 1).astype(np.uint64) << WORD_BITS
    number = {name: i for i, name in enumerate(classes, start=1)}
    place = dict(zip(words, range(len(words)), strict=True))
    means = np.array([number[name] for name in lexicon.classes.values()], dtype=np.uint64)
    values[[place[term] for term in lexicon.classes]] |= means << CLASS_BITS
    values[~met(words)] = 0
    ngrams = [
        feature for feature in vocabulary if len(feature) <= NGRAM or BEGIN in feature or END in feature
    ]
    strings, ends = trie_of([*words, *ngrams])
    put(strings, ends[: len(words)], values)
    strings.table[ends[len(words) :], 1] |= np.array(
        [vocabulary[feature] + 1 for feature in ngrams], dtype=np.uint64
    )
    return Dictionary(strings, np.concatenate([[unknown], np.log(different) + unknown]), kinds(lexicon))


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
    likeness = np.arange(k.N_KINDS, dtype=np.uint16)
    for point, plain in table.items():
        if point < k.N_KINDS:
            likeness[point] = ord(plain)
    return likeness


def _begun(form: str) -> np.uint8:
    return guise.SHORT if len(form) == 2 else guise.LONG


def _sounding(
    sounds: Iterable[str], sound: npt.NDArray[np.uint16]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8]]:
    """``syllables`` and ``sounding`` of :class:`Guises`."""
    number = {
        character: i for i, character in enumerate(sorted({c for form in sounds for c in form[:2]}), start=1)
    }
    numbers = np.zeros(k.N_KINDS, dtype=np.uint16)
    numbers[[ord(character) for character in number]] = list(number.values())
    sounding = np.zeros((len(number) + 1, len(number) + 1), dtype=np.uint8)
    for form in sounds:
        sounding[number[form[0]], number[form[1]]] |= _begun(form)
    return numbers[sound], sounding


def _pairs(changed: Iterable[tuple[Iterable[str], npt.NDArray[np.uint16]]]) -> npt.NDArray[np.uint8]:
    """``pairs`` of :class:`Guises`: of terms by what characters count as in them."""
    pairs = np.zeros(k.N_KINDS, dtype=np.uint8)
    for forms, counted in changed:
        alike: defaultdict[int, list[int]] = defaultdict(list)
        for point in np.flatnonzero(counted != np.arange(len(counted))).tolist():
            alike[int(counted[point])].append(point)
        for form in forms:
            either = [
                [*alike[point], *([point] if counted[point] == point else [])] for point in map(ord, form[:2])
            ]
            for one, two in product(*either):
                pairs[guise.pair_of(one, two)] |= _begun(form)
    return pairs


def guises(lexicon: Lexicon) -> Guises:
    """What disguised words are found by."""
    listed = load_disguises()
    words = sorted(listed.words)
    number = {word: i for i, word in enumerate(words, start=1)}
    letters = np.zeros((len(words), 4), dtype=np.uint32)
    for row, word in zip(letters, words, strict=True):
        row[: len(word)] = [ord(character) for character in word[:4]]

    sound, look = _likeness(listed.sound), _likeness(listed.look)
    syllables, sounding = _sounding(listed.sounds, sound)

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
        syllables=syllables,
        sounding=sounding,
        pairs=_pairs([(listed.looks, look), (listed.turned, _likeness({}))]),
        words=letters,
        keys=np.array([word in listed.keys for word in words]),
        sound=sound,
        look=look,
    )
