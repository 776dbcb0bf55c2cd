"""New labels → a candidate model, judged against the active one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.classifier.model import Model
from pipeline.learn.champion import Champion, Known, confront, matched
from pipeline.learn.corpus import Labelled, corpus_digest, corpus_files, label_matrix
from pipeline.learn.gate import FEW, Verdict, judge
from pipeline.learn.newlabels import NewLabels, keys_of
from pipeline.learn.paired import agreement_beyond_chance
from pipeline.learn.suspects import Suspect
from pipeline.learn.train import Trained, train_model
from pipeline.taxonomy import Taxonomy
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Outcome:
    """What a training came to. ``parts`` and ``fit`` are what the verdict was passed on.

    ``suspected`` are new labels that look wrong: (id of the opinion, suspect). ``forgotten`` names labelled files that the active
    model was trained on and this one was not. ``at`` is the time, ``reason`` why it is made active against the verdict.
    """

    trained: Trained
    parent: str
    new: NewLabels
    parts: dict[str, dict[str, Any]]
    fit: float | None
    verdict: Verdict
    suspected: tuple[tuple[str, Suspect], ...]
    forgotten: tuple[str, ...]
    at: str
    reason: str = ""

    @property
    def promoted(self) -> bool:
        """Whether the candidate becomes the active model."""
        return self.verdict.passed or bool(self.reason)


def retrain(
    space: Workspace,
    new: NewLabels,
    corpus: Known,
    *,
    archive: Sequence[str],
    active: Champion | None,
    shipped: Sequence[Labelled] = (),
    at: str,
    reason: str = "",
    suspected: Sequence[tuple[str, Suspect]] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Train on corpus and new labels, compare with the active model, judge; nothing is written.

    ``shipped`` are labelled opinions that no model learns, ``archive`` unlabelled texts.

    Raises:
        ResourceError: see :func:`~pipeline.learn.train.train_model`.
    """
    about = {
        "corpus": corpus_digest(corpus_files(space.corpus)),
        "labelled": [*new.files],
        "new_opinions": len(new.train),
        "frozen_opinions": len(new.frozen),
        "parent": active.version if active else "",
    }
    trained = train_model(
        [*corpus.items, *new.train],
        space.taxonomy,
        space.lexicon,
        about=about,
        kind="trained",
        unlabelled=archive,
        progress=progress,
    )
    progress("与当前模型比较")
    parts = confront(active, trained, space, new, corpus, shipped) if active else {}
    fit = _fit(trained, new, space.taxonomy)
    card = trained.model.card
    return Outcome(
        trained=trained,
        parent=active.version if active else "",
        new=new,
        parts=parts,
        fit=fit,
        verdict=judge(
            parts,
            fit,
            card["cross_validation"],
            space.taxonomy,
            archive=None if new.train else card["archive"],
        ),
        suspected=tuple(suspected),
        forgotten=_forgotten(active.reader.model if active else None, new),
        at=at,
        reason=reason,
    )


def _fit(trained: Trained, new: NewLabels, taxonomy: Taxonomy) -> float | None:
    """P that the new labels have nothing to do with their texts, by the candidate's held-out probabilities."""
    rows, theirs = matched(keys_of(new.train), trained.held_out.keys)
    if len(rows) < FEW:
        return None
    truth = label_matrix(new.train, taxonomy)[rows]
    return agreement_beyond_chance(truth, trained.held_out.labels[theirs])


def _forgotten(active: Model | None, new: NewLabels) -> tuple[str, ...]:
    given = {file["sha256"] for file in new.files}
    before = active.card.get("labelled", []) if active else []
    return tuple(
        file["name"] for file in before if file["sha256"] not in given and file["name"] != "feedback"
    )
