"""A chunk of opinions before it is told: its texts, their clauses, and how probable each label is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pipeline.classifier.decisions import Floats, Probabilities
from pipeline.classifier.features import count_matrix
from pipeline.classifier.model import Model, weighted
from pipeline.classifier.passages import Groups, evidence_span, joined, most_telling, passages
from pipeline.text.clauses import Clause, split_clauses
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.text.segment import Segmenter
from pipeline.text.shingles import signature
from pipeline.text.validity import is_valid


class Sight(Protocol):
    """What there is to know of a chunk of n opinions before they are told, whichever way it was come by."""

    @property
    def texts(self) -> Sequence[str]:
        """Normalised and masked."""

    @property
    def valid(self) -> Sequence[bool]:
        """Whether each says anything."""

    @property
    def found(self) -> Probabilities:
        """Of n opinions; where one is not valid, they mean nothing."""

    def n_clauses(self, number: int) -> int:
        """How many clauses an opinion has; none where it is not valid."""

    def clauses(self, number: int) -> list[Clause]:
        """Of one opinion, in order."""

    def evidence(self, number: int, members: Sequence[int], label: int) -> tuple[int, int]:
        """Offsets of the passage among some clauses of an opinion that speaks for a label most."""

    def alone(self, number: int, parts: Groups) -> Probabilities:
        """Of an opinion about several departments: each one's clauses read by themselves."""

    def signature(self, number: int) -> bytes:
        """Of one text, as :func:`pipeline.text.shingles.signature` gives it."""


@dataclass(frozen=True)
class PlainSight:
    """A chunk of opinions clause by clause: ``counts`` has a row per clause, ``whole`` and ``rows`` one per opinion."""

    model: Model = field(repr=False)
    texts: list[str] = field(repr=False)
    valid: list[bool]
    spans: list[list[Clause]] = field(repr=False)
    counts: sp.csr_array = field(repr=False)
    owner: npt.NDArray[np.int64] = field(repr=False)
    opinions: list[range] = field(repr=False)
    lengths: list[int] = field(repr=False)
    whole: sp.csr_array = field(repr=False)
    rows: sp.csr_array = field(repr=False)
    found: Probabilities = field(repr=False)

    def n_clauses(self, number: int) -> int:
        """As :class:`Sight` says."""
        return len(self.spans[number])

    def clauses(self, number: int) -> list[Clause]:
        """As :class:`Sight` says."""
        return self.spans[number]

    @cached_property
    def _shares(self) -> Floats:
        return self.model.contributions(self.counts, self.owner, self.whole, self.rows)

    def evidence(self, number: int, members: Sequence[int], label: int) -> tuple[int, int]:
        """As :class:`Sight` says."""
        return evidence_span(self.spans[number], members, self._shares[self._mine(number), label])

    def alone(self, number: int, parts: Groups) -> Probabilities:
        """As :class:`Sight` says."""
        mine = self._mine(number)
        return _probabilities(self.model, self.counts[mine], self.lengths[mine], parts)

    def signature(self, number: int) -> bytes:
        """As :class:`Sight` says."""
        return signature(self.texts[number])

    def _mine(self, number: int) -> slice:
        return slice(self.opinions[number].start, self.opinions[number].stop)


def _probabilities(
    model: Model,
    counts: sp.csr_array,
    lengths: Sequence[int],
    groups: Groups,
    rows: sp.csr_array | None = None,
) -> Probabilities:
    """Of each group of clauses; ``rows`` are its weighted counts, where they are known."""
    inside, owner = passages(lengths, groups)
    margins = model.margins(weighted(joined(counts, groups), model.idf) if rows is None else rows)
    telling = model.margins(weighted(joined(counts, inside), model.idf))
    sizes = np.array([sum(lengths[clause] for clause in group) for group in groups], dtype=np.int64)
    return model.probabilities(margins, most_telling(telling, owner, margins), sizes)


def see(texts: Sequence[str], model: Model, segmenter: Segmenter) -> PlainSight:
    """What there is to know of texts as they were written; what is known of one does not depend on its neighbours."""
    clean = [mask(normalise(text)) for text in texts]
    valid = [is_valid(text) for text in clean]
    clauses = [split_clauses(text) if ok else [] for text, ok in zip(clean, valid, strict=True)]
    counts, owner = count_matrix(clean, clauses, model.vocabulary, segmenter)
    borders = np.searchsorted(owner, np.arange(len(clean) + 1)).tolist()
    groups = [range(begin, end) for begin, end in pairwise(borders)]
    lengths = [span.end - span.start for spans in clauses for span in spans]
    whole = joined(counts, groups)
    rows = weighted(whole, model.idf)
    found = _probabilities(model, counts, lengths, groups, rows)
    return PlainSight(model, clean, valid, clauses, counts, owner, groups, lengths, whole, rows, found)
