"""Which files an input names, in a stable order."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.errors import InputError, cause, listed

FORMATS = (".xlsx", ".xls", ".csv", ".tsv", ".jsonl", ".parquet", ".txt")

LOCK = "~$"
"""Begins the name of the file that an office program keeps beside a workbook while somebody has it open."""

LARGEST = 4 << 30
"""Bytes: thirty million opinions. What is larger was not written by people, and a sparse file has no end."""

_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to read. ``name`` is its path relative to the input that named it, printable: the same on every machine."""

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
    """Files to read; ``passed_over`` names what lay beside them in the folders and is not read."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_over: list[str] = []


def printable(name: str) -> str:
    """A name on one line, without characters that steer a terminal; parts of a path that are not UTF-8 are read as GB18030."""
    parts = (
        os.fsencode(part).decode("gb18030", "replace") if _UNDECODED.search(part) else part
        for part in name.split("/")
    )
    return "".join(
        character if character.isprintable() else " " if character.isspace() else "�"
        for character in "/".join(parts)
    )


def opened(names: Iterable[str], passed_over: Iterable[str]) -> list[str]:
    """Those of the files ``names`` beside which an office program's lock file was passed over, in the order given."""
    locks = set(passed_over)
    return [
        name for name in names if str(PurePosixPath(name).with_name(LOCK + PurePosixPath(name).name)) in locks
    ]


def find_files(inputs: Iterable[Path], output: Path | None = None) -> FoundFiles:
    """Files of the inputs, in the order given; a folder's files by name, its subfolders included.

    Inside folders, hidden files and what lies in ``output`` (the folder of results) are not looked at; lock files
    (``~$…``), other formats, broken links, linked folders, pipes and devices are passed over and named. A file named twice
    is taken once.

    Raises:
        InputError: an input does not exist, has another format or cannot be looked into, a folder holds nothing
            readable, a file is larger than :data:`LARGEST`, or the output folder is an input.
    """
    found = FoundFiles()
    seen: set[Path] = set()
    for given in inputs:
        try:
            _take(given, output, found, seen)
        except OSError as error:
            raise InputError(f"读不到 {printable(str(given))}：{cause(error)}。") from None
    return found


def _take(given: Path, output: Path | None, found: FoundFiles, seen: set[Path]) -> None:
    """Add the files of one input."""
    if given.is_dir():
        chosen = _inside(given, output.resolve() if output else None, found.passed_over)
    else:
        _check(given)
        chosen = [(given, given.name)]
    for path, name in chosen:
        if path.resolve() not in seen:
            seen.add(path.resolve())
            size = path.stat().st_size
            if size > LARGEST:
                raise InputError(f"文件 {printable(name)} 超过 {LARGEST >> 30} GB；请拆成几个文件再试。")
            found.append(SourceFile(path=path, name=printable(name), size=size))


def _check(given: Path) -> None:
    """Refuse what cannot be a table by what it is called or is."""
    name = printable(given.name)
    if not given.exists():
        raise InputError(f"找不到文件或文件夹：{printable(str(given))}；请检查路径。")
    if not given.is_file():
        raise InputError(f"{printable(str(given))} 是管道或设备，不是文件；请先存成文件再试。")
    if name.startswith(LOCK):
        raise InputError(f"文件 {name} 是表格程序打开表格时留下的锁文件，里面没有意见；请改选原文件。")
    if given.suffix.lower() not in FORMATS:
        raise InputError(
            f"文件 {name} 的格式“{printable(given.suffix) or '无扩展名'}”不能读；可读格式：{listed(FORMATS)}。"
        )


def _inside(folder: Path, output: Path | None, passed_over: list[str]) -> list[tuple[Path, str]]:
    if folder.resolve() == output:
        raise InputError(f"结果文件夹不能就是输入文件夹（{printable(str(folder))}）；请用 -o 指定另一个。")

    def refuse(error: OSError) -> None:
        raise InputError(f"文件夹 {printable(str(error.filename))} 打不开：{cause(error)}。")

    chosen: list[tuple[Path, str]] = []
    for place, folders, names in os.walk(folder, onerror=refuse):
        # not followed: it may lead back here
        linked = [name for name in folders if not name.startswith(".") and (Path(place) / name).is_symlink()]
        passed_over += [printable((Path(place) / name).relative_to(folder).as_posix()) for name in linked]
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and name not in linked and (Path(place) / name).resolve() != output
        )
        for name in names:
            path = Path(place) / name
            if name.startswith("."):
                continue
            if not name.startswith(LOCK) and path.suffix.lower() in FORMATS and path.is_file():
                chosen.append((path, path.relative_to(folder).as_posix()))
            else:
                passed_over.append(printable(path.relative_to(folder).as_posix()))
    if not chosen:
        raise InputError(f"文件夹 {printable(str(folder))} 里没有可读的文件；可读格式：{listed(FORMATS)}。")
    passed_over.sort()
    return sorted(chosen)
