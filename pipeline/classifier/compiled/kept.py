"""Tables of the shipped model, kept between processes: making them takes a second or two.

Only the shipped one's: what another model knows its user's people wrote, and no copy of it is to outlive the workspace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version

from pipeline.classifier.model import Model
from pipeline.compiled.keeping import Kept, kept_tables
from pipeline.workspace import SHIPPED

_BASE = "base-"
"""Begins the names of models of a corpus alone."""
_LIBRARIES = ("jieba", "rjieba", "numpy")
"""Whose words are in the tables, and whose arrays they are."""


def kept(kind: type[Kept], model: Model, make: Callable[[], Kept]) -> Kept:
    """What ``make`` gives of a model, read where it was kept; kept where it may be (:func:`kept_tables`)."""
    # in a checkout that is somebody's workspace as well, models of their own lie beside the shipped one
    if not (model.version.startswith(_BASE) and (SHIPPED / "models" / model.version).is_dir()):
        return make()
    made_of = [
        model.card["files"],
        model.card["lexicon"],
        *(f"{name} {version(name)}" for name in _LIBRARIES),
    ]
    digest = hashlib.sha256(repr(made_of).encode() + (SHIPPED / "data/disguises.tsv").read_bytes())
    return kept_tables(kind, f"tables-{digest.hexdigest()[:16]}", make)
