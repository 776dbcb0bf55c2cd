"""The values that travel through the program. Text is an accusation: it is in no ``repr``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

UNSPECIFIED = "未指明"
"""The department of a finding whose opinion names none."""


def key_of(opinion_id: str, text: str) -> str:
    """An opinion's key in the store of answers, 12 hexadecimal digits: another id or another text is another key."""
    return hashlib.sha256(f"{opinion_id}\0{text}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """One accepted row of input: as read when it comes from intake, normalised and masked inside a reading.

    ``text`` has the title joined before it with a line break. ``collected_on`` is ``YYYY-MM-DD`` or empty.
    """

    id: str
    text: str = field(repr=False)
    department: str = ""
    source_unit: str = field(default="", repr=False)
    collected_on: str = ""
    channel: str = ""
    labels: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One row of input that was not accepted, with its reason; ``row`` counts from 1 as the file shows it."""

    file: str
    sheet: str
    row: int
    reason: str
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One label of one opinion about one department.

    ``probability`` is calibrated, in [0, 1]. Its evidence is ``text[start:end]`` of the opinion's masked text.
    """

    department: str
    label: str
    probability: float
    start: int
    end: int
    needs_review: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the program made of one opinion: its columns normalised and masked, validity, findings.

    ``findings`` are in taxonomy order, then in order of departments. ``departments`` are those the opinion speaks
    about, whether or not a finding is tied to them, and ``beliefs`` (n_departments, n_labels) how likely each label is of
    each, given or not. ``signature`` stands for the text when repeats are looked for
    (:mod:`pipeline.text.shingles`; empty for opinions that are not valid). ``clue`` says why the opinion is for the
    discipline office alone (:mod:`pipeline.clues`), empty where it is not.
    """

    opinion: Opinion
    valid: bool
    findings: tuple[Finding, ...]
    departments: tuple[str, ...]
    needs_review: bool
    signature: bytes = field(repr=False)
    beliefs: npt.NDArray[np.float32] = field(repr=False, compare=False)
    clue: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The masked text, into which findings point."""
        return self.opinion.text

    @property
    def labels(self) -> tuple[str, ...]:
        """The opinion's label codes, each once, in the order of the findings."""
        return tuple(dict.fromkeys(finding.label for finding in self.findings))
