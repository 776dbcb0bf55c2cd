"""The review sheet's columns and words, which the writer and the reader of sheets share."""

from __future__ import annotations

from pipeline.records import UNSPECIFIED
from pipeline.taxonomy import Taxonomy

SHEET, GUIDE, CHOICES = "复核", "说明", "选项"
"""Names of the sheets: the opinions, how to fill in, and the hidden lists behind the drop-downs."""

BATCH_CELL, REVIEWER_CELL = "批次", "复核人"
"""Left of the batch's id, and of the reviewer's name, on the guide sheet."""

CODE, ID, WHY, TEXT, DEPARTMENT, VERDICT, REMARK, SUGGESTION, OTHERS = (
    "行码", "编号", "为什么看", "意见", "部门", "复核", "备注", "程序的建议与依据", "各人的意见",
)  # fmt: skip

RIGHT, CHANGED, SKIPPED = "对", "改", "不确定/跳过"
VERDICTS = (RIGHT, CHANGED, SKIPPED)
"""What the verdict column may say; an empty one means that nobody looked, unless a label was changed."""

YES = "✓"
YES_WORDS = frozenset({"✓", "√", "☑", "1", "1.0", "是", "有", "y", "yes", "true"})
NO_WORDS = frozenset({"", "0", "0.0", "否", "无", "没有", "n", "no", "false", "×", "✗", "x"})
"""How a label's cell may say that the opinion carries it, or not; a department's name says about whom."""


def label_columns(taxonomy: Taxonomy) -> dict[str, str]:
    """Header of each label's column → its code, in taxonomy order."""
    return {label.name_zh: label.code for label in taxonomy.labels}


def departments_for_choice(names: tuple[str, ...]) -> list[str]:
    """What the department column's drop-down offers."""
    return [*names, UNSPECIFIED]
