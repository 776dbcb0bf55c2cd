"""Which opinions are to go: by id and text, since two rounds may give the same id to different opinions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pipeline.intake.repeats import NEAR
from pipeline.records import key_of
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.text.shingles import N_PERMUTATIONS, signature

TELLING = 12
"""Characters from which a text by itself says whose it is: shorter ones are said by many."""


@dataclass(frozen=True)
class Wanted:
    """Opinions to take out: id → its texts, as they are stored.

    With ``nearly``, a text under the same id that is only a little different is the same opinion: another version of the
    program may have masked it otherwise.
    """

    texts: Mapping[str, Collection[str]] = field(repr=False)
    nearly: bool = True

    def holds(self, identity: str, text: str) -> bool:
        """Whether an opinion is one of them: its id, and its text."""
        known = self.texts.get(identity, ())
        return text in known or (self.nearly and any(same(text, other) for other in known))

    def says(self, text: str) -> bool:
        """Whether a text is one of theirs, under whatever id."""
        return len(text) >= TELLING and masked(text) in self._said

    @property
    def opinions(self) -> list[tuple[str, Collection[str]]]:
        """Each of them: its id, and its texts; only with ``nearly`` are several texts under an id one opinion."""
        if self.nearly:
            return list(self.texts.items())
        return [(identity, (text,)) for identity, texts in self.texts.items() for text in texts]

    @cached_property
    def keys(self) -> frozenset[str]:
        """Their keys in the store of answers."""
        return frozenset(key_of(identity, text) for identity, texts in self.texts.items() for text in texts)

    @cached_property
    def long_texts(self) -> tuple[str, ...]:
        """Their texts that are long enough to be looked for by themselves."""
        return tuple(sorted({t for texts in self.texts.values() for t in texts if len(t) >= TELLING}))

    @cached_property
    def _said(self) -> frozenset[str]:
        return frozenset(masked(text) for texts in self.texts.values() for text in texts)


def masked(text: str) -> str:
    """A text as the program writes it."""
    return mask(normalise(text))


def same(text: str, other: str) -> bool:
    """Whether two texts under one id are one opinion: equal, or as near as repeats are."""
    one, two = masked(text), masked(other)
    if one == two:
        return True
    first, second = (np.frombuffer(signature(t), dtype="<u4")[:N_PERMUTATIONS] for t in (one, two))
    return float(np.mean(first == second)) >= NEAR


def different(texts: Iterable[str]) -> list[str]:
    """One text of each opinion among several under one id, in order of appearance."""
    firsts: list[str] = []
    for text in texts:
        if not any(same(text, first) for first in firsts):
            firsts.append(text)
    return firsts
