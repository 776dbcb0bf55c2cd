"""Lines of a text file, none longer than memory allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

LONGEST_LINE = 1 << 22
"""Characters: two hundred cells of the longest opinion. A longer line is a file whose line ends were lost."""

TOO_LONG = f"这一行超过 {LONGEST_LINE} 字，可能丢了换行"
"""The reason for which such a line is rejected."""

_SKIPPED = 1 << 20


def bounded_lines(file: IO[str]) -> Iterator[tuple[str, bool]]:
    """``(line with its end, whether it is whole)``; of a line beyond :data:`LONGEST_LINE` only its beginning is kept."""
    while line := file.readline(LONGEST_LINE):
        whole = len(line) < LONGEST_LINE or line.endswith(("\n", "\r"))
        while not whole and (rest := file.readline(_SKIPPED)) and not rest.endswith(("\n", "\r")):
            pass
        yield line, whole
