"""Pivot tables: what their sheets show, and that the package holds what spreadsheet programs refresh them by."""

from __future__ import annotations

import io
import posixpath
import xml.etree.ElementTree as ET
import zipfile

import openpyxl
import pytest

from pipeline.documents.book import Book
from pipeline.documents.pivot import ALL, TOTAL, Pivot, Source

ROWS = [
    ("盐业公司", "索要产品", "2025-03", 3),
    ("盐业公司", "推诿拖延", "2025-04", 2),
    ("供销 & <科>", "索要产品", "2025-03", 4),
    ("盐业公司", "索要产品", "2025-04", 5),
]
ORDERS = (["供销 & <科>", "盐业公司", "没有人说到的"], ["推诿拖延", "索要产品"], ["2025-03", "2025-04"])
SOURCE = Source("数据", ("部门", "类别", "月份", "件数"), ROWS, ORDERS)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
BY_DEPARTMENT, BY_LABEL = Pivot("按部门", 0, 1, (2,)), Pivot("按类别", 1, 2, (0,))


def written(path, source=SOURCE):
    book = Book(path)
    book.table("前面的", [("项目", 10, book.plain)], [["甲"]])
    for pivot in (BY_DEPARTMENT, BY_LABEL):
        book.pivot(source, pivot)
    book.table(source.sheet, [(title, 10, book.plain) for title in source.titles], source.rows)
    book.close()
    return path


@pytest.fixture
def path(tmp_path):
    return written(tmp_path / "book.xlsx")


def test_the_sheet_shows_the_sums(path):
    rows = list(openpyxl.load_workbook(path)["按部门"].values)
    assert rows == [
        ("月份", ALL, None, None),
        (None, None, None, None),
        ("件数 ", "类别", None, None),
        ("部门", "推诿拖延", "索要产品", TOTAL),
        ("供销 & <科>", None, 4, 4),
        ("盐业公司", 2, 8, 10),
        (TOTAL, 2, 12, 14),
    ]


def test_the_definition_is_of_the_source_and_covers_what_is_shown(path):
    book = openpyxl.load_workbook(path)
    assert [sheet.title for sheet in book if sheet._pivots] == ["按部门", "按类别"]
    for pivot in (BY_DEPARTMENT, BY_LABEL):
        sheet = book[pivot.sheet]
        (table,) = sheet._pivots
        shown = openpyxl.utils.range_boundaries(table.location.ref)
        assert shown == (1, pivot.top + 1, sheet.max_column, sheet.max_row)
        assert [field.x for field in table.rowFields] == [pivot.row]
        assert [field.x for field in table.colFields] == [pivot.column]
        assert [field.fld for field in table.pageFields] == list(pivot.pages)
        (summed,) = table.dataFields
        assert (summed.fld, summed.subtotal) == (3, "sum")
        cache = table.cache
        assert cache.refreshOnLoad
        assert cache.cacheSource.worksheetSource.sheet == "数据"
        rows = list(book["数据"][cache.cacheSource.worksheetSource.ref])
        assert [cell.value for cell in rows[0]] == [field.name for field in cache.cacheFields]
        assert len(rows) == len(ROWS) + 1
        names = [item.v for item in cache.cacheFields[pivot.row].sharedItems._fields]
        first = [sheet.cell(row, 1).value for row in range(pivot.top + 3, sheet.max_row)]
        assert [names[item.x] for item in table.pivotFields[pivot.row].items if item.x is not None] == first


def parsed(path):
    """The XML parts of the workbook that are about pivot tables, or that tell of them."""
    with zipfile.ZipFile(path) as package:
        assert len(set(package.namelist())) == len(package.namelist())
        return {
            name: ET.fromstring(package.read(name))  # noqa: S314  # written here
            for name in package.namelist()
            if name.endswith((".xml", ".rels")) and "theme" not in name
        }


def test_every_relation_leads_somewhere_and_every_part_has_a_type(path):
    parts = parsed(path)
    types = {part.get("PartName") for part in parts["[Content_Types].xml"]}
    for name in (name for name in parts if "/pivot" in name and name.endswith(".xml")):
        assert f"/{name}" in types
    for name in (name for name in parts if name.endswith(".rels") and name.startswith("xl/")):
        folder = posixpath.dirname(posixpath.dirname(name))
        for relation in parts[name]:
            assert posixpath.normpath(f"{folder}/{relation.get('Target')}") in {*parts, "xl/theme/theme1.xml"}
    sheets = ("xl/worksheets/_rels/sheet2.xml.rels", "xl/worksheets/_rels/sheet3.xml.rels")
    assert all("pivotTable" in parts[name][0].get("Target") for name in sheets)


def test_every_count_is_that_of_what_is_counted(path):
    parts = parsed(path)
    counted = [
        element
        for name, part in parts.items()
        if "/pivot" in name and name.endswith(".xml")
        for element in part.iter()
        if element.get("count")
    ]
    assert len(counted) > 20
    assert [(e.tag, e.get("count")) for e in counted if int(e.get("count")) != len(e)] == []
    (table,) = [part for name, part in parts.items() if name.endswith("pivotTable2.xml")]
    for axis, items in (("row", 2), ("col", 2)):
        assert len(table.find(f"{MAIN}{axis}Items")) == items + 1
    fields = table.find(f"{MAIN}pivotFields")
    assert [field.get("axis") for field in fields] == ["axisRow", "axisCol", "axisPage", None]
    assert [len(field[0]) for field in fields if field.get("axis")] == [3, 3, 3]
    assert table.find(f"{MAIN}location").get("rowPageCount") == "1"


@pytest.mark.parametrize(
    "names", [("IT处", "it处"), (TOTAL, "办公室"), ("办\x07公室", "盐业公司"), ("处" * 256, "办公室")]
)
def test_names_that_programs_refuse_make_no_pivot_table(names):
    rows = [(name, "索要产品", "2025-03", 1) for name in names]
    assert not Source("数据", SOURCE.titles, rows, (names, *ORDERS[1:])).fits()
    assert SOURCE.fits()


def test_the_same_rows_give_the_same_bytes(path, tmp_path):
    assert written(tmp_path / "again.xlsx").read_bytes() == path.read_bytes()


def test_other_parts_stay_as_they_are(tmp_path):
    plain = Book(tmp_path / "plain.xlsx")
    plain.table("前面的", [("项目", 10, plain.plain)], [["甲"]])
    plain.close()
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as package:
        before = package.read("xl/worksheets/sheet1.xml")
    with zipfile.ZipFile(io.BytesIO(written(tmp_path / "book.xlsx").read_bytes())) as package:
        assert package.testzip() is None
        after = package.read("xl/worksheets/sheet1.xml")
    assert before == after
