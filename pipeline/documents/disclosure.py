"""What of the facts may leave the office: small counts, and those that would give them away, are None.

Papers for departments and leaders are written from a :class:`Disclosure`, so that they cannot say more than it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.aggregate.suppression import Hidden, PublishedTable, may_show_total, suppress, suppress_parts
from pipeline.aggregate.tables import SUPPRESSED_FROM, SUPPRESSED_TO
from pipeline.documents.facts import Facts
from pipeline.records import UNSPECIFIED
from pipeline.taxonomy import Label

HIDDEN = "＊"
"""Stands for a count that is not given."""

NOTE = "“＊”表示件数不足5件，或者为防止由其他数字推算出这样的件数，一并不列，其中也可能是零。"

Count = int | None
"""Distinct opinions; None where the number is not given, be it small, larger or 0."""


@dataclass(frozen=True)
class DisclosedIssue:
    """One issue over all departments: distinct opinions, estimated share of the valid ones with its 95 % interval.

    ``share`` is None where nothing is known of it.
    """

    label: Label
    count: Count
    share: float | None
    low: float
    high: float


@dataclass(frozen=True)
class DisclosedDepartment:
    """One department, or 未指明; ``cells`` has every issue of the taxonomy in its order, zeros included."""

    name: str
    series: str
    opinions: Count
    issue: Count
    praise: Count
    cells: tuple[tuple[Label, Count], ...]

    def count(self, code: str) -> Count:
        """The count of an issue."""
        return next(count for label, count in self.cells if label.code == code)

    @property
    def found(self) -> tuple[tuple[Label, Count], ...]:
        """The issues whose count is not known to be 0: those given, larger first, then the others."""
        raised = [cell for cell in self.cells if cell[1] != 0]
        return tuple(sorted(raised, key=lambda cell: -(cell[1] or 0)))


@dataclass(frozen=True)
class DisclosedSource:
    """One group that opinions come from, or one way they were collected; counts include repeats."""

    name: str
    opinions: Count
    issue: Count


@dataclass(frozen=True)
class Disclosure:
    """Counts to publish: issues in taxonomy order, departments in directory order, then 未指明."""

    issue: Count
    praise: Count
    suggestion: Count
    issues: tuple[DisclosedIssue, ...]
    departments: tuple[DisclosedDepartment, ...]
    sources: tuple[DisclosedSource, ...]
    channels: tuple[DisclosedSource, ...]

    @classmethod
    def of(cls, facts: Facts) -> Disclosure:
        """Suppress every table of the facts that a paper shows."""
        labels = [label for label in facts.taxonomy.labels if label.kind == "issue"]
        by_label = {row["label"]: row for row in facts.tables.by_label.to_dict("records")}
        opinions = _array([d.distinct for d in facts.departments])
        issue = PublishedTable(
            cells=_array([[d.count(label.code) for label in labels] for d in facts.departments], len(labels)),
            rows=_array([d.issue for d in facts.departments]),
            columns=_array([by_label[label.code]["count_distinct"] for label in labels]),
            opinions=opinions,
        )
        totals = facts.totals
        praise = PublishedTable(
            cells=_array([[d.praise] for d in facts.departments], 1),
            columns=_array([totals["praise_distinct"]]),
            opinions=opinions,
        )
        hidden, praise_hidden = suppress(issue), suppress(praise)
        summed = may_show_total(issue, hidden, totals["issue_distinct"])
        return cls(
            issue=_unless(not summed, totals["issue_distinct"]),
            praise=_unless(praise_hidden.columns[0], totals["praise_distinct"]),
            suggestion=_unless(_small(totals["suggestion_distinct"]), totals["suggestion_distinct"]),
            issues=tuple(
                _issue(label, by_label[label.code], bool(hidden.columns[c])) for c, label in enumerate(labels)
            ),
            departments=_departments(facts, labels, hidden, praise_hidden),
            sources=_sources(facts.tables.by_source.to_dict("records"), "source", summed),
            channels=_sources(facts.channels, "channel", summed),
        )

    @property
    def named(self) -> tuple[DisclosedDepartment, ...]:
        """The departments of the directory that somebody spoke about."""
        return tuple(d for d in self.departments if d.name != UNSPECIFIED)


def shown(count: Count) -> str:
    """A count in a table: a dash for none, :data:`HIDDEN` where it is not given."""
    return HIDDEN if count is None else str(count) if count else "—"


def _array(counts: Sequence[Any], width: int | None = None) -> np.ndarray:
    return np.array(counts, dtype=np.int64).reshape(len(counts) if width is None else (len(counts), width))


def _unless(hidden: Any, count: int) -> Count:
    return None if hidden else count


def _small(count: int) -> bool:
    return SUPPRESSED_FROM <= count <= SUPPRESSED_TO


def _issue(label: Label, row: Mapping[Any, Any], hidden: bool) -> DisclosedIssue:
    count = _unless(hidden, row["count_distinct"])
    share = None if row["method"] == "none" else row["estimated_share"]
    return DisclosedIssue(label, count, share, row["ci_low"], row["ci_high"])


def _departments(
    facts: Facts, labels: Sequence[Label], hidden: Hidden, praise_hidden: Hidden
) -> tuple[DisclosedDepartment, ...]:
    return tuple(
        DisclosedDepartment(
            name=d.name,
            series=d.series,
            opinions=_unless(hidden.opinions[r], d.distinct),
            issue=_unless(hidden.rows[r], d.issue),
            praise=_unless(praise_hidden.cells[r, 0], d.praise),
            cells=tuple(
                (label, _unless(hidden.cells[r, c], d.count(label.code))) for c, label in enumerate(labels)
            ),
        )
        for r, d in enumerate(facts.departments)
    )


def _sources(rows: Sequence[Mapping[Any, Any]], key: str, summed: bool) -> tuple[DisclosedSource, ...]:
    """``summed``: whether the sum over all rows may be known."""
    opinions, issue = (_partition([row[column] for row in rows]) for column in ("opinions", "issue"))
    return tuple(
        DisclosedSource(name=row[key], opinions=opinions[n], issue=issue[n] if summed else None)
        for n, row in enumerate(rows)
    )


def _partition(counts: Sequence[int]) -> list[Count]:
    """Counts of disjoint groups with a known sum, those to hide as None."""
    hidden = suppress_parts(_array(counts)).tolist()
    return [_unless(hides, count) for hides, count in zip(hidden, counts, strict=True)]
