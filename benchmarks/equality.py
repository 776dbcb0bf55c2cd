"""Does the compiled reader say the same as the plain one, of every message?

    python -m benchmarks.equality [MESSAGES.csv]

Without a file, the labelled corpus is read. Compared are texts, validity, findings with their offsets, departments, review marks,
signatures and clues, which must be equal, and probabilities, whose largest difference is told.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from pipeline.classifier.compiled.read import compiled
from pipeline.classifier.read import open_reader
from pipeline.engine import chunked
from pipeline.intake.files import find_files
from pipeline.intake.reading import Intake
from pipeline.records import Opinion, Reading
from pipeline.workspace import SHIPPED, Workspace

PARTS = ("opinion", "valid", "findings", "departments", "needs_review", "signature", "clue")


def unequal(one: Reading, other: Reading) -> Iterator[str]:
    """What two readings differ in."""
    yield from (part for part in PARTS if getattr(one, part) != getattr(other, part))
    if one.beliefs.shape != other.beliefs.shape:
        yield "beliefs"


def compare(chunks: Sequence[list[Opinion]]) -> tuple[Counter[str], float]:
    """``(differences, furthest)``: how many readings differ in each part, and the largest difference of two probabilities."""
    reader = open_reader(Workspace(root=SHIPPED))
    fast = compiled(reader)
    differences: Counter[str] = Counter()
    furthest = 0.0
    for chunk in chunks:
        for one, other in zip(reader.read(chunk), fast.read(chunk), strict=True):
            found = list(unequal(one, other))
            differences.update(found)
            if "beliefs" not in found and one.beliefs.size:
                furthest = max(furthest, float(np.abs(one.beliefs - other.beliefs).max()))
    return differences, furthest


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("messages", nargs="?", type=Path, default=SHIPPED / "data/labelled")
    wanted = parser.parse_args()
    chunks = list(chunked(iter(Intake(find_files([wanted.messages]))), lambda _: None))
    found = Parallel(n_jobs=2)(delayed(compare)(chunks[start::2]) for start in range(2))
    differences: Counter[str] = sum((part for part, _ in found), Counter())
    print(f"{sum(map(len, chunks))} opinions; unequal: {dict(differences) or 'none'}")
    print(f"largest difference of a probability: {max(far for _, far in found):.1e}")


if __name__ == "__main__":
    main()
