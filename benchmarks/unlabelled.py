"""What an archive without labels brings where labels are few (``qingyi train --unlabelled``).

    python -m benchmarks.unlabelled ../shared/data

News titles (accuracy) and subject categories of real messages (macro-F1), 20 and 100 labels a class, three seeds each; the
archive are 5,000 other texts of the same kind. Judged on texts that are neither.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from benchmarks.other_labels import engine, messages, titles

PER_CLASS = (20, 100)
SEEDS = 3
ARCHIVE = 5_000
JUDGED = 3_000


def gain(
    texts: Sequence[str],
    labels: Sequence[str],
    clusters: Sequence[int],
    score: Callable[..., float],
    n: int,
    seed: int,
) -> tuple[float, float]:
    """``(without, with)`` the archive: ``n`` texts a class are learnt from, near repeats (``clusters``) stay on one side."""
    rng = np.random.default_rng(seed)
    firsts = np.unique(np.array(clusters)[order := rng.permutation(len(texts))], return_index=True)[1]
    order = order[np.sort(firsts)]
    theirs = np.array(labels)[order]
    learnt = np.concatenate([order[theirs == name][:n] for name in sorted(set(labels))])
    others = order[~np.isin(order, learnt)]
    judged, archive = others[:JUDGED], others[JUDGED : JUDGED + ARCHIVE]
    learn, test, more = ([texts[i] for i in rows] for rows in (learnt, judged, archive))
    truth, given = [labels[i] for i in judged], [labels[i] for i in learnt]
    return score(truth, engine(learn, given, test)), score(truth, engine(learn, given, test, more))


def main() -> None:
    """Print both figures for every set, number of labels and seed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shared", type=Path, help="folder with thucnews/ and real/")
    shared = parser.parse_args().shared
    news, news_labels = titles(shared, "train")
    letters, categories, repeats = messages(shared)
    sets: list[tuple[str, Sequence[str], Sequence[str], Sequence[int], Callable[..., float]]] = [
        ("news titles, accuracy", news, news_labels, range(len(news)), accuracy_score),
        ("message categories, macro-F1", letters, categories, repeats.tolist(), _macro_f1),
    ]
    for name, texts, labels, clusters, score in sets:
        for n in PER_CLASS:
            pairs = np.array([gain(texts, labels, clusters, score, n, seed) for seed in range(SEEDS)])
            without, with_archive = pairs.mean(axis=0)
            each = ", ".join(f"{after - before:+.3f}" for before, after in pairs)
            print(f"{name}, {n} a class: {without:.3f} -> {with_archive:.3f} ({each})", flush=True)


def _macro_f1(truth: Sequence[str], found: Sequence[str]) -> float:
    return float(f1_score(truth, found, average="macro"))


if __name__ == "__main__":
    main()
