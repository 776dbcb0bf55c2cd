"""Which row is the header, which column is which field, and what people are told where none is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.errors import listed
from pipeline.intake.sheets import Cell, Row
from pipeline.intake.values import INVISIBLE, as_text
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise

HEADERS: dict[str, tuple[str, ...]] = {
    "id": ("id", "编号", "序号", "留言编号", "意见编号", "工单编号", "工单号"),
    "text": (
        "text", "意见", "意见内容", "内容", "留言详情", "反映内容", "评价", "意见建议", "意见和建议", "意见或建议",
        "留言内容", "反映问题", "反映情况", "具体意见", "评议意见", "主要意见", "记录内容", "来电内容", "问题描述", "content", "opinion",
    ),
    "department": (
        "department", "部门", "被评议部门", "被反映单位", "评议对象", "处室", "被评议单位", "被评议处室", "涉及部门", "涉及单位", "反映对象", "责任部门",
    ),
    "source_unit": ("source_unit", "来源单位", "填报单位", "反映人单位", "企业名称", "反映单位", "单位名称", "填表单位"),
    "collected_on": (
        "collected_on", "date", "日期", "时间", "收集日期", "留言时间", "反映时间", "填报日期", "座谈日期", "走访日期", "来电时间", "填表时间", "提交时间",
    ),
    "channel": ("channel", "渠道", "来源", "方式", "收集方式", "反映渠道", "来源渠道"),
    "title": ("title", "标题", "主题", "留言主题"),
    "labels": ("labels", "标签", "问题类型"),
}  # fmt: skip
FIELDS = tuple(HEADERS)
SEARCHED_ROWS = 30
"""How many rows from the top may come before the header."""

_FIELD_OF = {alias: field for field, aliases in HEADERS.items() for alias in aliases}


def plain(cell: Cell) -> str:
    """A header cell for comparison: no blanks, nothing invisible, no bracketed remark, no closing mark, lower case."""
    text = "".join(INVISIBLE.sub("", as_text(cell)).split()).strip("*＊:：").lower()
    for opening in "（(【[":
        text = text.split(opening)[0] or text
    return text


def is_header(cell: Cell, field: str) -> bool:
    """Whether a cell holds one of the field's known headers."""
    return _FIELD_OF.get(plain(cell)) == field


def field_columns(cells: Sequence[Cell], named: Mapping[str, str]) -> dict[str, int]:
    """Field → column index for one row taken as header; the first column of a name wins.

    ``named`` (field → header, from ``--column``) goes before the known headers.
    """
    wanted = {plain(header): field for field, header in named.items()}
    columns: dict[str, int] = {}
    for index, cell in enumerate(cells):
        name = plain(cell)
        field = wanted.get(name) or (_FIELD_OF.get(name) if _FIELD_OF.get(name) not in named else None)
        if field:
            columns.setdefault(field, index)
    return columns


def find_header(rows: Sequence[Row], named: Mapping[str, str]) -> tuple[int, dict[str, int]] | None:
    """``(index of the last header row in rows, field → column)``, or None where no row has a text column.

    The row with the most known headers wins, the upper one on a tie. Two-line headers (a merged cell over
    several) are joined: a known name in the lower line completes the upper one's.
    """
    best: tuple[int, dict[str, int]] | None = None
    for index, row in enumerate(rows):
        columns = field_columns(row.cells, named)
        if index + 1 < len(rows) and columns:
            lower = field_columns(rows[index + 1].cells, named)
            joined = {**columns, **lower}
            if (
                lower
                and "text" in joined
                and len(joined) > max(len(columns), 1)
                and _completes(row, rows[index + 1], lower)
            ):
                if best is None or len(joined) > len(best[1]):
                    best = (index + 1, joined)
                continue
        if "text" in columns and _is_header(row, columns) and (best is None or len(columns) > len(best[1])):
            best = (index, columns)
    return best


def _is_header(row: Row, columns: Mapping[str, int]) -> bool:
    """One known word in a row of long cells is a coincidence: a header's cells are short."""
    filled = [plain(cell) for cell in row.cells if plain(cell)]
    return len(columns) > 1 or all(len(cell) <= 20 for cell in filled)


def _completes(upper: Row, lower: Row, columns: Mapping[str, int]) -> bool:
    """Whether ``lower`` is the second line of a header: short names, each below a blank or a merged cell.

    A merged cell shows as the same name (merged downwards) or as a name with a blank to its right (over several).
    """
    above = [plain(cell) for cell in upper.cells]
    below = [plain(cell) for cell in lower.cells]
    above += [""] * (len(below) + 1 - len(above))
    for index, name in enumerate(below):
        under_merged = above[index] in ("", name) or not above[index + 1]
        if name and (len(name) > 12 or name.isdigit() or not under_merged):
            return False
    return any(not above[index] or not above[index + 1] for index in columns.values())


def headers_seen(tables: Sequence[tuple[Sequence[Cell], bool]]) -> str:
    """What a person needs to name the text column, of ``(cells, whether they are surely headers)``.

    Rows that may be opinions are counted, never quoted: "张三受贿" is as short as a header is. A row is a header where a
    cell of it is a known one, or where no cell is longer than two characters, which accuse nobody.
    """
    names = [([plain(cell) for cell in cells if plain(cell)], sure) for cells, sure in tables]
    headers = [
        name
        for row, sure in names
        if all(map(_like_header, row))
        and (sure or field_columns(row, {}) or all(len(name) <= 2 for name in row))
        for name in row
    ]
    if headers:
        return f"见到的列名：{listed(headers)}。请用 --column text=列名 指定。"
    if not any(row for row, _ in names):
        return "表是空的，请检查是不是这个文件。"
    widest = max(len(row) for row, _ in names)
    return f"前 {SEARCHED_ROWS} 行里没有像表头的一行（共 {widest} 列）。请加上表头，或用 --column text=列名 指定。"


def _like_header(name: str) -> bool:
    return (
        len(name) <= 12 and not name.replace(".", "").isdigit() and mask(normalise(name)) == normalise(name)
    )


def widest_row(rows: Sequence[Row]) -> tuple[Cell, ...]:
    """The cells of the row with the most filled ones."""
    return max(
        (row.cells for row in rows), key=lambda cells: sum(bool(as_text(c)) for c in cells), default=()
    )
