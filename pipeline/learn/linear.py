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

TOLERANCE = 0.3
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
    """The columns of one process; rows are cut once a fold, not once a column."""
    columns = range(wanted.shape[1])
    everything = np.arange(len(wanted))
    whole, telling = np.zeros(wanted.shape), np.zeros(wanted.shape)
    for train, test in folds:
        learning, judged = sp.csr_array(rows.opinions[train]), sp.csr_array(rows.opinions[test])
        mine = np.flatnonzero(np.isin(rows.owner, test))
        inside, owner = sp.csr_array(rows.inside[mine]), np.searchsorted(test, rows.owner[mine])
        for c in columns:
            weights, bias = _learnt(rows, learning, train, wanted[:, c], c, shares)
            margins = judged @ weights + bias
            whole[test, c] = margins
            telling[test, c] = most_telling(inside @ weights + bias, owner, margins)
    fitted = [_learnt(rows, rows.opinions, everything, wanted[:, c], c, shares) for c in columns]
    return [(*fitted[c], whole[:, c], telling[:, c]) for c in columns]


def _learnt(
    rows: Rows, learning: sp.csr_array, members: Indices, truth: Bools, column: int, shares: Shares
) -> tuple[Floats, float]:
    """Fit one column on ``learning``, which are the rows ``members``, but for those whose label is not known."""
    importance = rows.importance[members, column]
    known = importance > 0
    chosen, wanted = (
        (learning, truth[members]) if known.all() else (sp.csr_array(learning[known]), truth[members][known])
    )
    if wanted.all() or not wanted.any():  # nothing to tell apart
        return np.zeros(learning.shape[1]), 0.0
    return fit(chosen, wanted, importance[known], shares, rows.themes)
