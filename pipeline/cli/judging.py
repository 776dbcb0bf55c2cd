"""The commands that measure: a model on labelled opinions, and a labelled corpus."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipeline.cli.chinese import Command, Group, Option
from pipeline.cli.options import PATH, workspace_option
from pipeline.errors import OutputError, cause


@click.command(cls=Command)
@click.argument("labelled", nargs=-1, required=True, type=PATH, metavar="标注文件...")
@workspace_option
@click.option("--json", "target", type=PATH, metavar="FILE", help="把全部指标写入 JSON 文件。", cls=Option)
@click.option(
    "--page", type=PATH, metavar="FILE", help="写出一页：指标、可靠性曲线、混淆、最大的错误。", cls=Option
)
@click.option(
    "--texts", is_flag=True, help="最大的错误连同原文显示在屏幕上（默认只列编号；不写入文件）。", cls=Option
)
def evaluate(
    labelled: tuple[Path, ...], workspace: Path | None, target: Path | None, page: Path | None, texts: bool
) -> None:
    """在标注好的文件上评测当前模型，附 95% 区间。"""
    from pipeline.classifier.read import open_reader  # noqa: PLC0415
    from pipeline.cli.figures import show  # noqa: PLC0415
    from pipeline.documents.evaluation import write_evaluation  # noqa: PLC0415
    from pipeline.learn.corpus import load_labelled  # noqa: PLC0415
    from pipeline.learn.evaluate import evaluate as measure  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    items = load_labelled(labelled, space.taxonomy, space.directory, space.migrations)
    figures = measure(open_reader(space), items)
    shown = {item.opinion.id: item.opinion.text for item in items} if texts else {}
    show(figures, space.taxonomy, shown)
    for path, write in (
        (
            target,
            lambda path: path.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", "utf-8"),
        ),
        (page, lambda path: write_evaluation(figures, space.taxonomy, path)),
    ):
        if path:
            try:
                write(path)
            except OSError as error:
                raise OutputError(f"不能写入 {path}：{cause(error)}。") from None


@click.group(cls=Group)
def corpus() -> None:
    """标注语料：核对。"""


@corpus.command(cls=Command)
@click.argument("labelled", nargs=-1, type=PATH, metavar="[标注文件...]")
@workspace_option
def check(labelled: tuple[Path, ...], workspace: Path | None) -> None:
    """核对标注文件（默认工作区的语料）：标签、件数、重复、难例、用词丰富程度。"""
    from pipeline.cli.figures import show_check  # noqa: PLC0415
    from pipeline.learn.check import check_corpus  # noqa: PLC0415
    from pipeline.learn.corpus import corpus_files, load_labelled  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    items = load_labelled(
        labelled or corpus_files(space.corpus), space.taxonomy, space.directory, space.migrations
    )
    show_check(check_corpus(items, space.taxonomy), space.taxonomy)
