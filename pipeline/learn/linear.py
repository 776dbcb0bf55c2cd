"""Weights of the linear model, label by label, and what it says of opinions it was not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from pipeline.classifier.decisions import Floats, Indices
from pipeline.classifier.passages import most_telling

Bools = npt.NDArray[np.bool_]
Folds = Sequence[tuple[Indices, Indices]]

PENALTY = 30.0
NB_PENALTY = 0.3
Shares = tuple[float, float]
SHARES: Shares = (1.0, 3.0)
"""Of the logistic regression's margins, which spread six times as wide, and of the NB-SVM's."""

THEMES = 150
THEME_SHARE = 3.0
"""How many directions of unlabelled text are learnt, and how far a row's place in them counts beside its words."""

TOLERANCE = 0.1
"""Of coordinate descent: a finer one costs time and changes no decision measured."""


def fit(
    rows: sp.csr_array,
    truth: Bools,
    importance: Floats,
    shares: Shares = SHARES,
    themes: Themes | None = None,
) -> tuple[Floats, float]:
    """Weights (n_features,) and bias of one column: logistic regression and NB-SVM (Wang & Manning 2012) added up.

    Both are linear in the same rows, so that their sum is one reading whose evidence stays exact. Logistic regression
    knows frequent labels well, the log-count ratio gives rare words their say. ``shares`` weigh the two,
    ``importance`` (n,) says how many opinions each row counts as. With ``themes`` the logistic regression also sees
    where each row lies in them.
    """
    narrow = _narrow(rows)
    ratio = log_count_ratio(narrow, truth, importance)
    stretched = sp.csr_matrix(
        (narrow.data * ratio[narrow.indices], narrow.indices, narrow.indptr), rows.shape
    )
    # coordinate descent in plain C: the primal solver would call BLAS, whose kernels differ from processor to processor
    logistic = LogisticRegression(
        C=PENALTY, solver="liblinear", dual=True, tol=TOLERANCE, max_iter=2000, random_state=0
    )
    width = rows.shape[1]
    logistic.fit(_narrow(themes.beside(rows)) if themes else narrow, truth, sample_weight=importance)
    margin = LinearSVC(C=NB_PENALTY, dual=True, tol=TOLERANCE, max_iter=5000, random_state=0)
    margin.fit(stretched, truth, sample_weight=importance)
    of_logistic, of_margin = shares
    weights = logistic.coef_[0][:width]
    if themes:
        weights = weights + themes.directions @ logistic.coef_[0][width:]
    return (
        of_logistic * weights + of_margin * ratio * margin.coef_[0],
        float(of_logistic * logistic.intercept_[0] + of_margin * margin.intercept_[0]),
    )


def _narrow(rows: sp.csr_array) -> sp.csr_matrix:
    """As liblinear takes it: 32-bit indices."""
    return sp.csr_matrix((rows.data, rows.indices.astype(np.int32), rows.indptr.astype(np.int32)), rows.shape)


def log_count_ratio(rows: sp.csr_matrix, truth: Bools, importance: Floats) -> Floats:
    """Ln of how much more often each feature occurs in rows with the label than without, smoothed by one."""
    width = rows.shape[1]
    sizes = np.diff(rows.indptr)
    of_row, counted = np.repeat(truth, sizes), np.repeat(importance, sizes)
    within = 1.0 + np.bincount(rows.indices[of_row], counted[of_row], minlength=width)
    without = 1.0 + np.bincount(rows.indices[~of_row], counted[~of_row], minlength=width)
    return np.asarray(np.log(within / within.sum()) - np.log(without / without.sum()))


@dataclass(frozen=True)
class Themes:
    """Directions in which words go together in text without labels (latent semantic analysis, Deerwester et al. 1990).

    ``directions`` (n_features, k). A row's place in them is linear in the row, so what is learnt of places folds
    back into weights of features, and words that no labelled opinion holds get a weight from their company.
    """

    directions: Floats

    def beside(self, rows: sp.csr_array) -> sp.csr_array:
        """The rows with their places as further columns, shape (n, n_features + k)."""
        return sp.csr_array(sp.hstack([rows, sp.csr_array(rows @ self.directions)], format="csr"))


def themes_of(rows: sp.csr_array) -> Themes:
    """The :data:`THEMES` strongest directions of weighted rows (randomised SVD, Halko et al. 2011), seeded."""
    found = TruncatedSVD(min(THEMES, min(rows.shape) - 1), n_iter=2, random_state=0).fit(rows)
    return Themes(THEME_SHARE * found.components_.T)


class Rows(NamedTuple):
    """What is fitted on: ``opinions`` (n, n_features), ``inside`` passages (m, n_features), their ``owner`` (m,).

    ``importance`` (n, k) says how many opinions a row counts as in each column; 0 where its label is not known.
    """

    opinions: sp.csr_array
    inside: sp.csr_array
    owner: Indices
    importance: Floats
    themes: Themes | None = None


class Fitted(NamedTuple):
    """Weights (n_features, k), ``bias`` (k,), and held-out margins (n, k): of opinions as wholes and of passages."""

    weights: Floats
    bias: Floats
    whole: Floats
    telling: Floats


def fit_columns(rows: Rows, wanted: Bools, folds: Folds, shares: Shares = SHARES) -> Fitted:
    """Fit every column of ``wanted`` (n, k), spread over all processors; ``folds`` are pairs of row numbers."""
    jobs = min(effective_n_jobs(-1), wanted.shape[1])
    # one task a process, as each carries the matrices; not memory-mapped, since scipy sorts indices in place
    parts = Parallel(n_jobs=jobs, max_nbytes=None)(
        delayed(_some)(
            rows._replace(importance=rows.importance[:, job::jobs]), wanted[:, job::jobs], folds, shares
        )
        for job in range(jobs)
    )
    columns = [parts[column % jobs][column // jobs] for column in range(wanted.shape[1])]
    weights, bias, whole, telling = (np.array(part).T for part in zip(*columns, strict=True))
    return Fitted(weights, bias, whole, telling)


def _some(
    rows: Rows, wanted: Bools, folds: Folds, shares: Shares
) -> list[tuple[Floats, float, Floats, Floats]]:
    return [
        _column(rows, truth, importance, folds, shares)
        for truth, importance in zip(wanted.T, rows.importance.T, strict=True)
    ]


def _column(
    rows: Rows, truth: Bools, importance: Floats, folds: Folds, shares: Shares
) -> tuple[Floats, float, Floats, Floats]:
    whole, telling = np.zeros(len(truth)), np.zeros(len(truth))

    def learnt(members: Indices) -> tuple[Floats, float]:
        known = members[importance[members] > 0]
        if truth[known].all() or not truth[known].any():  # nothing to tell apart
            return np.zeros(rows.opinions.shape[1]), 0.0
        return fit(sp.csr_array(rows.opinions[known]), truth[known], importance[known], shares, rows.themes)

    for train, test in folds:
        weights, bias = learnt(train)
        margins = rows.opinions @ weights + bias
        whole[test] = margins[test]
        telling[test] = most_telling(rows.inside @ weights + bias, rows.owner, margins)[test]
    return *learnt(np.arange(len(truth))), whole, telling
