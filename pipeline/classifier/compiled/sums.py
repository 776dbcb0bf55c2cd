"""The sums behind margins: tf-idf features of a group of clauses, clause by clause, so that passages can be put together of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.classifier.model import Model
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
    ``features`` are they, ``idf`` and ``rows`` their weights, ``counts`` how often each appears, ``last`` where it did last. ``order``
    are the numbers of all that appear, repeats included, clause by clause, those of clause i from ``begins[i]`` on; ``before`` where the
    same feature stood before (-1 for nowhere), ``often`` how much of its row is taken, ``ranks`` the how-manieth in its clause it is, and
    ``met`` in what is being read; ``all`` are all numbers. ``sums`` and ``squares`` are of each clause by itself; ``total`` is what was added up last.
    """

    numbers: Ints
    features: Ints
    idf: Floats
    rows: Floats
    counts: Ints
    last: Ints
    order: Ints
    begins: Places
    before: Ints
    often: Floats
    ranks: Ints
    met: Ints
    all: Ints
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
        rows=np.empty((features, width)),
        counts=np.empty(features, dtype=np.int32),
        last=np.empty(features, dtype=np.int32),
        order=np.empty(features, dtype=np.int32),
        begins=np.empty(clauses + 1, dtype=np.int64),
        before=np.empty(features, dtype=np.int32),
        often=np.empty(features),
        ranks=np.empty(features, dtype=np.int32),
        met=np.empty(features, dtype=np.int32),
        all=np.arange(features, dtype=np.int32),
        sums=np.empty((clauses, width)),
        squares=np.empty(clauses),
        total=np.empty(width),
    )


@lean_kernel
def number_features(
    features: Ints, borders: Places, members: Places, begin: int, end: int, weights: Weights, room: Room
) -> int:
    """Number the features of clauses ``members[begin:end]``; returns how many there are."""
    known = at = 0
    for member in range(begin, end):
        start = room.begins[member - begin] = at
        clause = members[member]
        for place in range(borders[clause], borders[clause + 1]):
            feature = features[place]
            number = room.numbers[feature] - 1
            if number < 0:
                number = known
                known += 1
                room.numbers[feature], room.features[number] = known, feature
                room.counts[number], room.last[number] = 0, -1
            before = room.last[number]
            room.order[at], room.before[at] = number, before
            room.ranks[at] = room.ranks[before] + 1 if before >= start else 1
            room.counts[number] += 1
            room.last[number] = at
            at += 1
    room.begins[end - begin] = at
    for number in range(known):  # by itself: so many rows are on their way from memory at a time
        feature = room.features[number]
        room.numbers[feature] = 0
        idf = room.idf[number] = weights.idf[feature]
        row, weight = room.rows[number], weights.weights[feature]
        for column in range(len(weight)):
            row[column] = idf * weight[column]
    return known


@lean_kernel
def _times(count: Int, times: Floats) -> float:
    """1 + ln(count), 0 for none."""
    return float(times[count] if count < len(times) else 1.0 + np.log(count))


@lean_kernel
def _add_up(numbers: Ints, often: Floats, rows: Floats, total: Floats) -> None:
    """Sums of rows, each taken so ``often``, one after the other (four to a round are half the time)."""
    total[:] = 0.0
    rest = len(numbers) % 4
    for place in range(0, len(numbers) - rest, 4):
        a, b, c, d = (
            rows[numbers[place]],
            rows[numbers[place + 1]],
            rows[numbers[place + 2]],
            rows[numbers[place + 3]],
        )
        p, q, r, s = often[place], often[place + 1], often[place + 2], often[place + 3]
        for column in range(len(total)):
            total[column] = total[column] + p * a[column] + q * b[column] + r * c[column] + s * d[column]
    for place in range(len(numbers) - rest, len(numbers)):
        row, times = rows[numbers[place]], often[place]
        for column in range(len(total)):
            total[column] += times * row[column]


@lean_kernel
def sum_clauses(clauses: int, weights: Weights, room: Room) -> None:
    """Of each clause by itself the weighted rows and the square of its length: the n-th time a feature adds what the logarithm grows by."""
    for clause in range(clauses):
        begin, end = room.begins[clause], room.begins[clause + 1]
        squares = 0.0
        for place in range(begin, end):
            idf = room.idf[room.order[place]]
            rank = room.ranks[place]
            room.often[place] = 1.0
            if rank == 1:
                squares += idf * idf
            else:
                now, earlier = _times(rank, weights.times), _times(rank - 1, weights.times)
                room.often[place] = now - earlier
                squares += (now * now - earlier * earlier) * idf * idf
        room.squares[clause] = squares
        _add_up(room.order[begin:end], room.often[begin:end], room.rows, room.sums[clause])


@lean_kernel
def _finish(squares: float, weights: Weights, total: Floats) -> None:
    """Margins of what adds up to ``total``, its length's square being ``squares``."""
    length = np.sqrt(squares) if squares > 0.0 else 1.0
    for column in range(len(total)):
        total[column] = weights.bias[column] + total[column] / length


@lean_kernel
def read_together(first: int, last: int, weights: Weights, room: Room) -> None:
    """Margins of the clauses ``first`` to ``last`` of the group into ``room.total``.

    What they add up to by themselves, and for features of several clauses what they count less together.
    """
    total = room.total
    total[:] = 0.0
    squares = 0.0
    begin, second = room.begins[first], room.begins[first + 1]
    for place in range(begin, second):
        room.met[place] = room.ranks[place]
    for clause in range(first, last):
        squares += room.squares[clause]
        for column in range(len(total)):
            total[column] += room.sums[clause, column]
    for place in range(second, room.begins[last]):
        before = room.before[place]
        alone = room.met[place] = room.ranks[place]
        if before >= begin and room.met[before] + 1 != alone:
            rank = room.met[place] = room.met[before] + 1
            idf = room.idf[room.order[place]]
            now, earlier = _times(rank, weights.times), _times(rank - 1, weights.times)
            own, less = _times(alone, weights.times), _times(alone - 1, weights.times)
            squares += (now * now - earlier * earlier - own * own + less * less) * idf * idf
            often, row = now - earlier - own + less, room.rows[room.order[place]]
            for column in range(len(total)):
                total[column] += often * row[column]
    _finish(squares, weights, total)


@lean_kernel
def read_all(known: int, weights: Weights, room: Room) -> float:
    """Margins of the whole group into ``room.total``; returns the square of its length."""
    squares = 0.0
    for number in range(known):
        times = room.often[number] = _times(room.counts[number], weights.times)
        squares += (times * room.idf[number]) ** 2
    _add_up(room.all[:known], room.often, room.rows, room.total)
    _finish(squares, weights, room.total)
    return squares


@lean_kernel
def share_out(squares: float, weights: Weights, room: Room, shares: Floats) -> None:
    """What each clause adds to the margins of all, since every occurrence carries an equal part of its feature's value."""
    length = np.sqrt(squares)
    for clause in range(len(shares)):
        begin, end = room.begins[clause], room.begins[clause + 1]
        for place in range(begin, end):
            count = room.counts[room.order[place]]
            room.often[place] = _times(count, weights.times) / count
        _add_up(room.order[begin:end], room.often[begin:end], room.rows, room.total)
        for column in range(shares.shape[1]):
            shares[clause, column] = room.total[column] / length
