"""Weights of the linear model, label by label, and what it says of opinions it was not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, delayed, effective_n_jobs
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

TOLERANCE = 0.1
"""Of coordinate descent: a finer one costs time and changes no decision measured."""


def fit(rows: sp.csr_array, truth: Bools, shares: Shares = SHARES) -> tuple[Floats, float]:
    """Weights (n_features,) and bias of one column: logistic regression and NB-SVM (Wang & Manning 2012) added up.

    Both are linear in the same rows, so that their sum is one reading whose evidence stays exact. Logistic regression
    knows frequent labels well, the log-count ratio gives rare words their say. ``shares`` weigh the two.
    """
    narrow = sp.csr_matrix(
        (rows.data, rows.indices.astype(np.int32), rows.indptr.astype(np.int32)), rows.shape
    )
    ratio = log_count_ratio(narrow, truth)
    stretched = sp.csr_matrix(
        (narrow.data * ratio[narrow.indices], narrow.indices, narrow.indptr), rows.shape
    )
    # coordinate descent in plain C: the primal solver would call BLAS, whose kernels differ from processor to processor
    logistic = LogisticRegression(
        C=PENALTY, solver="liblinear", dual=True, tol=TOLERANCE, max_iter=2000, random_state=0
    )
    logistic.fit(narrow, truth)
    margin = LinearSVC(C=NB_PENALTY, dual=True, tol=TOLERANCE, max_iter=5000, random_state=0)
    margin.fit(stretched, truth)
    of_logistic, of_margin = shares
    return (
        of_logistic * logistic.coef_[0] + of_margin * ratio * margin.coef_[0],
        float(of_logistic * logistic.intercept_[0] + of_margin * margin.intercept_[0]),
    )


def log_count_ratio(rows: sp.csr_matrix, truth: Bools) -> Floats:
    """Ln of how much more often each feature occurs in rows with the label than without, smoothed by one."""
    width = rows.shape[1]
    of_row = np.repeat(truth, np.diff(rows.indptr))
    within = 1.0 + np.bincount(rows.indices[of_row], minlength=width)
    without = 1.0 + np.bincount(rows.indices[~of_row], minlength=width)
    return np.asarray(np.log(within / within.sum()) - np.log(without / without.sum()))


class Rows(NamedTuple):
    """What is fitted on: ``opinions`` (n, n_features), ``inside`` passages (m, n_features), their ``owner`` (m,)."""

    opinions: sp.csr_array
    inside: sp.csr_array
    owner: Indices


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
        delayed(_some)(rows, wanted[:, job::jobs], folds, shares) for job in range(jobs)
    )
    columns = [parts[column % jobs][column // jobs] for column in range(wanted.shape[1])]
    weights, bias, whole, telling = (np.array(part).T for part in zip(*columns, strict=True))
    return Fitted(weights, bias, whole, telling)


def _some(
    rows: Rows, wanted: Bools, folds: Folds, shares: Shares
) -> list[tuple[Floats, float, Floats, Floats]]:
    return [_column(rows, truth, folds, shares) for truth in wanted.T]


def _column(rows: Rows, truth: Bools, folds: Folds, shares: Shares) -> tuple[Floats, float, Floats, Floats]:
    whole, telling = np.zeros(len(truth)), np.zeros(len(truth))
    for train, test in folds:
        weights, bias = fit(sp.csr_array(rows.opinions[train]), truth[train], shares)
        margins = rows.opinions @ weights + bias
        whole[test] = margins[test]
        telling[test] = most_telling(rows.inside @ weights + bias, rows.owner, margins)[test]
    return *fit(rows.opinions, truth, shares), whole, telling
