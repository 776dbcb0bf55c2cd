"""What a round was like, in sentences. A count that may not be given is None, and no sentence hints at it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.aggregate.series import Series
from pipeline.directory import KINDS
from pipeline.documents.disclosure import Count, DisclosedSource
from pipeline.documents.prose import BASE, change, counted, leading, listing, share, some, span
from pipeline.documents.wording import percent
from pipeline.taxonomy import Label

UNSTATED = "未注明"
"""The source or channel of opinions whose row gives none."""

_MOST_SAID, _LONGEST_TIE, _MOST_OVERDUE = 3, 6, 6


@dataclass(frozen=True)
class Moved:
    """How an issue moved in one department, or over all: distinct opinions before and after.

    ``opinions_before`` and ``opinions_after`` are all opinions about the department, or all valid ones: rounds differ in
    size, and a count may fall while its share rises; None where not given.
    """

    label: Label
    before: int
    after: int
    department: str = ""
    opinions_before: Count = None
    opinions_after: Count = None


@dataclass(frozen=True)
class Changes:
    """What is certain to have moved since an earlier round, named by its time: 2025年3月至4月.

    ``counts``: label code → its distinct opinions of all departments then, of labels that can be compared. ``ledger``: state →
    rows of the ledger as it stands now; ``overdue`` are those past their day: 盐业公司的索要产品.
    """

    earlier: str
    valid_before: int
    valid_after: int
    risen: tuple[Moved, ...] = ()
    fallen: tuple[Moved, ...] = ()
    counts: Mapping[str, Count] = field(default_factory=dict)
    ledger: Mapping[str, int] = field(default_factory=dict)
    overdue: tuple[str, ...] = ()


def received(totals: Mapping[str, Any], rejected: int) -> str:
    """What came in and when, and how much of it says something."""
    accepted, distinct, valid = (totals[name] for name in ("accepted", "distinct", "valid_distinct"))
    if not accepted:
        return (
            f"收到的{rejected}行均不是意见或者不符合要求，未予采用。"
            if rejected
            else "本次评议没有收到意见。"
        )
    period = span(totals["first_day"], totals["last_day"])
    said = f"{period}，共收到意见{accepted}件" if period else f"本次评议共收到意见{accepted}件"
    if distinct < accepted:
        said += f"，合并重复后{distinct}件"
    if not valid:
        said += "，没有实际内容"
    elif valid == distinct:
        said += "，内容均有效" if distinct > 1 else "，内容有效"
    else:
        said += f"，其中内容有效的{valid}件，其余为“没有意见”等没有实际内容的"
    said += "。"
    if rejected:
        said += f"另有{rejected}行不是意见或者不符合要求，未予采用。"
    if valid and distinct < accepted:
        said += "除注明的外，以下件数均已合并重复。"
    return said


def concerned(series: Mapping[str, int], unspecified: Count) -> str:
    """Which departments were spoken about: how many of each series; ``unspecified``: opinions that name none."""
    departments = sum(series.values())
    if not departments:
        return "意见没有写明部门，也没有提到部门目录中的部门。"
    said = f"意见涉及{departments}个部门、单位"
    if len(series) > 1:
        said += "，其中" + "、".join(f"{name}{count}个" for name, count in series.items())
    return said + (f"；没有写明部门的{unspecified}件。" if unspecified else "。")


def origins(sources: Sequence[DisclosedSource], channels: Sequence[DisclosedSource]) -> str:
    """Who the opinions come from and how they were collected, with repeats; empty where no row says."""
    said = []
    for lead, rows in (("按来源分，", sources), ("按渠道分，", channels)):
        if {row.name for row in rows} <= {UNSTATED}:
            continue
        kept = [row.name for row in rows if row.opinions is None]
        parts = [f"{row.name}{row.opinions}件" for row in sorted(rows, key=_by_size) if row.opinions]
        rest = f"，另有{listing(kept)}的" if kept and parts else ""
        said.append(lead + ("、".join(parts) + rest if parts else f"有{listing(kept)}的"))
    return f"有效意见（含重复）{'；'.join(said)}。" if said else ""


def _by_size(row: DisclosedSource) -> tuple[bool, int]:
    return row.name == UNSTATED, -(row.opinions or 0)


def overall(valid: int, praise: Count, issue: Count, suggestion: Count) -> str:
    """How many opinions praise, accuse and suggest, and which side weighs more."""
    sides = [("表扬肯定的", praise), ("反映问题的", issue), ("提出建议的", suggestion)]
    said = [f"{name}{count}件{share(count, valid)}" for name, count in sides if count]
    kept = [name for name, count in sides if count is None]
    if not said and not kept:
        return "有效意见没有涉及具体的表扬、问题和建议。"
    if kept:
        said.append(f"{'也' if said else ''}有{listing(kept)}，件数不列")
    several = valid > 1 and sum(count != 0 for _, count in sides) > 1
    note = "一件意见可以兼有几项。" if several else ""
    return f"{_balance(praise, issue)}按判定的件数，有效意见中，{'；'.join(said)}。{note}"


def _balance(praise: Count, issue: Count) -> str:
    if praise is None or issue is None or praise == issue == 0:
        return ""
    if praise == issue:
        return "总的看，肯定的意见和反映问题的意见相当。"
    if not issue:
        return "总的看，意见以肯定为主，没有反映问题。"
    if not praise:
        return "总的看，意见以反映问题为主。"
    more, fewer = ("肯定的意见", "反映问题的意见") if praise > issue else ("反映问题的意见", "肯定的意见")
    return f"总的看，{more}多于{fewer}。"


def by_series(lead: str, counts: Iterable[tuple[str, str, int]]) -> str:
    """(series, department, count) → the most frequent of each series: departments are compared only within theirs.

    受到表扬较多的，处室有甲（8件）、乙（6件）；公司有丙（5件）。 Empty where there is none.
    """
    groups: dict[str, list[tuple[str, int]]] = {}
    for series, name, count in counts:
        groups.setdefault(series, []).append((name, count))
    tops = {series: leading(items, _MOST_SAID) for series, items in groups.items()}
    said = [f"{series}有{counted(top)}" for series, top in tops.items() if top and len(top) <= _LONGEST_TIE]
    return f"{lead}，{'；'.join(said)}。" if said else ""


def standings(series: Iterable[Series], told: Collection[str]) -> str:
    """Which departments' shares of accusing opinions stand out from their series, and where none can be told apart.

    Only departments in ``told``, whose counts are given, are named: a standing says much of a count. Empty where there is
    nothing to compare.
    """
    said, level = [], []
    for one in series:
        name = KINDS.get(one.kind, one.kind)
        above, below = one.at("above"), one.at("below")
        named = [
            f"{word}同类的是{listing(names)}"
            for word, names in (
                ("高于", [name for name in above if name in told]), ("低于", [name for name in below if name in told])
            )
            if names
        ]  # fmt: skip
        if named:
            said.append(f"{name}中{'，'.join(named)}")
        elif len(one.standings) > 1 and not above and not below:
            level.append(name)
    if level:
        said.append(f"{listing(level)}各部门之间分不出高低")
    return f"按反映问题的占比看，{'；'.join(said)}。" if said else ""


def from_where(sources: Sequence[DisclosedSource], channels: Sequence[DisclosedSource]) -> str:
    """What part of each source's and channel's opinions accuse, with repeats; empty where all are few."""
    said = []
    for lead, rows in (("按来源看，", sources), ("按渠道看，", channels)):
        parts = [
            f"{row.name}{row.issue}件"
            + (f"（{percent(row.issue / row.opinions)}）" if row.opinions >= BASE else "")
            for row in sorted(rows, key=_by_size)
            if row.opinions and row.issue and row.name != UNSTATED
        ]
        if parts:
            said.append(lead + "、".join(parts))
    if not said:
        return ""
    note = "括号内是占其有效意见的比例，" if any("（" in part for part in said) else ""
    return f"反映问题的，{'；'.join(said)}。{note}{'均' if note else '本段件数'}含重复。"


def compared(changes: Changes) -> str:
    """The sizes of the two rounds, by which their counts are to be read."""
    before, after = changes.valid_before, changes.valid_after
    sizes = f"由{before}件变为{after}件" if before != after else f"同为{after}件"
    said = f"与{changes.earlier}的评议相比，有效意见{sizes}"
    if not changes.risen and not changes.fallen:
        return said + "，两轮件数都列出的，没有可以确认的升降。"
    return said + ("，件数较少，升降仅供参考。" if min(before, after) < BASE else "。")


def standing(changes: Changes) -> str:
    """How far what was to be put right has come; empty where there is no ledger."""
    if not changes.ledger:
        return ""
    total = sum(changes.ledger.values())
    said = f"整改台账共{total}项，" + "、".join(f"{state}{n}项" for state, n in changes.ledger.items()) + "。"
    late = some(changes.overdue, _MOST_OVERDUE, "项")
    return said + (f"逾期的是{late}。" if late else "")


def moved(one: Moved) -> str:
    """How one issue moved: 盐业公司的索要产品由28件（占9.7%）变为11件（占3.9%）; without shares on a base too small."""
    name = f"{one.department}的{one.label.name_zh}" if one.department else one.label.name_zh
    bases = one.opinions_before or 0, one.opinions_after or 0
    if not one.before or not one.after or min(bases) < BASE:
        return name + change(one.before, one.after)
    before, after = (
        f"{count}件（占{percent(count / base)}）"
        for count, base in zip((one.before, one.after), bases, strict=True)
    )
    return f"{name}由{before}变为{after}"
