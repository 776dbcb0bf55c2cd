"""The log's file: one JSON object a line, each with the digest of the line before, only ever appended to.

``audit/log.jsonl`` holds the lines, ``audit/head.json`` how many there are, the digest of the last one and the file's size, so
that a tail cut off shows; it is there before the first line is. A line is flushed to the disk before the head is replaced. A kill between the two leaves the head one
line behind, a kill within the first leaves part of a line: the next command chains on what it finds and says so
(``"fragment": true``). The chain has no secret: who may write the folder can make a new one throughout. What it shows is
every change that does not go to that length; a digest noted elsewhere shows that one too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from filelock import FileLock

LOG, HEAD = "log.jsonl", "head.json"
_LOCK_SECONDS = 10.0

Kind = Literal["edited", "removed", "inserted", "reordered", "cut", "headless"]


@dataclass(frozen=True)
class Fault:
    """The first line, from 1, at which the log is not what was written, and in what way.

    ``cut``: from this line on nothing is left. ``headless``: when this line was written the head had been taken away.
    """

    line: int
    kind: Kind


@dataclass(frozen=True)
class Checked:
    """A log held against its chain: lines found, digest of the last, the first fault.

    ``unfinished``: the last line is only half there; ``ahead``: it is not in the head yet. Both are what a kill, or a command
    just at work, leaves.
    """

    lines: int
    digest: str
    fault: Fault | None
    unfinished: bool = False
    ahead: bool = False


@dataclass(frozen=True)
class _Head:
    count: int
    digest: str
    size: int


def append(folder: Path, fields: Mapping[str, Any]) -> int:
    """Add a line with ``fields`` to the log in ``folder`` (made, for its owner alone, where absent); its number, from 1.

    Raises:
        OSError: it cannot be written; filelock's ``Timeout``, which is one, where another process holds it for ten seconds.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    with FileLock(folder / ".lock", timeout=_LOCK_SECONDS, mode=0o600):
        if not (folder / LOG).exists() and _head(folder) is None:
            _replace_head(folder, _Head(0, "", 0))  # a log without a head is never a new one
        handle = os.open(folder / LOG, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "r+b") as file:
            last, remark, begin = _standing(file, _head(folder))
            record = {"n": last.count + 1, "before": last.digest, **remark, **fields}
            # names that no encoding knows are written as JSON's escapes
            line = json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace")
            file.seek(0, os.SEEK_END)
            file.write(begin + line + b"\n")
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        _replace_head(folder, _Head(last.count + 1, _digest(line), size))
    return last.count + 1


def records(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines that can be read, in order; none where there is no log.

    Raises:
        OSError: it cannot be read.
    """
    lines, rest = _lines(folder)
    for line in (*lines, rest):
        record = _parsed(line)
        if record is not None:
            yield record


def check(folder: Path) -> Checked:
    """Hold the log against its chain and its head.

    Raises:
        OSError: it cannot be read.
    """
    lines, rest = _lines(folder)
    head = _head(folder)
    fault = _chain_fault(lines, head)
    if fault is None and (folder / LOG).exists():
        fault = _head_fault(lines, head)
    elif fault is None and head and head.count:
        fault = Fault(1, "cut")
    return Checked(
        lines=len(lines),
        digest=_digest(lines[-1]) if lines else "",
        fault=fault,
        unfinished=bool(rest),
        ahead=len(lines) > (head.count if head else 0),
    )


def _chain_fault(lines: list[bytes], head: _Head | None) -> Fault | None:
    found = [_parsed(line) for line in lines]
    numbers = [record["n"] if record else 0 for record in found]
    before = ""
    for at, (line, record) in enumerate(zip(lines, found, strict=True), start=1):
        following = found[at] if at < len(found) else None
        told = following["before"] if following else head.digest if head and head.count == at else ""
        confirmed = told == _digest(line)
        if record is None:
            if not (confirmed and following and following.get("fragment") is True):
                return Fault(at, "edited")
        elif record["n"] != at:
            later = at in numbers[at:]
            return Fault(at, "inserted" if record["n"] < at else "reordered" if later else "removed")
        elif record["before"] != before:
            # what follows says whether this line is the one that was written
            return Fault(at - 1 if confirmed and at > 1 else at, "edited")
        elif record.get("head") == "missing":
            return Fault(at, "headless")
        before = _digest(line)
    return None


def _head_fault(lines: list[bytes], head: _Head | None) -> Fault | None:
    if head is None:
        return Fault(max(1, len(lines)), "headless")
    if len(lines) < head.count:
        return Fault(len(lines) + 1, "cut")
    if head.count and _digest(lines[head.count - 1]) != head.digest:
        return Fault(head.count, "edited")
    return Fault(head.count + 1, "inserted") if len(lines) > head.count + 1 else None


def _standing(file: IO[bytes], head: _Head | None) -> tuple[_Head, dict[str, Any], bytes]:
    """What the next line chains on, what it says of what it found, and what must be written before it."""
    file.seek(0, os.SEEK_END)
    size = file.tell()
    if head is not None and size < head.size:  # cut: the gap in the numbers stays
        file.seek(max(0, size - 1))
        return head, {}, b"" if file.read() in {b"", b"\n"} else b"\n"
    known = head or _Head(0, "", 0)
    file.seek(known.size)
    *lines, rest = file.read().split(b"\n")
    remark: dict[str, Any] = {"head": "missing"} if head is None else {}
    if rest:
        remark |= {} if _parsed(rest) else {"fragment": True}
        lines.append(rest)
    digest = _digest(lines[-1]) if lines else known.digest
    return _Head(known.count + len(lines), digest, size), remark, b"\n" if rest else b""


def _lines(folder: Path) -> tuple[list[bytes], bytes]:
    """Whole lines, and what stands after the last line break."""
    try:
        *lines, rest = (folder / LOG).read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], b""
    return lines, rest


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
        whole = type(record["n"]) is int and isinstance(record["before"], str)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return dict(record) if whole else None


def _head(folder: Path) -> _Head | None:
    try:
        stored = json.loads((folder / HEAD).read_bytes())
        return _Head(int(stored["count"]), str(stored["digest"]), int(stored["size"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _replace_head(folder: Path, head: _Head) -> None:
    beside = folder / f".{HEAD}.new"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(json.dumps(vars(head)) + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / HEAD)


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
