"""The evaluation's page: figures with intervals, reliability curves, confusion, the worst errors by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.documents.templating import environment
from pipeline.taxonomy import Taxonomy

_SIDE = 100
"""Width and height of a curve's plane, in units of its drawing."""


def write_evaluation(figures: Mapping[str, Any], taxonomy: Taxonomy, path: Path) -> None:
    """Render what :func:`pipeline.learn.evaluate.evaluate` returned; one file, no network, no opinion's text."""
    names = {label.code: label.name_zh for label in taxonomy.labels} | {"none": "（无）"}
    page = (
        environment()
        .get_template("evaluation.html")
        .render(
            figures=figures,
            intervals=figures["intervals"],
            names=names,
            columns=[code for code in names if any(code in row for row in figures["confusion"].values())],
            curves={"all": "全部类别合计", **{code: names[code] for code in taxonomy.codes}},
            points={code: _points(steps) for code, steps in figures["reliability"].items()},
        )
    )
    path.write_text(page, encoding="utf-8")


def _points(steps: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Steps as circles on the plane: across what was said, up what was true, the area as the number."""
    most = max((step["n"] for step in steps), default=1)
    return [
        {
            "x": round(_SIDE * step["probability"], 1),
            "y": round(_SIDE * (1 - step["share"]), 1),
            "r": round(1.5 + 4 * (step["n"] / most) ** 0.5, 1),
            **step,
        }
        for step in steps
    ]
