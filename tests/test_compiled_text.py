"""Texts in bulk: normalised, judged valid, cut and signed as one by one, to the byte."""

from __future__ import annotations

import csv
import itertools
import json
import unicodedata

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from pipeline.compiled import normalising, signatures, validity
from pipeline.compiled.clauses import clauses
from pipeline.compiled.codes import coded
from pipeline.text.clauses import Clause, split_clauses
from pipeline.text.normalise import FOLD, LEADING_SIGNS, normalise
from pipeline.text.shingles import N_PERMUTATIONS, signature
from pipeline.text.validity import is_valid
from pipeline.workspace import SHIPPED
from tests.conftest import SHARED

PIECES = (
    "质检站 供应处 拿走两箱酒 收，红，包 好。人，难！办 说，是 没有意见 无 没 领导好 谢谢 同意 随便 asdf no qwerty Not_x I didn't see "
    "檢驗電話 乾隆著名 後 著 裏面 — © · ① ㎡ ﬁ １３９ Ａ ＿ ＠ － ＋ ＆ ＜ ⺠ ⼈ 豈 神 𠀀 👨\u200d👩\u200d👧 🧧 é e \u0301 \u0338 ā 가 ᄀ ᅡ ᆨ ガ か \u3099 ﾊ ﾟ İ i Σ ς ΑΣ σ ß Ⓐ "
    "， 。 ； ？ … ! ? ; , = + - @ ' _ & < > / \t \n \r \r\n \x85 \u2028 \u2029 \x0b \x1c \u200b \u202e \ufeff \xad \xa0 \u3000 \u2003 \ud800 \udc00 \ue000 \x00 \ufffe \U000e0041 \U0010ffff "
    "&nbsp; & nbsp; &NBſP; _x000D_ _X000d_ ＿x000D_ _\u200bx000D_ <br> <BR\n/> < br> x n b nbsp; x000D_ br/>"
).split(" ")  # fmt: skip
ANY = st.characters(exclude_categories=())
"""Surrogates among them."""

SAID = st.lists(st.one_of(st.sampled_from([*PIECES, " "]), ANY), max_size=24).map("".join)
REPEATED = st.builds(lambda text, times: text * times, SAID, st.integers(1, 40))
TEXTS = st.lists(st.one_of(SAID, REPEATED), max_size=6)
CHARACTERS = "".join(map(chr, range(0x110000)))
CHUNK = 500


def check(texts):
    """All four against the plain path."""
    assert normalising.normalised(texts) == [normalise(text) for text in texts]
    check_clean(texts)


def check_clean(texts):
    """The three that read clean texts, and must say the same of any."""
    assert validity.validity(texts).tolist() == [is_valid(text) for text in texts]
    codes = coded(texts)
    assert split(codes) == [split_clauses(text) for text in texts]
    signed = signatures.signatures(codes)
    assert signed.shape == (len(texts), N_PERMUTATIONS + 1)
    assert signed.dtype == np.uint32
    assert [row.astype("<u4").tobytes() for row in signed] == [signature(text) for text in texts]


def split(codes):
    found = clauses(codes)
    assert {found.starts.dtype, found.ends.dtype, found.sentences.dtype} == {np.dtype(np.int32)}
    spans = map(Clause, found.starts.tolist(), found.ends.tolist(), found.sentences.tolist())
    sizes = np.diff(found.borders, prepend=0).tolist()
    assert sum(sizes) == len(found.starts)
    return [list(itertools.islice(spans, size)) for size in sizes[1:]]


def chunks(texts):
    return [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]


@pytest.fixture(scope="module")
def corpus():
    paths = sorted(
        [*(SHIPPED / "data/labelled").glob("*.jsonl"), *(SHIPPED / "data/masking").glob("*.jsonl")]
    )
    return [json.loads(line)["text"] for path in paths for line in path.read_text("utf-8").splitlines()]


def test_the_corpus_comes_out_the_same(corpus):
    assert len(corpus) > 20_000
    for texts in chunks(corpus):
        assert normalising.normalised(texts) == [normalise(text) for text in texts]
    for texts in chunks(corpus[::3]):
        check_clean(texts)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real messages are not on this machine")
def test_real_messages_come_out_the_same():
    with (SHARED / "real/messages.csv").open(encoding="utf-8-sig", newline="") as file:
        messages = [f"{row['title']}\n{row['text']}" for row in csv.DictReader(file)][::12]
    assert len(messages) > 1_000
    for texts in chunks(messages):
        check(texts)


@given(TEXTS)
@settings(max_examples=250, deadline=None)
def test_any_texts_come_out_the_same(texts):
    check(texts)


@given(st.lists(st.text(st.sampled_from("，。\n 甲乙丙=a-…"), max_size=40), max_size=6))
@settings(max_examples=250, deadline=None)
def test_characters_spaced_out_with_marks_stay_together(texts):
    assert split(coded(texts)) == [split_clauses(text) for text in texts]


@given(st.lists(st.text(st.sampled_from("没有意见领导好啊谢谢无a1。 我"), max_size=30), max_size=8))
@settings(max_examples=250, deadline=None)
def test_answers_and_repetition_are_told_from_opinions(texts):
    assert validity.validity(texts).tolist() == [is_valid(text) for text in texts]


def test_every_character_is_normalised_as_it_is_alone():
    """At either end, after a letter and before one."""
    points = itertools.chain(range(0x3400), range(0x3400, 0xA000, 9), range(0xA000, 0x10000), range(0x10000, 0x110000, 61))  # fmt: skip
    emoji = range(0x1F000, 0x1FB00)
    texts = [f"{chr(point)}甲{chr(point)}{chr(point)}a{chr(point)}" for point in (*points, *emoji)]
    for some in chunks(texts):
        assert normalising.normalised(some) == [normalise(text) for text in some]


def test_every_character_is_read_as_it_is_alone():
    check_clean([CHARACTERS[start : start + 211] for start in range(0, len(CHARACTERS), 211)])


def test_every_folded_character_is_folded():
    texts = [f"{chr(point)}是{chr(point)}" for point in FOLD]
    assert normalising.normalised(texts) == [normalise(text) for text in texts]
    assert not FOLD.keys() & {ord(plain) for plain in FOLD.values()}, "folded twice"


def test_no_texts_and_empty_texts():
    check([])
    check([""])
    check(["", "甲", "", LEADING_SIGNS, ""])


def test_characters_that_join_are_joined():
    """Every two that make one, with and without something dropped between, and Hangul by its parts."""
    parts = [unicodedata.decomposition(character).split() for character in CHARACTERS]
    pairs = [
        "".join(chr(int(part, 16)) for part in pair) for pair in parts if len(pair) == 2 and pair[0][0] != "<"
    ]
    hangul = ["\u1100\u1161", "\u1100\u1161\u11a8", "\uac00\u11a8", "\u1161\u11a8"]
    texts = [*pairs, *hangul, *(f"甲{pair[0]}\u200b{pair[1:]}" for pair in pairs + hangul)]
    assert len(pairs) > 1000
    assert normalising.normalised(texts) == [normalise(text) for text in texts]


def test_validity_turns_at_the_same_counts():
    """Of characters, Chinese ones among them, and different ones."""
    letters = [f"{'甲乙丙' * chinese}{'abcdefghij' * other}"[:size] for chinese in (1, 2) for other in range(1, 9) for size in range(3, 90)]  # fmt: skip
    repeated = [("甲乙丙丁戊"[:distinct] * 60)[:size] for distinct in range(1, 6) for size in range(1, 50)]
    answers = ["没有意见" * times + end for times in range(1, 9) for end in ("", "了", "好", "的事")]
    texts = letters + repeated + answers
    expected = [is_valid(text) for text in texts]
    assert validity.validity(texts).tolist() == expected
    assert {True, False} == set(expected)


def test_letters_with_an_odd_lower_case_are_signed_the_same():
    check(["ΑΣ 甲乙", "ΑΣΑ", "İstanbul 甲乙", "Σ"])


@pytest.mark.parametrize("escape", ["_x000D_", "_X000d_", "&nbsp;", "&NBſP;", "<br>", "<BR \n/>"])
def test_escapes_are_found_whole_folded_or_broken(escape):
    wide = "".join(
        chr(ord(sign) + 0xFEE0) if sign.isalnum() or sign == "_" else sign for sign in escape if sign < "\x7f"
    )
    broken = [f"{escape[:place]}\u200b{escape[place:]}" for place in range(len(escape))]
    check([escape, f"甲{escape}乙", f"={escape}=甲", wide, f"甲 {wide}\n乙", *broken])


def test_long_clauses_are_cut():
    check(["甲" * 120, "甲" * 121, "=" * 3 + "乙" * 500 + "  ", "a，" * 300])


def test_hardly_a_text_takes_the_slow_path(corpus, monkeypatch):
    """What the loops leave to the plain functions."""
    left = {"normalise": 0, "is_valid": 0, "signature": 0}

    def counted(function):
        def call(text):
            left[function.__name__] += 1
            return function(text)

        return call

    monkeypatch.setattr(normalising, "normalise", counted(normalise))
    monkeypatch.setattr(validity, "is_valid", counted(is_valid))
    monkeypatch.setattr(signatures, "signature", counted(signature))
    normalising.normalised(corpus)
    validity.validity(corpus)
    signatures.signatures(coded(corpus))
    assert left["normalise"] < len(corpus) / 100
    assert left["is_valid"] < len(corpus) / 100
    assert left["signature"] == 0
