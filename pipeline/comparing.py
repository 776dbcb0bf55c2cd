"""The whole way of ``qingyi compare`` on one page: two rounds' results → what rose and fell → page, briefing, ledger."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.util import hash_array

from pipeline.aggregate.rounds import Change, NoticeChange, compare_around_notice, compare_rounds
from pipeline.aggregate.stored import loaded
from pipeline.aggregate.tables import Tables, recounted
from pipeline.carrying import carry_all, carry_findings
from pipeline.classifier.files import read_card
from pipeline.directory import Directory
from pipeline.documents.briefing import Beside, write_briefing
from pipeline.documents.comparison import Comparison, changes_told, comparison_rows, write_comparison
from pipeline.documents.disclosure import Disclosure
from pipeline.documents.drill import Earlier
from pipeline.documents.facts import Facts
from pipeline.documents.ledger import round_cells, write_ledger
from pipeline.documents.page import write_page
from pipeline.errors import InputError
from pipeline.journal import settle
from pipeline.ledger.carrying import carry, together
from pipeline.ledger.rows import Change as Moved
from pipeline.ledger.rows import LedgerRow, standing_of
from pipeline.migration_steps import Action
from pipeline.outputs.cells import csv_cell
from pipeline.outputs.folder import OutputFolder
from pipeline.outputs.stored import stored_table
from pipeline.papers import DAYS, Order, expressions_in, ledger_in, period_of, series_of
from pipeline.workspace import Workspace, open_workspace

COMPARED = ("comparison.csv", "comparison.html", "report.html", "briefing.docx", "ledger.xlsx")
"""Files that a comparison writes."""

_LEDGER: Mapping[str, Moved] = {"rose": "risen", "fell": "fallen", "appeared": "new", "steady": "level"}


@dataclass(frozen=True)
class Round:
    """One round's results: the tables its papers were written from, in the present labels, and the record of the run.

    ``incomparable`` are labels whose counts mean something else in the two rounds, as the migrations say.
    """

    folder: Path
    tables: Tables
    run: Mapping[str, Any]
    incomparable: Mapping[str, Action]

    @property
    def name(self) -> str:
        """What it is called in the ledger."""
        return str((self.run.get("order") or {}).get("round") or period_of(self.tables))

    @cached_property
    def opinions(self) -> pd.DataFrame:
        """Day, labels and ``key`` of every distinct valid opinion that is not sealed: 64 bits for the text, no text."""
        columns = ["id", "collected_on", "labels", "valid", "duplicate_of", "text"]
        frame: pd.DataFrame = stored_table(self.folder, "opinions", columns).to_pandas()
        kept = frame["valid"] & (frame["duplicate_of"] == "") & ~frame["id"].isin(self.run["sealed"])
        key = hash_array(frame.pop("text").to_numpy(object), categorize=False)
        return frame.assign(key=key).loc[kept, ["collected_on", "labels", "key"]]


def compare(
    before: str | Path,
    after: str | Path,
    output: str | Path,
    *,
    workspace: str | Path | None = None,
    order: Order | None = None,
    notices: Mapping[str, str] | None = None,
) -> Comparison:
    """Compare two result folders of :func:`pipeline.run.report` and write :data:`COMPARED` into ``output``.

    ``notices``: label (code or Chinese name) → the day (``YYYY-MM-DD``) of a notice about it. The ledger of the earlier
    round is carried on, with what people wrote in it and what became of each row, and with what they wrote in the ledgers
    that lie in the later round's folder and in ``output`` already.

    Raises:
        InputError: a folder holds no such results, or ``output`` is one of them, or a label or day is wrong.
        ResourceError, OutputError: see :mod:`pipeline.errors`.
    """
    space = open_workspace(Path(workspace) if workspace is not None else None)
    earlier, later = read_round(Path(before), space), read_round(Path(after), space)
    if str(later.run["taxonomy"]) != space.taxonomy.version:
        raise InputError(
            f"{after} 是按类别表 {str(later.run['taxonomy'])[:40]} 版判的；请用“qingyi report”按现在的类别表重新判一遍。"
        )
    if str(earlier.tables.totals["first_day"]) > str(later.tables.totals["last_day"] or "9999"):
        raise InputError(f"{before} 的意见比 {after} 的晚；前一轮写在前面，后一轮写在后面。")
    if (Path(output) / "run.json").exists():
        raise InputError(f"{output} 里有一轮判定的结果，比较会盖掉它；请给比较另选一个文件夹。")
    order = _inherited(order or Order(), later.run.get("order") or {})
    labels = [code for code in space.taxonomy.codes if code not in earlier.incomparable]
    comparison = Comparison(
        names=(earlier.name, later.name),
        before=earlier.tables.totals,
        after=later.tables.totals,
        cells=compare_rounds(earlier.tables.summary, later.tables.summary, labels),
        overall=compare_rounds(_overall(earlier.tables), _overall(later.tables), labels),
        incomparable=earlier.incomparable,
        notices=tuple(
            (code, day, _around(code, day, earlier, later, space))
            for code, day in _asked(notices or {}, space)
        ),
    )
    with OutputFolder(Path(output), results=COMPARED) as folder:
        ledger = together(ledger_in(place, space) for place in (earlier.folder, later.folder, Path(output)))
        rows = _write(comparison, earlier, later, space, ledger, order, folder)
    return replace(comparison, ledger=standing_of(rows))


def _inherited(order: Order, told: Mapping[str, Any]) -> Order:
    """The order, and what was ``told`` for the round where it says nothing: who signed that signs what is written of it."""
    days = int(told.get("days") or DAYS) if order.days == DAYS else order.days
    return replace(
        order,
        office=order.office or str(told.get("office") or ""),
        day=order.day or str(told.get("day") or ""),
        days=days,
    )


def read_round(folder: Path, space: Workspace) -> Round:
    """What ``qingyi report`` wrote, its labels carried over to the present taxonomy.

    Raises:
        InputError: the folder holds no results of ``report``.
        ResourceError: they were made by a taxonomy that the workspace's migrations do not know.
        OutputError: what a killed run left there cannot be completed.
    """
    settle(folder)
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        tables = loaded((folder / "tables.json").read_text(encoding="utf-8"))
        version, sealed = str(run["taxonomy"]), frozenset(map(str, run["sealed"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{folder} 里没有一轮完整的结果（run.json、tables.json）；请用“qingyi report”把这一轮判一遍，再比较。"
        ) from None
    if version == space.taxonomy.version:
        return Round(folder, _under_present_names(tables, space.directory), run, {})
    findings = stored_table(folder, "findings").to_pandas()
    opinions = stored_table(folder, "opinions", ["id", "duplicate_of"]).to_pandas()
    carried = carry_findings(
        findings[~findings["opinion_id"].isin(sealed)], space.migrations, version, space.taxonomy
    )
    first = opinions["duplicate_of"].where(opinions["duplicate_of"] != "", opinions["id"])
    clusters = dict(zip(opinions["id"], first, strict=True))
    now = recounted(tables, carried.findings, clusters, space.taxonomy)
    return Round(folder, _under_present_names(now, space.directory), run, carried.incomparable)


def _under_present_names(tables: Tables, directory: Directory) -> Tables:
    """Tables whose departments have the directory's names, where those they had are aliases now."""
    had = tables.by_department["department"].tolist()
    now = {name: directory.resolve(name) or name for name in had}
    if any(
        new in had for name, new in now.items() if new != name
    ):  # two became one: their sums are not known
        return tables
    renamed = {
        name: getattr(tables, name).assign(department=getattr(tables, name)["department"].map(now))
        for name in ("summary", "by_department", "cube")
    }
    return replace(tables, **renamed)


def _overall(tables: Tables) -> pd.DataFrame:
    """All departments together, as a summary of one: "" stands for them."""
    return tables.by_label.assign(department="", opinions_distinct=int(tables.totals["valid_distinct"]))


def _asked(notices: Mapping[str, str], space: Workspace) -> list[tuple[str, str]]:
    """(label code, day) of each notice."""
    names = {name: label.code for label in space.taxonomy.labels for name in (label.code, label.name_zh)}
    for name in notices:
        if name not in names:
            known = "、".join(label.name_zh for label in space.taxonomy.labels)
            raise InputError(f"--notice 的类别“{name[:20]}”不在类别表里；有：{known}。")
    return [(names[name], day) for name, day in notices.items()]


def _around(code: str, day: str, earlier: Round, later: Round, space: Workspace) -> NoticeChange:
    try:
        notice = dt.date.fromisoformat(day)
    except ValueError:
        raise InputError(f"--notice 的日期“{day[:20]}”不对，应写成 2026-11-23。") from None
    if code in earlier.incomparable:
        raise InputError(f"“{space.taxonomy[code].name_zh}”在两轮之间拆分、新增或停用过，前后的件数不能比。")
    days, found = [], []
    both = set(earlier.opinions[["collected_on", "key"]].itertuples(index=False, name=None))
    for one in (earlier, later):
        for collected, labels, key in one.opinions.itertuples(index=False, name=None):
            if one is later and (collected, key) in both:  # handed in with both rounds
                continue
            codes = carry_all(space.migrations, labels.split(";"), str(one.run["taxonomy"])).codes
            days.append(collected)
            found.append(code in codes)
    periods = [
        (str(one.tables.totals["first_day"]), str(one.tables.totals["last_day"]))
        for one in (earlier, later)
        if one.tables.totals["first_day"]
    ]
    return compare_around_notice(days, found, notice, periods)


def _write(
    comparison: Comparison,
    earlier: Round,
    later: Round,
    space: Workspace,
    ledger: Sequence[LedgerRow],
    order: Order,
    folder: OutputFolder,
) -> tuple[LedgerRow, ...]:
    """Write all files; returns the rows of the ledger."""
    card = read_card(space.models, str(later.run["model"]))
    facts = [Facts.collect(one.tables, one.run, card, space.taxonomy) for one in (earlier, later)]
    before, after = (Disclosure.of(one) for one in facts)
    imprint = order.imprint(str(later.tables.totals["last_day"]))
    frame = pd.DataFrame(comparison_rows(comparison, space.taxonomy))
    frame.map(csv_cell).to_csv(folder.path("comparison.csv"), index=False, encoding="utf-8-sig")
    series = series_of(later.tables)
    since = Earlier(
        name=earlier.name,
        valid=int(earlier.tables.totals["valid_distinct"]),
        changes=(*comparison.overall, *comparison.cells),
    )
    write_page(facts[1], folder.path("report.html"), series, since)
    rows = carry(
        ledger,
        round_cells(after, before, _moves(comparison.cells)),
        space.taxonomy,
        round_name=later.name,
        today=dt.date.fromisoformat(imprint.day) if imprint.day else dt.date.min,
        due=dt.date.fromisoformat(imprint.due) if imprint.due else "",
    )
    write_ledger(rows, folder.path("ledger.xlsx"))
    told = changes_told(comparison, before, after, space.taxonomy)
    if str(earlier.run["taxonomy"]) != space.taxonomy.version:
        # what was merged since was disclosed otherwise then: both numbers together would say more
        told = replace(told, counts={})
    overdue = tuple(_named(row, space) for row in rows if row.state == "逾期")
    beside = Beside(
        changes=replace(told, ledger=standing_of(rows), overdue=overdue),
        series=series,
        expressions=expressions_in(later.folder, frozenset(later.run["sealed"]), space),
    )
    write_briefing(facts[1], after, imprint, folder.path("briefing.docx"), beside)
    standing = replace(comparison, ledger=standing_of(rows))
    write_comparison(standing, space.taxonomy, folder.path("comparison.html"))
    return rows


def _named(row: LedgerRow, space: Workspace) -> str:
    """A row by its cell: what people wrote into it is theirs."""
    known = row.label in space.taxonomy.codes
    return f"{row.department}的{space.taxonomy[row.label].name_zh if known else '一类问题'}"


def _moves(cells: Sequence[Change]) -> dict[tuple[str, str], Moved]:
    return {(cell.department, cell.label): _LEDGER[cell.kind] for cell in cells if cell.kind in _LEDGER}
