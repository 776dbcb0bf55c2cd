"""Two rounds beside each other: the page, the table, and what the briefing says of it. No opinion's text is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.aggregate.rounds import BASE, FALSE_DISCOVERIES, MORE_CASES, Change, NoticeChange
from pipeline.documents.disclosure import Count, Disclosure
from pipeline.documents.prose import span
from pipeline.documents.sentences import Changes, Moved
from pipeline.documents.templating import environment
from pipeline.migration_steps import Action
from pipeline.records import UNSPECIFIED
from pipeline.taxonomy import Taxonomy

KINDS = {
    "rose": "上升",
    "fell": "下降",
    "appeared": "新增",
    "steady": "不能确认有变化",
    "too few": "件数太少，说不准",
    "none": "—",
}
"""How papers call :data:`~pipeline.aggregate.rounds.Kind`."""

_WHY = {"split": "拆分过", "add": "新增的", "retire": "停用了"}


@dataclass(frozen=True)
class Comparison:
    """What two rounds' counts say of each other.

    ``names`` are those of the rounds in the ledger, ``before`` and ``after`` their totals, ``cells`` compares departments, ``overall`` all of them together
    (their department is ""). ``incomparable`` labels are in neither. ``notices``: label, day, what changed around it. ``ledger``: state → rows.
    """

    names: tuple[str, str]
    before: Mapping[str, int | str]
    after: Mapping[str, int | str]
    cells: tuple[Change, ...]
    overall: tuple[Change, ...]
    incomparable: Mapping[str, Action]
    notices: tuple[tuple[str, str, NoticeChange], ...] = ()
    ledger: Mapping[str, int] = field(default_factory=dict)

    def certain(self, *kinds: str) -> tuple[Change, ...]:
        """The cells of named departments that moved so, the largest difference first."""
        found = [cell for cell in self.cells if cell.kind in kinds and cell.department != UNSPECIFIED]
        return tuple(sorted(found, key=lambda cell: -abs(cell.after - cell.before)))


def comparison_rows(comparison: Comparison, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Every cell with a case in either round, the ones of all departments first."""
    return [
        {
            "department": cell.department or "全部",
            "label": cell.label,
            "label_name": taxonomy[cell.label].name_zh,
            "before": cell.before,
            "opinions_before": cell.opinions_before,
            "after": cell.after,
            "opinions_after": cell.opinions_after,
            "p": cell.p,
            "q": cell.q,
            "change": KINDS[cell.kind],
        }
        for cell in (*comparison.overall, *comparison.cells)
        if cell.kind != "none"
    ]


def percent_told(cell: Change) -> str:
    """The change in percent as papers write it: 新增 from nothing, a dash on a base under :data:`BASE` or where none is certain."""
    if cell.kind == "appeared":
        return "新增"
    change = cell.percent_of_share if cell.kind in {"rose", "fell"} else None
    return "—" if change is None else f"{change:+.1f}%"


def write_comparison(comparison: Comparison, taxonomy: Taxonomy, path: Path) -> None:
    """Render ``comparison.html``."""
    templates = environment()
    templates.globals.update(
        KINDS=KINDS, MORE_CASES=MORE_CASES, Q=FALSE_DISCOVERIES, BASE=BASE, told=percent_told
    )
    html = templates.get_template("comparison.html").render(
        comparison=comparison,
        taxonomy=taxonomy,
        spans=[_span(totals) for totals in (comparison.before, comparison.after)],
        overall=[cell for cell in comparison.overall if cell.kind != "none"],
        risen=comparison.certain("rose", "appeared"),
        fallen=comparison.certain("fell"),
        incomparable=[
            (taxonomy[code].name_zh if code in taxonomy.codes else code, _WHY[action])
            for code, action in comparison.incomparable.items()
        ],
    )
    path.write_text(html, encoding="utf-8")


def changes_told(
    comparison: Comparison, before: Disclosure, after: Disclosure, taxonomy: Taxonomy
) -> Changes:
    """What the briefing may say: certain changes of issues, over all and then by department, with the counts disclosed.

    Where one of the two is not disclosed the change is not told at all: that an issue fell for certain from 7 opinions says that
    2 at most are left.
    """

    def moved(*kinds: str) -> tuple[Moved, ...]:
        told = []
        overall = [cell for cell in comparison.overall if cell.kind in kinds]
        for cell in (*overall, *comparison.certain(*kinds)):
            then, now = _disclosed(before, cell), _disclosed(after, cell)
            if taxonomy[cell.label].kind == "issue" and then is not None and now is not None:
                bases = _base(before, cell, comparison.before), _base(after, cell, comparison.after)
                told.append(Moved(taxonomy[cell.label], then, now, cell.department, *bases))
        return tuple(told)

    return Changes(
        earlier=_span(comparison.before),
        valid_before=int(comparison.before["valid_distinct"]),
        valid_after=int(comparison.after["valid_distinct"]),
        risen=moved("rose", "appeared"),
        fallen=moved("fell"),
        counts={i.label.code: i.count for i in before.issues if i.label.code not in comparison.incomparable},
    )


def _span(totals: Mapping[str, int | str]) -> str:
    return span(str(totals["first_day"]), str(totals["last_day"])) or "日期未注明"


def _disclosed(round_: Disclosure, cell: Change) -> Count:
    """The count of an issue as a paper may give it; 0 where the round has nothing about the department."""
    if not cell.department:
        return next(issue.count for issue in round_.issues if issue.label.code == cell.label)
    return next((d.count(cell.label) for d in round_.named if d.name == cell.department), 0)


def _base(round_: Disclosure, cell: Change, totals: Mapping[str, int | str]) -> Count:
    """The opinions that a count is of, as a paper may give them."""
    if not cell.department:
        return int(totals["valid_distinct"])
    return next((d.opinions for d in round_.named if d.name == cell.department), 0)
