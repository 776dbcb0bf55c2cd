"""What each part of the model contributes: trained without it, judged on opinions it has not seen.

    python benchmarks/ablation.py ../shared/data [NAME ...]

Each variant is trained on the shipped corpus with its own calibration and bounds. Figures with 95 % bootstrap intervals;
differences of a point are noise. About a minute a variant.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold

from benchmarks.quality import joined
from pipeline.classifier.decisions import BINS
from pipeline.classifier.model import Model, in_steps, issue_columns, weighted
from pipeline.classifier.read import Reader
from pipeline.learn.calibrate import calibrate
from pipeline.learn.corpus import Labelled, corpus_files, label_matrix, load_labelled
from pipeline.learn.evaluate import evaluate
from pipeline.learn.linear import SHARES, Rows, Shares, fit_columns
from pipeline.learn.prepare import Prepared, prepare
from pipeline.learn.train import FOLDS, inverse_document_frequency
from pipeline.text.segment import Segmenter
from pipeline.workspace import Workspace, open_workspace

_FIGURES = ("micro_f1", "macro_f1", "pair_f1", "false_accusation_rate")


@dataclass(frozen=True)
class Variant:
    """A model without something: features not kept, shares of the two learners, passages, gate, share of the corpus."""

    keep: Callable[[str], bool] = lambda _: True
    shares: Shares = SHARES
    passages: bool = True
    gate: bool = True
    corpus: float = 1.0


def _is(kinds: str) -> Callable[[str], bool]:
    return lambda feature: feature[:2] in {f"{kind}:" for kind in kinds}


VARIANTS = {
    "full": Variant(),
    "no-classes": Variant(keep=lambda feature: not _is("cpn")(feature)),
    "no-class-pairs": Variant(keep=lambda feature: not _is("p")(feature)),
    "no-negation-scope": Variant(keep=lambda feature: not _is("n")(feature)),
    "no-characters": Variant(keep=_is("cpn")),
    "logistic-only": Variant(shares=(1.0, 0.0)),
    "nb-svm-only": Variant(shares=(0.0, 3.0)),
    "no-passages": Variant(passages=False),
    "no-gate": Variant(gate=False),
    "half-corpus": Variant(corpus=0.5),
    "quarter-corpus": Variant(corpus=0.25),
}


def _kept(prepared: Prepared, keep: Callable[[str], bool]) -> Prepared:
    features = [feature for feature in prepared.vocabulary if keep(feature)]
    columns = [prepared.vocabulary[feature] for feature in features]
    return replace(
        prepared,
        vocabulary={feature: index for index, feature in enumerate(features)},
        clauses=replace(prepared.clauses, counts=sp.csr_array(prepared.clauses.counts[:, columns])),
    )


def trained(labelled: Sequence[Labelled], space: Workspace, variant: Variant) -> tuple[Model, float]:
    """As :func:`pipeline.learn.train.train_model` does, but for what the variant leaves out.

    Returns:
        The model, and the average precision (all labels pooled) of its held-out probabilities.
    """
    drawn = np.random.default_rng(0).random(len(labelled)) < variant.corpus
    prepared = prepare(
        [item for item, taken in zip(labelled, drawn, strict=True) if taken], space.taxonomy, space.lexicon
    )
    prepared = _kept(prepared, variant.keep)
    issues = issue_columns(space.taxonomy)
    counts = prepared.clauses.opinions()
    idf = inverse_document_frequency(counts)
    wanted = np.column_stack([prepared.truth, prepared.truth[:, issues].any(axis=1)])
    known = np.ones(wanted.shape, dtype=bool)
    rows = Rows(weighted(counts, idf), prepared.clauses, idf, known)
    folds = list(
        GroupKFold(FOLDS, shuffle=True, random_state=0).split(prepared.truth, groups=prepared.groups)
    )
    fitted = fit_columns(rows, wanted, folds, variant.shares)
    telling = fitted.telling if variant.passages else np.zeros_like(fitted.whole)
    arrays, held_out = calibrate(
        fitted.whole, telling, prepared.lengths, prepared.truth, issues, folds, known, ~known[:, 0]
    )
    if not variant.gate:
        arrays["bounds"] = np.array([0.0, arrays["bounds"][1]])
    ranking = average_precision_score(prepared.truth.ravel(), held_out.labels.ravel())
    model = Model(
        vocabulary=prepared.vocabulary,
        issues=issues,
        idf=idf,
        weights=in_steps(fitted.weights),
        bias=fitted.bias,
        held_out=np.zeros((2, 1, wanted.shape[1] - 1, BINS)),
        card={"version": "variant"},
        **arrays,
    )
    return model, float(ranking)


def main() -> None:
    """Train and judge every variant named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shared", type=Path, help="folder with authored/ and real/")
    parser.add_argument("names", nargs="*", choices=[*VARIANTS, []], help="variants, all where none is named")
    wanted = parser.parse_args()
    space = open_workspace()
    corpus = load_labelled(corpus_files(space.corpus), space.taxonomy, space.directory)
    sets = {
        "authored": load_labelled([wanted.shared / "authored/dev.jsonl"], space.taxonomy, space.directory),
        "real": joined(
            wanted.shared / "real/messages.csv", wanted.shared / "real/dev_labels.csv", space.taxonomy
        ),
    }
    for name in wanted.names or VARIANTS:
        model, held_out = trained(corpus, space, VARIANTS[name])
        print(f"{name:18s} held-out  average precision {held_out:.3f}", flush=True)
        reader = Reader(
            taxonomy=space.taxonomy,
            directory=space.directory,
            segmenter=Segmenter(space.lexicon),
            model=model,
        )
        for title, labelled in sets.items():
            figures = evaluate(reader, labelled)
            said = reader.probabilities([item.opinion for item in labelled])
            ranking = average_precision_score(label_matrix(labelled, space.taxonomy).ravel(), said.ravel())
            shown = [
                f"{figure} {figures[figure]:.3f} ({figures['intervals'][figure][0]:.3f} to "
                f"{figures['intervals'][figure][1]:.3f})"
                for figure in _FIGURES
                if figures[figure] is not None
            ]
            print(f"{name:18s} {title:9s} average precision {ranking:.3f}, {', '.join(shown)}", flush=True)


if __name__ == "__main__":
    main()
