"""Margins → calibrated probabilities → which labels are given, and which decisions want a person's look."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

LOUDEST = 3
"""How many of the likeliest issues the gate looks at."""

NEAR_MISS = 0.8
"""Share of its threshold from which a label that is not given is worth a person's look."""

POSTERIOR_EDGES = np.array([0.005, 0.02, 0.05, 0.12, 0.3, 0.6, 0.85])
"""Bounds of the bins that held-out probabilities are counted in, for :mod:`pipeline.aggregate.likelihood`."""

BINS = len(POSTERIOR_EDGES) + 1

_USUAL_LENGTH = 4.0
"""ln(55 characters): lengths are measured from it, so that slopes are those of an opinion of usual length."""


def calibration_terms(whole: Floats, telling: Floats, lengths: Indices) -> Floats:
    """What calibration weighs: the two margins, the length, and each margin × the length; shape (5, n, k).

    ``whole`` and ``telling`` have shape (n, k); ``lengths`` (n,) are characters. In a long letter the passage
    says more and the whole less: the products let calibration find how much.
    """
    length = np.broadcast_to((np.log1p(lengths) - _USUAL_LENGTH)[:, np.newaxis], whole.shape)
    return np.stack([whole, telling, length, whole * length, telling * length])


def gate_terms(labels: Floats, terms: Floats, issues: Indices) -> Floats:
    """What the gate weighs of n opinions, shape (n, n_terms).

    Of the calibrated ``labels`` (n, n_labels), as logits: the :data:`LOUDEST` likeliest issues, that there is any if
    issues were independent (noisy-or), and each other label. Beside them the ``terms`` (5, n) of "any issue".
    """
    accusing = labels[:, issues]
    loudest = -np.sort(-accusing, axis=1)[:, :LOUDEST]
    any_of_them = 1.0 - np.prod(1.0 - accusing, axis=1, keepdims=True)
    return np.hstack(
        [_logit(loudest), _logit(any_of_them), _logit(np.delete(labels, issues, axis=1)), terms.T]
    )


def gate_width(labels: int, issues: int) -> int:
    """How many terms :func:`gate_terms` has."""
    return min(LOUDEST, issues) + 1 + (labels - issues) + 5


def _logit(probabilities: Floats) -> Floats:
    bounded = np.clip(probabilities, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(bounded / (1.0 - bounded)))


def scaled(terms: Floats, slope: Floats, offset: Floats) -> Floats:
    """Logistic function of the terms weighed by ``slope`` (5, n_labels), shape (n, n_labels)."""
    return np.asarray(1.0 / (1.0 + np.exp(-(np.einsum("tnl,tl->nl", terms, slope) + offset))))


class Decisions(NamedTuple):
    """Both of shape (n, n_labels): labels ``given``, and labels given or withheld that are ``unsure``."""

    given: npt.NDArray[np.bool_]
    unsure: npt.NDArray[np.bool_]


class Probabilities(NamedTuple):
    """Calibrated: ``labels`` (n, n_labels) of each label, ``accuses`` (n,) that any issue is told at all."""

    labels: Floats
    accuses: Floats


def certainty(found: Probabilities, issues: Indices) -> Floats:
    """How sure each label would be if given, shape (n, n_labels): an issue no surer than that anything is accused."""
    sure = found.labels.copy()
    sure[:, issues] = np.minimum(sure[:, issues], found.accuses[:, np.newaxis])
    return sure


def decide(found: Probabilities, threshold: Floats, bounds: Floats, issues: Indices) -> Decisions:
    """A label is given from its own threshold on, an issue only where the opinion passes the gate as well.

    Beside an issue that is certain, praise and suggestions are given only where they are certain too. Unsure are
    labels given below the certainty bound, and labels not given from :data:`NEAR_MISS` of their threshold on: near
    misses, issues that the gate withheld, praise that an accusation withheld.
    """
    gate, certain = bounds
    given = found.labels >= threshold
    given[:, issues] &= (found.accuses >= gate)[:, np.newaxis]
    sure = certainty(found, issues) >= certain
    accused = (given & sure)[:, issues].any(axis=1)
    others = np.delete(np.arange(given.shape[1]), issues)
    given[:, others] &= sure[:, others] | ~accused[:, np.newaxis]
    near = found.labels >= NEAR_MISS * threshold
    return Decisions(given=given, unsure=np.where(given, ~sure, near))
