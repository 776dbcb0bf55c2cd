"""A model on disk: plain arrays and JSON, nothing in its files can run.

A model lives in a folder: ``weights.npz`` (arrays), ``vocabulary.json`` (features in column order) and ``card.json``
(what it was made from, digests of the other files, figures). :func:`load_model` verifies all of it.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.classifier.card import VERSION, Card
from pipeline.classifier.decisions import BINS, gate_width
from pipeline.classifier.model import FEATURES_VERSION, Model, in_steps, issue_columns
from pipeline.errors import ModelError
from pipeline.lexicon import Lexicon
from pipeline.taxonomy import Taxonomy

FILES = ("weights.npz", "vocabulary.json")
ARRAYS = (
    "idf", "weights", "bias", "slope", "offset", "gate_slope", "gate_offset", "threshold", "bounds", "held_out",
)  # fmt: skip

LARGEST_UNPACKED = 1 << 29
"""Bytes of all arrays in a file: a hundred times what the shipped model has."""


def libraries() -> dict[str, str]:
    """Versions of what makes features and weights: another one may read or learn a little differently."""
    named = {name: metadata.version(name) for name in ("numpy", "opencc", "rjieba", "scikit-learn")}
    return {"python": ".".join(platform.python_version_tuple()[:2]), **named}


def mismatch(card: Mapping[str, Any]) -> str:
    """Libraries whose versions differ from those a model was trained with, in words; "" where none does."""
    there, here = card.get("libraries", {}), libraries()
    return "，".join(
        f"{name} {there[name]}（现在 {here.get(name, '没有')}）"
        for name in sorted(there)
        if there[name] != here.get(name)
    )


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
    """The named arrays of an ``.npz`` file, of numbers or truth values; nothing in it can run.

    Raises:
        ModelError: no such file format, an array missing, too large, or of anything else (objects only unpickling could read).
    """
    try:
        stored = _arrays(content, names)
    except Exception:  # noqa: BLE001  # the package, its codecs and the headers' parser: each has errors of its own
        stored = {}
    if not stored or any(array.dtype.kind not in "buif" for array in stored.values()):
        raise ModelError(f"{where} 不是本程序写的数组文件；没有读入，请换一个版本或重建。")
    return stored


def _arrays(content: bytes, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file; none where it says that it is too large."""
    with zipfile.ZipFile(io.BytesIO(content)) as package, warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # numpy warns of headers that nobody writes any more
        if sum(part.file_size for part in package.infolist()) > LARGEST_UNPACKED:
            return {}
        return {name: np.lib.format.read_array(package.open(f"{name}.npy")) for name in names}


def active_version(models: Path) -> str:
    """The version that the registry's ``active`` pointer names.

    Raises:
        ModelError: no pointer, or one that is not a plain name.
    """
    try:
        version = (models / "active").read_text(encoding="utf-8").strip()
    except OSError:
        raise ModelError("没有可用的模型：models/active 不存在；请运行“qingyi models build”重建。") from None
    except ValueError:  # not even text
        version = ""
    if not re.fullmatch(VERSION, version):
        raise ModelError("models/active 的内容不是模型版本名，请改正。")
    return version


def read_card(models: Path, version: str) -> dict[str, Any]:
    """The card of a version, with all that :class:`Card` asks for.

    Raises:
        ModelError: no such version, or a card that cannot be read or lacks something.
    """
    if not re.fullmatch(VERSION, version):
        raise ModelError("这不是模型版本名；用“qingyi models list”看有哪些。")
    path = models / version / "card.json"
    if not path.exists():
        raise ModelError(f"没有模型 {version}；用“qingyi models list”看有哪些。")
    try:
        card = Card.model_validate(json.loads(path.read_text(encoding="utf-8"))).model_dump()
    except (OSError, ValueError, RecursionError):
        card = {}
    if card.get("version") != version:
        raise ModelError(f"模型 {version} 不完整或 card.json 损坏；请换一个版本或重建。")
    return card


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


def fits(card: Mapping[str, Any], taxonomy: Taxonomy, lexicon: Lexicon) -> bool:
    """Whether a version was made for this taxonomy, lexicon and program."""
    made_for = (card.get("taxonomy"), card.get("lexicon"), card.get("features"))
    return made_for == (taxonomy.digest, lexicon.digest, FEATURES_VERSION)


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


def _in_steps(weights: np.ndarray) -> bool:
    """Whether weights are as :func:`in_steps` gives them."""
    with np.errstate(all="ignore"):  # they may be too small for steps of their own
        return np.array_equal(in_steps(weights), weights)


def _checked(
    version: str, card: dict[str, Any], vocabulary: bytes, stored: dict[str, np.ndarray], taxonomy: Taxonomy
) -> Model:
    """The model, its structure held against the taxonomy: digests say only that nothing changed since."""
    try:
        features = json.loads(vocabulary)
        numbers = {feature: number for number, feature in enumerate(features)}
    except (ValueError, TypeError, RecursionError):
        features, numbers = None, {}
    whole = isinstance(features, list) and len(numbers) == len(features) and set(map(type, numbers)) <= {str}
    if not whole:
        raise ModelError(f"模型 {version} 的 vocabulary.json 不是一列不重复的词；请重建。")
    arrays = {name: array.astype(np.float64) for name, array in stored.items()}
    n, labels = len(features), len(taxonomy.codes)
    shapes = {
        "idf": (n,),
        "weights": (n, labels + 1),
        "bias": (labels + 1,),
        "slope": (5, labels),
        "offset": (labels,),
        "gate_slope": (gate_width(labels, len(taxonomy.issues)),),
        "gate_offset": (1,),
        "threshold": (labels,),
        "bounds": (2,),
        "held_out": (2, *arrays["held_out"].shape[1:2], labels, BINS),
    }
    if not (
        all(array.dtype == np.float32 for array in stored.values())
        and all(arrays[name].shape == shape for name, shape in shapes.items())
        and all(np.isfinite(array).all() for array in arrays.values())
        and _in_steps(stored["weights"])
        and (arrays["held_out"] >= 0).all()
    ):
        raise ModelError(f"模型 {version} 的数组形状不对；请重建。")
    return Model(
        vocabulary=numbers,
        issues=issue_columns(taxonomy),
        card=card,
        **arrays,
    )
