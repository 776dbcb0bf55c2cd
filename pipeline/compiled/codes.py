"""Texts as one array of code points, which compiled loops can walk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Int = int | np.integer[Any]
"""What compiled loops count with: 64 bits, signed."""


class Coded(NamedTuple):
    """n texts end to end: ``codes[borders[i]:borders[i + 1]]`` are the code points of text i; ``borders`` (n + 1,) begins with 0."""

    codes: Codes
    borders: Places

    def __repr__(self) -> str:
        """Without the texts."""
        return f"Coded({len(self.borders) - 1} texts)"


def coded(texts: Sequence[str]) -> Coded:
    """The texts' code points; lone surrogates are kept."""
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return Coded(np.frombuffer(joined, dtype=np.uint32), np.concatenate([[0], np.cumsum(lengths)]))
