"""A rule that finds something in a text by its shape, tried everywhere or only where a match can begin."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Rule:
    """What something looks like; a text that holds none of the ``signs``, or no match of ``needs``, is not looked through."""

    pattern: re.Pattern[str]
    signs: Sequence[str] = ()
    needs: re.Pattern[str] | None = None

    def worth_trying(self, text: str) -> bool:
        """Whether the text holds what it must for the rule to be tried."""
        return (not self.signs or any(sign in text for sign in self.signs)) and (
            self.needs is None or self.needs.search(text) is not None
        )

    def following(self, text: str, at: int, starts: Starts | None) -> re.Match[str] | None:
        """The first match that begins at ``at`` or later: with ``starts``, the first that begins at one of these."""
        places = None if starts is None else starts.get(self, ())
        if places is None:
            return self.pattern.search(text, at)
        for index in range(bisect_left(places, at), len(places)):
            if match := self.pattern.match(text, places[index]):
                return match
        return None


Starts = Mapping[Rule, Sequence[int] | None]
"""Where in one text matches of each rule can begin, in order, or None: anywhere. A rule that is not there has no match."""
