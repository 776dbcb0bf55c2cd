"""Tables kept beside the compiled loops: making them takes long in each process, reading them a tenth of it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast, get_type_hints
from zipfile import BadZipFile

import numpy as np

from pipeline.compiled.kernels import kept_folder

Kept = TypeVar("Kept", bound=NamedTuple)


def kept_tables(kind: type[Kept], name: str, make: Callable[[], Kept]) -> Kept:
    """What ``make`` gives, arrays in tuples with names, read where it was kept under ``name``; kept there where it may be.

    The folder is another for every version of the program; what else the tables depend on must be in the name.
    """
    folder = kept_folder()
    if folder is None:
        return make()
    path = folder / f"{name}.npz"
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
