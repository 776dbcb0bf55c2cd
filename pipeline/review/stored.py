"""The files of the store: one record a line, whole or absent, and a damaged one told by its name."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import OutputError, ResourceError, cause
from pipeline.review.answers import Answer, Batch, Question, batch_id

STAGING = ".new-"
"""How the names of files begin that are not in their place yet."""

HEADER = ("id", "kind", "model", "taxonomy", "at")
LEFT = "left"
"""In the header of a batch from which opinions were withdrawn: the id that what is left of it would have."""


def batch_in(path: Path) -> Batch:
    """The batch that a file of questions holds.

    Raises:
        ResourceError: the file is damaged.
    """
    with readable(path):
        header, *records = records_of(path)
        left = header.pop(LEFT, header["id"])
        batch = Batch(questions=tuple(map(_question, records)), **header)
        if left != batch_id(batch.kind, batch.model, batch.taxonomy, batch.questions):
            raise ValueError
    return batch


def answers_in(path: Path) -> list[Answer]:
    """The answers that a file holds.

    Raises:
        ResourceError: the file is damaged.
    """
    with readable(path):
        if path.stem.partition("-")[2] != short_digest(path.read_text(encoding="utf-8")):
            raise ValueError
        return [_answer(record) for record in records_of(path)]


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """What goes wrong in reading a file of the store is said by its name, never by its content."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ResourceError(
            f"复核记录 {path.parent.name}/{path.name} 读不出来或已损坏；请从备份恢复这个文件。"
        ) from None


def records_of(path: Path) -> list[dict[str, Any]]:
    """The records of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def lines(records: Iterable[dict[str, Any]]) -> str:
    """What a file of these records holds."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def short_digest(content: str) -> str:
    """By which the name of a file of answers tells whether it is as it was written."""
    return hashlib.sha256(content.encode()).hexdigest()[:10]


def _question(record: dict[str, Any]) -> Question:
    suggested = tuple((d, code, p, start, end) for d, code, p, start, end in record["suggested"])
    answers = tuple((by, _pairs(pairs)) for by, pairs in record["answers"])
    return Question(**{**record, "suggested": suggested, "answers": answers})


def _answer(record: dict[str, Any]) -> Answer:
    return Answer(**{**record, "pairs": _pairs(record["pairs"]), "suggested": _pairs(record["suggested"])})


def _pairs(values: Iterable[Iterable[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((department, code) for department, code in values)


def write(target: Path, records: Iterable[dict[str, Any]]) -> None:
    """Put a file in place, whole or not at all.

    Raises:
        OutputError: it cannot be written; nothing of it is left.
    """
    handle, temporary = tempfile.mkstemp(prefix=STAGING, dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(lines(records))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException as problem:
        with contextlib.suppress(OSError):  # it holds texts: nothing of it is to stay
            Path(temporary).unlink(missing_ok=True)
        if isinstance(problem, OSError):
            raise OutputError(f"不能写入复核记录 {target.name}：{cause(problem)}。") from None
        raise
