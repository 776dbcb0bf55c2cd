"""Files of a run: private, whole or absent, the same bytes for the same input."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import DISK, RESUMABLE, OutputError, ShortageError, cause
from pipeline.journal import LOCK, STAGING, commit, discard, sweep
from pipeline.lock import held
from pipeline.parts import PARTS, end_parts
from pipeline.records import Reading, Rejection
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise

RESULTS = (
    "opinions.csv", "opinions.parquet", "findings.csv", "findings.parquet", "rejected.csv", "summary.csv", "tables.json",
    "run.json", "report.html", "report.xlsx", "briefing.docx", "commendation.docx", "ledger.xlsx",
    "sealed/clues.xlsx", "drift.html",
)  # fmt: skip
"""Every file a run may write, but for letters and notices, whose names differ; what a run does not write but an earlier one did is taken away."""

TABLES = ("opinions", "findings", "rejected")
"""What a run on a cluster writes as folders of parts, ``part-00000.parquet`` and so on; rejected rows as csv."""

LEDGER = "ledger.xlsx"
"""People work in it: no run takes it away."""

STOPS = (KeyboardInterrupt, MemoryError, ShortageError)
"""What stops a run from outside: given again, it may come through."""

_PATIENCE_SECONDS = 10.0
_OF_A_ROUND = re.compile(r"(?:feedback|notices)/[^/\\]+\.docx")
_OF_A_CLUSTER = re.compile(r"part-\d{5,}\.(?:parquet|csv)")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_GROUP_ROWS, _GROUP_BYTES = 1 << 16, 1 << 25
"""A row group of a Parquet file is written once it has so many rows or, not yet compressed, bytes: few groups, and bounded memory."""


OPINIONS = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "text", "department", "source_unit", "collected_on", "channel", "labels")),
        ("valid", pa.bool_()),
        ("needs_review", pa.bool_()),
        ("duplicate_of", pa.string()),
    ]
)  # fmt: skip
FINDINGS = pa.schema(
    [
        ("opinion_id", pa.string()),
        ("department", pa.string()),
        ("label", pa.string()),
        ("probability", pa.float64()),
        ("evidence", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("needs_review", pa.bool_()),
    ]
)
REJECTED = ("file", "row", "reason", "content", "sheet")


def table_files(folder: Path, name: str, suffix: str = ".parquet") -> list[Path]:
    """The files of a table of a result folder, in order: its one file, or the parts that a cluster wrote."""
    whole = folder / (name + suffix)
    return [whole] if whole.exists() else sorted((folder / name).glob("part-*" + suffix))


def stored_table(folder: Path, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A table of a result folder, or some columns of it.

    Raises:
        OSError: it is not there, or cannot be read.
        ValueError: it is damaged, or lacks a column.
    """
    files = table_files(folder, name) or [folder / f"{name}.parquet"]
    return pa.concat_tables([pq.read_table(path, columns=columns) for path in files])


def table_rows(folder: Path, name: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Values of some columns of a table of a result folder, row by row."""
    for path in table_files(folder, name):
        for batch in pq.ParquetFile(path).iter_batches(columns=columns):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def csv_cell(value: Any) -> Any:
    """A value as a csv cell: a leading sign that a spreadsheet program would calculate gets an apostrophe."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def plain_cell(cell: str) -> str:
    """The value that :func:`csv_cell` made a cell of, as text."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


class OutputFolder:
    """A staging folder inside the result folder; leaving the ``with`` block without error moves its files in place.

    Files are created readable by their owner only, in a folder of the same kind. After an error nothing of the
    run remains; what a killed run left behind is completed or swept by the next. Results of an earlier run in the
    same folder are replaced as a set: none of them stays beside the new ones. One run at a time writes there.
    """

    def __init__(self, folder: Path, results: Sequence[str] = RESULTS, *, resuming: bool = False) -> None:
        """``results``: names of all files that such a run may write.

        ``resuming``: parts that were read (:mod:`pipeline.parts`) outlive a run that is stopped from outside, for the same run
        to go on with; otherwise, and after any other error, they are taken away.
        """
        self.folder = folder
        self._results = results
        self._resuming = resuming
        self._stopped = False

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack, self._refusals():
            if self._made_by_runs():
                stack.callback(self._remove_where_empty)
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            stack.enter_context(held(self.folder / LOCK, f"写入 {self.folder}", lasting=False))
            sweep(self.folder, spared=PARTS if self._resuming else None)
            stack.callback(self._end_parts)
            blocked = [name for name in self._results if (self.folder / name).is_dir()]
            if blocked:
                raise OutputError(
                    f"输出文件夹 {self.folder} 里有名为 {blocked[0]} 的文件夹；请移开，或换一个位置。"
                )
            self.staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=self.folder))
            stack.callback(discard, self.staging)
            self._held = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = isinstance(error, STOPS)
        if self._stopped and error and self._resuming and any(self.folder.glob(f"{PARTS}*/*")):
            error.add_note(RESUMABLE)
        with self._held, self._refusals():
            if isinstance(error, OSError) and error.errno in DISK:
                raise error
            if kind is None:
                earlier = {
                    *self._results,
                    *self._letters_of_an_earlier_run(),
                    *self._parts_of_an_earlier_run(),
                }
                commit(self.folder, self.staging, earlier - {LEDGER}, precious=LEDGER)

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        """What the system refuses is said in one line."""
        try:
            yield
        except OSError as error:
            raise OutputError(f"不能写入输出文件夹 {self.folder}：{cause(error)}。") from None

    def _made_by_runs(self) -> bool:
        """Whether the folder is absent, or holds only what a killed run left: one that a person made stays."""
        if not self.folder.is_dir():
            return not self.folder.exists()
        left = [path.name for path in self.folder.iterdir()]
        return bool(left) and all(name.startswith((STAGING, LOCK)) for name in left)

    def _end_parts(self) -> None:
        end_parts(self.folder, kept=self._resuming and self._stopped)

    def _remove_where_empty(self) -> None:
        with contextlib.suppress(OSError):  # results, or somebody else's files, keep it
            self.folder.rmdir()

    def path(self, name: str) -> Path:
        """Where to write a file that will be moved into the result folder; ``name`` may be in a folder of its own."""
        path = self.staging / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return path

    def _letters_of_an_earlier_run(self) -> list[str]:
        """Names that ``run.json`` tells; a file that somebody else put beside them is none of ours."""
        try:
            run = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
            return [name for name in run["letters"] if _OF_A_ROUND.fullmatch(name)]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _parts_of_an_earlier_run(self) -> list[str]:
        """Names of what a cluster wrote."""
        return [
            path.relative_to(self.folder).as_posix()
            for table in TABLES
            for path in (self.folder / table).glob("part-*")
            if _OF_A_CLUSTER.fullmatch(path.name)
        ]

    def open_csv(self, name: str) -> IO[str]:
        """A new csv file, UTF-8 with BOM; closed at the end of the run if it is not before."""
        file = self.path(name).open("w", encoding="utf-8-sig", newline="")
        self._held.callback(_close, file)
        return file


def _close(file: IO[str]) -> None:
    with contextlib.suppress(OSError):  # what could not be written has been told
        file.close()


@contextlib.contextmanager
def private_file(target: Path) -> Iterator[Path]:
    """Where to write a file that lies at ``target`` when the ``with`` block ends: its owner's alone, whole or absent.

    What a kill leaves of it the next that writes in its folder sweeps.

    Raises:
        OutputError: it cannot be written, or another process has been writing in its folder for ten seconds.
    """
    folder = target.parent
    try:
        with held(folder / LOCK, f"写入 {folder}", patience=_PATIENCE_SECONDS, lasting=False):
            sweep(folder)
            with tempfile.TemporaryDirectory(dir=folder, prefix=STAGING) as staging:
                made = Path(staging) / target.name
                yield made
                made.chmod(0o600)
                made.replace(target)
    except OSError as error:
        raise OutputError(f"不能写入 {target}：{cause(error)}。") from None


class TableFile:
    """The same rows to ``<name>.csv`` and ``<name>.parquet``, appended chunk by chunk.

    Rows of the Parquet file wait until they make a group: :data:`_GROUP_ROWS` of them, or :data:`_GROUP_BYTES`.
    """

    def __init__(self, output: OutputFolder, name: str, schema: pa.Schema) -> None:
        self._schema = schema
        self._csv = output.open_csv(name + ".csv")
        csv.writer(self._csv).writerow(schema.names)
        self._parquet = pq.ParquetWriter(output.path(name + ".parquet"), schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    def write(self, *columns: Sequence[Any]) -> None:
        """Append rows, given column by column in schema order, all of one length."""
        if not columns[0]:
            return
        self._csv.write(_csv_lines(columns))
        arrays = [
            pa.array(column, type=field.type) for column, field in zip(columns, self._schema, strict=True)
        ]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        self._waiting.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        if self._waiting:
            self._parquet.write_table(pa.Table.from_batches(self._waiting))
            self._waiting = []
            self._rows = self._bytes = 0

    def close(self) -> None:
        """Finish both files."""
        self._write_group()
        self._parquet.close()
        self._csv.close()


def _csv_lines(columns: Sequence[Sequence[Any]]) -> str:
    """Two columns or more as :mod:`csv` writes rows whose values are each a :func:`csv_cell`, in a third of the time."""
    return "\r\n".join([*map(",".join, zip(*map(_csv_column, columns), strict=True)), ""])


def _csv_column(values: Sequence[Any]) -> Sequence[str]:
    """The cells of a column, in quotes where they need them; what no cell of a column needs is asked once."""
    kinds = set(map(type, values))
    if kinds <= {int, float}:
        return [*map(str, values)]
    if kinds == {bool}:
        return [*map({value: csv_cell(value) for value in (True, False)}.__getitem__, values)]
    if kinds != {str} or not {value[:1] for value in values}.isdisjoint(_FORMULA):
        values = ["" if value is None else str(csv_cell(value)) for value in values]
    if _needs_quotes("".join(values)):
        values = ['"' + value.replace('"', '""') + '"' if _needs_quotes(value) else value for value in values]
    return values


def _needs_quotes(cell: str) -> bool:
    return "," in cell or '"' in cell or "\n" in cell or "\r" in cell


def opinion_columns(
    readings: Sequence[Reading], duplicate_of: Sequence[str], departments: Sequence[str]
) -> list[Sequence[Any]]:
    """Columns of :data:`OPINIONS`; ``departments`` are the canonical names of the opinions' own column."""
    opinions = [reading.opinion for reading in readings]
    return [
        [opinion.id for opinion in opinions],
        [opinion.text for opinion in opinions],
        departments,
        [opinion.source_unit for opinion in opinions],
        [opinion.collected_on for opinion in opinions],
        [opinion.channel for opinion in opinions],
        [";".join(reading.labels) for reading in readings],
        [reading.valid for reading in readings],
        [reading.needs_review for reading in readings],
        duplicate_of,
    ]


def finding_columns(readings: Sequence[Reading]) -> list[Sequence[Any]]:
    """Columns of :data:`FINDINGS`."""
    findings = [finding for reading in readings for finding in reading.findings]
    of = [reading.opinion for reading in readings for _ in reading.findings]
    return [
        [opinion.id for opinion in of],
        [finding.department for finding in findings],
        [finding.label for finding in findings],
        [finding.probability for finding in findings],
        [one.text[finding.start : finding.end] for one, finding in zip(of, findings, strict=True)],
        [finding.start for finding in findings],
        [finding.end for finding in findings],
        [finding.needs_review for finding in findings],
    ]


def rejected_row(row: Rejection) -> list[Any]:
    """A row of ``rejected.csv``; what it holds is masked like any text."""
    values = (row.file, row.row, row.reason, mask(normalise(row.content)), row.sheet)
    return [csv_cell(value) for value in values]


class RunFiles:
    """``opinions.*``, ``findings.*`` and ``rejected.csv`` of one run."""

    def __init__(self, output: OutputFolder) -> None:
        self._opinions = TableFile(output, "opinions", OPINIONS)
        self._findings = TableFile(output, "findings", FINDINGS)
        self._rejected = output.open_csv("rejected.csv")
        self._rejected_rows = csv.writer(self._rejected)
        self._rejected_rows.writerow(REJECTED)

    def write(
        self, readings: Sequence[Reading], duplicate_of: Sequence[str], departments: Sequence[str]
    ) -> None:
        """Append a chunk; ``departments`` are the canonical names of the opinions' own column."""
        self._opinions.write(*opinion_columns(readings, duplicate_of, departments))
        self._findings.write(*finding_columns(readings))

    def reject(self, rejections: Iterable[Rejection]) -> None:
        """Append rejected rows."""
        self._rejected_rows.writerows(map(rejected_row, rejections))

    def close(self) -> None:
        """Finish all files."""
        self._opinions.close()
        self._findings.close()
        self._rejected.close()
