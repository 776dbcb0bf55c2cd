"""Sentences from figures, as an office writes them: measure words, ties, and silence where there is nothing.

Nothing here knows of opinions: what a round was like is told in :mod:`pipeline.documents.sentences`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from pipeline.documents.wording import chinese_date, percent

BASE = 10
"""A share of fewer than so many is not given."""

_RANKS = ("反映最多的是", "其次是", "再次是")
_DIGITS = "零一二三四五六七八九"
_UNITS = ("千", "百", "十", "")


def chinese_number(number: int) -> str:
    """1 … 9999 as in headings: 一, 十, 十一, 二十, 一百零三, 一千零二十.

    Raises:
        ValueError: outside 1 … 9999.
    """
    if not 1 <= number <= 9999:
        raise ValueError(f"{number} outside 1…9999")
    digits = str(number)
    said = "".join(
        _DIGITS[int(digit)] + (unit if digit != "0" else "")
        for digit, unit in zip(digits, _UNITS[-len(digits) :], strict=True)
    )
    said = re.sub("零+", "零", said).rstrip("零")
    return said.removeprefix("一") if said.startswith("一十") else said


def listing(names: Iterable[str]) -> str:
    """甲、乙和丙; only 、 where a name holds 和 or 与 itself."""
    listed = list(names)
    if len(listed) < 2:
        return "".join(listed)
    last = "、" if any(joint in name for name in listed for joint in "和与及") else "和"
    return "、".join(listed[:-1]) + last + listed[-1]


def some(names: Sequence[str], most: int, unit: str) -> str:
    """All names, or the first ``most`` of them with how many there are: 甲、乙、丙等12个部门."""
    if len(names) <= most:
        return listing(names)
    return "、".join(names[:most]) + f"等{len(names)}{unit}"


def share(count: int, base: int) -> str:
    """``，占21.5%`` with one decimal; empty on a base under :data:`BASE`."""
    return f"，占{percent(count / base)}" if base >= BASE else ""


def leading(items: Iterable[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    """The most frequent at most ``most`` items, zeros left out, that divide no tie; all of a first tie.

    Order: by count, larger first, as given within a tie.
    """
    kept: list[tuple[str, int]] = []
    for tie in _ties(items):
        if kept and len(kept) + len(tie) > most:
            break
        kept += tie
    return kept


def ranking(items: Iterable[tuple[str, int]], most: int = 5, longest: int = 8) -> str:
    """反映最多的是甲（28件），其次是乙和丙（各18件）。 Empty where there is nothing, or only a tie of too many."""
    ties = _ties(leading(items, most))[: len(_RANKS)]
    if not ties or len(ties[0]) > longest:
        return ""
    said = [_tied(ties[0], "并列，各"), *map(_tied, ties[1:])]
    return "，".join(rank + names for rank, names in zip(_RANKS, said, strict=False)) + "。"


def counted(items: Iterable[tuple[str, int]]) -> str:
    """甲（8件）、乙和丙（各6件）, larger counts first, zeros left out."""
    return "、".join(map(_tied, _ties(items)))


def span(first: str, last: str) -> str:
    """Two days ``YYYY-MM-DD`` as 2025年3月3日至4月11日; what they share is said once; empty where there are none."""
    if not first:
        return ""
    start, end = chinese_date(first), chinese_date(last)
    if first == last:
        return start
    if first[:4] != last[:4]:
        return f"{start}至{end}"
    if first[:7] != last[:7]:
        return f"{start}至{end.partition('年')[2]}"
    return f"{start}至{end.partition('月')[2]}"


def months(first: str, last: str) -> str:
    """The months of two days, for a title: 2025年3月, 2025年3月至4月, 2024年12月至2025年1月; empty for none."""
    if not first:
        return ""
    start, end = (chinese_date(day).partition("月")[0] + "月" for day in (first, last))
    if start == end:
        return start
    return f"{start}至{end if first[:4] != last[:4] else end.partition('年')[2]}"


def change(before: int, after: int) -> str:
    """How a count moved: 由28件降至11件，下降60.7%; a percentage only from a base of :data:`BASE` on."""
    if before == after:
        return f"仍为{after}件"
    if not before:
        return f"新出现{after}件"
    if not after:
        return f"由{before}件降至没有反映"
    rose = after > before
    moved = f"由{before}件{'增至' if rose else '降至'}{after}件"
    if before < BASE:
        return moved
    return f"{moved}，{'上升' if rose else '下降'}{percent(abs(after - before) / before)}"


def _ties(items: Iterable[tuple[str, int]]) -> list[list[tuple[str, int]]]:
    """Items with a count, those of equal count together, larger counts first."""
    ordered = sorted((item for item in items if item[1] > 0), key=lambda item: -item[1])
    return [list(tie) for _, tie in groupby(ordered, key=lambda item: item[1])]


def _tied(tie: Sequence[tuple[str, int]], each: str = "各") -> str:
    names = listing(name for name, _ in tie)
    return f"{names}（{each if len(tie) > 1 else ''}{tie[0][1]}件）"
