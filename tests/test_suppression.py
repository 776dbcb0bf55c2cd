"""Suppression: what a reader of a published table can find out, against linear programs and against every choice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from pipeline.aggregate import suppression
from pipeline.aggregate.suppression import (
    WIDTH,
    Hidden,
    PublishedTable,
    may_show_total,
    possible_ranges,
    suppress,
    suppress_parts,
)

MARK = -1


def small(counts):
    return (counts >= 1) & (counts <= 4)


@st.composite
def tables(draw, most=4):
    """A table whose totals are at or a little below the sums of its cells (the tightest), and its grand total."""
    r, c = draw(st.integers(1, most)), draw(st.integers(1, most))
    cell = st.one_of(st.just(0), st.integers(1, 4), st.integers(5, 30))
    cells = np.array(draw(st.lists(cell, min_size=r * c, max_size=r * c))).reshape(r, c)

    def totals(lines):
        overlap = np.array([draw(st.sampled_from((0, 0, 1, 2, 6))) for _ in lines])
        return np.maximum(lines.sum(1) - overlap, lines.max(1))

    rows, columns = totals(cells), totals(cells.T)
    total = max(min(rows.sum(), columns.sum()) - draw(st.integers(0, 2)), rows.max(), columns.max())
    table = PublishedTable(
        cells=cells,
        rows=draw(st.sampled_from((None, rows, rows))),
        columns=draw(st.sampled_from((None, columns, columns))),
        opinions=draw(st.sampled_from((None, rows + draw(st.integers(0, 3))))),
    )
    return table, int(total)


def inequalities(table, hidden, total):
    """All that a reader knows beside the counts shown, as lists of (below, above, beyond): sum ≤ sum + beyond.

    Unknowns are cells, row totals, column totals, numbered in this order.
    """
    r, c = table.cells.shape
    at, row_at, column_at = np.arange(r * c).reshape(r, c), r * c + np.arange(r), r * c + r + np.arange(c)
    yield from (([at[i, j]], [row_at[i]], 0) for i, j in np.ndindex(r, c))
    yield from (([at[i, j]], [column_at[j]], 0) for i, j in np.ndindex(r, c))
    yield from (([row_at[i]], at[i], 0) for i in range(r))
    yield from (([column_at[j]], at[:, j], 0) for j in range(c))
    if table.opinions is not None:
        yield from (([row_at[i]], [], table.opinions[i]) for i in np.flatnonzero(~hidden.opinions))
    if total is not None:
        yield from (([], line, -total) for line in (row_at, column_at))
        yield from (([part], [], total) for part in (*row_at, *column_at))


def programs(table, hidden, total=None):
    """Lowest and highest of every unknown, by one linear program each."""
    r, c = table.cells.shape
    size = r * c + r + c
    known = list(inequalities(table, hidden, total))
    matrix, limits = np.zeros((len(known), size)), [beyond for _, _, beyond in known]
    for line, (below, above, _) in zip(matrix, known, strict=True):
        line[below], line[above] = 1, -1
    counts = np.concatenate(
        [
            part.ravel() if part is not None else np.zeros(length)
            for part, length in zip(
                (table.cells, table.rows, table.columns), (0, *table.cells.shape), strict=True
            )
        ]
    )
    unseen = np.concatenate([hidden.cells.ravel(), hidden.rows, hidden.columns])
    bounds = [(0, None) if free else (count, count) for count, free in zip(counts, unseen, strict=True)]
    ends = []
    for sign in (1, -1):
        found = [linprog(sign * cost, A_ub=matrix, b_ub=limits, bounds=bounds) for cost in np.eye(size)]
        assert {one.status for one in found} <= {0, 3}  # solved, or without bound
        best = np.array([np.inf if one.status == 3 else one.fun for one in found])
        ends.append(np.where(np.isinf(best), best, sign * best))
    return np.array(ends)


def flat(ends):
    return np.concatenate([ends.cells.ravel(), ends.rows, ends.columns])


@given(tables(), st.data())
@settings(max_examples=30, deadline=None)
def test_ranges_are_those_of_the_linear_programs_whatever_is_hidden(drawn, data):
    table, _ = drawn

    def some(counts, size):
        if counts is None:
            return np.ones(size, dtype=bool)
        return np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)

    r, c = table.cells.shape
    hidden = Hidden(
        some(table.cells, r * c).reshape(r, c),
        some(table.rows, r),
        some(table.columns, c),
        some(table.opinions, r),
    )
    low, high = possible_ranges(table, hidden)
    expected = programs(table, hidden)
    np.testing.assert_allclose(flat(low), expected[0], atol=1e-6)
    np.testing.assert_allclose(flat(high), expected[1], atol=1e-6)


@given(tables())
@settings(max_examples=30, deadline=None)
def test_by_linear_programs_no_small_count_can_be_told(drawn):
    table, total = drawn
    hidden = suppress(table)
    shown_too = may_show_total(table, hidden, total)
    low, high = programs(table, hidden, total if shown_too else None)
    r, c = table.cells.shape
    guarded = np.concatenate(
        [
            small(table.cells).ravel(),
            np.zeros(r, dtype=bool) if table.rows is None else small(table.rows),
            np.zeros(c, dtype=bool) if table.columns is None else small(table.columns),
        ]
    )
    assert (high[guarded] - low[guarded] >= WIDTH - 1e-6).all()
    assert (low[guarded] <= 1 + 1e-6).all()


@given(tables(most=9))
@settings(deadline=None)
def test_small_counts_are_hidden_and_what_is_shown_is_true(drawn):
    table, _ = drawn
    before = table.cells.copy()
    hidden = suppress(table)
    np.testing.assert_array_equal(table.cells, before)
    assert hidden.cells[small(table.cells)].all()
    for counts, unseen in (
        (table.rows, hidden.rows),
        (table.columns, hidden.columns),
        (table.opinions, hidden.opinions),
    ):
        if counts is not None:
            assert unseen[small(counts)].all()
    low, high = possible_ranges(table, hidden)
    np.testing.assert_array_equal(low.cells[~hidden.cells], table.cells[~hidden.cells])
    np.testing.assert_array_equal(high.cells[~hidden.cells], table.cells[~hidden.cells])
    assert (low.cells <= table.cells).all()
    assert (high.cells >= table.cells).all()
    guarded = small(table.cells)
    assert (high.cells[guarded] - low.cells[guarded] >= WIDTH).all()
    assert (low.cells[guarded] <= 1).all()
    if not guarded.any():
        assert not hidden.cells.any()
        assert table.rows is None or (hidden.rows == small(table.rows)).all()


def good(table, hidden):
    low, high = possible_ranges(table, hidden)
    guarded = small(table.cells)
    return bool((high.cells[guarded] - low.cells[guarded] >= WIDTH).all() and (low.cells[guarded] <= 1).all())


@given(tables(most=3))
@settings(max_examples=60, deadline=None)
def test_nothing_less_would_do(drawn):
    """Of all sets of cells to hide beside the same totals, none with fewer zeros, or as many and fewer cells, is enough."""
    table, _ = drawn
    hidden = suppress(table)
    others = hidden.cells & ~small(table.cells)
    zeros, number = (others & (table.cells == 0)).sum(), others.sum()
    free = np.argwhere(~small(table.cells))
    for size in range(len(free) + 1):
        for chosen in itertools.combinations(free, size):
            cells = small(table.cells)
            for place in chosen:
                cells[tuple(place)] = True
            if good(table, Hidden(cells, hidden.rows, hidden.columns, hidden.opinions)):
                z = sum(table.cells[tuple(place)] == 0 for place in chosen)
                assert (z, size) >= (zeros, number)


def table_of(cells, rows=True, columns=True):
    """No opinion has two labels or departments: totals are sums, the tightest they can be."""
    cells = np.array(cells)
    return PublishedTable(cells, cells.sum(1) if rows else None, cells.sum(0) if columns else None)


def shown(table, hidden):
    return np.where(hidden.cells, MARK, table.cells).tolist()


def test_a_small_count_alone_in_its_row_and_column_takes_the_smallest_three_with_it():
    table = table_of([[20, 50, 10], [30, 3, 40], [60, 70, 80]])
    hidden = suppress(table)
    # the usual rectangle of complementary suppression: 50 is the smaller of the column, 30 of the row, 20 closes it
    assert shown(table, hidden) == [[20, MARK, 10], [MARK, MARK, 40], [60, 70, 80]]
    assert not hidden.rows.any()
    assert not hidden.columns.any()


def test_opinions_with_several_labels_hide_a_count_without_help():
    cells = np.array([[20, 50, 10], [30, 3, 40], [60, 70, 80]])
    table = PublishedTable(cells, rows=cells.sum(1) - 2, columns=cells.sum(0) - 2)
    assert suppress(table).cells.sum() == 1


def test_without_totals_only_small_counts_are_hidden():
    hidden = suppress(table_of([[3, 9, 0], [12, 4, 7]], rows=False, columns=False))
    assert hidden.cells.tolist() == [[True, False, False], [False, True, False]]
    assert hidden.rows.all()  # there are none to be shown


def test_zeros_come_last_and_totals_after_them():
    assert shown(table := table_of([[3, 40, 0], [9, 9, 9]], columns=False), suppress(table))[0] == [
        MARK,
        MARK,
        0,
    ]
    # no positive cell is left in the row: a zero is hidden
    cells = np.array([[4, 4, 0], [5, 5, 9]])
    assert suppress(PublishedTable(cells, np.array([8, 19]), np.array([5, 5, 9]))).cells[0].all()
    # no cell is left at all, and at most 5 opinions are about either department: 8 would be 3–5 and 3–5
    two = PublishedTable(np.array([[4], [4]]), np.array([4, 4]), np.array([8]), opinions=np.array([5, 5]))
    assert suppress(two).columns.tolist() == [True]


def test_opinions_about_a_department_bound_its_counts():
    table = PublishedTable(
        np.array([[3], [8]]), rows=None, columns=np.array([11]), opinions=np.array([9, 30])
    )
    low, high = possible_ranges(table, suppress(table))
    assert (low.cells[0, 0], high.cells[0, 0]) == (0, 9)
    few = PublishedTable(np.array([[3]]), opinions=np.array([4]))
    assert suppress(few).opinions.tolist() == [True]


def test_a_grand_total_is_not_shown_where_it_gives_a_total_away():
    cells = np.array([[3, 0], [20, 0], [0, 30]])
    table = PublishedTable(cells, rows=cells.sum(1))
    assert not may_show_total(table, suppress(table), 53)  # 53 - 20 - 30
    overlapping = PublishedTable(np.array([[3, 0], [20, 9], [0, 30]]), rows=np.array([3, 20, 30]))
    assert may_show_total(overlapping, suppress(overlapping), 45)
    assert not may_show_total(overlapping, suppress(overlapping), 4)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_parts_of_a_sum_cannot_be_told(counts):
    counts = np.array(counts)
    hidden = suppress_parts(counts)
    assert hidden[small(counts)].all()
    if not small(counts).any():
        assert not hidden.any()
    elif not small(counts.sum()):
        # the reader knows the sum of the hidden parts alone: each may be 0 … that sum
        assert hidden.sum() >= 2
        assert counts[hidden].sum() >= WIDTH
        without = [h for h in np.flatnonzero(hidden) if not small(counts[h])]
        assert len(without) <= 1 or (counts[without[:-1]] == 0).all() or (counts[hidden] == 0).any()


def test_parts_are_hidden_smallest_first():
    assert suppress_parts(np.array([0, 3, 9, 7])).tolist() == [False, True, False, True]
    assert suppress_parts(np.array([0, 6, 9, 7])).sum() == 0
    assert suppress_parts(np.array([0, 2, 4, 70])).tolist() == [False, True, True, False]


def test_five_hundred_departments_are_hidden_well_and_the_same_way_twice():
    rng = np.random.default_rng(5)
    cells = rng.integers(0, 30, (500, 14)) * (rng.random((500, 14)) < 0.7)
    cells[rng.random((500, 14)) < 0.05] = 3
    table = table_of(cells)
    hidden = suppress(table)
    assert good(table, hidden)
    others = hidden.cells & ~small(cells)
    assert 0 < others.sum() < small(cells).sum()
    np.testing.assert_array_equal(hidden.cells, suppress(table).cells)


def test_counts_of_opinions_are_such_a_table():
    rng = np.random.default_rng(1)
    about = rng.random((300, 9, 1)) < rng.dirichlet(np.ones(9))[:, None]
    has = about & (rng.random((300, 1, 6)) < np.array([0.5, 0.2, 0.1, 0.05, 0.02, 0.01]))
    table = PublishedTable(
        cells=has.sum(0),
        rows=has.any(2).sum(0),
        columns=has.any(1).sum(0),
        opinions=about.any(2).sum(0),
    )
    assert small(table.cells).any()
    hidden = suppress(table)
    assert good(table, hidden)
    assert not hidden.cells.all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cells": np.array([1, 2])}, "not a matrix"),
        ({"cells": np.array([[-1]])}, "not a matrix"),
        ({"cells": np.array([[1, 2]]), "rows": np.array([1])}, "row total is below its largest cell"),
        ({"cells": np.array([[1, 2]]), "columns": np.array([1, 3])}, "column total is below .* or above"),
        ({"cells": np.array([[1, 2]]), "columns": np.array([1])}, "column totals do not fit"),
        ({"cells": np.array([[1, 2]]), "opinions": np.array([1])}, "fewer than those counted"),
    ],
)
def test_tables_that_cannot_be_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        PublishedTable(**fields)


def test_a_solver_that_fails_publishes_nothing(monkeypatch):
    monkeypatch.setattr(suppression, "milp", lambda *_, **__: type("Failed", (), {"x": None}))
    with pytest.raises(RuntimeError, match="did not find what to hide"):
        suppress(table_of([[3, 50, 10]], columns=False))
