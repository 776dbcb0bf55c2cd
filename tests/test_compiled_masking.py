"""Many texts masked at once are masked as one by one, and each rule is tried wherever it can match."""

from __future__ import annotations

import csv
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.compiled import masking
from pipeline.compiled.masking import masked, starts_of
from pipeline.text import cues, figures, name_words, names
from pipeline.text.mask import NUMBERS, mask
from pipeline.text.normalise import normalise
from pipeline.workspace import SHIPPED
from tests.conftest import SHARED

PIECES = (
    "王 李 张 伟 建国 桂英 处长 我叫 姓名 ： 微信 号 vx 电话 138 0771 4526 13807714526 幺三八 一二三四五六七 转 身份证 45010219690101123 X 卡号 6222 桂A 12K45 @ 163.com qq 路 12号 3栋 2单元 501 "
    "出生 1962年5月8日 生 、 ， 。 （ ） - / · 某 老 小 姐 女 学号 护照 E12345678 〔 〕 〔姓名〕 86 0 点 的 有 两位 家 欧阳 司马 夏侯 东方 总 副 常务 主任 书记 陈科 头 看 叫 人 本人 我是 联系人 举报人 真名 名字 "
    "那个 妹夫 儿子 校长 男 （男， 〔手机号〕 〔出生日期〕 氏 XX × 百 同 买买提 • 阿迪力 先 先生 县 敬上 代表 户主 职工 张家 方面 对 班 * *** x 62 6217 ١٢٣ 1 2 一 ① l O +86 (0771) 〇 零 中间 后四位 最后 是 号码 传真 "
    "拨打 艾特 # at (at) dot . com 牌 粤B 普A 新 大道 街 巷 胡同 村 屯 委 三 组 队 农场 东 段 里 旁 第 口 号楼 幢 座 单元 宿舍 民国 二十 年 月 日 正 于 为 日期 : 公司 工号 警号 户号 编号 证 残疾人证 字第 退休证 就诊卡 通行证 "
    "军官证 passport no. 账号 账户 银行卡 存折 农行 打进 汇到 卡是 Q QQ 群 扣扣 企鹅 球球 加V 加薇 薇 威 ❤ 小红书 支付宝 抖音 号叫 V信 wechat weixin 微博 微博名 钱 王老吉 和 与 在 任某 查 ㎡ 😀 \u0301 𠀀 ４ \u3000 ！ 上 两 位 手机 说 "
    "“ ” — 总工 科 局 处 Tel 450102********1231 四五零一零二一九六九零一零一一二三一 6222021001116245703 91450100MA5KX8QD3T 0771-5623418 \n"
).split(" ")  # fmt: skip
CHARACTERS = st.one_of(
    st.sampled_from(name_words.SURNAMES + name_words.NAMELIKE + name_words.TITLES + figures.SPOKEN + figures.PROVINCES),
    st.sampled_from("0123456789XxlIoO*-—–_/#()（）·•.。，、；：:,;！？ \n老小某男女姐姓叫我是本人生出日月年号路巷栋楼牌ABKvVqQ@卡证户折"),
    st.characters(exclude_categories=()),
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=24).map("".join),
    st.lists(st.one_of(st.sampled_from(PIECES), CHARACTERS), max_size=40).map("".join),
)
TOLD_BY_MORE = {cues.SERIAL, figures.DIALLED, figures.EMAIL, names.DOTTED, names.BARE}
"""Rules whose starts are fewer than their matches: those that change nothing are left out, or signs are asked for."""


def same(texts):
    changed = 0
    for text, found in zip(texts, masked(texts), strict=True):
        expected = mask(text)
        assert found == expected
        changed += found != text
    return changed


@given(st.lists(TEXTS, max_size=6))
@settings(max_examples=400, deadline=None)
def test_as_one_by_one(texts):
    same(texts)
    same([normalise(text) for text in texts])


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_every_rule_is_tried_wherever_it_matches(text):
    known = starts_of([text])[0]
    for rule in set(masking.RULES.values()) - TOLD_BY_MORE:
        begun = {match.start() for match in rule.pattern.finditer(text)}
        ordinary = {
            start for start in begun if (match := rule.pattern.match(text, start)) and is_word(rule, match)
        }
        assert begun - ordinary <= set(known.get(rule) or ())


def is_word(rule, match):
    """Whether a match begins with what only looks like a surname: it is passed over wherever it is found."""
    if rule in {names.INTRODUCED, names.SELF} or rule not in names.RULES:
        return False
    text, start, surname = match.string, match.start(), match[1]
    return text[start : start + len(surname) + 1] in name_words.ORDINARY or (
        text[max(0, start - 1) : start] or " "
    ) in name_words.BEFORE_BLOCKS.get(surname, "")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (figures.EMAIL, "lhx2008艾特163点com"),
        (figures.IDENTITY, "45010219690101123X"),
        (figures.IDENTITY, "450102********1231"),
        (figures.CREDIT_CODE, "91450100MA5KX8QD3T"),
        (figures.CARD, "6222 0210 0111 6245 703"),
        (figures.CARD, "6222****5703"),
        (figures.MOBILE, "138，中间0771，后面4526"),
        (figures.LANDLINE, "(0771)5623418"),
        (figures.PLATE, "车牌：桂A12345"),
        (cues.BIRTH, "出生日期：1971-09-14"),
        (cues.BIRTH, "一九六二年五月八日生，"),
        (cues.ADDRESS, "白沙村委三组旁边12号"),
        (cues.ADDRESS, "12号楼1单元602室"),
        (figures.DIALLED, "+86-〔手机号〕"),
        (figures.LOCAL, "电话：562 3418"),
        (cues.QQ, "扣扣号码：772810046"),
        (cues.SERIAL, "学号\n200310452"),
        (cues.SERIAL, "账户，四五零一二三四五六七八九"),
        (cues.ACCOUNT, "支付宝号是：zsf2020"),
        (cues.ACCOUNT_LATIN, "VX：gx_zhi"),
        (cues.WEIBO, "微博名：桂平人2008"),
        (names.INTRODUCED, "联系人： 王桂英。"),
        (names.SELF, "我是欧阳桂英，"),
        (names.TITLED, "欧阳建国常务副局长"),
        (names.AFTER_TITLE, "处长王伟的"),
        (names.SHORT_TITLED, "找王主任"),
        (names.FAMILIAR, "老李头"),
        (names.KINLIKE, "张姐，"),
        (names.KIN, "儿子王伟，"),
        (names.SHARED_TITLE, "赵、钱两位科长"),
        (names.DESCRIBED, "王桂英（女，"),
        (names.ENTRY, "王桂英，（身份证：〔身份证号〕"),
        (names.VEILED, "王某某"),
        (names.SURNAME_SAID, "姓苏的"),
        (names.DOTTED, "买买提·吐尔逊"),
        (names.BARE, "张伟"),
    ],
)
def test_what_each_rule_is_for(rule, text):
    before = "此事" * 30 + "，"
    assert rule.pattern.search(before + text)
    assert rule in starts_of([before, before + text])[1]
    same([before + text, text, text + before])


@pytest.mark.parametrize(
    "text", ["学号٣200310452", "学号20031-B20031", "工号AB 20031，一二三", "学号2003AB，学号X-2003"]
)
def test_numbers_begin_beside_letters_and_figures(text):
    same([text, text * 2])


def test_the_rules_are_all_there():
    assert list(masking.RULES) == list(range(len(masking.RULES)))
    assert set(names.RULES) < set(masking.RULES.values())
    assert {rule for rule, _ in NUMBERS} < set(masking.RULES.values())


def test_no_text_and_nothing_to_mask():
    assert masked([]) == []
    assert masked(["", "办事快", ""]) == ["", "办事快", ""]
    assert starts_of(["", "办事快", ""]) == [{}, {}, {}]


@pytest.mark.parametrize("piece", ["1", "1，3，", "王伟、", "路一号", "a@", "1***", "王处长", "一生", "证1"])
def test_more_starts_than_room_was_made_for(piece):
    assert same([piece * 2000]) == (masked([piece * 2000]) != [piece * 2000])


def labelled(pattern):
    paths = sorted((SHIPPED / "data").glob(pattern))
    return [
        normalise(json.loads(line)["text"])
        for path in paths
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def test_the_corpus():
    assert same(labelled("labelled/*.jsonl")) > 100
    assert same(labelled("masking/*.jsonl")) > 400


def test_the_masking_set_disturbed():
    chance = random.Random(7)  # noqa: S311
    texts = []
    for text in labelled("masking/*.jsonl") * 2:
        disturbed = text
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(disturbed) + 1)
            disturbed = disturbed[:at] + chance.choice(PIECES) + disturbed[at + chance.choice((0, 0, 1, 3)) :]
        texts.append(normalise(disturbed))
    assert same(texts) > 500


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real messages are not on this machine")
def test_the_real_messages():
    with (SHARED / "real/messages.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [normalise(f"{row['title']}\n{row['text']}") for row in random.Random(3).sample(rows, 1500)]  # noqa: S311
    assert same(texts) > 200
