"""A source of opinions → readings → tables → documents, put into a result folder: what a run and a recount have in common."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
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
from pipeline.classifier.files import mismatch
from pipeline.classifier.model import Model
from pipeline.classifier.read import Reader
from pipeline.documents.clues import ClueRow, clue_row
from pipeline.engine import chunked, read_all
from pipeline.intake.repeats import NEAR, Repeats
from pipeline.outputs import OutputFolder, RunFiles, csv_cell
from pipeline.records import Opinion, Rejection
from pipeline.review.audits import audited_pairs
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.papers import Order

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
    ``progress``: called as the input is read. ``order``: what the office says of its papers (``report`` only).
    """

    workspace: str | Path | None
    columns: Mapping[str, str]
    jobs: int | None
    progress: Progress | None
    order: Order | None


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
) -> tuple[Result, list[str]]:
    """Read a source to its end by the reader that ``opened`` gives, and put the results into ``output``, whole or not at all; also the ids in order.

    ``origin`` is asked at the end for what the record of the run says of where it came from, ``files`` and
    ``files_passed_over``. With ``documents`` the papers are written too.

    Raises:
        InputError, ResourceError, OutputError: see :mod:`pipeline.errors`; nothing is written then.
    """
    clock = _Clock()
    reader = opened()
    audits = audited_pairs(space)
    clock.lap("load")
    with OutputFolder(output) as folder:
        papers = _papers(output, space, options) if documents else None
        stream = _stream(source, reader, space.root, folder, audits, options)
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
    return Result(folder=output, tables=tables, run=run), stream.ids


def ordered(order: Order | None) -> dict[str, Any]:
    """What an office said of its papers, but for the password."""
    return {"office": order.office, "day": order.day, "days": order.days} if order else {}


def _papers(output: Path, space: Workspace, options: Options) -> Callable[..., list[str]]:
    """What writes the papers once all is counted; what lies in the result folder is looked at before anything is read."""
    from pipeline.papers import Order, Sealed, check_seal, ledger_in, write_papers  # noqa: PLC0415  # `classify` needs none

    order = options.get("order") or Order()
    check_seal(output, order)
    ledger = ledger_in(output, space)

    def write(
        tables: Tables, stream: _Stream, run: dict[str, Any], card: dict[str, Any], folder: OutputFolder
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
class _Stream:
    """What was kept of the opinions as they went by: counts, clues, ids, and repeats and unknown departments by number."""

    tally: Tally
    clues: list[ClueRow]
    repeated: int
    unlisted: dict[str, int]
    ids: list[str]


def _stream(
    source: Source,
    reader: Reader,
    root: Path,
    folder: OutputFolder,
    audits: Mapping[str, frozenset[tuple[str, str]]],
    options: Options,
) -> _Stream:
    """Everything that happens once per opinion, chunk by chunk; memory does not grow with the texts."""
    processors = os.cpu_count() or 1
    jobs, progress = min(options.get("jobs") or processors, processors), options.get("progress")
    errors = HeldOutPosteriors(reader.model.held_out.astype(np.int64))
    tally = Tally(reader.taxonomy, reader.directory, errors, audits)
    repeats = Repeats()
    files = RunFiles(folder)
    repeated = 0
    clues: list[ClueRow] = []
    unlisted: dict[str, int] = {}
    ids: list[str] = []
    try:
        chunks = chunked(source, lambda rejection: files.reject([rejection]))
        for readings in read_all(chunks, reader, root, jobs):
            first_of = [
                repeats.first_of(reading.opinion.id, reading.signature, reading.departments)
                for reading in readings
            ]
            departments = [_own_department(reader, reading.opinion, unlisted) for reading in readings]
            for reading, first in zip(readings, first_of, strict=True):
                tally.add(reading, first)
                repeated += bool(first)
            clues += [clue_row(reading, reader.taxonomy) for reading in readings if reading.clue]
            files.write(readings, first_of, departments)
            ids += [reading.opinion.id for reading in readings]
            if progress:
                progress(source.done, source.rows)
    finally:
        files.close()
    return _Stream(tally, clues, repeated, unlisted, ids)


def _own_department(reader: Reader, opinion: Opinion, unlisted: dict[str, int]) -> str:
    """The column's department by its canonical name; as written, and counted, where the directory lacks it."""
    name = reader.directory.resolve(opinion.department)
    if name is None and opinion.department:
        unlisted[opinion.department] = unlisted.get(opinion.department, 0) + 1
    return name or opinion.department


def _run_record(
    origin: Mapping[str, Any],
    source: Source,
    model: Model,
    space: Workspace,
    stream: _Stream,
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
