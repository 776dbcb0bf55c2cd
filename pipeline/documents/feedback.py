"""``feedback/<department>.docx``: the 意见反馈函, what goes back to one department.

It holds counts, what the categories mean, and what to put right: no text, no source, no channel, no other department.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.documents.disclosure import Count, DisclosedDepartment, Disclosure, shown
from pipeline.documents.facts import Facts
from pipeline.documents.filenames import file_names
from pipeline.documents.prose import span
from pipeline.documents.word import Column, Imprint, Paper
from pipeline.taxonomy import Label

_COLUMNS = (
    Column("问题类别", 24),
    Column("件数", 12, "number"),
    Column("具体所指", 60),
    Column("整改要求", 60),
)


def write_feedback(facts: Facts, disclosure: Disclosure, imprint: Imprint, folder: Path) -> list[Path]:
    """Write a letter for every department of the directory that has something to be told, in its order."""
    folder.mkdir(parents=True, exist_ok=True)
    told = [
        department for department in disclosure.named if raised_issues(department) or department.praise != 0
    ]
    names = file_names(department.name for department in told)
    paths = []
    for department in told:
        path = folder / f"{names[department.name]}.docx"
        _letter(department, facts.totals, imprint).save(path)
        paths.append(path)
    return paths


def raised_issues(department: DisclosedDepartment) -> list[tuple[Label, Count]]:
    """The issues that the letter tells, those given first.

    Grave ones whose number is not given are left out: on so few opinions that nobody has verified, a letter would only warn
    those who are accused.
    """
    return [(label, count) for label, count in department.found if count is not None or not label.protected]


def _letter(department: DisclosedDepartment, totals: Mapping[str, Any], imprint: Imprint) -> Paper:
    paper = Paper("评议意见反馈函")
    paper.addressee(department.name)
    paper.text(introduction(department, span(str(totals["first_day"]), str(totals["last_day"]))))
    if department.praise != 0:
        paper.heading("肯定的方面")
        paper.text(praised(department))
    found = raised_issues(department)
    if found:
        paper.heading("反映的问题")
        paper.text(raised(department))
        hidden = "“＊”表示不列具体件数，其中也可能是零。" if None in [count for _, count in found] else ""
        note = f"注：一件意见可以涉及几类问题。{hidden}"
        rows = [[label.name_zh, shown(count), label.definition, label.remedy] for label, count in found]
        paper.table("", _COLUMNS, rows, note=note, look="Grid")
        listed = "列出件数的，列入整改台账督办。" if any(count for _, count in found) else ""
        paper.heading("整改要求")
        paper.text(
            f"请对照上述问题认真自查，属实的立即整改，并举一反三、完善制度；不属实的作出说明。请于{imprint.term}完成整改，并将整改情况书面报送{imprint.office or '我处'}。{listed}"
        )
    paper.heading("有关事项")
    paper.text(
        "以上情况由计算机分类统计，未经逐件核实，供自查整改使用，不是结论。"
        "对反映问题的单位和个人应当保护，不得猜测、追查，不得打击报复。本函只发你单位，请妥善保管。"
    )
    paper.sign(imprint)
    return paper


def introduction(department: DisclosedDepartment, period: str) -> str:
    """How many opinions there were about a department, and what kinds."""
    count = "" if department.opinions is None else f"{department.opinions}件（重复的已合并）"
    said = f"{period + '的' if period else '最近一次'}评议中，收到涉及你单位的有效意见{count}。"
    sides = (("反映问题的", department.issue), ("表扬肯定的", department.praise))
    given = [f"{name}{number}件" for name, number in sides if number]
    if given and department.opinions:
        said += f"其中，{'，'.join(given)}。"
    if raised_issues(department):
        return said + "现将有关情况反馈如下，请认真研究，抓好整改。"
    return said + ("没有反映问题的意见。" if department.issue == 0 else "") + "现将有关情况反馈如下。"


def praised(department: DisclosedDepartment) -> str:
    """That a department was praised, and how often where that may be said."""
    count = "有意见" if department.praise is None else f"有{department.praise}件意见"
    return f"{count}对你单位表示肯定和表扬，请继续保持。"


def raised(department: DisclosedDepartment) -> str:
    """How many opinions accuse and of what, as far as it is given."""
    found = raised_issues(department)
    count = f"反映问题的意见{department.issue}件" if department.issue else "有意见反映问题"
    if len(found) == 1:
        return f"{count}，问题是{found[0][0].name_zh}，见下表。"
    return f"{count}，分类情况见下表。"
