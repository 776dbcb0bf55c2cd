"""Many ids in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload


class Ids(Sequence[str]):
    """Ids in the order they came, 8 bytes each beside their letters; any text comes back as it was."""

    def __init__(self) -> None:
        self._letters = bytearray()
        self._ends = array("Q", [0])

    def extend(self, ids: Iterable[str]) -> None:
        """Put more at the end."""
        for identity in ids:
            self._letters += identity.encode("utf-8", "surrogatepass")
            self._ends.append(len(self._letters))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        number = range(len(self))[place]
        letters = self._letters[self._ends[number] : self._ends[number + 1]]
        return letters.decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        return (self[number] for number in range(len(self)))
