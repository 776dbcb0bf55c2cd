"""Champion against challenger on the same opinions: may the candidate take the active model's place?

The rules, each on the same opinions for both models (:class:`Sides`):

1. *Corpus* (held-out decisions of both on opinions both were trained on) and *shipped letters* (which no model ever learns):
   macro-F1 is shown not to be worse by :data:`MARGIN`, that is the lower end of the 90 % interval of the difference lies above -:data:`MARGIN`.
2. *Frozen part and new labels* (opinions the active model never saw): macro-F1 is not shown to be worse, that is the upper
   end of the interval does not lie below 0.
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

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from pipeline.learn.metrics import Bools, Floats, calibration_error
from pipeline.taxonomy import Taxonomy

MARGIN = 0.01
"""How much worse a figure may be, as a share."""

PROMISED = 0.05
"""The false accusation rate that is kept whatever is learnt."""

RESAMPLES = 1000
_AT_ONCE = 100
PERMUTATIONS = 200
CHANCE = 0.05
"""Probability below which chance is not believed."""

FEW = 30
"""Opinions below which a part decides nothing by itself."""

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sides:
    """The same n opinions by both models: decisions and probabilities (n, n_labels); ``groups`` (n,) are resampled whole."""

    truth: Bools
    before: Bools
    after: Bools
    before_probability: Floats
    after_probability: Floats
    groups: Indices


def compare(sides: Sides, taxonomy: Taxonomy) -> dict[str, Any]:
    """Both models' figures on the same opinions, and their differences (after - before).

    Returns:
        ``opinions``, ``innocent`` ones among them; ``macro_f1``, ``micro_f1``, ``false_accusation_rate`` and ``calibration_error`` as
        ``{before, after, difference}``, the first two with the 90 % ``interval`` of the difference (paired bootstrap over groups); per
        label ``support``, ``lost`` and ``won`` (true ones found only before, only after), ``recall_before``, ``recall_after``, ``f1_before``, ``f1_after``, ``p`` (McNemar, exact, two-sided, of
        being right at all) and ``p_recall`` (one-sided: that recall fell).
    """
    truth = sides.truth
    issues = [taxonomy.codes.index(code) for code in taxonomy.issues]
    clean = ~truth[:, issues].any(axis=1)
    figures: dict[str, Any] = {"opinions": len(truth), "innocent": int(clean.sum())}
    draws = _draws(sides)
    for name, score in (("macro_f1", _macro), ("micro_f1", _micro)):
        before, after = score(draws.before), score(draws.after)
        low, high = np.quantile((after - before)[1:], [0.05, 0.95])
        figures[name] = {
            **_difference(before[0], after[0]),
            "interval": [round(float(low), 4), round(float(high), 4)],
        }
    figures["false_accusation_rate"] = _difference(
        *(_share(given[clean][:, issues].any(axis=1)) for given in (sides.before, sides.after))
    )
    figures["calibration_error"] = _difference(
        calibration_error(truth, sides.before_probability), calibration_error(truth, sides.after_probability)
    )
    figures["labels"] = {
        code: _label(truth[:, c], sides.before[:, c], sides.after[:, c])
        for c, code in enumerate(taxonomy.codes)
    }
    return figures


@dataclass(frozen=True)
class _Draws:
    """Counts (3, draws, n_labels) of hits, given, wanted; draw 0 is the opinions themselves, the others are resampled."""

    before: Floats
    after: Floats


def _draws(sides: Sides) -> _Draws:
    members = np.unique(sides.groups, return_inverse=True)[1]
    size = int(members.max()) + 1
    rng = np.random.default_rng(0)
    flags = [[sides.truth & given, given, sides.truth] for given in (sides.before, sides.after)]
    sums = np.zeros((size, 2, 3, sides.truth.shape[1]))
    np.add.at(sums, members, np.moveaxis(np.array(flags, dtype=float), 2, 0))
    flat = sums.reshape(size, -1)
    parts = [flat.sum(axis=0, keepdims=True)]
    for _ in range(RESAMPLES // _AT_ONCE):  # a thousand draws of many groups at once would fill the memory
        times = rng.multinomial(size, np.full(size, 1 / size), _AT_ONCE)
        parts.append(times @ flat)
    counts = np.vstack(parts).reshape(-1, 2, 3, sides.truth.shape[1])
    before, after = np.moveaxis(counts, 0, 2)
    return _Draws(before, after)


def _macro(counts: Floats) -> Floats:
    """Mean F1 over labels that occur, shape (draws,)."""
    hits, given, wanted = counts
    f1 = 2 * hits / np.maximum(given + wanted, 1e-12)
    occurs = wanted > 0
    return np.asarray((f1 * occurs).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1))


def _micro(counts: Floats) -> Floats:
    hits, given, wanted = counts.sum(axis=2)
    return np.asarray(2 * hits / np.maximum(given + wanted, 1e-12))


def _share(flags: npt.ArrayLike) -> float:
    values = np.asarray(flags, dtype=bool)
    return float(values.mean()) if values.size else 0.0


def _difference(before: float, after: float) -> dict[str, float]:
    return {
        "before": round(float(before), 4),
        "after": round(float(after), 4),
        "difference": round(float(after - before), 4),
    }


def _label(truth: Bools, before: Bools, after: Bools) -> dict[str, float | int]:
    lost, won = _discordant(before == truth, after == truth)
    missed, found = _discordant(before[truth], after[truth])
    wanted = int(truth.sum())
    return {
        "support": wanted,
        "lost": missed,
        "won": found,
        "recall_before": round(_share(before[truth]), 4),
        "recall_after": round(_share(after[truth]), 4),
        "f1_before": round(_f1(truth, before), 4),
        "f1_after": round(_f1(truth, after), 4),
        "p": round(mcnemar(lost, won), 4),
        "p_recall": round(float(binomtest(missed, missed + found, alternative="greater").pvalue), 4)
        if missed + found
        else 1.0,
    }


def _discordant(before: Bools, after: Bools) -> tuple[int, int]:
    """``(only before, only after)``."""
    return int((before & ~after).sum()), int((after & ~before).sum())


def _f1(truth: Bools, given: Bools) -> float:
    both = truth.sum() + given.sum()
    return float(2 * (truth & given).sum() / both) if both else 0.0


def mcnemar(lost: int, won: int) -> float:
    """Exact two-sided McNemar test (1947) from the discordant pairs: 1.0 where there are none."""
    return float(binomtest(lost, lost + won).pvalue) if lost + won else 1.0


def agreement_beyond_chance(truth: Bools, probabilities: Floats) -> float | None:
    """P of the permutation test that labels have to do with what the model, which did not see them, says.

    The statistic is the summed log-odds of the labels given, relative to each label's mean: it does not depend on thresholds. Small
    where labels fit their texts; uniform in (0, 1] where they were shuffled. None where all opinions carry the same labels:
    shuffling them changes nothing.
    """
    if (truth == truth[:1]).all():
        return None
    bounded = np.clip(probabilities, 1e-4, 1 - 1e-4)
    logits = np.log(bounded / (1 - bounded))
    logits -= logits.mean(axis=0)
    rng = np.random.default_rng(0)
    actual = float((logits * truth).sum())
    shuffled = [float((logits * truth[rng.permutation(len(truth))]).sum()) for _ in range(PERMUTATIONS)]
    return (1 + sum(value >= actual for value in shuffled)) / (1 + PERMUTATIONS)


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
    """Apply the rules to what :func:`compare` said of the parts in :data:`PARTS` (those there are).

    ``fit`` is the p of :func:`agreement_beyond_chance` on the new labels, None where it cannot be told; ``cross_validation`` are the
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
            rules.append((f"{title}：macro-F1 没有变差", high >= 0, said))
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
