"""The commands that measure: a model on labelled opinions, and a labelled corpus."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipeline.cli.chinese import Command, Group, Option
from pipeline.cli.options import PATH, workspace_option


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
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.classifier.read import open_reader  # noqa: PLC0415
    from pipeline.cli.figures import show  # noqa: PLC0415
    from pipeline.documents.evaluation import write_evaluation  # noqa: PLC0415
    from pipeline.learn.corpus import load_labelled  # noqa: PLC0415
    from pipeline.learn.evaluate import evaluate as measure  # noqa: PLC0415
    from pipeline.outputs.folder import private_file  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    told = {"labelled": labelled, "texts": texts}
    outputs = [path for path in (target, page) if path]
    with recording(space.root, "evaluate", options=told, outputs=outputs) as entry:
        entry.read(labelled)
        items = load_labelled(labelled, space.taxonomy, space.directory, space.migrations)
        reader = open_reader(space)
        entry.model = reader.model.version
        figures = measure(reader, items)
        entry.counted([item.opinion.id for item in items])
        shown = {item.opinion.id: item.opinion.text for item in items} if texts else {}
        show(figures, space.taxonomy, shown)
        if target:
            with private_file(target) as path:
                path.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", "utf-8")
            click.echo(f"指标：{target}")
        if page:
            with private_file(page) as path:
                write_evaluation(figures, space.taxonomy, path)
            click.echo(f"页面：{page}")


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
