"""Files → opinions and rejections: formats, encodings, messy sheets, dates, ids, bad rows."""

from __future__ import annotations

import datetime as dt
import json

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.intake.files import find_files
from pipeline.intake.reading import Intake
from pipeline.intake.repeats import Repeats
from pipeline.intake.values import as_date
from pipeline.records import Opinion, Rejection
from pipeline.text.shingles import signature

ROWS = [
    ("A1", "质检站拿走两箱酒", "质检站", "2025-03-05"),
    ("A2", "办事热情", "", "2025-03-06"),
]


def read(*paths, columns=None):
    intake = Intake(find_files(paths), columns or {})
    rows = list(intake)
    assert intake.rows == intake.accepted + intake.rejected == len(rows)
    return intake, rows


def facts(rows):
    return [(r.id, r.text, r.department, r.collected_on) for r in rows]


def csv_text(separator=","):
    lines = [separator.join(("编号", "意见内容", "部门", "日期"))]
    return "\n".join([*lines, *(separator.join(row) for row in ROWS)]) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("tsv", "\t"), ("csv", ";")])
def test_text_tables_in_every_encoding(write, encoding, suffix, separator):
    _, rows = read(write(f"a.{suffix}", csv_text(separator), encoding))
    assert facts(rows) == ROWS


def test_jsonl_parquet_txt_and_xlsx_give_the_same(write, tmp_path):
    names = ("id", "text", "department", "collected_on")
    records = [dict(zip(names, row, strict=True)) for row in ROWS]
    jsonl = write("a.jsonl", "\n".join(json.dumps(r, ensure_ascii=False) for r in records))
    parquet = tmp_path / "a.parquet"
    pd.DataFrame(records).to_parquet(parquet)
    xlsx = tmp_path / "a.xlsx"
    pd.DataFrame(records).to_excel(xlsx, index=False)
    for path in (jsonl, parquet, xlsx):
        assert facts(read(path)[1]) == ROWS
    _, lines = read(write("a.txt", "第一条\n\n第二条\n", "gb18030"))
    assert [(row.id, row.text) for row in lines] == [("a:1", "第一条"), ("a:3", "第二条")]


def messy_workbook(path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "企业座谈"
    sheet["A1"] = "轻工业厅征求意见汇总表"
    sheet.merge_cells("A1:F1")
    sheet["A2"] = "填表单位：企管处"
    header = ("序号", "被评议部门", None, "反映情况", None, "备注")
    lower = (None, None, None, "意见内容", "日期", None)
    for column, (upper, under) in enumerate(zip(header, lower, strict=True), start=1):
        sheet.cell(9, column, upper)
        sheet.cell(10, column, under)
    sheet.merge_cells("D9:E9")
    rows = [
        (1, "质检站", None, "拿走两箱酒", dt.date(2025, 3, 5), None),
        (2, None, None, "再拿两箱", "2025年3月6日", None),
        ("3", "人事处", None, "办事公道", 45722, None),
        (4, "人事处", None, None, "2025.3.8", "缺页"),
        (5, "人事处", None, 20250309, "3/9/2025", None),
        ("注：以上意见已核对", None, None, None, None, None),
    ]
    for number, row in enumerate(rows, start=11):
        for column, value in enumerate(row, start=1):
            sheet.cell(number, column, value)
    sheet.merge_cells("B11:B12")
    other = book.create_sheet("基层走访")
    other.append(["编号", "内容"])
    other.append(["1", "没有意见"])
    book.create_sheet("填表说明").append(["请如实填写"])
    book.save(path)


def test_a_messy_workbook(tmp_path):
    path = tmp_path / "汇总.xlsx"
    messy_workbook(path)
    intake, rows = read(path)
    opinions = [row for row in rows if isinstance(row, Opinion)]
    assert facts(opinions) == [
        ("1", "拿走两箱酒", "质检站", "2025-03-05"),
        ("2", "再拿两箱", "质检站", "2025-03-06"),  # the merged cell's value
        ("3", "办事公道", "人事处", "2025-03-06"),  # 45722 is a serial date
        ("5", "20250309", "人事处", "2025-03-09"),
        ("1@汇总:基层走访:2", "没有意见", "", ""),
    ]
    rejected = [(r.file, r.sheet, r.row, r.reason) for r in rows if isinstance(r, Rejection)]
    assert rejected == [
        ("汇总.xlsx", "企业座谈", 14, "意见内容为空"),
        ("汇总.xlsx", "企业座谈", 16, "意见内容为空（表尾说明或合计行）"),
    ]
    assert intake.skipped_sheets == ["汇总.xlsx：填表说明"]
    assert intake.notices == {"编号与前面的重复，已加上文件和行号": 1}
    assert read(path)[1] == rows, "the same file read twice gives the same ids"


def test_no_text_column_lists_the_headers_seen(write):
    path = write("a.csv", "编号,反映事项,日期\n1,拿走两箱酒,2025-03-05\n")
    with pytest.raises(
        InputError,
        match=r"文件 a.csv 找不到意见内容列；见到的列名：编号、反映事项、日期。请用 --column text=列名 指定。",
    ):
        read(path)
    assert read(path, columns={"text": "反映事项"})[1][0].text == "拿走两箱酒"
    with pytest.raises(InputError, match="--column 的字段“texts”不认识"):
        read(path, columns={"texts": "反映事项"})


def test_title_is_joined_and_english_headers_work(write):
    _, rows = read(write("a.csv", 'title,text,date\n标题,"两行\n正文",2025/3/5\n'))
    assert (rows[0].text, rows[0].collected_on) == ("标题\n两行\n正文", "2025-03-05")


def test_bad_rows_are_rejected_with_their_place(write):
    _, rows = read(
        write("a.jsonl", '{"text": "一"}\n[1]\n{"text": ""}\n坏\n{"text": "二", "labels": ["praise"]}')
    )
    assert [(r.row, r.reason) for r in rows if isinstance(r, Rejection)] == [
        (2, "这一行不是 JSON 对象"),
        (3, "意见内容为空"),
        (4, "这一行不是 JSON 对象"),
    ]
    assert rows[-1].labels == "praise"
    assert "一" not in repr(rows[0])
    _, rows = read(write("b.csv", "编号,意见\n1,一\n编号,意见\n2," + "长" * 20_001 + "\n"))
    assert [r.reason for r in rows[1:]] == ["重复的表头行", "意见内容超过 20000 字，请拆开或缩短"]


def test_an_unreadable_date_is_told_and_the_opinion_kept(write):
    intake, rows = read(write("a.csv", "意见,日期\n一,上周三\n二,2025-13-45\n"))
    assert [row.collected_on for row in rows] == ["", ""]
    assert intake.notices == {"日期认不出，按空白处理": 2}


def test_folders_in_order_without_lock_files(write, tmp_path):
    write("in/b.csv", "意见\n二\n")
    write("in/a/z.txt", "一\n")
    write("in/~$b.xlsx", "lock")
    write("in/readme.md", "x")
    _, rows = read(tmp_path / "in")
    assert [row.text for row in rows] == ["一", "二"]
    with pytest.raises(InputError, match=r"格式“\.md”不能读"):
        read(tmp_path / "in" / "readme.md")
    with pytest.raises(InputError, match="找不到文件或文件夹"):
        read(tmp_path / "none.csv")


def test_a_damaged_workbook_is_one_clear_line(write):
    with pytest.raises(InputError, match=r"^表格 a.xlsx 打不开，可能已损坏"):
        read(write("a.xlsx", "not a zip"))


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("2025-3-5 12:30", "2025-03-05"),
        ("２０２５年３月５日", "2025-03-05"),
        ("20250305", "2025-03-05"),
        (45721.0, "2025-03-05"),
        (dt.date(2025, 3, 5), "2025-03-05"),
        ("2025年3月", "2025-03-01"),
        ("", ""),
        ("2025-02-30", None),
        ("昨天", None),
        ("9999-01-01", None),
    ],
)
def test_dates(cell, date):
    assert as_date(cell) == date


@given(st.lists(st.text(alphabet='甲乙丙，"\n,; ', max_size=6), max_size=8))
def test_rows_are_conserved(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("rows") / "a.csv"
    pd.DataFrame({"编号": range(len(cells)), "意见": cells}).to_csv(path, index=False)
    intake, rows = read(path)
    assert intake.rows == len(cells)
    assert sum(isinstance(row, Opinion) for row in rows) == sum(bool(cell.strip()) for cell in cells)


def test_repeats_exact_edited_and_different():
    base = "质检站每次来抽样都多拿两箱酒，说是备样，从来没有退回来过，我们小厂实在承受不起。"
    repeats = Repeats()
    assert repeats.first_of("a", signature(base)) == ""
    assert repeats.first_of("b", signature(base.replace("，", " "))) == "a"
    assert repeats.first_of("c", signature(base.replace("两箱", "三箱"))) == "a"
    assert repeats.first_of("d", signature("人事教育处办事公道，评职称张榜公布，大家都服气。")) == ""
    assert repeats.first_of("e", signature("好")) == ""
    assert repeats.first_of("f", signature("好！")) == "e"
    assert repeats.first_of("g", b"") == ""
    assert repeats.first_of("h", signature("差")) == ""
