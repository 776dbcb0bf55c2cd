"""Labelled opinions → a model: linear over tf-idf, label by label, calibrated and cut on held-out predictions."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn
from sklearn.model_selection import GroupKFold

from pipeline.classifier.decisions import Floats, Indices, Probabilities, decide
from pipeline.classifier.model import FEATURES_VERSION, Model, issue_columns, weighted
from pipeline.errors import ResourceError
from pipeline.learn.calibrate import DECIMALS, calibrate
from pipeline.learn.corpus import Labelled
from pipeline.learn.linear import Rows, fit_columns
from pipeline.learn.metrics import decision_metrics
from pipeline.learn.prepare import Prepared, prepare
from pipeline.lexicon import Lexicon
from pipeline.taxonomy import Taxonomy

FOLDS = 5


def inverse_document_frequency(counts: sp.csr_array) -> Floats:
    """Smoothed: ln((1 + n) / (1 + df)) + 1, shape (n_features,)."""
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + df)) + 1.0)


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
        ResourceError: a label with fewer than ``FOLDS`` opinions, or so few without any issue.
    """
    progress("分词与特征")
    prepared = prepare(labelled, taxonomy, lexicon)
    support = prepared.truth.sum(axis=0)
    for code, count in zip(taxonomy.codes, support.tolist(), strict=True):
        if count < FOLDS:
            raise ResourceError(
                f"标签“{taxonomy[code].name_zh}”只有 {count} 条标注，至少要 {FOLDS} 条才能训练。"
            )
    issues = issue_columns(taxonomy)
    if prepared.truth[:, issues].any(axis=1).sum() > len(labelled) - FOLDS:
        raise ResourceError(f"标注里没有问题标签的意见太少，至少要 {FOLDS} 条才能训练。")
    progress("训练与交叉验证")
    arrays, held_out = _learn(prepared, issues)
    given = decide(held_out, arrays["threshold"], arrays["bounds"], issues)
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
        "cross_validation": {
            **decision_metrics(prepared.truth, given.given, taxonomy),
            "reviewed_share": round(float(given.unsure.any(axis=1).mean()), 4),
        },
    }
    card["version"] = _version(arrays, prepared.vocabulary, card)
    return Model(vocabulary=prepared.vocabulary, issues=issues, card=card, **arrays)


def _learn(prepared: Prepared, issues: Indices) -> tuple[dict[str, Floats], Probabilities]:
    """The model's arrays, and the held-out probabilities that its thresholds and bounds were chosen on."""
    idf = inverse_document_frequency(prepared.counts)
    rows = Rows(weighted(prepared.counts, idf), weighted(prepared.passages, idf), prepared.owner)
    wanted = np.column_stack([prepared.truth, prepared.truth[:, issues].any(axis=1)])
    folds = list(
        GroupKFold(FOLDS, shuffle=True, random_state=0).split(prepared.truth, groups=prepared.groups)
    )
    fitted = fit_columns(rows, wanted, folds)
    decisive, held_out = calibrate(
        fitted.whole, fitted.telling, prepared.lengths, prepared.truth, issues, folds
    )
    arrays = {"idf": idf, "weights": fitted.weights, "bias": fitted.bias, **decisive}
    return {name: np.round(array, DECIMALS) for name, array in arrays.items()}, held_out


def _version(arrays: dict[str, Floats], vocabulary: dict[str, int], card: dict[str, Any]) -> str:
    """A name made from the content: two models of one name are one model."""
    content = hashlib.sha256(json.dumps([list(vocabulary), card], sort_keys=True).encode())
    for name in sorted(arrays):
        content.update(arrays[name].tobytes())
    return f"base-{content.hexdigest()[:10]}"


def _libraries() -> dict[str, Any]:
    return {"python": ".".join(platform.python_version_tuple()[:2]), "scikit-learn": sklearn.__version__}
