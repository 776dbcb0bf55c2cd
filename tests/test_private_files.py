"""Files with text are their owner's alone from the moment they are made, lie beside what they become, and none is left over.

Where ``strace`` can be used, every making, renaming and change of mode is followed as the system saw it, also those from C. A file
that a library makes readable by all inside a folder that only its owner may enter (``.qingyi-…``, mode 0700) can be reached by
nobody else: it counts as private until it, or the folder, is moved or opened up.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.canary import Box, files_below

LINES = (
    "report ../in/one -o new",
    "classify ../in/two -o more/new",
    "compare one two -o compared",
    "drift one --since two -o drift.html",
    "review export two -o more.xlsx --n 8",
    "review export two -o more.json --n 8",
    "review import ../in/filled.xlsx --by 丁",
    "review disputes -o settle.xlsx",
    "train ../in/good.jsonl --force 试",
    "evaluate ../in/good.jsonl --json figures.json --page figures.html",
    "withdraw 03901 --in new",
    "purge --before 2025-03-10 --in new --yes",
)  # fmt: skip
TEXTLESS = {
    "desk/models*": "数和片段，没有意见",
    "desk/figures.*": "指标和编号，没有意见",
    "desk/*.lock": "锁，没有内容",
    "in/*": "用户自己的文件，撤回后权限照旧",
}  # fmt: skip
"""What need not be private, and why."""

ELSEWHERE = {
    "/dev/null": "不是文件",
    "/dev/shm/sem.*": "进程之间的信号量，没有内容",  # noqa: S108
}
"""What is made outside the box, and why."""

ALL_IN_ONE = """
import sys
from pipeline.cli import main
for line in sys.argv[1:]:
    try:
        main(line.split())
    except SystemExit as done:
        if done.code:
            sys.exit(f"{line}: {done.code}")
"""

CALLS = "open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,unlink,unlinkat,rmdir"
LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (\d+)")
WORD = re.compile(r'(?:AT_FDCWD|\d+)?(?:<([^>]*)>)?,? ?"((?:[^"\\]|\\.)*)"')


@dataclass
class Disk:
    """Modes of what lies in the box, as one change after the other is made to them."""

    root: Path
    cwd: Path
    modes: dict[Path, int]
    elsewhere: list[str] = field(default_factory=list)
    bared: set[str] = field(default_factory=set)

    def made(self, path: Path, mode: int) -> None:
        if self.root in path.parents:
            self.modes.setdefault(path, mode)
        else:
            self.elsewhere.append(str(path))

    def moved(self, source: Path, target: Path) -> None:
        if self.root not in target.parents:
            self.elsewhere.append(str(target))
        for path in [path for path in self.modes if path == source or source in path.parents]:
            self.modes[target / path.relative_to(source)] = self.modes.pop(path)

    def changed(self, path: Path, mode: int) -> None:
        if path in self.modes:
            self.modes[path] = mode

    def removed(self, path: Path) -> None:
        self.modes.pop(path, None)

    def look(self, known: set[Path]) -> None:
        """Note which files that are not ``known`` can now be reached and read by others."""
        for path, mode in self.modes.items():
            open_way = all(self.modes[folder] & 0o011 for folder in path.parents if folder in self.modes)
            if path not in known and open_way and mode & 0o077 and path.suffix:
                self.bared.add(path.relative_to(self.root).as_posix())


def read(octal: str) -> str:
    """A path as strace writes it: bytes that are not ASCII in octal."""
    return octal.encode().decode("unicode_escape").encode("latin-1").decode()


def follow(trace: Path, disk: Disk, known: set[Path]) -> int:
    """Carry out on ``disk`` what the trace tells; how many changes that were."""
    changes = 0
    for call, words in calls(trace):
        paths = [
            Path(os.path.normpath(os.path.join(read(place) or disk.cwd, read(name))))  # noqa: PTH118
            for place, name in WORD.findall(words)
        ]
        mode = int(words.rsplit(" ", 1)[-1], 8) if re.search(r" 0\d+$", words) else 0
        if call.startswith("mkdir") or (call.startswith("open") and "O_CREAT" in words):
            disk.made(paths[0], mode)
        elif "chmod" in call:
            disk.changed(paths[0] if paths else Path(read(re.findall("<([^>]*)>", words)[0])), mode)
        elif call.startswith("rename"):
            disk.moved(*paths)
        elif call.startswith(("link", "symlink")):
            disk.made(paths[1], disk.modes.get(paths[0], 0o777))
        elif call.startswith(("unlink", "rmdir")):
            disk.removed(paths[0])
        else:
            continue
        changes += 1
        disk.look(known)
    return changes


def calls(trace: Path) -> Iterator[tuple[str, str]]:
    """Calls that succeeded, with what they were given; those that another process's cut in two are put together."""
    begun = {}
    for line in trace.read_text(encoding="ascii").splitlines():
        number = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            begun[number] = line.removesuffix("<unfinished ...>")
            continue
        whole = begun.pop(number) + line.split(" resumed>", 1)[1] if " resumed>" in line else line
        if match := LINE.match(whole):
            yield match[2], match[3]


def traceable(folder: Path) -> bool:
    tried = ["strace", "-o", str(folder / "try"), "true"]
    return (
        bool(shutil.which("strace"))
        and not subprocess.run(tried, capture_output=True, check=False).returncode
    )


@pytest.fixture(scope="module")
def day(desk, tmp_path_factory):
    """A day's work under ``umask 000``, on a desk that everybody may enter and read; the box, what was there, and the trace where there is one."""
    root = tmp_path_factory.mktemp("private")
    box = Box(desk, root / "box")
    for path in (box.root, *box.root.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    before = {path: stat.S_IMODE(path.stat().st_mode) for path in (box.root, *box.root.rglob("*"))}
    trace = root / "trace" if traceable(root) else None
    tracing = (
        ["strace", "-f", "-y", "--seccomp-bpf", "-s", "4096", "-e", f"trace={CALLS}", "-o", str(trace)]
        if trace
        else []
    )
    done = subprocess.run(
        [*tracing, sys.executable, "-c", ALL_IN_ONE, *LINES],
        cwd=box.root / "desk", env=box.env, capture_output=True, text=True, umask=0, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return box, before, trace


def textless(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in TEXTLESS)


def test_what_has_text_is_its_owners_alone(day):
    box, before, _ = day
    new = [path for path in files_below(box.root) if path not in before]
    names = {path.relative_to(box.root).as_posix() for path in new}
    assert {
        "desk/new/opinions.csv",
        "desk/more/new/findings.parquet",
        "desk/settle.xlsx",
        "desk/drift.html",
    } <= names
    open_ones = [
        path.relative_to(box.root).as_posix()
        for path in new
        if path.stat().st_mode & 0o077
        and not any(folder not in before and not folder.stat().st_mode & 0o077 for folder in path.parents)
    ]
    assert [name for name in open_ones if not textless(name)] == []
    results = [
        box.root / "desk/new",
        box.root / "desk/more/new",
        box.root / "desk/compared",
        box.root / "desk/audit",
    ]
    for folder in results:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in files_below(folder)} == {0o600}, folder


def test_nothing_is_left_in_temporary_folders(day):
    box, *_ = day
    assert [
        path for name in ("home", "tmp", "cache", "config", "run") for path in (box.root / name).iterdir()
    ] == []
    assert [
        path for path in box.root.rglob(".*") if path.is_dir() or path.name.startswith((".new-", ".clues-"))
    ] == []


def test_at_no_moment_could_anybody_else_read_a_text(day):
    """Nor is anything written elsewhere than beside what it becomes: not in ``/tmp``, a cache, or the program's folder."""
    box, before, trace = day
    if trace is None:
        pytest.skip("no strace on this machine, or it may not trace")
    disk = Disk(box.root, box.root / "desk", dict(before))
    assert follow(trace, disk, set(before)) > 200
    assert sorted(name for name in disk.bared if not textless(name)) == []
    assert disk.bared, "the models are seen to be open: what is looked at would show"
    made = [
        path for path in disk.elsewhere if not any(fnmatch.fnmatchcase(path, known) for known in ELSEWHERE)
    ]
    assert made == []
    private = ("home", "tmp", "cache", "config", "run")
    assert [
        path for path in disk.modes if path not in before and path.relative_to(box.root).parts[0] in private
    ] == []


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("report ../in/one -o new", "pipeline.papers.write_briefing"),
        ("classify ../in/one -o new", "pipeline.outputs.cells.csv_cell"),
        ("compare one two -o new", "pipeline.comparing.write_comparison"),
        ("drift one -o drift.html", "pipeline.drifting.drift_page"),
        ("review export two -o more.xlsx --n 8", "pipeline.reviewing.write_review_sheet"),
        ("review export two -o more.json --n 8", "pipeline.reviewing.tasks"),
        ("review disputes -o settle.xlsx", "pipeline.reviewing.write_review_sheet"),
        ("review import ../in/filled.xlsx --by 丁", "pipeline.review.stored.lines"),
        ("train ../in/good.jsonl --force 试", "pipeline.learn.registry.save_model"),
    ],
    ids=lambda value: value.rpartition(".")[2] if "pipeline" in value else value.split(" -o")[0],
)  # fmt: skip
def test_told_to_end_a_command_takes_its_files_away_and_after_a_kill_the_next_does(
    line, moment, desk, tmp_path
):
    """Told just after ``moment``, when its files are half-written."""
    box = Box(desk, tmp_path / "box")
    for told, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        before = set(files_below(box.root))
        assert box.fork(line, stopping=moment, told=told) == status
        left = [
            path
            for path in files_below(box.root)
            if path not in before and not kept(path.relative_to(box.root / "desk"))
        ]
        assert told == signal.SIGKILL or left == []
    assert box.fork(line) == 0
    assert [
        path
        for path in (box.root / "desk").rglob(".*")
        if path.name.startswith((".qingyi-", ".new-", ".building-", ".clues-"))
    ] == []
    assert [
        path for name in ("home", "tmp", "cache", "config", "run") for path in (box.root / name).iterdir()
    ] == []


def kept(path: Path) -> bool:
    """What a command keeps in the end whatever becomes of it: the log, what was asked, and locks."""
    return path.parts[0] == "audit" or path.parts[:2] == ("feedback", "questions") or path.name == ".lock"


def test_the_following_sees_what_is_open(tmp_path):
    """The check itself: made wide, made wide in a private folder and moved out, and opened up later."""
    box = tmp_path / "box"
    lines = {
        f'1 openat(AT_FDCWD<{box}>, "a.csv", O_WRONLY|O_CREAT, 0666) = 3': {"a.csv"},
        f'1 openat(AT_FDCWD<{box}>, "b.csv", O_WRONLY|O_CREAT, 0600) = 3</b>': set(),
        f'1 mkdir("{box}/p", 0700) = 0': set(),
        f'1 openat(AT_FDCWD<{box}>, "p/c.csv", O_WRONLY|O_CREAT, 0666) = 3': set(),
        '1 rename("p/c.csv", "c.csv") = 0': {"c.csv"},
        f"1 fchmod(3<{box}/b.csv>, 0644) = 0": {"b.csv"},
    }  # fmt: skip
    disk = Disk(box, box, {box: 0o777})
    for line, bared in lines.items():
        (tmp_path / "trace").write_text(line, encoding="ascii")
        disk.bared.clear()
        assert follow(tmp_path / "trace", disk, set()) == 1
        assert bared <= disk.bared <= bared | {"a.csv", "c.csv"}
    assert json.dumps(disk.elsewhere) == "[]"
