"""``通知草稿``: where an issue is widespread, the draft of a notice to all, for a person to finish.

An issue is widespread where at least :data:`DEPARTMENTS` departments have :data:`OPINIONS` opinions each, or where it was
raised about :data:`PART` of the departments spoken about, at least :data:`DEPARTMENTS`, so that there are :data:`EACH` opinions to
each: a scattering of single opinions is no custom. Only counts that may be given are looked at: that there is a notice
says no more than they do. The wording of the shipped issues is in ``templates/notices.toml``.
"""

from __future__ import annotations

import functools
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TypedDict

from pipeline.documents.disclosure import Disclosure
from pipeline.documents.facts import Facts
from pipeline.documents.filenames import file_names
from pipeline.documents.prose import span
from pipeline.documents.word import Imprint, Paper
from pipeline.taxonomy import Label

DEPARTMENTS, OPINIONS = 3, 5
"""So many departments with so many distinct opinions each."""

PART, EACH = 0.5, 1.5
"""Such a part of the departments spoken about, and so many opinions on the issue to each of these."""


class Wording(TypedDict):
    """What a notice says: its title, why it is given, and its clauses as (heading, text)."""

    title: str
    reason: str
    rules: list[list[str]]


def widespread(disclosure: Disclosure) -> tuple[Label, ...]:
    """The issues that call for a notice, in taxonomy order."""
    spoken_about, chosen = disclosure.named, []
    for issue in disclosure.issues:
        counts = [department.count(issue.label.code) for department in spoken_about]
        many = sum((count or 0) >= OPINIONS for count in counts) >= DEPARTMENTS
        concerned = sum(count != 0 for count in counts)
        common = concerned >= max(DEPARTMENTS, PART * len(spoken_about))
        if many or (common and (issue.count or 0) >= EACH * concerned):
            chosen.append(issue.label)
    return tuple(chosen)


def write_notices(facts: Facts, disclosure: Disclosure, imprint: Imprint, folder: Path) -> list[Path]:
    """Write a draft for each widespread issue, in taxonomy order; no folder is made where there is none."""
    labels = widespread(disclosure)
    names = file_names(label.name_zh for label in labels)
    paths = []
    for label in labels:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{names[label.name_zh]}.docx"
        _draft(label, facts, disclosure, imprint).save(path)
        paths.append(path)
    return paths


def wording(label: Label) -> Wording:
    """The notice's words; for an issue of the user's own taxonomy, from its definition and remedy."""
    known = _wordings().get(label.code)
    return known or {
        "title": f"关于纠正“{label.name_zh}”问题的通知",
        "reason": "这类问题影响公正办事，企业、基层和群众有反映，应当及时纠正。",
        "rules": [
            ["明确要求。", f"本通知所说的“{label.name_zh}”，指{label.definition}"],
            ["落实整改。", label.remedy],
        ],
    }


@functools.cache
def _wordings() -> dict[str, Wording]:
    text = files("pipeline.documents").joinpath("templates/notices.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _draft(label: Label, facts: Facts, disclosure: Disclosure, imprint: Imprint) -> Paper:
    words = wording(label)
    paper = Paper(words["title"], subtitle="（草稿）", running="草稿")
    paper.addressee("各部门、各单位")
    paper.text(f"{_ground(label, facts, disclosure)}{words['reason']}现就有关事项通知如下：")
    for lead, text in words["rules"]:
        paper.clause(lead, text)
    paper.clause(
        "限期自查整改。",
        f"各部门、各单位要对照本通知逐条自查，于{imprint.term}将自查和整改情况书面报告。本通知印发后仍有违反的，按有关规定严肃处理。",
    )
    paper.clause(
        "接受监督。",
        "请企业、基层单位和群众监督本通知的执行，发现违反的及时反映。对反映问题的单位和个人要严格保密，不得追查，不得打击报复。",
    )
    paper.text("特此通知。")
    paper.sign(imprint)
    paper.remark(
        "起草说明：本稿依据评议统计起草，所引情况由计算机分类得出，印发前请核实；请补充发文字号、监督电话等内容，修改定稿后按程序报批，并删去本说明和“草稿”字样。"
    )
    return paper


def _ground(label: Label, facts: Facts, disclosure: Disclosure) -> str:
    """Why the notice is given: how often the issue was raised, as far as that may be said."""
    count = next(issue.count for issue in disclosure.issues if issue.label.code == label.code)
    period = span(str(facts.totals["first_day"]), str(facts.totals["last_day"]))
    when = f"{period}的评议" if period else "最近一次评议"
    how_many = "有意见" if count is None else f"有{count}件意见"
    return f"{when}中，{how_many}反映“{label.name_zh}”问题，涉及多个部门。"
