"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.chinese import Option
from pipeline.errors import InputError

PATH = click.Path(path_type=Path, readable=False)  # what cannot be read is told by who reads it


def _columns(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    columns = {}
    for value in values:
        name, equals, header = value.partition("=")
        if not (equals and name.strip() and header.strip()):
            raise InputError("--column 应写成 字段=列名，例如 --column text=反映事项。")
        columns[name.strip()] = header.strip()
    return columns


def _processes(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    if not (value.isdecimal() and int(value)):
        raise InputError("--jobs 应为不小于 1 的整数。")
    return int(value)


inputs_option = click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="文件或文件夹...")
output_option = click.option(
    "-o",
    "--output",
    required=True,
    type=PATH,
    metavar="DIR",
    help="结果文件夹，没有就新建（必填）。",
    cls=Option,
)
workspace_option = click.option(
    "--workspace",
    type=PATH,
    metavar="DIR",
    help="工作区（自己的类别表、部门目录、模型），默认当前文件夹。",
    cls=Option,
)
column_option = click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_columns,
    metavar="字段=列名",
    help="指定列，如 text=反映事项；可重复。",
    cls=Option,
)
jobs_option = click.option(
    "--jobs", callback=_processes, metavar="N", help="进程数，默认且最多等于处理器数。", cls=Option
)
