"""``report.html``: the leaders' page, one file that needs no network, and no script to be read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from pipeline.aggregate.breakdowns import label_column
from pipeline.aggregate.series import Series
from pipeline.documents.drill import LEAST, Drill, Earlier
from pipeline.documents.facts import SMALL, Facts
from pipeline.documents.templating import environment
from pipeline.records import UNSPECIFIED

_TEMPLATES = Path(__file__).with_name("templates")


def write_page(
    facts: Facts, path: Path, comparisons: Sequence[Series] = (), earlier: Earlier | None = None
) -> None:
    """Render the page; a value that the template misses is an error, not a blank.

    ``comparisons``: which departments accusing opinions are about more often than is usual in their series, as
    :func:`~pipeline.aggregate.series.compare_within_series` told of ``issue_distinct``; the page is silent on it without.
    ``earlier``: the round before, with what rose and fell since; None where there is none.
    """
    templates = environment()
    templates.globals.update(
        shade=_shade,
        label_column=label_column,
        SMALL=SMALL,
        LEAST=LEAST,
        UNSPECIFIED=UNSPECIFIED,
    )
    templates.filters["period"] = period_name
    templates.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    drill = Drill.of(facts, comparisons)
    html = templates.get_template("page.html").render(
        facts=facts,
        drill=drill,
        earlier=earlier,
        number={d.name: number for number, d in enumerate(facts.departments)},
        totals=facts.totals,
        run=facts.run,
        measured=facts.card["cross_validation"],
        payload={**drill.payload, "period_names": [period_name(period) for period in drill.periods]},
        periods=facts.tables.by_period.to_dict("records"),
        **_inlined(),
    )
    path.write_text(html, encoding="utf-8")


def period_name(period: str) -> str:
    """``2025-03`` → ``2025年3月``, ``2025`` → ``2025年``; other words stay."""
    year, _, month = period.partition("-")
    if not year.isdigit():
        return period
    return f"{year}年{int(month)}月" if month else f"{year}年"


def _shade(count: int, largest: int) -> int:
    """Step 0 … 5 of the colour scale for a count."""
    return 0 if not count else min(5, 1 + int(4.999 * count / largest))


def _inlined() -> dict[str, str]:
    """Style and script as they stand in the page, and the policy that lets a browser run these alone."""
    style, script = (
        "".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in names)
        for names in (("page.css", "drill.css"), ("page.js",))
    )
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)};"
        " base-uri 'none'; form-action 'none'"
    )
    return {"style": Markup(style), "script": Markup(script), "policy": policy}  # noqa: S704  # our own files


def _digest(text: str) -> str:
    """As a content security policy names an inline element (CSP Level 3)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
