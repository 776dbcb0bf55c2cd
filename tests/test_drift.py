"""Watching the model: each statistic by hand, planted changes are found, and nothing is found where there is none."""

from __future__ import annotations

import random
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.cli import main
from pipeline.drifting import drift
from pipeline.errors import InputError
from pipeline.learn.changes import label_changes, two_proportions
from pipeline.learn.drift import judge, measure
from pipeline.learn.language import (
    compare_with_writers,
    cross_validated_auc,
    delong,
    told_apart,
    unseen_words,
)
from pipeline.learn.rounds import Corpus, Round
from pipeline.learn.themes import is_telling, log_odds, marking_words, stable_groups
from pipeline.run import classify
from pipeline.text.segment import Segmenter
from pipeline.workspace import SHIPPED

SUBJECTS = (
    "道路 路灯 坑洼 沥青 井盖 路面", "医院 挂号 医生 病房 护士 药费", "学校 老师 补课 家长 学生 作业", "小区 物业 电梯 车位 业主 保安",
    "农田 水渠 灌溉 种子 化肥 收成", "公交 站台 线路 司机 乘客 班车", "社保 退休 养老金 窗口 缴费 医保", "饭店 餐饮 油烟 食品 卫生 厨房",
)  # fmt: skip
PLANTED = "充电桩 电动车 车棚 电池 插座 起火"


def texts(subjects, n, seed):
    """``n`` short texts, each of four words of one subject and two of any, in an order of their own."""
    rng = random.Random(seed)  # noqa: S311  # a sample, not a secret
    everything = " ".join(SUBJECTS).split()
    made = []
    for i in range(n):
        words = rng.sample(subjects[i % len(subjects)].split(), 4) + rng.sample(everything, 2)
        rng.shuffle(words)
        made.append("，".join(words))
    return made


def a_round(written, *, unsure=True, name="r"):
    return Round(
        model="m",
        ids=tuple(f"{name}{i}" for i in range(len(written))),
        texts=tuple(written),
        labels=((),) * len(written),
        unsure=np.full(len(written), unsure),
    )


@pytest.fixture(scope="module")
def segmenter(workspace):
    return Segmenter(workspace.lexicon)


@pytest.fixture(scope="module")
def rounds(tmp_path_factory, round1):
    """Result folders of both sample rounds."""
    folder = tmp_path_factory.mktemp("rounds")
    shutil.copytree(round1.folder, folder / "round1")
    classify([SHIPPED / "data/samples/round2"], folder / "round2", jobs=1, workspace=SHIPPED)
    return folder


def test_the_auc_and_its_variance_are_delongs():
    auc, variance = delong(np.array([3.0, 2.0]), np.array([2.0, 1.0, 0.0]))
    assert auc == pytest.approx((3 + 2.5) / 6)
    above, below = np.array([1.0, 2.5 / 3]), np.array([0.75, 1.0, 1.0])
    assert variance == pytest.approx(above.var(ddof=1) / 2 + below.var(ddof=1) / 3)


def test_margins_of_different_folds_are_not_ranked_against_each_other():
    scores = np.array([1.0, 0.0, 101.0, 100.0])
    auc, _ = cross_validated_auc(scores, np.array([True, False, True, False]), np.array([0, 0, 1, 1]))
    assert auc == 1.0, "pooled it would be 0.75"


def test_two_proportions_by_hand():
    change = two_proportions(60, 200, 40, 200)
    assert (change.now, change.before) == (0.3, 0.2)
    assert change.p == pytest.approx(0.0209, abs=1e-4), "z = 0.1 / √(0.25 · 0.75 · 2 / 200) = 2.309"
    assert not change.moved, "p is 0.021"
    assert two_proportions(80, 200, 40, 200).moved
    assert not two_proportions(40, 200, 80, 200).moved, "fewer is no reason to worry"
    assert two_proportions(0, 10, 0, 10).p == 1.0


def test_labels_are_tested_exactly_and_together(workspace):
    now = Round(
        model="m", ids=tuple("abcdefghij"), texts=("",) * 10, unsure=np.zeros(10, bool),
        labels=(("praise",),) * 9 + (("stalling",),),
    )  # fmt: skip
    before = Round(
        model="m", ids=tuple("abcdefghij"), texts=("",) * 10, unsure=np.zeros(10, bool),
        labels=(("praise",),) + (("stalling",),) + ((),) * 8,
    )  # fmt: skip
    rows = {row.label: row for row in label_changes(now, before, workspace.taxonomy)}
    assert set(rows) == {"stalling", "praise"}
    assert rows["praise"].p == pytest.approx(2 * 101 / 184756, rel=1e-6)
    assert rows["praise"].q == pytest.approx(2 * rows["praise"].p)
    assert rows["praise"].moved
    assert not rows["stalling"].moved


def test_unseen_words_are_counted_per_word_and_named_only_when_frequent():
    known = [["路灯", "路面"]] * 5
    now = [["路灯", "充电桩", "充电桩"]] * 5 + [["插座"]]
    found = unseen_words(now, known)
    assert found.share == pytest.approx(11 / 16)
    assert found.words == (("充电桩", 5),), "in opinions, and the other is in one only"
    of_writers = unseen_words(now, [["路灯", "路面"], ["路灯", "井盖"]], ["a", "b"])
    assert of_writers.usual == pytest.approx(0.5)


def test_log_odds_are_those_of_monroe_colaresi_and_quinn():
    z = log_odds(np.array([6.0]), np.array([4.0]), 100, 100)
    prior = 500 * 10 / 200
    a, b = 6 + prior, 4 + prior
    expected = (np.log(a / (600 - a)) - np.log(b / (600 - b))) / (1 / a + 1 / b) ** 0.5
    assert z[0] == pytest.approx(expected)
    member = np.array([True] * 4 + [False] * 4)
    documents = [["我们", "插座", "起火"]] * 4 + [["我们", "路灯"]] * 4
    assert set(marking_words(member, documents)) == {"插座", "起火"}
    assert [word for word in ("几天", "您好", "路灯") if is_telling(word)] == ["路灯"]


def test_random_halves_are_not_told_apart_and_equal_piles_not_at_all():
    written = texts(SUBJECTS, 300, 1)
    halves = told_apart(written[:150], written[150:])
    assert halves is not None
    assert halves.low < 0.5 < halves.high
    same = told_apart(written, written)
    assert same is not None
    assert same.auc == 0.5
    assert told_apart(written[:49], written) is None


def test_a_batch_is_ranked_among_the_writers_of_the_corpus():
    corpus = [text for w in range(4) for text in texts(SUBJECTS[w : w + 4], 60, w)]
    sources = [f"w{w}" for w in range(4) for _ in range(60)]
    alike = compare_with_writers(texts(SUBJECTS[:7], 60, 9), corpus, sources)
    foreign = compare_with_writers(texts([PLANTED], 60, 9), corpus, sources)
    assert alike is not None
    assert foreign is not None
    assert alike.share < 0.5
    assert foreign.share == 1.0


def test_a_planted_theme_is_found_named_and_growing_and_absent_where_it_is_not(workspace, segmenter):
    before = a_round(texts(SUBJECTS, 160, 1))
    plain = measure(a_round(texts(SUBJECTS, 160, 2)), before, workspace.taxonomy, segmenter)
    assert plain.rising == ()
    planted = texts(SUBJECTS, 140, 2) + texts([PLANTED], 20, 3)
    found = measure(a_round(planted), before, workspace.taxonomy, segmenter)
    (theme,) = found.rising
    assert set(theme.words[:4]) <= set(PLANTED.split())
    assert set(theme.ids) == {f"r{i}" for i in range(140, 160)}
    assert (theme.now, theme.before) == (20, 0)
    assert found.verdict == "look"
    assert set(found.look_at[:20]) == set(theme.ids)
    assert len(found.look_at) == 30


def test_beside_the_corpus_a_theme_is_new_when_its_words_are_rare_there(workspace, segmenter):
    planted = a_round(texts(SUBJECTS, 140, 2) + texts([PLANTED], 20, 3))
    written = texts(SUBJECTS, 240, 4)

    def rising(corpus):
        sources = tuple("abcd"[i % 4] for i in range(len(corpus)))
        reference = Corpus(texts=tuple(corpus), sources=sources, reviewed_share=1.0, opinions=len(corpus))
        return [
            set(theme.words) for theme in measure(planted, reference, workspace.taxonomy, segmenter).rising
        ]

    assert [words & set(PLANTED.split()) != set() for words in rising(written)] == [True]
    assert rising(written + texts([PLANTED], 20, 5)) == []


def test_opinions_without_a_telling_word_are_no_theme():
    assert stable_groups([["我们"]] * 30 + [text.split("，") for text in texts(SUBJECTS, 10, 1)]) == []


def test_a_planted_shift_of_language_says_so_and_with_unsure_decisions_asks_for_training(
    workspace, segmenter
):
    before = a_round(texts(SUBJECTS[:4], 120, 1), unsure=False)
    shifted = texts(SUBJECTS[4:], 120, 2)
    calm = measure(a_round(shifted, unsure=False), before, workspace.taxonomy, segmenter)
    assert calm.language_moved
    assert (calm.verdict, len(calm.look_at)) == ("look", 30)
    assert measure(a_round(shifted), before, workspace.taxonomy, segmenter).verdict == "retrain"


@pytest.mark.parametrize(
    ("moved", "unsure", "theme", "verdict"),
    [(1, 1, 0, "retrain"), (1, 0, 0, "look"), (0, 1, 0, "look"), (0, 0, 1, "look"), (0, 0, 0, "nothing")],
)
def test_the_rules_of_the_verdict(moved, unsure, theme, verdict):
    assert judge(bool(moved), bool(unsure), bool(theme)) == verdict


def call(capsys, *words):
    with pytest.raises(SystemExit) as done:
        main([str(word) for word in words])
    printed = capsys.readouterr()
    return done.value.code or 0, printed.out, printed.err


def test_a_round_against_itself_says_nothing_on_screen(rounds, tmp_path, capsys):
    page = tmp_path / "page.html"
    one = rounds / "round1"
    status, out, _ = call(capsys, "drift", one, "--since", one, "--workspace", SHIPPED, "-o", page)
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == "不用做什么：语言、没有把握的比例、主题都没有明显变化。"
    assert lines[1] == "  语言：与上一轮分得开的程度 AUC 0.50（0.50–0.50），0.50 是完全分不开"
    assert lines[-1] == f"页面：{page}"
    assert page.stat().st_mode & 0o777 == 0o600


def test_the_sample_rounds_differ_and_the_page_holds_no_opinion(rounds):
    found = drift(rounds / "round2", since=rounds / "round1", workspace=SHIPPED)
    assert found.verdict == "look"
    assert not found.unsure.moved
    page = (rounds / "round2" / "drift.html").read_text(encoding="utf-8")
    assert f"看看这 {len(found.look_at)} 件" in page
    assert all(identity in page for identity in found.look_at)
    assert "http" not in page
    rows = pq.read_table(rounds / "round2" / "opinions.parquet").column("text").to_pylist()
    assert not [text for text in rows if len(text) > 8 and text in page]


def test_what_cannot_be_compared_is_refused_in_one_line(rounds, tmp_path, capsys):
    where = ("--workspace", SHIPPED)
    assert call(capsys, "drift", tmp_path, *where)[::2] == (
        2, f"错误：{tmp_path} 里没有完整的判定结果（opinions.parquet、run.json）；请给出“qingyi report”或“classify”的结果文件夹。\n",
    )  # fmt: skip
    other = tmp_path / "other"
    shutil.copytree(rounds / "round1", other)
    (other / "opinions.parquet").unlink()
    assert call(capsys, "drift", other, *where)[::2] == (
        2, f"错误：{other} 里已经没有意见原文（opinions.parquet），可能按保存期限清除了（qingyi purge）；要看，请用原始表重新运行“qingyi classify”。\n",
    )  # fmt: skip
    shutil.copy(rounds / "round1/opinions.parquet", other)
    (other / "run.json").write_text('{"model": "base-0"}', encoding="utf-8")
    with pytest.raises(
        InputError, match=r"两轮不是同一个模型判的（base-[0-9a-f]+、base-0），不能比；请用“qingyi classify”把"
    ):
        drift(rounds / "round1", since=other, workspace=SHIPPED)
    assert call(capsys, "drift", other, *where)[::2] == (
        2, "错误：没有模型 base-0；用“qingyi models list”看有哪些。\n",
    )  # fmt: skip
    nowhere = tmp_path / "nowhere" / "d.html"
    one = rounds / "round1"
    status, _, err = call(capsys, "drift", one, "--since", one, "-o", nowhere, *where)
    assert (status, err.splitlines()[-1]) == (1, f"错误：不能写入 {nowhere}：路径不存在。")
