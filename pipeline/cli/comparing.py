"""The command that puts two rounds side by side."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.chinese import Command, Option
from pipeline.cli.options import PATH, day_option, days_option, office_option, output_option, workspace_option
from pipeline.errors import InputError


def _notices(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    notices = {}
    for value in values:
        label, equals, day = value.rpartition("=")
        if not (equals and label.strip() and day.strip()):
            raise InputError("--notice 应写成 类别=日期，例如 --notice 索要产品=2026-05-01。")
        notices[label.strip()] = day.strip()
    return notices


@click.command(cls=Command)
@click.argument("before", type=PATH, metavar="前一轮")
@click.argument("after", type=PATH, metavar="后一轮")
@output_option
@click.option(
    "--notice",
    "notices",
    multiple=True,
    callback=_notices,
    metavar="类别=日期",
    help="某类问题的通知是哪天发的，比较通知前后；可重复。",
    cls=Option,
)
@office_option
@day_option
@days_option
@workspace_option
def compare(
    before: Path,
    after: Path,
    output: Path,
    notices: dict[str, str],
    office: str,
    day: str,
    days: int,
    workspace: Path | None,
) -> None:
    """两轮结果（report 的结果文件夹）相比：升了什么，降了什么，整改了什么。

    \b
    comparison.html  对比的一页；comparison.csv  每一格的数
    report.html      后一轮的一页，加上变化
    briefing.docx    后一轮的专报，加上变化
    ledger.xlsx      前一轮的台账转入后一轮，填好回访结果
    """
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.cli.figures import show_comparison  # noqa: PLC0415
    from pipeline.comparing import compare as run  # noqa: PLC0415
    from pipeline.papers import Order  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    order = Order(office=office, day=day, days=days)
    space = open_workspace(workspace)
    told = {"before": before, "after": after, "notices": notices, "office": office, "day": day, "days": days}
    with recording(space.root, "compare", options=told, outputs=[output]):
        found = run(before, after, output, workspace=workspace, order=order, notices=notices)
    show_comparison(found, space.taxonomy, output)
