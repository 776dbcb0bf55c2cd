"""What was counted, looked at by period, channel, source, and by all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.aggregate.counted import Counted, Factor
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


def broken_down(
    cells: pd.DataFrame, counted: Counted, keys: Factor, name: str, taxonomy: Taxonomy
) -> pd.DataFrame:
    """Opinions by a key of each, how many tell an issue or praise, and how many carry each label; keys in order."""
    keys = regrouped(keys, str)
    opinion, label = cells["opinion"].to_numpy(), cells["label"].to_numpy()
    chosen = {kind: (cells["kind"] == kind).to_numpy() for kind in ("issue", "praise")}
    chosen |= {label_column(code): label == number for number, code in enumerate(taxonomy.codes)}
    columns = {"opinions": counted.valid}
    for column, rows in chosen.items():
        columns[column] = np.zeros(len(keys.codes), dtype=bool)
        columns[column][opinion[rows]] = True
    occur = _per_level(keys, counted.kept) > 0
    counts = {column: _per_level(keys, carries)[occur] for column, carries in columns.items()}
    return pd.DataFrame({name: pd.Index(keys.levels)[occur], **counts})


def cube_of(
    counted: Counted,
    concerns: pd.DataFrame,
    cells: pd.DataFrame,
    periods: Factor,
    departments: Sequence[str],
    codes: Sequence[str],
) -> pd.DataFrame:
    """:data:`CUBE`, in order of departments, labels, sources and periods; the row of all opinions first."""
    periods = regrouped(periods, str)
    group = np.array([GROUPS.index(name) for name in counted.sources.levels], dtype=np.int64)
    names = (departments, ["", *codes], GROUPS, periods.levels)
    sizes = tuple(map(len, names))
    about, carried = once(concerns, ["department"]), once(cells, ["department", "label"])
    opinion, department = (np.concatenate([about[key], carried[key]]) for key in ("opinion", "department"))
    label = np.concatenate([np.zeros(len(about), dtype=np.int64), carried["label"] + 1])
    source, period = group[counted.sources.codes[opinion]], periods.codes[opinion]
    place = np.ravel_multi_index((department, label, source, period), sizes)
    occurring, distinct = np.unique(place, return_counts=True)
    columns = {
        column: np.array(known, dtype=object)[places]
        for column, known, places in zip(CUBE, names, np.unravel_index(occurring, sizes), strict=False)
    }
    return pd.DataFrame({**columns, "distinct": distinct})


def once(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """One row per cluster of repeats and cell."""
    return frame.drop_duplicates(["cluster", *columns])


def periods_of(days: Factor) -> Factor:
    """Days → months, or years where more than 24 months are touched; 未注明 where there is no day."""
    months = {day[:7] for day in days.levels if day}
    length = 7 if len(months) <= 24 else 4
    return regrouped(days, lambda day: day[:length] or "未注明")


def regrouped(factor: Factor, name: Callable[[str], str]) -> Factor:
    """The same opinions by what ``name`` makes of a level; new levels in order."""
    names = [name(level) for level in factor.levels]
    levels = sorted(set(names))
    place = {level: code for code, level in enumerate(levels)}
    codes = np.array([place[level] for level in names], dtype=np.int32)
    return Factor(codes[factor.codes], levels)


def _per_level(factor: Factor, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """How many of the chosen opinions have each level, shape (n_levels,)."""
    return np.bincount(factor.codes[chosen], minlength=len(factor.levels))
