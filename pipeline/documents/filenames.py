"""Names of files made from names that people chose."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 60
"""Characters; with an extension, under 255 bytes in every encoding."""

_WIDE = str.maketrans('/\\:*?"<>|', "／＼：＊？＂＜＞｜")
"""What no system takes → its full-width form, which every one takes and a reader knows."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|COM\d|LPT\d)(?:\.|$)", re.IGNORECASE)


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Each name → a file name without extension, of at most :data:`LONGEST` characters, that every system takes.

    No two are the same, also where capitals are not told apart; what was good already stays as it is. Which of two
    clashing names gets a number depends on their order only.
    """
    taken: set[str] = set()
    made: dict[str, str] = {}
    for name in dict.fromkeys(names):
        stem = _safe(name)
        number = 1
        chosen = stem
        while chosen.casefold() in taken:
            number += 1
            mark = f"（{number}）"
            chosen = stem[: LONGEST - len(mark)] + mark
        taken.add(chosen.casefold())
        made[name] = chosen
    return made


def _safe(name: str) -> str:
    text = _CONTROL.sub("", unicodedata.normalize("NFC", name)).translate(_WIDE)
    text = " ".join(text.split())[:LONGEST].strip(". ")
    return f"＿{text}"[:LONGEST] if not text or _RESERVED.match(text) else text
