"""The template engine as every page uses it: a value that a template misses is an error, not a blank."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.documents.wording import percent


def environment() -> Environment:
    """Templates of this package, escaped, strict, with the ``percent`` filter."""
    made = Environment(
        loader=PackageLoader("pipeline.documents"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = percent
    return made
