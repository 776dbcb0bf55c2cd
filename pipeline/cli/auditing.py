"""The commands that read the audit log: ``audit verify``, ``audit show``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from pipeline.cli.chinese import Command, Group, Option
from pipeline.cli.options import workspace_option
from pipeline.errors import InputError, OutputError, QingyiError, cause

_FAULTS = {
    "edited": "第 {line} 行被改动过",
    "removed": "第 {line} 行被删去了",
    "inserted": "第 {line} 行是插进来的",
    "reordered": "从第 {line} 行起次序被调换过",
    "cut": "从第 {line} 行起被截去了",
    "headless": "写第 {line} 行时，登记行数的 head.json 已被拿走，前面可能被截去过",
}
_OUTCOMES = {"done": "完成", "refused": "未做", "failed": "出错", "interrupted": "中断", "killed": "没有结束"}


def _count(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    if not (value.isdecimal() and int(value)):
        raise InputError("--last 应为不小于 1 的整数。")
    return int(value)


@click.group(cls=Group)
def audit() -> None:
    """操作日志：谁、何时、做了什么、动了哪些意见；核对有没有被改过。"""


@audit.command(cls=Command)
@workspace_option
def verify(workspace: Path | None) -> None:
    """核对操作日志：有一行被改、被删、插入、调换或截去，就说是第几行，以状态 1 退出。"""
    from pipeline.audit.chain import check  # noqa: PLC0415
    from pipeline.audit.recording import FOLDER  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    folder = open_workspace(workspace).root / FOLDER
    try:
        found = check(folder)
    except OSError as error:
        raise OutputError(f"读不到操作日志 {folder}：{cause(error)}。") from None
    if found.fault:
        what = _FAULTS[found.fault.kind].format(line=found.fault.line)
        raise QingyiError(f"操作日志 {folder} 与当时写的不符：{what}；请保存原样，查明是谁改的。")
    if not found.lines:
        click.echo(f"还没有操作日志（{folder}）。")
        return
    if found.unfinished:
        click.echo("提示：最后有半行，是写的时候被打断的，不是改动；下一条命令会接着写。")
    if found.ahead:
        click.echo("提示：最后一行还没有登记行数，是写的时候被打断的，不是改动。")
    click.echo(f"操作日志完好：{found.lines} 行。")
    click.echo(f"末行摘要 {found.digest}；抄在别处，日后可以对出整本重写。")


@audit.command(cls=Command)
@click.option("--last", callback=_count, default="20", metavar="N", help="最近几次，默认 20。", cls=Option)
@workspace_option
def show(last: int, workspace: Path | None) -> None:
    """列出最近的操作：时间、谁、命令、结果、件数、写到哪里。"""
    from pipeline.audit.recording import recorded  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    for one in recorded(open_workspace(workspace).root)[-last:]:
        outcome = _OUTCOMES.get(one.outcome, one.outcome) + (f"（{one.error}）" if one.error else "")
        count = f"{one.rows['count']} 件" if "count" in one.rows else "—"
        where = "、".join(map(str, one.outputs)) or "—"
        click.echo(f"{one.n:>5}　{_local(one.at)}　{one.who}　{one.command}　{outcome}　{count}　{where}")


def _local(at: str) -> str:
    """A time of the log on the clock of this machine."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return at
