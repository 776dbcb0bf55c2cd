"""Figures of decisions and probabilities against the labels people gave; pure functions of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import sem

from pipeline.taxonomy import Taxonomy

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Pairs = frozenset[tuple[str, str]]

BINS = 10
"""Equal steps of probability in which calibration is looked at."""

NOTHING = "none"
"""In the confusion view: where nothing was given, or nothing was true."""


def ratio(part: float, whole: float) -> float:
    """``part / whole``; 0 where ``whole`` is 0."""
    return float(part / whole) if whole else 0.0


def f1(hits: float, given: float, wanted: float) -> float:
    """Harmonic mean of precision (hits / given) and recall (hits / wanted); 0 where nothing is given or wanted."""
    return ratio(2 * hits, given + wanted)


def decision_metrics(truth: Bools, given: Bools, taxonomy: Taxonomy) -> dict[str, Any]:
    """Figures for label decisions, both of shape (n_opinions, n_labels), rounded to four decimals.

    ``macro_f1`` is over labels that occur in ``truth`` (``macro_labels`` says how many). ``false_accusation_rate``
    is the share of opinions without any true issue that are given at least one.
    """
    hits, wanted, decided = (truth & given).sum(0), truth.sum(0), given.sum(0)
    present = np.flatnonzero(wanted)
    scores = [f1(hits[c], decided[c], wanted[c]) for c in range(len(wanted))]
    issues = [taxonomy.codes.index(code) for code in taxonomy.issues]
    clean = ~truth[:, issues].any(axis=1)
    labels = {
        code: {
            "precision": round(ratio(hits[c], decided[c]), 4),
            "recall": round(ratio(hits[c], wanted[c]), 4),
            "f1": round(scores[c], 4),
            "support": int(wanted[c]),
        }
        for c, code in enumerate(taxonomy.codes)
    }
    return {
        "micro_precision": round(ratio(hits.sum(), decided.sum()), 4),
        "micro_recall": round(ratio(hits.sum(), wanted.sum()), 4),
        "micro_f1": round(f1(hits.sum(), decided.sum(), wanted.sum()), 4),
        "macro_f1": round(float(np.mean([scores[c] for c in present])) if len(present) else 0.0, 4),
        "macro_labels": len(present),
        "exact_match": round(float((truth == given).all(axis=1).mean()) if len(truth) else 0.0, 4),
        "false_accusation_rate": round(ratio(given[clean][:, issues].any(axis=1).sum(), clean.sum()), 4),
        "labels": labels,
    }


def log_loss_drop(truth: Bools, before: Floats, after: Floats) -> tuple[float, float]:
    """``(drop, error)``: by how much the log loss per opinion is lower with ``after``, and the standard error of that.

    Probabilities (n_opinions, n_labels) of the same opinions, two or more; the loss is summed over labels, in nats.
    """
    losses = [
        -np.log(np.clip(np.where(truth, said, 1.0 - said), 1e-6, None)).sum(axis=1)
        for said in (before, after)
    ]
    drops = losses[0] - losses[1]
    return round(float(drops.mean()), 4), round(float(sem(drops)), 4)


def pair_f1(wanted: Sequence[Pairs], given: Sequence[Pairs]) -> float:
    """Micro-F1 over (department, label) pairs, opinion by opinion."""
    hits = sum(len(a & b) for a, b in zip(wanted, given, strict=True))
    return f1(hits, sum(map(len, given)), sum(map(len, wanted)))


def reliability(truth: Bools, probabilities: Floats) -> list[dict[str, float]]:
    """Per step of probability that holds anything: ``n``, mean ``probability``, ``share`` that is true."""
    steps = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    return [
        {
            "n": int((steps == step).sum()),
            "probability": round(float(probabilities[steps == step].mean()), 4),
            "share": round(float(truth[steps == step].mean()), 4),
        }
        for step in np.unique(steps).tolist()
    ]


def calibration_error(truth: Bools, probabilities: Floats) -> float:
    """Expected calibration error (Naeini, Cooper & Hauskrecht 2015) over :data:`BINS` equal steps, in [0, 1]."""
    if not truth.size:
        return 0.0
    steps = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    n, said, right = (
        np.bincount(steps.ravel(), weights, BINS) for weights in (None, probabilities.ravel(), truth.ravel())
    )
    filled = n > 0
    return float((np.abs(said - right)[filled]).sum() / n.sum())


def confusion(truth: Bools, given: Bools, taxonomy: Taxonomy) -> dict[str, dict[str, int]]:
    """What was given where a true label was missed: ``{true label: {given label: opinions}}``, zeros left out.

    A missed label stands beside each false one of its opinion, beside :data:`NOTHING` where there is none; a false
    label beside no missed one stands in the row :data:`NOTHING`.
    """
    counts: dict[str, dict[str, int]] = {}
    for missed, false in zip(truth & ~given, given & ~truth, strict=True):
        rows = [taxonomy.codes[c] for c in np.flatnonzero(missed)]
        columns = [taxonomy.codes[c] for c in np.flatnonzero(false)]
        if rows or columns:
            for row in rows or [NOTHING]:
                for column in columns or [NOTHING]:
                    counts.setdefault(row, {}).setdefault(column, 0)
                    counts[row][column] += 1
    order = [*taxonomy.codes, NOTHING]
    return {
        row: {column: counts[row][column] for column in order if column in counts[row]}
        for row in order
        if row in counts
    }
