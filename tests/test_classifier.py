"""The model and its readings: exact evidence, valid offsets, refusal of what does not fit."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.classifier.decisions import (
    LOUDEST,
    Probabilities,
    calibration_terms,
    certainty,
    decide,
    gate_terms,
)
from pipeline.classifier.features import clause_features, count_matrix
from pipeline.classifier.files import active_version, load_model, save_model
from pipeline.classifier.model import in_steps, steps_of, weighted
from pipeline.classifier.passages import evidence_span, joined, most_telling, passages
from pipeline.errors import ModelError
from pipeline.lexicon import Lexicon
from pipeline.records import Opinion
from pipeline.text.clauses import Clause, split_clauses
from pipeline.workspace import SHIPPED


def opinions(*texts, department=""):
    return [Opinion(id=str(i), text=text, department=department) for i, text in enumerate(texts)]


def test_a_clause_tells_what_it_begins_and_ends_with(reader):
    features = clause_features("没人管", reader.segmenter)
    assert {"\x02没", "\x02没人", "管\x03", "人管\x03"} <= set(features)
    assert not {"没\x03", "\x02管", "\x02", "\x03"} & set(features)
    assert [feature for feature in clause_features("好", reader.segmenter) if "\x02" in feature] == ["\x02好"]


def test_readings_say_what_was_said(reader):
    praise, issue, stalling, mixed, empty = reader.read(
        opinions(
            "质检站的同志来抽样从不多拿一瓶，饭钱自己付，清正廉洁。",
            "质检站来抽样，临走后备箱装满了两箱酒，一分钱没给。",
            "一个章跑了八趟，窗口说领导不在，材料退回来三次，拖了半年还没办。",
            "人事处办事公道热情，物资公司却搭售积压原料，不买就不给指标。",
            "没有意见。",
        )
    )
    assert "praise" in praise.labels
    assert "product_solicitation" in issue.labels
    assert "stalling" in stalling.labels
    assert {(f.department, f.label) for f in mixed.findings} >= {
        ("人事教育处", "praise"),
        ("轻工物资公司", "preferential_supply"),
    }
    assert ("轻工物资公司", "praise") not in {(f.department, f.label) for f in mixed.findings}
    assert (empty.valid, empty.labels, empty.departments, empty.needs_review) == (False, (), (), False)


def test_evidence_is_the_clause_that_spoke(reader):
    text = "今天天气不错，我们去了一趟。质检站临走后备箱装满两箱罐头，说是样品。"
    finding = next(f for f in reader.read(opinions(text))[0].findings if f.label == "product_solicitation")
    assert "后备箱装满两箱罐头" in text[finding.start : finding.end]
    assert "天气" not in text[finding.start : finding.end]


TEXTS = st.lists(
    st.lists(
        st.sampled_from(
            "供应处 质检站 物资公司 拿走两箱酒 办事热情 拖了半年 ， 。 ； \n 红包 不公开 电话13912345678， 檢驗".split(
                " "
            )
        ),
        max_size=14,
    ).map("".join),
    min_size=1,
    max_size=5,
)


@given(texts=TEXTS)
@settings(max_examples=80, deadline=None)
def test_findings_hold_what_they_promise(reader, texts):
    together = reader.read(opinions(*texts, department="糖业公司"))
    alone = [reader.read([opinion])[0] for opinion in opinions(*texts, department="糖业公司")]
    for one, other in zip(together, alone, strict=True):
        assert (one.text, one.findings) == (other.text, other.findings), "a neighbour changed a reading"
        assert "13912345678" not in one.text
        for finding in one.findings:
            assert 0 <= finding.start < finding.end <= len(one.text)
            assert finding.label in reader.taxonomy.codes
            assert finding.department in one.departments
            assert 0.0 <= finding.probability <= 1.0


def test_contributions_add_up_to_the_margins(reader):
    texts = ["供应处办事快，物资公司却要我们按优惠价供货。跑了八趟，八趟都没办成。", "好"]
    clauses = [split_clauses(text) for text in texts]
    counts, owner = count_matrix(texts, clauses, reader.model.vocabulary, reader.segmenter)
    total = joined(counts, [np.flatnonzero(owner == number).tolist() for number in range(len(texts))])
    rows = weighted(total, reader.model.idf)
    parts = reader.model.contributions(counts, owner, total, rows)
    added = np.tile(reader.model.bias, (2, 1))
    np.add.at(added, owner, parts)
    np.testing.assert_allclose(added, reader.model.margins(rows), atol=1e-9)


def test_joined_adds_the_counts_of_a_groups_clauses():
    counts = sp.csr_array(np.array([[1, 0, 2], [0, 3, 0], [4, 0, 0]], dtype=np.float32))
    assert joined(counts, [[0, 2], [], [1]]).toarray().tolist() == [[5, 0, 2], [0, 0, 0], [0, 3, 0]]


def test_passages_run_on_until_they_are_long_enough():
    lengths = [10, 25, 31, 8, 8]
    found, owner = passages(lengths, [range(5), [3, 4], [], [1, 3, 4]])
    assert [list(run) for run in found] == [[0, 1], [1, 2], [2], [3, 4], [1, 3]]
    assert owner.tolist() == [0, 0, 0, 1, 3]


def test_the_most_telling_passage_is_taken_label_by_label():
    margins = np.array([[1.0, -2.0], [0.5, 3.0], [-4.0, -5.0]])
    whole = np.array([[0.0, 0.0], [9.0, 9.0], [-1.0, -1.0]])
    best = most_telling(margins, np.array([0, 0, 2]), whole)
    assert best.tolist() == [[1.0, 3.0], [9.0, 9.0], [-4.0, -5.0]]


def test_one_sentence_in_a_long_letter_is_heard(reader):
    filler = (
        "我们镇在河边，去年修了新桥，孩子上学近了不少。今年雨水多，稻子长得不错，大家都盼着秋后有个好收成。"
        * 6
    )
    letter = filler + "质检站每次来抽样都多拿我们厂四箱罐头，说是样品，一分钱没给过。" + filler
    spans = split_clauses(letter)
    counts, _ = count_matrix([letter], [spans], reader.model.vocabulary, reader.segmenter)
    groups = [range(len(spans))]
    inside, owner = passages([span.end - span.start for span in spans], groups)
    whole = reader.model.margins(weighted(joined(counts, groups), reader.model.idf))
    telling = reader.model.margins(weighted(joined(counts, inside), reader.model.idf))
    label = reader.taxonomy.codes.index("product_solicitation")
    loudest = inside[int(np.argmax(telling[:, label]))]
    assert "四箱罐头" in letter[spans[loudest[0]].start : spans[loudest[-1]].end]
    assert most_telling(telling, owner, whole)[0, label] > whole[0, label] + 2


def test_evidence_span_is_the_best_run_within_a_sentence():
    clauses = [Clause(i * 10, i * 10 + 9, i // 3) for i in range(6)]
    scores = np.array([1.0, 2.0, -1.0, 2.5, 0.2, -3.0])
    assert evidence_span(clauses, [0, 1, 2], scores) == (0, 19)
    assert evidence_span(clauses, [0, 1, 2, 3, 4, 5], scores) == (0, 19)
    assert evidence_span(clauses, [0, 2, 3, 4], scores) == (30, 49)
    assert evidence_span(clauses, [2, 5], scores) == (20, 29)


def test_negated_classes_are_features_of_their_own(reader):
    features = set(clause_features("没有收过红包", reader.segmenter))
    assert {"c:negation", "c:gift", "n:gift"} <= features
    assert "n:gift" not in set(clause_features("收过红包", reader.segmenter))


def test_numbers_are_read_by_pattern(reader):
    lexicon = Lexicon(classes={}, patterns={"跑了#趟": "trips", "#趟": "some_trips", "退了#次": "returns"})
    assert list(lexicon.counted("跑了十七趟，退了3次")) == ["trips", "returns"]
    assert list(lexicon.counted("跑了许多趟")) == []
    assert list(lexicon.counted("第二趟")) == ["some_trips"]
    assert "c:counting_trips" in clause_features("一个章跑了12趟", reader.segmenter)
    assert "c:counting_trips" not in clause_features("一个章盖了12天", reader.segmenter)


def test_the_gate_and_the_bounds_decide_by_hand():
    # two labels, the first an issue; thresholds 0.5, gate 0.6, certain from 0.8
    found = Probabilities(
        labels=np.array([[0.9, 0.1], [0.9, 0.9], [0.7, 0.45], [0.45, 0.2], [0.2, 0.7]]),
        accuses=np.array([0.95, 0.3, 0.7, 0.9, 0.1]),
    )
    issues = np.array([0])
    given, unsure = decide(found, np.array([0.5, 0.5]), np.array([0.6, 0.8]), issues)
    assert given.tolist() == [[True, False], [False, True], [True, False], [False, False], [False, True]]
    # sure; withheld by the gate; given but unsure, beside a near miss; near miss; praise below the bound
    assert unsure.tolist() == [[False, False], [True, False], [True, True], [True, False], [False, True]]
    assert certainty(found, issues)[1].tolist() == [0.3, 0.9]


def test_beside_a_certain_accusation_praise_must_be_certain_by_hand():
    found = Probabilities(
        labels=np.array([[0.9, 0.7], [0.9, 0.85], [0.7, 0.7]]), accuses=np.array([0.9, 0.9, 0.9])
    )
    decided = decide(found, np.array([0.5, 0.5]), np.array([0.6, 0.8]), np.array([0]))
    assert decided.given.tolist() == [[True, False], [True, True], [True, True]]
    assert decided.unsure.tolist() == [[False, True], [False, False], [True, True]]


def test_what_the_gate_weighs_by_hand():
    # four labels, 1 is no issue
    labels = np.array([[0.5, 0.9, 0.2, 0.5]])
    terms = calibration_terms(np.array([[1.0]]), np.array([[2.0]]), np.array([54]))[:, :, 0]
    weighed = gate_terms(labels, terms, np.array([0, 2, 3]))
    assert weighed.shape == (1, LOUDEST + 1 + 1 + 5)
    # the issues' odds in order, 1 - 0.5 * 0.8 * 0.5 = 0.8 that there is any, the praise, and the terms of "any issue"
    assert np.exp(weighed[0, :5]) == pytest.approx([1.0, 1.0, 0.25, 4.0, 9.0])
    assert weighed[0, 5:7].tolist() == [1.0, 2.0]


def test_probabilities_of_all_labels_agree_with_the_findings(reader):
    asked = opinions("质检站来抽样，临走后备箱装满了两箱酒，一分钱没给。", "没有意见。")
    probabilities = reader.probabilities(asked)
    assert probabilities.shape == (2, len(reader.taxonomy.codes))
    assert not probabilities[1].any(), "not valid"
    for finding in reader.read(asked)[0].findings:
        column = reader.taxonomy.codes.index(finding.label)
        assert finding.probability == pytest.approx(probabilities[0, column], abs=1e-4)


@pytest.fixture
def models(tmp_path):
    shutil.copytree(SHIPPED / "models", tmp_path / "models")
    return tmp_path / "models"


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6, width=32, allow_subnormal=False)] * 3), max_size=9))
def test_weights_are_kept_in_steps_that_sixteen_bits_hold(rows):
    weights = np.array(rows).reshape(-1, 3)
    kept, steps = in_steps(weights), steps_of(weights)
    assert (np.frexp(steps)[0] == 0.5).all(), "powers of two"
    assert (np.abs(kept / steps) <= 32_767).all()
    assert (np.abs(kept - weights) <= steps / 2).all(), "the nearest"
    most = np.abs(weights).max(axis=0, initial=0.0)
    assert (steps[most > 0] <= most[most > 0] / 16_383).all(), "no coarser than they must be"
    assert np.array_equal(in_steps(kept), kept)
    assert np.array_equal(kept.astype(np.float32), kept), "a file keeps them as they are"


def test_weights_between_steps_are_refused(tmp_path, reader, workspace):
    model = reader.model
    assert np.array_equal(in_steps(model.weights), model.weights)
    between = model.weights.copy()
    between[7, 3] += steps_of(between)[3] / 2
    save_model(dataclasses.replace(model, weights=between), tmp_path / model.version)
    with pytest.raises(ModelError, match="数组形状不对"):
        load_model(tmp_path, workspace.taxonomy, workspace.lexicon, model.version)


def test_a_changed_file_is_refused(models, workspace):
    weights = models / active_version(models) / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match=r"weights.npz 与登记的摘要不符"):
        load_model(models, workspace.taxonomy, workspace.lexicon)


def test_another_lexicon_taxonomy_or_pointer_is_refused(models, workspace):
    with pytest.raises(ModelError, match="按另一份领域词表训练"):
        load_model(models, workspace.taxonomy, Lexicon(classes={"红包": "gift"}))
    other = workspace.taxonomy.model_copy(update={"version": "2.0"})
    with pytest.raises(ModelError, match="按另一份问题类型表训练"):
        load_model(models, type(other)(**other.model_dump()), workspace.lexicon)
    (models / "active").write_text("../elsewhere\n")
    with pytest.raises(ModelError, match="不是模型版本名"):
        load_model(models, workspace.taxonomy, workspace.lexicon)
    (models / "active").unlink()
    with pytest.raises(ModelError, match="没有可用的模型"):
        load_model(models, workspace.taxonomy, workspace.lexicon)


def test_the_card_says_what_the_model_was_made_from(workspace):
    version = active_version(SHIPPED / "models")
    card = json.loads((SHIPPED / "models" / version / "card.json").read_text(encoding="utf-8"))
    assert card["version"] == version
    assert card["taxonomy"] == workspace.taxonomy.digest
    assert card["lexicon"] == workspace.lexicon.digest
