"""Files → opinions and rejections: formats, encodings, messy sheets, dates, ids, bad rows."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.intake import delimited
from pipeline.intake.files import find_files
from pipeline.intake.identities import IMPERSONAL
from pipeline.intake.lines import LONGEST_LINE
from pipeline.intake.reading import Intake
from pipeline.intake.repeats import Repeats
from pipeline.intake.sheets import Row
from pipeline.intake.values import as_date, as_text
from pipeline.records import Opinion, Rejection
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.text.shingles import N_PERMUTATIONS, shingles, signature
from tests.conftest import SHARED

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
@settings(deadline=None)
def test_rows_are_conserved(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("rows") / "a.csv"
    pd.DataFrame({"编号": range(len(cells)), "意见": cells}).to_csv(path, index=False)
    intake, rows = read(path)
    assert intake.rows == len(cells)
    assert sum(isinstance(row, Opinion) for row in rows) == sum(bool(cell.strip()) for cell in cells)


@given(st.text(max_size=80))
def test_signatures_are_those_of_datasketch(text):
    minhash = MinHash(num_perm=N_PERMUTATIONS, seed=1, hashfunc=int, scheme="affine32", gpu_mode="disable")
    minhash.update_batch(shingles(text).tolist())
    assert np.frombuffer(signature(text), dtype="<u4")[:-1].tolist() == minhash.hashvalues.tolist()


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


def test_what_a_row_says_is_in_no_repr():
    said = "张科长收了两万"
    row = Row(3, (said,), 0.5)
    opinion = Opinion(id="1", text=said, source_unit=said)
    rejection = Rejection(file="a.csv", sheet="", row=3, reason="意见内容为空", content=said)
    assert said not in f"{row!r}{opinion!r}{rejection!r}"


def test_an_old_xls_workbook_is_read():
    _, rows = read(Path(__file__).parent / "files/opinions.xls")
    assert facts(row for row in rows if isinstance(row, Opinion)) == ROWS
    assert [(row.sheet, row.row, row.reason) for row in rows if isinstance(row, Rejection)] == [
        ("意见", 5, "意见内容为空")
    ]


def test_a_stray_quote_costs_its_own_row_only(write):
    rows = [f"{i},意见{i}没有办完,质检站" for i in range(1, 40)]
    rows[0] = '1,"质检站拿走两箱酒,质检站'
    rows[20] = '21,"甲处说：\n拖着吧",质检站'
    rows[30] = '31,他说"办不了"就挂了,质检站'
    _, rows_read = read(write("a.csv", "编号,意见,部门\n" + "\n".join(rows) + "\n"))
    rejected = [row for row in rows_read if isinstance(row, Rejection)]
    assert [(row.row, row.reason) for row in rejected] == [(2, "引号没有配对，无法拆成列")]
    assert rejected[0].content == rows[0]
    texts = {row.id: row.text for row in rows_read if isinstance(row, Opinion)}
    assert len(texts) == 38
    assert texts["21"] == "甲处说：\n拖着吧"
    assert texts["31"] == '他说"办不了"就挂了'


def test_two_stray_quotes_do_not_pair_over_the_rows_between(write):
    rows = ['1,"一,甲', "2,二,乙", "3,三,丙", '4,"四,丁', "5,五,戊"]
    _, rows_read = read(write("a.csv", "编号,意见,部门\n" + "\n".join(rows)))
    assert [row.text for row in rows_read if isinstance(row, Opinion)] == ["二", "三", "五"]
    assert [row.row for row in rows_read if isinstance(row, Rejection)] == [2, 5]


def test_utf16_without_a_mark_is_told_from_gb18030(write):
    text = "意见内容，部门\n质检站的同志来抽样，多拿了两箱，没有打条子。\n"
    for encoding in ("utf-16-le", "utf-16-be", "gb18030", "utf-8"):
        _, rows = read(write("a.txt", text, encoding))
        assert [row.text for row in rows] == text.splitlines()


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf\xe6\x84\xff", b"\xff\xfe\x61"])
def test_a_damaged_text_file_is_named_with_its_place(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"^认不出文件 a.csv 的编码（UTF-.* 在第 \d+ 字节处不合）"):
        read(tmp_path / "a.csv")


def test_a_data_row_that_holds_a_headers_name_is_data(write):
    _, rows = read(write("a.csv", "类别,意见\n时间,办事太慢\n方式,态度不好\n"))
    assert [row.text for row in rows] == ["办事太慢", "态度不好"]
    _, rows = read(write("b.csv", "编号,意见\n部门,质检站拖了半年\n2,好\n"))
    assert [row.id for row in rows] == ["部门", "2"]


def test_jsonl_records_may_have_different_keys(write):
    lines = [json.dumps({"text": f"意见{i}"}, ensure_ascii=False) for i in range(1200)]
    lines += ['{"text": "末条", "部门": "质检站", "日期": "2025-03-05"}', "[" * 100_000]
    _, rows = read(write("a.jsonl", "\n".join(lines)))
    assert (rows[1200].department, rows[1200].collected_on) == ("质检站", "2025-03-05")
    assert rows[1201].reason == "这一行不是 JSON 对象"


def test_a_damaged_parquet_file_is_named(write, tmp_path):
    pd.DataFrame({"text": ["意见" * 50 + str(i) for i in range(5000)]}).to_parquet(tmp_path / "a.parquet")
    whole = bytearray((tmp_path / "a.parquet").read_bytes())
    whole[200:4000] = b"\0" * 3800
    (tmp_path / "a.parquet").write_bytes(bytes(whole))
    with pytest.raises(InputError, match=r"^文件 a.parquet 第 \d+ 行之后损坏，读不下去。"):
        read(tmp_path / "a.parquet")


def test_data_without_a_header_is_not_quoted_in_the_error(write):
    path = write("a.csv", "1,质检站张三科长收了我两万元,质检站\n2,好,糖业公司\n")
    with pytest.raises(InputError) as refused:
        read(path)
    assert str(refused.value) == (
        "文件 a.csv 找不到意见内容列；前 30 行里没有像表头的一行（共 3 列）。请加上表头，或用 --column text=列名 指定。"
    )


def test_a_named_column_that_is_nowhere_is_refused(write):
    path = write("a.csv", "意见内容,单位\n好,甲\n")
    with pytest.raises(InputError, match=r"^--column 指定的列“不存在”在任何文件里都没有找到。$"):
        read(path, columns={"department": "不存在"})
    _, rows = read(path, columns={"department": "单位"})
    assert rows[0].department == "甲"


def test_an_id_that_is_personal_data_is_not_used(write):
    intake, rows = read(write("a.csv", "编号,意见内容\n13912345678,好\n7,差\n"))
    assert [row.id for row in rows] == ["a:2", "7"]
    assert intake.notices == {"编号像个人信息（如手机号），已改用文件名和行号": 1}


def test_folders_skip_what_they_must_and_say_so(write, tmp_path):
    write("in/a.txt", "好")
    write("in/b.docx", "x")
    write("in/~$a.xlsx", "x")
    write("in/结果/findings.csv", "x")
    (tmp_path / "in/gone.txt").symlink_to(tmp_path / "nowhere.txt")
    found = find_files([tmp_path / "in"], output=tmp_path / "in/结果")
    assert [source.name for source in found] == ["a.txt"]
    assert found.passed_over == ["b.docx", "gone.txt", "~$a.xlsx"]
    with pytest.raises(InputError, match="结果文件夹不能就是输入文件夹"):
        find_files([tmp_path / "in"], output=tmp_path / "in")


# ---- the quick way and the careful one


def split(text, *, carefully=False):
    """Rows of a table's text, number, cells and problem; ``carefully`` each record by itself."""
    with pytest.MonkeyPatch.context() as patch:
        if carefully:
            patch.setattr(delimited, "_regular", lambda *_: ([], 0))
        rows = delimited.split_records(io.StringIO(text, newline=""), ",", len(text))
        return [(row.number, row.cells, row.problem) for row in rows]


TABLE_PIECES = (
    "甲",
    "x",
    ",",
    '"',
    '""',
    '",',
    ',"',
    '"\n',
    "\n",
    "\r",
    "\r\n",
    "\0",
    "\t",
    " ",
    "\u2028",
    "\x0b",
    "\x1c",
    "长" * 400,
)


@given(st.lists(st.sampled_from(TABLE_PIECES), max_size=200).map("".join), st.sampled_from([1, 3, 256]))
@settings(max_examples=300, deadline=None)
def test_records_split_together_are_those_split_one_by_one(text, batch):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BATCH", batch)
        assert split(text) == split(text, carefully=True)


def test_records_that_run_over_what_is_read_ahead_or_are_too_long():
    line = "长" * 99 + "\n"
    long, longest = line * (delimited._AHEAD // 100), line * (delimited._LONGEST_RECORD // 100 - 1)
    rows = ["甲,乙\n"] * 300
    whole = "".join([*rows, f'1,"{long}"\n', *rows, f'2,"{longest}"\n', *rows])
    assert split(whole) == split(whole, carefully=True)
    assert {(len(cells), problem) for _, cells, problem in split(whole)} == {(2, "")}
    broken = whole + f'3,"{longest}{line}{line}"\n' + "".join(rows)
    assert split(broken) == split(broken, carefully=True)
    assert next(cells for _, cells, problem in split(broken) if problem) == (f'3,"{line.strip()}',)


def test_lines_that_are_too_long_and_rows_that_are_too_wide_among_others():
    rows = "甲,乙\n" * 300
    text = f"{rows}{'长' * (LONGEST_LINE + 1)}\n{rows}{',' * delimited.MOST_COLUMNS}\n{rows}"
    assert split(text) == split(text, carefully=True)
    assert [number for number, _, problem in split(text) if problem] == [301, 602]


def test_the_quick_way_is_taken_by_well_formed_records(monkeypatch):
    def odd(*_):
        raise AssertionError("taken one by one")

    monkeypatch.setattr(delimited, "_odd", odd)
    text = '编号,意见\r\n1,"两行\n正文，他说""好"""\r\n\r\n2,\r\n' * 50
    assert len(split(text)) == 150


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real messages are not on this machine")
def test_real_messages_are_split_as_one_by_one():
    with (SHARED / "real/messages.csv").open(encoding="utf-8-sig", newline="") as file:
        text = file.read(3_000_000)
    assert split(text) == split(text, carefully=True)


ID_PIECES = (
    "13912345678 139 1234 12345678 0 00 86 0086 0102345678 010 62 6212 62121234 xx X QQ Q q vx wx WX weixin W v passport E AB - -- l I o O a f R "
    "450103199003071234 91110000600037341L 1 2 9 8 A 12 xxx GA 19850305 2025 0771 5861234 p t 电话 微信 @ _ . 张"
).split(" ")  # fmt: skip


@given(
    st.one_of(
        st.lists(st.sampled_from(ID_PIECES), min_size=1, max_size=5).map("".join),
        st.from_regex(IMPERSONAL, fullmatch=True),
        st.text("0123456789lIoOqQvVwWxX-ARrefp", min_size=1, max_size=16),
    )
)
@settings(max_examples=800, deadline=None)
def test_an_id_that_is_not_asked_about_would_not_be_masked(given_id):
    if IMPERSONAL.fullmatch(given_id):
        assert mask(normalise(given_id)) == normalise(given_id)


@pytest.mark.parametrize(
    "told",
    [
        "QQ12345", "Q12345678", "wx12345", "VXabcde", "weixinab123", "6212xx123", "passport-A1234567", "13912345678", "0102345678", "A13912345678",
        "A013912345678", "8613912345678", "0086139123l5678", "450103199003071234", "2-13912345678",
    ],
)  # fmt: skip
def test_ids_that_are_personal_data_are_asked_about(told):
    assert mask(normalise(told)) != normalise(told)
    assert not IMPERSONAL.fullmatch(told)


@pytest.mark.parametrize(
    "plain",
    ["1", "A1", "2025-0012", "R00041ab492", "QY00000001", "20250305001", "XF20250305001", "3f2b-9c1e"],
)
def test_usual_ids_are_told_at_once(plain):
    assert IMPERSONAL.fullmatch(plain)


@given(
    st.text(st.characters(codec=None) | st.sampled_from("\ud800\udfff\udc80 \u3000\x1f\u2028甲"), max_size=20)
)
def test_a_text_cell_is_stripped_and_halves_of_characters_replaced(cell):
    assert as_text(cell) == re.sub("[\ud800-\udfff]", "�", cell).strip()


def test_a_formula_without_result_is_a_blank_but_in_the_text(write):
    text = "编号,意见,部门,日期\n#未算出的公式,甲,#未算出的公式,#未算出的公式\n2,#未算出的公式,,\n3\n"
    intake, rows = read(write("a.csv", text))
    assert facts(rows[:1]) == [("a:2", "甲", "", "")]
    assert [row.reason[:6] for row in rows[1:]] == ["意见内容是没", "意见内容为空"]
    assert not intake.notices


@pytest.mark.parametrize(
    ("content", "mark"),
    [
        ('id,text,note\r\n1,";\n;\nsp;",\r\n', ","),
        ("编号;意见\n1;等了，一天,没人\n2;催了，两次,没人\n3;好\n", ";"),
        ("意见汇总\n编号\t意见\n1\t好，好,好\n", "\t"),
        ("意见\n好\n", ","),
    ],
)
def test_columns_are_parted_by_the_mark_that_parts_most_rows_alike(content, mark):
    assert delimited.delimiter_of(content) == mark
