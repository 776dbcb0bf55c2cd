"""Has the language moved: how well two piles of texts are told apart, and which words one has that the other never had."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.stats import rankdata
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from pipeline.learn.metrics import Bools, Floats, ratio
from pipeline.text.segment import Segmenter

Words = Sequence[Sequence[str]]
"""The words of each text, in order, repeats kept."""

SIDE = 3_000
"""Most texts of a side that the domain classifier reads; beyond that, a random choice of them."""

FEW = 50
"""Fewer texts on a side than this say nothing about its language."""

OF_WRITER, OF_OTHERS = 200, 400
"""Texts of one writer, and of all others, by which writers and the batch are compared: an AUC grows with the number of
texts learnt from, so that only AUCs of equal numbers can be ranked."""

FREQUENT = 5
"""Opinions in which an unseen word must occur to be named: once is a slip of the pen or somebody's name."""

NAMED = 10
SPLITS = 10
_FOLDS = 5
_CHINESE = re.compile("[\u4e00-\u9fff]{2,}")


def words_of(texts: Sequence[str], segmenter: Segmenter) -> list[list[str]]:
    """The Chinese words of at least two characters of each text."""
    return [[word for word in segmenter.tokens(text) if _CHINESE.fullmatch(word)] for text in texts]


@dataclass(frozen=True, slots=True)
class Apart:
    """How well two piles are told apart: ``auc`` in [0, 1], 0.5 is not at all, with its 95 % interval.

    ``scores`` (n,) belong to ``rows`` of the first pile: the higher, the less an opinion is like the second.
    """

    auc: float
    low: float
    high: float
    rows: npt.NDArray[np.int64] = field(repr=False)
    scores: Floats = field(repr=False)


@dataclass(frozen=True, slots=True)
class Writers:
    """The AUC by which each writer of the corpus is told from the others (ascending), and the batch from all, alike."""

    batch: float
    each: tuple[float, ...]

    @property
    def share(self) -> float:
        """Share of the writers that are told apart less well than the batch, in [0, 1]."""
        return ratio(sum(auc < self.batch for auc in self.each), len(self.each))


@dataclass(frozen=True, slots=True)
class Unseen:
    """Share of words the reference never has, the share that is ``usual``, and the frequent ones with their opinions."""

    share: float
    usual: float
    words: tuple[tuple[str, int], ...]


def told_apart(first: Sequence[str], second: Sequence[str], seed: int = 0) -> Apart | None:
    """Cross-validated AUC of a logistic regression on tf-idf character 1–2-grams; None below :data:`FEW` on a side.

    At most :data:`SIDE` texts a side. Equal texts are held out together, so that a pile against itself gives 0.5.
    """
    if min(len(first), len(second)) < FEW:
        return None
    rng = np.random.default_rng(seed)
    rows, others = (np.sort(rng.permutation(len(side))[:SIDE]) for side in (first, second))
    texts = [*(first[i] for i in rows), *(second[i] for i in others)]
    mine = np.arange(len(texts)) < len(rows)
    scores, folds = _held_out(_features(texts), mine, _folds_of(texts, rng))
    auc, error = cross_validated_auc(scores, mine, folds)
    return Apart(auc, max(0.0, auc - 1.96 * error), min(1.0, auc + 1.96 * error), rows, scores[mine])


def compare_with_writers(
    batch: Sequence[str], corpus: Sequence[str], sources: Sequence[str], seed: int = 0
) -> Writers | None:
    """How the batch stands among the corpus' own ``sources``, each told from the rest by equally many texts.

    Writers with fewer than :data:`FEW` texts are left out; None where the batch has fewer, or fewer than two writers remain.
    """
    rng = np.random.default_rng(seed)
    source = np.array(sources)
    names = [name for name, count in sorted(Counter(sources).items()) if count >= FEW]
    if len(batch) < FEW or len(names) < 2:
        return None
    chosen = {name: rng.permutation(np.flatnonzero(source == name))[:OF_WRITER] for name in names}
    pool = np.concatenate(list(chosen.values()))
    sample = rng.permutation(len(batch))[:OF_WRITER]
    texts = [*(corpus[i] for i in pool), *(batch[i] for i in sample)]
    owner = np.concatenate(
        [*(np.full(len(chosen[name]), n) for n, name in enumerate(names)), np.full(len(sample), len(names))]
    )
    features, folds = _features(texts), _folds_of(texts, rng)
    aucs = []
    for n in range(len(names) + 1):
        others = rng.permutation(np.flatnonzero((owner != n) & (owner < len(names))))[:OF_OTHERS]
        rows = np.concatenate([np.flatnonzero(owner == n), others])
        mine = owner[rows] == n
        scores, theirs = _held_out(sp.csr_array(features[rows]), mine, folds[rows])
        aucs.append(cross_validated_auc(scores, mine, theirs)[0])
    return Writers(batch=aucs[-1], each=tuple(sorted(aucs[:-1])))


def _features(texts: Sequence[str]) -> sp.csr_array:
    made = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return sp.csr_array(made.fit_transform(texts))


def _folds_of(texts: Sequence[str], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """A fold for each text, the same one for equal texts."""
    different, which = np.unique(np.array(texts, dtype=object), return_inverse=True)
    return np.asarray(rng.permutation(len(different))[which] % _FOLDS)


def _held_out(
    features: sp.csr_array, mine: Bools, folds: npt.NDArray[np.int64]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """``(scores, folds)``, both (n,): margins of models that had not seen the text."""
    scores = np.zeros(len(mine))
    for fold in range(_FOLDS):
        held = folds == fold
        learner = LogisticRegression(C=10.0, solver="liblinear", class_weight="balanced", random_state=0)
        learner.fit(features[~held], mine[~held])
        scores[held] = learner.decision_function(features[held])
    return scores, folds


def cross_validated_auc(scores: Floats, positive: Bools, folds: npt.NDArray[np.int64]) -> tuple[float, float]:
    """``(auc, standard error)``: the mean AUC of the folds (LeDell, Petersen & van der Laan 2015).

    Fold by fold since margins of different models are on different scales; the error within a fold is DeLong's (1988).
    Folds that hold one side only are passed over.
    """
    aucs, variances = [], []
    for fold in np.unique(folds):
        ours, theirs = scores[(folds == fold) & positive], scores[(folds == fold) & ~positive]
        if len(ours) and len(theirs):
            auc, variance = delong(ours, theirs)
            aucs.append(auc)
            variances.append(variance)
    return float(np.mean(aucs)), float(np.sqrt(np.sum(variances)) / len(aucs))


def delong(ours: Floats, theirs: Floats) -> tuple[float, float]:
    """AUC — the chance that one of ``ours`` is above one of ``theirs``, ties half — and its variance (DeLong 1988)."""
    m, n = len(ours), len(theirs)
    together = rankdata(np.concatenate([ours, theirs]))
    above = (together[:m] - rankdata(ours)) / n
    below = 1.0 - (together[m:] - rankdata(theirs)) / m
    variance = sum(float(np.var(part, ddof=1)) / len(part) for part in (above, below) if len(part) > 1)
    return float(above.mean()), variance


def unseen_words(now: Words, reference: Words, sources: Sequence[str] | None = None, seed: int = 0) -> Unseen:
    """The words of ``now`` that ``reference`` never has, per word.

    ``usual`` is what to expect without any change: with ``sources`` (of the reference's texts) the median share of a
    writer's words that no other writer has; without, the mean share between :data:`SPLITS` random divisions of both
    rounds together into piles of their sizes.
    """
    share, unseen = _unseen(now, {word for words in reference for word in words})
    opinions = Counter(word for words in now for word in set(words) & unseen)
    named = sorted(((word, n) for word, n in opinions.items() if n >= FREQUENT), key=lambda x: (-x[1], x[0]))
    usual = (
        _usual_of_writers(reference, sources)
        if sources is not None
        else _usual_of_halves(now, reference, seed)
    )
    return Unseen(share, usual, tuple(named[:NAMED]))


def _unseen(words: Words, known: set[str]) -> tuple[float, set[str]]:
    new = [word for text in words for word in text if word not in known]
    return ratio(len(new), sum(map(len, words))), set(new)


def _usual_of_writers(reference: Words, sources: Sequence[str]) -> float:
    users: dict[str, set[str]] = {}
    totals: Counter[str] = Counter()
    for words, source in zip(reference, sources, strict=True):
        totals[source] += len(words)
        for word in words:
            users.setdefault(word, set()).add(source)
    alone: Counter[str] = Counter()
    for words, source in zip(reference, sources, strict=True):
        alone[source] += sum(len(users[word]) == 1 for word in words)
    return float(np.median([ratio(alone[source], total) for source, total in totals.items()]))


def _usual_of_halves(now: Words, before: Words, seed: int) -> float:
    rng = np.random.default_rng(seed)
    pooled = [*now, *before]
    shares = []
    for _ in range(SPLITS):
        order = rng.permutation(len(pooled)).tolist()
        mine, theirs = order[: len(now)], order[len(now) :]
        shares.append(_unseen([pooled[i] for i in mine], {word for i in theirs for word in pooled[i]})[0])
    return float(np.mean(shares))
