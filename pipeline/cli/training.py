"""The commands that make models and keep them: ``train``, ``models …``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.chinese import Command, Group, Option
from pipeline.cli.options import PATH, workspace_option
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.learn.newlabels import NewLabels
    from pipeline.learn.retrain import Outcome
    from pipeline.learn.suspects import Suspect
    from pipeline.taxonomy import Taxonomy


def _reason(_ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    if value is not None and not value.strip():
        raise InputError(f"--{param.name} 后面要写理由，理由会记下来。")
    return value or ""


@click.command(cls=Command)
@click.argument("labelled", nargs=-1, type=PATH, metavar="[标注文件...]")
@click.option(
    "--unlabelled",
    multiple=True,
    type=PATH,
    metavar="FILE",
    help="没有标注的存档，从中学哪些词常在一起；标注很少时有用，可重复。",
    cls=Option,
)
@click.option(
    "--force", callback=_reason, metavar="理由", help="没有通过检验也启用；理由会记下来。", cls=Option
)
@workspace_option
def train(
    labelled: tuple[Path, ...], unlabelled: tuple[Path, ...], force: str, workspace: Path | None
) -> None:
    """用新标注（标注文件、已导入的复核表）和语料重新训练，与当前模型比过、没有变差才启用。"""
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.training import train as run  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    told = {"labelled": labelled, "unlabelled": unlabelled, "force": force}
    with recording(space.root, "train", options=told) as entry:
        entry.read([path for path in (*labelled, *unlabelled) if path.is_file()])
        outcome = run(
            labelled,
            workspace=workspace,
            unlabelled=unlabelled,
            force=force,
            doubts=lambda new, found: _show_doubts(new, found, space.taxonomy),
            progress=lambda stage: click.echo(f"{stage}…", err=True),
        )
        entry.model = outcome.trained.model.version
        entry.named(item.note for item in (*outcome.new.train, *outcome.new.frozen))
    _show_outcome(outcome, space.taxonomy)
    click.echo(f"检验页：{(space.models / outcome.trained.model.version / 'report.html').resolve()}")


def _show_doubts(new: NewLabels, found: Sequence[tuple[str, Suspect]], taxonomy: Taxonomy) -> None:
    """What is learnt from, before that takes its time, and which of it looks wrong."""
    if new.train or new.frozen:
        click.echo(f"新标注 {len(new.train)} 件用来学，{len(new.frozen)} 件冻结，只用来检验。")
    if not new.train:
        click.echo("没有新的标注可学，这次只看未标注的存档有没有帮助。")
    if new.disputed:
        click.echo(f"提示：{new.disputed} 件标注人意见不一，裁定之前不用（qingyi review disputes）。")
    if found:
        click.echo(f"像是标错的 {len(found)} 件（照样用来学；请核对，全部列在检验页里）：")
    for identity, suspect in found[:20]:
        doubt = "标了，像是没有" if suspect.given else "没有标，像是有"
        click.echo(
            f"  {identity}　“{taxonomy[suspect.label].name_zh}”{doubt}，概率 {suspect.probability:.2f}"
        )
    click.echo("开始训练，可能要几分钟。")


def _show_outcome(outcome: Outcome, taxonomy: Taxonomy) -> None:
    """The rules of the comparison, what to know of the candidate, and whether it is used now."""
    for rule, kept, found in outcome.verdict.rules:
        click.echo(f"  {'✓' if kept else '✗'} {rule}：{found}")
    model = outcome.trained.model
    if (archive := model.card["archive"]) and not archive["used"]:
        unchanged = "" if outcome.new.train or outcome.promoted else "，当前模型不变"
        click.echo(f"提示：未标注的存档没有帮助{unchanged}，可以不用。")
    if outcome.forgotten:
        click.echo(f"提示：当前模型还学过 {'、'.join(outcome.forgotten)}，这次没有给；要保留，请一并给出。")
    if model.card["unseen"]:
        names = "、".join(taxonomy[code].name_zh for code in model.card["unseen"])
        click.echo(f"提示：标注不到四件、没有学的类别：{names}。")
    if outcome.verdict.passed:
        click.echo(f"通过检验，已启用 {model.version}。")
    elif outcome.reason:
        click.echo(f"没有通过检验，按要求强制启用 {model.version}。")
    else:
        click.echo(f"没有通过检验，没有启用；候选 {model.version} 留在登记里，当前模型不变。")


@click.group(cls=Group)
def models() -> None:
    """模型登记：列出、查看、启用、退回、由语料重建。"""


@models.command("list", cls=Command)
@workspace_option
def list_models(workspace: Path | None) -> None:
    """列出全部版本；* 是当前用的。"""
    from pipeline.learn.registry import entries  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    for entry in entries(open_workspace(workspace).models):
        mark = "*" if entry.active else " "
        if entry.fault:
            click.echo(f"{mark} {entry.version}　{entry.fault}")
            continue
        card = entry.card
        measured = card.get("cross_validation", {"micro_f1": float("nan"), "macro_f1": float("nan")})
        gate = card.get("gate")
        verdict = "" if gate is None else "　通过检验" if gate["passed"] else "　没有通过检验"
        click.echo(
            f"{mark} {entry.version}　{card.get('trained_at') or '随程序或由语料重建'}　意见 {card.get('opinions', '？')} 件　"
            f"交叉验证 micro-F1 {measured['micro_f1']:.3f}，macro-F1 {measured['macro_f1']:.3f}{verdict}"
        )


@models.command(cls=Command)
@click.argument("version", required=False, metavar="[版本]")
@workspace_option
def show(version: str | None, workspace: Path | None) -> None:
    """查看一个版本（默认当前用的）：来历、数据、指标、检验、换用记录。"""
    from pipeline.classifier.files import active_version, read_card  # noqa: PLC0415
    from pipeline.cli.figures import show_card  # noqa: PLC0415
    from pipeline.learn.registry import history  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    card = read_card(space.models, version or active_version(space.models))
    show_card(card, space.taxonomy, [move for move in history(space.models) if card["version"] == move["to"]])


@models.command(cls=Command)
@click.argument("version", metavar="版本")
@click.option(
    "--reason", callback=_reason, metavar="理由", help="启用没有通过检验的版本时必填；会记下来。", cls=Option
)
@workspace_option
def promote(version: str, reason: str, workspace: Path | None) -> None:
    """启用一个版本。"""
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.classifier.files import active_version, load_model, read_card  # noqa: PLC0415
    from pipeline.learn.registry import activate, own_models  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    told = {"version": version, "reason": reason}
    with recording(space.root, "models promote", options=told) as entry:
        folder = own_models(space)
        card = read_card(folder, version)
        entry.model = version
        if (gate := card.get("gate")) and not reason:
            if not gate["passed"]:
                raise InputError(f"模型 {version} 没有通过检验；确要启用，请加 --reason 理由。")
            if card.get("parent") and card["parent"] != active_version(folder):
                raise InputError(
                    f"模型 {version} 是与 {card['parent']} 比过的，不是与当前模型；确要启用，请加 --reason 理由。"
                )
        load_model(folder, space.taxonomy, space.lexicon, version)
        activate(folder, version, reason or "人工启用")
    click.echo(f"已启用 {version}。")


@models.command(cls=Command)
@click.option("--reason", callback=_reason, metavar="理由", help="记下来的理由。", cls=Option)
@workspace_option
def rollback(reason: str, workspace: Path | None) -> None:
    """退回上一个用过的版本。"""
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.classifier.files import load_model  # noqa: PLC0415
    from pipeline.learn.registry import own_models, previous  # noqa: PLC0415
    from pipeline.learn.registry import rollback as go_back  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    with recording(space.root, "models rollback", options={"reason": reason}) as entry:
        folder = own_models(space)
        load_model(folder, space.taxonomy, space.lexicon, previous(folder))
        version = entry.model = go_back(folder, reason)
    click.echo(f"已退回 {version}。")


@models.command(cls=Command)
@workspace_option
@click.option(
    "--to", "target", type=PATH, metavar="DIR", help="写到哪个 models 文件夹，默认工作区的。", cls=Option
)
def build(workspace: Path | None, target: Path | None) -> None:
    """由 data/ 重建基础模型并启用；同样的数据和程序得到逐字节相同的模型。"""
    from pipeline.audit.recording import recording  # noqa: PLC0415
    from pipeline.learn.registry import build as make  # noqa: PLC0415
    from pipeline.workspace import open_workspace  # noqa: PLC0415

    space = open_workspace(workspace)
    models_folder = target or space.root / "models"
    with recording(space.root, "models build", options={}, outputs=[models_folder]) as entry:
        model = make(space, models_folder, progress=lambda stage: click.echo(f"{stage}…", err=True))
        entry.model = model.version
    measured = model.card["cross_validation"]
    click.echo(
        f"模型 {model.version}：语料 {model.card['opinions']} 件，交叉验证 micro-F1 {measured['micro_f1']:.3f}，"
        f"macro-F1 {measured['macro_f1']:.3f}，误指率 {measured['false_accusation_rate']:.3f}"
    )
