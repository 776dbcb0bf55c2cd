"""The whole way of ``qingyi compare`` on one page: two rounds' results → what rose and fell → page, briefing, ledger."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from pipeline.aggregate.rounds import Change, NoticeChange, compare_around_notice, compare_rounds
from pipeline.aggregate.stored import loaded
from pipeline.aggregate.tables import Tables, recounted
from pipeline.carrying import carry_all, carry_findings
from pipeline.classifier.files import read_card
from pipeline.documents.briefing import write_briefing
from pipeline.documents.comparison import Comparison, changes_told, comparison_rows, write_comparison
from pipeline.documents.disclosure import Disclosure
from pipeline.documents.drill import Earlier
from pipeline.documents.facts import Facts
from pipeline.documents.ledger import round_cells, write_ledger
from pipeline.documents.page import write_page
from pipeline.errors import InputError
from pipeline.ledger.carrying import carry
from pipeline.ledger.rows import Change as Moved
from pipeline.migration import Action
from pipeline.outputs import OutputFolder, csv_cell
from pipeline.papers import Order, ledger_in, period_of, series_of
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

    @cached_property
    def opinions(self) -> pd.DataFrame:
        """Day and labels of every distinct valid opinion that is not sealed; without texts."""
        columns = ["id", "collected_on", "labels", "valid", "duplicate_of"]
        frame: pd.DataFrame = pq.read_table(self.folder / "opinions.parquet", columns=columns).to_pandas()
        kept = frame["valid"] & (frame["duplicate_of"] == "") & ~frame["id"].isin(self.run["sealed"])
        return frame.loc[kept, ["collected_on", "labels"]]


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
    round is carried on, with what people wrote in it and what became of each row.

    Raises:
        InputError: a folder holds no such results, or ``output`` is one of them, or a label or day is wrong.
        ResourceError, OutputError: see :mod:`pipeline.errors`.
    """
    space = open_workspace(Path(workspace) if workspace is not None else None)
    earlier, later = read_round(Path(before), space), read_round(Path(after), space)
    if (Path(output) / "run.json").exists():
        raise InputError(f"{output} 里有一轮判定的结果，比较会盖掉它；请给比较另选一个文件夹。")
    labels = [code for code in space.taxonomy.codes if code not in earlier.incomparable]
    comparison = Comparison(
        before=earlier.tables.totals,
        after=later.tables.totals,
        cells=compare_rounds(earlier.tables.summary, later.tables.summary, labels),
        overall=compare_rounds(_overall(earlier.tables), _overall(later.tables), labels),
        incomparable=earlier.incomparable,
        notices=tuple(
            (space.taxonomy.parse([label])[0], day, _around(label, day, earlier, later, space))
            for label, day in (notices or {}).items()
        ),
    )
    with OutputFolder(Path(output), results=COMPARED) as folder:
        _write(comparison, earlier, later, space, order or Order(), folder)
    return comparison


def read_round(folder: Path, space: Workspace) -> Round:
    """What ``qingyi report`` wrote, its labels carried over to the present taxonomy.

    Raises:
        InputError: the folder holds no results of ``report``.
        ResourceError: they were made by a taxonomy that the workspace's migrations do not know.
    """
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        tables = loaded((folder / "tables.json").read_text(encoding="utf-8"))
        version, sealed = str(run["taxonomy"]), frozenset(map(str, run["sealed"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{folder} 里没有一轮完整的结果（run.json、tables.json）；请用“qingyi report”把这一轮判一遍，再比较。"
        ) from None
    if version == space.taxonomy.version:
        return Round(folder, tables, run, {})
    findings = pq.read_table(folder / "findings.parquet").to_pandas()
    opinions = pq.read_table(folder / "opinions.parquet", columns=["id", "duplicate_of"]).to_pandas()
    carried = carry_findings(
        findings[~findings["opinion_id"].isin(sealed)], space.migrations, version, space.taxonomy
    )
    first = opinions["duplicate_of"].where(opinions["duplicate_of"] != "", opinions["id"])
    clusters = dict(zip(opinions["id"], first, strict=True))
    return Round(
        folder, recounted(tables, carried.findings, clusters, space.taxonomy), run, carried.incomparable
    )


def _overall(tables: Tables) -> pd.DataFrame:
    """All departments together, as a summary of one: "" stands for them."""
    return tables.by_label.assign(department="", opinions_distinct=int(tables.totals["valid_distinct"]))


def _around(label: str, day: str, earlier: Round, later: Round, space: Workspace) -> NoticeChange:
    code = space.taxonomy.parse([label])[0]
    try:
        notice = dt.date.fromisoformat(day)
    except ValueError:
        raise InputError(f"--notice 的日期“{day[:20]}”不对，应写成 2026-11-23。") from None
    if code in earlier.incomparable:
        raise InputError(f"“{space.taxonomy[code].name_zh}”在两轮之间拆分、新增或停用过，前后的件数不能比。")
    days, found = [], []
    for one in (earlier, later):
        for collected, labels in one.opinions.itertuples(index=False, name=None):
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
    order: Order,
    folder: OutputFolder,
) -> None:
    card = read_card(space.models, str(later.run["model"]))
    facts = [Facts.collect(one.tables, one.run, card, space.taxonomy) for one in (earlier, later)]
    before, after = (Disclosure.of(one) for one in facts)
    imprint = order.imprint(str(later.tables.totals["last_day"]))
    frame = pd.DataFrame(comparison_rows(comparison, space.taxonomy))
    frame.map(csv_cell).to_csv(folder.path("comparison.csv"), index=False, encoding="utf-8-sig")
    write_comparison(comparison, space.taxonomy, folder.path("comparison.html"))
    series = series_of(later.tables)
    since = Earlier(
        name=period_of(earlier.tables),
        valid=int(earlier.tables.totals["valid_distinct"]),
        changes=(*comparison.overall, *comparison.cells),
    )
    write_page(facts[1], folder.path("report.html"), series, since)
    told = changes_told(comparison, before, after, space.taxonomy)
    write_briefing(facts[1], after, imprint, folder.path("briefing.docx"), told, series)
    rows = carry(
        ledger_in(earlier.folder, space),
        round_cells(after, before, _moves(comparison.cells)),
        space.taxonomy,
        round_name=period_of(later.tables),
        today=dt.date.fromisoformat(imprint.day) if imprint.day else dt.date.min,
        due=dt.date.fromisoformat(imprint.due) if imprint.due else "",
    )
    write_ledger(rows, folder.path("ledger.xlsx"))


def _moves(cells: Sequence[Change]) -> dict[tuple[str, str], Moved]:
    return {(cell.department, cell.label): _LEDGER[cell.kind] for cell in cells if cell.kind in _LEDGER}
