"""Many files put in place as one: a journal is written first, and whoever comes next completes what a kill cut short.

A run writes its files into a staging folder inside the result folder. Its :func:`commit` writes the journal there, moves
what an earlier run left aside, moves the new files in place, and takes the journal away. Without a journal nothing was
moved yet; with one, all files of the run are there, each in its staging folder or in its place, and :func:`settle`
moves the rest. At no moment do files of both runs lie in the result folder.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from pipeline.errors import OutputError, cause
from pipeline.lock import held

STAGING = ".qingyi-"
"""Begin names of staging folders."""

LOCK = ".qingyi.lock"
"""In a result folder while a run writes there."""

_JOURNAL = ".moves.json"
_EARLIER = ".earlier"
_FOLDERS = ("feedback", "notices", "sealed", "opinions", "findings", "rejected")
_NAME = re.compile(rf"(?:(?:{'|'.join(_FOLDERS)})/)?[^./\\][^/\\]*")

Move = tuple[Path, Path]
"""From where to where."""


def commit(folder: Path, staging: Path, earlier: Collection[str], precious: str) -> None:
    """Move all files of ``staging`` into ``folder``, in place of what lies there under their names and of the ``earlier`` ones.

    They become readable by their owner only. The ``precious`` one, which no other run could make again, and the journal are
    on the disk itself before anything is moved, should the power fail. The caller holds the folder's lock.

    Raises:
        OSError: a file cannot be moved; all is as it was before.
    """
    written = [path.relative_to(staging).as_posix() for path in sorted(staging.rglob("*")) if path.is_file()]
    for name in written:
        (staging / name).chmod(0o600)  # libraries may have widened it inside the private folder
    if precious in written:
        _flush(staging / precious)
    replaced = [name for name in sorted({*written, *earlier}) if os.path.lexists(folder / name)]
    for name in replaced:
        if (folder / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    draft = staging / (_JOURNAL + ".new")
    draft.write_text(json.dumps({"written": written, "replaced": replaced}, ensure_ascii=False), "utf-8")
    draft.chmod(0o600)
    _flush(draft)
    draft.replace(staging / _JOURNAL)
    moves = _moves(folder, staging, written, replaced)
    try:
        _carry_out(moves)
    except BaseException:
        _carry_out([(target, source) for source, target in reversed(moves)])
        (staging / _JOURNAL).unlink()
        raise
    _close(folder, staging)


def settle(folder: Path) -> None:
    """Complete what a killed run had begun to put in place in a result folder; whoever reads results calls this first.

    Where nothing is to complete, nothing is written.

    Raises:
        OutputError: it cannot be completed, or another run is at it, or the journal cannot be understood.
    """
    if not any(folder.glob(f"{STAGING}*/{_JOURNAL}")):
        return
    try:
        with held(folder / LOCK, f"写入 {folder}", lasting=False):
            sweep(folder)
    except OSError as error:
        raise OutputError(
            f"{folder} 里上一次运行的结果还没有放完，现在也放不进去：{cause(error)}。"
        ) from None


def sweep(folder: Path, spared: str | None = None) -> None:
    """Complete what killed runs had begun to put in place, and take away what they had not; the caller holds the lock.

    What has a name that begins with ``spared`` stays.

    Raises:
        OSError: a file cannot be moved, or a journal not be read.
        OutputError: a journal is none of ours, or damaged: what lies beside it may be the only copy, and stays.
    """
    for staging in sorted(folder.glob(STAGING + "*")):
        if spared and staging.name.startswith(spared):
            continue
        if names := _recorded(staging):
            _carry_out(_moves(folder, staging, *names))
            _close(folder, staging)
        else:
            shutil.rmtree(staging, ignore_errors=True)


def discard(staging: Path) -> None:
    """Take a staging folder away, unless it holds files that are still to be put in place."""
    if not (staging / _JOURNAL).exists():
        shutil.rmtree(staging, ignore_errors=True)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _moves(folder: Path, staging: Path, written: Iterable[str], replaced: Iterable[str]) -> list[Move]:
    return [
        *((folder / name, staging / _EARLIER / name) for name in replaced),
        *((staging / name, folder / name) for name in written),
    ]


def _carry_out(moves: Iterable[Move]) -> None:
    """Make the moves that were not made yet; a file that somebody put in the way meanwhile stays."""
    for source, target in moves:
        if os.path.lexists(source) and not os.path.lexists(target):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            source.rename(target)


def _close(folder: Path, staging: Path) -> None:
    """All is in place: nothing is to be completed any more, and folders of letters are private, or gone when empty."""
    (staging / _JOURNAL).unlink()
    discard(staging)
    for name in _FOLDERS:
        with contextlib.suppress(OSError):  # not there, or what else lies there keeps it
            (folder / name).chmod(0o700)
            (folder / name).rmdir()


def _recorded(staging: Path) -> tuple[list[str], list[str]] | None:
    """The names in a journal; None where there is none.

    Raises:
        OSError: it cannot be read.
        OutputError: none of our runs could have written it.
    """
    try:
        content = json.loads((staging / _JOURNAL).read_text("utf-8"))
        names = [*content["written"], *content["replaced"]]
        if all(_NAME.fullmatch(name) for name in names):
            return content["written"], content["replaced"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError):
        pass
    raise OutputError(
        f"{staging} 里的移动记录读不懂，可能损坏，旁边也许有台账唯一的一份；请把要的文件移出来，再删去这个文件夹。"
    )
