"""An id for every opinion: its own where the row gives one that no earlier row had."""

from __future__ import annotations

REPEATED = "编号与前面的重复，已加上文件和行号"
"""The notice of a row whose id an earlier one had."""


class Identities:
    """The ids of a run's opinions, given out in order."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def one_more(self, given: str, place: str) -> tuple[str, bool]:
        """The id of the next opinion, which no other has, and whether an earlier one has the id ``given``.

        ``given`` is what its row says, "" where it says nothing; ``place`` is its file, sheet and row.
        """
        repeated = bool(given) and given in self._taken
        identity = f"{given}@{place}" if repeated else given or place
        while identity in self._taken:
            identity += "+"
        self._taken.add(identity)
        return identity, repeated
