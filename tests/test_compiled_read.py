"""The compiled reader against the plain one: the same texts, labels, offsets, departments and clues, probabilities within 1e-6."""

from __future__ import annotations

import csv
import itertools
import json
import random

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from pipeline.classifier.compiled.features import count_clauses
from pipeline.classifier.compiled.read import compiled
from pipeline.classifier.compiled.tables import met
from pipeline.classifier.compiled.weights import by_frequency
from pipeline.classifier.features import clause_features
from pipeline.compiled.codes import Int, coded
from pipeline.compiled.cut import BEGIN, END, room
from pipeline.compiled.cutting import read_words, tokens
from pipeline.compiled.disguises import WORDS
from pipeline.compiled.trie import ROOT, child, may_begin, may_go_on, put, rank_of, trie_of
from pipeline.records import Opinion
from pipeline.text.clauses import split_clauses
from pipeline.text.disguise import shown, undisguise
from pipeline.text.disguises import load_disguises
from pipeline.text.mask import NAME, mask
from pipeline.text.normalise import normalise
from pipeline.workspace import SHIPPED
from tests.conftest import SHARED

ANY = st.characters(exclude_categories=())
UNICODE = st.characters(exclude_categories=["Cs"])
"""What is left of any after normalisation: halves of characters are not."""
EACH = 9
"""Of the corpus every ninth opinion, of the real messages every ninety-first: ``benchmarks/equality.py`` takes all."""


def records(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def opinions_of(texts):
    return [Opinion(id=str(number), text=text) for number, text in enumerate(texts)]


@pytest.fixture(scope="module")
def fast(reader):
    return compiled(reader)


@pytest.fixture(scope="module")
def pieces(workspace):
    """What texts are made of that come near every rule: terms, patterns, disguises, departments, signs, masked data."""
    listed, lexicon = load_disguises(), workspace.lexicon
    draw = random.Random(1)  # noqa: S311  # the same pieces every time
    listings = (
        lexicon.classes, lexicon.patterns, listed.words, listed.spelt, listed.short, listed.whole, listed.turned,
        listed.plain, map(chr, listed.signs), workspace.directory.by_alias,
    )  # fmt: skip
    found = []
    for listing in listings:
        every = sorted(listing)
        found += draw.sample(every, min(60, len(every)))
    ordinary = "的 了 王处长 老李 A3市 K2区 app https www.qq.com 3.5万元 13812345678 10-11 B超 T恤 vip 收.红.包 收 红 包 礻L物 ，。！？；\n …".split(
        " "
    )
    return [
        *(piece.replace("#", "3") for piece in found),
        *ordinary,
        NAME,
        "〔手机号〕",
        "〔",
        "〕",
        " ",
        "、",
        "，",
        "。",
        "0",
        "'",
    ]


def same(reader, fast, opinions):
    """Both read the same of opinions."""
    for one, other in zip(reader.read(opinions), fast.read(opinions), strict=True):
        for part in ("opinion", "valid", "findings", "departments", "needs_review", "signature", "clue"):
            assert getattr(one, part) == getattr(other, part), (one.opinion.id, part)
        assert one.beliefs.dtype == other.beliefs.dtype
        np.testing.assert_allclose(one.beliefs, other.beliefs, atol=1e-6, rtol=0)


def test_the_corpus_is_read_the_same(reader, fast):
    texts = [
        (record["text"], record["department"])
        for path in sorted((SHIPPED / "data/labelled").glob("*.jsonl"))
        for record in records(path)
    ][::EACH]
    opinions = [Opinion(id=str(i), text=text, department=about) for i, (text, about) in enumerate(texts)]
    same(reader, fast, opinions)


def test_disguised_opinions_are_read_the_same(reader, fast):
    variants = records(SHIPPED / "data/evaluation/disguised/variants.jsonl")
    same(reader, fast, opinions_of([record["text"] for record in variants]))


def test_what_one_undoing_bares_is_undone_as_well(reader, fast):
    """Put together, 洪包 is there, which stands for 红包; a text without it is read once."""
    texts = ["科长过节收.洪.包才给办。", "办事先要塞 洪 包 给他。", "他收.红.包。"]
    once = [shown(text[:-1], reader.segmenter, load_disguises()) for text in texts]
    assert [undisguise(text, reader.segmenter) != text for text in once] == [True, True, False]
    same(reader, fast, opinions_of(texts))


@pytest.mark.skipif(not SHARED.exists(), reason="the real messages are not here")
def test_real_messages_are_read_the_same(reader, fast):
    with (SHARED / "real/messages.csv").open(encoding="utf-8-sig", newline="") as file:
        texts = [f"{row['title']}\n{row['text']}" for row in csv.DictReader(file)]
    same(reader, fast, opinions_of(texts[::91]))


def test_any_text_is_read_the_same(reader, fast, pieces):
    @settings(max_examples=120, deadline=None)
    @given(st.lists(st.lists(st.one_of(st.sampled_from(pieces), ANY), max_size=30).map("".join), max_size=5))
    def check(texts):
        same(reader, fast, opinions_of(texts))

    check()


def test_clauses_that_hide_nothing_have_the_plain_features(reader, fast, pieces):
    vocabulary = reader.model.vocabulary
    number_of = np.argsort(by_frequency(reader.model))
    listed = load_disguises()

    @settings(max_examples=400, deadline=None)
    @given(st.lists(st.one_of(st.sampled_from(pieces), ANY), max_size=25).map("".join))
    def check(text):
        clean = mask(normalise(text))
        spans = split_clauses(clean)
        starts, ends = (np.array([span[side] for span in spans], dtype=np.int64) for side in (0, 1))
        counted = count_clauses(coded([clean]).codes, starts, ends, *fast.tables.terms)
        for i, span in enumerate(spans):
            text = clean[span.start : span.end]
            said = text.replace(NAME, "")
            if counted.hidden[i] & WORDS or (
                counted.hidden[i] and shown(said, reader.segmenter, listed) != said
            ):
                continue
            plain = clause_features(text, reader.segmenter)
            wanted = sorted(number_of[vocabulary[feature]] for feature in plain if feature in vocabulary)
            assert sorted(counted.features[counted.begins[i] : counted.ends[i]].tolist()) == wanted

    check()


def test_most_clauses_hide_nothing_for_sure(reader, fast):
    """What may hide something costs the plain path's time."""
    texts = [
        mask(normalise(record["text"])) for record in records(SHIPPED / "data/evaluation/letters-KA.jsonl")
    ]
    joined = coded(texts)
    spans = [
        (span.start + at, span.end + at)
        for text, at in zip(texts, joined.borders, strict=False)
        for span in split_clauses(text)
    ]
    starts, ends = np.array(spans, dtype=np.int64).T
    assert count_clauses(joined.codes, starts, ends, *fast.tables.terms).hidden.astype(bool).mean() < 0.02


def test_words_are_cut_as_by_the_segmenter(reader, fast, pieces):
    words = fast.tables.terms.words

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.one_of(st.sampled_from(pieces), UNICODE), max_size=25).map("".join))
    def check(text):
        cut = room(len(text) + 2)
        between = coded([chr(BEGIN) + text + chr(END)]).codes
        read_words(between, len(between), words, cut)
        count = tokens(between, 1, len(text) + 1, words, cut)
        starts = cut.starts[: count + 1].tolist()
        found = [text[start:end] for start, end in itertools.pairwise(starts)]
        assert found == reader.segmenter.tokens(text)

    check()


def test_probabilities_alone_are_the_same(reader, fast):
    opinions = opinions_of(
        [record["text"] for record in records(SHIPPED / "data/evaluation/letters-KB.jsonl")]
    )
    opinions += opinions_of(["无", "", "好"])
    np.testing.assert_allclose(
        fast.probabilities(opinions), reader.probabilities(opinions), atol=1e-6, rtol=0
    )


@settings(deadline=None)
@given(st.lists(st.text(ANY, min_size=1, max_size=6), min_size=1, max_size=40))
def test_a_trie_finds_what_it_was_made_of_and_nothing_else(strings):
    trie, ends = trie_of(strings, range(1, len(strings) + 1))
    known = {string: number for number, string in enumerate(strings, start=1)}
    beginnings = {string[:size] for string in strings for size in range(1, len(string) + 1)}

    def node_of(string):
        node: Int = ROOT
        for character in string:
            node = child(trie, node, ord(character))
            if node == ROOT:
                return None
        return node

    assert [node_of(string) for string in strings] == ends.tolist()
    for string in beginnings:
        value = int(trie.table[node_of(string), 1])
        assert value == known.get(string, 0)
    for string in strings:
        assert (node_of(string + "某") is not None) == (string + "某" in beginnings)
    for string in beginnings:
        rank = rank_of(trie, ord(string[-1]))
        assert len(string) == 1 or may_go_on(trie.table[node_of(string[:-1]), 0], rank)
        assert len(string) != 2 or may_begin(trie, rank_of(trie, ord(string[0])), rank)


def test_a_node_is_given_another_value():
    trie, ends = trie_of(["红", "红包"], [1, 2])
    put(trie, ends[:1], [7])
    assert child(trie, ends[0], ord("包")) == ends[1]
    assert int(trie.table[ends[0], 1]) == 7


def test_a_trie_takes_long_strings_and_says_when_they_are_too_many(monkeypatch):
    trie, ends = trie_of(["红" * 1000, "红" * 999 + "包"], [1, 2])
    assert [int(trie.table[end, 1]) for end in ends] == [1, 2]
    monkeypatch.setattr("pipeline.compiled.trie._ROW", 3)
    with pytest.raises(OverflowError, match="2 strings"):
        trie_of(["红包", "礼物"])


def test_words_that_no_text_can_hold_as_one_are_not_looked_for():
    """The walk to the likeliest words does not look whether a word goes beyond what words are looked for in."""
    words = ["红包", "γ射线", "红·包", "红\U00020000包", "红包😀", "A4纸"]
    assert met(words).tolist() == [True, False, False, True, False, True]
