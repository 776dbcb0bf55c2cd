"""A model's numbers, as compiled loops read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.classifier.model import Model
from pipeline.compiled.codes import Places
from pipeline.compiled.cut import Floats

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


def by_frequency(model: Model) -> Places:
    """(n_features,): the model's features, the most frequent first.

    Here they are numbered so: what texts hold most then lies side by side, and most of it in a processor's own memory.
    """
    return np.argsort(model.idf, kind="stable")


def weights_of(model: Model) -> Weights:
    """The model's numbers, features by frequency; weights are kept as they are stored, in single precision."""
    counts = np.arange(_COUNTS, dtype=np.float64)
    times = np.concatenate([[0.0], 1.0 + np.log(counts[1:])])
    n, columns = model.weights.shape
    width = -(-columns // _STEP) * _STEP
    weights, bias = np.zeros((n, width), dtype=np.float32), np.zeros(width)
    order = by_frequency(model)
    weights[:, :columns], bias[:columns] = model.weights[order], model.bias
    return Weights(weights, model.idf[order], bias, times, columns)
