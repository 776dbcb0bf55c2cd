"""Held-out margins → probabilities, thresholds and bounds: how decisions are made to keep false accusations rare."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression

from pipeline.classifier.decisions import (
    Floats,
    Indices,
    Probabilities,
    calibration_terms,
    certainty,
    decide,
    gate_terms,
    scaled,
)
from pipeline.learn.linear import Bools, Folds

PRECISION_WEIGHT = 0.8
"""β of the F-measure that thresholds maximise: below 1, since a false accusation costs more than a missed one."""

FALSE_ACCUSATIONS = 0.05
"""Largest share of held-out opinions without any issue that may be given one: what is promised. Held out are whole
writers, many of whom wrote hard cases on purpose, so other people's usual opinions are falsely accused less often."""

ENOUGH = 20
"""The user's own opinions without an issue from which on the promise is kept on them alone, too, as far as they can tell."""

CHANCE = 0.05
"""Share of those who keep the promise that so few opinions would take for breaking it (exact binomial test, one-sided)."""

CERTAIN_PRECISION = 0.95
"""Share that must be right among held-out decisions which need no review."""

NEVER = 1.01
"""A threshold that no probability reaches."""

UNSEEN = -9.0
"""Logit of a label that no opinion carries, or every one that says anything of it: a ten-thousandth."""

GATE_PENALTY = 0.03
DECIMALS = 4


def calibrate(
    whole: Floats,
    telling: Floats,
    lengths: Indices,
    truth: Bools,
    issues: Indices,
    folds: Folds,
    known: Bools,
    own: Bools,
) -> tuple[dict[str, Floats], Probabilities]:
    """Everything a model decides with, and the held-out probabilities it was found on.

    ``whole`` and ``telling`` are held-out margins (n, n_labels + 1), ``lengths`` characters (n,), ``truth``
    (n, n_labels), ``folds`` pairs of row numbers, ``known`` (n, n_labels + 1) whether an opinion carries each label, and
    whether it accuses anybody, is known. ``own`` (n,) are the user's.

    Returns:
        ``(arrays, held_out)``: the arrays of :class:`~pipeline.classifier.model.Model` from ``slope`` to ``bounds``.
    """
    terms = calibration_terms(whole, telling, lengths)
    everything = np.arange(len(truth))
    slope, offset = scaling(terms, truth, known, everything)
    labels = np.zeros(truth.shape)
    for train, test in folds:
        labels[test] = scaled(terms[:, test, :-1], *scaling(terms, truth, known, train))
    accused = np.asarray(truth[:, issues].any(axis=1))
    weighed = gate_terms(labels, terms[:, :, -1], issues)
    margins = np.zeros(len(truth))
    for train, test in folds:
        coefficients, constant = _logistic(weighed[train], accused[train], known[train, -1], GATE_PENALTY)
        margins[test] = weighed[test] @ coefficients + constant
    gate_slope, gate_offset = _logistic(weighed, accused, known[:, -1], GATE_PENALTY)
    held_out = Probabilities(labels, 1.0 / (1.0 + np.exp(-margins)))
    threshold, bounds = choose(held_out, truth, issues, known[:, -1], own)
    arrays = {
        "slope": slope,
        "offset": offset,
        "gate_slope": gate_slope,
        "gate_offset": np.array([gate_offset]),
        "threshold": threshold,
        "bounds": bounds,
    }
    return arrays, held_out


def scaling(terms: Floats, truth: Bools, known: Bools, rows: Indices) -> tuple[Floats, Floats]:
    """Slope (5, n_labels) and offset (n_labels,) of every label by the opinions ``rows``."""
    pairs = [
        _logistic(terms[:, rows, c].T, truth[rows, c], known[rows, c], 1e3) for c in range(truth.shape[1])
    ]
    return np.array([pair[0] for pair in pairs]).T, np.array([pair[1] for pair in pairs])


def choose(
    held_out: Probabilities, truth: Bools, issues: Indices, known: Bools, own: Bools
) -> tuple[Floats, Floats]:
    """``(threshold, bounds)``: thresholds of labels, and the two bounds of the gate and of certainty.

    The gate is the lowest at which at most :data:`FALSE_ACCUSATIONS` of the opinions without an issue are given one: of all, of
    the corpus', and of the user's ``own`` (n,), where there are
    :data:`ENOUGH`, unless the rest is :data:`CHANCE`. Thresholds of issues look only at opinions that
    pass it. The certainty bound is the lowest from which :data:`CERTAIN_PRECISION` of the decisions are right. Only opinions of
    which it is ``known`` (n,) whether they accuse anybody are looked at.
    """
    found, truth, own = (
        Probabilities(held_out.labels[known], held_out.accuses[known]),
        truth[known],
        own[known],
    )
    innocent = np.asarray(~truth[:, issues].any(axis=1))
    kept = [(rows, 0.0) for rows in (innocent, innocent & ~own) if rows.any()]
    mine = int((innocent & own).sum())
    if mine >= ENOUGH:
        chance = binom.ppf(1 - CHANCE, mine, FALSE_ACCUSATIONS) - FALSE_ACCUSATIONS * mine
        kept.append((innocent & own, float(chance)))
    gates = np.quantile(found.accuses[innocent], np.arange(1.0, 0.0, -0.005))

    def false_accusations(gate: float) -> float:
        threshold = _thresholds(found, gate, issues)
        given = decide(found, threshold, np.array([gate, 0.0]), issues).given
        accused = np.asarray(given[:, issues].any(axis=1))
        return max(float(accused[rows].sum() - chance) / int(rows.sum()) for rows, chance in kept)

    loosest = bisect_right(gates, FALSE_ACCUSATIONS, key=false_accusations)
    gate = float(gates[max(0, loosest - 1)])
    threshold = _thresholds(found, gate, issues)
    given = decide(found, threshold, np.array([gate, 0.0]), issues).given
    certain = certainty_bound(certainty(found, issues)[given], truth[given])
    return threshold, np.array([gate, certain])


def _thresholds(found: Probabilities, gate: float, issues: Indices) -> Floats:
    passing, everything = found.accuses >= gate, np.ones(len(found.accuses), dtype=bool)
    looked_at = [passing if c in issues else everything for c in range(found.labels.shape[1])]
    return np.array(
        [best_threshold(found.labels[rows, c], PRECISION_WEIGHT) for c, rows in enumerate(looked_at)]
    )


def certainty_bound(certainties: Floats, right: Bools) -> float:
    """The lowest certainty from which at least :data:`CERTAIN_PRECISION` of the decisions are right.

    :data:`NEVER` where there is none.
    """
    order = np.argsort(-certainties, kind="stable")
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    sure = np.flatnonzero(precision >= CERTAIN_PRECISION)
    return float(certainties[order][sure[-1]]) if len(sure) else NEVER


def best_threshold(probabilities: Floats, beta: float) -> float:
    """Probability from which deciding maximises the expected F-β, midway to the next lower one and at least 0.05.

    Expected hits are sums of the calibrated probabilities themselves (Lipton, Elkan & Naryanaswamy 2014): with few
    positives that is steadier than counting true ones.
    """
    if not len(probabilities):
        return NEVER
    ranked = np.sort(probabilities)[::-1]
    hits = np.cumsum(ranked)
    f = (1 + beta**2) * hits / (np.arange(1, len(ranked) + 1) + beta**2 * hits[-1])
    best = int(np.argmax(f))
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float(max(0.05, (ranked[best] + below) / 2))


def _logistic(terms: Floats, truth: Bools, known: Bools, penalty: float) -> tuple[Floats, float]:
    """Slopes and offset of logistic scaling (Platt 1999) by terms (n, n_terms), rounded so that they rebuild alike."""
    if truth[known].all() or not truth[known].any():
        return np.zeros(terms.shape[1]), UNSEEN
    learner = LogisticRegression(C=penalty, solver="liblinear", tol=1e-10, random_state=0)
    learner.fit(terms[known], truth[known])
    return np.round(learner.coef_[0], DECIMALS), round(float(learner.intercept_[0]), DECIMALS)
