"""The linear multi-label model: what it weighs, and what it says of rows of features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pipeline.classifier.decisions import (
    Decisions,
    Floats,
    Probabilities,
    calibration_terms,
    decide,
    gate_terms,
    scaled,
)
from pipeline.taxonomy import Taxonomy

FEATURES_VERSION = 6
"""Raised whenever normalisation, masking, clauses or features change what a text turns into, or weights what they may be."""


_MOST_STEPS = 32_767

Reals = TypeVar("Reals", npt.NDArray[np.float32], npt.NDArray[np.float64])


def issue_columns(taxonomy: Taxonomy) -> npt.NDArray[np.int64]:
    """Columns of the labels that accuse, ascending."""
    return np.array([taxonomy.codes.index(code) for code in taxonomy.issues], dtype=np.int64)


def steps_of(weights: npt.NDArray[np.floating]) -> Floats:
    """The power of two that each column of weights (n_features, n_columns) is to be a multiple of, none of more than 32,767; (n_columns,)."""
    _, exponents = np.frexp(np.abs(weights).max(axis=0, initial=0.0) / _MOST_STEPS)
    return np.asarray(np.ldexp(1.0, exponents), dtype=np.float64)


def in_steps(weights: Reals) -> Reals:
    """Weights as a model keeps them: the nearest multiples of :func:`steps_of`, which 16 bits hold."""
    steps = steps_of(weights).astype(weights.dtype)
    nearest: Reals = np.rint(weights / steps) * steps
    return nearest


def weighted(counts: sp.csr_array, idf: Floats) -> sp.csr_array:
    """Logarithmic term frequency × inverse document frequency, rows scaled to length 1 (empty rows stay 0).

    The result stores its values in the same places as ``counts``.
    """
    values = (1.0 + np.log(counts.data.astype(np.float64))) * idf[counts.indices]
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(row, values * values, minlength=counts.shape[0]))
    return sp.csr_array((values / lengths[row], counts.indices, counts.indptr), shape=counts.shape)


@dataclass(frozen=True)
class Model:
    """One weight per feature and label, and one column more for "any issue"; two stages of logistic scaling.

    ``weights`` has shape (n_features, n_labels + 1), as :func:`in_steps` gives them, ``bias`` (n_labels + 1,): labels in taxonomy
    order, then whether anything is accused. ``slope`` (5, n_labels) and ``offset`` (n_labels,) are Platt's scaling (1999) of
    :func:`calibration_terms`; ``gate_slope`` and ``gate_offset`` (1,) weigh :func:`gate_terms`. ``threshold`` has
    shape (n_labels,). ``bounds`` (2,): from which probability that anything is accused an issue is given at all, and
    from which certainty a decision needs no review.
    ``issues`` are the columns of the labels that accuse. ``held_out`` (2, n_groups, n_labels, BINS) counts held-out
    probabilities without and with each label, writer by writer: how it errs.
    """

    vocabulary: dict[str, int]
    issues: npt.NDArray[np.int64]
    idf: Floats
    weights: Floats
    bias: Floats
    slope: Floats
    offset: Floats
    gate_slope: Floats
    gate_offset: Floats
    threshold: Floats
    bounds: Floats
    held_out: Floats
    card: dict[str, Any]

    @property
    def version(self) -> str:
        """The model's name in the registry."""
        return str(self.card["version"])

    def margins(self, rows: sp.csr_array) -> Floats:
        """Margins, shape (n, n_labels + 1), for :func:`weighted` rows of shape (n, n_features)."""
        return np.asarray(rows @ self.weights) + self.bias

    def probabilities(self, whole: Floats, telling: Floats, lengths: npt.NDArray[np.int64]) -> Probabilities:
        """Calibrated probabilities from what :func:`calibration_terms` takes."""
        terms = calibration_terms(whole, telling, lengths)
        labels = scaled(terms[:, :, :-1], self.slope, self.offset)
        gate = gate_terms(labels, terms[:, :, -1], self.issues) @ self.gate_slope + self.gate_offset
        return Probabilities(labels=labels, accuses=1.0 / (1.0 + np.exp(-gate)))

    def contributions(
        self,
        clause_counts: sp.csr_array,
        owner: npt.NDArray[np.int64],
        counts: sp.csr_array,
        rows: sp.csr_array,
    ) -> Floats:
        """Each clause's share of its owner's margins, shape (n_clauses, n_labels + 1).

        Exact: summed over an owner's clauses and added to the bias it gives the owner's margins, since every
        occurrence of a feature carries an equal part of the feature's weighted value.
        """
        per_count = rows.data / counts.data
        width = np.int64(clause_counts.shape[1])
        known = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr)) * width + counts.indices
        clause_row = np.repeat(np.arange(clause_counts.shape[0]), np.diff(clause_counts.indptr))
        wanted = owner[clause_row] * width + clause_counts.indices
        scaled = clause_counts.astype(np.float64)
        scaled.data = scaled.data * per_count[np.searchsorted(known, wanted)]
        return np.asarray(scaled @ self.weights)

    def decide(self, found: Probabilities) -> Decisions:
        """Which labels are given, and which of all labels want a person's look; see :func:`decide`."""
        return decide(found, self.threshold, self.bounds, self.issues)
