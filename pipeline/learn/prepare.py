"""Opinions → counts to learn from: of whole opinions and of the passages inside them."""

from __future__ import annotations

import functools
import hashlib
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, delayed, effective_n_jobs

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

MIN_DOCUMENTS = 5
"""In how many opinions a feature must occur to be learnt from."""

CHUNK = 512
"""Texts counted at once by one process."""

MIN_SOURCES = 10
"""Sources of several opinions from which on held-out predictions are made source by source."""


@dataclass(frozen=True)
class Prepared:
    """A corpus of n opinions with m passages.

    ``counts`` (n, n_features) and ``passages`` (m, n_features); ``owner`` (m,), the opinion of each passage;
    ``lengths`` (n,) in characters; ``truth`` (n, n_labels); ``groups`` (n,), opinions that are never
    split between training and held-out part. ``keys`` (n,) name the texts, ``archive`` (a, n_features) counts
    unlabelled ones.
    """

    vocabulary: dict[str, int]
    counts: sp.csr_array
    passages: sp.csr_array
    owner: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    truth: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]
    archive: sp.csr_array


def prepare(
    labelled: Sequence[Labelled],
    taxonomy: Taxonomy,
    lexicon: Lexicon,
    unlabelled: Sequence[str] = (),
) -> Prepared:
    """Texts → counts over features that are common enough, sorted; invalid texts are empty rows."""
    parts = _counted([*(item.opinion.text for item in labelled), *unlabelled], lexicon)
    known, everything = _together(parts)
    lengths = [length for part in parts for length in part.lengths]
    borders = np.cumsum([0, *(n for part in parts for n in part.clauses)]).tolist()
    groups = [range(begin, end) for begin, end in pairwise(borders)]
    columns, vocabulary = _vocabulary(known, joined(everything, groups))
    clauses = sp.csr_array(everything[:, columns])
    mine, others = groups[: len(labelled)], groups[len(labelled) :]
    inside, owner = passages(lengths, mine)
    return Prepared(
        vocabulary=vocabulary,
        counts=joined(clauses, mine),
        passages=joined(clauses, inside),
        owner=owner,
        lengths=np.array([sum(lengths[clause] for clause in group) for group in mine], dtype=np.int64),
        truth=label_matrix(labelled, taxonomy),
        groups=_groups(labelled, [mark for part in parts for mark in part.signatures]),
        keys=np.array([key for part in parts for key in part.keys][: len(labelled)], dtype=np.uint64),
        archive=joined(clauses, others),
    )


def text_key(text: str) -> int:
    """64 bits that stand for a masked text: what the same opinion is found again by, without keeping its words."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _counted(texts: Sequence[str], lexicon: Lexicon) -> list[_Part]:
    """Texts counted in chunks, in order, by all processors where there are many."""
    jobs = effective_n_jobs(-1) if len(texts) > 2 * CHUNK else 1
    return list(
        Parallel(n_jobs=jobs)(
            delayed(_count)(texts[start : start + CHUNK], lexicon) for start in range(0, len(texts), CHUNK)
        )
    )


class _Part(NamedTuple):
    """Clauses of a chunk of texts: ``features`` name the columns that ``indices`` (with ``indptr``) count in.

    ``lengths`` are characters per clause, ``clauses`` the number of them per text; ``keys`` and ``signatures`` stand for
    the texts.
    """

    features: list[str]
    indices: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int64]
    lengths: list[int]
    clauses: list[int]
    keys: list[int]
    signatures: list[bytes]


def _count(texts: Sequence[str], lexicon: Lexicon) -> _Part:
    segmenter = _segmenter(lexicon)
    known: dict[str, int] = {}
    indices, indptr = array("i"), array("q", [0])
    lengths: list[int] = []
    clauses: list[int] = []
    masked = [mask(normalise(text)) for text in texts]
    for text in masked:
        spans = split_clauses(text) if is_valid(text) else []
        for span in spans:
            features = clause_features(text[span.start : span.end], segmenter)
            indices.extend([known.setdefault(feature, len(known)) for feature in features])
            indptr.append(len(indices))
            lengths.append(span.end - span.start)
        clauses.append(len(spans))
    return _Part(
        list(known),
        np.array(indices, np.int32),
        np.array(indptr, np.int64),
        lengths,
        clauses,
        [text_key(text) for text in masked],
        [signature(text) for text in masked],
    )


@functools.lru_cache(maxsize=1)
def _segmenter(lexicon: Lexicon) -> Segmenter:
    """One segmenter a process, however many chunks it counts."""
    return Segmenter(lexicon)


def _together(parts: Sequence[_Part]) -> tuple[dict[str, int], sp.csr_array]:
    """Columns by feature, and the counts of all clauses in them, shape (n_clauses, n_features)."""
    known: dict[str, int] = {}
    indices = [
        np.array([known.setdefault(feature, len(known)) for feature in part.features], np.int32)[part.indices]
        for part in parts
    ]
    starts = np.cumsum([0, *(len(part.indices) for part in parts)])
    indptr = [part.indptr[1:] + start for part, start in zip(parts, starts, strict=False)]
    counts = sp.csr_array(
        (
            np.ones(int(starts[-1]), dtype=np.float32),
            np.concatenate(indices),
            np.concatenate([np.zeros(1, np.int64), *indptr]),
        ),
        shape=(sum(map(len, indptr)), len(known)),
    )
    counts.sum_duplicates()
    return known, counts


def _vocabulary(known: dict[str, int], counts: sp.csr_array) -> tuple[npt.NDArray[np.int64], dict[str, int]]:
    """``(columns, vocabulary)``: columns of ``counts`` whose features are common enough, in order of the features."""
    opinions = np.bincount(counts.indices, minlength=len(known))
    kept = sorted(feature for feature, column in known.items() if opinions[column] >= MIN_DOCUMENTS)
    columns = np.array([known[feature] for feature in kept], dtype=np.int64)
    return columns, {feature: index for index, feature in enumerate(kept)}


def _groups(labelled: Sequence[Labelled], signatures: Sequence[bytes]) -> npt.NDArray[np.int64]:
    """Whoever wrote an opinion, or wrote the one it repeats: so folds ask how well unseen writers are read.

    Where sources are fewer than :data:`MIN_SOURCES`, groups are repeats alone.
    """
    repeats = Repeats()
    firsts = [
        repeats.first_of(item.opinion.id, mark) or item.opinion.id
        for item, mark in zip(labelled, signatures, strict=False)
    ]
    source = {item.opinion.id: item.source for item in labelled}
    wrote_several = sum(opinions > 1 for opinions in Counter(source.values()).values())
    named = [source[first] for first in firsts] if wrote_several >= MIN_SOURCES else firsts
    return np.unique(named, return_inverse=True)[1].astype(np.int64)
