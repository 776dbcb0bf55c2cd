"""A review sheet or Label Studio's export, changed in any way: answers that the store can keep, places that are wrong, or one line."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from fuzz import temporary_folder
from fuzz.mutation import ODD_VALUES, edited
from pipeline.documents.review_sheet import write_review_sheet
from pipeline.errors import QingyiError
from pipeline.intake.files import find_files
from pipeline.intake.sheets import Row, Sheet, open_sheets
from pipeline.records import UNSPECIFIED
from pipeline.review import columns as c
from pipeline.review.answers import Batch, as_record
from pipeline.review.label_studio import read_tasks
from pipeline.review.rows import Filled
from pipeline.review.sheet import read_sheets
from pipeline.review.store import Store
from pipeline.reviewing import export
from pipeline.run import classify
from pipeline.workspace import SHIPPED, Workspace

_RAW, _TASKS, _SHEETS = range(3)
"""First byte of the data: the rest is the file of tasks, or says what to change in the tasks or in the sheets."""

_OPINIONS = (
    "质检站来抽样，临走后备箱装满了两箱酒，一分钱没给。",
    "供应处办事快，物资公司却要我们按优惠价供货。跑了八趟都没办成。",
    "建议把办事流程贴在墙上。",
    "物资公司的人态度生硬，问什么都说不知道。",
)
_CELLS = (
    *ODD_VALUES,
    c.YES,
    c.RIGHT,
    c.CHANGED,
    c.SKIPPED,
    "质检站",
    "质检站；供应处",
    UNSPECIFIED,
    c.CODE,
    "=1+1",
    "改\n了",
)
_AT = "2025-03-05T10:00:00+08:00"


class Desk(NamedTuple):
    """A workspace with one batch exported: its sheets by cells, and its tasks with a person's annotations."""

    space: Workspace
    batch: Batch
    sheets: dict[str, list[list[Any]]]
    tasks: list[dict[str, Any]]


@functools.cache
def desk() -> Desk:
    """What the program really exports of four opinions, made once."""
    root = temporary_folder()
    (root / "a.txt").write_text("\n".join(_OPINIONS), encoding="utf-8")
    classify([root / "a.txt"], root / "out", workspace=root, jobs=1)
    sheet, tasks = root / "review.xlsx", root / "tasks.json"
    batch = export(root / "out", tasks, workspace=root)
    space = Workspace(root=SHIPPED)
    write_review_sheet(batch, space.taxonomy, space.directory, sheet)
    tables = {
        table.name: [list(row.cells) for row in table.rows] for table in open_sheets(find_files([sheet])[0])
    }
    exported = json.loads(tasks.read_text(encoding="utf-8"))
    for task in exported:
        result = task["predictions"][0]["result"]
        task["annotations"] = [
            {"completed_by": {"email": "a@b.cn"}, "updated_at": _AT, "was_cancelled": False, "result": result}
        ]
    return Desk(space, batch, tables, exported)


def seeds() -> list[bytes]:
    """The tasks as they are, and changes to tasks and sheets."""
    raw = json.dumps(desk().tasks[:2], ensure_ascii=False).encode()
    return [
        bytes([_RAW]) + raw,
        *(bytes([kind]) + steps for kind in (_TASKS, _SHEETS) for steps in (b"", bytes(range(0, 250, 7)))),
    ]


def check(data: bytes) -> None:
    """Take in what the data makes of the exported sheet or tasks.

    Raises:
        AssertionError: an answer to no question, of an unknown label or department, or a message of several lines.
    """
    if not data:
        return
    kind, recipe = data[0] % 3, data[1:]
    try:
        filled = _from_sheets(recipe) if kind == _SHEETS else _from_tasks(kind, recipe)
    except QingyiError as error:
        if "\n" in str(error):
            raise AssertionError("an error is of several lines") from None
        return
    _held_against_the_batch(filled)


def _held_against_the_batch(filled: Filled) -> None:
    space, batch, _, _ = desk()
    keys = {question.key for question in batch.questions}
    departments = {*space.directory.names, UNSPECIFIED}
    for answer in filled.answers:
        if answer.key not in keys or not answer.labels <= set(space.taxonomy.codes) or not answer.by:
            raise AssertionError("an answer of nobody, to no question or of an unknown label")
        if not {department for department, _ in answer.pairs} <= departments:
            raise AssertionError("an answer about an unknown department")
        json.dumps(as_record(answer), ensure_ascii=False).encode()
    if any("\n" in problem for problem in filled.problems) or (filled.problems and filled.answers):
        raise AssertionError("a problem is of several lines, or answers are taken in beside it")
    if len({(answer.key, answer.by) for answer in filled.answers}) != len(filled.answers):
        raise AssertionError("somebody answers twice")


def _from_tasks(kind: int, recipe: bytes) -> Filled:
    space, _, _, tasks = desk()
    path = _root() / "filled.json"
    path.write_bytes(recipe if kind == _RAW else json.dumps(edited(tasks, recipe)).encode())
    return read_tasks(path, _store(), (space.taxonomy,), space.directory, by="", at=_AT)


def _from_sheets(recipe: bytes) -> Filled:
    space, _, tables, _ = desk()
    changed = {name: [list(cells) for cells in rows] for name, rows in tables.items()}
    changed[c.GUIDE][1][1] = "王审"
    steps = iter(recipe)
    for what in steps:
        _change(changed, what, steps)
    sheets = [
        Sheet(name, iter([Row(number, tuple(cells), 0.0) for number, cells in enumerate(rows, start=1)]))
        for name, rows in changed.items()
    ]
    return read_sheets(
        sheets, "filled.xlsx", "0" * 16, _store(), (space.taxonomy,), space.directory, by="", at=_AT
    )


def _change(tables: dict[str, list[list[Any]]], what: int, steps: Iterator[int]) -> None:
    """Change a cell, a row or a column of the sheet of opinions, or (every fourth time) of the guide."""
    rows = tables[c.GUIDE if what % 4 == 3 else c.SHEET]
    row, column = next(steps, 0), next(steps, 0)
    cells = rows[row % len(rows)] if rows else []
    way = what // 4
    if way < 48 and cells:
        cells[column % len(cells)] = _CELLS[way % len(_CELLS)]
    elif way < 52 and cells:
        rows.remove(cells)
    elif way < 56 and cells:
        rows.append(list(cells))
    elif way < 60:
        for line in rows:
            del line[column : column + 1]
    elif cells:
        del cells[column % len(cells) :]


@functools.cache
def _root() -> Path:
    return temporary_folder()


@functools.cache
def _store() -> Store:
    """The store with the exported batch."""
    store = Store(_root() / "feedback")
    store.add_batch(desk().batch)
    return store
