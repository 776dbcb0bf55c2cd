"""Lines of a delimited file → records, each stray quote held to its own line."""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Iterator
from itertools import islice
from typing import IO, NamedTuple

from pipeline.intake.lines import TOO_LONG, bounded_lines

MOST_COLUMNS = 16_384
"""Columns of the widest sheet that spreadsheet programs can show; a record with more is a file gone wrong."""

_LONGEST_RECORD = 100_000
"""Characters that a quoted record may run on over line ends."""

_UNPAIRED = "引号没有配对，无法拆成列"
_TOO_WIDE = f"这一行超过 {MOST_COLUMNS} 列"


class Record(NamedTuple):
    """A record: number of its first line, its text, its cells (none for a blank line), and why it has none otherwise."""

    number: int
    text: str
    cells: tuple[str, ...]
    problem: str = ""

    def __repr__(self) -> str:
        return f"Record({self.number})"


def split_records(file: IO[str], delimiter: str) -> Iterator[Record]:
    """Every record of a file that was opened with ``newline=""``.

    One stray quote must not swallow the rows after it: where the quotes of a record are not paired within
    ``_LONGEST_RECORD`` characters, or what they enclose cannot be one record, its first line stands alone and reading
    goes on with the next.
    """
    lines = bounded_lines(file)
    ahead: deque[tuple[str, bool]] = deque()
    number = 1
    while ahead or (ahead := deque(islice(lines, 1))):
        taken = _paired(ahead, lines)
        text = "".join(line for line, _ in islice(ahead, taken)).replace("\0", "")
        cells = _cells(text, delimiter, strict=taken > 1) if taken else None
        if cells is None:
            taken, (text, whole) = 1, ahead[0]
            yield Record(number, text, (), _UNPAIRED if whole else TOO_LONG)
        elif len(cells) > MOST_COLUMNS:
            yield Record(number, text, (), _TOO_WIDE)
        else:
            yield Record(number, text, cells)
        for _ in range(taken):
            ahead.popleft()
        number += taken


def _paired(ahead: deque[tuple[str, bool]], lines: Iterator[tuple[str, bool]]) -> int:
    """How many lines ahead make a record whose quotes are paired, 0 where none do; lines looked at stay in ``ahead``."""
    length = quotes = taken = 0
    while length <= _LONGEST_RECORD:
        if taken == len(ahead):
            ahead.extend(islice(lines, 1))
        if taken == len(ahead) or not ahead[taken][1]:
            return 0
        line, taken = ahead[taken][0], taken + 1
        length, quotes = length + len(line), quotes + line.count('"')
        if quotes % 2 == 0:
            return taken
    return 0


def _cells(record: str, delimiter: str, *, strict: bool) -> tuple[str, ...] | None:
    """Cells of one record, none for a blank line; None where the text is not one record."""
    try:
        rows = list(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter, strict=strict))
    except csv.Error:
        return None
    return None if len(rows) > 1 else tuple(rows[0]) if rows else ()


def delimiter_of(head: str) -> str:
    """The mark that cuts the most of the first rows into one same number of columns; a comma on a tie."""

    def alike(mark: str) -> int:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=mark)
        widths = Counter(len(row) for row in islice(rows, 50))
        return max((count for width, count in widths.items() if width > 1), default=0)

    return max(",\t;", key=alike)
