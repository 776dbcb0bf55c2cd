"""Room for the sums of one group of clauses: what is known of its features, occurrence by occurrence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.classifier.compiled.weights import Weights
from pipeline.compiled.codes import Places
from pipeline.compiled.cut import Floats, Ints


class Room(NamedTuple):
    """Room for one group of clauses.

    Its features are numbered from 0 in order of appearance: ``numbers`` (n_features,) tells their number from 1, 0 for all others;
    ``features`` are they, ``idf`` theirs, ``counts`` how often each appears, ``last`` where it did last. Of all that appear, repeats
    included, clause by clause, those of clause i from ``begins[i]`` on, ``order`` are the numbers and ``met`` the features; ``before`` tells
    where the same one stood before (-1 for nowhere), ``ranks`` the how-manieth in its clause it is, and ``read`` in what is being read.
    ``again`` are the places of those that stood before where a passage with their clause may reach, of clause i from ``returns[i]`` on.
    ``values`` are what each adds to its clause, ``spread`` (by number) what they make together over the idf; ``few`` and ``extra`` are features in work, and what they are taken
    times. ``sums`` and ``squares`` are of each clause by itself; ``total`` is what was added up last.
    """

    numbers: Ints
    features: Ints
    idf: Floats
    counts: Ints
    last: Ints
    order: Ints
    met: Ints
    begins: Places
    before: Ints
    ranks: Ints
    read: Ints
    again: Ints
    returns: Places
    values: Floats
    spread: Floats
    few: Ints
    extra: Floats
    sums: Floats
    squares: Floats
    total: Floats


def room_for(weights: Weights, features: int, clauses: int) -> Room:
    """Room for groups of at most so many features, repeats included, and clauses."""
    width = len(weights.bias)
    return Room(
        numbers=np.zeros(len(weights.idf), dtype=np.int32),
        features=np.empty(features, dtype=np.int32),
        idf=np.empty(features),
        counts=np.empty(features, dtype=np.int32),
        last=np.empty(features, dtype=np.int32),
        order=np.empty(features, dtype=np.int32),
        met=np.empty(features, dtype=np.int32),
        begins=np.empty(clauses + 1, dtype=np.int64),
        before=np.empty(features, dtype=np.int32),
        ranks=np.empty(features, dtype=np.int32),
        read=np.empty(features, dtype=np.int32),
        again=np.empty(features + 1, dtype=np.int32),
        returns=np.empty(clauses + 1, dtype=np.int64),
        values=np.empty(features),
        spread=np.empty(features),
        few=np.empty(features, dtype=np.int32),
        extra=np.empty(features),
        sums=np.empty((clauses, width)),
        squares=np.empty(clauses),
        total=np.empty(width),
    )
