"""How well opinions written to slip past a filter are read, against the same opinions written plainly.

    python benchmarks/disguise.py

200 variants composed by hand (``data/evaluation/disguised/``): the half the undoing was built with, the half that was left
alone until it was done, and each kind. Micro-F1 over labels.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.classifier.read import Reader, open_reader
from pipeline.learn.metrics import Bools, f1
from pipeline.records import Opinion
from pipeline.workspace import SHIPPED, Workspace

HALVES = ("building", "untouched")
"""Variants by turns: the first, third … were looked at while the undoing was written, the others once, when it was done."""


@dataclass(frozen=True)
class Figures:
    """Micro-F1 of ``opinions`` as they were written plainly and in disguise."""

    opinions: int
    original: float
    variant: float


def load_variants() -> list[dict[str, Any]]:
    """The shipped variants, in order."""
    path = SHIPPED / "data/evaluation/disguised/variants.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def measure(reader: Reader, variants: Sequence[dict[str, Any]]) -> dict[str, Figures]:
    """Figures of all variants, of each of :data:`HALVES`, and of each kind."""
    codes = reader.taxonomy.codes
    truth: Bools = np.array([[code in variant["labels"] for code in codes] for variant in variants])
    given = {
        key: reader.judge(
            [Opinion(id=v["id"], text=v[key], department=v["department"]) for v in variants]
        ).given
        for key in ("original", "text")
    }
    kinds = np.array([variant["kind"] for variant in variants])
    turns = np.arange(len(variants)) % len(HALVES)
    parts = {"all": np.ones(len(variants), dtype=bool)}
    parts |= {half: turns == turn for turn, half in enumerate(HALVES)}
    parts |= {kind: kinds == kind for kind in dict.fromkeys(kinds.tolist())}

    def score(key: str, part: Bools) -> float:
        true, said = truth[part], given[key][part]
        return f1(int((true & said).sum()), int(said.sum()), int(true.sum()))

    return {
        name: Figures(int(part.sum()), score("original", part), score("text", part))
        for name, part in parts.items()
    }


def main() -> None:
    """Measure and print."""
    for name, figures in measure(open_reader(Workspace(root=SHIPPED)), load_variants()).items():
        share = figures.variant / figures.original
        print(
            f"{name:14}{figures.opinions:4}  plain {figures.original:.3f}  disguised {figures.variant:.3f}  {share:.2f}"
        )


if __name__ == "__main__":
    main()
