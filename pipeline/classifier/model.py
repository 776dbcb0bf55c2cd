"""The linear multi-label model: plain arrays and JSON, nothing in its files can run.

A model lives in a folder: ``weights.npz`` (arrays), ``vocabulary.json`` (features in column order) and ``card.json``
(what it was made from, digests of the other two, thresholds, figures). :func:`load_model` verifies all of it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pipeline.classifier.decisions import (
    Decisions,
    Floats,
    Probabilities,
    calibration_terms,
    decide,
    gate_terms,
    scaled,
)
from pipeline.errors import ModelError
from pipeline.lexicon import Lexicon
from pipeline.taxonomy import Taxonomy

FEATURES_VERSION = 2
"""Raised whenever normalisation, masking, clauses or features change what a text turns into."""

FILES = ("weights.npz", "vocabulary.json")
ARRAYS = ("idf", "weights", "bias", "slope", "offset", "gate_slope", "gate_offset", "threshold", "bounds")


def issue_columns(taxonomy: Taxonomy) -> npt.NDArray[np.int64]:
    """Columns of the labels that accuse, ascending."""
    return np.array([taxonomy.codes.index(code) for code in taxonomy.issues], dtype=np.int64)


def weighted(counts: sp.csr_array, idf: Floats) -> sp.csr_array:
    """Logarithmic term frequency × inverse document frequency, rows scaled to length 1 (empty rows stay 0).

    The result stores its values in the same places as ``counts``.
    """
    values = (1.0 + np.log(counts.data.astype(np.float64))) * idf[counts.indices]
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(row, values * values, minlength=counts.shape[0]))
    return sp.csr_array((values / lengths[row], counts.indices, counts.indptr), shape=counts.shape)


@dataclass(frozen=True)
class Model:
    """One weight per feature and label, and one column more for "any issue"; two stages of logistic scaling.

    ``weights`` has shape (n_features, n_labels + 1), ``bias`` (n_labels + 1,): labels in taxonomy order, then
    whether anything is accused. ``slope`` (5, n_labels) and ``offset`` (n_labels,) are Platt's scaling (1999) of
    :func:`calibration_terms`; ``gate_slope`` and ``gate_offset`` (1,) weigh :func:`gate_terms`. ``threshold`` has
    shape (n_labels,). ``bounds`` (2,): from which probability that anything is accused an issue is given at all, and
    from which certainty a decision needs no review.
    ``issues`` are the columns of the labels that accuse.
    """

    vocabulary: dict[str, int]
    issues: npt.NDArray[np.int64]
    idf: Floats
    weights: Floats
    bias: Floats
    slope: Floats
    offset: Floats
    gate_slope: Floats
    gate_offset: Floats
    threshold: Floats
    bounds: Floats
    card: dict[str, Any]

    @property
    def version(self) -> str:
        """The model's name in the registry."""
        return str(self.card["version"])

    def margins(self, rows: sp.csr_array) -> Floats:
        """Margins, shape (n, n_labels + 1), for :func:`weighted` rows of shape (n, n_features)."""
        return np.asarray(rows @ self.weights) + self.bias

    def probabilities(self, whole: Floats, telling: Floats, lengths: npt.NDArray[np.int64]) -> Probabilities:
        """Calibrated probabilities from what :func:`calibration_terms` takes."""
        terms = calibration_terms(whole, telling, lengths)
        labels = scaled(terms[:, :, :-1], self.slope, self.offset)
        gate = gate_terms(labels, terms[:, :, -1], self.issues) @ self.gate_slope + self.gate_offset
        return Probabilities(labels=labels, accuses=1.0 / (1.0 + np.exp(-gate)))

    def contributions(
        self,
        clause_counts: sp.csr_array,
        owner: npt.NDArray[np.int64],
        counts: sp.csr_array,
        rows: sp.csr_array,
    ) -> Floats:
        """Each clause's share of its owner's margins, shape (n_clauses, n_labels + 1).

        Exact: summed over an owner's clauses and added to the bias it gives the owner's margins, since every
        occurrence of a feature carries an equal part of the feature's weighted value.
        """
        per_count = rows.data / counts.data
        width = np.int64(clause_counts.shape[1])
        known = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr)) * width + counts.indices
        clause_row = np.repeat(np.arange(clause_counts.shape[0]), np.diff(clause_counts.indptr))
        wanted = owner[clause_row] * width + clause_counts.indices
        scaled = clause_counts.astype(np.float64)
        scaled.data = scaled.data * per_count[np.searchsorted(known, wanted)]
        return np.asarray(scaled @ self.weights)

    def decide(self, found: Probabilities) -> Decisions:
        """Which labels are given, and which of all labels want a person's look; see :func:`decide`."""
        return decide(found, self.threshold, self.bounds, self.issues)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def save_model(model: Model, folder: Path, beside: Mapping[str, bytes] | None = None) -> None:
    """Write a model into ``folder`` (made where absent); the same model gives the same bytes.

    ``beside`` are further files of the version, by name; their digests go into the card with those of the model's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    features = sorted(model.vocabulary, key=model.vocabulary.__getitem__)
    contents = {
        "weights.npz": packed({name: getattr(model, name).astype(np.float32) for name in ARRAYS}),
        "vocabulary.json": json.dumps(features, ensure_ascii=False, separators=(",", ":")).encode(),
        **(beside or {}),
    }
    card = {**model.card, "files": {name: _sha256(content) for name, content in contents.items()}}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "card.json").write_text(
        json.dumps(card, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as the bytes of an ``.npz`` file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpacked(content: bytes, names: Sequence[str], where: str) -> dict[str, np.ndarray]:
    """The named arrays of an ``.npz`` file; nothing in it can run.

    Raises:
        ModelError: no such file format, an array missing, or one of objects (which only unpickling could read).
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        raise ModelError(f"{where} 不是本程序写的数组文件；没有读入，请换一个版本或重建。") from None


def active_version(models: Path) -> str:
    """The version that the registry's ``active`` pointer names.

    Raises:
        ModelError: no pointer, or one that is not a plain name.
    """
    try:
        version = (models / "active").read_text(encoding="utf-8").strip()
    except OSError:
        raise ModelError("没有可用的模型：models/active 不存在；请运行“qingyi models build”重建。") from None
    if not version or "/" in version or "\\" in version or version.startswith("."):
        raise ModelError("models/active 的内容不是模型版本名，请改正。")
    return version


def read_card(models: Path, version: str) -> dict[str, Any]:
    """The card of a version.

    Raises:
        ModelError: no such version, or a card that cannot be read.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}", version):
        raise ModelError("这不是模型版本名；用“qingyi models list”看有哪些。")
    path = models / version / "card.json"
    if not path.exists():
        raise ModelError(f"没有模型 {version}；用“qingyi models list”看有哪些。")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        whole = card["version"] == version and isinstance(card["files"], dict)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise ModelError(f"模型 {version} 不完整或 card.json 损坏；请换一个版本或重建。")
    return dict(card)


def verified(models: Path, card: Mapping[str, Any], name: str) -> bytes:
    """A file of a version, its digest checked against the card.

    Raises:
        ModelError: it is missing, or its digest is another.
    """
    version = str(card["version"])
    try:
        content: bytes = (models / version / name).read_bytes()
    except OSError:
        raise ModelError(f"模型 {version} 缺少 {name}；请换一个版本或重建。") from None
    if card["files"].get(name) != _sha256(content):
        raise ModelError(f"模型 {version} 的 {name} 与登记的摘要不符，可能损坏或被改动；请换一个版本或重建。")
    return content


def load_model(models: Path, taxonomy: Taxonomy, lexicon: Lexicon, version: str | None = None) -> Model:
    """Load a version (default: the active one) and verify it.

    Raises:
        ModelError: a file missing or changed (digest), another taxonomy or lexicon, another features version, or
            arrays of a wrong shape or kind.
    """
    version = version or active_version(models)
    card = read_card(models, version)
    contents = {name: verified(models, card, name) for name in FILES}
    for key, ours, what in (
        ("taxonomy", taxonomy.digest, "问题类型表"),
        ("lexicon", lexicon.digest, "领域词表"),
    ):
        if card.get(key) != ours:
            raise ModelError(
                f"模型 {version} 是按另一份{what}训练的；请用原来的，或运行“qingyi models build”（有新标注时“qingyi train”）重新训练。"
            )
    if card.get("features") != FEATURES_VERSION:
        raise ModelError(
            f"模型 {version} 是另一版程序训练的（特征版本 {card.get('features')}）；请运行“qingyi models build”重建。"
        )
    stored = unpacked(contents["weights.npz"], ARRAYS, f"模型 {version} 的 weights.npz")
    return _checked(version, card, contents["vocabulary.json"], stored, taxonomy)


def _checked(
    version: str, card: dict[str, Any], vocabulary: bytes, stored: dict[str, np.ndarray], taxonomy: Taxonomy
) -> Model:
    """The model, its structure held against the taxonomy: digests say only that nothing changed since."""
    try:
        features = json.loads(vocabulary)
        arrays = {name: array.astype(np.float64) for name, array in stored.items()}
    except (ValueError, TypeError, RecursionError):
        raise ModelError(f"模型 {version} 的内容不是数和词；请重建。") from None
    n, labels = len(features), len(taxonomy.codes)
    shapes = {
        "idf": (n,),
        "weights": (n, labels + 1),
        "bias": (labels + 1,),
        "slope": (5, labels),
        "offset": (labels,),
        "gate_offset": (1,),
        "threshold": (labels,),
        "bounds": (2,),
    }
    if not (
        isinstance(features, list)
        and all(isinstance(feature, str) for feature in features)
        and all(arrays[name].shape == shape for name, shape in shapes.items())
        and all(np.isfinite(array).all() for array in arrays.values())
    ):
        raise ModelError(f"模型 {version} 的数组形状不对；请重建。")
    return Model(
        vocabulary={name: i for i, name in enumerate(features)},
        issues=issue_columns(taxonomy),
        card=card,
        **arrays,
    )
