"""What compiled loops ask of a character: tables over all code points, made once a process."""

from __future__ import annotations

import functools
import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.compiled.codes import Codes, coded
from pipeline.compiled.keeping import kept_tables
from pipeline.text.normalise import NOISE

N_CODE_POINTS = 0x110000
UNICODE = unicodedata.unidata_version
"""The version that Python's tables are of, and so what is kept of these."""
UNSETTLED = 0xFFFFFFFF
"""In :func:`bare_forms`: what ``str.lower`` makes of this character is longer than one, or depends on those around it."""


def points(characters: str) -> Codes:
    """The code points of ``characters``, in order."""
    return coded([characters]).codes


def marked(characters: str) -> npt.NDArray[np.bool_]:
    """A table (``N_CODE_POINTS``,): true at the code points of ``characters``."""
    table = np.zeros(N_CODE_POINTS, dtype=np.bool_)
    table[points(characters)] = True
    return table


@functools.cache
def every_character() -> str:
    """All code points in order, surrogates among them."""
    return np.arange(N_CODE_POINTS, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")


class _Forms(NamedTuple):
    bare: Codes


@functools.cache
def bare_forms() -> Codes:
    """What is left of each code point in a text without punctuation and blanks, in lower case; 0 where nothing is.

    Shape (``N_CODE_POINTS``,). A text without ``UNSETTLED`` characters has, character by character, the forms of
    ``NOISE.sub("", text).lower()``.
    """
    return kept_tables(_Forms, f"forms-{UNICODE}", _forms).bare


def _forms() -> _Forms:
    kept = NOISE.sub("", every_character())
    table = np.zeros(N_CODE_POINTS, dtype=np.uint32)
    table[points(kept)] = [ord(lower) if len(lower) == 1 else UNSETTLED for lower in map(str.lower, kept)]
    table[ord("Σ")] = UNSETTLED  # ς at the end of a word
    return _Forms(table)
