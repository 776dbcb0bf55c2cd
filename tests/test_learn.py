"""Corpus, training and evaluation: refused lines, figures checked by hand, the shipped model rebuilt bit for bit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.quality import joined
from pipeline.classifier.model import active_version
from pipeline.errors import InputError, OutputError, ResourceError
from pipeline.learn.corpus import Labelled, corpus_files, label_matrix, load_labelled
from pipeline.learn.evaluate import decision_metrics, evaluate, f1
from pipeline.learn.prepare import prepare
from pipeline.learn.registry import build
from pipeline.learn.train import best_threshold, review_bounds, train_model
from pipeline.records import Opinion
from pipeline.workspace import SHIPPED
from tests.conftest import SHARED

ACCUSATION = "张科长收了两万"


def line(**changes):
    record = {"id": "1", "text": ACCUSATION, "labels": ["stalling"], "pairs": [["盐业公司", "stalling"]]}
    return json.dumps({**record, **changes}, ensure_ascii=False)


def load(workspace, path):
    return load_labelled([path], workspace.taxonomy, workspace.directory)


def test_the_shipped_corpus_loads_whole(workspace):
    corpus = load_labelled(corpus_files(workspace.corpus), workspace.taxonomy, workspace.directory)
    assert len(corpus) >= 2000
    support = label_matrix(corpus, workspace.taxonomy).sum(axis=0)
    assert support.min() >= 60
    assert sum(item.opinion.id[0] in "KLM" for item in corpus) >= 500, "what was added to the starter corpus"
    assert ACCUSATION not in repr(Labelled(opinion=Opinion(id="1", text=ACCUSATION), labels=(), pairs=None))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (line(labels=["stall"]), "未知的标签代码“stall”，最接近的是“stalling”。"),
        (line(pairs=[["城管局", "stalling"]]), "pairs 中的部门不在目录里：城管局"),
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
    with pytest.raises(ResourceError, match=r"标注文件 c.csv 中编号“c:3”一行：未知的标签代码“good”"):
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


def test_review_bounds_by_hand():
    probabilities = np.array([0.9, 0.8, 0.7, 0.6, 0.2, 0.1])
    truth = np.array([True, True, False, True, False, False])
    # above 0.8 all are right; at 0.7 only 2 of 3, at 0.6 3 of 4: below 80 %
    assert review_bounds(probabilities, truth, 0.4) == pytest.approx((0.32, 0.8))
    assert review_bounds(probabilities, ~truth, 0.4) == pytest.approx((0.32, 1.01))


def test_near_repeats_share_a_group(workspace):
    text = "质检站来抽样，临走后备箱装满了两箱酒，一分钱没给，还说下次再来。"
    items = [
        Labelled(opinion=Opinion(id=str(i), text=t), labels=(), pairs=None)
        for i, t in enumerate([text, "供应处办事热情，不收礼。", text.replace("两箱", "三箱")])
    ]
    assert prepare(items, workspace.taxonomy, workspace.lexicon).groups.tolist() == [0, 1, 0]


def test_a_label_with_too_few_opinions_is_refused(workspace):
    items = [Labelled(opinion=Opinion(id="1", text="好"), labels=("praise",), pairs=None)]
    with pytest.raises(ResourceError, match="标签“索要产品”只有 0 条标注，至少要 10 条才能训练"):
        train_model(items, workspace.taxonomy, workspace.lexicon, corpus="")


def test_the_shipped_model_is_rebuilt_bit_for_bit(workspace, tmp_path):
    model = build(workspace, tmp_path)
    version = active_version(SHIPPED / "models")
    assert active_version(tmp_path) == model.version == version
    for path in sorted((SHIPPED / "models" / version).iterdir()):
        assert (tmp_path / version / path.name).read_bytes() == path.read_bytes(), path.name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["active", version]


def test_a_models_folder_that_cannot_be_made_is_refused_at_once(workspace, write):
    blocked = write("file", "") / "models"
    with pytest.raises(OutputError, match="不能建立模型文件夹"):
        build(workspace, blocked)


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
        for name, (low, high) in figures["intervals"].items():
            assert low < figures[name] < high
            assert f"{figures[name]:.3f}（{low:.3f}–{high:.3f}）" in readme, name
        assert f"{figures['micro_precision']:.3f} / {figures['micro_recall']:.3f}" in readme
    # what a plain linear model over words and characters reaches on the first
    assert authored["micro_f1"] >= 0.63
