"""Themes among opinions: groups of like wording that come back when they are looked for again, with the words that mark them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import HDBSCAN
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from pipeline.learn.language import Words
from pipeline.learn.metrics import Bools, Floats

SMALLEST = 8
"""Opinions a theme has at least; one in a hundred of those looked at, where that is more."""

STABLE = 0.6
"""Mean Jaccard similarity from which a group counts as found again (Hennig 2007: below, it is no pattern to rely on)."""

RESAMPLES = 30
KEPT = 0.632
"""Share of the opinions in a resample: what a bootstrap sample holds of different ones. Drawn without replacement,
since a density would take an opinion drawn twice for a group."""

DIMENSIONS = 50
COMMONEST = 0.2
"""Share of the opinions above which a word marks nothing."""

MARKS = 6
PRIOR = 500.0
"""Weight of the prior, in words: how much the rest of the opinions is believed about a theme's rare words."""

_EMPTY = re.compile("[一二两三四五六七八九十几每这那哪][\u4e00-\u9fff]")
_FUNCTION = frozenset(
    """
    我们 你们 他们 她们 它们 咱们 大家 自己 人家 别人 有人 没人 什么 怎么 为什么 多少 没有 不是 不能 不会 不要 不知 还是 就是 只是 但是 可是 因为
    所以 如果 而且 或者 以及 对于 关于 根据 按照 通过 由于 虽然 然后 后来 现在 今年 去年 明年 今天 昨天 上午 下午 晚上 时候 已经 一直 可以 能够
    需要 应该 应当 必须 希望 进行 出来 起来 下来 回来 到现在 您好 你好 谢谢 请问 领导 尊敬 反映 情况 问题 有关 相关 部门 单位 同样 其他 其中 目前
    至今 之后 之前 以后 以前 非常 比较 特别 的话
    """.split()  # noqa: SIM905  # a word list reads best in lines
)


@dataclass(frozen=True, slots=True)
class Group:
    """Row numbers of like opinions, the one nearest the centre first, and the ``stability`` of the group in [0, 1]."""

    members: tuple[int, ...]
    stability: float


def stable_groups(documents: Words, seed: int = 0) -> list[Group]:
    """The groups among ``documents`` that are found again, the largest first; every one has :data:`SMALLEST` or more.

    Words → tf-idf → :data:`DIMENSIONS` latent dimensions, length 1 → HDBSCAN (Campello, Moulavi & Sander 2013), leaves of the
    hierarchy. Opinions that are like few others belong to no group.
    """
    smallest = max(SMALLEST, round(len(documents) / 100))
    points = _points(documents, seed)
    if points is None or len(documents) < 3 * smallest:
        return []
    found = _cluster(points, smallest)
    stability = _stability(points, found, smallest, seed)
    groups = []
    for label, value in enumerate(stability):
        members = np.flatnonzero(found == label)
        if value >= STABLE and len(members) >= smallest:
            near = points[members] @ points[members].mean(axis=0)
            groups.append(Group(tuple(members[np.argsort(-near, kind="stable")].tolist()), value))
    return sorted(groups, key=lambda group: (-len(group.members), group.members))


def marking_words(members: Bools, documents: Words) -> tuple[str, ...]:
    """At most :data:`MARKS` words over-represented in the ``members`` (n,) against the rest of ``documents``, strongest first.

    By the z-score of the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008), here all
    documents'; a word counts once a document, and three members must have it.
    () where fewer than two words do: a single word names nothing.
    """
    inside: Counter[str] = Counter()
    everywhere: Counter[str] = Counter()
    for member, words in zip(members.tolist(), documents, strict=True):
        telling = {word for word in words if is_telling(word)}
        everywhere.update(telling)
        if member:
            inside.update(telling)
    candidates = sorted(word for word, n in inside.items() if n >= 3)
    a = np.array([inside[word] for word in candidates], dtype=np.float64)
    total = np.array([everywhere[word] for word in candidates], dtype=np.float64)
    z = log_odds(a, total - a, inside.total(), everywhere.total() - inside.total())
    best = np.argsort(-z, kind="stable")[:MARKS]
    words = tuple(candidates[i] for i in best.tolist() if z[i] > 0)
    return words if len(words) > 1 else ()


def log_odds(inside: Floats, outside: Floats, n_inside: float, n_outside: float) -> Floats:
    """z-scores (n,) of words' log-odds in one part against another, from their counts (n,) and the parts' totals."""
    prior = PRIOR * (inside + outside) / max(1.0, n_inside + n_outside)
    a, b = inside + prior, outside + prior
    difference = np.log(a / (n_inside + PRIOR - a)) - np.log(b / (n_outside + PRIOR - b))
    return np.asarray(difference / np.sqrt(1 / a + 1 / b))


def is_telling(word: str) -> bool:
    """Whether a word can mark a theme: not a number with its measure, not a word of grammar or of letter-writing."""
    return word not in _FUNCTION and not _EMPTY.fullmatch(word)


def _points(documents: Words, seed: int) -> Floats | None:
    """Shape (n, at most :data:`DIMENSIONS`), rows of length 1 or 0; None where too few words are shared."""
    spread = Counter(word for words in documents for word in set(words) if is_telling(word))
    known = sorted(word for word, n in spread.items() if 3 <= n <= COMMONEST * len(documents))
    if len(known) < 10:
        return None
    vectors = TfidfVectorizer(analyzer=list, vocabulary=known, sublinear_tf=True).fit_transform(documents)
    svd = TruncatedSVD(min(DIMENSIONS, len(known) - 1, len(documents) - 1), random_state=seed)
    return np.asarray(normalize(svd.fit_transform(vectors)))


def _cluster(points: Floats, smallest: int) -> npt.NDArray[np.int64]:
    """The group of each point from 0, -1 for none; points without a telling word (length 0) are in none."""
    found = np.full(len(points), -1, dtype=np.int64)
    rows = np.flatnonzero(points.any(axis=1))
    if len(rows) <= smallest:
        return found
    learner = HDBSCAN(min_cluster_size=smallest, min_samples=3, cluster_selection_method="leaf", copy=True)
    found[rows] = learner.fit_predict(points[rows])
    return found


def _stability(points: Floats, found: npt.NDArray[np.int64], smallest: int, seed: int) -> Sequence[float]:
    """Of each group, the mean over resamples of its best Jaccard similarity with a group found there (Hennig 2007)."""
    rng = np.random.default_rng(seed)
    best = np.zeros((RESAMPLES, found.max() + 1))
    for resample in range(RESAMPLES):
        rows = np.sort(rng.permutation(len(points))[: round(KEPT * len(points))])
        again = _cluster(points[rows], max(3, round(KEPT * smallest)))
        for label in range(best.shape[1]):
            here = found[rows] == label
            overlaps = [
                float((here & (again == other)).sum() / (here | (again == other)).sum())
                for other in np.unique(again[here & (again >= 0)])
            ]
            best[resample, label] = max(overlaps, default=0.0)
    return [float(value) for value in best.mean(axis=0)]
