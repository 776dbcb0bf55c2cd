"""``commendation.docx``: the 表扬名单, the departments to be commended and on what ground, for a person to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.aggregate.commendation import Rules
from pipeline.documents.disclosure import Count, shown
from pipeline.documents.prose import span
from pipeline.documents.word import Column, Imprint, Paper
from pipeline.documents.wording import percent

_COLUMNS = (
    Column("序号", 14, "number"),
    Column("部门", 56),
    Column("类别", 34, "number"),
    Column("表扬（件）", 26, "number"),
    Column("有效意见（件）", 26, "number"),
)


_RULES = Rules()
CONDITIONS = (
    f"列入名单的条件是：表扬肯定的有{_RULES.praise}件以上，占该部门有效意见的{percent(_RULES.praise_share)}以上；"
    f"反映问题的意见不多于计算机误判可能造成的，并且可以确认占有效意见的{percent(_RULES.issue_share)}以下（意见太少的不能确认）。"
)
"""Who may be commended (:class:`~pipeline.aggregate.commendation.Rules`), in words."""


@dataclass(frozen=True)
class Commended:
    """One department to be commended; counts are distinct opinions. ``basis``: clauses of a sentence, without 。"""

    department: str
    series: str
    praise: Count
    opinions: Count
    basis: tuple[str, ...]


def write_commendation(
    rows: Sequence[Commended], first_day: str, last_day: str, imprint: Imprint, path: Path
) -> None:
    """Write the list in the order given, which is no ranking; with no rows, that nobody meets the conditions."""
    period = span(first_day, last_day)
    when = f"{period}的评议" if period else "最近一次评议"
    paper = Paper("评议表扬名单", subtitle="（送审稿）")
    if not rows:
        paper.text(f"{when}中，没有达到表扬条件的部门。{CONDITIONS}")
        paper.sign(imprint)
        paper.save(path)
        return
    who = f"下列{len(rows)}个部门" if len(rows) > 1 else rows[0].department
    paper.text(f"{when}中，{who}受到的肯定和表扬较多，建议予以通报表扬。")
    if len(rows) > 1:
        cells = (
            [str(number), row.department, row.series, shown(row.praise), shown(row.opinions)]
            for number, row in enumerate(rows, start=1)
        )
        note = "注：按部门目录排列，不分先后。件数已合并重复。"
        paper.table("", _COLUMNS, cells, note=note, look="Grid")
    paper.heading("表扬依据")
    for row in rows:
        paper.point(f"{row.department}。", "，".join(row.basis) + "。")
    paper.heading("有关事项")
    paper.text(
        f"{CONDITIONS}以上由计算机分类统计得出。审定之前，请阅读有关意见原文，并向纪检监察机构了解有无正在核查的问题；公布时不得透露提出意见的单位和个人。"
    )
    paper.sign(imprint)
    paper.save(path)
