"""Files of people's own that hold opinions' texts: sheets and tasks to review, labelled opinions. Only the opinion's rows go."""

from __future__ import annotations

import contextlib
import html
import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import OutputError, cause
from pipeline.withdrawing.wanted import Wanted
from pipeline.workspace import SHIPPED, Workspace

# rows and shared strings do not nest, and "<" in a text is written "&lt;": patterns find them whole
_ROW = re.compile(r"<row\b[^>]*?(?:/>|>.*?</row>)", re.DOTALL)
_STRING = re.compile(r"<si\b[^>]*?(?:/>|>.*?</si>)", re.DOTALL)
_SHARED_CELL = re.compile(r"""<c\b[^>]*\bt=["']s["'][^>]*>\s*<v>(\d+)</v>""")
_CELL_TEXT = re.compile(r"<is>.*?</is>|<v>[^<]*</v>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_START = 8
_SHEETS, _STRINGS = "xl/worksheets/", "xl/sharedStrings.xml"


class Rewritten(NamedTuple):
    """What a file would become: ``rows`` taken out, and the ``content`` left; None where it cannot be rewritten, or not even be read."""

    rows: int
    content: bytes | None
    readable: bool = True

    def __repr__(self) -> str:
        """Without the content."""
        return f"Rewritten(rows={self.rows})"


UNTOUCHED = Rewritten(0, b"")
_UNREADABLE = Rewritten(0, None, readable=False)


def without_questions(path: Path, keys: Collection[str], wanted: Wanted) -> Rewritten:
    """A review sheet (``.xlsx``) or Label Studio file (``.json``) without the questions of these keys.

    Everything else, and what people filled in elsewhere, stays. A sheet in which the text would still be found cannot be rewritten.

    Raises:
        OutputError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OutputError(f"读不到复核表 {path}：{cause(error)}。") from None
    if path.suffix.lower() == ".json":
        return _tasks(content, keys, wanted)
    try:
        return _sheet(content, keys, wanted)
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, NotImplementedError, RuntimeError):
        return UNTOUCHED if not content else _UNREADABLE


def without_labels(path: Path, wanted: Wanted) -> Rewritten:
    """A labelled file without the wanted opinions, known by id and text or by a telling text alone.

    Their lines are left empty: an opinion without an id is known by the number of its line.

    Raises:
        OutputError: it cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise OutputError(f"读不到标注文件 {path}：{cause(error)}。") from None
    kept = [
        b"" if line.strip() and _labelled(line, f"{path.stem}:{number}", wanted) else line
        for number, line in enumerate(lines, start=1)
    ]
    count = sum(one != two for one, two in zip(lines, kept, strict=True))
    return Rewritten(count, b"\n".join(kept))


def label_files(space: Workspace) -> list[Path]:
    """The workspace's own labelled files, by name: never the shipped ones."""
    folders = [space.root / "data" / name for name in ("labelled", "evaluation")]
    shipped = [(SHIPPED / "data" / folder.name).resolve() for folder in folders]
    return [
        path
        for folder in folders
        for path in sorted(folder.glob("*.jsonl"))
        if path.resolve().parent not in shipped  # a link may lead there
    ]


def labelled_texts(paths: Iterable[Path], ids: Collection[str]) -> list[tuple[str, str, Path]]:
    """(id, text, file) of the records with one of these ids."""
    found = []
    for path in paths:
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise OutputError(f"读不到标注文件 {path}：{cause(error)}。") from None
        for number, line in enumerate(lines, start=1):
            identity, text = _record(line, f"{path.stem}:{number}")
            if identity in ids and text:
                found.append((identity, text, path))
    return found


def replace(path: Path, content: bytes) -> None:
    """Put a file's new content in its place, whole or not at all; its mode stays, and a link to it.

    Raises:
        OutputError: it cannot be written.
    """
    path = path.resolve()
    beside = path.with_name(
        f".qingyi-{path.name}.new"
    )  # the same again after a kill: nothing of it is to stay
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        beside.unlink(missing_ok=True)  # one that lies there may be readable by others
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(mode)
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise OutputError(f"不能改写 {path}：{cause(error)}。") from None


def delete(path: Path) -> None:
    """Take a file away.

    Raises:
        OutputError: it cannot be.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"不能删去 {path}：{cause(error)}。") from None


def _labelled(line: bytes, place: str, wanted: Wanted) -> bool:
    identity, text = _record(line, place)
    return bool(text) and (wanted.holds(identity, text) or wanted.says(text))


def _record(line: bytes, place: str) -> tuple[str, str]:
    try:
        record = json.loads(line)
        return str(record.get("id", place)), str(record["text"]).strip()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", ""


def _tasks(content: bytes, keys: Collection[str], wanted: Wanted) -> Rewritten:
    named = {*keys, *map(_squeezed, wanted.long_texts)}
    try:
        tasks = json.loads(content.decode("utf-8-sig"))
        kept = [
            task
            for task in tasks
            if not named & {str(task["data"]["key"]), _squeezed(str(task["data"].get("text", "")))}
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _UNREADABLE
    if len(kept) == len(tasks):
        return UNTOUCHED
    written = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
    return Rewritten(len(tasks) - len(kept), written.encode("utf-8", "backslashreplace"))


def _sheet(content: bytes, keys: Collection[str], wanted: Wanted) -> Rewritten:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = [(info, book.read(info)) for info in book.infolist()]
    said = {
        info.filename: part.decode("utf-8")
        for info, part in parts
        if info.filename == _STRINGS or (info.filename.startswith(_SHEETS) and info.filename.endswith(".xml"))
    }
    sought = {*keys, *map(_squeezed, wanted.long_texts)}
    gone = _cut(said, sought)
    if not gone:  # or written in a way that the patterns do not know
        return Rewritten(0, None) if any(_still(part, sought) for _, part in parts) else UNTOUCHED
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as book:
        for info, part in parts:
            left = said[info.filename].encode() if info.filename in said else part
            if _still(left, sought):
                return Rewritten(gone, None)
            book.writestr(info, left, zipfile.ZIP_DEFLATED)
    return Rewritten(gone, written.getvalue())


def _cut(said: dict[str, str], named: Collection[str]) -> int:
    """Take the rows with a cell of these out of a workbook's sheets, and what only they said out of its strings; how many rows."""
    strings = _STRING.findall(said.get(_STRINGS, ""))
    ours = {str(at) for at, string in enumerate(strings) if _squeezed(_plain(string)) in named}
    sheets = [name for name in said if name != _STRINGS]
    gone: list[str] = []
    for name in sheets:
        rows = {row for row in _ROW.findall(said[name]) if _of(row, ours, named)}
        said[name] = _ROW.sub(lambda found: "" if found[0] in rows else found[0], said[name])  # noqa: B023  # used at once
        gone += rows
    left = {at for name in sheets for at in _SHARED_CELL.findall(said[name])}
    orphans = {at for row in gone for at in _SHARED_CELL.findall(row)} - left
    if orphans:
        numbers = iter(range(len(strings)))
        said[_STRINGS] = _STRING.sub(
            lambda found: "<si><t/></si>" if str(next(numbers)) in orphans else found[0], said[_STRINGS]
        )
    return len(gone)


def _of(row: str, ours: Collection[str], named: Collection[str]) -> bool:
    """Whether a row is a question's: one of its cells, shared or written in place, is the key or the text."""
    if any(at in ours for at in _SHARED_CELL.findall(row)):
        return True
    return any(_squeezed(_plain(cell)) in named for cell in _CELL_TEXT.findall(row))


def _plain(string: str) -> str:
    return html.unescape(_TAG.sub("", string))


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _still(part: bytes, sought: Collection[str]) -> bool:
    """Whether a part of a workbook still holds a key or a text: a comment may quote it."""
    said = _squeezed(_plain(part.decode("utf-8", "replace")))
    starts = {said[at : at + _START] for at in range(len(said))}  # a purge may seek a hundred thousand
    return any((len(one) < _START or one[:_START] in starts) and one in said for one in sought)
