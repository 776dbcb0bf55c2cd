"""Kinds of characters that the loops over a clause's words ask for, as bits; :func:`pipeline.classifier.compiled.tables.kinds` tells which are of each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Int
from pipeline.compiled.kernels import lean_kernel

Kinds = npt.NDArray[np.uint32]

BLOCK, ALNUM, DIGIT, NUMERAL, BEFORE, BEHIND = (np.uint32(1 << bit) for bit in range(6))
"""What words are looked for in; ASCII letters and digits; ASCII digits; characters that write numbers; what stands before and
behind the number in a pattern."""

HAN, ORDINARY, ODD, APART, BETWEEN, LETTER, CAPITAL, TOUCHING, COMMON, SPLIT, REST = (
    np.uint32(1 << bit) for bit in range(6, 17)
)
"""Ideographs; what hides nothing; what is changed by itself; what stands between spaced-out characters; of these, what stands there
anyway or ends a clause; letters; capitals; what makes letters part of a longer code; characters that stand for no other; the
first and the second parts of taken-apart characters."""

N_KINDS = 1 << 16
"""Characters that a table tells of."""


@lean_kernel
def kind_of(kinds: Kinds, code: Int) -> np.uint32:
    """Kinds of a character; beyond the table are only ideographs that words are looked for in, and signs."""
    if code < N_KINDS:
        return np.uint32(kinds[code])
    ideograph = 0x20000 <= code <= 0x2A6DF or 0x2A700 <= code <= 0x2EBEF or 0x2F800 <= code <= 0x2FA1F
    return BLOCK if ideograph else np.uint32(0)
