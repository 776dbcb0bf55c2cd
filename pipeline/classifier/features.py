"""Clauses → sparse counts: character n-grams and the meaning classes of words.

Features never cross a clause, so an opinion's counts are the sum of its clauses' counts. That is what makes the
evidence exact: a label's score is a sum over clauses (see :mod:`pipeline.classifier.model`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from pipeline.text.clauses import Clause
from pipeline.text.disguise import plain_words
from pipeline.text.mask import NAME
from pipeline.text.segment import Segmenter

NEGATION_CLASSES = frozenset({"negation", "mended"})
CHARACTER_ORDERS = (1, 2, 3, 4)
BEGIN, END = "\x02", "\x03"
"""Marks of a clause's ends; no text holds them after normalisation."""
AT_THE_ENDS = (1, 2)
"""Characters at a clause's beginning and at its end that also count as such."""


def clause_features(text: str, segmenter: Segmenter) -> list[str]:
    """Features of one clause, its disguised words read as what they stand for; repeats included.

    ``c:`` meaning classes of words and of number patterns, ``p:`` pairs of words' classes in order, ``n:`` classes that
    follow a negation or a word of mending, and character 1- to 4-grams bare; then what the clause begins and ends with:
    :data:`BEGIN` and one or two characters, one or two and :data:`END`. Words themselves are none: beside the n-grams
    they tell nothing more (docs/model.md). Nor does it tell anything that somebody is named: people name whom they praise
    and whom they accuse, and a mark would only tell which they did more often in the corpus.
    """
    tokens = plain_words(text.replace(NAME, ""), segmenter)
    text = "".join(tokens)
    classes = segmenter.lexicon.classes
    features: list[str] = []
    negated = False
    seen: list[str] = []
    for token in tokens:
        found = classes.get(token)
        if found is not None:
            features.append("c:" + found)
            if negated:
                features.append("n:" + found)
            features += [f"p:{earlier}|{found}" for earlier in seen]
            if found not in seen:
                seen.append(found)
            negated = negated or found in NEGATION_CLASSES
    features += ["c:" + found for found in segmenter.lexicon.counted(text)]
    for order in CHARACTER_ORDERS:
        features += [text[start : start + order] for start in range(len(text) - order + 1)]
    for order in AT_THE_ENDS:
        features += [BEGIN + text[:order], text[-order:] + END] if len(text) >= order else []
    return features


def count_matrix(
    texts: Sequence[str],
    clauses: Sequence[Sequence[Clause]],
    vocabulary: dict[str, int],
    segmenter: Segmenter,
) -> tuple[sp.csr_array, np.ndarray]:
    """Counts per clause, all opinions' clauses in one matrix.

    Returns:
        ``(counts, owner)``: counts of shape (n_clauses, n_features), float32; ``owner`` gives each clause row's
        index into ``texts``, ascending.
    """
    indices: list[int] = []
    indptr = [0]
    owner: list[int] = []
    lookup = vocabulary.get
    for number, (text, spans) in enumerate(zip(texts, clauses, strict=True)):
        for span in spans:
            found = map(lookup, clause_features(text[span.start : span.end], segmenter))
            indices.extend(index for index in found if index is not None)
            indptr.append(len(indices))
            owner.append(number)
    counts = sp.csr_array(
        (
            np.ones(len(indices), dtype=np.float32),
            np.array(indices, dtype=np.int32),
            np.array(indptr, dtype=np.int64),
        ),
        shape=(len(owner), len(vocabulary)),
    )
    counts.sum_duplicates()
    return counts, np.array(owner, dtype=np.int64)
