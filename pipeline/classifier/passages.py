"""Clauses joined: whole opinions, a department's part of one, and the passages inside them.

An accusation in a long letter is one short passage, and read with all the rest it drowns. So every opinion is read twice:
as a whole, and by its most telling passage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pipeline.text.clauses import Clause

PASSAGE = 30
"""Characters from which a run of neighbouring clauses is a passage."""

Floats = npt.NDArray[np.float64]
Groups = Sequence[Sequence[int]]
"""Clause numbers, group by group, each group in order of the text."""


def joined(counts: sp.csr_array, groups: Groups) -> sp.csr_array:
    """Counts per group, shape (n_groups, n_features), from counts per clause; indices sorted."""
    sizes = [len(group) for group in groups]
    members = np.array([clause for group in groups for clause in group], dtype=np.int64)
    indicator = sp.csr_array(
        (np.ones(len(members), dtype=np.float32), members, np.cumsum([0, *sizes])),
        shape=(len(groups), counts.shape[0]),
    )
    total = sp.csr_array(indicator @ counts)
    total.sort_indices()
    return total


def passages(lengths: Sequence[int], groups: Groups) -> tuple[Groups, npt.NDArray[np.int64]]:
    """``(passages, owner)``: the passages of each group and the number of the group each belongs to.

    A passage begins at each clause and runs on until it has :data:`PASSAGE` characters (``lengths`` are those of the
    clauses); at the end of a group, where too little is left, there is none. A group shorter than that is one passage.
    """
    found: list[Sequence[int]] = []
    owner: list[int] = []
    for number, group in enumerate(groups):
        for first in range(len(group)):
            size, last = 0, first
            while last < len(group) and size < PASSAGE:
                size += lengths[group[last]]
                last += 1
            if size < PASSAGE and first:
                break
            found.append(group[first:last])
            owner.append(number)
    return found, np.array(owner, dtype=np.int64)


def most_telling(margins: Floats, owner: npt.NDArray[np.int64], whole: Floats) -> Floats:
    """The largest margin among each group's passages, shape of ``whole``; ``whole`` where a group has none.

    ``margins`` has one row per passage, with one value or one per label as ``whole`` has.
    """
    best = np.full(whole.shape, -np.inf)
    np.maximum.at(best, owner, margins)
    return np.where(np.isfinite(best), best, whole)


def evidence_span(clauses: Sequence[Clause], members: Sequence[int], scores: Floats) -> tuple[int, int]:
    """Character offsets of the run of neighbouring clauses of one sentence with the largest sum of ``scores``.

    Only ``members`` may take part; at least one clause is taken even where all scores are negative.
    """
    best = (-np.inf, members[0], members[0])
    run, begun, last = -np.inf, members[0], -2
    values = scores.tolist()
    for index in members:
        joined = index == last + 1 and clauses[index].sentence == clauses[last].sentence and run > 0
        run, begun = (run + values[index], begun) if joined else (values[index], index)
        if run > best[0]:
            best = (run, begun, index)
        last = index
    return clauses[best[1]].start, clauses[best[2]].end


@dataclass(frozen=True)
class Clauses:
    """n opinions clause by clause: what whole opinions and the passages inside them are joined from, when they are needed.

    ``counts`` (n_clauses, n_features); ``lengths`` of each in characters; ``borders`` (n + 1,): clauses
    ``borders[i]`` to ``borders[i + 1]`` are opinion i.
    """

    counts: sp.csr_array
    lengths: Sequence[int]
    borders: npt.NDArray[np.int64]

    def opinions(self) -> sp.csr_array:
        """Counts of whole opinions, shape (n, n_features)."""
        return joined(self.counts, self._ranges(np.arange(len(self.borders) - 1)))

    def inside(self, opinions: npt.NDArray[np.int64]) -> tuple[sp.csr_array, npt.NDArray[np.int64]]:
        """``(passages, owner)``: counts of the passages of some opinions, and the place of each one's opinion among them."""
        found, owner = passages(self.lengths, self._ranges(opinions))
        return joined(self.counts, found), owner

    def _ranges(self, opinions: npt.NDArray[np.int64]) -> list[range]:
        begin, end = self.borders[opinions].tolist(), self.borders[opinions + 1].tolist()
        return [range(*pair) for pair in zip(begin, end, strict=True)]
