"""The commands for when categories change: ``taxonomy check / migrate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.chinese import Command, Group
from pipeline.cli.options import PATH, workspace_option

if TYPE_CHECKING:
    from pipeline.migrating import Plan, Standing, Touched
    from pipeline.taxonomy import Taxonomy

_KINDS = {"issue": "问题", "praise": "表扬", "suggestion": "建议"}
_ACTIONS = {"rename": "改名", "merge": "合并", "split": "拆分", "add": "新增", "retire": "停用"}


@click.group(cls=Group)
def taxonomy() -> None:
    """问题类型表：核对，按迁移文件改名、合并、拆分、新增、停用类别。"""


@taxonomy.command(cls=Command)
@click.argument("file", required=False, type=PATH, metavar="[FILE]")
@workspace_option
def check(file: Path | None, workspace: Path | None) -> None:
    """核对现在的问题类型表；给出迁移文件或另一份表，就核对它、说会改什么，不改动。"""
    from pipeline import migrating  # noqa: PLC0415
    from pipeline.taxonomy import load_taxonomy  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    if file is None:
        _show_standing(migrating.standing(space))
    elif migrating.is_migration(file):
        planned = migrating.plan(space, file)
        _show_plan(planned)
        click.echo(f"以上是会做的，还没有改动；要改，请运行“qingyi taxonomy migrate {file}”。")
    else:
        other = load_taxonomy(file)
        _show_taxonomy(other)
        _show_difference(space.taxonomy, other)


@taxonomy.command(cls=Command)
@click.argument("file", type=PATH, metavar="FILE")
@workspace_option
def migrate(file: Path, workspace: Path | None) -> None:
    """按迁移文件改类别；旧表、迁移文件都留着，已存的标注一个不改，读的时候换算。"""
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.migrating import migrate as run  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    root = open_workspace(workspace).root
    with recording(root, "taxonomy migrate", options={"file": file}) as entry:
        entry.read([file])
        planned = run(root, file)
    _show_plan(planned)
    click.echo(
        f"已改为 {planned.after.version} 版，共 {len(planned.after.labels)} 类；"
        f"旧表在 data/taxonomy-{planned.before.version}.toml。"
    )
    click.echo(
        "下一步，训练：qingyi train（没有新标注时 qingyi models build），新类别还没有例子，先不会判出。"
    )
    click.echo("再用 qingyi report 重新判一遍意见。")
    if planned.split:
        click.echo(
            "然后复核：qingyi review export 结果文件夹 -o 复核.xlsx（拆分过的会再问一遍），导入后再训练。"
        )


def _show_taxonomy(shown: Taxonomy) -> None:
    kinds = "，".join(
        f"{name} {sum(label.kind == kind for label in shown.labels)}" for kind, name in _KINDS.items()
    )
    click.echo(f"问题类型表 {shown.version} 版：{len(shown.labels)} 类（{kinds}）。")
    click.echo(f"受保护的：{_names(shown, shown.protected) or '没有'}。")


def _show_standing(standing: Standing) -> None:
    present = standing.taxonomy
    _show_taxonomy(present)
    way = [standing.migrations[0].old_version] if standing.migrations else []
    way += [migration.new_version for migration in standing.migrations]
    click.echo(f"改过 {len(standing.migrations)} 次：{' → '.join(way)}。" if way else "没有改过。")
    if not standing.model:
        click.echo("没有可用的模型；请运行“qingyi models build”。")
    else:
        fits = "与这份表相符" if standing.fits else "是按另一份表训练的，不能用；请运行“qingyi train”重新训练"
        click.echo(f"当前模型 {standing.model} {fits}。")
        for codes, what in (
            (standing.unseen, "模型没有见过的类别"),
            (standing.hardly_seen, "模型见过不到 50 件的类别"),
        ):
            if codes:
                click.echo(f"{what}：{_names(present, codes)}。")
    if standing.waiting:
        click.echo(f"类别拆分以后等着重新看的复核：{standing.waiting} 件（qingyi review export 会再问）。")


def _show_plan(planned: Plan) -> None:
    click.echo(f"问题类型表 {planned.before.version} 版 → {planned.after.version} 版：")
    for touched in planned.steps:
        click.echo(f"  {_step(touched, planned)}")


def _step(touched: Touched, planned: Plan) -> str:
    step = touched.step
    old, new = _coded(planned.before, step.old), _coded(planned.after, step.new)
    change = " → ".join(filter(None, (old, new)))
    stored = f"语料 {touched.corpus} 件，复核 {touched.answers} 件"
    what = {
        "add": f"{stored}都没有问过这一类",
        "split": f"{stored}要重新看",
        "retire": f"{stored}不再算这一类",
    }.get(step.action, stored)
    lost = set(step.old) & set(planned.before.protected) and not set(step.new) & set(planned.after.protected)
    return f"{_ACTIONS[step.action]}：{change}；{what}。" + (
        "注意：原来受保护，改后不再受保护。" if lost else ""
    )


def _show_difference(present: Taxonomy, other: Taxonomy) -> None:
    from pipeline.migrating import difference  # noqa: PLC0415

    more, fewer = difference(present, other)
    click.echo(f"与现在的 {present.version} 版比：多 {len(more)} 类，少 {len(fewer)} 类。")
    if more:
        click.echo(f"多的：{_coded(other, more)}。")
    if fewer:
        click.echo(f"少的：{_coded(present, fewer)}。")
    if more or fewer:
        click.echo(
            "提示：直接换上，已存的标注会认不出来；请写迁移文件，用“qingyi taxonomy migrate”改（见 docs/taxonomy.md）。"
        )


def _names(shown: Taxonomy, codes: tuple[str, ...]) -> str:
    return "、".join(shown[code].name_zh for code in codes)


def _coded(shown: Taxonomy, codes: tuple[str, ...]) -> str:
    return "、".join(f"{shown[code].name_zh}（{code}）" for code in codes)
