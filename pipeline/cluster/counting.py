"""Who began a run on a cluster: gives out the tasks, counts the parts in order, and leaves the texts to the workers."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.classifier.read import open_reader
from pipeline.cluster.connecting import connected
from pipeline.cluster.partitions import Partition, partitions_of
from pipeline.cluster.tasks import (
    VERDICTS,
    Counted,
    Job,
    Task,
    named,
    part,
    read_partition,
    table_of,
    write_partition,
)  # fmt: skip
from pipeline.counting import Counting, Source
from pipeline.engine import identity_of
from pipeline.intake.identities import REPEATED, Identities
from pipeline.intake.reading import check_columns
from pipeline.journal import STAGING
from pipeline.judging import Options, Result, judge
from pipeline.outputs.folder import TABLES, OutputFolder
from pipeline.parts import Parts
from pipeline.records import Opinion, Rejection
from pipeline.workers import processes
from pipeline.workspace import Workspace


@dataclass
class Partitions:
    """A source whose rows never come here: what there is in each partition is told once it was read, in order."""

    partitions: Sequence[Partition]
    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    done: float = 0.0
    notices: Counter[str] = field(default_factory=Counter)
    skipped_sheets: list[str] = field(default_factory=list)
    _counted: list[Counted] = field(default_factory=list)

    def __iter__(self) -> Iterator[Opinion | Rejection]:
        """Nothing: the workers read."""
        return iter(())

    def add(self, counted: Counted, repeated: int) -> None:
        """Take in the next partition, ``repeated`` of whose rows have the id of an earlier one, in whatever partition."""
        self._counted.append(counted)
        self.rows += counted.rows
        self.accepted += counted.accepted
        self.rejected += counted.rejected
        self.notices.update(counted.notices)
        self.notices += Counter({REPEATED: repeated - counted.notices.get(REPEATED, 0)})
        self.skipped_sheets += counted.skipped_sheets
        self.done = sum(one.size for one in self._counted) / (sum(one.size for one in self.partitions) or 1)

    def files(self) -> list[dict[str, Any]]:
        """Name, digest and size of each file, in order; those not yet read have no digest."""
        digests = [one.sha256 for one in self._counted] + [""] * len(self.partitions)
        return [
            {"name": partition.name, "sha256": sha256, "bytes": partition.size}
            for partition, sha256 in zip(self.partitions, digests, strict=False)
        ]

    def absent(self) -> list[str]:
        """The columns named by the user that no partition has."""
        first = self._counted[0].absent if self._counted else ()
        return [header for header in first if all(header in one.absent for one in self._counted)]


def judge_on_cluster(
    inputs: Sequence[str | Path], space: Workspace, output: Path, options: Options, *, documents: bool
) -> tuple[Result, Sequence[str]]:
    """What :func:`~pipeline.judging.judge` does with the files of ``inputs``, by the workers of a cluster: the same findings.

    The tables of opinions lie in the folders ``opinions``, ``findings`` and ``rejected``, a part for each file. What an earlier
    run of the same, stopped on its way, has judged is taken over.

    Raises:
        InputError, ResourceError, OutputError, ShortageError: see :mod:`pipeline.errors`; nothing is written then.
    """
    partitions, passed_over = partitions_of(inputs, output)
    source = Partitions(partitions)

    def streamed(
        _: Source,
        counting: Counting,
        root: Path,
        folder: OutputFolder,
        options: Options,
        begin: Callable[[], Parts],
    ) -> None:
        _stream(source, counting, root, folder, options, begin, clues=documents)

    return judge(
        source,
        lambda: open_reader(space),
        space,
        output,
        options,
        lambda: {"files": source.files(), "files_passed_over": passed_over},
        documents=documents,
        resuming=True,
        streamed=streamed,
    )


def _stream(
    source: Partitions,
    counting: Counting,
    root: Path,
    folder: OutputFolder,
    options: Options,
    begin: Callable[[], Parts],
    *,
    clues: bool,
) -> None:
    """Have all partitions read, count each in its turn, and have it written; with ``clues`` their texts are kept."""
    progress = options.get("progress")
    results = folder.staging.resolve()
    for table in TABLES:
        (results / table).mkdir(mode=0o700)
    with (
        tempfile.TemporaryDirectory(prefix=STAGING, dir=results.parent) as scratch,
        connected(options.get("scheduler", ""), processes(options.get("jobs")), Path(scratch)) as workers,
    ):
        parts = begin()
        job = Job(
            root=root.resolve(),
            identity=identity_of(counting.reader),
            columns=dict(options.get("columns", {})),
            parts=replace(parts, folder=parts.folder.resolve()),
            results=results,
            scratch=Path(scratch),
        )
        tasks = [Task(job=job, number=n, partition=one) for n, one in enumerate(source.partitions)]
        ids = Identities()
        read: dict[int, Counted] = {}
        written: list[Any] = []
        turn = 0
        for number, answer in workers.ended(workers.begin(read_partition, tasks)):
            read[number] = answer
            while turn in read:
                counted = read.pop(turn)
                task = replace(tasks[turn], parts=counted.parts)
                source.add(counted, _count(task, counting, ids, clues=clues))
                written += workers.begin(write_partition, [task])
                turn += 1
                if progress:
                    progress(source.done, source.rows)
        check_columns(source.absent())
        for _ in workers.ended(written):
            pass


def _count(task: Task, counting: Counting, ids: Identities, *, clues: bool) -> int:
    """Count a partition that was read, and leave the verdicts for who writes it; how many ids earlier opinions have."""
    parts, repeated = task.job.parts, 0
    with (
        pq.ParquetFile(task.beside("names")) as names,
        pq.ParquetWriter(task.beside("verdicts"), VERDICTS) as verdicts,
    ):
        for row_group, (number, of) in enumerate(task.numbered()):
            made_of = (column.to_pylist() for column in names.read_row_group(row_group).columns)
            given = [ids.one_more(*name) for name in zip(*made_of, strict=True)]
            own = [identity for identity, _ in given]
            repeated += sum(again for _, again in given)
            readings = part(parts, number, of, texts=counting.needs_texts)
            if clues and not counting.needs_texts and any(reading.clue for reading in readings):
                readings = part(parts, number, of)
            firsts = counting.add(named(readings, own))
            verdicts.write_table(table_of((own, firsts), VERDICTS))
    return repeated
