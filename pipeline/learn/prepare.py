"""Labelled opinions → counts to learn from: of whole opinions and of the passages inside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pipeline.classifier.features import clause_features
from pipeline.classifier.passages import joined, passages
from pipeline.intake.repeats import Repeats
from pipeline.learn.corpus import Labelled, label_matrix
from pipeline.lexicon import Lexicon
from pipeline.taxonomy import Taxonomy
from pipeline.text.clauses import split_clauses
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.text.segment import Segmenter
from pipeline.text.shingles import signature
from pipeline.text.validity import is_valid

MIN_DOCUMENTS = 2
"""In how many opinions a feature must occur to be learnt from."""


@dataclass(frozen=True)
class Prepared:
    """A corpus of n opinions with m passages.

    ``counts`` (n, n_features) and ``passages`` (m, n_features); ``owner`` (m,), the opinion of each passage;
    ``lengths`` (n,) in characters; ``truth`` (n, n_labels); ``groups`` (n,), one number for all opinions that repeat one another.
    """

    vocabulary: dict[str, int]
    counts: sp.csr_array
    passages: sp.csr_array
    owner: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    truth: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64]


def prepare(labelled: Sequence[Labelled], taxonomy: Taxonomy, lexicon: Lexicon) -> Prepared:
    """Texts → counts over features that occur in at least two opinions, sorted; invalid texts are empty rows."""
    segmenter = Segmenter(lexicon)
    documents: list[list[list[str]]] = []
    lengths: list[int] = []
    groups: dict[str, int] = {}
    group = []
    repeats = Repeats()
    for item in labelled:
        text = mask(normalise(item.opinion.text))
        spans = split_clauses(text) if is_valid(text) else []
        documents.append([list(clause_features(text[span.start : span.end], segmenter)) for span in spans])
        lengths += [span.end - span.start for span in spans]
        first = repeats.first_of(item.opinion.id, signature(text)) or item.opinion.id
        group.append(groups.setdefault(first, len(groups)))
    vocabulary = _vocabulary(documents)
    clauses = _clause_counts(documents, vocabulary)
    borders = np.cumsum([0, *map(len, documents)]).tolist()
    opinions = [range(begin, end) for begin, end in pairwise(borders)]
    inside, owner = passages(lengths, opinions)
    return Prepared(
        vocabulary=vocabulary,
        counts=joined(clauses, opinions),
        passages=joined(clauses, inside),
        owner=owner,
        lengths=np.array(
            [sum(lengths[clause] for clause in opinion) for opinion in opinions], dtype=np.int64
        ),
        truth=label_matrix(labelled, taxonomy),
        groups=np.array(group, dtype=np.int64),
    )


def _vocabulary(documents: Sequence[Sequence[Sequence[str]]]) -> dict[str, int]:
    support: Counter[str] = Counter()
    for document in documents:
        support.update({feature for clause in document for feature in clause})
    kept = sorted(feature for feature, count in support.items() if count >= MIN_DOCUMENTS)
    return {feature: index for index, feature in enumerate(kept)}


def _clause_counts(documents: Sequence[Sequence[Sequence[str]]], vocabulary: dict[str, int]) -> sp.csr_array:
    rows = [
        [vocabulary[feature] for feature in clause if feature in vocabulary]
        for document in documents
        for clause in document
    ]
    counts = sp.csr_array(
        (
            np.ones(sum(map(len, rows)), dtype=np.float32),
            np.array([index for row in rows for index in row], dtype=np.int32),
            np.cumsum([0, *map(len, rows)]),
        ),
        shape=(len(rows), len(vocabulary)),
    )
    counts.sum_duplicates()
    return counts
