"""The classes of characters that :mod:`pipeline.compiled.mask_starts` asks for, made of the rules' own words."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from typing import NamedTuple

import numpy as np

from pipeline.compiled import mask_classes as mc
from pipeline.compiled.characters import N_CODE_POINTS, UNICODE, every_character, points
from pipeline.compiled.codes import Places
from pipeline.compiled.keeping import kept_tables
from pipeline.text import cues, figures, name_words, names

_DIGITS = "0123456789"
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _CAPITALS + _CAPITALS.lower()
_CJK = "".join(map(chr, range(0x4E00, 0xA000)))


def _firsts(words: str) -> set[str]:
    """The first two characters of each of ``words``, which ``|`` parts."""
    return {word[:2] for word in words.split("|")}


def _pairs() -> dict[int, set[str]]:
    """The words of two characters, and the first two of longer ones, by class."""
    return {
        mc.TITLE: _firsts(name_words.TITLES),
        mc.WORD: {word[:2] for word in name_words.ORDINARY},
        mc.BLOCK: {before + surname for surname, many in name_words.BEFORE_BLOCKS.items() for before in many},
        mc.DOUBLE: _firsts(name_words.DOUBLE_SURNAMES),
        mc.HEAD: _firsts(name_words.HEADS),
        mc.KINSHIP: _firsts(name_words.KINSHIP),
        mc.LEAD: set(
            "我叫 名叫 有个 那个 那人 此人 真名 名字 本人 姓名 签名 署名 联系 举报 反映 投诉 申诉 来信 报告 经办".split()  # noqa: SIM905
        ),
        mc.SELF_LEAD: {"本人", "我是"},
        mc.ACCOUNT_LEAD: set(
            "微信 微号 加微 绿泡 小红 钉钉 抖音 快手 支付 威信 薇信 徽信 卫星 加v 加V 加薇 加威 +v +V 薇: 薇： 薇❤ 薇♥ 威: 威：".split()  # noqa: SIM905
        ),
        mc.SERIAL_CUE: {
            *(before + "号" for before in "学籍工牌警编保障卡历院诊单户证生账帐序"),
            *"护照 账户 帐户 存折 农行 建行 工行 中行 rt".split(),  # noqa: SIM905
            *(verb + to for verb in "打转汇退" for to in "进到"),
        },
        mc.LOCAL_CUE: _firsts(figures.LOCAL_AFTER),
    }


def _members() -> dict[int, str]:
    """The characters of each class."""
    blanks = "".join(re.findall(r"\s", every_character()))
    digits = "".join(re.findall(r"\d", every_character()))
    doubles = name_words.DOUBLE_SURNAMES.split("|")
    numerals = _DIGITS + figures.SPOKEN

    def listed(characters: str) -> str:
        """The same characters, where a pattern writes all blanks as ``\\s``."""
        return characters.replace(r"\s", blanks)

    members = {
        mc.SURNAME: name_words.SURNAMES,
        mc.SURNAME_BEGIN: name_words.SURNAMES + "".join(double[0] for double in doubles),
        mc.GIVEN: "".join(re.findall(names.GIVEN, every_character())),
        mc.NAMELIKE: name_words.NAMELIKE,
        mc.SURE: "".join(name_words.SURE),
        mc.WEAK: "".join(name_words.WEAK),
        mc.LEFT: listed(names.LEFT),
        mc.RIGHT: listed(names.RIGHT) + "敬上两二三四五位人个电手",
        mc.ROLE_END: "".join(word[-1] for word in name_words.ROLES.split("|")) + "叫是为：: ",
        mc.NO_NAME_BEFORE: name_words.NO_NAME_BEFORE,
        mc.FAMILIAR_BEFORE: listed(names.FAMILIAR_BEFORE) + "头",
        mc.SHORT_TITLE: "".join(word[0] for word in name_words.SHORT_TITLES.split("|")),
        mc.SHORT_TITLE_BEFORE: listed(names.SHORT_TITLE_BEFORE),
        mc.SHORT_TITLE_AFTER: listed(names.SHORT_TITLE_AFTER),
        mc.SHARED_TITLE_AFTER: listed(names.SHARED_TITLE_AFTER),
        mc.SHARING: "、/两二三位",
        mc.ENTRY_AFTER: listed(names.ENTRY_AFTER),
        mc.KINLIKE_WORD: "姐哥叔婶嫂姨",
        mc.VEIL: "某氏Xx×",
        mc.SEX: "男女",
        mc.MARK_BEGIN: "〔",
        mc.FIGURE: digits + numerals + "lIoO",
        mc.SPOKEN: numerals,
        mc.DIGIT: digits,
        mc.LATIN: _DIGITS + _LETTERS,
        mc.PAUSE: " .·—–_/#*()（）-，,、\n中间后面最再四位末是号码",
        mc.ONE: "1一幺壹①",
        mc.TWO_TO_EIGHT: "2345678二三四五六七八",
        mc.DIALLING: "+0(（〇零",
        mc.LOCAL_GAP: ":：是为 ",
        mc.MAIL: _DIGITS + _LETTERS + "._%+-",
        mc.MAIL_SIGN: "@＃#艾",
        mc.CODE: _DIGITS + "".join(letter for letter in _CAPITALS if letter not in "IOSVZ"),
        mc.CAPITAL: _CAPITALS,
        mc.CJK: _CJK,
        mc.PLACE: "".join(character for character in _CJK if character not in cues.NO_PLACE) + "和",
        mc.ROAD_END: "道路街巷弄同组队",
        mc.NUMERAL: cues.FEW + "百",
        mc.ALONG_ROAD: _CJK + digits + " -",
        mc.PROVINCE: figures.PROVINCES,
        mc.BIRTH_BEGIN: "出生民十" + numerals,
        mc.DAY_END: "月日./-" + digits + cues.FEW,
        mc.HOUSE: "号栋幢座",
        mc.HIDING: "*xX",
        mc.QQ_BEGIN: "Qq扣企球",
        mc.V: "vVwW",
        mc.AFTER_V: "信❤xX eE",
        mc.SIGN: "*6普牌微·〔@＃#艾aA" + figures.PROVINCES,
        mc.CARD_OR_PAPER: "卡证",
        mc.STOP: "，。！？；",
    }
    pairs = [pair for some in _pairs().values() for pair in some]
    return members | {
        mc.FIRST: "".join(pair[0] for pair in pairs),
        mc.SECOND: "".join(pair[1] for pair in pairs),
    }


class Tables(NamedTuple):
    """For :func:`pipeline.compiled.mask_starts.starts`: the classes of each code point, the pairs, and their classes."""

    table: mc.Classes
    keys: Places
    pairs: mc.Classes


@functools.cache
def tables() -> Tables:
    """The tables of the rules as they are."""
    return kept_tables(Tables, f"masking-{UNICODE}", _made)


def _made() -> Tables:
    table = np.zeros(N_CODE_POINTS, dtype=np.int64)
    for bit, characters in _members().items():
        table[points(characters)] |= bit
    classes: defaultdict[int, int] = defaultdict(int)
    for bit, pairs in _pairs().items():
        for pair in pairs:
            classes[ord(pair[0]) << 21 | ord(pair[1])] |= bit
    keys, values = np.zeros((2, mc.N_SLOTS), dtype=np.int64)
    for key, bits in classes.items():
        at = key % mc.N_SLOTS
        while keys[at]:
            at = (at + 1) % mc.N_SLOTS
        keys[at], values[at] = key, bits
    return Tables(table, keys, values)
