"""The words that a segmenter cuts by, with their frequencies: jieba's dictionary and the lexicon's terms."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path

from pipeline.text.segment import Segmenter


def frequencies(segmenter: Segmenter) -> dict[str, int]:
    """Word → frequency, as the segmenter has them; their sum is the total it divides by.

    The dictionary is that of jieba, read without loading jieba; rjieba carries the same one.
    """
    import pandas as pd  # noqa: PLC0415  # the tables made of it are kept: most processes never read it

    spec = find_spec("jieba")
    where = spec.submodule_search_locations if spec else None
    assert where  # noqa: S101  # a dependency
    table = pd.read_csv(
        Path(where[0], "dict.txt"), sep=" ", header=None, names=["word", "frequency", "tag"],
        usecols=["word", "frequency"], quoting=csv.QUOTE_NONE, keep_default_na=False, encoding="utf-8",
    )  # fmt: skip
    known: dict[str, int] = dict(zip(table["word"].tolist(), table["frequency"].tolist(), strict=True))
    known.update(segmenter.suggested())
    return known
