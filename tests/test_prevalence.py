"""Shares with intervals that include the classifier's error: against references, and on simulated departments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from quapy.method.aggregative import EMQ
from scipy.optimize import isotonic_regression
from scipy.stats import beta
from statsmodels.stats.proportion import proportion_confint

from pipeline.aggregate.intervals import wilson
from pipeline.aggregate.likelihood import (
    FEWEST,
    GROUPS,
    HeldOutPosteriors,
    held_out_posteriors,
    histograms,
    isotonic,
    quantile,
    share_densities,
)
from pipeline.aggregate.prevalence import (
    AUDITED,
    NOTHING,
    estimate_shares,
    prediction_powered,
)
from pipeline.classifier.decisions import BINS, POSTERIOR_EDGES

LABELS = 3
USUAL = 0.15


def written(rng, truth, manner):
    """Posteriors of opinions by writers whose ``manner`` (…, 2) shifts the logits without and with a label."""
    centre = np.where(truth, 1.0 + manner[..., 1], -3.5 + manner[..., 0])
    return 1 / (1 + np.exp(-rng.normal(centre, 1.2)))


@pytest.fixture(scope="module")
def corpus():
    """Posteriors, truth and groups of 24 writers of 250 opinions."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(24), 250)
    truth = rng.random((len(groups), LABELS)) < USUAL
    manner = rng.normal(0, 0.5, (24, 1, 2))[groups]
    return written(rng, truth, manner), truth, groups


@pytest.fixture(scope="module")
def held_out(corpus):
    return held_out_posteriors(*corpus)


@pytest.fixture(scope="module")
def departments():
    """``(shares, counts, decided)``: 200 departments of 2,000 opinions, each in a manner of its own, shares 0 to 50 %."""
    rng = np.random.default_rng(2)
    shares = rng.uniform(0, 0.5, (200, LABELS))
    posteriors = [written(rng, rng.random((2000, LABELS)) < share, rng.normal(0, 0.5, 2)) for share in shares]
    decided = np.array([(found >= 0.5).sum(axis=0) for found in posteriors])
    return shares, np.array([histograms(found) for found in posteriors]), decided


def columns(estimates):
    """Share, low and high, each of shape (n_departments, n_labels)."""
    return np.array([[(e.share, e.low, e.high) for e in row] for row in estimates]).transpose(2, 0, 1)


def single(lacking, carrying):
    """Held-out opinions of one group and one label."""
    return HeldOutPosteriors(np.array([lacking, carrying])[:, np.newaxis, np.newaxis, :])


def test_a_classifier_without_error_leaves_the_chance_of_the_sample():
    never_wrong = single([10**7, *[0] * (BINS - 1)], [*[0] * (BINS - 1), 10**7])
    for k, n in ((0, 12), (3, 40), (45, 60), (60, 60), (300, 3000)):
        counts = np.array([[[n - k, *[0] * (BINS - 2), k]]])
        ((found,),) = estimate_shares(counts, never_wrong)
        expected = beta(1 + k, 4 + n - k).ppf([0.5, 0.025, 0.975])
        np.testing.assert_allclose((found.share, found.low, found.high), expected, atol=1.5e-3)
        assert found.method == "likelihood"


@pytest.mark.parametrize("share", [0.03, 0.2, 0.45])
def test_with_one_pair_of_distributions_it_is_expectation_maximisation(share):
    """Saerens, Latinne & Decaestecker (2002) as quapy has it, its posteriors being those of the bins."""
    lacking = np.array([5000, 2500, 1200, 700, 350, 150, 80, 20]) * 1000
    carrying = np.array([10, 40, 60, 90, 150, 200, 200, 250]) * 1000
    f0, f1 = lacking / lacking.sum(), carrying / carrying.sum()
    counts = np.random.default_rng(3).multinomial(5_000, share * f1 + (1 - share) * f0)
    posterior = np.repeat(carrying / (carrying + lacking), counts)
    usual = carrying.sum() / (carrying + lacking).sum()
    both = np.column_stack([1 - posterior, posterior])
    (_, expected), _ = EMQ.EM(np.array([1 - usual, usual]), both, epsilon=1e-9)
    ((found,),) = estimate_shares(counts.reshape(1, 1, BINS), single(lacking, carrying))
    assert found.share == pytest.approx(expected, abs=1.5e-3)
    assert found.low < share < found.high


def test_where_writers_differ_intervals_cover_and_counting_does_not(held_out, departments):
    shares, counts, decided = departments
    share, low, high = columns(estimate_shares(counts, held_out))
    assert 0.85 <= ((low <= shares) & (shares <= high)).mean() <= 0.98
    one_manner = HeldOutPosteriors(held_out.counts.sum(axis=1, keepdims=True))
    _, lower, upper = columns(estimate_shares(counts, one_manner))
    assert ((lower <= shares) & (shares <= upper)).mean() < 0.6
    counted = decided / 2000
    assert np.abs(share - shares).mean() < 0.6 * np.abs(counted - shares).mean()


def test_fewer_opinions_tell_less(held_out, departments):
    _, counts, _ = departments
    few = np.array(
        [[np.random.default_rng(0).multinomial(40, c / c.sum()) for c in row] for row in counts[:40]]
    )
    _, low, high = columns(estimate_shares(few, held_out))
    _, lower, upper = columns(estimate_shares(counts[:40], held_out))
    assert (high - low).mean() > 1.5 * (upper - lower).mean()


def test_a_department_does_not_depend_on_the_others_nor_on_any_order(held_out, departments):
    _, counts, _ = departments
    together = columns(estimate_shares(counts[:11], held_out))
    backwards = columns(estimate_shares(counts[10::-1], held_out))[:, ::-1]
    alone = columns(estimate_shares(counts[4:5], held_out))
    np.testing.assert_allclose(together, backwards, rtol=1e-9)
    np.testing.assert_allclose(together[:, 4:5], alone, rtol=1e-9)
    assert estimate_shares(counts[:11], held_out) == estimate_shares(counts[:11], held_out)
    posteriors = np.random.default_rng(5).random((60, LABELS))
    assert (histograms(posteriors) == histograms(posteriors[::-1])).all()


def test_nothing_is_said_of_no_opinions_or_an_unknown_label(corpus):
    posteriors, truth, groups = corpus
    rare = truth.copy()
    rare[np.flatnonzero(truth[:, 1])[FEWEST - 1 :], 1] = False
    held_out = held_out_posteriors(posteriors, rare, groups)
    counts = np.array([np.zeros((LABELS, BINS), dtype=np.int64), histograms(posteriors[:80])])
    nobody, somebody = estimate_shares(counts, held_out)
    assert nobody == [NOTHING] * LABELS
    assert [estimate.method for estimate in somebody] == ["likelihood", "none", "likelihood"]
    assert (NOTHING.low, NOTHING.share, NOTHING.high) == (0.0, 0.0, 1.0)
    unlearnt = HeldOutPosteriors(np.zeros_like(held_out.counts))
    assert estimate_shares(counts, unlearnt) == [[NOTHING] * LABELS] * 2
    assert estimate_shares(counts[:0], held_out) == []


def test_all_posteriors_nought_or_one(held_out):
    nought, one = (histograms(np.full((500, LABELS), value)) for value in (0.0, 1.0))
    share, low, high = columns(estimate_shares(np.array([nought, one]), held_out))
    assert (low[0] < 0.005).all()
    assert (high[0] < 0.1).all()
    assert (share[1] > 0.9).all()
    assert (high[1] > 0.98).all()


@settings(max_examples=40, deadline=None)
@given(drawn=arrays(np.int64, (2, BINS), elements=st.integers(0, 400)))
def test_an_interval_holds_its_share_and_stays_within_nought_and_one(held_out, drawn):
    counts = np.repeat(drawn[:, np.newaxis, :], LABELS, axis=1)
    share, low, high = columns(estimate_shares(counts, held_out))
    assert ((low >= 0) & (low <= share) & (share <= high) & (high <= 1)).all()


def test_the_more_opinions_speak_for_a_label_the_higher_its_share(held_out):
    posteriors = np.random.default_rng(6).random((60, LABELS)) * POSTERIOR_EDGES[2]
    steps = []
    for k in range(61):
        told = posteriors.copy()
        told[:k, 0] = 0.95
        steps.append(histograms(told))
    share, low, high = columns(estimate_shares(np.array(steps), held_out))
    assert (np.diff(share[:, 0]) > 0).all()
    assert (np.diff(low[:, 0]) > 0).all()
    assert (np.diff(high[:, 0]) > 0).all()


def test_few_held_out_opinions_with_a_label_widen_its_interval(corpus, departments):
    posteriors, truth, groups = corpus
    asked = np.ones_like(truth)
    asked[np.flatnonzero(truth[:, 0])[6:], 0] = False
    _, counts, _ = departments
    plenty = columns(estimate_shares(counts[:40], held_out_posteriors(*corpus)))
    few = columns(estimate_shares(counts[:40], held_out_posteriors(posteriors, truth, groups, asked)))
    width, wider = ((high - low)[:, 0].mean() for _, low, high in (plenty, few))
    assert wider > 1.3 * width


@given(
    arrays(np.float64, (3, BINS), elements=st.floats(0, 1)),
    arrays(np.float64, (3, BINS), elements=st.floats(1e-3, 1e3)),
)
def test_isotonic_values_agree_with_scipy(values, weight):
    expected = [isotonic_regression(y, weights=w).x for y, w in zip(values, weight, strict=True)]
    np.testing.assert_allclose(isotonic(values * weight, weight), expected, atol=1e-9)


def test_counts_of_held_out_posteriors():
    posteriors = np.array([[0.0, 0.9], [0.01, 0.004], [0.5, 1.0], [0.07, 0.2]])
    truth = np.array([[False, True], [False, False], [True, True], [True, False]])
    asked = np.array([[True, True], [True, True], [True, True], [False, True]])
    counts = held_out_posteriors(posteriors, truth, np.array([7, 7, 9, 9]), asked).counts
    assert counts.shape == (2, 2, 2, BINS)
    expected = np.zeros_like(counts)
    expected[0, 0, 0, [0, 1]] = 1
    expected[1, 1, 0, 5] = 1
    expected[1, 0, 1, 7] = expected[0, 0, 1, 0] = expected[1, 1, 1, 7] = expected[0, 1, 1, 4] = 1
    assert (counts == expected).all()
    assert (counts.sum(axis=(0, 1)) == histograms(posteriors) - [[0, 0, 0, 1, 0, 0, 0, 0], [0] * BINS]).all()


def test_many_groups_are_bundled_evenly():
    rng = np.random.default_rng(7)
    groups = np.repeat(np.arange(1000), rng.integers(1, 9, 1000))
    posteriors = rng.random((len(groups), 1))
    counts = held_out_posteriors(posteriors, posteriors > 0.5, groups).counts
    assert counts.shape[1] == GROUPS
    assert counts.sum() == len(groups)
    sizes = counts.sum(axis=(0, 2, 3))
    assert sizes.max() - sizes.min() <= 8


def test_a_quantile_lies_inside_its_step(held_out, departments):
    densities = share_densities(departments[1][:3], held_out)
    np.testing.assert_allclose(densities.sum(axis=-1), 1.0)
    values = np.array([quantile(densities, part) for part in np.linspace(0, 1, 21)])
    assert (np.diff(values, axis=0) >= 0).all()
    assert (values >= 0).all()
    assert (values <= 1).all()


SCORES = np.array([0.002, 0.01, 0.03, 0.08, 0.2, 0.45, 0.75, 0.95])
READ = np.array([300, 60, 40, 30, 25, 20, 15, 10])


@pytest.mark.parametrize(
    ("audited", "share", "bounds"),
    [
        (
            [[38, 7, 4, 3, 2, 1, 0, 0], [1, 1, 1, 1, 2, 3, 2, 1]],
            0.17258454,
            (0.09976398, 0.24540509),
        ),
        (
            [[38, 7, 3, 3, 2, 2, 1, 1], [3, 1, 2, 1, 2, 2, 1, 1]],
            0.1747768,
            (0.08792513, 0.26162846),
        ),
    ],
)
def test_an_audit_corrects_the_machine(audited, share, bounds):
    """``ppi_mean_pointestimate`` and ``ppi_mean_ci`` (alpha=0.05) of ppi-python 0.2.3, tuned; in the first the weight is 1."""
    found = prediction_powered(READ, np.array(audited), SCORES)
    assert found.share == pytest.approx(share, abs=5e-5)
    variance = ((bounds[1] - bounds[0]) / 2 / 1.959964) ** 2
    worth = share * (1 - share) / variance
    expected = proportion_confint(share * worth, worth, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, abs=2e-4)
    assert found.method == "ppi"


@given(n=st.floats(1, 20_000), share=st.floats(0, 1))
def test_the_score_interval_agrees_with_statsmodels(n, share):
    low, high = proportion_confint(share * n, n, method="wilson")
    np.testing.assert_allclose(wilson(share * n, n), (max(low, 0.0), min(high, 1.0)), atol=1e-9)


def test_scores_that_say_nothing_leave_the_labelled_share():
    audited = np.array([[20, 10, 10, 5, 5, 0, 0, 0], [4, 2, 2, 1, 1, 0, 0, 0]])
    found = prediction_powered(READ, audited, np.full(BINS, 0.4))
    assert found.share == pytest.approx(1 / 6)
    assert (found.low, found.high) == pytest.approx(proportion_confint(10, 60, method="wilson"))
    everything = prediction_powered(audited.sum(axis=0), audited, SCORES)
    assert (everything.share, everything.low, everything.high) == (found.share, found.low, found.high)


def test_scores_that_are_never_wrong_tell_as_much_as_all_opinions():
    audited = np.array([[54, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 18]])
    read = np.array([60_000, 0, 0, 0, 0, 0, 0, 20_000])
    found = prediction_powered(read, audited, np.array([0.0] * 7 + [1.0]))
    assert found.share == pytest.approx(0.25, abs=2e-3)
    expected = proportion_confint(20_000, 80_000, method="wilson")
    assert found.high - found.low == pytest.approx(expected[1] - expected[0], rel=0.05)


def test_a_label_that_no_audited_opinion_carries_has_no_interval_of_width_nought():
    found = prediction_powered(READ, np.array([[40, 10, 5, 5, 0, 0, 0, 0], [0] * BINS]), SCORES)
    assert found.share == 0.0
    assert (found.low, found.high) == pytest.approx((0.0, proportion_confint(0, 60, method="wilson")[1]))


def test_an_audit_is_used_where_it_is_large_enough(held_out, departments):
    _, counts, _ = departments
    audited = np.zeros((2, 2, LABELS, BINS), dtype=np.int64)
    for d, m in enumerate((AUDITED - 1, AUDITED)):
        audited[d, 0] = [np.random.default_rng(d).multivariate_hypergeometric(c, m) for c in counts[d]]
    found = estimate_shares(counts[:2], held_out, audited)
    assert [[estimate.method for estimate in row] for row in found] == [["likelihood"] * 3, ["ppi"] * 3]
    assert found[0] == estimate_shares(counts[:2], held_out)[0]


def test_counts_that_do_not_fit_are_refused(held_out):
    counts = histograms(np.full((9, LABELS), 0.5))[np.newaxis]
    with pytest.raises(ValueError, match="with held-out ones of"):
        estimate_shares(counts[:, :2], held_out)
    with pytest.raises(ValueError, match="over different opinions"):
        estimate_shares(counts * np.arange(1, 4)[:, np.newaxis], held_out)
    with pytest.raises(ValueError, match="not among those read"):
        estimate_shares(counts, held_out, np.stack([counts, counts], axis=1))
