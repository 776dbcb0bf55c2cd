"""A model's numbers, as compiled loops read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.classifier.model import Model
from pipeline.compiled.codes import Places
from pipeline.compiled.cut import Floats

_COUNTS = 64


class Weights(NamedTuple):
    """``weights`` (n_features, n_columns), ``idf`` (n_features,), ``bias`` (n_columns,); ``times`` are 1 + ln(count) of small counts.

    Rows are as long as they must be: to fill them up would be no quicker to add, and there would be more to fetch.
    """

    weights: npt.NDArray[np.float32]
    idf: Floats
    bias: Floats
    times: Floats


def by_frequency(model: Model) -> Places:
    """(n_features,): the model's features, the most frequent first.

    Here they are numbered so: what texts hold most then lies side by side, and most of it in a processor's own memory.
    """
    return np.argsort(model.idf, kind="stable")


def weights_of(model: Model) -> Weights:
    """The model's numbers, features by frequency; weights are kept as they are stored, in single precision."""
    counts = np.arange(_COUNTS, dtype=np.float64)
    times = np.concatenate([[0.0], 1.0 + np.log(counts[1:])])
    order = by_frequency(model)
    return Weights(model.weights.astype(np.float32)[order], model.idf[order], model.bias, times)
