"""Tables as a file: what the papers of a round were written from, for the next round to be compared with."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pandas as pd

from pipeline.aggregate.tables import Tables

EDITION = 1
"""Of the file's layout."""


def dumped(tables: Tables) -> str:
    """JSON of all tables; the same tables give the same text."""
    content: dict[str, Any] = {"edition": EDITION, "totals": tables.totals}
    for name in _frames():
        frame = getattr(tables, name)
        rows = [list(row) for row in frame.itertuples(index=False, name=None)]
        content[name] = {"columns": list(frame.columns), "rows": rows}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_plain) + "\n"


def loaded(text: str) -> Tables:
    """The tables of :func:`dumped`.

    Raises:
        ValueError: not such a text, or of another edition.
    """
    try:
        content = json.loads(text)
        if content["edition"] != EDITION:
            raise ValueError("another edition")
        frames = {
            name: pd.DataFrame(content[name]["rows"], columns=content[name]["columns"]) for name in _frames()
        }
        return Tables(totals=dict(content["totals"]), **frames)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("no stored tables") from error


def _frames() -> list[str]:
    return [field.name for field in dataclasses.fields(Tables) if field.name != "totals"]


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's."""
    return value.item()
