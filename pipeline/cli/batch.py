"""The commands that read a batch of opinions."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from pipeline.cli.chinese import Command
from pipeline.cli.options import (
    column_option,
    day_option,
    days_option,
    engine_option,
    inputs_option,
    jobs_option,
    office_option,
    output_option,
    round_option,
    scheduler_option,
    seal_option,
    workspace_option,
)
from pipeline.workers import begun_ahead, processes

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pipeline.run import Options, Progress

_LARGE = 1 << 21
"""Bytes of input, some thousand opinions, from which on worker processes are begun at once."""


@contextlib.contextmanager
def _bar() -> Iterator[tuple[Progress, Callable[[str], None]]]:
    """What shows how far a run is, and what says something meanwhile; the first only on a terminal."""
    from tqdm import tqdm  # noqa: PLC0415  # late, like everything heavy

    shape = "{percentage:3.0f}%|{bar:30}| 已读 {n:.0f} 行，{desc}用时 {elapsed} 剩余 {remaining}"
    with tqdm(
        total=1.0, bar_format=shape, file=sys.stderr, leave=False, disable=not sys.stderr.isatty()
    ) as bar:

        def progress(share: float, rows: int) -> None:
            bar.total = rows / share if share else None
            if rate := bar.format_dict["rate"]:  # of the last seconds
                bar.set_description_str(f"{rate:.0f} 件/秒，", refresh=False)
            bar.update(rows - bar.n)

        yield progress, lambda line: tqdm.write(line, file=sys.stderr)


def _workers(inputs: tuple[str | Path, ...], options: Options) -> AbstractContextManager[None]:
    """The worker processes of a large input, begun before anything heavy is loaded here; nothing for a small one."""
    count = processes(options.get("jobs")) - 1
    if options.get("engine") == "dask" or count < 1 or not _large(inputs):
        return contextlib.nullcontext()
    return begun_ahead(count, "pipeline.engine:get_ready", Path(options.get("workspace") or Path.cwd()))


def _large(inputs: tuple[str | Path, ...]) -> bool:
    """Whether the files are :data:`_LARGE` together; where that cannot be told, it is for who reads them to say."""
    sizes = (
        file.stat().st_size
        for given in map(Path, inputs)
        for file in (given.rglob("*") if given.is_dir() else [given])
    )
    try:
        return any(together >= _LARGE for together in itertools.accumulate(sizes))
    except OSError:
        return False


def _batch(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments and options of the commands that read a batch."""
    for decorate in (
        scheduler_option, engine_option, jobs_option, column_option, workspace_option, output_option, inputs_option,
    ):  # fmt: skip
        command = decorate(command)
    return command


def _order(command: Callable[..., None]) -> Callable[..., None]:
    """The options of the commands that write papers."""
    for decorate in (seal_option, days_option, day_option, round_option, office_option):
        command = decorate(command)
    return command


@click.command(cls=Command)
@_batch
@_order
def report(
    inputs: tuple[str | Path, ...],
    output: Path,
    office: str,
    round_name: str,
    day: str,
    days: int,
    password: str | None,
    **options: Unpack[Options],
) -> None:
    """主要工作：读入、判定、归口、汇总，写出全部结果和文书。

    \b
    report.html          领导看的一页
    report.xlsx          分析员的工作簿
    briefing.docx        专报
    feedback/            给各部门的意见反馈函
    notices/             问题普遍时的通知草稿
    commendation.docx    表扬名单
    ledger.xlsx          整改台账
    sealed/clues.xlsx    问题线索，只供纪检监察机构
    opinions、findings（csv 与 parquet）、summary.csv、tables.json、rejected.csv、run.json
    """
    with _workers(inputs, options):
        from pipeline.cli.figures import show_result  # noqa: PLC0415
        from pipeline.papers import Order  # noqa: PLC0415
        from pipeline.run import report as run  # noqa: PLC0415

        options["order"] = Order(office=office, round=round_name, day=day, days=days, password=password)
        with _bar() as (options["progress"], options["notice"]):
            result = run(inputs, output, **options)
        show_result(result, "report.html")


@click.command(cls=Command)
@_batch
def classify(inputs: tuple[str | Path, ...], output: Path, **options: Unpack[Options]) -> None:
    """只判定，不写给领导的文件。"""
    with _workers(inputs, options):
        from pipeline.cli.figures import show_result  # noqa: PLC0415
        from pipeline.run import classify as run  # noqa: PLC0415

        with _bar() as (options["progress"], options["notice"]):
            result = run(inputs, output, **options)
        show_result(result, "findings" if options.get("engine") == "dask" else "findings.csv")
