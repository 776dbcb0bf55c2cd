"""Intervals for shares."""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


def wilson(hits: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927), within [0, 1]; (0, 1) where ``n`` is 0. Numbers need not be whole.

    Raises:
        ValueError: ``hits`` is not within 0 … n.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"hits {hits} outside 0…{n}")
    if n == 0:
        return 0.0, 1.0
    share = hits / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # at 0 and n the bound is exactly 0 or 1; floating point may miss it by an ulp
    low = 0.0 if hits == 0 else (centre - spread) / scale
    high = 1.0 if hits == n else (centre + spread) / scale
    return low, high
