"""What retraining brings, and what does not get through: figures of docs/retraining.md.

    python -m benchmarks.retraining ../shared/data feedback   # 100 opinions as feedback, judged on the others of their kind
    python -m benchmarks.retraining ../shared/data poison     # shuffled feedback, and 10 % wrong labels
    python -m benchmarks.retraining ../shared/data size       # seconds and memory at 10,000 and 100,000 opinions

Feedback is what ``qingyi train`` makes of a labelled file: the same functions, the shipped corpus beside it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.memory import Memory
from benchmarks.quality import joined
from pipeline.classifier.read import reader_of
from pipeline.learn.champion import Known, champion, suspected
from pipeline.learn.corpus import Labelled, corpus_files, label_matrix, load_labelled
from pipeline.learn.metrics import decision_metrics
from pipeline.learn.newlabels import NewLabels, as_own, keys_of
from pipeline.learn.retrain import retrain
from pipeline.learn.train import train_model
from pipeline.workspace import Workspace, open_workspace

SEEDS = 5
WRONG = 0.1


def _corpus(space: Workspace) -> Known:
    items = load_labelled(corpus_files(space.corpus), space.taxonomy, space.directory)
    return Known(items, keys_of(items))


def _real(shared: Path, space: Workspace) -> list[Labelled]:
    return joined(shared / "real/messages.csv", shared / "real/dev_labels.csv", space.taxonomy)


def feedback(shared: Path, space: Workspace) -> None:
    """100 labelled opinions learnt, F1 on the others of their kind; the active model judged on the same."""
    authored = load_labelled([shared / "authored/dev.jsonl"], space.taxonomy, space.directory)
    for name, items in (("authored", authored), ("real", _real(shared, space))):
        _feedback(name, items, space)


def _feedback(name: str, items: Sequence[Labelled], space: Workspace) -> None:
    corpus = _corpus(space)
    active = champion(space)
    if active is None:
        raise SystemExit("no active model")
    gains = []
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(items)).tolist()
        learnt, judged = [items[i] for i in order[:100]], [items[i] for i in order[100:]]
        model = train_model(
            [*corpus.items, *map(as_own, learnt)], space.taxonomy, space.lexicon, about={}
        ).model
        truth = label_matrix(judged, space.taxonomy)
        figures = [
            decision_metrics(truth, reader.judge([item.opinion for item in judged]).given, space.taxonomy)
            for reader in (active.reader, reader_of(space, model))
        ]
        gains.append([[f["micro_f1"], f["macro_f1"], f["false_accusation_rate"]] for f in figures])
        before, after = figures
        print(
            f"{name}, seed {seed}: micro-F1 {before['micro_f1']:.3f} -> {after['micro_f1']:.3f}, "
            f"macro-F1 {before['macro_f1']:.3f} -> {after['macro_f1']:.3f}, "
            f"false accusations {before['false_accusation_rate']:.3f} -> {after['false_accusation_rate']:.3f}",
            flush=True,
        )
    values = np.array(gains)
    for column, title in enumerate(("micro-F1", "macro-F1", "false accusations")):
        gain = values[:, 1, column] - values[:, 0, column]
        half = 2.776 * gain.std(ddof=1) / np.sqrt(SEEDS)  # Student's t, 4 degrees of freedom
        print(
            f"{name}, {title}: {values[:, 0, column].mean():.3f} -> {values[:, 1, column].mean():.3f}, "
            f"gain {gain.mean():+.3f} ({gain.mean() - half:+.3f} to {gain.mean() + half:+.3f})"
        )


def poison(shared: Path, space: Workspace) -> None:
    """Shuffled labels against the gate; then one label set in ten exchanged, and how many of the suspected are wrong."""
    corpus = _corpus(space)
    active = champion(space)
    authored = load_labelled([shared / "authored/dev.jsonl"], space.taxonomy, space.directory)
    for name, items in (("authored 240", authored), ("real 200", _real(shared, space))):
        new = [as_own(item) for item in items]
        rng = np.random.default_rng(0)
        shuffled = [
            replace(item, labels=items[other].labels, pairs=None)
            for item, other in zip(new, rng.permutation(len(items)).tolist(), strict=True)
        ]
        for title, labels in (("as labelled", new), ("shuffled", shuffled)):
            frozen, train = labels[::5], [item for i, item in enumerate(labels) if i % 5]
            gathered = NewLabels(tuple(train), tuple(frozen), (), 0)
            outcome = retrain(space, gathered, corpus, archive=(), active=active, at="")
            broken = [f"{rule} ({found})" for rule, kept, found in outcome.verdict.rules if not kept]
            verdict = "promoted" if outcome.verdict.passed else "refused: " + "; ".join(broken)
            print(f"{name}, {title}: {verdict}", flush=True)
        _wrong(name, new, space, corpus)


def _wrong(name: str, items: Sequence[Labelled], space: Workspace, corpus: Known) -> None:
    active = champion(space)
    listed, right, planted = 0, 0, 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        chosen = rng.permutation(len(items))[: round(WRONG * len(items))]
        labels = {int(i): items[int(rng.integers(len(items)))].labels for i in chosen}
        labels = {i: given for i, given in labels.items() if set(given) != set(items[i].labels)}
        corrupted = [
            replace(item, labels=labels.get(i, item.labels), pairs=None) for i, item in enumerate(items)
        ]
        found = suspected(NewLabels(tuple(corrupted), (), (), 0), active, corpus)
        ids = {items[i].note for i in labels}
        first = [identity for identity, _ in found][: len(ids)]
        listed, planted = listed + len(first), planted + len(ids)
        right += sum(identity in ids for identity in first)
        everything = sum(identity in ids for identity, _ in found)
        print(
            f"{name}, seed {seed}: {len(ids)} wrong; {len(found)} suspected, {everything} of them wrong; "
            f"of the first {len(first)}: {sum(identity in ids for identity in first)}"
        )
    print(f"{name}: precision of the list at the number planted {right / listed:.2f}", flush=True)


def _edited(text: str, rng: np.random.Generator) -> str:
    """The text with a tenth of its characters gone: another opinion for the counts, as long as real ones."""
    kept: npt.NDArray[np.bool_] = rng.random(len(text)) > WRONG
    return "".join(character for character, keep in zip(text, kept, strict=True) if keep) or text


def _trained(n: int, space: Workspace) -> None:
    """Train on ``n`` opinions (the corpus, repeated with edits) and print seconds and the largest processes."""
    corpus = _corpus(space).items
    rng = np.random.default_rng(0)
    items = []
    for i in range(n):
        item = corpus[i % len(corpus)]
        text = item.opinion.text if i < len(corpus) else _edited(item.opinion.text, rng)
        items.append(replace(item, opinion=replace(item.opinion, id=str(i), text=text)))
    with Memory() as memory:
        begun = time.perf_counter()
        train_model(items, space.taxonomy, space.lexicon, about={})
        seconds = time.perf_counter() - begun
    print(f"{n} opinions: {seconds:.0f} s, all processes together at most {memory.peak / 1e9:.2f} GB")


def size() -> None:
    """Each size in a process of its own, so that one does not count in the other's memory."""
    for n in (10_000, 100_000):
        subprocess.run([sys.executable, "-m", "benchmarks.retraining", ".", "train", str(n)], check=True)


def main() -> None:
    """Measure what is named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shared", type=Path, help="folder with authored/ and real/")
    parser.add_argument("what", choices=["feedback", "poison", "size", "train"])
    parser.add_argument("n", type=int, nargs="?", default=10_000)
    wanted = parser.parse_args()
    space = open_workspace()
    if wanted.what == "feedback":
        feedback(wanted.shared, space)
    elif wanted.what == "poison":
        poison(wanted.shared, space)
    elif wanted.what == "size":
        size()
    else:
        _trained(wanted.n, space)


if __name__ == "__main__":
    main()
