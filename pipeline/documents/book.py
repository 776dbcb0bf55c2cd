"""A workbook with one look: bold frozen headers, filters, widths, rows as high as their text."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from pipeline.documents.pivot import Pivot, Source, write_with_pivots

_CELL = 32_000
"""Characters; a spreadsheet cell takes 32,767."""

_LINE, _HIGHEST = 15.0, 405.0
"""Points: a line of text, and a little less than the highest row that spreadsheet programs take."""


class Book:
    """The open workbook and its formats."""

    def __init__(self, path: Path, title: str = "评议意见分析工作簿") -> None:
        options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._path, self._packed = path, io.BytesIO()
        self._pivots: dict[int, Pivot] = {}
        self._source: Source | None = None
        # rows wait in files beside the workbook: the shared temporary folder is no place for opinions
        self.book = xlsxwriter.Workbook(
            self._packed, {**options, "constant_memory": True, "tmpdir": str(path.parent)}
        )
        # a fixed date: the same input gives the same bytes
        self.book.set_properties({"title": title, "created": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)})
        base = {"font_name": "微软雅黑", "font_size": 10, "valign": "top"}
        self.plain = self.book.add_format(base)
        self.wrapped = self.book.add_format({**base, "text_wrap": True, "indent": 1})
        self.share = self.book.add_format({**base, "num_format": "0.0%"})
        self.count = self.book.add_format({**base, "num_format": "0;-0;;@"})  # a zero shows as an empty cell
        self.head = self.book.add_format(
            {**base, "bold": True, "bg_color": "#E8ECF1", "bottom": 1, "text_wrap": True}
        )

    def close(self) -> None:
        """Write the file.

        Raises:
            OSError: it cannot be written.
        """
        try:
            self.book.close()
        except FileCreateError as error:  # the library's wrapping of what the system said
            raise error.args[0] from None
        if self._source:
            write_with_pivots(self._packed, self._source, self._pivots, self._path)
        else:
            self._path.write_bytes(self._packed.getbuffer())

    def pivot(self, source: Source, pivot: Pivot) -> None:
        """A sheet with a pivot table; all of a workbook have the same ``source``."""
        sheet = self.book.add_worksheet(pivot.sheet)
        sheet.set_column(0, 0, 24, self.plain)
        sheet.set_column(1, len(source.items(pivot.column)) + 1, 10, self.plain)
        for row, column, value in pivot.cells(source):
            _write(sheet, row, column, value, self.head if row == pivot.top + 1 else self.plain)
        sheet.freeze_panes(pivot.top + 2, 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        self._source = source
        self._pivots[len(self.book.worksheets())] = pivot

    def table(
        self,
        name: str,
        header: Sequence[tuple[str, int, Any]],
        rows: Iterable[Sequence[Any]],
        first_column: int = 1,
        pages: int = 0,
        blanks: Collection[int] = (),
    ) -> tuple[Any, int]:
        """A sheet with one table; ``header`` gives (title, width, format). Returns the sheet and its row count.

        ``pages`` is how many it may take in print, 0 as many as it needs. In columns ``blanks`` empty cells are cells
        too, with the column's format: in a protected sheet a person can write only into those.
        """
        sheet = self.book.add_worksheet(name)
        for column, (_, width, look) in enumerate(header):
            sheet.set_column(column, column, width, look)
        sheet.set_row(0, max(_lines(title, width) for title, width, _ in header) * _LINE)
        for column, (title, _, _) in enumerate(header):
            sheet.write_string(0, column, title, self.head)
        wrapped = [(column, width) for column, (_, width, look) in enumerate(header) if look is self.wrapped]
        count = 0
        for count, row in enumerate(rows, start=1):  # the last value is the row count
            lines = max((_lines(row[column], width) for column, width in wrapped), default=1)
            if lines > 1:  # not every program finds the height of wrapped text by itself
                sheet.set_row(count, min(lines * _LINE, _HIGHEST))
            for column, value in enumerate(row):
                if column in blanks and not value:
                    sheet.write_blank(count, column, None, header[column][2])
                else:
                    _write(sheet, count, column, value, header[column][2])
        sheet.freeze_panes(1, first_column)
        if count:
            sheet.autofilter(0, 0, count, len(header) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, pages)
        sheet.repeat_rows(0)
        return sheet, count


def _lines(value: Any, width: int) -> int:
    """Lines that a text takes in a column of so many digits; a Chinese character is two digits wide."""
    usable = max(width - 3, 4)
    return sum(
        -(-sum(2 if ord(character) > 0x2E80 else 1 for character in part) // usable) or 1
        for part in str(value).split("\n")
    )


def _write(sheet: Any, row: int, column: int, value: Any, look: Any) -> None:
    if isinstance(value, bool):
        sheet.write_string(row, column, "是" if value else "", look)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, look)
    elif value:
        text = str(value)
        sheet.write_string(
            row, column, text if len(text) <= _CELL else text[:_CELL] + "…（余下见 opinions.csv）", look
        )
