"""The ledger of one round → the ledger of the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from pipeline.ledger.rows import CHANGES, FEWEST, NOT_GIVEN, RELAPSED, LedgerRow, RoundCell, State
from pipeline.records import UNSPECIFIED
from pipeline.taxonomy import Label, Taxonomy


def carry(
    previous: Iterable[LedgerRow],
    cells: Sequence[RoundCell],
    taxonomy: Taxonomy,
    *,
    round_name: str,
    today: dt.date,
    due: dt.date | str,
) -> tuple[LedgerRow, ...]:
    """The ledger of a round: the rows of the one before, in their order, then a row for each new cell, in theirs.

    What people wrote stays; cells that they left empty and the program can fill are filled. ``follow_up`` gets a line on
    this round, in place of one of the same name, but where the row is of this round alone. A row not finished whose date is before ``today`` is 逾期, and 整改中 again
    when its date was put off. A closed row stays closed, or has relapsed: with at least :data:`FEWEST` opinions it is open
    again, 未启动, with ``due`` as its date; not by a round that counted it before it was closed. New are issues of a named department with at least so many opinions.
    """
    found = {(cell.department, cell.label): cell for cell in cells}
    labels = {label.code: label for label in taxonomy.labels}
    rows = [
        _carried(_filled(row, labels.get(row.label)), found.get(row.cell), round_name, today, due)
        for row in previous
    ]
    known = {row.cell for row in rows}
    for cell in cells:
        label = taxonomy[cell.label]
        if (cell.department, cell.label) in known or not _enough(cell) or label.kind != "issue":
            continue
        if cell.department != UNSPECIFIED:
            new = LedgerRow(
                department=cell.department, label=cell.label, rounds=round_name, count=cell.after, due=due
            )
            rows.append(_filled(new, label))
    return tuple(rows)


def under_present_labels(rows: Iterable[LedgerRow], present: Callable[[str], str]) -> tuple[LedgerRow, ...]:
    """Rows under the ``present`` codes of their labels, in their order.

    A renamed label's row gets the new category's name. Rows that a merger made one cell are one row: with all that people
    wrote in them, closed only if all were.
    """
    found: dict[tuple[str, str], LedgerRow] = {}
    for row in rows:
        label = present(row.label)
        now = row if label == row.label else replace(row, label=label, category="")
        known = found.get(now.cell)
        found[now.cell] = now if known is None else _merged(known, now)
    return tuple(found.values())


def _merged(row: LedgerRow, other: LedgerRow) -> LedgerRow:
    open_one = other if row.closed else row
    return replace(
        _completed(row, other),
        rounds="；".join(dict.fromkeys(filter(None, (*row.rounds.split("；"), *other.rounds.split("；"))))),
        closed=row.closed and other.closed,
        state=open_one.state,
        due=open_one.due,
    )


def together(ledgers: Iterable[Iterable[LedgerRow]]) -> tuple[LedgerRow, ...]:
    """One ledger of several, the earliest first: each cell once, with all that people wrote of it.

    A row that was carried on from an earlier one (it names the same rounds) takes its place. A row that a later round made
    by itself only fills in what the earlier one leaves empty.
    """
    rows: dict[tuple[str, str], LedgerRow] = {}
    for row in (row for ledger in ledgers for row in ledger):
        known = rows.get(row.cell)
        carried = known is None or set(known.rounds.split("；")) <= set(row.rounds.split("；"))
        rows[row.cell] = row if known is None or carried else _completed(known, row)
    return tuple(rows.values())


def _completed(row: LedgerRow, other: LedgerRow) -> LedgerRow:
    return replace(
        row,
        leader=row.leader or other.leader,
        person=row.person or other.person,
        goal=row.goal or other.goal,
        progress="\n".join(dict.fromkeys(filter(None, (row.progress, other.progress)))),
        reviewer=row.reviewer or other.reviewer,
        closed=row.closed or other.closed,
        state=row.state if other.state == "未启动" else other.state,
    )


def _enough(cell: RoundCell | None) -> bool:
    return cell is not None and (cell.after or 0) >= FEWEST


def _filled(row: LedgerRow, label: Label | None) -> LedgerRow:
    """With what the program can say in cells that are empty; ``label`` is None where the taxonomy has it no longer."""
    if label is None:
        return row
    return replace(
        row,
        category=row.category or label.name_zh,
        statement=row.statement
        or f"意见反映，{row.department}存在“{label.name_zh}”方面的问题，即：{label.definition}",
        unit=row.unit or row.department,
        measure=row.measure or label.remedy,
    )


def _carried(
    row: LedgerRow, cell: RoundCell | None, round_name: str, today: dt.date, due: dt.date | str
) -> LedgerRow:
    counted = round_name in row.rounds.split("；")
    again = cell is not None and _enough(cell)
    if again and round_name not in row.rounds.split("；"):
        row = replace(row, rounds="；".join(filter(None, (row.rounds, round_name))))
    if cell is not None:
        row = replace(row, count=cell.after if again or cell.after == 0 else None)
    if row.rounds == round_name:  # the same round again: nothing has come after it yet
        return replace(row, state="已完成" if row.closed else _state(row, today))
    relapsed = row.closed and again and not counted
    line = f"{round_name}：{RELAPSED + '，' if relapsed else ''}{_compared(cell)}"
    kept = [said for said in row.follow_up.split("\n") if said and not said.startswith(f"{round_name}：")]
    row = replace(row, follow_up="\n".join([*kept, line]))
    if relapsed:
        return replace(row, state="未启动", closed=False, due=due)
    return replace(row, state="已完成" if row.closed else _state(row, today))


def _state(row: LedgerRow, today: dt.date) -> State:
    if row.state == "已完成" or not isinstance(row.due, dt.date):
        return row.state
    if row.due < today:
        return "逾期"
    return "整改中" if row.state == "逾期" else row.state


def _compared(cell: RoundCell | None) -> str:
    """What became of a cell, in words; how it moved only where both counts are given, since that bounds the other."""
    if cell is None:
        return "没有可比的件数"
    now = _counted(cell.after, cell.share_after)
    if cell.change is None:
        return now
    said = f"由{_counted(cell.before, cell.share_before)}到{now}"
    return said if NOT_GIVEN in said else f"{said}，{CHANGES[cell.change]}"


def _counted(count: int | None, share: float | None) -> str:
    if count is None or 0 < count < FEWEST:
        return f"{NOT_GIVEN}件"
    return f"{count}件" + (f"（按件数占{share:.1%}）" if share is not None else "")
