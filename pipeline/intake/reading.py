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
from pipeline.intake.header import (
    FIELDS,
    HEADERS,
    SEARCHED_ROWS,
    field_columns,
    find_header,
    headers_seen,
    is_header,
    plain,
    widest_row,
)
from pipeline.intake.identities import IMPERSONAL, REPEATED, Identities
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


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet with opinions: names of its file and of itself, field → column, columns that a row must have, and what ids are made of."""

    file: str
    sheet: str
    columns: Mapping[str, int]
    width: int
    place: str

    @classmethod
    def of(cls, source: SourceFile, sheet: Sheet, columns: Mapping[str, int]) -> _Table:
        stem = PurePosixPath(source.name).with_suffix("").as_posix()
        place = f"{stem}:{sheet.name}" if sheet.name else stem
        return cls(source.name, sheet.name, columns, max(columns.values()) + 1, place)


@dataclass
class Intake:
    """A stream over files; its tallies are complete when the stream has ended.

    ``rows`` counts rows read (empty rows and rows above a header are none). ``notices`` counts, by sentence,
    what was accepted with a remark: an unreadable date, a repeated id, a number too long for a number cell. ``ids`` gives
    the opinions theirs. Where the files are not the ``whole`` of a run, a column named by the user may be in another
    (:attr:`absent`).
    """

    files: Sequence[SourceFile]
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    done: float = 0.0
    notices: Counter[str] = field(default_factory=Counter)
    skipped_sheets: list[str] = field(default_factory=list)
    ids: Identities = field(default_factory=Identities, repr=False)
    whole: bool = True
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
        if self.whole:
            check_columns(self.absent)

    @property
    def absent(self) -> list[str]:
        """The columns named by the user that none of the files read so far has."""
        return [header for header in self.columns.values() if plain(header) not in self._named]

    def _file(self, source: SourceFile) -> Iterator[tuple[Opinion | Rejection, float]]:
        seen: list[tuple[Sequence[Cell], bool]] = []
        headless: list[str] = []
        broken: Row | None = None
        tables = 0
        for sheet in open_sheets(source):
            top = list(islice(sheet.rows, SEARCHED_ROWS))
            header = self._header(sheet, top)
            if header is None:
                seen.append((top[0].cells if sheet.headed else widest_row(top), sheet.headed))
                broken = broken or next((row for row in top if row.problem), None)
                if any(_filled(row) for row in top):
                    headless.append(f"{source.name}：{sheet.name}" if sheet.name else source.name)
                continue
            tables += 1
            last, columns = header
            self._named.update(plain(cell) for row in top[: last + 1] for cell in row.cells)
            table = _Table.of(source, sheet, columns)
            for row in chain(top[last + 1 :], sheet.rows):
                if sheet.headed or row.problem or _filled(row):
                    if sheet.hidden:
                        self.notices["所在的工作表是隐藏的，也已读入"] += 1
                    yield self._row(table, row), row.done
        if not tables:
            asked = self.columns.get("text")
            what = f"找不到名为“{asked}”的列" if asked else "找不到意见内容列"
            instead = (
                f"第 {broken.number} 行：{broken.problem}；请改正后再试。" if broken else headers_seen(seen)
            )
            raise InputError(f"文件 {source.name} {what}；{instead}")
        self.skipped_sheets += headless

    def _header(self, sheet: Sheet, top: list[Row]) -> tuple[int, dict[str, int]] | None:
        if not sheet.headed:
            return find_header(top, self.columns)
        columns = field_columns(top[0].cells, self.columns) if top else {}
        return (0, columns) if "text" in columns else None

    def _row(self, table: _Table, row: Row) -> Opinion | Rejection:
        cells, columns = row.cells, table.columns
        if len(cells) < table.width:
            cells += (None,) * (table.width - len(cells))
        if UNCALCULATED in cells:
            cells = tuple(
                None if cell == UNCALCULATED and index != columns["text"] else cell
                for index, cell in enumerate(cells)
            )
        values = {name: as_text(cells[index]) for name, index in columns.items()}
        text, title = values["text"], values.get("title", "")
        reason = row.problem or self._problem(row, columns, values)
        if reason:
            content = " | ".join(filter(None, map(as_text, row.cells)))[:LONGEST_TEXT]
            return Rejection(
                file=table.file, sheet=table.sheet, row=row.number, reason=reason, content=content
            )
        date = as_date(cells[columns["collected_on"]]) if "collected_on" in columns else ""
        if date is None:
            self.notices["日期认不出，按空白处理"] += 1
        number = cells[columns["id"]] if "id" in columns else None
        return Opinion(
            id=self._id(number, f"{table.place}:{row.number}"),
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
            if len(value) > LONGEST_CELL and name not in ("text", "title"):
                column = next(alias for alias in HEADERS[name] if not alias.isascii())
                return f"{column}超过 {LONGEST_CELL} 字，请缩短"
        if len(columns) > 1 and len(text) <= _LONGEST_ALIAS and is_header(text, "text"):
            repeated = field_columns(row.cells, {})
            if all(repeated.get(name) == index for name, index in columns.items()):
                return "重复的表头行"
        return ""

    def _id(self, cell: Cell, place: str) -> str:
        if isinstance(cell, float) and abs(cell) >= _ROUNDED_FROM:
            self.notices["编号存成了数字且超过 15 位，表格程序已将其末位取整，请改存为文本"] += 1
        given = as_text(cell)
        if given and not IMPERSONAL.fullmatch(given):
            given = INVISIBLE.sub("", given)
            if mask(normalise(given)) != normalise(given):
                self.notices["编号像个人信息（如手机号），已改用文件名和行号"] += 1
                given = ""
        identity, repeated = self.ids.one_more(given, place)
        if repeated:
            self.notices[REPEATED] += 1
        return identity


def check_columns(absent: Sequence[str]) -> None:
    """Refuse a run where columns named by the user are ``absent`` from all files.

    Raises:
        InputError: so they are.
    """
    if absent:
        raise InputError(f"--column 指定的列“{absent[0][:40]}”在任何文件里都没有找到。")


def _filled(row: Row) -> bool:
    return any(map(as_text, row.cells))
