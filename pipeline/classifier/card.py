"""What a model's card must hold: the program reads nothing else of it, and prints what it reads."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

VERSION = r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}"
"""A version, and the name of a file in its folder: no way out of the folder."""

_Name = Annotated[str, StringConstraints(pattern=f"^{VERSION}$")]
_Word = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]*$", max_length=10_000)
]
"""On one line, without what steers a terminal."""

_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    """A part of a card. Further entries are kept: later programs may add some."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")


class _Label(_Part):
    precision: _Share
    recall: _Share
    support: _Count


class _Measured(_Part):
    micro_f1: _Share
    macro_f1: _Share
    micro_precision: _Share
    micro_recall: _Share
    false_accusation_rate: _Share
    reviewed_share: _Share
    labels: dict[_Word, _Label]


class _File(_Part):
    name: _Word
    sha256: _Word


class _Rule(_Part):
    kept: bool
    rule: _Word
    found: _Word


class _Gate(_Part):
    passed: bool
    rules: list[_Rule] = []


class Card(_Part):
    """The card of a version; what has a default is of a model that learnt from people's answers."""

    version: _Name
    files: dict[_Name, _Word]
    taxonomy: _Word
    taxonomy_version: _Word
    lexicon: _Word
    corpus: _Word
    features: int
    libraries: dict[_Word, _Word]
    opinions: _Count
    support: dict[_Word, _Count]
    unseen: list[_Word]
    cross_validation: _Measured
    trained_at: _Word = ""
    parent: _Word = ""
    new_opinions: _Count = 0
    frozen_opinions: _Count = 0
    labelled: list[_File] = []
    gate: _Gate | None = None
