"""The command that watches the model: ``drift``."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.chinese import Command, Option
from pipeline.cli.options import PATH, workspace_option


@click.command(cls=Command)
@click.argument("folder", type=PATH, metavar="结果文件夹")
@click.option("--since", type=PATH, metavar="DIR", help="与哪一轮的结果比；默认与标注语料比。", cls=Option)
@click.option(
    "-o",
    "--output",
    type=PATH,
    metavar="FILE",
    help="页面写到哪里，默认结果文件夹里的 drift.html（没有意见原文）。",
    cls=Option,
)
@workspace_option
def drift(folder: Path, since: Path | None, output: Path | None, workspace: Path | None) -> None:
    """模型还合用吗：语言变了没有，有没有新主题；答案是“重新训练”“看看这 30 件”或“不用做什么”。"""
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.documents.drift import lines, next_step, theme_state, theme_words, verdict_of  # noqa: PLC0415
    from pipeline.drifting import PAGE  # noqa: PLC0415
    from pipeline.drifting import drift as run  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    told, page = {"folder": folder, "since": since}, output or folder / PAGE
    with recording(space.root, "drift", options=told, outputs=[page]):
        found = run(
            folder,
            since=since,
            workspace=workspace,
            output=output,
            progress=lambda stage: click.echo(f"{stage}…", err=True),
        )
    click.echo(verdict_of(found))
    for line in lines(found):
        click.echo(f"  {line.title}：{line.found}{'　← 变了' if line.moved else ''}")
    if found.unseen.words:
        click.echo("  其中常用的：" + "、".join(f"{word}（{n} 件）" for word, n in found.unseen.words))
    click.echo(f"  主题：判为“其他问题”或没有把握的 {found.looked_at} 件里，稳定的 {len(found.themes)} 个")
    for theme in found.themes:
        click.echo(f"    {theme_words(theme)}：{theme.now} 件，{theme_state(theme)}")
    names = {label.code: label.name_zh for label in space.taxonomy.labels}
    for row in found.labels:
        if row.moved:
            click.echo(f"  类别“{names[row.label]}”：{row.now} 件，上一轮 {row.before} 件（q = {row.q:.3f}）")
    if step := next_step(found, folder):
        click.echo(step)
    click.echo(f"页面：{page}")
