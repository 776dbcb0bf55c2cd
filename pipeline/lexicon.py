"""The domain lexicon: one file that feeds the segmenter and gives words and number patterns their meaning class."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipeline.errors import ResourceError, cause

NUMBER = "#"
"""In a term: any number, in digits or characters (``跑了#趟``)."""

_TERM = re.compile(r"(?=[^#]*#?[^#]*$)[\u3400-\u9fffA-Za-z0-9#]{1,12}")
_NUMERALS = "〇零一二两三四五六七八九十百千万亿几半"
_DIGITS = re.compile(rf"[0-9]+(?:[.,][0-9]+)*|[{_NUMERALS}]+")
_LONGEST_PATTERN = 8
_CLASS = re.compile(r"[a-z][a-z_]*")
HEADER = ("term", "class", "note")


@dataclass(frozen=True)
class Lexicon:
    """Terms and their meaning classes. Guaranteed: each term once, made of characters the segmenter keeps whole.

    ``classes`` are words for the segmenter, ``patterns`` hold one :data:`NUMBER` each.
    """

    classes: dict[str, str]
    patterns: dict[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the sorted (term, class) pairs: what a model is bound to."""
        terms = {**self.classes, **self.patterns}
        lines = (f"{term}\t{terms[term]}" for term in sorted(terms))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    @cached_property
    def _beside(self) -> tuple[frozenset[str], frozenset[str]]:
        """Characters that stand before and behind the number in a pattern."""
        parts = [pattern.partition(NUMBER) for pattern in self.patterns]
        return (
            frozenset(before[-1] for before, _, _ in parts if before),
            frozenset(after[0] for _, _, after in parts if after),
        )

    @cached_property
    def _met(self) -> re.Pattern[str]:
        """Where a number and what stands beside one in a pattern meet: most texts have no such place."""
        before, after = (re.escape("".join(sorted(characters))) for characters in self._beside)
        number = f"[0-9{_NUMERALS}{NUMBER}]"
        sides = [f"[{before}]{number}" if before else "", f"{number}[{after}]" if after else ""]
        return re.compile("|".join(filter(None, sides)) or r"(?!)")

    def may_count(self, text: str) -> bool:
        """Whether there may be a pattern in any part of a text; there is none where this says no."""
        return self._met.search(text) is not None

    def counted(self, text: str) -> Iterator[str]:
        """Classes of the patterns in a text, in order of the numbers they hold, the longest at each number."""
        if not self.may_count(text):
            return
        folded = _DIGITS.sub(NUMBER, text)
        place = folded.find(NUMBER)
        while place >= 0:
            before, after = self._beside
            if folded[place - 1 : place] not in before and folded[place + 1 : place + 2] not in after:
                place = folded.find(NUMBER, place + 1)
                continue
            spans = (
                folded[start : start + length]
                for length in range(_LONGEST_PATTERN, 1, -1)
                for start in range(max(0, place - length + 1), place + 1)
            )
            found = next((self.patterns[span] for span in spans if span in self.patterns), None)
            if found is not None:
                yield found
            place = folded.find(NUMBER, place + 1)


def load_lexicon(path: Path) -> Lexicon:
    """Read ``lexicon.tsv`` (term, class, note; ``# `` begins a comment line).

    segmenters drop or cut terms with spaces, hyphens or brackets without a word, so every line is checked.

    Raises:
        ResourceError: the line's number and what is wrong with it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ResourceError(f"读不到领域词表 {path.name}：{cause(error)}。") from None
    except UnicodeDecodeError:
        raise ResourceError(f"领域词表 {path.name} 不是 UTF-8 编码。") from None
    if not lines or tuple(lines[0].split("\t")[:2]) != HEADER[:2]:
        raise ResourceError(f"领域词表 {path.name} 第 1 行应为表头：term、class、note（制表符分隔）。")
    classes: dict[str, str] = {}
    patterns: dict[str, str] = {}
    seen: dict[str, int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip() or line.startswith("# "):
            continue
        columns = line.split("\t")
        wrong = _wrong(columns, seen)
        if wrong:
            raise ResourceError(f"领域词表 {path.name} 第 {number} 行{wrong}。")
        term, klass = columns[:2]
        seen[term] = number
        (patterns if NUMBER in term else classes)[term] = klass
    return Lexicon(classes=classes, patterns=patterns)


def _wrong(columns: list[str], seen: dict[str, int]) -> str:
    """What is wrong with a line, "" for nothing; ``seen`` are the terms before and their lines."""
    if len(columns) not in (2, 3):
        return f"应有 2 或 3 列（制表符分隔），现有 {len(columns)} 列"
    term, klass = columns[:2]
    if not _TERM.fullmatch(term):
        return f"的词“{term[:20]}”含空格、标点、两个 # 或过长，分词时会被切开，请改写"
    if not _CLASS.fullmatch(klass):
        return f"的类别“{klass[:20]}”应为小写英文与下划线"
    return f"的词“{term}”与第 {seen[term]} 行重复" if term in seen else ""
