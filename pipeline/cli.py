"""The commands, thin; heavy imports live inside them so that ``qingyi --help`` answers at once."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import __version__
from pipeline.errors import InputError, OutputError, QingyiError

if TYPE_CHECKING:
    from pipeline.run import Progress, Result

_PATH = click.Path(path_type=Path)
_EPILOG = "某个命令的用法：qingyi 命令 --help。出错时加 --debug 看详情（可能含路径，不含意见内容）。"


class _Chinese(click.Command):
    """A command whose help has Chinese headings."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix="用法：")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = [record for param in self.get_params(ctx) if (record := param.get_help_record(ctx))]
        with formatter.section("选项"):
            formatter.write_dl(records)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option:
            option.help = "显示本说明。"
        return option


class _Group(_Chinese, click.Group):
    """Commands listed in the order of the data, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _Chinese.format_options(self, ctx, formatter)
        names = self.list_commands(ctx)
        with formatter.section("命令"):
            formatter.write_dl([(name, self.commands[name].get_short_help_str(80)) for name in names])


def _columns(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    columns = {}
    for value in values:
        name, equals, header = value.partition("=")
        if not (equals and name.strip() and header.strip()):
            raise InputError("--column 应写成 字段=列名，例如 --column text=反映事项。")
        columns[name.strip()] = header.strip()
    return columns


_inputs = click.argument("inputs", nargs=-1, required=True, type=_PATH, metavar="文件或文件夹...")
_output = click.option(
    "-o", "--output", required=True, type=_PATH, metavar="DIR", help="结果文件夹，没有就新建。"
)
_workspace = click.option(
    "--workspace", type=_PATH, metavar="DIR", help="工作区（自己的类别表、部门目录、模型），默认当前文件夹。"
)
_column = click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_columns,
    metavar="字段=列名",
    help="指定列，如 text=反映事项；可重复。",
)
_jobs = click.option("--jobs", type=click.IntRange(1), metavar="N", help="进程数，默认等于处理器数。")


@click.group(cls=_Group, epilog=_EPILOG)
@click.version_option(__version__, prog_name="qingyi", message="%(prog)s %(version)s", help="显示版本。")
@click.option("--debug", is_flag=True, help="出错时显示详情。")
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


def _closing(result: Result, documents: bool) -> None:
    run, totals = result.run, result.tables.totals
    click.echo(
        f"读入 {run['rows_read']} 行，采用 {run['rows_accepted']}，未采用 {run['rows_rejected']}；重复 {run['rows_duplicate']}。"
    )
    click.echo(
        f"合并重复后：有效 {totals['valid_distinct']} 件，反映问题 {totals['issue_distinct']}，表扬 {totals['praise_distinct']}；"
        f"建议人工复核 {totals['needs_review']} 件。"
    )
    for notice, count in run["notices"].items():
        click.echo(f"提示：{notice}（{count} 行）。")
    for sheet in run["skipped_sheets"]:
        click.echo(f"提示：{sheet} 没有意见列，已跳过。")
    if run["departments_not_listed"]:
        click.echo(
            f"提示：部门列中有 {len(run['departments_not_listed'])} 个名称不在部门目录里，按“未指明”统计（见 run.json）。"
        )
    shown = "report.html" if documents else "findings.csv"
    click.echo(f"结果：{result.folder / shown}（用时 {sum(run['seconds'].values()):.1f} 秒）")


@qingyi.command(cls=_Chinese)
@_inputs
@_output
@_workspace
@_column
@_jobs
def report(
    inputs: tuple[Path, ...], output: Path, workspace: Path | None, columns: dict[str, str], jobs: int | None
) -> None:
    """主要工作：读入、判定、归口、汇总，写出全部结果。

    生成 report.html（领导看的一页）、report.xlsx（分析员工作簿）、opinions、findings、summary.csv、rejected.csv、run.json。
    """
    from pipeline.run import report as run  # noqa: PLC0415

    with _bar() as progress:
        result = run(inputs, output, workspace=workspace, columns=columns, jobs=jobs, progress=progress)
    _closing(result, documents=True)


@qingyi.command(cls=_Chinese)
@_inputs
@_output
@_workspace
@_column
@_jobs
def classify(
    inputs: tuple[Path, ...], output: Path, workspace: Path | None, columns: dict[str, str], jobs: int | None
) -> None:
    """只判定，不写给领导的文件。"""
    from pipeline.run import classify as run  # noqa: PLC0415

    with _bar() as progress:
        result = run(inputs, output, workspace=workspace, columns=columns, jobs=jobs, progress=progress)
    _closing(result, documents=False)


@qingyi.command(cls=_Chinese)
@click.argument("labelled", nargs=-1, required=True, type=_PATH, metavar="标注文件...")
@_workspace
@click.option("--json", "target", type=_PATH, metavar="FILE", help="把全部指标写入 JSON 文件。")
def evaluate(labelled: tuple[Path, ...], workspace: Path | None, target: Path | None) -> None:
    """在标注好的文件上评测当前模型，附 95% 区间。"""
    from pipeline.learn.corpus import load_labelled  # noqa: PLC0415
    from pipeline.learn.evaluate import evaluate as measure  # noqa: PLC0415
    from pipeline.run import open_reader  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    figures = measure(open_reader(space), load_labelled(labelled, space.taxonomy, space.directory))
    click.echo(f"模型 {figures['model']}，意见 {figures['opinions']} 件")
    for name, title in _FIGURES.items():
        if figures[name] is not None:
            bounds = figures["intervals"].get(name)
            interval = f"（{bounds[0]:.3f}–{bounds[1]:.3f}）" if bounds else ""
            click.echo(f"{title} {figures[name]:.3f}{interval}")
    for code, row in figures["labels"].items():
        name = space.taxonomy[code].name_zh
        click.echo(
            f"  {name}：精确率 {row['precision']:.2f}，召回率 {row['recall']:.2f}，F1 {row['f1']:.2f}，{row['support']} 件"
        )
    if target:
        try:
            target.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"不能写入 {target}：{error.strerror}。") from None


_FIGURES = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "micro_precision": "精确率（micro）",
    "micro_recall": "召回率（micro）",
    "exact_match": "完全一致",
    "pair_f1": "（部门，类别）F1",
    "false_accusation_rate": "误指率（无问题却判有问题）",
    "reviewed_share": "待复核比例",
}


@qingyi.group(cls=_Group)
def models() -> None:
    """模型。"""


@models.command(cls=_Chinese)
@_workspace
@click.option("--to", "target", type=_PATH, metavar="DIR", help="写到哪个 models 文件夹，默认工作区的。")
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


@qingyi.command(cls=_Chinese)
@click.argument("folder", type=_PATH, metavar="DIR")
def init(folder: Path) -> None:
    """建立自己的工作区：类别表、部门目录、词表、样例和模型，供修改。"""
    from pipeline.workspace import init_workspace  # noqa: PLC0415

    made = init_workspace(folder)
    for name in made:
        click.echo(f"已建立 {folder / name}")
    if not made:
        click.echo(f"{folder} 已是完整的工作区，没有改动。")


def _usage_message(error: click.UsageError) -> str:
    hint = f"；用法见“{error.ctx.command_path} --help”。" if error.ctx else "。"
    if isinstance(error, click.NoSuchOption):
        return f"没有选项 {error.option_name}{hint}"
    if isinstance(error, click.MissingParameter):
        param = error.param
        name = (param.opts[-1] if isinstance(param, click.Option) else param.make_metavar(error.ctx)) if param and error.ctx else ""  # fmt: skip
        return f"缺少 {name}{hint}"
    if isinstance(error, click.BadParameter):
        name = error.param.opts[-1] if error.param else "参数"
        return f"{name} 的值不对{hint}"
    known = "、".join(qingyi.commands)
    if error.ctx and error.ctx.command is qingyi:
        return f"没有这个命令；可用命令：{known}。"
    return f"命令写法不对{hint}"


def main(arguments: list[str] | None = None) -> None:
    """Run a command line; exits 0 done, 1 failure while working, 2 wrong usage or unusable input."""
    words = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in words
    sys.exit(
        _status(
            lambda: qingyi.main([w for w in words if w != "--debug"], "qingyi", standalone_mode=False), debug
        )
    )


def _status(command: Callable[[], Any], debug: bool) -> int:
    try:
        command()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.UsageError as error:
        click.echo(f"错误：{_usage_message(error)}", err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("已中断，没有写出结果。", err=True)
        return 1
    except QingyiError as error:
        if debug:
            raise
        click.echo(f"错误：{error}", err=True)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (
        Exception
    ) as error:  # the last line of defence: a message may quote a text, so only its kind is shown
        if debug:
            raise
        click.echo(
            f"错误：程序内部出错（{type(error).__name__}）；没有写出结果，加 --debug 看详情。", err=True
        )
        return 1
    return 0
