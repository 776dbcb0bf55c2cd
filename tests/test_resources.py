"""What a machine may lack or do wrong: disk, memory, a place to write, the right time; and what a long day of runs leaves behind."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import resource
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from benchmarks.soak import soak
from pipeline import reviewing
from pipeline.cli.status import LEAST_MEMORY
from pipeline.errors import OutputError
from pipeline.learn import registry
from pipeline.review import columns as c
from pipeline.review.store import Store
from pipeline.run import report
from pipeline.workspace import SHIPPED, Workspace

# the library of workbooks leaves its files open where the disk refuses them; they lie in the staging folder, which is gone
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SAYINGS = "意见内容,部门\n" + "".join(
    f"质检站的人要红包，不给就拖着不办，第{i}回,质检站\n" for i in range(40)
)
FULL = "磁盘已满，请腾出空间。\n"


def below(folder):
    """Name → content of every file, hidden ones too, but for locks."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    }


@pytest.fixture
def disk(tmp_path):
    """Mount a small disk, by options; where that is not permitted the test is skipped."""
    mounted: list[Path] = []

    def mount(*options):
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        tool = shutil.which("mount")
        if (
            not tool
            or subprocess.run([tool, *options, str(place)], capture_output=True, check=False).returncode
        ):
            pytest.skip("mounting is not permitted here")
        mounted.append(place)
        return place

    yield mount
    gc.collect()
    for place in reversed(mounted):
        subprocess.run([str(shutil.which("umount")), "--lazy", str(place)], check=True)


def fill(place, left=0):
    """Fill a disk but for so many bytes."""
    with contextlib.suppress(OSError), (place / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with (place / "filler").open("rb+") as file:
        file.truncate(max(0, file.seek(0, os.SEEK_END) - left))


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """The results of ``report`` on the opinions above."""
    root = tmp_path_factory.mktemp("reported")
    (root / "a.csv").write_text(SAYINGS, encoding="utf-8")
    return report([root / "a.csv"], root / "out", workspace=root, jobs=1).folder


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ("report", 0),
        ("report", 100 << 10),
        ("report", 180 << 10),
        ("classify", 4 << 10),
        ("classify", 12 << 10),
    ],
)
def test_a_disk_that_fills_is_one_line_and_earlier_results_stay(run, write, disk, reported, command, left):
    source = write("a.csv", SAYINGS)
    place = disk("-t", "tmpfs", "-o", "size=2m", "none")
    shutil.copytree(reported, place / "out")
    fill(place, left)
    before = below(place)
    assert run(command, source, "-o", place / "out", "--jobs", "1") == (
        1, "", f"错误：不能写入输出文件夹 {place / 'out'}：{FULL}",
    )  # fmt: skip
    assert below(place) == before
    (place / "filler").unlink()
    assert run(command, source, "-o", place / "out", "--jobs", "1")[0] == 0


def test_a_comparison_onto_a_disk_that_fills_leaves_nothing(run, disk, round1):
    place = disk("-t", "tmpfs", "-o", "size=100k", "none")
    assert run("compare", round1.folder, round1.folder, "-o", place / "out") == (
        1, "", f"错误：不能写入输出文件夹 {place / 'out'}：{FULL}",
    )  # fmt: skip
    assert below(place) == {}


@pytest.mark.parametrize("size", ["4k", "24k"])
@pytest.mark.parametrize("name", ["sheet.xlsx", "sheet.json"])
def test_a_review_sheet_onto_a_disk_that_fills_leaves_nothing(run, disk, round1, name, size):
    place = disk("-t", "tmpfs", "-o", f"size={size}", "none")
    status, out, err = run("review", "export", round1.folder, "-o", place / name)
    named = {place / name, place / "sheet.xml"}  # the settings of Label Studio are written first
    assert (status, out) == (1, "")
    assert err in {f"错误：不能写入 {path}：{FULL}" for path in named}
    assert below(place) == {}


def test_an_import_onto_a_disk_that_is_full_leaves_the_store_as_it_was(run, disk, round1, tmp_path):
    place = disk("-t", "tmpfs", "-o", "size=4m", "none")
    assert (
        run("review", "export", round1.folder, "-o", tmp_path / "s.xlsx", "--n", "20", "--workspace", place)[
            0
        ]
        == 0
    )
    book = openpyxl.load_workbook(tmp_path / "s.xlsx")
    book[c.GUIDE]["B2"] = "王审"
    sheet = book[c.SHEET]
    verdict = next(cell.column for cell in sheet[1] if cell.value == c.VERDICT)
    for row in range(2, 22):
        sheet.cell(row, verdict).value = c.RIGHT
    book.save(tmp_path / "s.xlsx")
    fill(place)
    before = below(place / "feedback")
    status, out, err = run("review", "import", tmp_path / "s.xlsx", "--workspace", place)
    assert (status, out) == (1, "")
    assert err.splitlines()[-1].startswith("错误：不能写入复核记录")
    assert err.endswith(FULL)
    assert below(place / "feedback") == before
    (place / "filler").unlink()
    assert run("review", "import", tmp_path / "s.xlsx", "--workspace", place)[0] == 0


def test_a_registry_on_a_disk_that_fills_keeps_what_it_had(disk, tmp_path):
    place = disk("-t", "tmpfs", "-o", "size=200k", "none")
    with pytest.raises(OutputError, match=rf"^不能写入模型文件夹 {place}/models：磁盘已满，请腾出空间。$"):
        registry.own_models(Workspace(root=place))
    assert below(place) == {}
    with pytest.raises(OutputError, match="磁盘已满"):
        registry.own_models(Workspace(root=place))
    size = sum(path.stat().st_size for path in (SHIPPED / "models").rglob("*")) + (1 << 20)
    roomy = disk("-t", "tmpfs", "-o", f"size={size}", "none")
    models = registry.own_models(Workspace(root=roomy))
    fill(roomy)
    before = below(models)
    with pytest.raises(OutputError, match="磁盘已满"):
        registry.activate(models, (models / "active").read_text().strip(), "再来" * 4000)
    after = below(models)
    assert after.pop("history.jsonl").startswith(before.pop("history.jsonl"))
    assert after == before
    assert len(registry.history(models)) == 1


def test_standard_output_onto_a_full_disk_is_one_line(write, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    words = ("classify", write("a.csv", SAYINGS), "-o", tmp_path / "out", "--jobs", "1")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *map(str, words)],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, f"错误：不能写文件：{FULL}")


def test_a_disk_that_is_read_only_is_one_line(run, write, disk, tmp_path):
    source = write("a.csv", SAYINGS)
    place = disk("-t", "tmpfs", "-o", "size=64k,ro", "none")
    line = "所在的盘是只读的，请换一个位置。\n"
    for folder in (place, place / "out"):
        assert run("report", source, "-o", folder) == (1, "", f"错误：不能写入输出文件夹 {folder}：{line}")
    with pytest.raises(OutputError, match="所在的盘是只读的"):
        registry.own_models(Workspace(root=place))


def test_results_on_a_disk_that_is_read_only_can_still_be_read(run, disk, round1, tmp_path):
    place = disk("--bind", str(round1.folder))
    if subprocess.run(
        [str(shutil.which("mount")), "-o", "remount,bind,ro", str(place)], check=False
    ).returncode:
        pytest.skip("remounting is not permitted here")
    assert run("compare", place, place, "-o", tmp_path / "compared")[0] == 0
    assert run("review", "export", place, "-o", tmp_path / "sheet.xlsx", "--n", "5")[0] == 0


@pytest.mark.parametrize("kind", ["file", "device", "dangling link", "link in a ring"])
def test_what_is_no_folder_is_refused_and_stays(run, write, tmp_path, kind):
    source, target = write("a.csv", SAYINGS), tmp_path / "out"
    if kind == "file":
        target.write_text("x")
    elif kind == "device":
        target = Path("/dev/null")
    else:
        target.symlink_to(target if kind == "link in a ring" else tmp_path / "gone")
    before = target.lstat()
    status, out, err = run("report", source, "-o", target)
    assert (out, err.count("\n")) == ("", 1)
    assert status in {1, 2}
    assert err.startswith("错误：")
    assert target.name in err
    assert "程序内部出错" not in err
    assert (target.lstat().st_mode, target.lstat().st_ino) == (before.st_mode, before.st_ino)
    assert not (tmp_path / "gone").exists()


def test_results_inside_the_input_are_never_read_as_input(run, write, tmp_path):
    write("in/a.csv", SAYINGS)
    lines = [run("report", tmp_path / "in", "-o", tmp_path / "in/out", "--jobs", "1")[1] for _ in range(2)]
    assert lines[0].splitlines()[0] == lines[1].splitlines()[0] == "读入 40 行，采用 40，未采用 0；重复 39。"
    before = below(tmp_path / "in")
    status, out, err = run("report", tmp_path / "in", "-o", tmp_path / "in")
    assert (status, out) == (2, "")
    assert err == f"错误：结果文件夹不能就是输入文件夹（{tmp_path / 'in'}）；请用 -o 指定另一个。\n"
    assert below(tmp_path / "in") == before


# memory


@pytest.mark.parametrize("megabytes", [100, 300, 450, 700, 1000, 1400])
@pytest.mark.parametrize("jobs", [1, 2])
def test_too_little_memory_is_one_line_at_once(write, tmp_path, megabytes, jobs):
    words = ("report", write("a.csv", SAYINGS), "-o", tmp_path / "out", "--jobs", jobs)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, words)],
        capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20)),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == f"错误：内存不足：限额只有 {megabytes} MB，至少要 {LEAST_MEMORY >> 20} MB；请放宽限额（ulimit -v）再运行。\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["pipeline.engine.Reader.read", "pipeline.papers.write_workbook"])
@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory")])
def test_memory_that_runs_out_is_one_line_and_earlier_results_stay(
    run, write, tmp_path, monkeypatch, reported, place, error
):
    source = write("a.csv", SAYINGS)
    shutil.copytree(reported, tmp_path / "out")
    before = below(tmp_path / "out")

    def exhausted(*_args, **_named):
        raise error

    monkeypatch.setattr(place, exhausted)
    line = "错误：内存不足，没有写出结果；请关掉别的程序，加 --jobs 1，或把输入分成几批再运行。\n"
    assert run("report", source, "-o", "out", "--jobs", "1") == (1, "", line)
    assert below(tmp_path / "out") == before


# the clock


@pytest.fixture
def clock(monkeypatch):
    """A clock that is put back by a day every time somebody looks."""
    looks = iter(range(10_000))
    start = datetime(2026, 11, 20, 8, tzinfo=UTC)

    def now():
        return (start - timedelta(days=next(looks))).isoformat(timespec="seconds")

    monkeypatch.setattr(registry, "now", now)
    monkeypatch.setattr(reviewing, "now", now)
    return now


def test_what_is_asked_later_counts_as_later_though_the_clock_goes_back(tmp_path, round1, clock):
    batches = [
        reviewing.export(round1.folder, tmp_path / f"{i}.xlsx", workspace=tmp_path, n=4 + i, audit=0)
        for i in range(4)
    ]
    kept = Store(tmp_path / "feedback").batches()
    assert [batch.id for batch in kept] == [batch.id for batch in batches]
    assert [batch.at for batch in kept] == sorted({batch.at for batch in kept})
    shared = batches[0].questions[0].key
    asked = Store(tmp_path / "feedback").states()[shared].question
    assert asked == next(question for question in batches[-1].questions if question.key == shared)


def test_moves_of_the_active_model_keep_their_order_though_the_clock_goes_back(tmp_path, clock):
    models = registry.own_models(Workspace(root=tmp_path))
    first = (models / "active").read_text().strip()
    shutil.copytree(models / first, models / "other")
    card = (models / "other/card.json").read_text(encoding="utf-8")
    (models / "other/card.json").write_text(card.replace(first, "other"), encoding="utf-8")
    registry.activate(models, "other", "试")
    assert [move["to"] for move in registry.history(models)] == [first, "other"]
    assert registry.previous(models) == first
    assert registry.rollback(models, "") == first


def test_results_do_not_depend_on_the_clock(tmp_path, write, monkeypatch):
    source = write("a.csv", SAYINGS)
    for name, seconds in (("then", 4_000_000_000), ("now", 400_000_000)):
        monkeypatch.setattr("time.time", lambda seconds=seconds: seconds)
        report([source], tmp_path / name, workspace=tmp_path, jobs=1)
    then, now = below(tmp_path / "then"), below(tmp_path / "now")
    del then["run.json"], now["run.json"]  # it has the seconds it took
    assert then == now


# a long day


def test_runs_in_a_row_leave_no_threads_files_children_or_temporary_files(tmp_path, monkeypatch):
    if not Path("/proc/self/task").exists():
        pytest.skip("needs /proc")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    first, *later = list(soak(8, tmp_path))[1:]
    for held in later:
        assert held.files <= first.files
        assert held.threads <= first.threads
        assert held.children <= first.children
        assert held.temporary == 0
