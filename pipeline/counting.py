"""Opinions as they go by: where they come from, and what is counted of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.aggregate.likelihood import HeldOutPosteriors
from pipeline.aggregate.tally import Tally
from pipeline.classifier.read import Reader
from pipeline.directory import Directory
from pipeline.documents.clues import ClueRow, clue_row
from pipeline.intake.repeats import Repeats
from pipeline.records import Opinion, Reading, Rejection


class Source(Protocol):
    """Where opinions come from, in order: files, or a result folder that is counted anew. What it counts is complete when it has ended.

    ``rows`` = ``accepted`` + ``rejected``; ``done`` is the share read, 0 to 1.
    """

    rows: int
    accepted: int
    rejected: int
    done: float

    @property
    def notices(self) -> Mapping[str, int]:
        """What was accepted with a remark, by sentence."""

    @property
    def skipped_sheets(self) -> list[str]:
        """Tables without opinions."""

    def __iter__(self) -> Iterator[Opinion | Rejection]:
        """Yield one opinion or rejection per row."""


@dataclass(frozen=True)
class Stream:
    """What was kept of the opinions as they went by: counts, clues, and repeats and unknown departments by number."""

    tally: Tally
    clues: list[ClueRow]
    repeated: int
    unlisted: dict[str, int]


class Counting:
    """Everything that happens once per opinion, in order; memory does not grow with the texts.

    ``needs_texts`` says that readings are to come with their texts: some opinions were audited.
    """

    def __init__(self, reader: Reader, audits: Mapping[str, frozenset[tuple[str, str]]]) -> None:
        self.reader = reader
        self.needs_texts = bool(audits)
        errors = HeldOutPosteriors(reader.model.held_out.astype(np.int64))
        self._tally = Tally(reader.taxonomy, reader.directory, errors, audits)
        self._repeats = Repeats()
        self._repeated = 0
        self._clues: list[ClueRow] = []
        self._unlisted: dict[str, int] = {}

    def add(self, readings: Sequence[Reading]) -> list[str]:
        """Count readings; of each the id of the opinion that it repeats, "" where it is the first of its kind."""
        begun = len(self._tally.ids)
        firsts = self._repeats.firsts(
            [reading.signature for reading in readings], [reading.departments for reading in readings]
        ).tolist()
        self._tally.add_all(readings, firsts)
        ids = self._tally.ids
        first_of = ["" if first == number else ids[first] for number, first in enumerate(firsts, begun)]
        self._repeated += sum(map(bool, first_of))
        for reading in readings:
            own = reading.opinion.department
            if own and self.reader.directory.resolve(own) is None:
                self._unlisted[own] = self._unlisted.get(own, 0) + 1
        self._clues += [clue_row(reading, self.reader.taxonomy) for reading in readings if reading.clue]
        return first_of

    def stream(self) -> Stream:
        """What was counted."""
        return Stream(self._tally, self._clues, self._repeated, self._unlisted)


def own_departments(readings: Sequence[Reading], directory: Directory) -> list[str]:
    """Of each reading the column's department by its canonical name; as written where the directory lacks it."""
    written = [reading.opinion.department for reading in readings]
    return [directory.resolve(name) or name for name in written]
