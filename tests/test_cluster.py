"""A run on a cluster: what this machine alone would find, whatever is lost on the way; texts pass between files only."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given
from hypothesis import strategies as st

from pipeline import __version__, comparing
from pipeline.cluster import tasks
from pipeline.cluster.answers import Refused, answered
from pipeline.cluster.connecting import connected
from pipeline.cluster.partitions import Partition, partitions_of, without_password
from pipeline.cluster.tasks import Job, Task, read_partition
from pipeline.engine import identity_of, worker_reading
from pipeline.errors import InputError, OutputError, QingyiError, ShortageError
from pipeline.intake.files import find_files
from pipeline.intake.identities import Identities
from pipeline.intake.reading import Intake
from pipeline.learn.rounds import read_round
from pipeline.outputs.stored import stored_table, table_files
from pipeline.papers import Order
from pipeline.parts import PARTS, Parts
from pipeline.records import Opinion
from pipeline.run import classify, report
from pipeline.workspace import SHIPPED

SECONDS = 180
"""To wait for what takes a few on a machine that does nothing else."""

CLUSTER = """
import os, sys
from distributed import Client, LocalCluster
cluster = LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, memory_limit=None,
                       local_directory=sys.argv[1], silence_logs=50)
print(cluster.scheduler_address, *Client(cluster).run(os.getpid).values(), flush=True)
sys.stdin.read()
"""
COMMANDS = """
import sys
from pipeline.cli import main
for line in sys.argv[1:]:
    try:
        main(line.split())
    except SystemExit as done:
        print(f"<{done.code or 0}>", flush=True)
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SHIPPED)}
CLUE = "质检站王主任2025年3月收了我两万元现金"
COLUMNS = ("编号", "意见内容", "部门", "日期")


@pytest.fixture(scope="module")
def said():
    """Opinions of the corpus."""
    lines = [
        line
        for path in sorted((SHIPPED / "data/labelled").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [json.loads(line)["text"] for line in lines[:1200]]


@pytest.fixture(scope="module")
def loopback():
    """Skips where this machine cannot speak to itself."""
    speaks = (
        "import socket\n"
        "with socket.create_server(('127.0.0.1', 0)) as server: socket.create_connection(server.getsockname(), 5)"
    )
    if subprocess.run([sys.executable, "-c", speaks], capture_output=True, check=False).returncode:
        pytest.skip("no 127.0.0.1 where no interface is up")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Where commands run: results and the log of a workspace lie there."""
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def batch(desk, said):
    """Five files with everything that only the whole run can tell.

    Ids of one file that another has, or that look like those made of a place; texts repeated over files; rejected rows;
    headers that are in one file only; a department that is in no directory.
    """
    folder = desk / "in"
    folder.mkdir()
    table(folder / "a.csv", [(n, text, "税务局", "2025-03-01") for n, text in enumerate([CLUE, *said[:90]])])
    odd = [
        ("1@b:2", "", "", ""),
        ("b:3", said[7], "不在册的局", "三月"),
        ("", said[8], "", ""),
        ("c:2", said[9], "", ""),
    ]
    table(folder / "b.csv", [*odd, *((n, text, "", "") for n, text in enumerate(said[60:130]))])
    names = {"编号": [*map(str, range(60)), *("c:3",) * 20], "意见": said[200:280], "部门": ["质检站"] * 80}
    pq.write_table(pa.table(names), folder / "c.parquet")
    (folder / "d.txt").write_text("\n".join(said[:40]), encoding="utf-8")
    (folder / "sub").mkdir()
    table(
        folder / "sub/a.csv", [("甲", "", "", ""), *(("", f"{n}号窗口不收礼", "", "") for n in range(1100))]
    )
    return folder


def table(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


@pytest.fixture(scope="module")
def many(desk, said):
    """Twenty files: time enough to end something before all are read."""
    folder = desk / "many"
    folder.mkdir()
    for number in range(20):
        part = said[number * 60 : number * 60 + 60]
        table(
            folder / f"{number:02}.csv",
            [(f"{number}-{n}", text, "税务局", "") for n, text in enumerate(part)],
        )
    return folder


@pytest.fixture(scope="module")
def here(desk, batch, many):
    """The same by this machine's own engine; first of all, so that what is compiled is there for workers."""
    return {
        "in": report([batch], desk / "here", workspace=desk, jobs=1, order=Order()),
        "many": classify([many], desk / "here-many", workspace=desk, jobs=1),
    }


@pytest.fixture(scope="module")
def cluster(loopback, here, tmp_path_factory):
    """A scheduler that runs on its own: its address, and the pids of its two workers."""
    words = [sys.executable, "-c", CLUSTER, str(tmp_path_factory.mktemp("workers"))]
    with subprocess.Popen(
        words, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        address, *pids = process.stdout.readline().split()
        yield address, [int(pid) for pid in pids]
        process.stdin.close()


def child(desk, *lines):
    """A process that runs command lines one after the other, without the guard of the network."""
    words = [sys.executable, "-c", COMMANDS, *lines]
    return subprocess.Popen(
        words, cwd=desk, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def ran(desk, *lines):
    """What command lines printed, and in the end how each ended."""
    out, err = child(desk, *lines).communicate(timeout=SECONDS)
    return out, err


def record(folder):
    return {k: v for k, v in json.loads((folder / "run.json").read_text("utf-8")).items() if k != "seconds"}


def rejected(folder):
    rows = []
    for path in table_files(folder, "rejected", ".csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *more = csv.reader(file)
            rows += more
    return header, rows


def same(folder, other):
    """Whether a result folder says what another does, in whatever files; which papers it has."""
    told = record(folder)
    assert told == {name: value for name, value in record(other).items() if name in told}
    assert rejected(folder) == rejected(other)
    for name in ("opinions", "findings"):
        assert stored_table(folder, name).equals(stored_table(other, name)), name
    papers = [
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file()
        and path.name != "run.json"
        and path.parent.name not in {"opinions", "findings", "rejected"}
    ]
    for path in papers:
        assert (folder / path).read_bytes() == (other / path).read_bytes(), path
    return papers


def wait_for(happened, process):
    """Wait until something has happened, while the process is at work."""
    end = time.monotonic() + SECONDS
    while not (found := happened()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)
    return found


def parts_in(folder):
    return sorted(folder.glob(f"{PARTS}*/*.part"))


# what a cluster finds


@pytest.fixture(scope="module")
def own(loopback, here, desk):
    """A report by a cluster of this machine's processes."""
    out, err = ran(desk, "report --engine dask --jobs 2 in -o own")
    assert (out.split()[-1], err) == ("<0>", "")
    return desk / "own"


def test_processes_of_this_machine_write_the_same_report(own, here):
    papers = same(own, here["in"].folder)
    assert {"report.html", "report.xlsx", "summary.csv", "tables.json", "sealed/clues.xlsx"} <= {
        path.as_posix() for path in papers
    }
    run = record(own)
    assert run["notices"]["编号与前面的重复，已加上文件和行号"] > 60
    assert len(stored_table(own, "opinions")) > 1000, "a partition of several parts"
    assert run["rows_rejected"] == 2
    firsts = stored_table(own, "opinions", ["duplicate_of"])["duplicate_of"].to_pylist()
    assert sum(map(bool, firsts)) == run["rows_duplicate"] > 50
    assert [path.name for path in table_files(own, "opinions")] == [f"part-{n:05}.parquet" for n in range(5)]


def test_all_is_its_owners_and_nothing_is_left_over(own, desk):
    paths = [own, *own.rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {0o600}
    assert list(own.rglob(".*")) == []


def test_results_in_parts_are_compared_like_others(own, here, workspace):
    ours, theirs = (comparing.read_round(folder, workspace) for folder in (own, here["in"].folder))
    assert ours.opinions.reset_index(drop=True).equals(theirs.opinions.reset_index(drop=True))
    assert read_round(own).texts == read_round(here["in"].folder).texts


def test_patterns_and_urls_are_read_by_a_scheduler_that_runs(cluster, desk, batch, here):
    address, _ = cluster
    out, err = ran(
        desk,
        f"classify --engine dask --scheduler {address} in/*.csv -o pattern",
        f"classify --engine dask --scheduler {address} file://{batch} -o url",
        f"classify --engine dask --scheduler {address} in --column text=题外 -o absent",
        f"classify --engine dask --scheduler {address} in/d.txt many/00.csv --column channel=部门 -o one",
        "classify --engine dask --scheduler nowhere://x in -o nobody",
    )
    assert [word for word in out.split() if word.startswith("<")] == ["<0>", "<0>", "<2>", "<0>", "<2>"]
    absent, nobody = err.splitlines()
    assert re.fullmatch(r"错误：文件 \S+ 找不到名为“题外”的列；.*", absent)
    assert nobody == (
        "错误：连不上调度程序 nowhere://x；请检查地址（如 tcp://主机:8786），以及它是否在运行。"
    )
    same(desk / "url", here["in"].folder)
    same(
        desk / "pattern",
        classify([batch / "a.csv", batch / "b.csv"], desk / "p", workspace=desk, jobs=1).folder,
    )
    assert not (desk / "absent").exists()
    assert not (desk / "nobody").exists()
    assert set(stored_table(desk / "one", "opinions")["channel"].to_pylist()) == {"", "税务局"}


def test_an_opinion_is_withdrawn_from_results_in_parts(own, tmp_path, run):
    shutil.copytree(own, tmp_path / "own")
    first, *others = stored_table(own, "opinions", ["id"])["id"].to_pylist()
    status, out, err = run("withdraw", first, "--in", tmp_path / "own")
    assert (status, err) == (0, ""), out
    assert not (tmp_path / "own/opinions").exists()
    assert stored_table(tmp_path / "own", "opinions", ["id"])["id"].to_pylist() == others


# what is lost on the way


def test_the_tasks_of_a_worker_that_is_killed_are_done_by_others(cluster, desk, here):
    address, (victim, _) = cluster
    with child(desk, f"classify --engine dask --scheduler {address} many -o killed") as client:
        wait_for(lambda: len(parts_in(desk / "killed")) > 1, client)
        os.kill(victim, signal.SIGKILL)
        before = len(parts_in(desk / "killed"))
        out, err = client.communicate(timeout=SECONDS)
    assert before < 20, "it was killed on the way"
    assert (out.split()[-1], err) == ("<0>", "")
    same(desk / "killed", here["many"].folder)


def test_what_a_killed_run_had_judged_is_taken_over(cluster, desk, here):
    """Its own worker processes end with it; the same command may have other workers."""
    with child(desk, "classify --engine dask --jobs 1 many -o again") as client:
        wait_for(lambda: len(parts_in(desk / "again")) > 3, client)
        client.kill()
    workers_end(desk / "again")
    left = {path.name: path.read_bytes() for path in parts_in(desk / "again")}
    assert 3 < len(left) < 20
    assert not (desk / "again/run.json").exists()
    out, err = ran(desk, f"classify --engine dask --scheduler {cluster[0]} many -o again")
    assert out.split()[-1] == "<0>"
    assert err == f"提示：接着上次中断的地方做，已判定的 {60 * len(left)} 件不再重做。\n"
    same(desk / "again", here["many"].folder)
    assert list((desk / "again").rglob(".*")) == []


def workers_end(folder):
    """Wait until no process works in a folder any more: those of a killed client end by themselves."""
    end = time.monotonic() + SECONDS
    while any(str(folder) in doing(pid) for pid in Path("/proc").glob("[0-9]*")):
        assert time.monotonic() < end
        time.sleep(0.05)


def doing(process):
    """What a process was told to do, and the files it has open."""
    with contextlib.suppress(OSError):
        return (
            f"{(process / 'cmdline').read_bytes()!r} {[fd.readlink() for fd in (process / 'fd').iterdir()]}"
        )
    return ""


def test_results_are_put_in_place_as_a_whole_and_parts_among_them(tmp_path):
    """A kill while files are moved: whoever comes next completes it."""
    from pipeline.journal import settle
    from pipeline.outputs.folder import OutputFolder

    child = os.fork()
    if not child:
        rename = Path.rename

        def rename_or_die(self, target):
            if self.name == "part-00001.parquet":
                os.kill(os.getpid(), signal.SIGKILL)
            return rename(self, target)

        Path.rename = rename_or_die  # type: ignore[method-assign]
        with OutputFolder(tmp_path / "out") as output:
            for n in range(3):
                output.path(f"opinions/part-{n:05}.parquet").write_text(str(n))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    settle(tmp_path / "out")
    assert [path.read_text() for path in table_files(tmp_path / "out", "opinions")] == ["0", "1", "2"]
    with OutputFolder(tmp_path / "out") as output:
        output.path("opinions/part-00000.parquet").write_text("new")
    assert [path.read_text() for path in table_files(tmp_path / "out", "opinions")] == ["new"]


# ids, within a file and over files


@st.composite
def columns_of_ids(draw):
    ids = st.sampled_from(["", "1", "2", "1@f1:2", "f1:2", "f1:2+", "1@f2:3", "f2:3", "1@f2:3+", "f0:2"])
    return draw(st.lists(st.lists(ids, min_size=1, max_size=6), min_size=1, max_size=4))


@given(columns_of_ids())
def test_ids_over_partitions_are_those_of_one_stream(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("ids")
    for number, column in enumerate(files):
        table(folder / f"f{number}.csv", [(identity, "红包", "", "") for identity in column])
    sources = find_files([folder])
    whole = Intake(sources)
    ids = [row.id for row in whole if isinstance(row, Opinion)]
    over_files, found, repeated = Identities(), [], 0
    for source in sources:
        named = tasks._Named()
        assert list(Intake([source], ids=named, whole=False))
        for name in zip(*named.taken(), strict=True):
            identity, again = over_files.one_more(*name)
            found.append(identity)
            repeated += again
    assert found == ids
    assert repeated == whole.notices["编号与前面的重复，已加上文件和行号"]


# which files


class Shelf(DirFileSystem):  # type: ignore[misc]  # no types are published for it
    """A file system of another machine."""

    protocol = "shelf"
    cachable = False
    root = ""

    def __init__(self, **_):
        super().__init__(path=self.root, fs=LocalFileSystem())


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """What lies there: one file may be read, one in a folder, and two are something else."""
    fsspec.register_implementation("shelf", Shelf, clobber=True)
    monkeypatch.setattr(Shelf, "root", str(tmp_path / "shelf"))
    for name in ("in/b.csv", "in/deep/a.csv", "in/.hidden.csv", "in/read.me"):
        path = tmp_path / "shelf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text\n{name}\n", encoding="utf-8")


def names(partitions):
    return [partition.name for partition in partitions]


def test_files_are_those_that_this_machine_would_read_in_the_same_order(batch, tmp_path):
    found = find_files([batch, batch / "a.csv"])
    for given_ in ([batch, batch / "a.csv"], [f"file://{batch}", str(batch / "*.csv")]):
        partitions, passed_over = partitions_of(given_, tmp_path)
        assert [(one.place, one.name, one.size) for one in partitions] == [
            (str(file.path), file.name, file.size) for file in found
        ]
        assert passed_over == []
    assert names(partitions_of([str(batch / "**/*.csv")], tmp_path)[0]) == ["a.csv", "b.csv", "a.csv"]
    (tmp_path / "[1].csv").write_text("text\n一", encoding="utf-8")
    assert names(partitions_of([str(tmp_path / "[1].csv")], tmp_path / "out")[0]) == ["[1].csv"]


def test_urls_are_read_by_a_private_copy(shelf, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    partitions, _ = partitions_of(["shelf://in"], tmp_path)
    assert names(partitions) == ["b.csv", "deep/a.csv"]
    assert names(partitions_of(["shelf://in/*.csv", "shelf://in/b.csv"], tmp_path)[0]) == ["b.csv"]
    with partitions[1].file(scratch) as source:
        (row,) = Intake([source])
        assert isinstance(row, Opinion)
        assert (row.text, row.id) == ("in/deep/a.csv", "deep/a:2")
        assert [path.stat().st_mode & 0o077 for path in scratch.iterdir()] == [0]
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ("memory://a.csv", "^memory:// 只有本进程看得见，"),
        ("s3://bucket/a.csv", r"^读 s3:// 还要另装程序包（pip install s3fs），每个工作节点上都要装。$"),
        ("nowhere://a", "^不认识 nowhere:// 这种地址；"),
        ("shelf://me:secret@absent/a.csv", "^读不到 shelf://absent/a.csv（FileNotFoundError）；"),
        ("shelf://absent/*.csv", "没有可读的文件"),
        ("shelf://in/read.me", "^文件 read.me 的格式不能读；"),
        ("absent/*.csv", r"^没有文件符合 absent/\*.csv；"),
        ("absent.csv", "^找不到文件或文件夹：absent.csv；"),
    ],
)
def test_what_cannot_be_read_by_all_is_refused_in_one_line(given_, told, shelf, tmp_path):
    with pytest.raises(InputError, match=told) as refusal:
        partitions_of([given_], tmp_path)
    assert "secret" not in str(refusal.value)
    assert without_password("ftp://me:secret@host/a") == "ftp://host/a"


# what leaves a worker


@pytest.fixture
def task(tmp_path, workspace, reader):
    """One of a file of three opinions."""
    for name in ("results", "results/rejected", "scratch", "parts"):
        (tmp_path / name).mkdir()
    table(
        tmp_path / "x.csv",
        [("", "税务局的人要红包，鲂鲅鲆鲇", "", ""), ("", "", "鲂鲅鲆鲇", ""), ("", "鲂鲅鲆鲇很好", "", "")],
    )
    job = Job(
        root=workspace.root,
        identity=identity_of(reader),
        columns={},
        parts=Parts(tmp_path / "parts", "run"),
        results=tmp_path / "results",
        scratch=tmp_path / "scratch",
    )
    size = (tmp_path / "x.csv").stat().st_size
    return Task(
        job=job, number=3, partition=Partition(place=str(tmp_path / "x.csv"), name="x.csv", size=size)
    )


def test_no_text_is_in_what_a_task_is_told_and_answers(task):
    counted = read_partition(task)
    assert not isinstance(counted, Refused)
    assert (counted.rows, counted.accepted, counted.rejected, len(counted.parts)) == (3, 2, 1, 1)
    sent = pickle.dumps((task, counted)) + repr((task, counted)).encode()
    assert not any(code in sent for code in (b"\xe9\xb2\x82", "鲂".encode("utf-16-le"), b"\\u9c82"))
    assert "鲂" in task.result("rejected", ".csv").read_text("utf-8-sig")


def test_an_error_of_the_program_tells_the_file_and_the_row_alone(task, monkeypatch):
    def fail(opinions):
        raise ValueError(opinions[0].text)

    monkeypatch.setattr(tasks, "worker_reading", lambda *_: fail)
    refused = read_partition(task)
    assert isinstance(refused, Refused)
    assert type(refused.error()) is QingyiError
    assert str(refused.error()) == (
        "文件 x.csv 读到第 3 行，判定这之前的一批意见时程序内部出错（ValueError），没有写出结果。"
    )
    assert list(task.job.scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (InputError("文件 x.csv 是空的。"), InputError, "^文件 x.csv 是空的。$"),
        (OSError(28, "鲂"), OutputError, "^工作节点 .* 读写失败：磁盘已满，请腾出空间。$"),
        (MemoryError("鲂"), ShortageError, "^工作节点 .* 内存不足"),
        (KeyError("鲂"), QingyiError, r"^工作节点上程序内部出错（KeyError），没有写出结果。$"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_come_back_as_our_own(error, kind, told):
    @answered
    def act(_):
        raise error

    refused = pickle.loads(pickle.dumps(act(None)))  # noqa: S301  # our own
    assert type(refused.error()) is kind
    with pytest.raises(kind, match=told):
        raise refused.error()


def test_a_worker_of_another_version_or_that_sees_no_folder_refuses(task):
    from dataclasses import replace

    other = read_partition(replace(task, job=replace(task.job, program="9.9")))
    assert isinstance(other, Refused)
    assert str(other.error()).endswith(f"上的程序是 {__version__}，这里是 9.9；请装同一版本。")
    blind = read_partition(replace(task, job=replace(task.job, results=task.job.results / "absent")))
    assert isinstance(blind, Refused)
    assert "共享盘" in str(blind.error())


def test_a_task_of_a_run_that_has_ended_ends(task):
    task.job.scratch.rmdir()
    assert isinstance(read_partition(task), Refused)
    assert list((task.job.parts.folder).iterdir()) == []


def test_parts_that_are_whole_are_not_judged_again_and_damaged_ones_are(task, monkeypatch):
    counted = read_partition(task)
    (part,) = task.job.parts.folder.iterdir()
    whole = part.read_bytes()
    read = worker_reading(task.job.root, task.job.identity)
    judged = []

    def counting(opinions):
        judged.append(len(opinions))
        return read(opinions)

    monkeypatch.setattr(tasks, "worker_reading", lambda *_: counting)
    assert read_partition(task) == counted
    assert judged == []
    part.write_bytes(whole[:-100])
    assert read_partition(task) == counted
    assert judged == [2]
    assert part.read_bytes() == whole


# what the user is told


def test_without_dask_one_line_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(InputError, match=r"^用 --engine dask 要先装 Dask：pip install 'qingyi\[cluster\]'"),
        connected("", 1, tmp_path),
    ):
        pass


def test_a_scheduler_without_the_engine_is_refused(run, write):
    status, _, err = run(
        "classify", write("x.csv", "text\n红包"), "-o", "out", "--scheduler", "tcp://127.0.0.1:1"
    )
    assert (status, err) == (2, "错误：--scheduler 要和 --engine dask 一起用。\n")
