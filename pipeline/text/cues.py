"""Personal data told by the words at it: days of birth, house numbers, serial numbers and accounts."""

from __future__ import annotations

import re

from pipeline.text.figures import FIGURE, SPOKEN
from pipeline.text.rules import Rule

_CJK = r"\u4e00-\u9fff"
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


# a number that only the words before it tell from any other; looked at from its end backwards
_SERIAL = re.compile(
    rf"(?<![0-9A-Za-z])(?:[A-Za-z]{{0,5}}-?|[A-Z] ){FIGURE}(?:[ \n_-]?[0-9A-Za-z{SPOKEN}]){{2,30}}"
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
        re.compile(rf"(?:{FIGURE}[ \n-]?){{12,25}}"),
        "〔银行卡号〕",
    ),
)
_QQ = re.compile(
    rf"((?<![A-Za-z])(?:[Qq] ?[Qq]|[Qq](?=[:：]{FIGURE}{{6}}|{FIGURE}{{8}})|扣扣|企鹅|球球|扣号)(?:[群号]|号码)?[:：是为 （(]{{0,3}})({FIGURE}(?: ?{FIGURE}){{4,11}})(?![0-9A-Za-z])"
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


def cued(match: re.Match[str]) -> str | None:
    """Which number it is by the words before it."""
    found = match.group()
    before = match.string[max(0, match.start() - 16) : match.start()]
    for cue, shape, mark in _CUED:
        if shape.fullmatch(found) and cue.search(before):
            return mark
    return None


BIRTH = Rule(_BIRTH, signs="生", needs=re.compile("出生|生于|生日|[月日0-9一二三四五六七八九十]生"))
ADDRESS = Rule(
    _ADDRESS,
    needs=re.compile(
        rf"[道路街巷弄同组队][^，。；\n]{{0,9}}?[0-9{FEW}百] ?号|(?:[栋幢座楼]|单元)[0-9零一二三四五六七八九]"
    ),
)
QQ = Rule(_QQ, signs=("Q", "q", "扣", "企鹅", "球球"))
SERIAL = Rule(_SERIAL)
ACCOUNT = Rule(_ACCOUNT)
ACCOUNT_LATIN = Rule(_ACCOUNT_LATIN)
WEIBO = Rule(_WEIBO)


def account(match: re.Match[str]) -> str:
    """The words that tell of an account stay."""
    return f"{match[1]}〔账号〕"
