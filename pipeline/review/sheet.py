"""A filled-in review sheet → answers. What the sheet says is held against what was exported; every wrong cell is told by place.

Columns are found by header, in any order. From the sheet come decisions only: texts and suggestions are the store's own, so
that an edited text cannot enter. All of a sheet is taken, or nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.directory import Directory
from pipeline.errors import InputError
from pipeline.intake.files import SourceFile, printable
from pipeline.intake.sheets import Sheet, open_sheets
from pipeline.intake.values import as_text
from pipeline.review import columns as c
from pipeline.review.answers import Batch, is_batch_id
from pipeline.review.rows import Context, Filled, Row, filled
from pipeline.review.store import Store
from pipeline.taxonomy import Taxonomy

_HEADER_ROWS = 10
"""Rows among which the header is looked for: a person may have put a line above it."""


def read_review_sheet(
    path: Path, store: Store, editions: Sequence[Taxonomy], directory: Directory, *, by: str, at: str
) -> Filled:
    """Read a filled-in sheet. ``by`` names who filled it in ("" takes the name from the sheet), ``at`` is the time.

    It is read by the one of ``editions`` of the taxonomy that it was made for: a sheet filled in before a migration is not lost.

    Raises:
        InputError: no review sheet, a label's column missing, nobody's name, or made for an unknown taxonomy.
        ResourceError: a batch that this workspace did not export.
    """
    file = printable(path.name)
    sheets = _sheets(path, file)
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return read_sheets(sheets, file, content, store, editions, directory, by=by, at=at)


def read_sheets(
    sheets: Iterable[Sheet],
    file: str,
    content: str,
    store: Store,
    editions: Sequence[Taxonomy],
    directory: Directory,
    *,
    by: str,
    at: str,
) -> Filled:
    """As :func:`read_review_sheet`, for the sheets of the file named ``file``, whose digest is ``content``."""
    tables = {
        sheet.name: [(row.number, [_text(cell) for cell in row.cells]) for row in sheet.rows]
        for sheet in sheets
    }
    if c.SHEET not in tables or c.GUIDE not in tables:
        raise InputError(
            f"{file} 不是复核表：没有“{c.SHEET}”或“{c.GUIDE}”工作表；请用“qingyi review export”导出的表。"
        )
    guide = [cells for _, cells in tables[c.GUIDE]]
    identity = _beside(guide, c.BATCH_CELL)
    if not is_batch_id(identity):
        raise InputError(
            f"{file} 的“{c.GUIDE}”表没有批次号，或被改动；请从导出的表里恢复“{c.BATCH_CELL}”一格。"
        )
    batch = store.batch(identity)
    taxonomy = edition_of(batch, editions, file)
    name = name_of(by) or name_of(_beside(guide, c.REVIEWER_CELL))
    if not name:
        raise InputError(f"{file} 没有写复核人；请在“{c.GUIDE}”表填上名字，或加 --by 姓名。")
    rows, places = _table(file, tables[c.SHEET], taxonomy)
    context = Context(file, batch, taxonomy, directory, places, name, at, content)
    return filled(context, rows)


def name_of(written: str) -> str:
    """A person's name as the store keeps it: on one line, without halves of characters, which no file can hold."""
    return printable(as_text(written)).strip()


def edition_of(batch: Batch, editions: Sequence[Taxonomy], file: str) -> Taxonomy:
    """The edition of the taxonomy that a batch was made for.

    Raises:
        InputError: there is none.
    """
    for taxonomy in editions:
        if taxonomy.version == batch.taxonomy:
            return taxonomy
    known = "、".join(taxonomy.version for taxonomy in editions)
    raise InputError(f"{file} 是按类别表 {batch.taxonomy} 导出的，本工作区只有 {known}；请重新导出再填。")


def _sheets(path: Path, file: str) -> list[Sheet]:
    if path.suffix.lower() != ".xlsx" or not path.is_file():
        raise InputError(f"复核表应是 .xlsx 文件，{file} 不是或找不到。")
    source = SourceFile(path=path, name=file, size=path.stat().st_size)
    return list(open_sheets(source))


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def _beside(rows: Sequence[Sequence[str]], name: str) -> str:
    """The cell right of the one that says ``name``; "" where there is none."""
    for cells in rows:
        if name in cells[:-1]:
            return cells[cells.index(name) + 1]
    return ""


def _table(
    file: str, rows: Sequence[tuple[int, list[str]]], taxonomy: Taxonomy
) -> tuple[list[Row], dict[str, str]]:
    """Rows by header, and each header's column letter."""
    top = next((at for at, (_, cells) in enumerate(rows[:_HEADER_ROWS]) if c.CODE in cells), None)
    if top is None:
        raise InputError(f"{file} 的“{c.SHEET}”表没有“{c.CODE}”一列，认不出是哪件意见；请恢复这一列。")
    header = rows[top][1]
    missing = [name for name in c.label_columns(taxonomy) if name not in header]
    if missing:
        raise InputError(
            f"{file} 的“{c.SHEET}”表少了类别列：{'、'.join(missing)}；删去的列说不清有没有，请恢复（可以隐藏，不要删除）。"
        )
    twice = next((name for name in header if name and header.count(name) > 1), "")
    if twice:  # told by letters: a header that somebody wrote may be anything
        columns = "、".join(_letter(column) for column, name in enumerate(header) if name == twice)
        raise InputError(f"{file} 的“{c.SHEET}”表 {columns} 列的列名相同，请只留一列。")
    places = {name: _letter(column) for column, name in enumerate(header) if name}
    table: list[Row] = [
        (number, dict(zip(header, cells, strict=False))) for number, cells in rows[top + 1 :] if any(cells)
    ]
    return table, places


def _letter(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
