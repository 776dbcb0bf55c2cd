"""The parts of one run, from its first to its end: which are there already, and which go."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.journal import STAGING
from pipeline.parts.files import LAYOUT, PartError, read_part, values_of, write_part
from pipeline.records import Opinion, Reading

PART = 1000
"""Opinions of one part, at most."""

PARTS = STAGING + "parts-"
"""Begins the name of a folder of parts in a result folder."""

_SUFFIX = ".part"


@dataclass(frozen=True)
class Parts:
    """The parts of one run, in a folder of their own, by number; ``run`` is the digest of all that its readings depend on."""

    folder: Path
    run: str

    @classmethod
    def begin(cls, results: Path, told: Mapping[str, Any]) -> Self:
        """Those of the run that is ``told`` (inputs by digest, model, versions, …), in its result folder.

        What is whole of an earlier run that was told the same stays and is used; the parts of any other go. The caller
        holds the folder's lock.

        Raises:
            OSError: the folder cannot be made.
        """
        what = json.dumps([LAYOUT, PART, told], sort_keys=True, ensure_ascii=False, default=str)
        run = hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()
        folder = results / (PARTS + run[:16])
        for other in results.glob(PARTS + "*"):
            if other != folder or not _private(other):
                _remove(other)
        folder.mkdir(mode=0o700, exist_ok=True)
        _remove_unfinished(folder)
        return cls(folder, run)

    def of(self, opinions: Iterable[Opinion]) -> str:
        """What a part of these opinions is a part of: another run, or one changed character, is another."""
        values = [value for opinion in opinions for value in values_of(opinion)]
        digest = hashlib.blake2b(self.run.encode(), digest_size=16)
        digest.update(np.fromiter(map(len, values), "<i8", len(values)).tobytes())
        digest.update("".join(values).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def put(self, number: int, of: str, readings: Sequence[Reading]) -> None:
        """Write a part; whoever writes it twice writes the same."""
        write_part(self._path(number), readings, of)

    def get(self, number: int, of: str, *, texts: bool = True) -> list[Reading] | None:
        """The readings of a part; None where it is not there, damaged, or not ``of`` what is asked for."""
        try:
            return read_part(self._path(number), of, texts=texts)
        except (FileNotFoundError, PartError):
            return None

    def find(self, number: int, opinions: Sequence[Opinion]) -> list[Reading] | None:
        """The readings of these opinions, where an earlier run left them; None where they are to be read."""
        return self.get(number, self.of(opinions)) if self._path(number).exists() else None

    def count(self) -> int:
        """How many readings there are, by what the files say of themselves."""
        rows = 0
        for path in self.folder.glob("*" + _SUFFIX):
            with contextlib.suppress(OSError, pa.ArrowException):
                rows += pq.read_metadata(path).num_rows
        return rows

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}{_SUFFIX}"


def end_parts(results: Path, *, kept: bool) -> None:
    """The end of a run: its parts are taken away, or, where they are ``kept``, what is not whole of them.

    The caller holds the folder's lock, and nobody writes there any more.
    """
    for folder in results.glob(PARTS + "*"):
        if kept:
            _remove_unfinished(folder)
            with contextlib.suppress(OSError):  # parts keep it
                folder.rmdir()
        else:
            _remove(folder)


def _private(folder: Path) -> bool:
    """Whether a folder is one that only we could have written in."""
    found = folder.lstat()
    mine = os.name != "posix" or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    return stat.S_ISDIR(found.st_mode) and mine


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _remove_unfinished(folder: Path) -> None:
    for path in folder.iterdir():
        if path.suffix != _SUFFIX:
            _remove(path)
