"""How well shares of labels are estimated where they are not what they were in training.

    python -m benchmarks.prevalence

Departments are simulated from labelled opinions that the histograms have not seen. The share of one label is drawn, then n
opinions with it or without it at that share; the other labels come as they do. Opinions are of the corpus' writers who did
not make the histograms, of all of them or of a few, or they are letters that no model learns: another kind of text.
Shares are drawn evenly from 0 to 50 %, or from 0.3 to 2 times the label's share of the corpus. The constants of
``pipeline.aggregate.likelihood`` were chosen by these figures, so they are slightly hopeful.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from quapy.method.aggregative import EMQ

from pipeline.aggregate.intervals import wilson
from pipeline.aggregate.likelihood import HeldOutPosteriors, held_out_posteriors, histograms
from pipeline.aggregate.prevalence import Estimate, estimate_shares
from pipeline.classifier.decisions import BINS, Floats, Indices
from pipeline.classifier.files import active_version
from pipeline.learn.champion import champion, matched
from pipeline.learn.corpus import corpus_files, label_matrix, load_labelled
from pipeline.learn.newlabels import keys_of
from pipeline.workspace import Workspace, open_workspace

SIZES = (30, 100, 500, 3000)
SPLITS, DEPARTMENTS = 4, 3
"""Divisions of the writers, and departments a label and division."""

AUDITS = (50, 100, 200)
ENOUGH = 20
"""Opinions a pool must have with a label, and the few writers drawn together, for departments to be drawn from."""

KINDS = {"All unseen writers": None, "Eight unseen writers": 8, "Three unseen writers": 3, "Letters": None}
"""Whose opinions a department has, and how many of the writers at a time where not all."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Opinions:
    """Posteriors, decisions and truth (n, n_labels), and who wrote them (n,)."""

    posteriors: Floats
    given: Bools
    truth: Bools
    groups: Indices

    def of(self, rows: Indices) -> Opinions:
        """Some of them, repeated or not."""
        return Opinions(self.posteriors[rows], self.given[rows], self.truth[rows], self.groups[rows])


@dataclass(frozen=True)
class Department:
    """Opinions drawn with a known share of one label."""

    opinions: Opinions
    label: int
    share: float


def corpus_and_letters(space: Workspace) -> tuple[Opinions, Opinions]:
    """The corpus as the active model judged it without having seen it, and the letters no model learns."""
    active = champion(space)
    if active is None or active.held_out is None or space.evaluation is None:
        raise SystemExit("the active model keeps no held-out posteriors, or there are no letters")
    items = load_labelled(corpus_files(space.corpus), space.taxonomy, space.directory, space.migrations)
    rows, theirs = matched(keys_of(items), active.held_out.keys)
    said = active.held_out
    corpus = Opinions(
        said.labels[theirs],
        said.given[theirs],
        label_matrix(items, space.taxonomy)[rows],
        said.groups[theirs],
    )
    items = load_labelled(corpus_files(space.evaluation), space.taxonomy, space.directory, space.migrations)
    judged = active.reader.judge([item.opinion for item in items])
    groups = np.unique([item.source for item in items], return_inverse=True)[1]
    letters = Opinions(judged.probabilities, judged.given, label_matrix(items, space.taxonomy), groups)
    return corpus, letters


def pools(
    corpus: Opinions, letters: Opinions, kind: str, rng: np.random.Generator
) -> Iterator[tuple[Opinions, Opinions]]:
    """Pairs: what makes the histograms, and what departments are drawn from."""
    writers = np.unique(corpus.groups)
    for _ in range(SPLITS):
        if kind == "Letters":
            yield corpus, letters
            continue
        learnt = np.isin(corpus.groups, rng.permutation(writers)[: len(writers) // 2])
        yield corpus.of(np.flatnonzero(learnt)), corpus.of(np.flatnonzero(~learnt))


def departments(
    pool: Opinions, usual: Floats, n: int, writers: int | None, *, shifted: bool, rng: np.random.Generator
) -> Iterator[Department]:
    """Of every label that the pool has enough of."""
    for label in np.flatnonzero(pool.truth.sum(axis=0) >= ENOUGH).tolist():
        for _ in range(DEPARTMENTS):
            among = _written_by(writers, pool, label, rng) if writers else np.arange(len(pool.truth))
            carrying = pool.truth[among, label]
            share = rng.uniform(0.0, 0.5) if shifted else rng.uniform(0.3, 2.0) * usual[label]
            with_it = int(rng.binomial(n, share))
            drawn = [rng.choice(among[carrying], with_it), rng.choice(among[~carrying], n - with_it)]
            yield Department(pool.of(rng.permutation(np.concatenate(drawn))), label, share)


def _written_by(writers: int, pool: Opinions, label: int, rng: np.random.Generator) -> Indices:
    while True:
        few = rng.choice(np.unique(pool.groups), writers, replace=False)
        rows = np.flatnonzero(np.isin(pool.groups, few))
        if pool.truth[rows, label].sum() >= ENOUGH:
            return rows


def rivals(department: Department, learnt: Opinions) -> dict[str, tuple[float, float, float]]:
    """Share, low, high of what could be done instead; without an interval, low and high are no numbers."""
    posteriors, label = department.opinions.posteriors[:, department.label], department.label
    truth, known = learnt.truth[:, label], learnt.posteriors[:, label]
    usual = float(truth.mean())
    given = int(department.opinions.given[:, label].sum())
    both = np.column_stack([1 - posteriors, posteriors])
    mean, below, above = float(posteriors.mean()), float(known[~truth].mean()), float(known[truth].mean())
    none = (float("nan"), float("nan"))
    return {
        "count (Wilson)": (given / len(posteriors), *wilson(given, len(posteriors))),
        "mean posterior": (mean, *none),
        "EMQ": (float(EMQ.EM(np.array([1 - usual, usual]), both)[0][1]), *none),
        "PACC": (float(np.clip((mean - below) / (above - below), 0, 1)), *none),
    }


def _summed(held_out: HeldOutPosteriors) -> HeldOutPosteriors:
    return HeldOutPosteriors(held_out.counts.sum(axis=1, keepdims=True))


def measure(corpus: Opinions, letters: Opinions, kind: str, *, shifted: bool) -> None:
    """One table: every method at every size."""
    found: dict[tuple[int, str], list[tuple[float, bool, float]]] = defaultdict(list)
    rng = np.random.default_rng(0)
    for learnt, pool in pools(corpus, letters, kind, rng):
        held_out = held_out_posteriors(learnt.posteriors, learnt.truth, learnt.groups)
        for n in SIZES:
            drawn = list(
                departments(pool, learnt.truth.mean(axis=0), n, KINDS[kind], shifted=shifted, rng=rng)
            )
            counts = np.array([histograms(one.opinions.posteriors) for one in drawn])
            one_way, many = estimate_shares(counts, _summed(held_out)), estimate_shares(counts, held_out)
            for d, one in enumerate(drawn):
                rows = rivals(one, learnt)
                rows["likelihood, one way"] = _triple(one_way[d][one.label])
                rows["**likelihood**"] = _triple(many[d][one.label])
                for method, (share, low, high) in rows.items():
                    found[n, method].append((abs(share - one.share), low <= one.share <= high, high - low))
    methods = list(dict.fromkeys(method for _, method in found))
    print(f"| n | {' | '.join(methods)} |\n|{'---|' * (len(methods) + 1)}")
    for n in SIZES:
        print(f"| {n:,} | {' | '.join(_cell(found[n, method]) for method in methods)} |")
    print(f"\n{len(found[SIZES[0], 'EMQ'])} departments of each size\n", flush=True)


def measure_audits(corpus: Opinions, letters: Opinions) -> None:
    """Departments of letters of which some are labelled by people."""
    held_out = held_out_posteriors(corpus.posteriors, corpus.truth, corpus.groups)
    rng = np.random.default_rng(0)
    print("| n | audited | labelled share (Wilson) | likelihood | **ppi** |\n|---|---|---|---|---|")
    for n in SIZES[2:]:
        for audited in AUDITS:
            drawn = [
                one
                for _ in range(SPLITS)
                for one in departments(letters, corpus.truth.mean(axis=0), n, None, shifted=False, rng=rng)
            ]
            counts = np.array([histograms(one.opinions.posteriors) for one in drawn])
            labelled = np.array([_labelled(one.opinions, audited) for one in drawn])
            machine, people = estimate_shares(counts, held_out), estimate_shares(counts, held_out, labelled)
            rows: list[list[tuple[float, bool, float]]] = [[], [], []]
            for d, one in enumerate(drawn):
                yes = int(one.opinions.truth[:audited, one.label].sum())
                plain = (yes / audited, *wilson(yes, audited))
                estimates = (plain, _triple(machine[d][one.label]), _triple(people[d][one.label]))
                for row, (share, low, high) in zip(rows, estimates, strict=True):
                    row.append((abs(share - one.share), low <= one.share <= high, high - low))
            print(f"| {n:,} | {audited} | {' | '.join(map(_cell, rows))} |", flush=True)
    print()


def _labelled(opinions: Opinions, audited: int) -> Indices:
    """Shape (2, n_labels, BINS): the first ``audited`` opinions, their order being random."""
    some = opinions.of(np.arange(audited))
    counts = held_out_posteriors(some.posteriors, some.truth, np.zeros(audited, dtype=np.int64)).counts
    return np.asarray(counts.reshape(2, -1, BINS))


def _triple(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.share, estimate.low, estimate.high


def _cell(rows: list[tuple[float, bool, float]]) -> str:
    error, covered, width = np.mean(rows, axis=0)
    return f"{error:.4f}" if np.isnan(width) else f"{error:.4f}, {covered:.1%}, {width:.3f}"


def main() -> None:
    """Measure and print."""
    begun = time.perf_counter()
    space = open_workspace()
    corpus, letters = corpus_and_letters(space)
    print(
        f"Model {active_version(space.models)}. Each cell: mean absolute error, coverage of the 95 % interval, its mean width.\n"
    )
    for kind in KINDS:
        for shifted, shares in ((True, "0 to 50 %"), (False, "0.3 to 2 times the usual")):
            print(f"### {kind}, shares {shares}\n")
            measure(corpus, letters, kind, shifted=shifted)
    print("### Letters with an audit, shares 0.3 to 2 times the usual\n")
    measure_audits(corpus, letters)
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
