"""Result folders: which opinions they hold, and the whole round counted anew without some of them."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.classifier.files import active_version, load_model
from pipeline.classifier.read import Reader, open_reader, reader_of
from pipeline.documents.clues import is_locked
from pipeline.errors import InputError, ModelError, OutputError, cause
from pipeline.journal import LOCK, STAGING, settle, sweep
from pipeline.judging import SAID, Result, judge
from pipeline.lock import held
from pipeline.outputs.folder import LEDGER, RESULTS, OutputFolder
from pipeline.outputs.stored import stored_table, table_files
from pipeline.papers import Order, check_seal
from pipeline.records import Opinion, Rejection
from pipeline.withdrawing.rejected import first_of, has_text, place_of, read_rejected
from pipeline.withdrawing.wanted import Wanted
from pipeline.workspace import Workspace

WITH_TEXT = (
    "opinions.csv", "opinions.parquet", "findings.csv", "findings.parquet", "rejected.csv", "report.xlsx", "sealed/clues.xlsx",
)  # fmt: skip
"""Files of a round that hold opinions' words, or lists of opinions; the others hold counts."""

_CLUES = Path("sealed/clues.xlsx")
_COLUMNS = ["id", "text", "department", "source_unit", "collected_on", "channel"]


@dataclass(frozen=True)
class ResultFolder:
    """A folder of ``report`` or ``classify``. ``run`` is its ``run.json``."""

    path: Path
    run: Mapping[str, Any] = field(repr=False)

    @classmethod
    def at(cls, path: Path) -> ResultFolder | None:
        """The results that lie in a folder; None where there are none with opinions.

        Raises:
            OutputError: a killed run's results are still to be put in place there, and cannot be.
        """
        if path.is_dir():
            settle(path)
        try:
            run = json.loads((path / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        known = isinstance(run, dict) and {"files", "rows_rejected", "model"} <= run.keys()
        return cls(path.resolve(), run) if known and table_files(path, "opinions") else None

    @cached_property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """(id, text, day, id of what it repeats) of every opinion, in order.

        Raises:
            InputError: the file is damaged.
        """
        names = ["id", "text", "collected_on", "duplicate_of"]
        columns = self._columns(names)
        return list(zip(*(columns[name] for name in names), strict=True))

    def held(self, wanted: Wanted) -> list[str]:
        """Ids of the opinions in it that are wanted, in order."""
        return [identity for identity, text, *_ in self.rows if wanted.holds(identity, text)]

    def near(self, ids: Collection[str]) -> list[str]:
        """Ids of the other opinions that repeat one of these, or that one of these repeats."""
        first = {identity: repeated or identity for identity, _, _, repeated in self.rows}
        clusters = {first[identity] for identity in ids if identity in first}
        return [identity for identity, one in first.items() if one in clusters and identity not in ids]

    @property
    def locked(self) -> bool:
        """Whether its clues are encrypted."""
        return is_locked(self.path / _CLUES)

    def check_seal(self, password: str | None) -> None:
        """Raises InputError where a locked file of clues would be replaced by an open one."""
        check_seal(self.path, Order(password=password))

    def _columns(self, names: list[str]) -> dict[str, list[str]]:
        try:
            table = stored_table(self.path, "opinions", names)
            return {name: table[name].to_pylist() for name in names}
        except (OSError, ValueError, KeyError):
            raise InputError(
                f"{self.path} 里的 opinions.parquet 读不出来或已损坏；请从备份恢复，或把整个文件夹删去，再运行一遍。"
            ) from None

    def stored(self) -> Iterator[Opinion]:
        """Its opinions as they are kept: normalised and masked, with their columns."""
        columns = self._columns(_COLUMNS)
        for values in zip(*(columns[name] for name in _COLUMNS), strict=True):
            yield Opinion(**dict(zip(_COLUMNS, values, strict=True)))

    @cached_property
    def rejections(self) -> list[tuple[tuple[str, ...], Rejection]]:
        """Its rejected rows as they are kept, in order; none where the file is not there. With each the ids that surely are its own.

        The first is its place, as an opinion without an id is known by. The other is its first cell, where the row had a text
        and nothing else in the folder is called so: which column held the ids is not kept.

        Raises:
            InputError: the file is damaged.
        """
        rows = [row for path in table_files(self.path, "rejected", ".csv") for row in read_rejected(path)]
        taken = Counter(first_of(row) for row in rows) + Counter({identity: 2 for identity, *_ in self.rows})
        return [
            ((place_of(row), *([first_of(row)] if has_text(row) and taken[first_of(row)] == 1 else [])), row)
            for row in rows
        ]

    def refused(self, wanted: Wanted) -> list[Rejection]:
        """The rejected rows that are wanted, in order."""
        return [
            row
            for ids, row in self.rejections
            if any(wanted.holds(identity, row.content) for identity in ids)
        ]


class Kept:
    """What a result folder keeps, without some opinions, as a source of a run (:class:`pipeline.counting.Source`)."""

    def __init__(self, folder: ResultFolder, wanted: Wanted) -> None:
        self._folder, self._wanted = folder, wanted
        self.rows = self.accepted = self.rejected = 0
        self.done = 0.0
        self.notices: Mapping[str, int] = folder.run.get("notices", {})
        self.skipped_sheets: list[str] = folder.run.get("skipped_sheets", [])

    def __iter__(self) -> Iterator[Opinion | Rejection]:
        """Yield the rejections, then the opinions, each in the order of the input."""
        refused = set(self._folder.refused(self._wanted))
        for _, rejection in self._folder.rejections:
            if rejection not in refused:
                self.rows += 1
                self.rejected += 1
                yield rejection
        for opinion in self._folder.stored():
            if not self._wanted.holds(opinion.id, opinion.text):
                self.rows += 1
                self.accepted += 1
                yield opinion
        self.done = 1.0

    def origin(self) -> dict[str, Any]:
        """What the record of the run keeps of where it came from; ``withdrawn`` are the rows taken out since."""
        run = self._folder.run
        before = int(run.get("rows_read", 0)) + int(run.get("withdrawn", 0))
        return {
            "files": run["files"],
            "files_passed_over": run.get("files_passed_over", []),
            "withdrawn": before - self.rows,
        }


def recount(folder: ResultFolder, wanted: Wanted, space: Workspace, password: str | None, day: str) -> Result:
    """Read what a folder keeps anew, without the wanted opinions, by the model it was read by; all its files are written anew.

    ``day`` is that of the run that read them first: undated opinions do not become younger.
    Where that model is no longer there, or was made for other categories, the active one reads, and ``run.json`` names both.

    Raises:
        InputError, ResourceError, OutputError: see :mod:`pipeline.errors`; the folder is as it was then.
    """
    version = str(folder.run["model"])
    said = folder.run.get("order") or {}
    order = {name: said[name] for name in SAID if name in said}
    kept = Kept(folder, wanted)
    opened = _reader(space, version)
    used = opened.model.version

    def origin() -> Mapping[str, Any]:
        first = folder.run.get("model_before", version)
        return kept.origin() | {"read_on": day} | ({} if used == first else {"model_before": first})

    result, _ = judge(
        kept,
        lambda: opened,
        space,
        folder.path,
        {
            # worker processes read by the active model
            "jobs": None if used == active_version(space.models) else 1,
            "order": Order(**order, password=password if folder.locked else None),
        },
        origin,
        documents="letters" in folder.run,
    )
    return result


def remove(folder: ResultFolder, *, keep_papers: bool) -> None:
    """Take away all that runs wrote into a folder, but for the ledger in which people work; or only what holds text.

    A file of somebody else's stays, and with it the folder.

    Raises:
        OutputError: a file cannot be taken away.
    """
    with OutputFolder(folder.path) as emptied:
        if keep_papers:
            for path in sorted(folder.path.rglob("*")):
                name = path.relative_to(folder.path).as_posix()
                if path.is_file() and name in kept_of(folder):
                    copy = emptied.path(name)
                    copy.write_bytes(path.read_bytes())
    with contextlib.suppress(OSError):  # a ledger, or somebody else's files, keep it
        folder.path.rmdir()


def kept_of(folder: ResultFolder) -> frozenset[str]:
    """Names of a folder's files that hold counts only."""
    return frozenset({*RESULTS, *folder.run.get("letters", ())}) - {*WITH_TEXT, LEDGER}


def clear(path: Path) -> None:
    """Take away what killed runs left in a folder on the way: it may hold texts.

    Raises:
        OutputError: another run is at work there, or it cannot be taken away.
    """
    if any(path.glob(STAGING + "*")):
        try:
            with held(path / LOCK, f"写入 {path}", lasting=False):
                sweep(path)
        except OSError as error:
            raise OutputError(f"不能清理 {path}：{cause(error)}。") from None


def _reader(space: Workspace, version: str) -> Reader:
    try:
        return reader_of(space, load_model(space.models, space.taxonomy, space.lexicon, version))
    except ModelError:
        return open_reader(space)
