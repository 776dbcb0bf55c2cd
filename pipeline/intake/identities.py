"""An id for every opinion: its own where the row gives one that no earlier row had; and which ids surely tell of nobody."""

from __future__ import annotations

import re

REPEATED = "编号与前面的重复，已加上文件和行号"
"""The notice of a row whose id an earlier one had."""

IMPERSONAL = re.compile(
    """
      [A-Za-z0-9]{1,6}                            # 12b
    | [0-9]{1,9}                                  # 20250305
    | (?! [Qq][Qq0-9] | [VvWw][EeXx] )
      (?: [A-Za-z]{1,3} [0-9]{1,10}               # QY00000001
        | [A-Za-z]{0,3} [2-79] [0-9]{0,13}        # XF20250305001
      )
    | [A-HJ-NPR-UYZ]?                             # R00041ab492, 2025-0012, 3f2b-9c1e: figures in short runs
      (?: [0-9lo-]{1,9}+ (?![0-9lo-]) | [a-kmnr-uyz]++ )++
    """,
    re.VERBOSE,
)
"""Most ids, told at once: in none of these :func:`~pipeline.text.mask.mask` finds anything, a hundred times slower.

Of letters, figures and hyphens alone, its rules take seven characters from a Q, V or W on (accounts), nine from 62 on with an
x among them (cards), eighteen capitals and figures (credit codes), what follows ``passport`` and a hyphen, or ten figures,
hyphens and letters that look like figures (telephones). Ten to fourteen figures alone are taken only where they begin
with 0, 1 or 8; after a letter they are eleven at least.
"""


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
