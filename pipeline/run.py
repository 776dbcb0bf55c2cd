"""The whole way on one page: files → opinions → readings → tables → documents."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from pipeline import __version__
from pipeline.aggregate.likelihood import HeldOutPosteriors
from pipeline.aggregate.stored import dumped
from pipeline.aggregate.tables import Tables
from pipeline.aggregate.tally import Tally
from pipeline.classifier.files import mismatch
from pipeline.classifier.model import Model
from pipeline.classifier.read import Reader, open_reader
from pipeline.documents.clues import ClueRow, clue_row
from pipeline.engine import chunked, read_all
from pipeline.intake.files import FoundFiles, find_files
from pipeline.intake.reading import Intake
from pipeline.intake.repeats import NEAR, Repeats
from pipeline.outputs import OutputFolder, RunFiles, csv_cell
from pipeline.records import Opinion
from pipeline.review.audits import audited_pairs
from pipeline.workspace import Workspace, open_workspace

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


def classify(inputs: Sequence[str | Path], output: str | Path, **options: Unpack[Options]) -> Result:
    """Read, classify, attribute and count; write ``opinions.*``, ``findings.*``, ``rejected.csv``, ``run.json``.

    ``inputs`` are files or folders, ``output`` is the folder of the results; see :class:`Options`.

    Raises:
        InputError, ResourceError, OutputError: see :mod:`pipeline.errors`; nothing is written then.
    """
    return _run(inputs, Path(output), options, documents=False)


def report(inputs: Sequence[str | Path], output: str | Path, **options: Unpack[Options]) -> Result:
    """Do the main job: everything of :func:`classify`, ``summary.csv`` and ``tables.json``, and all papers.

    The papers are ``report.html``, ``report.xlsx``, ``briefing.docx``, ``feedback/``, ``notices/``, ``commendation.docx``,
    ``ledger.xlsx`` and ``sealed/clues.xlsx``. A ledger in the result folder is carried on with what people wrote in it.

    Raises:
        InputError, ResourceError, OutputError: see :mod:`pipeline.errors`; nothing is written then.
    """
    return _run(inputs, Path(output), options, documents=True)


def _run(inputs: Sequence[str | Path], output: Path, options: Options, *, documents: bool) -> Result:
    clock = _Clock()
    root = options.get("workspace")
    space = open_workspace(Path(root) if root is not None else None)
    files = find_files(map(Path, inputs), output)
    intake = Intake(files, options.get("columns", {}))
    reader = open_reader(space)
    papers = _papers(output, space, options) if documents else None
    audits = audited_pairs(space)
    clock.lap("load")
    with OutputFolder(output) as folder:
        stream = _stream(intake, reader, space.root, folder, audits, options)
        clock.lap("read")
        tables = stream.tally.tables()
        run = _run_record(files, intake, reader.model, space, stream)
        clock.lap("aggregate")
        if papers:
            run["letters"] = papers(tables, stream, run, reader.model.card, folder)
            clock.lap("documents")
        run["seconds"] = clock.seconds
        folder.path("run.json").write_text(
            json.dumps(run, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
    return Result(folder=output, tables=tables, run=run)


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
    """What was kept of the opinions as they went by: counts, clues, and repeats and unknown departments by number."""

    tally: Tally
    clues: list[ClueRow]
    repeated: int
    unlisted: dict[str, int]


def _stream(
    intake: Intake,
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
    try:
        chunks = chunked(intake, lambda rejection: files.reject([rejection]))
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
            if progress:
                progress(intake.done, intake.rows)
    finally:
        files.close()
    return _Stream(tally, clues, repeated, unlisted)


def _own_department(reader: Reader, opinion: Opinion, unlisted: dict[str, int]) -> str:
    """The column's department by its canonical name; as written, and counted, where the directory lacks it."""
    name = reader.directory.resolve(opinion.department)
    if name is None and opinion.department:
        unlisted[opinion.department] = unlisted.get(opinion.department, 0) + 1
    return name or opinion.department


def _run_record(
    files: FoundFiles,
    intake: Intake,
    model: Model,
    space: Workspace,
    stream: _Stream,
) -> dict[str, Any]:
    return {
        "files": [{"name": source.name, "sha256": source.sha256(), "bytes": source.size} for source in files],
        "rows_read": intake.rows,
        "rows_accepted": intake.accepted,
        "rows_rejected": intake.rejected,
        "rows_duplicate": stream.repeated,
        "clues": len(stream.clues),
        "sealed": sorted(stream.tally.sealed()),
        "repeat_similarity": NEAR,
        "notices": dict(sorted(intake.notices.items())),
        "skipped_sheets": intake.skipped_sheets,
        "files_passed_over": files.passed_over,
        "departments_not_listed": dict(
            sorted(stream.unlisted.items(), key=lambda item: (-item[1], item[0]))[:50]
        ),
        "model": model.version,
        "model_libraries": mismatch(model.card),
        "taxonomy": space.taxonomy.version,
        "directory_sha256": space.directory.digest,
        "lexicon_sha256": space.lexicon.digest,
        "program": __version__,
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
