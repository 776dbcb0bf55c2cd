"""Readings → tables, counted as they stream by."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.aggregate.intervals import wilson
from pipeline.directory import Directory
from pipeline.records import UNSPECIFIED, Reading
from pipeline.taxonomy import Taxonomy

SUPPRESSED_FROM, SUPPRESSED_TO = 1, 4
"""Counts that must not leave the office: so few opinions could be traced to who gave them."""

SUMMARY = (
    "department", "label", "opinions", "count", "count_distinct", "estimated_share", "ci_low", "ci_high", "suppressed",
    "opinions_distinct",
)  # fmt: skip
BY_LABEL = ("label", "count", "count_distinct", "share", "ci_low", "ci_high")
BY_DEPARTMENT = (
    "department", "kind", "opinions", "opinions_distinct", "issue_distinct", "praise_distinct", "needs_review",
)  # fmt: skip
BY_PERIOD = ("period", "opinions", "issue", "praise")
BY_CHANNEL = ("channel", "opinions", "issue", "praise")


@dataclass(frozen=True)
class Tables:
    """What a run found, as tables; columns are the constants beside :class:`Tally`.

    ``totals``: accepted, distinct, valid, valid_distinct, issue, issue_distinct, praise, praise_distinct,
    suggestion_distinct, needs_review, first_day, last_day.
    """

    totals: dict[str, int | str]
    summary: pd.DataFrame
    by_label: pd.DataFrame
    by_department: pd.DataFrame
    by_period: pd.DataFrame
    by_channel: pd.DataFrame


class Tally:
    """Counts opinions; memory is a few numbers an opinion.

    Counting *distinct*: of the opinions that repeat one another, a cell (department, label) counts one.
    """

    def __init__(self, taxonomy: Taxonomy, directory: Directory) -> None:
        self._taxonomy = taxonomy
        self._kinds = {d.name: d.kind for d in directory.departments}
        self._departments = [*directory.names, UNSPECIFIED]
        self._department_number = {name: number for number, name in enumerate(self._departments)}
        self._label_number = {code: number for number, code in enumerate(taxonomy.codes)}
        self._number_of: dict[str, int] = {}
        self._first = array("q")  # opinion → number of the first opinion that it repeats, or its own
        self._valid = array("b")
        self._review = array("b")
        self._day: list[str] = []
        self._channel: list[str] = []
        self._concerns = (array("q"), array("q"))  # opinion, department
        self._cells = (array("q"), array("q"), array("q"))  # opinion, department, label

    def add(self, reading: Reading, duplicate_of: str) -> None:
        """Count one opinion; opinions must come in order, a repeat after what it repeats."""
        number = len(self._first)
        self._number_of[reading.opinion.id] = number
        self._first.append(self._number_of[duplicate_of] if duplicate_of else number)
        self._valid.append(reading.valid)
        self._review.append(reading.needs_review)
        self._day.append(reading.opinion.collected_on)
        self._channel.append(reading.opinion.channel)
        for department in reading.departments:
            self._concerns[0].append(number)
            self._concerns[1].append(self._department_number[department])
        for finding in reading.findings:
            self._cells[0].append(number)
            self._cells[1].append(self._department_number[finding.department])
            self._cells[2].append(self._label_number[finding.label])

    def tables(self) -> Tables:
        """All tables, in directory and taxonomy order, zeros included."""
        first = np.array(self._first, dtype=np.int64)
        valid = np.array(self._valid, dtype=bool)
        review = np.array(self._review, dtype=bool)
        concerns = pd.DataFrame(
            {"opinion": np.array(self._concerns[0]), "department": np.array(self._concerns[1])},
            dtype=np.int64,
        )
        cells = pd.DataFrame(
            dict(zip(("opinion", "department", "label"), map(np.array, self._cells), strict=True)),
            dtype=np.int64,
        )
        for frame in (concerns, cells):
            frame["cluster"] = first[frame["opinion"].to_numpy()]
        cells["kind"] = np.array([label.kind for label in self._taxonomy.labels])[cells["label"].to_numpy()]
        return Tables(
            totals=self._totals(first, valid, review, cells),
            summary=self._summary(concerns, cells),
            by_label=self._by_label(cells, len(np.unique(first[valid]))),
            by_department=self._by_department(concerns, cells, review),
            by_period=self._by(cells, valid, _periods(self._day), "period"),
            by_channel=self._by(cells, valid, [name or "未注明" for name in self._channel], "channel"),
        )

    def _totals(
        self, first: np.ndarray, valid: np.ndarray, review: np.ndarray, cells: pd.DataFrame
    ) -> dict[str, int | str]:
        days = sorted(day for day in self._day if day)
        kinds = {
            name: (int(group["opinion"].nunique()), int(group["cluster"].nunique()))
            for name, group in cells.groupby("kind")
        }
        issue, praise = kinds.get("issue", (0, 0)), kinds.get("praise", (0, 0))
        return {
            "accepted": len(first),
            "distinct": len(np.unique(first)),
            "valid": int(valid.sum()),
            "valid_distinct": len(np.unique(first[valid])),
            "issue": issue[0],
            "issue_distinct": issue[1],
            "praise": praise[0],
            "praise_distinct": praise[1],
            "suggestion_distinct": kinds.get("suggestion", (0, 0))[1],
            "needs_review": int(review.sum()),
            "first_day": days[0] if days else "",
            "last_day": days[-1] if days else "",
        }

    def _summary(self, concerns: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
        shape = (len(self._departments), len(self._taxonomy.codes))
        opinions = np.bincount(concerns["department"], minlength=shape[0])
        distinct = np.bincount(_once(concerns, ["department"])["department"], minlength=shape[0])
        count = _grid(cells.drop_duplicates(["opinion", "department", "label"]), shape)
        count_distinct = _grid(_once(cells, ["department", "label"]), shape)
        rows = []
        for d, department in enumerate(self._departments):
            for c, code in enumerate(self._taxonomy.codes):
                k, n = int(count_distinct[d, c]), int(distinct[d])
                rows.append(
                    (
                        department, code, int(opinions[d]), int(count[d, c]), k,
                        round(k / n, 4) if n else 0.0, *(round(bound, 4) for bound in wilson(k, n)),
                        _few(int(count[d, c])) or _few(k), n,
                    )
                )  # fmt: skip
        return pd.DataFrame(rows, columns=list(SUMMARY))

    def _by_label(self, cells: pd.DataFrame, n: int) -> pd.DataFrame:
        size = len(self._taxonomy.codes)
        count = np.bincount(cells.drop_duplicates(["opinion", "label"])["label"], minlength=size)
        distinct = np.bincount(_once(cells, ["label"])["label"], minlength=size)
        rows = [
            (
                code,
                int(count[c]),
                int(distinct[c]),
                distinct[c] / n if n else 0.0,
                *wilson(int(distinct[c]), n),
            )
            for c, code in enumerate(self._taxonomy.codes)
        ]
        return pd.DataFrame(rows, columns=list(BY_LABEL))

    def _by_department(self, concerns: pd.DataFrame, cells: pd.DataFrame, review: np.ndarray) -> pd.DataFrame:
        size = len(self._departments)
        once = concerns.assign(review=review[concerns["opinion"].to_numpy()])
        columns = [
            np.bincount(concerns["department"], minlength=size),
            np.bincount(_once(concerns, ["department"])["department"], minlength=size),
            *(
                np.bincount(_once(cells[cells["kind"] == kind], ["department"])["department"], minlength=size)
                for kind in ("issue", "praise")
            ),
            np.bincount(once.loc[once["review"], "department"], minlength=size),
        ]
        rows = [
            (name, self._kinds.get(name, ""), *(int(column[d]) for column in columns))
            for d, name in enumerate(self._departments)
        ]
        return pd.DataFrame(rows, columns=list(BY_DEPARTMENT))

    @staticmethod
    def _by(cells: pd.DataFrame, valid: np.ndarray, keys: Sequence[str], name: str) -> pd.DataFrame:
        frame = pd.DataFrame(
            {name: pd.Series(list(keys), dtype="object"), "opinions": valid.astype(np.int64)}
        )
        for kind in ("issue", "praise"):
            frame[kind] = 0
            frame.loc[cells.loc[cells["kind"] == kind, "opinion"].unique(), kind] = 1
        return frame.groupby(name, sort=True).sum().reset_index()


def _few(count: int) -> bool:
    return SUPPRESSED_FROM <= count <= SUPPRESSED_TO


def _once(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """One row per cluster of repeats and cell."""
    return frame.drop_duplicates(["cluster", *columns])


def _grid(cells: pd.DataFrame, shape: tuple[int, int]) -> np.ndarray:
    grid = np.zeros(shape, dtype=np.int64)
    np.add.at(grid, (cells["department"].to_numpy(), cells["label"].to_numpy()), 1)
    return grid


def _periods(days: Sequence[str]) -> list[str]:
    """Days → months, or years where more than 24 months are touched; 未注明 where there is no day."""
    months = {day[:7] for day in days if day}
    length = 7 if len(months) <= 24 else 4
    return [day[:length] or "未注明" for day in days]
