"""Which shares changed between two rounds: tests of proportions, and of all labels at once with false discoveries held down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import false_discovery_control, norm

from pipeline.aggregate.rounds import fisher
from pipeline.learn.metrics import ratio
from pipeline.learn.rounds import Round
from pipeline.taxonomy import Taxonomy

MANY_MORE, SURELY = 0.05, 0.01
"""Unsure decisions are many more when their share rose by this much, and chance would do so less often than that."""

FALSE_DISCOVERIES, MORE_CASES = 0.10, 5
"""A label or theme has changed where its q (Benjamini & Hochberg 1995) is below the first, and it has at least so many
opinions more (a label: or fewer) than its earlier share would give."""


@dataclass(frozen=True, slots=True)
class Change:
    """A share now and before, in [0, 1], of ``n`` opinions each, the p-value of no change, and whether it counts."""

    now: float
    before: float
    n: tuple[int, int]
    p: float
    moved: bool


@dataclass(frozen=True, slots=True)
class LabelChange:
    """Opinions with a label now and before, p (Fisher's exact test), q among all labels, and whether it counts."""

    label: str
    now: int
    before: int
    p: float
    q: float
    moved: bool


def two_proportions(now: int, n_now: int, before: int, n_before: int) -> Change:
    """Pooled two-proportion z-test, two-sided; ``moved`` is many more now (:data:`MANY_MORE`, :data:`SURELY`)."""
    a, b = ratio(now, n_now), ratio(before, n_before)
    pooled = ratio(now + before, n_now + n_before)
    error = math.sqrt(pooled * (1 - pooled) * (ratio(1, n_now) + ratio(1, n_before)))
    p = float(2 * norm.sf(abs(a - b) / error)) if error else 1.0
    return Change(a, b, (n_now, n_before), p, a - b >= MANY_MORE and p < SURELY)


def label_changes(now: Round, before: Round, taxonomy: Taxonomy) -> tuple[LabelChange, ...]:
    """Every label that occurs in either round, in taxonomy order."""
    counts = [(code, _carrying(now, code), _carrying(before, code)) for code in taxonomy.codes]
    found = [(code, a, b) for code, a, b in counts if a or b]
    n, m = len(now.ids), len(before.ids)
    p = [fisher(a, n, b, m) for _, a, b in found]
    return tuple(
        LabelChange(code, a, b, p_, q, q < FALSE_DISCOVERIES and abs(a - b * n / m) >= MORE_CASES)
        for (code, a, b), p_, q in zip(found, p, q_values(p), strict=True)
    )


def _carrying(side: Round, code: str) -> int:
    return sum(code in labels for labels in side.labels)


def q_values(p: Sequence[float]) -> list[float]:
    """Of p-values tested together, the share of false discoveries at each (Benjamini & Hochberg 1995)."""
    return [float(q) for q in false_discovery_control(p)] if p else []
