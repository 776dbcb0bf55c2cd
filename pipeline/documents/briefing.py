"""``briefing.docx``: the 专报 for leaders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.aggregate.series import Series
from pipeline.aggregate.tables import unspecified_share
from pipeline.documents.annexes import write_departments, write_issues, write_tasks
from pipeline.documents.disclosure import DisclosedIssue, Disclosure
from pipeline.documents.facts import Facts
from pipeline.documents.method import write_method
from pipeline.documents.notice import widespread
from pipeline.documents.prose import BASE, leading, listing, months, ranking, some
from pipeline.documents.sentences import (
    Changes,
    by_series,
    compared,
    concerned,
    from_where,
    moved,
    origins,
    overall,
    received,
    standing,
    standings,
)
from pipeline.documents.word import Imprint, Paper
from pipeline.documents.wording import percent
from pipeline.records import UNSPECIFIED

_PROMINENT = 3
"""So many issues at most are told one by one."""

_LONGEST = 8
"""More issues than this in a tie are told in the table alone."""


_MOST_COMMENDED = 6
"""Departments named to be commended; the others are on the list."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What the briefing tells beside the facts of its round.

    ``changes`` is None where there is no earlier round. ``series`` are the departments beside those of their kind, by
    their distinct opinions that accuse (:func:`~pipeline.aggregate.series.compare_within_series`); without them the
    paper does not compare. ``expressions``: label code → what many said in the same words. ``commended``: the departments on
    the list of those to be commended; None where no list was drawn up.
    """

    changes: Changes | None = None
    series: Sequence[Series] = ()
    expressions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    commended: Sequence[str] | None = None


def write_briefing(
    facts: Facts, disclosure: Disclosure, imprint: Imprint, path: Path, beside: Beside | None = None
) -> None:
    """Write the paper: three pages or so to read, the tables in its annexes.

    A section that has nothing to say is left out, and the next ones move up.
    """
    beside = beside or Beside()
    when = months(str(facts.totals["first_day"]), str(facts.totals["last_day"]))
    valid = facts.totals["valid_distinct"]
    raised = [issue for issue in disclosure.issues if issue.count != 0]
    prominent = _prominent(raised)
    annexes = ["统计表", *(["整改任务"] if raised else []), "方法说明"]
    paper = Paper(f"关于{when}评议意见情况的专报", mark="内部资料　注意保密")
    paper.heading("基本情况")
    paper.text(_basics(facts, disclosure, len(annexes)))
    if valid < BASE:
        paper.heading("工作建议")
        paper.text(_unfit(valid))
        paper.sign(imprint)
        paper.save(path)
        return
    paper.heading("总体评价")
    paper.text(_overall(valid, disclosure))
    if raised:
        paper.heading("意见分布")
        _distribution(paper, facts, disclosure, raised, beside.series)
    if prominent:
        paper.heading("突出问题")
        for issue in prominent:
            paper.point(f"{issue.label.name_zh}。", _told(issue, disclosure, beside.expressions))
    if beside.changes is not None:
        paper.heading("变化与新苗头")
        _changed(paper, beside.changes)
    _advice(paper, facts, disclosure, imprint.term, beside.commended)
    paper.enclosures(annexes)
    paper.sign(imprint)
    _annexes(paper, facts, disclosure, annexes, prominent or raised, imprint.term, beside.changes)
    paper.save(path)


def _annexes(
    paper: Paper,
    facts: Facts,
    disclosure: Disclosure,
    names: Sequence[str],
    tasks: Sequence[DisclosedIssue],
    term: str,
    changes: Changes | None,
) -> None:
    """The annexes of these ``names``: tables, what to put right of the issues ``tasks`` if there are any, and the method."""
    valid = facts.totals["valid_distinct"]
    paper.annex(1, names[0], landscape=True)
    write_issues(paper, disclosure, valid, len(names), changes.counts if changes else None)
    write_departments(paper, disclosure, valid)
    if tasks:
        paper.annex(2, names[1])
        write_tasks(paper, disclosure, tasks, term)
    paper.annex(len(names), names[-1])
    write_method(paper, facts)


def _basics(facts: Facts, disclosure: Disclosure, method: int) -> str:
    """When, from whom, how many, about whom; ``method`` is the number of the annex that says how figures came about."""
    said = received(facts.totals, facts.run["rows_rejected"])
    if facts.totals["valid_distinct"] < BASE:
        return said
    series: dict[str, int] = {}
    for department in disclosure.named:
        series[department.series] = series.get(department.series, 0) + 1
    unspecified = next((d.opinions for d in disclosure.departments if d.name == UNSPECIFIED), 0)
    said += concerned(series, unspecified) + origins(disclosure.sources, disclosure.channels)
    return said + f"类别和部门由计算机判定，未经逐件核实，是线索而不是结论（见附件{method}）。"


def _unfit(valid: int) -> str:
    if not valid:
        return "请核对征求意见的范围、方式和表格填写要求，畅通渠道后重新组织。"
    return f"有效意见不足{BASE}件，不宜作分类统计，请由经办人员逐件阅读办理。"


def _overall(valid: int, disclosure: Disclosure) -> str:
    said = overall(valid, disclosure.praise, disclosure.issue, disclosure.suggestion)
    return said + by_series("受到表扬较多的", ((d.series, d.name, d.praise or 0) for d in disclosure.named))


def _distribution(
    paper: Paper,
    facts: Facts,
    disclosure: Disclosure,
    raised: Sequence[DisclosedIssue],
    series: Sequence[Series],
) -> None:
    paper.point("按问题类别。", _by_issue(raised))
    paper.point("按部门。", _by_department(disclosure, series, unspecified_share(facts.tables)))
    said = from_where(disclosure.sources, disclosure.channels)
    if said:
        paper.point("按来源。", said)


def _by_issue(raised: Sequence[DisclosedIssue]) -> str:
    kept = [issue.label.name_zh for issue in raised if issue.count is None]
    if len(raised) == 1:
        said = f"反映的问题只有{raised[0].label.name_zh}一类。"
    else:
        said = f"反映的问题有{len(raised)}类。"
        said += ranking((issue.label.name_zh, issue.count or 0) for issue in raised)
    return said + (f"{listing(kept)}的件数不列。" if kept else "") + "各类的含义、件数和占比见附件1。"


def _by_department(disclosure: Disclosure, series: Sequence[Series], unspecified: float) -> str:
    about = [d for d in disclosure.named if d.issue != 0]
    said = ""
    if unspecified > 0.5:
        said = f"{percent(unspecified)}的有效意见没有写明部门，也没有提到部门目录中的部门，以下分部门的情况只供参考。"
    if not about:
        return said + "反映问题的意见没有写明部门，不能分部门统计。"
    if len(about) == 1:
        return said + f"反映问题的意见涉及{about[0].name}。"
    said += f"反映问题的意见涉及{len(about)}个部门。"
    said += by_series("件数较多的", ((d.series, d.name, d.issue or 0) for d in about))
    said += "各部门收到的意见多少不同，件数只宜在同类部门之间参看。"
    said += standings(
        series, {d.name for d in disclosure.named if d.issue is not None and d.opinions is not None}
    )
    return said + "分部门、分类别的情况见附件1。"


def _prominent(raised: Sequence[DisclosedIssue]) -> list[DisclosedIssue]:
    """The most frequent issues, then the grave ones however rare."""
    top = leading(((issue.label.code, issue.count or 0) for issue in raised), _PROMINENT)
    codes = [code for code, _ in top] if len(top) <= _LONGEST else []
    by_code = {issue.label.code: issue for issue in raised}
    grave = [issue for issue in raised if issue.label.protected and issue.label.code not in codes]
    return [*(by_code[code] for code in codes), *grave]


def _told(issue: DisclosedIssue, disclosure: Disclosure, expressions: Mapping[str, Sequence[str]]) -> str:
    """How often an issue was raised, what it is, what many say of it, and about whom."""
    if issue.count is None:
        said = "有意见反映，件数不列。"
    else:
        estimated = "" if issue.share is None else f"，估计占有效意见的{percent(issue.share)}"
        said = f"{issue.count}件{estimated}。"
    said += f"主要是{issue.label.definition}"
    code = issue.label.code
    if issue.count is not None and expressions.get(code):
        said += f"常见的说法有{'、'.join(f'“{words}”' for words in expressions[code])}。"
    said += by_series("其中较多的", ((d.series, d.name, d.count(code) or 0) for d in disclosure.named))
    return said + ("这类问题性质较重，建议由纪检监察机构优先核实。" if issue.label.protected else "")


def _changed(paper: Paper, changes: Changes) -> None:
    paper.text(compared(changes))
    for lead, moves in (("上升和新出现的。", changes.risen), ("下降的。", changes.fallen)):
        if moves:
            paper.point(lead, "；".join(map(moved, moves)) + "。")
    if changes.ledger:
        paper.text(standing(changes))


def _advice(
    paper: Paper, facts: Facts, disclosure: Disclosure, term: str, commended: Sequence[str] | None
) -> None:
    """What to do about issues, whose tasks are in an annex, about praise and suggestions, and to keep secret."""
    issues = any(issue.count != 0 for issue in disclosure.issues)
    points = []
    if issues:
        points.append(("落实整改。", f"对突出问题，按附件2逐项落实责任部门，于{term}完成整改。"))
    if notices := listing(label.name_zh for label in widespread(disclosure)):
        points.append(("印发通知。", f"{notices}涉及的部门多，已起草通知（草稿），审定后印发。"))
    if disclosure.praise != 0:
        points.append(("表扬先进。", _praise(commended)))
    if disclosure.suggestion != 0:
        remedies = (label.remedy for label in facts.taxonomy.labels if label.kind == "suggestion")
        points.append(("研究建议。", "".join(remedies)))
    if issues:
        points.append(
            (
                "反馈和督办。",
                "向有关部门发出意见反馈函，按期收回整改情况；列出件数的列入整改台账，到期没有整改的督办。",
            )
        )
        points.append(
            ("保护反映人。", "办理中不得向被反映的部门和个人提供意见原文，不得追查反映人，不得打击报复。")
        )
    if points:
        paper.heading("整改建议" if issues else "工作建议")
    for lead, text in points:
        paper.point(lead, text)


def _praise(commended: Sequence[str] | None) -> str:
    """Whom to commend: those on the list; any other only when a person has looked into it."""
    if commended is None:
        return "按表扬名单审定后予以表扬，总结做法。"
    if commended:
        return f"对{some(commended, _MOST_COMMENDED, '个部门')}通报表扬，总结做法并推广。"
    return "没有部门达到表扬名单的条件；受到肯定较多的，经核实可以表扬。"
