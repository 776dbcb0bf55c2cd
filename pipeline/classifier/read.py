"""Opinions → readings: the whole of text, classification and attribution for one chunk."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pipeline.attribute import Mentions, assign_clauses, fallback_department
from pipeline.carrying import heirs
from pipeline.classifier.decisions import Floats, Probabilities
from pipeline.classifier.files import load_model
from pipeline.classifier.model import Model
from pipeline.classifier.sight import PlainSight, Sight, see
from pipeline.clues.named import Named, who_is_named
from pipeline.clues.reasons import CONCERNS, Concerns, Evidence, Reason, clue_reasons
from pipeline.directory import Directory
from pipeline.records import Finding, Opinion, Reading
from pipeline.taxonomy import Taxonomy
from pipeline.text.mask import NAME, mask
from pipeline.text.normalise import normalise
from pipeline.text.segment import Segmenter
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


@dataclass(frozen=True)
class Reader:
    """Everything that reading an opinion needs; a worker process opens its own."""

    taxonomy: Taxonomy = field(repr=False)
    directory: Directory = field(repr=False)
    segmenter: Segmenter = field(repr=False)
    model: Model = field(repr=False)
    concerns: Concerns = CONCERNS

    def read(self, opinions: Sequence[Opinion]) -> list[Reading]:
        """Read opinions, in order. The result for one does not depend on its neighbours."""
        return self.told(opinions, self._see(opinions))

    def told(self, opinions: Sequence[Opinion], sight: Sight) -> list[Reading]:
        """The readings of opinions that were seen so."""
        mentions = Mentions(self.directory, self.segmenter)
        decisions = self.model.decide(sight.found)
        doubtful: list[bool] = np.any(decisions.unsure, axis=1).tolist()
        labels: list[list[int]] = [[] for _ in opinions]
        for number, label in np.argwhere(decisions.given).tolist():
            labels[number].append(label)
        return [
            self._told(
                opinion, sight, number, mentions, labels[number], decisions.unsure[number], doubtful[number]
            )
            if sight.valid[number]
            else self._not_valid(opinion, sight.texts[number])
            for number, opinion in enumerate(opinions)
        ]

    def _not_valid(self, opinion: Opinion, text: str) -> Reading:
        return Reading(
            opinion=self._masked(opinion, text),
            valid=False,
            findings=(),
            departments=(),
            needs_review=False,
            signature=b"",
            beliefs=np.empty((0, len(self.taxonomy.codes)), dtype=np.float32),
        )

    def _told(
        self,
        opinion: Opinion,
        sight: Sight,
        number: int,
        mentions: Mentions,
        labels: list[int],
        unsure: npt.NDArray[np.bool_],
        doubtful: bool,
    ) -> Reading:
        text = sight.texts[number]
        groups = self._groups(mentions, sight, number, opinion.department)
        together = sight.found.labels[number]
        if len(groups) > 1:
            alone = sight.alone(number, list(groups.values()))
            beliefs = alone.labels
            assigned = self._split(list(groups), labels, alone, together)
        else:
            beliefs = together[np.newaxis]
            only = next(iter(groups))
            assigned = [(only, label, together[label], unsure[label]) for label in labels]
        findings = tuple(self._finding(*pair, sight, number, groups) for pair in assigned)
        clue: tuple[Reason, ...] = ()
        if NAME in text and (named := who_is_named(text)):
            withheld = [int(label) for label in self.model.issues if unsure[label] and label not in labels]
            clue = self._clue(sight, number, named, groups, findings, withheld)
        return Reading(
            opinion=self._masked(opinion, text),
            valid=True,
            findings=findings,
            departments=tuple(groups),
            needs_review=doubtful or any(finding.needs_review for finding in findings),
            signature=sight.signature(number),
            beliefs=beliefs.astype(np.float32),
            clue=clue,
        )

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

    def _see(self, opinions: Sequence[Opinion]) -> PlainSight:
        return see([opinion.text for opinion in opinions], self.model, self.segmenter)

    def _groups(self, mentions: Mentions, sight: Sight, i: int, column: str) -> Mapping[str, Sequence[int]]:
        found, fallback = mentions.spoken_about(sight.texts[i], fallback_department(column, self.directory))
        if not found:
            return {fallback: range(sight.n_clauses(i))}
        return assign_clauses(sight.clauses(i), found, fallback)

    def _masked(self, opinion: Opinion, text: str) -> Opinion:
        listed = self.directory.resolve(opinion.department) is not None
        return Opinion(
            id=opinion.id,
            text=text,
            department=opinion.department if listed else _masked_column(opinion.department),
            source_unit=_masked_column(opinion.source_unit),
            collected_on=opinion.collected_on,
            channel=_masked_column(opinion.channel),
            labels=opinion.labels,
        )

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
        sight: Sight,
        number: int,
        named: Sequence[Named],
        groups: Mapping[str, Sequence[int]],
        findings: Sequence[Finding],
        withheld: Sequence[int],
    ) -> tuple[Reason, ...]:
        """Why it is for the discipline office, by the labels given and the issues ``withheld`` that a person is to look at."""
        shown = [Evidence(f.label, f.start, f.end, groups[f.department]) for f in findings]
        clauses = sight.clauses(number)
        for label in withheld:
            start, end = sight.evidence(number, range(len(clauses)), label)
            shown.append(Evidence(self.taxonomy.codes[label], start, end))
        return clue_reasons(
            sight.texts[number], named, clauses, shown, self.taxonomy, self.segmenter, self.concerns
        )

    def _finding(
        self,
        department: str,
        label: int,
        probability: float,
        unsure: bool,
        sight: Sight,
        number: int,
        groups: Mapping[str, Sequence[int]],
    ) -> Finding:
        start, end = sight.evidence(number, groups[department], label)
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
        concerns=Concerns(*(heirs(workspace.migrations, labels) for labels in CONCERNS)),
    )


@functools.lru_cache(maxsize=4096)
def _masked_column(value: str) -> str:
    return mask(normalise(value))
