"""Personal data told by its shape alone: addresses of e-mail, numbers of identity, of cards, companies and telephones, plates."""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum import luhn
from stdnum.cn import uscc

from pipeline.text.rules import Rule

_MOBILE_MARK = "〔手机号〕"

# 0 to 9 as people write and speak them; 洞幺两拐勾 are said over the telephone
SPOKEN = "零〇洞一幺壹二贰两三叁四肆五伍六陆七柒拐八捌九玖勾⓪①②③④⑤⑥⑦⑧⑨"
_PLAIN = str.maketrans(SPOKEN + "lIoO", "0001112223344556677788999" + "0123456789" + "1100")
FIGURE = f"[0-9{SPOKEN}]"

Judge = Callable[[re.Match[str]], str | None]
"""What is put in the place of a match; None: it stays."""

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}(?: ?[@＃#] ?| ?艾特 ?| (?:at|AT) | ?[(\[](?:at|AT)[)\]] ?)"
    r"[A-Za-z0-9-]{1,63}(?: ?(?:[.．]|点| dot |[(\[]dot[)\]]) ?[A-Za-z0-9-]{1,63}){1,4}"
)
_CREDIT_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NP-RT-UW-Y]{18}(?![0-9A-Za-z])")
_IDENTITY = re.compile(
    rf"{FIGURE}(?:[ -]?[\n，,]?{FIGURE}){{16}}[ -]?[0-9Xx×{SPOKEN}]|\d{{3,17}}\*{{3,12}}\d{{0,4}}[0-9Xx]?|\d{{15}}"
)
_CARD = re.compile(rf"{FIGURE}(?:[ \n-]?{FIGURE}){{15,18}}|62\d\d(?:[ -]?[*xX]{{2,4}}){{1,4}}[ -]?\d{{3,4}}")
# between the digits of a telephone number: signs, or a pause in which somebody says that more follows
_PAUSE = r"(?:[ .·—–_/#*()（）-]{1,2}|[，,、\n] ?(?:中间|后面|最后|再|后四位|末四位)?是?)?"
_L = f"[0-9lIoO{SPOKEN}]"
_MOBILE = re.compile(
    rf"(?:[1一幺壹①]{_PAUSE}[3-9三四五六七八九叁肆伍陆柒捌玖拐勾③-⑨](?:{_PAUSE}{_L}){{9}}){{1,4}}(?: ?(?:转|分机) ?\d{{1,5}})?"
)
_DIALLED = re.compile(r"[A-Za-z]$|(?<![0-9])(?:00)?86$|(?<![0-9])0$")
_DIALLED_BEFORE = re.compile(r"(?:[(（]?(?:\+|00)86[)）]?[ -]?|(?<!\d)86[ -]?|[0〇零])(?=〔手机号〕)")
_EXTENSION = r"(?: ?(?:转|分机) ?\d{1,5}|-\d{1,5}|/\d{7,8})?"
_LANDLINE = re.compile(
    rf"(?:(?:\+|00)86[ -]?[1-9]\d{{1,2}}|[(（]0\d{{2,3}}[)）]|[0〇零](?!{FIGURE}{{4}}[年月]){FIGURE}{{2,3}})(?:[ .—–-]|[，,](?:号码)?)?"
    rf"[2-8二三四五六七八叁肆伍陆柒捌]{FIGURE}{{2,3}}[ ，-]?{FIGURE}{{4}}{_EXTENSION}"
)
LOCAL_AFTER = "电话|座机|固话|传真|号码|致电|拨打|门卫|码是|话是"
_LOCAL = re.compile(
    rf"(?<!发票号码)(?<!编号号码)(?<={LOCAL_AFTER})([:：是为 ]{{0,2}})((?:[2-8]\d{{2}}[ -]?\d{{4}}|[2-8]\d{{3}}[ -]?\d{{3,4}}|[二三四五六七八]{FIGURE}{{6,7}})(?:[ -]\d{{1,5}})?)(?![0-9A-Za-z{SPOKEN}])"
)
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"[{PROVINCES}] ?[A-HJ-Za-hj-z] ?[·•. -]?"
    rf"(?=(?: ?[A-Za-z?]){{0,3}} ?{FIGURE})(?:(?: ?[A-HJ-Za-hj-z0-9?]){{4,5}}[A-HJ-Za-hj-z0-9挂学警港澳]|[A-HJ-Z0-9{SPOKEN}]{{5}})(?![A-Za-z0-9])"
    r"|(?<=牌)[:：是 ]?[\u4e00-\u9fff][A-HJ-Z][·•.]?[A-HJ-Z0-9]{5,6}(?![A-Za-z0-9])|普[A-Z]\d{5}(?!\d)"
)


def _digits(found: str) -> str:
    """The digits of a number, however written; signs and words between them are dropped."""
    return re.sub(r"[^0-9]", "", found.translate(_PLAIN))


def _stands_alone(match: re.Match[str]) -> bool:
    """Whether a number goes on neither before nor behind: 一直 after 四五二六 is a word, 二六一二 one number."""
    text, (start, end) = match.string, match.span()
    before, after = text[max(0, start - 5) : start], text[end : end + 2]
    if text[start].isascii():
        if re.search(r"[0-9A-Za-z]$", before) and not (match.re is _MOBILE and _DIALLED.search(before)):
            return False
    elif before and before[-1] in SPOKEN and before[-1] not in "零〇":
        return False
    if text[end - 1].isascii():
        return not re.match("[0-9]", after)
    return not (after[:1] and after[0] in SPOKEN and (after[0] != "一" or after[1:] in SPOKEN))


def alone(judge: Judge) -> Judge:
    """The same judge, who lets stand a number that is part of a longer one."""
    return lambda match: judge(match) if _stands_alone(match) else None


def identity(match: re.Match[str]) -> str | None:
    """Whether it is a number of identity, of 18 or 15 characters, or one partly hidden."""
    found = match.group()
    number = re.sub(r"[^0-9X*]", "", found.translate(_PLAIN).upper().replace("×", "X"))
    if "*" in number:
        return (
            "〔身份证号〕"
            if len(number) in {15, 18} or (10 <= len(number) <= 18 and number[:3].isdigit())
            else None
        )
    if re.fullmatch(r"[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}", number):
        return "〔身份证号〕"
    # a mistyped check digit is still somebody's number: a plausible birth date is enough
    born = re.fullmatch(
        r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9X]", number
    )
    return "〔身份证号〕" if born else None


def card(match: re.Match[str]) -> str | None:
    """Whether it is the number of a bank card, or one partly hidden."""
    found = match.group()
    groups = [len(group) for group in re.split(r"[ \n-]", found)]
    if "*" in found or "x" in found.lower():
        return "〔银行卡号〕"
    # a row of a table is no card: cards are written in groups of one length but for the ends
    if len(groups) > 1 and set(groups) != {1} and (min(groups[:-1]) < 4 or len(groups) > 5):
        return None
    number = _digits(found)
    return (
        "〔银行卡号〕"
        if luhn.is_valid(number) or (number.startswith("62") and len(number) in {16, 19})
        else None
    )


_CALLED = re.compile(r"(?:手机|电话|号码|的号|我号|联系|打|拨|[Tt]el|mobile)[^，。！？；]{0,4}$")
_AMOUNT = re.compile(r" ?[多余]?[万亿千百]{0,2}[元块斤吨]")


def mobile(match: re.Match[str]) -> str | None:
    """Whether it is the number of a mobile telephone."""
    found = match.group()
    if not _stands_alone(match) or _AMOUNT.match(match.string, match.end()):
        return None
    body = re.split(r"转|分机", found)[0]
    groups = [len(group) for group in re.split(rf"[^0-9lIoO{SPOKEN}]+", body) if group]
    usual = len(groups) == 1 or groups in ([3, 4, 4], [3, 8], [4, 4, 4], [7, 4]) or len(groups) == 11
    sure = usual and not re.search(r"[lIoO]", body) and (len(groups) < 11 or not re.search("[，,、\n]", body))
    return (
        _MOBILE_MARK
        if sure or _CALLED.search(match.string[max(0, match.start() - 12) : match.start()])
        else None
    )


def credit_code(match: re.Match[str]) -> str | None:
    """Whether it is a unified credit code."""
    return "〔信用代码〕" if uscc.is_valid(match.group()) else None


EMAIL = Rule(_EMAIL, signs=("@", "＃", "#", "艾", "at", "AT"))
IDENTITY = Rule(_IDENTITY)
CREDIT_CODE = Rule(_CREDIT_CODE)
CARD = Rule(_CARD)
MOBILE = Rule(_MOBILE)
LANDLINE = Rule(_LANDLINE)
PLATE = Rule(_PLATE)
DIALLED = Rule(_DIALLED_BEFORE, signs=(_MOBILE_MARK,))
LOCAL = Rule(_LOCAL, signs=LOCAL_AFTER.split("|"))
