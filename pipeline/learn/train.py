"""Labelled opinions → a model: tf-idf logistic regression per label, calibrated and cut on held-out predictions."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import sklearn
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from pipeline.classifier.model import FEATURES_VERSION, Floats, Model, calibration_terms, scaled, weighted
from pipeline.classifier.passages import most_telling
from pipeline.errors import ResourceError
from pipeline.learn.corpus import Labelled
from pipeline.learn.evaluate import decision_metrics
from pipeline.learn.prepare import Prepared, prepare
from pipeline.lexicon import Lexicon
from pipeline.taxonomy import Taxonomy

FOLDS = 10
PENALTY = 30.0
PRECISION_WEIGHT = 0.6
"""β of the F-measure that thresholds maximise: below 1, since a false accusation costs more than a missed one."""

SURE_PRECISION = 0.8
NEAR_MISS = 0.8
_DECIMALS = 4


def inverse_document_frequency(counts: sp.csr_array) -> Floats:
    """Smoothed: ln((1 + n) / (1 + df)) + 1, shape (n_features,)."""
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + df)) + 1.0)


def _fit(rows: sp.csr_array, truth: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
    # coordinate descent in plain C: the primal solver would call BLAS, whose kernels differ from processor to processor
    learner = LogisticRegression(C=PENALTY, solver="liblinear", dual=True, max_iter=2000, random_state=0)
    narrow = sp.csr_matrix(
        (rows.data, rows.indices.astype(np.int32), rows.indptr.astype(np.int32)), rows.shape
    )
    learner.fit(narrow, truth)
    return learner.coef_[0], float(learner.intercept_[0])


def _platt(terms: Floats, truth: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
    """Slopes (5,) and offset of Platt's scaling (1999) for one label, from held-out terms (5, n)."""
    learner = LogisticRegression(C=1e3, solver="liblinear", tol=1e-10, random_state=0)
    learner.fit(terms.T, truth)
    return learner.coef_[0], float(learner.intercept_[0])


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


def review_bounds(
    probabilities: Floats, truth: npt.NDArray[np.bool_], threshold: float
) -> tuple[float, float]:
    """Where decisions want a person: from 0.8 of the threshold up to where 80 % of what lies above is right."""
    order = np.argsort(-probabilities, kind="stable")
    precision = np.cumsum(truth[order]) / np.arange(1, len(order) + 1)
    sure = np.flatnonzero((precision >= SURE_PRECISION) & (probabilities[order] >= threshold))
    high = probabilities[order][sure[-1]] if len(sure) else 1.01
    return threshold * NEAR_MISS, float(max(high, threshold))


def _label(
    rows: sp.csr_array, inside: sp.csr_array, prepared: Prepared, column: int
) -> tuple[Floats, float, Floats, Floats]:
    """Weights, bias, and out-of-fold margins of the opinions and of their most telling passages, for one label."""
    truth, owner = prepared.truth[:, column], prepared.owner
    whole, telling = np.zeros(len(truth)), np.zeros(len(truth))
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=0).split(rows, truth, prepared.groups):
        weights, bias = _fit(rows[train], truth[train])
        margins = rows @ weights + bias
        whole[test] = margins[test]
        telling[test] = most_telling(inside @ weights + bias, owner, margins)[test]
    return *_fit(rows, truth), whole, telling


def train_model(
    labelled: Sequence[Labelled],
    taxonomy: Taxonomy,
    lexicon: Lexicon,
    *,
    corpus: str,
    progress: Callable[[str], None] = lambda _: None,
) -> Model:
    """Train on labelled opinions; the same input gives the same model, bit for bit, with the same libraries.

    ``corpus`` is the digest of the files the opinions came from. ``card["cross_validation"]`` holds the figures of
    grouped cross-validation with the thresholds cut on the same predictions (they are slightly hopeful for that).

    Raises:
        ResourceError: a label with fewer than ``FOLDS`` opinions.
    """
    progress("分词与特征")
    prepared = prepare(labelled, taxonomy, lexicon)
    support = prepared.truth.sum(axis=0)
    for code, count in zip(taxonomy.codes, support.tolist(), strict=True):
        if count < FOLDS:
            raise ResourceError(
                f"标签“{taxonomy[code].name_zh}”只有 {count} 条标注，至少要 {FOLDS} 条才能训练。"
            )
    idf = inverse_document_frequency(prepared.counts)
    rows, inside = weighted(prepared.counts, idf), weighted(prepared.passages, idf)
    progress("训练与交叉验证")
    columns = range(len(taxonomy.codes))
    # max_nbytes=None: a memory-mapped matrix is read-only, and scipy sorts indices in place
    fitted = Parallel(n_jobs=-1, max_nbytes=None)(
        delayed(_label)(rows, inside, prepared, column) for column in columns
    )
    whole, telling = (np.array([label[margin] for label in fitted]).T for margin in (2, 3))
    terms = calibration_terms(whole, telling, prepared.lengths)
    arrays = {
        "idf": idf,
        "weights": np.array([label[0] for label in fitted]).T,
        "bias": np.array([label[1] for label in fitted]),
        **_decisions(terms, prepared.truth),
    }
    arrays = {name: np.round(array, _DECIMALS) for name, array in arrays.items()}
    card = {
        "taxonomy": taxonomy.digest,
        "taxonomy_version": taxonomy.version,
        "lexicon": lexicon.digest,
        "features": FEATURES_VERSION,
        "corpus": corpus,
        "opinions": len(labelled),
        "clusters": int(prepared.groups.max() + 1),
        "support": dict(zip(taxonomy.codes, support.tolist(), strict=True)),
        "libraries": _libraries(),
        "cross_validation": _held_out_figures(arrays, terms, prepared.truth, taxonomy),
    }
    card["version"] = _version(arrays, prepared.vocabulary, card)
    return Model(vocabulary=prepared.vocabulary, card=card, **arrays)


def _decisions(terms: Floats, truth: npt.NDArray[np.bool_]) -> dict[str, Floats]:
    """Scaling, thresholds and review bounds, label by label, from out-of-fold terms (5, n, n_labels)."""
    columns = range(truth.shape[1])
    scaling = [_platt(terms[:, :, c], truth[:, c]) for c in columns]
    slope = np.round(np.array([slopes for slopes, _ in scaling]).T, _DECIMALS)
    offset = np.round(np.array([offset for _, offset in scaling]), _DECIMALS)
    held_out = scaled(terms, slope, offset)
    threshold = np.array([best_threshold(held_out[:, c], PRECISION_WEIGHT) for c in columns])
    bounds = [review_bounds(held_out[:, c], truth[:, c], threshold[c]) for c in columns]
    low, high = (np.array(part) for part in zip(*bounds, strict=True))
    return {
        "slope": slope,
        "offset": offset,
        "threshold": threshold,
        "review_low": low,
        "review_high": high,
    }


def _held_out_figures(
    arrays: dict[str, Floats], terms: Floats, truth: npt.NDArray[np.bool_], taxonomy: Taxonomy
) -> dict[str, Any]:
    held_out = scaled(terms, arrays["slope"], arrays["offset"])
    unsure = (held_out >= arrays["review_low"]) & (held_out < arrays["review_high"])
    return {
        **decision_metrics(truth, held_out >= arrays["threshold"], taxonomy),
        "reviewed_share": round(float(unsure.any(axis=1).mean()), 4),
    }


def _version(arrays: dict[str, Floats], vocabulary: dict[str, int], card: dict[str, Any]) -> str:
    """A name made from the content: two models of one name are one model."""
    content = hashlib.sha256(json.dumps([list(vocabulary), card], sort_keys=True).encode())
    for name in sorted(arrays):
        content.update(arrays[name].tobytes())
    return f"base-{content.hexdigest()[:10]}"


def _libraries() -> dict[str, Any]:
    return {"python": ".".join(platform.python_version_tuple()[:2]), "scikit-learn": sklearn.__version__}
