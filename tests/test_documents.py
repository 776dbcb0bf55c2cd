"""The leaders' page and the workbook: what they say, and what must never be in them."""

from __future__ import annotations

import dataclasses
import html
import re
import zipfile

import openpyxl
import pyarrow.parquet as pq
import pytest
from jinja2 import UndefinedError

from pipeline.documents.facts import SMALL, Facts
from pipeline.documents.page import write_page
from pipeline.documents.wording import chinese_date, percent
from pipeline.records import UNSPECIFIED

SHEETS = ["概览", "部门×类别", "汇总", "意见与类别", "待复核", "未采用的行", "方法与说明"]


@pytest.fixture(scope="module")
def page(round1):
    return (round1.folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def facts(round1, reader):
    return Facts.collect(round1.tables, round1.run, reader.model.card, reader.taxonomy)


@pytest.fixture(scope="module")
def book(round1):
    return openpyxl.load_workbook(round1.folder / "report.xlsx")


def test_the_page_needs_no_network(page):
    addresses = re.findall(r"""(?:src|href|url\()\s*=?\s*["']?([^"')\s>]+)""", page)
    assert addresses == []
    assert "http" not in page
    assert "@import" not in page


def test_no_opinion_and_no_source_is_on_the_page(page, round1):
    opinions = pq.read_table(round1.folder / "opinions.parquet").to_pylist()
    shown = html.unescape(page)
    for opinion in opinions:
        text = opinion["text"]
        pieces = [text[start : start + 8] for start in range(max(1, len(text) - 7))]
        assert not [piece for piece in pieces if len(piece) > 4 and piece in shown]
        assert not opinion["source_unit"] or opinion["source_unit"] not in shown


def test_the_page_names_no_source_even_where_the_channel_column_does(tmp_path, write):
    from pipeline.run import report

    rows = [f"第{i}趟去盖章还是没办成,青石县凉席厂王大发" for i in range(6)]
    rows += [f"第{i}次打电话没人接,热线" for i in range(6)] + ["收了两条烟,李四举报"]
    path = write("a.csv", "意见内容,来源\n" + "\n".join(rows) + "\n")
    page = (report([path], tmp_path / "out", jobs=1).folder / "report.html").read_text(encoding="utf-8")
    assert "热线" in page
    assert "其他" in page
    assert "凉席" not in page
    assert "李四" not in page


def test_the_page_says_what_came_in(page, round1):
    totals, run = round1.tables.totals, round1.run
    assert f"共收到意见 {totals['accepted']} 件，合并重复后 {totals['distinct']} 件" in page
    assert (
        f"读入 {run['rows_read']} 行，采用 {run['rows_accepted']} 行，未采用 {run['rows_rejected']} 行"
        in page
    )
    assert f"反映问题的 {totals['issue_distinct']} 件，有表扬肯定的 {totals['praise_distinct']} 件" in page
    assert "2025年3月3日至2025年4月" in page


def test_every_department_has_its_drill_down(page, round1):
    present = round1.tables.by_department.query("opinions > 0")["department"]
    assert re.findall(r"<summary><b>(.*?)</b>", page) == present.tolist()


def test_the_heat_map_holds_the_summarys_numbers(page, round1, workspace):
    (body,) = re.findall(r'<table class="heat">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    summary = round1.summary.set_index(["department", "label"])["count_distinct"]
    for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL):
        (name,) = re.findall(r'<th scope="row">(.*?)</th>', row)
        cells = re.findall(r'<td class="s(\d)">(\d*)</td>', row)
        counts = [int(number or 0) for _, number in cells]
        assert counts == [summary[name, code] for code in workspace.taxonomy.issues]
        assert [shade == "0" for shade, _ in cells] == [count == 0 for count in counts]


def test_what_to_look_at_first_is_named_and_most_frequent(facts, page):
    assert facts.first_look
    cells = [
        c for d in facts.departments for c in d.cells if c.label.kind == "issue" and d.name != UNSPECIFIED
    ]
    assert facts.first_look[0].distinct == max(cell.distinct for cell in cells)
    for cell in facts.first_look:
        assert f"<b>{cell.department}</b> — {cell.label.name_zh}：{cell.distinct} 件" in page
        if cell.opinions < SMALL:
            assert f"该部门共 {cell.opinions} 件，不宜看比例" in page


def test_a_value_the_template_misses_is_an_error(facts, tmp_path):
    card: dict[str, dict[str, float]] = {"cross_validation": {}}
    with pytest.raises(UndefinedError, match="micro_precision"):
        write_page(dataclasses.replace(facts, card=card), tmp_path / "page.html")


def test_names_are_escaped_on_the_page(facts, tmp_path):
    run = {**facts.run, "skipped_sheets": ["<script>alert(1)</script>"]}
    write_page(dataclasses.replace(facts, run=run), tmp_path / "page.html")
    assert "<script>alert(1)" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_workbook_has_its_sheets_filters_and_frozen_headers(book):
    assert book.sheetnames == SHEETS
    for sheet in book:
        assert sheet.freeze_panes in {"B2", "C2"}
        assert sheet.auto_filter.ref or sheet.max_row == 1


def test_the_workbook_has_native_charts_on_the_right_cells(round1):
    with zipfile.ZipFile(round1.folder / "report.xlsx") as archive:
        charts = [archive.read(n).decode() for n in sorted(archive.namelist()) if "/charts/chart" in n]
    assert len(charts) == 2
    assert "<c:f>概览!$B$2:$B$17</c:f>" in charts[0]
    assert "<c:f>部门×类别!$D$2:$D$" in charts[1].replace("'", "")
    assert charts[1].count("<c:ser>") == 2


def test_the_workbook_holds_what_the_files_hold(book, round1):
    opinions = pq.read_table(round1.folder / "opinions.parquet").to_pandas()
    findings = pq.read_table(round1.folder / "findings.parquet").to_pandas()
    assert book["意见与类别"].max_row == len(findings) + 1
    review = [row[0] for row in book["待复核"].iter_rows(min_row=2, values_only=True)]
    assert review == opinions.loc[opinions["needs_review"], "id"].tolist()
    assert book["未采用的行"].max_row == round1.run["rows_rejected"] + 1
    assert book["汇总"].max_row == len(round1.summary) + 1


def test_texts_stay_text_in_the_workbook(tmp_path, write):
    from pipeline.run import report

    path = write("a.csv", "意见内容\n=1+1 质检站拖了半年不给办，到底卡在哪里？\n")
    result = report([path], tmp_path / "out", jobs=1)
    sheet = openpyxl.load_workbook(result.folder / "report.xlsx")["意见与类别"]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_words_for_dates_and_shares():
    assert chinese_date("2026-11-03") == "2026年11月3日"
    assert percent(0.12345) == "12.3%"
