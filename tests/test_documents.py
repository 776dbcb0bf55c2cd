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

from pipeline.aggregate.stored import loaded
from pipeline.documents.drill import Drill
from pipeline.documents.facts import SMALL, Facts
from pipeline.documents.page import write_page
from pipeline.documents.wording import chinese_date, percent

SHEETS = [
    "概览",
    "部门×类别",
    "汇总",
    "透视·部门",
    "透视·月份",
    "意见与类别",
    "待复核",
    "未采用的行",
    "方法与说明",
    "透视数据",
]


@pytest.fixture(scope="module")
def page(round1):
    return (round1.folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def counted(round1):
    """The tables that the papers are written from, without sealed opinions."""
    return loaded((round1.folder / "tables.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def facts(round1, counted, reader):
    return Facts.collect(counted, round1.run, reader.model.card, reader.taxonomy)


@pytest.fixture(scope="module")
def book(round1):
    return openpyxl.load_workbook(round1.folder / "report.xlsx")


def test_the_page_needs_no_network(page):
    addresses = re.findall(r"""(?:\bsrc=|href=|url\()\s*["']?([^"')\s>]+)""", page)
    assert addresses
    assert all(address.startswith("#") for address in addresses)
    assert set(re.findall(r"https?:[^\s\"']*", page)) == {"http://www.w3.org/2000/svg"}
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


def test_the_page_says_what_came_in(page, round1, counted):
    totals, run = counted.totals, round1.run
    assert f"共收到意见 {totals['accepted']} 件，合并重复后 {totals['distinct']} 件" in page
    assert f"{len(run['files'])} 个文件，未采用 {run['rows_rejected']} 行" in page
    assert run["clues"] == run["rows_accepted"] - totals["accepted"] > 0
    assert f"{run['rows_accepted']} 行" not in page, "it would tell how many are sealed"
    assert f"反映问题的 {totals['issue_distinct']} 件，有表扬肯定的 {totals['praise_distinct']} 件" in page
    assert "2025年3月3日至2025年4月" in page


def test_every_department_has_its_drill_down(page, counted):
    present = counted.by_department.query("opinions > 0")["department"]
    assert re.findall(r'<h3 id="n\d+">(.*?)(?: <small>.*)?</h3>', page) == present.tolist()


def test_the_heat_map_holds_the_summarys_numbers(page, counted, workspace):
    (table,) = re.findall(r'<table class="heat".*?</table>', page, re.DOTALL)
    summary = counted.summary.set_index(["department", "label"])["count_distinct"]
    columns = re.findall(r'data-label="(\w+)"><span>', table)
    assert {*columns} == {code for code in (*workspace.taxonomy.issues, "praise") if summary[:, code].any()}
    rows = re.findall(r'<tr data-n="\d+">(.*?)</tr>', table)
    assert len(rows) == counted.by_department["opinions"].gt(0).sum()
    for row in rows:
        (name,) = re.findall(r'<th scope="row"><a [^>]*>(.*?)</a></th>', row)
        cells = re.findall(r'<td class="(s\d|praise|)">(\d+)</td>', row)
        counts = [int(number) for _, number in cells]
        assert counts == [summary[name, code] for code in columns]
        assert all(
            (shade == "s0") == (n == 0)
            for (shade, _), n in zip(cells, counts, strict=True)
            if shade != "praise"
        )


def test_what_to_look_at_first_is_named_by_lower_bounds(facts, page):
    listed = [cell for series in Drill.of(facts).series for cell in series.first]
    assert listed
    section = html.unescape(page).split("<h2>先看这几处</h2>")[1].split("</section>")[0]
    for cell in listed:
        item = section.split(f">{cell.department}</a></b> — {cell.label.name_zh}：")[1].split("</li>")[0]
        assert f"{cell.distinct} 件" in item
        assert f"至少 {percent(cell.low)}" in item
        assert ("宜逐件阅读" in item) == (cell.opinions < SMALL)


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
        assert sheet.freeze_panes in ({"B8", "B7"} if sheet._pivots else {"B2", "C2"})
        assert sheet.auto_filter.ref or sheet._pivots or sheet.max_row == 1


def test_the_pivot_tables_say_what_the_summary_says(book, counted, facts):
    sums = counted.summary.set_index(["department", "label"])["count_distinct"]
    names = {label.name_zh: label.code for label in facts.taxonomy.labels}
    rows = list(book["透视·部门"].iter_rows(min_row=7, values_only=True))
    shown = {
        (row[0], names[head]): row[column]
        for row in rows[1:-1]
        for column, head in enumerate(rows[0][1:-1], start=1)
        if row[column]
    }
    assert shown == sums[sums > 0].to_dict()
    assert rows[-1][-1] == sums.sum() == list(book["透视·月份"].values)[-1][-1]


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
    sealed = round1.run["sealed"]
    opinions, findings = (
        opinions[~opinions["id"].isin(sealed)],
        findings[~findings["opinion_id"].isin(sealed)],
    )
    assert book["意见与类别"].max_row == len(findings) + 1
    review = [row[0] for row in book["待复核"].iter_rows(min_row=2, values_only=True)]
    assert review == opinions.loc[opinions["needs_review"], "id"].tolist()
    assert sealed
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
