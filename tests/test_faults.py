"""Kills and collisions: whatever moment ``import`` and ``train`` are killed at, no answer is lost and a model loads.

Two ways of killing, both with SIGKILL: the real commands at random moments of their whole duration, and a forked process just
before each of its changes of the disk in turn (and after each opening of a file), which leaves every state between two of them.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from pipeline import training
from pipeline.classifier.files import active_version, load_model
from pipeline.errors import OutputError
from pipeline.learn.registry import build, entries, history, intact, own_models
from pipeline.learn.retrain import Outcome
from pipeline.review import columns as c
from pipeline.review.answers import Batch
from pipeline.review.store import Store
from pipeline.reviewing import export, take_in
from pipeline.training import train
from pipeline.workspace import SHIPPED, Workspace
from tests.commands import start

ASKED = 40
IMPORT_KILLS, TRAIN_KILLS = 14, 6
CHANGES = {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.chmod", "os.truncate", "os.link"}


@dataclass(frozen=True)
class School:
    """A workspace with a small corpus, its model, an exported sheet and it filled in; and a training of it, done once."""

    root: Path
    batch: Batch
    outcome: Outcome
    seconds: float


@pytest.fixture(scope="module")
def school(tmp_path_factory, round1):
    root = tmp_path_factory.mktemp("faults") / "school"
    (root / "data/labelled").mkdir(parents=True)
    for path in sorted((SHIPPED / "data/labelled").glob("starter-*.jsonl")):
        head(path, root / "data/labelled" / path.name, 84)
    head(SHIPPED / "data/lexicon.tsv", root / "data/lexicon.tsv", 300)
    for name in ("taxonomy.toml", "departments.csv"):
        shutil.copy(SHIPPED / "data" / name, root / "data")
    build(Workspace(root=root), root / "models")
    batch = export(round1.folder, root / "review.xlsx", workspace=root, n=ASKED)
    book = openpyxl.load_workbook(root / "review.xlsx")
    book[c.GUIDE]["B2"] = "王审"
    sheet = book[c.SHEET]
    verdict = next(cell.column for cell in sheet[1] if cell.value == c.VERDICT)
    for row in range(2, ASKED + 2):
        sheet.cell(row, verdict).value = c.SKIPPED if row % 10 == 0 else c.RIGHT
    book.save(root / "filled.xlsx")
    taught = root.parent / "taught"
    shutil.copytree(root, taught)
    take_in(taught / "filled.xlsx", workspace=taught)
    started = time.monotonic()
    outcome = train(workspace=taught, force="试")
    seconds = time.monotonic() - started
    shutil.rmtree(taught / "models")
    shutil.copytree(root / "models", taught / "models")
    return School(root, batch, outcome, seconds)


def head(source, target, n):
    target.write_text(
        "".join(source.read_text(encoding="utf-8").splitlines(keepends=True)[:n]), encoding="utf-8"
    )


@pytest.fixture
def desk(school, tmp_path):
    """A copy of the workspace, its sheet not imported yet."""
    shutil.copytree(school.root, tmp_path / "desk")
    return tmp_path / "desk"


@pytest.fixture
def pupil(school, tmp_path):
    """A copy of the workspace, its sheet imported, its model that of the corpus alone."""
    shutil.copytree(school.root.parent / "taught", tmp_path / "pupil")
    return tmp_path / "pupil"


@pytest.fixture
def no_learning(school, monkeypatch):
    """``train`` with what costs seconds and writes nothing replaced by what it came to before."""
    monkeypatch.setattr(training, "retrain", lambda *_args, **_named: school.outcome)
    for name in ("load_labelled", "champion", "suspected"):
        monkeypatch.setattr(training, name, lambda *_args: [])


def moments(seconds, n):
    """``n`` random moments, one in each n-th part of the duration."""
    rng = random.Random(11)  # noqa: S311  # a test's choice
    return [(i + rng.random()) / n * seconds for i in range(n)]


def forked(act):
    """Start ``act`` in a forked process; its id."""
    child = os.fork()
    if not child:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    return child


def survives(root, k, act):
    """Whether ``act``, in a process of its own that is killed at its ``k``-th moment below ``root``, comes through.

    A moment is just before each change of the disk, and after a file was opened for writing and nothing written yet.
    """

    def act_until_killed():
        count = itertools.count(1)
        dying = False

        def kill(event, words):
            nonlocal dying
            if dying or not changes(event, words, root):
                return
            here = next(count)
            opened = event == "open" and next(count) == k
            if k == here or opened:
                dying = True
                if opened:
                    with contextlib.suppress(FileExistsError):  # what is opened only where it is new
                        os.open(words[0], words[2], 0o600)
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill)
        act()

    _, status = os.waitpid(forked(act_until_killed), 0)
    assert status in {0, signal.SIGKILL}, "neither done nor killed"
    return status == 0


def changes(event, words, root):
    writing = event == "open" and words[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if not (writing or event in CHANGES) or isinstance(words[0], int):
        return False
    path = Path(os.fsdecode(words[0]))
    return root in path.parents or not path.is_absolute()  # a folder is emptied by relative names


def left_over(root):
    return [path.name for path in root.rglob(".*") if path.name != ".lock"]


def given(root, by="王审"):
    """How often each opinion was answered by a person; reads the whole store."""
    store = Store(root / "feedback")
    assert [batch.questions for batch in store.batches()], "what was asked is there"
    assert len(store.states()) == ASKED
    keys = [answer.key for answer in store.answers() if answer.by == by]
    assert len(keys) == len(set(keys)), "nobody's answer twice"
    return len(keys)


def usable(root):
    """The registry loads, nothing in it is damaged; the active version."""
    space = Workspace(root=root)
    found = entries(space.models)
    assert [entry.fault for entry in found if entry.fault] == []
    assert all(intact(space.models, entry.version) for entry in found)
    return load_model(space.models, space.taxonomy, space.lexicon).version


def test_an_import_killed_before_any_of_its_writes_is_whole_or_absent_and_the_next_completes_it(desk):
    fresh = shutil.copytree(desk / "feedback", desk / "fresh")
    seen = set()
    for k in itertools.count(1):
        shutil.rmtree(desk / "feedback")
        shutil.copytree(fresh, desk / "feedback")
        done = survives(desk, k, lambda: take_in(desk / "filled.xlsx", workspace=desk))
        kept = given(desk)
        seen.add((done, kept))
        assert kept in {0, ASKED}
        assert take_in(desk / "filled.xlsx", workspace=desk).fresh == ASKED - kept
        assert given(desk) == ASKED
        assert left_over(desk) == []
        if done:
            break
    assert seen >= {(False, 0), (True, ASKED)}
    assert k > 9, "folders, the lock, the new file, its place"


def test_an_export_killed_before_any_of_its_writes_leaves_a_store_that_reads(school, tmp_path):
    for k in itertools.count(1):
        root = tmp_path / str(k)
        store = Store(root / "feedback")
        done = survives(root, k, lambda store=store: store.add_batch(school.batch))
        assert store.batches() in ([], [school.batch])
        store.add_batch(school.batch)
        assert store.batches() == [school.batch]
        assert left_over(root) == []
        if done:
            break
    assert k > 9


@pytest.mark.parametrize("refusing", ["tempfile.mkstemp", "os.fsync"])
def test_an_import_onto_a_full_disk_says_so_and_leaves_nothing(desk, monkeypatch, refusing):
    def full(*_args, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(refusing, full)
        with pytest.raises(OutputError, match=r"^不能写入复核记录.*：磁盘已满，请腾出空间。$"):
            take_in(desk / "filled.xlsx", workspace=desk)
    assert (given(desk), left_over(desk)) == (0, [])
    assert take_in(desk / "filled.xlsx", workspace=desk).fresh == ASKED


def test_imports_killed_at_random_moments_lose_nothing(desk):
    fresh = shutil.copytree(desk / "feedback", desk / "fresh")
    words = ("review", "import", desk / "filled.xlsx", "--workspace", desk)
    line = f"读到 {ASKED} 件判断（不确定/跳过 4），新的或改过的 {ASKED} 件已存；没有看的 0 件。\n"
    seconds = []
    for _ in range(3):
        shutil.rmtree(desk / "feedback")
        shutil.copytree(fresh, desk / "feedback")
        started = time.monotonic()
        assert start(*words).ended() == (0, line, "")
        seconds.append(time.monotonic() - started)
    statuses = []
    for moment in moments(min(seconds), IMPORT_KILLS):
        shutil.rmtree(desk / "feedback")
        shutil.copytree(fresh, desk / "feedback")
        status, out, _ = start(*words).ended(moment)
        statuses.append(status)
        kept = given(desk)
        assert kept == ASKED if out else kept in {0, ASKED}, "what was reported is kept"
        assert take_in(desk / "filled.xlsx", workspace=desk).fresh == ASKED - kept
        assert given(desk) == ASKED
        assert set(left_over(desk)) <= {".head.json.new"}, "of the log, by a name that its next line uses too"
    assert start(*words).ended()[0] == 0
    assert left_over(desk) == []
    assert statuses.count(-signal.SIGKILL) >= IMPORT_KILLS // 2
    assert set(statuses) <= {0, -signal.SIGKILL}


def test_people_importing_at_once_lose_nothing(desk):
    people = [f"第{i}人" for i in range(6)]
    book = openpyxl.load_workbook(desk / "filled.xlsx")
    for by in [*people, *"甲乙"]:
        book[c.GUIDE]["B2"] = by
        book.save(desk / f"{by}.xlsx")
    children = [forked(lambda by=by: take_in(desk / f"{by}.xlsx", workspace=desk)) for by in people]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(people)
    assert [given(desk, by) for by in people] == [ASKED] * len(people)
    both = [start("review", "import", desk / f"{by}.xlsx", "--workspace", desk) for by in "甲乙"]
    assert [command.ended()[0] for command in both] == [0, 0]
    assert [given(desk, by) for by in "甲乙"] == [ASKED, ASKED]


@pytest.mark.parametrize("own", [True, False], ids=["own registry", "first training"])
def test_a_training_killed_before_any_of_its_writes_leaves_a_model_and_the_next_is_promoted(
    pupil, school, no_learning, monkeypatch, own
):
    before, after = usable(pupil), school.outcome.trained.model.version
    if not own:  # the shipped model is the school's, and is copied first
        monkeypatch.setattr("pipeline.workspace.SHIPPED", school.root)
        shutil.rmtree(pupil / "models")
    fresh = pupil / "fresh"
    if own:
        shutil.copytree(pupil / "models", fresh)
    active = []
    for k in itertools.count(1):
        shutil.rmtree(pupil / "models", ignore_errors=True)
        if own:
            shutil.copytree(fresh, pupil / "models")
        done = survives(pupil, k, lambda: train(workspace=pupil, force="试"))
        active.append(usable(pupil))
        if not done and k % 3 == 0:  # a candidate of other labels would find the registry so
            own_models(Workspace(root=pupil))
            assert usable(pupil) == active[-1]
            assert left_over(pupil / "models") == []
        train(workspace=pupil, force="试")
        assert usable(pupil) == after == history(pupil / "models")[-1]["to"]
        assert left_over(pupil / "models") == []
        if done:
            break
    assert active == sorted(active, key=[before, after].index), "the pointer moves once"
    assert set(active) == {before, after}
    assert k > 25, "the lock, five files, their folder, its place, the history, the pointer"
    assert given(pupil) == ASKED


def test_trainings_killed_at_random_moments_leave_a_model_and_the_next_succeeds(pupil, school):
    before, after = usable(pupil), school.outcome.trained.model.version
    words = ("train", "--workspace", pupil, "--force", "试")
    statuses = []
    seconds = school.seconds
    for moment in moments(1.0, TRAIN_KILLS):
        begun = time.monotonic()
        statuses.append(start(*words).ended(moment * seconds)[0])
        if statuses[-1] == 0:  # the machine has less to do than when the school was made
            seconds = min(seconds, time.monotonic() - begun)
        assert usable(pupil) in {before, after}
        assert given(pupil) == ASKED
        if usable(pupil) == after:  # it came through, or was killed at its end
            shutil.rmtree(pupil / "models")
            shutil.copytree(school.root / "models", pupil / "models")
    assert statuses.count(-signal.SIGKILL) >= TRAIN_KILLS // 2
    assert set(statuses) <= {0, -signal.SIGKILL}
    status, out, _ = start(*words).ended()
    assert status == 0
    passed = school.outcome.verdict.passed
    assert out.splitlines()[-2:] == [
        f"通过检验，已启用 {after}。" if passed else f"没有通过检验，按要求强制启用 {after}。", f"检验页：{(pupil / 'models' / after / 'report.html').resolve()}",
    ]  # fmt: skip
    assert usable(pupil) == after
    assert left_over(pupil / "models") == []


def test_of_two_trainings_at_once_the_later_is_told_that_the_model_changed(pupil, tmp_path):
    before = usable(pupil)
    head(SHIPPED / "data/labelled/added-T.jsonl", tmp_path / "more.jsonl", 20)
    both = [
        start("train", *files, "--workspace", pupil, "--force", "试")
        for files in ([], [tmp_path / "more.jsonl"])
    ]
    results = [command.ended() for command in both]
    now = usable(pupil)
    assert now != before
    for status, out, err in results:
        if status:
            line = f"错误：训练期间当前模型换成了 {now}，与它比较的结论不再适用；请重新运行“qingyi train”。"
            assert (status, err.splitlines()[-1]) == (2, line)
        else:
            assert out.splitlines()[-1].startswith(f"检验页：{(pupil / 'models').resolve()}/trained-")
    moves = history(pupil / "models")[1:]
    assert len(moves) == [status for status, *_ in results].count(0) >= 1
    assert moves[-1]["to"] == now
    assert len(entries(pupil / "models")) == 3, "both candidates are kept"
    assert left_over(pupil / "models") == []


def test_a_move_after_a_line_that_was_cut_short_is_not_lost(pupil, school, no_learning):
    with (pupil / "models/history.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"at": "20')
    train(workspace=pupil, force="试")
    after = school.outcome.trained.model.version
    assert [move["to"] for move in history(pupil / "models")][1:] == [after]
    last = (pupil / "models/history.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    why = "训练并通过检验" if school.outcome.verdict.passed else "没有通过检验，强制启用：试"
    assert json.loads(last)["reason"] == why
    assert active_version(pupil / "models") == after
