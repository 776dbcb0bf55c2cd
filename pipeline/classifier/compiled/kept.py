"""Tables of the shipped model, kept beside the compiled loops: making them takes a second or two in each process, reading them a tenth.

Only the shipped one's: what another model knows its user's people wrote, and no copy of it is to outlive the workspace.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast, get_type_hints
from zipfile import BadZipFile

import numpy as np

from pipeline.classifier.model import Model
from pipeline.compiled.kernels import kept_folder
from pipeline.workspace import SHIPPED

Kept = TypeVar("Kept", bound=NamedTuple)

_BASE = "base-"
"""Begins the names of models of a corpus alone."""
_LIBRARIES = ("jieba", "rjieba", "numpy")
"""Whose words are in the tables, and whose arrays they are."""


def kept(kind: type[Kept], model: Model, make: Callable[[], Kept]) -> Kept:
    """What ``make`` gives, arrays in tuples with names, read where it was kept; kept where it may be.

    The loops' folder is another for every version of the program; what else the tables depend on is in the file's name.
    """
    folder = kept_folder()
    # in a checkout that is somebody's workspace as well, models of their own lie beside the shipped one
    shipped = model.version.startswith(_BASE) and (SHIPPED / "models" / model.version).is_dir()
    if folder is None or not shipped:
        return make()
    made_of = [
        model.card["files"],
        model.card["lexicon"],
        *(f"{name} {version(name)}" for name in _LIBRARIES),
    ]
    digest = hashlib.sha256(repr(made_of).encode() + (SHIPPED / "data/disguises.tsv").read_bytes())
    path = folder / f"tables-{digest.hexdigest()[:16]}.npz"
    with (
        contextlib.suppress(OSError, ValueError, KeyError, EOFError, BadZipFile),  # missing, damaged
        path.open("rb") as file,
        np.load(file) as stored,
    ):
        return _put_together(kind, stored, "")
    made = make()
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=folder) as room:
        np.savez(unfinished := Path(room, path.name), allow_pickle=False, **dict(_arrays(made, "")))
        unfinished.replace(path)
    return made


def _arrays(tables: NamedTuple, at: str) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    for name, part in tables._asdict().items():
        if hasattr(part, "_asdict"):
            yield from _arrays(part, f"{at}{name}.")
        else:
            yield at + name, np.asarray(part)


def _put_together(kind: type[Kept], stored: Mapping[str, np.ndarray[Any, Any]], at: str) -> Kept:
    parts = {
        name: _put_together(part, stored, f"{at}{name}.")
        if hasattr(part, "_fields")
        else stored[at + name][()]  # a number as it was, not as an array of one
        for name, part in get_type_hints(kind).items()
    }
    make: Any = kind
    return cast("Kept", make(**parts))
