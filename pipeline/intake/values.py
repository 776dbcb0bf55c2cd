"""Cells → text, ids and dates."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from pipeline.intake.sheets import Cell

INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+"
)
"""Characters that nobody sees, but which make two words of one and steer terminals."""

_YMD = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)\s*[日号]?.*")
_MDY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:\s.*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{6}|\s.*)?")
_YEAR_MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_EPOCH = dt.date(1899, 12, 30)
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")
_SURROGATE = re.compile("[\ud800-\udfff]")
_EARLIEST, _LATEST = 1949, 2100


def as_text(cell: Cell) -> str:
    """A cell as the person saw it: whole numbers without ``.0``, dates as ISO, blanks as an empty text.

    Halves of characters, which no file can hold, are replaced.
    """
    if isinstance(cell, str):
        text: str = cell
        try:
            text.encode()  # five times faster than the pattern
        except UnicodeEncodeError:
            text = _SURROGATE.sub("�", text)
        return text.strip()
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        if cell != cell:  # noqa: PLR0124  # NaN, as a Parquet file has for missing
            return ""
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e17 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    return as_text(str(cell))


def as_date(cell: Cell) -> str | None:
    """``YYYY-MM-DD``; empty for a blank cell; None where the cell holds no date that exists.

    Understood: date cells, ``2025-03-05`` (also with / . 年月日, whatever follows), ``3/5/2025``, ``20250305``,
    spreadsheet serial numbers, and a year with a month (taken as its first day).
    """
    if isinstance(cell, dt.datetime):
        cell = cell.date()
    if isinstance(cell, dt.date):
        return _likely(cell)
    return _date_in(cell if isinstance(cell, str) else as_text(cell))


@lru_cache(maxsize=4096)  # the days of a round are few
def _date_in(cell: str) -> str | None:
    text = as_text(cell).translate(_FULL_WIDTH)
    if not text:
        return ""
    if match := _YMD.fullmatch(text) or _COMPACT.fullmatch(text):
        year, month, day = match.groups()
    elif match := _MDY.fullmatch(text):
        month, day, year = match.groups()
    elif match := _YEAR_MONTH.fullmatch(text):
        year, month, day = *match.groups(), "1"
    elif _SERIAL.fullmatch(text):
        return _likely(_EPOCH + dt.timedelta(days=int(float(text))))
    else:
        return None
    try:
        return _likely(dt.date(int(year), int(month), int(day)))
    except ValueError:
        return None


def _likely(date: dt.date) -> str | None:
    """The date, where it may be one of an opinion: 1900 and 9999 are what programs put for none."""
    return date.isoformat() if _EARLIEST <= date.year <= _LATEST else None
