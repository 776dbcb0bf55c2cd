"""Cells of an .xlsx package whose formula has no result: the library that reads the cells shows them as blank, and a row of them as none."""

from __future__ import annotations

import posixpath
import re
from array import array
from zipfile import ZipFile

UNCALCULATED = "#未算出的公式"
"""Stands in such a cell."""

COLUMNS = 16_384
"""Columns of a sheet."""

_BLOCK = 1 << 22
"""Bytes read at once; a row longer than that has no cell of ours."""

# every pattern stops at the next tag: none looks twice at a text made to be long
_SHEET = re.compile(rb'<(?:\w+:)?sheet\s[^<>]*?\br:id="([^"<>]*)"')
_RELATIONSHIP = re.compile(rb"<(?:\w+:)?Relationship\s([^<>]*)>")
_ID, _TARGET = re.compile(rb'\bId="([^"]*)"'), re.compile(rb'\bTarget="([^"]*)"')
_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})(\d{1,7})"([^<>]*)>(<f[^<>]*(?:/>|>[^<]*</f>)(?:<v ?/>|<v></v>)?</c>)?'
)


def uncalculated(package: ZipFile) -> list[array[int]]:
    """Where formulas have no result, or an error for one: ``row * COLUMNS + column``, both from 0, by sheet in the workbook's order.

    What the package says of its parts' sizes is an upper bound of what is read.

    Raises:
        KeyError: a part is missing. What :mod:`zipfile` and zlib raise on a damaged package.
    """
    targets = {}
    for relationship in _RELATIONSHIP.findall(package.read("xl/_rels/workbook.xml.rels")):
        if (name := _ID.search(relationship)) and (target := _TARGET.search(relationship)):
            targets[name[1]] = posixpath.join("/xl", target[1].decode()).removeprefix("/")
    parts = [targets[name] for name in _SHEET.findall(package.read("xl/workbook.xml"))]
    found = {part: _in_part(package, part) for part in dict.fromkeys(parts)}
    return [found[part] for part in parts]


def _in_part(package: ZipFile, part: str) -> array[int]:
    found = array("q")
    text, block = b"", b"<"
    with package.open(part) as file:
        while block:
            block = file.read(_BLOCK)
            text += block
            whole = max(0, text.rfind(b"<row")) if block else len(text)
            if b"<f" in text or b't="e"' in text:
                for letters, row, attributes, formula in _CELL.findall(text, 0, whole):
                    if formula or b't="e"' in attributes:
                        found.append((int(row) - 1) * COLUMNS + _column(letters))
            text = text[whole:][-_BLOCK:]
    return found


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
