"""Kills and signals: whatever moment a run is ended at, its folder holds one run's results and the next run finishes."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import run as way
from pipeline.classifier.read import open_reader
from pipeline.comparing import read_round
from pipeline.errors import OutputError
from pipeline.journal import LOCK, settle
from pipeline.lock import held
from pipeline.outputs.folder import RESULTS, OutputFolder
from pipeline.review.export import model_of
from pipeline.run import classify, report
from pipeline.workspace import Workspace
from tests.test_faults import forked, moments, survives

KILLS = 16
SAYINGS = (
    "质检站的人要红包，不给就拖着不办",
    "盐业公司窗口态度很好，办事公道，从不收礼",
    "来回跑了八趟，材料退了又退",
    "质检站王主任2025年3月收了我两万元现金",
)


def visible(folder):
    """Name → content of what a person sees in a folder; of the run's record without the seconds."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("."):
            found[name] = path.read_bytes()
    if "run.json" in found:
        found["run.json"] = {
            key: value for key, value in json.loads(found["run.json"]).items() if key != "seconds"
        }
    return found


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def part_of(found, *wholes):
    """Whether the files are some of one run's files, and of no other's."""
    return any(found.items() <= whole.items() for whole in wholes)


# the act of putting in place, with files as small as they come


OLD = {
    "run.json": {"letters": ["feedback/甲.docx", "notices/甲.docx"]},
    "report.html": "一",
    "drift.html": "一",
} | dict.fromkeys(("ledger.xlsx", "feedback/甲.docx", "notices/甲.docx", "sealed/clues.xlsx"), "一")
NEW = {
    "run.json": {"letters": ["feedback/甲.docx", "feedback/乙.docx"]},
    "report.html": "二",
    "summary.csv": "二",
} | dict.fromkeys(("ledger.xlsx", "feedback/甲.docx", "feedback/乙.docx"), "二")


def put(folder, files):
    with OutputFolder(folder) as output:
        for name, content in files.items():
            output.path(name).write_text(json.dumps(content))


def there(folder):
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_text())
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).as_posix().startswith(".")
    }


def test_results_killed_before_any_change_of_the_disk_are_one_runs_and_the_next_run_finishes(tmp_path):
    ends = []
    for k in itertools.count(1):
        folder = tmp_path / str(k)
        put(folder, OLD)
        (folder / "feedback/签收.docx").write_text('"somebody\'s own"')
        own = {"feedback/签收.docx": "somebody's own"}
        done = survives(folder, k, lambda folder=folder: put(folder, NEW))
        assert part_of(there(folder), OLD | own, NEW | own), "files of two runs lie side by side"
        settle(folder)
        found = there(folder)
        ends.append("new" if found == NEW | own else "old")
        assert found in (OLD | own, NEW | own)
        settled = hidden(folder)
        put(folder, NEW)
        assert there(folder) == NEW | own
        assert hidden(folder) == []
        if done:
            break
    assert ends == sorted(ends, reverse=True), "one moment decides"
    assert set(ends) == {"old", "new"}
    assert settled == []
    assert k > 40, (
        "lock, staging folder, six files, journal, seven moved aside, six put in place, and the sweeping"
    )


def test_results_where_none_were_are_whole_or_absent(tmp_path):
    for k in itertools.count(1):
        folder = tmp_path / str(k)
        done = survives(tmp_path, k, lambda folder=folder: put(folder, NEW))
        settle(folder)
        assert there(folder) in ({}, NEW)
        put(folder, NEW)
        assert there(folder) == NEW
        assert hidden(folder) == []
        if done:
            break
    assert k > 20


@pytest.mark.parametrize(
    "refusal", [PermissionError(13, "x"), KeyboardInterrupt()], ids=["refused", "interrupted"]
)
def test_a_move_that_fails_undoes_those_before_it(tmp_path, monkeypatch, refusal):
    rename = Path.rename
    for k in itertools.count(1):
        folder = tmp_path / str(k)
        put(folder, OLD)
        count = itertools.count(1)

        def fails_once(self, target, k=k, count=count):
            if next(count) == k:
                raise refusal
            return rename(self, target)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "rename", fails_once)
            try:
                put(folder, NEW)
            except (OutputError, KeyboardInterrupt):
                pass
            else:
                break
        assert (there(folder), hidden(folder)) == (OLD, [])
    assert there(folder) == NEW
    assert k == 1 + len(OLD) + len(NEW)


def cut_short(folder, files):
    """A run killed after it had moved half of its files."""

    def act():
        rename, count = Path.rename, itertools.count(1)

        def rename_or_die(self, target):
            if next(count) == len(files) // 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return rename(self, target)

        Path.rename = rename_or_die  # type: ignore[method-assign]
        with OutputFolder(folder) as output:
            for name, content in files.items():
                output.path(name).write_bytes(content)

    assert os.waitpid(forked(act), 0)[1] == signal.SIGKILL
    assert not (folder / "run.json").exists()


def test_whoever_reads_results_completes_them(tmp_path, round1, workspace):
    names = ("opinions.parquet", "findings.parquet", "tables.json", "report.html", "run.json", "summary.csv")
    files = {name: (round1.folder / name).read_bytes() for name in names}
    cut_short(tmp_path / "a", files)
    assert model_of(tmp_path / "a") == round1.run["model"]
    cut_short(tmp_path / "b", files)
    assert read_round(tmp_path / "b", workspace).run["rows_read"] == round1.run["rows_read"]
    for folder in (tmp_path / "a", tmp_path / "b"):
        assert {path.name for path in folder.iterdir()} == set(names)


@pytest.mark.parametrize("name", ["../kept", "feedback/../../kept", "/etc/kept", ".ssh", "other/x", 7])
def test_a_journal_from_elsewhere_moves_nothing(tmp_path, name):
    kept = tmp_path / "kept"
    kept.write_text("x")
    staging = tmp_path / "out/.qingyi-1"
    staging.mkdir(parents=True)
    (staging / ".moves.json").write_text(json.dumps({"written": [], "replaced": [name]}))
    with pytest.raises(OutputError, match="移动记录读不懂"):
        put(tmp_path / "out", NEW)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {staging.name}
    assert kept.read_text() == "x"


def test_a_journal_that_cannot_be_read_for_once_costs_nothing(tmp_path, monkeypatch):
    cut_short(tmp_path / "a", {name: json.dumps(content).encode() for name, content in NEW.items()})
    before = {path.name for path in (tmp_path / "a").rglob("*")} - {LOCK}
    with monkeypatch.context() as once:
        once.setattr(Path, "read_text", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "")))
        with pytest.raises(OutputError, match="还没有放完"):
            settle(tmp_path / "a")
    assert {path.name for path in (tmp_path / "a").rglob("*")} - {LOCK} == before
    settle(tmp_path / "a")
    assert there(tmp_path / "a") == NEW


# whole runs


@pytest.fixture(scope="module")
def rounds(tmp_path_factory):
    """Two inputs, and what each command makes of the second where the results of the first lie: uninterrupted."""
    root = tmp_path_factory.mktemp("rounds")
    (root / "data").mkdir()
    (root / "data/departments.csv").write_text(
        'code,name,parent,kind,aliases\nA,"质检站",,office,\nB,"盐业公司",,office,\n', encoding="utf-8"
    )
    for name, n in (("first", 24), ("second", 60)):
        rows = "".join(f"{SAYINGS[i % 4]}，第{i}回,2026-0{1 + i % 6}-11\n" for i in range(n))
        (root / f"{name}.csv").write_text(f"意见内容,日期\n{rows}", encoding="utf-8")
    report([root / "first.csv"], root / "before", workspace=root, jobs=1)
    for command in (report, classify):
        shutil.copytree(root / "before", root / command.__name__)
        command([root / "second.csv"], root / command.__name__, workspace=root, jobs=1)
    return root


@pytest.mark.parametrize("command", [report, classify])
def test_runs_killed_at_random_moments_leave_one_runs_results_and_the_next_finishes(
    rounds, tmp_path, monkeypatch, command
):
    before, after = visible(rounds / "before"), visible(rounds / command.__name__)
    assert before["opinions.csv"] != after["opinions.csv"]
    folder = tmp_path / "out"
    reader = open_reader(Workspace(root=rounds))
    monkeypatch.setattr(way, "open_reader", lambda _: reader)  # which changes nothing on the disk

    def run():
        command([rounds / "second.csv"], folder, workspace=rounds, jobs=1)

    shutil.copytree(rounds / "before", folder)
    started = time.monotonic()
    assert os.waitpid(forked(run), 0)[1] == 0
    seconds = time.monotonic() - started
    assert visible(folder) == after
    ends = []
    for number, moment in enumerate(moments(seconds, KILLS)):
        shutil.rmtree(folder)
        shutil.copytree(rounds / "before", folder)
        child = forked(run)
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
        ends.append(os.waitpid(child, 0)[1])
        assert part_of(visible(folder), before, after)
        settle(folder)
        assert visible(folder) in (before, after)
        if number % 4 == 0:
            run()
            assert visible(folder) == after, "nothing is counted twice"
            assert hidden(folder) == []
    assert ends.count(signal.SIGKILL) >= KILLS // 4, (
        "the machine ran faster than when the moments were chosen"
    )
    assert set(ends) <= {0, signal.SIGKILL}


def many(tmp_path):
    path = tmp_path / "many.csv"
    rows = "".join(f"{SAYINGS[i % 4]}，第{i}回\n" for i in range(12000))
    path.write_text("意见内容\n" + rows, encoding="utf-8")
    return path


def processes_of(group):
    """Processes of a session that are still at work."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it ended meanwhile
            continue
        if int(its_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def classifying(folder, jobs):
    words = ("classify", many(folder), "-o", folder / "out", "--jobs", jobs, "--workspace", folder)
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Loops are compiled: on a machine that has not done so yet, a run does nothing else for a minute or two."""
    process = classifying(tmp_path_factory.mktemp("compiled"), 1)
    process.communicate()
    assert process.returncode == 0


@pytest.fixture(params=[4])
def busy(tmp_path, request, compiled):
    """A run on two processors, in a session of its own, once so many processes are there: four with all its workers."""
    if (os.cpu_count() or 1) < 2 or not Path("/proc/self/stat").exists():
        pytest.skip("needs two processors and /proc")
    process = classifying(tmp_path, 2)
    while len(processes_of(process.pid)) < request.param and process.poll() is None:
        time.sleep(0.002)
    yield process
    for left in processes_of(process.pid):
        os.kill(left, signal.SIGKILL)
    process.communicate()


def ended_within(seconds, group):
    deadline = time.monotonic() + seconds
    while processes_of(group) and time.monotonic() < deadline:
        time.sleep(0.1)
    return processes_of(group) == []


def test_the_workers_of_a_killed_run_end_too(busy):
    assert len(processes_of(busy.pid)) >= 4, "itself, a worker, and what watches their resources"
    busy.kill()
    assert ended_within(60, busy.pid)


@pytest.mark.parametrize("busy", [2, 3, 4], indirect=True)
def test_interrupting_a_run_and_its_workers_at_any_moment_is_one_line_and_leaves_nothing(busy, tmp_path):
    os.killpg(busy.pid, signal.SIGINT)
    out, err = busy.communicate(timeout=60)
    assert (busy.returncode, out, err) == (130, "", "\n错误：已中断，没有写出结果。\n")
    assert not (tmp_path / "out").exists()
    assert ended_within(60, busy.pid)


def test_a_worker_ended_from_outside_is_one_line_and_none_is_started_in_its_place(busy, tmp_path):
    for worker in processes_of(busy.pid):
        if "LokyProcess" in Path(f"/proc/{worker}/cmdline").read_text():
            os.kill(worker, signal.SIGKILL)
    out, err = busy.communicate(timeout=60)
    line = "错误：一个工作进程中途被系统结束，多半是内存不足；请关掉别的程序，或加 --jobs 1 再运行。\n"
    assert (busy.returncode, out, err) == (1, "", line)
    assert visible(tmp_path / "out") == {}, "what was read so far is kept for the same command"
    assert ended_within(60, busy.pid)


# two at once


@pytest.fixture
def another(tmp_path):
    """A process that holds a lock until the test ends."""
    children = []

    def hold(path):
        ready, tell = os.pipe()

        def act():
            with held(path, "写"):
                os.write(tell, b"x")
                time.sleep(600)

        children.append(forked(act))
        os.read(ready, 1)
        return children[-1]

    yield hold
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_of_two_runs_on_one_folder_the_second_is_told_who_is_at_it(rounds, tmp_path, another):
    folder = shutil.copytree(rounds / "before", tmp_path / "out")
    before = visible(folder)
    first = another(folder / LOCK)
    with pytest.raises(
        OutputError, match=rf"^另一次运行（进程 {first}，20.* 起）正在写入 .*out；请等它结束再运行。$"
    ):
        report([rounds / "second.csv"], folder, workspace=rounds, jobs=1)
    assert visible(folder) == before
    assert hidden(folder) == [LOCK]


def test_the_lock_of_a_dead_process_keeps_nobody_out(rounds, tmp_path):
    folder = tmp_path / "out"
    child = forked(lambda: die_holding(folder))
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert set(RESULTS).isdisjoint(visible(folder))
    record = json.loads((folder / LOCK).read_text())
    assert record["pid"] == child
    (folder / LOCK).write_text(json.dumps(record | {"pid": os.getppid()}))  # its number is another's now
    put(folder, NEW)
    assert (there(folder), hidden(folder)) == (NEW, [])


def die_holding(folder):
    with OutputFolder(folder):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_lock_from_another_machine_names_it_and_a_damaged_one_nobody(tmp_path, another):
    path = tmp_path / "x.lock"
    another(path)
    path.write_text(json.dumps({"pid": 7, "host": "档案室", "since": "2026-11-01 09:00"}))
    for content, told in ((None, "（档案室 上的进程 7，2026-11-01 09:00 起）"), ('{"pid": []', ""), ("", "")):
        if content is not None:
            path.write_text(content)
        with (
            pytest.raises(OutputError, match=f"^另一次运行{told}正在写信；请等它结束再运行。$"),
            held(path, "写信"),
        ):
            pass


def test_a_lock_that_cannot_be_made_gives_the_systems_reason_and_no_other_run():
    with pytest.raises(FileNotFoundError), held(Path("/proc") / LOCK, "写信"):
        pass


def test_the_store_and_the_registry_name_who_holds_them(tmp_path, another, monkeypatch):
    from pipeline.learn import registry
    from pipeline.review import store

    space = Workspace(root=tmp_path)
    for module in (registry, store):
        monkeypatch.setattr(module, "_LOCK_SECONDS", 0.1)
    (tmp_path / "feedback").mkdir()
    (tmp_path / "models").mkdir()
    holders = [another(tmp_path / name / ".lock") for name in ("models", "feedback")]
    with pytest.raises(OutputError, match=rf"^另一次运行（进程 {holders[0]}，.*）正在改模型登记 .*models；"):
        registry.own_models(space)
    with pytest.raises(
        OutputError, match=rf"^另一次运行（进程 {holders[1]}，.*）正在写复核记录 .*feedback；"
    ):
        store.Store(space.feedback).add_answers([])
