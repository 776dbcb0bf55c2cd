"""What is asked and what is answered: frozen values, texts in no ``repr``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Pair = tuple[str, str]
"""(department, label code)."""

Why = Literal["audit", "unsure", "asked", "disputed"]
WHY = {"audit": "随机抽查", "unsure": "没有把握", "asked": "指定", "disputed": "意见不一"}
"""Why an opinion is put before a person, and how the sheet says so."""

Kind = Literal["review", "settle"]
"""A sheet of opinions to label, or of disagreements to settle for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One opinion put before a person. ``text`` is masked; ``department`` the opinion's own column.

    ``suggested`` are (department, label, probability, start, end), the program's findings with their evidence in the
    text. ``answers`` say how people labelled it before, where the sheet is to settle a disagreement.
    """

    key: str
    id: str
    text: str = field(repr=False)
    department: str
    why: Why
    suggested: tuple[tuple[str, str, float, int, int], ...]
    answers: tuple[tuple[str, tuple[Pair, ...]], ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Suggested (department, label) pairs, in order."""
        return tuple((department, code) for department, code, *_ in self.suggested)

    @property
    def about(self) -> str:
        """The department the opinion as a whole is about: the only one suggested, its own column where none is, else ""."""
        named = {department for department, _ in self.pairs}
        return next(iter(named)) if len(named) == 1 else "" if named else self.department


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Questions exported together. ``id`` is made from their content: the same questions are the same batch.

    ``model`` suggested the labels, ``taxonomy`` is the version of their codes, ``at`` the time in ISO 8601.
    """

    id: str
    kind: Kind
    model: str
    taxonomy: str
    at: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one person said of one opinion. ``pairs`` hold every label with its department; None departments are 未指明.

    ``skipped`` is "not sure": no label is stored. ``settles`` marks the decision of a disagreement. ``suggested`` is
    what the program had proposed. ``by`` and ``at`` say who and when, ``batch`` and ``source`` on which sheet, ``content`` is the
    digest of that file.
    """

    key: str
    pairs: tuple[Pair, ...]
    skipped: bool
    by: str
    at: str
    batch: str
    source: str
    model: str
    taxonomy: str
    suggested: tuple[Pair, ...]
    content: str = ""
    settles: bool = False
    remark: str = field(default="", repr=False)

    @property
    def labels(self) -> frozenset[str]:
        """The label codes."""
        return frozenset(code for _, code in self.pairs)

    def same(self, other: Answer) -> bool:
        """Whether both say the same, whenever and on whatever sheet."""
        return (set(self.pairs), self.skipped, self.settles, self.remark) == (
            set(other.pairs),
            other.skipped,
            other.settles,
            other.remark,
        )


def batch_id(kind: Kind, model: str, taxonomy: str, questions: Sequence[Question]) -> str:
    """Ten hexadecimal digits from all that a batch asks and suggests."""
    asked = [kind, model, taxonomy, *map(as_record, questions)]
    return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()[:10]


def is_batch_id(text: str) -> bool:
    """Whether a text has the form of :func:`batch_id`; what has not may be anything, an opinion too, and is not quoted."""
    return re.fullmatch("[0-9a-f]{10}", text) is not None


def as_record(value: Question | Answer) -> dict[str, Any]:
    """A JSON object of a question or an answer."""
    return {name: getattr(value, name) for name in value.__slots__}
