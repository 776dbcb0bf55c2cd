"""The page on which a training tells its verdict: each rule and what it found, no opinion's text."""

from __future__ import annotations

from pipeline.documents.templating import environment
from pipeline.learn.gate import PARTS
from pipeline.learn.retrain import Outcome
from pipeline.taxonomy import Taxonomy


def gate_page(outcome: Outcome, taxonomy: Taxonomy) -> str:
    """One HTML file, no network."""
    return (
        environment()
        .get_template("gate.html")
        .render(
            outcome=outcome,
            card=outcome.trained.model.card,
            verdict=outcome.verdict,
            titles=PARTS,
            names={label.code: label.name_zh for label in taxonomy.labels},
            protected=set(taxonomy.protected),
        )
    )
