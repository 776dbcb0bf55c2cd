"""A source of opinions → readings → tables → documents, put into a result folder: what a run and a recount have in common."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from pipeline import __version__
from pipeline.aggregate.tally import Tally
from pipeline.classifier.files import libraries, mismatch
from pipeline.classifier.model import Model
from pipeline.classifier.read import Reader
from pipeline.counting import Counting, Source, Stream, own_departments
from pipeline.engine import chunked, read_all
from pipeline.intake.repeats import NEAR
from pipeline.outputs.cells import csv_cell
from pipeline.outputs.files import RunFiles
from pipeline.outputs.folder import OutputFolder
from pipeline.parts import Parts
from pipeline.review.audits import audited_pairs
from pipeline.workers import processes
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.aggregate.tables import Tables
    from pipeline.papers import Order

SAID = ("office", "round", "day", "days")
"""What the record of a run keeps of its order."""

Progress = Callable[[float, int], None]
"""Called with the share of the input read, 0 to 1, and the rows read so far."""


@dataclass(frozen=True)
class Result:
    """What a run made: the folder, what it counted, and ``run.json`` as a dict."""

    folder: Path
    tally: Tally
    run: dict[str, Any]

    @functools.cached_property
    def tables(self) -> Tables:
        """What it counted, as tables, made when they are first asked for."""
        return self.tally.tables()

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
        run = _run_record(origin(), source, reader.model, space, stream)
        result = Result(output, stream.tally, run)
        if papers:
            tables = result.tables
            clock.lap("aggregate")
            run["order"] = ordered(options.get("order"))
            run["letters"] = papers(tables, stream, run, reader.model.card, folder)
            clock.lap("documents")
        run["seconds"] = clock.seconds
        folder.path("run.json").write_text(
            json.dumps(run, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
    return result, stream.tally.ids


def ordered(order: Order | None) -> dict[str, Any]:
    """What an office said of its papers, but for the password."""
    return {name: getattr(order, name) for name in SAID} if order else {}


def _papers(output: Path, space: Workspace, options: Options) -> Callable[..., list[str]]:
    """What writes the papers once all is counted; what lies in the result folder is looked at before anything is read."""
    from pipeline.aggregate.stored import dumped  # noqa: PLC0415  # `classify` needs neither tables nor papers
    from pipeline.papers import Order, Sealed, check_seal, ledger_in, write_papers  # noqa: PLC0415  # the same

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


Streamed = Callable[[Source, Counting, Path, OutputFolder, Options, Callable[[], Parts]], None]
"""Reads a source to its end, in a workspace: counts it and writes the tables of opinions; the last gives where parts are kept."""


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
    readings_of = read_all(chunks, reader, root, processes(options.get("jobs")), begin)
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
