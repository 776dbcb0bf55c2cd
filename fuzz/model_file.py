"""A model from elsewhere, whose digests fit: it is refused in one line, or gives probabilities."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fuzz import temporary_folder
from fuzz.mutation import edited
from pipeline.classifier.decisions import BINS, gate_width
from pipeline.classifier.files import (
    ARRAYS,
    active_version,
    load_model,
    mismatch,
    read_card,
    save_model,
)
from pipeline.classifier.model import Model, issue_columns
from pipeline.classifier.read import Reader
from pipeline.cli.figures import show_card
from pipeline.errors import QingyiError
from pipeline.learn.held_out import HELD_OUT, HeldOut, held_out_bytes, load_held_out
from pipeline.learn.registry import entries, history, intact, previous
from pipeline.records import Opinion
from pipeline.text.segment import Segmenter
from pipeline.workspace import SHIPPED, Workspace

_CARD, _RAW_CARD, _WORDS, _RAW_WORDS, _RAW_ARRAYS, _ARRAY, _HELD_OUT, _POINTER, _HISTORY = range(9)
"""First byte of the data: which file the rest replaces, or how it changes it."""

_FEATURES = ["红包", "办事", "质检站"]


class Shelf(NamedTuple):
    """A registry with one small model of the right structure, kept unchanged; the files of it, and its card."""

    space: Workspace
    folder: Path
    version: str
    files: dict[str, bytes]
    card: dict[str, Any]


@functools.cache
def shelf() -> Shelf:
    """A model of three words for the shipped taxonomy and lexicon, with the shipped model's card."""
    space = Workspace(root=SHIPPED)
    version = active_version(space.models)
    card = read_card(space.models, version)
    labels, issues = len(space.taxonomy.codes), len(space.taxonomy.issues)
    shapes = {
        "idf": (3,), "weights": (3, labels + 1), "bias": (labels + 1,), "slope": (5, labels), "offset": (labels,),
        "gate_slope": (gate_width(labels, issues),), "gate_offset": (1,), "threshold": (labels,), "bounds": (2,),
        "held_out": (2, 1, labels, BINS),
    }  # fmt: skip
    model = Model(
        vocabulary={name: number for number, name in enumerate(_FEATURES)},
        issues=issue_columns(space.taxonomy),
        card=card,
        **{name: np.full(shape, 0.5) for name, shape in shapes.items()},
    )
    folder = temporary_folder() / "models"
    one = HeldOut(
        keys=np.zeros(1, np.uint64),
        groups=np.zeros(1, np.int64),
        labels=np.zeros((1, labels)),
        given=np.zeros((1, labels), bool),
    )
    save_model(model, folder / version, {HELD_OUT: held_out_bytes(one)})
    (folder / "active").write_text(version + "\n", encoding="utf-8")
    (folder / "history.jsonl").write_text('{"from": "", "to": "x", "kind": "back"}\n', encoding="utf-8")
    files = {path.name: path.read_bytes() for path in (folder / version).iterdir()}
    return Shelf(space, folder, version, files, json.loads(files["card.json"]))


def seeds() -> list[bytes]:
    """The files of the small model, and changes to its card."""
    files = shelf().files
    steps = bytes(range(0, 250, 7))
    npy = io.BytesIO()
    np.save(npy, np.zeros(3, np.float32))
    line = b'{"at": "", "from": "a", "to": "b", "kind": "forward", "reason": ""}\n'
    return [
        bytes([kind]) + content
        for kind, content in (
            (_CARD, b""), (_CARD, steps), (_RAW_CARD, files["card.json"]), (_WORDS, steps), (_RAW_WORDS, files["vocabulary.json"]),
            (_RAW_ARRAYS, files["weights.npz"]), (_ARRAY, b"\0" + npy.getvalue()), (_ARRAY, b"\1" + npy.getvalue()),
            (_HELD_OUT, files[HELD_OUT]), (_POINTER, shelf().version.encode()), (_HISTORY, line + line),
        )
    ]  # fmt: skip


def check(data: bytes) -> None:
    """Do what the program does with a registry, in which one file is changed and the digests put right.

    Raises:
        AssertionError: a model is loaded that gives no probabilities, or an error is of several lines.
    """
    if not data:
        return
    _put(data[0] % 9, data[1:])
    space, folder, version, _, _ = shelf()
    try:
        history(folder)
        entries(folder)
        intact(folder, version)
        card = read_card(folder, active_version(folder))
        with contextlib.redirect_stdout(io.StringIO()):
            show_card(card, space.taxonomy, [])
        with np.errstate(all="ignore"):
            load_held_out(folder, card)
        model = load_model(folder, space.taxonomy, space.lexicon)
        previous(folder)
    except QingyiError as error:
        if "\n" in str(error):
            raise AssertionError("an error is of several lines") from None
        return
    mismatch(model.card)
    reader = Reader(space.taxonomy, space.directory, _segmenter(), model)
    with np.errstate(all="ignore"):  # weights may be as large as they like
        found = reader.probabilities([Opinion(id="1", text="质检站办事收了红包。")])
    if not ((found >= 0) & (found <= 1)).all():
        raise AssertionError("no probabilities")


def _put(kind: int, content: bytes) -> None:
    """Lay out the registry anew, changed in one place."""
    _, folder, version, files, card = shelf()
    changed = dict(files)
    if kind in {_WORDS, _RAW_WORDS}:
        changed["vocabulary.json"] = (
            content
            if kind == _RAW_WORDS
            else json.dumps(edited({"words": _FEATURES}, content).get("words")).encode()
        )
    elif kind in {_RAW_ARRAYS, _HELD_OUT}:
        changed["weights.npz" if kind == _RAW_ARRAYS else HELD_OUT] = content
    elif kind == _ARRAY:
        changed["weights.npz"] = _with_array(content)
    digests = {
        name: hashlib.sha256(made).hexdigest() for name, made in changed.items() if name != "card.json"
    }
    resigned = {**card, "files": digests}
    if kind == _RAW_CARD:
        changed["card.json"] = content
    else:
        changed["card.json"] = json.dumps(edited(resigned, content) if kind == _CARD else resigned).encode()
    for name, made in changed.items():
        (folder / version / name).write_bytes(made)
    (folder / "active").write_bytes(content if kind == _POINTER else version.encode())
    (folder / "history.jsonl").write_bytes(content if kind == _HISTORY else b"")


def _with_array(content: bytes) -> bytes:
    """The arrays' file with one of them replaced: the first byte says which, the rest is its .npy file."""
    buffer = io.BytesIO()
    replaced = ARRAYS[content[0] % len(ARRAYS)] if content else ""
    with (
        zipfile.ZipFile(io.BytesIO(shelf().files["weights.npz"])) as old,
        zipfile.ZipFile(buffer, "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, content[1:] if name == replaced + ".npy" else old.read(name))
    return buffer.getvalue()


@functools.cache
def _segmenter() -> Segmenter:
    return Segmenter(shelf().space.lexicon)
