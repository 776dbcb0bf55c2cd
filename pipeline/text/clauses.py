"""A text cut into clauses: the smallest stretches that say one thing about one department."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.text.normalise import LEADING_SIGNS

MARKS = "，,。！？!?；;…\n"
"""What ends a clause."""

SENTENCE_ENDS = "。！？!?；;…\n"
_SPACED_OUT = rf"(?<![\u4e00-\u9fff])[\u4e00-\u9fff](?:[{MARKS}][\u4e00-\u9fff](?![\u4e00-\u9fff])){{2,}}"
"""Three characters or more with a mark between each two: 收，红，包 is one thing said, in disguise."""

_CLAUSE = re.compile(rf"(?:{_SPACED_OUT}|[^{MARKS}])+")
_MAYBE_SPACED_OUT = re.compile(rf"[{MARKS}][\u4e00-\u9fff][{MARKS}][\u4e00-\u9fff]")
_UNMARKED = re.compile(rf"[^{MARKS}]+")
"""The same as ``_CLAUSE`` in a text that nothing is spaced out in, and many times as fast."""

_SENTENCE_END = re.compile(f"[{SENTENCE_ENDS}]")
LONGEST = 120
"""Characters in a clause."""


class Clause(NamedTuple):
    """``text[start:end]`` without its closing punctuation; clauses of one sentence share ``sentence``."""

    start: int
    end: int
    sentence: int


def split_clauses(text: str) -> list[Clause]:
    """Clauses in order, covering all but punctuation and blanks (between single characters both stay); a run without punctuation is cut at 120.

    Clauses never overlap, are never empty, never begin with a bullet, and ``sentence`` counts up from 0.
    """
    clauses: list[Clause] = []
    sentence = 0
    last_end = 0
    pattern = _CLAUSE if _MAYBE_SPACED_OUT.search(text) else _UNMARKED
    for match in pattern.finditer(text):
        start, end = match.span()
        if clauses and _SENTENCE_END.search(text, last_end, start):
            sentence += 1
        last_end = end
        while start < end and text[start] in LEADING_SIGNS:
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        clauses += [Clause(cut, min(cut + LONGEST, end), sentence) for cut in range(start, end, LONGEST)]
    return clauses
