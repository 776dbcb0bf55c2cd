"""The tables annexed to the briefing, small counts left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.documents.disclosure import NOTE, Count, DisclosedDepartment, DisclosedIssue, Disclosure, shown
from pipeline.documents.prose import BASE, some
from pipeline.documents.word import LANDSCAPE, Column, Paper
from pipeline.documents.wording import percent
from pipeline.taxonomy import Label

_MOST_ISSUES = 16
"""So many stand beside one another; more are continued in a table below."""

_CHARACTER, _DIGIT, _PADDING = 3.8, 1.9, 1.5
"""Millimetres that a character and a digit take in a table, and the two sides of a cell."""

_NARROWEST = 30.0
"""Millimetres for departments' names, which otherwise take what the counts leave; longer names take two lines."""

_TITLES = ("有效意见", "表扬肯定", "反映问题", "占比")


_ISSUE_COLUMNS = (
    Column("问题类别", 28),
    Column("件数", 14, "number"),
    Column("估计占比", 20, "number"),
    Column("95%区间", 34, "number"),
)
_EARLIER, _MEANING = Column("上轮件数", 20, "number"), Column("含义", 129)
_TASK_COLUMNS = (Column("问题", 24), Column("整改措施", 72), Column("责任部门", 60))
_GRAVE = "由纪检监察机构核查处理"

_MOST_NAMED = 4
"""Departments named in a cell."""


def write_issues(
    paper: Paper,
    disclosure: Disclosure,
    valid: int,
    method: int,
    earlier: Mapping[str, Count] | None = None,
) -> None:
    """The issues raised, now or earlier, most frequent first, with estimated shares and what each means.

    ``valid``: all opinions; ``method``: the number of the annex that says how shares are estimated; ``earlier``: label code →
    count in an earlier round, of labels that can be compared.
    """
    told = (i for i in disclosure.issues if i.count != 0 or (earlier or {}).get(i.label.code, 0) != 0)
    raised = sorted(told, key=lambda issue: -(issue.count or 0))
    if not raised:
        return
    kept = any(issue.count is None for issue in raised)
    note = f"注：估计占比以有效意见{valid}件为基数，校正了计算机的漏判误判，可能与按件数计算的不同，见附件{method}。{NOTE if kept else ''}"
    before = [] if earlier is None else [_EARLIER]
    rows = (
        [issue.label.name_zh, *_estimate(issue), *_before(issue.label, earlier), issue.label.definition]
        for issue in raised
    )
    paper.table("各类问题件数和占比", [*_ISSUE_COLUMNS, *before, _MEANING], rows, note=note, look="Grid")


def _before(label: Label, earlier: Mapping[str, Count] | None) -> list[str]:
    if earlier is None:
        return []
    return [shown(earlier[label.code]) if label.code in earlier else "不可比"]


def _estimate(issue: DisclosedIssue) -> tuple[str, str, str]:
    """An issue's count, share and interval in a table."""
    if issue.count is None:
        return (shown(None),) * 3
    if issue.share is None:
        return shown(issue.count), shown(0), shown(0)
    return shown(issue.count), percent(issue.share), f"{percent(issue.low)}至{percent(issue.high)}"


def write_tasks(paper: Paper, disclosure: Disclosure, issues: Sequence[DisclosedIssue], term: str) -> None:
    """What to put right of each issue, by whom and by when; grave ones are not put right by the departments themselves."""
    rows = (_task(issue.label, disclosure) for issue in issues)
    paper.table(f"完成时限：{term}", _TASK_COLUMNS, rows, look="Grid")


def _task(label: Label, disclosure: Disclosure) -> list[str]:
    if label.protected:
        return [label.name_zh, label.remedy, _GRAVE]
    # whose count is not known to be 0, as the other annex shows it; those with the most given opinions first
    counts = {d.name: d.count(label.code) for d in disclosure.named}
    concerned = sorted((name for name in counts if counts[name] != 0), key=lambda name: -(counts[name] or 0))
    return [label.name_zh, label.remedy, some(concerned, _MOST_NAMED, "个部门") or "有关部门"]


def write_departments(paper: Paper, disclosure: Disclosure, valid: int) -> None:
    """Departments × their opinions, praise, accusing opinions with share, and issues; ``valid``: all opinions."""
    longest = max((len(d.name) for d in disclosure.departments), default=0) * _CHARACTER + _PADDING
    counts = [_count_column(title, valid) for title in _TITLES[:3]]
    sides = [*counts, Column(_TITLES[3], 6 * _DIGIT + _PADDING, "number")]
    total = [str(valid), *_sides(valid, disclosure.praise, disclosure.issue)]
    for start in range(0, len(disclosure.issues), _MOST_ISSUES):
        part = slice(start, start + _MOST_ISSUES)
        issues = disclosure.issues[part]
        largest = max(issue.count or 0 for issue in issues)
        columns = [
            *([] if start else sides),
            *(_count_column(issue.label.name_zh, largest) for issue in issues),
        ]
        left = LANDSCAPE - sum(column.width for column in columns)
        paper.table(
            f"各部门意见情况（件）{'（续）' if start else ''}",
            [Column("部门", max(_NARROWEST, min(longest, left))), *columns],
            [
                ["合计", *([] if start else total), *(shown(issue.count) for issue in issues)],
                *_banded(disclosure.departments, part),
            ],
            note=f"注：已合并重复。一件意见可以涉及几个部门、几类问题，各项之和不一定等于合计。占比指反映问题的占有效意见的比例，有效意见不足{BASE}件的不列。{NOTE}",
            look="Grid",
        )


def _count_column(title: str, largest: int) -> Column:
    """A column for counts up to ``largest``, wide enough for two characters of its title."""
    return Column(title, _PADDING + max(2 * _CHARACTER, len(str(largest)) * _DIGIT), "number")


def _sides(opinions: Count, praise: Count, issue: Count) -> list[str]:
    """Praise, accusing opinions, and their share as cells."""
    share = "—"
    if opinions is None or issue is None:
        share = shown(None)
    elif issue and opinions >= BASE:
        share = percent(issue / opinions)
    return [shown(praise), shown(issue), share]


def _banded(departments: Iterable[DisclosedDepartment], part: slice) -> Iterator[list[str]]:
    """Rows, a band before those of each series: departments are compared only within theirs."""
    groups: dict[str, list[DisclosedDepartment]] = {}
    for department in departments:
        groups.setdefault(department.series, []).append(department)
    for series, members in groups.items():
        if series:
            yield [series]
        for d in members:
            sides = [] if part.start else [shown(d.opinions), *_sides(d.opinions, d.praise, d.issue)]
            yield [d.name, *sides, *(shown(count) for _, count in d.cells[part])]
