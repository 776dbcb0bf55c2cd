"""The commands that take opinions out: ``withdraw``, ``purge``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.chinese import Command, Option
from pipeline.cli.options import PATH, seal_option, workspace_option
from pipeline.errors import InputError, listed

if TYPE_CHECKING:
    from pipeline.withdrawing.plan import Plan, Touched
    from pipeline.withdrawing.ways import Withdrawal

_DONE = {
    "标注文件": "删去 {count} 件",
    "复核表": "删去 {count} 行，别人填好的其他行还在",
    "复核记录": "删去所问的 {count} 件和对它们的判断",
    "结果文件夹": "撤去 {count} 件，其余重新计数，全部文件重写（台账里人填的还在；在 Word 里改过的文书不留，要留请先另存）",
    "两轮对比": "重新比较",
    "漂移页": "删去，要看请重新运行“qingyi drift”",
}
_WHOLE = {
    "复核表": "其中有撤回的意见，改不了，整个删去；要用请重新导出",
    "结果文件夹": "全部 {count} 件都在其中，程序写的文件删去（台账和别人放的文件留下）",
}
_SHOWN = 20

_folders_option = click.option(
    "--in",
    "folders",
    multiple=True,
    type=PATH,
    metavar="DIR",
    help="操作日志里没有的结果文件夹；可重复。",
    cls=Option,
)
_dry_run_option = click.option(
    "--dry-run",
    is_flag=True,
    help="只列出会动到什么，不改动（上次被打断、没有放完的结果会先放完）。",
    cls=Option,
)


def _date(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        return dt.date.fromisoformat(value).isoformat()
    except ValueError:
        raise InputError("--before 应为日期，写成 2026-11-23。") from None


@click.command(cls=Command)
@click.argument("ids", nargs=-1, required=True, metavar="编号...")
@click.option("--reason", default="", metavar="理由", help="记在操作日志里；不要写意见内容。", cls=Option)
@_folders_option
@click.option(
    "--of", type=PATH, metavar="DIR", help="同一编号在几处是不同的意见时，说明是哪个结果里的。", cls=Option
)
@seal_option
@_dry_run_option
@workspace_option
def withdraw(
    ids: tuple[str, ...],
    reason: str,
    folders: tuple[Path, ...],
    of: Path | None,
    password: str | None,
    dry_run: bool,
    workspace: Path | None,
) -> None:
    """撤回意见：从结果、复核记录、复核表、标注文件里去掉，重新计数，重写全部文书。"""
    from pipeline.withdrawing.rejected import place_of  # noqa: PLC0415
    from pipeline.withdrawing.ways import withdraw as run  # noqa: PLC0415

    done = run(
        ids, workspace=workspace, reason=reason, folders=folders, of=of, password=password, dry_run=dry_run
    )
    if not (done.plan.touched or done.unfinished):
        click.echo(f"这些编号早已撤回，没有剩下的：{listed(ids)}。")
    else:
        _show(done)
    _show_rest(done)
    if done.plan.unsure:
        click.echo(
            f"提示：没有读入的行 {listed(done.plan.unsure, _SHOWN)} 里也写着这个编号，认不准是不是它，没有动；要撤去请用这个位置作编号，再运行一次。"
        )
    if done.plan.near:
        click.echo(f"另有 {len(done.plan.near)} 件内容相近的未撤回：{listed(done.plan.near, _SHOWN)}。")
    for held in done.plan.folders:
        folder = held.folder
        ids = (*held.ids, *map(place_of, held.refused))
        sources = listed(_sources(folder.run["files"], ids), _SHOWN)
        click.echo(
            f"提示：原始表是你们自己的，程序不改；这些意见是从 {sources} 读入的（{folder.path} 的输入），请找到那几行删去，再跑才不会又读进来。"
        )


@click.command(cls=Command)
@click.option(
    "--before",
    required=True,
    callback=_date,
    metavar="日期",
    help="收集日期在这一天以前的（必填）；没有日期的，按判定那天算。",
    cls=Option,
)
@_folders_option
@click.option(
    "--keep-papers",
    is_flag=True,
    help="全是旧意见的结果文件夹，只删含原文的文件，留下计数和文书。",
    cls=Option,
)
@seal_option
@click.option("--yes", is_flag=True, help="不再问，直接删。", cls=Option)
@_dry_run_option
@workspace_option
def purge(
    before: str,
    folders: tuple[Path, ...],
    keep_papers: bool,
    password: str | None,
    yes: bool,
    dry_run: bool,
    workspace: Path | None,
) -> None:
    """到期清理：某日以前收集的意见，从结果、复核记录、复核表、标注文件里全部去掉。"""
    from pipeline.withdrawing.ways import purge as run  # noqa: PLC0415

    def agree(plan: Plan) -> bool:
        if yes:
            return True
        _show_plan(plan, keep_papers=keep_papers)
        return click.confirm("要删去以上内容吗？删去就找不回来", err=True)

    done = run(
        before,
        workspace=workspace,
        folders=folders,
        keep_papers=keep_papers,
        password=password,
        dry_run=dry_run,
        agree=agree,
    )
    if not (done.plan.touched or done.unfinished):
        click.echo(f"没有 {before} 以前的意见。")
    elif done.agreed or dry_run:
        _show(done, keep_papers=keep_papers)
        if done.agreed and done.plan.count:
            click.echo("提示：原始表是你们自己的，程序不动；到期的请自行处理。")
    else:
        click.echo("没有改动。")
    _show_rest(done)


def _show(done: Withdrawal, *, keep_papers: bool = False) -> None:
    if not done.agreed:
        _show_plan(done.plan, keep_papers=keep_papers)
        return
    click.echo(f"已撤去 {done.plan.count} 件：" if done.plan.count else "上一次中断的已经做完。")
    lost = set(done.lost)
    for touched in done.plan.touched:
        if touched.path in lost:
            what = "不能重新比较，已删去（台账留下）"
        else:
            what = _what(touched, keep_papers=keep_papers)
        click.echo(f"  {touched.what} {touched.path}：{what}。")
    for path, model in done.models:
        click.echo(f"提示：判定 {path} 的模型已经没有或不能用，改用 {model} 重新判定（见 run.json）。")
    if done.plan.learnt:
        click.echo(
            f"提示：当前模型学过其中 {done.plan.learnt} 件，模型不能忘掉；请运行“qingyi train”（没有新标注时“qingyi models build”）重新训练。"
        )


def _show_plan(plan: Plan, *, keep_papers: bool) -> None:
    begin = f"会撤去 {plan.count} 件" if plan.count else "会做完上一次中断的"
    click.echo(f"{begin}（还没有改动）：")
    for touched in plan.touched:
        click.echo(f"  {touched.what} {touched.path}：{_what(touched, keep_papers=keep_papers)}。")


def _show_rest(done: Withdrawal) -> None:
    """What was not seen to, and why."""
    if done.moved:
        click.echo(f"提示：日志记着的 {_paths(done.moved)} 不在原处，没有动；移走了请加 --in。")
    if done.strayed:
        click.echo(
            f"提示：日志记着的 {_paths(done.strayed)} 不在原处，没有动；移走了的复核表请自行删去那几行。"
        )
    for one in done.begun:
        click.echo(f"提示：“qingyi {one}”上次没有做完，请再运行一遍。")


def _paths(paths: Sequence[Path]) -> str:
    """In full, unlike other lists: they are to be found."""
    tail = f" 等 {len(paths)} 处" if len(paths) > _SHOWN else ""
    return "、".join(map(str, paths[:_SHOWN])) + tail


def _what(touched: Touched, *, keep_papers: bool) -> str:
    if touched.left:
        return f"{touched.left}，没有动；里面若有撤回的意见，请自行删去"
    if touched.whole and touched.what == "结果文件夹" and keep_papers:
        return f"全部 {touched.count} 件都在其中，含原文的文件删去，计数和文书留下"
    words = _WHOLE if touched.whole else _DONE
    return words.get(touched.what, _DONE[touched.what]).format(count=touched.count)


def _sources(files: list[dict[str, str]], ids: tuple[str, ...]) -> list[str]:
    """The input files that may hold these opinions: those that an id made from a file's name tells, else all."""
    names = [str(file["name"]) for file in files]
    telling = [
        name
        for name in names
        if any(identity.startswith(Path(name).with_suffix("").as_posix() + ":") for identity in ids)
    ]
    return telling if telling and all(":" in identity for identity in ids) else names
