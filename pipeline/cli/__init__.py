"""The commands, thin; heavy imports live inside them so that ``qingyi --help`` answers at once."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from pipeline import __version__
from pipeline.cli.chinese import Command, Group, Option
from pipeline.cli.status import exit_status
from pipeline.errors import InputError, OutputError, cause

if TYPE_CHECKING:
    from pipeline.run import Options, Progress

_PATH = click.Path(path_type=Path, readable=False)  # what cannot be read is told by who reads it
_EPILOG = "某个命令的用法：qingyi 命令 --help。"


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


_inputs = click.argument("inputs", nargs=-1, required=True, type=_PATH, metavar="文件或文件夹...")
_output = click.option(
    "-o",
    "--output",
    required=True,
    type=_PATH,
    metavar="DIR",
    help="结果文件夹，没有就新建（必填）。",
    cls=Option,
)
_workspace = click.option(
    "--workspace",
    type=_PATH,
    metavar="DIR",
    help="工作区（自己的类别表、部门目录、模型），默认当前文件夹。",
    cls=Option,
)
_column = click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_columns,
    metavar="字段=列名",
    help="指定列，如 text=反映事项；可重复。",
    cls=Option,
)
_jobs = click.option(
    "--jobs", callback=_processes, metavar="N", help="进程数，默认且最多等于处理器数。", cls=Option
)


@click.group(cls=Group, epilog=_EPILOG)
@click.version_option(
    __version__, prog_name="qingyi", message="%(prog)s %(version)s", help="显示版本。", cls=Option
)
@click.option("--debug", is_flag=True, help="出错时显示出错的位置（不含意见内容）。", cls=Option)
def qingyi(debug: bool) -> None:
    """清议：读入评议意见，判定问题类别，归到部门，汇总成给领导看的一页和给分析员的工作簿。全程不联网。"""


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    from tqdm import tqdm  # noqa: PLC0415  # late, like everything heavy

    shape = "{percentage:3.0f}%|{bar:30}| {postfix} 用时 {elapsed} 剩余 {remaining}"
    with tqdm(
        total=1.0, bar_format=shape, file=sys.stderr, leave=False, disable=not sys.stderr.isatty()
    ) as bar:

        def progress(share: float, rows: int) -> None:
            bar.set_postfix_str(f"已读 {rows} 行，", refresh=False)
            bar.update(max(0.0, share - bar.n))

        yield progress


def _batch(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments and options of the commands that read a batch."""
    for decorate in (_jobs, _column, _workspace, _output, _inputs):
        command = decorate(command)
    return command


@qingyi.command(cls=Command)
@_batch
def report(inputs: tuple[Path, ...], output: Path, **options: Unpack[Options]) -> None:
    """主要工作：读入、判定、归口、汇总，写出全部结果。

    \b
    report.html      领导看的一页
    report.xlsx      分析员的工作簿
    opinions、findings（csv 与 parquet）、summary.csv、rejected.csv、run.json
    """
    from pipeline.cli.figures import show_result  # noqa: PLC0415
    from pipeline.run import report as run  # noqa: PLC0415

    with _bar() as options["progress"]:
        result = run(inputs, output, **options)
    show_result(result, "report.html")


@qingyi.command(cls=Command)
@_batch
def classify(inputs: tuple[Path, ...], output: Path, **options: Unpack[Options]) -> None:
    """只判定，不写给领导的文件。"""
    from pipeline.cli.figures import show_result  # noqa: PLC0415
    from pipeline.run import classify as run  # noqa: PLC0415

    with _bar() as options["progress"]:
        result = run(inputs, output, **options)
    show_result(result, "findings.csv")


@qingyi.command(cls=Command)
@click.argument("labelled", nargs=-1, required=True, type=_PATH, metavar="标注文件...")
@_workspace
@click.option("--json", "target", type=_PATH, metavar="FILE", help="把全部指标写入 JSON 文件。", cls=Option)
@click.option(
    "--page", type=_PATH, metavar="FILE", help="写出一页：指标、可靠性曲线、混淆、最大的错误。", cls=Option
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
    items = load_labelled(labelled, space.taxonomy, space.directory)
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


@qingyi.group(cls=Group)
def corpus() -> None:
    """标注语料：核对。"""


@corpus.command(cls=Command)
@click.argument("labelled", nargs=-1, type=_PATH, metavar="[标注文件...]")
@_workspace
def check(labelled: tuple[Path, ...], workspace: Path | None) -> None:
    """核对标注文件（默认工作区的语料）：标签、件数、重复、难例、用词丰富程度。"""
    from pipeline.cli.figures import show_check  # noqa: PLC0415
    from pipeline.learn.check import check_corpus  # noqa: PLC0415
    from pipeline.learn.corpus import corpus_files, load_labelled  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    items = load_labelled(labelled or corpus_files(space.corpus), space.taxonomy, space.directory)
    show_check(check_corpus(items, space.taxonomy), space.taxonomy)


@qingyi.group(cls=Group)
def models() -> None:
    """模型：由语料重建。"""


@models.command(cls=Command)
@_workspace
@click.option(
    "--to", "target", type=_PATH, metavar="DIR", help="写到哪个 models 文件夹，默认工作区的。", cls=Option
)
def build(workspace: Path | None, target: Path | None) -> None:
    """由 data/ 重建基础模型并启用；同样的数据和程序得到逐字节相同的模型。"""
    from pipeline.learn.registry import build as make  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    model = make(
        space, target or space.root / "models", progress=lambda stage: click.echo(f"{stage}…", err=True)
    )
    measured = model.card["cross_validation"]
    click.echo(
        f"模型 {model.version}：语料 {model.card['opinions']} 件，交叉验证 micro-F1 {measured['micro_f1']:.3f}，"
        f"macro-F1 {measured['macro_f1']:.3f}，误指率 {measured['false_accusation_rate']:.3f}"
    )


@qingyi.command(cls=Command)
@click.argument("folder", type=_PATH, metavar="DIR")
def init(folder: Path) -> None:
    """建立自己的工作区：类别表、部门目录、词表、样例和模型，供修改。"""
    from pipeline.workspace import init_workspace  # noqa: PLC0415

    made = init_workspace(folder)
    for name in made:
        click.echo(f"已建立 {folder / name}")
    if not made:
        click.echo(f"{folder} 已是完整的工作区，没有改动。")


def main(arguments: list[str] | None = None) -> None:
    """Run a command line and exit with its status; ``--debug`` may stand anywhere."""
    words = sys.argv[1:] if arguments is None else arguments
    wanted = [word for word in words if word != "--debug"]
    sys.exit(exit_status(lambda: qingyi.main(wanted, "qingyi", standalone_mode=False), debug=wanted != words))
