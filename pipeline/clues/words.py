"""What a clause says: an amount, a date, that something was given or taken, or that it was refused."""

from __future__ import annotations

import functools
import re

from pipeline.lexicon import Lexicon
from pipeline.text.mask import NAME
from pipeline.text.segment import Segmenter

_NUMBER = r"(?:\d+(?:[.,]\d+)*|[〇零一二两三四五六七八九十百千万亿几数半壹贰叁肆伍陆柒捌玖拾佰仟]+)"
MONEY = re.compile(
    rf"[￥¥] ?\d|{_NUMBER}[多来余几]?(?:元(?![素宵旦月首件音化])|块钱|[百千万亿]元|美[元金]|港币)"
    r"|(?:\d\d|[十百千万])[多来余几]?块(?![砖地板牌石表瓷玻布儿])"
    rf"|(?:[收送给塞要拿交罚转打花借放夹垫包抽]|[一每]次|每[月年人户])[了过走我们他]{{0,3}}(?:{_NUMBER}?[百千万][多余来]?|\d{{3,}})(?=[，,。！？!?；;、”\s]|才|就|的|现金|$)"
    r"|(?<![〇零一二两三四五六七八九十百千万亿几数\d.])(?:[一二两三四五六七八九十几]|\d{1,4}(?:\.\d+)?)[多来几]?万(?![人户平亩次字吨公里名个件家台辆斤米步株份张条册只头一分套粒棵羽袋瓶度千瓦立])"
)
TAKEN = re.compile(rf"{NAME}.{{0,16}}?[收要索抽][了过走我们他]{{0,3}}{_NUMBER}[多来余几]?[元块百千万]")
_MONTH = "(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九正腊])"
_DAY = r"(?:3[01]|[12]\d|0?[1-9]|三十一?|二?十[一二三四五六七八九]?|[一二三四五六七八九]|[初廿][一二三四五六七八九十])"
_FEAST = (
    "春节|元旦|元宵|清明|五一|端午|中秋|国庆|十一|重阳|年底|年初|年末|年前|过年|除夕|[春夏秋冬]天|[上下]半年"
)
DATE = re.compile(
    rf"(?:\d\d|[一二][九〇零○])(?:\d\d|[〇零○一二三四五六七八九]{{2}}) ?(?:年 ?的?(?:{_MONTH}月|{_FEAST})|[./-] ?{_MONTH} ?[./-])|(?<!\d)\d\d年{_MONTH}月"
    rf"|{_MONTH}月份?(?:{_DAY}[日号]|[初底]|[上中下]旬)|[今去前本当]年的?(?:{_MONTH}月|{_FEAST})|上个?月{_DAY}[日号]"
)

_ACTS = frozenset(
    {"bribe_act", "kickback", "bought_off", "pay_to_get_done", "doctor_teacher_gift", "pay_channel"}
)
_GOODS = frozenset({"gift", "brand_gift", "valuables"})
_REFUSED = frozenset({"returned_gift", "negated_misdeed", "clean_conduct", "rule_quoted"})
_DENIED = re.compile("[不没未拒]有?[曾见肯敢再]?[收要]|不准|不得|不许|严禁|禁止")
RETURNED = re.compile("塞回|退[回给还]|[追撵]出|追到|还给[我他她]|不用|冤枉")
_ORDINARY = re.compile(
    "收钱|拿钱|给钱|表示|好处|暗示|开路|懂事|心意|诚意|识相|润滑|提成|分成|信息费|咨询费|劳务费|油水|肥差|敲诈|勒索|活动费|通融|佣金"
    "|顾问费|介绍费|酬金|收款码"
)
"""Terms of :data:`_ACTS` that other talk uses too: they need goods or an amount in the same clause."""
_HANDED = re.compile("[收送塞拿索要递拎揣给提]")


def refuses(said: str, segmenter: Segmenter) -> bool:
    """Whether a clause says that something was refused, given back or forbidden."""
    known = segmenter.lexicon.classes
    kinds = {known.get(token) for token in segmenter.tokens(said)} | set(segmenter.lexicon.counted(said))
    return bool(kinds & _REFUSED or _DENIED.search(said))


def gives(said: str, segmenter: Segmenter) -> bool:
    """Whether a clause says that something was given or taken."""
    counted = not _GOODS.isdisjoint(segmenter.lexicon.counted(said))
    if not counted and not _begun(said, segmenter.lexicon):
        return False
    known = segmenter.lexicon.classes
    terms = [(token, known[token]) for token in segmenter.tokens(said) if token in known]
    acts = [token for token, kind in terms if kind in _ACTS]
    goods = counted or any(kind in _GOODS for _, kind in terms)
    return (
        not all(map(_ORDINARY.fullmatch, acts))
        or (goods and bool(acts or _HANDED.search(said)))
        or (bool(acts) and bool(MONEY.search(said)))
    )


def may_give(said: str, lexicon: Lexicon) -> bool:
    """Whether any part of what is said may say that something was given or taken: most need not be looked at clause by clause."""
    return lexicon.may_count(said) or _begun(said, lexicon)


def _begun(said: str, lexicon: Lexicon) -> bool:
    """Whether any term of giving and taking may begin in a clause: most hold none, and need not be cut."""
    beginnings, likely = _beginnings(lexicon)
    return any(said[found.start() : found.start() + 2] in beginnings for found in likely.finditer(said))


@functools.lru_cache(maxsize=4)
def _beginnings(lexicon: Lexicon) -> tuple[frozenset[str], re.Pattern[str]]:
    """The first two characters of terms of giving and taking, and a pattern that finds such first ones before such second ones."""
    beginnings = frozenset(
        term[:2] for term, kind in lexicon.classes.items() if kind in _ACTS or kind in _GOODS
    )
    first, second = (
        re.escape("".join(sorted({each[side : side + 1] for each in beginnings}))) for side in (0, 1)
    )
    return beginnings, re.compile(f"[{first}](?=[{second}])" if first and second else r"(?!)")
