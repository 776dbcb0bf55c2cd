"""Whole ``qingyi classify``, files to files, beside the notebook everyone writes; two cores beside one; a million messages.

    python -m benchmarks.throughput [MESSAGES.csv] [--rounds 3] [--messages 20000] [--short 1000000] [--edits 3]

``--messages``: so many messages made from the file by repeating with edits (:mod:`benchmarks.messages`; from the labelled corpus
where there is no file) are read, judged and written by ``peer.py predict`` on one core, by the program on one core and on
``--cores``, as whole processes, one after the other in alternating order; the figures are ratios of each round.
``--short``: so many messages of about 100 characters on all these cores, after a tenth of them: whether time grows as the
number does, and memory does not. 0 leaves a part out. Each part leaves a table, and bars, in ``docs/figures/``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import FIGURES, Bar, bars, publish, spread, table
from benchmarks.messages import EDITS, LENGTH, messages, originals, short, write
from benchmarks.processes import PROGRAM, Cost, available, timed
from pipeline.workspace import SHIPPED

PEER = Path(__file__).parent / "peer.py"
PEER_NAME = "通常的脚本，一个核"
WARMING = 5_000
"""Rows read before anything is timed: loops are compiled and files are in the system's cache."""

MOST_SECONDS, MOST_MEBIBYTES = 300, 1536
"""What a million short messages on two cores may take."""


def classified(file: Path, work: Path, jobs: int) -> tuple[Cost, dict[str, Any]]:
    """The program on a file, with as many cores as processes: its cost, and what it says of the run."""
    output = work / "classified"
    cost = timed(PROGRAM, "classify", file, "-o", output, "--jobs", str(jobs), folder=work, on=jobs)
    return cost, json.loads((output / "run.json").read_text(encoding="utf-8"))


def predicted(file: Path, work: Path) -> Cost:
    """The notebook on a file, with the model taught before."""
    script = (sys.executable, "-W", "ignore", PEER, "predict", file, work / "peer.joblib", work / "peer.csv")
    return timed(*script, folder=work, on=1)


def side_by_side(
    texts: Sequence[str], n: int, jobs: int, rounds: int, edits: int, work: Path, folder: Path
) -> None:
    """``n`` messages by the notebook, by the program on one core, and on ``jobs``."""
    file = work / "messages.csv"
    load = write(messages(texts, n, edits=edits), file)
    train = (sys.executable, "-W", "ignore", PEER, "train", SHIPPED / "data/labelled", work / "peer.joblib")
    subprocess.run(train, check=True)
    one, all_ = "清议，一个核", f"清议，{jobs} 个核"
    sides = {
        PEER_NAME: lambda: predicted(file, work),
        one: lambda: classified(file, work, 1)[0],
        all_: lambda: classified(file, work, jobs)[0],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in list(sides)[:: -1 if number % 2 else 1]:
            costs[name].append(sides[name]())

    def times(base: str, name: str) -> list[float]:
        return [theirs.seconds / own.seconds for theirs, own in zip(costs[base], costs[name], strict=True)]

    rows = [
        [
            name,
            spread([cost.seconds for cost in measured], 1),
            f"{load.messages / statistics.median(cost.seconds for cost in measured):,.0f}",
            f"{1e9 * statistics.median(cost.seconds for cost in measured) / load.characters:,.0f}",
            spread(times(PEER_NAME, name)),
            f"{max(cost.mebibytes for cost in measured):,.0f}",
        ]
        for name, measured in costs.items()
    ]
    header = ["做法", "秒", "每秒件数", "每字纳秒", "速度是通常的脚本的几倍", "全部进程合计最多占内存，MiB"]
    title = f"从文件到文件：{load.messages:,} 件，{load.characters / 10_000:,.0f} 万字"
    text = (
        f"# {title}\n\n{table(header, rows)}\n"
        f"{jobs} 个核的速度是一个核的 {spread(times(one, all_))} 倍。同一次运行 {rounds} 轮，整个进程从起到止；"
        f"数字是中位数，括号内是最小和最大。通常的脚本（jieba + tf-idf + 逻辑回归）只分类，不脱敏、不归部门、不查重。\n"
    )
    drawn = [Bar(name, times(PEER_NAME, name), ours=name != PEER_NAME) for name in sides]
    publish("throughput", text, folder, bars(f"{title}：速度是通常的脚本的几倍", drawn))


def by_number(texts: Sequence[str], n: int, jobs: int, edits: int, work: Path, folder: Path) -> None:
    """``n`` short messages and a tenth of them, on ``jobs`` cores."""
    pieces = list(short(texts))
    rows, rates = [], []
    for number in (n // 10, n):
        file = work / "short.csv"
        load = write(messages(pieces, number, edits=edits), file)
        cost, run = classified(file, work, jobs)
        rates.append(load.messages / cost.seconds)
        rows.append(
            [
                f"{load.messages:,}",
                f"{load.characters / load.messages:.0f}",
                f"{run['rows_accepted']:,}",
                f"{run['rows_duplicate']:,}",
                f"{cost.seconds:,.1f}",
                f"{rates[-1]:,.0f}",
                f"{cost.mebibytes:,.0f}",
            ]
        )
    header = ["件数", "平均字数", "采用", "其中重复", "秒", "每秒件数", "全部进程合计最多占内存，MiB"]
    text = (
        f"# {n:,} 件约 {LENGTH} 字的意见，{jobs} 个核\n\n{table(header, rows)}\n"
        f"件数是十倍时，每秒件数是原来的 {rates[1] / rates[0]:.0%}。"
        f"一百万件两个核，限 {MOST_SECONDS} 秒、{MOST_MEBIBYTES:,} MiB。\n"
    )
    publish("million", text, folder)


def main() -> None:
    """Measure the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, metavar="MESSAGES.csv")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--short", type=int, default=1_000_000)
    parser.add_argument("--edits", type=int, default=EDITS, help="changes to each copy")
    parser.add_argument("--cores", type=int, default=min(2, available()))
    parser.add_argument("-o", "--output", type=Path, default=FIGURES)
    wanted = parser.parse_args()
    texts = originals(wanted.file)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        write(messages(texts, WARMING), work / "warming.csv")
        classified(work / "warming.csv", work, 1)
        if wanted.messages:
            side_by_side(
                texts, wanted.messages, wanted.cores, wanted.rounds, wanted.edits, work, wanted.output
            )
        if wanted.short:
            by_number(texts, wanted.short, wanted.cores, wanted.edits, work, wanted.output)


if __name__ == "__main__":
    main()
