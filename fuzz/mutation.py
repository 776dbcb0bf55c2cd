"""Bytes made from bytes by a seeded chance, so that the targets stay alive where no fuzzer is installed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

TOKENS: tuple[bytes, ...] = (
    *(
        text.encode()
        for text in (
            "意见", "编号", "\n", "\r\n", ",", "\t", '"', "'", "=", "\ufeff", "\u202e", "\u200b", "\u0301", "🧧", "〔姓名〕", "_x000D_", "&nbsp;", "<br>",
            "１３９", "13912345678", "450103199003071234", "李处长", "我叫王小二", "老张", "复核", "行码", "✓", "对", "质检站", "；", "{", "}", "[", "]", "null",
            "true", "1e999", "-1", '"\\ud800"', "null\n", "\x00", "/", "..",
        )
    ),
    b"\xff\xfe", b"\xfe\xff", b"\xed\xa0\x80", b"\x81\x30\x81\x30", b"PK\x03\x04", b"PAR1", b"\x93NUMPY\x01\x00", b"\xff\xff\xff\xff",
)  # fmt: skip
"""What formats and rules look for; the dictionary of the fuzzer."""

ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "", "x", "\ud800", "\x00", "../x", "a\nb", "人" * 3000, [], [[]], {}, {"": {}},
)  # fmt: skip
"""Values that a JSON file may hold in any place."""


def mutations(seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """The seeds themselves, then ``count`` bytes made of them; the same for the same ``seed``."""
    yield from seeds
    chance = Random(seed)  # noqa: S311  # nothing is kept secret by it
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2, 4, 8))):
            _change(data, seeds, chance)
        yield bytes(data)


def _change(data: bytearray, seeds: list[bytes], chance: Random) -> None:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((0, 1, 1, 2, 8, 64)))
    way = chance.randrange(5)
    if way == 0:
        data[start:end] = chance.choice(TOKENS)
    elif way == 1:
        data[start:end] = chance.randbytes(chance.randrange(5))
    elif way == 2:
        del data[start:end]
    elif way == 3:
        other = chance.choice(seeds)
        cut = chance.randrange(len(other) + 1)
        data[start:end] = other[cut : cut + chance.choice((4, 32, 256))]
    else:
        data[start:start] = data[start:end]


def edited(document: Any, recipe: bytes) -> Any:
    """A JSON document in which some values are replaced, taken away or doubled, as the bytes of ``recipe`` say."""
    steps = iter(recipe)
    document = copy.deepcopy(document)
    for what in steps:
        place, key = _place(document, steps)
        if place is None:
            break
        if what % 4 == 0:
            del place[key]
        elif what % 4 == 1 and isinstance(place, list):
            place.append(copy.deepcopy(place[key]))
        else:
            place[key] = copy.deepcopy(ODD_VALUES[what // 4 % len(ODD_VALUES)])
    return document


def _place(document: Any, steps: Iterator[int]) -> tuple[Any, Any]:
    """A container inside the document and a key of it: one step down for every byte, until one of them says to stop."""
    found: tuple[Any, Any] = (None, None)
    here = document
    for step in steps:
        if not isinstance(here, dict | list) or not here:
            break
        keys = list(here) if isinstance(here, dict) else range(len(here))
        key = keys[step % len(keys)]
        found, here = (here, key), here[key]
        if step >= 224:
            break
    return found
