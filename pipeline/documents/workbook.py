"""``report.xlsx``: the analysts' workbook. It holds opinions' text: readable by its owner only."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.aggregate.sources import GROUPS
from pipeline.documents.book import Book
from pipeline.documents.facts import Facts
from pipeline.documents.pivot import Pivot, Source
from pipeline.outputs.stored import table_files

MOST_ROWS = 1_000_000

_STEP = 8192

METHODS = {"likelihood": "似然", "ppi": "抽查校正", "count": "件数", "none": "—"}
"""How the sheets call :data:`~pipeline.aggregate.prevalence.Method`."""

_COLOURS = {"issue": "#B4451F", "praise": "#0A6A8F", "suggestion": "#7F7F7F"}


_KINDS = {"issue": "问题", "praise": "表扬", "suggestion": "建议"}


def write_workbook(facts: Facts, folder: Path, path: Path, without: Collection[str] = ()) -> None:
    """Write the workbook from the facts and the run's tables ``opinions``, ``findings``, ``rejected`` in ``folder``.

    Opinions whose ids are in ``without`` are in none of its sheets.
    """
    book = Book(path)
    _overview(book, facts)
    _matrix(book, facts)
    _summary(book, facts)
    source = _pivots(book, facts)
    _findings(book, facts, folder, without)
    _review(book, folder, facts, without)
    _rejected(book, folder)
    _method(book, facts)
    if 0 < len(source.rows) < MOST_ROWS:
        header = [(title, 14, book.plain) for title in source.titles]
        book.table(source.sheet, header, source.rows)
    book.close()


def _overview(book: Book, facts: Facts) -> None:
    header = (
        ("类别", 16, book.plain), ("件数（合并重复）", 12, book.plain), ("件数（含重复）", 12, book.plain),
        ("估计占有效意见", 11, book.share), ("区间下限", 10, book.share), ("区间上限", 10, book.share), ("说明", 70, book.wrapped),
    )  # fmt: skip
    rows = [
        (label.name_zh, r["count_distinct"], r["count"], r["estimated_share"], r["ci_low"], r["ci_high"], label.definition)
        for r, label in zip(facts.tables.by_label.to_dict("records"), facts.taxonomy.labels, strict=True)
    ]  # fmt: skip
    sheet, count = book.table("概览", header, rows, pages=1)
    chart = book.book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": "件数（合并重复）",
            "categories": ["概览", 1, 0, count, 0],
            "values": ["概览", 1, 1, count, 1],
            "points": [{"fill": {"color": _COLOURS[label.kind]}} for label in facts.taxonomy.labels],
            "data_labels": {"value": True},
            "gap": 40,
        }
    )
    chart.set_title({"name": "各类意见件数（合并重复）", "name_font": {"size": 12}})
    chart.set_y_axis({"reverse": True})
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}})
    chart.set_legend({"none": True})
    chart.set_size({"width": 760, "height": 480})
    sheet.insert_chart(count + 2, 0, chart)


def _matrix(book: Book, facts: Facts) -> None:
    labels = facts.taxonomy.labels
    header = (
        ("部门", 22, book.plain), ("系列", 10, book.plain), ("有效意见（合并）", 14, book.count), ("反映问题的", 10, book.count),
        ("表扬的", 8, book.count), *((label.name_zh, 9, book.count) for label in labels if label.kind != "praise"),
    )  # fmt: skip
    others = [label.code for label in labels if label.kind != "praise"]
    rows = [
        (d.name, d.series, d.distinct, d.issue, d.praise, *(d.count(code) for code in others))
        for d in facts.departments
    ]
    sheet, count = book.table("部门×类别", header, rows, pages=1)
    if not count:
        return
    scale = {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#C65F3B"}
    sheet.conditional_format(1, 5, count, 4 + len(facts.taxonomy.issues), scale)
    chart = book.book.add_chart({"type": "bar"})
    for column, kind in ((3, "issue"), (4, "praise")):
        chart.add_series(
            {
                "name": ["部门×类别", 0, column],
                "categories": ["部门×类别", 1, 0, count, 0],
                "values": ["部门×类别", 1, column, count, column],
                "fill": {"color": _COLOURS[kind]},
                "data_labels": {"value": True, "num_format": "0;;"},
                "gap": 50,
            }
        )
    chart.set_title({"name": "各部门反映问题和表扬的意见（件，合并重复）", "name_font": {"size": 12}})
    chart.set_y_axis({"reverse": True})
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}})
    chart.set_legend({"position": "top"})
    chart.set_size({"width": 900, "height": 140 + 32 * count})
    sheet.insert_chart(count + 2, 0, chart)


def _summary(book: Book, facts: Facts) -> None:
    header = (
        ("部门", 22, book.plain), ("类别", 14, book.plain), ("类别代码", 22, book.plain), ("部门有效意见", 12, book.plain),
        ("部门有效意见（合并）", 14, book.plain), ("件数", 8, book.plain), ("件数（合并）", 10, book.plain), ("估计占比", 9, book.share),
        ("区间下限", 9, book.share), ("区间上限", 9, book.share), ("对外应隐去", 10, book.plain), ("估计办法", 12, book.plain),
    )  # fmt: skip
    rows = (
        (r["department"], facts.taxonomy[r["label"]].name_zh, r["label"], r["opinions"], r["opinions_distinct"], r["count"],
         r["count_distinct"], r["estimated_share"], r["ci_low"], r["ci_high"], r["suppressed"], METHODS[r["method"]])
        for r in facts.tables.summary.to_dict("records")
    )  # fmt: skip
    book.table("汇总", header, rows, first_column=2)


def _pivots(book: Book, facts: Facts) -> Source:
    """Two sheets with pivot tables, where there is anything to count by them; returns the rows they are of, for a sheet of their own."""
    series = {d.name: d.series or "—" for d in facts.departments}
    cube = [row for row in facts.tables.cube.to_dict("records") if row["label"]]
    rows = [
        (r["department"], series[r["department"]], label.name_zh, _KINDS[label.kind], r["source"], r["period"], int(r["distinct"]))
        for r in cube
        for label in (facts.taxonomy[r["label"]],)
    ]  # fmt: skip
    source = Source(
        "透视数据",
        ("部门", "系列", "类别", "性质", "来源", "月份", "件数"),
        rows,
        (
            list(series),
            list(dict.fromkeys(series.values())),
            [label.name_zh for label in facts.taxonomy.labels],
            list(_KINDS.values()),
            list(GROUPS),
            sorted({r["period"] for r in cube}),
        ),
    )
    if rows and source.fits():
        department, _, label, kind, whence, period, _ = range(7)
        book.pivot(source, Pivot("透视·部门", department, label, (1, kind, whence, period)))
        book.pivot(source, Pivot("透视·月份", label, period, (department, kind, whence)))
    return source


def _batches(
    files: Sequence[Path], columns: Sequence[str] | None = None, only: str | None = None
) -> Iterator[dict[str, Any]]:
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=_STEP, columns=columns):
            yield from (batch.filter(pc.field(only)) if only else batch).to_pylist()


def _findings(book: Book, facts: Facts, folder: Path, without: Collection[str]) -> None:
    header = (
        ("意见编号", 24, book.plain), ("部门", 20, book.plain), ("类别", 14, book.plain), ("概率", 8, book.share),
        ("依据（原文片段）", 60, book.wrapped), ("待复核", 8, book.plain),
    )  # fmt: skip
    rows = (
        (r["opinion_id"], r["department"], facts.taxonomy[r["label"]].name_zh, r["probability"], r["evidence"], r["needs_review"])
        for r, _ in zip(_batches(table_files(folder, "findings")), range(MOST_ROWS), strict=False)
        if r["opinion_id"] not in without
    )  # fmt: skip
    book.table("意见与类别", header, rows)


def _review(book: Book, folder: Path, facts: Facts, without: Collection[str]) -> None:
    header = (
        ("意见编号", 24, book.plain), ("意见内容（已脱敏）", 90, book.wrapped), ("部门（原表）", 18, book.plain),
        ("程序判定", 26, book.wrapped), ("日期", 12, book.plain), ("渠道", 10, book.plain), ("重复自", 20, book.plain),
    )  # fmt: skip
    rows = (
        (
            r["id"], r["text"], r["department"],
            "、".join(facts.taxonomy[code].name_zh for code in r["labels"].split(";") if code),
            r["collected_on"], r["channel"], r["duplicate_of"],
        )
        for r, _ in zip(_batches(table_files(folder, "opinions"), only="needs_review"), range(MOST_ROWS), strict=False)
        if r["id"] not in without
    )  # fmt: skip
    book.table("待复核", header, rows)


def _rejected(book: Book, folder: Path) -> None:
    header = (
        ("文件", 24, book.wrapped), ("行", 8, book.plain), ("未采用的原因", 40, book.wrapped), ("该行内容（已脱敏）", 80, book.wrapped),
        ("工作表", 16, book.plain),
    )  # fmt: skip
    book.table("未采用的行", header, _rejected_rows(table_files(folder, "rejected", ".csv")))


def _rejected_rows(files: Sequence[Path]) -> Iterator[list[str]]:
    for path in files:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            next(rows)
            yield from rows


def _method(book: Book, facts: Facts) -> None:
    measured, run = facts.card["cross_validation"], facts.run
    header = (("项目", 36, book.wrapped), ("内容", 100, book.wrapped))
    rows = [
        ("读入文件", "；".join(source["name"] for source in run["files"])),
        ("行数", f"计入各表 {facts.totals['accepted']} 件，合并重复后 {facts.totals['distinct']} 件；未采用 {run['rows_rejected']} 行"),
        ("类别如何判定", "按子句提取词、字符片段和领域词类，逐类逻辑回归；整件和其中最能说明问题的一段各读一遍，合起来按长短校准成概率；高于该类阈值即给出，阈值由交叉验证确定。"),
        ("依据", "同一句中对该类得分贡献最大的连续子句；起止位置见 findings.csv，按脱敏后的正文计。"),
        ("部门如何确定", "正文提到的部门（含别名，最长匹配）优先，其次是原表的部门列，都没有的记“未指明”；一件意见可归几个部门。"),
        ("估计占比与区间", "件数是程序数出来的；占比按程序在留出意见上漏判误判的情况校正，95% 区间含抽样和程序判错两种不确定（混合分布的似然，对不同写作者取平均）。一个部门有 50 件以上随机抽查过的，改用抽查校正（预测助推推断）。意见写法与语料差别很大时，不抽查的估计会偏。"),
        ("透视", "打开时由“透视数据”自动刷新，字段可以拖动。件数已合并重复，按部门和类别相加：说到几个部门、几类问题的计几件，所以多于“概览”的件数。"),
        ("对外应隐去", "件数 1 至 4 的格子，离开本处室的材料中应隐去。"),
        ("待复核", "给出而把握不够的（够的，留出判定中 95% 正确）；像有问题、但没有把握说它指责了谁，所以没有判的；差一点到阈值的（八成以上）。"),
        ("把握（交叉验证）", f"精确率 {measured['micro_precision']:.3f}，召回率 {measured['micro_recall']:.3f}，micro-F1 {measured['micro_f1']:.3f}，macro-F1 {measured['macro_f1']:.3f}，误指率 {measured['false_accusation_rate']:.3f}；语料 {facts.card['opinions']} 件。"),
        ("版本", f"程序 {run['program']}；模型 {run['model']}；类别表 {run['taxonomy']}"),
        *((f"提示：{name}", f"{count} 行") for name, count in run["notices"].items()),
        *(("跳过的工作表", name) for name in run["skipped_sheets"]),
        *((f"目录中没有的部门：{name}", f"{count} 件") for name, count in run["departments_not_listed"].items()),
    ]  # fmt: skip
    book.table("方法与说明", header, rows)
