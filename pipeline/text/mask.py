"""Personal data out of the text, before anything is written.

Each kind is replaced by a mark such as ``〔手机号〕``; the marks hold nothing that a rule matches, so masking
twice changes nothing, and nothing that normalisation changes, so normalising cannot undo it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum import luhn
from stdnum.cn import ric, uscc

from pipeline.text.names import name_spans

NAME = "〔姓名〕"
MARK = re.compile(r"〔[^〔〕\n]{1,6}〕")
_CJK = r"\u4e00-\u9fff"

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}"
)
_CREDIT_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NP-RT-UW-Y]{18}(?![0-9A-Za-z])")
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])(?:\d{6}[ -]?\d{8}[ -]?\d{3}[0-9Xx]|\d{15}|\d{3,6}\*{4,12}\d{2,4}[0-9Xx]?)(?![0-9A-Za-z*])"
)
_CARD = re.compile(r"(?<![0-9A-Za-z])\d{4}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?(?![0-9A-Za-z])")
_CARD_NAMED = re.compile(
    r"((?:卡号|[账帐]号|[账帐]户|银行卡)[:：是为 ]{0,3})\d(?:[ -]?\d){11,24}(?![0-9A-Za-z])"
)
_MOBILE = re.compile(
    r"(?<![0-9])(?:(?:\+?86[ -]?)?1[3-9]\d[ .·—–-]?\d{4}[ .·—–-]?\d{4}){1,4}(?![0-9]|[ ]?[万亿]?元)"
)
_LANDLINE = re.compile(
    r"(?<![0-9])(?:[(（]0\d{2,3}[)）]|0\d{2,3})[ -]?[2-8]\d{2,3}[ -]?\d{4}(?:[ -]\d{1,5})?(?![0-9A-Za-z])"
    r"|(?<=电话|座机|号码|致电|拨打)([:：是为 ]{0,2})[2-8]\d{6,7}(?![0-9A-Za-z])"
)
_ACCOUNT = re.compile(
    r"((?:微信|微号|加微|[vV]信|抖音|快手|支付宝|(?<![A-Za-z])(?:vx|wx|weixin|wechat|qq)|威信|薇信|扣扣|加[vV])(?:号码|号|群)?[:：是为 (（]{0,3})"
    r"([A-Za-z][A-Za-z0-9_-]{4,19}|[1-9]\d{4,11})(?![A-Za-z0-9_])",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼] ?[A-HJ-NOP-Z][·•. -]?"
    r"(?=[A-HJ-NP-Z0-9]*\d)[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳](?![A-Za-z0-9])"
)
_ROAD_NAME = rf"(?:(?![在于住到的从去是和与及市区县镇乡，。])[{_CJK}]){{1,5}}"
_ADDRESS = re.compile(
    rf"{_ROAD_NAME}(?:大道|路|街|巷|弄|胡同|村[0-9一二三四五六七八九十]{{1,3}}[组队])(?:[东南西北中]?[一二三四五六七八九十]?[段里]?)"
    r"(?:\d{1,5}(?:-\d{1,4})?|[一二三四五六七八九十百]{1,4})号"
    r"(?:[0-9A-Za-z-]{1,5}(?:号楼|栋|幢|座|单元|楼|层|室|号|房|户)){0,4}"
    r"|(?<![0-9A-Za-z])[0-9A-Za-z]{1,3}(?:号楼|栋|幢)(?:[0-9A-Za-z]{1,2}单元\d{2,4}(?:室|号房|房|号)?|\d{2,4}(?:室|号房|房|号))"
)


_OLD_IDENTITY = re.compile(r"[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}")


def _identity(found: str) -> str | None:
    digits = re.sub(r"[ -]", "", found).upper()
    if "*" in digits or _OLD_IDENTITY.fullmatch(digits):
        return "〔身份证号〕"
    # a mistyped check digit is still somebody's number: a plausible birth date is enough
    born = re.fullmatch(
        r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9X]", digits
    )
    return "〔身份证号〕" if born or ric.is_valid(digits) else None


def _card(found: str) -> str | None:
    digits = re.sub(r"[ -]", "", found)
    return "〔银行卡号〕" if 16 <= len(digits) <= 19 and luhn.is_valid(digits) else None


def _credit_code(found: str) -> str | None:
    return "〔信用代码〕" if uscc.is_valid(found) else None


_RULES: tuple[tuple[re.Pattern[str], Callable[[str], str | None]], ...] = (
    (_EMAIL, lambda _: "〔邮箱〕"),
    (_IDENTITY, _identity),
    (_CREDIT_CODE, _credit_code),
    (_CARD, _card),
    (_MOBILE, lambda _: "〔手机号〕"),
    (_LANDLINE, lambda _: "〔电话〕"),
    (_PLATE, lambda _: "〔车牌〕"),
    (_ADDRESS, lambda _: "〔地址〕"),
)


def _names_masked(text: str) -> str:
    parts: list[str] = []
    last = 0
    for start, end in name_spans(text):
        parts += [text[last:start], NAME]
        last = end
    return "".join([*parts, text[last:]])


def mask(text: str) -> str:
    """Replace personal data in a normalised text by marks.

    Mobile and landline numbers, identity numbers (check digit GB 11643, or a plausible birth date), bank cards
    (Luhn, or any long number after 卡号/账号), unified credit codes (GB 32100), plates, e-mail, WeChat/QQ accounts, street addresses, and names that
    stand with a title, after 我叫/姓名/本人/联系人, or as 老李, 小赵, 张姐. A bare name (王建国拿走) is not found. ``mask(mask(x)) == mask(x)``.
    """
    for pattern, judge in _RULES:

        def replaced(match: re.Match[str], judge: Callable[[str], str | None] = judge) -> str:
            return judge(match.group()) or match.group()

        text = pattern.sub(replaced, text)
    text = _CARD_NAMED.sub(r"\1〔银行卡号〕", text)
    text = _ACCOUNT.sub(r"\1〔账号〕", text)
    return _names_masked(text)
