"""Person names as people write them in opinions: with a title, after 我叫 or 姓名, as 老李, or by the name's own characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.text.name_words import (
    BEFORE_BLOCKS,
    DOUBLE_SURNAMES,
    HEADS,
    KINSHIP,
    NAMELIKE,
    NO_NAME_BEFORE,
    NOT_GIVEN,
    ORDINARY,
    PUBLIC,
    ROLES,
    SHORT_TITLES,
    SOUNDS,
    SURE,
    SURNAMES,
    TITLES,
    WEAK,
)
from pipeline.text.rules import Rule, Starts

# characters before and behind which a name is one
LEFT = r"\s，。、；：:（(“—叫找向被把给由听与和跟是为我的！!）)"
RIGHT = r"\s，。、；：:,）)”说讲让收拿要签的"
FAMILIAR_BEFORE = r"，。、；：:,“”！？!?\s说讲收拿态给让叫来去是认当总要带把"
SHORT_TITLE_BEFORE = r"\s，。、；：”）)的说讲让要来在把家签收拿批"
SHORT_TITLE_AFTER = r"\s，。、；：“”（(的找给和跟向是请叫"
SHARED_TITLE_AFTER = r"\s，。、；：/找给和跟请叫的"
ENTRY_AFTER = r"\s，。、；：:（(—"
GIVEN = rf"[^\W\d_A-Za-z{NOT_GIVEN}]"
_SURNAME = rf"(?:{DOUBLE_SURNAMES}|[{SURNAMES}])"

TITLED = Rule(re.compile(rf"({_SURNAME})({GIVEN}{{0,2}}?)(?=(?:副|总|常务)?(?:{TITLES}))"))
SHORT_TITLED = Rule(
    re.compile(
        rf"(?:^|(?<=[{SHORT_TITLE_AFTER}]))({_SURNAME})()(?=(?:{SHORT_TITLES})(?:[{SHORT_TITLE_BEFORE}]|$))"
    )
)
AFTER_TITLE = Rule(
    re.compile(
        rf"([{SURNAMES}])(?<=(?:{HEADS}).)"
        rf"({GIVEN}{{1,2}}?)(?=[，。、；：\s）)的说讲让要在收把拿将是签同来去带叫骂打给不]|$)"
    )
)
KIN = Rule(
    re.compile(
        rf"([{SURNAMES}])(?<=(?:{KINSHIP}).)"
        rf"({GIVEN}{{1,2}}?)(?=[，。、；（(承包开当在把收来去说]|$)"
    )
)
INTRODUCED = Rule(
    re.compile(
        rf"(?:我叫|名叫|[有那]个叫|[那此]人叫|真名叫?|名字叫|本人叫|(?:姓名|签名|署名|(?:联系|举报|反映|投诉|申诉|来信|报告|经办)人)(?:[：:是为] ?)?)"
        rf"({_SURNAME})({GIVEN}{{1,2}})(?=[，。、；：:,.;\s）)住是今家在电手的]|$)"
    )
)
SELF = Rule(re.compile(rf"(?:本人|我是)({_SURNAME})({GIVEN}{{1,2}})(?=[，,。；;（(\n]|$)"))
DESCRIBED = Rule(re.compile(rf"({_SURNAME})({GIVEN}{{1,2}})(?=[（(][男女][，,、）)])"), signs="男女")
KINLIKE = Rule(
    re.compile(
        rf"({_SURNAME})()(?=[姐哥叔婶嫂姨](?:[，。、；：:,“”！？!?\s的说讲来在要收把给态]|(?<=[，。、；：\s]..)[办帮带让叫人一]|(?<=^..)[办帮带让叫人一]))"
    )
)
# 老蒙, 小赵, 老李头 as somebody is called; 从小康, 价格老高 are no names
FAMILIAR = Rule(
    re.compile(
        rf"(?:(?<=老)(?<![王养]老)(?![高常成全赖])|(?<=(?<![大从])小)(?![康万石曲]))({_SURNAME})()(?=头?(?:[{FAMILIAR_BEFORE}]|头[看管收]|$))"
    )
)


# 姓苏的; not 百姓, 姓名
SURNAME_SAID = Rule(
    re.compile(rf"(?<=姓)(?<!百姓)(?<!同姓)({_SURNAME})()(?=[，。、；：（）()的叫\s]|$)"), signs="姓"
)
# 赵、钱两位科长
SHARED_TITLE = Rule(
    re.compile(
        rf"(?:^|(?<=[{SHARED_TITLE_AFTER}]))({_SURNAME})()(?=(?:[、/]{_SURNAME})?(?:[两二三]位)?(?:{TITLES}))"
    )
)
# 买买提·吐尔逊
DOTTED = Rule(re.compile(rf"(?<![\w·])([{SOUNDS}]{{2,6}})([·•][{SOUNDS}]{{2,6}})"), signs="·")
# a name alone between stops, followed by the person's sex, number or birth
ENTRY = Rule(
    re.compile(
        rf"(?:^|(?<=[{ENTRY_AFTER}]))({_SURNAME})({GIVEN}{{1,2}})(?=[，, ]?[男女][，,、。）)\s]|[ ，,（(]{{0,2}}(?:身份证|电话|手机|[Tt]el)?[ :：]?〔(?:手机号|身份证号|电话|出生日期)〕)"
    ),
    signs="男女〔",
)
# 何某, 韦某某, 姚XX
VEILED = Rule(
    re.compile(
        rf"(?<![在与和])(?!任某|于某|查某)({_SURNAME})(某{{1,2}}|氏[{NAMELIKE}]{{1,2}}|[Xx×]{{1,2}}(?![0-9A-Za-z]))(?![年月日县市区]|[处局科](?!长))"
    ),
    signs="某氏xX×",
)
BARE = Rule(
    re.compile(
        rf"({DOUBLE_SURNAMES}|[{SURNAMES}])([{NAMELIKE}]{{1,2}})(?<![先家])(?<!先生)(?![{NO_NAME_BEFORE}])"
    )
)
_ROLE = re.compile(rf"(?:{ROLES})(?:名?叫|[是为：: ])?$|[，、我他她名字]叫$")
_LEFT = re.compile(rf"(?:^|[{LEFT}]|本人)$")
_RIGHT = re.compile(rf"$|[{RIGHT}]|[敬]?上(?:$|\s)|[两二三四五]?[位人个]|电话|手机")


_NEXT = re.compile(
    rf"[、/ ]({_SURNAME}{GIVEN}{{1,2}}?)(?=[、，。；：\s（）()和及与等]|[两二三四五几][位人个]|$)"
)
_PREVIOUS = re.compile(rf"(?:^|[\s，。；：、（(和有])({_SURNAME}{GIVEN}{{1,2}})[、/]$")
_TITLE_END = re.compile(rf"(?:{TITLES}|{SHORT_TITLES}|先生|[姐哥叔婶嫂姨])$")
_FULL = 3
_REPEATED = 100
RULES = (
    INTRODUCED, SELF, TITLED, AFTER_TITLE, SHORT_TITLED, FAMILIAR, KINLIKE, KIN, SHARED_TITLE, DESCRIBED, ENTRY, VEILED, SURNAME_SAID,
)  # fmt: skip


def _told(match: re.Match[str]) -> bool:
    """Whether a name without a title is one, by the characters it is made of and by what stands around it."""
    text, (start, end) = match.string, match.span()
    surname, given = match.groups()
    before = text[max(0, start - 6) : start]
    if match.group() in PUBLIC or _is_word(text, start, surname):
        return False
    sure = sum(character in SURE for character in given)
    weak = surname in WEAK
    left = _LEFT.search(before) is not None
    right = _RIGHT.match(text, end) is not None
    if len(given) == 2:
        return sure + left + (left and right) >= 1 + weak or _has_role(before)
    return (sure > 0 and left and right and not weak) or ((right or sure > 0) and _has_role(before))


def _has_role(before: str) -> bool:
    return _ROLE.search(before) is not None


def _is_word(text: str, start: int, surname: str) -> bool:
    """Whether what looks like a surname is part of an ordinary word, with what follows or with what precedes."""
    return surname + text[start + len(surname) : start + len(surname) + 1] in ORDINARY or (
        start > 0 and text[start - 1] in BEFORE_BLOCKS.get(surname, "")
    )


def name_spans(text: str, starts: Starts | None = None) -> list[tuple[int, int]]:
    """Spans of person names, in order, not overlapping; the title itself is not part of the span.

    ``starts``: where a name can begin, if that is known (:mod:`pipeline.compiled.masking`); the spans are the same.
    """
    spans: list[tuple[int, int]] = []
    for rule in RULES:
        if (starts is not None and rule not in starts) or not rule.worth_trying(text):
            continue
        at = 0
        while match := rule.following(text, at, starts):
            start, end = match.span(1)[0], match.span(2)[1]
            at = start + 1  # within what is no name one may begin: 感谢陈科长
            if not _is_word(text, start, match.group(1)):
                at = max(at, match.end())
                spans.append((start, end))
    spans += [match.span() for match in _matches(DOTTED, text, starts)]
    spans = _apart(spans, shortest=True)
    spans = _apart(spans + [match.span() for match in _matches(BARE, text, starts) if _told(match)])
    return _apart([*spans, *_listed(text, spans), *_again(text, spans)]) if spans else spans


def _matches(rule: Rule, text: str, starts: Starts | None) -> Iterator[re.Match[str]]:
    at = 0
    if rule.worth_trying(text):
        while match := rule.following(text, at, starts):
            yield match
            at = match.end()


def _listed(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Names beside a name in a list: 周新强、胡蒲利."""
    starts, ends = ({span[side] for span in spans} for side in (0, 1))
    found = []
    for _, at in spans:
        while (match := _NEXT.match(text, at)) and match.start(1) not in starts:
            found.append(match.span(1))
            starts.add(match.start(1))
            at = match.end()  # noqa: PLW2901  # on to the next in the list
    for at, _ in spans:
        while (match := _PREVIOUS.search(text, max(0, at - 6), at)) and match.end(1) not in ends:
            found.append(match.span(1))
            ends.add(match.end(1))
            at = match.start(1)  # noqa: PLW2901
    return [
        (start, end)
        for start, end in found
        if text[start : start + 2] not in ORDINARY and not _TITLE_END.search(text, start, end)
    ]


def _again(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Other places of what people are called in the text, of the first :data:`_REPEATED`: by full names, or as 老李."""
    full = dict.fromkeys((text[start:end], 0) for start, end in spans if end - start >= _FULL)
    familiar = dict.fromkeys(
        (text[start - 1 : end], 1)
        for start, end in spans
        if end - start < _FULL and text[start - 1 : start] in {"老", "小"}
    )
    found = []
    for said, before in [*full, *familiar][:_REPEATED]:
        at = text.find(said)
        while at >= 0:
            found.append((at + before, at + len(said)))
            at = text.find(said, at + len(said))
    return found


def _apart(spans: list[tuple[int, int]], *, shortest: bool = False) -> list[tuple[int, int]]:
    """In order; of those that overlap the first, and of those that begin together the longest, or the shortest."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], span[1] if shortest else -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept
