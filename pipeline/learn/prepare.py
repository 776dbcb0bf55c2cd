"""Opinions → counts to learn from: of whole opinions and of the passages inside them."""

from __future__ import annotations

import functools
import hashlib
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from joblib import Parallel, delayed, effective_n_jobs
from pandas.util import hash_array

from pipeline.classifier.decisions import Indices
from pipeline.classifier.features import clause_features
from pipeline.classifier.passages import Clauses
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

MIN_DOCUMENTS = 3
"""In how many opinions a feature must occur to be learnt from; in more where :data:`MOST_FEATURES` would be passed."""

MOST_FEATURES = 250_000
"""Features learnt from: what keeps training on 100,000 opinions within an office computer's memory."""

CHUNK = 2000
"""Texts counted at once by one process."""

MIN_SOURCES = 10
"""Sources of several opinions from which on held-out predictions are made source by source."""


@dataclass(frozen=True)
class Prepared:
    """A corpus of n opinions.

    ``clauses`` hold their counts over the ``vocabulary``; ``lengths`` (n,) in characters; ``truth`` (n, n_labels);
    ``groups`` (n,), opinions that are never split between training and held-out part. ``keys`` (n,) name the texts,
    ``archive`` (a, n_features) counts unlabelled ones.
    """

    vocabulary: dict[str, int]
    clauses: Clauses
    lengths: Indices
    truth: npt.NDArray[np.bool_]
    groups: Indices
    keys: npt.NDArray[np.uint64]
    archive: sp.csr_array


def prepare(
    labelled: Sequence[Labelled],
    taxonomy: Taxonomy,
    lexicon: Lexicon,
    unlabelled: Sequence[str] = (),
) -> Prepared:
    """Texts → counts over features that are common enough, sorted; invalid texts are empty rows."""
    parts = _counted([item.opinion.text for item in labelled], lexicon)
    others = _counted(unlabelled, lexicon)
    vocabulary = _vocabulary([*parts, *others])
    clauses = _clauses(parts, vocabulary)
    characters = np.cumsum([0, *clauses.lengths])
    return Prepared(
        vocabulary=dict(zip(vocabulary.features, range(len(vocabulary.features)), strict=True)),
        clauses=clauses,
        lengths=np.diff(characters[clauses.borders]),
        truth=label_matrix(labelled, taxonomy),
        groups=_groups(labelled, [mark for part in parts for mark in part.signatures]),
        keys=np.array([key for part in parts for key in part.keys], dtype=np.uint64),
        archive=_clauses(others, vocabulary).opinions(),
    )


def text_key(text: str) -> int:
    """64 bits that stand for a masked text: what the same opinion is found again by, without keeping its words."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _counted(texts: Sequence[str], lexicon: Lexicon) -> list[_Part]:
    """Texts counted in chunks, in order, by all processors where there are many."""
    jobs = effective_n_jobs(-1) if len(texts) > CHUNK else 1
    return list(
        Parallel(n_jobs=jobs)(
            delayed(_count)(texts[start : start + CHUNK], lexicon) for start in range(0, len(texts), CHUNK)
        )
    )


class _Part(NamedTuple):
    """Clauses of a chunk of texts, without an object per feature, of which a large corpus has millions.

    ``features``, one a line, name the columns that ``indices`` (with ``indptr``) count in; ``hashes`` stand for them
    and ``documents`` says in how many texts each occurs. ``lengths`` are characters per clause, ``clauses`` the number of
    them per text; ``keys`` and ``signatures`` stand for the texts.
    """

    features: str
    hashes: npt.NDArray[np.uint64]
    documents: npt.NDArray[np.int32]
    indices: npt.NDArray[np.int32]
    indptr: Indices
    lengths: npt.NDArray[np.int32]
    clauses: list[int]
    keys: list[int]
    signatures: list[bytes]

    def __repr__(self) -> str:
        """Without the features: they are pieces of opinions."""
        return f"_Part({len(self.clauses)} texts)"


def _count(texts: Sequence[str], lexicon: Lexicon) -> _Part:
    segmenter = _segmenter(lexicon)
    known: dict[str, int] = {}
    documents: Counter[int] = Counter()
    indices, indptr = array("i"), array("q", [0])
    lengths: list[int] = []
    clauses: list[int] = []
    masked = [mask(normalise(text)) for text in texts]
    for text in masked:
        spans = split_clauses(text) if is_valid(text) else []
        begun = len(indices)
        for span in spans:
            features = clause_features(text[span.start : span.end], segmenter)
            indices.extend([known.setdefault(feature, len(known)) for feature in features])
            indptr.append(len(indices))
            lengths.append(span.end - span.start)
        documents.update(set(indices[begun:]))
        clauses.append(len(spans))
    return _Part(
        "\n".join(known),
        hash_array(np.array(list(known), dtype=object), categorize=False),
        np.array([documents[column] for column in range(len(known))], np.int32),
        np.array(indices, np.int32),
        np.array(indptr, np.int64),
        np.array(lengths, np.int32),
        clauses,
        [text_key(text) for text in masked],
        [signature(text) for text in masked],
    )


@functools.lru_cache(maxsize=1)
def _segmenter(lexicon: Lexicon) -> Segmenter:
    """One segmenter a process, however many chunks it counts."""
    return Segmenter(lexicon)


class _Vocabulary(NamedTuple):
    """``features``, sorted; their ``hashes`` in another order, and the ``column`` of each one's feature; -1 comes last."""

    features: list[str]
    hashes: pd.Index
    column: npt.NDArray[np.int32]


def _vocabulary(parts: Sequence[_Part]) -> _Vocabulary:
    """The features that are common enough, at most :data:`MOST_FEATURES`: of equally rare ones all stay or none."""
    hashes, place = np.unique(np.concatenate([part.hashes for part in parts]), return_inverse=True)
    occurs = np.bincount(place, np.concatenate([part.documents for part in parts]), minlength=len(hashes))
    rank = np.sort(occurs)[::-1]
    fewest = max(MIN_DOCUMENTS, rank[MOST_FEATURES] + 1 if len(rank) > MOST_FEATURES else 0)
    common = pd.Index(hashes[occurs >= fewest])
    unnamed, places, found = np.ones(len(common), dtype=bool), [], []
    for part in parts:
        place = common.get_indexer(pd.Index(part.hashes))
        fresh = np.flatnonzero(place >= 0)
        fresh = fresh[unnamed[place[fresh]]]
        if len(fresh):
            lines = part.features.split("\n")
            # joined again: a few names kept among millions would keep the memory of all
            found.append("\n".join([lines[line] for line in fresh.tolist()]))
            places.append(place[fresh])
            unnamed[place[fresh]] = False
    names = np.full(len(common), "", dtype=object)
    for place, some in zip(places, found, strict=True):
        names[place] = some.split("\n")
    order = np.argsort(names)
    return _Vocabulary(names[order].tolist(), common, np.append(np.argsort(order), -1).astype(np.int32))


def _clauses(parts: Sequence[_Part], vocabulary: _Vocabulary) -> Clauses:
    """All clauses counted over the vocabulary."""
    width = len(vocabulary.features)
    counted = [_recounted(part, vocabulary) for part in parts]
    return Clauses(
        sp.csr_array(sp.vstack(counted, format="csr") if counted else (0, width), dtype=np.float32),
        [length for part in parts for length in part.lengths.tolist()],
        np.cumsum([0, *(n for part in parts for n in part.clauses)]),
    )


def _recounted(part: _Part, vocabulary: _Vocabulary) -> sp.csr_array:
    """Counts of a part's clauses in the columns of the vocabulary, shape (n_clauses, n_features)."""
    column = vocabulary.column[vocabulary.hashes.get_indexer(pd.Index(part.hashes))]
    indices = column[part.indices]
    kept = np.concatenate([np.zeros(1, np.int64), np.cumsum(indices >= 0)])
    indices = indices[indices >= 0]
    counts = sp.csr_array(
        (np.ones(len(indices), np.float32), indices, kept[part.indptr]),
        shape=(len(part.indptr) - 1, len(vocabulary.features)),
    )
    counts.sum_duplicates()
    return counts


def _groups(labelled: Sequence[Labelled], signatures: Sequence[bytes]) -> Indices:
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
