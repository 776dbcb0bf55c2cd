"""Personal data out of the text, before anything is written.

Each kind is replaced by a mark such as ``〔手机号〕``; the marks hold nothing that a rule matches, so masking
twice changes nothing, and nothing that normalisation changes, so normalising cannot undo it.

What can be told by its shape alone goes first (:mod:`pipeline.text.figures`); then numbers and accounts that only the
words in front of them tell from a part number or a year (:mod:`pipeline.text.cues`); names last, by :mod:`pipeline.text.names`.
"""

from __future__ import annotations

import re
from collections.abc import Generator

from pipeline.text import cues, figures
from pipeline.text.names import name_spans
from pipeline.text.rules import Rule, Starts

NAME = "〔姓名〕"
Asking = Generator[str, Starts | None, str]
"""Makes another text of a text; gives each that it comes to, and is told where in it rules can begin to match (None: anywhere)."""

MARK = re.compile(r"〔[^〔〕\n]{1,6}〕")


# in this order; what is put in the place of a match, None: the match stays
NUMBERS: tuple[tuple[Rule, figures.Judge], ...] = (
    (figures.EMAIL, lambda _: "〔邮箱〕"),
    (figures.IDENTITY, figures.alone(figures.identity)),
    (figures.CREDIT_CODE, figures.credit_code),
    (figures.CARD, figures.alone(figures.card)),
    (figures.MOBILE, figures.mobile),
    (figures.LANDLINE, figures.alone(lambda _: "〔电话〕")),
    (figures.PLATE, lambda _: "〔车牌〕"),
    (cues.BIRTH, lambda match: (match["lead"] or "") + "〔出生日期〕"),
    (cues.ADDRESS, lambda _: "〔地址〕"),
    (figures.DIALLED, lambda _: ""),
    (figures.LOCAL, lambda match: f"{match[1]}〔电话〕"),
    (cues.QQ, cues.account),
    (cues.SERIAL, cues.cued),
    (cues.ACCOUNT, cues.account),
    (cues.ACCOUNT_LATIN, cues.account),
    (cues.WEIBO, cues.account),
)


def _replaced(text: str, rule: Rule, judge: figures.Judge, starts: Starts | None) -> str:
    parts: list[str] = []
    last = at = 0
    while match := rule.following(text, at, starts):
        start, at = match.span()
        if (mark := judge(match)) is not None:
            parts += [text[last:start], mark]
            last = at
    return "".join([*parts, text[last:]]) if parts else text


def _numbers_masked(text: str) -> Asking:
    starts = yield text
    for rule, judge in NUMBERS:
        if (starts is None or rule in starts) and rule.worth_trying(text):
            before, text = text, _replaced(text, rule, judge, starts)
            if text != before:
                starts = yield text
    return text


def _names_masked(text: str) -> Asking:
    starts = yield text
    parts: list[str] = []
    last = 0
    for start, end in name_spans(text, starts):
        parts += [text[last:start], NAME]
        last = end
    return "".join([*parts, text[last:]]) if parts else text


def masking(text: str) -> Asking:
    """:func:`mask` step by step, so that where rules can begin may be found for many texts at once."""
    while (masked := (yield from _names_masked((yield from _numbers_masked(text))))) != text:
        text = masked  # a mark may have uncovered what a number or word beside it hid; each round shortens what is unmasked
    return text


def mask(text: str) -> str:
    """Replace personal data in a normalised text by marks.

    Telephone numbers in figures or in words (转 and 分机 included; not 12345 or 400 numbers), identity numbers (check
    digit GB 11643, or a plausible birth date), passports and the like by the word before them, bank cards (Luhn, or any
    long number after 卡号, 账号), unified credit codes (GB 32100), plates, e-mail, accounts of WeChat, QQ and others,
    house numbers, days of birth, student, staff, patient and order numbers by the word before them, and names: with a
    title, introduced, as 老李 or 张姐, in lists and signatures, and alone where their characters are those of names.
    What is not caught: docs/masking.md. ``mask(mask(x)) == mask(x)``; the time grows with the length alone.
    """
    steps = masking(text)
    try:
        next(steps)
        while True:
            steps.send(None)
    except StopIteration as done:
        return str(done.value)
