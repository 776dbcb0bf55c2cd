"""Departments beside those of their own series: shares drawn towards the series, and who stands out from it.

A share of 2 in 10 says less than one of 200 in 1,000. The shares of a series are taken to vary like a beta distribution, and
the opinions about a department to be a sample of its share (beta-binomial model: Skellam 1948; as here Gelman et al.,
Bayesian Data Analysis, 3rd ed. 2013, §5.3). The prior is fitted by maximum marginal likelihood within the series. To use
it as if it were known would make the intervals of a series of eight too narrow (in simulations 95 % intervals held
82–92 % of the true shares), so all priors count, weighted by their marginal likelihood (Deely & Lindley 1981), none
preferred beforehand in its mean and its spread (uniform in the mean and in (α + β)^-½, as in the book).

There is no ranking: a department is above the middle of its series, below it, or cannot be told apart from it. Shares and
intervals tell counts: where a count is hidden (:mod:`pipeline.aggregate.suppression`) only the position may be shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import betainc, betaln, expit, logit, softmax

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SURE = 0.975
"""A department is above (below) the middle of its series where its share is so with at least this probability."""

DRAWS = 10_000
"""Joint draws of the series' shares, with a fixed seed, from which those probabilities are counted."""

NO_VARIATION = 1e4
"""A fitted prior that weighs more opinions than this says that the departments do not differ beyond chance."""

LEAST_WEIGHT = 1.0
"""No prior weighs less than one opinion: it would say that departments are all good or all bad."""

Position = Literal["above", "not told apart", "below"]
Source = Literal["fitted", "no variation", "single department"]


@dataclass(frozen=True, slots=True)
class Prior:
    """A beta distribution of shares: its ``mean`` in (0, 1), and how many opinions it weighs (α + β).

    ``source``: ``fitted`` by maximum marginal likelihood; ``no variation`` beyond chance (the weight is infinite: the
    mean is the share among all opinions of the series); ``single department``: nothing to fit, Jeffreys' prior Beta(½, ½).
    """

    mean: float
    weight: float
    source: Source


@dataclass(frozen=True, slots=True)
class Standing:
    """A department in its series: ``found`` of its ``opinions``, distinct ones.

    ``share`` is the posterior mean of its share, ``low`` and ``high`` the ends of the central 95 % interval, all in [0, 1].
    ``above`` and ``below`` are the probabilities that its share is above and below the median share of the departments of
    its series (a mean would be drawn up by one bad department); ``position`` follows from them by :data:`SURE`.
    """

    department: str
    found: int
    opinions: int
    share: float
    low: float
    high: float
    above: float
    below: float
    position: Position


@dataclass(frozen=True, slots=True)
class Series:
    """The departments of one ``kind`` that somebody spoke about, in the order in which they were given."""

    kind: str
    prior: Prior
    standings: tuple[Standing, ...]

    def at(self, position: Position) -> tuple[str, ...]:
        """Names of the departments at a position, in that order."""
        return tuple(one.department for one in self.standings if one.position == position)


def compare_within_series(
    departments: Sequence[str], kinds: Sequence[str], found: npt.ArrayLike, opinions: npt.ArrayLike
) -> tuple[Series, ...]:
    """Compare shares ``found`` / ``opinions`` within each kind; series in the order in which their kinds occur.

    One value a department: columns of ``by_department`` (``issue_distinct`` of ``opinions_distinct``), or of the rows
    of ``summary`` for one label (``count_distinct``). Left out are rows without a kind (未指明) and without opinions.

    Raises:
        ValueError: the columns differ in length, or a count is not within 0 … opinions.
    """
    names, kind = np.array(departments, dtype=object), np.array(kinds, dtype=object)
    k, n = np.asarray(found, dtype=np.int64), np.asarray(opinions, dtype=np.int64)
    if not len(names) == len(kind) == len(k) == len(n):
        raise ValueError("departments, kinds and counts differ in length")
    if (k < 0).any() or (k > n).any():
        raise ValueError("found is not within 0 … opinions")
    series = []
    for name in dict.fromkeys(kind[(kind != "") & (n > 0)].tolist()):
        rows = (kind == name) & (n > 0)
        prior = fit_prior(k[rows], n[rows])
        series.append(Series(name, prior, _standings(names[rows].tolist(), k[rows], n[rows], prior)))
    return tuple(series)


def fit_prior(found: Counts, opinions: Counts) -> Prior:
    """The prior of maximum marginal likelihood for the shares ``found`` / ``opinions`` (n,), or what stands in for it."""
    if len(found) == 1:
        return Prior(0.5, 1.0, "single department")
    k, n = int(found.sum()), int(opinions.sum())
    pooled = (k + 0.5) / (n + 1)

    def surprise(at: Floats) -> float:
        """Of a prior given by the logit of its mean and the logarithm of its weight."""
        weight = np.exp(at[1])
        return -float(_log_likelihood(expit(at[0]) * weight, expit(-at[0]) * weight, found, opinions))

    if 0 < k < n:
        best = minimize(
            surprise,
            x0=np.array([logit(pooled), 3.0]),
            method="L-BFGS-B",
            bounds=[(-15, 15), (math.log(LEAST_WEIGHT), math.log(10 * NO_VARIATION))],
            options={"ftol": 1e-13, "gtol": 1e-8},
        )
        weight = float(np.exp(best.x[1]))
        if weight < NO_VARIATION:
            return Prior(float(expit(best.x[0])), weight, "fitted")
    return Prior(pooled, math.inf, "no variation")


def _log_likelihood(alpha: npt.ArrayLike, beta: npt.ArrayLike, k: Counts, n: Counts) -> Floats:
    """Beta-binomial log likelihood, but for a constant, of each prior."""
    a, b = np.asarray(alpha)[..., None], np.asarray(beta)[..., None]
    return np.asarray((betaln(a + k, b + (n - k)) - betaln(a, b)).sum(-1))


def _weighted_priors(k: Counts, n: Counts, prior: Prior) -> tuple[Floats, Floats, Floats]:
    """α and β (g, 1) of priors that stand for all, and their probabilities (g,): a grid where the likelihood is not negligible.

    The grid is even in the spread (α + β)^-½ and, for each spread, in the logit of the mean around the fitted one.
    """
    centre = prior.mean
    if prior.source == "single department":
        return np.array([[centre]]), np.array([[1 - centre]]), np.ones(1)
    spread = np.linspace(0, LEAST_WEIGHT**-0.5, 101)[1:]
    profile = _log_likelihood(centre * spread**-2, (1 - centre) * spread**-2, k, n)
    near = spread[profile > profile.max() - 12]
    start, stop, cells = near[0] - 0.01, near[-1], 24
    spread = (start + (np.arange(cells) + 0.5) * (stop - start) / cells)[:, None]
    weight = spread**-2
    # the standard deviation of the pooled share, on the scale of the logit
    variance = (n * (1 + (n - 1) / (1 + weight))).sum(1, keepdims=True)
    deviation = np.sqrt(variance / (centre * (1 - centre))) / n.sum()
    at = logit(centre) + np.linspace(-6, 6, 17) * deviation
    alpha, beta = expit(at) * weight, expit(-at) * weight
    # uniform in the mean: its derivative by the logit is mean · (1 - mean)
    step = np.log(deviation) - np.logaddexp(0, at) - np.logaddexp(0, -at)
    chance = softmax(_log_likelihood(alpha, beta, k, n) + step)
    kept = chance > 1e-4 * chance.max()
    return alpha[kept][:, None], beta[kept][:, None], chance[kept] / chance[kept].sum()


def _standings(names: Sequence[str], k: Counts, n: Counts, prior: Prior) -> tuple[Standing, ...]:
    a, b, chance = _weighted_priors(k, n, prior)
    alpha, beta = a + k, b + (n - k)  # one row a prior, one column a department
    random = np.random.default_rng(0)
    which = random.choice(len(chance), size=DRAWS, p=chance)
    drawn = random.beta(alpha[which], beta[which])
    middle = np.median(drawn, axis=1, keepdims=True)
    figures = np.stack(
        [
            chance @ (alpha / (alpha + beta)),
            _quantile(1 - SURE, alpha, beta, chance),
            _quantile(SURE, alpha, beta, chance),
            (drawn > middle).mean(0),
            (drawn < middle).mean(0),
        ]
    )
    return tuple(
        Standing(name, found, opinions, share, low, high, above, below, _position(above, below))
        for name, found, opinions, (share, low, high, above, below) in zip(
            names, k.tolist(), n.tolist(), figures.T.tolist(), strict=True
        )
    )


def _quantile(q: float, alpha: Floats, beta: Floats, chance: Floats) -> Floats:
    """Quantile of a mixture of beta distributions for each column, to 2^-24, by bisection."""
    low, high = np.zeros(alpha.shape[1]), np.ones(alpha.shape[1])
    for _ in range(24):
        middle = (low + high) / 2
        short = chance @ betainc(alpha, beta, middle) < q
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return (low + high) / 2


def _position(above: float, below: float) -> Position:
    return "above" if above >= SURE else "below" if below >= SURE else "not told apart"
