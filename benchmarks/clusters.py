"""``qingyi classify`` on a local Dask cluster beside the program's own processes: the same partitions, cores and findings.

    python -m benchmarks.clusters [MESSAGES.csv] [--messages 200000] [--partitions 8] [--rounds 3]

Messages are made from the file by repeating with edits (:mod:`benchmarks.messages`; from the labelled corpus where there is
none) and written as Parquet partitions. Whole processes, from start to end, one after the other in alternating order. The
ratio is of each round; the run fails where the findings differ. Leaves a table in ``docs/figures/``.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.figures import FIGURES, publish, spread, table
from benchmarks.messages import EDITS, Load, messages, originals, write
from benchmarks.processes import PROGRAM, Cost, available, timed
from pipeline.outputs.stored import stored_table

WARMING = 5_000
"""Rows read before anything is timed: loops are compiled and files are in the system's cache."""

OWN, DASK = "本机引擎", "Dask"


def partitioned(texts: Sequence[str], n: int, edits: int, partitions: int, folder: Path) -> Load:
    """``n`` messages as so many Parquet files, none longer than another by more than one."""
    folder.mkdir()
    made = messages(texts, n, edits=edits)
    characters = 0
    for part in range(partitions):
        numbers = range(part * n // partitions, (part + 1) * n // partitions)
        some = list(itertools.islice(made, len(numbers)))
        characters += sum(map(len, some))
        columns = [[f"M{number:07d}" for number in numbers], some]
        rows = pa.table(columns, pa.schema([("id", pa.string()), ("text", pa.string())]))
        pq.write_table(rows, folder / f"part-{part:05d}.parquet")
    return Load(n, characters)


def judged(files: Path, output: Path, engine: Sequence[str], jobs: int) -> Cost:
    """The partitions classified into ``output`` by so many processes on as many cores."""
    parts = map(str, sorted(files.iterdir()))
    words = ("classify", *parts, "-o", str(output), "--jobs", str(jobs), *engine)
    return timed(PROGRAM, *words, folder=output.parent, on=jobs)


def main() -> None:
    """Measure, compare the findings, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, metavar="MESSAGES.csv")
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--edits", type=int, default=EDITS, help="changes to each copy")
    parser.add_argument("--cores", type=int, default=min(2, available()))
    parser.add_argument("-o", "--output", type=Path, default=FIGURES)
    wanted = parser.parse_args()
    texts = originals(wanted.file)
    engines: dict[str, tuple[str, ...]] = {OWN: (), DASK: ("--engine", "dask")}
    costs: dict[str, list[Cost]] = {name: [] for name in engines}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        write(messages(texts, WARMING), work / "warming.csv")
        timed(PROGRAM, "classify", work / "warming.csv", "-o", work / "warm", folder=work, on=wanted.cores)
        load = partitioned(texts, wanted.messages, wanted.edits, wanted.partitions, work / "files")
        for number in range(wanted.rounds):
            for engine in list(engines)[:: -1 if number % 2 else 1]:
                costs[engine].append(judged(work / "files", work / engine, engines[engine], wanted.cores))
        if not stored_table(work / OWN, "findings").equals(stored_table(work / DASK, "findings")):
            raise SystemExit("the two engines' findings differ")
    rows = [
        [
            engine,
            spread([cost.seconds for cost in measured], 1),
            f"{load.messages / statistics.median(cost.seconds for cost in measured):,.0f}",
            spread([own.seconds / cost.seconds for own, cost in zip(costs[OWN], measured, strict=True)]),
            f"{max(cost.mebibytes for cost in measured):,.0f}",
        ]
        for engine, measured in costs.items()
    ]
    header = ["引擎", "秒", "每秒件数", "速度是本机引擎的几倍", "全部进程合计最多占内存，MiB"]
    text = (
        f"# {load.messages:,} 件，{load.characters / 10_000:,.0f} 万字，{wanted.partitions} 个分区，{wanted.cores} 个核\n\n"
        f"{table(header, rows)}\n两边各 {wanted.cores} 个进程，判定逐行相同。同一次运行 {wanted.rounds} 轮，整个进程从起到止，"
        "集群的起动也在内；数字是中位数，括号内是最小和最大。\n"
    )
    publish("cluster", text, wanted.output)


if __name__ == "__main__":
    main()
