"""The annex that says how the briefing's figures came about, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.documents.facts import Facts
from pipeline.documents.prose import BASE
from pipeline.documents.word import Column, Paper
from pipeline.documents.wording import percent

_CLASSIFIED = (
    "意见的类别和涉及的部门由计算机按《问题类型表》判定，正文提到的部门优先，其次是原表填写的部门，都没有的记“未指明”。"
    "判定结果是线索，不是结论；用于考核或者处理之前，应当由人员阅读原文核实。"
)
_REPEATS = "内容相同或者稍加改动、对同样部门提出的意见合并计1件；没有实际内容的意见不计入有效意见。"
_COUNTS = (
    f"件数是计算机判定的件数。总体评价、部门、来源的占比按件数计算，基数不足{BASE}件的不列。"
    "各类问题的占比是估计：按已标注意见中漏判误判的情况作了校正，所以可能与按件数计算的不同；有人工抽查的，按抽查结果校正。"
)
_INTERVALS = (
    "估计占比有95%的把握在区间之内。区间既包含件数多少带来的波动，也包含判定误差；区间重叠的两个占比，不宜说谁高谁低。"
    "意见的写法与已标注的意见差别很大时，估计会有偏差，抽查五十件以上才可靠。"
)
_HIDDEN = (
    "为保护反映人，1至4件的件数不列；由合计能够推算出这样的件数的，也一并不列，以“＊”表示，也不说升降。"
    "本专报不含意见原文，不列来源单位。"
)
_COLUMNS = (
    Column("类别", 50),
    Column("判定与标注一致", 40, "number"),
    Column("标注的被找出", 36, "number"),
    Column("检验件数", 30, "number"),
)


def write_method(paper: Paper, facts: Facts) -> None:
    """How opinions were classified and counted, and how sure that is."""
    paper.point("分类。", _CLASSIFIED)
    paper.point("准确程度。", _accuracy(facts.card["opinions"], facts.card["cross_validation"]))
    if facts.totals["needs_review"]:
        paper.point("人工复核。", _to_review(facts.totals))
    paper.point("合并重复。", _REPEATS)
    paper.point("件数和占比。", _COUNTS)
    paper.point("区间。", _INTERVALS)
    paper.point("不列的件数。", _HIDDEN)
    measured = facts.card["cross_validation"]["labels"]
    rows = [
        [
            label.name_zh,
            percent(measured[label.code]["precision"]),
            percent(measured[label.code]["recall"]),
            str(measured[label.code]["support"]),
        ]
        for label in facts.taxonomy.labels
        if label.code in measured
    ]
    paper.table("各类判定的准确程度", _COLUMNS, rows)


def _accuracy(opinions: int, measured: Mapping[str, Any]) -> str:
    precision, recall, accused = (
        percent(measured[name]) for name in ("micro_precision", "micro_recall", "false_accusation_rate")
    )
    return (
        f"用{opinions}件已标注类别的意见作交叉检验：计算机给出的类别，{precision}与标注一致；标注的类别，计算机找出{recall}；"
        f"没有反映问题的意见，{accused}被误判为反映问题。因为宁可漏判、不肯错判，问题件数应当看作下限。"
        "意见的来源和说法变化较大时，误差可能更大。"
    )


def _to_review(totals: Mapping[str, Any]) -> str:
    said = f"{totals['needs_review']}件有效意见判定的把握不够，应当由人员复核"
    if totals["valid"] >= BASE:
        said += f"，占有效意见（含重复）的{percent(totals['needs_review'] / totals['valid'])}"
    return said + "。复核结果与本专报不一致的，以复核结果为准。"
