"""Departments within their series: the prior against published fits, standings against brute integration and truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, betabinom

from pipeline.aggregate.series import SURE, Prior, compare_within_series, fit_prior

# Rats with tumours in 70 earlier experiments and the current one: Tarone 1982, as printed in Gelman et al.,
# Bayesian Data Analysis, 3rd ed. 2013, table 5.1.
TUMOURS = np.array(
    """0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 1 1 1 1 1 1 1 2 2 2 2 2 2 2 2 2 1 5 2 5 3 2 7 7 3 3 2 9 10 4 4 4 4 4 4 4 10 4 4 4
    5 11 12 5 5 6 5 6 6 6 6 16 15 15 9 4""".split(),
    dtype=int,
)
RATS = np.array(
    """20 20 20 20 20 20 20 19 19 19 19 18 18 17 20 20 20 20 19 19 18 18 25 24 23 20 20 20 20 20 20 10 49 19 46 27 17 49 47
    20 20 13 48 50 20 20 20 20 20 20 20 48 19 19 19 22 46 49 20 20 23 19 22 20 20 20 52 46 47 24 14""".split(),
    dtype=int,
)


def series_of(found, opinions):
    (series,) = compare_within_series(
        [f"处{i}" for i in range(len(found))], ["office"] * len(found), found, opinions
    )
    return series


def test_prior_of_the_rats_as_published():
    """Mukhopadhyay & Fletcher's package BayesGOF, vignette: maximum likelihood Beta(2.304768, 14.079707) for the 70."""
    prior = fit_prior(TUMOURS[:70], RATS[:70])
    assert prior.source == "fitted"
    assert prior.mean * prior.weight == pytest.approx(2.304768, rel=1e-3)
    assert (1 - prior.mean) * prior.weight == pytest.approx(14.079707, rel=1e-3)


def test_prior_of_the_families_as_published():
    """Boys among 12 children of 6,115 Saxon families (Geissler; Sokal & Rohlf 1994, p. 59): 34.09558, 31.5715."""
    families = [3, 24, 104, 286, 670, 1033, 1343, 1112, 829, 478, 181, 45, 7]
    boys = np.repeat(np.arange(13), families)
    children = np.full(boys.size, 12)
    prior = fit_prior(boys, children)
    a, b = prior.mean * prior.weight, (1 - prior.mean) * prior.weight
    assert a == pytest.approx(34.09558, rel=1e-3)
    assert b == pytest.approx(31.5715, rel=1e-3)
    assert np.sum(betabinom.logpmf(boys, children, a, b)) == pytest.approx(-12492.9, abs=0.05)


def test_shares_of_the_rats_as_in_the_book():
    """§5.3 draws the 71 shares towards 0.14: 4 of 14 (0.286) and 0 of 20 move, as its figure 5.4 shows."""
    standings = series_of(TUMOURS, RATS).standings
    # the book's posterior means of the prior, E(α) = 2.4 and E(β) = 14.3, give nearly the same
    for one in (standings[70], standings[0], standings[66]):
        assert one.share == pytest.approx((2.4 + one.found) / (2.4 + 14.3 + one.opinions), abs=0.005)
    assert standings[70].low < standings[70].share < standings[70].high
    assert (standings[70].found, standings[70].opinions) == (4, 14)


def brute(found, opinions):
    """Posterior mean, 2.5 % and 97.5 % point of every share by sums over grids of mean and spread alone."""
    k, n = np.array(found)[:, None, None], np.array(opinions)[:, None, None]
    mean, spread = (np.arange(200) + 0.5)[:, None] / 200, (np.arange(40) + 0.5) / 40
    a, b = mean * spread**-2, (1 - mean) * spread**-2
    chance = np.sum(betabinom.logpmf(k, n, a, b), axis=0)
    chance = np.exp(chance - chance.max())
    kept = chance > 0.005
    a, b, chance = a[kept], b[kept], chance[kept] / chance[kept].sum()
    at = np.linspace(0, 1, 81)
    for hits, size in zip(found, opinions, strict=True):
        cdf = chance @ beta.cdf(at, (a + hits)[:, None], (b + size - hits)[:, None])
        yield chance @ ((a + hits) / (a + b + size)), *np.interp((0.025, 0.975), cdf, at)


@pytest.mark.parametrize(
    ("found", "opinions"),
    [([4, 9, 2, 30], [20, 30, 25, 60]), ([3, 3], [10, 40]), ([10, 11, 9, 10, 12], [50, 50, 50, 50, 50])],
)
def test_shares_and_intervals_agree_with_brute_integration(found, opinions):
    measured = [(one.share, one.low, one.high) for one in series_of(found, opinions).standings]
    np.testing.assert_allclose(measured, list(brute(found, opinions)), atol=0.004)


def test_intervals_hold_the_truth_and_positions_are_rarely_wrong():
    rng = np.random.default_rng(7)
    held, stated, wrong, n = 0, 0, 0, 0
    for _ in range(30):
        shares = rng.beta(2, 8, 8)
        opinions = rng.integers(5, 120, 8)
        standings = series_of(rng.binomial(opinions, shares), opinions).standings
        middle = np.median(shares)
        for share, one in zip(shares, standings, strict=True):
            n += 1
            held += one.low <= share <= one.high
            stated += one.position != "not told apart"
            wrong += (one.position == "above" and share < middle) or (
                one.position == "below" and share > middle
            )
    assert 0.90 < held / n < 0.98  # 95 % of 240
    assert stated > n / 10
    assert wrong <= 0.025 * stated


def test_one_department_far_above_does_not_put_the_others_below():
    series = series_of([0, 0, 0, 0, 0, 0, 0, 9], [100] * 8)
    assert series.at("above") == ("处7",)
    assert series.at("not told apart") == tuple(f"处{i}" for i in range(7))
    assert series.at("below") == ()


def test_like_departments_have_no_variation_and_cannot_be_told_apart():
    series = series_of([10, 11, 9, 10], [50, 50, 50, 50])
    assert series.prior == Prior(40.5 / 201, math.inf, "no variation")
    assert len(series.at("not told apart")) == 4
    for one in series.standings:
        low, high = (float(beta.ppf(q, one.found + 0.5, 50.5 - one.found)) for q in (0.025, 0.975))
        assert one.high - one.low < 0.8 * (high - low)


@pytest.mark.parametrize(("found", "mean"), [([0, 0, 0], 0.5 / 61), ([10, 20, 30], 60.5 / 61)])
def test_none_and_all_found_can_be_computed(found, mean):
    series = series_of(found, [10, 20, 30])
    assert series.prior == Prior(mean, math.inf, "no variation")
    assert len(series.at("not told apart")) == 3
    for one in series.standings:
        assert one.low <= one.share <= one.high


def test_a_single_department_has_jeffreys_interval_and_no_position():
    (one,) = series_of([3], [10]).standings
    assert one.share == pytest.approx(3.5 / 11)
    assert (one.low, one.high) == pytest.approx(beta.ppf((0.025, 0.975), 3.5, 7.5), abs=1e-6)
    assert one.position == "not told apart"


def test_series_are_apart_and_unspecified_is_in_none():
    series = compare_within_series(
        ["甲处", "盐业公司", "乙处", "糖业公司", "丙处", "未指明"],
        ["office", "company", "office", "company", "office", ""],
        [1, 90, 1, 95, 0, 50],
        [50, 100, 50, 100, 0, 60],
    )
    assert [(one.kind, [s.department for s in one.standings]) for one in series] == [
        ("office", ["甲处", "乙处"]),
        ("company", ["盐业公司", "糖业公司"]),
    ]
    # what the companies are like changes nothing for the offices
    assert series[0] == series_of_names(["甲处", "乙处"], [1, 1], [50, 50])
    assert {s.position for one in series for s in one.standings} == {"not told apart"}


def series_of_names(names, found, opinions):
    return compare_within_series(names, ["office"] * len(names), found, opinions)[0]


@given(
    st.lists(
        st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=15, deadline=None)
def test_every_series_has_figures_that_fit_together(counts):
    found, opinions = map(list, zip(*counts, strict=True))
    series = series_of(found, opinions)
    for one, k, n in zip(series.standings, found, opinions, strict=True):
        assert 0 <= one.low <= one.high <= 1
        assert 0 < one.share < 1
        assert one.above + one.below <= 1 + 1e-9
        assert (one.position == "above") == (one.above >= SURE)
        assert (one.position == "below") == (one.below >= SURE)
        assert (one.found, one.opinions) == (k, n)
    assert sum(map(len, map(series.at, ("above", "not told apart", "below")))) == len(found)
    assert series == series_of(found, opinions)


@pytest.mark.parametrize(
    ("found", "opinions", "message"),
    [([1], [2, 3], "differ in length"), ([4, 1], [3, 3], "not within"), ([-1, 1], [3, 3], "not within")],
)
def test_wrong_counts_are_refused(found, opinions, message):
    with pytest.raises(ValueError, match=message):
        compare_within_series(["甲处", "乙处"], ["office"] * 2, found, opinions)
