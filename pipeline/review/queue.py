"""Which opinions are most worth a person's look: a random share to audit by, the rest unsure, typical, and unlike each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

POOL = 4
"""Candidates per place: among those most worth a look, the ones unlike what is answered or chosen are taken."""


def unsureness(probabilities: Floats, threshold: Floats) -> Floats:
    """How unsure the decisions of each opinion are, shape (n,), from 0.

    Probabilities (n, n_labels) are bent so that each label's ``threshold`` (n_labels,), both in (0, 1), is its point of
    least certainty. The measure is the mean of their binary entropies (uncertainty sampling, Lewis & Gale 1994; over all labels,
    since a correction teaches each that was in doubt) times the odds of the second likeliest label over those of the likeliest (margin
    sampling, Scheffer, Decomain & Wrobel 2001): the first finds more where labels go together, the second where one excludes the others.
    """
    bounded = np.clip(probabilities, 1e-6, 1 - 1e-6)
    cut = np.clip(threshold, 1e-3, 1 - 1e-3)
    odds = bounded / (1 - bounded) * (1 - cut) / cut
    bent = np.clip(odds / (1 + odds), 1e-9, 1 - 1e-9)
    entropy = -(bent * np.log(bent) + (1 - bent) * np.log(1 - bent)).mean(axis=1)
    if odds.shape[1] < 2:
        return np.asarray(entropy)
    second, first = np.sort(odds, axis=1)[:, -2:].T
    return np.asarray(entropy * second / first)


def typicality(rows: sp.csr_array) -> Floats:
    """Mean cosine of each row to all of them, shape (m,), in [0, 1]; ``rows`` (m, n_features) have length 1 or 0 and no negative value."""
    return np.asarray(rows @ np.asarray(rows.mean(axis=0)).ravel())


def choose(
    unsure: Floats, rows: sp.csr_array, n: int, audit: float, seed: int = 0, answered: Collection[int] = ()
) -> tuple[list[int], list[int]]:
    """``(audited, chosen)``: row numbers, at most ``n`` together, none twice.

    ``audited`` is a simple random sample of a share ``audit`` of the n places, whatever the model thinks and whether or not it
    was ``answered`` (row numbers) before, so that it measures. ``chosen`` are not answered, in order of choice: each time, among the
    :data:`POOL` × n of most unsureness × :func:`typicality` (information density, Settles & Craven 2008: what is unsure and like
    nothing else teaches about nothing else), the one with the largest such product × distance (1 - cosine) to the nearest that is answered or
    chosen. ``rows`` (m, n_features) are as there; ``unsure`` has shape (m,).
    """
    rng = np.random.default_rng(seed)
    n = min(n, len(unsure))
    wanted = round(audit * n)
    audited = sorted(rng.permutation(len(unsure))[:wanted].tolist())
    left = np.setdiff1d(np.arange(len(unsure)), [*audited, *answered])
    worth = unsure * typicality(rows)
    pool = left[np.argsort(-worth[left], kind="stable")][: POOL * n]
    return audited, _spread(pool, worth, rows, sorted(answered), n - wanted)


def _spread(pool: Indices, worth: Floats, rows: sp.csr_array, answered: Sequence[int], n: int) -> list[int]:
    inside = sp.csr_array(rows[pool])
    weight = worth[pool] + 1e-9
    distance = np.ones(len(pool))
    if answered:
        distance -= (inside @ rows[answered].T).toarray().max(axis=1, initial=0.0)
    chosen: list[int] = []
    for _ in range(min(n, len(pool))):
        best = int(np.argmax(weight * distance))
        chosen.append(int(pool[best]))
        near = (inside @ inside[[best]].T).toarray()[:, 0]
        distance = np.minimum(distance, 1.0 - near)
        weight[best] = -1.0
        distance[best] = 1.0
    return chosen
