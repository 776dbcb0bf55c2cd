"""Where a workspace's opinions lie, as its log of commands tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.audit.recording import Recorded, recorded
from pipeline.errors import InputError
from pipeline.withdrawing.results import ResultFolder
from pipeline.workspace import Workspace

RUNS, EXPORTS, TAKINGS = ("report", "classify"), ("review export", "review disputes"), ("withdraw", "purge")


@dataclass(frozen=True)
class Places:
    """Everything outside the workspace's own folders that commands wrote, as far as it is still there.

    ``written`` are all folders into which commands wrote texts, also those in which nothing is left. ``sheets`` says of each file with questions whether it was exported here (or only brought in from elsewhere).
    ``unfinished`` are folders and files that a withdrawal cut short was to rewrite; ``withdrawn`` ids that were asked for before.
    ``moved`` are result folders and ``strayed`` exported sheets that are no longer where they were written, though nothing here took them away.
    ``begun`` are withdrawals cut short that were not given again since.
    """

    folders: tuple[ResultFolder, ...]
    written: tuple[Path, ...]
    days: Mapping[Path, str]
    sheets: Mapping[Path, bool]
    comparisons: Mapping[Path, Recorded]
    pages: tuple[Recorded, ...]
    unfinished: frozenset[Path]
    withdrawn: frozenset[str]
    moved: tuple[Path, ...] = ()
    strayed: tuple[Path, ...] = ()
    begun: tuple[str, ...] = ()

    def day(self, folder: ResultFolder) -> str:
        """The day (UTC) of a folder's latest run: by the log, else as a withdrawal noted it, else by the file's own time."""
        known = self.days.get(folder.path) or str(folder.run.get("read_on", ""))
        return (
            known
            or datetime.fromtimestamp((folder.path / "run.json").stat().st_mtime, UTC).date().isoformat()
        )


def places_of(space: Workspace, more: Sequence[Path] = ()) -> Places:
    """What the workspace's log knows, and the result folders ``more``.

    Raises:
        InputError: one of ``more`` holds no results and the log tells of none that were there, or a file of results is damaged.
        OutputError: the log cannot be read.
    """
    log = recorded(space.root)
    runs = [one for one in log if one.command in RUNS]
    given = [path.resolve() for path in more]
    folders = {
        path: ResultFolder.at(path) for path in [*(path for one in runs for path in one.outputs), *given]
    }
    known = {path for one in runs for path in one.outputs}
    known |= {path for one in log if one.command in TAKINGS for path in _named(one, "places")}
    for path in given:
        if folders[path] is None and path not in known:
            raise InputError(
                f"{path} 里没有一轮完整的结果（run.json、opinions.parquet）；--in 后面请写 report、classify 的结果文件夹。"
            )
    exported = _paths(one for one in log if one.command in EXPORTS)
    written = _written(log)
    brought = [Path(str(one.options.get("file"))) for one in log if one.command == "review import"]
    return Places(
        folders=tuple(folder for folder in folders.values() if folder),
        written=tuple(
            path
            for path in dict.fromkeys(
                [
                    *folders,
                    *(path for one in log if one.command == "compare" for path in one.outputs),
                    *(
                        path.parent
                        for one in log
                        if one.command in (*EXPORTS, "drift")
                        for path in one.outputs
                    ),
                ]
            )
            if path.is_dir()
        ),
        days={path: one.at[:10] for one in runs if one.outcome == "done" for path in one.outputs},
        sheets={path: path in exported for path in dict.fromkeys([*exported, *brought]) if path.is_file()},
        comparisons={path: one for one in log if one.command == "compare" for path in one.outputs},
        pages=tuple(one for one in log if one.command == "drift"),
        unfinished=_unfinished(log),
        withdrawn=frozenset(
            str(identity)
            for one in log
            if one.command == "withdraw"
            for identity in one.options.get("ids", ())
        ),
        moved=tuple(path for path in written if path in folders and folders[path] is None),
        strayed=tuple(path for path in written if path in exported and not path.is_file()),
        begun=_begun(log),
    )


def _named(one: Recorded, option: str) -> list[Path]:
    return [Path(str(path)) for path in one.options.get(option, ())]


def _written(log: Iterable[Recorded]) -> dict[Path, None]:
    """What runs and exports wrote and no withdrawal took away since."""
    left: dict[Path, None] = {}
    for one in log:
        if one.command in (*RUNS, *EXPORTS) and one.outcome == "done":
            left |= dict.fromkeys(one.outputs)
        elif one.command in TAKINGS:
            for path in _named(one, "emptied"):
                left.pop(path, None)
    return left


def begun_as(command: str, options: Mapping[str, Any]) -> str:
    """A withdrawal as it was given, but for what it says beside."""
    if command == "purge":
        return f"purge --before {options.get('before', '')}"
    return " ".join(["withdraw", *sorted(map(str, options.get("ids", ())))])


def _begun(log: Iterable[Recorded]) -> tuple[str, ...]:
    left: dict[str, None] = {}
    for one in log:
        if one.command in TAKINGS:
            name = begun_as(one.command, one.options)
            if one.outcome == "done":
                left.pop(name, None)
            else:
                left[name] = None
    return tuple(left)


def _paths(log: Iterable[Recorded]) -> list[Path]:
    """Files with texts that the commands wrote: Label Studio's ``.xml`` beside its tasks has none."""
    return [path for one in log for path in one.outputs if path.suffix.lower() in {".xlsx", ".json"}]


def _unfinished(log: Iterable[Recorded]) -> frozenset[Path]:
    left: set[Path] = set()
    for one in log:
        if one.command in TAKINGS:
            if one.outcome == "done":
                left.clear()  # it finished what was left before it, too
            else:
                left |= {*_named(one, "places")}
    return frozenset(left)
