"""The sums behind margins: tf-idf features of a group of clauses, clause by clause, so that passages can be put together of them."""

from __future__ import annotations

import numpy as np

from pipeline.classifier.compiled.room import Room
from pipeline.classifier.compiled.weights import Weights
from pipeline.classifier.passages import PASSAGE
from pipeline.compiled.codes import Int, Places
from pipeline.compiled.cut import Floats, Ints
from pipeline.compiled.kernels import lean_kernel


@lean_kernel
def _times(count: Int, times: Floats) -> float:
    """1 + ln(count), 0 for none."""
    return float(times[count] if count < len(times) else 1.0 + np.log(count))


@lean_kernel
def _fetch(features: Ints, begins: Places, ends: Places, clauses: Places, weights: Weights) -> int:
    """Have the rows of all features of ``clauses`` at hand: asked for at once, they come ten times sooner than one by one."""
    asked = 0
    for clause in clauses:
        for place in range(begins[clause], ends[clause]):
            asked += weights.rows[features[place], 0]
    return asked


@lean_kernel
def number_features(
    features: Ints,
    begins: Places,
    ends: Places,
    sizes: Places,
    members: Places,
    begin: int,
    end: int,
    weights: Weights,
    room: Room,
) -> int:
    """Number the features of clauses ``members[begin:end]``, of ``sizes`` characters; returns how many there are.

    The n-th time that a clause holds a feature, it adds what the logarithm grows by.
    """
    room.total[0] = _fetch(features, begins, ends, members[begin:end], weights)  # else it would not be done
    known = at = 0
    returned: Int = 0
    last = weights.idf.shape[1] - 1
    # the first clause that a passage with this one can hold, and the characters between the two
    first, between = begin, np.int64(0)
    for member in range(begin, end):
        while between >= PASSAGE:
            between -= sizes[members[first]]
            first += 1
        start = room.begins[member - begin] = at
        near = room.begins[first - begin]
        room.returns[member - begin] = returned
        clause = members[member]
        for place in range(begins[clause], ends[clause]):
            feature = features[place]
            room.met[at] = feature
            number = room.numbers[feature] - 1
            if number < 0:
                number = known
                known += 1
                room.numbers[feature], room.features[number] = known, feature
                room.idf[number] = room.values[at] = weights.idf[feature, last]
                room.counts[number], room.last[number], room.spread[number] = 1, at, 1.0
                room.order[at], room.before[at], room.ranks[at], room.read[at] = number, -1, 1, 1
            else:
                before = room.before[at] = room.last[number]
                rank, adds = 1, 1.0
                if before >= start:
                    rank = room.ranks[before] + 1
                    adds = _times(rank, weights.times) - _times(rank - 1, weights.times)
                room.order[at], room.ranks[at], room.read[at] = number, rank, rank
                room.values[at] = adds * room.idf[number]
                room.spread[number] += adds
                room.counts[number] += 1
                room.last[number] = at
                room.again[returned] = at
                returned += np.int64(before >= near)
            at += 1
        between += sizes[clause]
    room.begins[end - begin], room.returns[end - begin] = at, returned
    for number in range(known):
        room.numbers[room.features[number]] = 0
    return known


@lean_kernel
def _add_up(features: Ints, values: Floats, weights: Weights, total: Floats) -> None:
    """Add the features' weights to ``total``, each taken times its value, one after the other (four to a round are half the time).

    The weights are read where they are: copied to one place, doubles would fill a processor's nearest memory.
    """
    rows = weights.rows
    rest = len(features) % 4
    for place in range(0, len(features) - rest, 4):
        a, b, c, d = (
            rows[features[place]],
            rows[features[place + 1]],
            rows[features[place + 2]],
            rows[features[place + 3]],
        )
        p, q, r, s = values[place], values[place + 1], values[place + 2], values[place + 3]
        for column in range(len(total)):
            total[column] = total[column] + p * a[column] + q * b[column] + r * c[column] + s * d[column]
    for place in range(len(features) - rest, len(features)):
        row, value = rows[features[place]], values[place]
        for column in range(len(total)):
            total[column] += value * row[column]


@lean_kernel
def sum_clauses(clauses: int, weights: Weights, room: Room) -> None:
    """Of each clause by itself the weighted rows and the square of its length."""
    for clause in range(clauses):
        begin, end = room.begins[clause], room.begins[clause + 1]
        squares = 0.0
        for place in range(begin, end):
            value = room.values[place]
            squares += value * value
            rank = room.ranks[place]
            if rank > 1:
                squares += 2.0 * value * _times(rank - 1, weights.times) * room.idf[room.order[place]]
        room.squares[clause] = squares
        room.sums[clause] = 0.0
        _add_up(room.met[begin:end], room.values[begin:end], weights, room.sums[clause])


@lean_kernel
def _finish(squares: float, weights: Weights, total: Floats) -> None:
    """Margins of what adds up to ``total``, its length's square being ``squares``."""
    length = np.sqrt(squares) if squares > 0.0 else 1.0
    for column in range(len(total)):
        total[column] = weights.bias[column] + weights.steps[column] * total[column] / length


@lean_kernel
def read_together(first: int, last: int, weights: Weights, room: Room) -> None:
    """Margins of the clauses ``first`` to ``last`` of the group into ``room.total``.

    What they add up to by themselves, and for features of several clauses what they count less together.
    """
    total = room.total
    total[:] = 0.0
    squares = 0.0
    for clause in range(first, last):
        squares += room.squares[clause]
        for column in range(len(total)):
            total[column] += room.sums[clause, column]
    begin = room.begins[first]
    for number in range(room.returns[first], room.returns[last]):
        place = room.again[number]
        before = room.before[place]
        alone = room.read[place] = room.ranks[place]
        if before >= begin and room.read[before] + 1 != alone:
            rank = room.read[place] = room.read[before] + 1
            idf = room.idf[room.order[place]]
            now, earlier = _times(rank, weights.times), _times(rank - 1, weights.times)
            own, less = _times(alone, weights.times), _times(alone - 1, weights.times)
            squares += (now * now - earlier * earlier - own * own + less * less) * idf * idf
            value, row = (now - earlier - own + less) * idf, weights.rows[room.met[place]]
            for column in range(len(total)):
                total[column] += value * row[column]
    _finish(squares, weights, total)


@lean_kernel
def read_all(clauses: int, known: int, weights: Weights, room: Room) -> float:
    """Margins of the whole group into ``room.total``; returns the square of its length.

    What its clauses add up to by themselves (:func:`sum_clauses`), and for features of several clauses what they count less together.
    """
    total = room.total
    total[:] = 0.0
    for clause in range(clauses):
        for column in range(len(total)):
            total[column] += room.sums[clause, column]
    squares = 0.0
    few: Int = 0
    for number in range(known):
        times, idf = _times(room.counts[number], weights.times), room.idf[number]
        squares += (times * idf) ** 2
        room.few[few], room.extra[few] = room.features[number], (times - room.spread[number]) * idf
        few += np.int64(room.counts[number] > 1)
    _add_up(room.few[:few], room.extra[:few], weights, total)
    _finish(squares, weights, total)
    return squares


@lean_kernel
def share_out(squares: float, weights: Weights, room: Room, shares: Floats) -> None:
    """What each clause adds to the margins of all, since every occurrence carries an equal part of its feature's value.

    For a feature that appears once that is what it adds to its clause; only the others are taken once more.
    """
    length = np.sqrt(squares)
    for clause in range(len(shares)):
        few: Int = 0
        for place in range(room.begins[clause], room.begins[clause + 1]):
            number = room.order[place]
            count = room.counts[number]
            part = _times(count, weights.times) / count * room.idf[number]
            room.few[few], room.extra[few] = room.met[place], part - room.values[place]
            few += np.int64(count > 1)
        for column in range(len(room.total)):
            room.total[column] = room.sums[clause, column]
        _add_up(room.few[:few], room.extra[:few], weights, room.total)
        for column in range(shares.shape[1]):
            shares[clause, column] = weights.steps[column] * room.total[column] / length
