"""One reader per format: file → sheets → rows of cells, numbered as the file's own program shows them."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pipeline.errors import InputError, cause
from pipeline.intake.delimited import split_records
from pipeline.intake.encodings import detect
from pipeline.intake.files import SourceFile

Cell = Any
"""str, float, int, bool, date, datetime, time or None, as the format stores it."""


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` counts from 1; ``done`` is the share of the file read so far; ``problem`` marks a broken row."""

    number: int
    cells: tuple[Cell, ...] = field(repr=False)
    done: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. ``name`` is empty where the format has only one.

    ``headed`` says that the first row is the header and every other one a record, blank or not.
    """

    name: str
    rows: Iterator[Row]
    headed: bool = False


def _workbook(source: SourceFile) -> Iterator[Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, ZipError  # noqa: PLC0415  # late

    try:
        workbook = CalamineWorkbook.from_path(str(source.path))
    except PasswordError:
        raise InputError(f"表格 {source.name} 有打开密码；请在表格程序中取消密码后再试。") from None
    except (CalamineError, ZipError, OSError):
        raise InputError(f"表格 {source.name} 打不开，可能已损坏；请用表格程序打开后另存再试。") from None
    for name in workbook.sheet_names:
        try:
            sheet = workbook.get_sheet_by_name(name)
            table = sheet.to_python(skip_empty_area=False)
            merged = sheet.merged_cell_ranges or []
        except (CalamineError, OSError):
            raise InputError(
                f"表格 {source.name} 的工作表“{name}”读不出来，可能已损坏；请另存再试。"
            ) from None
        _fill_merged(table, merged)
        total = max(1, len(table))
        rows = (Row(i, tuple(cells), i / total) for i, cells in enumerate(table, start=1))
        yield Sheet(name=name, rows=rows)


def _fill_merged(table: list[list[Cell]], merged: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """Give every cell of a merged block the block's value: that is what the person who merged them meant.

    A title across a row would thereby fill the row, so blocks wider than one column are filled downwards only.
    """
    for (top, left), (bottom, right) in merged:
        if top >= len(table) or left >= len(table[top]):
            continue
        value = table[top][left]
        for row in range(top + 1, min(bottom + 1, len(table))):
            for column in range(left, min(right + 1, left + 1, len(table[row]))):
                table[row][column] = value


def _delimited(source: SourceFile) -> Iterator[Sheet]:
    encoding = detect(source.path, source.name)
    with source.path.open(encoding=encoding, newline="") as file:
        head = file.read(65536).replace("\0", "")
    delimiter = "\t" if source.path.suffix.lower() == ".tsv" else _delimiter(head)

    def rows() -> Iterator[Row]:
        read = 0
        with source.path.open(encoding=encoding, newline="") as file:
            for number, record, cells in split_records(file, delimiter):
                read += len(record)
                if cells is None:
                    whole_line = (record.rstrip("\r\n"),)
                    yield Row(number, whole_line, _share(read, source.size), "引号没有配对，无法拆成列")
                elif cells:
                    yield Row(number, cells, _share(read, source.size))

    previous = csv.field_size_limit(2**31 - 1)
    try:
        yield Sheet(name="", rows=rows())
    finally:
        csv.field_size_limit(previous)


def _share(characters: int, size: int) -> float:
    # two bytes a character is between ASCII and Chinese; the bar only needs a fair guess
    return min(1.0, characters * 2 / max(1, size))


def _delimiter(head: str) -> str:
    """The mark that cuts the most of the first rows into one same number of columns; a comma on a tie."""

    def alike(mark: str) -> int:
        widths = Counter(len(row) for row in islice(csv.reader(io.StringIO(head), delimiter=mark), 50))
        return max((count for width, count in widths.items() if width > 1), default=0)

    return max(",\t;", key=alike)


def _jsonl(source: SourceFile) -> Iterator[Sheet]:
    encoding = detect(source.path, source.name)
    names: dict[str, int] = {}
    with source.path.open(encoding=encoding) as file:
        for line in file:  # a first pass over the whole file: records may have different keys
            record = _record(line)
            for key in record if isinstance(record, dict) else ():
                names.setdefault(str(key), len(names))

    def rows() -> Iterator[Row]:
        yield Row(0, tuple(names), 0.0)
        read = 0
        with source.path.open(encoding=encoding) as file:
            for number, line in enumerate(file, start=1):
                read += len(line)
                if not line.strip():
                    continue
                record = _record(line)
                if isinstance(record, dict):
                    yield Row(
                        number, tuple(_flat(record.get(name)) for name in names), _share(read, source.size)
                    )
                else:
                    yield Row(number, (), _share(read, source.size), "这一行不是 JSON 对象")

    yield Sheet(name="", rows=rows(), headed=True)


def _record(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _flat(value: Any) -> Cell:
    if isinstance(value, list):
        return ";".join(str(part) for part in value if not isinstance(part, list | dict))
    return None if isinstance(value, dict) else value


def _parquet(source: SourceFile) -> Iterator[Sheet]:
    import pyarrow as pa  # noqa: PLC0415  # a fifth of a second that only this format needs
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.ParquetFile(source.path)
    except (pa.ArrowException, OSError):
        raise InputError(f"文件 {source.name} 不是完好的 Parquet 文件。") from None
    total = max(1, table.metadata.num_rows)

    def rows() -> Iterator[Row]:
        yield Row(0, tuple(table.schema_arrow.names), 0.0)
        number = 0
        try:
            for batch in table.iter_batches(batch_size=1024):
                for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield Row(number, tuple(_flat(cell) for cell in cells), number / total)
        except (pa.ArrowException, OSError):
            raise InputError(f"文件 {source.name} 第 {number} 行之后损坏，读不下去。") from None

    yield Sheet(name="", rows=rows(), headed=True)


def _lines(source: SourceFile) -> Iterator[Sheet]:
    encoding = detect(source.path, source.name)

    def rows() -> Iterator[Row]:
        yield Row(0, ("text",), 0.0)
        read = 0
        with source.path.open(encoding=encoding) as file:
            for number, line in enumerate(file, start=1):
                read += len(line)
                if line.strip():
                    yield Row(number, (line.rstrip("\n"),), _share(read, source.size))

    yield Sheet(name="", rows=rows(), headed=True)


_READERS: dict[str, Callable[[SourceFile], Iterator[Sheet]]] = {
    ".xlsx": _workbook,
    ".xls": _workbook,
    ".csv": _delimited,
    ".tsv": _delimited,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
    ".txt": _lines,
}


def open_sheets(source: SourceFile) -> Iterator[Sheet]:
    """The sheets of a file, in its own order.

    Raises:
        InputError: the file is damaged, locked with a password, or in no known encoding.
    """
    try:
        yield from _READERS[source.path.suffix.lower()](source)
    except OSError as error:
        raise InputError(f"读不到文件 {source.name}：{cause(error)}。") from None
