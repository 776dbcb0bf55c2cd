"""Personal data out of the text, before anything is written.

Each kind is replaced by a mark such as ``〔手机号〕``; the marks hold nothing that a rule matches, so masking
twice changes nothing, and nothing that normalisation changes, so normalising cannot undo it.

What can be told by its shape alone goes first; then numbers and accounts that only the words in front of them tell
from a part number or a year; names last, by :mod:`pipeline.text.names`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum import luhn
from stdnum.cn import uscc

from pipeline.text.names import name_spans
from pipeline.text.rules import Rule, Starts, StartsOf

NAME = "〔姓名〕"
_MOBILE_MARK = "〔手机号〕"
MARK = re.compile(r"〔[^〔〕\n]{1,6}〕")

# 0 to 9 as people write and speak them; 洞幺两拐勾 are said over the telephone
SPOKEN = "零〇洞一幺壹二贰两三叁四肆五伍六陆七柒拐八捌九玖勾⓪①②③④⑤⑥⑦⑧⑨"
_PLAIN = str.maketrans(SPOKEN + "lIoO", "0001112223344556677788999" + "0123456789" + "1100")
_D = f"[0-9{SPOKEN}]"
_CJK = r"\u4e00-\u9fff"

_Judge = Callable[[re.Match[str]], str | None]

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}(?: ?[@＃#] ?| ?艾特 ?| (?:at|AT) | ?[(\[](?:at|AT)[)\]] ?)"
    r"[A-Za-z0-9-]{1,63}(?: ?(?:[.．]|点| dot |[(\[]dot[)\]]) ?[A-Za-z0-9-]{1,63}){1,4}"
)
_CREDIT_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NP-RT-UW-Y]{18}(?![0-9A-Za-z])")
_IDENTITY = re.compile(
    rf"{_D}(?:[ -]?[\n，,]?{_D}){{16}}[ -]?[0-9Xx×{SPOKEN}]|\d{{3,17}}\*{{3,12}}\d{{0,4}}[0-9Xx]?|\d{{15}}"
)
_CARD = re.compile(rf"{_D}(?:[ \n-]?{_D}){{15,18}}|62\d\d(?:[ -]?[*xX]{{2,4}}){{1,4}}[ -]?\d{{3,4}}")
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
    rf"(?:(?:\+|00)86[ -]?[1-9]\d{{1,2}}|[(（]0\d{{2,3}}[)）]|[0〇零](?!{_D}{{4}}[年月]){_D}{{2,3}})(?:[ .—–-]|[，,](?:号码)?)?"
    rf"[2-8二三四五六七八叁肆伍陆柒捌]{_D}{{2,3}}[ ，-]?{_D}{{4}}{_EXTENSION}"
)
LOCAL_AFTER = "电话|座机|固话|传真|号码|致电|拨打|门卫|码是|话是"
_LOCAL = re.compile(
    rf"(?<!发票号码)(?<!编号号码)(?<={LOCAL_AFTER})([:：是为 ]{{0,2}})((?:[2-8]\d{{2}}[ -]?\d{{4}}|[2-8]\d{{3}}[ -]?\d{{3,4}}|[二三四五六七八]{_D}{{6,7}})(?:[ -]\d{{1,5}})?)(?![0-9A-Za-z{SPOKEN}])"
)
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"[{PROVINCES}] ?[A-HJ-Za-hj-z] ?[·•. -]?"
    rf"(?=(?: ?[A-Za-z?]){{0,3}} ?{_D})(?:(?: ?[A-HJ-Za-hj-z0-9?]){{4,5}}[A-HJ-Za-hj-z0-9挂学警港澳]|[A-HJ-Z0-9{SPOKEN}]{{5}})(?![A-Za-z0-9])"
    r"|(?<=牌)[:：是 ]?[\u4e00-\u9fff][A-HJ-Z][·•.]?[A-HJ-Z0-9]{5,6}(?![A-Za-z0-9])|普[A-Z]\d{5}(?!\d)"
)
NO_PLACE = "在于住到的从去是和与及寄件址他她市区县镇乡，。"
FEW = "一二三四五六七八九十"
_FEW = f"[{FEW}]"
_PLACE = rf"(?:共和|人和|(?![{NO_PLACE}])[{_CJK}]){{1,6}}"
_HOUSE = rf"(?:[0-9A-Za-z{SPOKEN}十-]{{1,7}} ?(?:号楼|栋|幢|座|区|号院|大院|宿舍|单元|楼|层|室|号|房|户) ?|[东南西北中]单元)"
_ADDRESS = re.compile(
    rf"{_PLACE}(?:大道|路|街|巷|弄|胡同|村委?{_FEW}{{1,3}}[组队]|[村场屯][0-9]{{1,3}}[组队]|[农林牧]场{_FEW}{{1,3}}队)"
    rf"(?:[东南西北中]?{_FEW}?[段里巷])?(?:[天旁口第子][{_CJK}]{{0,5}}| ?)"
    rf"(?:\d{{1,5}}(?:-\d{{1,4}})?|[一二三四五六七八九十百]{{1,6}}) ?号(?![线文令楼])(?:之\d{{1,3}})?"
    rf"(?: ?(?:[东南西北]院|大院|[{_CJK}]{{2}}宿舍)?{_HOUSE}{{0,4}}(?:[0-9-]{{2,8}}|[{SPOKEN}]{{3,4}})?)"
    rf"|(?<![0-9A-Za-z])(?:[A-Z]区)?(?:[0-9A-Za-z]{{1,3}}|{_FEW}{{1,2}}(?!座))(?:号楼|栋|幢|座)(?:(?:[0-9A-Za-z]{{1,2}}|{_FEW})单元(?:\d{{2,4}}|[{SPOKEN}]{{3,4}})|\d-?\d{{3}}|\d{{3,4}})(?:室|号房|房|号)?(?![0-9㎡m平年元多])"
)

_DAY = (
    r"(?:(?:19|20)\d\d ?[年./-] ?\d{1,2}(?: ?[月./-](?: ?\d{1,2}日?)?)?|(?:19|20)\d{6}"
    rf"|(?:民国)?[{SPOKEN}十]{{2,4}}年[一二三四五六七八九十正腊]{{1,2}}月(?:[初廿]?{_FEW}{{1,3}}日?)?)"
)
_BIRTH = re.compile(
    rf"(?P<lead>(?:出生|(?<!考)生于|生日)(?:日期|年月日?|时间|于)?[:：为是在由 ]{{0,2}}){_DAY}(?:改成了?{_DAY})?|{_DAY}(?=出生|生(?=[，。、；,;）)\s的]|$))"
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


def _alone(judge: _Judge) -> _Judge:
    return lambda match: judge(match) if _stands_alone(match) else None


def _identity(match: re.Match[str]) -> str | None:
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


def _card(match: re.Match[str]) -> str | None:
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


def _mobile(match: re.Match[str]) -> str | None:
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


def _credit_code(match: re.Match[str]) -> str | None:
    return "〔信用代码〕" if uscc.is_valid(match.group()) else None


# a number that only the words before it tell from any other; looked at from its end backwards
_SERIAL = re.compile(
    rf"(?<![0-9A-Za-z])(?:[A-Za-z]{{0,5}}-?|[A-Z] ){_D}(?:[ \n_-]?[0-9A-Za-z{SPOKEN}]){{2,30}}"
)
_CUED: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"(?:学|学籍|工|胸牌|警|员工编|社保|社会保障|医保卡?|病历|住院|门诊|就诊卡?|订单|快递单|运单|户|用户编|准考证|考生|会员卡|保单|存单)号码?[:：是为 （(]{0,3}$"
            r"|(?:就诊卡|报名序号|残疾人?证号?|退休证号?|低保证号?|下岗证(?:编号)?|证书编号|房产证号?|工作证号?|执业证号?)[:：是为 （(]{0,3}(?:[\u4e00-\u9fff]{0,6}[字退低残]第?)?$"
        ),
        re.compile(r"[0-9A-Za-z -]{3,}"),
        "〔编号〕",
    ),
    (
        re.compile(
            r"(?:护照|通行证|台胞证|回乡证|[军士]官证|passport)(?:号码|号|[ ]?no\.)?[^0-9A-Za-z，。！？；\n]{0,4}$"
        ),
        re.compile(r"[A-Za-z]{0,2} ?[0-9 ]{7,12}"),
        "〔证件号〕",
    ),
    (
        re.compile(
            r"(?:卡号|[账帐]号|[账帐]户|银行卡|存折|[农建工中]行卡?|卡是|[打转汇退][进到])[^0-9。！？；\n]{0,8}$"
        ),
        re.compile(rf"(?:{_D}[ \n-]?){{12,25}}"),
        "〔银行卡号〕",
    ),
)
_QQ = re.compile(
    rf"((?<![A-Za-z])(?:[Qq] ?[Qq]|[Qq](?=[:：]{_D}{{6}}|{_D}{{8}})|扣扣|企鹅|球球|扣号)(?:[群号]|号码)?[:：是为 （(]{{0,3}})({_D}(?: ?{_D}){{4,11}})(?![0-9A-Za-z])"
)
_ACCOUNT_NAME = (
    r"(?:号码|号|群|是)?[:：是为 (（❤]{0,3})([A-Za-z][A-Za-z0-9_-]{4,24}|[1-9]\d{4,11})(?![A-Za-z0-9_])"
)
_ACCOUNT = re.compile(
    r"((?:微信|微号|加微|绿泡泡|小红书|钉钉|抖音|快手|支付宝|威信|薇信|徽信|卫星|加[vV薇威]|\+[vV]|薇(?=[:：❤♥])|威(?=[:：]))"
    r"(?:[^A-Za-z0-9。！？；\n〔]{0,8}(?:号叫|号是))?" + _ACCOUNT_NAME
)
_ACCOUNT_LATIN = re.compile(r"([vVwW](?<![A-Za-z].)(?:信|(?=❤)| ?[xX]|(?i:eixin|echat))" + _ACCOUNT_NAME)
_WEIBO = re.compile(r"(微博(?:号|名)?[@:： ]{1,2})[0-9A-Za-z_\u4e00-\u9fff-]{2,8}\d{2,}")


def _cued(match: re.Match[str]) -> str | None:
    found = match.group()
    before = match.string[max(0, match.start() - 16) : match.start()]
    for cue, shape, mark in _CUED:
        if shape.fullmatch(found) and cue.search(before):
            return mark
    return None


EMAIL = Rule(_EMAIL, signs=("@", "＃", "#", "艾", "at", "AT"))
IDENTITY = Rule(_IDENTITY)
CREDIT_CODE = Rule(_CREDIT_CODE)
CARD = Rule(_CARD)
MOBILE = Rule(_MOBILE)
LANDLINE = Rule(_LANDLINE)
PLATE = Rule(_PLATE)
BIRTH = Rule(_BIRTH, signs="生", needs=re.compile("出生|生于|生日|[月日0-9一二三四五六七八九十]生"))
ADDRESS = Rule(
    _ADDRESS,
    needs=re.compile(
        rf"[道路街巷弄同组队][^，。；\n]{{0,9}}?[0-9{FEW}百] ?号|(?:[栋幢座楼]|单元)[0-9零一二三四五六七八九]"
    ),
)
DIALLED = Rule(_DIALLED_BEFORE, signs=(_MOBILE_MARK,))
LOCAL = Rule(_LOCAL, signs=LOCAL_AFTER.split("|"))
QQ = Rule(_QQ, signs=("Q", "q", "扣", "企鹅", "球球"))
SERIAL = Rule(_SERIAL)
ACCOUNT = Rule(_ACCOUNT)
ACCOUNT_LATIN = Rule(_ACCOUNT_LATIN)
WEIBO = Rule(_WEIBO)


def _account(match: re.Match[str]) -> str:
    return f"{match[1]}〔账号〕"


# in this order; what is put in the place of a match, None: the match stays
NUMBERS: tuple[tuple[Rule, _Judge], ...] = (
    (EMAIL, lambda _: "〔邮箱〕"),
    (IDENTITY, _alone(_identity)),
    (CREDIT_CODE, _credit_code),
    (CARD, _alone(_card)),
    (MOBILE, _mobile),
    (LANDLINE, _alone(lambda _: "〔电话〕")),
    (PLATE, lambda _: "〔车牌〕"),
    (BIRTH, lambda match: (match["lead"] or "") + "〔出生日期〕"),
    (ADDRESS, lambda _: "〔地址〕"),
    (DIALLED, lambda _: ""),
    (LOCAL, lambda match: f"{match[1]}〔电话〕"),
    (QQ, _account),
    (SERIAL, _cued),
    (ACCOUNT, _account),
    (ACCOUNT_LATIN, _account),
    (WEIBO, _account),
)


def _replaced(text: str, rule: Rule, judge: _Judge, starts: Starts | None) -> str:
    parts: list[str] = []
    last = at = 0
    while match := rule.following(text, at, starts):
        start, at = match.span()
        if (mark := judge(match)) is not None:
            parts += [text[last:start], mark]
            last = at
    return "".join([*parts, text[last:]]) if parts else text


def _numbers_masked(text: str, starts_of: StartsOf | None) -> str:
    starts = starts_of(text) if starts_of else None
    for rule, judge in NUMBERS:
        if (starts is None or rule in starts) and rule.worth_trying(text):
            before, text = text, _replaced(text, rule, judge, starts)
            if starts_of and text != before:
                starts = starts_of(text)
    return text


def _names_masked(text: str, starts_of: StartsOf | None) -> str:
    parts: list[str] = []
    last = 0
    for start, end in name_spans(text, starts_of(text) if starts_of else None):
        parts += [text[last:start], NAME]
        last = end
    return "".join([*parts, text[last:]]) if parts else text


def mask(text: str, starts_of: StartsOf | None = None) -> str:
    """Replace personal data in a normalised text by marks.

    Telephone numbers in figures or in words (转 and 分机 included; not 12345 or 400 numbers), identity numbers (check
    digit GB 11643, or a plausible birth date), passports and the like by the word before them, bank cards (Luhn, or any
    long number after 卡号, 账号), unified credit codes (GB 32100), plates, e-mail, accounts of WeChat, QQ and others,
    house numbers, days of birth, student, staff, patient and order numbers by the word before them, and names: with a
    title, introduced, as 老李 or 张姐, in lists and signatures, and alone where their characters are those of names.
    What is not caught: docs/masking.md. ``mask(mask(x)) == mask(x)``; the time grows with the length alone.

    ``starts_of`` says where in a text each rule can begin to match: the result is the same, sooner.
    """
    while (masked := _names_masked(_numbers_masked(text, starts_of), starts_of)) != text:
        text = masked  # a mark may have uncovered what a number or word beside it hid; each round shortens what is unmasked
    return text
