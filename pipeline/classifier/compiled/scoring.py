"""Margins of groups of clauses and of the passages inside them: tf-idf, scaled to length 1, times weights, feature by feature.

The same sums as :class:`pipeline.classifier.model.Model` takes of sparse rows, in another order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.classifier.compiled.features import Counted
from pipeline.classifier.model import Model
from pipeline.classifier.passages import PASSAGE
from pipeline.compiled.codes import Int, Places
from pipeline.compiled.cutting import Floats, Ints
from pipeline.compiled.kernels import lean_kernel

_COUNTS = 64
_STEP = 8


class Weights(NamedTuple):
    """``weights`` (n_features, width), ``idf`` (n_features,), ``bias`` (width,); ``times`` are 1 + ln(count) of small counts.

    Of the width only ``columns`` mean anything; the others, zeros, make rows that processors add up without a remainder.
    """

    weights: npt.NDArray[np.float32]
    idf: Floats
    bias: Floats
    times: Floats
    columns: int


class Margins(NamedTuple):
    """Of n groups: ``whole`` and ``telling`` margins (n, n_columns), ``lengths`` (n,) in characters.

    ``shares`` (n_clauses, n_columns) are what each clause adds to its group's margins; no rows where they were not asked for.
    """

    whole: Floats
    telling: Floats
    lengths: Places
    shares: Floats


def weights_of(model: Model) -> Weights:
    """The model's numbers; weights are kept as they are stored, in single precision."""
    counts = np.arange(_COUNTS, dtype=np.float64)
    times = np.concatenate([[0.0], 1.0 + np.log(counts[1:])])
    n, columns = model.weights.shape
    width = -(-columns // _STEP) * _STEP
    weights, bias = np.zeros((n, width), dtype=np.float32), np.zeros(width)
    weights[:, :columns], bias[:columns] = model.weights, model.bias
    return Weights(weights, np.ascontiguousarray(model.idf), bias, times, columns)


class Room(NamedTuple):
    """Room for one group of clauses.

    Its features are numbered from 0 in order of appearance: ``numbers`` (n_features,) tells their number from 1, 0 for all others;
    ``features`` are they, ``idf`` and ``rows`` their weights. ``order`` are the numbers of all that appear, repeats included, clause by
    clause, those of clause i from ``begins[i]`` on; ``counts`` and ``met`` what a passage holds, ``total`` its margins.
    """

    numbers: Ints
    features: Ints
    idf: Floats
    rows: Floats
    order: Ints
    begins: Places
    counts: Ints
    met: Ints
    total: Floats


def room_for(weights: Weights, features: int, clauses: int) -> Room:
    """Room for groups of at most so many features, repeats included, and clauses."""
    width = len(weights.bias)
    return Room(
        numbers=np.zeros(len(weights.idf), dtype=np.int32),
        features=np.empty(features, dtype=np.int32),
        idf=np.empty(features),
        rows=np.empty((features, width)),
        order=np.empty(features, dtype=np.int32),
        begins=np.empty(clauses + 1, dtype=np.int64),
        counts=np.zeros(features, dtype=np.int32),
        met=np.empty(features, dtype=np.int32),
        total=np.empty(width),
    )


@lean_kernel
def _number(
    features: Ints, borders: Places, members: Places, begin: int, end: int, weights: Weights, room: Room
) -> int:
    """Number the features of clauses ``members[begin:end]``; returns how many there are."""
    known = at = 0
    for member in range(begin, end):
        room.begins[member - begin] = at
        clause = members[member]
        for place in range(borders[clause], borders[clause + 1]):
            feature = features[place]
            number = room.numbers[feature]
            if number == 0:
                idf = weights.idf[feature]
                room.features[known], room.idf[known] = feature, idf
                for column in range(len(weights.bias)):
                    room.rows[known, column] = idf * weights.weights[feature, column]
                known += 1
                number = room.numbers[feature] = known
            room.order[at] = number - 1
            at += 1
    room.begins[end - begin] = at
    for number in range(known):
        room.numbers[room.features[number]] = 0
    return known


@lean_kernel
def _times(count: Int, times: Floats) -> float:
    """1 + ln(count)."""
    return float(times[count] if count < len(times) else 1.0 + np.log(count))


@lean_kernel
def _margins(first: int, last: int, weights: Weights, room: Room) -> None:
    """Margins of the clauses ``first`` to ``last`` of the group, read together, into ``room.total``."""
    met = 0
    for place in range(room.begins[first], room.begins[last]):
        number = room.order[place]
        if room.counts[number] == 0:
            room.met[met] = number
            met += 1
        room.counts[number] += 1
    total = room.total
    total[:] = 0.0
    squares = 0.0
    for place in range(met):
        number = room.met[place]
        times = _times(room.counts[number], weights.times)
        room.counts[number] = 0
        squares += (times * room.idf[number]) ** 2
        for column in range(len(total)):
            total[column] += times * room.rows[number, column]
    length = np.sqrt(squares) if met else 1.0
    for column in range(len(total)):
        total[column] = weights.bias[column] + total[column] / length


@lean_kernel
def _share(weights: Weights, room: Room, known: int, shares: Floats) -> None:
    """What each clause adds to the margins of all, since every occurrence carries an equal part of its feature's value."""
    for place in range(room.begins[len(shares)]):
        room.counts[room.order[place]] += 1
    squares = 0.0
    for number in range(known):
        count = room.counts[number]
        times = _times(count, weights.times)
        squares += (times * room.idf[number]) ** 2
        for column in range(shares.shape[1]):
            room.rows[number, column] *= times / count
        room.counts[number] = 0
    length = np.sqrt(squares)
    for clause in range(len(shares)):
        for place in range(room.begins[clause], room.begins[clause + 1]):
            number = room.order[place]
            for column in range(shares.shape[1]):
                shares[clause, column] += room.rows[number, column] / length


@lean_kernel
def _score(
    features: Ints,
    borders: Places,
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
        known = _number(features, borders, members, begin, end, weights, room)
        _margins(0, n, weights, room)
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
            _margins(first, last, weights, room)
            for column in range(columns):
                telling[group, column] = max(telling[group, column], room.total[column])
        for member in range(begin, end):
            lengths[group] += sizes[members[member]]
        if len(shares):
            _share(weights, room, known, shares[begin:end])


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
    n, columns = len(groups) - 1, weights.columns
    margins = Margins(
        np.empty((n, columns)),
        np.empty((n, columns)),
        np.zeros(n, dtype=np.int64),
        np.zeros((len(members) if shared else 0, columns)),
    )
    before = np.concatenate([[0], np.cumsum(np.diff(counted.borders)[members])])[groups]
    room = room_for(weights, int(np.diff(before).max(initial=0)), int(np.diff(groups).max(initial=0)))
    _score(counted.features, counted.borders, sizes, members, groups, weights, room, margins)
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
