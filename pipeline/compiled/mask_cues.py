"""Where the rules of :mod:`pipeline.text.mask` that go by words can begin to match: accounts, serial numbers, days of birth, addresses."""

from __future__ import annotations

from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.mask_classes import (
    ACCOUNT,
    ACCOUNT_LATIN,
    ACCOUNT_LEAD,
    ADDRESS,
    AFTER_V,
    ALONG_ROAD,
    BIRTH,
    BIRTH_BEGIN,
    CARD_OR_PAPER,
    DAY_END,
    DIGIT,
    HOUSE,
    LATIN,
    MARGIN,
    NUMERAL,
    PLACE,
    QQ,
    QQ_BEGIN,
    ROAD_END,
    SERIAL,
    SERIAL_CUE,
    SPOKEN,
    STOP,
    Classes,
    Found,
    V,
    put,
    within,
)


@lean_kernel
def serials(c: Classes, k: Classes, pair: Classes, end: int, found: Found, n: int) -> int:
    """Numbers that a word such as 学号 or 证 before them tells; after 账号 and the like a comma may stand between."""
    cue = far = -MARGIN
    for i in range(MARGIN, end):
        if pair[i] & SERIAL_CUE or k[i] & CARD_OR_PAPER:
            cue = far = i
        if k[i] & SPOKEN:
            ascii_digit = c[i] < 128
            short = ascii_digit and i - cue <= 19 and (k[i + 1] | k[i + 2]) & (LATIN | SPOKEN)
            if short or (i - far <= 19 and _twelve(k, i)):
                return _serial_starts(c, k, end, found, n)
            if ascii_digit:
                cue = far = -MARGIN
        elif k[i] & STOP:
            cue = -MARGIN
            if c[i] != ord("，"):
                far = -MARGIN
    return n


@lean_kernel
def _serial_starts(c: Classes, k: Classes, end: int, found: Found, n: int) -> int:
    """Everywhere that a number, or the letters before it, can begin."""
    for i in range(MARGIN, end):
        if (k[i] & (LATIN | SPOKEN) or c[i] == ord("-")) and not k[i - 1] & LATIN:
            n = put(SERIAL, i, found, n)
    return n


@lean_kernel
def accounts(k: Classes, pair: Classes, end: int, found: Found, n: int) -> int:
    """Accounts, that the words before them tell."""
    for i in range(MARGIN, end):
        if pair[i] & ACCOUNT_LEAD and within(k, i + 2, i + 19, LATIN):
            n = put(ACCOUNT, i, found, n)
        if k[i] & QQ_BEGIN and within(k, i + 1, i + 9, SPOKEN):
            n = put(QQ, i, found, n)
        if k[i] & V and k[i + 1] & AFTER_V and within(k, i + 1, i + 13, LATIN):
            n = put(ACCOUNT_LATIN, i, found, n)
    return n


@lean_kernel
def _twelve(k: Classes, i: int) -> bool:
    """Whether twelve figures, with single characters between them, may begin at i."""
    for j in range(i, i + 11):  # noqa: SIM110  # numba compiles no generator
        if not (k[j] | k[j + 1]) & SPOKEN:
            return False
    return True


@lean_kernel
def births(c: Classes, k: Classes, end: int, found: Found, n: int) -> int:
    """Days of birth, from the 生 back."""
    behind = MARGIN
    for i in range(MARGIN, end):
        if c[i] != ord("生"):
            continue
        said = c[i - 1] == ord("出") or c[i + 1] == ord("于") or c[i + 1] == ord("日")
        if said or k[i - 1] & DAY_END:
            for j in range(max(behind, i - 18), i + 1):
                if k[j] & BIRTH_BEGIN:
                    n = put(BIRTH, j, found, n)
            behind = i + 1
    return n


@lean_kernel
def addresses(c: Classes, k: Classes, end: int, found: Found, n: int) -> int:
    """Addresses, from the 号 or 栋 back."""
    behind = MARGIN
    for i in range(MARGIN, end):
        if not k[i] & HOUSE:
            continue
        after = i + 1
        if c[i] == ord("号"):
            low, high = _road(c, k, i)
            for j in range(max(low, behind), high):
                if k[j] & PLACE:
                    n = put(ADDRESS, j, found, n)
            behind = max(behind, high)
            if c[after] != ord("楼"):
                continue
            after += 1
        if k[after] & (LATIN | NUMERAL | DIGIT):
            for j in range(max(MARGIN, i - 5), i):
                if k[j] & (LATIN | NUMERAL):
                    n = put(ADDRESS, j, found, n)
    return n


@lean_kernel
def _road(c: Classes, k: Classes, i: int) -> tuple[int, int]:
    """From where to where an address can begin whose house number ends before i."""
    low, high = i, 0
    j = i - 2 if c[i - 1] == ord(" ") else i - 1
    if not k[j] & (NUMERAL | DIGIT):
        return low, high
    while i - j <= 24 and k[j] & ALONG_ROAD:
        if k[j] & ROAD_END:
            high = max(high, j)
            first = j
            while j - first < 17 and k[first - 1] & (PLACE | DIGIT):
                first -= 1
            low = min(low, first)
        j -= 1
    return low, high
