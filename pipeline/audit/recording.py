"""What a command leaves in the log: a line when it begins, a line when it ends; a begun one without an end was killed."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import Timeout

from pipeline import __version__
from pipeline.audit.chain import append, records
from pipeline.errors import OutputError, QingyiError, cause

FOLDER = "audit"

Outcome = Literal["done", "refused", "failed", "interrupted", "killed"]


@dataclass
class Entry:
    """What is known only on the way, told when the command ends.

    ``model`` is the version used or made, ``inputs`` the files read, by name and SHA-256.
    """

    model: str = ""
    inputs: list[dict[str, str]] = field(default_factory=list)
    rows: dict[str, Any] = field(default_factory=dict)

    def read(self, paths: Iterable[Path]) -> None:
        """Note files as read; one that cannot be opened is named without a digest."""
        for path in paths:
            try:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                digest = ""
            self.inputs.append({"name": path.name, "sha256": digest})

    def counted(self, ids: Sequence[str]) -> None:
        """Note a whole run's opinions: how many, and the digest of their sorted ids, one a line."""
        joined = "\n".join(sorted(ids)).encode("utf-8", "surrogatepass")
        self.rows = {"count": len(ids), "sha256": hashlib.sha256(joined).hexdigest()}

    def named(self, ids: Iterable[str], count: int | None = None) -> None:
        """Note opinions by their ids; ``count`` where one id is of several."""
        listed = sorted(set(ids))
        self.rows = {"count": len(listed) if count is None else count, "ids": listed}


@dataclass(frozen=True)
class Recorded:
    """A command as the log tells it. ``n`` is the number of its first line, ``at`` the time (UTC) it began.

    ``outcome`` is ``killed`` where no end was written; ``error`` the kind of the error it ended in.
    """

    n: int
    at: str
    who: str
    command: str
    options: Mapping[str, Any]
    outputs: tuple[Path, ...]
    outcome: Outcome
    error: str
    rows: Mapping[str, Any]


@contextlib.contextmanager
def recording(
    root: Path,
    command: str,
    *,
    options: Mapping[str, Any],
    outputs: Iterable[str | Path] = (),
    needed: bool = False,
) -> Iterator[Entry]:
    """Record the command that runs inside, whatever becomes of it, in the workspace ``root``.

    ``options`` are what it was told, without passwords. ``outputs`` are where it writes, kept as absolute paths: later
    commands find them so. Where the log cannot be written one line on standard error says so, and the command goes on.

    Raises:
        OutputError: the log cannot be written and is ``needed``; nothing has been done then.
    """
    begun = {
        "event": "begun",
        "at": _now(),
        "who": _who(),
        "host": platform.node(),
        "pid": os.getpid(),
        "command": command,
        "options": {name: _plain(value) for name, value in options.items()},
        "outputs": [os.path.realpath(path) for path in outputs],
        "program": __version__,
    }
    number = _append(root, begun, needed=needed)
    entry = Entry()
    outcome, error = "failed", ""
    try:
        yield entry
        outcome = "done"
    except QingyiError as problem:
        outcome, error = "refused" if problem.exit_code == 2 else "failed", type(problem).__name__
        raise
    except KeyboardInterrupt:
        outcome = "interrupted"
        raise
    except BaseException as problem:
        error = type(problem).__name__
        raise
    finally:
        if number:
            told = {"inputs": entry.inputs, "model": entry.model, "rows": entry.rows}
            ended = {"event": "ended", "at": _now(), "of": number, "outcome": outcome, "error": error}
            _append(root, ended | {name: value for name, value in told.items() if value})


def recorded(root: Path) -> list[Recorded]:
    """All commands, in the order in which they began; lines that cannot be read are passed over.

    Raises:
        OutputError: there is a log, and it cannot be read.
    """
    begun: dict[int, dict[str, Any]] = {}
    ended: dict[int, dict[str, Any]] = {}
    try:
        for record in records(root / FOLDER):
            if record.get("event") == "begun":
                begun[record["n"]] = record
            elif record.get("event") == "ended":
                ended[record.get("of", 0)] = record
    except OSError as error:
        raise OutputError(f"读不到操作日志 {root / FOLDER}：{cause(error)}。") from None
    return [_recorded(number, begun[number], ended.get(number, {})) for number in sorted(begun)]


def _recorded(number: int, begun: Mapping[str, Any], ended: Mapping[str, Any]) -> Recorded:
    return Recorded(
        n=number,
        at=str(begun.get("at", "")),
        who=str(begun.get("who", "")),
        command=str(begun.get("command", "")),
        options=dict(begun.get("options") or {}),
        outputs=tuple(Path(path) for path in begun.get("outputs") or ()),
        outcome=ended.get("outcome", "killed"),
        error=str(ended.get("error", "")),
        rows=dict(ended.get("rows") or {}),
    )


def _append(root: Path, fields: Mapping[str, Any], *, needed: bool = False) -> int:
    """The line's number; 0 where it could not be written."""
    try:
        return append(root / FOLDER, fields)
    except Timeout:
        why = "另一个程序占着它"
    except OSError as error:
        why = cause(error)
    if needed:
        raise OutputError(f"不能写入操作日志 {root / FOLDER}：{why}；没有改动任何东西。") from None
    sys.stderr.write(f"提示：不能写入操作日志 {root / FOLDER}（{why}），这次操作没有记入。\n")
    return 0


def _plain(value: Any) -> Any:
    """A value as JSON knows it; files and folders by their absolute paths."""
    if isinstance(value, Path):
        return os.path.realpath(value)  # `resolve` fails on links in a circle
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _who() -> str:
    """The account's login name; its number where it has none."""
    try:
        import pwd  # noqa: PLC0415  # only where there is one

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        pass
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # by Python's version
        return str(os.getuid()) if hasattr(os, "getuid") else "未知"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
