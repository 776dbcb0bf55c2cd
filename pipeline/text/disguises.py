"""What a disguised word can stand for: ``data/disguises.tsv``, in columns ``kind``, ``plain`` and ``forms``.

``word``, ``term``, ``key``
    a word and its syllables: undone when spelt in letters, in part or whole. A ``term`` also when some of its characters are others
    of the same sound or look, or when it has three or more and stands backwards; a ``key`` whichever of its characters are changed.
``sound``, ``like``
    a syllable and its characters; a character and those it is mistaken for, each in one row.
``sign``, ``split``, ``short``
    signs and pictures, taken-apart characters, and initials that stand for a character or word.
``plain``, ``common``
    what looks like a disguise and is none: English words and units, neighbours in ordinary texts that sound like a word; the most
    frequent characters.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from pipeline.workspace import SHIPPED


@dataclass(frozen=True)
class Disguises:
    """The list, made ready to look things up in.

    ``spoken`` are words with their syllables; ``sounds`` and ``looks`` terms by the sounds and looks of their characters, one
    sign each, which ``sound`` and ``look`` translate to; ``turned`` words by themselves written backwards; ``whole`` characters by
    their parts, which ``splits`` finds; ``common`` are characters so frequent that they stand for no other.
    """

    words: frozenset[str]
    keys: frozenset[str]
    signs: dict[int, str]
    splits: re.Pattern[str]
    whole: dict[str, str]
    spoken: list[tuple[str, str]]
    short: dict[str, str]
    sound: dict[int, str]
    sounds: dict[str, str]
    look: dict[int, str]
    looks: dict[str, str]
    turned: dict[str, str]
    plain: frozenset[str]
    common: frozenset[str]

    @cached_property
    def heads(self) -> frozenset[str]:
        """First two characters, as they count, of all that ``sounds``, ``looks`` and ``turned`` hold."""
        return frozenset(form[:2] for forms in (self.sounds, self.looks, self.turned) for form in forms)

    @cached_property
    def spelt(self) -> dict[str, str]:
        """Words by syllables and, where they are one word's alone, initials; made when the first letters are met."""
        spelt: dict[str, str] = {}
        initials: dict[str, set[str]] = {}
        for word, spelling in self.spoken:
            for written, shortened in _spellings(word, spelling.split()):
                if shortened:
                    initials.setdefault(written, set()).add(word)
                else:
                    spelt.setdefault(written, word)
        return spelt | {written: min(found) for written, found in initials.items() if len(found) == 1}


def _spellings(word: str, syllables: list[str]) -> Iterator[tuple[str, bool]]:
    """Ways to write a word in letters, with whether by initials: all of it, one character, its first or its last ones."""
    size = len(word)
    spans = {(i, j) for i in range(size) for j in (i + 1, size)} | {(0, j) for j in range(1, size + 1)}
    for start, end in sorted(spans):
        yield word[:start] + "".join(syllables[start:end]) + word[end:], False
        if end - start < size:
            yield word[:start] + "".join(s[0] for s in syllables[start:end]) + word[end:], True


def _any_of(forms: Iterable[str]) -> re.Pattern[str]:
    """Any of some strings, the longest first; a look at the first character spares trying each."""
    longest = sorted(forms, key=len, reverse=True)
    first = "".join(sorted({form[0] for form in longest}))
    return re.compile(f"(?=[{re.escape(first)}])(?:{'|'.join(map(re.escape, longest))})")


@functools.lru_cache(maxsize=1)
def load_disguises() -> Disguises:
    """The shipped list, read once in each process."""
    lines = (SHIPPED / "data/disguises.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows: dict[str, list[tuple[str, str]]] = {}
    for line in lines:
        kind, plain, forms = line.split("\t")
        rows.setdefault(kind, []).append((plain, forms))
    keys, terms = ({word for word, _ in rows[kind]} for kind in ("key", "term"))
    spoken = rows["key"] + rows["term"] + rows["word"]
    sound = {
        ord(character): chr(0xE000 + number)
        for number, (_, characters) in enumerate(rows["sound"])
        for character in characters
    }
    by_syllable = {syllable: chr(0xE000 + number) for number, (syllable, _) in enumerate(rows["sound"])}
    look = {ord(character): plain for plain, characters in rows["like"] for character in characters}
    words = frozenset(word for word, _ in spoken)
    sounds: dict[str, str] = {}
    for word, spelling in spoken:
        if word in keys or word in terms:
            sounds.setdefault("".join(by_syllable.get(s, s) for s in spelling.split()), word)
            sounds.setdefault(word.translate(sound), word)
    whole = {form: plain for plain, forms in rows["split"] for form in forms.split()}
    return Disguises(
        words=words,
        keys=frozenset(keys),
        signs={ord(form): plain for plain, forms in rows["sign"] for form in forms.split()},
        splits=_any_of(whole),
        whole=whole,
        spoken=spoken,
        short={form: plain for plain, forms in rows["short"] for form in forms.split()},
        sound=sound,
        sounds=sounds,
        look=look,
        looks={word.translate(look): word for word, _ in [*rows["term"], *rows["key"]]},
        turned={
            word[::-1]: word for word in words if (word in keys or len(word) > 2) and word[::-1] not in words
        },
        plain=frozenset(form for _, forms in rows["plain"] for form in forms.split()),
        common=frozenset(rows["common"][0][1]),
    )
