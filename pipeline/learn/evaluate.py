"""How good a model is on labelled opinions it has not seen, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from pipeline.classifier.read import Reader
from pipeline.intake.repeats import Repeats
from pipeline.learn.corpus import Labelled, label_matrix
from pipeline.learn.metrics import (
    Bools,
    Floats,
    Pairs,
    calibration_error,
    confusion,
    decision_metrics,
    pair_f1,
    ratio,
    reliability,
)
from pipeline.records import Reading
from pipeline.taxonomy import Taxonomy

RESAMPLES = 1000
WORST = 20
"""Errors listed, the most confident first."""

_BOOTSTRAPPED = (
    "micro_f1",
    "macro_f1",
    "micro_precision",
    "micro_recall",
    "exact_match",
    "false_accusation_rate",
)


def _intervals(
    compute: Callable[[npt.NDArray[np.int64]], dict[str, float]], clusters: list[npt.NDArray[np.int64]]
) -> dict[str, list[float]]:
    """95 % percentile bootstrap (Efron 1979) over clusters of near repeats, seeded; one draw serves all figures."""
    rng = np.random.default_rng(0)
    draws = [
        compute(np.concatenate([clusters[i] for i in rng.integers(0, len(clusters), len(clusters))]))
        for _ in range(RESAMPLES)
    ]
    return {
        name: [
            round(float(bound), 4) for bound in np.quantile([draw[name] for draw in draws], [0.025, 0.975])
        ]
        for name in draws[0]
    }


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
        The figures of :func:`~pipeline.learn.metrics.decision_metrics`; ``pair_f1`` over issues and praise
        (None where a file has no pairs); ``calibration_error``, all labels pooled, and its ``reliability`` steps for all and per label;
        ``unreviewed_share`` of the decisions and their ``unreviewed_precision``; ``reviewed_share`` of the opinions;
        ``confusion``; ``worst`` errors by id; ``intervals`` (95 %) of the chief figures and of each label's F1
        (``label_f1``), of a false accusation rate of 0 or 1 by Clopper & Pearson (1934); ``opinions``, and the ``model``.
    """
    opinions = [item.opinion for item in labelled]
    readings, probabilities = reader.read(opinions), reader.probabilities(opinions)
    taxonomy = reader.taxonomy
    truth = label_matrix(labelled, taxonomy)
    given = np.array([[code in r.labels for code in taxonomy.codes] for r in readings], dtype=bool)
    sure = np.array([_sure(reading, taxonomy) for reading in readings], dtype=bool)
    wanted = [_paired(item.pairs, taxonomy) for item in labelled if item.pairs is not None]
    found = [_paired(((f.department, f.label) for f in r.findings), taxonomy) for r in readings]

    def figures(rows: npt.NDArray[np.int64]) -> dict[str, float]:
        decided = decision_metrics(truth[rows], given[rows], taxonomy)
        chief = {name: float(decided[name]) for name in _BOOTSTRAPPED}
        chief |= _unreviewed(truth[rows], given[rows], sure[rows])
        chief["calibration_error"] = calibration_error(truth[rows], probabilities[rows])
        if len(wanted) == len(labelled):
            chief["pair_f1"] = pair_f1([wanted[i] for i in rows], [found[i] for i in rows])
        return chief | {code: row["f1"] for code, row in decided["labels"].items()}

    intervals: dict[str, Any] = _intervals(figures, _clusters(labelled, readings))
    intervals["label_f1"] = {code: intervals.pop(code) for code in taxonomy.codes}
    innocent = ~truth[:, reader.model.issues].any(axis=1)
    accused = int(given[innocent][:, reader.model.issues].any(axis=1).sum())
    if innocent.any() and accused in {0, int(innocent.sum())}:  # resampling nothing but zeros tells nothing
        exact = binomtest(accused, int(innocent.sum())).proportion_ci(method="exact")
        intervals["false_accusation_rate"] = [round(exact.low, 4), round(exact.high, 4)]
    return {
        "model": reader.model.version,
        "opinions": len(labelled),
        **decision_metrics(truth, given, taxonomy),
        "pair_f1": _all_pairs(wanted, found, len(labelled)),
        "calibration_error": round(calibration_error(truth, probabilities), 4),
        **{name: round(figure, 4) for name, figure in _unreviewed(truth, given, sure).items()},
        "reviewed_share": round(float(np.mean([reading.needs_review for reading in readings])), 4),
        "intervals": intervals,
        "confusion": confusion(truth, given, taxonomy),
        "worst": _worst(labelled, truth, given, probabilities, taxonomy),
        "reliability": {
            "all": reliability(truth, probabilities),
            **{code: reliability(truth[:, c], probabilities[:, c]) for c, code in enumerate(taxonomy.codes)},
        },
    }


def _all_pairs(wanted: Sequence[Pairs], found: Sequence[Pairs], opinions: int) -> float | None:
    return round(pair_f1(wanted, found), 4) if len(wanted) == opinions else None


def _paired(pairs: Iterable[tuple[str, str]], taxonomy: Taxonomy) -> Pairs:
    """Pairs of what is said about a department: issues and praise. A suggestion is about no department's conduct."""
    return frozenset(pair for pair in pairs if taxonomy[pair[1]].kind != "suggestion")


def _sure(reading: Reading, taxonomy: Taxonomy) -> list[bool]:
    """Per label: given, and in no finding of the opinion in need of review."""
    doubtful = {finding.label for finding in reading.findings if finding.needs_review}
    return [code in reading.labels and code not in doubtful for code in taxonomy.codes]


def _unreviewed(truth: Bools, given: Bools, sure: Bools) -> dict[str, float]:
    return {
        "unreviewed_share": ratio(sure.sum(), given.sum()),
        "unreviewed_precision": ratio((truth & sure).sum(), sure.sum()),
    }


def _worst(
    labelled: Sequence[Labelled], truth: Bools, given: Bools, probabilities: Floats, taxonomy: Taxonomy
) -> list[dict[str, Any]]:
    """The errors in which the model was surest: false labels of high probability, missed ones of low."""
    confidence = np.where(truth == given, -1.0, np.where(given, probabilities, 1 - probabilities))
    order = np.argsort(-confidence, axis=None, kind="stable")[:WORST]
    rows, columns = np.unravel_index(order, confidence.shape)
    return [
        {
            "id": labelled[i].opinion.id,
            "label": taxonomy.codes[c],
            "error": "false" if given[i, c] else "missed",
            "probability": round(float(probabilities[i, c]), 4),
        }
        for i, c in zip(rows.tolist(), columns.tolist(), strict=True)
        if truth[i, c] != given[i, c]
    ]
