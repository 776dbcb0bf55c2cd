"""A ledger that people have worked in → its rows, as they left them; a wrong cell is told by place."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.directory import Directory
from pipeline.errors import InputError, listed
from pipeline.intake.files import SourceFile
from pipeline.intake.sheets import Cell, open_sheets
from pipeline.intake.values import as_date, as_text
from pipeline.ledger import rows as c
from pipeline.ledger.rows import LedgerRow
from pipeline.taxonomy import Taxonomy

_HEADER_ROWS = 10
"""Rows among which the header is looked for: a person may have put a title above it."""
_REMARK = re.compile(r"[（(].*?[）)]|\s")
_KEY = re.compile(r"([a-z][a-z_]*)@(.+)")
_MONTH = re.compile(r"(\d{4})[-/.年](\d{1,2})月?[底末]?之?前?")
_OPEN_ENDED = re.compile("长期|持续|常态|立行立改|即知即改|立即")
_COUNTED = re.compile(r"(\d+)件?")
_YES = frozenset({c.CLOSED, "√", "✓", "已销号", "销号"})
_NO = frozenset({"", c.OPEN, "×", "✗", "未销号"})


@dataclass(frozen=True)
class _Table:
    """The ledger's sheet: where it lies, its header, and its rows with the numbers the program shows."""

    file: str
    sheet: str
    header: Mapping[str, int]
    """The ledger's own columns, and :data:`c.KEY`, by place."""
    extra: Mapping[str, int]
    rows: Sequence[tuple[int, Sequence[Cell]]]

    def value(self, cells: Sequence[Cell], column: str) -> Cell:
        place = self.header.get(column)
        return cells[place] if place is not None and place < len(cells) else None

    def text(self, cells: Sequence[Cell], column: str) -> str:
        return as_text(self.value(cells, column))

    def wrong(self, row: int, column: str, what: str) -> InputError:
        return InputError(f"{self.file}“{self.sheet}”第 {row} 行（{_plain(column)}）：{what}")


def read_ledger(path: Path, taxonomy: Taxonomy, directory: Directory) -> tuple[LedgerRow, ...]:
    """Read a ledger that people have worked in: the rows as they left them, in their order.

    Columns are found by header, in any order, what stands in brackets in it apart; columns may be missing, then their
    cells are empty, or added. A row is told by its code, or by unit and category where that is gone; rows with none of
    these are notes. Dates may be real ones or text; a month means its last day.

    Raises:
        InputError: no ledger, a row that cannot be told or occurs twice, or a cell that cannot be understood; the message
            names file, sheet, row and column.
    """
    table = _table(path)
    rows: list[LedgerRow] = []
    lines: dict[tuple[str, str], int] = {}
    for number, cells in table.rows:
        told = _told(table, number, cells, taxonomy, directory)
        if told is None:
            continue
        if told in lines:
            raise table.wrong(
                number, c.KEY, f"与第 {lines[told]} 行是同一部门的同一类问题；请合并成一行，或改正行码。"
            )
        lines[told] = number
        rows.append(_row(table, number, cells, *told))
    return tuple(rows)


def _table(path: Path) -> _Table:
    if path.suffix.lower() not in {".xlsx", ".xls"} or not path.is_file():
        raise InputError(f"整改台账应是 .xlsx 文件，{path.name} 不是或找不到。")
    source = SourceFile(path=path, name=path.name, size=path.stat().st_size)
    for sheet in open_sheets(source):
        rows = [(row.number, row.cells) for row in sheet.rows]
        for at, (_, cells) in enumerate(rows[:_HEADER_ROWS]):
            titles = [_plain(as_text(cell)) for cell in cells]
            if c.KEY in titles or {c.UNIT, c.CATEGORY} <= set(titles):
                return _headed(path.name, sheet.name, titles, rows[at + 1 :])
    raise InputError(
        f"{path.name} 里没有整改台账：找不到有“{c.UNIT}”和“{c.CATEGORY}”两列的表头；请恢复表头，或换一个文件。"
    )


def _headed(
    file: str, sheet: str, titles: Sequence[str], rows: Sequence[tuple[int, Sequence[Cell]]]
) -> _Table:
    twice = [title for title in dict.fromkeys(titles) if title and titles.count(title) > 1]
    if twice:
        raise InputError(f"{file}“{sheet}”有两列都叫“{twice[0][:40]}”；请改名或去掉一列。")
    own = {_plain(column): column for column in (*c.COLUMNS, c.KEY)}
    places = {title: place for place, title in enumerate(titles) if title}
    return _Table(
        file=file,
        sheet=sheet,
        header={own[title]: place for title, place in places.items() if title in own},
        extra={title: place for title, place in places.items() if title not in own},
        rows=rows,
    )


def _plain(title: str) -> str:
    return _REMARK.sub("", title)


def _told(
    table: _Table, number: int, cells: Sequence[Cell], taxonomy: Taxonomy, directory: Directory
) -> tuple[str, str] | None:
    """Which (department, label) a row is about; None for a note."""
    key, unit, category = (table.text(cells, column) for column in (c.KEY, c.UNIT, c.CATEGORY))
    if key:
        match = _KEY.fullmatch(key)
        if match is None:
            raise table.wrong(number, c.KEY, "被改动了，认不出是哪个部门的哪类问题；请恢复，或者清空。")
        return directory.resolve(match[2]) or match[2], match[1]
    if not unit and not category:
        return None
    department = directory.resolve(unit)
    if department is None:
        raise table.wrong(number, c.UNIT, "不是目录里的部门；没有行码的行要写部门的正式名称。")
    codes = {label.name_zh: label.code for label in taxonomy.labels if label.kind == "issue"}
    if category not in codes:
        raise table.wrong(number, c.CATEGORY, f"不认识；没有行码的行要写：{listed(codes, len(codes))}。")
    return department, codes[category]


def _row(table: _Table, number: int, cells: Sequence[Cell], department: str, label: str) -> LedgerRow:
    def text(column: str) -> str:
        return table.text(cells, column)

    count = _COUNTED.fullmatch(text(c.COUNT))
    if count is None and text(c.COUNT) not in {"", c.NOT_GIVEN}:
        raise table.wrong(number, c.COUNT, f"应为整数，不知道的留空或写“{c.NOT_GIVEN}”。")
    due = _due(table.value(cells, c.DUE))
    if due is None:
        raise table.wrong(number, c.DUE, "看不出是哪一天；请写成 2025年12月31日，没有期限的写“长期”。")
    state = next((state for state in c.STATES if state == (text(c.STATE) or c.STATES[0])), None)
    if state is None:
        raise table.wrong(number, c.STATE, f"不认识；可填：{listed(c.STATES)}。")
    if text(c.CLOSING) not in _YES | _NO:
        raise table.wrong(number, c.CLOSING, f"不认识；可填：{c.CLOSED}、{c.OPEN}，或留空。")
    return LedgerRow(
        department=department,
        label=label,
        category=text(c.CATEGORY),
        statement=text(c.STATEMENT),
        rounds=text(c.ROUNDS),
        count=int(count[1]) if count else None,
        unit=text(c.UNIT),
        leader=text(c.LEADER),
        person=text(c.PERSON),
        goal=text(c.GOAL),
        measure=text(c.MEASURE),
        due=due,
        progress=text(c.PROGRESS),
        state=state,
        reviewer=text(c.REVIEWER),
        closed=text(c.CLOSING) in _YES,
        follow_up=text(c.FOLLOW_UP),
        extra=tuple(
            (title, as_text(cells[place]) if place < len(cells) else "")
            for title, place in table.extra.items()
        ),
    )


def _due(cell: Cell) -> dt.date | str | None:
    """A date, words for no date, or None for anything else."""
    text = as_text(cell)
    if not text or _OPEN_ENDED.search(text):
        return text
    if match := _MONTH.fullmatch(_REMARK.sub("", text)):
        year, month = int(match[1]), int(match[2])
        return (
            dt.date(year, month, calendar.monthrange(year, month)[1]) if 1 <= month <= 12 and year else None
        )
    day = as_date(cell)
    return dt.date.fromisoformat(day) if day else None
