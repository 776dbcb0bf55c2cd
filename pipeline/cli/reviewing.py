"""The commands by which people teach: ``review export / import / disputes / status``."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.chinese import Command, Group, Option
from pipeline.cli.options import PATH, workspace_option
from pipeline.errors import InputError

_SHOWN = 20

_sheet_option = click.option(
    "-o", "--output", required=True, type=PATH, metavar="FILE",
    help="写到哪个文件：.xlsx 复核表，或 .json（Label Studio 的任务，旁边另写一个 .xml 界面配置）（必填）。", cls=Option,
)  # fmt: skip


def _count(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    if not (value.isdecimal() and 1 <= int(value) <= 100_000):
        raise InputError("--n 应为 1 到 100000 的整数。")
    return int(value)


def _share(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    try:
        share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InputError("--audit 应为 0 到 1 的比例，例如 0.2 或 20%。")
    return share


@click.group(cls=Group)
def review() -> None:
    """复核：导出最值得看的意见，导入人的判断，裁定不一致的。"""


@review.command(cls=Command)
@click.argument("folder", type=PATH, metavar="结果文件夹")
@_sheet_option
@click.option("--n", callback=_count, default="200", metavar="N", help="几件，默认 200。", cls=Option)
@click.option(
    "--audit",
    callback=_share,
    default="0.2",
    metavar="比例",
    help="其中随机抽查的比例，默认 20%。",
    cls=Option,
)
@click.option(
    "--label", "labels", multiple=True, metavar="类别", help="只要判有这一类的；可重复。", cls=Option
)
@click.option(
    "--department",
    "departments",
    multiple=True,
    metavar="部门",
    help="只要说到这个部门的；可重复。",
    cls=Option,
)
@workspace_option
def export(
    folder: Path,
    output: Path,
    n: int,
    audit: float,
    labels: tuple[str, ...],
    departments: tuple[str, ...],
    workspace: Path | None,
) -> None:
    """从 report、classify 的结果里挑最值得看的（没有把握而又各不相同的，加随机抽查的），写成复核表。"""
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.reviewing import export as run  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    told = {"folder": folder, "n": n, "audit": audit, "labels": labels, "departments": departments}
    with recording(open_workspace(workspace).root, "review export", options=told, outputs=[output]) as entry:
        batch = run(
            folder, output, workspace=workspace, n=n, audit=audit, labels=labels, departments=departments
        )
        entry.model = batch.model
        entry.named(question.id for question in batch.questions)
    audited = sum(question.why == "audit" for question in batch.questions)
    click.echo(f"批次 {batch.id}：{len(batch.questions)} 件，其中随机抽查 {audited} 件。")
    if labels or departments:
        click.echo("提示：指定了类别或部门，没有随机抽查；这样选出来的不能用来估计总的准确程度。")
    click.echo(f"复核表：{output}（含意见原文，只有你可读）")


@review.command("import", cls=Command)
@click.argument("file", type=PATH, metavar="FILE")
@click.option("--by", default="", metavar="姓名", help="复核人；默认用表里写的。", cls=Option)
@workspace_option
def import_sheet(file: Path, by: str, workspace: Path | None) -> None:
    """导入填好的复核表（.xlsx）或 Label Studio 导出的标注（.json）；可以分几次，重复导入不会重复。"""
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.review.store import Store  # noqa: PLC0415
    from pipeline.reviewing import take_in  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    with recording(space.root, "review import", options={"file": file, "by": by}) as entry:
        entry.read([file])
        done = take_in(file, workspace=workspace, by=by)
        for problem in done.problems[:_SHOWN]:
            click.echo(problem)
        if done.problems:
            more = f"（只列出前 {_SHOWN} 处）" if len(done.problems) > _SHOWN else ""
            raise InputError(
                f"{file.name} 有 {len(done.problems)} 处填得不对{more}，没有导入；改好再导入即可。"
            )
        entry.named(Store(space.feedback, space.migrations).ids_answered_in(entry.inputs[0]["sha256"]))
    click.echo(
        f"读到 {done.read} 件判断（不确定/跳过 {done.skipped}），新的或改过的 {done.fresh} 件已存；没有看的 {done.open} 件。"
    )


@review.command(cls=Command)
@_sheet_option
@workspace_option
def disputes(output: Path, workspace: Path | None) -> None:
    """几个人判断不一致的，写成裁定表；由一个人填好再导入，就是最后的结论。"""
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.reviewing import disputes as run  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    with recording(open_workspace(workspace).root, "review disputes", options={}, outputs=[output]) as entry:
        batch = run(output, workspace=workspace)
        entry.named(question.id for question in batch.questions)
    click.echo(f"批次 {batch.id}：{len(batch.questions)} 件待裁定。")
    click.echo(f"裁定表：{output}（含意见原文，只有你可读）")


@review.command(cls=Command)
@workspace_option
def status(workspace: Path | None) -> None:
    """复核到哪一步：已标、不一致、跳过、没有看的；两人以上标过的，附一致程度。"""
    from pipeline.reviewing import status as stand  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    now = stand(workspace)
    click.echo(
        f"问过 {now.asked} 件：有结论 {now.labelled}（其中随机抽查 {now.audited}），意见不一待裁定 {now.disputed}，"
        f"不确定/跳过 {now.skipped}，没有看 {now.open}。"
    )
    for person, labelled in now.people.items():
        click.echo(f"  {person}：标了 {labelled} 件")
    shared = next((row["n"] for row in now.agreement.values()), 0)
    if not shared:
        return
    click.echo(f"两人以上都标过的 {shared} 件，一致程度（1 为完全一致，0 为凑巧）：")
    taxonomy = open_workspace(workspace).taxonomy
    for code, row in now.agreement.items():
        if row["prevalence"]:
            kappa = "" if row["kappa"] is None else f"，Cohen κ {row['kappa']:.2f}"
            alpha = "—" if row["alpha"] is None else f"{row['alpha']:.2f}"
            share = row["prevalence"]
            click.echo(f"  {taxonomy[code].name_zh}：Krippendorff α {alpha}{kappa}（出现比例 {share:.0%}）")
