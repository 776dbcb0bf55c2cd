"""Many runs in a row in one process: what grows?

::

    nice -n 15 .venv/bin/python -m benchmarks.soak --runs 200

Every fourth run is ``report``, the others are ``classify``, of ``--rows`` of the sample and the labelled corpus, into the same folder;
from 1,001 rows on, compiled loops read them and, with ``--jobs 2``, a worker too. What the process holds is looked at after every run:
resident memory, threads, open files, children, and entries in the folder of temporary files.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipeline.run import classify, report
from pipeline.workspace import SHIPPED

ROWS = 40


@dataclass(frozen=True)
class Held:
    """What the process holds: megabytes resident, and numbers of threads, open files, children and temporary files."""

    megabytes: float
    threads: int
    files: int
    children: int
    temporary: int

    @classmethod
    def now(cls) -> Held:
        """Look at this process, by ``/proc`` (Linux)."""
        gc.collect()
        own = Path("/proc/self")
        pages = int((own / "statm").read_text(encoding="ascii").split()[1])
        tasks = list((own / "task").iterdir())
        children = [
            child for task in tasks for child in (task / "children").read_text(encoding="ascii").split()
        ]
        return cls(
            megabytes=pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
            threads=len(tasks),
            files=len(list((own / "fd").iterdir())),
            children=len(children),
            temporary=len(list(Path(tempfile.gettempdir()).iterdir())),
        )


def _lines() -> Iterator[str]:
    """Opinions, as lines of JSON: those of the sample, then those of the corpus under the same heading."""
    sample = SHIPPED / "data/samples/round1/questionnaire.jsonl"
    yield from sample.read_text(encoding="utf-8").splitlines(keepends=True)
    for path in sorted((SHIPPED / "data/labelled").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.dumps({"意见建议": json.loads(line)["text"]}, ensure_ascii=False) + "\n"


def soak(runs: int, folder: Path, jobs: int = 1, rows: int = ROWS) -> Iterator[Held]:
    """Run again and again on the same ``rows`` opinions, with results in ``folder``; what is held after each run."""
    source = folder / "head.jsonl"
    source.write_text("".join(islice(_lines(), rows)), encoding="utf-8")
    for number in range(runs):
        command = report if number % 4 == 0 else classify
        command([source], folder / "out", workspace=folder, jobs=jobs)
        yield Held.now()


def main() -> None:
    """Print what is held after 1, 2, 5, 10 … runs, and how fast memory grows over the second half."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--rows", type=int, default=ROWS)
    given = parser.parse_args()
    print("runs     MB  threads  files  children  temporary")
    resident = []
    with tempfile.TemporaryDirectory() as outputs, tempfile.TemporaryDirectory() as temporary:
        tempfile.tempdir = temporary  # what runs leave there is theirs alone
        for number, held in enumerate(soak(given.runs, Path(outputs), given.jobs, given.rows), 1):
            resident.append(held.megabytes)
            if number in {1, 2, 5, 10, 20, given.runs} or number % 25 == 0:
                print(
                    f"{number:4} {held.megabytes:6.1f} {held.threads:8} {held.files:6} {held.children:9} {held.temporary:10}",
                    flush=True,
                )
        tempfile.tempdir = None
    half = len(resident) // 2
    growth = (sum(resident[-10:]) - sum(resident[half : half + 10])) / 10
    print(f"second half: {growth:+.1f} MB in {given.runs - half} runs")


if __name__ == "__main__":
    main()
