"""One reader per format: file → sheets → rows of cells, numbered as the file's own program shows them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.errors import InputError, cause
from pipeline.intake.delimited import MOST_COLUMNS, delimiter_of, split_records
from pipeline.intake.encodings import detect
from pipeline.intake.files import SourceFile
from pipeline.intake.lines import LONGEST_LINE, TOO_LONG, bounded_lines
from pipeline.intake.rows import Cell, Row, share
from pipeline.intake.workbooks import read_workbook

__all__ = ["MOST_CELLS", "MOST_KEYS", "Cell", "Row", "Sheet", "open_sheets"]

MOST_KEYS = 1000
"""Different keys in all records of a JSONL file: each row is as wide as there are keys."""

MOST_CELLS = 1 << 28
"""Cells of a Parquet file, where a column of nothing takes no room: a minute's reading."""

_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. ``name`` is empty where the format has only one; a ``hidden`` one is not seen by who opens the file.

    ``headed`` says that the first row is the header and every other one a record, blank or not.
    """

    name: str
    rows: Iterator[Row]
    headed: bool = False
    hidden: bool = False


def _workbook(source: SourceFile) -> Iterator[Sheet]:
    with source.path.open("rb") as file:
        head = file.read(4096)
    if not head.startswith(_WORKBOOK):
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise InputError(
                f"文件 {source.name} 其实是网页或 XML，不是表格；请用表格程序打开，另存为 .xlsx 再试。"
            )
        if _is_delimited(head):  # what many systems call an Excel file
            yield from _delimited(source)
            return
    for sheet in read_workbook(source):
        total = max(1, len(sheet.table))
        rows = (Row(i, tuple(cells), i / total) for i, cells in enumerate(sheet.table, start=1))
        yield Sheet(name=sheet.name, rows=rows, hidden=sheet.hidden)


def _is_delimited(head: bytes) -> bool:
    """Whether a file begins as a text with several columns."""
    if not head.startswith(_MARKS) and any(byte < 32 and byte not in b"\t\r\n" for byte in head):
        return False
    first = head.replace(b"\0", b"").splitlines()[:1]
    return any(mark in line for line in first for mark in (b"\t", b",", b";"))


def _delimited(source: SourceFile) -> Iterator[Sheet]:
    encoding = detect(source.path, source.name)
    with source.path.open(encoding=encoding, newline="") as file:
        head = file.read(65536).replace("\0", "")
    delimiter = "\t" if source.path.suffix.lower() == ".tsv" else delimiter_of(head)

    def rows() -> Iterator[Row]:
        with source.path.open(encoding=encoding, newline="") as file:
            yield from split_records(file, delimiter, source.size)

    previous = csv.field_size_limit(2 * LONGEST_LINE)
    try:
        yield Sheet(name="", rows=rows())
    finally:
        csv.field_size_limit(previous)


def _jsonl(source: SourceFile) -> Iterator[Sheet]:
    encoding = detect(source.path, source.name)
    names: dict[str, int] = {}
    # a first pass over the whole file: records may have different keys
    for number, _, record in _records(source, encoding):
        for key in record if isinstance(record, dict) else ():
            names.setdefault(key, len(names))
        if len(names) > MOST_KEYS:
            raise InputError(
                f"文件 {source.name} 到第 {number} 行已有 {MOST_KEYS} 个以上不同的键；请让每条记录用同样的键。"
            )
    if not names:
        raise InputError(
            f'文件 {source.name} 没有一行是 JSON 对象；请改成一行一个对象，如 {{"text": "……"}}。'
        )

    def rows() -> Iterator[Row]:
        yield Row(0, tuple(names), 0.0)
        read = 0
        for number, line, record in _records(source, encoding):
            read += len(line)
            done = share(read, source.size)
            if isinstance(record, dict):
                yield Row(number, _flat(map(record.get, names)), done)
            else:
                yield Row(number, (line.strip(),), done, record)

    yield Sheet(name="", rows=rows(), headed=True)


def _records(source: SourceFile, encoding: str) -> Iterator[tuple[int, str, dict[str, Any] | str]]:
    """``(number, line, record)`` of each line that is not blank; in place of a broken record, what is wrong with it."""
    with source.path.open(encoding=encoding) as file:
        for number, (line, whole) in enumerate(bounded_lines(file), start=1):
            if line.strip():
                yield number, line, _record(line) if whole else TOO_LONG


_decoded = json.JSONDecoder().decode


def _record(line: str) -> dict[str, Any] | str:
    try:
        record = _decoded(line)
    except (ValueError, RecursionError):
        record = None
    return record if isinstance(record, dict) else "这一行不是 JSON 对象"


def _flat(values: Iterable[Any]) -> tuple[Cell, ...]:
    return tuple([value if isinstance(value, str) else _cell(value) for value in values])


def _cell(value: Any) -> Cell:
    if isinstance(value, list):
        return ";".join(str(part) for part in value if not isinstance(part, list | dict))
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return None if isinstance(value, dict) else value


def _parquet(source: SourceFile) -> Iterator[Sheet]:
    import pyarrow as pa  # noqa: PLC0415  # a fifth of a second that only this format needs
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.ParquetFile(source.path)
        names = tuple(table.schema_arrow.names)
    except (pa.ArrowException, OSError):
        raise InputError(f"文件 {source.name} 不是完好的 Parquet 文件；请重新导出再试。") from None
    total = max(1, table.metadata.num_rows)
    if len(names) > MOST_COLUMNS or total * len(names) > MOST_CELLS:
        raise InputError(
            f"文件 {source.name} 有 {total} 行 {len(names)} 列，太大；请只留需要的列，或拆成几个文件。"
        )

    def rows() -> Iterator[Row]:
        yield Row(0, names, 0.0)
        number = 0
        try:
            for batch in table.iter_batches(batch_size=256):
                for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield Row(number, _flat(cells), number / total)
        except (pa.ArrowException, OSError, MemoryError, ValueError, OverflowError):
            # values that Python has no word for (a year beyond 9999) are errors of its own kinds
            raise InputError(
                f"文件 {source.name} 第 {number} 行之后损坏，读不下去。请重新导出再试。"
            ) from None

    yield Sheet(name="", rows=rows(), headed=True)


def _lines(source: SourceFile) -> Iterator[Sheet]:
    encoding = detect(source.path, source.name)

    def rows() -> Iterator[Row]:
        yield Row(0, ("text",), 0.0)
        read = 0
        with source.path.open(encoding=encoding) as file:
            for number, (line, whole) in enumerate(bounded_lines(file), start=1):
                read += len(line)
                if line.strip():
                    done = share(read, source.size)
                    yield Row(number, (line.rstrip("\n"),), done, "" if whole else TOO_LONG)

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
    """The sheets of a file, in its own order; a workbook is read as one whatever its name ends in.

    Raises:
        InputError: the file is empty, damaged, too large, locked with a password, or in no known encoding.
    """
    if not source.size:
        raise InputError(f"文件 {source.name} 是空的（0 字节）；请检查是否没有存好或没有复制完。")
    try:
        with source.path.open("rb") as file:
            renamed = file.read(8).startswith(_WORKBOOK)
        yield from (_workbook if renamed else _READERS[source.path.suffix.lower()])(source)
    except OSError as error:
        raise InputError(f"读不到文件 {source.name}：{cause(error)}。") from None
