"""A model's numbers, as compiled loops read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.classifier.model import Model, steps_of
from pipeline.compiled.codes import Places
from pipeline.compiled.cut import Floats

_COUNTS = 64
_LINE, _IDF = 32, 4
"""Of a row, in 16 bits: what a processor fetches at once, and its end."""


class Weights(NamedTuple):
    """A model's numbers, feature by feature, so that each takes one line of memory, and no second one is waited for.

    ``rows[i]`` (n_features, 32 or more) begins with the weights of feature i, as whole multiples of ``steps`` (n_columns,), and ends
    with its idf: ``idf[i, -1]`` (n_features, 8 or more), in the same memory. ``bias`` (n_columns,); ``times`` are 1 + ln(count) of
    small counts.
    """

    rows: npt.NDArray[np.int16]
    idf: Floats
    steps: Floats
    bias: Floats
    times: Floats


def by_frequency(model: Model) -> Places:
    """(n_features,): the model's features, the most frequent first.

    Here they are numbered so: what texts hold most then lies side by side, and most of it in a processor's own memory.
    """
    return np.argsort(model.idf, kind="stable")


def weights_of(model: Model) -> Weights:
    """The model's numbers, features by frequency."""
    counts = np.arange(_COUNTS, dtype=np.float64)
    times = np.concatenate([[0.0], 1.0 + np.log(counts[1:])])
    order = by_frequency(model)
    n, columns = model.weights.shape
    steps = steps_of(model.weights)
    width = -(-(columns + _IDF) // _LINE) * _LINE
    memory = np.zeros(n * width + _LINE, dtype=np.int16)
    begin = -memory.ctypes.data % (2 * _LINE) // 2  # where a line does
    rows = memory[begin : begin + n * width].reshape(n, width)
    rows[:, :columns] = (model.weights / steps).astype(np.int16)[order]
    idf = rows.view(np.float64)
    idf[:, -1] = model.idf[order]
    return Weights(rows, idf, steps, model.bias, times)
