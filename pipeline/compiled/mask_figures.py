"""Where the rules of :mod:`pipeline.text.mask` that go by shape alone can begin to match."""

from __future__ import annotations

from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.mask_classes import (
    ANYWHERE,
    CAPITAL,
    CARD,
    CJK,
    CODE,
    CREDIT_CODE,
    DIALLED,
    DIALLING,
    DIGIT,
    DOTTED,
    EMAIL,
    FIGURE,
    HIDING,
    IDENTITY,
    LANDLINE,
    LATIN,
    LOCAL,
    LOCAL_CUE,
    LOCAL_GAP,
    MAIL,
    MAIL_SIGN,
    MARGIN,
    MOBILE,
    ONE,
    PAUSE,
    PLATE,
    PROVINCE,
    SIGN,
    SPOKEN,
    TWO_TO_EIGHT,
    WEIBO,
    Classes,
    Found,
    put,
)


@lean_kernel
def long_numbers(c: Classes, k: Classes, pair: Classes, end: int, found: Found, n: int) -> int:
    """The rules that take many figures in a row, with pauses of up to six characters."""
    i = MARGIN
    while i < end:
        if not k[i] & FIGURE:
            i += 1
            continue
        last, many, j = i, 1, i + 1
        while j < end and j - last <= 7 and k[j] & (FIGURE | PAUSE):
            if k[j] & FIGURE:
                last = j
                many += 1
            j += 1
        if many >= 7:
            for j in range(max(MARGIN, i - 1), last + 1):
                n = _numbers_at(k, pair, j, many, found, n)
                many -= k[j] & FIGURE > 0
        i = last + 1
    return n


@lean_kernel
def _numbers_at(k: Classes, pair: Classes, j: int, many: int, found: Found, n: int) -> int:
    """Those that begin at j, or just before it, ``many`` figures being left."""
    if k[j] & TWO_TO_EIGHT:
        for gap in range(2, -1, -1):
            spaced = (gap < 1 or k[j - 1] & LOCAL_GAP) and (gap < 2 or k[j - 2] & LOCAL_GAP)
            if spaced and pair[j - gap - 2] & LOCAL_CUE:
                n = put(LOCAL, j - gap, found, n)
    if many >= 10 and k[j] & DIALLING:
        n = put(LANDLINE, j, found, n)
    if many >= 11 and k[j] & ONE:
        n = put(MOBILE, j, found, n)
    if many >= 15 and k[j] & (SPOKEN | DIGIT):
        n = put(IDENTITY, j, found, n)
    if many >= 16 and k[j] & SPOKEN:
        n = put(CARD, j, found, n)
    return n


@lean_kernel
def signs(c: Classes, k: Classes, end: int, found: Found, n: int) -> int:
    """The rules that a seldom character tells."""
    anywhere = 0
    code = 0
    for i in range(MARGIN, end):
        code = code + 1 if k[i] & CODE else 0
        if code == 18:
            n = put(CREDIT_CODE, i - 17, found, n)
        if k[i] & SIGN:
            n = _hidden(c, k, i, found, n)
            n = _plates(c, k, i, found, n)
            if c[i] == ord("微") and c[i + 1] == ord("博"):
                n = put(WEIBO, i, found, n)
            anywhere |= (c[i] == ord("·")) << DOTTED
            anywhere |= (c[i] == ord("〔") and c[i + 1] == ord("手")) << DIALLED
            anywhere |= _mail(c, k, i) << EMAIL
    for rule in (EMAIL, DIALLED, DOTTED):
        if anywhere >> rule & 1:
            n = put(rule, ANYWHERE, found, n)
    return n


@lean_kernel
def _hidden(c: Classes, k: Classes, i: int, found: Found, n: int) -> int:
    """Identity and card numbers with stars in them, from the first star at i, or from 62 at i."""
    if c[i] == ord("*") and k[i - 1] & DIGIT and c[i + 1] == c[i] and c[i + 2] == c[i]:
        first = i - 1
        while k[first - 1] & DIGIT and i - first < 17:
            first -= 1
        for j in range(first, i):
            n = put(IDENTITY, j, found, n)
    if c[i] == ord("6") and c[i + 1] == ord("2") and (k[i + 4] | k[i + 5]) & HIDING:
        n = put(CARD, i, found, n)
    return n


@lean_kernel
def _plates(c: Classes, k: Classes, i: int, found: Found, n: int) -> int:
    """Plates: a province, or 普, before a letter; after 牌, any character before a capital."""
    lettered = k[i + 1] & LATIN or (c[i + 1] == ord(" ") and k[i + 2] & LATIN)
    if lettered and (c[i] == ord("普") or k[i] & PROVINCE):
        n = put(PLATE, i, found, n)
    named = (k[i + 1] & CJK and k[i + 2] & CAPITAL) or (k[i + 2] & CJK and k[i + 3] & CAPITAL)
    if named and c[i] == ord("牌"):
        n = put(PLATE, i + 1, found, n)
    return n


@lean_kernel
def _mail(c: Classes, k: Classes, i: int) -> bool:
    """Whether @, or one of the ways around it, is at i behind a name."""
    said = c[i + 1] | 32 == ord("t") and c[i - 1] in (ord(" "), ord("("), ord("["))
    return (k[i] & MAIL_SIGN > 0 or said) and (k[i - 1] | k[i - 2] | k[i - 3]) & MAIL > 0
