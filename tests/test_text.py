"""Normalising, masking, clauses, segmentation, validity: tables of before and after, and what must always hold."""

from __future__ import annotations

import itertools
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.text.clauses import split_clauses
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.text.segment import Segmenter
from pipeline.text.validity import is_valid
from pipeline.workspace import SHIPPED

TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "王李处长我叫姓名微信号电话路街号栋单元室，。！；\n 0123456789-１２３ＡＢ：@.xX桂A〔〕\u200b檢驗"
        ),
        st.characters(),
    ),
    max_size=80,
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("１２３ＡＢＣ", "123ABC"),
        ("你好，世界！", "你好，世界！"),
        ("檢驗站的態度", "检验站的态度"),
        ("著名的乾隆", "著名的乾隆"),
        ("收\u200b红\ufeff包", "收红包"),
        ("一\r\n\r\n二_x000D_三", "一\n二\n三"),
        ("  前后\u3000\u3000空白 ", "前后 空白"),
        ("办得好👍", "办得好👍"),
        ("①㎡…", "①㎡…"),
        ("坏\ud800字", "坏字"),
    ],
)
def test_normalise(before, after):
    assert normalise(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("电话13912345678。", "电话〔手机号〕。"),
        ("电话 139 1234 5678", "电话 〔手机号〕"),
        ("139-1234-5678找我", "〔手机号〕找我"),
        ("1391234567813812345678", "〔手机号〕"),
        ("座机0771-5551234", "座机〔电话〕"),
        ("身份证11010519491231002X", "身份证〔身份证号〕"),
        ("卡号6222 0212 3456 7890 128", "卡号〔银行卡号〕"),
        ("代码91350100M000100Y43", "代码〔信用代码〕"),
        ("车牌桂A·12K45停着", "车牌〔车牌〕停着"),
        ("发到zhang.san@example.com", "发到〔邮箱〕"),
        ("微信：abc_12345", "微信：〔账号〕"),
        ("QQ 12345678", "QQ 〔账号〕"),
        ("个人微信（mkz_7788x）", "个人微信（〔账号〕）"),
        ("我叫王小明，住这里", "我叫〔姓名〕，住这里"),
        ("姓名：欧阳明。", "姓名：〔姓名〕。"),
        ("王处长和李副科长", "〔姓名〕处长和〔姓名〕副科长"),
        ("张建国厂长来了", "〔姓名〕厂长来了"),
        ("139.1234.5678或139—1234—5678，tel13912345678", "〔手机号〕或〔手机号〕，tel〔手机号〕"),
        ("打0771-555 1234", "打〔电话〕"),
        ("证号450102690101123和450102********1234", "证号〔身份证号〕和〔身份证号〕"),
        ("卡号6222021234567890123", "卡号〔银行卡号〕"),
        ("桂 A12345和警车桂O1234警", "〔车牌〕和警车〔车牌〕"),
        ("V信abc12345，加微abc_12345，抖音号abc12345", "V信〔账号〕，加微〔账号〕，抖音号〔账号〕"),
        ("住望州南路北二里12号，搬到友爱新村3栋2单元501", "住〔地址〕，搬到友爱新村〔地址〕"),
        ("家在白沙村三组12号、解放路十二号、中山路12-3号", "家在〔地址〕、〔地址〕、〔地址〕"),
        ("我是张伟，联系人韦桂芳，投诉人：李四", "我是〔姓名〕，联系人〔姓名〕，投诉人：〔姓名〕"),
        ("签名：黄大力。韦桂芳（女，45岁）", "签名：〔姓名〕。〔姓名〕（女，45岁）"),
        (
            "找张姐、刘哥，小李态度差，老王收了两条烟",
            "找〔姓名〕姐、〔姓名〕哥，小〔姓名〕态度差，老〔姓名〕收了两条烟",
        ),
        ("厂长黄大力签字，粟经理、农主任在场", "厂长〔姓名〕签字，〔姓名〕经理、〔姓名〕主任在场"),
        ("本人韦桂芳，下岗", "本人〔姓名〕，下岗"),
        ("经理老蒙、小赵说，老李头讲", "经理老〔姓名〕、小〔姓名〕说，老〔姓名〕头讲"),
        ("家住解放路12号3栋502室", "家住〔地址〕"),
        ("感谢陈科长，于处长收了钱", "感谢〔姓名〕科长，〔姓名〕处长收了钱"),
        ("老韩认钱不认人，小赵是科员", "老〔姓名〕认钱不认人，小〔姓名〕是科员"),
        ("王研究员、邓检验员和秦副研究员", "〔姓名〕研究员、〔姓名〕检验员和〔姓名〕副研究员"),
        ("刘高工签字，沈行长、宋博士，都在", "〔姓名〕高工签字，〔姓名〕行长、〔姓名〕博士，都在"),
        ("我和老韦去办，老韦三天批，后来小韦管", "我和老〔姓名〕去办，老〔姓名〕三天批，后来小韦管"),
    ],
)
def test_mask(before, after):
    assert mask(normalise(before)) == after


@pytest.mark.parametrize(
    "text",
    [
        "对方经理不讲理",
        "高新区主任",
        "班主任收费",
        "何时处长能来，拨款13800000000元",
        "我是安全员，我是高中老师，联系人事处",
        "门卫换成校长老家的人",
        "价格老高，从小康，大小石头，老方子",
        "本人任职，本人常年，本人易怒而已",
        "向局长反映",
        "养老金会计说，两任局长，第一任书记，科任老师",
        "采石场老板，公积金委员会，调解委员会主任",
        "不容许老师体罚，由于处长不在，关于处长的事",
        "时任局长",
        "养老费不发，养老钱没了，由于高工作量，毕业班长，榨季质检员，付费顾问",
        "车间主任",
        "2019年4月8日交了12345元",
        "拨打12345热线",
        "编号423456789012345671",
        "第1234567890号文",
    ],
)
def test_mask_leaves_alone(text):
    assert mask(normalise(text)) == normalise(text)


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_normalising_and_masking_twice_change_nothing(text):
    once = mask(normalise(text))
    assert normalise(normalise(text)) == normalise(text)
    assert mask(once) == once
    assert normalise(once) == once


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_clauses_are_ordered_disjoint_and_cover_all_words(text):
    text = normalise(text)
    clauses = split_clauses(text)
    assert all(0 <= c.start < c.end <= len(text) and c.end - c.start <= 120 for c in clauses)
    assert all(a.end <= b.start and a.sentence <= b.sentence for a, b in itertools.pairwise(clauses))
    outside = set(range(len(text))) - {i for c in clauses for i in range(c.start, c.end)}
    assert not any(text[i].isalnum() for i in outside)


def test_clauses_know_their_sentence():
    clauses = split_clauses("供应处办事快，物资公司却要优惠价。建议查一查")
    assert [c.sentence for c in clauses] == [0, 0, 1]


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_tokens_join_to_the_text(reader, text):
    text = mask(normalise(text))
    assert "".join(reader.segmenter.tokens(text)) == text


def test_segmentation_is_the_same_in_another_process(reader, tmp_path):
    text = "他小舅子的门市部专吃计划外指标，吃拿卡要样样来"
    path = tmp_path / "segmenter"
    path.write_bytes(pickle.dumps(reader.segmenter))
    code = f"import pickle; s = pickle.load(open({str(path)!r}, 'rb')); print('|'.join(s.tokens({text!r})))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "|".join(reader.segmenter.tokens(text))
    assert "小舅子" in done.stdout
    assert path.stat().st_size < 1_000_000, "the tokenizer itself must not be pickled"


@pytest.mark.parametrize(
    "text",
    "无 没有意见 没有。 暂无 无意见，谢谢 没啥说的 您好！ 领导好 谢谢领导 ？？？ asdfgh 口口口口 不了解 同上 本人没有意见 我没有意见。 无意见，无建议 无无无 同意 啊啊啊啊啊啊".split(),
)
def test_not_valid(text):
    assert not is_valid(text)


@pytest.mark.parametrize(
    "text", "好 没得说，好 没有发现吃拿卡要 没有不公开的 态度差 很满意 没有意见箱 感谢质检站上门服务".split()
)
def test_valid(text):
    assert is_valid(text)


def test_a_long_letter_with_few_distinct_characters_is_valid():
    assert is_valid("我们反映的事情没有人管，请领导看一看。" * 300)


def test_words_are_cut_as_jieba_itself_cuts_them(workspace):
    """By jieba with the same terms, new-word guessing off; the rest are frequencies it suggests otherwise."""
    import jieba

    reference = jieba.Tokenizer()
    reference.FREQ, reference.total = reference.gen_pfdict(reference.get_dict_file())
    reference.initialized = True
    for term in workspace.lexicon.classes:
        reference.add_word(term)
    segmenter = Segmenter(workspace.lexicon)
    clauses = [
        record["text"][span.start : span.end]
        for path in sorted((SHIPPED / "data/labelled").glob("starter-*.jsonl"))
        for record in map(json.loads, path.read_text(encoding="utf-8").splitlines()[:60])
        for span in split_clauses(record["text"])
    ]
    same = [segmenter.tokens(clause) == reference.lcut(clause, HMM=False) for clause in clauses]
    assert len(same) > 1000
    assert np.mean(same) >= 0.985
