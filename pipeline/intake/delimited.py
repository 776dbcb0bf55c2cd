"""Lines of a delimited file → records, each stray quote held to its own line."""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from typing import IO

from pipeline.intake.lines import TOO_LONG, bounded_lines
from pipeline.intake.rows import Row, share

MOST_COLUMNS = 16_384
"""Columns of the widest sheet that spreadsheet programs can show; a record with more is a file gone wrong."""

_LONGEST_RECORD = 100_000
"""Characters that a quoted record may run on over line ends."""

_AHEAD = 1 << 16
"""Characters read ahead, but for the end of a line; fewer than a record may have, so that none read ahead is too long."""

_BATCH = 256
"""Lines split at once, while they are regular."""

_UNPAIRED = "引号没有配对，无法拆成列"
_TOO_WIDE = f"这一行超过 {MOST_COLUMNS} 列"

_Line = tuple[str, bool]
"""A line with its end, and whether it is whole."""


def split_records(file: IO[str], delimiter: str, size: int) -> Iterator[Row]:
    """A row for every record, but for blank lines, of a file of ``size`` bytes that was opened with ``newline=""``.

    One stray quote must not swallow the rows after it: where the quotes of a record are not paired within
    ``_LONGEST_RECORD`` characters, or what they enclose cannot be one record, its first line stands alone, as the only cell
    of a row with a problem, and reading goes on with the next.
    """
    lines = bounded_lines(file)
    ahead: deque[_Line] = deque()
    number, read = 1, 0
    while ahead or (ahead := _some(lines)):
        rows, taken = _regular(ahead, delimiter, number, share(read, size))
        if not taken:
            rows, taken = _odd(ahead, lines, delimiter, number, share(read, size))
        yield from rows
        read += sum(len(ahead.popleft()[0]) for _ in range(taken))
        number += taken


def _some(lines: Iterator[_Line]) -> deque[_Line]:
    """The next lines, until they have :data:`_AHEAD` characters."""
    some: deque[_Line] = deque()
    length = 0
    for line in lines:
        some.append(line)
        length += len(line[0])
        if length >= _AHEAD:
            break
    return some


def _regular(ahead: Iterable[_Line], delimiter: str, number: int, done: float) -> tuple[list[Row], int]:
    """Rows of the records ahead, up to the first that :func:`_odd` might read otherwise, and how many lines they take.

    A record that a strict reader takes and that ends where its quotes first are paired is the same there.
    """
    lines = [line for line, _ in takewhile(_is_plain, islice(ahead, _BATCH))]
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows: list[Row] = []
    begin = 0
    with suppress(csv.Error):
        for cells in reader:
            end = reader.line_num
            if len(cells) > MOST_COLUMNS or ('"' in lines[begin] and not _pairs(lines[begin:end])):
                break
            if cells:
                rows.append(Row(number + begin, tuple(cells), done))
            begin = end
    return rows, begin


def _is_plain(line: _Line) -> bool:
    return line[1] and "\0" not in line[0]


def _pairs(lines: Sequence[str]) -> bool:
    """Whether the quotes are paired at the end of the last line, and of no earlier one."""
    unpaired = [line.count('"') % 2 for line in lines]
    return unpaired == [0] or (unpaired[0], sum(unpaired), unpaired[-1]) == (1, 2, 1)


def _odd(
    ahead: deque[_Line], lines: Iterator[_Line], delimiter: str, number: int, done: float
) -> tuple[list[Row], int]:
    """The row of the next record, none for a blank line, whatever it holds; and how many of the lines ahead it takes."""
    taken = _paired(ahead, lines)
    text = "".join(line for line, _ in islice(ahead, taken)).replace("\0", "")
    cells = _cells(text, delimiter, strict=taken > 1) if taken else None
    problem = ""
    if cells is None:
        taken, (text, whole) = 1, ahead[0]
        problem = _UNPAIRED if whole else TOO_LONG
    elif len(cells) > MOST_COLUMNS:
        problem = _TOO_WIDE
    if problem:
        cells = (text.rstrip("\r\n"),)
    return [Row(number, cells, done, problem)] if cells else [], taken


def _paired(ahead: deque[_Line], lines: Iterator[_Line]) -> int:
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
    """The mark that cuts the largest share of the first rows into one same number of columns; of equal shares that of more rows, a comma on a tie.

    By number alone, a text of several lines that each hold a semicolon would have it.
    """

    def alike(mark: str) -> tuple[float, int]:
        rows = islice(filter(None, csv.reader(io.StringIO(head, newline=""), delimiter=mark)), 50)
        widths = Counter(map(len, rows))
        same = max((count for width, count in widths.items() if width > 1), default=0)
        return same / max(1, widths.total()), same

    return max(",\t;", key=alike)
