"""Shares of labels as the papers give them: what was counted, corrected for how the classifier errs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.aggregate.counted import Concerns
from pipeline.aggregate.likelihood import HeldOutPosteriors
from pipeline.aggregate.prevalence import Estimate, estimate_shares
from pipeline.classifier.decisions import BINS, POSTERIOR_EDGES

Audited = Mapping[int, frozenset[tuple[int, int]]]
"""Opinion → (department, label), as a person found them."""


class Shares(NamedTuple):
    """Estimates of every label, in order: for each department, and of all opinions ``together``."""

    departments: list[list[Estimate]]
    together: list[Estimate]


def shares_of(
    concerns: Concerns,
    beliefs: npt.NDArray[np.float32],
    audited: Audited,
    held_out: HeldOutPosteriors,
    departments: int,
) -> Shares:
    """Estimate the share of each label among the distinct opinions about each department, and among all.

    ``beliefs`` (n_concerns, n_labels) are how likely each label is of an opinion about a department. Of repeats the first
    counts. An opinion about several departments has a label where it has it about any of them.
    """
    first = ~pd.DataFrame(concerns._asdict()).duplicated(["cluster", "department"]).to_numpy()
    opinion, department = concerns.opinion[first], concerns.department[first]
    cluster = np.unique(concerns.cluster[first], return_inverse=True)[1]
    clusters, labels = int(cluster.max(initial=-1)) + 1, beliefs.shape[1]
    asked = np.isin(opinion, list(audited))
    truth = np.zeros((len(opinion), labels), dtype=bool)
    whole_asked, whole_truth = np.zeros(clusters, dtype=bool), np.zeros((clusters, labels), dtype=bool)
    whole_asked[cluster[asked]] = True
    for row in np.flatnonzero(asked):
        for about, label in audited[int(opinion[row])]:
            truth[row, label] |= about == department[row]
            whole_truth[cluster[row], label] = True  # whatever department the program took it to be about
    rows = np.concatenate([department, np.full(clusters, departments, dtype=department.dtype)])
    known = np.concatenate([asked, whole_asked])
    counts = np.zeros((departments + 1, labels, BINS), dtype=np.int64)
    answered = np.zeros((departments + 1, 2, labels, BINS), dtype=np.int64)
    for label in range(labels):  # one by one: all at once would be in memory as numbers of 64 bits
        mine, whole = beliefs[:, label][first], np.zeros(clusters, dtype=np.float32)
        np.maximum.at(whole, cluster, mine)
        bins = np.digitize(np.concatenate([mine, whole]), POSTERIOR_EDGES)
        counts[:, label] = np.bincount(rows * BINS + bins, minlength=counts[:, 0].size).reshape(-1, BINS)
        answers = np.concatenate([truth[:, label], whole_truth[:, label]])[known].astype(np.int64)
        np.add.at(answered[:, :, label], (rows[known], answers, bins[known]), 1)
    found = estimate_shares(counts, held_out, answered)
    return Shares(found[:-1], found[-1])
