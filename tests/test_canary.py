"""Every command with unmistakable words in every odd place: where are they found afterwards, in any byte written anywhere?

Each command runs in a box of its own (home, temporary folder, cache, current folder, results) as a process of its own, as it
should and made to fail: broken input, a full disk, and an error from inside that quotes the words, the way libraries do. Then
every file of the box is searched, inside zip files and Parquet too, in several encodings. What may hold the words is in
:data:`ALLOWED`; a command that is not in :data:`SCENES` fails the test.
"""

from __future__ import annotations

import base64
import fnmatch
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
import pytest

from pipeline.cli import qingyi
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from tests.canary import (
    CODES,
    PLACES,
    ROOT,
    Box,
    canary,
    files_below,
    found_in,
    searched,
    unpacked,
)


def test_the_canary_is_one():
    """Nothing changes it on the way, nobody else writes it, and every form of it is found."""
    for place in PLACES:
        word = canary(place)
        assert mask(normalise(word)) == word
        for code in CODES.values():
            assert found_in(b"x" + code(f"一{word}二") + b"y") == {place}
    for shift in range(3):
        assert found_in(base64.b64encode(b"x" * shift + canary("text").encode() + b"yy"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.bin", zlib.compress(canary("note").encode()))
    assert set().union(*map(found_in, unpacked(buffer.getvalue()))) == {"note"}
    for folder in ("data", "models", "pipeline", "docs"):
        for path in files_below(ROOT / folder):
            if "__pycache__" in path.parts:
                continue  # kept tables list all characters in their order, and the bird's follow one another there
            assert not searched(path, path.name), path


# --- every command ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """Command lines, with ``desk`` as the current folder: ``plain`` ones that succeed and ``wrong`` ones that do not.

    ``inside`` is what breaks down within the last of the plain ones.
    """

    plain: Sequence[str]
    wrong: Sequence[str]
    inside: str


TABLES = tuple(f"../in/{name}" for name in (
    "headless.csv", "named.csv", "mixed.csv", "broken.xlsx", "broken.xls", "broken.parquet", "torn.parquet",
))  # fmt: skip
LABELLED = tuple(f"../in/{name}" for name in (
    "label.jsonl", "spelt.jsonl", "pairs.jsonl", "paired.jsonl", "twice.jsonl", "same.jsonl", "half.jsonl", "cut.jsonl", "shifted.csv",
    "unlabelled.csv", "rejected.csv",
))  # fmt: skip
SHEETS = tuple(
    f"../in/bad-{name}.xlsx"
    for name in ("verdict", "department", "tick", "code", "number", "header", "column")
)

SCENES = {
    "report": Scene(
        ["report ../in/one -o new --office 县纪委"],
        [f"report {table} -o new" for table in TABLES] + ["report ../in/one -o new --column text=没有的列"],
        "pipeline.papers.write_briefing",
    ),
    "classify": Scene(
        ["classify ../in/one -o new"], [f"classify {table} -o new" for table in TABLES], "pipeline.outputs.cells.csv_cell"
    ),
    "compare": Scene(
        ["compare one two -o new --notice 推诿拖延=2025-06-01"],
        ["compare spoilt two -o new", "compare two one -o new", "compare one two -o new --notice 没有=2025-06-01"],
        "pipeline.comparing.write_page",
    ),
    "evaluate": Scene(
        ["evaluate ../in/good.jsonl --json figures.json --page figures.html"],
        [f"evaluate {path}" for path in (*LABELLED, *TABLES)],
        "pipeline.learn.evaluate.evaluate",
    ),
    "review export": Scene(
        ["review export two -o more.json --n 8", "review export two -o more.xlsx --n 8"],
        ["review export spoilt -o more.xlsx", "review export torn -o more.xlsx", "review export one -o more.xlsx --department 没有"],
        "pipeline.reviewing.write_review_sheet",
    ),
    "review import": Scene(
        ["review import ../in/filled.xlsx --by 丁"],
        [f"review import {path}" for path in (*SHEETS, "../in/broken.xlsx", "../in/broken.json", "../in/foreign.json")],
        "pipeline.review.store.as_record",
    ),
    "review disputes": Scene(
        ["review disputes -o settle.xlsx"], ["review disputes -o ../in/filled.xlsx"], "pipeline.reviewing.write_review_sheet"
    ),
    "review status": Scene(["review status"], ["review status --workspace spoilt"], "pipeline.reviewing.by_label"),
    "train": Scene(
        ["train ../in/good.jsonl --unlabelled ../in/archive.txt --force 试"],
        [f"train {path}" for path in (*LABELLED, *TABLES)],
        "pipeline.training.retrain",
    ),
    "models list": Scene(["models list"], ["models list --workspace ../in/archive.txt"], "pipeline.learn.registry.entries"),
    "models show": Scene(["models show"], ["models show ../../in/one"], "pipeline.classifier.files.read_card"),
    "models promote": Scene(["models promote second"], ["models promote one"], "pipeline.learn.registry.activate"),
    "models rollback": Scene(["models rollback"], ["models rollback --reason"], "pipeline.learn.registry.rollback"),
    "models build": Scene(["models build"], ["models build --workspace spoilt"], "pipeline.learn.registry.train_model"),
    "drift": Scene(
        ["drift one", "drift two --since one"], ["drift spoilt", "drift torn", "drift one --since torn"], "pipeline.drifting.measure"
    ),
    "taxonomy check": Scene(
        ["taxonomy check"],
        ["taxonomy check ../in/broken.toml", "taxonomy check ../in/foreign.toml", "taxonomy check ../in/one/a.csv"],
        "pipeline.migrating.standing",
    ),
    "taxonomy migrate": Scene(
        ["taxonomy migrate ../in/retire.toml"],
        ["taxonomy migrate ../in/foreign.toml", "taxonomy migrate ../in/one/a.csv"],
        "pipeline.migrating.plan",
    ),
    "corpus check": Scene(
        ["corpus check", "corpus check ../in/good.jsonl"],
        [f"corpus check {path}" for path in (*LABELLED, *TABLES)],
        "pipeline.learn.check.check_corpus",
    ),
    "withdraw": Scene(
        ["withdraw 03901 03906 03907 --in one --in two --reason 本人要求"],
        ["withdraw 没有 --in one", "withdraw 03901 --in torn", "withdraw 03901 --in spoilt"],
        "pipeline.withdrawing.ways.recount",
    ),
    "purge": Scene(
        ["purge --before 2025-03-20 --in one --in two --yes"],
        ["purge --before 昨天", "purge --before 2025-03-20 --in torn --yes"],
        "pipeline.withdrawing.ways.recount",
    ),
    "audit verify": Scene(["classify ../in/one -o new", "audit verify"], ["audit verify --workspace 没有"], "pipeline.audit.chain.check"),
    "audit show": Scene(["classify ../in/one -o new", "audit show"], ["audit show --last 零"], "pipeline.audit.recording.recorded"),
    "init": Scene(["init ../own"], ["init ../in/archive.txt"], "pipeline.workspace.init_workspace"),
}  # fmt: skip


def commands(group: click.Command = qingyi, path: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from commands(command, (*path, name))
    else:
        yield " ".join(path)


def test_every_command_has_its_scene():
    assert sorted(SCENES) == sorted(commands())


RECORDS = {"text", "title", "department", "id", "twice"}
ALLOWED: tuple[tuple[str, set[str], str], ...] = (
    ("*/opinions.*", {*RECORDS, "unit", "channel", "clue"}, "意见本身，只有所有者可读"),
    ("*/findings.*", {"text", "title", "clue", "twice", "id"}, "判定的依据是原文的片段，只有所有者可读"),
    ("*/rejected.csv", {"rejected"}, "未采用的行，屏蔽后留给所有者核对"),
    ("*/report.xlsx", {*RECORDS, "channel", "rejected", "sheet"}, "分析员的工作簿，有意见全文，没有来源单位和线索"),
    ("*/sealed/clues.xlsx", {"clue"}, "问题线索，只供纪检监察机构"),
    ("*/run.json", {"department", "sheet"}, "目录外的部门名称、没有意见列的工作表名称"),
    ("*/tables.json", {"channel"}, "按渠道的计数"),
    ("*/feedback/questions/*.jsonl", RECORDS, "复核库：问过的意见"),
    ("*/feedback/answers/*.jsonl", {"remark"}, "复核库：复核人的备注"),
    ("*/more.*", RECORDS, "复核表，只有所有者可读"),
    ("*/settle.xlsx", {*RECORDS, "remark"}, "裁定表，只有所有者可读"),
    ("*/review.xlsx", RECORDS, "复核表"),
    ("*/tasks.json", RECORDS, "复核任务"),
    ("*/models/trained-*/vocabulary.json", {"shared", ""}, "至少两件意见共有的、不超过四个字的片段"),
    ("*/audit/log.jsonl", {"id"}, "编号"),
    ("screen", {"id"}, "编号是给人查找用的"),
    ("screen", {"header"}, "见到的列名，整行都像列名、每个不超过 12 字才列"),
)  # fmt: skip
"""Where the words may be, which, and why; everything else in :data:`PLACES` may be nowhere."""


def leaks(box: Box) -> dict[str, set[str]]:
    """What was found and is not allowed, by file."""
    left = {}
    for name, places in box.found().items():
        allowed = set().union(*(known for pattern, known, _ in ALLOWED if fnmatch.fnmatchcase(name, pattern)))
        if places - allowed:
            left[name] = places - allowed
    return left


def strewn(box: Box) -> list[str]:
    """Files outside the desk, and temporary ones anywhere, that a command left."""
    places = [box.root / name for name in ("home", "tmp", "cache", "config", "run")]
    return [
        path.relative_to(box.root).as_posix()
        for path in box.root.rglob("*")
        if any(place in path.parents for place in places)
        or path.name.startswith((".qingyi-", ".new-", ".building-"))
    ]


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_command_leaves_the_words_where_they_belong(name, desk, tmp_path):
    box = Box(desk, tmp_path / "box")
    for line in SCENES[name].plain:
        assert box.fork(line) == 0, line
    assert leaks(box) == {}
    assert strewn(box) == []


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_command_that_fails_tells_no_words(name, desk, tmp_path):
    """Neither on the screen, where ``--debug`` shows the way of the error, nor in a file left half-written."""
    scene = SCENES[name]
    box = Box(desk, tmp_path / "box")
    for line in scene.wrong:
        assert box.fork(f"{line} --debug") in {1, 2}, line
    assert box.fork(scene.wrong[0]) in {1, 2}
    *before, last = scene.plain
    for line in before:
        box.fork(line)
    for debug in ("", " --debug"):
        box.screen.append(b"")
        assert box.fork(last + debug, breaking=scene.inside) == 1
        assert "程序内部出错（ValueError）" in box.screen[-1].decode()
    assert b"break_down" in box.screen[-1], "the way of the error is shown"
    assert box.fork(f"{last} --debug", full=True) in {0, 1}
    assert leaks(box) == {}
    assert strewn(box) == []


def test_a_report_started_as_people_do_leaves_the_words_where_they_belong(desk, tmp_path):
    """A process from its first import on, on all processors, each of which reads a part."""
    box = Box(desk, tmp_path / "box")
    del box.env["LOKY_MAX_CPU_COUNT"]
    assert box.start("report ../in/many.csv -o new --jobs 2") == 0
    assert leaks(box) == {}
    assert strewn(box) == []


def test_what_leaks_is_told(desk, tmp_path):
    """The search itself: a word in a place of its own is not passed over."""
    box = Box(desk, tmp_path / "box")
    (box.root / "desk/new").mkdir()
    (box.root / "desk/new/briefing.docx").write_bytes(canary("text").encode())
    (box.root / "tmp/numbers.bin").write_bytes(canary("unit").encode("gb18030"))
    box.screen.append(canary("remark").encode())
    assert leaks(box) == {
        "desk/new/briefing.docx": {"text"},
        "tmp/numbers.bin": {"unit"},
        "screen": {"remark"},
    }
    assert strewn(box) == ["tmp/numbers.bin"]
