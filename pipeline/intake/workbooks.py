"""Workbooks → tables of cells, whatever the file holds: a child reads it (:mod:`unpacking`), so that nothing in it can end the program."""

from __future__ import annotations

import contextlib
import importlib.util
import pickle
import subprocess
import sys
import zipfile
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pipeline.errors import InputError
from pipeline.intake import unpacking
from pipeline.intake.files import SourceFile, printable
from pipeline.intake.formulas import COLUMNS, UNCALCULATED, uncalculated

LARGEST_UNPACKED = 1 << 29
"""Bytes of a workbook's parts when unpacked: a million rows of five hundred bytes. A zip bomb of 1 MB has a thousand times its size."""

Table = list[list[Any]]
Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last cell, each ``(row, column)`` from 0."""

_MOST_ROWS, _PADDED = 1 << 20, 256
"""Rows of a sheet, and columns up to which a cell marked in an empty row keeps its place."""

_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, OSError, RuntimeError, ValueError,
)  # fmt: skip
"""What :mod:`zipfile` raises on packages that are damaged, locked, or no packages; the child says what is wrong."""


@dataclass(frozen=True, slots=True)
class Worksheet:
    """A worksheet's cells from A1 on; a merged block's value stands in every cell of its first column."""

    name: str
    hidden: bool
    table: Table = field(repr=False)


def read_workbook(source: SourceFile) -> Iterator[Worksheet]:
    """The worksheets of an .xlsx or .xls file in their order, hidden ones too; sheets of charts and macros are none.

    Raises:
        InputError: the file is damaged, locked with a password, or too large when unpacked.
    """
    blanks = _look_through(source)
    place = importlib.util.find_spec("python_calamine")
    library = str(Path(place.origin).parent.parent) if place and place.origin else ""
    # isolated and without site packages: half the time to start, and nothing of the user's runs in it
    command = [sys.executable, "-I", "-S", unpacking.__file__, str(source.path), library]
    with subprocess.Popen(  # noqa: S603  # our own file, and the path is one word
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None  # noqa: S101  # asked for
        try:
            yield from _worksheets(source, child.stdout, blanks)
        finally:
            child.kill()


def _look_through(source: SourceFile) -> list[array[int]]:
    """Where a package's formulas have no result (:func:`uncalculated`); nowhere if it is no package, or a damaged one.

    What an honest bomb says of its size is refused here; a lying one meets the child's own bounds.
    """
    with contextlib.suppress(*_DAMAGE), zipfile.ZipFile(source.path) as package:
        if sum(part.file_size for part in package.infolist() if _is_read(part)) > LARGEST_UNPACKED:
            raise InputError(
                f"表格 {source.name} 解开后超过 {LARGEST_UNPACKED >> 20} MB；请拆成几个表，或另存为 csv 再试。"
            )
        return uncalculated(package)
    return []


def _is_read(part: zipfile.ZipInfo) -> bool:
    """Pictures in a workbook may be as large as they like."""
    return part.filename.endswith((".xml", ".rels"))


def _worksheets(
    source: SourceFile, stream: IO[bytes], blanks: Sequence[Sequence[int]]
) -> Iterator[Worksheet]:
    name = ""
    try:
        while isinstance(message := _received(stream), tuple):
            index, sheet, hidden, merged, height = message
            name = printable(sheet)
            table: Table = []
            while len(table) < height:
                table += _received(stream)
            _fill_merged(table, merged, f"表格 {source.name} 的工作表“{name}”")
            _mark(table, blanks[index] if index < len(blanks) else [])
            yield Worksheet(name, hidden, table)
    except EOFError:
        where = f"到工作表“{name}”" if name else ""
        raise InputError(
            f"表格 {source.name} {where}读不下去，文件已损坏，或展开后太大；请用表格程序打开，另存或拆成几个表再试。"
        ) from None
    if message == unpacking.LOCKED:
        raise InputError(f"表格 {source.name} 有打开密码；请在表格程序中取消密码后再试。")
    if message == unpacking.DAMAGED:
        raise InputError(f"表格 {source.name} 打不开，可能已损坏；请用表格程序打开后另存再试。")


class _Plain(pickle.Unpickler):
    """Takes what cells hold and nothing else, should a hostile workbook ever speak through the child that reads it."""

    def find_class(self, module: str, name: str) -> Any:
        """Dates and times; whatever else is asked for is refused."""
        if module == "datetime" and name in {"date", "datetime", "time", "timedelta"}:
            return super().find_class(module, name)
        raise pickle.UnpicklingError


def _received(stream: IO[bytes]) -> Any:
    """The next thing that the child sent.

    Raises:
        EOFError: the child ended before.
    """
    try:
        return _Plain(stream).load()
    except pickle.UnpicklingError:  # cut off within a message, or none of the child's
        raise EOFError from None


def _fill_merged(table: Table, merged: list[Range], where: str) -> None:
    """Give every cell of a merged block the block's value: that is what the person who merged them meant.

    A title across a row would thereby fill the row, so blocks wider than one column are filled downwards only.
    """
    inside = [
        (top, min(bottom, len(table) - 1), left)
        for (top, left), (bottom, _) in merged
        if top < len(table) and left < len(table[top])
    ]
    if sum(bottom - top for top, bottom, _ in inside) > sum(map(len, table)):
        raise InputError(f"{where}里的合并单元格互相重叠，文件已损坏；请用表格程序打开后另存再试。")
    for top, bottom, left in inside:
        for row in range(top + 1, bottom + 1):
            if left < len(table[row]):
                table[row][left] = table[top][left]


def _mark(table: Table, blanks: Iterable[int]) -> None:
    """Show the formulas without a result, so that a row of nothing else is a row."""
    for place in blanks:
        row, column = divmod(place, COLUMNS)
        if not 0 <= row < _MOST_ROWS:
            continue
        table += [[] for _ in range(row + 1 - len(table))]
        cells = table[row]
        if column >= len(cells):
            cells += [""] * (min(column, _PADDED) - len(cells)) + [UNCALCULATED]
        elif cells[column] == "":
            cells[column] = UNCALCULATED
