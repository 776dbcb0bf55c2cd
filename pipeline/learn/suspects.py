"""Labels that are probably wrong: where a model that has not seen them confidently disagrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.learn.metrics import Bools, Floats
from pipeline.taxonomy import Taxonomy

FEW = 5
APART = 0.1
"""Opinions, and difference of mean probabilities, below which a label's model is too weak to disagree with anybody."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label of the opinion in ``row`` that is probably wrong: one too many (``given``), or one missing."""

    row: int
    label: str
    given: bool
    probability: float


def suspects(
    truth: Bools, probabilities: Floats, reference: tuple[Bools, Floats], taxonomy: Taxonomy
) -> list[Suspect]:
    """Suspected labels, an opinion's strongest only, the surest first.

    Confident learning (Northcutt, Jiang & Chuang 2021), label by label: a missing label is suspected where its
    probability reaches the mean it has among opinions that carry it, a given one where the probability falls to the mean among
    those that do not. ``truth`` and ``probabilities`` (n, n_labels) are held out; the means are taken over ``reference``, of
    the same columns, which may be larger. Where fewer than :data:`FEW` carry a label there, or it is told apart by less than
    :data:`APART`, nothing is suspected of it.
    """
    known, said = reference
    found: list[tuple[float, Suspect]] = []
    for c, code in enumerate(taxonomy.codes):
        carried = known[:, c]
        if min(carried.sum(), (~carried).sum()) < FEW:
            continue
        with_it, without = float(said[carried, c].mean()), float(said[~carried, c].mean())
        if with_it - without < APART:
            continue
        for row in np.flatnonzero(truth[:, c] & (probabilities[:, c] <= without)).tolist():
            p = float(probabilities[row, c])
            found.append((with_it - p, Suspect(row, code, True, p)))
        for row in np.flatnonzero(~truth[:, c] & (probabilities[:, c] >= with_it)).tolist():
            p = float(probabilities[row, c])
            found.append((p - without, Suspect(row, code, False, p)))
    found.sort(key=lambda pair: (-pair[0], pair[1].row))
    strongest: dict[int, Suspect] = {}
    for _, suspect in found:
        strongest.setdefault(suspect.row, suspect)
    return list(strongest.values())
