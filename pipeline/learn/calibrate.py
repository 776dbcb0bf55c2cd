"""Held-out margins → probabilities, thresholds and bounds: how decisions are made to keep false accusations rare."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
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

FALSE_ACCUSATIONS = 0.035
"""Largest share of held-out opinions without any issue that may be given one: below the 5 % promised, for
other opinions are other."""

CERTAIN_PRECISION = 0.95
"""Share that must be right among held-out decisions which need no review."""

GATE_PENALTY = 0.03
DECIMALS = 4


def calibrate(
    whole: Floats, telling: Floats, lengths: Indices, truth: Bools, issues: Indices, folds: Folds
) -> tuple[dict[str, Floats], Probabilities]:
    """Everything a model decides with, and the held-out probabilities it was found on.

    ``whole`` and ``telling`` are held-out margins (n, n_labels + 1), ``lengths`` characters (n,), ``truth``
    (n, n_labels), ``folds`` pairs of row numbers.

    Returns:
        ``(arrays, held_out)``: the arrays of :class:`~pipeline.classifier.model.Model` from ``slope`` to ``bounds``.
    """
    terms = calibration_terms(whole, telling, lengths)
    pairs = [_logistic(terms[:, :, c].T, truth[:, c], 1e3) for c in range(truth.shape[1])]
    slope, offset = np.array([pair[0] for pair in pairs]).T, np.array([pair[1] for pair in pairs])
    labels = scaled(terms[:, :, :-1], slope, offset)
    accused = np.asarray(truth[:, issues].any(axis=1))
    weighed = gate_terms(labels, terms[:, :, -1], issues)
    margins = np.zeros(len(truth))
    for train, test in folds:
        coefficients, constant = _logistic(weighed[train], accused[train], GATE_PENALTY)
        margins[test] = weighed[test] @ coefficients + constant
    gate_slope, gate_offset = _logistic(weighed, accused, GATE_PENALTY)
    held_out = Probabilities(labels, 1.0 / (1.0 + np.exp(-margins)))
    threshold, bounds = choose(held_out, truth, issues)
    arrays = {
        "slope": slope,
        "offset": offset,
        "gate_slope": gate_slope,
        "gate_offset": np.array([gate_offset]),
        "threshold": threshold,
        "bounds": bounds,
    }
    return arrays, held_out


def choose(held_out: Probabilities, truth: Bools, issues: Indices) -> tuple[Floats, Floats]:
    """``(threshold, bounds)``: thresholds of labels, and the two bounds of the gate and of certainty.

    The gate is the lowest at which at most :data:`FALSE_ACCUSATIONS` of the opinions without an issue are given
    one. Thresholds of issues look only at opinions that pass it. The certainty bound is the lowest from which
    :data:`CERTAIN_PRECISION` of the decisions are right.
    """
    innocent = ~truth[:, issues].any(axis=1)
    gates = np.quantile(held_out.accuses[innocent], np.arange(1.0, 0.0, -0.005))

    def false_accusations(gate: float) -> float:
        threshold = _thresholds(held_out, gate, issues)
        given = decide(held_out, threshold, np.array([gate, 0.0]), issues).given
        return float(given[innocent][:, issues].any(axis=1).mean())

    loosest = bisect_right(gates, FALSE_ACCUSATIONS, key=false_accusations)
    gate = float(gates[max(0, loosest - 1)])
    threshold = _thresholds(held_out, gate, issues)
    given = decide(held_out, threshold, np.array([gate, 0.0]), issues).given
    certain = certainty_bound(certainty(held_out, issues)[given], truth[given])
    return threshold, np.array([gate, certain])


def _thresholds(held_out: Probabilities, gate: float, issues: Indices) -> Floats:
    passing = held_out.accuses >= gate
    return np.array(
        [
            best_threshold(held_out.labels[passing if c in issues else slice(None), c], PRECISION_WEIGHT)
            for c in range(held_out.labels.shape[1])
        ]
    )


def certainty_bound(certainties: Floats, right: Bools) -> float:
    """The lowest certainty from which at least :data:`CERTAIN_PRECISION` of the decisions are right; 1.01 where none is."""
    order = np.argsort(-certainties, kind="stable")
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    sure = np.flatnonzero(precision >= CERTAIN_PRECISION)
    return float(certainties[order][sure[-1]]) if len(sure) else 1.01


def best_threshold(probabilities: Floats, beta: float) -> float:
    """Probability from which deciding maximises the expected F-β, midway to the next lower one and at least 0.05.

    Expected hits are sums of the calibrated probabilities themselves (Lipton, Elkan & Naryanaswamy 2014): with few
    positives that is steadier than counting true ones.
    """
    ranked = -np.sort(-probabilities)
    hits = np.cumsum(ranked)
    f = (1 + beta**2) * hits / (np.arange(1, len(ranked) + 1) + beta**2 * ranked.sum())
    best = int(np.argmax(f))
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float(max(0.05, (ranked[best] + below) / 2))


def _logistic(terms: Floats, truth: Bools, penalty: float) -> tuple[Floats, float]:
    """Slopes and offset of logistic scaling (Platt 1999) by terms (n, n_terms), rounded so that they rebuild alike."""
    learner = LogisticRegression(C=penalty, solver="liblinear", tol=1e-10, random_state=0)
    learner.fit(terms, truth)
    return np.round(learner.coef_[0], DECIMALS), round(float(learner.intercept_[0]), DECIMALS)
