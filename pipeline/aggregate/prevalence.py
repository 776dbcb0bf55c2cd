"""The share of a department's opinions that carry a label, with an interval that includes the classifier's error.

Counting decisions is biased: it misses what the classifier misses and accuses where it does (Forman 2008). Two ways are
taken here. Where people labelled a random sample, they correct the machine (prediction-powered inference, Angelopoulos et
al. 2023); elsewhere held-out opinions say how the classifier errs (:mod:`pipeline.aggregate.likelihood`).

What intervals hold is measured by ``benchmarks/prevalence.py``: about 95 % where departments write like people whom the model
has not read but who were asked for the like, fewer where they write another kind of text. Only an audit holds everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.aggregate.intervals import wilson
from pipeline.aggregate.likelihood import HeldOutPosteriors, quantile, share_densities
from pipeline.classifier.decisions import Floats, Indices

AUDITED = 50
"""Opinions of a department labelled by people from which on they are preferred to the held-out ones of others."""

Method = Literal["likelihood", "ppi", "count", "none"]
"""``likelihood``: by held-out opinions. ``ppi``: by an audit. ``count``: as counted, the classifier's error left aside.
``none``: nothing was read, or nothing is known of the label."""


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval: 0 ≤ ``low`` ≤ ``share`` ≤ ``high`` ≤ 1; 0 in 0 … 1 where ``method`` is ``none``."""

    share: float
    low: float
    high: float
    method: Method


NOTHING = Estimate(0.0, 0.0, 1.0, "none")


def as_counted(hits: int, n: int) -> Estimate:
    """The share of decisions with Wilson's interval, for where nothing says how the classifier errs.

    Raises:
        ValueError: ``hits`` is not within 0 … n.
    """
    return Estimate(hits / n, *wilson(hits, n), "count") if n else NOTHING


def estimate_shares(
    counts: Indices, held_out: HeldOutPosteriors, audited: Indices | None = None
) -> list[list[Estimate]]:
    """An estimate for every department and label, in order.

    ``counts`` (n_departments, n_labels, BINS): the distinct opinions about each department, as
    :func:`~pipeline.aggregate.likelihood.histograms` counts their calibrated posteriors. ``audited``
    (n_departments, 2, n_labels, BINS): those among them that people labelled, without and with the label, drawn at random.
    The order of opinions or departments changes nothing; the same input gives the same numbers.

    Raises:
        ValueError: shapes do not fit, a department's labels are not of the same opinions, or more are audited than read.
    """
    departments, labels, bins = counts.shape
    if (labels, bins) != held_out.counts.shape[2:]:
        raise ValueError(f"counts of shape {counts.shape} with held-out ones of {held_out.counts.shape}")
    read = counts.sum(axis=2)
    if (read != read[:, :1]).any():
        raise ValueError("the labels of a department are counted over different opinions")
    labelled = np.zeros((departments, 2, labels, bins), dtype=np.int64) if audited is None else audited
    if labelled.shape != (departments, 2, labels, bins) or (labelled.sum(axis=1) > counts).any():
        raise ValueError("audited opinions are not among those read")
    densities = share_densities(counts, held_out)
    share, low, high = (quantile(densities, part) for part in (0.5, 0.025, 0.975))
    scores, known = _scores(held_out), held_out.known

    def estimate(d: int, c: int) -> Estimate:
        if labelled[d, :, c].sum() >= AUDITED:
            return prediction_powered(counts[d, c], labelled[d, :, c], scores[c])
        if not read[d, c] or not known[c]:
            return NOTHING
        return Estimate(float(share[d, c]), float(low[d, c]), float(high[d, c]), "likelihood")

    return [[estimate(d, c) for c in range(labels)] for d in range(departments)]


def prediction_powered(counts: Indices, audited: Indices, scores: Floats) -> Estimate:
    """The audited share, corrected by how much higher the others' ``scores`` (BINS,) are than the audited ones'.

    ``counts`` (BINS,) are all opinions, ``audited`` (2, BINS) those among them with the answer no and yes, at least one. The
    scores count as much as they agree with the answers (Angelopoulos, Duchi & Zrnic 2023), so they may be
    wrong without bias. The interval is Wilson's for as many plain answers as would tell as much (Korn & Graubard 1998):
    the normal one is too narrow for a rare label.
    """
    asked, yes = audited.sum(axis=0), audited[1]
    others = counts - asked
    m, unasked = int(asked.sum()), int(others.sum())
    share, score = yes.sum() / m, asked @ scores / m
    spread = _variance(counts, scores)
    trust = 0.0
    if unasked and spread > 0:
        agreement = yes @ scores / m - share * score
        trust = float(np.clip(agreement / spread / (1 + m / unasked), 0.0, 1.0))
    variance = _residual(audited, trust * scores) / m
    if trust:
        share = float(np.clip(share + trust * (others @ scores / unasked - score), 0.0, 1.0))
        variance += trust**2 * _variance(others, scores) / unasked
    worth = share * (1 - share) / variance if variance > 0 else 0.0
    told = float(np.clip(worth, m, m + unasked))
    low, high = wilson(share * told, told)
    return Estimate(float(share), low, high, "ppi")


def _scores(held_out: HeldOutPosteriors) -> Floats:
    """The share of held-out opinions in each bin that carry the label, shape (n_labels, BINS), empty bins a half."""
    without, carrying = held_out.counts.sum(axis=1)
    return np.asarray((carrying + 0.5) / (carrying + without + 1.0))


def _variance(counts: Indices, scores: Floats) -> float:
    n = counts.sum()
    return float(counts @ scores**2 / n - (counts @ scores / n) ** 2)


def _residual(audited: Indices, scores: Floats) -> float:
    """Variance of answer minus score."""
    return _variance(audited.ravel(), np.concatenate([-scores, 1.0 - scores]))
