"""``sealed/clues.xlsx``: the clues, for the discipline office only. It holds opinions' text; nobody but its owner can open it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InputError, OutputError, cause
from pipeline.records import Reading
from pipeline.taxonomy import Taxonomy

if TYPE_CHECKING:
    from pipeline.documents.book import Book

NAME = "clues.xlsx"
SHEET, GUIDE = "问题线索", "说明"
MOST_ROWS = 1_000_000
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 255
"""Characters; spreadsheet programs take no more than 255."""

REASON_WORDS = {"money": "钱款", "date": "时间", "bribery": "收受财物"}

_SHOWN = 32_000
"""Characters of a text that a cell takes."""

_GUIDE = (
    ("这是什么", "本批意见中指名道姓（姓名带职务，如“某处长”；只说“处长”“科长”的不算），又写到钱款数额、具体时间或收受财物的。由程序按固定规则逐件挑出，是线索，不是结论；只有表扬的、写信人自己的姓名、称呼和致谢不算。"),
    ("谁可以看", "只供纪检监察机构指定的办理人员。检举控告的内容和反映人的情况都要保密，严禁转给或告知被反映的单位和个人（《纪检监察机关处理检举控告工作规则》第四十七条）。不得转发、拍照、另存到公用电脑。"),
    ("别处没有", "这些意见不出现在汇报、通报、反馈函和整改台账里，请不要从这里摘抄到那些材料中去。"),
    ("怎样办理", "一、专人登记、专人保管。二、姓名、电话等已经遮去，要看原文，凭“编号”到原始材料里查，不要凭遮去的文字猜是谁。三、是否属实，按规定的程序核查，不向被反映的单位了解谁写了意见。四、发现打击报复反映人的，立即报告。五、办结后按规定归档或者销毁。"),
    ("涉及", "钱款：写明了数额。时间：写明了年月、日期或某年的节日。收受财物：属“收受财物”“索要产品”，或文中有收送财物的说法。"),
    ("把握", "程序对其中最有把握的一类问题的概率；空着的，是只凭文中说法挑出来的。"),
    ("会漏会错", "程序认不出没有带职务的姓名，也读不懂暗语，会有漏的；也会把只是提到的人当成被反映的人。没有列在这里的意见，不等于没有线索。"),
)  # fmt: skip
_LOCKED = "本文件已用密码加密（AES-256）。密码另行告知，不与文件一起传送；忘了密码无法找回。"
_OPEN = "本文件没有加密，只有建立它的账户能打开。请放在办理人员专用的位置；需要传送的，先加密。"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClueRow:
    """One clue. ``labels`` are Chinese names; ``probability`` that of the likeliest issue, None where none was given."""

    id: str
    date: str
    departments: tuple[str, ...]
    labels: tuple[str, ...]
    reasons: tuple[str, ...]
    text: str = field(repr=False)
    probability: float | None


def clue_row(reading: Reading, taxonomy: Taxonomy) -> ClueRow:
    """The row of a reading that is a clue."""
    issues = [finding.probability for finding in reading.findings if finding.label in taxonomy.issues]
    return ClueRow(
        id=reading.opinion.id,
        date=reading.opinion.collected_on,
        departments=reading.departments,
        labels=tuple(taxonomy[code].name_zh for code in reading.labels),
        reasons=reading.clue,
        text=reading.text,
        probability=max(issues, default=None),
    )


def is_locked(path: Path) -> bool:
    """Whether a file is an encrypted workbook, as the first bytes of its container say."""
    try:
        with path.open("rb") as file:
            return file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    except OSError:
        return False


def write_clues(rows: Iterable[ClueRow], sealed: Path, *, password: str | None = None) -> int:
    """Write ``clues.xlsx`` into the folder ``sealed`` and return the number of clues; rows are taken one by one.

    The folder is made, or made private, for its owner alone (0700), the file likewise (0600). Without a password the
    same rows give the same bytes; with one the file is encrypted (ECMA-376 agile, AES-256), its salt is random, and
    only the content is the same. All that is written on the way lies in ``sealed`` and is gone afterwards, also when
    the rows end in an error; then an older file stays as it was.

    Raises:
        InputError: a password too short or too long.
        OutputError: the folder cannot be written, or there are more than :data:`MOST_ROWS` clues.
    """
    if password is not None and not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputError(f"问题线索的密码应为 {SHORTEST_PASSWORD} 至 {LONGEST_PASSWORD} 个字符。")
    try:
        sealed.mkdir(parents=True, exist_ok=True, mode=0o700)
        sealed.chmod(0o700)
        with tempfile.TemporaryDirectory(prefix=".clues-", dir=sealed) as folder:
            written = Path(folder, NAME)
            count = _write(rows, written, Path(folder), locked=password is not None)
            if password is not None:
                written = _locked(written, password)
            written.chmod(0o600)
            written.replace(sealed / NAME)
    except OSError as error:
        raise OutputError(f"不能写入问题线索 {sealed / NAME}：{cause(error)}。") from None
    return count


def _write(rows: Iterable[ClueRow], path: Path, scratch: Path, *, locked: bool) -> int:
    from pipeline.documents.book import Book  # noqa: PLC0415  # small runs seldom have clues

    book = Book(path, SHEET)
    book.book.tmpdir = str(scratch)  # rows wait in files: not in a folder that others share
    try:
        for look in (book.plain, book.wrapped, book.share):
            look.set_bottom(1)
            look.set_bottom_color("#C8CDD3")
        book.wrapped.set_align("left")  # an indent is for one side
        _guide(book, locked=locked)
        header = (
            ("编号", 14, book.wrapped), ("日期", 11, book.plain), ("部门", 16, book.wrapped), ("类别", 14, book.wrapped),
            ("涉及", 11, book.wrapped), ("意见（已脱敏）", 66, book.wrapped), ("把握", 7, book.share),
        )  # fmt: skip
        sheet, count = book.table(SHEET, header, _cells(rows), blanks=range(len(header)))
        for column, (_, width, _) in enumerate(header):
            sheet.set_column(column, column, width)  # lines under the rows only
        sheet.set_header("&C问题线索　只供纪检监察机构")
        sheet.set_footer("&C第 &P 页，共 &N 页")
    finally:
        book.close()
    return count


def _cells(rows: Iterable[ClueRow]) -> Iterator[tuple[str | float | None, ...]]:
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise OutputError(f"问题线索超过 {MOST_ROWS} 件，一个表放不下；请把意见分成几批处理。")
        text = row.text if len(row.text) <= _SHOWN else row.text[: _SHOWN - 10] + "…（余下见原始材料）"
        yield (
            row.id, row.date, "、".join(row.departments), "、".join(row.labels),
            "、".join(REASON_WORDS[reason] for reason in row.reasons), text, row.probability,
        )  # fmt: skip


def _guide(book: Book, *, locked: bool) -> None:
    rows = (*_GUIDE, ("存放", _LOCKED if locked else _OPEN))
    header = (("问题线索", 12, book.plain), ("只供纪检监察机构，请先看这一页", 84, book.wrapped))
    sheet, _ = book.table(GUIDE, header, rows, pages=1)
    for column, (_, width, _) in enumerate(header):
        sheet.set_column(column, column, width)


def _locked(path: Path, password: str) -> Path:
    """The encrypted copy of a workbook, beside it."""
    from msoffcrypto.format.ooxml import OOXMLFile  # type: ignore[import-untyped]  # noqa: PLC0415  # rarely wanted

    target = path.with_suffix(".locked")
    with path.open("rb") as plain, target.open("wb") as file:
        OOXMLFile(plain).encrypt(password, file)
    return target
