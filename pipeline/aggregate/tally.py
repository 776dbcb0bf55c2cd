"""Readings counted as they stream by."""

from __future__ import annotations

import functools
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipeline.aggregate.counted import Cells, Concerns, Counted, Factor
from pipeline.aggregate.ids import Ids
from pipeline.aggregate.likelihood import HeldOutPosteriors
from pipeline.aggregate.sources import source_group
from pipeline.directory import Directory
from pipeline.records import UNSPECIFIED, Reading, key_of
from pipeline.taxonomy import Taxonomy

if TYPE_CHECKING:
    from pipeline.aggregate.tables import Tables

_group = functools.lru_cache(maxsize=4096)(source_group)  # a unit gives many opinions


class Tally:
    """Counts opinions; memory is some fifty bytes an opinion beside its id, and four for each label and department of it.

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
        self._ids = Ids()
        self._number_of: dict[str, int] = {}
        self._first = array("i")  # opinion → number of the first opinion that it repeats, or its own
        self._valid = array("b")
        self._review = array("b")
        self._sealed = array("b")
        self._day, self._channel, self._source = _Levels(), _Levels(), _Levels()
        self._concerns = (array("i"), array("H"))  # opinion, department
        self._beliefs = array("f")  # of each concern, all labels
        self._cells = (array("i"), array("H"), array("H"))  # opinion, department, label

    @property
    def ids(self) -> Sequence[str]:
        """Ids of all opinions, by their numbers: the order in which they came, from 0."""
        return self._ids

    def add(self, reading: Reading, duplicate_of: str) -> None:
        """Count one opinion; opinions must come in order, a repeat after what it repeats, which was counted by this method too."""
        number = self._number_of[reading.opinion.id] = len(self._first)
        self.add_all([reading], [self._number_of[duplicate_of] if duplicate_of else number])

    def add_all(self, readings: Sequence[Reading], firsts: Sequence[int] | npt.NDArray[np.int64]) -> None:
        """Count opinions, with the number of the first opinion that each repeats, or its own: :meth:`Repeats.firsts` gives them.

        Opinions must come in order, over all calls.
        """
        opinions = [reading.opinion for reading in readings]
        start = len(self._first)
        self._first.extend(map(int, firsts))
        self._ids.extend(opinion.id for opinion in opinions)
        self._valid.extend(reading.valid for reading in readings)
        self._review.extend(reading.needs_review for reading in readings)
        self._sealed.extend(bool(reading.clue) for reading in readings)
        self._day.extend(opinion.collected_on for opinion in opinions)
        self._channel.extend(opinion.channel for opinion in opinions)
        self._source.extend(_group(opinion.source_unit) for opinion in opinions)
        numbered = [*enumerate(readings, start)]
        department, label = self._department_number, self._label_number
        self._concerns[0].extend(number for number, reading in numbered for _ in reading.departments)
        self._concerns[1].extend(department[name] for reading in readings for name in reading.departments)
        self._beliefs.frombytes(b"".join(reading.beliefs.tobytes() for reading in readings))
        found = [(number, finding) for number, reading in numbered for finding in reading.findings]
        self._cells[0].extend(number for number, _ in found)
        self._cells[1].extend(department[finding.department] for _, finding in found)
        self._cells[2].extend(label[finding.label] for _, finding in found)
        for number, reading in numbered if self._audits else ():
            pairs = self._audits.get(key_of(reading.opinion.id, reading.text))
            if pairs is not None:
                self._audited[number] = frozenset(
                    (department[name], label[code]) for name, code in pairs if name in department
                )

    def counted(self, *, sealed: bool = True) -> Counted:
        """What was counted so far; without ``sealed`` opinions as the papers count.

        A repeat of a sealed opinion, and what it repeats, is sealed as well.
        """
        first = np.array(self._first)
        kept = np.ones(len(first), dtype=bool) if sealed else ~self._hidden()
        about, department = (np.array(column, dtype=np.int32) for column in self._concerns)
        opinion, told, label = (np.array(column, dtype=np.int32) for column in self._cells)
        beliefs = np.frombuffer(self._beliefs, dtype=np.float32).reshape(-1, len(self._taxonomy.codes))
        concerns = Concerns(about, department, first[about])
        cells = Cells(opinion, told, label, first[opinion])
        if not kept.all():
            mine = kept[about]
            concerns, beliefs = Concerns._make(column[mine] for column in concerns), beliefs[mine]
            cells = Cells._make(column[kept[opinion]] for column in cells)
        return Counted(
            first=first,
            kept=kept,
            valid=np.array(self._valid, dtype=bool) & kept,
            review=np.array(self._review, dtype=bool) & kept,
            days=self._day.factor(),
            channels=self._channel.factor(),
            sources=self._source.factor(),
            concerns=concerns,
            beliefs=beliefs,
            cells=cells,
        )

    def tables(self, *, sealed: bool = True) -> Tables:
        """All tables, in directory and taxonomy order, zeros included; ``sealed`` as for :meth:`counted`."""
        from pipeline.aggregate.estimates import shares_of  # noqa: PLC0415  # pandas takes half a second
        from pipeline.aggregate.tables import tables_of  # noqa: PLC0415  # the same

        counted, shares = self.counted(sealed=sealed), None
        if self._held_out:
            shares = shares_of(
                counted.concerns, counted.beliefs, self._audited, self._held_out, len(self._departments)
            )
        return tables_of(counted, self._taxonomy, self._directory, shares)

    def totals(self) -> dict[str, int | str]:
        """:attr:`Tables.totals <pipeline.aggregate.tables.Tables>` without the tables."""
        return self.counted().totals(self._taxonomy)

    def unspecified_share(self) -> float:
        """Share of the distinct valid opinions that could be tied to no department of the directory; 0 without opinions."""
        return self.counted().share_about(self._department_number[UNSPECIFIED])

    def sealed(self) -> frozenset[str]:
        """Ids of the opinions that no paper counts."""
        hidden = self._hidden()
        return frozenset(self._ids[number] for number in np.flatnonzero(hidden).tolist())

    def sealed_departments(self) -> frozenset[str]:
        """The departments that sealed opinions are about."""
        hidden = self._hidden()
        about = zip(*self._concerns, strict=True)
        return frozenset(self._departments[department] for opinion, department in about if hidden[opinion])

    def _hidden(self) -> npt.NDArray[np.bool_]:
        first = np.array(self._first)
        return np.isin(first, first[np.array(self._sealed, dtype=bool)])


class _Levels:
    """A factor as it grows."""

    def __init__(self) -> None:
        self._codes = array("i")
        self._code: dict[str, int] = {}

    def extend(self, levels: Iterable[str]) -> None:
        code = self._code
        self._codes.extend(code.setdefault(level, len(code)) for level in levels)

    def factor(self) -> Factor:
        return Factor(np.array(self._codes), [*self._code])
