"""Where the rules of :mod:`pipeline.text.names` can begin to match."""

from __future__ import annotations

from pipeline.compiled.kernels import lean_kernel
from pipeline.compiled.mask_classes import (
    AFTER_TITLE,
    BARE,
    BLOCK,
    DESCRIBED,
    DOUBLE,
    ENTRY,
    ENTRY_AFTER,
    FAMILIAR,
    FAMILIAR_BEFORE,
    GIVEN,
    HEAD,
    INTRODUCED,
    KIN,
    KINLIKE,
    KINLIKE_WORD,
    KINSHIP,
    LEAD,
    LEFT,
    MARGIN,
    MARK_BEGIN,
    NAMELIKE,
    NO_NAME_BEFORE,
    RIGHT,
    ROLE_END,
    SELF,
    SELF_LEAD,
    SEX,
    SHARED_TITLE,
    SHARED_TITLE_AFTER,
    SHARING,
    SHORT_TITLE,
    SHORT_TITLE_AFTER,
    SHORT_TITLE_BEFORE,
    SHORT_TITLED,
    SURE,
    SURNAME,
    SURNAME_BEGIN,
    SURNAME_SAID,
    TITLE,
    TITLED,
    VEIL,
    VEILED,
    WEAK,
    WORD,
    Classes,
    Found,
    put,
    within,
)


@lean_kernel
def titled_names(c: Classes, k: Classes, pair: Classes, end: int, found: Found, n: int) -> int:
    """The rules that begin with a surname, or with what leads up to one."""
    for i in range(MARGIN, end):
        if pair[i] & LEAD and (k[i + 2] | k[i + 3] | k[i + 4] | k[i + 5]) & SURNAME_BEGIN:
            n = put(INTRODUCED, i, found, n)
        if pair[i] & SELF_LEAD and k[i + 2] & SURNAME_BEGIN:
            n = put(SELF, i, found, n)
        if not k[i] & SURNAME_BEGIN:
            continue
        if pair[i] & DOUBLE:
            n = _after_surname(c, k, pair, i, i + 2, end, found, n)
        if k[i] & SURNAME and not (pair[i] & WORD or pair[i - 1] & BLOCK):
            n = _after_surname(c, k, pair, i, i + 1, end, found, n)
            if k[i + 1] & GIVEN and pair[i - 2] & HEAD:
                n = put(AFTER_TITLE, i, found, n)
            if k[i + 1] & GIVEN and pair[i - 2] & KINSHIP:
                n = put(KIN, i, found, n)
    return n


@lean_kernel
def _title(c: Classes, pair: Classes, j: int) -> bool:
    """Whether a title may begin at j, 副, 总 or 常务 before it included."""
    if c[j] == ord("副") or c[j] == ord("总"):
        return bool((pair[j] | pair[j + 1]) & TITLE)
    standing = c[j] == ord("常") and c[j + 1] == ord("务")
    return bool(pair[j] & TITLE) or (standing and bool(pair[j + 2] & TITLE))


@lean_kernel
def _after_surname(
    c: Classes, k: Classes, pair: Classes, i: int, j: int, end: int, found: Found, n: int
) -> int:
    """The rules that can match a surname from i to j."""
    one = k[j] & GIVEN
    two = one and k[j + 1] & GIVEN
    if _title(c, pair, j) or (one and _title(c, pair, j + 1)) or (two and _title(c, pair, j + 2)):
        n = put(TITLED, i, found, n)
    short = k[j] & SHORT_TITLE and (j + 2 >= end or (k[j + 1] | k[j + 2]) & SHORT_TITLE_BEFORE)
    if short and (i == MARGIN or k[i - 1] & SHORT_TITLE_AFTER):
        n = put(SHORT_TITLED, i, found, n)
    shared = pair[j] & TITLE or (k[j] & SHARING and within(pair, j + 1, j + 6, TITLE))
    if shared and (i == MARGIN or k[i - 1] & SHARED_TITLE_AFTER):
        n = put(SHARED_TITLE, i, found, n)
    if one and (k[j + 2] | k[j + 3]) & SEX:
        n = put(DESCRIBED, i, found, n)
    entered = one and (within(k, j + 1, j + 4, SEX) or within(k, j + 1, j + 9, MARK_BEGIN))
    if entered and (i == MARGIN or k[i - 1] & ENTRY_AFTER):
        n = put(ENTRY, i, found, n)
    if (c[i - 1] == ord("老") or c[i - 1] == ord("小")) and (j == end or k[j] & FAMILIAR_BEFORE):
        n = put(FAMILIAR, i, found, n)
    if k[j] & KINLIKE_WORD:
        n = put(KINLIKE, i, found, n)
    if k[j] & VEIL:
        n = put(VEILED, i, found, n)
    if c[i - 1] == ord("姓"):
        n = put(SURNAME_SAID, i, found, n)
    return n


@lean_kernel
def bare_names(c: Classes, k: Classes, pair: Classes, end: int, found: Found, n: int) -> int:
    """The matches of BARE, exactly, less those that what stands around them cannot tell to be names."""
    at = MARGIN
    for i in range(MARGIN, end):
        if i < at or not k[i] & SURNAME_BEGIN:
            continue
        j = i + 2
        behind = _bare_end(c, k, j) if pair[i] & DOUBLE else 0
        if not behind and k[i] & SURNAME:
            j = i + 1
            behind = _bare_end(c, k, j)
        if behind:
            at = behind
            if _may_be_told(c, k, pair, i, j, behind, end):
                n = put(BARE, i, found, n)
    return n


@lean_kernel
def _bare_end(c: Classes, k: Classes, j: int) -> int:
    """Where a given name that begins at j ends, two characters before one; 0 where there is none."""
    for length in range(2, 0, -1):
        behind = j + length
        if (
            k[j] & NAMELIKE
            and k[behind - 1] & NAMELIKE
            and c[behind - 1] != ord("先")
            and c[behind - 1] != ord("家")
            and not (c[behind - 2] == ord("先") and c[behind - 1] == ord("生"))
            and not k[behind] & NO_NAME_BEFORE
        ):
            return behind
    return 0


@lean_kernel
def _may_be_told(c: Classes, k: Classes, pair: Classes, i: int, j: int, behind: int, end: int) -> bool:
    """What ``pipeline.text.names`` asks of a bare name, with roles and what follows taken for granted where they may be."""
    if j == i + 1 and (pair[i] & WORD or pair[i - 1] & BLOCK):
        return False
    weak = j == i + 1 and k[i] & WEAK > 0
    left = i == MARGIN or k[i - 1] & LEFT > 0 or (c[i - 2] == ord("本") and c[i - 1] == ord("人"))
    right = behind == end or k[behind] & RIGHT > 0
    role = k[i - 1] & ROLE_END > 0 or (c[i - 1] == ord("\n") and k[i - 2] & ROLE_END > 0)
    sure = (k[j] & SURE > 0) + (behind == j + 2 and k[j + 1] & SURE > 0)
    if behind == j + 2:
        return bool(role or sure + left + (left and right) >= 1 + weak)
    return bool((role and (right or sure > 0)) or (sure > 0 and left and right and not weak))
