"""Watching the model: what changed between a round of opinions and a reference, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import Literal

import numpy as np

from pipeline.aggregate.rounds import fisher
from pipeline.learn.changes import (
    FALSE_DISCOVERIES,
    MORE_CASES,
    Change,
    LabelChange,
    label_changes,
    q_values,
    two_proportions,
)
from pipeline.learn.language import (
    Apart,
    Unseen,
    Words,
    Writers,
    compare_with_writers,
    told_apart,
    unseen_words,
    words_of,
)
from pipeline.learn.metrics import ratio
from pipeline.learn.rounds import OTHER, Corpus, Round, doubtful
from pipeline.learn.themes import Group, marking_words, stable_groups
from pipeline.taxonomy import Taxonomy
from pipeline.text.segment import Segmenter

MOVED_AUC = 0.65
"""Between two rounds the language has moved when even the interval's lower end is above this. Random halves of one
language give 0.5; 0.65 means that of a new and an old opinion the newer is recognised about two times in three: more
than a change in the mix of subjects, which a model bears, makes. Measured on letters to a public board: 0.50 (0.47–0.53)
between random halves, 0.54 (0.51–0.57) between neighbouring half-years, 0.82 (0.81–0.84) between 2010–2018 and 2018–2020."""

MOVED_WRITERS = 0.95
"""From the corpus the language has moved when the batch is told apart better than this share of the corpus' own
writers: a composed corpus is told from anything real, so that 0.5 is no measure there."""

NEW_SHARE = 0.002
"""Beside the corpus a theme is new when fewer of its opinions than this share hold two of the theme's words."""

LOOK_AT = 30

Verdict = Literal["retrain", "look", "nothing"]


@dataclass(frozen=True, slots=True)
class Theme:
    """A stable group among the opinions without a fitting label or sure decision.

    ``now`` opinions of this round, of them ``other`` labelled :data:`~pipeline.learn.rounds.OTHER` and ``unsure``; ``ids`` are theirs, the most
    typical first. Beside an earlier round ``before`` counts its opinions in the group, ``q`` tests growth; beside the
    corpus ``elsewhere`` is the share of its opinions with two of the ``words``. ``rising``: growing, or new.
    """

    words: tuple[str, ...]
    now: int
    other: int
    unsure: int
    stability: float
    ids: tuple[str, ...]
    before: int | None = None
    q: float | None = None
    elsewhere: float | None = None
    rising: bool = False


@dataclass(frozen=True)
class Drift:
    """Everything measured. ``writers`` beside the corpus, ``labels`` beside an earlier round; ``look_at`` are ids.

    ``apart`` and ``writers`` are None where there are too few opinions to tell.
    """

    opinions: int
    reference: int
    model: str
    since: bool
    apart: Apart | None
    writers: Writers | None
    unseen: Unseen
    unsure: Change
    labels: tuple[LabelChange, ...]
    themes: tuple[Theme, ...]
    looked_at: int
    look_at: tuple[str, ...]

    @property
    def language_moved(self) -> bool:
        """By :data:`MOVED_AUC` beside an earlier round, by :data:`MOVED_WRITERS` beside the corpus."""
        if self.since:
            return self.apart is not None and self.apart.low > MOVED_AUC
        return self.writers is not None and self.writers.share >= MOVED_WRITERS

    @property
    def rising(self) -> tuple[Theme, ...]:
        """The themes that are new or growing."""
        return tuple(theme for theme in self.themes if theme.rising)

    @property
    def verdict(self) -> Verdict:
        """What to do; see :func:`judge`."""
        return judge(self.language_moved, self.unsure.moved, bool(self.rising))


def judge(language_moved: bool, more_unsure: bool, theme_rising: bool) -> Verdict:
    """``retrain`` where the language moved and the model became unsure by it; ``look`` where one of the three is so."""
    if language_moved and more_unsure:
        return "retrain"
    return "look" if language_moved or more_unsure or theme_rising else "nothing"


def measure(
    now: Round,
    reference: Round | Corpus,
    taxonomy: Taxonomy,
    segmenter: Segmenter,
    progress: Callable[[str], None] = lambda _: None,
) -> Drift:
    """Compare a round with an earlier one read by the same model, or with the corpus; the same input, the same figures."""
    before = reference if isinstance(reference, Round) else None
    corpus = reference if isinstance(reference, Corpus) else None
    progress("比较语言")
    apart = told_apart(now.texts, reference.texts)
    writers = compare_with_writers(now.texts, corpus.texts, corpus.sources) if corpus else None
    progress("比较用词")
    words, theirs = words_of(now.texts, segmenter), words_of(reference.texts, segmenter)
    unseen = unseen_words(words, theirs, corpus.sources if corpus else None)
    progress("找新主题")
    themes = _grown(now, words, before, theirs) if before else _new(now, words, theirs)
    return Drift(
        opinions=len(now.ids),
        reference=len(reference.texts),
        model=now.model,
        since=before is not None,
        apart=apart,
        writers=writers,
        unseen=unseen,
        unsure=_unsure(now, reference),
        labels=label_changes(now, before, taxonomy) if before else (),
        themes=themes,
        looked_at=int(doubtful(now).sum()),
        look_at=_look_at(now, [theme.ids for theme in themes if theme.rising], apart),
    )


def _unsure(now: Round, reference: Round | Corpus) -> Change:
    """Beside the corpus a little against the round, where a department in doubt asks for review too."""
    if isinstance(reference, Round):
        known = int(reference.unsure.sum()), len(reference.ids)
    else:
        known = round(reference.reviewed_share * reference.opinions), reference.opinions
    return two_proportions(int(now.unsure.sum()), len(now.ids), *known)


def _grown(now: Round, words: Words, before: Round, theirs: Words) -> tuple[Theme, ...]:
    """Themes of both rounds together with their growth (Fisher's exact test, one-sided), rising ones first.

    Found without regard to the round: groups found in one and looked for in the other would always seem to have grown.
    """
    mine, earlier = (np.flatnonzero(doubtful(side)).tolist() for side in (now, before))
    n, m = len(now.ids), len(before.ids)
    documents = [*(words[i] for i in mine), *(theirs[i] for i in earlier)]
    everything, place = [*words, *theirs], [*mine, *(n + row for row in earlier)]
    found = [
        (theme, len(group.members) - theme.now)
        for group in stable_groups(documents)
        if (theme := _theme(group, place, everything, now)).now and theme.words
    ]
    p = [fisher(theme.now, n, b, m, "greater") for theme, b in found]
    themes = [
        replace(theme, before=b, q=q, rising=q < FALSE_DISCOVERIES and theme.now - b * n / m >= MORE_CASES)
        for (theme, b), q in zip(found, q_values(p), strict=True)
    ]
    return _in_order(themes)


def _new(now: Round, words: Words, corpus: Words) -> tuple[Theme, ...]:
    """Themes of the round with how rare their words are in the corpus, new ones first."""
    place = np.flatnonzero(doubtful(now)).tolist()
    known = [set(text) for text in corpus]
    themes = []
    for group in stable_groups([words[i] for i in place]):
        theme = _theme(group, place, words, now)
        if not theme.words:
            continue
        marks = set(theme.words)
        share = ratio(sum(len(marks & text) >= 2 for text in known), len(known))
        themes.append(replace(theme, elsewhere=share, rising=share < NEW_SHARE))
    return _in_order(themes)


def _theme(group: Group, place: Sequence[int], documents: Words, now: Round) -> Theme:
    """``place`` turns the group's rows into rows of ``documents``, whose first are those of the round."""
    rows = [place[i] for i in group.members]
    member = np.zeros(len(documents), dtype=bool)
    member[rows] = True
    mine = [row for row in rows if row < len(now.ids)]
    return Theme(
        words=marking_words(member, documents),
        now=len(mine),
        other=sum(OTHER in now.labels[row] for row in mine),
        unsure=int(now.unsure[mine].sum()),
        stability=group.stability,
        ids=tuple(now.ids[row] for row in mine),
    )


def _in_order(themes: Sequence[Theme]) -> tuple[Theme, ...]:
    return tuple(sorted(themes, key=lambda theme: (not theme.rising, -theme.now, theme.words)))


def _look_at(now: Round, rising: Sequence[Sequence[str]], apart: Apart | None) -> tuple[str, ...]:
    """At most :data:`LOOK_AT` ids: of rising themes in turn, the most typical first, then unsure ones, the most unusual first."""
    in_turn = [identity for row in zip_longest(*rising) for identity in row if identity is not None]
    rows = apart.rows if apart else np.arange(len(now.ids))
    usual = -apart.scores if apart else np.zeros(len(rows))
    order = rows[np.lexsort((usual, ~now.unsure[rows]))]
    return tuple(dict.fromkeys(chain(in_turn, (now.ids[row] for row in order.tolist()))))[:LOOK_AT]
