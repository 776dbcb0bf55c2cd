"""Margins of groups of clauses and of the passages inside them: tf-idf, scaled to length 1, times weights, feature by feature.

The same sums as :class:`pipeline.classifier.model.Model` takes of sparse rows, in another order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.classifier.compiled.features import Counted
from pipeline.classifier.compiled.room import Room, room_for
from pipeline.classifier.compiled.sums import (
    number_features,
    read_all,
    read_together,
    share_out,
    sum_clauses,
)
from pipeline.classifier.compiled.weights import Weights
from pipeline.classifier.passages import PASSAGE
from pipeline.compiled.codes import Int, Places
from pipeline.compiled.cut import Floats, Ints
from pipeline.compiled.kernels import lean_kernel


class Margins(NamedTuple):
    """Of n groups: ``whole`` and ``telling`` margins (n, n_columns), ``lengths`` (n,) in characters.

    ``shares`` (n_clauses, n_columns) are what each clause adds to its group's margins; no rows where they were not asked for.
    """

    whole: Floats
    telling: Floats
    lengths: Places
    shares: Floats


@lean_kernel
def _score(
    counted: Counted,
    sizes: Places,
    members: Places,
    groups: Places,
    weights: Weights,
    room: Room,
    margins: Margins,
) -> None:
    whole, telling, lengths, shares = margins
    columns = whole.shape[1]
    for group in range(len(groups) - 1):
        begin, end = groups[group], groups[group + 1]
        n = end - begin
        known = number_features(
            counted.features, counted.begins, counted.ends, sizes, members, begin, end, weights, room
        )
        sum_clauses(n, weights, room)
        squares = read_all(n, known, weights, room)
        for column in range(columns):
            whole[group, column] = room.total[column]
            telling[group, column] = -np.inf if n else room.total[column]
        for first in range(n):
            size, last = 0, first
            while last < n and size < PASSAGE:
                size += sizes[members[begin + last]]
                last += 1
            if size < PASSAGE and first:
                break
            read_together(first, last, weights, room)
            for column in range(columns):
                telling[group, column] = max(telling[group, column], room.total[column])
        for member in range(begin, end):
            lengths[group] += sizes[members[member]]
        if len(shares):
            share_out(squares, weights, room, shares[begin:end])


def score(
    counted: Counted,
    sizes: Places,
    members: Places,
    groups: Places,
    weights: Weights,
    *,
    shared: bool = False,
) -> Margins:
    """Margins of groups of clauses: ``members[groups[i]:groups[i + 1]]`` are the clauses of group i, in order of the text.

    ``sizes`` are the characters of each clause. ``telling`` is the largest margin of any passage
    (:func:`pipeline.classifier.passages.passages`), that of the whole where there is none. With ``shared``, what each of the
    members adds is told as well.
    """
    n, columns = len(groups) - 1, len(weights.bias)
    margins = Margins(
        np.empty((n, columns)),
        np.empty((n, columns)),
        np.zeros(n, dtype=np.int64),
        np.zeros((len(members) if shared else 0, columns)),
    )
    before = np.concatenate([[0], np.cumsum((counted.ends - counted.begins)[members])])[groups]
    room = room_for(weights, int(np.diff(before).max(initial=0)), int(np.diff(groups).max(initial=0)))
    _score(counted, sizes, members, groups, weights, room, margins)
    return margins


@lean_kernel
def best_run(shares: Floats, column: int, sentences: Ints, places: Places) -> tuple[Int, Int]:
    """First and last of the clauses ``places`` whose run says most, as :func:`pipeline.classifier.passages.evidence_span` finds it."""
    first = last = places[0]
    best = run = -np.inf
    begun = before = places[0]
    for number in range(len(places)):
        place = places[number]
        share = shares[place, column]
        if number and place == before + 1 and sentences[place] == sentences[before] and run > 0.0:
            run += share
        else:
            run, begun = share, place
        if run > best:
            best, first, last = run, begun, place
        before = place
    return first, last
