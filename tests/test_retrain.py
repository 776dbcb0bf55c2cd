"""Retraining: what is learnt from, what is frozen, the gate's figures and rules, the registry, and what cannot get through."""

from __future__ import annotations

import io
import json
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar

from pipeline.classifier.files import ARRAYS, active_version, load_model, mismatch, packed, read_card
from pipeline.documents.gate import gate_page
from pipeline.errors import InputError, ModelError
from pipeline.learn.corpus import Labelled, load_labelled
from pipeline.learn.gate import judge
from pipeline.learn.held_out import load_held_out
from pipeline.learn.newlabels import gather
from pipeline.learn.paired import Sides, agreement_beyond_chance, compare, mcnemar
from pipeline.learn.registry import activate, build, entries, history, rollback
from pipeline.learn.suspects import suspects
from pipeline.learn.train import train_model
from pipeline.records import Opinion
from pipeline.training import train
from pipeline.workspace import SHIPPED, Workspace, open_workspace

TEXT = "张科长收了两万"


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """A workspace with a small corpus of its own and the model built from it, made once."""
    root = tmp_path_factory.mktemp("school")
    (root / "data/labelled").mkdir(parents=True)
    for path in sorted((SHIPPED / "data/labelled").glob("starter-*.jsonl")):
        shutil.copy(path, root / "data/labelled")
    space = Workspace(root=root)
    build(space, root / "models")
    return root


@pytest.fixture
def pupil(school, tmp_path):
    """A copy of it that a test may change."""
    root = tmp_path / "pupil"
    shutil.copytree(school, root)
    return root


@pytest.fixture(scope="module")
def small_school(tmp_path_factory):
    """The same with a third of the corpus, where it does not matter how much was learnt."""
    root = tmp_path_factory.mktemp("small")
    (root / "data/labelled").mkdir(parents=True)
    for path in sorted((SHIPPED / "data/labelled").glob("starter-*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[:84]
        (root / "data/labelled" / path.name).write_text("".join(lines), encoding="utf-8")
    build(Workspace(root=root), root / "models")
    return root


@pytest.fixture
def small_pupil(small_school, tmp_path):
    return shutil.copytree(small_school, tmp_path / "pupil")


def new_labels(root, path, n, name="added-T.jsonl", change=lambda labels, _: labels):
    """The first ``n`` opinions of a corpus file that the small model has not seen, as a labelled file."""
    lines = (SHIPPED / "data/labelled" / name).read_text(encoding="utf-8").splitlines()[:n]
    records = [json.loads(line) for line in lines]
    labels = [record["labels"] for record in records]
    with path.open("w", encoding="utf-8") as file:
        for i, record in enumerate(records):
            kept = {"id": record["id"], "text": record["text"], "labels": change(labels[i], i)}
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")
    return path


def test_new_labels_are_learnt_judged_and_promoted(pupil, tmp_path):
    before = active_version(pupil / "models")
    path = new_labels(pupil, tmp_path / "new.jsonl", 300, "added-S.jsonl")
    seen = []
    outcome = train([path], workspace=pupil, doubts=lambda new, found: seen.append((new, found)))
    version = outcome.trained.model.version
    assert outcome.promoted, [rule for rule in outcome.verdict.rules if not rule[1]]
    assert active_version(pupil / "models") == version != before
    new, found = seen[0]
    assert len(new.train) + len(new.frozen) == 300
    assert 40 <= len(new.frozen) <= 80, "one in five"
    assert [identity for identity, _ in found] == [identity for identity, _ in outcome.suspected]
    card = read_card(pupil / "models", version)
    assert (card["parent"], card["gate"]["passed"], card["new_opinions"]) == (before, True, len(new.train))
    assert card["labelled"][0]["name"] == "new.jsonl"
    assert outcome.parts["frozen"]["opinions"] == len(new.frozen)
    assert outcome.parts["frozen"]["macro_f1"]["difference"] > 0, "the writer's manner is learnt"
    page = (pupil / "models" / version / "report.html").read_text(encoding="utf-8")
    assert "通过检验。" in page
    assert TEXT not in page
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert not any(text in page for text in texts if len(text) > 8), "the page holds no opinion"
    assert load_model(pupil / "models", *_resources(pupil)).version == version
    # again with another file: what was learnt before and is not given now is named
    other = new_labels(pupil, tmp_path / "other.jsonl", 60, "added-N.jsonl")
    again = train([other], workspace=pupil)
    assert again.forgotten == ("new.jsonl",)


def _resources(root):
    space = Workspace(root=root)
    return space.taxonomy, space.lexicon


def test_shuffled_labels_do_not_pass_and_the_reason_for_forcing_is_kept(pupil, tmp_path):
    before = active_version(pupil / "models")
    order = np.random.default_rng(0).permutation(300)
    lines = (SHIPPED / "data/labelled/added-T.jsonl").read_text(encoding="utf-8").splitlines()[:300]
    labels = [json.loads(line)["labels"] for line in lines]
    path = new_labels(pupil, tmp_path / "p.jsonl", 300, change=lambda _, i: labels[order[i]])
    outcome = train([path], workspace=pupil)
    broken = [rule for rule, kept, _ in outcome.verdict.rules if not kept]
    assert "新标注与内容相符" in broken
    assert not outcome.promoted
    assert active_version(pupil / "models") == before
    version = outcome.trained.model.version
    page = (pupil / "models" / version / "report.html").read_text(encoding="utf-8")
    assert "没有通过检验，不应启用。" in page
    activate(pupil / "models", version, "试一试")
    assert [move["reason"] for move in history(pupil / "models")][-1] == "试一试"
    assert train([path], workspace=pupil, force="领导要求").promoted
    assert history(pupil / "models")[-1]["reason"] == "没有通过检验，强制启用：领导要求"
    assert rollback(pupil / "models", "不好") == version
    assert rollback(pupil / "models", "更不好") == before
    assert active_version(pupil / "models") == before
    assert history(pupil / "models")[-1]["reason"] == "更不好"


def test_a_part_is_frozen_for_good_whatever_is_labelled_later(pupil, tmp_path):
    space = Workspace(root=pupil)
    small = gather(space, [new_labels(pupil, tmp_path / "a.jsonl", 100)])
    large = gather(space, [new_labels(pupil, tmp_path / "b.jsonl", 400)])
    frozen = {item.opinion.text for item in small.frozen}
    assert frozen
    assert frozen <= {item.opinion.text for item in large.frozen}
    assert not frozen & {item.opinion.text for item in large.train}


def test_repeats_never_straddle_and_a_later_label_counts(pupil, write):
    text = "质检站来抽样，临走后备箱装满了两箱酒，一分钱没给，还说下次再来。"
    lines = [
        {"id": str(i), "text": text.replace("两箱", f"{i}箱"), "labels": ["product_solicitation"]}
        for i in range(3, 9)
    ]
    # one of them is frozen by its digest, whichever is read first
    lines.append({"id": "again", "text": lines[0]["text"], "labels": ["gifts_and_bribes"]})
    path = write("r.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    new = gather(Workspace(root=pupil), [path])
    assert {len(new.train), len(new.frozen)} == {0, 6}
    assert [item.labels for item in (*new.train, *new.frozen) if item.note == "again"] == [
        ("gifts_and_bribes",)
    ]


def test_training_with_nothing_new_is_refused(pupil):
    with pytest.raises(
        InputError, match="没有新的标注：请给出标注文件，或先用“qingyi review import”导入复核表。"
    ):
        train([], workspace=pupil)


def test_unlabelled_text_that_does_not_help_changes_nothing(small_pupil, tmp_path):
    archive = tmp_path / "archive.txt"
    archive.write_text("\n".join(f"第{i}次去窗口办证" for i in range(50)), encoding="utf-8")
    new = [new_labels(small_pupil, tmp_path / "new.jsonl", 60)]
    told: list[str] = []
    outcome = train(new, workspace=small_pupil, unlabelled=[archive], progress=told.append)
    tried = outcome.trained.model.card["archive"]
    assert tried["opinions"] == 50
    assert not tried["used"]
    assert tried["drop"] <= tried["error"]
    without = train(new, workspace=small_pupil).trained.model
    assert without.card["archive"] is None
    assert np.array_equal(outcome.trained.model.weights, without.weights)
    assert "没有明显降低，所以没有用" in gate_page(outcome, open_workspace(small_pupil).taxonomy)


def test_unlabelled_text_alone_is_enough_but_has_to_help(small_pupil, tmp_path):
    archive = tmp_path / "archive.txt"
    archive.write_text("\n".join(f"第{i}次去窗口办证" for i in range(50)), encoding="utf-8")
    before = active_version(small_pupil / "models")
    outcome = train(workspace=small_pupil, unlabelled=[archive])
    assert not outcome.verdict.passed
    assert [rule for rule, kept, _ in outcome.verdict.rules if not kept] == ["未标注存档使留出的判定更准"]
    assert active_version(small_pupil / "models") == before


def test_unlabelled_text_is_used_where_it_tells_which_words_go_together(workspace):
    """An opinion holds one word of forty of its subject: few meet it again, but the archive says that they are company."""
    rng = np.random.default_rng(0)
    words = np.array([chr(0x4E00 + 2 * i) + chr(0x4E01 + 2 * i) for i in range(80)]).reshape(2, 40)

    def text(subject, count):
        return "有，" + "，".join(rng.permutation(words[subject])[:count])

    labelled = [
        Labelled(
            opinion=Opinion(id=str(i), text=text(i % 2, 1)),
            labels=("gifts_and_bribes",) if i % 2 else (),
            pairs=None,
        )
        for i in range(72)
    ]
    archive = [text(i % 2, 12) for i in range(400)]
    card = train_model(
        labelled, workspace.taxonomy, workspace.lexicon, about={}, unlabelled=archive
    ).model.card
    assert card["archive"]["used"]
    assert card["archive"]["drop"] > card["archive"]["error"] > 0


def test_a_label_nobody_gave_is_named_and_never_given(small_pupil, tmp_path):
    for path in (small_pupil / "data/labelled").glob("*.jsonl"):
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        kept = [record for record in records if "formalism" not in record["labels"]]
        path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in kept), encoding="utf-8")
    model = build(Workspace(root=small_pupil), small_pupil / "models")
    assert model.card["unseen"] == ["formalism"]
    column = Workspace(root=small_pupil).taxonomy.codes.index("formalism")
    assert not model.weights[:, column].any()
    assert model.threshold[column] >= 0.05 > 1 / (1 + np.exp(-model.offset[column]))


CLEAN = {"false_accusation_rate": 0.03}


def sides(truth, before, after):
    probability = np.where(after, 0.9, 0.1)
    groups = np.arange(len(truth))
    return Sides(truth, before, after, np.where(before, 0.9, 0.1), probability, groups)


def columns(taxonomy, **flags):
    n = len(next(iter(flags.values())))
    array = np.zeros((n, len(taxonomy.codes)), dtype=bool)
    for code, values in flags.items():
        array[:, taxonomy.codes.index(code)] = np.array(values, dtype=bool)
    return array


def test_the_comparison_by_hand(workspace):
    taxonomy = workspace.taxonomy
    truth = columns(taxonomy, stalling=[1, 1, 1, 0], praise=[0, 0, 0, 1])
    before = columns(taxonomy, stalling=[1, 0, 0, 1], praise=[0, 0, 0, 1])
    after = columns(taxonomy, stalling=[1, 1, 0, 0], praise=[0, 0, 0, 1])
    found = compare(sides(truth, before, after), taxonomy)
    # stalling F1 0.4 → 0.8, praise 1 → 1
    assert found["macro_f1"]["before"] == pytest.approx(0.7)
    assert found["macro_f1"]["after"] == pytest.approx(0.9)
    assert found["false_accusation_rate"] == {"before": 1.0, "after": 0.0, "difference": -1.0}
    row = found["labels"]["stalling"]
    assert (row["recall_before"], row["recall_after"]) == (pytest.approx(0.3333), pytest.approx(0.6667))
    assert row["p"] == pytest.approx(0.5), "two won, none lost: 2 × 0.5²"
    low, high = found["macro_f1"]["interval"]
    assert low <= found["macro_f1"]["difference"] <= high


@pytest.mark.parametrize(("lost", "won"), [(0, 0), (3, 9), (10, 2), (5, 5)])
def test_mcnemar_is_the_reference_one(lost, won):
    expected = reference_mcnemar([[7, lost], [won, 4]], exact=True).pvalue if lost + won else 1.0
    assert mcnemar(lost, won) == pytest.approx(expected)


def test_the_rules_refuse_what_they_should(workspace):
    taxonomy = workspace.taxonomy
    rng = np.random.default_rng(0)
    truth = rng.random((400, len(taxonomy.codes))) < 0.2
    worse = truth & (rng.random(truth.shape) < 0.8)
    judged = judge({"corpus": compare(sides(truth, truth, worse), taxonomy)}, None, CLEAN, taxonomy)
    assert not judged.passed
    broken = {rule for rule, kept, _ in judged.rules if not kept}
    assert "随程序的语料（留出）：macro-F1 不差于 1%" in broken
    assert "随程序的语料（留出）：受保护的类别不丢召回" in broken
    same = judge({"corpus": compare(sides(truth, worse, worse), taxonomy)}, 0.005, CLEAN, taxonomy)
    assert same.passed
    assert not judge({}, 0.4, CLEAN, taxonomy).passed
    # where nothing can be compared, the promise on false accusations must be kept
    assert judge({}, None, CLEAN, taxonomy).passed
    assert not judge({}, None, {"false_accusation_rate": 0.06}, taxonomy).passed
    # a candidate that decides alike is no worse
    few = compare(sides(truth[:60], truth[:60], truth[:60]), taxonomy)
    assert judge({"frozen": few}, None, CLEAN, taxonomy).passed
    accusing = truth.copy()
    clean = ~truth[:, [taxonomy.codes.index(code) for code in taxonomy.issues]].any(axis=1)
    accusing[clean, 0] = True
    refused = judge({"frozen": compare(sides(truth, truth, accusing), taxonomy)}, None, CLEAN, taxonomy)
    assert "冻结的检验部分：误指率不超过 5%，或没有增加" in {
        rule for rule, kept, _ in refused.rules if not kept
    }


@pytest.mark.parametrize(("high", "kept"), [(0.0, {"new", "frozen"}), (-0.006, {"new"}), (-0.011, set())])
def test_new_labels_may_look_a_little_worse_than_they_are_and_the_frozen_part_may_not(workspace, high, kept):
    taxonomy = workspace.taxonomy
    truth = columns(taxonomy, stalling=[1, 0] * 30)
    figures = compare(sides(truth, truth, truth), taxonomy)
    figures["macro_f1"]["interval"] = [-0.05, high]
    for name in ("new", "frozen"):
        assert judge({name: figures}, None, CLEAN, taxonomy).passed is (name in kept)


def test_only_protected_labels_stop_a_model_by_recall_alone(workspace):
    taxonomy = workspace.taxonomy
    assert taxonomy.protected == ("gifts_and_bribes", "retaliation")
    n = 200
    for code, stopped in (("retaliation", True), ("formalism", False)):
        truth = columns(taxonomy, **{code: [1] * n, "stalling": [1] * n})
        before = truth.copy()
        after = truth.copy()
        after[:8, taxonomy.codes.index(code)] = False
        rules = judge({"new": compare(sides(truth, before, after), taxonomy)}, None, CLEAN, taxonomy).rules
        kept = {rule: ok for rule, ok, _ in rules}
        assert kept["新标注（留出）：受保护的类别不丢召回"] is not stopped


def test_labels_that_fit_are_told_from_shuffled_ones():
    rng = np.random.default_rng(1)
    truth = rng.random((200, 4)) < 0.3
    said = np.clip(np.where(truth, 0.5, 0.2) + rng.normal(0, 0.1, truth.shape), 0.01, 0.99)
    assert agreement_beyond_chance(truth, said) == pytest.approx(1 / 201)
    found = [agreement_beyond_chance(truth[rng.permutation(200)], said) for _ in range(40)]
    shuffled = np.array(found, dtype=float)
    assert np.mean(shuffled < 0.05) < 0.2
    assert shuffled.mean() > 0.3
    assert agreement_beyond_chance(np.ones((50, 4), dtype=bool), said[:50]) is None, "nothing to shuffle"


def test_on_few_opinions_two_protected_labels_lost_are_two_too_many(workspace):
    taxonomy = workspace.taxonomy
    truth = columns(taxonomy, gifts_and_bribes=[1] * 4 + [0] * 40)
    for lost, kept in ((1, True), (2, False)):
        after = truth.copy()
        after[:lost] = False
        rules = judge({"new": compare(sides(truth, truth, after), taxonomy)}, None, CLEAN, taxonomy).rules
        assert {rule: ok for rule, ok, _ in rules}["新标注（留出）：受保护的类别不丢召回"] is kept


def test_wrong_labels_are_suspected(workspace):
    """Of 500 opinions 25 carry somebody else's labels; the model says 0.95 of what is there, 0.02 of what is not, more or less."""
    taxonomy = workspace.taxonomy
    rng = np.random.default_rng(2)
    truth = np.eye(len(taxonomy.codes), dtype=bool)[rng.integers(len(taxonomy.codes), size=500)]
    said = np.clip(np.where(truth, 0.95, 0.02) + rng.normal(0, 0.02, truth.shape), 0.01, 0.99)
    wrong = rng.choice(500, 25, replace=False)
    labelled = truth.copy()
    labelled[wrong] = np.roll(truth[wrong], 1, axis=1)
    everything = np.ones_like(truth)
    found = suspects(labelled, said, everything, truth.mean(axis=0), taxonomy)
    assert sorted(suspect.row for suspect in found) == sorted(wrong.tolist()), "each once, and nothing else"
    for suspect in found:
        column = taxonomy.codes.index(suspect.label)
        assert suspect.given == labelled[suspect.row, column] != truth[suspect.row, column]
        assert suspect.probability == said[suspect.row, column]
    unasked = suspects(labelled, said, ~everything, truth.mean(axis=0), taxonomy)
    assert unasked == [], "nobody said anything"


def test_how_far_labels_are_from_their_text_by_hand(workspace):
    """Ten usual opinions, half with a label, and one more: it is taken to be among 6 of 11 that carry it."""
    codes = workspace.taxonomy.codes
    truth = np.zeros((1, len(codes)), dtype=bool)
    truth[0, 0] = True
    usual = np.zeros(len(codes))
    usual[0] = 0.5
    known = np.zeros_like(truth)
    known[0, 0] = True
    for said, suspected in ((6 / 11 / 8 + 0.001, False), (6 / 11 / 8 - 0.001, True)):
        probabilities = np.full(truth.shape, said)
        assert bool(suspects(truth, probabilities, known, usual, workspace.taxonomy)) is suspected


def test_a_registry_lists_damaged_versions_and_goes_back_step_by_step(pupil):
    models = pupil / "models"
    first = active_version(models)
    for name in ("second", "third"):
        shutil.copytree(models / first, models / name)
        card = json.loads((models / name / "card.json").read_text(encoding="utf-8"))
        card["version"] = name
        (models / name / "card.json").write_text(json.dumps(card), encoding="utf-8")
        activate(models, name, "试")
    assert rollback(models, "") == "second"
    assert rollback(models, "") == first
    with pytest.raises(InputError, match="没有更早的模型可以退回"):
        rollback(models, "")
    (models / "third/card.json").write_text("{", encoding="utf-8")
    found = {entry.version: entry for entry in entries(models)}
    assert found["third"].fault == "模型 third 不完整或 card.json 损坏；请换一个版本或重建。"
    assert found[first].active
    with pytest.raises(ModelError, match="没有模型 fourth；用“qingyi models list”看有哪些。"):
        activate(models, "fourth", "")
    (models / "second/weights.npz").write_bytes(b"")
    with pytest.raises(ModelError, match=r"模型 second 的 weights\.npz 与登记的摘要不符"):
        activate(models, "second", "")
    with pytest.raises(InputError, match=f"训练期间当前模型换成了 {first}"):
        activate(models, first, "", only_from="second")
    # a line that a kill cut short, and a move whose pointer never followed
    with (models / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"at": "", "from": first, "to": "ghost", "reason": ""}) + '\n{"at": "20')
    assert active_version(models) == first
    assert history(models)[-1]["to"] == "ghost"


class Bomb:
    """Unpickling this would leave a file behind."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (self.mark, "w"))


def resigned(models, name, content):
    """Put a file into the active version and make the card's digest fit: an attacker can do that too."""
    import hashlib

    version = active_version(models)
    (models / version / name).write_bytes(content)
    card = json.loads((models / version / "card.json").read_text(encoding="utf-8"))
    card["files"][name] = hashlib.sha256(content).hexdigest()
    (models / version / "card.json").write_text(json.dumps(card), encoding="utf-8")


def test_no_code_in_a_model_file_runs(pupil, tmp_path):
    models = pupil / "models"
    mark = tmp_path / "ran"
    arrays = {"weights": np.array([Bomb(str(mark))], dtype=object)}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=True, **arrays)
    for content in (buffer.getvalue(), pickle.dumps(Bomb(str(mark))), b"PK\x03\x04rubbish", b""):
        resigned(models, "weights.npz", content)
        with pytest.raises(
            ModelError, match=r"weights\.npz 不是本程序写的数组文件；没有读入，请换一个版本或重建。"
        ):
            load_model(models, *_resources(pupil))
    assert not mark.exists()
    model = load_model(SHIPPED / "models", *_resources(SHIPPED))
    resigned(models, "weights.npz", packed({name: getattr(model, name)[:1] for name in ARRAYS}))
    with pytest.raises(ModelError, match="的数组形状不对；请重建。"):
        load_model(models, *_resources(pupil))


def test_held_out_predictions_come_back(school):
    models = school / "models"
    held = load_held_out(models, read_card(models, active_version(models)))
    assert held is not None
    space = Workspace(root=school)
    corpus = load_labelled(
        sorted((school / "data/labelled").glob("*.jsonl")), space.taxonomy, space.directory
    )
    assert len(held.keys) == len(corpus) == len(held.labels)
    assert held.given.shape == held.labels.shape == (len(corpus), 16)
    assert 0 <= held.labels.min() <= held.labels.max() <= 1


def test_another_library_is_told_in_words():
    assert mismatch({"libraries": {"rjieba": "0.1"}}).startswith("rjieba 0.1（现在 ")
    assert mismatch({}) == ""


def test_no_text_in_the_repr_of_what_is_gathered():
    item = Labelled(opinion=Opinion(id="1", text=TEXT), labels=(), pairs=None)
    assert TEXT not in repr(replace(item, own=True))
