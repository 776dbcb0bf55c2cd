"""Any text, cleaned and masked: neither undoes the other, however often and in whichever order they come."""

from __future__ import annotations

from pipeline.text.clauses import split_clauses
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.text.validity import is_valid

_LONGEST = 4000
"""Bytes: two opinions of usual length."""

_SAID = (
    "我叫王小二，电话 139-1234-5678，身份证450103199003071234，微信abc_12345。",
    "供應處李處長１３９１２３４５６７８收了红包；桂A12345停在民族大道12号3栋502室",
    "账号6222 0212 3456 7890 123，邮箱ab.c@d-e.com，座机(0771)2345678-123",
    "老李、小赵、张姐说：统一代码91450100MA5KX12345，质检站陈科长=1+1",
    "_x000D_&nbsp;<br/>①㎡…\u3000\u200b收\u202e红é包é🧧👨‍👩‍👧",
    "幺三八幺二三四五六七八，一三九 一二三四 五六七八",
)


def seeds() -> list[bytes]:
    """Texts with personal data of every kind, and with what normalisation changes."""
    return [text.encode() for text in _SAID]


def check(data: bytes) -> None:
    """Clean and mask the text that the bytes are in UTF-8, halves of characters included.

    Raises:
        AssertionError: a second pass changes something, or a clause lies outside the text.
    """
    try:
        text = data[:_LONGEST].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = data[:_LONGEST].decode("utf-8", "replace")
    clean = normalise(text)
    masked = mask(clean)
    masked.encode()
    if normalise(clean) != clean:
        raise AssertionError("normalising twice is not normalising once")
    if mask(masked) != masked:
        raise AssertionError("masking twice is not masking once")
    if normalise(masked) != masked:
        raise AssertionError("normalising changes a masked text")
    is_valid(masked)
    if not all(0 <= clause.start < clause.end <= len(masked) for clause in split_clauses(masked)):
        raise AssertionError("a clause lies outside the text")
