"""Figures of a run, of an evaluation and of a corpus, on screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from pipeline.classifier.files import mismatch
from pipeline.errors import listed
from pipeline.intake.files import LOCK, opened

if TYPE_CHECKING:
    from pipeline.documents.comparison import Comparison
    from pipeline.learn.check import Check
    from pipeline.run import Result
    from pipeline.taxonomy import Taxonomy

_CHIEF = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "micro_precision": "精确率（micro）",
    "micro_recall": "召回率（micro）",
    "exact_match": "完全一致",
    "pair_f1": "（部门，类别）F1",
    "false_accusation_rate": "误指率（无问题却判有问题）",
    "calibration_error": "校准误差（ECE）",
    "unreviewed_share": "判定中免复核的比例",
    "unreviewed_precision": "免复核判定的精确率",
    "reviewed_share": "待复核意见的比例",
}
_ERRORS = {"false": "误判", "missed": "漏判"}


def show_result(result: Result, first: str) -> None:
    """Print what a run read, found and passed over, and the file to open ``first``."""
    run, totals = result.run, result.tally.totals()
    click.echo(
        f"读入 {run['rows_read']} 行，采用 {run['rows_accepted']}，未采用 {run['rows_rejected']}；重复 {run['rows_duplicate']}。"
    )
    click.echo(
        f"合并重复后：有效 {totals['valid_distinct']} 件，反映问题 {totals['issue_distinct']}，表扬 {totals['praise_distinct']}；"
        f"建议人工复核 {totals['needs_review']} 件。"
    )
    for notice, count in run["notices"].items():
        click.echo(f"提示：{notice}（{count} 行）。")
    if run["model_libraries"]:
        click.echo(f"提示：模型训练时的库与现在装的不同：{run['model_libraries']}；判定可能有极小出入。")
    if not run["rows_read"]:
        click.echo(
            f"提示：一行意见也没有读到，表里只有表头；请检查给的是不是这个文件。{result.folder} 里现在是空的结果，以前的已被换下。"
        )
    locks = [name for name in run["files_passed_over"] if PurePosixPath(name).name.startswith(LOCK)]
    for what, count in (
        ("工作表没有意见列", len(run["skipped_sheets"])),
        ("文件不是可读的格式", len(run["files_passed_over"]) - len(locks)),
    ):
        if count:
            click.echo(f"提示：有 {count} 个{what}，已跳过（名称见 run.json）。")
    if in_use := opened((file["name"] for file in run["files"]), locks):
        click.echo(f"提示：{listed(in_use)} 正在被打开，可能有没保存的修改；请保存并关闭，再运行一次。")
    if run["departments_not_listed"]:
        click.echo(
            f"提示：部门列中有 {len(run['departments_not_listed'])} 个名称不在部门目录里，按“未指明”统计（见 run.json）。"
        )
    if run["clues"] and "letters" in run:
        click.echo(
            f"有 {run['clues']} 件问题线索另存在 {result.folder / 'sealed'}，只供纪检监察机构；其他文书里没有，件数也不含它们（opinions、findings、summary.csv 是数据，仍有）。"
        )
    nowhere = result.tally.unspecified_share()
    if nowhere > 0.5:
        click.echo(
            f"提示：{nowhere:.0%} 的有效意见没有归到部门目录里的部门；请核对 data/departments.csv，分部门的文书意义不大。"
        )
    click.echo(f"结果：{result.folder / first}（用时 {sum(run['seconds'].values()):.1f} 秒）")


def show_comparison(comparison: Comparison, taxonomy: Taxonomy, folder: Path) -> None:
    """Print what certainly rose and fell, what changed around notices, and the page to open."""
    from pipeline.documents.comparison import KINDS  # noqa: PLC0415  # its tests take a second to import

    for lead, cells in (
        ("上升", comparison.certain("rose", "appeared")),
        ("下降", comparison.certain("fell")),
    ):
        told = "；".join(
            f"{cell.department}·{taxonomy[cell.label].name_zh} {cell.before} → {cell.after}" for cell in cells
        )
        click.echo(f"{lead}：{told or '没有能确认的'}。")
    for label, day, change in comparison.notices:
        click.echo(
            f"{taxonomy[label].name_zh}，{day} 通知前 {change.before.found}/{change.before.opinions} 件，"
            f"之后 {change.after.found}/{change.after.opinions} 件：{KINDS[change.kind]}（p = {change.p_share:.3f}）。"
        )
    if comparison.incomparable:
        click.echo(f"提示：类别表变动过，{'、'.join(comparison.incomparable)} 没有比较。")
    if len(set(comparison.names)) == 1:
        click.echo(
            f"提示：两轮都叫“{comparison.names[0]}”，整改台账当作同一轮，没有转入后一轮；"
            "意见没有日期的，用“qingyi report --round 名称”分别起名。"
        )
    if comparison.ledger:
        told = "，".join(f"{state} {n} 项" for state, n in comparison.ledger.items())
        click.echo(f"整改台账：{told}；请在 {folder / 'ledger.xlsx'} 上接着填。")
    click.echo(f"结果：{folder / 'comparison.html'}")


def show(figures: Mapping[str, Any], taxonomy: Taxonomy, texts: Mapping[str, str]) -> None:
    """Print chief figures with intervals, a line per label, and the worst errors by id (with the text where given)."""
    click.echo(f"模型 {figures['model']}，意见 {figures['opinions']} 件")
    for name, title in _CHIEF.items():
        if figures[name] is not None:
            click.echo(f"{title} {figures[name]:.3f}{_interval(figures['intervals'].get(name))}")
    for code, row in figures["labels"].items():
        click.echo(
            f"  {taxonomy[code].name_zh}：精确率 {row['precision']:.2f}，召回率 {row['recall']:.2f}，"
            f"F1 {row['f1']:.2f}{_interval(figures['intervals']['label_f1'][code], 2)}，{row['support']} 件"
        )
    click.echo("最有把握的错误：" if figures["worst"] else "没有错误。")
    for error in figures["worst"]:
        name = taxonomy[error["label"]].name_zh
        text = f"　{texts[error['id']]}" if error["id"] in texts else ""
        click.echo(
            f"  {error['id']}　{_ERRORS[error['error']]}“{name}”，概率 {error['probability']:.2f}{text}"
        )


def _interval(bounds: list[float] | None, digits: int = 3) -> str:
    return f"（{bounds[0]:.{digits}f}–{bounds[1]:.{digits}f}）" if bounds else ""


def show_check(found: Check, taxonomy: Taxonomy) -> None:
    """Print what a corpus holds; repeats are named by id."""
    click.echo(
        f"{found.opinions} 件：没有标签 {found.unlabelled}，两个以上标签 {found.several}，写明部门 {found.named}；"
        f"最短 {found.lengths[0]} 字，中位 {found.lengths[1]} 字，最长 {found.lengths[2]} 字"
    )
    for code, count in found.labels.items():
        click.echo(f"  {taxonomy[code].name_zh}：{count} 件")
    click.echo("难例：" + "，".join(f"{mark} {count}" for mark, count in found.marks.items()))
    click.echo(f"用词丰富程度（每万个三字串中不同的）：{found.diversity:.3f}")
    share = len(found.repeats) / found.opinions
    click.echo(f"与前面重复或近似的 {len(found.repeats)} 件（{share:.1%}）")
    for later, earlier in found.repeats:
        click.echo(f"  {later} 近似 {earlier}")


def show_card(card: Mapping[str, Any], taxonomy: Taxonomy, moves: Sequence[Mapping[str, Any]]) -> None:
    """Print where a model comes from, how it measured, what the gate said, and when it was made active."""
    measured = card["cross_validation"]
    click.echo(f"模型 {card['version']}　类别表 {card['taxonomy_version']}　意见 {card['opinions']} 件")
    if card.get("parent"):
        click.echo(
            f"上一个模型 {card['parent']}；新标注 {card['new_opinions']} 件，冻结检验 {card['frozen_opinions']} 件"
        )
    for file in card.get("labelled", []):
        click.echo(f"  学过 {file['name']}　{file['sha256'][:16]}…")
    click.echo(
        f"语料摘要 {card['corpus'][:16]}…　词表摘要 {card['lexicon'][:16]}…　特征版本 {card['features']}"
    )
    libraries = "，".join(f"{name} {version}" for name, version in card["libraries"].items())
    click.echo(f"训练时的库：{libraries}")
    if different := mismatch(card):
        click.echo(f"提示：与现在装的不同：{different}；判定可能有极小出入，重新训练即可消除。")
    click.echo(
        f"交叉验证：micro-F1 {measured['micro_f1']:.3f}，macro-F1 {measured['macro_f1']:.3f}，误指率 {measured['false_accusation_rate']:.3f}"
    )
    for code, row in measured["labels"].items():
        name = taxonomy[code].name_zh if code in taxonomy.codes else code
        click.echo(
            f"  {name}：精确率 {row['precision']:.2f}，召回率 {row['recall']:.2f}，{row['support']} 件"
        )
    for rule in (card["gate"] or {}).get("rules", []):
        click.echo(f"  {'✓' if rule['kept'] else '✗'} {rule['rule']}：{rule['found']}")
    for move in moves:
        click.echo(f"{move['at']} 启用：{move['reason']}")
