"""The ledger's columns and words, which its writer and its reader share, and its rows as values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from pipeline.aggregate.tables import SUPPRESSED_TO

FEWEST = SUPPRESSED_TO + 1
"""Distinct opinions from which a cell is a row: fewer must not leave the office."""

State = Literal["未启动", "整改中", "已完成", "逾期"]
STATES: tuple[State, ...] = get_args(State)
CLOSED, OPEN = "是", "否"

SHEET, GUIDE = "整改台账", "说明"
(
    NUMBER, CATEGORY, STATEMENT, ROUNDS, COUNT, UNIT, LEADER, PERSON, GOAL, MEASURE, DUE, PROGRESS, STATE, REVIEWER, CLOSING,
    FOLLOW_UP,
) = COLUMNS = (
    "序号", "问题类别", "问题表述（脱敏）", "来源轮次", "件数", "责任单位", "责任领导", "责任人", "整改目标", "整改措施", "完成时限",
    "进展情况", "状态（未启动/整改中/已完成/逾期）", "复核人", "是否销号", "回访结果",
)  # fmt: skip
KEY = "行码"
"""The column that says which cell a row is about, whatever people make of the others."""

RELAPSED = "复发"
NOT_GIVEN = "＊"
"""Stands for a count that is not given."""

Change = Literal["risen", "fallen", "level", "new", "gone"]
CHANGES: dict[Change, str] = {
    "risen": "明显增多",
    "fallen": "明显减少",
    "level": "不能确认有变化",
    "new": "新出现",
    "gone": "没有再出现",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundCell:
    """One (department, issue) in this round and the one before.

    ``after`` and ``before`` are distinct opinions, None where the number may not be given or there is none; shares are
    of the department's opinions, in [0, 1], None where the base is too small. ``change`` is None without an earlier round.
    """

    department: str
    label: str
    after: int | None
    before: int | None = None
    share_after: float | None = None
    share_before: float | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One row. ``department`` and ``label`` (a code) say which cell it is, the rest is what people read and write.

    ``due`` is a date, or words such as 长期, or "". ``count`` is None where it is not given. ``extra`` are columns that
    people added, with their cells, in their order.
    """

    department: str
    label: str
    category: str = ""
    statement: str = ""
    rounds: str = ""
    count: int | None = None
    unit: str = ""
    leader: str = ""
    person: str = ""
    goal: str = ""
    measure: str = ""
    due: dt.date | str = ""
    progress: str = ""
    state: State = "未启动"
    reviewer: str = ""
    closed: bool = False
    follow_up: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def cell(self) -> tuple[str, str]:
        """Department and label."""
        return self.department, self.label

    @property
    def key(self) -> str:
        """The row's code in the sheet."""
        return f"{self.label}@{self.department}"


def standing_of(rows: Iterable[LedgerRow]) -> dict[str, int]:
    """How many rows there are of each state, of those the closed ones as 已销号; states without any are left out."""
    states = ["已销号" if row.closed else row.state for row in rows]
    return {state: states.count(state) for state in (*STATES, "已销号") if state in states}
