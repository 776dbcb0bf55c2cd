"""Quality of the active model on opinions it has not seen, with 95 % bootstrap intervals over clusters of near repeats.

    python benchmarks/quality.py LABELLED.jsonl [MESSAGES.csv LABELS.csv]

The second set joins messages (id, title, text) with labels (id, labels) kept in another file.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from pipeline.classifier.read import Reader, open_reader
from pipeline.intake.files import find_files
from pipeline.intake.reading import Intake
from pipeline.learn.corpus import Labelled, load_labelled
from pipeline.learn.evaluate import evaluate
from pipeline.records import Opinion
from pipeline.taxonomy import Taxonomy
from pipeline.workspace import open_workspace

SHOWN = ("micro_f1", "macro_f1", "pair_f1", "false_accusation_rate")


def joined(messages: Path, labels: Path, taxonomy: Taxonomy) -> list[Labelled]:
    """Messages that have labels, in the messages' order."""
    with labels.open(encoding="utf-8-sig", newline="") as file:
        wanted = {row["id"]: taxonomy.parse(row["labels"]) for row in csv.DictReader(file)}
    return [
        Labelled(opinion=row, labels=wanted[row.id], pairs=None)
        for row in Intake(find_files([messages]))
        if isinstance(row, Opinion) and row.id in wanted
    ]


def show(name: str, reader: Reader, labelled: Sequence[Labelled]) -> None:
    """Print the chief figures of one set and the labels it is weakest at."""
    figures = evaluate(reader, labelled)
    print(
        f"{name}: {figures['opinions']} opinions, model {figures['model']}, {figures['macro_labels']} labels occur"
    )
    for figure in SHOWN:
        if figures[figure] is not None:
            low, high = figures["intervals"][figure]
            print(f"  {figure} {figures[figure]:.3f} ({low:.3f} to {high:.3f})")
    print(
        f"  precision {figures['micro_precision']:.3f}, recall {figures['micro_recall']:.3f}, "
        f"to review {figures['reviewed_share']:.3f}"
    )
    supported = {code: row for code, row in figures["labels"].items() if row["support"]}
    weakest = sorted(supported, key=lambda code: supported[code]["f1"])[:3]
    print("  weakest: " + ", ".join(f"{code} {supported[code]['f1']:.2f}" for code in weakest))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("labelled", type=Path)
    parser.add_argument("messages", type=Path, nargs="?")
    parser.add_argument("labels", type=Path, nargs="?")
    wanted = parser.parse_args()
    space = open_workspace()
    reader = open_reader(space)
    show(wanted.labelled.name, reader, load_labelled([wanted.labelled], space.taxonomy, space.directory))
    if wanted.messages and wanted.labels:
        show(wanted.labels.name, reader, joined(wanted.messages, wanted.labels, space.taxonomy))


if __name__ == "__main__":
    main()
