"""Small counts must not leave the office: which counts of a published table are to be hidden.

A count of 1–4 opinions could be traced to who gave them. Hiding it is not enough where the totals beside it give it away,
so other counts are hidden with it (complementary suppression, Cox 1980). The totals are *distinct* counts: an opinion with
two labels is one in its department's total. All that a reader of the table knows is, for rows and columns alike::

    largest cell of the line  ≤  total of the line  ≤  sum of its cells

These inequalities have a greatest solution: every hidden cell at the lesser of the totals shown for its row and its column.
The highest value of a cell is its value there, and the lowest what a shown total still asks of it while all others are at
their highest: no linear program has to be solved (the tests solve them). What else must be hidden is a covering problem:
the highest values of a line's cells have to exceed its total by enough.

The reader may know the rule, but not which of the hidden counts were small. What is not in the table is not guarded:
shares, counts with repeats, or another table of the same opinions, shown beside it, give hidden counts away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from pipeline.aggregate.tables import SUPPRESSED_FROM, SUPPRESSED_TO

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WIDTH = SUPPRESSED_TO + 1
"""A hidden small count may be anything within a range at least this wide, all of 1–4 in it."""


@dataclass(frozen=True, eq=False)
class PublishedTable:
    """Counts of distinct opinions that are to be shown together; None for what is not shown.

    ``cells`` (r, c): departments × labels. ``rows`` (r,): opinions with any of the labels about the department.
    ``columns`` (c,): opinions with the label about any of the departments. ``opinions`` (r,): all about the department.
    In the frames of :class:`~pipeline.aggregate.tables.Tables` these are ``count_distinct`` of ``summary``,
    ``issue_distinct``, ``count_distinct`` of ``by_label`` and ``opinions_distinct``, for all issues and departments.

    Raises:
        ValueError: shapes that do not fit, negative counts, or totals outside what their cells allow.
    """

    cells: Counts
    rows: Counts | None = None
    columns: Counts | None = None
    opinions: Counts | None = None

    def __post_init__(self) -> None:
        if self.cells.ndim != 2 or (self.cells < 0).any():
            raise ValueError("cells are not a matrix of counts")
        for name, totals, cells in (("row", self.rows, self.cells), ("column", self.columns, self.cells.T)):
            if totals is None:
                continue
            if totals.shape != cells.shape[:1]:
                raise ValueError(f"{name} totals do not fit the cells")
            if (totals < cells.max(1, initial=0)).any() or (totals > cells.sum(1)).any():
                raise ValueError(f"a {name} total is below its largest cell or above the sum of its cells")
        if self.opinions is not None:
            least = self.cells.max(1, initial=0) if self.rows is None else self.rows
            if self.opinions.shape != least.shape or (self.opinions < least).any():
                raise ValueError("opinions about a department are fewer than those counted in its row")


@dataclass(frozen=True, eq=False)
class Hidden:
    """True where a count is to be replaced by the mark, the same mark everywhere; shapes as in the table.

    All True for totals that the table does not have.
    """

    cells: Bools
    rows: Bools
    columns: Bools
    opinions: Bools


@dataclass(frozen=True, eq=False)
class Ends:
    """One end of the range of possible values of every count; infinite where nothing bounds it."""

    cells: Floats
    rows: Floats
    columns: Floats


def suppress(table: PublishedTable) -> Hidden:
    """Decide what to hide; the same table gives the same answer.

    Every count of 1–4 is hidden, and for a reader of what is shown each may be any of 1–4, or more, within a range at
    least :data:`WIDTH` wide. Hidden with them are: totals only where hiding all other cells of the line does not do
    (the smallest first), zeros only where positive cells do not do, then as few cells as possible, of these the smallest.

    Raises:
        RuntimeError: the solver failed, and what it left shown would give a small count away.
    """
    hidden = Hidden(
        cells=_small(table.cells),
        rows=_small_or_absent(table.rows, table.cells.shape[0]),
        columns=_small_or_absent(table.columns, table.cells.shape[1]),
        opinions=_small_or_absent(table.opinions, table.cells.shape[0]),
    )
    while True:
        limits = _Limits(table, hidden)
        short = limits.short()
        hopeless = [
            *((limits.rows[i], 0, i) for i in np.flatnonzero(limits.gain.sum(1) < short[0])),
            *((limits.columns[j], 1, j) for j in np.flatnonzero(limits.gain.sum(0) < short[1])),
        ]
        if not hopeless:
            break
        _, axis, line = min(hopeless)
        (hidden.rows, hidden.columns)[axis][line] = True
    hidden.cells[_cheapest_cover(table.cells, limits.gain, *short)] = True
    if any(missing.any() for missing in _Limits(table, hidden).short()):
        raise RuntimeError("the solver did not find what to hide")
    return hidden


def suppress_parts(counts: Counts) -> Bools:
    """What to hide of counts (n,) that exclude one another and add up to a total shown beside them, such as sources.

    The hidden ones are at least two and sum up to at least :data:`WIDTH`, so that each may be anything from 0 to that sum:
    1–4, then the smallest others, zeros last. (Where all together do not do, the total is small itself.)
    """
    hidden = _small(counts)
    for part in np.lexsort((counts, counts == 0)) if hidden.any() else ():
        if hidden.sum() >= 2 and counts[hidden].sum() >= WIDTH:
            break
        hidden[part] = True
    return hidden


def possible_ranges(table: PublishedTable, hidden: Hidden) -> tuple[Ends, Ends]:
    """Lowest and highest value of every count that agree with what is shown; both are the count itself where shown."""
    limits = _Limits(table, hidden)
    by_row = (limits.rows - limits.high.sum(1))[:, None] + limits.high
    by_column = limits.columns - limits.high.sum(0) + limits.high
    by_row[hidden.rows], by_column[:, hidden.columns] = 0, 0
    low = np.where(hidden.cells, np.maximum(0, np.maximum(by_row, by_column)), table.cells)
    lines = ((hidden.rows, limits.rows, 1), (hidden.columns, limits.columns, 0))
    lows = (np.where(unseen, low.max(axis, initial=0), total) for unseen, total, axis in lines)
    highs = limits.totals()
    return (
        Ends(*(ends.astype(float) for ends in (low, *lows))),
        Ends(*(limits.unbounded(ends) for ends in (limits.high, *highs))),
    )


def may_show_total(table: PublishedTable, hidden: Hidden, total: int) -> bool:
    """Whether ``total``, the opinions with any label about any department, may be shown beside what is not hidden.

    It may where it tells nothing: with any one line's hidden counts at their lowest the others can still make it up.
    Otherwise a hidden count could be what the total has beyond the others.
    """
    limits = _Limits(table, hidden)
    high, known = limits.high, np.where(hidden.cells, 0, table.cells)
    rows, columns = limits.totals()
    for unseen, published, most, high_, known_, unseen_across, across in (
        (hidden.rows, table.rows is not None, rows, high, known, hidden.columns, limits.columns),
        (hidden.columns, table.columns is not None, columns, high.T, known.T, hidden.rows, limits.rows),
    ):
        least = known_.max(1, initial=0) if published else known_.sum(1)
        asked = unseen & (published | (high_ > known_).any(1))
        # a hidden total at its lowest takes its cells down with it, and so the totals across
        rest = np.where(unseen_across, np.minimum(across, high_.sum(0) - high_ + known_), across).sum(1)
        if (asked & (most.sum() - most + least < total)).any() or (unseen & published & (rest < total)).any():
            return False
    return not SUPPRESSED_FROM <= total <= SUPPRESSED_TO


class _Limits:
    """The greatest solution of the inequalities, in integers; ``_endless`` stands for no bound.

    ``rows`` (r,), ``columns`` (c,): the total where it is shown, otherwise the most it can be whatever its cells.
    ``high`` (r, c): the highest value of each cell, itself where shown; ``gain`` (r, c): what hiding a shown one adds.
    """

    def __init__(self, table: PublishedTable, hidden: Hidden) -> None:
        counts = (table.cells, table.rows, table.columns, table.opinions)
        self._endless = 1 + WIDTH + sum(int(part.sum()) for part in counts if part is not None)
        self._small, self._hidden = _small(table.cells), hidden
        self.rows = np.minimum(
            self._shown(table.rows, hidden.rows), self._shown(table.opinions, hidden.opinions)
        )
        self.columns = self._shown(table.columns, hidden.columns)
        ceiling = np.minimum(self.rows[:, None], self.columns)
        self.high = np.where(hidden.cells, ceiling, table.cells)
        self.gain = ceiling - self.high

    def _shown(self, counts: Counts | None, hidden: Bools) -> Counts:
        return np.where(hidden, self._endless, 0 if counts is None else counts)

    def totals(self) -> tuple[Counts, Counts]:
        """Highest values of row and column totals."""
        return (
            np.where(self._hidden.rows, np.minimum(self.rows, self.high.sum(1)), self.rows),
            np.where(self._hidden.columns, np.minimum(self.columns, self.high.sum(0)), self.columns),
        )

    def short(self) -> tuple[Counts, Counts]:
        """By how much the highest values of each line's cells are too low to hide its small counts; 0 where they do."""
        # a small count is at least the total less all others: that is to be 1 at most, and WIDTH below its highest
        asked = np.where(self._small, np.maximum(self.high - 1, WIDTH), 0)
        rows = np.where(self._hidden.rows, 0, self.rows - self.high.sum(1) + asked.max(1, initial=0))
        columns = np.where(self._hidden.columns, 0, self.columns - self.high.sum(0) + asked.max(0, initial=0))
        return np.maximum(rows * self._small.any(1), 0), np.maximum(columns * self._small.any(0), 0)

    def unbounded(self, highs: Counts) -> Floats:
        """Highs as floats, infinite where there is no bound."""
        return np.where(highs >= self._endless, np.inf, highs.astype(float))


def _small(counts: Counts) -> Bools:
    return (counts >= SUPPRESSED_FROM) & (counts <= SUPPRESSED_TO)


def _small_or_absent(counts: Counts | None, size: int) -> Bools:
    return np.ones(size, dtype=bool) if counts is None else _small(counts)


def _cheapest_cover(cells: Counts, gain: Counts, rows_short: Counts, columns_short: Counts) -> Bools:
    """Cells (r, c) whose gains make up what every line is short of: fewest zeros, then fewest cells, then the smallest."""
    chosen = np.zeros(cells.shape, dtype=bool)
    row, column = ((gain > 0) & ((rows_short > 0)[:, None] | (columns_short > 0))).nonzero()
    size = row.size
    if not size:
        return chosen
    line, short = np.concatenate([row, column + len(rows_short)]), np.concatenate([rows_short, columns_short])
    # what a cell adds beyond what is missing does not count: that makes the relaxed problem tight
    added = np.minimum(np.tile(gain[row, column], 2), short[line]) / np.maximum(short[line], 1)
    matrix = coo_array((added, (line, np.tile(np.arange(size), 2))), shape=(short.size, size)).tocsr()
    cover = LinearConstraint(matrix[short > 0], lb=1.0)
    number = np.where(cells[row, column] == 0, size + 1, 1)
    fewest = LinearConstraint(number[None, :], ub=number @ _solve(number, cover))
    place = np.argsort(np.lexsort((column, row, cells[row, column])))
    best = _solve(place, cover, fewest)
    chosen[row[best], column[best]] = True
    return chosen


def _solve(cost: Counts, *constraints: LinearConstraint) -> Bools:
    """Which of the candidates to take; none of them where the solver fails, which the caller finds out."""
    found = milp(
        cost.astype(float),
        integrality=np.ones_like(cost),
        bounds=Bounds(0, 1),
        constraints=constraints,
        options={"mip_rel_gap": 0.0},
    ).x
    return np.zeros(cost.size, dtype=bool) if found is None else np.asarray(found > 0.5)
