"""Seconds and bytes of the papers of a large round: messages with invented departments and units.

    python -m benchmarks.papers MESSAGES.csv [--rows 20000]

Reading and classifying are counted apart; what is printed is what ``run.json`` says of each stage.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import tempfile
from pathlib import Path

from pipeline.run import report
from pipeline.workspace import open_workspace

ROWS = 20_000
_UNITS = 40


def invented(messages: Path, rows: int, target: Path, departments: tuple[str, ...]) -> None:
    """A table of so many rows: the messages again and again, each time about other departments."""
    with (
        messages.open(encoding="utf-8-sig", newline="") as file,
        target.open("w", encoding="utf-8", newline="") as made,
    ):
        writer = csv.writer(made)
        writer.writerow(["text", "department", "source_unit", "date"])
        known = [(row["text"], row["collected_on"]) for row in csv.DictReader(file)]
        for number, (text, day) in zip(range(rows), itertools.cycle(known), strict=False):
            department = departments[number * number % len(departments)]
            writer.writerow([text, department, f"第{number % _UNITS}配件厂", day])


def main() -> None:
    """Run the main job and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("messages", type=Path, help="csv with the columns text and collected_on")
    parser.add_argument("--rows", type=int, default=ROWS)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "rows.csv", Path(folder) / "out"
        invented(wanted.messages, wanted.rows, source, open_workspace().directory.names)
        run = report([source], output).run
        print(f"{run['rows_accepted']} opinions, {len(run['letters'])} letters and notices")
        for stage, seconds in run["seconds"].items():
            print(f"  {stage}: {seconds:.1f} s")
        for path in sorted(output.rglob("*")):
            if path.is_file() and path.parent == output:
                print(f"  {path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
