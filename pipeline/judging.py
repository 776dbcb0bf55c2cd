"""A source of opinions → readings → tables → documents, put into a result folder: what a run and a recount have in common."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

import numpy as np
import pandas as pd

from pipeline import __version__
from pipeline.aggregate.likelihood import HeldOutPosteriors
from pipeline.aggregate.stored import dumped
from pipeline.aggregate.tables import Tables
from pipeline.aggregate.tally import Tally
from pipeline.classifier.files import libraries, mismatch
from pipeline.classifier.model import Model
from pipeline.classifier.read import Reader
from pipeline.directory import Directory
from pipeline.documents.clues import ClueRow, clue_row
from pipeline.engine import chunked, read_all
from pipeline.intake.repeats import NEAR, Repeats
from pipeline.outputs.cells import csv_cell
from pipeline.outputs.files import RunFiles
from pipeline.outputs.folder import OutputFolder
from pipeline.parts import Parts
from pipeline.records import Opinion, Reading, Rejection
from pipeline.review.audits import audited_pairs
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.papers import Order

SAID = ("office", "round", "day", "days")
"""What the record of a run keeps of its order."""

Progress = Callable[[float, int], None]
"""Called with the share of the input read, 0 to 1, and the rows read so far."""


@dataclass(frozen=True)
class Result:
    """What a run made: the folder, the tables, and ``run.json`` as a dict."""

    folder: Path
    tables: Tables
    run: dict[str, Any]

    @property
    def summary(self) -> pd.DataFrame:
        """``summary.csv`` as a frame."""
        return self.tables.summary


class Options(TypedDict, total=False):
    """What a run may be told beside its input and output.

    ``workspace``: folder with the user's own ``data/`` and ``models/`` (default: the current folder). ``columns``:
    field → header, where headers are not recognised. ``jobs``: number of processes (default and at most: one a processor).
    ``progress``: called as the input is read. ``notice``: called with a line that the user should know meanwhile (default:
    it is written to standard error). ``order``: what the office says of its papers (``report`` only). ``engine``: ``local``,
    or ``dask`` for a cluster; ``scheduler``: the address of its scheduler, without which it is made of this machine's processes.
    """

    workspace: str | Path | None
    columns: Mapping[str, str]
    jobs: int | None
    progress: Progress | None
    notice: Callable[[str], object] | None
    order: Order | None
    engine: str
    scheduler: str


class Source(Protocol):
    """Where opinions come from, in order: files, or a result folder that is counted anew. What it counts is complete when it has ended.

    ``rows`` = ``accepted`` + ``rejected``; ``done`` is the share read, 0 to 1.
    """

    rows: int
    accepted: int
    rejected: int
    done: float

    @property
    def notices(self) -> Mapping[str, int]:
        """What was accepted with a remark, by sentence."""

    @property
    def skipped_sheets(self) -> list[str]:
        """Tables without opinions."""

    def __iter__(self) -> Iterator[Opinion | Rejection]:
        """Yield one opinion or rejection per row."""


def judge(
    source: Source,
    opened: Callable[[], Reader],
    space: Workspace,
    output: Path,
    options: Options,
    origin: Callable[[], Mapping[str, Any]],
    *,
    documents: bool,
    resuming: bool = False,
    streamed: Streamed | None = None,
) -> tuple[Result, Sequence[str]]:
    """Read a source to its end by the reader that ``opened`` gives, and put the results into ``output``, whole or not at all; also the ids in order.

    ``origin`` is asked at the end for what the record of the run says of where it came from, ``files`` and
    ``files_passed_over``. With ``documents`` the papers are written too. With ``resuming`` a run that was stopped is gone on
    with where the same is given again; ``origin`` is then asked at the beginning as well.
    ``streamed`` reads, counts and writes the opinions in place of this machine's engine.

    Raises:
        InputError, ResourceError, OutputError: see :mod:`pipeline.errors`; nothing is written then.
    """
    clock = _Clock()
    reader = opened()
    audits = audited_pairs(space)
    clock.lap("load")
    with OutputFolder(output, resuming=resuming) as folder:
        papers = _papers(output, space, options) if documents else None

        def begin() -> Parts:
            return _parts(output, reader, options, origin() if resuming else {})

        counting = Counting(reader, audits)
        (streamed or _stream)(source, counting, space.root, folder, options, begin)
        stream = counting.stream()
        clock.lap("read")
        tables = stream.tally.tables()
        run = _run_record(origin(), source, reader.model, space, stream)
        clock.lap("aggregate")
        if papers:
            run["order"] = ordered(options.get("order"))
            run["letters"] = papers(tables, stream, run, reader.model.card, folder)
            clock.lap("documents")
        run["seconds"] = clock.seconds
        folder.path("run.json").write_text(
            json.dumps(run, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
    return Result(folder=output, tables=tables, run=run), stream.tally.ids


def ordered(order: Order | None) -> dict[str, Any]:
    """What an office said of its papers, but for the password."""
    return {name: getattr(order, name) for name in SAID} if order else {}


def _papers(output: Path, space: Workspace, options: Options) -> Callable[..., list[str]]:
    """What writes the papers once all is counted; what lies in the result folder is looked at before anything is read."""
    from pipeline.papers import Order, Sealed, check_seal, ledger_in, write_papers  # noqa: PLC0415  # `classify` needs none

    order = options.get("order") or Order()
    check_seal(output, order)
    ledger = ledger_in(output, space)

    def write(
        tables: Tables, stream: Stream, run: dict[str, Any], card: dict[str, Any], folder: OutputFolder
    ) -> list[str]:
        tables.summary.map(csv_cell).to_csv(folder.path("summary.csv"), index=False, encoding="utf-8-sig")
        counted = stream.tally.tables(sealed=False)
        folder.path("tables.json").write_text(dumped(counted), encoding="utf-8")
        sealed = Sealed(
            rows=stream.clues, ids=stream.tally.sealed(), departments=stream.tally.sealed_departments()
        )
        return write_papers(counted, run, card, space, sealed, ledger, folder, order)

    return write


@dataclass(frozen=True)
class Stream:
    """What was kept of the opinions as they went by: counts, clues, and repeats and unknown departments by number."""

    tally: Tally
    clues: list[ClueRow]
    repeated: int
    unlisted: dict[str, int]


class Counting:
    """Everything that happens once per opinion, in order; memory does not grow with the texts.

    ``needs_texts`` says that readings are to come with their texts: some opinions were audited.
    """

    def __init__(self, reader: Reader, audits: Mapping[str, frozenset[tuple[str, str]]]) -> None:
        self.reader = reader
        self.needs_texts = bool(audits)
        errors = HeldOutPosteriors(reader.model.held_out.astype(np.int64))
        self._tally = Tally(reader.taxonomy, reader.directory, errors, audits)
        self._repeats = Repeats()
        self._repeated = 0
        self._clues: list[ClueRow] = []
        self._unlisted: dict[str, int] = {}

    def add(self, readings: Sequence[Reading]) -> list[str]:
        """Count readings; of each the id of the opinion that it repeats, "" where it is the first of its kind."""
        begun = len(self._tally.ids)
        firsts = self._repeats.firsts(
            [reading.signature for reading in readings], [reading.departments for reading in readings]
        ).tolist()
        self._tally.add_all(readings, firsts)
        ids = self._tally.ids
        first_of = ["" if first == number else ids[first] for number, first in enumerate(firsts, begun)]
        self._repeated += sum(map(bool, first_of))
        for reading in readings:
            own = reading.opinion.department
            if own and self.reader.directory.resolve(own) is None:
                self._unlisted[own] = self._unlisted.get(own, 0) + 1
        self._clues += [clue_row(reading, self.reader.taxonomy) for reading in readings if reading.clue]
        return first_of

    def stream(self) -> Stream:
        """What was counted."""
        return Stream(self._tally, self._clues, self._repeated, self._unlisted)


Streamed = Callable[[Source, Counting, Path, OutputFolder, Options, Callable[[], Parts]], None]
"""Reads a source to its end, in a workspace: counts it and writes the tables of opinions; the last gives where parts are kept."""


def processes(options: Options) -> int:
    """How many processes a run may use on this machine."""
    processors = os.cpu_count() or 1
    return min(options.get("jobs") or processors, processors)


def _stream(
    source: Source,
    counting: Counting,
    root: Path,
    folder: OutputFolder,
    options: Options,
    begin: Callable[[], Parts],
) -> None:
    """By the processors of this machine, chunk by chunk."""
    reader, progress = counting.reader, options.get("progress")
    files = RunFiles(folder)
    chunks = chunked(source, lambda rejection: files.reject([rejection]))
    readings_of = read_all(chunks, reader, root, processes(options), begin)
    with contextlib.closing(files), contextlib.closing(readings_of) as read:
        for readings in read:
            first_of = counting.add(readings)
            files.write(readings, first_of, own_departments(readings, reader.directory))
            if progress:
                progress(source.done, source.rows)


def _parts(output: Path, reader: Reader, options: Options, origin: Mapping[str, Any]) -> Parts:
    """Where the run keeps what was read, and, as the user is told, an earlier one has left it."""
    told = {
        "files": [(file["name"], file["sha256"]) for file in origin.get("files", ())],
        "columns": options.get("columns", {}),
        "model": reader.model.card,
        "taxonomy": reader.taxonomy.digest,
        "lexicon": reader.segmenter.lexicon.digest,
        "directory": reader.directory.digest,
        "libraries": libraries(),
        "program": __version__,
    }
    parts = Parts.begin(output, told)
    if count := parts.count():
        line = f"提示：接着上次中断的地方做，已判定的 {count} 件不再重做。"
        (options.get("notice") or (lambda said: sys.stderr.write(said + "\n")))(line)
    return parts


def own_departments(readings: Sequence[Reading], directory: Directory) -> list[str]:
    """Of each reading the column's department by its canonical name; as written where the directory lacks it."""
    written = [reading.opinion.department for reading in readings]
    return [directory.resolve(name) or name for name in written]


def _run_record(
    origin: Mapping[str, Any],
    source: Source,
    model: Model,
    space: Workspace,
    stream: Stream,
) -> dict[str, Any]:
    return {
        "files": origin["files"],
        "rows_read": source.rows,
        "rows_accepted": source.accepted,
        "rows_rejected": source.rejected,
        "rows_duplicate": stream.repeated,
        "clues": len(stream.clues),
        "sealed": sorted(stream.tally.sealed()),
        "repeat_similarity": NEAR,
        "notices": dict(sorted(source.notices.items())),
        "skipped_sheets": source.skipped_sheets,
        "files_passed_over": origin["files_passed_over"],
        "departments_not_listed": dict(
            sorted(stream.unlisted.items(), key=lambda item: (-item[1], item[0]))[:50]
        ),
        "model": model.version,
        "model_libraries": mismatch(model.card),
        "taxonomy": space.taxonomy.version,
        "directory_sha256": space.directory.digest,
        "lexicon_sha256": space.lexicon.digest,
        "program": __version__,
        **{name: value for name, value in origin.items() if name not in {"files", "files_passed_over"}},
    }


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = round(now - self._last, 3)
        self._last = now
