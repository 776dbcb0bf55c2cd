"""Opinion → the departments it speaks about, clause by clause.

The text wins over the opinion's own ``department`` column; the column is the fallback, 未指明 the last resort
(labelling guide, "Department pairs").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.directory import Directory
from pipeline.records import UNSPECIFIED
from pipeline.text.clauses import Clause
from pipeline.text.segment import Segmenter

# a name glued to one of these on its left belongs to some other body: 石油公司供应处, 县盐业公司, 粮食局办公室
_FOREIGN_LEFT = re.compile(
    r"(?:[市县镇乡村区州]|[^处厅]局|公司|集团|银行|医院|大学|学院|学校|[一-龥]厂|矿|石油|铁路|煤炭|粮食|商业|二轻|纺织|化工|机械|农机|部队|街道|供电|公社|外省|邻省"
    r"|教育|交通|运输|公安|财政|民政|环保|人社|社保|司法|住建|建委|卫健|水利|农业|林业|国土|工程|建筑|规划|勘[测察]|检测|设备|生物|癌症|[0-9]{2,}|管理|食品|某|外地|外省|中国|国家|国营|[厂校院矿]里?的"
    r"|(?:教育|交通|运输|公安|财政|民政|环保|人社|司法|住建|水利|农业|林业|国土|建材|商务|文化|科技|卫生)厅)$"
)
_OWN_LEFT = re.compile(
    r"(?:[在到找去向是跑问给对把被从和与跟]|我们?|本|贵|全|省里?|来|说|听|由|让|叫|靠|盼|请)[市县镇乡村区州]?$"
)
# a name that goes on to the right is another word: 办公室里坐着, 设计院子, 人事处分
_FOREIGN_RIGHT = {
    "办公室": re.compile(r"^(?:里|内|外|门口|坐|喝|聊|都?没人|的?门|空调|桌|灯|卫生|装修|电话|用品|面积|楼)"),
    "厅里": re.compile(r"^(?:面)"),
}
# words before a name that every organisation has (办公室, 研究所), by which it is somebody else's
_GENERIC = frozenset({"办公室", "研究所", "设计院"})
_GENERIC_LEFT = re.compile(
    r"(?:我们?|各|每|自己|他们?|她|厂|公司|学校|村委会?|居委会?|政府|法院|领导|老板|主任|[队部科院某那这个间进一镇乡])$"
)
# a department that the speaker has not met is only mentioned
_UNMET_LEFT = re.compile(r"(?:没有?|未|不曾)(?:去|到|进|找|见|接触|打扰|麻烦)过$")
_UNMET_RIGHT = re.compile(
    r"^[，,：: ]{0,2}(?:我们?)?(?:没有?|未|不)(?:打过?交道|接触过?|来往过?|去过|了解|清楚|熟悉?|评价|打分|意见(?!箱)|打)|^[，,：: ]{0,2}无意见"
)
_CONTEXT = 6
"""Characters on either side of a name that are looked at."""

_PREPOSITIONS = frozenset("在对给从向去到把被让和跟与找问请叫由")
_HANDLING = frozenset({"处罚", "处以", "处理", "处置"})

_ADDRESS = re.compile(r"^(?:(?:尊敬的|敬爱的|致|呈)[一-龥]{0,14}|[一-龥]{0,12}(?:领导|同志|负责人)们?)[：:]")


@dataclass(frozen=True, slots=True)
class Mention:
    """A department named at ``text[start:end]``; ``department`` is its canonical name.

    ``whole`` marks the bureau, of which the other departments are parts.
    """

    start: int
    end: int
    department: str
    whole: bool


class Mentions:
    """Finds departments by name and alias: longest match first, never inside another word or another body's name."""

    def __init__(self, directory: Directory, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._canonical = directory.by_alias
        self._bureaus = frozenset(d.name for d in directory.departments if d.kind == "bureau")
        longest_first = sorted(self._canonical, key=lambda alias: (-len(alias), alias))
        by_first: dict[str, list[str]] = {}  # so that a character begins few alternatives
        for alias in longest_first:
            by_first.setdefault(alias[0], []).append(re.escape(alias[1:]))
        groups = (f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in by_first.items())
        self._pattern = re.compile("|".join(groups) or r"(?!)")

    def find(self, text: str) -> tuple[list[Mention], list[Mention]]:
        """``(own, foreign)``: mentions in order of position, and look-alikes inside another body's name."""
        own: list[Mention] = []
        foreign: list[Mention] = []
        for match in self._pattern.finditer(text):
            if not self._is_word(text, *match.span()):
                continue
            name = self._canonical[match.group()]
            mention = Mention(match.start(), match.end(), name, name in self._bureaus)
            (own if self._names_it(text, *match.span()) else foreign).append(mention)
        return own, foreign

    def _is_word(self, text: str, start: int, end: int) -> bool:
        """Whether the name is no part of other words: 大厅里, 营业厅办理 and 标准处罚 hold no department.

        A word across the left border that a preposition begins is an accident of the cut: 在外|经处 is 在|外经处.
        """
        position = max(0, start - _CONTEXT)
        for token in self._segmenter.tokens(text[position : end + _CONTEXT]):
            after = position + len(token)
            if position < start < after and token[0] not in _PREPOSITIONS:
                return False
            if position < end < after and token in _HANDLING:
                return False
            position = after
        return True

    def _names_it(self, text: str, start: int, end: int) -> bool:
        alias = text[start:end]
        left = text[max(0, start - _CONTEXT) : start]
        if _FOREIGN_LEFT.search(left) and not _OWN_LEFT.search(left):
            return False
        right = _FOREIGN_RIGHT.get(alias)
        if right and right.search(text[end : end + _CONTEXT]):
            return False
        return not (alias in _GENERIC and _GENERIC_LEFT.search(left))

    def spoken_about(self, text: str, column: str) -> tuple[list[Mention], str]:
        """Mentions that an opinion speaks about, and the department for clauses when there are none.

        ``column`` is the canonical name from the opinion's own column, or 未指明. Left out: the addressee of a
        letter; departments the speaker has not met (没打过交道); names every organisation has (办公室) where nothing else
        points at the directory. A look-alike (石油公司供应处) cancels a column that says the same.
        """
        opening = _ADDRESS.match(text)
        body = opening.end() if opening else 0
        own, foreign = self.find(text)
        mentions = [mention for mention in own if mention.start >= body and _met(text, mention)]
        if column == UNSPECIFIED and all(text[m.start : m.end] == "办公室" for m in mentions):
            mentions = []
        if any(mention.department == column for mention in foreign):
            column = UNSPECIFIED
        return mentions, column


def _met(text: str, mention: Mention) -> bool:
    return not (
        _UNMET_LEFT.search(text[max(0, mention.start - _CONTEXT) : mention.start])
        or _UNMET_RIGHT.search(text[mention.end : mention.end + 2 * _CONTEXT])
    )


def assign_clauses(
    clauses: Sequence[Clause], mentions: Sequence[Mention], fallback: str
) -> dict[str, list[int]]:
    """Department → indices of the clauses that speak about it, departments in order of first mention.

    A clause that names departments belongs to them (not to the bureau where it names a part: 请厅里管管物资公司 speaks
    about 物资公司); one that names none continues with those last named; those
    before the first mention go with it. Without mentions all clauses belong to ``fallback``.
    """
    if not mentions or not clauses:
        return {fallback: list(range(len(clauses)))}
    named: list[list[Mention]] = [[] for _ in clauses]
    position = 0
    for mention in mentions:
        while position < len(clauses) - 1 and clauses[position].end <= mention.start:
            position += 1
        named[position].append(mention)
    assigned: dict[str, list[int]] = {}
    current = next(found for found in named if found)
    for index, found in enumerate(named):
        current = found or current
        parts = [mention for mention in current if not mention.whole]
        for department in dict.fromkeys(mention.department for mention in parts or current):
            assigned.setdefault(department, []).append(index)
    return assigned


def fallback_department(column: str, directory: Directory) -> str:
    """The directory's name for the opinion's own column, or 未指明."""
    return directory.resolve(column) or UNSPECIFIED
