"""Labels that are probably wrong: where a model that has not seen them confidently disagrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.learn.metrics import Bools, Floats
from pipeline.taxonomy import Taxonomy

LESS_LIKELY = 8.0
"""How many times less likely an opinion's labels are, given its text, than for any opinion of its batch."""

USUAL = 10.0
"""Opinions of the usual kind that a batch's shares of labels are counted with: a batch of three tells none."""

_SURE = 1e-3
"""Probabilities are taken to lie at least so far from 0 and 1."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Labels of the opinion in ``row`` that are probably wrong, most of all ``label``: one too many (``given``), or one missing."""

    row: int
    label: str
    given: bool
    probability: float


def suspects(
    truth: Bools, probabilities: Floats, known: Bools, usual: Floats, taxonomy: Taxonomy
) -> list[Suspect]:
    """Opinions whose labels are probably wrong, the surest first.

    All labels of an opinion are weighed together: the log likelihood ratio (in nats) of what people said of each label, by the
    ``probabilities`` (n, n_labels) of a model that has not seen it, against the shares that labels have among the opinions
    themselves (the pointwise mutual information of text and labels, Church & Hanks 1990). Suspected are those below
    -ln :data:`LESS_LIKELY`, each with the label that speaks most against it. Only ``known`` labels (n, n_labels) are
    weighed. ``usual`` (n_labels,) are shares that few opinions are taken to have.
    """
    said = np.clip(probabilities, _SURE, 1 - _SURE)
    share = ((truth & known).sum(axis=0) + USUAL * usual) / (known.sum(axis=0) + USUAL)
    share = np.clip(share, _SURE, 1 - _SURE)
    weighed = np.where(truth, np.log(said / share), np.log((1 - said) / (1 - share))) * known
    total = weighed.sum(axis=1)
    rows = np.flatnonzero(total < -np.log(LESS_LIKELY))
    worst = weighed.argmin(axis=1)
    return [
        Suspect(
            row,
            taxonomy.codes[worst[row]],
            bool(truth[row, worst[row]]),
            float(probabilities[row, worst[row]]),
        )
        for row in rows[np.argsort(total[rows], kind="stable")].tolist()
    ]
