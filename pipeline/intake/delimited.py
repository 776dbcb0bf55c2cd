"""Lines of a delimited file → records, each stray quote held to its own line."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator

_LONGEST_RECORD = 100_000
"""Characters that a quoted record may run on over line ends."""


def split_records(file: Iterable[str], delimiter: str) -> Iterator[tuple[int, str, tuple[str, ...] | None]]:
    """``(number of its first line, text, cells)`` of each record; cells are None where its quotes are not paired.

    One stray quote must not swallow the rows after it: where the quotes of a record are not paired within
    ``_LONGEST_RECORD`` characters, or what they enclose cannot be one record, its first line stands alone and reading
    goes on with the next.
    """
    ahead: deque[str] = deque()
    lines = (line.replace("\0", "") for line in file)
    number = 1
    while record := ahead.popleft() if ahead else next(lines, ""):
        text, taken = record, 0
        while text.count('"') % 2 and len(text) <= _LONGEST_RECORD:
            if taken == len(ahead) and not (line := next(lines, "")):
                break
            if taken == len(ahead):
                ahead.append(line)
            text, taken = text + ahead[taken], taken + 1
        cells = _cells(text, delimiter, strict=taken > 0) if text.count('"') % 2 == 0 else None
        if cells is None:
            text, taken = record, 0
        for _ in range(taken):
            ahead.popleft()
        yield number, text, cells
        number += 1 + taken


def _cells(record: str, delimiter: str, *, strict: bool) -> tuple[str, ...] | None:
    """Cells of one record, none for a blank line; None where the text is not one record."""
    try:
        rows = list(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter, strict=strict))
    except csv.Error:
        return None
    return None if len(rows) > 1 else tuple(rows[0]) if rows else ()
