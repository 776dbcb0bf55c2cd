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

from pipeline.errors import DISK, OutputError, cause
from pipeline.journal import LOCK, STAGING, commit, discard, sweep
from pipeline.lock import held
from pipeline.records import Reading, Rejection
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise

RESULTS = (
    "opinions.csv", "opinions.parquet", "findings.csv", "findings.parquet", "rejected.csv", "summary.csv", "tables.json",
    "run.json", "report.html", "report.xlsx", "briefing.docx", "commendation.docx", "ledger.xlsx",
    "sealed/clues.xlsx", "drift.html",
)  # fmt: skip
"""Every file a run may write, but for letters and notices, whose names differ; what a run does not write but an earlier one did is taken away."""

LEDGER = "ledger.xlsx"
"""People work in it: no run takes it away."""

_PATIENCE_SECONDS = 10.0
_OF_A_ROUND = re.compile(r"(?:feedback|notices)/[^/\\]+\.docx")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

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

    def __init__(self, folder: Path, results: Sequence[str] = RESULTS) -> None:
        """``results``: names of all files that such a run may write."""
        self.folder = folder
        self._results = results

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack, self._refusals():
            if not self.folder.exists():
                stack.callback(self._remove_where_empty)
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            stack.enter_context(held(self.folder / LOCK, f"写入 {self.folder}", lasting=False))
            sweep(self.folder)
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
        with self._held, self._refusals():
            if isinstance(error, OSError) and error.errno in DISK:
                raise error
            if kind is None:
                earlier = {*self._results, *self._letters_of_an_earlier_run()} - {LEDGER}
                commit(self.folder, self.staging, earlier, precious=LEDGER)

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        """What the system refuses is said in one line."""
        try:
            yield
        except OSError as error:
            raise OutputError(f"不能写入输出文件夹 {self.folder}：{cause(error)}。") from None

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
    """The same rows to ``<name>.csv`` and ``<name>.parquet``, appended chunk by chunk."""

    def __init__(self, output: OutputFolder, name: str, schema: pa.Schema) -> None:
        self._schema = schema
        self._csv = output.open_csv(name + ".csv")
        self._writer = csv.writer(self._csv)
        self._writer.writerow(schema.names)
        self._parquet = pq.ParquetWriter(output.path(name + ".parquet"), schema, compression="zstd")

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rows, values in schema order."""
        if rows:
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(column, type=field.type) for column, field in zip(columns, self._schema, strict=True)
            ]
            self._parquet.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
            self._writer.writerows([csv_cell(value) for value in row] for row in rows)

    def close(self) -> None:
        """Finish both files."""
        self._parquet.close()
        self._csv.close()


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
        self._opinions.write(
            [
                (
                    reading.opinion.id, reading.text, department, reading.opinion.source_unit,
                    reading.opinion.collected_on, reading.opinion.channel, ";".join(reading.labels),
                    reading.valid, reading.needs_review, first,
                )
                for reading, first, department in zip(readings, duplicate_of, departments, strict=True)
            ]
        )  # fmt: skip
        self._findings.write(
            [
                (
                    reading.opinion.id, finding.department, finding.label, finding.probability,
                    reading.text[finding.start : finding.end], finding.start, finding.end, finding.needs_review,
                )
                for reading in readings
                for finding in reading.findings
            ]
        )  # fmt: skip

    def reject(self, rejections: Iterable[Rejection]) -> None:
        """Append rejected rows; what they hold is masked like any text."""
        self._rejected_rows.writerows(
            [
                csv_cell(value)
                for value in (row.file, row.row, row.reason, mask(normalise(row.content)), row.sheet)
            ]
            for row in rejections
        )

    def close(self) -> None:
        """Finish all files."""
        self._opinions.close()
        self._findings.close()
        self._rejected.close()
