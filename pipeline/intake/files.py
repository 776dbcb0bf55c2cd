"""Which files an input names, in a stable order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError, cause, listed

FORMATS = (".xlsx", ".xls", ".csv", ".tsv", ".jsonl", ".parquet", ".txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to read. ``name`` is its path relative to the input that named it: the same on every machine."""

    path: Path
    name: str
    size: int

    def sha256(self) -> str:
        """Digest of the content.

        Raises:
            InputError: the file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"读不到文件 {self.name}：{cause(error)}。") from None


def _wanted(path: Path) -> bool:
    return path.suffix.lower() in FORMATS and not path.name.startswith(("~$", ".", "._"))


def find_files(inputs: Iterable[Path]) -> list[SourceFile]:
    """Files of the inputs, in the order given; a folder's files by name, its subfolders included.

    Lock files (``~$…``), hidden files and other formats inside folders are passed over. A file named twice is
    taken once.

    Raises:
        InputError: an input does not exist, has another format, or a folder holds nothing readable.
    """
    found: dict[Path, SourceFile] = {}
    for given in inputs:
        if given.is_dir():
            inside = sorted(
                Path(folder) / name
                for folder, _, names in os.walk(given)
                for name in names
                if _wanted(Path(name))
            )
            if not inside:
                raise InputError(f"文件夹 {given} 里没有可读的文件；可读格式：{listed(FORMATS)}。")
            chosen = [(path, path.relative_to(given).as_posix()) for path in inside]
        elif given.is_file():
            if given.suffix.lower() not in FORMATS:
                raise InputError(
                    f"文件 {given.name} 的格式“{given.suffix or '无扩展名'}”不能读；可读格式：{listed(FORMATS)}。"
                )
            chosen = [(given, given.name)]
        else:
            raise InputError(f"找不到文件或文件夹：{given}；请检查路径。")
        for path, name in chosen:
            found.setdefault(path.resolve(), SourceFile(path=path, name=name, size=path.stat().st_size))
    return list(found.values())
