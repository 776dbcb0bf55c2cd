"""What the compiled search for personal data knows of characters: their classes, alone and in pairs, and the numbers of the rules."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, Places
from pipeline.compiled.kernels import lean_kernel

Classes = npt.NDArray[np.int64]
Found = npt.NDArray[np.int32]

# the rules
(
    EMAIL, IDENTITY, CREDIT_CODE, CARD, MOBILE, LANDLINE, PLATE, BIRTH, ADDRESS, DIALLED, LOCAL, QQ, SERIAL, ACCOUNT,
    ACCOUNT_LATIN, WEIBO, INTRODUCED, SELF, TITLED, AFTER_TITLE, SHORT_TITLED, FAMILIAR, KINLIKE, KIN, SHARED_TITLE,
    DESCRIBED, ENTRY, VEILED, SURNAME_SAID, DOTTED, BARE,
) = range(31)  # fmt: skip

# the classes of a character
(
    SURNAME, SURNAME_BEGIN, GIVEN, NAMELIKE, SURE, WEAK, LEFT, RIGHT, ROLE_END, NO_NAME_BEFORE, FAMILIAR_BEFORE, SHORT_TITLE, SHORT_TITLE_BEFORE,
    SHORT_TITLE_AFTER, SHARED_TITLE_AFTER, SHARING, ENTRY_AFTER, KINLIKE_WORD, VEIL, SEX, MARK_BEGIN, FIRST, SECOND,
    FIGURE, SPOKEN, DIGIT, LATIN, PAUSE, ONE, TWO_TO_EIGHT, DIALLING, LOCAL_GAP, MAIL, CODE, CAPITAL, MAIL_SIGN, CJK, PLACE, ROAD_END, NUMERAL, PROVINCE,
    BIRTH_BEGIN, DAY_END, HOUSE, HIDING, ALONG_ROAD, QQ_BEGIN, V, AFTER_V, SIGN, CARD_OR_PAPER, STOP,
) = (1 << bit for bit in range(52))  # fmt: skip

# the classes of two characters together
(
    TITLE, WORD, BLOCK, DOUBLE, HEAD, KINSHIP, LEAD, SELF_LEAD, ACCOUNT_LEAD, SERIAL_CUE, LOCAL_CUE,
) = (1 << bit for bit in range(11))  # fmt: skip

MARGIN = 48
"""Characters of no class before and behind each text, so that loops look around without asking where it ends."""
ANYWHERE = -1
"""In place of a start: the rule is to be tried at every character."""

N_SLOTS = 8191
"""Length of the hash table of pairs: a prime some ten times their number."""


@lean_kernel
def classed(
    codes: Codes, table: Classes, keys: Places, pairs: Classes, c: Classes, k: Classes, pair: Classes
) -> None:
    """A text's code points into ``c``, their classes into ``k``, those of each with the next into ``pair``, from ``MARGIN`` on.

    ``table``: the classes of every code point. ``keys`` and ``pairs``: those of two, the pair's key and its classes in
    the first free slot from ``key % N_SLOTS`` on, 0 in the others.
    """
    end = MARGIN + len(codes)
    for i in range(len(codes)):
        c[MARGIN + i] = codes[i]
        k[MARGIN + i] = table[codes[i]]
    for i in range(end, end + MARGIN):
        c[i] = k[i] = pair[i] = 0
    for i in range(MARGIN, end):
        pair[i] = 0
        if k[i] & FIRST and k[i + 1] & SECOND:
            key = c[i] << 21 | c[i + 1]
            at = key % N_SLOTS
            while keys[at] not in (0, key):
                at = (at + 1) % N_SLOTS
            pair[i] = pairs[at]


@lean_kernel
def put(rule: int, place: int, found: Found, n: int) -> int:
    """One start more, where there is room for it; returns the number of starts, the ones without room counted."""
    if n < len(found):
        found[n, 0] = rule
        found[n, 1] = place - MARGIN if place >= 0 else place
    return n + 1


@lean_kernel
def within(k: Classes, low: int, high: int, wanted: int) -> bool:
    """Whether one of the characters from ``low`` to ``high`` is of the class."""
    for j in range(low, high):  # noqa: SIM110  # numba compiles no generator
        if k[j] & wanted:
            return True
    return False
