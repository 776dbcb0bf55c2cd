"""Files as offices and their enemies send them: one clear line and exit 2, or every row read and told. Never a traceback, a hang, a lost row."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import pickle
import random
import re
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msoffcrypto.format.ooxml import OOXMLFile  # type: ignore[import-untyped]
from openpyxl.chart import BarChart

from pipeline import run as way
from pipeline.cli import main
from pipeline.errors import InputError
from pipeline.intake.delimited import MOST_COLUMNS
from pipeline.intake.files import LARGEST, find_files
from pipeline.intake.lines import LONGEST_LINE
from pipeline.intake.reading import Intake
from pipeline.intake.sheets import MOST_KEYS
from pipeline.intake.workbooks import _received
from tests import commands
from tests.bad_input import (
    OLD_WORKBOOK,
    SAID,
    bomb,
    cell,
    damaged_old_workbooks,
    old_workbook_with_password,
    row,
    table,
    workbook,
)

MEMORY, SECONDS = 3 << 30, 100
"""What a child may take."""

EMPTY = "意见内容为空"
UNPAIRED = "引号没有配对，无法拆成列"
TOO_LONG = f"这一行超过 {LONGEST_LINE} 字，可能丢了换行"
NO_OBJECT = "这一行不是 JSON 对象"
NO_HEADER = "前 30 行里没有像表头的一行（共 {} 列）。请加上表头，或用 --column text=列名 指定。"
DAMAGED = "打不开，可能已损坏；请用表格程序打开后另存再试。"
BROKEN_OFF = "读不下去，文件已损坏，或展开后太大；请用表格程序打开，另存或拆成几个表再试。"
BLANK_FILE = "是空的（0 字节）；请检查是否没有存好或没有复制完。"
NOT_CALCULATED = "意见内容是没有算出结果的公式，请用表格程序打开并保存后再试"


@pytest.fixture
def classify(tmp_path, monkeypatch, capfd, reader):
    """Run ``qingyi classify`` on inputs in an empty folder; returns (status, standard error, run.json, rejected.csv)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(way, "open_reader", lambda _: reader)

    def call(*inputs):
        with pytest.raises(SystemExit) as done:
            main(["classify", *map(str, inputs), "-o", "结果", "--jobs", "1"])
        status = done.value.code or 0
        return outcome(tmp_path, status, capfd.readouterr().err)

    return call


def outcome(folder, status, error):
    """What a run left: no folder after an error, all rows accounted for otherwise."""
    if status:
        assert not (folder / "结果").exists()
        return status, error, {}, []
    record = json.loads((folder / "结果/run.json").read_text(encoding="utf-8"))
    with (folder / "结果/rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        rejected = list(csv.DictReader(file))
    assert record["rows_read"] == record["rows_accepted"] + record["rows_rejected"]
    assert record["rows_rejected"] == len(rejected)
    with (folder / "结果/opinions.csv").open(encoding="utf-8-sig", newline="") as file:
        assert record["rows_accepted"] == len(list(csv.DictReader(file)))
    return status, error, record, rejected


def in_a_child(folder, *inputs):
    """The real command in a process of its own with little memory and a last hour."""
    command = commands.start("classify", *inputs, "-o", "结果", "--jobs", "1", folder=folder, memory=MEMORY)
    status, _, error = command.ended(SECONDS)
    return outcome(folder, status, error)


def refused(result, line):
    """One line that says what, where and what to do, and quotes nobody."""
    status, error, _, _ = result
    assert error == f"错误：{line}\n"
    assert status == 2
    assert SAID[:6] not in error


def read(result, accepted, *rejected):
    """All rows told: how many were accepted, and ``(row, reason)`` of the others."""
    status, error, record, rows = result
    assert (status, error) == (0, "")
    assert [(int(row["row"]), row["reason"]) for row in rows] == list(rejected)
    assert record["rows_accepted"] == accepted


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ---- workbooks that are not what they should be


def truncated(folder, name):
    whole = workbook(folder / "whole.xlsx", table([f"{SAID}{n}" for n in range(500)])).read_bytes()
    return put(folder, name, whole[: len(whole) // 2])


def locked(folder, name):
    with (
        workbook(folder / "open.xlsx", table([SAID])).open("rb") as plain,
        (folder / name).open("wb") as file,
    ):
        OOXMLFile(plain).encrypt("密码", file)
    return folder / name


def no_strings(folder, name):
    return workbook(folder / name, row(1, '<c r="A1" t="s"><v>0</v></c>'))


def wrong_string(folder, name):
    return workbook(folder / name, row(1, '<c r="A1" t="s"><v>7</v></c>'), shared="<si><t>意见</t></si>")


def cut_strings(folder, name):
    return workbook(folder / name, row(1, '<c r="A1" t="s"><v>0</v></c>'), shared=f"<si><t>意见{SAID}")


def cut_sheet(folder, name):
    return workbook(folder / name, f"{table([SAID])}<row", after="<")


def tags_without_end(folder, name):
    return workbook(folder / name, table([SAID]) + '<f/><c r="A1" t="e" ' * 200_000)


def impossible_cell(folder, name):
    return workbook(folder / name, table([SAID]) + row(3, cell("ZZZZZZZZ99999999999", SAID)))


def farthest_cell(folder, name):
    return workbook(folder / name, table([SAID]) + row(1_048_576, cell("XFD1048576", SAID)))


def overlapping_merges(folder, name):
    merges = '<mergeCell ref="A2:A9000"/>' * 3000
    return workbook(
        folder / name, table([SAID] * 9000), after=f"<mergeCells>{merges}</mergeCells>", sheet="乱"
    )


def text_of_one_million_in_every_row(folder, name):
    cells = (row(n, f'<c r="A{n}" t="s"><v>0</v></c>') for n in range(1, 20_000))
    return workbook(folder / name, cells, shared=f"<si><t>{'啊' * 1_000_000}</t></si>")


def web_page(folder, name):
    return put(folder, name, f"<html><table><tr><td>意见</td></tr><tr><td>{SAID}</td></tr></table></html>")


def xml_of_2003(folder, name):
    return put(folder, name, f'\ufeff<?xml version="1.0"?><Workbook><Data>{SAID}</Data></Workbook>')


def charts_only(folder, name):
    book = openpyxl.Workbook()
    book.create_chartsheet("图").add_chart(BarChart())
    del book["Sheet"]
    book.save(folder / name)
    return folder / name


def two_page_zip(folder, name):
    with zipfile.ZipFile(folder / name, "w") as package:
        package.writestr("意见.txt", SAID)
    return folder / name


def biff2(folder, name):
    return put(folder, name, b"\x09\x00\x04\x00\x02\x00\x10\x00" + SAID.encode("gb18030"))


WORKBOOKS = [
    (truncated, "a.xlsx", f"表格 a.xlsx {DAMAGED}"),
    (locked, "a.xlsx", "表格 a.xlsx 有打开密码；请在表格程序中取消密码后再试。"),
    (lambda folder, name: old_workbook_with_password(folder / name), "a.xls", "表格 a.xls 有打开密码；请在表格程序中取消密码后再试。"),
    (lambda folder, name: put(folder, name, OLD_WORKBOOK.read_bytes()[:3000]), "a.xls", f"表格 a.xls {DAMAGED}"),
    (lambda folder, name: put(folder, name, SAID), "a.xlsx", f"表格 a.xlsx {DAMAGED}"),
    (lambda folder, name: put(folder, name, os.urandom(5000)), "a.xls", f"表格 a.xls {DAMAGED}"),
    (biff2, "a.xls", f"表格 a.xls {DAMAGED}"),
    (two_page_zip, "a.xlsx", f"表格 a.xlsx {DAMAGED}"),
    (no_strings, "a.xlsx", f"表格 a.xlsx {BROKEN_OFF}"),
    (wrong_string, "a.xlsx", f"表格 a.xlsx {BROKEN_OFF}"),
    (cut_strings, "a.xlsx", f"表格 a.xlsx {DAMAGED}"),
    (cut_sheet, "a.xlsx", f"表格 a.xlsx {BROKEN_OFF}"),
    (tags_without_end, "a.xlsx", f"表格 a.xlsx {BROKEN_OFF}"),
    (impossible_cell, "a.xlsx", f"表格 a.xlsx {BROKEN_OFF}"),
    (farthest_cell, "a.xlsx", f"表格 a.xlsx {BROKEN_OFF}"),
    (text_of_one_million_in_every_row, "a.xlsx", f"表格 a.xlsx {BROKEN_OFF}"),
    (overlapping_merges, "a.xlsx", "表格 a.xlsx 的工作表“乱”里的合并单元格互相重叠，文件已损坏；请用表格程序打开后另存再试。"),
    (web_page, "a.xls", "文件 a.xls 其实是网页或 XML，不是表格；请用表格程序打开，另存为 .xlsx 再试。"),
    (xml_of_2003, "a.xls", "文件 a.xls 其实是网页或 XML，不是表格；请用表格程序打开，另存为 .xlsx 再试。"),
    (charts_only, "a.xlsx", "文件 a.xlsx 找不到意见内容列；表是空的，请检查是不是这个文件。"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "name", "line"), WORKBOOKS, ids=lambda value: getattr(value, "__name__", "")
)
def test_workbooks_that_cannot_be_used(tmp_path, classify, make, name, line):
    refused(classify(make(tmp_path, name)), line)


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "csv", "tsv", "jsonl", "parquet", "txt"])
def test_empty_files_of_every_kind(tmp_path, classify, suffix):
    refused(classify(put(tmp_path, f"a.{suffix}", b"")), f"文件 a.{suffix} {BLANK_FILE}")


def test_an_old_workbook_damaged_anywhere_ends_in_one_line_or_is_read(tmp_path):
    """The library aborts the process on some of these: it must be another process."""
    ends = [problem(path) for path in damaged_old_workbooks(tmp_path, 60)]
    assert "" in ends, "some changes do no harm"
    assert len(set(ends)) > 10
    assert all("请" in line and "\n" not in line for line in ends if line)


def problem(path):
    """The line that a file is refused with; "" where all its rows are read and told."""
    intake = Intake(find_files([path]))
    try:
        rows = list(intake)
    except InputError as error:
        return str(error)
    assert len(rows) == intake.rows == intake.accepted + intake.rejected
    return ""


# ---- workbooks that are odd and can be read


def test_workbooks_under_each_others_names(tmp_path, classify):
    workbook(tmp_path / "a.xlsx", table([SAID])).rename(tmp_path / "a.xls")
    put(tmp_path, "b.xlsx", OLD_WORKBOOK.read_bytes())
    read(classify("a.xls", "b.xlsx"), 3, (5, EMPTY))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "txt", "parquet"])
def test_workbooks_under_the_name_of_a_text(tmp_path, classify, suffix):
    workbook(tmp_path / "a.xlsx", table([SAID])).rename(tmp_path / f"a.{suffix}")
    put(tmp_path, f"b.{suffix}", OLD_WORKBOOK.read_bytes())
    read(classify(f"a.{suffix}", f"b.{suffix}"), 3, (5, EMPTY))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_text_under_the_name_of_a_workbook(tmp_path, classify, encoding):
    text = f"编号\t意见\n1\t{SAID}\n2\t\n"
    read(classify(put(tmp_path, "a.xls", text.encode(encoding))), 1, (3, EMPTY))


def test_a_million_empty_formatted_rows(tmp_path, classify):
    blank = (row(n, f'<c r="A{n}" s="0"/><c r="XFD{n}" s="0"/>') for n in range(3, 100_000))
    read(classify(workbook(tmp_path / "a.xlsx", [table([SAID]), *blank])), 1)
    path = workbook(tmp_path / "b.xlsx", table([SAID]), after='<dimension ref="A1:XFD1048576"/>')
    read(classify(path), 1)


def test_merged_everything(tmp_path, classify):
    merges = '<mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells>'
    read(classify(workbook(tmp_path / "a.xlsx", table([SAID, "", ""]), after=merges)), 3)


def test_formulas_with_and_without_results(tmp_path, classify):
    rows = [
        row(1, cell("A1", "意见"), cell("B1", "部门")),
        row(2, '<c r="A2" t="str"><f>B1</f><v>办事拖拉</v></c>', '<c r="B2"><f>B1</f><v></v></c>'),
        row(3, '<c r="A3"><f>B1&amp;"x"</f></c>'),
        row(4, '<c r="A4" t="e"><f>1/0</f><v>#DIV/0!</v></c>', cell("B4", "质检站")),
        row(5, """<c r="A5" t="str"><f>DDE("cmd";"/c calc";"x")</f><v>态度不好</v></c>"""),
        row(6, '<c r="A6" t="str"><f>[1]Sheet1!A1</f><v>收费太高</v></c>'),
        row(9, '<c r="A9"><f t="shared" si="0"/><v/></c>'),
    ]
    result = classify(workbook(tmp_path / "a.xlsx", rows))
    read(result, 3, (3, NOT_CALCULATED), (4, NOT_CALCULATED), (9, NOT_CALCULATED))
    with (tmp_path / "结果/opinions.csv").open(encoding="utf-8-sig", newline="") as file:
        said = [(line["text"], line["department"]) for line in csv.DictReader(file)]
    assert said == [("办事拖拉", ""), ("态度不好", ""), ("收费太高", "")]


def test_hidden_sheets_are_read_and_told_and_sheets_of_charts_passed_by(tmp_path, classify):
    book = openpyxl.Workbook()
    book.active.append(["意见"])
    book.active.append(["办事拖拉"])
    book.create_chartsheet("图").add_chart(BarChart())
    for state in ("hidden", "veryHidden"):
        sheet = book.create_sheet(state)
        sheet.sheet_state = state
        sheet.append(["意见"])
        sheet.append(["态度不好"])
    book.save(tmp_path / "a.xlsx")
    result = classify("a.xlsx")
    read(result, 3)
    assert result[2]["notices"] == {"所在的工作表是隐藏的，也已读入": 2}


def test_dates_of_1900_and_9999_and_of_words(tmp_path, classify):
    book = openpyxl.Workbook()
    book.active.append(["意见", "日期"])
    days = (
        dt.date(1900, 1, 1),
        dt.date(9999, 12, 31),
        "上周三",
        -5,
        1e300,
        2_958_466,
        dt.date(2025, 3, 5),
    )
    for number, day in enumerate(days):
        book.active.append([f"办事拖拉，跑了{number}趟", day])
        if isinstance(day, int | float):
            book.active.cell(number + 2, 2).number_format = "yyyy-mm-dd"
    book.save(tmp_path / "a.xlsx")
    result = classify("a.xlsx")
    read(result, 7)
    assert result[2]["notices"] == {"日期认不出，按空白处理": 6}
    with (tmp_path / "结果/opinions.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [line["collected_on"] for line in csv.DictReader(file)] == [""] * 6 + ["2025-03-05"]


def test_headers_below_and_of_two_rows(tmp_path, classify):
    rows = [row(3, cell("A3", "汇总表")), row(20, cell("A20", "部门"), cell("B20", "反映情况"))]
    rows += [
        row(21, cell("B21", "意见内容"), cell("C21", "日期")),
        row(22, cell("A22", "质检站"), cell("B22", SAID)),
    ]
    read(classify(workbook(tmp_path / "a.xlsx", rows)), 1)


def test_cells_too_long(tmp_path, classify):
    megabyte = "啊" * (1 << 20)
    rows = [
        row(1, cell("A1", "意见"), cell("B1", "部门"), cell("C1", "标题")),
        row(2, cell("A2", megabyte)),
        row(3, cell("A3", SAID), cell("B3", megabyte)),
        row(4, cell("A4", SAID), cell("C4", megabyte)),
        row(5, cell("A5", SAID)),
    ]
    long = "意见内容超过 20000 字，请拆开或缩短"
    read(
        classify(workbook(tmp_path / "a.xlsx", rows)),
        1,
        (2, long),
        (3, "部门超过 2000 字，请缩短"),
        (4, long),
    )


def test_names_of_sheets_that_break_lines(tmp_path, classify):
    path = workbook(tmp_path / "a.xlsx", table(["", SAID]) + row(9, cell("B9", "x")), sheet="一\n二\u202e三")
    result = classify(path)
    read(result, 1, (9, EMPTY))
    assert result[3][0]["sheet"] == "一 二�三"


# ---- text files


TEXTS = [
    ("a.csv", "\ufeff\n\n  \n", "文件 a.csv 找不到意见内容列；表是空的，请检查是不是这个文件。"),
    ("a.csv", f"1,{SAID}\n2,张三受贿\n", f"文件 a.csv 找不到意见内容列；{NO_HEADER.format(2)}"),
    ("a.csv", f"张三受贿,质检站\n{SAID},人事处\n", f"文件 a.csv 找不到意见内容列；{NO_HEADER.format(2)}"),
    ("a.csv", f'"意见,部门\n{SAID},质检站\n', f"文件 a.csv 找不到意见内容列；第 1 行：{UNPAIRED}；请改正后再试。"),
    ("a.csv", "编号,意见\n1,".encode() + SAID.encode() + b"\n2," + SAID.encode("gb18030") + b"\n",
     "认不出文件 a.csv 的编码（UTF-8 第 3 行 在第 58 字节处不合，GB18030 第 2 行 在第 54 字节处不合）；文件可能不完整，或混有两种编码，请另存为 UTF-8 再试。"),
    ("a.csv", "编号,意见\n".encode("gb18030") + ("1," + SAID + "的\n").encode(),
     "认不出文件 a.csv 的编码（UTF-8 第 1 行 在第 0 字节处不合，GB18030 第 2 行 其实是 UTF-8）；文件可能不完整，或混有两种编码，请另存为 UTF-8 再试。"),
    ("a.csv", f"编号,意见\n1,{SAID}".encode()[:-1],
     "认不出文件 a.csv 的编码（UTF-8 第 2 行 在第 54 字节处不合，GB18030 第 1 行 其实是 UTF-8）；文件可能不完整，或混有两种编码，请另存为 UTF-8 再试。"),
    ("a.jsonl", f'[\n{{"text":\n"{SAID}"}}\n]', '文件 a.jsonl 没有一行是 JSON 对象；请改成一行一个对象，如 {"text": "……"}。'),
    ("a.jsonl", f'{{"said": "{SAID}", "unit": 1}}', "文件 a.jsonl 找不到意见内容列；见到的列名：said、unit。请用 --column text=列名 指定。"),
    ("a.jsonl", "\n".join(json.dumps({f"{SAID}{n}": 1}) for n in range(MOST_KEYS + 1)),
     f"文件 a.jsonl 到第 {MOST_KEYS + 1} 行已有 {MOST_KEYS} 个以上不同的键；请让每条记录用同样的键。"),
    ("a.csv", "意见" + "," * MOST_COLUMNS + f"\n{SAID}\n", f"文件 a.csv 找不到意见内容列；第 1 行：这一行超过 {MOST_COLUMNS} 列；请改正后再试。"),
    ("~$a.xlsx", "\x05张三", "文件 ~$a.xlsx 是表格程序打开表格时留下的锁文件，里面没有意见；请改选原文件。"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "line"), TEXTS)
def test_text_files_that_cannot_be_used(tmp_path, classify, name, content, line):
    refused(classify(put(tmp_path, name, content)), line)


def test_stray_quotes_nul_bytes_and_rows_of_other_widths(tmp_path, classify):
    lines = [
        "编号,意见,部门",
        "1,办事\0拖拉\0,质检站",
        '2,"态度不好,质检站',
        '3,他说"办不了"就挂了,质检站',
        "4,收费太高" + ",x" * 198,
        "5",
        '6,"甲处说：\n拖着吧",质检站',
        '7,"一"二",质检站',
        "\0\0",
        '8,"最后一行没有完',
    ]
    result = classify(put(tmp_path, "a.csv", "\r\n".join(lines)))
    read(result, 4, (3, UNPAIRED), (6, EMPTY), (9, UNPAIRED), (11, UNPAIRED))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(tmp_path, classify, end):
    read(classify(put(tmp_path, "a.csv", end.join(["编号,意见", f"1,{SAID}", "2,", "3,好"]))), 2, (3, EMPTY))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32", "gb18030", "utf-8-sig"])
def test_encodings_without_a_mark(tmp_path, classify, encoding):
    lines = ["编号,意见内容", *(f"{n},{SAID}，这已经是第{n}次了" for n in range(60))]
    read(classify(put(tmp_path, "a.csv", "\n".join(lines).encode(encoding))), 60)


def test_marks_that_turn_the_writing_are_dropped(tmp_path, classify):
    text = f"编号,\u200f意见\u202c内容,部门\n\u202e1,\u202e{SAID}\u2066,\u200f质检站\u200f\n"
    read(classify(put(tmp_path, "a.csv", text)), 1)
    written = (tmp_path / "结果/opinions.csv").read_text(encoding="utf-8-sig")
    assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", written)
    assert "\n1,〔姓名〕科长收了两万元才肯盖章,产品质量监督检验站," in written


def test_halves_of_characters_nests_and_odd_values_in_jsonl(tmp_path, classify):
    lines = [
        r'{"text": "办事\ud800拖拉", "id": "\udfff", "部门": "\ud83d质检站", "来源单位": "\ud800", "渠道": "\udc00", "日期": "\ud800"}',
        '{"text": "' + SAID + '", "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"text": ' + "[" * 200 + "]" * 200 + "}",
        '{"text": {"zh": "办事拖拉"}}',
        '{"text": ["办事拖拉", {"x": 1}, null]}',
        '{"text": NaN}',
        '{"text": ' + "9" * 5000 + "}",
        '{"text": 1e999, "id": 12345678901234567890123456789012345678901234567890}',
        '{"text": "办事\\u0000拖拉", "id": "\\u0000\\u001b[2J"}',
        '{"text": "没有完',
        "null",
        '{"text": "a", "text": "态度不好"}',
    ]
    result = classify(put(tmp_path, "a.jsonl", "\n".join(lines)))
    read(result, 5, *((n, NO_OBJECT) for n in (2,)), (3, EMPTY), (4, EMPTY), (6, EMPTY),
         *((n, NO_OBJECT) for n in (7, 10, 11)))  # fmt: skip
    assert "\x1b" not in (tmp_path / "结果/opinions.csv").read_text(encoding="utf-8-sig")


def test_the_header_again_in_the_middle_and_blank_rows(tmp_path, classify):
    text = f"编号,意见\n1,{SAID}\n,\n\n编号,意见\n合计,\n"
    read(classify(put(tmp_path, "a.csv", text)), 1, (5, "重复的表头行"), (6, f"{EMPTY}（表尾说明或合计行）"))


# ---- parquet


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_columns_of_every_kind(tmp_path, classify):
    path = parquet(
        tmp_path / "a.parquet",
        text=pa.array([SAID.encode(), b"", None, b"\xff\xfe\xff"], pa.binary()),
        department=pa.array(["质检站", None, "质检站", "质检站"]).dictionary_encode(),
        collected_on=pa.array([0, 10**15, 2**52, None], pa.timestamp("ms")),
    )
    refused(classify(path), "文件 a.parquet 第 0 行之后损坏，读不下去。请重新导出再试。")
    path = parquet(
        tmp_path / "b.parquet",
        text=pa.array([SAID.encode(), b"", None, b"\xff\xfe\xff"], pa.binary()),
        department=pa.array(["质检站", None, "质检站", "质检站"]).dictionary_encode(),
        labels=pa.array([{"a": 1}, None, {"a": 2}, {"a": 3}], pa.struct([("a", pa.int8())])),
        channel=pa.array([[1, 2], None, [], [3]], pa.list_(pa.int8())),
        extra=pa.array([b"x", None, b"\xff", b""], pa.large_binary()),
    )
    read(classify(path), 2, (2, EMPTY), (3, EMPTY))


def test_parquet_cut_off_or_too_large(tmp_path, classify):
    whole = parquet(tmp_path / "whole.parquet", text=[f"{SAID}{n}" for n in range(3000)]).read_bytes()
    broken = "文件 a.parquet 不是完好的 Parquet 文件；请重新导出再试。"
    for content in (whole[:-1], whole[: len(whole) // 2], b"PAR1" * 3, SAID.encode()):
        refused(classify(put(tmp_path, "a.parquet", content)), broken)
    nothing = pa.nulls(20_000_000)
    pq.write_table(
        pa.table({"text": nothing, **{str(n): nothing for n in range(15)}}), tmp_path / "b.parquet"
    )
    refused(
        classify(tmp_path / "b.parquet"),
        "文件 b.parquet 有 20000000 行 16 列，太大；请只留需要的列，或拆成几个文件。",
    )
    wide = parquet(tmp_path / "c.parquet", **{str(n): [SAID] for n in range(MOST_COLUMNS + 1)})
    line = f"文件 c.parquet 有 1 行 {MOST_COLUMNS + 1} 列，太大；请只留需要的列，或拆成几个文件。"
    refused(classify(wide), line)


# ---- folders


def test_a_folder_full_of_traps(tmp_path, classify):
    folder = tmp_path / "意见"
    (folder / "下").mkdir(parents=True)
    put(folder, "a.csv", f"意见\n{SAID}\n")
    put(folder, "~$b.xlsx", b"\x05")
    put(folder, ".c.csv", SAID)
    put(folder, "d\n错误：e.csv", f"意见\n{SAID}\n\n")
    put(folder / "下", os.fsdecode("乙处.txt".encode("gb18030")), SAID)
    (folder / "round.csv").symlink_to("round.csv")
    (folder / "下/up").symlink_to(folder)
    (folder / "zero.csv").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.csv")
    result = classify(folder)
    read(result, 3)
    assert [file["name"] for file in result[2]["files"]] == ["a.csv", "d 错误：e.csv", "下/乙处.txt"]
    assert result[2]["files_passed_over"] == ["pipe.csv", "round.csv", "zero.csv", "~$b.xlsx", "下/up"]


def test_inputs_that_are_no_files(tmp_path, classify):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "round.csv").symlink_to("round.csv")
    (tmp_path / "empty").mkdir()
    formats = "可读格式：.xlsx、.xls、.csv、.tsv、.jsonl、.parquet、.txt"
    pipe = "是管道或设备，不是文件；请先存成文件再试。"
    refused(classify("pipe.csv"), f"pipe.csv {pipe}")
    refused(classify("/dev/zero"), f"/dev/zero {pipe}")
    with pytest.raises(InputError, match=r"^找不到文件或文件夹：round.csv；请检查路径。$"):
        find_files([Path("round.csv")])
    refused(classify("a\nb.csv"), "找不到文件或文件夹：a b.csv；请检查路径。")
    refused(classify("x" * 300 + ".csv"), f"读不到 {'x' * 300}.csv：文件名太长。")
    refused(classify("empty"), f"文件夹 empty 里没有可读的文件；{formats}。")
    put(tmp_path, "a.docx", SAID)
    refused(classify("a.docx"), f"文件 a.docx 的格式“.docx”不能读；{formats}。")
    put(tmp_path, "a\nb.csv", f"甲\n{SAID}\n")
    refused(
        classify("a\nb.csv"), "文件 a b.csv 找不到意见内容列；见到的列名：甲。请用 --column text=列名 指定。"
    )


def test_what_may_not_be_read(tmp_path):
    """As another user where the tests are root's: root reads everything."""
    put(tmp_path, "a.csv", f"意见\n{SAID}\n").chmod(0)
    (tmp_path / "shut").mkdir(mode=0)
    for place in (tmp_path, *tmp_path.parents):
        if place.stat().st_uid == os.getuid() and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o055)
    code = (
        "import os, sys; from pipeline.intake.files import find_files; from pipeline.intake.reading import Intake; "
        "from pipeline.errors import InputError\n"
        "try: os.getuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534))\n"
        "except OSError: sys.exit(77)\n"
        "for name in ('a.csv', 'shut', 'shut/b.csv'):\n"
        "    try: list(Intake(find_files([__import__('pathlib').Path(name)])))\n"
        "    except InputError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if done.returncode == 77:
        pytest.skip("in a namespace of its own root has no other user to be")
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "读不到文件 a.csv：没有权限，请换一个位置或检查权限。",
        "文件夹 shut 打不开：没有权限，请换一个位置或检查权限。",
        "读不到 shut/b.csv：没有权限，请换一个位置或检查权限。",
    ]


def test_what_the_child_sends_can_run_nothing(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    day = dt.datetime.fromisoformat("2025-03-05T08:30")
    assert _received(io.BytesIO(pickle.dumps([day, day.date(), day.time(), 1.5, "意见"]))) == [
        day, day.date(), day.time(), 1.5, "意见",
    ]  # fmt: skip
    with pytest.raises(EOFError):
        _received(io.BytesIO(pickle.dumps(Hostile())))
    assert not (tmp_path / "made").exists()


# ---- giants, in a child with little memory


def test_a_line_of_100_megabytes(tmp_path):
    with (tmp_path / "a.txt").open("wb") as file:
        file.write(f"{SAID}\n".encode())
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(f"\n{SAID}\n".encode())
    read(in_a_child(tmp_path, "a.txt"), 2, (2, TOO_LONG))


def test_a_csv_of_one_line_of_100_megabytes(tmp_path):
    with (tmp_path / "a.csv").open("wb") as file:
        for _ in range(100):
            file.write(f"{SAID},".encode() * 27_000)
    line = f"文件 a.csv 找不到意见内容列；第 1 行：{TOO_LONG}；请改正后再试。"
    refused(in_a_child(tmp_path, "a.csv"), line)


def test_a_record_of_50_megabytes_in_jsonl(tmp_path):
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.write(f'{{"text": "{SAID}"}}\n{{"text": "'.encode())
        for _ in range(50):
            file.write(b"x" * (1 << 20))
        file.write(f'"}}\n{{"text": "{SAID}"}}\n'.encode())
    read(in_a_child(tmp_path, "a.jsonl"), 2, (2, TOO_LONG))


def test_a_million_columns(tmp_path):
    columns = "意见" + ",甲" * 1_000_000
    (tmp_path / "a.csv").write_text(f"{columns}\n{SAID}\n", encoding="utf-8")
    line = f"文件 a.csv 找不到意见内容列；第 1 行：这一行超过 {MOST_COLUMNS} 列；请改正后再试。"
    refused(in_a_child(tmp_path, "a.csv"), line)
    (tmp_path / "b.csv").write_text(f"意见\n{columns}\n{SAID}\n", encoding="utf-8")
    read(in_a_child(tmp_path, "b.csv"), 1, (2, f"这一行超过 {MOST_COLUMNS} 列"))


def test_a_zip_bomb(tmp_path, classify):
    assert bomb(tmp_path / "a.xlsx", 10 << 30).stat().st_size < 32 << 20
    too_large = "解开后超过 512 MB；请拆成几个表，或另存为 csv 再试。"
    refused(classify("a.xlsx"), f"表格 a.xlsx {too_large}")
    bomb(tmp_path / "b.xlsx", 1 << 30, says=500 << 20)
    refused(in_a_child(tmp_path, "b.xlsx"), f"表格 b.xlsx {DAMAGED}")


def test_a_file_without_end(tmp_path, classify):
    with (tmp_path / "a.csv").open("wb") as file:
        file.write(f"意见\n{SAID}\n".encode())
        file.truncate(1 << 40)
    refused(classify("a.csv"), f"文件 a.csv 超过 {LARGEST >> 30} GB；请拆成几个文件再试。")
    with (tmp_path / "b.csv").open("wb") as file:
        file.write(f"意见\n{SAID}\n".encode())
        file.truncate(1 << 28)
    read(in_a_child(tmp_path, "b.csv"), 1, (3, TOO_LONG))


def test_quotes_that_never_pair_cost_no_more_than_their_length(tmp_path, classify):
    block = '"\n' + '""\n' * 40_000
    (tmp_path / "a.csv").write_text("意见\n" + block * 3, encoding="utf-8")
    result = classify("a.csv")
    assert result[0] == 0
    assert {line["reason"] for line in result[3]} == {UNPAIRED}
    assert result[2]["rows_read"] == 3


# ---- any bytes at all


@pytest.mark.parametrize("suffix", ["csv", "tsv", "txt", "jsonl", "xls", "xlsx", "parquet"])
def test_bytes_of_chance_end_in_rows_or_one_line(tmp_path, suffix):
    chance = random.Random(7)  # noqa: S311  # the same bytes every time
    marks = [
        '"',
        ",",
        "\n",
        "\r",
        "\t",
        "\0",
        "意见",
        "{",
        "}",
        '"text":',
        "<",
        "PK\x03\x04",
        "\ufeff",
        "\u202e",
    ]
    for number in range(40):
        some = "".join(chance.choices(marks, k=chance.randrange(60))).encode(
            chance.choice(["utf-8", "gb18030", "utf-16"])
        )
        content = some + chance.randbytes(chance.randrange(4)) + some
        path = put(
            tmp_path, f"{number}.{suffix}", f"意见\n{SAID}\n".encode() + content if number % 2 else content
        )
        line = problem(path)
        assert "\n" not in line
        assert SAID[:4] not in line


def children_of_ours():
    """Processes begun by this one, at work or ended and not waited for."""
    tasks = Path("/proc/self/task").iterdir()
    return {child for task in tasks for child in (task / "children").read_text("ascii").split()}


def test_no_child_and_no_open_file_is_left(tmp_path, classify):
    before, begun = len(list(Path("/proc/self/fd").iterdir())), children_of_ours()
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    path = workbook(tmp_path / "a.xlsx", table([SAID] * 5000))
    sheets = Intake(find_files([path]))
    next(iter(sheets))
    del sheets
    read(classify("a.xlsx"), 5000)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime > children
    assert children_of_ours() <= begun, "none but those that other tests left at work"
