"""Labelled opinions → a model: linear over tf-idf, label by label, calibrated and cut on held-out predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.model_selection import GroupKFold

from pipeline.aggregate.likelihood import held_out_posteriors
from pipeline.classifier.decisions import Floats, Indices, Probabilities, decide
from pipeline.classifier.files import libraries
from pipeline.classifier.model import FEATURES_VERSION, Model, in_steps, issue_columns, weighted
from pipeline.errors import ResourceError
from pipeline.learn.calibrate import DECIMALS, calibrate
from pipeline.learn.corpus import Labelled, unknown_matrix
from pipeline.learn.held_out import HeldOut
from pipeline.learn.linear import Bools, Rows, fit_columns, give_back_memory, themes_of
from pipeline.learn.metrics import decision_metrics, log_loss_drop
from pipeline.learn.prepare import MIN_DOCUMENTS, Prepared, prepare
from pipeline.lexicon import Lexicon
from pipeline.taxonomy import Taxonomy

FOLDS = 4


def inverse_document_frequency(counts: sp.csr_array) -> Floats:
    """Smoothed: ln((1 + n) / (1 + df)) + 1, shape (n_features,)."""
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + df)) + 1.0)


class Trained(NamedTuple):
    """A model and what it was chosen on."""

    model: Model
    held_out: HeldOut


def train_model(
    labelled: Sequence[Labelled],
    taxonomy: Taxonomy,
    lexicon: Lexicon,
    *,
    about: Mapping[str, Any],
    kind: str = "base",
    unlabelled: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train on labelled opinions; the same input gives the same model, bit for bit, with the same libraries.

    ``about`` goes into the card as it is (digests of the files, the parent), ``kind`` begins the version's name. A label
    with fewer than :data:`FOLDS` opinions is not learnt: it is never given, and ``card["unseen"]`` names it.
    ``unlabelled`` texts teach which words go together (:func:`~pipeline.learn.linear.themes_of`); they are used where
    held-out opinions are foretold better with them, beyond the standard error (``card["archive"]`` tells), and then the last bits depend on the processor. ``card["cross_validation"]`` holds the figures of grouped cross-validation with the thresholds
    cut on the same predictions (they are slightly hopeful for that).

    Raises:
        ResourceError: so few opinions with an issue, or without any, that accusing cannot be learnt; or no feature common
            enough to learn from.
    """
    progress("分词与特征")
    prepared = prepare(labelled, taxonomy, lexicon)
    issues = issue_columns(taxonomy)
    support = prepared.truth.sum(axis=0)
    accused = int(prepared.truth[:, issues].any(axis=1).sum())
    if not FOLDS <= accused <= len(labelled) - FOLDS:
        which = "有问题标签" if accused < FOLDS else "没有问题标签"
        raise ResourceError(f"标注里{which}的意见太少，至少要 {FOLDS} 条才能训练。")
    if not prepared.vocabulary:
        raise ResourceError(f"标注里没有一个字词出现在 {MIN_DOCUMENTS} 件以上的意见里，标注太少，不能训练。")
    progress("训练与交叉验证")
    known = _known(labelled, taxonomy)
    asked = known[:, :-1]
    seen = np.flatnonzero((support >= FOLDS) & ((asked & ~prepared.truth).sum(axis=0) >= FOLDS))
    own = np.array([item.own for item in labelled])
    arrays, found = _learn(prepared, issues, seen, known, own)
    archive: dict[str, Any] | None = None
    if unlabelled:
        progress("未标注存档")
        wider = prepare(labelled, taxonomy, lexicon, unlabelled)
        tried = _learn(wider, issues, seen, known, own)
        drop, error = log_loss_drop(prepared.truth, found.labels, tried[1].labels)
        archive = {"opinions": len(unlabelled), "drop": drop, "error": error, "used": drop > error}
        if archive["used"]:
            prepared, (arrays, found) = wider, tried
    errors = held_out_posteriors(found.labels, prepared.truth, prepared.groups, asked)
    arrays["held_out"] = errors.counts.astype(np.float64)
    decided = decide(found, arrays["threshold"], arrays["bounds"], issues)
    card = {
        "taxonomy": taxonomy.digest,
        "taxonomy_version": taxonomy.version,
        "lexicon": lexicon.digest,
        "features": FEATURES_VERSION,
        "opinions": len(labelled),
        "archive": archive,
        "clusters": int(prepared.groups.max() + 1),
        "support": dict(zip(taxonomy.codes, support.tolist(), strict=True)),
        "unseen": [code for c, code in enumerate(taxonomy.codes) if c not in seen],
        "libraries": libraries(),
        "cross_validation": {
            **decision_metrics(prepared.truth, decided.given & asked, taxonomy),
            "reviewed_share": round(float(decided.unsure.any(axis=1).mean()), 4),
        },
        **about,
    }
    card["version"] = _version(kind, arrays, prepared.vocabulary, card)
    model = Model(vocabulary=prepared.vocabulary, issues=issues, card=card, **arrays)
    return Trained(model, HeldOut(prepared.keys, prepared.groups, found.labels, decided.given))


def _known(labelled: Sequence[Labelled], taxonomy: Taxonomy) -> Bools:
    """Whether an opinion carries each label, and then any issue, is known; shape (n, n_labels + 1).

    The last is unknown only where a label that was split away waits to be decided and no other issue is told.
    """
    decided = np.array([not _undecided(item, taxonomy) for item in labelled])
    return np.column_stack([~unknown_matrix(labelled, taxonomy), decided])


def _undecided(item: Labelled, taxonomy: Taxonomy) -> bool:
    issues = set(taxonomy.issues)
    return bool(issues & item.waiting) and not issues & set(item.labels)


def _learn(
    prepared: Prepared, issues: Indices, seen: Indices, known: Bools, own: Bools
) -> tuple[dict[str, Floats], Probabilities]:
    """The model's arrays, and the held-out probabilities that its thresholds and bounds were chosen on.

    Only columns ``seen`` are fitted, and whether anything is accused.
    """
    counts = prepared.clauses.opinions()
    both = sp.csr_array(sp.vstack([counts, prepared.archive], format="csr"))
    idf = inverse_document_frequency(both)
    themes = themes_of(weighted(both, idf)) if prepared.archive.shape[0] else None
    columns = np.append(seen, prepared.truth.shape[1])
    rows = Rows(weighted(counts, idf), prepared.clauses, idf, known[:, columns], themes)
    del counts, both  # as large as all that training needs
    give_back_memory()
    wanted = np.column_stack([prepared.truth, prepared.truth[:, issues].any(axis=1)])
    folds = folds_of(prepared.groups, own)
    fitted = fit_columns(rows, wanted[:, columns], folds)
    weights, bias, whole, telling = (_spread(part, columns, wanted.shape[1]) for part in fitted)
    decisive, held_out = calibrate(
        whole, telling, prepared.lengths, prepared.truth, issues, folds, known, own
    )
    arrays = {"idf": idf, "bias": bias, **decisive}
    rounded = {name: np.round(array, DECIMALS) for name, array in arrays.items()}
    return rounded | {"weights": in_steps(weights)}, held_out


def folds_of(groups: Indices, own: Bools) -> list[tuple[Indices, Indices]]:
    """Pairs of row numbers, to learn from and held out; every row is held out once, no group (n,) is in both of a pair.

    The corpus is divided into :data:`FOLDS` as if the user's ``own`` (n,) were not there: else every new label would deal its
    writers anew, and two models' held-out decisions on it would differ by that alone. Their own, where they are the fewer, are held
    out apart, by models that learn the whole corpus: as the active model did, beside which they are judged, and as the
    model itself will. Those in a group with the corpus go with it.
    """
    corpus = np.flatnonzero(~own)
    if len(np.unique(groups[corpus])) < FOLDS:  # too few to divide by themselves
        corpus = np.arange(len(groups))
    dealt = GroupKFold(FOLDS, shuffle=True, random_state=0).split(corpus, groups=groups[corpus])
    turn_of: dict[int, int] = {}
    for turn, (_, held_out) in enumerate(dealt):
        turn_of |= dict.fromkeys(groups[corpus[held_out]].tolist(), turn)
    others = np.random.default_rng(0).permutation(np.setdiff1d(groups, list(turn_of))).tolist()
    first = FOLDS if own.sum() <= len(corpus) else 0
    turn_of |= {group: first + place % FOLDS for place, group in enumerate(others)}
    turns = np.array([turn_of[group] for group in groups.tolist()])
    return [(np.flatnonzero(turns != turn), np.flatnonzero(turns == turn)) for turn in np.unique(turns)]


def _spread(part: Floats, columns: Indices, width: int) -> Floats:
    """``part``, whose last axis is ``columns``, among ``width`` columns; zeros elsewhere."""
    full = np.zeros((*part.shape[:-1], width))
    full[..., columns] = part
    return full


def _version(kind: str, arrays: dict[str, Floats], vocabulary: dict[str, int], card: dict[str, Any]) -> str:
    """A name made from the content: two models of one name are one model."""
    content = hashlib.sha256(json.dumps([list(vocabulary), card], sort_keys=True).encode())
    for name in sorted(arrays):
        content.update(arrays[name].tobytes())
    return f"{kind}-{content.hexdigest()[:10]}"
