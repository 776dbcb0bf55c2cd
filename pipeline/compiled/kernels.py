"""How loops are compiled: once on a machine, without the interpreter's lock, and exactly (no reordered sums).

What was compiled is kept, by the digest of all their files: numba itself looks only at the file that a loop stands in, and would
go on with loops and constants of another file as they were before it changed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., object])

_KEPT = "kernels-"
_PARTS = ("compiled/*.py", "text/*.py", "classifier/**/*.py", "intake/compiled_*.py", "lexicon.py")
"""The files of the program that hold loops, constants of theirs, and what makes the tables they look things up in."""

_config: Any = numba.config


@functools.cache
def kept_folder() -> Path | None:
    """Where compiled loops are kept, their owner's alone: beside the program, or with the user's caches; None where neither can be written."""
    room = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for part in _PARTS for path in room.parent.glob(part)):
        digest.update(path.read_bytes())
    name = _KEPT + digest.hexdigest()[:16]
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for place in (room / "__pycache__", Path(caches, "qingyi")):
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            (place / name).mkdir(mode=0o700, exist_ok=True)
            if os.access(place / name, os.W_OK):
                for other in place.glob(_KEPT + "*"):
                    if other.name != name:
                        shutil.rmtree(other, ignore_errors=True)
                return place / name
    return None


def _compiled(loop: Loop, **options: Any) -> Loop:
    options |= {"nogil": True, "error_model": "numpy"}
    kept, before = kept_folder(), _config.CACHE_DIR
    _config.CACHE_DIR = before or str(kept or "")
    try:
        return cast("Loop", numba.njit(cache=bool(before or kept), **options)(loop))
    finally:
        _config.CACHE_DIR = before


def kernel(loop: Loop) -> Loop:
    """The same function compiled on first use; where nothing can be kept, every process compiles anew."""
    return _compiled(loop)


def lean_kernel(loop: Loop) -> Loop:
    """A kernel that makes and returns no arrays: it counts no references, of which the arrays of nested tuples take thousands a text."""
    return _compiled(loop, _nrt=False)
