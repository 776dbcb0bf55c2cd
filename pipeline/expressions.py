"""Typical expressions: words that many people used of one cell, so that none of them can be told by his own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.text.clauses import split_clauses
from pipeline.text.segment import Segmenter

CELL = 10
"""Distinct opinions that a (department, label) must have before anything is quoted from it."""

SHARED = 5
"""Distinct opinions that must hold the very same words, and :data:`UNITS` units that they come from where units are told."""

UNITS = 3
SHORTEST, LONGEST = 4, 7
"""Characters of an expression: too few to know an opinion by."""

_TELLING = 3
"""Characters in common with the name of a unit that gave opinions from which an expression could point at it."""

MOST = 3
"""Expressions of one cell."""

TYPICAL = 2.0
"""How many times more often than in all other cells together an expression must be said in its own."""

ENOUGH = 2000
"""Opinions of a cell that are looked at: what more of them would say alike, these say already."""


class Evidence(NamedTuple):
    """What one opinion says in one cell; ``cluster`` is the opinion it repeats or itself, ``unit`` may be empty."""

    department: str
    label: str
    cluster: str
    unit: str
    text: str

    def __repr__(self) -> str:
        """Without the text."""
        return f"Evidence({self.department!r}, {self.label!r})"


def typical_expressions(
    evidence: Iterable[Evidence],
    segmenter: Segmenter,
    departments: Collection[str] = (),
    units: Collection[str] = (),
) -> Mapping[tuple[str, str], Sequence[str]]:
    """Expressions by (department, label), the most shared first; cells without any are left out.

    What is said as often of everything else is not typical. Guaranteed of each: the cell has :data:`CELL` distinct
    opinions at least; :data:`SHARED` of them, whose evidence is not the same text, hold the words; they come from :data:`UNITS`
    units or more (who tells no unit is one by himself); none of the names of ``departments`` and ``units`` is in them, of a
    unit's no :data:`_TELLING` characters; between :data:`SHORTEST` and :data:`LONGEST` characters, whole words without numbers,
    letters or anything masked, and without single characters in a row, as an unknown person's name would be cut.
    """
    cells: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for item in evidence:
        members = cells[item.department, item.label]
        if len(members) < ENOUGH:
            members.append(item)
    pieces = {unit[at : at + _TELLING] for unit in units for at in range(len(unit) - _TELLING + 1)}
    said = {cell: _said(items, segmenter) for cell, items in cells.items()}
    sizes = {cell: len({item.cluster for item in items}) for cell, items in cells.items()}
    everywhere = Counter({phrase: 0 for phrases in said.values() for phrase in phrases})
    for phrases in said.values():
        everywhere.update({phrase: len(voices) for phrase, (voices, _) in phrases.items()})
    total = sum(sizes.values())
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for cell, phrases in said.items():
        if sizes[cell] >= CELL:
            n, others = sizes[cell], total - sizes[cell]
            common = {
                phrase: len(voices)
                for phrase, (voices, givers) in phrases.items()
                if len(voices) >= SHARED
                and len(givers) >= UNITS
                and len(voices) * others >= TYPICAL * (everywhere[phrase] - len(voices)) * n
                and not any(phrase[at : at + _TELLING] in pieces for at in range(len(phrase) - _TELLING + 1))
                and not any(name in phrase for name in departments)
            }
            if chosen := _chosen(common):
                found[cell] = chosen
    return found


def _said(items: Sequence[Evidence], segmenter: Segmenter) -> dict[str, tuple[set[str], set[str]]]:
    """Phrase → the voices that say it, and the units that they come from.

    One text is one voice, of whatever departments it was said: pasted often it is not said by many.
    """
    said: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    voice: dict[str, str] = {}
    for item in items:
        for phrase in set(_phrases(item.text, segmenter)):
            voices, givers = said[phrase]
            voices.add(voice.setdefault(item.text, item.cluster))
            givers.add(item.unit or f"\0{item.cluster}")
    return said


def _chosen(common: Mapping[str, int]) -> tuple[str, ...]:
    """The expressions that cover most, none within another."""
    chosen: list[str] = []
    for phrase in sorted(common, key=lambda phrase: (-common[phrase] * len(phrase), phrase)):
        if not any(phrase in other or other in phrase for other in chosen):
            chosen.append(phrase)
    return tuple(chosen[:MOST])


def _phrases(text: str, segmenter: Segmenter) -> Iterator[str]:
    """Runs of whole Chinese words within a clause."""
    for clause in split_clauses(text):
        words = segmenter.tokens(text[clause.start : clause.end])
        for first in range(len(words)):
            phrase, single = "", False
            for word in words[first:]:
                chinese = all("\u4e00" <= character <= "\u9fff" for character in word)
                if not chinese or (single and len(word) == 1):
                    break
                phrase, single = phrase + word, len(word) == 1
                if len(phrase) > LONGEST:
                    break
                if len(phrase) >= SHORTEST:
                    yield phrase
