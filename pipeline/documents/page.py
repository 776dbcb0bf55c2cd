"""``report.html``: the leaders' page, one file that needs no network and no script to be read."""

from __future__ import annotations

from pathlib import Path

from pipeline.documents.facts import SMALL, Facts
from pipeline.documents.templating import environment
from pipeline.records import UNSPECIFIED


def _shade(count: int, largest: int) -> int:
    """Step 0 … 5 of the colour scale for a count."""
    return 0 if not count else min(5, 1 + int(4.999 * count / largest))


def write_page(facts: Facts, path: Path) -> None:
    """Render the page; a value that the template misses is an error, not a blank."""
    templates = environment()
    templates.globals.update(shade=_shade, SMALL=SMALL, UNSPECIFIED=UNSPECIFIED)
    html = templates.get_template("page.html").render(
        facts=facts,
        totals=facts.totals,
        run=facts.run,
        measured=facts.card["cross_validation"],
        issue_labels=[label for label in facts.taxonomy.labels if label.kind == "issue"],
        periods=facts.tables.by_period.to_dict("records"),
        channels=facts.channels,
    )
    path.write_text(html, encoding="utf-8")
