"""Rows that were not accepted, as a result folder keeps them, and by what ids they may be known."""

from __future__ import annotations

import csv
from pathlib import Path

from pipeline.errors import InputError
from pipeline.intake.reading import EMPTY
from pipeline.outputs.cells import plain_cell
from pipeline.records import Rejection

HOW = "文件名:行号，有工作表的写 文件名:工作表:行号（文件名不带 .csv、.xlsx）"
"""How a row is named whose id cannot be told."""


def read_rejected(path: Path) -> list[Rejection]:
    """The rows of a ``rejected.csv``, in order; none where the file is not there.

    Raises:
        InputError: the file is damaged.
    """
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [
                {name: plain_cell(value or "") for name, value in row.items() if name}
                for row in csv.DictReader(file)
            ]
        return [
            Rejection(
                file=cells["file"],
                sheet=cells.get("sheet", ""),
                row=int(cells["row"]),
                reason=cells["reason"],
                content=cells["content"],
            )
            for cells in rows
        ]
    except (OSError, ValueError, KeyError, csv.Error):
        raise InputError(
            f"{path} 读不出来或已改坏；请从备份恢复，或把这个文件删去（只少了没有读入的行），再运行。"
        ) from None


def place_of(rejection: Rejection) -> str:
    """``file:row`` or ``file:sheet:row``: the id that the row would have, had it none of its own."""
    stem = Path(rejection.file).with_suffix("").as_posix()
    return ":".join(filter(None, (stem, rejection.sheet, str(rejection.row))))


def has_text(rejection: Rejection) -> bool:
    """Whether a rejected row held an opinion at all."""
    return not rejection.reason.startswith(EMPTY)


def cells_of(rejection: Rejection) -> list[str]:
    """What stood in the row's cells, but for the empty ones."""
    return rejection.content.split(" | ")


def first_of(rejection: Rejection) -> str:
    """What stood in the first of them."""
    return cells_of(rejection)[0]
