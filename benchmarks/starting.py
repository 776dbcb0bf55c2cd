"""What it costs to begin: the program's help, ten rows, and a large file before and after its loops are compiled."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.messages import messages, write
from benchmarks.processes import PROGRAM, Cost, available, timed

FEW, MANY = 10, 5000
"""Rows of a small file, and of one large enough to be read compiled."""


def starts(texts: Sequence[str], rounds: int) -> dict[str, list[Cost]]:
    """Costs of each command as a whole process, ``rounds`` times; compiling is measured once, in an empty cache of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, many, cache = folder / "few.csv", folder / "many.csv", folder / "cache"
        write(messages(texts, FEW), few)
        write(messages(texts, MANY), many)

        def cost(*words: str | Path) -> Cost:
            cached = {"NUMBA_CACHE_DIR": str(cache)}
            return timed(PROGRAM, *words, folder=folder, on=available(), variables=cached)

        def classified(file: Path) -> Cost:
            return cost("classify", file, "-o", folder / file.stem)

        cost("--help")  # the first start reads the program from the disk
        return {
            "qingyi --help": [cost("--help") for _ in range(rounds)],
            f"qingyi classify，{FEW} 行": [classified(few) for _ in range(rounds)],
            f"qingyi classify，{MANY:,} 行，第一次（先编译）": [classified(many)],
            f"qingyi classify，{MANY:,} 行，以后": [classified(many) for _ in range(rounds)],
        }
