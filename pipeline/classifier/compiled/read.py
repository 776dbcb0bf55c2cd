"""Opinions → readings, compiled: the same as :class:`pipeline.classifier.read.Reader` gives, many times faster from some hundreds of opinions on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.classifier.compiled.features import Counted, Meanings, count_clauses
from pipeline.classifier.compiled.kept import kept
from pipeline.classifier.compiled.scoring import best_run, score
from pipeline.classifier.compiled.tables import dictionary, guises, meanings
from pipeline.classifier.compiled.weights import Weights, by_frequency, weights_of
from pipeline.classifier.decisions import Probabilities
from pipeline.classifier.passages import Groups
from pipeline.classifier.read import Reader
from pipeline.compiled.clauses import ClauseArrays, clauses
from pipeline.compiled.codes import Coded, Places, coded
from pipeline.compiled.cut import Dictionary, Floats
from pipeline.compiled.disguises import LETTERS, WORDS, Guises
from pipeline.compiled.masking import masked
from pipeline.compiled.normalising import normalised
from pipeline.compiled.signatures import signatures
from pipeline.compiled.validity import validity
from pipeline.records import Opinion, Reading
from pipeline.text.clauses import Clause
from pipeline.text.disguise import plain_words, shown, unspelt
from pipeline.text.disguises import load_disguises
from pipeline.text.mask import NAME

CHUNK = 1000
"""Texts scored at once."""


class Terms(NamedTuple):
    """What features are found by; see :mod:`pipeline.classifier.compiled.tables`."""

    words: Dictionary
    meanings: Meanings
    guises: Guises


class Tables(NamedTuple):
    """All that scoring looks things up in; a process makes it once."""

    terms: Terms
    weights: Weights


@dataclass(frozen=True)
class _Seen:
    """A chunk of opinions, its clauses in one row (:class:`pipeline.classifier.sight.Sight`)."""

    reader: CompiledReader = field(repr=False)
    texts: list[str] = field(repr=False)
    valid: Sequence[bool]
    spans: ClauseArrays = field(repr=False)
    counted: Counted = field(repr=False)
    found: Probabilities = field(repr=False)
    shares: Floats = field(repr=False)
    signed: npt.NDArray[np.uint32] = field(repr=False)
    _clauses: dict[int, list[Clause]] = field(default_factory=dict, repr=False)

    def n_clauses(self, number: int) -> int:
        return int(self.spans.borders[number + 1] - self.spans.borders[number])

    def clauses(self, number: int) -> list[Clause]:
        if number not in self._clauses:
            mine = self._mine(number)
            columns = (self.spans.starts, self.spans.ends, self.spans.sentences)
            rows = zip(*(column[mine].tolist() for column in columns), strict=True)
            self._clauses[number] = list(map(Clause._make, rows))
        return self._clauses[number]

    def evidence(self, number: int, members: Sequence[int], label: int) -> tuple[int, int]:
        begin = int(self.spans.borders[number])
        if isinstance(members, range):  # all clauses: one by one they would take longer than the search
            places = np.arange(members.start + begin, members.stop + begin)
        else:
            places = np.array(members, dtype=np.int64) + begin
        first, last = best_run(self.shares, label, self.spans.sentences, places)
        return int(self.spans.starts[first]), int(self.spans.ends[last])

    def alone(self, number: int, parts: Groups) -> Probabilities:
        begin = self._mine(number).start
        members = np.array([clause for part in parts for clause in part], dtype=np.int64) + begin
        borders = np.cumsum([0, *map(len, parts)])
        found, _ = self.reader.scored_groups(self.spans, self.counted, members, borders)
        return found

    def signature(self, number: int) -> bytes:
        return bytes(self.signed[number].tobytes())

    def _mine(self, number: int) -> slice:
        return slice(int(self.spans.borders[number]), int(self.spans.borders[number + 1]))


@dataclass(frozen=True)
class CompiledReader:
    """A reader's double: same texts, labels and offsets, probabilities within 1e-6."""

    plain: Reader = field(repr=False)
    tables: Tables = field(repr=False)

    def read(self, opinions: Sequence[Opinion]) -> list[Reading]:
        """Read opinions, in order, as :meth:`Reader.read` does."""
        return self.plain.told(opinions, self._see([opinion.text for opinion in opinions]))

    def probabilities(self, opinions: Sequence[Opinion]) -> Floats:
        """Calibrated probabilities, as :meth:`Reader.probabilities` gives them."""
        parts = [opinions[at : at + CHUNK] for at in range(0, max(1, len(opinions)), CHUNK)]
        return np.vstack([self._probabilities(part) for part in parts])

    def _probabilities(self, opinions: Sequence[Opinion]) -> Floats:
        texts = masked(normalised([opinion.text for opinion in opinions]))
        valid = validity(texts)
        return (
            self.scored([text if ok else "" for text, ok in zip(texts, valid, strict=True)])
            * valid[:, np.newaxis]
        )

    def scored(self, texts: Sequence[str]) -> Floats:
        """From normalised, masked and valid texts, segmentation to probabilities: those of all labels, shape (n_texts, n_labels)."""
        clean = coded(texts)
        spans = clauses(clean)
        members = np.arange(len(spans.starts), dtype=np.int64)
        found, _ = self.scored_groups(spans, self._counted(clean, spans), members, spans.borders)
        return found.labels

    def scored_groups(
        self, spans: ClauseArrays, counted: Counted, members: Places, groups: Places, *, shared: bool = False
    ) -> tuple[Probabilities, Floats]:
        """Probabilities of groups of clauses, and with ``shared`` what each clause adds; see :func:`score`."""
        sizes = (spans.ends - spans.starts).astype(np.int64)
        whole, telling, lengths, shares = score(
            counted, sizes, members, groups, self.tables.weights, shared=shared
        )
        return self.plain.model.probabilities(whole, telling, lengths), shares

    def _see(self, texts: Sequence[str]) -> _Seen:
        clean = masked(normalised(texts))
        valid = validity(clean)
        of_valid = coded([text if ok else "" for text, ok in zip(clean, valid, strict=True)])
        spans = clauses(of_valid)
        counted = self._counted(of_valid, spans)
        members = np.arange(len(spans.starts), dtype=np.int64)
        found, shares = self.scored_groups(spans, counted, members, spans.borders, shared=True)
        signed = signatures(of_valid).astype("<u4", copy=False)
        return _Seen(self, clean, valid.tolist(), spans, counted, found, shares, signed)

    def _counted(self, texts: Coded, spans: ClauseArrays) -> Counted:
        """Features of all clauses; of those that something hides in, of what it stands for."""
        begin = np.repeat(texts.borders[:-1], np.diff(spans.borders))
        starts, ends = begin + spans.starts, begin + spans.ends
        counted = count_clauses(texts.codes, starts, ends, *self.tables.terms)
        changed: list[int] = []
        said: list[str] = []
        read: list[str] = []
        for clause in np.flatnonzero(counted.hidden).tolist():
            text = texts.codes[starts[clause] : ends[clause]].tobytes().decode("utf-32-le", "surrogatepass")
            text = text.replace(NAME, "")
            plain = self._plain(text, counted.hidden[clause])
            if plain != text:
                changed.append(clause)
                said.append(text)
                read.append(plain)
        if not changed:
            return counted
        second = self._counted_again(said, read)
        size = int(counted.ends[-1])
        counted.begins[changed], counted.ends[changed] = second.begins + size, second.ends + size
        features = np.concatenate([counted.features[:size], second.features[: second.ends[-1]]])
        return counted._replace(features=features)

    def _counted_again(self, said: Sequence[str], read: Sequence[str]) -> Counted:
        """Features of clauses ``said``, ``read`` plainly once: where that has bared something more, read to the end."""
        undone = coded(read)
        counted = count_clauses(undone.codes, undone.borders[:-1], undone.borders[1:], *self.tables.terms)
        if not counted.hidden.any():
            return counted
        segmenter = self.plain.segmenter
        undone = coded(
            [
                "".join(plain_words(text, segmenter, once)) if hidden else once
                for text, once, hidden in zip(said, read, counted.hidden.tolist(), strict=True)
            ]
        )
        return count_clauses(undone.codes, undone.borders[:-1], undone.borders[1:], *self.tables.terms)

    def _plain(self, said: str, hidden: np.uint8) -> str:
        """A clause with what signs and letters hide in it written plainly, once; its words are looked at only where they may stand for others."""
        segmenter, listed = self.plain.segmenter, load_disguises()
        if hidden == LETTERS and unspelt(said, listed) == said:
            return said
        once = shown(said, segmenter, listed)
        return "".join(plain_words(said, segmenter, once)) if hidden & WORDS else once


def tables_of(reader: Reader) -> Tables:
    """What a reader's model and lexicon are looked up in; making it takes a second or two, where it is not kept."""
    return Tables(kept(Terms, reader.model, lambda: _terms(reader)), weights_of(reader.model))


def _terms(reader: Reader) -> Terms:
    lexicon, model = reader.segmenter.lexicon, reader.model
    names = sorted(model.vocabulary, key=model.vocabulary.__getitem__)
    vocabulary = {names[feature]: number for number, feature in enumerate(by_frequency(model).tolist())}
    classes = sorted({*lexicon.classes.values(), *lexicon.patterns.values()})
    return Terms(
        words=dictionary(vocabulary, reader.segmenter, classes),
        meanings=meanings(vocabulary, lexicon, classes),
        guises=guises(lexicon),
    )


def compiled(reader: Reader) -> CompiledReader:
    """The compiled double of a reader."""
    return CompiledReader(reader, tables_of(reader))
