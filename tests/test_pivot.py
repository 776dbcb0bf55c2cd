"""Pivot tables: what their sheets show, and that the package holds what spreadsheet programs refresh them by."""

from __future__ import annotations

import io
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


def test_every_relation_leads_somewhere_and_every_part_has_a_type(path):
    with zipfile.ZipFile(path) as package:
        names = set(package.namelist())
        types = package.read("[Content_Types].xml").decode()
        assert len(names) == len(package.namelist())
        for name in (name for name in names if "pivot" in name and name.endswith(".xml")):
            assert f'PartName="/{name}"' in types
        assert package.read("xl/worksheets/_rels/sheet2.xml.rels").decode().count("pivotTable2.xml") == 1


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
