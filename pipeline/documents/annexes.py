"""The briefing's annexes: its tables, small counts left out, and how the figures came about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.documents.disclosure import NOTE, Count, DisclosedDepartment, Disclosure, shown
from pipeline.documents.facts import Facts
from pipeline.documents.prose import BASE
from pipeline.documents.word import LANDSCAPE, Column, Paper
from pipeline.documents.wording import percent

_MOST_ISSUES = 16
"""So many stand beside one another; more are continued in a table below."""

_CHARACTER, _DIGIT, _PADDING = 3.8, 1.9, 1.5
"""Millimetres that a character and a digit take in a table, and the two sides of a cell."""

_NARROWEST = 30.0
"""Millimetres for departments' names, which otherwise take what the counts leave; longer names take two lines."""

_TITLES = ("有效意见", "表扬肯定", "反映问题", "占比")


def write_tables(paper: Paper, disclosure: Disclosure, valid: int) -> None:
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


def write_method(paper: Paper, facts: Facts) -> None:
    """How opinions were classified and counted, and how sure that is."""
    measured, totals = facts.card["cross_validation"], facts.totals
    paper.point(
        "分类。",
        "意见的类别和涉及的部门由计算机按《问题类型表》判定，正文提到的部门优先，其次是原表填写的部门，都没有的记“未指明”。判定结果是线索，不是结论；用于考核或者处理之前，应当由人员阅读原文核实。",
    )
    paper.point(
        "准确程度。",
        f"用{facts.card['opinions']}件已标注类别的意见作交叉检验：计算机给出的类别，{percent(measured['micro_precision'])}与标注一致；标注的类别，计算机找出{percent(measured['micro_recall'])}；没有反映问题的意见，{percent(measured['false_accusation_rate'])}被误判为反映问题。因为宁可漏判、不肯错判，问题件数应当看作下限。意见的来源和说法变化较大时，误差可能更大。",
    )
    if totals["needs_review"]:
        reviewed = f"{totals['needs_review']}件有效意见判定的把握不够，应当由人员复核"
        if totals["valid"] >= BASE:
            reviewed += f"，占有效意见（含重复）的{percent(totals['needs_review'] / totals['valid'])}"
        paper.point("人工复核。", reviewed + "。复核结果与本专报不一致的，以复核结果为准。")
    paper.point(
        "合并重复。",
        "内容相同或者稍加改动、对同样部门提出的意见合并计1件；没有实际内容的意见不计入有效意见。",
    )
    paper.point(
        "件数和占比。",
        f"件数是计算机判定的件数。总体评价、部门、来源的占比按件数计算，基数不足{BASE}件的不列。各类问题的占比是估计：按已标注意见中漏判误判的情况作了校正，所以可能与按件数计算的不同；有人工抽查的，按抽查结果校正。",
    )
    paper.point(
        "区间。",
        "估计占比有95%的把握在区间之内。区间既包含件数多少带来的波动，也包含判定误差；区间重叠的两个占比，不宜说谁高谁低。意见的写法与已标注的意见差别很大时，估计会有偏差，抽查五十件以上才可靠。",
    )
    paper.point(
        "不列的件数。",
        "为保护反映人，1至4件的件数不列；由合计能够推算出这样的件数的，也一并不列，以“＊”表示。本专报不含意见原文，不列来源单位。",
    )
    labels = measured["labels"]
    rows = [
        [
            label.name_zh,
            percent(labels[label.code]["precision"]),
            percent(labels[label.code]["recall"]),
            str(labels[label.code]["support"]),
        ]
        for label in facts.taxonomy.labels
        if label.code in labels
    ]
    paper.table(
        "各类判定的准确程度",
        (
            Column("类别", 50),
            Column("判定与标注一致", 40, "number"),
            Column("标注的被找出", 36, "number"),
            Column("检验件数", 30, "number"),
        ),
        rows,
    )
