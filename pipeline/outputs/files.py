"""The tables of opinions, findings and rejected rows, chunk by chunk."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.columns import array_of
from pipeline.outputs.cells import csv_cell, csv_lines
from pipeline.outputs.folder import OutputFolder
from pipeline.records import Reading, Rejection
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise

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
        """Append rows, given column by column in schema order, all of one length; no value is missing."""
        if not columns[0]:
            return
        self._csv.write(csv_lines(columns))
        arrays = [array_of(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
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
