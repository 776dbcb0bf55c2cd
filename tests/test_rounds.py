"""Two rounds: tests against published examples and other implementations, false changes by simulation, kinds by hand."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import barnard_exact, hypergeom
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.rates import test_poisson_2indep as poisson_2indep

from pipeline.aggregate import rounds
from pipeline.aggregate.rounds import (
    FALSE_DISCOVERIES,
    MORE_CASES,
    Change,
    Side,
    compare_around_notice,
    compare_rounds,
    fisher,
)


def frame(cells, opinions):
    """A summary from {department: {label: cases}} and {department: opinions}."""
    rows = [(d, code, k, opinions[d]) for d, labels in cells.items() for code, k in labels.items()]
    return pd.DataFrame(rows, columns=["department", "label", "count_distinct", "opinions_distinct"])


def one(k1, n1, k2, n2):
    (change,) = compare_rounds(
        frame({"甲处": {"stalling": k1}}, {"甲处": n1}),
        frame({"甲处": {"stalling": k2}}, {"甲处": n2}),
        ["stalling"],
    )
    return change


def test_fisher_on_fishers_twins():
    """Fisher (1935), The logic of inductive inference: of 13 identical twins 10 were convicted, of 17 fraternal ones 2."""
    change = one(2, 17, 10, 13)
    assert change.p == pytest.approx(0.0005367, abs=5e-8)
    assert change.q == change.p
    assert change.kind == "rose"
    assert change.percent is None  # 2 are no base


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_fisher_is_the_sum_of_the_less_likely_tables(k1, rest1, k2, rest2):
    n1, n2 = k1 + rest1, k2 + rest2
    if not n1 or not n2:
        assert fisher(k1, n1, k2, n2) == 1
        return
    chance = hypergeom.pmf(np.arange(k1 + k2 + 1), n1 + n2, k1 + k2, n1)
    assert fisher(k1, n1, k2, n2) == pytest.approx(chance[chance <= chance[k1] * (1 + 1e-7)].sum(), abs=1e-9)


def test_fisher_is_more_careful_than_barnard():
    assert fisher(7, 15, 12, 15) > barnard_exact([[7, 8], [12, 3]]).pvalue


def many(seed, cells=40):
    rng = np.random.default_rng(seed)
    names = [f"处{i}" for i in range(cells)]
    opinions = [dict(zip(names, rng.integers(10, 200, cells).tolist(), strict=True)) for _ in range(2)]
    shares = rng.beta(0.5, 3, cells)
    return rng, names, opinions, shares


def drawn(rng, names, opinions, shares):
    found = rng.binomial([opinions[d] for d in names], shares)
    return frame({d: {"stalling": int(k)} for d, k in zip(names, found, strict=True)}, opinions)


def test_q_is_that_of_statsmodels_over_all_cells_tested():
    rng, names, (first, second), shares = many(3)
    changes = compare_rounds(
        drawn(rng, names, first, shares), drawn(rng, names, second, shares[::-1]), ["stalling"]
    )
    tested = [change for change in changes if change.p is not None]
    assert MORE_CASES < len(tested) < len(changes)
    assert {change.kind for change in changes if change.p is None} <= {"too few", "none"}
    expected = multipletests([change.p for change in tested], method="fdr_bh")[1]
    np.testing.assert_allclose([change.q or 0.0 for change in tested], expected)
    assert {change.kind for change in tested} == {"rose", "fell", "appeared", "steady"}


def test_changes_shown_are_those_of_benjamini_and_hochberg(monkeypatch):
    """Their 15 p-values of 1995, section 3: four are significant at 0.05, where Bonferroni's method finds three."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    given_p = iter(p)
    monkeypatch.setattr(rounds, "fisher", lambda *_: next(given_p))
    names = [f"处{i}" for i in range(15)]
    before = frame({d: {"stalling": 10} for d in names}, dict.fromkeys(names, 100))
    after = frame({d: {"stalling": 30} for d in names}, dict.fromkeys(names, 100))
    changes = compare_rounds(before, after, ["stalling"])
    q = [change.q or 0.0 for change in changes]
    assert [change.p for change in changes] == p
    assert sum(value <= 0.05 for value in q) == 4
    assert (
        sum(change.kind == "rose" for change in changes) == 9
    )  # 0.0459 ≤ 0.10 · 9/15, 0.3240 > 0.10 · 10/15


def test_without_a_change_few_rounds_show_any():
    shown = 0
    for seed in range(60):
        rng, names, (first, second), shares = many(seed, cells=30)
        changes = compare_rounds(
            drawn(rng, names, first, shares), drawn(rng, names, second, shares), ["stalling"]
        )
        shown += any(change.kind in {"rose", "fell", "appeared"} for change in changes)
    # all changes shown would be false: they may be so in 10 % of the rounds
    assert shown <= FALSE_DISCOVERIES * 60


def test_among_true_changes_few_shown_are_false():
    false, shown, true = 0, 0, 0
    for seed in range(20):
        rng, names, (first, second), shares = many(seed, cells=40)
        moved = rng.random(40) < 0.3
        later = np.where(moved, np.where(shares < 0.3, shares + 0.4, shares - 0.25), shares)
        changes = compare_rounds(
            drawn(rng, names, first, shares), drawn(rng, names, second, later), ["stalling"]
        )
        seen = np.array([change.kind in {"rose", "fell", "appeared"} for change in changes])
        false, shown, true = false + (seen & ~moved).sum(), shown + seen.sum(), true + moved.sum()
    assert false <= FALSE_DISCOVERIES * shown
    assert shown > 0.7 * true


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ((0, 50, 0, 60), "none"),
        ((2, 50, 2, 50), "too few"),
        ((0, 0, 9, 50), "too few"),  # nobody was asked before
        ((0, 60, 9, 60), "appeared"),
        ((10, 100, 30, 100), "rose"),
        ((30, 100, 10, 100), "fell"),
        ((20, 100, 22, 100), "steady"),
        ((0, 1000, 5, 1000), "appeared"),
        ((30, 300, 90, 900), "steady"),  # three times the cases of three times the opinions
        ((30, 300, 40, 1300), "fell"),  # more cases, but the share fell from 10 % to 3 %
        ((1, 900, 6, 900), "steady"),  # 5 more, but it may be chance
        ((50, 50, 46, 50), "steady"),  # 4 fewer are never a change
    ],
)
def test_kinds_of_change(cell, kind):
    assert one(*cell).kind == kind


def test_percentages_need_a_base_of_ten():
    assert one(10, 100, 25, 200).percent == pytest.approx(150)
    assert one(10, 100, 25, 200).percent_of_share == pytest.approx(25)
    assert one(20, 100, 0, 100).percent == -100
    assert one(9, 100, 30, 100).percent is None
    assert one(9, 100, 30, 100).percent_of_share is None
    assert one(12, 100, 0, 0).percent_of_share is None


@given(st.lists(st.tuples(*(st.integers(0, 40),) * 2, *(st.integers(40, 80),) * 2), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_a_change_is_shown_only_with_q_and_cases(cells):
    names = [f"处{i}" for i in range(len(cells))]
    before = frame(
        {d: {"stalling": c[0]} for d, c in zip(names, cells, strict=True)},
        {d: c[2] for d, c in zip(names, cells, strict=True)},
    )
    after = frame(
        {d: {"stalling": c[1]} for d, c in zip(names, cells, strict=True)},
        {d: c[3] for d, c in zip(names, cells, strict=True)},
    )
    for change in compare_rounds(before, after, ["stalling"]):
        more = change.after - change.before * change.opinions_after / change.opinions_before
        if change.kind in {"rose", "fell", "appeared"}:
            assert change.q is not None
            assert change.q < FALSE_DISCOVERIES
            assert abs(more) >= MORE_CASES
            assert (change.kind == "fell") == (more < 0)
            assert (change.kind == "appeared") == (change.before == 0)
        assert (change.kind == "none") == (change.before == change.after == 0)


def test_cells_of_both_rounds_come_in_order():
    before = frame(
        {"甲处": {"stalling": 6, "opacity": 1}, "丙处": {"stalling": 7, "opacity": 2}},
        {"甲处": 20, "丙处": 30},
    )
    after = frame(
        {"乙处": {"stalling": 8, "opacity": 3}, "甲处": {"stalling": 5, "opacity": 0}},
        {"乙处": 9, "甲处": 20},
    )
    changes = compare_rounds(before, after, ["opacity", "stalling"])
    assert [(c.department, c.label) for c in changes] == list(
        itertools.product(["乙处", "甲处", "丙处"], ["opacity", "stalling"])
    )
    assert changes[1] == Change("乙处", "stalling", 0, 0, 8, 9, None, None, "too few")
    assert changes[5] == Change("丙处", "stalling", 7, 30, 0, 0, None, None, "too few")
    assert compare_rounds(before.iloc[:0], after.iloc[:0], ["opacity"]) == ()


def test_tables_that_cannot_be_are_refused():
    good, bad = frame({"甲处": {"stalling": 3}}, {"甲处": 9}), frame({"甲处": {"stalling": 10}}, {"甲处": 9})
    with pytest.raises(ValueError, match="more cases than its department has opinions"):
        compare_rounds(good, bad, ["stalling"])
    with pytest.raises(ValueError, match="non-unique"):
        compare_rounds(pd.concat([good, good]), good, ["stalling"])


NOTICE = dt.date(2026, 3, 11)


def collected(before, after):
    """Days and whether found, from (found, opinions) before, 1–10 March, and after, 11–30 March."""
    days, found = [], []
    for (hits, opinions), first, length in ((before, 1, 10), (after, 11, 20)):
        days += [f"2026-03-{first + number % length:02}" for number in range(opinions)]
        found += [number < hits for number in range(opinions)]
    return days, found


def test_what_a_notice_changed():
    days, found = collected((24, 60), (12, 120))
    change = compare_around_notice([*days, ""], [*found, True], NOTICE)
    assert change.before == Side(24, 60, 10)
    assert change.after == Side(12, 120, 20)
    assert (change.before.share, change.before.per_day) == (0.4, 2.4)
    assert (change.after.share, change.after.per_day) == (0.1, 0.6)
    assert change.undated == 1
    assert change.kind == "fell"
    assert change.percent_of_share == pytest.approx(-75)
    assert change.percent_per_day == pytest.approx(-75)
    assert change.p_share == fisher(24, 60, 12, 120)
    expected = poisson_2indep(24, 10, 12, 20, method="exact-cond", compare="ratio").pvalue
    assert change.p_rate == pytest.approx(expected)


def test_the_day_of_the_notice_is_after_it():
    change = compare_around_notice(["2026-03-10", "2026-03-11"], [False, True], NOTICE)
    assert (change.before, change.after) == (Side(0, 1, 1), Side(1, 1, 1))
    assert change.kind == "too few"


def test_days_between_two_rounds_do_not_count():
    days, found = collected((24, 60), (12, 120))
    periods = [("2026-03-01", "2026-03-10"), ("2026-03-08", "2026-03-10"), ("2026-03-11", "2026-04-09")]
    change = compare_around_notice(days, found, NOTICE, periods)
    assert (change.before.days, change.after.days) == (10, 30)
    with pytest.raises(ValueError, match="outside the periods"):
        compare_around_notice(days, found, NOTICE, periods[:2])


def test_a_side_without_opinions_says_nothing():
    days, found = collected((24, 60), (0, 0))
    change = compare_around_notice(days, found, dt.date(2026, 6, 1))
    assert (change.after.share, change.after.per_day) == (None, None)
    assert (change.p_share, change.p_rate, change.kind) == (1, 1, "too few")
    assert change.percent_of_share is None
    nothing = compare_around_notice([], [], NOTICE)
    assert (nothing.before, nothing.kind) == (Side(0, 0, 0), "none")


def test_one_label_is_tested_at_five_percent():
    days, found = collected((10, 60), (38, 120))
    change = compare_around_notice(days, found, NOTICE)
    assert 0.03 < change.p_share < 0.05
    assert change.kind == "rose"
    days, found = collected((10, 60), (36, 120))
    change = compare_around_notice(days, found, NOTICE)
    assert 0.05 < change.p_share < FALSE_DISCOVERIES
    assert change.kind == "steady"
