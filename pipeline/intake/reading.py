"""The whole of intake: files → opinions and rejections, streamed in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import PurePosixPath

from pipeline.errors import InputError, listed
from pipeline.intake.files import SourceFile
from pipeline.intake.formulas import UNCALCULATED
from pipeline.intake.header import FIELDS, HEADERS, SEARCHED_ROWS, field_columns, find_header, plain
from pipeline.intake.sheets import Cell, Row, Sheet, open_sheets
from pipeline.intake.values import INVISIBLE, as_date, as_text
from pipeline.records import Opinion, Rejection
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise

LONGEST_TEXT = 20_000
"""Characters; a longer cell is a document pasted whole and is refused with its reason."""

LONGEST_CELL = 2_000
"""Characters of any other cell: room for a list of a hundred departments, not for a text pasted into the wrong column."""

EMPTY = "意见内容为空"
"""How the reason begins for a row without a text."""

_ROUNDED_FROM = 1e15
_LONGEST_ALIAS = max(len(alias) for aliases in HEADERS.values() for alias in aliases)


@dataclass
class Intake:
    """A stream over files; its tallies are complete when the stream has ended.

    ``rows`` counts rows read (empty rows and rows above a header are none). ``notices`` counts, by sentence,
    what was accepted with a remark: an unreadable date, a repeated id, a number too long for a number cell.
    """

    files: Sequence[SourceFile]
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    done: float = 0.0
    notices: Counter[str] = field(default_factory=Counter)
    skipped_sheets: list[str] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set, repr=False)
    _named: set[str] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        unknown = [name for name in self.columns if name not in FIELDS]
        if unknown:
            raise InputError(f"--column 的字段“{unknown[0][:40]}”不认识；可用字段：{listed(FIELDS)}。")

    def __iter__(self) -> Iterator[Opinion | Rejection]:
        """Yield one opinion or rejection per row read.

        Raises:
            InputError: a file is unreadable or has no text column in any sheet (the headers seen are listed), or a
                column named by the user is in no file.
        """
        total = sum(source.size for source in self.files) or 1
        before = 0
        for source in self.files:
            for result, share in self._file(source):
                self.done = (before + share * source.size) / total
                self.rows += 1
                if isinstance(result, Opinion):
                    self.accepted += 1
                else:
                    self.rejected += 1
                yield result
            before += source.size
        self.done = 1.0
        absent = [header for header in self.columns.values() if plain(header) not in self._named]
        if absent:
            raise InputError(f"--column 指定的列“{absent[0][:40]}”在任何文件里都没有找到。")

    def _file(self, source: SourceFile) -> Iterator[tuple[Opinion | Rejection, float]]:
        seen: list[tuple[Sequence[Cell], bool]] = []
        headless: list[str] = []
        broken: Row | None = None
        tables = 0
        for sheet in open_sheets(source):
            top = list(islice(sheet.rows, SEARCHED_ROWS))
            header = self._header(sheet, top)
            if header is None:
                seen.append((top[0].cells if sheet.headed else _widest(top), sheet.headed))
                broken = broken or next((row for row in top if row.problem), None)
                if any(_filled(row) for row in top):
                    headless.append(f"{source.name}：{sheet.name}" if sheet.name else source.name)
                continue
            tables += 1
            last, columns = header
            self._named.update(plain(cell) for row in top[: last + 1] for cell in row.cells)
            for row in chain(top[last + 1 :], sheet.rows):
                if sheet.headed or _filled(row) or row.problem:
                    if sheet.hidden:
                        self.notices["所在的工作表是隐藏的，也已读入"] += 1
                    yield self._row(source, sheet, row, columns), row.done
        if not tables:
            asked = self.columns.get("text")
            what = f"找不到名为“{asked}”的列" if asked else "找不到意见内容列"
            instead = (
                f"第 {broken.number} 行：{broken.problem}；请改正后再试。" if broken else _headers_seen(seen)
            )
            raise InputError(f"文件 {source.name} {what}；{instead}")
        self.skipped_sheets += headless

    def _header(self, sheet: Sheet, top: list[Row]) -> tuple[int, dict[str, int]] | None:
        if not sheet.headed:
            return find_header(top, self.columns)
        columns = field_columns(top[0].cells, self.columns) if top else {}
        return (0, columns) if "text" in columns else None

    def _row(
        self, source: SourceFile, sheet: Sheet, row: Row, columns: Mapping[str, int]
    ) -> Opinion | Rejection:
        cells = {
            name: row.cells[index] if index < len(row.cells) else None for name, index in columns.items()
        }
        cells.update((name, None) for name, cell in cells.items() if cell == UNCALCULATED and name != "text")
        values = {name: as_text(cell) for name, cell in cells.items()}
        text, title = values["text"], values.get("title", "")
        reason = row.problem or self._problem(row, columns, values)
        if reason:
            content = " | ".join(filter(None, map(as_text, row.cells)))[:LONGEST_TEXT]
            return Rejection(
                file=source.name, sheet=sheet.name, row=row.number, reason=reason, content=content
            )
        date = as_date(cells.get("collected_on"))
        if date is None:
            self.notices["日期认不出，按空白处理"] += 1
        return Opinion(
            id=self._id(cells.get("id"), source, sheet, row),
            text=f"{title}\n{text}" if title and title != text else text,
            department=values.get("department", ""),
            source_unit=values.get("source_unit", ""),
            collected_on=date or "",
            channel=values.get("channel", ""),
            labels=values.get("labels", ""),
        )

    @staticmethod
    def _problem(row: Row, columns: Mapping[str, int], values: Mapping[str, str]) -> str:
        text = values["text"]
        if not text:
            first = next(filter(None, map(as_text, row.cells)), "")
            if first.startswith(
                ("注", "说明", "填表", "制表", "审核", "合计", "总计", "小计", "备注", "统计", "联系")
            ):
                return f"{EMPTY}（表尾说明或合计行）"
            return EMPTY
        if text == UNCALCULATED:
            return "意见内容是没有算出结果的公式，请用表格程序打开并保存后再试"
        if len(text) + len(values.get("title", "")) > LONGEST_TEXT:
            return f"意见内容超过 {LONGEST_TEXT} 字，请拆开或缩短"
        for name, value in values.items():
            if name not in ("text", "title") and len(value) > LONGEST_CELL:
                column = next(alias for alias in HEADERS[name] if not alias.isascii())
                return f"{column}超过 {LONGEST_CELL} 字，请缩短"
        if len(columns) > 1 and len(text) <= _LONGEST_ALIAS:
            repeated = field_columns(row.cells, {})
            if repeated and all(repeated.get(name) == index for name, index in columns.items()):
                return "重复的表头行"
        return ""

    def _id(self, cell: Cell, source: SourceFile, sheet: Sheet, row: Row) -> str:
        if isinstance(cell, float) and abs(cell) >= _ROUNDED_FROM:
            self.notices["编号存成了数字且超过 15 位，表格程序已将其末位取整，请改存为文本"] += 1
        given = INVISIBLE.sub("", as_text(cell))
        if given and mask(normalise(given)) != normalise(given):
            self.notices["编号像个人信息（如手机号），已改用文件名和行号"] += 1
            given = ""
        stem = PurePosixPath(source.name).with_suffix("").as_posix()
        place = ":".join(filter(None, (stem, sheet.name, str(row.number))))
        if given and given in self._ids:
            self.notices["编号与前面的重复，已加上文件和行号"] += 1
            given = f"{given}@{place}"
        identity = given or place
        while identity in self._ids:
            identity += "+"
        self._ids.add(identity)
        return identity


def _headers_seen(tables: Sequence[tuple[Sequence[Cell], bool]]) -> str:
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


def _filled(row: Row) -> bool:
    return any(as_text(cell) for cell in row.cells)


def _widest(rows: Sequence[Row]) -> tuple[Cell, ...]:
    return max(
        (row.cells for row in rows), key=lambda cells: sum(bool(as_text(c)) for c in cells), default=()
    )
