"""What the leaders' page needs beyond the facts: departments within their series, and the counts behind its filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd

from pipeline.aggregate.intervals import wilson
from pipeline.aggregate.rounds import Change
from pipeline.aggregate.rounds import Kind as ChangeKind
from pipeline.aggregate.series import Series as Comparison
from pipeline.aggregate.sources import GROUPS
from pipeline.directory import KINDS
from pipeline.documents.facts import SMALL, Bar, Cell, DepartmentFacts, Facts
from pipeline.records import UNSPECIFIED
from pipeline.taxonomy import Label

LEAST = 3
"""An issue that fewer opinions tell of a department is not what to begin with, unless it is grave."""

_MOST_FIRST = 3


@dataclass(frozen=True)
class Series:
    """Departments that may be compared, most spoken-about first, then in directory order; named ones only.

    ``first``: the issues to begin with, larger lower bound of the share first, after them those of departments with fewer
    than :data:`~pipeline.documents.facts.SMALL` opinions. ``level``: so many issues of the series, the first included,
    cannot be told apart from the first, as their intervals reach its lower bound. ``largest``: the most opinions of one
    (department, issue), at least 1. ``above``: departments about which more opinions accuse than is usual in the series;
    None where they were not compared.
    """

    name: str
    departments: tuple[DepartmentFacts, ...]
    first: tuple[Cell, ...]
    level: int
    largest: int
    above: tuple[str, ...] | None

    @property
    def praised(self) -> tuple[tuple[str, int], ...]:
        """Departments that somebody praised, with distinct opinions, most first."""
        return tuple(
            sorted(((d.name, d.praise) for d in self.departments if d.praise), key=lambda one: -one[1])
        )


@dataclass(frozen=True)
class Earlier:
    """An earlier round: its time in words, its valid distinct opinions, and what changed since.

    ``changes`` are as :func:`~pipeline.aggregate.rounds.compare_rounds` told them; a department "" stands for all together.
    """

    name: str
    valid: int
    changes: Sequence[Change]

    def of(self, *kinds: ChangeKind) -> tuple[Change, ...]:
        """The changes of some kinds, in the order given."""
        return tuple(change for change in self.changes if change.kind in kinds)


@dataclass(frozen=True)
class Drill:
    """The page's counts.

    ``sides``: praise, issue and suggestion (:class:`Bar` named by the kind, those that occur) as shares of valid opinions.
    ``departments``: the facts', by whose number (from 0) the page calls them. ``grave``: of each protected issue, its cells
    of named departments in directory order. ``labels``: those that occur in any department, in taxonomy order. ``counts``:
    department → (label code or "" for all, source, period) → distinct.
    """

    sides: tuple[Bar, ...]
    departments: tuple[DepartmentFacts, ...]
    series: tuple[Series, ...]
    grave: tuple[tuple[Cell, ...], ...]
    labels: tuple[Label, ...]
    sources: tuple[str, ...]
    periods: tuple[str, ...]
    counts: Mapping[str, Mapping[tuple[str, str, str], int]]

    @classmethod
    def of(cls, facts: Facts, comparisons: Sequence[Comparison] = ()) -> Drill:
        """Arrange; series in the order in which the directory first names them."""
        above = {
            KINDS.get(one.kind, one.kind): one.at("above") for one in comparisons if len(one.standings) > 1
        }
        named = [d for d in facts.departments if d.name != UNSPECIFIED]
        cells = [cell for d in named for cell in d.cells]
        cube = facts.tables.cube
        occurring = {cell.label.code for d in facts.departments for cell in d.cells}
        protected = [label for label in facts.taxonomy.labels if label.protected and label.kind == "issue"]
        grave = (tuple(cell for cell in cells if cell.label == label) for label in protected)
        return cls(
            sides=_sides(facts.totals),
            departments=facts.departments,
            series=tuple(
                _series(name, [d for d in named if d.series == name], above.get(name))
                for name in dict.fromkeys(d.series for d in named)
            ),
            grave=tuple(filter(None, grave)),
            labels=tuple(label for label in facts.taxonomy.labels if label.code in occurring),
            sources=tuple(name for name in GROUPS if name in set(cube["source"])),
            periods=tuple(sorted(set(cube["period"]))),
            counts=_counts(cube),
        )

    def by_source(self, department: str, code: str = "") -> tuple[int, ...]:
        """Distinct opinions from each of ``sources``, with a label or all."""
        return self._by(1, self.sources, department, code)

    def by_period(self, department: str) -> tuple[int, ...]:
        """Distinct opinions of each of ``periods``."""
        return self._by(2, self.periods, department, "")

    def _by(self, place: int, names: tuple[str, ...], department: str, code: str) -> tuple[int, ...]:
        counts = self.counts.get(department, {})
        return tuple(
            sum(n for key, n in counts.items() if key[0] == code and key[place] == name) for name in names
        )

    @property
    def payload(self) -> dict[str, Any]:
        """What the script filters and draws from, as JSON.

        ``cube`` has for each department label, source, period and count, one after another, as numbers into the lists
        beside it; the label after the last stands for all opinions. ``shares``: label → share and interval in per cent.
        """
        label_number = {label.code: number for number, label in enumerate(self.labels)} | {
            "": len(self.labels)
        }
        source_number = {name: number for number, name in enumerate(self.sources)}
        period_number = {name: number for number, name in enumerate(self.periods)}
        return {
            "small": SMALL,
            "labels": [
                {
                    "code": one.code,
                    "name": one.name_zh,
                    "kind": one.kind,
                    "about": one.definition,
                    "remedy": one.remedy,
                }
                for one in self.labels
            ],
            "sources": list(self.sources),
            "periods": list(self.periods),
            "departments": [
                {
                    "name": d.name,
                    "series": d.series,
                    "issue": d.issue,
                    "praise": d.praise,
                    "review": d.review,
                    "shares": {
                        label_number[cell.label.code]: [
                            round(100 * x, 1) for x in (cell.share, cell.low, cell.high)
                        ]
                        for cell in d.cells
                    },
                    "cube": [
                        number
                        for (code, source, period), n in self.counts.get(d.name, {}).items()
                        for number in (label_number[code], source_number[source], period_number[period], n)
                    ],
                }
                for d in self.departments
            ],
        }


def _sides(totals: Mapping[str, Any]) -> tuple[Bar, ...]:
    valid = totals["valid_distinct"]
    bars = []
    for kind in ("praise", "issue", "suggestion"):
        distinct = totals[f"{kind}_distinct"]
        if distinct:
            low, high = wilson(distinct, valid)
            bars.append(Bar(kind, distinct, totals.get(kind, distinct), distinct / valid, low, high))
    return tuple(bars)


def _series(name: str, departments: list[DepartmentFacts], above: tuple[str, ...] | None) -> Series:
    issues = [cell for d in departments for cell in d.cells if cell.label.kind == "issue"]
    first = sorted(
        (cell for cell in issues if cell.distinct >= LEAST),
        key=lambda cell: (cell.opinions < SMALL, -cell.low, -cell.distinct),
    )
    return Series(
        name=name,
        departments=tuple(sorted(departments, key=lambda d: -d.distinct)),
        first=tuple(first[:_MOST_FIRST]),
        level=sum(cell.high >= first[0].low for cell in first) if first else 0,
        largest=max((cell.distinct for cell in issues), default=1),
        above=above,
    )


def _counts(cube: pd.DataFrame) -> dict[str, dict[tuple[str, str, str], int]]:
    rows = list(cube.sort_values("department", kind="stable").itertuples(index=False, name=None))
    return {
        department: {(label, source, period): int(n) for _, label, source, period, n in group}
        for department, group in groupby(rows, key=lambda row: row[0])
    }
