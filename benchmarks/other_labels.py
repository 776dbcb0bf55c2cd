"""The same engine on other people's labels, beside fastText on characters and the notebook everyone writes.

    python -m benchmarks.other_labels ../shared/data

News titles in 10 classes (accuracy on the set's own split), and the subject categories of real messages (macro-F1; five
folds, 80 % to train on, repeats never on both sides). All three learn from the same texts in the same run.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import fasttext
import jieba
import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from benchmarks.peers import learnt
from pipeline.intake.repeats import Repeats
from pipeline.records import Opinion
from pipeline.text.normalise import normalise
from pipeline.text.shingles import signature

jieba.setLogLevel("ERROR")
Texts = Sequence[str]
Split = tuple[Texts, Texts, Texts, Texts]
"""Texts and labels to learn from, texts and labels to judge on."""

RESAMPLES = 1000


def engine(train: Texts, labels: Sequence[str], test: Texts, unlabelled: Texts = ()) -> list[str]:
    """Ours: the likeliest label by calibrated probability; ``unlabelled`` texts are used where they help."""
    reader, names = learnt(train, labels, unlabelled)
    best: list[int] = []
    for start in range(0, len(test), 1000):
        chunk = [Opinion(id=str(i), text=text) for i, text in enumerate(test[start : start + 1000])]
        best += np.argmax(reader.probabilities(chunk), axis=1).tolist()
    return [names[i] for i in best]


def notebook(train: Texts, labels: Sequence[str], test: Texts) -> list[str]:
    """Words by jieba, tf-idf, logistic regression."""
    pipeline = make_pipeline(TfidfVectorizer(analyzer=jieba.lcut), LogisticRegression(C=10, max_iter=1000))
    pipeline.fit(train, labels)
    return [str(label) for label in pipeline.predict(test)]


def fast_text(train: Texts, labels: Sequence[str], test: Texts) -> list[str]:
    """Characters and their 1- to 3-grams, fastText's own trainer (Joulin et al. 2017)."""

    def spaced(text: str) -> str:
        return " ".join(text.replace("\n", " "))

    names = sorted(set(labels))
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        for text, label in zip(train, labels, strict=True):
            file.write(f"__label__{names.index(label)} {spaced(text)}\n")
        file.flush()
        model = fasttext.train_supervised(
            file.name, dim=100, epoch=25, lr=0.5, wordNgrams=3, minCount=1, thread=1, verbose=0
        )
    found = [model.predict(spaced(text))[0][0] for text in test]
    return [names[int(label.removeprefix("__label__"))] for label in found]


def titles(shared: Path, part: str) -> tuple[list[str], list[str]]:
    """News titles of a part of the set, and their classes."""
    with (shared / "thucnews" / f"{part}.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["title"] for row in rows], [row["label"] for row in rows]


def messages(shared: Path) -> tuple[list[str], list[str], npt.NDArray[np.int64]]:
    """Real messages with a subject category, the categories, and the clusters of near repeats."""
    with (shared / "real/messages.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["category"]]
    texts = [f"{row['title']}\n{row['text']}" for row in rows]
    repeats = Repeats()
    firsts = [repeats.first_of(str(i), signature(normalise(text))) or str(i) for i, text in enumerate(texts)]
    return texts, [row["category"] for row in rows], np.unique(firsts, return_inverse=True)[1]


def _split(texts: Texts, labels: Texts, train: npt.NDArray[np.int64], test: npt.NDArray[np.int64]) -> Split:
    return tuple([values[i] for i in rows] for rows in (train, test) for values in (texts, labels))  # type: ignore[return-value]  # four lists


def compare(name: str, splits: Sequence[Split]) -> None:
    """Print accuracy and macro-F1 of the three over all test parts, each with a 95 % bootstrap interval."""
    truth = np.array([label for split in splits for label in split[3]])
    print(f"{name}: {len(splits[0][0])} to learn from, {len(truth)} to judge on in {len(splits)} parts")
    for method in (engine, fast_text, notebook):
        begun = time.perf_counter()
        found = np.array([label for split in splits for label in method(*split[:3])])
        seconds = time.perf_counter() - begun
        rng = np.random.default_rng(0)
        draws = [rng.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES)]
        figures = []
        for title, score in (("accuracy", accuracy_score), ("macro-F1", _macro_f1)):
            low, high = np.quantile([score(truth[rows], found[rows]) for rows in draws], [0.025, 0.975])
            figures.append(f"{title} {score(truth, found):.4f} ({low:.4f} to {high:.4f})")
        print(f"  {method.__name__:10s} {', '.join(figures)}, {seconds:.0f} s", flush=True)


def _macro_f1(truth: npt.NDArray[np.str_], found: npt.NDArray[np.str_]) -> float:
    return float(f1_score(truth, found, average="macro"))


def main() -> None:
    """Measure both sets; the messages in five folds, every message judged once."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shared", type=Path, help="folder with thucnews/ and real/")
    shared = parser.parse_args().shared
    texts, labels, groups = messages(shared)
    folds = GroupKFold(5, shuffle=True, random_state=0).split(texts, groups=groups)
    compare("message categories", [_split(texts, labels, *rows) for rows in folds])
    compare("news titles", [(*titles(shared, "train"), *titles(shared, "dev"))])


if __name__ == "__main__":
    main()
