"""``ledger.xlsx``: the rectification ledger, to be worked in by the units and read back next round. No opinion's text is in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from pipeline.documents.book import Book
from pipeline.documents.disclosure import Count, Disclosure
from pipeline.documents.prose import BASE
from pipeline.ledger import rows as c
from pipeline.ledger.rows import Change, LedgerRow, RoundCell

_EPOCH = dt.date(1899, 12, 30)
"""The day before day 1 of a spreadsheet program, as all of its dates after 1900-02-28 count."""

_MORE_ROWS = 200
"""Empty rows below the table that have the drop-downs too: people add rows."""

_WIDTHS = {
    c.NUMBER: 6, c.CATEGORY: 12, c.STATEMENT: 34, c.ROUNDS: 12, c.COUNT: 7, c.UNIT: 13, c.LEADER: 10, c.PERSON: 10, c.GOAL: 20,
    c.MEASURE: 30, c.DUE: 14, c.PROGRESS: 22, c.STATE: 14, c.REVIEWER: 10, c.CLOSING: 9, c.FOLLOW_UP: 28,
}  # fmt: skip
_EXTRA = 16

_GUIDE = (
    ("这张表", "每行是一个单位的一类问题，件数为合并重复后的意见数；不足 5 件的、为防止推算一并不列的，不在表里。表里没有意见原文，也没有反映人的情况。意见由计算机分类统计，未经逐件核实。"),
    ("谁来填", "责任领导、责任人、整改目标、整改措施（已填的是建议，可以改）、进展情况由责任单位填；状态、复核人、是否销号由督办部门填。"),
    ("完成时限", "填日期，如 2025年12月31日；只写到月份的，按当月最后一天算；没有期限的写“长期”。过了时限没有完成的，下一轮标为“逾期”。"),
    ("状态", "从下拉里选：未启动、整改中、已完成、逾期。"),
    ("是否销号", "整改完成、复核人确认之后选“是”。销号以后，下一轮同一单位的同类问题又有 5 件以上的，重新列入，回访结果写明“复发”。"),
    ("回访结果", "由程序按下一轮的意见填写，接在原有文字后面；“＊”表示件数不能列出，也就不写升降。“明显”是指经过统计检验。"),
    ("可以改什么", "可以排序、筛选、加列、加行、调整列的次序；加的行写上责任单位和问题类别的正式名称。隐藏的“行码”列是程序认行用的，请不要改动。"),
    ("下一轮", "把填好的表交回，程序读回各行，没有完成的连同所填内容转入下一轮台账。"),
)  # fmt: skip


def round_cells(
    after: Disclosure,
    before: Disclosure | None = None,
    changes: Mapping[tuple[str, str], Change] | None = None,
) -> tuple[RoundCell, ...]:
    """Every named department × issue of a round, with the round before where there was one.

    The counts are those that may be given. ``changes`` says by (department, label) what is certain to have moved; what is
    not there any more is gone, and what it does not name is level, or new after none.
    """
    earlier = {
        (d.name, label.code): (count, d.opinions)
        for d in (before.named if before else ())
        for label, count in d.cells
    }
    cells = []
    for department in after.named:
        for label, count in department.cells:
            place = (department.name, label.code)
            then, base = earlier.get(place, (None, None))
            cells.append(
                RoundCell(
                    department=department.name,
                    label=label.code,
                    after=count,
                    before=then,
                    share_after=_share(count, department.opinions),
                    share_before=_share(then, base),
                    change=_change(then, count, (changes or {}).get(place)) if place in earlier else None,
                )
            )
    return tuple(cells)


def _share(count: Count, base: Count) -> float | None:
    return count / base if count is not None and base is not None and base >= BASE else None


def _change(before: Count, after: Count, certain: Change | None) -> Change:
    if after == 0 and before:
        return "gone"
    return certain or ("new" if before == 0 and after else "level")


def write_ledger(rows: Sequence[LedgerRow], path: Path, *, title: str = "整改台账") -> None:
    """Write the ledger; :func:`pipeline.ledger.reading.read_ledger` reads it back.

    Columns are :data:`pipeline.ledger.rows.COLUMNS`, then what people added, then the hidden code of the row. ``title`` is
    printed above the table. The same rows give the same bytes.
    """
    book = Book(path, title)
    for look in (book.plain, book.wrapped, book.head):
        look.set_border(1)
        look.set_border_color("#B8BEC6")
    book.wrapped.set_align("left")  # an indent is for one side
    book.head.set_align("center")
    book.head.set_valign("vcenter")
    _table(book, rows, title)
    _guide(book)
    book.close()


def _table(book: Book, rows: Sequence[LedgerRow], title: str) -> None:
    extra = list(dict.fromkeys(name for row in rows for name, _ in row.extra))
    header = [
        *((name, width, _look(book, name)) for name, width in _WIDTHS.items()),
        *((name, _EXTRA, book.wrapped) for name in extra),
        (c.KEY, _EXTRA, book.plain),
    ]
    cells = [_cells(number, row, extra) for number, row in enumerate(rows, start=1)]
    sheet, count = book.table(c.SHEET, header, cells, first_column=2, blanks=range(len(header)))
    for column, (_, width, _) in enumerate(header):
        sheet.set_column(column, column, width)  # lines around the rows only
    sheet.set_column(len(header) - 1, len(header) - 1, _EXTRA, None, {"hidden": True})
    sheet.set_paper(8)
    sheet.set_margins(left=0.4, right=0.4, top=0.8, bottom=0.6)
    sheet.set_header(f'&C&"微软雅黑,Bold"&16{title.replace("&", "&&")}')
    sheet.set_footer("&C第 &P 页，共 &N 页")
    _help(book, sheet, count)


def _look(book: Book, name: str) -> Any:
    if name not in {c.NUMBER, c.COUNT, c.DUE, c.STATE, c.CLOSING}:
        return book.wrapped
    look = {
        "font_name": "微软雅黑",
        "font_size": 10,
        "valign": "top",
        "align": "center",
        "border": 1,
        "border_color": "#B8BEC6",
    }
    return book.book.add_format({**look, "num_format": 'yyyy"年"m"月"d"日"'} if name == c.DUE else look)


def _cells(number: int, row: LedgerRow, extra: Sequence[str]) -> list[Any]:
    added = dict(row.extra)
    due = (row.due - _EPOCH).days if isinstance(row.due, dt.date) else row.due
    return [
        number, row.category, row.statement, row.rounds, c.NOT_GIVEN if row.count is None else row.count, row.unit, row.leader,
        row.person, row.goal, row.measure, due, row.progress, row.state, row.reviewer, c.CLOSED if row.closed else c.OPEN,
        row.follow_up, *(added.get(name, "") for name in extra), row.key,
    ]  # fmt: skip


def _help(book: Book, sheet: Any, count: int) -> None:
    """Drop-downs, and colours for what wants a look."""
    place = {name: column for column, name in enumerate(_WIDTHS)}
    last = count + _MORE_ROWS
    for name, choices in ((c.STATE, c.STATES), (c.CLOSING, (c.CLOSED, c.OPEN))):
        column, listed = place[name], "、".join(choices)
        sheet.data_validation(
            1, column, last, column,
            {"validate": "list", "source": list(choices), "error_title": "填写", "error_message": f"请从下拉里选：{listed}。"},
        )  # fmt: skip
    state, closing, result = (
        f"${xl_col_to_name(place[name])}2" for name in (c.STATE, c.CLOSING, c.FOLLOW_UP)
    )
    end = len(_WIDTHS) - 1
    for columns, criteria, look in (
        ((0, end), f'={closing}="{c.CLOSED}"', {"font_color": "#8A8F98", "bg_color": "#F3F4F6"}),
        (
            (place[c.STATE],) * 2,
            f'={state}="逾期"',
            {"font_color": "#9C1C1C", "bg_color": "#FBE3E0", "bold": True},
        ),
        ((place[c.STATE],) * 2, f'={state}="已完成"', {"bg_color": "#E3F1E3"}),
        (
            (place[c.FOLLOW_UP],) * 2,
            f'=ISNUMBER(SEARCH("：{c.RELAPSED}，",{result}))',
            {"bg_color": "#FDEBD0"},
        ),
    ):
        form = book.book.add_format(look)
        sheet.conditional_format(
            1, columns[0], last, columns[1], {"type": "formula", "criteria": criteria, "format": form}
        )


def _guide(book: Book) -> None:
    header = (("怎样填", 12, book.wrapped), ("说明", 84, book.wrapped))
    sheet, _ = book.table(c.GUIDE, header, _GUIDE, pages=1)
    for column, (_, width, _) in enumerate(header):
        sheet.set_column(column, column, width)
