"""What the documents say, collected once from the tables, so that rendering decides nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.aggregate.tables import Tables
from pipeline.directory import KINDS
from pipeline.documents.wording import chinese_date
from pipeline.records import UNSPECIFIED
from pipeline.taxonomy import Label, Taxonomy

SMALL = 30
"""Below so many opinions a department's share is better read opinion by opinion than as a percentage."""

_COMMON = 5
# a column of channels may hold names of units and people: only words for ways of collecting are shown
_WAY = re.compile(
    r"座谈|走访|问卷|网|热线|电话|来[信电访]|信箱|信件|邮|微信|公众号|小程序|留言|短信|窗口|会议?|调查|测评|平台|函|现场|意见箱|二维码|书面|口头|线[上下]|暗访|访谈"
)
_LONGEST_WAY = 8


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart: ``count`` with repeats; ``share`` is an estimate between ``low`` and ``high``, all in [0, 1]."""

    name: str
    distinct: int
    count: int
    share: float
    low: float
    high: float
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """One (department, issue): counts, estimated share of the department's opinions and its 95 % interval."""

    department: str
    label: Label
    count: int
    distinct: int
    opinions: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class DepartmentFacts:
    """One department that somebody spoke about; ``cells`` holds its labels that occur, most frequent first."""

    name: str
    series: str
    opinions: int
    distinct: int
    issue: int
    praise: int
    review: int
    cells: tuple[Cell, ...]

    def count(self, code: str) -> int:
        """Distinct opinions with a label, 0 where it does not occur."""
        return next((cell.distinct for cell in self.cells if cell.label.code == code), 0)


@dataclass(frozen=True)
class Facts:
    """Everything a document may say; no text of any opinion is in it."""

    totals: Mapping[str, Any]
    run: Mapping[str, Any]
    card: Mapping[str, Any]
    taxonomy: Taxonomy
    tables: Tables
    issues: tuple[Bar, ...]
    departments: tuple[DepartmentFacts, ...]
    headline: tuple[str, ...]
    channels: tuple[Mapping[str, Any], ...]

    @classmethod
    def collect(
        cls, tables: Tables, run: Mapping[str, Any], card: Mapping[str, Any], taxonomy: Taxonomy
    ) -> Facts:
        """Collect; issues most frequent first, departments in directory order."""
        departments = _departments(tables, taxonomy)
        issues = _issues(tables, taxonomy)
        return cls(
            totals=tables.totals,
            run=run,
            card=card,
            taxonomy=taxonomy,
            tables=tables,
            issues=issues,
            departments=departments,
            headline=tuple(_headline(tables.totals, issues)),
            channels=_channels(tables),
        )

    @property
    def period(self) -> str:
        """The days on which the opinions were collected, in words."""
        first, last = str(self.totals["first_day"]), str(self.totals["last_day"])
        if not first:
            return "收集日期未注明"
        return chinese_date(first) if first == last else f"{chinese_date(first)}至{chinese_date(last)}"

    @property
    def unspecified_only(self) -> bool:
        """Whether no opinion could be tied to a department of the directory."""
        return all(department.name == UNSPECIFIED for department in self.departments)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.to_dict("records")  # type: ignore[return-value]  # column names are strings


def _issues(tables: Tables, taxonomy: Taxonomy) -> tuple[Bar, ...]:
    bars = [
        Bar(
            name=taxonomy[row["label"]].name_zh,
            distinct=row["count_distinct"],
            count=row["count"],
            share=row["estimated_share"],
            low=row["ci_low"],
            high=row["ci_high"],
            note=taxonomy[row["label"]].definition,
        )
        for row in _rows(tables.by_label)
        if taxonomy[row["label"]].kind == "issue"
    ]
    return tuple(sorted(bars, key=lambda bar: -bar.distinct))


def _departments(tables: Tables, taxonomy: Taxonomy) -> tuple[DepartmentFacts, ...]:
    cells: dict[str, list[Cell]] = {}
    for row in _rows(tables.summary[tables.summary["count"] > 0]):
        cells.setdefault(row["department"], []).append(
            Cell(
                department=row["department"],
                label=taxonomy[row["label"]],
                count=row["count"],
                distinct=row["count_distinct"],
                opinions=row["opinions_distinct"],
                share=row["estimated_share"],
                low=row["ci_low"],
                high=row["ci_high"],
            )
        )
    return tuple(
        DepartmentFacts(
            name=row["department"],
            series=KINDS.get(row["kind"], row["kind"]),
            opinions=row["opinions"],
            distinct=row["opinions_distinct"],
            issue=row["issue_distinct"],
            praise=row["praise_distinct"],
            review=row["needs_review"],
            cells=tuple(sorted(cells.get(row["department"], []), key=lambda cell: -cell.distinct)),
        )
        for row in _rows(tables.by_department)
        if row["opinions"]
    )


def _channels(tables: Tables) -> tuple[Mapping[str, Any], ...]:
    """Rows of ``by_channel``; what is rare or no word for a way of collecting is one row 其他."""
    kept: list[Mapping[str, Any]] = []
    other = {"channel": "其他", "opinions": 0, "issue": 0, "praise": 0}
    for row in _rows(tables.by_channel):
        shown = row["channel"] == "未注明" or (
            len(row["channel"]) <= _LONGEST_WAY and _WAY.search(row["channel"])
        )
        if shown and row["opinions"] >= _COMMON:
            kept.append(row)
        else:
            other.update({name: other[name] + row[name] for name in ("opinions", "issue", "praise")})
    return (*kept, other) if other["opinions"] else tuple(kept)


def _headline(totals: Mapping[str, Any], issues: tuple[Bar, ...]) -> list[str]:
    """The page's first sentences: what came in, and which issues."""
    if not totals["accepted"]:
        return ["本批没有收到可用的意见。"]
    repeats = totals["accepted"] - totals["distinct"]
    merged = f"，合并重复后 {totals['distinct']} 件" if repeats else ""
    sentences = [
        f"共收到意见 {totals['accepted']} 件{merged}，其中内容有效的 {totals['valid_distinct']} 件（合并后，下同）。"
    ]
    if not totals["valid_distinct"]:
        return sentences
    sides = []
    if totals["issue_distinct"]:
        sides.append(f"反映问题的 {totals['issue_distinct']} 件")
    if totals["praise_distinct"]:
        sides.append(f"有表扬肯定的 {totals['praise_distinct']} 件")
    if totals["suggestion_distinct"]:
        sides.append(f"提出建议的 {totals['suggestion_distinct']} 件")
    sentences.append(("，".join(sides) if sides else "没有识别出问题、表扬或建议") + "。")
    top = [bar for bar in issues if bar.distinct][:3]
    if top:
        sentences.append("反映较多的是" + "、".join(f"{bar.name}（{bar.distinct} 件）" for bar in top) + "。")
    return sentences
