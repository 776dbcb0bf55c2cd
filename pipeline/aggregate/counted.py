"""What was counted, as plain arrays, and the figures that need no table: enough for a run whose tables nobody asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.taxonomy import Taxonomy

Numbers = npt.NDArray[np.int32]


class Factor(NamedTuple):
    """What each of n opinions has of a few values: ``levels[codes[i]]``; ``codes`` is (n,), all levels occur."""

    codes: Numbers
    levels: list[str]


class Concerns(NamedTuple):
    """A row for each (opinion, department), by their numbers; ``cluster`` is the opinion that it repeats, or itself."""

    opinion: Numbers
    department: Numbers
    cluster: Numbers


class Cells(NamedTuple):
    """A row for each finding, as :class:`Concerns`, with the number of its label."""

    opinion: Numbers
    department: Numbers
    label: Numbers
    cluster: Numbers


@dataclass(frozen=True)
class Counted:
    """n opinions as counted.

    ``first`` (n,): the opinion each one repeats, or itself; ``kept`` (n,): those that count; ``valid`` and ``review`` (n,)
    within them; ``days``, ``channels``, ``sources`` of all. Of the kept alone: ``concerns``, with ``beliefs``
    (n_concerns, n_labels), and ``cells``.
    """

    first: Numbers
    kept: npt.NDArray[np.bool_]
    valid: npt.NDArray[np.bool_]
    review: npt.NDArray[np.bool_]
    days: Factor
    channels: Factor
    sources: Factor
    concerns: Concerns
    beliefs: npt.NDArray[np.float32]
    cells: Cells

    def valid_distinct(self) -> int:
        """Distinct valid opinions: of those that repeat one another, one."""
        return _distinct(self.first[self.valid])

    def share_about(self, department: int) -> float:
        """Share of the distinct valid opinions that are about a department, by its number; 0 without opinions."""
        about = _distinct(self.concerns.cluster[self.concerns.department == department])
        return about / max(1, self.valid_distinct())

    def totals(self, taxonomy: Taxonomy) -> dict[str, int | str]:
        """:attr:`~pipeline.aggregate.tables.Tables.totals`."""
        kept = np.unique(self.days.codes[self.kept]).tolist()
        days = sorted(filter(None, (self.days.levels[code] for code in kept)))
        kinds = np.array([label.kind for label in taxonomy.labels])[self.cells.label]
        told: dict[str, int | str] = {
            "accepted": int(self.kept.sum()),
            "distinct": _distinct(self.first[self.kept]),
            "valid": int(self.valid.sum()),
            "valid_distinct": self.valid_distinct(),
        }
        for kind in ("issue", "praise", "suggestion"):
            mine = kinds == kind
            told[kind] = _distinct(self.cells.opinion[mine])
            told[f"{kind}_distinct"] = _distinct(self.cells.cluster[mine])
        told["needs_review"] = int(self.review.sum())
        return told | {"first_day": days[0] if days else "", "last_day": days[-1] if days else ""}


def _distinct(values: Numbers) -> int:
    return len(np.unique(values))
