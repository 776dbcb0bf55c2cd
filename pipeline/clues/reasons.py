"""Which opinions are clues (问题线索): they name a person together with an amount, a date or bribery.

Clues go to the discipline office only. The text is masked, so a name is its mark and the title or office beside it
(``〔姓名〕处长``, ``供应处老〔姓名〕``); 处长 alone names nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from pipeline.clues.named import Named
from pipeline.clues.words import DATE, MONEY, RETURNED, TAKEN, gives, may_give, refuses
from pipeline.taxonomy import Taxonomy
from pipeline.text.clauses import Clause
from pipeline.text.segment import Segmenter

Reason = Literal["money", "date", "bribery"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""In the order in which they are given."""


_BY_BRIBERY: frozenset[Reason] = frozenset({"bribery", "money"})


class Concerns(NamedTuple):
    """Labels that say ``bribery`` by themselves, and those about ``work_style``: there an amount or a date counts only close to the name."""

    bribery: frozenset[str]
    work_style: frozenset[str]


CONCERNS = Concerns(
    frozenset({"gifts_and_bribes", "product_solicitation"}),
    frozenset({"cold_treatment", "stalling", "opacity", "formalism"}),
)
"""Those of the shipped taxonomy."""

_REACH, _LABEL_REACH = 2, 4
"""Clauses before and after an official's name, in its paragraph, in which words or a label's evidence are about him."""


class Evidence(NamedTuple):
    """A label that an opinion carries, or an issue withheld that a person is asked to look at, and where it shows.

    ``about`` are the numbers of the clauses that speak about the same department; None where the opinion is about one.
    """

    label: str
    start: int
    end: int
    about: Collection[int] | None = None


def clue_reasons(
    text: str,
    named: Sequence[Named],
    clauses: Sequence[Clause],
    evidence: Sequence[Evidence],
    taxonomy: Taxonomy,
    segmenter: Segmenter,
    concerns: Concerns = CONCERNS,
) -> tuple[Reason, ...]:
    """Why an opinion is a clue, in the order of :data:`REASONS`; empty where it is none. ``text`` is masked, ``clauses`` are its own.

    ``named`` are they that :func:`~pipeline.clues.named.who_is_named` finds in it.

    Not named are the writer, whom the letter is addressed to, and who is asked or thanked. An amount or a calendar date (a month of a year or with its day, 去年中秋) counts near an official and the
    evidence of an issue, an amount also where he takes it. Bribery is one of the labels that it ``concerns`` or the lexicon's
    terms for it, unless refused or denied; it counts near an official, or in the clause that names anybody else, and an amount there with it. Where there
    is praise, a name beside something returned is passed over; praise alone is a clue by those terms only, since a model may
    take an accusation for it. Time is linear in the text's length.
    """
    labels = {shown.label for shown in evidence}
    praised = any(taxonomy[label].kind == "praise" for label in labels)
    only_praised = praised and labels.isdisjoint(taxonomy.issues)
    opinion = _Opinion(text, evidence, clauses)
    found: set[Reason] = set()
    clause = 0
    for start, official in named:
        while clause < len(clauses) - 1 and clauses[clause].end <= start:
            clause += 1
        if praised and any(map(RETURNED.search, opinion.said(opinion.near(clause, _LABEL_REACH)))):
            continue
        if not found.issuperset(_BY_BRIBERY) and _bribery(
            opinion, clause, official, segmenter, concerns.bribery
        ):
            found.add("bribery")
            near = opinion.near(clause, _REACH if official else 0)
            found.update(["money"] if any(map(MONEY.search, opinion.said(near))) else [])
        if official and not only_praised:
            found |= _amounts_and_dates(opinion, clause, taxonomy.issues, concerns.work_style)
    return tuple(reason for reason in REASONS if reason in found)


@dataclass(frozen=True)
class _Opinion:
    """A text clause by clause, with the evidence in it."""

    text: str = field(repr=False)
    evidence: Sequence[Evidence]
    clauses: Sequence[Clause]
    _gives: dict[int, bool] = field(default_factory=dict, repr=False)

    def gives(self, clause: int, segmenter: Segmenter) -> bool:
        """Whether a clause says that something was given or taken."""
        if clause not in self._gives:
            self._gives[clause] = gives(self.said([clause])[0], segmenter)
        return self._gives[clause]

    def near(self, clause: int, reach: int) -> range:
        """The clauses not further away than ``reach`` and in the same paragraph."""
        first = last = clause
        while first > max(0, clause - reach) and not self._break(first - 1):
            first -= 1
        while last < min(len(self.clauses) - 1, clause + reach) and not self._break(last):
            last += 1
        return range(first, last + 1)

    def _break(self, clause: int) -> bool:
        return "\n" in self.text[self.clauses[clause].end : self.clauses[clause + 1].start]

    def said(self, clauses: Iterable[int]) -> list[str]:
        """What clauses say."""
        return [self.text[self.clauses[n].start : self.clauses[n].end] for n in clauses]

    def labels(self, clause: int, reach: int) -> set[str]:
        """The labels that show near a clause and are about the department it speaks about."""
        near = self.near(clause, reach)
        start, end = self.clauses[near[0]].start, self.clauses[near[-1]].end
        return {
            shown.label
            for shown in self.evidence
            if shown.start < end and start < shown.end and (shown.about is None or clause in shown.about)
        }


def _amounts_and_dates(
    opinion: _Opinion, clause: int, issues: Collection[str], work_style: frozenset[str]
) -> set[Reason]:
    """What stands near an official's name in ``clause``: of work style, only just before it and in the same sentence."""
    found: set[Reason] = set()
    if any(map(TAKEN.search, opinion.said([clause]))):
        found.add("money")
    accused = opinion.labels(clause, _REACH) & set(issues)
    if accused:
        near: Iterable[int] = opinion.near(clause, _REACH)
        if accused <= work_style:
            sentence = opinion.clauses[clause].sentence
            near = (n for n in near if n in {clause - 1, clause} and opinion.clauses[n].sentence == sentence)
        said = opinion.said(near)
        found.update(["money"] if any(map(MONEY.search, said)) else [])
        found.update(["date"] if any(map(DATE.search, said)) else [])
    return found


def _bribery(
    opinion: _Opinion, clause: int, official: bool, segmenter: Segmenter, labels: frozenset[str]
) -> bool:
    """Whether a label or the words near a name say that something was given or taken, and none that it was refused."""
    if opinion.labels(clause, _LABEL_REACH if official else 0) & labels:
        return True
    near = opinion.near(clause, _REACH if official else 0)
    together = opinion.text[opinion.clauses[near[0]].start : opinion.clauses[near[-1]].end]
    return (
        may_give(together, segmenter.lexicon)
        and any(opinion.gives(other, segmenter) for other in near)
        and not any(refuses(said, segmenter) for said in opinion.said(near))
    )
