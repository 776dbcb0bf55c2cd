"""The two sides of a comparison: a round's opinions, and an earlier round's or the corpus; and which opinions are in doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.learn.metrics import Bools
from pipeline.outputs.stored import stored_table
from pipeline.review.export import model_of, sealed_in

OTHER = "other_issue"
"""The label of issues for which the taxonomy has no other: where a new kind would first be found."""


@dataclass(frozen=True)
class Round:
    """The valid, distinct opinions of a result folder, column by column; ``unsure`` (n,) those that need review."""

    model: str
    ids: tuple[str, ...]
    texts: tuple[str, ...] = field(repr=False)
    labels: tuple[tuple[str, ...], ...]
    unsure: Bools


@dataclass(frozen=True)
class Corpus:
    """Labelled opinions, normalised and masked, with who wrote them.

    ``reviewed_share`` is the share of ``opinions`` a model was unsure of when it read them held out.
    """

    texts: tuple[str, ...] = field(repr=False)
    sources: tuple[str, ...] = field(repr=False)
    reviewed_share: float
    opinions: int


def read_round(folder: Path) -> Round:
    """Read what ``qingyi report`` or ``classify`` wrote.

    Raises:
        InputError: the folder holds no complete results, or no valid opinion.
    """
    columns = ["id", "text", "labels", "valid", "needs_review", "duplicate_of"]
    model = model_of(folder)
    try:
        rows = stored_table(folder, "opinions", columns).to_pylist() if model else []
    except (OSError, ValueError):
        model = ""
    if not model:
        raise InputError(
            f"{folder} 里没有完整的判定结果（opinions.parquet、run.json）；请给出“qingyi report”或“classify”的结果文件夹。"
        )
    sealed = sealed_in(folder)
    kept = [row for row in rows if row["valid"] and not row["duplicate_of"] and row["id"] not in sealed]
    if not kept:
        raise InputError(f"{folder} 里没有一件有效的意见，没有可比的。")
    return Round(
        model=model,
        ids=tuple(row["id"] for row in kept),
        texts=tuple(row["text"] for row in kept),
        labels=tuple(tuple(code for code in row["labels"].split(";") if code) for row in kept),
        unsure=np.array([row["needs_review"] for row in kept], dtype=bool),
    )


def doubtful(side: Round) -> Bools:
    """Shape (n,): opinions labelled :data:`OTHER`, or needing review."""
    return np.logical_or(side.unsure, [OTHER in labels for labels in side.labels])
