"""Load for benchmarks: any number of messages out of real ones, or of the corpus, by repeating them with edits.

Every round over the messages after the first changes each of them in a few clauses: a number becomes another of as many
digits, a clause is left out, two change places, a word is put in. That is load, not opinions: nothing is learnt from it or
judged on it. The same messages, number and seed give the same load. Without edits enough, a copy counts as a near repeat
of its original (:data:`pipeline.intake.repeats.NEAR`), so the more edits, the more distinct opinions there are to keep.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.intake.files import find_files
from pipeline.intake.reading import Intake
from pipeline.records import Opinion
from pipeline.workspace import SHIPPED

EDITS = 3
"""Changes to each copy."""

LENGTH = 100
"""Characters of a short message, on average."""

_CLAUSE = re.compile(r"[^，。！？；…\n]{0,60}[，。！？；…\n]*")
_NUMBER = re.compile(r"[0-9]+")
_WORDS = ("确实", "一直", "目前", "后来", "至今", "已经", "据说", "当时", "多次", "现在", "去年", "其实")


class Load(NamedTuple):
    """What was written: messages, and their characters together."""

    messages: int
    characters: int


def originals(given: Path | None) -> list[str]:
    """The opinions accepted from a file, title first; without one, those of the labelled corpus."""
    if given is not None:
        return [row.text for row in Intake(find_files([given])) if isinstance(row, Opinion)]
    return [
        str(json.loads(line)["text"])
        for path in sorted((SHIPPED / "data/labelled").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").split("\n")
        if line
    ]


def clauses(text: str) -> list[str]:
    """A text in pieces that end with a mark, or after 60 characters; joined they give the text."""
    return [piece for piece in _CLAUSE.findall(text) if piece]


def edited(text: str, chance: random.Random, edits: int = EDITS) -> str:
    """The text with ``edits`` changes; a change that it has no place for is a word put in."""
    pieces = clauses(text) or [""]
    for _ in range(edits):
        at = chance.randrange(len(pieces))
        act = chance.randrange(4)
        if act == 0 and len(pieces) > 2:
            del pieces[at]
        elif act == 1 and len(pieces) > 2:
            pieces[at - 1], pieces[at] = pieces[at], pieces[at - 1]
        elif act == 2 and _NUMBER.search(pieces[at]):
            pieces[at] = _NUMBER.sub(lambda found: _other(found.group(), chance), pieces[at])
        else:
            pieces[at] = chance.choice(_WORDS) + pieces[at]
    return "".join(pieces)


def messages(texts: Sequence[str], n: int, *, edits: int = EDITS, seed: int = 0) -> Iterator[str]:
    """``n`` messages, one at a time: the texts in order, then over and over with edits."""
    chance = random.Random(seed)  # noqa: S311  # load, not a secret
    for i in range(n):
        text = texts[i % len(texts)]
        yield text if i < len(texts) else edited(text, chance, edits)


def short(texts: Iterable[str], length: int = LENGTH) -> Iterator[str]:
    """The texts cut, or joined, into messages of about ``length`` characters that end with a clause."""
    half_a_clause = 6
    message = ""
    for text in texts:
        for clause in clauses(text):
            message += clause
            if len(message) > length - half_a_clause:
                yield message.strip()
                message = ""


def write(texts: Iterable[str], target: Path) -> Load:
    """A csv with ``id`` and ``text``, written as the texts come."""
    n = characters = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text"])
        for text in texts:
            n, characters = n + 1, characters + len(text)
            rows.writerow([f"M{n:07d}", text])
    return Load(n, characters)


def _other(number: str, chance: random.Random) -> str:
    """A number of as many digits; a leading zero stays one."""
    first = "0" if number[0] == "0" else chance.choice("123456789")
    return first + "".join(chance.choices("0123456789", k=len(number) - 1))
