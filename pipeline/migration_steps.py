"""The steps a migration is made of: rename, merge, split, add, retire, as its file has them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Action = Literal["rename", "merge", "split", "add", "retire"]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
Version = Annotated[str, Field(pattern=r"^\w[\w.-]{0,30}$")]
"""A version is part of file names."""


class Table(BaseModel):
    """A part of the file: what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Rename(Table):
    """One label gets another code; its definition stays unless ``[[labels]]`` has a new one."""

    old: Code
    new: Code
    name_zh: str = ""


class Merge(Table):
    """Several labels become one, which may keep the code of one of them."""

    old: tuple[Code, ...] = Field(min_length=2)
    new: Code


class Split(Table):
    """One label becomes several, one of which may keep its code: then stored labels keep it too."""

    old: Code
    new: tuple[Code, ...] = Field(min_length=2)


class Add(Table):
    """A label there was not before."""

    new: Code


class Retire(Table):
    """A label that is given no more."""

    old: Code


@dataclass(frozen=True, slots=True)
class Step:
    """One change, whatever its kind: codes ``old`` give way to codes ``new``. ``place`` says where the file has it."""

    action: Action
    old: tuple[str, ...]
    new: tuple[str, ...]
    place: str = ""


def nth(table: str, number: int) -> str:
    """The place of a step in its file, as people are told it."""
    return f"第 {number + 1} 个 [[{table}]]"
