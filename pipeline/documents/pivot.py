"""Pivot tables of a workbook, which the library that writes it does not know: their cells, and their parts of the package.

The cells are written as the spreadsheet program will show them, so that they can be read where pivot tables are not known.
The definitions (ECMA-376, part 1, 18.10) hold no copy of the rows: the program reads the source sheet when the workbook is opened.
"""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.sax.saxutils import quoteattr

from xlsxwriter.utility import xl_range

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_CACHE = "pivotCache/pivotCacheDefinition1.xml"
_VERSIONS = 'createdVersion="3" refreshedVersion="3" minRefreshableVersion="3"'

TOTAL, ALL = "总计", "（全部）"
_LONGEST, _MOST_ROWS = 255, 1_000_000


@dataclass(frozen=True)
class Source:
    """The rows of a ``sheet`` under ``titles``: texts that are not empty, and a number in the last column.

    ``orders``: of each column of texts, all that it may hold, in the order in which they are to be shown.
    """

    sheet: str
    titles: Sequence[str]
    rows: Sequence[tuple[str | int, ...]]
    orders: Sequence[Sequence[str]]

    def items(self, column: int) -> list[str]:
        """The texts of a column, each once, in order."""
        held = {row[column] for row in self.rows}
        return [text for text in self.orders[column] if text in held]

    def fits(self) -> bool:
        """Whether spreadsheet programs take it: they tell no texts apart by case, and use some themselves."""
        columns = [self.items(column) for column in range(len(self.orders))]
        distinct = all(len({text.casefold() for text in texts}) == len(texts) for texts in columns)
        usual = all(
            len(text) <= _LONGEST and text.isprintable() and text not in {TOTAL, ALL}
            for texts in columns
            for text in texts
        )
        return distinct and usual and len(self.rows) < _MOST_ROWS


@dataclass(frozen=True)
class Pivot:
    """The last column of the source summed up by the columns numbered ``row`` and ``column``, to be filtered by those in ``pages``."""

    sheet: str
    row: int
    column: int
    pages: tuple[int, ...]

    @property
    def top(self) -> int:
        """The number of the table's first row, below the filters and an empty row."""
        return len(self.pages) + 1

    def cells(self, source: Source) -> Iterator[tuple[int, int, str | int]]:
        """``(row, column, value)`` of everything shown, row by row; numbers from 0."""
        sums: Counter[tuple[str, str]] = Counter()
        for row in source.rows:
            key, other = str(row[self.row]), str(row[self.column])
            for place in ((key, other), (key, TOTAL), (TOTAL, other), (TOTAL, TOTAL)):
                sums[place] += int(row[-1])
        for number, page in enumerate(self.pages):
            yield number, 0, source.titles[page]
            yield number, 1, ALL
        yield self.top, 0, _sum(source)
        yield self.top, 1, source.titles[self.column]
        heads = [*source.items(self.column), TOTAL]
        yield self.top + 1, 0, source.titles[self.row]
        yield from ((self.top + 1, number, head) for number, head in enumerate(heads, start=1))
        for line, name in enumerate([*source.items(self.row), TOTAL], start=self.top + 2):
            yield line, 0, name
            yield from (
                (line, number, sums[name, head])
                for number, head in enumerate(heads, start=1)
                if sums[name, head]
            )


def write_with_pivots(package: IO[bytes], source: Source, sheets: Mapping[int, Pivot], path: Path) -> None:
    """Write the workbook ``package`` with its pivot tables; ``sheets`` says by a sheet's number (from 1) which one stands in it.

    None of these sheets may have relations of its own (drawings, links). The same input gives the same bytes.

    Raises:
        OSError: the file cannot be written.
    """
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(path, "w") as new:
        changed = {
            "[Content_Types].xml": ("</Types>", _types(sheets)),
            "xl/_rels/workbook.xml.rels": ("</Relationships>", _relation("rIdPivots", "pivotCacheDefinition", _CACHE)),
            "xl/workbook.xml": ("</workbook>", '<pivotCaches><pivotCache cacheId="1" r:id="rIdPivots"/></pivotCaches>'),
        }  # fmt: skip
        for entry in old.infolist():
            if entry.filename in changed:
                end, more = changed[entry.filename]
                new.writestr(entry, old.read(entry).decode().replace(end, more + end))
            else:
                with old.open(entry) as whence, new.open(_like(entry), "w") as whither:
                    shutil.copyfileobj(whence, whither)
        for name, content in _parts(source, sheets):
            entry = zipfile.ZipInfo(name)  # dated 1980-01-01
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, _HEAD + content)


def _like(entry: zipfile.ZipInfo) -> zipfile.ZipInfo:
    copy = zipfile.ZipInfo(entry.filename, entry.date_time)
    copy.compress_type, copy.external_attr = entry.compress_type, entry.external_attr
    return copy


def _types(sheets: Mapping[int, Pivot]) -> str:
    parts = [(_CACHE, "pivotCacheDefinition")]
    parts += [(f"pivotTables/pivotTable{number}.xml", "pivotTable") for number in sheets]
    return "".join(
        f'<Override PartName="/xl/{name}" ContentType="{_KIND}{kind}+xml"/>' for name, kind in parts
    )


def _relation(identity: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{identity}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _parts(source: Source, sheets: Mapping[int, Pivot]) -> Iterator[tuple[str, str]]:
    used = {column for pivot in sheets.values() for column in (pivot.row, pivot.column, *pivot.pages)}
    yield "xl/" + _CACHE, _cache(source, used)
    for number, pivot in sheets.items():
        table = f"pivotTables/pivotTable{number}.xml"
        yield f"xl/{table}", _table(source, pivot, used)
        yield (
            f"xl/pivotTables/_rels/pivotTable{number}.xml.rels",
            _relations("pivotCacheDefinition", f"../{_CACHE}"),
        )
        yield f"xl/worksheets/_rels/sheet{number}.xml.rels", _relations("pivotTable", f"../{table}")


def _relations(kind: str, target: str) -> str:
    return f'<Relationships xmlns="{_RELATIONS}">{_relation("rId1", kind, target)}</Relationships>'


def _cache(source: Source, used: set[int]) -> str:
    """The source and the texts of the columns ``used``; the rows are read when the workbook is opened."""
    fields = []
    for column, title in enumerate(source.titles):
        items = source.items(column) if column in used else []
        texts = "".join(f"<s v={quoteattr(item)}/>" for item in items)
        shared = f'<sharedItems count="{len(items)}">{texts}</sharedItems>' if items else "<sharedItems/>"
        fields.append(f'<cacheField name={quoteattr(title)} numFmtId="0">{shared}</cacheField>')
    area = xl_range(0, 0, len(source.rows), len(source.titles) - 1)
    return (
        f'<pivotCacheDefinition {_MAIN} saveData="0" refreshOnLoad="1" {_VERSIONS}>'
        f'<cacheSource type="worksheet"><worksheetSource ref="{area}" sheet={quoteattr(source.sheet)}/></cacheSource>'
        f'<cacheFields count="{len(fields)}">{"".join(fields)}</cacheFields></pivotCacheDefinition>'
    )


def _table(source: Source, pivot: Pivot, used: set[int]) -> str:
    down, across = source.items(pivot.row), source.items(pivot.column)
    axes = {pivot.row: "axisRow", pivot.column: "axisCol"} | dict.fromkeys(pivot.pages, "axisPage")
    fields = "".join(
        _field(axes.get(column), len(source.items(column)) if column in used else 0, column == len(source.titles) - 1)
        for column in range(len(source.titles))
    )  # fmt: skip
    area = xl_range(pivot.top, 0, pivot.top + len(down) + 2, len(across) + 1)
    pages = "".join(f'<pageField fld="{page}" hier="-1"/>' for page in pivot.pages)
    return (
        f'<pivotTableDefinition {_MAIN} name={quoteattr(pivot.sheet)} cacheId="1" dataCaption="值" '
        f'grandTotalCaption="{TOTAL}" outline="0" compact="0" compactData="0" updatedVersion="3" createdVersion="3" minRefreshableVersion="3">'
        f'<location ref="{area}" firstHeaderRow="1" firstDataRow="2" firstDataCol="1" '
        f'rowPageCount="{len(pivot.pages)}" colPageCount="1"/>'
        f'<pivotFields count="{len(source.titles)}">{fields}</pivotFields>'
        f'<rowFields count="1"><field x="{pivot.row}"/></rowFields>{_lines("row", len(down))}'
        f'<colFields count="1"><field x="{pivot.column}"/></colFields>{_lines("col", len(across))}'
        f'<pageFields count="{len(pivot.pages)}">{pages}</pageFields>'
        f'<dataFields count="1"><dataField name={quoteattr(_sum(source))} fld="{len(source.titles) - 1}" baseField="0" baseItem="0"/></dataFields>'
        '<pivotTableStyleInfo name="PivotStyleLight16" showRowHeaders="1" showColHeaders="1" showRowStripes="0" '
        'showColStripes="0" showLastColumn="1"/></pivotTableDefinition>'
    )


def _sum(source: Source) -> str:
    """Of a name that no column has: programs refuse that."""
    return f"{source.titles[-1]} "


def _field(axis: str | None, items: int, summed: bool) -> str:
    look = 'compact="0" outline="0" showAll="0"'
    if summed:
        return f'<pivotField dataField="1" {look}/>'
    if axis is None:
        return f"<pivotField {look}/>"
    texts = "".join(f'<item x="{number}"/>' for number in range(items))
    return f'<pivotField axis="{axis}" {look}><items count="{items + 1}">{texts}<item t="default"/></items></pivotField>'


def _lines(which: str, items: int) -> str:
    """The rows or columns in order of their items, and the total."""
    each = "".join(f'<i><x v="{number}"/></i>' if number else "<i><x/></i>" for number in range(items))
    return f'<{which}Items count="{items + 1}">{each}<i t="grand"><x/></i></{which}Items>'
