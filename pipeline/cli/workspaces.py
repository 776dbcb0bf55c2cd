"""The command that sets up a workspace."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.chinese import Command
from pipeline.cli.options import PATH


@click.command(cls=Command)
@click.argument("folder", type=PATH, metavar="DIR")
def init(folder: Path) -> None:
    """建立自己的工作区：类别表、部门目录、词表、样例和模型，供修改。"""
    from pipeline.workspace import init_workspace  # noqa: PLC0415

    made = init_workspace(folder)
    for name in made:
        click.echo(f"已建立 {folder / name}")
    if not made:
        click.echo(f"{folder} 已是完整的工作区，没有改动。")
