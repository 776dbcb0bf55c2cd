"""What every format is read as: rows of cells."""

from __future__ import annotations

from typing import Any, NamedTuple

Cell = Any
"""str, float, int, bool, date, datetime, time or None, as the format stores it."""


class Row(NamedTuple):
    """``number`` counts from 1; ``done`` is the share of the file read so far; ``problem`` marks a broken row."""

    number: int
    cells: tuple[Cell, ...]
    done: float
    problem: str = ""

    def __repr__(self) -> str:
        return f"Row({self.number})"


def share(characters: int, size: int) -> float:
    """The share of a text file of ``size`` bytes that so many characters are: for a bar that only needs a fair guess."""
    # two bytes a character is between ASCII and Chinese
    return min(1.0, characters * 2 / max(1, size))
