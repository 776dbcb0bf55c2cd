"""Weights of the linear model, label by label, and what it says of opinions it was not fitted on."""

from __future__ import annotations

import ctypes
import sys
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
from pipeline.classifier.model import weighted
from pipeline.classifier.passages import Clauses, most_telling

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

AT_ONCE = 1024
"""Opinions whose passages are in memory at once: together they are several times as large as the opinions."""

TOLERANCE = 0.5
"""Of coordinate descent: a finer one costs time and changes no decision measured."""


def fit(
    rows: sp.csr_array,
    truth: Bools,
    shares: Shares = SHARES,
    themes: Themes | None = None,
) -> tuple[Floats, float]:
    """Weights (n_features,) and bias of one column: logistic regression and NB-SVM (Wang & Manning 2012) added up.

    Both are linear in the same rows, so that their sum is one reading whose evidence stays exact. Logistic regression
    knows frequent labels well, the log-count ratio gives rare words their say. ``shares`` weigh the two.
    With ``themes`` the logistic regression also sees where each row lies in them.
    """
    narrow = _narrow(rows)
    ratio = log_count_ratio(narrow, truth)
    values = ratio[narrow.indices]
    values *= narrow.data
    stretched = sp.csr_matrix((values, narrow.indices, narrow.indptr), rows.shape)
    # coordinate descent in plain C: the primal solver would call BLAS, whose kernels differ from processor to processor
    logistic = LogisticRegression(
        C=PENALTY, solver="liblinear", dual=True, tol=TOLERANCE, max_iter=2000, random_state=0
    )
    width = rows.shape[1]
    logistic.fit(_narrow(themes.beside(rows)) if themes else narrow, truth)
    margin = LinearSVC(C=NB_PENALTY, dual=True, tol=TOLERANCE, max_iter=5000, random_state=0)
    margin.fit(stretched, truth)
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
    return sp.csr_matrix(
        (rows.data, rows.indices.astype(np.int32, copy=False), rows.indptr.astype(np.int32, copy=False)),
        rows.shape,
    )


def log_count_ratio(rows: sp.csr_matrix, truth: Bools) -> Floats:
    """Ln of how much more often each feature occurs in rows with the label than without, smoothed by one."""
    occurs = sp.csr_matrix((np.ones(rows.nnz, np.float32), rows.indices, rows.indptr), rows.shape)
    within, without = (1.0 + np.asarray(occurs.T @ which.astype(np.float64)) for which in (truth, ~truth))
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


def give_back_memory() -> None:
    """Let the C library return to the system what was freed: what it keeps of large arrays is a third of all, at 100,000 opinions."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)


class Rows(NamedTuple):
    """What is fitted on: weighted ``opinions`` (n, n_features), and their ``clauses`` with the ``idf`` to weigh them by.

    ``known`` (n, k) says of which columns a row can teach: where it is known whether it carries the label.
    """

    opinions: sp.csr_array
    clauses: Clauses
    idf: Floats
    known: Bools
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
    # large matrices are memory-mapped, so that processes share them; "c": scipy may sort a matrix's indices in place
    parts = Parallel(n_jobs=jobs, mmap_mode="c")(
        delayed(_some)(rows._replace(known=rows.known[:, job::jobs]), wanted[:, job::jobs], folds, shares)
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
        learning = sp.csr_array(rows.opinions[train])
        pairs = [_learnt(rows, learning, train, wanted[:, c], c, shares) for c in columns]
        del learning
        give_back_memory()
        weights, bias = (np.array(part).T for part in zip(*pairs, strict=True))
        whole[test] = rows.opinions[test] @ weights + bias
        for start in range(0, len(test), AT_ONCE):
            some = test[start : start + AT_ONCE]
            inside, owner = rows.clauses.inside(some)
            telling[some] = most_telling(weighted(inside, rows.idf) @ weights + bias, owner, whole[some])
    fitted = [_learnt(rows, rows.opinions, everything, wanted[:, c], c, shares) for c in columns]
    return [(*fitted[c], whole[:, c], telling[:, c]) for c in columns]


def _learnt(
    rows: Rows, learning: sp.csr_array, members: Indices, truth: Bools, column: int, shares: Shares
) -> tuple[Floats, float]:
    """Fit one column on ``learning``, which are the rows ``members``, but for those whose label is not known."""
    known = rows.known[members, column]
    chosen, wanted = (
        (learning, truth[members]) if known.all() else (sp.csr_array(learning[known]), truth[members][known])
    )
    if wanted.all() or not wanted.any():  # nothing to tell apart
        return np.zeros(learning.shape[1]), 0.0
    return fit(chosen, wanted, shares, rows.themes)
