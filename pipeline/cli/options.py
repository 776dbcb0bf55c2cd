"""Arguments and options that several commands share."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

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


def _day(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        return dt.date.fromisoformat(value).isoformat() if value else ""
    except ValueError:
        raise InputError("--day 应为日期，写成 2026-11-23。") from None


def _days(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    if not (value.isdecimal() and 1 <= int(value) <= 3650):
        raise InputError("--days 应为 1 至 3650 的整数。")
    return int(value)


def _password(ctx: click.Context, _param: click.Parameter, wanted: bool) -> str | None:
    """From the environment or asked for: on a command line everybody on the machine could read it."""
    if not wanted or ctx.resilient_parsing:
        return None
    given = os.environ.get(PASSWORD)
    return (
        given
        if given is not None
        else str(click.prompt("问题线索文件的密码", hide_input=True, confirmation_prompt="再输一遍"))
    )


PASSWORD = "QINGYI_SEAL_PASSWORD"  # noqa: S105  # the variable's name
"""The environment variable for scripts that cannot be asked."""


class _Place(click.ParamType):  # type: ignore[type-arg]  # generic since 8.3 only
    """A path, or a URL as it is written."""

    name = "place"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> Path | str:
        return value if "://" in str(value) else Path(value)


inputs_option = click.argument("inputs", nargs=-1, required=True, type=_Place(), metavar="文件或文件夹...")
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
engine_option = click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    default="local",
    metavar="local|dask",
    help="由本机（local，默认）还是 Dask 集群（dask）来做；集群一个文件一份，可用通配符和 file:// 等地址。",
    cls=Option,
)
scheduler_option = click.option(
    "--scheduler",
    default="",
    metavar="地址",
    help="集群调度程序的地址，如 tcp://主机:8786；不给就在本机开 --jobs 个进程。",
    cls=Option,
)
office_option = click.option(
    "--office", default="", metavar="名称", help="文书的落款单位；不给就留空，由人填写。", cls=Option
)
round_option = click.option(
    "--round",
    "round_name",
    default="",
    metavar="名称",
    help="这一轮的名称，如“2026年第二轮”，台账和比较用它；默认是意见的起止日期，没有日期的要给。",
    cls=Option,
)
day_option = click.option(
    "--day",
    default="",
    callback=_day,
    metavar="日期",
    help="文书的日期，如 2026-11-23；默认是意见的最后一天。",
    cls=Option,
)
days_option = click.option(
    "--days",
    default="30",
    callback=_days,
    metavar="N",
    help="整改期限，从文书日期起的天数，默认 30。",
    cls=Option,
)
seal_option = click.option(
    "--seal",
    "password",
    is_flag=True,
    callback=_password,
    help=f"给问题线索文件加密，运行时问密码（脚本可设环境变量 {PASSWORD}）。",
    cls=Option,
)
