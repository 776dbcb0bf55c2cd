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


class FoundFiles(list[SourceFile]):
    """Files to read; ``passed_over`` names what lay beside them in the folders and cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_over: list[str] = []


def find_files(inputs: Iterable[Path], output: Path | None = None) -> FoundFiles:
    """Files of the inputs, in the order given; a folder's files by name, its subfolders included.

    Inside folders, lock files (``~$…``), hidden files and what lies in ``output`` (the folder of results) are not
    looked at; other formats and broken links are passed over and named. A file named twice is taken once.

    Raises:
        InputError: an input does not exist, has another format or cannot be looked into, a folder holds nothing
            readable, or the output folder is an input.
    """
    found = FoundFiles()
    seen: set[Path] = set()
    for given in inputs:
        if given.is_dir():
            chosen = _inside(given, output.resolve() if output else None, found.passed_over)
        elif given.is_file():
            if given.suffix.lower() not in FORMATS:
                raise InputError(
                    f"文件 {given.name} 的格式“{given.suffix or '无扩展名'}”不能读；可读格式：{listed(FORMATS)}。"
                )
            chosen = [(given, given.name)]
        else:
            raise InputError(f"找不到文件或文件夹：{given}；请检查路径。")
        for path, name in chosen:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                found.append(SourceFile(path=path, name=name, size=path.stat().st_size))
    return found


def _inside(folder: Path, output: Path | None, passed_over: list[str]) -> list[tuple[Path, str]]:
    if folder.resolve() == output:
        raise InputError(f"结果文件夹不能就是输入文件夹（{folder}）；请用 -o 指定另一个。")

    def refuse(error: OSError) -> None:
        raise InputError(f"文件夹 {error.filename} 打不开：{cause(error)}。")

    chosen: list[tuple[Path, str]] = []
    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and (Path(place) / name).resolve() != output
        )
        for name in names:
            path = Path(place) / name
            if name.startswith(("~$", ".")):
                continue
            if path.suffix.lower() in FORMATS and path.is_file():
                chosen.append((path, path.relative_to(folder).as_posix()))
            else:
                passed_over.append(path.relative_to(folder).as_posix())
    if not chosen:
        raise InputError(f"文件夹 {folder} 里没有可读的文件；可读格式：{listed(FORMATS)}。")
    passed_over.sort()
    return sorted(chosen)
