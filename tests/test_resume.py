"""A run that was stopped goes on where it stopped: the same files as of one that was not, and nothing is left behind."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from pipeline import engine
from pipeline.classifier.read import Reader, open_reader
from pipeline.cli import main
from pipeline.errors import RESUMABLE, InputError, OutputError
from pipeline.journal import LOCK
from pipeline.learn.registry import own_models
from pipeline.lock import held
from pipeline.outputs.folder import private_file
from pipeline.parts import PARTS
from pipeline.run import classify, report
from pipeline.withdrawing.ways import purge, withdraw
from pipeline.workspace import Workspace
from tests.test_faults import forked, moments
from tests.test_interrupted import ended_within, processes_of, visible

ROWS, PART, KILLS = 160, 10, 4
SAYINGS = (
    "质检站的人要红包，不给就拖着不办",
    "盐业公司窗口态度很好，办事公道，从不收礼",
    "质检站王主任2025年3月收了我两万元现金",
    "来回跑了八趟，材料退了又退",
    "",
)
LINE = "提示：接着上次中断的地方做，已判定的 {} 件不再重做。\n"


@contextlib.contextmanager
def small_parts(reader):
    """Runs of many parts, for which the model is loaded once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "PART", PART)
        patch.setattr("pipeline.run.open_reader", lambda space: replace(reader, directory=space.directory))
        yield


@pytest.fixture(autouse=True)
def quick(reader):
    with small_parts(reader):
        yield


def make_space(root):
    """A workspace with an input of many parts, some of whose rows are rejected."""
    (root / "data").mkdir(parents=True)
    directory = 'code,name,parent,kind,aliases\nA,"质检站",,office,\nB,"盐业公司",,office,\n'
    (root / "data/departments.csv").write_text(directory, encoding="utf-8")
    rows = "".join(
        f"{i},{SAYINGS[i % 5]}{f'，第{i // 8}回' if i % 5 < 4 else ''},2026-0{1 + i % 6}-11\n"
        for i in range(ROWS)
    )
    (root / "意见.csv").write_text(f"编号,意见内容,日期\n{rows}", encoding="utf-8")
    return root


@pytest.fixture
def space(tmp_path):
    return make_space(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, reader):
    """Command → the files of a run that nobody stopped; and how long it took in a process of its own."""
    root = make_space(tmp_path_factory.mktemp("undisturbed"))
    with small_parts(reader):
        os.waitpid(
            forked(lambda: run(root, classify, "warming")), 0
        )  # what is compiled is compiled once on a machine
        started = time.monotonic()
        assert os.waitpid(forked(lambda: run(root, classify, "classify")), 0)[1] == 0
        seconds = time.monotonic() - started
        run(root, report, "report")
    return {classify: visible(root / "classify"), report: visible(root / "report"), "seconds": seconds}


def accepted():
    return sum(bool(SAYINGS[i % 5]) for i in range(ROWS))


def run(space, command=classify, out="out", **options):
    return command([space / "意见.csv"], space / out, workspace=space, jobs=1, **options)


@pytest.fixture
def read_again(monkeypatch):
    """How many opinions were read, not taken over."""
    counts = []
    told = Reader.told

    def counting(self, opinions, sight):
        counts.append(len(opinions))
        return told(self, opinions, sight)

    monkeypatch.setattr(Reader, "told", counting)
    return counts


def left(space, out="out"):
    """Files of parts, by number."""
    return sorted((space / out).glob(PARTS + "*/*"))


def hidden(space, out="out"):
    return [path for path in (space / out).rglob("*") if path.name.startswith(".")]


def stopped(space, after, command=classify, told=signal.SIGKILL, out="out"):
    """A run in a process of its own that is told to end when it has written so many parts."""

    def act():
        tell, count = Reader.told, 0

        def telling(self, opinions, sight):
            nonlocal count
            if count == after:
                os.kill(os.getpid(), told)
            count += 1
            return tell(self, opinions, sight)

        Reader.told = telling  # type: ignore[method-assign]
        main(
            [
                command.__name__,
                str(space / "意见.csv"),
                "-o",
                str(space / out),
                "--workspace",
                str(space),
                "--jobs",
                "1",
            ]
        )

    os.waitpid(forked(act), 0)
    assert len(left(space, out)) == after


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (report, signal.SIGKILL),
        (classify, signal.SIGKILL),
        (classify, signal.SIGINT),
        (classify, signal.SIGTERM),
    ],
)
def test_a_stopped_run_goes_on_and_gives_the_same_files(
    space, undisturbed, read_again, capsys, command, told
):
    stopped(space, 7, command, told)
    assert set(visible(space / "out")) == set(), "no results yet"
    assert {stat.S_IMODE(path.stat().st_mode) for path in left(space)} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in left(space)} == {0o700}
    capsys.readouterr()
    run(space, command)
    assert sum(read_again) == accepted() - 7 * PART
    assert capsys.readouterr().err == LINE.format(7 * PART)
    assert visible(space / "out") == undisturbed[command]
    assert hidden(space) == []


@pytest.mark.parametrize("told", [signal.SIGKILL, signal.SIGINT])
def test_runs_stopped_at_random_moments_again_and_again_give_the_same_files(space, undisturbed, told):
    taken_over = 0
    for moment in moments(undisturbed["seconds"], KILLS):
        child = forked(lambda: run(space))
        time.sleep(moment)
        os.kill(child, told)
        os.waitpid(child, 0)
        there = visible(space / "out")
        assert there in ({}, undisturbed[classify])
        taken_over = max(taken_over, len(left(space)))
        if there:
            shutil.rmtree(space / "out")
    run(space)
    assert taken_over > 1
    assert visible(space / "out") == undisturbed[classify]
    assert hidden(space) == []


MAIN = f"from pipeline import engine; engine.PART = {PART}; from pipeline.cli import main; main()"


@pytest.mark.parametrize("told", [signal.SIGKILL, signal.SIGINT])
def test_a_run_on_two_processors_goes_on(space, undisturbed, read_again, capfd, told):
    if (os.cpu_count() or 1) < 2:
        pytest.skip("needs two processors")
    words = ["classify", space / "意见.csv", "-o", space / "out", "--workspace", space, "--jobs", "2"]
    process = subprocess.Popen([sys.executable, "-c", MAIN, *map(str, words)], start_new_session=True)
    while sum(path.suffix == ".part" for path in left(space)) < 4 and process.poll() is None:
        time.sleep(0.001)
    os.kill(process.pid, told)
    process.wait(60)
    assert ended_within(60, process.pid), processes_of(process.pid)
    whole = len([path for path in left(space) if path.suffix == ".part"])
    assert whole >= 4
    assert not visible(space / "out")
    said = capfd.readouterr().err
    assert told == signal.SIGKILL or said == f"\n错误：已中断，{RESUMABLE}。\n"
    run(space)
    assert capfd.readouterr().err == LINE.format(min(whole * PART, accepted()))
    assert accepted() - sum(read_again) == min(whole * PART, accepted())
    assert visible(space / "out") == undisturbed[classify]
    assert hidden(space) == []


def test_a_stop_before_anything_is_whole_leaves_nothing(space):
    stopped(space, 0, told=signal.SIGINT)
    assert not (space / "out").exists()


def change_text(space):
    content = (space / "意见.csv").read_text("utf-8")
    (space / "意见.csv").write_text(content.replace("第0回", "第零回"), "utf-8")


def change_directory(space):
    with (space / "data/departments.csv").open("a", encoding="utf-8") as file:
        file.write('C,"盐务局",,office,\n')


def change_name(space):
    (space / "意见.csv").rename(space / "别的.csv")


def change_model(space):
    """The same weights under another version's name."""
    models = own_models(Workspace(root=space))
    first = (models / "active").read_text().strip()
    shutil.copytree(models / first, models / "other")
    card = (models / "other/card.json").read_text("utf-8")
    (models / "other/card.json").write_text(card.replace(first, "other"), "utf-8")
    (models / "active").write_text("other")


@pytest.mark.parametrize("change", [change_text, change_directory, change_name, change_model])
def test_another_input_directory_or_model_is_read_from_the_beginning(
    space, read_again, change, capsys, monkeypatch
):
    stopped(space, 5)
    change(space)
    monkeypatch.setattr("pipeline.run.open_reader", open_reader)
    (path,) = space.glob("*.csv")
    classify([path], space / "out", workspace=space, jobs=1)
    assert sum(read_again) == accepted()
    assert "接着" not in capsys.readouterr().err
    assert hidden(space) == []


def test_another_column_reads_from_the_beginning(space, read_again):
    stopped(space, 5)
    run(space, columns={"channel": "编号"})
    assert sum(read_again) == accepted()
    assert hidden(space) == []


def test_classified_to_the_middle_and_then_reported_is_read_once(space, undisturbed, read_again):
    stopped(space, 6)
    run(space, report)
    assert sum(read_again) == accepted() - 6 * PART
    assert visible(space / "out") == undisturbed[report]


@pytest.mark.parametrize("damage", ["cut short", "empty", "another's", "of other rows", "a byte"])
def test_a_part_that_cannot_be_trusted_is_read_anew(space, undisturbed, read_again, damage):
    stopped(space, 4)
    path, other = left(space)[1:3]
    content = path.read_bytes()
    if damage == "another's":
        change_directory(make_space(space / "b"))
        stopped(space / "b", 2)
        content = left(space / "b")[1].read_bytes()
    else:
        content = {
            "cut short": content[:-9],
            "empty": b"",
            "of other rows": other.read_bytes(),
            "a byte": content[:1000] + bytes([content[1000] ^ 1]) + content[1001:],
        }[damage]
    path.write_bytes(content)
    run(space)
    assert sum(read_again) == accepted() - 3 * PART
    assert visible(space / "out") == undisturbed[classify]
    assert hidden(space) == []


def test_an_error_of_the_input_leaves_no_parts(space):
    (space / "后.csv").write_text("甲,乙\n一,二\n", "utf-8")
    for before in (0, 3):
        if before:
            stopped(space, before)
        with pytest.raises(InputError):
            classify([space / "意见.csv", space / "后.csv"], space / "out", workspace=space, jobs=1)
        assert not (space / "out").exists()


def test_a_disk_that_fills_while_parts_are_written_is_one_line_and_leaves_nothing(space, monkeypatch):
    def full(*_args, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipeline.parts.files.pq.write_table", full)
    with pytest.raises(OutputError, match=r"^不能写入输出文件夹 .*out：磁盘已满，请腾出空间。$"):
        run(space)
    assert not (space / "out").exists()


def test_memory_that_ran_out_is_gone_on_after(space, read_again, monkeypatch):
    told = Reader.told

    def short(self, opinions, sight):
        if len(read_again) == 6:
            raise MemoryError
        return told(self, opinions, sight)

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "told", short)
        with pytest.raises(MemoryError):
            run(space)
    assert len(left(space)) == 6
    read_again.clear()
    run(space)
    assert sum(read_again) == accepted() - 6 * PART


def test_results_already_there_stay_until_the_new_ones_are_whole(space):
    run(space)
    before = visible(space / "out")
    change_text(space)
    stopped(space, 5)
    assert visible(space / "out") == before
    run(space)
    assert visible(space / "out") != before
    assert hidden(space) == []


def test_whoever_else_writes_in_the_folder_takes_the_parts_away(space):
    stopped(space, 5)
    with private_file(space / "out/sheet.xlsx") as path:
        path.write_bytes(b"x")
    assert hidden(space) == []


@pytest.mark.parametrize(
    "taking",
    [lambda space: withdraw(["没有"], workspace=space), lambda space: purge("2020-01-01", workspace=space)],
)
def test_withdrawing_takes_parts_away_whatever_is_withdrawn(space, taking):
    """Nobody can tell which opinions are in them."""
    stopped(space, 5)
    with contextlib.suppress(InputError):
        taking(space)
    assert left(space) == []


def test_a_withdrawal_of_many_opinions_keeps_no_parts(space, read_again, monkeypatch):
    monkeypatch.setattr("pipeline.workers.os.cpu_count", lambda: 1)
    run(space)
    read_again.clear()
    withdraw(["3"], workspace=space)
    assert len(read_again) > 1, "the rest is read in several parts"
    assert hidden(space) == []


def test_a_dry_withdrawal_leaves_them(space):
    stopped(space, 5)
    purge("2020-01-01", workspace=space, dry_run=True)
    assert len(left(space)) == 5


def test_parts_of_a_run_at_work_are_not_touched(space):
    stopped(space, 5)
    with held(space / "out" / LOCK, "写"), pytest.raises(OutputError, match="另一次运行"):
        run(space)
    assert len(left(space)) == 5


def test_no_text_is_told(space, capsys):
    stopped(space, 5)
    run(space)
    told = capsys.readouterr()
    assert not any(saying in told.out + told.err for saying in SAYINGS if saying)
    record = json.loads((space / "out/run.json").read_text("utf-8"))
    assert record["rows_accepted"] == accepted()
