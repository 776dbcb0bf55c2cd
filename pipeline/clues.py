"""Which opinions are clues (问题线索): they name a person together with an amount, a date or bribery.

Clues go to the discipline office only. The text is masked, so a name is its mark and the title or office beside it
(``〔姓名〕处长``, ``供应处老〔姓名〕``); 处长 alone names nobody.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from pipeline.lexicon import Lexicon
from pipeline.taxonomy import Taxonomy
from pipeline.text.clauses import Clause
from pipeline.text.mask import NAME
from pipeline.text.segment import Segmenter

Reason = Literal["money", "date", "bribery"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""In the order in which they are given."""


class Concerns(NamedTuple):
    """Labels that say ``bribery`` by themselves, and those about ``work_style``: there an amount or a date counts only close to the name."""

    bribery: frozenset[str]
    work_style: frozenset[str]


CONCERNS = Concerns(
    frozenset({"gifts_and_bribes", "product_solicitation"}),
    frozenset({"cold_treatment", "stalling", "opacity", "formalism"}),
)
"""Those of the shipped taxonomy."""

_REACH, _LABEL_REACH = 2, 4
"""Clauses before and after an official's name, in its paragraph, in which words or a label's evidence are about him."""

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

_NUMBER = r"(?:\d+(?:[.,]\d+)*|[〇零一二两三四五六七八九十百千万亿几数半壹贰叁肆伍陆柒捌玖拾佰仟]+)"
_MONEY = re.compile(
    rf"[￥¥] ?\d|{_NUMBER}[多来余几]?(?:元(?![素宵旦月首件音化])|块钱|[百千万亿]元|美[元金]|港币)"
    r"|(?:\d\d|[十百千万])[多来余几]?块(?![砖地板牌石表瓷玻布儿])"
    rf"|(?:[收送给塞要拿交罚转打花借放夹垫包抽]|[一每]次|每[月年人户])[了过走我们他]{{0,3}}(?:{_NUMBER}?[百千万][多余来]?|\d{{3,}})(?=[，,。！？!?；;、”\s]|才|就|的|现金|$)"
    r"|(?<![〇零一二两三四五六七八九十百千万亿几数\d.])(?:[一二两三四五六七八九十几]|\d{1,4}(?:\.\d+)?)[多来几]?万(?![人户平亩次字吨公里名个件家台辆斤米步株份张条册只头一分套粒棵羽袋瓶度千瓦立])"
)
_TAKEN = re.compile(rf"{NAME}.{{0,16}}?[收要索抽][了过走我们他]{{0,3}}{_NUMBER}[多来余几]?[元块百千万]")
_MONTH = "(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九正腊])"
_DAY = r"(?:3[01]|[12]\d|0?[1-9]|三十一?|二?十[一二三四五六七八九]?|[一二三四五六七八九]|[初廿][一二三四五六七八九十])"
_FEAST = (
    "春节|元旦|元宵|清明|五一|端午|中秋|国庆|十一|重阳|年底|年初|年末|年前|过年|除夕|[春夏秋冬]天|[上下]半年"
)
_DATE = re.compile(
    rf"(?:\d\d|[一二][九〇零○])(?:\d\d|[〇零○一二三四五六七八九]{{2}}) ?(?:年 ?的?(?:{_MONTH}月|{_FEAST})|[./-] ?{_MONTH} ?[./-])|(?<!\d)\d\d年{_MONTH}月"
    rf"|{_MONTH}月份?(?:{_DAY}[日号]|[初底]|[上中下]旬)|[今去前本当]年的?(?:{_MONTH}月|{_FEAST})|上个?月{_DAY}[日号]"
)

_ACTS = frozenset(
    {"bribe_act", "kickback", "bought_off", "pay_to_get_done", "doctor_teacher_gift", "pay_channel"}
)
_GOODS = frozenset({"gift", "brand_gift", "valuables"})
_REFUSED = frozenset({"returned_gift", "negated_misdeed", "clean_conduct", "rule_quoted"})
_DENIED = re.compile("[不没未拒]有?[曾见肯敢再]?[收要]|不准|不得|不许|严禁|禁止")
_RETURNED = re.compile("塞回|退[回给还]|[追撵]出|追到|还给[我他她]|不用|冤枉")
_ORDINARY = re.compile(
    "收钱|拿钱|给钱|表示|好处|暗示|开路|懂事|心意|诚意|识相|润滑|提成|分成|信息费|咨询费|劳务费|油水|肥差|敲诈|勒索|活动费|通融|佣金"
    "|顾问费|介绍费|酬金|收款码"
)
"""Terms of :data:`_ACTS` that other talk uses too: they need goods or an amount in the same clause."""
_HANDED = re.compile("[收送塞拿索要递拎揣给提]")


class Evidence(NamedTuple):
    """A label that an opinion carries, or an issue withheld that a person is asked to look at, and where it shows.

    ``about`` are the numbers of the clauses that speak about the same department; None where the opinion is about one.
    """

    label: str
    start: int
    end: int
    about: Collection[int] | None = None


def clue_reasons(
    text: str,
    clauses: list[Clause],
    evidence: Sequence[Evidence],
    taxonomy: Taxonomy,
    segmenter: Segmenter,
    concerns: Concerns = CONCERNS,
) -> tuple[Reason, ...]:
    """Why an opinion is a clue, in the order of :data:`REASONS`; empty where it is none. ``text`` is masked, ``clauses`` are its own.

    Not named are the writer, whom the letter is addressed to, and who is asked or thanked. An amount or a calendar date (a month of a year or with its day, 去年中秋) counts near an official and the
    evidence of an issue, an amount also where he takes it. Bribery is one of the labels that it ``concerns`` or the lexicon's
    terms for it, unless refused or denied; it counts near an official, or in the clause that names anybody else. Where there
    is praise, a name beside something returned is passed over; praise alone is a clue by those terms only, since a model may
    take an accusation for it. Time is linear in the text's length.
    """
    labels = {shown.label for shown in evidence}
    praised = any(taxonomy[label].kind == "praise" for label in labels)
    only_praised = praised and labels.isdisjoint(taxonomy.issues)
    if NAME not in text:
        return ()
    opinion = _Opinion(text, evidence, clauses)
    found: set[Reason] = set()
    for named in _named(opinion):
        if praised and any(map(_RETURNED.search, opinion.said(opinion.near(named.clause, _LABEL_REACH)))):
            continue
        if "bribery" not in found and _bribery(opinion, named, segmenter, concerns.bribery):
            found.add("bribery")
        if named.official and not only_praised:
            found |= _amounts_and_dates(opinion, named.clause, taxonomy.issues, concerns.work_style)
    return tuple(reason for reason in REASONS if reason in found)


class _Named(NamedTuple):
    """The clause in which somebody is named, and whether as the holder of an office."""

    clause: int
    official: bool


@dataclass(frozen=True)
class _Opinion:
    """A text clause by clause, with the evidence in it."""

    text: str = field(repr=False)
    evidence: Sequence[Evidence]
    clauses: Sequence[Clause]
    _gives: dict[int, bool] = field(default_factory=dict, repr=False)

    def gives(self, clause: int, segmenter: Segmenter) -> bool:
        """Whether a clause says that something was given or taken."""
        if clause not in self._gives:
            self._gives[clause] = _gives(self.said([clause])[0], segmenter)
        return self._gives[clause]

    def near(self, clause: int, reach: int) -> range:
        """The clauses not further away than ``reach`` and in the same paragraph."""
        first = last = clause
        while first > max(0, clause - reach) and not self._break(first - 1):
            first -= 1
        while last < min(len(self.clauses) - 1, clause + reach) and not self._break(last):
            last += 1
        return range(first, last + 1)

    def _break(self, clause: int) -> bool:
        return "\n" in self.text[self.clauses[clause].end : self.clauses[clause + 1].start]

    def said(self, clauses: Iterable[int]) -> list[str]:
        """What clauses say."""
        return [self.text[self.clauses[n].start : self.clauses[n].end] for n in clauses]

    def labels(self, clause: int, reach: int) -> set[str]:
        """The labels that show near a clause and are about the department it speaks about."""
        near = self.near(clause, reach)
        start, end = self.clauses[near[0]].start, self.clauses[near[-1]].end
        return {
            shown.label
            for shown in self.evidence
            if shown.start < end and start < shown.end and (shown.about is None or clause in shown.about)
        }


def _named(opinion: _Opinion) -> list[_Named]:
    """Who is named and could be meant, in order."""
    named: list[_Named] = []
    clause = 0
    for mark in re.finditer(NAME, opinion.text):
        start, end = mark.span()
        while clause < len(opinion.clauses) - 1 and opinion.clauses[clause].end <= start:
            clause += 1
        left, right = opinion.text[max(0, start - _LEFT) : start], opinion.text[end : end + _RIGHT]
        if _ACCUSED_LEFT.search(left):
            named.append(_Named(clause, official=True))
        elif _NO_NAME_LEFT.search(left) or _WRITER_LEFT.search(left) or _addressed(left, right):
            continue
        elif _TITLED_RIGHT.match(right) or _TITLED_LEFT.search(left) or _OFFICE_LEFT.search(left):
            named.append(_Named(clause, official=True))
        elif not _WITNESS_RIGHT.match(right):
            named.append(_Named(clause, official=False))
    return named


def _addressed(left: str, right: str) -> bool:
    """Whether the one named is spoken to, asked or thanked."""
    return bool(
        _ADDRESSED_LEFT.search(left)
        or _ADDRESSED_RIGHT.match(right)
        or (_ASKED_LEFT.search(left) and _ASKED_RIGHT.match(right))
        or (_OPENING_LEFT.search(left) and _OPENING_RIGHT.match(right))
    )


def _amounts_and_dates(
    opinion: _Opinion, clause: int, issues: Collection[str], work_style: frozenset[str]
) -> set[Reason]:
    """What stands near an official's name in ``clause``: of work style, only just before it and in the same sentence."""
    found: set[Reason] = set()
    if any(map(_TAKEN.search, opinion.said([clause]))):
        found.add("money")
    accused = opinion.labels(clause, _REACH) & set(issues)
    if accused:
        near: Iterable[int] = opinion.near(clause, _REACH)
        if accused <= work_style:
            sentence = opinion.clauses[clause].sentence
            near = (n for n in near if n in {clause - 1, clause} and opinion.clauses[n].sentence == sentence)
        said = opinion.said(near)
        found.update(["money"] if any(map(_MONEY.search, said)) else [])
        found.update(["date"] if any(map(_DATE.search, said)) else [])
    return found


def _bribery(opinion: _Opinion, named: _Named, segmenter: Segmenter, labels: frozenset[str]) -> bool:
    """Whether a label or the words near a name say that something was given or taken, and none that it was refused."""
    if opinion.labels(named.clause, _LABEL_REACH if named.official else 0) & labels:
        return True
    near = opinion.near(named.clause, _REACH if named.official else 0)
    return any(opinion.gives(clause, segmenter) for clause in near) and not any(
        _refuses(said, segmenter) for said in opinion.said(near)
    )


def _refuses(said: str, segmenter: Segmenter) -> bool:
    known = segmenter.lexicon.classes
    kinds = {known.get(token) for token in segmenter.tokens(said)} | set(segmenter.lexicon.counted(said))
    return bool(kinds & _REFUSED or _DENIED.search(said))


def _gives(said: str, segmenter: Segmenter) -> bool:
    begun = _beginnings(segmenter.lexicon)
    counted = not _GOODS.isdisjoint(segmenter.lexicon.counted(said))
    if not counted and begun.isdisjoint(map(operator.add, said, said[1:])):
        return False
    known = segmenter.lexicon.classes
    terms = [(token, known[token]) for token in segmenter.tokens(said) if token in known]
    acts = [token for token, kind in terms if kind in _ACTS]
    goods = counted or any(kind in _GOODS for _, kind in terms)
    return (
        not all(map(_ORDINARY.fullmatch, acts))
        or (goods and bool(acts or _HANDED.search(said)))
        or (bool(acts) and bool(_MONEY.search(said)))
    )


@functools.lru_cache(maxsize=4)
def _beginnings(lexicon: Lexicon) -> frozenset[str]:
    """The first two characters of terms of giving and taking: most clauses hold none, and need not be cut."""
    return frozenset(term[:2] for term, kind in lexicon.classes.items() if kind in _ACTS or kind in _GOODS)
