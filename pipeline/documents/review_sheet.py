"""The review sheet: opinions with suggested labels, to be confirmed or changed in Excel or WPS. It holds opinions' text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from pipeline.directory import Directory
from pipeline.documents.book import Book
from pipeline.records import UNSPECIFIED
from pipeline.review import columns as c
from pipeline.review.answers import WHY, Batch, Question
from pipeline.taxonomy import Taxonomy

_NARROW = 5
_HOW = (
    "每行一件意见。“程序的建议”已经填在各类别的列里（✓）。",
    "建议全对：“复核”一列选“对”，别的不动。",
    "要改：在类别列里加上或去掉 ✓，“复核”选“改”（改了类别而忘了选，也按“改”算）。一个问题也没有：去掉全部 ✓，选“改”。",
    "没有把握：选“不确定/跳过”，不会拿去训练。没看的行留空，以后可以接着填、再导入。",
    "部门：这件意见说的是哪个部门，从“部门”一列的下拉里选；说到几个部门的，在类别那一格里选部门名称代替 ✓（几个用分号隔开）。",
    "可以筛选、隐藏列、调整列宽；不要改“行码”和“编号”。工作表有保护（没有密码），要排序先撤销保护，排完不影响导入。",
    "“为什么看”写“随机抽查”的，是不论程序有没有把握随机抽的，用来量程序的准确程度，请不要跳过。",
)
_SETTLE = "这是裁定表：几个人的意见不一，见“各人的意见”。你的结论是最后的结论，原来各人的意见都留着。"


def write_review_sheet(batch: Batch, taxonomy: Taxonomy, directory: Directory, path: Path) -> None:
    """Write the sheet of a batch; :mod:`pipeline.review.sheet` reads it back."""
    book = Book(path, "意见复核表")
    departments = c.departments_for_choice(directory.names)
    _guide(book, batch, taxonomy)
    _questions(book, batch, taxonomy, departments)
    _choices(book, departments)
    book.close()


def _guide(book: Book, batch: Batch, taxonomy: Taxonomy) -> None:
    sheet = book.book.add_worksheet(c.GUIDE)
    entry = book.book.add_format({"border": 2, "bg_color": "#FFF8E1", "font_size": 12, "locked": False})
    title = book.book.add_format({"bold": True, "font_size": 16})
    sheet.set_column(0, 0, 16, book.plain)
    sheet.set_column(1, 1, 70, book.wrapped)
    sheet.set_column(2, 2, 60, book.wrapped)
    sheet.write_string(0, 0, "意见复核表" if batch.kind == "review" else "意见裁定表", title)
    sheet.write_string(1, 0, c.REVIEWER_CELL, book.head)
    sheet.write_blank(1, 1, None, entry)
    sheet.write_string(1, 2, "← 先在这里写上名字（导入时也可用 --by 指定）", book.plain)
    sheet.write_string(2, 0, c.BATCH_CELL, book.head)
    sheet.write_string(2, 1, batch.id, book.plain)
    sheet.write_string(3, 0, "内含意见原文", book.head)
    sheet.write_string(3, 1, "只给复核的人看，不得转给被反映的部门。", book.wrapped)
    lines = (*_HOW, *((_SETTLE,) if batch.kind == "settle" else ()))
    for row, line in enumerate(lines, start=5):
        sheet.merge_range(row, 0, row, 2, line, book.wrapped)
        sheet.set_row(row, 30 if len(line) > 60 else 16)
    top = 6 + len(lines)
    for column, name in enumerate(("类别", "什么算", "什么不算")):
        sheet.write_string(top, column, name, book.head)
    for row, label in enumerate(taxonomy.labels, start=top + 1):
        for column, text in enumerate((label.name_zh, label.definition, label.excludes)):
            sheet.write_string(row, column, text, book.wrapped if column else book.plain)
        sheet.set_row(row, 15 * max(1, -(-len(label.definition) // 32), -(-len(label.excludes) // 27)))
    sheet.protect("", {"format_columns": True})
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _questions(book: Book, batch: Batch, taxonomy: Taxonomy, departments: Sequence[str]) -> None:
    make = book.book.add_format
    base = {"font_name": "微软雅黑", "font_size": 10, "valign": "top"}
    open_cell = make({**base, "locked": False, "bg_color": "#FFFDF3", "border": 1, "border_color": "#DDDDDD"})
    tick = make({**base, "locked": False, "align": "center", "border": 1, "border_color": "#DDDDDD"})
    remark = make({**base, "locked": False, "text_wrap": True, "bg_color": "#FFFDF3"})
    labels = c.label_columns(taxonomy)
    header: list[tuple[str, int, Any]] = [
        (c.CODE, 14, book.plain), (c.ID, 14, book.wrapped), (c.WHY, 10, book.plain), (c.TEXT, 62, book.wrapped),
        (c.SUGGESTION, 46, book.wrapped), (c.DEPARTMENT, 16, open_cell), (c.VERDICT, 12, open_cell), *((name, _NARROW, tick) for name in labels),
        (c.REMARK, 24, remark),
    ]  # fmt: skip
    if batch.kind == "settle":
        header.append((c.OTHERS, 46, book.wrapped))
    rows = [_row(question, taxonomy, batch.kind == "settle") for question in batch.questions]
    place = {title: column for column, (title, _, _) in enumerate(header)}
    free = [place[title] for title in (c.DEPARTMENT, c.VERDICT, *labels, c.REMARK)]
    sheet, count = book.table(c.SHEET, header, rows, first_column=2, blanks=free)
    last = max(count, 1)
    listed = {"validate": "list", "error_type": "stop", "error_title": "填写"}
    for title, source, message in (
        (c.VERDICT, f"={c.CHOICES}!$B$1:$B${len(c.VERDICTS)}", "请从下拉里选：对、改、不确定/跳过，或留空。"),
        (c.DEPARTMENT, f"={c.CHOICES}!$A$1:$A${len(departments)}", "请从下拉里选部门的正式名称。"),
    ):
        column = place[title]
        sheet.data_validation(1, column, last, column, {**listed, "source": source, "error_message": message})
    first, final = (place[name] for name in (next(iter(labels)), list(labels)[-1]))
    hint = "有这个问题选 ✓，没有就清空；说的是另一个部门就选部门名称（几个部门用分号隔开）。"
    ticks = {"source": f"={c.CHOICES}!$C$1:$C${len(departments) + 1}", "error_message": hint}
    sheet.data_validation(1, first, last, final, {**listed, "error_type": "warning", **ticks})
    answered = f'=AND(${xl_col_to_name(place[c.VERDICT])}2<>"",ROW()>1)'
    done = make({"bg_color": "#EAF4EA"})
    sheet.conditional_format(1, 0, last, 2, {"type": "formula", "criteria": answered, "format": done})
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})


def _choices(book: Book, departments: Sequence[str]) -> None:
    # lists over 255 characters cannot stand in a drop-down itself
    sheet = book.book.add_worksheet(c.CHOICES)
    rows = max(len(departments) + 1, len(c.VERDICTS))
    for row in range(rows):
        if row < len(departments):
            sheet.write_string(row, 0, departments[row])
        if row < len(c.VERDICTS):
            sheet.write_string(row, 1, c.VERDICTS[row])
        sheet.write_string(row, 2, c.YES if row == 0 else departments[row - 1])
    sheet.hide()


def _row(question: Question, taxonomy: Taxonomy, settle: bool) -> list[str]:
    one = question.about
    cells = []
    for code in taxonomy.codes:
        about = [department for department, label in question.pairs if label == code]
        cells.append("" if not about else c.YES if about == [one] else "；".join(about))
    said = "\n".join(
        f"{taxonomy[code].name_zh} {probability:.2f}（{department}）：{question.text[start:end]}"
        for department, code, probability, start, end in question.suggested
    )
    asked = [question.key, question.id, WHY[question.why], question.text, said or "没有问题"]
    row = [*asked, one, "", *cells, ""]
    if settle:
        row.append("\n".join(f"{by}：{_spelt(pairs, taxonomy)}" for by, pairs in question.answers))
    return row


def _spelt(pairs: Sequence[tuple[str, str]], taxonomy: Taxonomy) -> str:
    words = [
        taxonomy[code].name_zh + ("" if department == UNSPECIFIED else f"（{department}）")
        for department, code in pairs
    ]
    return "、".join(words) or "没有问题"
