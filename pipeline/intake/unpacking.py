"""A workbook's tables, read in a process of its own: :mod:`workbooks` runs this file as a script.

The library that knows the formats is native code. A damaged or hostile workbook makes it ask for all memory, run on
without end or abort the process it lives in; here that ends a child and becomes one clear line in the parent. So this
file imports nothing of the program, and of the libraries only what it needs: it starts in a few hundredths of a second.

Written to standard output, pickled, in this order: for each table ``(place among the sheets, name, hidden, merged ranges,
number of rows)`` and then its rows in lists of at most :data:`BATCH`; at the end :data:`DONE`, or one of the other words below.
"""

from __future__ import annotations

import pickle
import sys
from typing import Any

MEMORY = 2 << 30
"""Bytes of address space: ten times what the largest sheets of offices need, half of a small machine."""

SECONDS = 120
"""Processor time; a workbook of half a gigabyte takes ten seconds."""

BATCH = 1000
"""Rows sent at once."""

DONE, LOCKED, DAMAGED = "done", "locked", "damaged"


def unpack(path: str) -> str:
    """Write the tables of the workbook to standard output; returns the last word, not yet written."""
    from python_calamine import (  # noqa: PLC0415  # found only once the path is set
        CalamineError,
        CalamineWorkbook,
        PasswordError,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    try:
        workbook = CalamineWorkbook.from_path(path)
    except PasswordError:
        return LOCKED
    except CalamineError:
        try:  # an .xlsx under the name of an .xls, or the reverse
            with open(path, "rb") as file:  # noqa: PTH123  # loading pathlib would cost a quarter of the start
                workbook = CalamineWorkbook.from_filelike(file)
        except CalamineError:
            return DAMAGED
    for index, about in enumerate(workbook.sheets_metadata):
        if about.typ != SheetTypeEnum.WorkSheet:
            continue
        sheet = workbook.get_sheet_by_index(index)
        table = sheet.to_python(skip_empty_area=False)
        hidden = about.visible != SheetVisibleEnum.Visible
        _send((index, about.name, hidden, sheet.merged_cell_ranges or [], len(table)))
        for start in range(0, len(table), BATCH):
            _send(table[start : start + BATCH])
    return DONE


def _send(message: Any) -> None:
    pickle.dump(message, sys.stdout.buffer, protocol=5)


def _limit() -> None:
    """Bound memory and time; where the system cannot, the size of what is unpacked still is bounded by the parent."""
    try:
        import resource  # noqa: PLC0415  # not on every system
    except ImportError:
        return
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY or hard > most:
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    sys.path[:0] = sys.argv[2:]
    _limit()
    _send(unpack(sys.argv[1]))
    sys.stdout.flush()
