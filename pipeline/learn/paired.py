"""What two models say on the same opinions: their figures side by side, with tests for paired decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from pipeline.learn.metrics import Bools, Floats, calibration_error
from pipeline.taxonomy import Taxonomy

RESAMPLES = 1000
_AT_ONCE = 100
PERMUTATIONS = 200

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
