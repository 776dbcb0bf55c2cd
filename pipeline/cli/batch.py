"""The commands that read a batch of opinions."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from pipeline.cli.chinese import Command
from pipeline.cli.options import column_option, inputs_option, jobs_option, output_option, workspace_option

if TYPE_CHECKING:
    from pipeline.run import Options, Progress


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    from tqdm import tqdm  # noqa: PLC0415  # late, like everything heavy

    shape = "{percentage:3.0f}%|{bar:30}| {postfix} 用时 {elapsed} 剩余 {remaining}"
    with tqdm(
        total=1.0, bar_format=shape, file=sys.stderr, leave=False, disable=not sys.stderr.isatty()
    ) as bar:

        def progress(share: float, rows: int) -> None:
            bar.set_postfix_str(f"已读 {rows} 行，", refresh=False)
            bar.update(max(0.0, share - bar.n))

        yield progress


def _batch(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments and options of the commands that read a batch."""
    for decorate in (jobs_option, column_option, workspace_option, output_option, inputs_option):
        command = decorate(command)
    return command


@click.command(cls=Command)
@_batch
def report(inputs: tuple[Path, ...], output: Path, **options: Unpack[Options]) -> None:
    """主要工作：读入、判定、归口、汇总，写出全部结果。

    \b
    report.html      领导看的一页
    report.xlsx      分析员的工作簿
    opinions、findings（csv 与 parquet）、summary.csv、rejected.csv、run.json
    """
    from pipeline.cli.figures import show_result  # noqa: PLC0415
    from pipeline.run import report as run  # noqa: PLC0415

    with _bar() as options["progress"]:
        result = run(inputs, output, **options)
    show_result(result, "report.html")


@click.command(cls=Command)
@_batch
def classify(inputs: tuple[Path, ...], output: Path, **options: Unpack[Options]) -> None:
    """只判定，不写给领导的文件。"""
    from pipeline.cli.figures import show_result  # noqa: PLC0415
    from pipeline.run import classify as run  # noqa: PLC0415

    with _bar() as options["progress"]:
        result = run(inputs, output, **options)
    show_result(result, "findings.csv")
