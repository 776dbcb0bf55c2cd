"""How far the second, blind reading of corpus and shipped letters agrees with the first: micro-F1, exact match, Cohen's κ per label.

python benchmarks/agreement.py
"""

from __future__ import annotations

import json

import numpy as np
from sklearn.metrics import cohen_kappa_score, f1_score

from pipeline.learn.corpus import corpus_files, load_labelled
from pipeline.workspace import open_workspace


def main() -> None:
    """Compare the two readings in ``data/second-reading/labels.jsonl`` before they were settled, and print."""
    space = open_workspace()
    codes = space.taxonomy.codes
    files = [*corpus_files(space.corpus), *corpus_files(space.path("data/evaluation"))]
    corpus = load_labelled(files, space.taxonomy, space.directory)
    settled = {item.opinion.id: item.labels for item in corpus}
    lines = space.path("data/second-reading/labels.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    first, second = (
        {row["id"]: space.taxonomy.parse(row[reading]) for row in rows} for reading in ("first", "second")
    )
    one, other = (
        np.array([[code in labels[identity] for code in codes] for identity in first])
        for labels in (first, second)
    )
    exact = float((one == other).all(axis=1).mean())
    changed = sum(settled[identity] != first[identity] for identity in first)
    print(f"{len(rows)} of {len(corpus)} opinions read twice")
    print(
        f"micro-F1 {f1_score(one, other, average='micro'):.3f}, exact {exact:.4f}; {changed} label sets changed by settling"
    )
    kappas = {code: cohen_kappa_score(one[:, c], other[:, c]) for c, code in enumerate(codes)}
    print(f"kappa: median {np.median(list(kappas.values())):.2f}")
    for code, kappa in kappas.items():
        print(f"  {code} {kappa:.2f}, prevalence {one[:, codes.index(code)].mean():.3f}")


if __name__ == "__main__":
    main()
