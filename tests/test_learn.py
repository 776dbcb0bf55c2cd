"""Corpus, training and evaluation: refused lines, figures checked by hand, the shipped model rebuilt bit for bit."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import binomtest

from benchmarks.quality import joined
from pipeline.classifier.decisions import Probabilities, decide
from pipeline.classifier.files import active_version
from pipeline.errors import InputError, OutputError, ResourceError
from pipeline.learn.calibrate import NEVER, best_threshold, certainty_bound, choose
from pipeline.learn.check import HARD_NEGATIVES, IRONY, check_corpus
from pipeline.learn.corpus import Labelled, corpus_files, load_labelled
from pipeline.learn.evaluate import evaluate
from pipeline.learn.linear import fit, log_count_ratio, themes_of
from pipeline.learn.metrics import (
    NOTHING,
    calibration_error,
    confusion,
    decision_metrics,
    f1,
    log_loss_drop,
    reliability,
)
from pipeline.learn.prepare import prepare
from pipeline.learn.registry import build
from pipeline.learn.train import folds_of, train_model
from pipeline.records import Opinion
from pipeline.workspace import SHIPPED
from tests.conftest import SHARED

ACCUSATION = "张科长收了两万"


def line(**changes):
    record = {"id": "1", "text": ACCUSATION, "labels": ["stalling"], "pairs": [["盐业公司", "stalling"]]}
    return json.dumps({**record, **changes}, ensure_ascii=False)


def load(workspace, path):
    return load_labelled([path], workspace.taxonomy, workspace.directory)


@pytest.fixture(scope="module")
def corpus(workspace):
    return load_labelled(corpus_files(workspace.corpus), workspace.taxonomy, workspace.directory)


@pytest.fixture(scope="module")
def checked(corpus, workspace):
    return check_corpus(corpus, workspace.taxonomy)


def test_no_text_in_the_repr_of_a_labelled_opinion():
    item = Labelled(opinion=Opinion(id="1", text=ACCUSATION), labels=(), pairs=None, note=ACCUSATION)
    assert ACCUSATION not in repr(item)


def test_the_shipped_corpus_is_what_it_should_be(corpus, checked, workspace):
    found = checked
    assert found.opinions >= 8000
    assert len(found.repeats) / found.opinions < 0.01
    assert min(found.labels[code] for code in workspace.taxonomy.issues) >= 400
    assert found.labels["praise"] >= 1200
    assert found.labels["suggestion"] >= 800
    assert sum(found.marks[mark] for mark in HARD_NEGATIVES) >= 1500
    assert found.marks[IRONY] >= 600
    assert found.several / found.opinions >= 0.2
    assert found.lengths[0] <= 3
    assert found.lengths[2] >= 500
    ids = {item.opinion.id for item in corpus}
    assert len(ids) == len(corpus)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sets are not beside this checkout")
def test_the_corpus_is_as_varied_as_what_others_wrote(checked, workspace):
    authored = load(workspace, SHARED / "authored/dev.jsonl")
    real = joined(SHARED / "real/messages.csv", SHARED / "real/dev_labels.csv", workspace.taxonomy)
    for others in (authored, real):
        assert checked.diversity >= check_corpus(others, workspace.taxonomy).diversity - 0.02


def test_repeats_and_marks_are_found(workspace):
    text = "质检站来抽样，临走后备箱装满了两箱酒，一分钱没给，还说下次再来。"
    items = [
        Labelled(
            opinion=Opinion(id=str(i), text=t),
            labels=labels,
            pairs=frozenset({(department, label) for label in labels}),
            note=note,
        )
        for i, (t, labels, department, note) in enumerate(
            [
                (text, ("product_solicitation",), "未指明", "反语；第三方"),
                (text.replace("两箱", "三箱"), ("product_solicitation", "stalling"), "盐业公司", "第三方"),
                ("楼上装修太吵。", (), "未指明", "第三方：邻居"),
            ]
        )
    ]
    found = check_corpus(items, workspace.taxonomy)
    assert found.repeats == (("1", "0"),)
    assert (found.opinions, found.unlabelled, found.several, found.named) == (3, 1, 1, 1)
    assert found.labels["product_solicitation"] == 2
    assert found.marks[IRONY] == 1
    assert found.marks["第三方"] == 1, "a mark counts only where no issue is told"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (line(labels=["stall"]), "未知的标签代码“stall”，最接近的是“stalling”。"),
        (line(pairs=[["城管局", "stalling"]]), "pairs 中有 1 个部门不在目录里"),
        (line(pairs=[["盐业公司", "praise"]]), "pairs 中有 labels 没有的标签"),
        (line(text=" "), "text 为空"),
        (ACCUSATION, "不是完整的标注记录（需要 text、labels）。"),
        (f'{{"text": "{ACCUSATION}"}}', "不是完整的标注记录（需要 text、labels）。"),
    ],
)
def test_a_wrong_line_is_refused_by_place_and_not_quoted(workspace, write, content, message):
    path = write("a.jsonl", line(id="0") + "\n" + content + "\n")
    with pytest.raises(ResourceError) as refused:
        load(workspace, path)
    assert str(refused.value).startswith("标注文件 a.jsonl 第 2 行")
    assert str(refused.value).endswith(message)
    assert ACCUSATION not in str(refused.value)


def test_repeated_ids_and_missing_labels_are_refused(workspace, write):
    with pytest.raises(ResourceError, match="编号“1”出现两次"):
        load(workspace, write("a.jsonl", line() + "\n" + line()))
    with pytest.raises(InputError, match="没有标签列"):
        load(workspace, write("a.csv", "意见内容\n好\n"))
    with pytest.raises(InputError, match=r"标注文件 b.csv 第 3 行：意见内容超过 20000 字"):
        load(workspace, write("b.csv", f"意见内容,标签\n好,praise\n{'长' * 20001},praise\n"))
    with pytest.raises(
        ResourceError, match=r"标注文件 c.csv 中编号“c:3”一行：未知的标签，不像任何一个标签代码或名称"
    ):
        load(workspace, write("c.csv", "意见内容,标签\n好,praise\n差,good\n"))
    with pytest.raises(InputError, match="没有一件意见"):
        load(workspace, write("d.jsonl", ""))
    with pytest.raises(ResourceError, match="没有标注语料"):
        corpus_files(write("empty/x.txt", "").parent)


def test_labelled_tables_are_read(workspace, write):
    rows = load(
        workspace, write("a.csv", "编号,意见内容,标签\nx,又拖又贵,arbitrary_charges；stalling\ny,好,praise\n")
    )
    assert [(item.opinion.id, item.labels, item.pairs) for item in rows] == [
        ("x", ("arbitrary_charges", "stalling"), None),
        ("y", ("praise",), None),
    ]
    rows = load(workspace, write("b.csv", "意见内容,问题类型\n好,表扬肯定\n,\n合计,\n", "gb18030"))
    assert [(item.opinion.id, item.labels) for item in rows] == [("b:2", ("praise",)), ("b:4", ())]
    rows = load(workspace, write("c.jsonl", '{"text": "好", "labels": ["praise"]}'))
    assert rows[0].opinion.id == "c:1"


def test_metrics_by_hand(workspace):
    codes = workspace.taxonomy.codes
    truth = np.zeros((4, len(codes)), dtype=bool)
    given = truth.copy()
    stalling, opacity, praise = (codes.index(code) for code in ("stalling", "opacity", "praise"))
    truth[0, stalling] = given[0, stalling] = True  # right
    truth[1, [stalling, opacity]] = True  # both missed
    truth[2, praise] = given[2, [praise]] = True
    given[2, opacity] = True  # a false accusation of somebody praised
    figures = decision_metrics(truth, given, workspace.taxonomy)
    assert (figures["micro_precision"], figures["micro_recall"]) == (round(2 / 3, 4), 0.5)
    assert figures["micro_f1"] == round(4 / 7, 4)
    assert figures["macro_f1"] == round((2 / 3 + 0 + 1) / 3, 4)
    assert figures["macro_labels"] == 3
    assert figures["exact_match"] == 0.5
    assert figures["false_accusation_rate"] == 0.5
    assert figures["labels"]["stalling"] == {"precision": 1.0, "recall": 0.5, "f1": 0.6667, "support": 2}
    assert f1(0, 0, 0) == 0.0


def test_threshold_by_hand():
    probabilities = np.array([0.1, 0.9, 0.8, 0.2])
    # expected hits 0.9, 1.7, 1.9, 2.0 of 2.0; F1 1.8/3, 3.4/4 (best), 3.8/5, 4/6
    assert best_threshold(probabilities, beta=1.0) == pytest.approx(0.5)
    # F-0.1 looks at precision almost alone: 0.9 of one is more than 1.7 of two
    assert best_threshold(probabilities, beta=0.1) == pytest.approx(0.85)
    assert best_threshold(np.array([0.01, 0.02]), beta=1.0) == 0.05
    assert best_threshold(np.array([]), beta=1.0) == NEVER


def test_certainty_bound_by_hand():
    certainties = np.array([0.5, 0.9, 0.8, 0.7])
    assert certainty_bound(certainties, np.array([False, True, True, True])) == pytest.approx(0.7)
    # three of four right is less than 95 %
    assert certainty_bound(certainties, np.array([True, True, False, True])) == pytest.approx(0.9)
    assert certainty_bound(certainties, np.zeros(4, dtype=bool)) == NEVER


def test_bounds_keep_false_accusations_rare():
    rng = np.random.default_rng(0)
    truth = np.column_stack([rng.random(4000) < 0.5, rng.random(4000) < 0.2])
    noisy = np.clip(np.where(truth, 0.7, 0.3) + rng.normal(0, 0.2, truth.shape), 0.01, 0.99)
    found = Probabilities(labels=noisy, accuses=np.clip(noisy[:, 0] + rng.normal(0, 0.05, 4000), 0.01, 0.99))
    issues = np.array([0])
    everything = np.ones(4000, dtype=bool)
    threshold, bounds = choose(found, truth, issues, everything, ~everything)
    given = decide(found, threshold, bounds, issues).given
    innocent = ~truth[:, 0]
    assert 0.03 < given[innocent, 0].mean() <= 0.05
    free = decide(found, threshold, np.array([0.0, bounds[1]]), issues).given
    assert free[innocent, 0].mean() > 0.08, "it is the gate that keeps them rare"
    sure = decide(found, threshold, bounds, issues)
    assert truth[sure.given & ~sure.unsure].mean() >= 0.95


@pytest.mark.parametrize(("theirs", "allowed"), [(200, 0.10), (2000, 0.065)])
def test_the_promise_is_kept_on_the_users_own_opinions_alone_too(theirs, allowed):
    """Some of 4,000 opinions are the user's own, and the model takes their innocents for accusing far more often.

    More than 5 % is let pass as far as that many innocents cannot tell it from 5 %.
    """
    rng = np.random.default_rng(0)
    truth = rng.random((4000, 1)) < 0.5
    own = np.arange(4000) < theirs
    said = np.where(truth[:, 0], 0.8, np.where(own, 0.6, 0.2)) + rng.normal(0, 0.1, 4000)
    found = Probabilities(labels=np.clip(said, 0.01, 0.99)[:, np.newaxis], accuses=np.clip(said, 0.01, 0.99))
    everything, issues = np.ones(4000, dtype=bool), np.array([0])
    innocent = own & ~truth[:, 0]
    given = decide(found, *choose(found, truth, issues, everything, own), issues).given[innocent, 0]
    assert 0.03 < given.mean() <= allowed
    assert binomtest(int(given.sum()), len(given), 0.05, alternative="greater").pvalue > 0.05
    few = innocent & (np.cumsum(innocent) < 20)  # too few to tell anything
    given = decide(found, *choose(found, truth, issues, everything, few), issues).given[innocent, 0]
    assert given.mean() > 0.08


def test_what_nobody_decided_moves_no_bound():
    """Half of the opinions wait to be decided after a split: whatever they are taken for, the rest is judged as without them."""
    rng = np.random.default_rng(0)
    truth = rng.random((2000, 1)) < 0.5
    said = np.clip(np.where(truth[:, 0], 0.8, 0.3) + rng.normal(0, 0.2, 2000), 0.01, 0.99)
    nobody, issues = np.zeros(2000, dtype=bool), np.array([0])
    known = np.arange(2000) < 1000
    some = Probabilities(labels=said[known, np.newaxis], accuses=said[known])
    alone = choose(some, truth[known], issues, known[known], nobody[known])
    for waiting in (0.01, 0.99):
        said[~known] = waiting
        found = Probabilities(labels=said[:, np.newaxis], accuses=said)
        for got, wanted in zip(choose(found, truth, issues, known, nobody), alone, strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_log_loss_drop_by_hand():
    truth = np.array([[1, 0], [0, 0]], dtype=bool)
    before = np.array([[0.5, 0.5], [0.2, 0.0]])
    after = np.array([[1.0, 0.5], [0.2, 0.0]])
    drop, error = log_loss_drop(truth, before, after)
    assert drop == pytest.approx(np.log(2) / 2, abs=1e-4)
    assert error == pytest.approx(np.log(2) / 2, abs=1e-4)  # of two values, half their distance
    assert log_loss_drop(truth, after, before)[0] == -drop


def test_calibration_error_and_curve_by_hand():
    truth = np.array([[True, False], [False, False]])
    said = np.array([[0.9, 0.1], [0.9, 0.1]])
    # at 0.9 half are right (off by 0.4), at 0.1 none (off by 0.1)
    assert calibration_error(truth, said) == pytest.approx(0.25)
    assert reliability(truth, said) == [
        {"n": 2, "probability": 0.1, "share": 0.0},
        {"n": 2, "probability": 0.9, "share": 0.5},
    ]
    assert calibration_error(np.zeros((0, 2), dtype=bool), np.zeros((0, 2))) == 0.0


def test_confusion_by_hand(workspace):
    codes = workspace.taxonomy.codes
    truth = np.zeros((3, len(codes)), dtype=bool)
    given = truth.copy()
    stalling, cold, praise = (codes.index(code) for code in ("stalling", "cold_treatment", "praise"))
    truth[0, stalling] = given[0, cold] = True
    truth[1, stalling] = True
    given[2, praise] = True
    assert confusion(truth, given, workspace.taxonomy) == {
        "stalling": {"cold_treatment": 1, NOTHING: 1},
        NOTHING: {"praise": 1},
    }


def test_a_fit_separates():
    rows = sp.csr_array(np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]))
    truth = np.array([True, True, False, False])
    weights, bias = fit(rows, truth)
    assert ((rows @ weights + bias > 0) == truth).all()


def test_themes_give_words_weight_by_their_company():
    """Columns: two labelled words, and a third that only the unlabelled rows hold, always beside the first."""
    archive = sp.csr_array(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]] * 20))
    rows = sp.csr_array(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] * 3))
    truth = np.array([True, False] * 3)
    alone, _ = fit(rows, truth, shares=(1.0, 0.0))
    helped, _ = fit(rows, truth, shares=(1.0, 0.0), themes=themes_of(archive))
    assert alone[2] == 0
    assert helped[2] > 0.1


def test_log_count_ratio_by_hand():
    rows = sp.csr_matrix(np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))
    # with the label: counts 1 + (2, 1); without: 1 + (0, 1)
    expected = np.log(np.array([3 / 5, 2 / 5])) - np.log(np.array([1 / 3, 2 / 3]))
    np.testing.assert_allclose(log_count_ratio(rows, np.array([True, True, False])), expected)


def test_the_rarest_features_go_where_they_are_too_many(workspace, monkeypatch):
    items = [
        Labelled(opinion=Opinion(id=str(i), text="糖" + "纸" * (i < 4)), labels=(), pairs=None)
        for i in range(9)
    ]
    everything = prepare(items, workspace.taxonomy, workspace.lexicon).vocabulary
    assert {"糖", "\x02糖", "糖\x03", "糖纸", "纸"} <= set(everything)
    monkeypatch.setattr("pipeline.learn.prepare.MOST_FEATURES", len(everything) - 1)
    fewer = prepare(items, workspace.taxonomy, workspace.lexicon).vocabulary
    assert {"糖", "\x02糖", "糖\x03"} <= set(fewer)
    assert not any("纸" in feature for feature in fewer), "all of them are in the same four opinions"


def test_near_repeats_share_a_group(workspace):
    text = "质检站来抽样，临走后备箱装满了两箱酒，一分钱没给，还说下次再来。"
    items = [
        Labelled(opinion=Opinion(id=str(i), text=t), labels=(), pairs=None)
        for i, t in enumerate([text, "供应处办事热情，不收礼。", text.replace("两箱", "三箱")])
    ]
    groups = prepare(items, workspace.taxonomy, workspace.lexicon).groups
    assert groups[0] == groups[2] != groups[1]


def test_with_many_sources_a_source_is_never_split(workspace):
    items = [
        Labelled(
            opinion=Opinion(id=str(i), text=chr(0x4E00 + 7 * i) * 9),  # no two alike
            labels=(),
            pairs=None,
            source=f"writer-{i % 12}",
        )
        for i in range(36)
    ]
    groups = prepare(items, workspace.taxonomy, workspace.lexicon).groups
    assert all(groups[i] == groups[i + 12] == groups[i + 24] for i in range(12))
    assert len(set(groups[:12])) > 1


def test_where_nobody_is_accused_or_everybody_nothing_can_be_learnt(workspace):
    items = [Labelled(opinion=Opinion(id="1", text="好"), labels=("praise",), pairs=None)]
    with pytest.raises(ResourceError, match="标注里有问题标签的意见太少，至少要 4 条才能训练。"):
        train_model(items, workspace.taxonomy, workspace.lexicon, about={})


def test_where_no_two_opinions_share_a_word_nothing_can_be_learnt(workspace):
    words = [chr(0x4E00 + 2 * i) + chr(0x4E01 + 2 * i) for i in range(12)]
    items = [
        Labelled(opinion=Opinion(id=word, text=word), labels=("stalling",) if i % 2 else (), pairs=None)
        for i, word in enumerate(words)
    ]
    with pytest.raises(ResourceError, match="标注里没有一个字词出现在 3 件以上的意见里"):
        train_model(items, workspace.taxonomy, workspace.lexicon, about={})


def test_the_shipped_model_is_rebuilt_bit_for_bit(workspace, tmp_path, monkeypatch):
    """By two processes, as on most machines; the other tests learn with one."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    model = build(workspace, tmp_path)
    version = active_version(SHIPPED / "models")
    assert active_version(tmp_path) == model.version == version
    for path in sorted((SHIPPED / "models" / version).iterdir()):
        assert (tmp_path / version / path.name).read_bytes() == path.read_bytes(), path.name
    left = {path.name for path in tmp_path.iterdir()} - {".lock"}
    assert left == {"active", "history.jsonl", version}


def test_a_models_folder_that_cannot_be_made_is_refused_at_once(workspace, write):
    blocked = write("file", "") / "models"
    with pytest.raises(OutputError, match="不能建立模型文件夹"):
        build(workspace, blocked)


def test_evaluation_tells_all_figures(reader, workspace, corpus):
    items = [item for item in corpus if item.pairs][:60]
    figures = evaluate(reader, items)
    assert figures["opinions"] == 60
    for name in (*CHIEF, "micro_precision", "micro_recall", "unreviewed_share", "unreviewed_precision"):
        low, high = figures["intervals"][name]
        assert 0 <= low <= figures[name] <= high <= 1, name
    assert set(figures["intervals"]["label_f1"]) == set(workspace.taxonomy.codes)
    assert set(figures["reliability"]) == {"all", *workspace.taxonomy.codes}
    assert sum(step["n"] for step in figures["reliability"]["all"]) == 60 * len(workspace.taxonomy.codes)
    ids = {item.opinion.id for item in items}
    assert all(error["id"] in ids and error["error"] in {"false", "missed"} for error in figures["worst"])
    said = json.dumps(figures, ensure_ascii=False)
    assert not [item for item in items if len(item.opinion.text) > 8 and item.opinion.text in said]


def test_suggestions_are_paired_with_no_department(reader):
    item = Labelled(
        opinion=Opinion(id="1", text="建议供应处把分配方案张榜公布，定期轮岗。"),
        labels=("suggestion",),
        pairs=frozenset(),
    )
    figures = evaluate(reader, [item])
    assert figures["micro_f1"] == 1.0
    assert figures["labels"]["suggestion"]["support"] == 1
    assert figures["pair_f1"] == 0.0, "nothing wanted, nothing given: no pair counts as wrong"
    assert figures["intervals"]["pair_f1"] == [0.0, 0.0]


CHIEF = ("micro_f1", "macro_f1", "pair_f1", "false_accusation_rate", "calibration_error")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared evaluation sets are not beside this checkout")
def test_quality_on_opinions_the_model_has_not_seen_is_as_the_readme_says(reader, workspace):
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    authored = evaluate(reader, load(workspace, SHARED / "authored/dev.jsonl"))
    real = evaluate(
        reader,
        joined(SHARED / "real/messages.csv", SHARED / "real/dev_labels.csv", workspace.taxonomy),
    )
    assert (authored["opinions"], real["opinions"]) == (240, 200)
    for figures in (authored, real):
        for name in CHIEF:
            if figures[name] is not None:
                low, high = figures["intervals"][name]
                assert f"{figures[name]:.3f}（{low:.3f}–{high:.3f}）" in readme, name
        assert f"{figures['micro_precision']:.3f} / {figures['micro_recall']:.3f}" in readme
    assert authored["micro_f1"] >= 0.80
    assert authored["macro_f1"] >= 0.78
    assert authored["pair_f1"] >= 0.75
    assert authored["unreviewed_share"] >= 0.6
    assert authored["unreviewed_precision"] >= 0.95
    for figures in (authored, real):
        assert figures["false_accusation_rate"] <= 0.05
        assert figures["calibration_error"] <= 0.05


def test_the_shipped_letters_are_learnt_by_no_model(reader, workspace, corpus):
    assert workspace.evaluation is not None
    letters = load_labelled(corpus_files(workspace.evaluation), workspace.taxonomy, workspace.directory)
    texts = {item.opinion.text for item in letters}
    assert len(texts) == 3920
    assert not texts & {item.opinion.text for item in corpus}
    figures = evaluate(reader, letters[::10])
    assert 0.75 <= figures["micro_f1"] <= 0.85
    assert figures["false_accusation_rate"] <= 0.03


def test_the_users_own_do_not_deal_the_corpus_anew_and_are_held_out_from_all_of_it():
    groups = np.repeat(np.arange(12), 5)
    alone = folds_of(groups, np.zeros(60, dtype=bool))
    assert sorted(np.concatenate([held for _, held in alone]).tolist()) == list(range(60))
    more = np.concatenate([groups, [3, 100, 100, *range(101, 139)]])
    own = np.arange(len(more)) >= 60
    together = folds_of(more, own)
    assert sorted(np.concatenate([held for _, held in together]).tolist()) == list(range(len(more)))
    for learning, held in together:
        assert not set(more[learning]) & set(more[held])
        assert len(learning) + len(held) == len(more)
    corpus, apart = together[:4], together[4:]
    for (_, before), (_, held) in zip(alone, corpus, strict=True):
        assert held[held < 60].tolist() == before.tolist()
    assert sum(60 in held for _, held in corpus) == 1, "what repeats the corpus goes with it"
    assert [len(held) for _, held in apart if len(held) < 9] == []
    assert all((learning < 60).sum() == 60 for learning, _ in apart)


def test_where_most_are_the_users_own_they_are_held_out_with_the_corpus():
    groups = np.arange(20)
    assert len(folds_of(groups, groups >= 8)) == 4
    assert len(folds_of(groups, groups >= 18)) == 6, "two of them, each alone"
    assert len(folds_of(groups[:8], groups[:8] > 1)) == 4, "a corpus of two"
