"""The active model and a candidate on the same opinions, each opinion judged by a model that has not seen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.classifier.files import active_version, fits, load_model, read_card
from pipeline.classifier.read import Reader, reader_of
from pipeline.learn.corpus import Labelled, label_matrix, unknown_matrix
from pipeline.learn.gate import PARTS
from pipeline.learn.held_out import HeldOut, load_held_out
from pipeline.learn.metrics import Bools, Floats
from pipeline.learn.newlabels import NewLabels, keys_of
from pipeline.learn.paired import Sides, compare
from pipeline.learn.suspects import Suspect, suspects
from pipeline.learn.train import Trained
from pipeline.taxonomy import Taxonomy
from pipeline.workspace import Workspace

Keys = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """The corpus with what every comparison needs of it: ``keys`` (n,) of the texts."""

    items: Sequence[Labelled]
    keys: Keys


@dataclass(frozen=True)
class Champion:
    """A model, and what it said of the opinions it was trained on without having seen them."""

    reader: Reader
    held_out: HeldOut | None

    @property
    def version(self) -> str:
        """The version's name."""
        return self.reader.model.version

    def said(self, items: Sequence[Labelled]) -> tuple[Floats, Bools]:
        """Probabilities and decisions (n, n_labels), held out where the model was trained on the opinion."""
        mine = self.held_out
        rows, theirs = matched(keys_of(items), mine.keys if mine else np.array([], np.uint64))
        shape = (len(items), len(self.reader.taxonomy.codes))
        probabilities, given = np.zeros(shape), np.zeros(shape, dtype=bool)
        if mine is not None:
            probabilities[rows], given[rows] = mine.labels[theirs], mine.given[theirs]
        left = np.setdiff1d(np.arange(len(items)), rows)
        if len(left):
            judged = self.reader.judge([items[row].opinion for row in left.tolist()])
            probabilities[left], given[left] = judged.probabilities, judged.given
        return probabilities, given


def champion(space: Workspace) -> Champion | None:
    """The active model; None where it was made for another taxonomy, lexicon or program, and so cannot be compared.

    Raises:
        ModelError: it is damaged.
    """
    card = read_card(space.models, active_version(space.models))
    if not fits(card, space.taxonomy, space.lexicon):
        return None
    reader = reader_of(space, load_model(space.models, space.taxonomy, space.lexicon))
    return Champion(reader, load_held_out(space.models, card))


def matched(mine: Keys, theirs: Keys) -> tuple[Indices, Indices]:
    """Row numbers of the keys that occur in both, in the order of the first; of repeated keys of the second, the first."""
    distinct, first = np.unique(theirs, return_index=True)
    at = np.minimum(np.searchsorted(distinct, mine), max(len(distinct) - 1, 0))
    found = distinct[at] == mine if len(distinct) else np.zeros(len(mine), dtype=bool)
    rows = np.flatnonzero(found)
    return rows, first[at[rows]] if len(rows) else np.array([], np.int64)


def suspected(new: NewLabels, active: Champion | None, corpus: Known) -> list[tuple[str, Suspect]]:
    """New labels that the active model, which did not learn from them, confidently disagrees with: ``(id, suspect)``.

    The opinion's id as the person who labelled it knows it. Nothing is suspected where there is no model to disagree.
    """
    items = [*new.train, *new.frozen]
    if not items or active is None:
        return []
    taxonomy = active.reader.taxonomy
    probabilities, _ = active.said(items)
    truth, known = label_matrix(items, taxonomy), ~unknown_matrix(items, taxonomy)
    usual = label_matrix(corpus.items, taxonomy).mean(axis=0)
    return [
        (items[found.row].note, found) for found in suspects(truth, probabilities, known, usual, taxonomy)
    ]


def confront(
    active: Champion,
    trained: Trained,
    space: Workspace,
    new: NewLabels,
    corpus: Known,
    shipped: Sequence[Labelled],
) -> dict[str, dict[str, Any]]:
    """Both models on the same opinions, part by part (see :data:`~pipeline.learn.gate.PARTS`); empty parts are left out.

    ``shipped`` are labelled opinions that no model learns.
    """
    candidate = Champion(reader_of(space, trained.model), trained.held_out)
    parts: dict[str, dict[str, Any]] = {}
    learnt = active.held_out.keys if active.held_out else np.array([], np.uint64)
    common = [corpus.items[row] for row in matched(corpus.keys, learnt)[0].tolist()]
    for name, items in zip(PARTS, (common, shipped, new.frozen, new.train), strict=True):
        if items:
            parts[name] = compare(_sides(items, active, candidate, space.taxonomy), space.taxonomy)
    return parts


def _sides(items: Sequence[Labelled], active: Champion, candidate: Champion, taxonomy: Taxonomy) -> Sides:
    """What was held out together in training is resampled together; frozen opinions each by itself."""
    asked = ~unknown_matrix(items, taxonomy)
    before_probability, before = active.said(items)
    after_probability, after = candidate.said(items)
    groups = -1 - np.arange(len(items))
    if candidate.held_out is not None:
        rows, theirs = matched(keys_of(items), candidate.held_out.keys)
        groups[rows] = candidate.held_out.groups[theirs]
    return Sides(
        truth=label_matrix(items, taxonomy) & asked,
        before=before & asked,
        after=after & asked,
        before_probability=before_probability * asked,
        after_probability=after_probability * asked,
        groups=groups,
    )
