"""How far a second, blind reading of 400 opinions of the corpus agrees with the first: micro-F1, exact match, Cohen's κ.

python benchmarks/agreement.py
"""

from __future__ import annotations

import json

import numpy as np
from sklearn.metrics import cohen_kappa_score, f1_score

from pipeline.learn.corpus import corpus_files, load_labelled
from pipeline.workspace import open_workspace


def main() -> None:
    """Compare ``data/second-reading/labels.jsonl`` with ``data/labelled/`` and print."""
    space = open_workspace()
    codes = space.taxonomy.codes
    corpus = load_labelled(corpus_files(space.corpus), space.taxonomy, space.directory)
    first = {item.opinion.id: item.labels for item in corpus}
    lines = space.path("data/second-reading/labels.jsonl").read_text(encoding="utf-8").splitlines()
    second = {row["id"]: space.taxonomy.parse(row["labels"]) for row in map(json.loads, lines)}
    one, other = (
        np.array([[code in labels[identity] for code in codes] for identity in second])
        for labels in (first, second)
    )
    exact = float((one == other).all(axis=1).mean())
    print(f"{len(second)} opinions: micro-F1 {f1_score(one, other, average='micro'):.3f}, exact {exact:.4f}")
    kappas = {code: cohen_kappa_score(one[:, c], other[:, c]) for c, code in enumerate(codes)}
    print(f"kappa: median {np.median(list(kappas.values())):.2f}")
    for code, kappa in kappas.items():
        print(f"  {code} {kappa:.2f}, prevalence {one[:, codes.index(code)].mean():.3f}")


if __name__ == "__main__":
    main()
