"""The commands, thin; heavy imports live inside them so that ``qingyi --help`` answers at once."""

from __future__ import annotations

import sys

import click

from pipeline import __version__
from pipeline.cli.auditing import audit
from pipeline.cli.batch import classify, report
from pipeline.cli.chinese import Group, Option
from pipeline.cli.comparing import compare
from pipeline.cli.drifting import drift
from pipeline.cli.judging import corpus, evaluate
from pipeline.cli.reviewing import review
from pipeline.cli.status import exit_status
from pipeline.cli.taxonomies import taxonomy
from pipeline.cli.training import models, train
from pipeline.cli.withdrawing import purge, withdraw
from pipeline.cli.workspaces import init
from pipeline.workers import collect_seldom

_EPILOG = "某个命令的用法：qingyi 命令 --help。"


@click.group(cls=Group, epilog=_EPILOG)
@click.version_option(
    __version__, prog_name="qingyi", message="%(prog)s %(version)s", help="显示版本。", cls=Option
)
@click.option("--debug", is_flag=True, help="出错时显示出错的位置（不含意见内容）。", cls=Option)
def qingyi(debug: bool) -> None:
    """清议：读入评议意见，判定问题类别，归到部门，汇总成给领导看的一页和给分析员的工作簿。全程不联网。"""


for command in (
    report, classify, compare, evaluate, review, train, models, drift, taxonomy, corpus, withdraw, purge, audit, init,
):  # fmt: skip
    qingyi.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run a command line and exit with its status; ``--debug`` may stand anywhere."""
    collect_seldom()
    words = sys.argv[1:] if arguments is None else arguments
    wanted = [word for word in words if word != "--debug"]
    sys.exit(exit_status(lambda: qingyi.main(wanted, "qingyi", standalone_mode=False), debug=wanted != words))
