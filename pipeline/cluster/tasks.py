"""What a worker does with one partition: read and judge it into parts, then write the results from them."""

from __future__ import annotations

import contextlib
import csv
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import __version__
from pipeline.cluster.answers import answered
from pipeline.cluster.partitions import Partition
from pipeline.columns import array_of
from pipeline.counting import own_departments
from pipeline.engine import chunked, worker_reading
from pipeline.errors import InputError, OutputError, QingyiError
from pipeline.intake.identities import Identities
from pipeline.intake.reading import Intake
from pipeline.outputs.files import (
    FINDINGS,
    OPINIONS,
    REJECTED,
    finding_columns,
    opinion_columns,
    rejected_row,
)
from pipeline.parts import Parts
from pipeline.records import Reading
from pipeline.workers import collect_seldom
from pipeline.workspace import Workspace

MOST_PARTS = 100_000
"""Parts of one partition: three times what the largest file has."""

NAMES = pa.schema([("given", pa.string()), ("place", pa.string())])
"""What each opinion's id is made of (:class:`~pipeline.intake.identities.Identities`); a row group for each part."""

VERDICTS = pa.schema([("id", pa.string()), ("duplicate_of", pa.string())])
"""Of each opinion what only the whole run can say; a row group for each part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What all tasks of a run share, in paths and names.

    ``root`` is the workspace; ``identity`` and ``program`` are those of who began the run; ``columns`` are fields → headers.
    Parts are kept in ``parts``, results are made in ``results``, what is on the way lies in ``scratch``.
    """

    root: Path
    identity: tuple[str, str]
    columns: Mapping[str, str]
    parts: Parts
    results: Path
    scratch: Path
    program: str = __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A partition of a job, by its number in order; ``parts``, once it was read, says what each of its parts is of."""

    job: Job
    number: int
    partition: Partition
    parts: Sequence[str] = ()

    def result(self, table: str, suffix: str = ".parquet") -> Path:
        """Where the partition's file of a table is made."""
        return self.job.results / table / f"part-{self.number:05}{suffix}"

    def beside(self, what: str) -> Path:
        """Where something of the partition lies that is no result."""
        return self.job.scratch / f"{self.number:05}.{what}"

    def numbered(self) -> Iterator[tuple[int, str]]:
        """Number and content of each of its parts."""
        return enumerate(self.parts, start=self.number * MOST_PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What there is in a partition, in numbers; ``parts`` as a :class:`Task` has them.

    ``absent`` are the columns named by the user that the file has not.
    """

    sha256: str
    size: int
    rows: int
    accepted: int
    rejected: int
    parts: Sequence[str]
    notices: Mapping[str, int]
    skipped_sheets: Sequence[str]
    absent: Sequence[str]


class _Named(Identities):
    """Ids within one file; what they are made of is kept until it is taken, as the columns of :data:`NAMES`."""

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[list[str], list[str]] = ([], [])

    def one_more(self, given: str, place: str) -> tuple[str, bool]:
        self._names[0].append(given)
        self._names[1].append(place)
        return super().one_more(given, place)

    def taken(self) -> tuple[list[str], list[str]]:
        names, self._names = self._names, ([], [])
        return names


@answered
def read_partition(task: Task) -> Counted:
    """Read and judge a partition into parts; those that are there and whole are not judged again.

    Its rejected rows are written as a result, and what ids are made from beside (:data:`NAMES`).
    """
    collect_seldom()
    job, ids = task.job, _Named()
    _check_node(job)
    read = worker_reading(job.root, job.identity)
    parts: list[str] = []
    with task.partition.file(job.scratch) as source, contextlib.ExitStack() as stack:
        sha256 = source.sha256()
        intake = Intake([source], job.columns, ids=ids, whole=False)
        path = stack.enter_context(_made(task.result("rejected", ".csv"), job))
        rejected = csv.writer(stack.enter_context(path.open("w", encoding="utf-8-sig", newline="")))
        rejected.writerow(REJECTED)
        path = stack.enter_context(_made(task.beside("names"), job))
        names = stack.enter_context(pq.ParquetWriter(path, NAMES))
        for opinions in chunked(intake, lambda row: rejected.writerow(rejected_row(row))):
            _check_wanted(job)
            number, of = task.number * MOST_PARTS + len(parts), job.parts.of(opinions)
            if job.parts.find(number, opinions) is None:
                with _told_where(task, intake.rows):
                    readings = read(opinions)
                job.parts.put(number, of, readings)
            parts.append(of)
            names.write_table(table_of(ids.taken(), NAMES))
    return Counted(
        sha256=sha256,
        size=source.size,
        rows=intake.rows,
        accepted=intake.accepted,
        rejected=intake.rejected,
        parts=parts,
        notices=dict(intake.notices),
        skipped_sheets=intake.skipped_sheets,
        absent=intake.absent,
    )


@answered
def write_partition(task: Task) -> None:
    """Write a partition's opinions and findings from its parts and the verdicts (:data:`VERDICTS`) beside."""
    job = task.job
    directory = Workspace(root=job.root).directory
    with contextlib.ExitStack() as stack:
        verdicts = stack.enter_context(pq.ParquetFile(task.beside("verdicts")))
        opinions, findings = (
            stack.enter_context(
                pq.ParquetWriter(
                    stack.enter_context(_made(task.result(table), job)), schema, compression="zstd"
                )
            )
            for table, schema in (("opinions", OPINIONS), ("findings", FINDINGS))
        )
        for row_group, (number, of) in enumerate(task.numbered()):
            ids, firsts = (column.to_pylist() for column in verdicts.read_row_group(row_group).columns)
            _check_wanted(job)
            readings = named(part(job.parts, number, of), ids)
            columns = opinion_columns(readings, firsts, own_departments(readings, directory))
            opinions.write_table(table_of(columns, OPINIONS))
            findings.write_table(table_of(finding_columns(readings), FINDINGS))


def part(parts: Parts, number: int, of: str, *, texts: bool = True) -> list[Reading]:
    """The readings of a part that is there.

    Raises:
        InputError: it is not, or not as it was written.
    """
    readings = parts.get(number, of, texts=texts)
    if readings is None:
        raise InputError(f"{parts.folder} 里的中间结果被改动或读不出来；请重新运行同一命令。")
    return readings


def table_of(columns: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Columns in schema order as a table."""
    arrays = [array_of(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def named(readings: Sequence[Reading], ids: Sequence[str]) -> list[Reading]:
    """The readings under the ids that they have in the whole run."""
    return [
        reading if reading.opinion.id == identity
        else replace(reading, opinion=replace(reading.opinion, id=identity))
        for reading, identity in zip(readings, ids, strict=True)
    ]  # fmt: skip


def _check_node(job: Job) -> None:
    """Refuse to work where the run's folders are not seen, or by another version of the program."""
    node = platform.node()
    if job.program != __version__:
        raise InputError(f"工作节点 {node} 上的程序是 {__version__}，这里是 {job.program}；请装同一版本。")
    for folder in (job.results, job.root):
        if not os.access(folder, os.R_OK | os.X_OK):
            raise InputError(
                f"工作节点 {node} 看不到或打不开 {folder}；请把输入、结果和工作区放在各节点都挂载的共享盘上，用同一账户运行。"
            )


def _check_wanted(job: Job) -> None:
    """End a task of a run that has ended: a scheduler lets it go on, and another run may be writing there."""
    if not job.scratch.is_dir():
        raise OutputError("这次运行已经结束。")


@contextlib.contextmanager
def _made(path: Path, job: Job) -> Iterator[Path]:
    """Where to write a file that lies at ``path`` when the ``with`` block ends: its owner's alone, whole or absent.

    Two workers may write it, where one was thought lost: the same.
    """
    number, name = tempfile.mkstemp(prefix=".new-", dir=job.scratch)
    os.close(number)
    try:
        yield Path(name)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def _told_where(task: Task, row: int) -> Iterator[None]:
    """An error that is not ours tells of its opinions only the file and the rows."""
    try:
        yield
    except (QingyiError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  # its message may quote a text
        kind = type(error).__name__
        raise QingyiError(
            f"文件 {task.partition.name} 读到第 {row} 行，判定这之前的一批意见时程序内部出错（{kind}），没有写出结果。"
        ) from None
