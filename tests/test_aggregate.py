"""Tables: both counts, zeros, intervals checked against another implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from pipeline.aggregate.intervals import wilson
from pipeline.aggregate.tally import SUMMARY, Tally
from pipeline.records import UNSPECIFIED, Finding, Opinion, Reading


@given(n=st.integers(1, 20_000), share=st.floats(0, 1))
def test_wilson_agrees_with_statsmodels(n, share):
    hits = round(n * share)
    low, high = proportion_confint(hits, n, method="wilson")
    np.testing.assert_allclose(wilson(hits, n), (max(low, 0.0), min(high, 1.0)), atol=1e-9)


def test_wilson_at_the_edges():
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 12)[0] == 0.0
    assert wilson(12, 12)[1] == 1.0
    with pytest.raises(ValueError, match=r"hits 3 outside 0…2"):
        wilson(3, 2)


def reading(number, *cells, valid=True, review=False, day="2025-03-04", departments=None):
    """A reading whose cells are (department, label)."""
    findings = tuple(
        Finding(department=d, label=c, probability=0.9, start=0, end=1, needs_review=review) for d, c in cells
    )
    about = dict.fromkeys(d for d, _ in cells) if departments is None else departments
    return Reading(
        opinion=Opinion(id=str(number), text="文", collected_on=day, channel="问卷"),
        valid=valid,
        findings=findings,
        departments=tuple(about),
        needs_review=review,
        signature=b"",
    )


@pytest.fixture
def tables(workspace):
    tally = Tally(workspace.taxonomy, workspace.directory)
    tally.add(reading(1, ("盐业公司", "stalling"), ("盐业公司", "opacity")), "")
    tally.add(reading(2, ("盐业公司", "stalling"), review=True), "1")
    tally.add(reading(3, ("盐业公司", "praise"), ("糖业公司", "stalling"), day="2025-04-01"), "")
    tally.add(reading(4, departments=["盐业公司"]), "")
    tally.add(reading(5, valid=False, departments=[]), "")
    tally.add(reading(6, (UNSPECIFIED, "suggestion"), day=""), "")
    return tally.tables()


def cell(tables, department, label):
    frame = tables.summary
    return frame[(frame["department"] == department) & (frame["label"] == label)].iloc[0]


def test_summary_has_every_cell_once_in_order(tables, workspace):
    assert list(tables.summary.columns) == list(SUMMARY)
    expected = [
        (department, code)
        for department in (*workspace.directory.names, UNSPECIFIED)
        for code in workspace.taxonomy.codes
    ]
    assert list(zip(tables.summary["department"], tables.summary["label"], strict=True)) == expected


def test_a_cell_gives_both_counts_and_the_share_of_distinct_opinions(tables):
    stalling = cell(tables, "盐业公司", "stalling")
    assert (stalling["opinions"], stalling["opinions_distinct"]) == (4, 3)
    assert (stalling["count"], stalling["count_distinct"]) == (2, 1)
    assert stalling["estimated_share"] == pytest.approx(1 / 3, abs=1e-4)
    assert (stalling["ci_low"], stalling["ci_high"]) == tuple(round(b, 4) for b in wilson(1, 3))
    empty = cell(tables, "造纸工业公司", "stalling")
    assert (empty["opinions"], empty["count"], empty["estimated_share"]) == (0, 0, 0.0)
    assert (empty["ci_low"], empty["ci_high"]) == (0.0, 1.0)


def test_suppressed_are_counts_of_one_to_four(workspace):
    tally = Tally(workspace.taxonomy, workspace.directory)
    for number in range(5):
        tally.add(
            reading(number, ("盐业公司", "stalling"), *([("盐业公司", "opacity")] if number < 4 else [])), ""
        )
    tables = tally.tables()
    assert not cell(tables, "盐业公司", "stalling")["suppressed"]
    assert cell(tables, "盐业公司", "opacity")["suppressed"]
    assert not cell(tables, "盐业公司", "praise")["suppressed"]


def test_totals_and_breakdowns(tables):
    assert tables.totals == {
        "accepted": 6, "distinct": 5, "valid": 5, "valid_distinct": 4, "issue": 3, "issue_distinct": 2,
        "praise": 1, "praise_distinct": 1, "suggestion_distinct": 1, "needs_review": 1,
        "first_day": "2025-03-04", "last_day": "2025-04-01",
    }  # fmt: skip
    periods = tables.by_period.set_index("period")
    assert periods.loc["2025-03"].to_dict() == {"opinions": 3, "issue": 2, "praise": 0}
    assert periods.loc["未注明"].to_dict() == {"opinions": 1, "issue": 0, "praise": 0}
    salt = tables.by_department.set_index("department").loc["盐业公司"]
    assert (salt["issue_distinct"], salt["praise_distinct"], salt["needs_review"]) == (1, 1, 1)
    labels = tables.by_label.set_index("label")
    assert (labels.loc["stalling", "count"], labels.loc["stalling", "count_distinct"]) == (3, 2)
    assert labels.loc["stalling", "share"] == 2 / 4


def test_an_empty_run_has_tables_too(workspace):
    tables = Tally(workspace.taxonomy, workspace.directory).tables()
    assert tables.totals["accepted"] == 0
    assert len(tables.summary) == len(workspace.taxonomy.codes) * (len(workspace.directory.names) + 1)
    assert not tables.summary["count"].any()
