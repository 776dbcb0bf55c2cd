"""How likely each share of a label is, given the posteriors of a department's opinions and what held-out ones were like.

The posteriors of opinions with a label are distributed as f1, of those without as f0, so a department with the share θ
shows θ·f1 + (1 - θ)·f0: Saerens, Latinne & Decaestecker (2002) and, on histograms as here, González-Castro,
Alaiz-Rodríguez & Alegre (2013). f1 and f0 are not the same for everybody's writing. So θ is found with each of many pairs
that the held-out opinions make plausible, those of single writers and of some together, and the answers are averaged:
what an interval then shows is the classifier's error beside the chance of the sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.classifier.decisions import BINS, POSTERIOR_EDGES, Floats, Indices

GROUPS = 64
"""Groups of held-out opinions that are told apart; where there are more, they are bundled into so many of like size.

With three writers in each bundle, the intervals of large departments of letters hold two times in three, not nine in ten.
"""

FEWEST = 4
"""Held-out opinions with a label, and without it, from which on anything is said of its share."""

_TOGETHER = (2, 4, 8, 16)
"""A department may write like one group alone, or like so many drawn at random; one in three ways is a group alone."""

_SMOOTHING = 3.0
"""Opinions as all groups' together that are added to a group's own."""

_BLANK = 0.5
"""Jeffreys' prior for a bin."""

_LIKENESS = 5.0
"""As if from so many opinions, however many there are, is judged which groups a department writes like.

None of them writes quite like it: the coarsened posterior of Miller & Dunson (2019).
"""

_PRIOR = (1.0, 4.0)
"""Beta distribution of the share before anything is read: one in five, and anything below a half is usual."""

_POINTS = 160
_ANGLES = (np.arange(_POINTS) + 0.5) / _POINTS * np.pi / 2
_SHARES = np.sin(_ANGLES) ** 2
"""Shares at which likelihoods are taken: closer together near 0 and 1, where intervals are narrower."""

_AT_ONCE = 8
"""Departments computed at once: 30 MB."""


@dataclass(frozen=True)
class HeldOutPosteriors:
    """How held-out opinions without and with each label were judged, group by group.

    ``counts`` (2, n_groups, n_labels, :data:`BINS`): first of those without the label, then of those with it.
    """

    counts: Indices

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Labels of which there are :data:`FEWEST` opinions of either sort, shape (n_labels,)."""
        return np.asarray((self.counts.sum(axis=(1, 3)) >= FEWEST).all(axis=0))


def held_out_posteriors(
    posteriors: Floats,
    truth: npt.NDArray[np.bool_],
    groups: Indices,
    asked: npt.NDArray[np.bool_] | None = None,
) -> HeldOutPosteriors:
    """Count held-out posteriors (n, n_labels), each in [0, 1], by ``truth`` (n, n_labels) and ``groups`` (n,).

    Groups are whoever wrote the opinions. Where ``asked`` (n, n_labels) is false, the truth is not known and nothing is
    counted.
    """
    bundle = _bundles(groups)
    rows, labels = np.nonzero(np.ones_like(truth) if asked is None else asked)
    bins = np.digitize(posteriors, POSTERIOR_EDGES)
    counts = np.zeros((2, int(bundle.max()) + 1, truth.shape[1], BINS), dtype=np.int64)
    np.add.at(counts, (truth[rows, labels].astype(np.int64), bundle[rows], labels, bins[rows, labels]), 1)
    return HeldOutPosteriors(counts)


def histograms(posteriors: Floats) -> Indices:
    """Posteriors (n, n_labels) of any number of opinions, counted: shape (n_labels, :data:`BINS`)."""
    labels = posteriors.shape[1]
    places = np.digitize(posteriors, POSTERIOR_EDGES) + BINS * np.arange(labels)
    return np.bincount(places.ravel(), minlength=BINS * labels).reshape(labels, BINS)


def share_densities(counts: Indices, held_out: HeldOutPosteriors) -> Floats:
    """Posterior density of every share, to be read by :func:`quantile`; shape (n_departments, n_labels, points).

    ``counts`` (n_departments, n_labels, BINS) as of :func:`histograms`. Densities sum to 1; those of a label that is not
    :attr:`~HeldOutPosteriors.known`, and of a department without opinions, are 0.
    """
    densities = np.zeros((*counts.shape[:2], _POINTS))
    labels = np.flatnonzero(held_out.known)
    spoken_of = np.flatnonzero(counts.any(axis=(1, 2)))
    if not len(labels) or not len(spoken_of):
        return densities
    mixtures = [_log_mixtures(*pair) for pair in _plausible(held_out.counts[:, :, labels])]
    for start in range(0, len(spoken_of), _AT_ONCE):
        some = np.ix_(spoken_of[start : start + _AT_ONCE], labels)
        densities[some] = _densities(counts[some].astype(np.float64), mixtures)
    return densities


def quantile(densities: Floats, share: float) -> Floats:
    """The value below which ``share`` of a density (…, points) lies, in [0, 1]; shape (…)."""
    below = np.cumsum(densities, axis=-1)
    at = np.minimum((below < share).sum(axis=-1), _POINTS - 1)[..., np.newaxis]
    inside = np.take_along_axis(densities, at, axis=-1)
    excess = (np.take_along_axis(below, at, axis=-1) - share) / np.maximum(inside, np.finfo(np.float64).tiny)
    angle = (at + 1 - np.clip(excess, 0.0, 1.0)) / _POINTS * np.pi / 2
    return np.asarray(np.sin(angle[..., 0]) ** 2)


def _bundles(groups: Indices) -> Indices:
    """A number below :data:`GROUPS` for each group, shape (n,): largest groups first, each to the smallest bundle."""
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(sizes) <= GROUPS:
        return np.asarray(group, dtype=np.int64)
    bundle, held = np.zeros(len(sizes), dtype=np.int64), np.zeros(GROUPS, dtype=np.int64)
    for number in np.argsort(-sizes, kind="stable"):
        bundle[number] = held.argmin()
        held[bundle[number]] += sizes[number]
    return np.asarray(bundle[group])


def _plausible(counts: Indices) -> Iterator[tuple[Floats, Floats]]:
    """``(f0, f1)`` of each label, both of shape (ways, BINS)."""
    rng = np.random.default_rng(0)
    groups = counts.shape[1]
    even, draws = np.full(groups, 1.0 / groups), max(8, groups // 2)
    ways = np.vstack([np.eye(groups), *(rng.multinomial(k, even, size=draws) for k in _TOGETHER)])
    for label in range(counts.shape[2]):
        ours = counts[:, :, label].astype(np.float64)
        together = ours.sum(axis=1)
        pooled = _normalised(rng.gamma(together + _BLANK, size=(len(ways), *together.shape)))
        drawn = np.einsum("wg,cgb->wcb", ways, ours) + _SMOOTHING * pooled
        prevalence = together[1].sum() / together.sum()
        yield _ordered(_normalised(drawn), float(prevalence))


def _normalised(counts: Floats) -> Floats:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


def _ordered(pairs: Floats, prevalence: float) -> tuple[Floats, Floats]:
    """f0 and f1 such that a higher posterior never speaks less for the label, as near as can be to ``pairs``.

    The most likely ones under that order (Dardanoni & Forcina 1998): the share of opinions with the label, bin by bin,
    made isotonic. ``pairs`` has shape (ways, 2, BINS).
    """
    masses = pairs * np.array([1.0 - prevalence, prevalence])[:, np.newaxis]
    weight = masses.sum(axis=1)
    share = isotonic(masses[:, 1], weight)
    return _normalised((1.0 - share) * weight), _normalised(share * weight)


def isotonic(sums: Floats, weight: Floats) -> Floats:
    """Never falling along the last axis, and nearest to ``sums / weight`` by weighted squares; both (n, bins), ``weight`` above 0.

    The value at i is the largest over j ≤ i of the smallest over k ≥ i of the mean from j to k: the min-max formula of
    Robertson, Wright & Dykstra (1988). All rows at once; importing scipy.optimize for it takes longer than a small run.
    """
    values = np.full_like(weight, -np.inf)
    for first in range(weight.shape[1]):
        means = np.cumsum(sums[:, first:], axis=1) / np.cumsum(weight[:, first:], axis=1)
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        np.maximum(values[:, first:], least, out=values[:, first:])
    return np.asarray(values)


def _log_mixtures(lacking: Floats, carrying: Floats) -> Floats:
    """log(θ·f1 + (1 - θ)·f0) of every bin, way and share, shape (BINS, ways, points)."""
    f0, f1 = lacking.T[:, :, np.newaxis], carrying.T[:, :, np.newaxis]
    return np.asarray(np.log(_SHARES * f1 + (1.0 - _SHARES) * f0))


def _densities(counts: Floats, mixtures: list[Floats]) -> Floats:
    """Densities (d, n_labels, points) of d departments with ``counts`` (d, n_labels, BINS).

    A department's labels are in the same opinions, so they tell together which groups it writes like.
    """
    first, second = _PRIOR
    # steps in angle are even: that alone would be the prior Beta(1/2, 1/2)
    prior = (first - 0.5) * np.log(_SHARES) + (second - 0.5) * np.log1p(-_SHARES)
    likelihoods, totals, evidence = [], [], np.zeros(1)
    for label, mixture in enumerate(mixtures):
        # not a matrix product: at this size the threads of BLAS cost more than they save
        likelihood = np.einsum("db,bwp->dwp", counts[:, label], mixture)
        likelihood += prior
        largest = likelihood.max(axis=2, keepdims=True)
        likelihood -= largest
        likelihoods.append(np.exp(likelihood, out=likelihood))
        totals.append(likelihood.sum(axis=2))
        evidence = evidence + np.log(totals[-1]) + largest[:, :, 0]
    evidence = evidence * (_LIKENESS / (_LIKENESS + counts[:, 0].sum(axis=1)))[:, np.newaxis]
    weight = _normalised(np.exp(evidence - evidence.max(axis=1, keepdims=True)))
    averaged = [
        np.einsum("dw,dwp->dp", weight / total, likelihood)
        for likelihood, total in zip(likelihoods, totals, strict=True)
    ]
    return np.stack(averaged, axis=1)
