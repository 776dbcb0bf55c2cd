"""Readings counted as they stream by."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.aggregate.breakdowns import Counted
from pipeline.aggregate.estimates import shares_of
from pipeline.aggregate.likelihood import HeldOutPosteriors
from pipeline.aggregate.sources import source_group
from pipeline.aggregate.tables import Tables, tables_of
from pipeline.directory import Directory
from pipeline.records import UNSPECIFIED, Reading, key_of
from pipeline.taxonomy import Taxonomy


class Tally:
    """Counts opinions; memory is a few numbers an opinion, and one for each label.

    Counting *distinct*: of the opinions that repeat one another, a cell (department, label) counts one.
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        directory: Directory,
        held_out: HeldOutPosteriors | None = None,
        audits: Mapping[str, frozenset[tuple[str, str]]] | None = None,
    ) -> None:
        """``held_out`` says how the classifier errs: without it, shares are those counted.

        ``audits``: key of an opinion drawn at random (:func:`~pipeline.records.key_of`) → its (department, label) pairs,
        as a person found them.
        """
        self._held_out = held_out
        self._audits = audits or {}
        self._audited: dict[int, frozenset[tuple[int, int]]] = {}
        self._taxonomy = taxonomy
        self._directory = directory
        self._departments = [*directory.names, UNSPECIFIED]
        self._department_number = {name: number for number, name in enumerate(self._departments)}
        self._label_number = {code: number for number, code in enumerate(taxonomy.codes)}
        self._number_of: dict[str, int] = {}
        self._first = array("q")  # opinion → number of the first opinion that it repeats, or its own
        self._valid = array("b")
        self._review = array("b")
        self._sealed = array("b")
        self._day: list[str] = []
        self._channel: list[str] = []
        self._source: list[str] = []
        self._concerns = (array("q"), array("q"))  # opinion, department
        self._beliefs = array("f")  # of each concern, all labels
        self._cells = (array("q"), array("q"), array("q"))  # opinion, department, label

    def add(self, reading: Reading, duplicate_of: str) -> None:
        """Count one opinion; opinions must come in order, a repeat after what it repeats."""
        number = len(self._first)
        self._number_of[reading.opinion.id] = number
        self._first.append(self._number_of[duplicate_of] if duplicate_of else number)
        self._valid.append(reading.valid)
        self._review.append(reading.needs_review)
        self._sealed.append(bool(reading.clue))
        self._day.append(reading.opinion.collected_on)
        self._channel.append(reading.opinion.channel)
        self._source.append(source_group(reading.opinion.source_unit))
        for department in reading.departments:
            self._concerns[0].append(number)
            self._concerns[1].append(self._department_number[department])
        self._beliefs.frombytes(reading.beliefs.tobytes())
        pairs = self._audits.get(key_of(reading.opinion.id, reading.text)) if self._audits else None
        if pairs is not None:
            self._audited[number] = frozenset(
                (self._department_number[department], self._label_number[label])
                for department, label in pairs
                if department in self._department_number
            )
        for finding in reading.findings:
            self._cells[0].append(number)
            self._cells[1].append(self._department_number[finding.department])
            self._cells[2].append(self._label_number[finding.label])

    def tables(self, *, sealed: bool = True) -> Tables:
        """All tables, in directory and taxonomy order, zeros included; without ``sealed`` opinions as the papers count.

        A repeat of a sealed opinion, and what it repeats, is sealed as well.
        """
        first = np.array(self._first, dtype=np.int64)
        kept = np.ones(len(first), dtype=bool) if sealed else ~self._hidden()
        width = len(self._taxonomy.codes)
        concerns = _frame(("opinion", "department"), self._concerns, first)
        cells = _frame(("opinion", "department", "label"), self._cells, first)
        mine = kept[concerns["opinion"].to_numpy()]
        counted = Counted(
            first=first,
            kept=kept,
            valid=np.array(self._valid, dtype=bool) & kept,
            review=np.array(self._review, dtype=bool) & kept,
            days=self._day,
            channels=self._channel,
            sources=self._source,
            concerns=concerns[mine],
            beliefs=np.frombuffer(self._beliefs, dtype=np.float32).reshape(-1, width)[mine],
            cells=cells[kept[cells["opinion"].to_numpy()]],
        )
        shares = (
            shares_of(
                counted.concerns, counted.beliefs, self._audited, self._held_out, len(self._departments)
            )
            if self._held_out
            else None
        )
        return tables_of(counted, self._taxonomy, self._directory, shares)

    def sealed(self) -> frozenset[str]:
        """Ids of the opinions that no paper counts."""
        hidden = self._hidden()
        return frozenset(identity for identity, number in self._number_of.items() if hidden[number])

    def sealed_departments(self) -> frozenset[str]:
        """The departments that sealed opinions are about."""
        hidden = self._hidden()
        about = zip(*self._concerns, strict=True)
        return frozenset(self._departments[department] for opinion, department in about if hidden[opinion])

    def _hidden(self) -> npt.NDArray[np.bool_]:
        first = np.array(self._first, dtype=np.int64)
        return np.isin(first, first[np.array(self._sealed, dtype=bool)])


def _frame(names: tuple[str, ...], columns: tuple[array[int], ...], first: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(dict(zip(names, map(np.array, columns), strict=True)), dtype=np.int64)
    return frame.assign(cluster=first[frame["opinion"].to_numpy()])
