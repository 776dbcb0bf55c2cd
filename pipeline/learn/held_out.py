"""What a model said of the opinions it was trained on, without having seen them: kept beside it, for comparisons to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.classifier.decisions import Floats, Indices
from pipeline.classifier.files import packed, unpacked, verified

HELD_OUT = "held_out.npz"
_STEPS = 255
"""Held-out probabilities are kept in so many steps: one byte each."""


@dataclass(frozen=True)
class HeldOut:
    """What a model says of the n opinions it was trained on, each read by a model that had not seen it.

    ``keys`` (n,) name their texts, ``groups`` (n,) say which were held out together; ``labels``
    (n, n_labels) are calibrated probabilities, ``given`` (n, n_labels) the decisions.
    """

    keys: npt.NDArray[np.uint64]
    groups: Indices
    labels: Floats
    given: npt.NDArray[np.bool_]


def load_held_out(models: Path, card: Mapping[str, Any]) -> HeldOut | None:
    """What a version said of the opinions it was trained on; None where it was built without keeping that.

    Raises:
        ModelError: the file is damaged.
    """
    if HELD_OUT not in card["files"]:
        return None
    where = f"模型 {card['version']} 的 {HELD_OUT}"
    stored = unpacked(verified(models, card, HELD_OUT), ("keys", "groups", "labels", "given"), where)
    return HeldOut(
        keys=stored["keys"].astype(np.uint64),
        groups=stored["groups"].astype(np.int64),
        labels=stored["labels"].astype(np.float64) / _STEPS,
        given=stored["given"].astype(bool),
    )


def held_out_bytes(held_out: HeldOut) -> bytes:
    """The bytes of :data:`HELD_OUT`."""
    return packed(
        {
            "keys": held_out.keys,
            "groups": held_out.groups.astype(np.int32),
            "labels": np.round(held_out.labels * _STEPS).astype(np.uint8),
            "given": held_out.given,
        }
    )
