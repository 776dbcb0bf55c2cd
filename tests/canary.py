"""Unmistakable words: a desk that has them in every odd place, boxes in which commands run over it, and the search for them."""

from __future__ import annotations

import base64
import csv
import importlib
import io
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.classifier.files import active_version
from pipeline.cli import main
from pipeline.learn.registry import activate, build
from pipeline.review import columns as c
from pipeline.reviewing import export, take_in
from pipeline.run import report
from pipeline.workspace import SHIPPED, Workspace

ROOT = Path(__file__).parent.parent
BIRD = "鲂鲅鲆鲇"
"""Characters that nobody writes in a row; a place's own character between two of them makes the place's canary."""

PLACES = dict(zip(
    ("text", "title", "unit", "department", "channel", "id", "clue", "twice", "rejected", "broken", "header", "sheet", "labelled",
     "shared", "label", "note", "remark", "verdict", "archive"),
    "鲈鲻鲋鲎鲐鲑鲒鲔鲕鲚鲛鲞鲟鲧鲠鲡鲢鲣鲥",
    strict=True,
))  # fmt: skip
"""What a canary was put into, and its character."""


def canary(place):
    return f"{BIRD}{PLACES[place]}{BIRD}"


# --- looking for it ---------------------------------------------------------------------------------------------------

CODES: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "utf-32-le": lambda text: text.encode("utf-32-le"),
    "gb18030": lambda text: text.encode("gb18030"),
    "escaped": lambda text: json.dumps(text)[1:-1].encode(),
    "ESCAPED": lambda text: re.sub(r"\\u....", lambda m: r"\u" + m[0][2:].upper(), json.dumps(text)[1:-1]).encode(),
    "entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text).encode(),
    "hex entities": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text).encode(),
    "percent": lambda text: urllib.parse.quote(text).encode(),
    "bytes' repr": lambda text: repr(text.encode())[2:-1].encode(),
}  # fmt: skip
PIECE = 3
"""So many of the bird's characters in a row are a find."""


def found_in(content: bytes) -> set[str]:
    """Places whose canary, or "" where only a piece of one, is in these bytes."""
    found = set()
    for code in CODES.values():
        pieces = [code(BIRD[at : at + PIECE]) for at in range(len(BIRD) - PIECE + 1)]
        if any(piece in content for piece in pieces):
            found |= {place for place, own in PLACES.items() if code(BIRD[-1] + own) in content} or {""}
    if any(piece in content for piece in _BASE64):
        found.add("")
    return found


_BASE64 = [base64.b64encode(b"\0" * shift + BIRD.encode())[4:12] for shift in range(3)]


def unpacked(content: bytes) -> Iterator[bytes]:
    """The content and everything packed in it."""
    yield content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield from unpacked(packed.read(name))
    elif content[:4] == b"PAR1" == content[-4:]:
        table = pq.read_table(io.BytesIO(content))
        yield repr((table.schema, table.to_pylist())).encode()
    elif content[:2] in {b"\x1f\x8b", b"x\x9c", b"x\xda", b"x\x01"}:
        with_header = zlib.decompressobj(wbits=47)
        try:
            yield from unpacked(with_header.decompress(content))
        except zlib.error:
            return


def files_below(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def searched(path: Path, name: str) -> set[str]:
    """Places whose canary is in a file or in its name."""
    return found_in(name.encode()).union(*map(found_in, unpacked(path.read_bytes())))


# --- a desk with canaries everywhere ------------------------------------------------------------------------------------

COLUMNS = ["编号", "标题", "意见内容", "被评议部门", "填报单位", "日期", "渠道"]


def rows_of(month: str) -> list[list[str]]:
    """Ordinary opinions, and one for each place."""
    said = (
        "拖了半个月不给办，来回跑了八趟", "办事公道，从不收礼，态度热情", "态度冷淡，问三句答一句", "办事程序不公开，收费标准不上墙",
    )  # fmt: skip
    units = [("盐业公司", "质检站"), ("供销社", "盐业公司")]
    plain = [
        [f"{month}{n:03}", "", f"{who}的人{said[n % 4]}，第{n}回了", who, unit, f"2025-{month}-{n % 27 + 1:02}", "座谈"]
        for n in range(24)
        for unit, who in [units[n % 2]]
    ]  # fmt: skip
    day = f"2025-{month}-15"
    return [
        *plain,
        [f"{month}901", "", f"质检站{canary('text')}不给好处就拖着不办，跑了六趟", "质检站", "供销社", day, "座谈"],
        [f"{month}902", f"质检站冷脸{canary('title')}", "办事大厅的人爱理不理，态度很差", "质检站", "供销社", day, "座谈"],
        [f"{month}903", "", "验收的时候让我们厂请客吃饭，不请不给盖章", "质检站", f"{canary('unit')}厂", day, "座谈"],
        [f"{month}904", "", "窗口的人推来推去，谁都不管", f"{canary('department')}所", "供销社", day, "座谈"],
        [f"{month}905", "", "收费不给票据，问就说没有", "盐业公司", "供销社", day, f"{canary('channel')}会"],
        [f"{month}{canary('id')}", "", "开会多，检查多，材料多，不办实事", "盐业公司", "供销社", day, "座谈"],
        [f"{month}906", "", f"质检站王建国科长2025年{int(month)}月3日收受红包5000元{canary('clue')}", "质检站", "", day, "来信"],
        [f"{month}907", "", f"盐业公司索要产品{canary('twice')}，拿了我们厂两箱酒不给钱", "盐业公司", "", day, "来信"],
        [f"{month}908", "", f"盐业公司索要产品{canary('twice')}，拿了我们厂两箱酒，不给钱", "盐业公司", "", day, "来信"],
        [f"{month}909", f"{canary('rejected')}", "", "盐业公司", f"{canary('rejected')}厂", day, "来信"],
        [f"{month}910", "", f"{canary('rejected')}啊" * 3000, "盐业公司", "供销社", day, "来信"],
    ]  # fmt: skip


def write_round(folder: Path, month: str) -> None:
    """A round in three formats, with rows that are rejected."""
    folder.mkdir()
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([[*COLUMNS, canary("header")], *rows_of(month)])
        file.write(f'{month}911,,"{canary("rejected")}没有配对的引号,质检站,,,\n')
    with (folder / "b.jsonl").open("w", encoding="utf-8") as file:
        record = {
            "id": f"{month}912",
            "text": f"盐业公司{canary('text')}办事拖拉",
            "date": f"2025-{month}-09",
        }
        file.write(json.dumps(record) + "\n" + f'{{"text": "{canary("rejected")}\n')
    book = openpyxl.Workbook()
    book.active.append(["意见内容", "部门", canary("header")])
    book.active.append([f"质检站的窗口{canary('text')}没人", "质检站", canary("rejected")])
    book.active.append([None, "质检站", canary("rejected")])
    other = book.create_sheet(canary("sheet"))
    other.append([canary("sheet"), canary("sheet") + "二"])
    book.save(folder / "c.xlsx")


def labelled(number: int, text: str, **more: Any) -> dict[str, Any]:
    return {"id": f"L{number}", "text": text, "labels": ["stalling"], **more}


def write_labelled(folder: Path) -> None:
    """Files that teach: a good one, and one for each thing that is wrong with it."""
    wrong = {
        "good": [
            *(labelled(n, f"质检站{'拖延' * (n % 3 + 1)}第{n}次{canary('shared')}", note=canary("note")) for n in range(12)),
            labelled(12, f"盐业公司{canary('labelled')}不理人", labels=[]),
        ],
        "label": [labelled(1, "拖着不办", labels=[canary("label")])],
        "spelt": [labelled(1, "拖着不办", labels=f"stalling;{canary('label')}")],
        "pairs": [labelled(1, "拖着不办", pairs=[[canary("label"), "stalling"]])],
        "paired": [labelled(1, "拖着不办", pairs=[["质检站", canary("label")]])],
        "twice": [labelled(1, f"拖着不办{canary('labelled')}")] * 2,
        "same": [labelled(1, "拖着", id=canary("id")), labelled(1, "推诿", id=canary("id"))],
        "half": [{"id": "1", "text": canary("labelled")}],
    }  # fmt: skip
    for name, records in wrong.items():
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "cut.jsonl").write_text('{"id": "1", "text": "' + canary("labelled"), encoding="utf-8")
    for name, rows in {
        "shifted": [["编号", "标签", "意见内容"], ["1", canary("label"), "stalling"]],
        "unlabelled": [["编号", "意见内容"], ["1", f"拖着不办{canary('labelled')}"]],
        "rejected": [["意见内容", "标签"], [canary("labelled") * 4000, "stalling"]],
    }.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)


def write_broken(folder: Path) -> None:
    """Files that cannot be read, each with the words in clear."""
    word = f"质检站的人态度恶劣{canary('broken')}，还要我们请客吃饭"
    (folder / "headless.csv").write_text(f"{word},二\n{word},三\n" * 40, encoding="utf-8")
    (folder / "named.csv").write_text(f"{canary('header')},部门\n{word},质检站\n", encoding="utf-8")
    (folder / "mixed.csv").write_bytes(b"\xff" + f"意见内容\n{word}\n".encode() + word.encode("gb18030"))
    for suffix in ("xlsx", "xls", "parquet"):
        (folder / f"broken.{suffix}").write_bytes(b"PK\x03\x04" + word.encode() + word.encode("utf-16-le"))
    table = pa.table({"意见内容": [word] * 3000, "标签": [word] * 3000})
    pq.write_table(table, folder / "torn.parquet", compression="none", data_page_size=2000)
    torn = bytearray((folder / "torn.parquet").read_bytes())
    torn[len(torn) // 4 : len(torn) // 2] = b"\0" * (len(torn) // 2 - len(torn) // 4)
    (folder / "torn.parquet").write_bytes(torn)
    (folder / "broken.json").write_text(f'[{{"data": {{"batch": "{word}"}}', encoding="utf-8")
    (folder / "foreign.json").write_text(json.dumps([{"data": {"batch": word}}]), encoding="utf-8")
    (folder / "broken.toml").write_text(f'version = "1"\n[[labels]]\n{word}\n', encoding="utf-8")
    (folder / "foreign.toml").write_text(
        f'from = "1.0"\nto = "1.1"\n[[retire]]\nold = "{word}"\n', encoding="utf-8"
    )
    (folder / "retire.toml").write_text(
        'from = "1.0"\nto = "1.1"\n[[retire]]\nold = "formalism"\n', encoding="utf-8"
    )


def small_workspace(root: Path) -> None:
    """Taxonomy, directory, a few hundred labelled opinions and the model learnt from them."""
    (root / "data/labelled").mkdir(parents=True)
    for path in sorted((SHIPPED / "data/labelled").glob("starter-*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[:60]
        (root / "data/labelled" / path.name).write_text("".join(lines), encoding="utf-8")
    own = labelled(0, f"质检站{canary('labelled')}拖着不办", id="own", note=canary("note"))
    (root / "data/labelled/own.jsonl").write_text(json.dumps(own, ensure_ascii=False), encoding="utf-8")
    words = (SHIPPED / "data/lexicon.tsv").read_text(encoding="utf-8").splitlines(keepends=True)[:300]
    (root / "data/lexicon.tsv").write_text("".join(words), encoding="utf-8")
    for name in ("taxonomy.toml", "departments.csv"):
        shutil.copy(SHIPPED / "data" / name, root / "data")
    build(Workspace(root=root), root / "models")


def fill(
    sheet: Path, target: Path, by: str, verdict: str, changes: dict[tuple[int, str], str] | None = None
) -> None:
    """Fill in a review sheet, every row with a remark; ``changes`` are further cells by (row, header)."""
    book = openpyxl.load_workbook(sheet)
    book[c.GUIDE]["B2"] = by
    page = book[c.SHEET]
    places = {cell.value: cell.column for cell in page[1]}
    for row in range(2, page.max_row + 1):
        page.cell(row, places[c.VERDICT]).value = verdict
        page.cell(row, places[c.REMARK]).value = canary("remark")
        if verdict == c.CHANGED:
            page.cell(row, places["推诿拖延"]).value = c.YES
    for (row, header), value in (changes or {}).items():
        page.cell(row, places[header]).value = value
    book.save(target)


@pytest.fixture(scope="session")
def desk(tmp_path_factory):
    """What the boxes are copied from: ``in`` holds inputs, ``desk`` is a workspace in the middle of its work."""
    root = tmp_path_factory.mktemp("canary")
    inputs, space = root / "in", root / "desk"
    inputs.mkdir()
    for name, month in (("one", "03"), ("two", "09")):
        write_round(inputs / name, month)
    write_labelled(inputs)
    write_broken(inputs)
    with (inputs / "many.csv").open("w", encoding="utf-8", newline="") as file:
        plain = [[f"{n}", "", f"质检站第{n}号窗口的人态度冷淡", "质检站", "", "", ""] for n in range(600)]
        csv.writer(file).writerows([COLUMNS, *rows_of("03"), *plain])
    (inputs / "archive.txt").write_text(f"质检站{canary('archive')}拖着不办\n" * 3, encoding="utf-8")
    small_workspace(space)
    for name in ("one", "two"):
        report([inputs / name], space / name, workspace=space, jobs=1)
    export(space / "one", space / "review.xlsx", workspace=space, n=30)
    export(space / "two", space / "tasks.json", workspace=space, n=30)
    sheet = space / "review.xlsx"
    fill(sheet, inputs / "filled.xlsx", "甲", c.RIGHT)
    fill(sheet, inputs / "other.xlsx", "乙", c.CHANGED)
    for name, row, header in (
        ("verdict", 2, c.VERDICT), ("department", 3, c.DEPARTMENT), ("tick", 4, "推诿拖延"), ("code", 5, c.CODE), ("number", 6, c.ID),
    ):  # fmt: skip
        fill(sheet, inputs / f"bad-{name}.xlsx", "丙", c.CHANGED, {(row, header): canary("verdict")})
    fill(
        sheet,
        inputs / "bad-header.xlsx",
        "丙",
        c.RIGHT,
        {(1, c.SUGGESTION): canary("verdict"), (1, c.WHY): canary("verdict")},
    )
    fill(sheet, inputs / "bad-column.xlsx", "丙", c.RIGHT, {(1, "推诿拖延"): canary("verdict")})
    take_in(inputs / "filled.xlsx", workspace=space)
    take_in(inputs / "other.xlsx", workspace=space)
    second_model(space)
    shutil.rmtree(space / "audit", ignore_errors=True)  # it names these very folders, not those of a box
    return root


def second_model(space: Path) -> None:
    """The registry's model once more under another name, and made active: there is something to go back to."""
    first = active_version(space / "models")
    shutil.copytree(space / "models" / first, space / "models/second")
    card = space / "models/second/card.json"
    card.write_text(card.read_text(encoding="utf-8").replace(first, "second"), encoding="utf-8")
    activate(space / "models", "second", "试")


# --- running a command in a box -----------------------------------------------------------------------------------------

FULL_DISK = 600
"""Bytes after which a file cannot grow, where there is to be nowhere to write."""


class Box:
    """A copy of the desk with a home, a temporary folder and a cache of its own."""

    def __init__(self, desk: Path, root: Path) -> None:
        self.root, self._desk = root, desk
        shutil.copytree(desk / "in", root / "in")
        shutil.copytree(desk / "desk", root / "desk")
        for name in ("home", "tmp", "cache", "config", "run"):
            (root / name).mkdir()
        self.env = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8",
            "LOKY_MAX_CPU_COUNT": "1",
            "HOME": str(root / "home"), "XDG_CACHE_HOME": str(root / "cache"), "XDG_CONFIG_HOME": str(root / "config"),
            "XDG_RUNTIME_DIR": str(root / "run"), "XDG_DATA_HOME": str(root / "home/data"),
            **dict.fromkeys(("TMPDIR", "TEMP", "TMP", "JOBLIB_TEMP_FOLDER"), str(root / "tmp")),
        }  # fmt: skip
        self.screen: list[bytes] = []

    def start(self, line: str) -> int:
        """The command as a person starts it; its exit status."""
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *line.split()],
            cwd=self.root / "desk", env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        self.screen.append(done.stdout + done.stderr)
        return done.returncode

    def fork(
        self, line: str, *, breaking: str = "", full: bool = False, stopping: str = "", told: int = 0
    ) -> int:
        """The command in a fork of this process, which has all modules loaded already; its exit status.

        ``breaking`` names a function that fails there, ``full`` leaves no room on the disk; at the end of the function
        ``stopping`` the process is sent the signal ``told``.
        """
        read, write = os.pipe()
        child = os.fork()
        if not child:
            status = 70
            try:
                os.close(read)
                self._settle_in(write)
                if breaking:
                    replace(breaking, lambda _: break_down)
                if stopping:
                    replace(stopping, lambda function: telling(function, told))
                if full:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_DISK, FULL_DISK))
                status = exit_status_of(line)
            finally:
                os._exit(status)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            self.screen.append(pipe.read())
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _settle_in(self, write: int) -> None:
        """Make a forked process one of the box."""
        os.chdir(self.root / "desk")
        os.environ.clear()
        os.environ.update(self.env)
        tempfile.tempdir = None
        os.dup2(write, 1)
        os.dup2(write, 2)
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115  # for the life of the process
        sys.stdout, sys.stderr = (open(fd, "w", encoding="utf-8", closefd=False) for fd in (1, 2))  # noqa: SIM115
        warnings.resetwarnings()

    def found(self) -> dict[str, set[str]]:
        """Files that are new or not as they were, and the screen, with the places whose canary is in them."""
        found = {}
        for path in files_below(self.root):
            name = path.relative_to(self.root).as_posix()
            before = self._desk / name
            if not (before.is_file() and before.read_bytes() == path.read_bytes()):
                found[name] = searched(path, name)
        found["screen"] = found_in(b"\n".join(self.screen))
        return {name: places for name, places in found.items() if places}


def replace(dotted: str, by: Callable[[Any], Any]) -> None:
    """Put something else in the place of a module's function."""
    module, _, name = dotted.rpartition(".")
    owner = importlib.import_module(module)
    setattr(owner, name, by(getattr(owner, name)))


def telling(function: Any, told: int) -> Any:
    """The function, at whose end the process is sent a signal."""

    def called(*words: Any, **named: Any) -> Any:
        result = function(*words, **named)
        os.kill(os.getpid(), told)
        return result

    return called


def exit_status_of(line: str) -> int:
    try:
        main(line.split())
    except SystemExit as done:
        return int(done.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 71


def break_down(*_args, **_named):
    """Fail as libraries do: quoting what they were given, in the error, in its cause and in a note."""
    quoted = canary("text")
    try:
        {}[quoted]
    except KeyError as cause:
        error = ValueError(f"could not convert string to float: {quoted!r}")
        error.add_note(quoted)
        raise error from cause


def labelled_lines(names: Sequence[str]) -> str:
    """A labelled file whose ids and texts hold these names."""
    records = [
        labelled(n, f"{name}的人拖着不办，跑了{n}趟", id=f"{name[:60]}{n}") for n, name in enumerate(names)
    ]
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
