"""Speed and memory of ``qingyi report`` against a plain jieba + tf-idf + logistic-regression script, in the same run.

    python benchmarks/throughput.py [MESSAGES.csv] [--rounds N]

Without a file, the texts of ``data/labelled`` are used five times over, each copy with its own number in front, so that
no copy is a repeat's exact twin. Every round times the two as whole processes, one after the other in alternating order;
the figures are ratios of the pairs. Peak memory is the largest single process of each side.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEER = Path(__file__).parent / "peer.py"
COPIES = 5


@dataclass(frozen=True)
class Cost:
    """Wall seconds and peak resident memory in MiB of one process and its children."""

    seconds: float
    mebibytes: float


def timed(*command: str | Path) -> Cost:
    """Run a command to its end."""
    begun = time.perf_counter()
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return Cost(time.perf_counter() - begun, usage.ru_maxrss / 1024)


def own_messages(target: Path) -> None:
    """The labelled corpus as a csv of messages."""
    with target.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text"])
        for copy in range(COPIES):
            for path in sorted((ROOT / "data/labelled").glob("*.jsonl")):
                for line in path.read_text(encoding="utf-8").split("\n"):
                    if line:
                        record = json.loads(line)
                        rows.writerow([f"{record['id']}-{copy}", f"{copy}号来信：{record['text']}"])


def plain_messages(given: Path, target: Path) -> None:
    """A csv with a ``text`` column for the peer, which knows no titles and no encodings."""
    from pipeline.intake.files import find_files  # noqa: PLC0415  # only for a given file
    from pipeline.intake.reading import Intake  # noqa: PLC0415
    from pipeline.records import Opinion  # noqa: PLC0415

    with target.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text"])
        rows.writerows((row.id, row.text) for row in Intake(find_files([given])) if isinstance(row, Opinion))


def spread(values: list[float]) -> str:
    """``median (minimum to maximum)``."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("messages", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        messages, model = work / "messages.csv", work / "peer.joblib"
        plain_messages(wanted.messages, messages) if wanted.messages else own_messages(messages)
        with messages.open(encoding="utf-8", newline="") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
        subprocess.run(
            [sys.executable, PEER, "train", ROOT / "data/labelled", model],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        program = Path(sys.executable).parent / "qingyi"
        sides = {
            "peer": (sys.executable, PEER, "predict", messages, model, work / "peer.csv"),
            "report, 1 process": (program, "report", messages, "-o", work / "one", "--jobs", "1"),
            "report": (program, "report", messages, "-o", work / "all"),
        }
        costs: dict[str, list[Cost]] = {name: [] for name in sides}
        for number in range(wanted.rounds):
            for name in list(sides)[:: 1 if number % 2 else -1]:
                costs[name].append(timed(*sides[name]))
    characters = sum(map(len, texts))
    print(f"{len(texts)} opinions, {characters} characters, {wanted.rounds} rounds, {os.cpu_count()} cores")
    for name, measured in costs.items():
        ratios = [cost.seconds / peer.seconds for cost, peer in zip(measured, costs["peer"], strict=True)]
        rate = characters / statistics.median(cost.seconds for cost in measured) / 1000
        print(
            f"{name}: seconds {spread([cost.seconds for cost in measured])}; time of peer × {spread(ratios)}; "
            f"{rate:.0f} thousand characters a second; "
            f"peak MiB {max(cost.mebibytes for cost in measured):.0f}"
        )


if __name__ == "__main__":
    main()
