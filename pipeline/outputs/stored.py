"""Tables of a result folder, read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


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
