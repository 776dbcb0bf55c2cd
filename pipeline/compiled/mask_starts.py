"""Where in a text each rule of :mod:`pipeline.text.mask` and :mod:`pipeline.text.names` can begin to match.

Every condition of these loops is necessary for a match of its rule and none is sufficient: the rule itself is then
tried at the places found. Whoever widens a rule widens its condition; tests/test_compiled_masking.py tells.
"""

from __future__ import annotations

import numpy as np

from pipeline.compiled.codes import Codes, Places
from pipeline.compiled.kernels import kernel
from pipeline.compiled.mask_classes import MARGIN, Classes, Found, classed
from pipeline.compiled.mask_cues import accounts, addresses, births, serials
from pipeline.compiled.mask_figures import long_numbers, signs
from pipeline.compiled.mask_names import bare_names, titled_names


@kernel
def starts(
    codes: Codes, borders: Places, table: Classes, keys: Places, pairs: Classes, found: Found, ends: Places
) -> int:
    """Write rule and start to the rows of ``found``, those of text i up to ``ends[i]``; returns how many rows there are.

    More than there is room for are counted only. ``table``, ``keys`` and ``pairs`` as
    :func:`pipeline.compiled.mask_tables.tables` makes them.
    """
    longest = 0
    for i in range(len(borders) - 1):
        longest = max(longest, borders[i + 1] - borders[i])
    c = np.zeros(longest + 2 * MARGIN, dtype=np.int64)
    k = np.zeros(longest + 2 * MARGIN, dtype=np.int64)
    pair = np.zeros(longest + 2 * MARGIN, dtype=np.int64)
    n = 0
    for i in range(len(borders) - 1):
        end = MARGIN + borders[i + 1] - borders[i]
        classed(codes[borders[i] : borders[i + 1]], table, keys, pairs, c, k, pair)
        n = titled_names(c, k, pair, end, found, n)
        n = bare_names(c, k, pair, end, found, n)
        n = long_numbers(c, k, pair, end, found, n)
        n = signs(c, k, end, found, n)
        n = serials(c, k, pair, end, found, n)
        n = accounts(k, pair, end, found, n)
        n = births(c, k, end, found, n)
        n = addresses(c, k, end, found, n)
        ends[i] = n
    return n
