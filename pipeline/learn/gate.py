"""Champion against challenger on the same opinions: may the candidate take the active model's place?

The rules, each on the same opinions for both models (:class:`~pipeline.learn.paired.Sides`):

1. *Corpus* (held-out decisions of both on opinions both were trained on) and *shipped letters* (which no model ever learns):
   macro-F1 is shown not to be worse by :data:`MARGIN`, that is the lower end of the 90 % interval of the difference lies above -:data:`MARGIN`.
2. *Frozen part and new labels* (opinions the active model never saw): macro-F1 is not shown to be worse, that is the upper
   end of the interval does not lie below 0, on new labels not below -:data:`MARGIN`: held out, an opinion is counted in the
   candidate's vocabulary all the same, and by what it shares with few it looks less like anything learnt.
3. The false accusation rate is within :data:`PROMISED` or has not grown by more than :data:`MARGIN`; the calibration error has
   not grown by more than :data:`MARGIN` (or one opinion, on few).
4. No protected label loses recall: beyond :data:`MARGIN` and chance (exact McNemar test, one-sided), or, where it is carried by fewer
   than :data:`FEW`, by two opinions.
5. The new labels have to do with their texts: the candidate, which did not see them, agrees with them more than with
   the same labels shuffled (permutation test).
6. Where only unlabelled text is new: held-out opinions are foretold better with it.

Where there is no active model to compare with (the taxonomy changed), its own cross-validation must keep the promise on false
accusations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.taxonomy import Taxonomy

MARGIN = 0.01
"""How much worse a figure may be, as a share."""

PROMISED = 0.05
"""The false accusation rate that is kept whatever is learnt."""

CHANCE = 0.05
"""Probability below which chance is not believed."""

FEW = 30
"""Opinions below which a part decides nothing by itself."""


@dataclass(frozen=True)
class Verdict:
    """Whether the candidate may become active, and each rule with what it found: ``(rule, kept, figures in words)``."""

    passed: bool
    rules: tuple[tuple[str, bool, str], ...]


def judge(
    parts: Mapping[str, Mapping[str, Any]],
    fit: float | None,
    cross_validation: Mapping[str, Any],
    taxonomy: Taxonomy,
    archive: Mapping[str, Any] | None = None,
) -> Verdict:
    """Apply the rules to what :func:`~pipeline.learn.paired.compare` said of the parts in :data:`PARTS` (those there are).

    ``fit`` is the p of :func:`~pipeline.learn.paired.agreement_beyond_chance` on the new labels, None where it cannot be told; ``cross_validation`` are the
    candidate's own figures, for where there are no parts. ``archive`` is what the card says of unlabelled text where
    nothing else is new: it has to help.
    """
    rules: list[tuple[str, bool, str]] = []
    if not parts:
        accusing = cross_validation["false_accusation_rate"]
        rules.append(
            (
                f"没有可比的当前模型：交叉验证误指率不超过 {PROMISED:.0%}",
                accusing <= PROMISED,
                f"{accusing:.3f}",
            )
        )
    for name, figures in parts.items():
        title = PARTS[name]
        macro = figures["macro_f1"]
        low, high = macro["interval"]
        said = f"{macro['before']:.3f} → {macro['after']:.3f}，差 {macro['difference']:+.3f}（90% 区间 {low:+.3f} 至 {high:+.3f}）"
        if name in {"corpus", "shipped"}:
            rules.append((f"{title}：macro-F1 不差于 {MARGIN:.0%}", low > -MARGIN, said))
        elif figures["opinions"] >= FEW:
            allowed = MARGIN if name == "new" else 0.0
            beyond = f"超过 {allowed:.0%}" if allowed else ""
            rules.append((f"{title}：macro-F1 没有变差{beyond}", high >= -allowed, said))
        if figures["opinions"] >= FEW:
            rules += _safety(title, figures)
        rules += _protected(title, figures["labels"], taxonomy)
    if fit is not None:
        rules.append(("新标注与内容相符", fit < CHANCE, f"置换检验 p = {fit:.3f}"))
    if archive is not None:
        rules.append(
            (
                "未标注存档使留出的判定更准",
                archive["used"],
                f"每件对数损失降低 {archive['drop']:.4f}，标准误 {archive['error']:.4f}",
            )
        )
    return Verdict(passed=all(kept for _, kept, _ in rules), rules=tuple(rules))


PARTS = {
    "corpus": "随程序的语料（留出）",
    "shipped": "随程序的检验信件",
    "frozen": "冻结的检验部分",
    "new": "新标注（留出）",
}
"""The parts that models are compared on, in the order of the page."""


def _safety(title: str, figures: Mapping[str, Any]) -> list[tuple[str, bool, str]]:
    # on few opinions one more error is chance: what is allowed is the margin, or one opinion
    margin = max(MARGIN, 1.5 / max(figures["innocent"], 1))
    accusing, calibration = figures["false_accusation_rate"], figures["calibration_error"]
    return [
        (
            f"{title}：误指率不超过 {PROMISED:.0%}，或没有增加",
            accusing["after"] <= max(PROMISED, accusing["before"] + margin),
            f"{accusing['before']:.3f} → {accusing['after']:.3f}",
        ),
        (
            f"{title}：校准误差没有增加",
            calibration["difference"] <= max(MARGIN, 1.5 / figures["opinions"]),
            f"{calibration['before']:.3f} → {calibration['after']:.3f}",
        ),
    ]


def _protected(
    title: str, labels: Mapping[str, Mapping[str, float]], taxonomy: Taxonomy
) -> Sequence[tuple[str, bool, str]]:
    lost = []
    for code in taxonomy.protected:
        row = labels[code]
        net = row["lost"] - row["won"]
        beyond_chance = row["p_recall"] < CHANCE or (row["support"] < FEW and net >= 2)
        if row["recall_before"] - row["recall_after"] > MARGIN and beyond_chance:
            lost.append(
                f"{taxonomy[code].name_zh} {row['recall_before']:.2f} → {row['recall_after']:.2f}（p = {row['p_recall']:.3f}）"
            )
    return [(f"{title}：受保护的类别不丢召回", not lost, "；".join(lost) or "都没有丢")]
