"""Labels needed to reach a macro-F1: those the review queue asks for, beside labels of random opinions.

    python -m benchmarks.labelling ../shared/data messages   # 7 subject categories of real messages, from nothing
    python -m benchmarks.labelling ../shared/data letters    # the shipped letters, from the starter corpus
    python -m benchmarks.labelling ../shared/data real       # the labelled real messages, from the shipped corpus

Each round the model is fitted on what is labelled so far, calibrated by cross-validation as in training; the queue is asked for
the next opinions as ``qingyi review export`` does, random audit share included. Judged on opinions of other groups (near repeats,
writers) than are asked about. Mean of five seeds; the table and the curves are written beside each other with ``-o``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, delayed, parallel_config
from sklearn.model_selection import GroupKFold

from benchmarks.other_labels import messages as categorised
from benchmarks.quality import joined
from pipeline.classifier.decisions import calibration_terms, scaled
from pipeline.classifier.model import weighted
from pipeline.classifier.passages import Clauses
from pipeline.learn.calibrate import best_threshold, scaling
from pipeline.learn.corpus import Labelled, corpus_files, load_labelled
from pipeline.learn.linear import Rows, fit_columns
from pipeline.learn.prepare import Prepared, prepare
from pipeline.learn.train import inverse_document_frequency
from pipeline.records import Opinion
from pipeline.review.export import AUDIT_SHARE
from pipeline.review.queue import choose, unsureness
from pipeline.taxonomy import Label, Taxonomy
from pipeline.workspace import open_workspace

SEEDS = 5
FOLDS = 3
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """Opinions as counts: those labelled at the ``start``, and ``pool`` and judged ones drawn anew for every seed."""

    prepared: Prepared
    start: Indices
    others: Indices
    groups: Indices
    step: int
    most: int
    one_label: bool


def messages(shared: Path) -> Task:
    """The labelled real messages; the first step is random for both."""
    texts, labels, groups = categorised(shared)
    names = sorted(set(labels))
    codes = {name: f"class_{chr(ord('a') + i)}" for i, name in enumerate(names)}
    taxonomy = Taxonomy(
        version="messages",
        labels=tuple(
            Label(
                code=codes[name],
                name_zh=name,
                name_en=name,
                kind="issue",
                definition=name,
                excludes="",
                four_winds="不适用",
                official_row="不适用",
                remedy="不适用",
            )
            for name in names
        ),
    )
    items = [
        Labelled(opinion=Opinion(id=str(i), text=texts[i]), labels=(codes[labels[i]],), pairs=None)
        for i in range(len(texts))
    ]
    prepared = prepare(items, taxonomy, open_workspace().lexicon)
    everything = np.arange(len(items))
    return Task(prepared, everything[:0], everything, groups, 50, 2000, one_label=True)


def letters() -> Task:
    """3,000 of the shipped letters, from the 1,498 opinions of the starter corpus."""
    space = open_workspace()
    corpus = load_labelled(corpus_files(space.corpus), space.taxonomy, space.directory)
    letters = load_labelled(corpus_files(space.path("data/evaluation")), space.taxonomy, space.directory)
    rng = np.random.default_rng(0)
    start = [item for item in corpus if item.source.startswith("starter")]
    others = [letters[i] for i in rng.permutation(len(letters))[:3000].tolist()]
    prepared = prepare([*start, *others], space.taxonomy, space.lexicon)
    sources = np.unique([item.source for item in (*start, *others)], return_inverse=True)[1]
    return Task(
        prepared,
        np.arange(len(start)),
        len(start) + np.arange(len(others)),
        sources.astype(np.int64),
        100,
        1200,
        one_label=False,
    )


def real(shared: Path) -> Task:
    """The labelled real messages, half to ask about and half to judge on, from the shipped corpus."""
    space = open_workspace()
    corpus = load_labelled(corpus_files(space.corpus), space.taxonomy, space.directory)
    labelled = joined(shared / "real/messages.csv", shared / "real/dev_labels.csv", space.taxonomy)
    prepared = prepare([*corpus, *labelled], space.taxonomy, space.lexicon)
    n = len(corpus)
    return Task(
        prepared,
        np.arange(n),
        n + np.arange(len(labelled)),
        np.arange(n + len(labelled)),
        20,
        100,
        one_label=False,
    )


def _of(clauses: Clauses, opinions: Indices) -> Clauses:
    """The clauses of some opinions."""
    ranges = [range(clauses.borders[i], clauses.borders[i + 1]) for i in opinions]
    members = [clause for clauses_of_one in ranges for clause in clauses_of_one]
    return Clauses(
        sp.csr_array(clauses.counts[members]),
        [clauses.lengths[clause] for clause in members],
        np.cumsum([0, *map(len, ranges)]),
    )


class Learner:
    """Fits on labelled rows, and says probabilities and macro-F1 of others."""

    def __init__(self, task: Task) -> None:
        self.task = task
        prepared = task.prepared
        counts = prepared.clauses.opinions()
        self.idf = inverse_document_frequency(counts)
        self.opinions = weighted(counts, self.idf)
        self.truth = prepared.truth

        self.seen = np.zeros(0, dtype=np.int64)
        self.weights = self.bias = self.slope = self.offset = self.threshold = np.zeros(0)

    def fit(self, labelled: Indices) -> None:
        """Weights by all that is labelled; scaling and thresholds by cross-validation on it."""
        truth = self.truth[labelled]
        self.seen = np.flatnonzero((truth.sum(axis=0) >= FOLDS) & ((~truth).sum(axis=0) >= FOLDS))
        known = np.ones((len(labelled), len(self.seen)), dtype=bool)
        rows = Rows(
            sp.csr_array(self.opinions[labelled]),
            _of(self.task.prepared.clauses, labelled),
            self.idf,
            known,
        )
        groups = self.task.groups[labelled]
        folds = list(GroupKFold(FOLDS, shuffle=True, random_state=0).split(truth, groups=groups))
        with parallel_config(
            backend="sequential"
        ):  # threads would share the random numbers of the C library that fits
            fitted = fit_columns(rows, truth[:, self.seen], folds)
        self.weights, self.bias = fitted.weights, fitted.bias
        lengths = self.task.prepared.lengths[labelled]
        terms = calibration_terms(fitted.whole, fitted.telling, lengths)[[0, 2, 3]]
        self.slope, self.offset = scaling(terms, truth[:, self.seen], known, np.arange(len(labelled)))
        held_out = scaled(terms, self.slope, self.offset)
        self.threshold = np.ones(self.truth.shape[1])
        for c, column in enumerate(self.seen.tolist()):
            self.threshold[column] = best_threshold(held_out[:, c], 1.0)

    def probabilities(self, rows: Indices) -> Floats:
        """Calibrated probabilities (n, n_labels), 0 for labels not seen yet."""
        margins = self.opinions[rows] @ self.weights + self.bias
        terms = calibration_terms(margins, margins, self.task.prepared.lengths[rows])[[0, 2, 3]]
        found = np.zeros((len(rows), self.truth.shape[1]))
        found[:, self.seen] = scaled(terms, self.slope, self.offset)
        return found

    def macro_f1(self, rows: Indices) -> float:
        """Of decisions by thresholds, or of the likeliest label where there is just one."""
        found, truth = self.probabilities(rows), self.truth[rows]
        given = found >= self.threshold
        if self.task.one_label:
            given = np.eye(found.shape[1], dtype=bool)[found.argmax(axis=1)]
        hits, both = (truth & given).sum(axis=0), truth.sum(axis=0) + given.sum(axis=0)
        return float(np.mean((2 * hits / np.maximum(both, 1))[truth.any(axis=0)]))


def curve(task: Task, seed: int, *, queue: bool) -> list[float]:
    """Macro-F1 after each step of labels; one that the audit asks for a second time counts as a label, and teaches nothing."""
    learner = Learner(task)
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.unique(task.groups[task.others]))
    judged_kinds = kinds[: len(kinds) // 2 if len(task.others) < 1000 else len(kinds) // 3]
    judged = np.isin(task.groups[task.others], judged_kinds)
    test, pool = task.others[judged], task.others[~judged]
    labels = 0 if len(task.start) else task.step
    asked, audited = rng.permutation(pool)[:labels], pool[:0]
    scores = []
    while True:
        learner.fit(np.concatenate([task.start, asked]))
        scores.append(learner.macro_f1(test))
        if labels >= min(task.most, len(pool)):
            return scores
        if queue:
            left = np.setdiff1d(pool, audited)
            drawn, chosen = _queued(learner, left, np.flatnonzero(np.isin(left, asked)), seed + labels)
            audited = np.concatenate([audited, left[drawn]])
            taken = left[[*drawn, *chosen]]
        else:
            taken = rng.permutation(np.setdiff1d(pool, asked))[: task.step]
        asked = np.union1d(asked, taken)
        labels += task.step


def _queued(learner: Learner, pool: Indices, answered: Indices, seed: int) -> tuple[list[int], list[int]]:
    """What ``qingyi review export`` asks of the pool: to audit, and to teach."""
    unsure = unsureness(learner.probabilities(pool), np.clip(learner.threshold, 0.01, 0.99))
    rows = sp.csr_array(learner.opinions[pool])
    return choose(unsure, rows, learner.task.step, AUDIT_SHARE, seed, answered.tolist())


def labels_to(scores: Floats, step: int, first: int, target: float) -> float:
    """Labels at which a curve first reaches ``target``, between steps linearly; infinite where it never does."""
    above = np.flatnonzero(scores >= target)
    if not len(above):
        return float("inf")
    at = int(above[0])
    if at == 0:
        return float(first)
    share = (target - scores[at - 1]) / (scores[at] - scores[at - 1])
    return first + step * (at - 1 + float(share))


def draw(queue: Floats, random: Floats, labels: Sequence[int], path: Path) -> None:
    """Both curves as an SVG file."""
    low, high = min(queue.min(), random.min()), max(queue.max(), random.max())

    def points(values: Floats) -> str:
        return " ".join(
            f"{40 + 440 * n / max(labels):.1f},{260 - 230 * (v - low) / (high - low):.1f}"
            for n, v in zip(labels, values, strict=True)
        )

    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 500 300" font-family="sans-serif" font-size="12">'
        f'<polyline fill="none" stroke="#0A6A8F" stroke-width="2" points="{points(queue)}"/>'
        f'<polyline fill="none" stroke="#7F7F7F" stroke-width="2" stroke-dasharray="5 4" points="{points(random)}"/>'
        f'<text x="40" y="285">0</text><text x="480" y="285" text-anchor="end">{max(labels)} labels</text>'
        f'<text x="2" y="262">{low:.2f}</text><text x="2" y="34">{high:.2f}</text>'
        '<text x="300" y="20" fill="#0A6A8F">review queue</text><text x="400" y="20" fill="#7F7F7F">random</text></svg>\n',
        encoding="utf-8",
    )


def main() -> None:
    """Draw both curves on one task, and say how many labels the queue needs for what random labels reach."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shared", type=Path, help="folder with real/")
    parser.add_argument("task", choices=["messages", "letters", "real"])
    parser.add_argument("-o", "--output", type=Path, help="SVG file for the curves")
    wanted = parser.parse_args()
    makers: dict[str, Callable[[], Task]] = {
        "messages": lambda: messages(wanted.shared),
        "letters": letters,
        "real": lambda: real(wanted.shared),
    }
    begun = time.perf_counter()
    task = makers[wanted.task]()
    curves = Parallel(n_jobs=-1)(
        delayed(curve)(task, seed, queue=asks) for asks in (True, False) for seed in range(SEEDS)
    )
    queue, random = np.array(curves).reshape(2, SEEDS, -1).mean(axis=1)
    first = 0 if len(task.start) else task.step
    labels = [first + task.step * i for i in range(len(queue))]
    print("labels        " + " ".join(f"{n:5d}" for n in labels))
    for name, values in (("review queue", queue), ("random", random)):
        print(f"{name:13s} " + " ".join(f"{value:.3f}" for value in values))
    for share in (0.5, 0.75, 0.9, 0.95, 1.0):
        target = float(random[0] + share * (random[-1] - random[0]))
        by_queue, by_chance = (labels_to(v, task.step, first, target) for v in (queue, random))
        print(
            f"macro-F1 {target:.3f}: queue {by_queue:.0f}, random {by_chance:.0f}: {by_queue / by_chance:.0%}"
        )
    print(f"{time.perf_counter() - begun:.0f} s")
    if wanted.output:
        draw(queue, random, labels, wanted.output)


if __name__ == "__main__":
    main()
