"""A file that one process at a time holds, with the name of who does.

The system itself gives a lock back when its holder ends, however it ends: none is ever left behind by a killed process,
whatever process has its number later. What is written in the file is only for the message to whom it keeps out.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import OutputError


@contextlib.contextmanager
def held(path: Path, doing: str, *, patience: float = 0.0, lasting: bool = True) -> Iterator[None]:
    """Hold the lock file ``path`` (made where absent, in a folder that is there) for the ``with`` block.

    ``doing`` is what its holder does, as the other who waits ``patience`` seconds in vain is told. A lock that is not
    ``lasting`` is taken away at the end.

    Raises:
        OutputError: another process holds it; the message names that process and since when.
        OSError: the file cannot be made.
    """
    if not path.parent.is_dir():  # the library would make it
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    lock = FileLock(path, timeout=patience, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        if not path.exists():  # the library waits as well where the system cannot make the file
            path.touch(mode=0o600)
        raise OutputError(f"另一次运行{_holder(path)}正在{doing}；请等它结束再运行。") from None
    try:
        _sign(path)
        yield
    finally:
        if not lasting:
            with contextlib.suppress(
                OSError
            ):  # where open files cannot be removed it stays, and does no harm
                path.unlink()
        lock.release()


def _sign(path: Path) -> None:
    """Write who holds the lock: process, machine and since when; a lock without it holds as well."""
    since = datetime.now(UTC).astimezone().isoformat(sep=" ", timespec="minutes")[:16]
    with contextlib.suppress(OSError):
        path.write_text(json.dumps({"pid": os.getpid(), "host": platform.node(), "since": since}), "utf-8")


def _holder(path: Path) -> str:
    """Who holds a lock, in brackets; "" where that is not known."""
    try:
        record = json.loads(path.read_text("utf-8"))
        pid, host, since = int(record["pid"]), str(record["host"])[:40], str(record["since"])[:16]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    machine = "" if host == platform.node() else f"{host} 上的"
    return f"（{machine}进程 {pid}，{since} 起）"
