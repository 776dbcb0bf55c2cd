"""Masking in figures, in every form people write, in time that grows with length alone, and once and for all."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.masking import KINDS, examples, survives, tally
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise

PIECES = st.lists(
    st.sampled_from(
        "王 李 张 伟 建国 桂英 处长 我叫 姓名 ： 微信 号 vx 电话 138 0771 4526 13807714526 幺三八 一二三四五六七 转 身份证 45010219690101123 X 卡号 6222 "
        "桂A 12K45 @ 163.com qq 路 12号 3栋 2单元 501 出生 1962年5月8日 生 、 ， 。 \n （ ） - / · 某 老 小 姐 女 学号 护照 E12345678 〔 〕 〔姓名〕 86 0 点 的 有 两位 家".split(
            " "
        )
    ),
    max_size=24,
).map("".join)


def test_the_set_is_what_it_says():
    personal, without = examples("with"), examples("without")
    assert len(personal) == len(without) == 500
    assert len({example.text for example in (*personal, *without)}) == 1000
    assert {kind for example in personal for *_, kind in example.spans} == set(KINDS)
    assert all(example.spans for example in personal)
    assert not any(example.spans for example in without)
    for example in personal:
        assert len(normalise(example.text)) == len(example.text)
        assert all(0 <= start < end <= len(example.text) for start, end, _ in example.spans)


def test_personal_data_is_masked_and_little_else():
    personal, without = tally(examples("with")), tally(examples("without"))
    assert personal.recall >= 0.99, personal.missed
    assert {kind for kind in KINDS if personal.masked[kind] < 0.95 * personal.spans[kind]} == set()
    assert without.false_share <= 0.01, without.false
    assert personal.false_share <= 0.01, personal.false


@pytest.mark.parametrize(
    ("text", "hidden", "kind", "counts"),
    [
        ("13807714526", set(range(11)), "mobile", False),
        ("13807714526", set(range(9)), "mobile", False),
        ("13807714526", set(range(8)), "mobile", True),
        ("138-0771", {0, 1, 2, 3, 6}, "mobile", False),
        ("王建国", {0, 1}, "name", True),
    ],
)
def test_what_counts_as_surviving(text, hidden, kind, counts):
    assert survives(text, hidden, 0, len(text), kind) is counts


@pytest.mark.parametrize(
    ("mark", "texts"),
    [
        (
            "〔手机号〕",
            "幺三八零七七幺四五二六 壹叁捌柒柒壹零肆伍贰陆 13八零七七一四五二六 +8613807714526 0086-13807714526 1·3·8·0·7·7·1·4·5·2·6 138*0771*4526 １３８０７７１４５２６ 13807714526转603 138\u200b0771\u200b4526".split(),
        ),
        (
            "〔电话〕",
            "0771-5623418 (0771)5623418 0771—5623418转8012 零七七一五六二三四一八 028-86651207".split(),
        ),
        (
            "〔身份证号〕",
            "450102196901011231 45010219690101123X 450102690101123 450102-19690101-1231 四五零一零二一九六九零一零一一二三一 450102********1231 450102196901011***".split(),
        ),
        ("〔车牌〕", "桂A·12345 桂AD12345 桂A一二三四五 桂A0318警 桂a12k45".split()),
        (
            "〔邮箱〕",
            "lhx@163.com lhx2008艾特163点com lhx2008#163.com zhang_1975(at)126.com zhang[at]126[dot]com".split(),
        ),
        (
            "〔地址〕",
            "民主路16号3栋2单元501 友爱南路25-3号 白沙村三组12号 中山路一百二十三号 12号楼1单元602室".split(),
        ),
        ("〔姓名〕", ["韦某某", "买买提·吐尔逊"]),
    ],
)
def test_the_whole_is_masked(mark, texts):
    for text in texts:
        assert mask(normalise(f"这是{text}，请核实")) in {f"这是{mark}，请核实", f"这是{text}，请核实"}
        assert mask(normalise(f"{text}，请核实")) == f"{mark}，请核实", text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("前面138，中间0771，后面4526，收", "前面〔手机号〕，收"),
        ("护照号：E12345678，南字", "护照号：〔证件号〕，南字"),
        ("台胞证08472615，投资", "台胞证〔证件号〕，投资"),
        ("账号：4501 2345 6789 01，信用社", "账号：〔银行卡号〕，信用社"),
        ("打进6217 8561 0000 1234 567，查", "打进〔银行卡号〕，查"),
        ("QQ：二八四七一九零三，加", "QQ：〔账号〕，加"),
        ("扣扣772810046。", "扣扣〔账号〕。"),
        ("打①③⑧⓪⓪①③⑧⓪⓪⓪，收", "打〔手机号〕，收"),
        ("加他薇❤ zsf2020 转账", "加他薇❤ 〔账号〕 转账"),
        ("加薇❤hgz5566，VX：gx_zhi", "加薇❤〔账号〕，VX：〔账号〕"),
        ("学号200310452，工号：GX-0317", "学号〔编号〕，工号：〔编号〕"),
        ("病历号20190318077，红包", "病历号〔编号〕，红包"),
        ("李桂英，1962年5月8日生，工龄", "〔姓名〕，〔出生日期〕生，工龄"),
        ("出生日期：1971-09-14，查", "出生日期：〔出生日期〕，查"),
        ("被韦建平骂了，王建国拿走两箱", "被〔姓名〕骂了，〔姓名〕拿走两箱"),
        ("在场的有张伟、李娜、欧胜利", "在场的有〔姓名〕、〔姓名〕、〔姓名〕"),
        ("我叫胡蒲利，反映的事胡蒲利负责", "我叫〔姓名〕，反映的事〔姓名〕负责"),
        ("姓覃的收了，老百姓", "姓〔姓名〕的收了，老百姓"),
        ("此致敬礼\n梁桂英", "此致敬礼\n〔姓名〕"),
    ],
)
def test_forms(before, after):
    assert mask(normalise(before)) == after


@pytest.mark.parametrize(
    "text",
    [
        "拨12345、110、95598，400-810-6666是售后",
        "轻工发〔1989〕12号，桂财综〔2013〕0771号，（2019）桂01民终1387号",
        "零件号1380-0138-000，生产批号20030517，条形码6901234567892",
        "一九八九年亏了一百三十八万，一三五上午办",
        "营业时间8:30-12:00，2018-2019学年，1-6月份",
        "王老吉、康师傅、张小泉剪刀，邓小平理论，雷锋月",
        "祝领导身体健康，万事如意，阖家安康",
        "凌晨三点，夏天四十度，内陆某省，苗族",
        "1992年5月8日成立，2020年1月1日起施行",
        "民主路修了一年，白沙村三组的路通了，3号楼的电梯",
    ],
)
def test_what_only_looks_personal_stays(text):
    assert mask(text) == text


def test_the_words_of_the_field_and_the_departments_stay(workspace):
    words = [*workspace.lexicon.classes, *(department.name for department in workspace.directory.departments)]
    assert len(words) > 500
    assert [word for word in words if mask(word) != word] == []


@given(PIECES)
@settings(max_examples=600, deadline=None)
def test_masking_once_is_enough_and_normalising_undoes_nothing(text):
    masked = mask(normalise(text))
    assert mask(masked) == masked
    assert normalise(masked) == masked


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", " ", "-", ".", "·", "—", "_", "/"])
)
@settings(max_examples=200, deadline=None)
def test_no_mobile_number_survives_its_separators(number, separator):
    written = separator.join((number[:3], number[3:7], number[7:]))
    assert mask(normalise(f"请打{written}，谢谢")) == "请打〔手机号〕，谢谢"


@pytest.mark.parametrize(
    "piece",
    ["1", "1，3，", "王伟、", "我叫王小明，", "路一号", "a@", "1*"],
)
def test_a_megabyte_made_to_be_slow(piece):
    """Some two seconds each; a rule that tries every way of cutting would not end in a day."""
    text = piece * (1_000_000 // len(piece))
    before = time.process_time()
    mask(text)
    assert time.process_time() - before < 60
