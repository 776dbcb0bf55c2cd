"""Disguised words: by kind as people write them, what must stay as it is, what must always hold, and the measured set."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.disguise import HALVES, load_variants, measure
from pipeline.classifier.features import clause_features
from pipeline.text.clauses import split_clauses
from pipeline.text.disguise import undisguise
from pipeline.text.disguises import load_disguises
from pipeline.text.normalise import normalise
from pipeline.text.segment import Segmenter
from pipeline.workspace import SHIPPED


@pytest.fixture(scope="module")
def segmenter(workspace):
    return Segmenter(workspace.lexicon)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("他 收 红 包 了", "他收红包了"),
        ("收.红.包", "收红包"),
        ("收*红*包", "收红包"),
        ("收|红|包", "收红包"),
        ("收,红,包", "收红包"),
        ("收\n红\n包", "收红包"),
        ("给 500 块 钱", "给500块钱"),
        ("收红☆包", "收红包"),
        ("领·导要回~扣", "领导要回扣"),
        ("收红😀包", "收红包"),
        ("收红\u200b包", "收红包"),
        ("收红̶包̶", "收红包"),
        ("收洪包", "收红包"),
        ("送了烘包", "送了红包"),
        ("收了红苞", "收了红包"),
        ("要回叩", "要回扣"),
        ("找了零导", "找了领导"),
        ("收礻L物", "收礼物"),
        ("口乞饭", "吃饭"),
        ("要钅戋", "要钱"),
        ("木交长要的", "校长要的"),
        ("收紅包", "收红包"),
        ("收ｈｏｎｇｂａｏ", "收红包"),
        ("收ⓗⓑ", "收红包"),
        ("收hоngbао", "收红包"),
        ("罚⑤⓪块", "罚50块"),
        ("收hongbao", "收红包"),
        ("收 hong bao", "收 红包"),
        ("收hóng bāo", "收红包"),
        ("收HongBao", "收红包"),
        ("收h0ngba0", "收红包"),
        ("chi na ka yao", "吃拿卡要"),
        ("要红bao", "要红包"),
        ("收hong包", "收红包"),
        ("送hb", "送红包"),
        ("给ld送gwk", "给领导送购物卡"),
        ("要回k", "要回扣"),
        ("给他🧧", "给他红包"),
        ("收了包红", "收了红包"),
        ("送了卡物购", "送了购物卡"),
        ("道知人没民村", "村民没人知道"),
    ],
)
def test_what_is_disguised_is_read_as_what_it_stands_for(written, meant, segmenter):
    assert undisguise(normalise(written), segmenter) == meant


@pytest.mark.parametrize(
    "text",
    [
        "用HB铅笔填写",
        "VIP客户可以先办",
        "OA系统打不开",
        "ABC三类",
        "ppt做了十页",
        "发到zhang@hongbao.com",
        "看hongbao.com上的通知",
        "型号BX-200hb7",
        "重5kg长30cm",
        "A区B栋",
        "在北京、上海、广州",
        "数学/语文",
        "烟、酒、茶",
        "①材料不全",
        "站在门口抽两根烟就走",
        "钱给了三回",
        "开完会再来",
        "给丈夫买了烤鸭和酒",
        "办得好👍",
        "订《xx成长报》",
        "小××双语幼儿园",
    ],
)
def test_what_only_looks_like_a_disguise_stays(text, segmenter):
    assert undisguise(text, segmenter) == text


def test_a_spaced_out_word_is_one_clause_and_counted_as_the_word(segmenter):
    assert split_clauses("收，红，包") == [(0, 5, 0)]
    assert split_clauses("他来，我走，好") == [(0, 2, 0), (3, 5, 0), (6, 7, 0)]
    assert clause_features("收，红，包", segmenter) == clause_features("收红包", segmenter)


def test_only_what_is_counted_changes_never_what_is_shown(reader):
    from pipeline.records import Opinion

    text = "陈科长每年过节都收 红 包，一次两千块，不给就不批。"
    (reading,) = reader.read([Opinion(id="1", text=text)])
    assert "收 红 包" in reading.opinion.text
    assert all(0 <= f.start < f.end <= len(reading.opinion.text) for f in reading.findings)


_PIECES = st.sampled_from(
    [
        *"收红包洪烘礼金钱局长前李给要酒就不的了处罚，。|*. ·_0139ABhHL①ⓗ🧧😀口乞礻钅戋木交",
        "hong",
        "bao",
        "hb",
        "ld",
        "qian",
    ]
)


@given(st.lists(_PIECES, max_size=16).map("".join))
@settings(max_examples=400, deadline=None)
def test_undoing_twice_changes_nothing(text):
    known = _segmenter()
    once = undisguise(text, known)
    assert undisguise(once, known) == once


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_read_and_read_again(text):
    known = _segmenter()
    once = undisguise(normalise(text), known)
    assert undisguise(once, known) == once


@given(st.text(alphabet="0123456789，。、：", max_size=40))
@settings(max_examples=100, deadline=None)
def test_numbers_and_marks_stay(text):
    assert undisguise(text, _segmenter()) == text


def _segmenter(known: list[Segmenter] = []) -> Segmenter:  # noqa: B006  # one for all examples
    if not known:
        from pipeline.workspace import Workspace

        known.append(Segmenter(Workspace(root=SHIPPED).lexicon))
    return known[0]


def test_the_list_is_whole():
    listed = load_disguises()
    lines = (SHIPPED / "data/disguises.tsv").read_text(encoding="utf-8").splitlines()
    assert {line.split("\t")[0] for line in lines[1:]} == {
        "sound", "like", "sign", "split", "key", "term", "word", "short", "plain", "common",
    }  # fmt: skip
    assert all(line.count("\t") == 2 and all(line.split("\t")) for line in lines)
    assert listed.spelt["hongbao"] == "红包"
    assert not listed.keys & listed.plain


def test_ordinary_opinions_are_read_as_written(segmenter, workspace):
    """Of the labelled opinions' clauses at most one in a thousand is read otherwise."""
    from pipeline.learn.corpus import corpus_files, load_labelled

    letters = load_labelled(corpus_files(workspace.corpus)[::6], workspace.taxonomy, workspace.directory)
    texts = [normalise(item.opinion.text) for item in letters]
    clauses = [text[c.start : c.end] for text in texts for c in split_clauses(text)]
    assert len(clauses) > 10_000
    assert sum(undisguise(clause, segmenter) != clause for clause in clauses) <= len(clauses) / 1000


def test_the_variants_are_two_hundred_of_ten_kinds(workspace):
    variants = load_variants()
    assert len(variants) == len({v["of"] for v in variants}) == 200
    kinds = [v["kind"] for v in variants]
    assert len(set(kinds)) == 10
    assert all(kinds.count(kind) == 20 for kind in kinds)
    originals = "".join(
        path.read_text(encoding="utf-8") for path in (SHIPPED / "data/evaluation").glob("*.jsonl")
    )
    assert all(f'"id": "{v["of"]}"' in originals for v in variants)
    assert all(
        set(v["labels"]) <= set(workspace.taxonomy.codes) and v["text"] != v["original"] for v in variants
    )


def test_variants_are_read_nearly_as_well_as_their_originals(reader):
    figures = measure(reader, load_variants())
    assert figures["all"].variant >= 0.9 * figures["all"].original
    assert set(HALVES) < set(figures)
