"""Two rounds of opinions beside each other: which counts rose or fell by more than chance, and what a notice changed.

Counts are of distinct opinions, and a count is compared as a share of the opinions about the same department: a round twice
as large has twice the cases without being worse. The test is Fisher's exact test (1935), two-sided: it is exact for the small
numbers that most cells have, conditions on what both rounds found together, so that cells too small to show anything can
be set aside beforehand, and takes half a millisecond a cell. Boschloo's and Barnard's tests find a little more but take
50–80 ms a cell: ten minutes for 500 departments × 16 labels. Over all cells tested the share of false changes among those
shown is kept under 10 % (Benjamini & Hochberg 1995). Small counts are counted here like others: what may be shown of them
is for :mod:`pipeline.aggregate.suppression` to say, in either round.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest, false_discovery_control, fisher_exact

Counts = npt.NDArray[np.int64]

FALSE_DISCOVERIES, MORE_CASES = 0.10, 5
"""A change is shown where q is below the first, and where the second round has at least so many cases more or fewer than
the first one's share would give it."""

ONE_TEST = 0.05
"""The level at which a change is shown where one label alone is tested."""

BASE = 10
"""Percentages are given on a base of at least so many cases."""

Kind = Literal["rose", "fell", "appeared", "steady", "too few", "none"]
"""``appeared``: a rise from no case at all (新增). ``steady``: no change that is more than chance. ``too few``: fewer than
:data:`MORE_CASES` cases in both rounds together, or no opinion about the department in one of them: nothing can be said.
``none``: no case in either (—)."""


@dataclass(frozen=True, slots=True)
class Change:
    """A label of a department in two rounds: ``before`` of ``opinions_before`` and ``after`` of ``opinions_after``.

    ``p`` is Fisher's, ``q`` Benjamini and Hochberg's over all cells tested; None where nothing was tested.
    """

    department: str
    label: str
    before: int
    opinions_before: int
    after: int
    opinions_after: int
    p: float | None
    q: float | None
    kind: Kind

    @property
    def percent(self) -> float | None:
        """Change of the count in percent of the first one; None on a base under :data:`BASE`."""
        return _percent(self.before, self.before, self.after)

    @property
    def percent_of_share(self) -> float | None:
        """Change of the share of opinions in percent of the first share: what to say of rounds that differ in size."""
        if not self.opinions_before or not self.opinions_after:
            return None
        return _percent(self.before, self.before / self.opinions_before, self.after / self.opinions_after)


def compare_rounds(before: pd.DataFrame, after: pd.DataFrame, labels: Sequence[str]) -> tuple[Change, ...]:
    """Compare every (department, label) cell of two rounds' ``summary`` frames.

    Needed columns: department, label, count_distinct, opinions_distinct. Departments come in the order of ``after``, then
    those that only ``before`` has; labels as given. A cell that one frame lacks has counts of 0 there.

    Raises:
        ValueError: a cell occurs twice, or has more cases than opinions.
    """
    departments = dict.fromkeys([*after["department"], *before["department"]])
    cells = pd.MultiIndex.from_product([departments, labels], names=["department", "label"])
    k1, n1 = _counts(before, cells)
    k2, n2 = _counts(after, cells)
    tested = np.flatnonzero((k1 + k2 >= MORE_CASES) & (n1 > 0) & (n2 > 0))
    p, q = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    p[tested] = [fisher(*cell) for cell in zip(*(c[tested].tolist() for c in (k1, n1, k2, n2)), strict=True)]
    if tested.size:
        q[tested] = false_discovery_control(p[tested])
    columns = (column.tolist() for column in (k1, n1, k2, n2, p, q))
    return tuple(
        Change(
            department, label, a, n, b, m,
            p=None if math.isnan(p_) else p_,
            q=None if math.isnan(q_) else q_,
            kind=_kind(a, n, b, m, None if math.isnan(q_) else q_ < FALSE_DISCOVERIES),
        )
        for (department, label), a, n, b, m, p_, q_ in zip(cells, *columns, strict=True)
    )  # fmt: skip


def fisher(
    k1: int, n1: int, k2: int, n2: int, alternative: Literal["two-sided", "greater"] = "two-sided"
) -> float:
    """P of Fisher's exact test of ``k1`` of ``n1`` against ``k2`` of ``n2``; 1 where there is nothing to test."""
    return float(fisher_exact(np.array([[k1, n1 - k1], [k2, n2 - k2]]), alternative=alternative).pvalue)


@dataclass(frozen=True, slots=True)
class Side:
    """Opinions collected before, or from, the day of a notice: ``found`` of ``opinions``, in ``days`` days."""

    found: int
    opinions: int
    days: int

    @property
    def share(self) -> float | None:
        """Of the opinions, in [0, 1]; None without any."""
        return self.found / self.opinions if self.opinions else None

    @property
    def per_day(self) -> float | None:
        """Cases a day; None without days."""
        return self.found / self.days if self.days else None


@dataclass(frozen=True, slots=True)
class NoticeChange:
    """One label before a notice, and from its day on. What changed since is not thereby shown to have changed by it.

    ``p_share`` is Fisher's for the shares of opinions: the measure where opinions were asked for. ``p_rate`` is for the
    cases a day (exact, given their sum: Przyborowski & Wilenski 1940): the measure where opinions come by themselves.
    ``kind`` goes by the shares, as between rounds but at p < :data:`ONE_TEST`. ``undated`` opinions are on neither side.
    """

    before: Side
    after: Side
    undated: int
    p_share: float
    p_rate: float
    kind: Kind

    @property
    def percent_of_share(self) -> float | None:
        """Change of the share of opinions in percent of the first share; None on a base under :data:`BASE` cases."""
        return _percent(self.before.found, self.before.share, self.after.share)

    @property
    def percent_per_day(self) -> float | None:
        """Change of the cases a day in percent; None on a base under :data:`BASE` cases."""
        return _percent(self.before.found, self.before.per_day, self.after.per_day)


def compare_around_notice(
    days: Sequence[str], found: Sequence[bool], notice: dt.date, periods: Sequence[tuple[str, str]] = ()
) -> NoticeChange:
    """Compare the opinions collected before a notice with those from its day on.

    One value an opinion, distinct ones of one round or two: ``days`` (``YYYY-MM-DD``, "" where it is not known) and
    whether the label was ``found``. ``periods`` are the first and last days on which opinions were collected, one pair a
    round; without them, the days from the first to the last opinion.

    Raises:
        ValueError: lengths differ, a day cannot be read, or an opinion was collected outside the periods.
    """
    dated = [(dt.date.fromisoformat(day), bool(has)) for day, has in zip(days, found, strict=True) if day]
    if not periods and dated:
        periods = [(min(dated)[0].isoformat(), max(dated)[0].isoformat())]
    open_on = {
        day
        for first, last in periods
        for day in range(
            dt.date.fromisoformat(first).toordinal(), dt.date.fromisoformat(last).toordinal() + 1
        )
    }
    if any(day.toordinal() not in open_on for day, _ in dated):
        raise ValueError("an opinion was collected outside the periods")
    before, after = (
        Side(
            found=sum(has for day, has in dated if (day >= notice) == later),
            opinions=sum((day >= notice) == later for day, _ in dated),
            days=sum((day >= notice.toordinal()) == later for day in open_on),
        )
        for later in (False, True)
    )
    p = fisher(before.found, before.opinions, after.found, after.opinions)
    enough = before.opinions and after.opinions and before.found + after.found >= MORE_CASES
    return NoticeChange(
        before=before,
        after=after,
        undated=len(days) - len(dated),
        p_share=p,
        p_rate=_same_rate(before, after),
        kind=_kind(
            before.found, before.opinions, after.found, after.opinions, p < ONE_TEST if enough else None
        ),
    )


def _same_rate(before: Side, after: Side) -> float:
    cases = before.found + after.found
    if not cases or not before.days or not after.days:
        return 1.0
    return float(binomtest(before.found, cases, before.days / (before.days + after.days)).pvalue)


def _counts(summary: pd.DataFrame, cells: pd.MultiIndex) -> tuple[Counts, Counts]:
    """Cases and opinions of every cell, 0 where the frame lacks it."""
    columns = ["count_distinct", "opinions_distinct"]
    found = summary.set_index(["department", "label"])[columns].reindex(cells, fill_value=0)
    k, n = (found[column].to_numpy(dtype=np.int64) for column in columns)
    if (k > n).any():
        raise ValueError("a cell has more cases than its department has opinions")
    return k, n


def _kind(k1: int, n1: int, k2: int, n2: int, significant: bool | None) -> Kind:
    """``significant`` is None where nothing was tested."""
    if not k1 and not k2:
        return "none"
    if significant is None:
        return "too few"
    more = k2 - k1 * n2 / n1
    if not significant or abs(more) < MORE_CASES:
        return "steady"
    if more < 0:
        return "fell"
    return "rose" if k1 else "appeared"


def _percent(base: int, before: float | None, after: float | None) -> float | None:
    if base < BASE or not before or after is None:
        return None
    return 100 * (after / before - 1)
