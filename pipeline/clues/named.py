"""Who is named in an opinion and could be meant: not its writer, nor who is addressed, asked or thanked."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.text.mask import NAME

_LEFT, _RIGHT = 24, 12
"""Characters beside a name that say who is named."""

_TITLE = (
    "(?:副|总|常务){0,2}(?:经理|董事长|厅长|处长|科长|局长|站长|所长|主任|书记|支书|校长|院长|厂长|队长|主席|会计|出纳|科员|工程师|警官"
    "|法官|检察官|市长|县长|区长|镇长|乡长|村长|秘书|干事|专员|调研员|组长|股长|主管|委员(?!会)|部长|会长|社长|馆长|队员|干部|工|处|科|局|总)"
)
_ANY_TITLE = rf"(?:{_TITLE}|老师|先生|女士|同志)"
# on to the name within the clause, with no call to look into its bearer: 希望书记王某, but not 希望查处科长王某
_ON_TO = "(?:(?!查|处理|处分|惩|追究|撤|核实|管管|管一管|治|问责|抓|把|将|对)[^，。！？：；\n]){0,14}$"
# 养老金, 两任局长, 感谢陈科长: a word was taken for a name
_NO_NAME_LEFT = re.compile(r"(?:养老|感|[一二三四五六七八九十两几数\d])$")
_ACCUSED_LEFT = re.compile(r"被(?:举报|反映|投诉|控告)人(?:姓名)?[：:是为 ]{0,3}$")
_WRITER_LEFT = re.compile(
    r"(?:我叫|我是|我名叫|名字叫|本人叫?|签名|签字|署名|姓名|(?:联系|举报|反映|投诉|申诉|来信|报告|申请|控告|留言)人)[：:是为叫，, ]{0,3}$"
)
_ADDRESSED_LEFT = re.compile(
    "(?:尊敬的|敬爱的|恳请|肯请|敬请|请求|恳求|跪求|请问|请示|还请|(?<![失绝无渴])望|盼|相信|拜托|感谢|谢谢|多谢|感激|建议|呼吁|(?<![导一以大])致)"
    + _ON_TO
)
_ADDRESSED_RIGHT = re.compile(
    rf"{_ANY_TITLE}?(?:[，,！! ：:]{{0,2}}(?:您|你|大人)|[，,！!：: ]{{1,2}}(?:请问|恳请|麻烦|[^，。！？；：“\n]{{0,8}}您)|[、和〔姓名〕]{{0,6}}{_ANY_TITLE}?(?:求助|求救|汇报|反映|投诉))"
)
_ASKED_LEFT = re.compile("请" + _ON_TO)
_ASKED_RIGHT = re.compile(
    rf"{_ANY_TITLE}?(?:为|给|帮|能|在|百忙|督|过问|关[注心]|查|明察|代|多|救|主持|予以|依|亲自|考虑|重视|核实|解决|协调)"
)
_OPENING_LEFT = re.compile(r"(?:^|\n)[^，。！？；：\n]{0,14}$")
_OPENING_RIGHT = re.compile(rf"{_ANY_TITLE}(?:[：:](?![“\"「])|[，,！!](?:我|本人|请|近))")
_TITLED_LEFT = re.compile(_TITLE + "$")
_TITLED_RIGHT = re.compile(_TITLE)
_OFFICE_LEFT = re.compile(
    "(?:[处站科室校局厅院委]|公司|所(?![以有谓])|中心|大队|政府|机关|部门|窗口)[^，。！？：；\n]{0,6}$"
)
_WITNESS_RIGHT = re.compile("(?:老师|先生|女士|师傅|老板|[姐哥叔婶头])?(?:说|讲|反映|告诉|提到)")


class Named(NamedTuple):
    """Where in a text somebody is named, and whether as the holder of an office."""

    start: int
    official: bool


def who_is_named(text: str) -> list[Named]:
    """Who is named and could be meant, in order."""
    named: list[Named] = []
    for mark in re.finditer(NAME, text):
        start, end = mark.span()
        left, right = text[max(0, start - _LEFT) : start], text[end : end + _RIGHT]
        if _ACCUSED_LEFT.search(left):
            named.append(Named(start, official=True))
        elif _NO_NAME_LEFT.search(left) or _WRITER_LEFT.search(left) or _addressed(left, right):
            continue
        elif _TITLED_RIGHT.match(right) or _TITLED_LEFT.search(left) or _OFFICE_LEFT.search(left):
            named.append(Named(start, official=True))
        elif not _WITNESS_RIGHT.match(right):
            named.append(Named(start, official=False))
    return named


def _addressed(left: str, right: str) -> bool:
    """Whether the one named is spoken to, asked or thanked."""
    return bool(
        _ADDRESSED_LEFT.search(left)
        or _ADDRESSED_RIGHT.match(right)
        or (_ASKED_LEFT.search(left) and _ASKED_RIGHT.match(right))
        or (_OPENING_LEFT.search(left) and _OPENING_RIGHT.match(right))
    )
