"""Normalisation that does no harm: what the program reads and writes is this text, masked."""

from __future__ import annotations

import functools
import re
import unicodedata

NOISE = re.compile(r"[\W_]+")
"""What is left out where only the words of a text count: punctuation, signs and blanks."""

_XML_ESCAPE = re.compile(r"_x000[dD]_|&nbsp;|<br\s*/?>", re.IGNORECASE)
ESCAPES_BEGIN = {"_": "x", "&": "n", "<": "b"}
"""The first two characters of all that ``_XML_ESCAPE`` finds; the letter may be a capital."""

DROPPED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffd\ud800-\udfff\ue000-\uf8ff]"
)
LEADING_SIGNS = "=+-@ \n"
"""Bullets and signs before a text: a spreadsheet program would calculate a cell that begins with one."""

BREAK_CHARACTERS = "\r\n\u2028\u2029\u0085"
SPACES = re.compile(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_BREAKS = re.compile(rf"[{BREAK_CHARACTERS}][ \n\r\u2028\u2029]*")


def _folded() -> dict[int, str]:
    """Characters that NFKC may replace one for one without changing what is said.

    Full-width letters and digits, compatibility ideographs and radicals. Not the punctuation (，！？ are
    Chinese punctuation, not wide ASCII), not ① or ㎡, whose expansion would join neighbouring numbers.
    """
    ranges = (
        (0xFF10, 0xFF1A),
        (0xFF21, 0xFF3B),
        (0xFF41, 0xFF5B),
        (0x2E80, 0x2FE0),
        (0xF900, 0xFB00),
    )
    table = {}
    for low, high in ranges:
        for point in range(low, high):
            plain = unicodedata.normalize("NFKC", chr(point))
            if len(plain) == 1 and plain != chr(point):
                table[point] = plain
    table[0xFF0B] = "+"
    table[0xFF20] = "@"
    table[0xFF0D] = "-"
    table[0xFF3F] = "_"
    return table


FOLD = _folded()
_FOLDED = re.compile("[" + "".join(map(chr, FOLD)) + "]")


@functools.cache
def _to_simplified() -> object:
    import opencc  # noqa: PLC0415  # loaded only when a traditional text is met

    return opencc.OpenCC("t2s")


def simplify(text: str) -> str:
    """Traditional → simplified; text that GB2312 can write is simplified already and left alone.

    The shortcut also keeps 著名 or 乾隆 in simplified text from being "converted".
    """
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return _to_simplified().convert(text)  # type: ignore[attr-defined,no-any-return]  # opencc is untyped
    return text


def normalise(text: str) -> str:
    """Clean a text; applying it twice changes nothing.

    Guaranteed afterwards: NFC; no control, zero-width, bidirectional, private-use or surrogate characters; line
    breaks are single ``\\n``, spaces single; half-width letters and digits; simplified characters; no sign or bullet
    in front. Emoji stay.
    """
    while (
        cleaned := _normalised_once(text)
    ) != text:  # what is dropped may part an escape, what is folded may join an accent
        text = cleaned
    return text


def _normalised_once(text: str) -> str:
    text = _XML_ESCAPE.sub("\n", text)
    text = DROPPED.sub("", _closed_up(text))
    text = _FOLDED.sub(lambda found: FOLD[ord(found.group())], unicodedata.normalize("NFC", text))
    return _closed_up(simplify(text)).strip().lstrip(LEADING_SIGNS)


def _closed_up(text: str) -> str:
    """Single spaces, single line breaks, no space before a break."""
    return _BREAKS.sub("\n", SPACES.sub(" ", text)).replace(" \n", "\n")
