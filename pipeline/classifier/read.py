"""Opinions → readings: the whole of text, classification and attribution for one chunk."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pipeline.attribute import Mentions, assign_clauses, fallback_department
from pipeline.classifier.decisions import Floats, Probabilities
from pipeline.classifier.features import count_matrix
from pipeline.classifier.files import load_model
from pipeline.classifier.model import Model, weighted
from pipeline.classifier.passages import Groups, evidence_span, joined, most_telling, passages
from pipeline.clues import Evidence, Reason, clue_reasons
from pipeline.directory import Directory
from pipeline.records import Finding, Opinion, Reading
from pipeline.taxonomy import Taxonomy
from pipeline.text.clauses import Clause, split_clauses
from pipeline.text.mask import NAME, mask
from pipeline.text.normalise import normalise
from pipeline.text.segment import Segmenter
from pipeline.text.shingles import signature
from pipeline.text.validity import is_valid
from pipeline.workspace import Workspace

CHUNK = 1000
"""Opinions judged at once."""


class Judged(NamedTuple):
    """Of n opinions: ``probabilities`` and the labels ``given`` (n, n_labels), 0 where not valid.

    ``rows`` (n, n_features) are what they were judged by, scaled to length 1.
    """

    probabilities: Floats
    given: npt.NDArray[np.bool_]
    rows: sp.csr_array


class _Seen(NamedTuple):
    """A chunk of opinions clause by clause: ``counts`` has a row per clause, ``whole`` and ``rows`` one per opinion."""

    texts: list[str]
    valid: list[bool]
    clauses: list[list[Clause]]
    counts: sp.csr_array
    owner: npt.NDArray[np.int64]
    opinions: list[range]
    lengths: list[int]
    whole: sp.csr_array
    rows: sp.csr_array
    found: Probabilities

    def __repr__(self) -> str:
        """Without the texts."""
        return f"_Seen({len(self.texts)} opinions)"


@dataclass(frozen=True)
class Reader:
    """Everything that reading an opinion needs; a worker process opens its own."""

    taxonomy: Taxonomy = field(repr=False)
    directory: Directory = field(repr=False)
    segmenter: Segmenter = field(repr=False)
    model: Model = field(repr=False)

    def read(self, opinions: Sequence[Opinion]) -> list[Reading]:
        """Read opinions, in order. The result for one does not depend on its neighbours."""
        seen = self._see(opinions)
        mentions = Mentions(self.directory, self.segmenter)
        groups = [
            self._groups(mentions, text, spans, opinion.department)
            for text, spans, opinion in zip(seen.texts, seen.clauses, opinions, strict=True)
        ]
        contributions = self.model.contributions(seen.counts, seen.owner, seen.whole, seen.rows)
        given, unsure = self.model.decide(seen.found)
        given[[not ok for ok in seen.valid]] = False

        readings = []
        for i, opinion in enumerate(opinions):
            mine = slice(seen.opinions[i].start, seen.opinions[i].stop)
            labels = [int(label) for label in np.flatnonzero(given[i])]
            if len(groups[i]) > 1:
                alone = self._alone(seen.counts[mine], seen.lengths[mine], list(groups[i].values()))
                beliefs = alone.labels
                assigned = self._split(list(groups[i]), labels, alone, seen.found.labels[i])
            else:
                beliefs = seen.found.labels[i : i + 1]
                only = next(iter(groups[i]))
                assigned = [(only, label, beliefs[0, label], unsure[i, label]) for label in labels]
            findings = tuple(
                self._finding(*pair, seen.clauses[i], groups[i], contributions[mine]) for pair in assigned
            )
            doubtful = unsure[i].any() or any(finding.needs_review for finding in findings)
            valid, text = seen.valid[i], seen.texts[i]
            clue: tuple[Reason, ...] = ()
            if valid and NAME in text:
                withheld = [
                    int(label) for label in self.model.issues if unsure[i, label] and not given[i, label]
                ]
                clue = self._clue(text, seen.clauses[i], groups[i], findings, withheld, contributions[mine])
            readings.append(
                Reading(
                    opinion=self._masked(opinion, text),
                    valid=valid,
                    findings=findings,
                    departments=tuple(groups[i]) if valid else (),
                    needs_review=bool(valid and doubtful),
                    signature=signature(text) if valid else b"",
                    beliefs=beliefs[: len(groups[i]) if valid else 0].astype(np.float32),
                    clue=clue,
                )
            )
        return readings

    def probabilities(self, opinions: Sequence[Opinion]) -> Floats:
        """Calibrated probabilities of all labels, given or not, shape (n_opinions, n_labels); 0 where not valid."""
        return self.judge(opinions).probabilities

    def judge(self, opinions: Sequence[Opinion]) -> Judged:
        """A reading without its evidence and departments, for any number of opinions."""
        parts = [self._judge(opinions[at : at + CHUNK]) for at in range(0, max(1, len(opinions)), CHUNK)]
        probabilities, given, rows = zip(*parts, strict=True)
        return Judged(np.vstack(probabilities), np.vstack(given), sp.csr_array(sp.vstack(rows, format="csr")))

    def _judge(self, opinions: Sequence[Opinion]) -> Judged:
        seen = self._see(opinions)
        valid = np.array(seen.valid, dtype=bool)[:, np.newaxis]
        return Judged(seen.found.labels * valid, self.model.decide(seen.found).given & valid, seen.rows)

    def _see(self, opinions: Sequence[Opinion]) -> _Seen:
        texts = [mask(normalise(opinion.text)) for opinion in opinions]
        valid = [is_valid(text) for text in texts]
        clauses = [split_clauses(text) if ok else [] for text, ok in zip(texts, valid, strict=True)]
        counts, owner = count_matrix(texts, clauses, self.model.vocabulary, self.segmenter)
        borders = np.searchsorted(owner, np.arange(len(texts) + 1)).tolist()
        groups = [range(begin, end) for begin, end in pairwise(borders)]
        lengths = [span.end - span.start for spans in clauses for span in spans]
        whole = joined(counts, groups)
        rows = weighted(whole, self.model.idf)
        found = self._probabilities(counts, lengths, groups, rows)
        return _Seen(texts, valid, clauses, counts, owner, groups, lengths, whole, rows, found)

    def _groups(
        self, mentions: Mentions, text: str, spans: list[Clause], column: str
    ) -> dict[str, list[int]]:
        found, fallback = mentions.spoken_about(text, fallback_department(column, self.directory))
        return assign_clauses(spans, found, fallback)

    def _masked(self, opinion: Opinion, text: str) -> Opinion:
        listed = self.directory.resolve(opinion.department) is not None
        return replace(
            opinion,
            text=text,
            department=opinion.department if listed else _masked_column(opinion.department),
            source_unit=_masked_column(opinion.source_unit),
            channel=_masked_column(opinion.channel),
        )

    def _probabilities(
        self, counts: sp.csr_array, lengths: Sequence[int], groups: Groups, rows: sp.csr_array
    ) -> Probabilities:
        """Of each group of clauses, ``rows`` being its weighted counts."""
        inside, owner = passages(lengths, groups)
        margins = self.model.margins(rows)
        telling = self.model.margins(weighted(joined(counts, inside), self.model.idf))
        sizes = np.array([sum(lengths[clause] for clause in group) for group in groups], dtype=np.int64)
        return self.model.probabilities(margins, most_telling(telling, owner, margins), sizes)

    def _alone(self, counts: sp.csr_array, lengths: Sequence[int], parts: Groups) -> Probabilities:
        """Of an opinion about several departments: each one's clauses read by themselves."""
        return self._probabilities(counts, lengths, parts, weighted(joined(counts, parts), self.model.idf))

    def _split(
        self, names: Sequence[str], labels: Sequence[int], alone: Probabilities, together: Floats
    ) -> list[tuple[str, int, float, bool]]:
        """(department, label, probability, unsure) for each given label of an opinion about several departments.

        A label goes to the departments whose clauses, read ``alone``, carry it, with the probability of that reading.
        Where it is carried by no part alone, the likeliest department gets it with the whole opinion's probability
        (``together``), and a person is asked to look.
        """
        carried, unsure = self.model.decide(alone)
        assigned: list[tuple[str, int, float, bool]] = []
        for label in labels:
            carriers = np.flatnonzero(carried[:, label]).tolist()
            assigned += [(names[n], label, alone.labels[n, label], unsure[n, label]) for n in carriers]
            if not len(carriers):
                assigned.append((names[int(np.argmax(alone.labels[:, label]))], label, together[label], True))
        return assigned

    def _clue(
        self,
        text: str,
        clauses: list[Clause],
        groups: dict[str, list[int]],
        findings: Sequence[Finding],
        withheld: Sequence[int],
        contributions: Floats,
    ) -> tuple[Reason, ...]:
        """Why it is for the discipline office, by the labels given and the issues ``withheld`` that a person is to look at."""
        shown = [Evidence(f.label, f.start, f.end, groups[f.department]) for f in findings]
        for label in withheld:
            start, end = evidence_span(clauses, range(len(clauses)), contributions[:, label])
            shown.append(Evidence(self.taxonomy.codes[label], start, end))
        return clue_reasons(text, shown, self.taxonomy, self.segmenter)

    def _finding(
        self,
        department: str,
        label: int,
        probability: float,
        unsure: bool,
        clauses: list[Clause],
        groups: dict[str, list[int]],
        contributions: Floats,
    ) -> Finding:
        start, end = evidence_span(clauses, groups[department], contributions[:, label])
        return Finding(
            department=department,
            label=self.taxonomy.codes[label],
            probability=round(float(probability), 4),
            start=start,
            end=end,
            needs_review=bool(unsure),
        )


def open_reader(workspace: Workspace) -> Reader:
    """The workspace's active model with everything it needs."""
    return reader_of(workspace, load_model(workspace.models, workspace.taxonomy, workspace.lexicon))


def reader_of(workspace: Workspace, model: Model) -> Reader:
    """A reader by any model that was made for the workspace's taxonomy and lexicon."""
    return Reader(
        taxonomy=workspace.taxonomy,
        directory=workspace.directory,
        segmenter=Segmenter(workspace.lexicon),
        model=model,
    )


@functools.lru_cache(maxsize=4096)
def _masked_column(value: str) -> str:
    return mask(normalise(value))
