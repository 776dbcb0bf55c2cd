"""What was counted, looked at by period, channel, source, and by all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.aggregate.sources import GROUPS
from pipeline.taxonomy import Taxonomy

BY_PERIOD = ("period", "opinions", "issue", "praise")
BY_CHANNEL = ("channel", "opinions", "issue", "praise")
BY_SOURCE = ("source", "opinions", "issue", "praise")
"""Columns of the last three, before one :func:`label_column` for each label: opinions with it."""


def label_column(code: str) -> str:
    """The column for a label beside those for kinds: the label ``praise`` is not the kind ``praise``."""
    return f"label:{code}"


CUBE = ("department", "label", "source", "period", "distinct")
"""Distinct opinions by all that they can be looked at by, rows that occur only; ``label`` "" counts all opinions about a
department. Of repeats the first one tells source and period, so that sums over them are ``summary``'s distinct counts."""


@dataclass(frozen=True)
class Counted:
    """n opinions as counted.

    ``first`` (n,): the opinion each one repeats, or itself; ``kept`` (n,): those that count; ``valid`` and ``review`` (n,)
    within them; ``days``, ``channels``, ``sources``: one an opinion. Of the kept alone: ``concerns``, a row for each
    (opinion, department) with ``beliefs`` (n_concerns, n_labels), and ``cells``, a row for each finding; ``cluster`` in
    both is ``first`` of the opinion.
    """

    first: npt.NDArray[np.int64]
    kept: npt.NDArray[np.bool_]
    valid: npt.NDArray[np.bool_]
    review: npt.NDArray[np.bool_]
    days: Sequence[str]
    channels: Sequence[str]
    sources: Sequence[str]
    concerns: pd.DataFrame
    beliefs: npt.NDArray[np.float32]
    cells: pd.DataFrame


def broken_down(
    cells: pd.DataFrame, counted: Counted, keys: Sequence[str], name: str, taxonomy: Taxonomy
) -> pd.DataFrame:
    """Opinions by a key of each, how many tell an issue or praise, and how many carry each label; keys in order."""
    frame = pd.DataFrame(
        {name: pd.Series(list(keys), dtype="object"), "opinions": counted.valid.astype(np.int64)}
    )
    chosen = {kind: cells["kind"] == kind for kind in ("issue", "praise")}
    chosen |= {label_column(code): cells["label"] == number for number, code in enumerate(taxonomy.codes)}
    for column, rows in chosen.items():
        carries = np.zeros(len(frame), dtype=np.int64)
        carries[cells.loc[rows, "opinion"].unique()] = 1
        frame[column] = carries
    return frame[counted.kept].groupby(name, sort=True).sum().reset_index()


def cube_of(
    counted: Counted,
    cells: pd.DataFrame,
    periods: Sequence[str],
    departments: Sequence[str],
    codes: Sequence[str],
) -> pd.DataFrame:
    """:data:`CUBE`, in order of departments, labels, sources and periods; the row of all opinions first."""
    both = pd.concat(
        [
            once(counted.concerns, ["department"]).assign(label=-1),
            once(cells, ["department", "label"]),
        ]
    )
    opinions = both["opinion"].to_numpy()
    both = both.assign(
        source=np.array([GROUPS.index(name) for name in counted.sources], dtype=np.int64)[opinions],
        period=np.array(periods, dtype=object)[opinions],
    )
    sizes = both.groupby(["department", "label", "source", "period"]).size().reset_index(name="distinct")
    names = [departments, [*codes, ""], GROUPS]  # the last of the codes is -1
    for column, known in zip(("department", "label", "source"), names, strict=True):
        sizes[column] = np.array(known, dtype=object)[sizes[column].to_numpy()]
    return sizes[list(CUBE)]


def once(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """One row per cluster of repeats and cell."""
    return frame.drop_duplicates(["cluster", *columns])


def periods_of(days: Sequence[str]) -> list[str]:
    """Days → months, or years where more than 24 months are touched; 未注明 where there is no day."""
    months = {day[:7] for day in days if day}
    length = 7 if len(months) <= 24 else 4
    return [day[:length] or "未注明" for day in days]
