"""What was counted → tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.aggregate.breakdowns import broken_down, cube_of, once, periods_of, regrouped
from pipeline.aggregate.counted import Counted
from pipeline.aggregate.estimates import Shares
from pipeline.aggregate.prevalence import Estimate, as_counted
from pipeline.aggregate.sources import GROUPS
from pipeline.directory import Directory
from pipeline.records import UNSPECIFIED
from pipeline.taxonomy import Taxonomy

SUPPRESSED_FROM, SUPPRESSED_TO = 1, 4
"""Counts that must not leave the office: so few opinions could be traced to who gave them."""

SUMMARY = (
    "department", "label", "opinions", "count", "count_distinct", "estimated_share", "ci_low", "ci_high", "suppressed",
    "opinions_distinct", "method",
)  # fmt: skip
BY_LABEL = ("label", "count", "count_distinct", "share", "estimated_share", "ci_low", "ci_high", "method")
BY_DEPARTMENT = (
    "department", "kind", "opinions", "opinions_distinct", "issue_distinct", "praise_distinct", "needs_review",
)  # fmt: skip


@dataclass(frozen=True)
class Tables:
    """What a run found, as tables; columns are the constants above.

    ``totals``: accepted, distinct, valid, valid_distinct, issue, issue_distinct, praise, praise_distinct,
    suggestion, suggestion_distinct, needs_review, first_day, last_day. ``by_source`` has the rows of
    :data:`~pipeline.aggregate.sources.GROUPS` that occur.
    """

    totals: dict[str, int | str]
    summary: pd.DataFrame
    by_label: pd.DataFrame
    by_department: pd.DataFrame
    by_period: pd.DataFrame
    by_channel: pd.DataFrame
    by_source: pd.DataFrame
    cube: pd.DataFrame


def tables_of(
    counted: Counted, taxonomy: Taxonomy, directory: Directory, shares: Shares | None = None
) -> Tables:
    """All tables, in directory and taxonomy order, zeros included; without ``shares`` those counted, by Wilson's interval."""
    kinds = pd.Categorical([label.kind for label in taxonomy.labels])
    concerns = pd.DataFrame(counted.concerns._asdict())
    cells = pd.DataFrame(counted.cells._asdict()).assign(kind=kinds.take(counted.cells.label))
    departments = [*directory.names, UNSPECIFIED]
    periods = periods_of(counted.days)
    channels = regrouped(counted.channels, lambda channel: channel or "未注明")
    by_source = broken_down(cells, counted, counted.sources, "source", taxonomy).set_index("source")
    return Tables(
        totals=counted.totals(taxonomy),
        summary=_summary(concerns, cells, departments, taxonomy.codes, shares),
        by_label=_by_label(cells, counted.valid_distinct(), taxonomy.codes, shares and shares.together),
        by_department=_by_department(counted, concerns, cells, departments, directory),
        by_period=broken_down(cells, counted, periods, "period", taxonomy),
        by_channel=broken_down(cells, counted, channels, "channel", taxonomy),
        by_source=by_source.loc[[name for name in GROUPS if name in by_source.index]].reset_index(),
        cube=cube_of(counted, concerns, cells, periods, departments, taxonomy.codes),
    )


def unspecified_share(tables: Tables) -> float:
    """Share of the distinct valid opinions that could be tied to no department of the directory; 0 without opinions."""
    nowhere = tables.by_department.set_index("department")["opinions_distinct"].get(UNSPECIFIED, 0)
    return int(nowhere) / max(1, int(tables.totals["valid_distinct"]))


def recounted(
    tables: Tables, findings: pd.DataFrame, clusters: Mapping[str, str], taxonomy: Taxonomy
) -> Tables:
    """The tables with the labels that ``findings`` (opinion_id, department, label) have now, those by label alone.

    For a round whose findings were carried over to another taxonomy: all counts by department and label; how many opinions
    there are about a department stays, and so do the breakdowns by source, period and channel, in the old labels. ``clusters`` names for every opinion the one it repeats, or itself.
    """
    known = {department: number for number, department in enumerate(tables.by_department["department"])}
    cells = pd.DataFrame(
        {
            "opinion": findings["opinion_id"],
            "cluster": findings["opinion_id"].map(clusters),
            "department": findings["department"].map(known),
            "label": findings["label"].map({code: number for number, code in enumerate(taxonomy.codes)}),
        }
    )
    opinions, distinct = (
        tables.by_department[column].tolist() for column in ("opinions", "opinions_distinct")
    )
    kinds = np.array([label.kind for label in taxonomy.labels])
    cells["kind"] = kinds[cells["label"].to_numpy(dtype=np.int64)]
    by_department, totals = tables.by_department.copy(), dict(tables.totals)
    for kind in ("issue", "praise"):
        found = once(cells[cells["kind"] == kind], ["department"])["department"]
        by_department[f"{kind}_distinct"] = np.bincount(found, minlength=len(known))
    for kind in ("issue", "praise", "suggestion"):
        mine = cells[cells["kind"] == kind]
        totals |= {kind: int(mine["opinion"].nunique()), f"{kind}_distinct": int(mine["cluster"].nunique())}
    return replace(
        tables,
        totals=totals,
        summary=_cells(cells, opinions, distinct, list(known), taxonomy.codes),
        by_label=_by_label(cells, int(tables.totals["valid_distinct"]), taxonomy.codes),
        by_department=by_department,
    )


def _summary(
    concerns: pd.DataFrame,
    cells: pd.DataFrame,
    departments: Sequence[str],
    codes: Sequence[str],
    shares: Shares | None,
) -> pd.DataFrame:
    opinions = np.bincount(concerns["department"], minlength=len(departments)).tolist()
    distinct = np.bincount(once(concerns, ["department"])["department"], minlength=len(departments)).tolist()
    return _cells(cells, opinions, distinct, departments, codes, shares and shares.departments)


def _cells(
    cells: pd.DataFrame,
    opinions: Sequence[int],
    distinct: Sequence[int],
    departments: Sequence[str],
    codes: Sequence[str],
    estimates: Sequence[Sequence[Estimate]] | None = None,
) -> pd.DataFrame:
    """:data:`SUMMARY`; ``opinions`` and ``distinct`` are those about each department."""
    shape = (len(departments), len(codes))
    count = _grid(cells.drop_duplicates(["opinion", "department", "label"]), shape)
    count_distinct = _grid(once(cells, ["department", "label"]), shape)
    rows = []
    for d, department in enumerate(departments):
        for c, code in enumerate(codes):
            k, n = int(count_distinct[d, c]), distinct[d]
            found = estimates[d][c] if estimates else as_counted(k, n)
            rows.append(
                (
                    department, code, opinions[d], int(count[d, c]), k,
                    round(found.share, 4), round(found.low, 4), round(found.high, 4),
                    _few(int(count[d, c])) or _few(k), n, found.method,
                )
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(SUMMARY))


def _by_label(
    cells: pd.DataFrame, n: int, codes: Sequence[str], estimates: Sequence[Estimate] | None = None
) -> pd.DataFrame:
    count = np.bincount(cells.drop_duplicates(["opinion", "label"])["label"], minlength=len(codes))
    distinct = np.bincount(once(cells, ["label"])["label"], minlength=len(codes))
    rows = []
    for c, code in enumerate(codes):
        k = int(distinct[c])
        found = estimates[c] if estimates else as_counted(k, n)
        share = k / n if n else 0.0
        rows.append((code, int(count[c]), k, share, found.share, found.low, found.high, found.method))
    return pd.DataFrame(rows, columns=list(BY_LABEL))


def _by_department(
    counted: Counted,
    concerns: pd.DataFrame,
    cells: pd.DataFrame,
    departments: Sequence[str],
    directory: Directory,
) -> pd.DataFrame:
    size = len(departments)
    reviewed = concerns.assign(review=counted.review[concerns["opinion"].to_numpy()])
    columns = [
        np.bincount(concerns["department"], minlength=size),
        np.bincount(once(concerns, ["department"])["department"], minlength=size),
        *(
            np.bincount(once(cells[cells["kind"] == kind], ["department"])["department"], minlength=size)
            for kind in ("issue", "praise")
        ),
        np.bincount(reviewed.loc[reviewed["review"], "department"], minlength=size),
    ]
    kinds = {d.name: d.kind for d in directory.departments}
    rows = [
        (name, kinds.get(name, ""), *(int(column[d]) for column in columns))
        for d, name in enumerate(departments)
    ]
    return pd.DataFrame(rows, columns=list(BY_DEPARTMENT))


def _few(count: int) -> bool:
    return SUPPRESSED_FROM <= count <= SUPPRESSED_TO


def _grid(cells: pd.DataFrame, shape: tuple[int, int]) -> np.ndarray:
    grid = np.zeros(shape, dtype=np.int64)
    np.add.at(grid, (cells["department"].to_numpy(), cells["label"].to_numpy()), 1)
    return grid
