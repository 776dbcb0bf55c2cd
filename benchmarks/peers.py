"""The scorers that are timed beside each other: what others use, and the program's own. All learn from the same texts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import fasttext
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer

from pipeline.classifier.read import Reader
from pipeline.learn.corpus import Labelled
from pipeline.learn.train import train_model
from pipeline.records import Opinion
from pipeline.taxonomy import Label, Taxonomy
from pipeline.text.segment import Segmenter
from pipeline.workspace import open_workspace

Texts = Sequence[str]
Labels = Sequence[Sequence[str]]
"""The labels of each text."""

Cut = Callable[[str], list[str]]


@dataclass(frozen=True)
class Scorer:
    """``score`` turns texts into probabilities, in whatever shape its library has; ``likeliest`` reads one label of each off them."""

    score: Callable[[Texts], Any]
    likeliest: Callable[[Any], list[str]]


def notebook(train: Texts, labels: Labels, cut: Cut) -> Scorer:
    """Words, tf-idf, logistic regression label by label: by jieba it is the notebook everyone writes."""
    binarizer = MultiLabelBinarizer()
    truth = binarizer.fit_transform(labels)
    pipeline = make_pipeline(
        TfidfVectorizer(analyzer=cut),
        OneVsRestClassifier(LogisticRegression(C=10, solver="liblinear", dual=True, random_state=0)),
    )
    pipeline.fit(train, truth)
    return Scorer(pipeline.predict_proba, in_order([str(name) for name in binarizer.classes_]))


def fast_text(train: Texts, labels: Labels, cut: Cut, n_grams: int, epochs: int) -> Scorer:
    """What fastText learns over what ``cut`` gives (Joulin et al. 2017); each label by itself where texts have several."""

    def line(text: str) -> str:
        return " ".join(cut(text.replace("\n", " ")))

    def score(texts: Texts) -> Any:
        return model.predict([line(text) for text in texts], k=-1)

    names = sorted({name for given in labels for name in given})
    marks = {name: f"__label__{n}" for n, name in enumerate(names)}
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        for text, given in zip(train, labels, strict=True):
            file.write(" ".join([*(marks[name] for name in given), line(text)]) + "\n")
        file.flush()
        model = fasttext.train_supervised(
            file.name,
            dim=100,
            epoch=epochs,
            lr=0.5,
            wordNgrams=n_grams,
            minCount=1,
            loss="softmax" if all(len(given) == 1 for given in labels) else "ova",
            thread=1,
            verbose=0,
        )
    return Scorer(score, lambda found: [names[int(best[0].removeprefix("__label__"))] for best in found[0]])


def learnt(train: Texts, labels: Sequence[str], unlabelled: Texts = ()) -> tuple[Reader, list[str]]:
    """The program's own engine, taught other people's labels, one for each text; with the labels in the model's order.

    ``unlabelled`` texts are used where they help.
    """
    space = open_workspace()
    names = sorted(set(labels))
    code_of = {name: f"class_{chr(ord('a') + n)}" for n, name in enumerate(names)}
    taxonomy = Taxonomy(
        version="other",
        labels=tuple(
            Label(
                code=code,
                name_zh=name,
                name_en=code,
                kind="suggestion" if n else "issue",  # accusation means nothing here
                definition=name,
                excludes="",
                four_winds="不适用",
                official_row="不适用",
                remedy="不适用",
            )
            for n, (name, code) in enumerate(code_of.items())
        ),
    )
    items = [
        Labelled(opinion=Opinion(id=str(n), text=text), labels=(code_of[label],), pairs=None)
        for n, (text, label) in enumerate(zip(train, labels, strict=True))
    ]
    model = train_model(items, taxonomy, space.lexicon, about={}, unlabelled=unlabelled).model
    return Reader(taxonomy, space.directory, Segmenter(space.lexicon), model), names


def in_order(names: Sequence[str]) -> Callable[[Any], list[str]]:
    """How to read the likeliest label off probabilities of shape (n, n_labels)."""
    return lambda found: [names[best] for best in np.argmax(found, axis=1).tolist()]
