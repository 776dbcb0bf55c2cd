"""What a labelled corpus holds: counts, kinds of hard case, repeats, and how varied its words are."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from pipeline.intake.repeats import Repeats
from pipeline.learn.corpus import Labelled, label_matrix
from pipeline.records import UNSPECIFIED
from pipeline.taxonomy import Taxonomy
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.text.shingles import signature

IRONY = "反语"
HARD_NEGATIVES = ("否定", "已改", "假设", "引规定", "第三方", "政策咨询", "客套")
"""Marks that begin a note, of opinions without an issue whose words could be taken for one."""

SAMPLE = 10_000
"""Character 3-grams among which different ones are counted: a fixed number, since the share falls with length."""


@dataclass(frozen=True)
class Check:
    """``labels`` counts opinions per label in taxonomy order, ``marks`` per mark of :data:`HARD_NEGATIVES` and irony.

    ``repeats`` are pairs (id, id of the earlier opinion it repeats: character 3-gram Jaccard from 0.6).
    ``lengths`` are the shortest, the median and the longest in characters. ``diversity`` is in (0, 1].
    """

    opinions: int
    labels: dict[str, int]
    unlabelled: int
    several: int
    named: int
    marks: dict[str, int]
    lengths: tuple[int, int, int]
    repeats: tuple[tuple[str, str], ...]
    diversity: float


def check_corpus(labelled: Sequence[Labelled], taxonomy: Taxonomy) -> Check:
    """Count what the opinions are; codes and departments were checked when they were loaded."""
    truth = label_matrix(labelled, taxonomy)
    texts = [mask(normalise(item.opinion.text)) for item in labelled]
    lengths = sorted(len(text) for text in texts)
    firsts = Repeats()
    repeats = [
        (item.opinion.id, first)
        for item, text in zip(labelled, texts, strict=True)
        if (first := firsts.first_of(item.opinion.id, signature(text)))
    ]
    issues = set(taxonomy.issues)
    marks = Counter(
        mark
        for item in labelled
        for mark in (IRONY, *HARD_NEGATIVES)
        if item.note.startswith(mark) and (mark == IRONY or not issues & set(item.labels))
    )
    return Check(
        opinions=len(labelled),
        labels=dict(zip(taxonomy.codes, truth.sum(axis=0).tolist(), strict=True)),
        unlabelled=int((~truth.any(axis=1)).sum()),
        several=int((truth.sum(axis=1) > 1).sum()),
        named=sum(any(d != UNSPECIFIED for d, _ in item.pairs or ()) for item in labelled),
        marks={mark: marks[mark] for mark in (IRONY, *HARD_NEGATIVES)},
        lengths=(lengths[0], int(np.median(lengths)), lengths[-1]),
        repeats=tuple(repeats),
        diversity=diversity(texts),
    )


def diversity(texts: Sequence[str]) -> float:
    """Different character 3-grams per 3-gram, in :data:`SAMPLE` of them from texts in a seeded random order."""
    order = list(texts)
    random.Random(0).shuffle(order)  # noqa: S311  # a sample, not a secret
    grams = (text[i : i + 3] for text in order for i in range(len(text) - 2))
    taken = list(islice(grams, SAMPLE))
    return len(set(taken)) / max(1, len(taken))
