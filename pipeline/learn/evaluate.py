"""How good a model is on labelled opinions, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.classifier.read import Reader
from pipeline.intake.repeats import Repeats
from pipeline.learn.corpus import Labelled, label_matrix
from pipeline.records import Reading
from pipeline.taxonomy import Taxonomy

RESAMPLES = 1000
Bools = npt.NDArray[np.bool_]


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def f1(hits: float, given: float, wanted: float) -> float:
    """Harmonic mean of precision (hits / given) and recall (hits / wanted); 0 where nothing is given or wanted."""
    return _ratio(2 * hits, given + wanted)


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
            "precision": round(_ratio(hits[c], decided[c]), 4),
            "recall": round(_ratio(hits[c], wanted[c]), 4),
            "f1": round(scores[c], 4),
            "support": int(wanted[c]),
        }
        for c, code in enumerate(taxonomy.codes)
    }
    return {
        "micro_precision": round(_ratio(hits.sum(), decided.sum()), 4),
        "micro_recall": round(_ratio(hits.sum(), wanted.sum()), 4),
        "micro_f1": round(f1(hits.sum(), decided.sum(), wanted.sum()), 4),
        "macro_f1": round(float(np.mean([scores[c] for c in present])) if len(present) else 0.0, 4),
        "macro_labels": len(present),
        "exact_match": round(float((truth == given).all(axis=1).mean()) if len(truth) else 0.0, 4),
        "false_accusation_rate": round(_ratio(given[clean][:, issues].any(axis=1).sum(), clean.sum()), 4),
        "labels": labels,
    }


def _pair_f1(
    wanted: Sequence[frozenset[tuple[str, str]]], given: Sequence[frozenset[tuple[str, str]]]
) -> float:
    hits = sum(len(a & b) for a, b in zip(wanted, given, strict=True))
    return f1(hits, sum(map(len, given)), sum(map(len, wanted)))


def _interval(
    compute: Callable[[npt.NDArray[np.int64]], float], clusters: list[npt.NDArray[np.int64]]
) -> list[float]:
    """95 % percentile bootstrap (Efron 1979) over clusters of near repeats, seeded."""
    rng = np.random.default_rng(0)
    draws = [
        compute(np.concatenate([clusters[i] for i in rng.integers(0, len(clusters), len(clusters))]))
        for _ in range(RESAMPLES)
    ]
    return [round(float(bound), 4) for bound in np.quantile(draws, [0.025, 0.975])]


def _clusters(labelled: Sequence[Labelled], readings: Sequence[Reading]) -> list[npt.NDArray[np.int64]]:
    repeats = Repeats()
    members: dict[str, list[int]] = {}
    for index, (item, reading) in enumerate(zip(labelled, readings, strict=True)):
        first = repeats.first_of(item.opinion.id, reading.signature) or item.opinion.id
        members.setdefault(first, []).append(index)
    return [np.array(indices, dtype=np.int64) for indices in members.values()]


def evaluate(reader: Reader, labelled: Sequence[Labelled]) -> dict[str, Any]:
    """Read the opinions and compare with their labels.

    Returns:
        The figures of :func:`decision_metrics`, ``pair_f1`` (None where the file has no pairs), ``intervals`` (95 %)
        of the chief ones, ``opinions``, ``reviewed_share`` and the model's version.
    """
    readings = reader.read([item.opinion for item in labelled])
    taxonomy = reader.taxonomy
    truth = label_matrix(labelled, taxonomy)
    given = np.array(
        [[code in reading.labels for code in taxonomy.codes] for reading in readings], dtype=bool
    )
    clusters = _clusters(labelled, readings)
    figures = decision_metrics(truth, given, taxonomy)
    intervals: dict[str, list[float]] = {}
    for name in ("micro_f1", "macro_f1", "false_accusation_rate"):

        def figure(rows: npt.NDArray[np.int64], name: str = name) -> float:
            return float(decision_metrics(truth[rows], given[rows], taxonomy)[name])

        intervals[name] = _interval(figure, clusters)
    pairs: float | None = None
    wanted = [item.pairs for item in labelled if item.pairs is not None]
    if len(wanted) == len(labelled):
        found = [frozenset((f.department, f.label) for f in reading.findings) for reading in readings]
        pairs = round(_pair_f1(wanted, found), 4)
        intervals["pair_f1"] = _interval(
            lambda rows: _pair_f1([wanted[i] for i in rows], [found[i] for i in rows]), clusters
        )
    return {
        "model": reader.model.version,
        "opinions": len(labelled),
        **figures,
        "pair_f1": pairs,
        "reviewed_share": round(float(np.mean([reading.needs_review for reading in readings])), 4),
        "intervals": intervals,
    }
