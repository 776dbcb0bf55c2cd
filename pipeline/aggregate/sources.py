"""Who opinions come from, as groups: the unit's name itself is never shown."""

from __future__ import annotations

import re

GROUPS = ("企业", "基层单位", "群众", "未注明")
"""In the order of the papers."""

_OFFICE = re.compile(
    r"(?:局|委员?会?|政府|办|办公室|办事处|站|所|院|学校|[小中大]学|中心|协会|学会|联社|支行|乡|镇|街道|社区|村委会?|科|处|部)$"
)
_PERSON = re.compile(
    r"群众|个人|居民|村民|市民|网民|网友|职工|员工|学生|家长|业主|用户|消费者|顾客|退休|师傅|先生|女士|同志|农户|农民|代表"
)


def source_group(unit: str) -> str:
    """One of :data:`GROUPS`, told from the words of a unit's name; a unit of no known kind counts as a company.

    Most units that a bureau asks are companies, and shops and workshops have every kind of name.
    """
    if not unit:
        return GROUPS[3]
    if _PERSON.search(unit):
        return GROUPS[2]
    if _OFFICE.search(unit) and not unit.endswith("经营部"):
        return GROUPS[1]
    return GROUPS[0]
