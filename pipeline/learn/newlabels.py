"""What people labelled beside the corpus: gathered, and a part of it frozen for good."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.carrying import carried_answer
from pipeline.intake.files import find_files, printable
from pipeline.intake.reading import Intake
from pipeline.intake.repeats import Repeats
from pipeline.learn.corpus import Labelled, load_labelled
from pipeline.learn.prepare import text_key
from pipeline.records import Opinion
from pipeline.review.answers import Answer, Question
from pipeline.review.store import Store
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.text.shingles import signature
from pipeline.workspace import Workspace

FROZEN_SHARE = 5
"""One in so many labelled opinions is never trained on, always the same ones; audited opinions never are."""

ARCHIVE = 20_000
"""Most unlabelled opinions that are used; beyond that, a random choice of them."""


@dataclass(frozen=True)
class NewLabels:
    """What people labelled beside the corpus: ``train`` to learn from, ``frozen`` to judge on.

    ``files`` says where it came from, for the card: name and digest. ``disputed`` opinions are left out.
    """

    train: tuple[Labelled, ...]
    frozen: tuple[Labelled, ...]
    files: tuple[dict[str, Any], ...]
    disputed: int


def gather(space: Workspace, paths: Sequence[Path], known: Collection[int] = ()) -> NewLabels:
    """Labelled files and the workspace's stored answers, each text once: the answer given last counts, files before answers.

    ``known`` are the keys of texts that every model learns (the corpus): those are never frozen.

    Raises:
        ResourceError: a labelled file or the store has a wrong line.
    """
    given = [source.path for source in find_files(paths)] if paths else []
    items = load_labelled(given, space.taxonomy, space.directory, space.migrations) if given else []
    files = [
        {"name": printable(path.name), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in given
    ]
    states = list(Store(space.feedback, space.migrations).states().values())
    finals = [(state.final, state.question) for state in states if state.final and not state.final.skipped]
    finals.sort(key=lambda pair: pair[0].at)
    answered = [_answered(question, answer, space) for answer, question in finals]
    audited = {
        as_own(item).opinion.id
        for item, (_, question) in zip(answered, finals, strict=True)
        if question.why == "audit"
    }
    if answered:
        digest = hashlib.sha256(repr([(item.opinion.id, item.labels) for item in answered]).encode())
        files.append({"name": "feedback", "sha256": digest.hexdigest()})
    train, frozen = _divided([as_own(item) for item in (*items, *answered)], audited, known)
    disputed = sum(state.disputed for state in states)
    return NewLabels(tuple(train), tuple(frozen), tuple(files), disputed)


def _answered(question: Question, answer: Answer, space: Workspace) -> Labelled:
    """A stored answer as a labelled opinion, its labels carried over to the present taxonomy."""
    pairs, unknown, waiting = carried_answer(answer, space.migrations)
    opinion = Opinion(id=question.id, text=question.text, department=question.department)
    labels = space.taxonomy.parse(code for _, code in pairs)
    return Labelled(opinion=opinion, labels=labels, pairs=frozenset(pairs), unknown=unknown, waiting=waiting)


def as_own(item: Labelled) -> Labelled:
    """One of the user's own: a source of its own, known by its text.

    ``note`` keeps the id by which the user knows it.
    """
    identity = f"new:{text_key(mask(normalise(item.opinion.text))):016x}"
    opinion = replace(item.opinion, id=identity)
    return replace(item, opinion=opinion, source=identity, note=item.opinion.id, own=True)


def _divided(
    items: Sequence[Labelled], audited: Collection[str], known: Collection[int]
) -> tuple[list[Labelled], list[Labelled]]:
    """``(train, frozen)``; near repeats go together.

    Frozen are audited opinions and one in :data:`FROZEN_SHARE` by its text's digest, and their repeats: whatever is labelled
    later, they stay so.
    """
    repeats = Repeats()
    clusters: dict[str, list[Labelled]] = {}
    for identity, item in {item.opinion.id: item for item in items}.items():
        first = repeats.first_of(identity, signature(mask(normalise(item.opinion.text)))) or identity
        clusters.setdefault(first, []).append(item)
    train: list[Labelled] = []
    frozen: list[Labelled] = []
    for members in clusters.values():
        keys = {member.opinion.id: int(member.opinion.id.removeprefix("new:"), 16) for member in members}
        held = any(identity in audited or key % FROZEN_SHARE == 0 for identity, key in keys.items())
        learnt = any(key in known for key in keys.values())
        (frozen if held and not learnt else train).extend(members)
    return train, frozen


def read_archive(paths: Sequence[Path]) -> list[str]:
    """Texts of unlabelled files, at most :data:`ARCHIVE`, a seeded random choice where there are more.

    Raises:
        InputError: no readable file.
    """
    texts = [row.text for row in Intake(find_files(paths)) if isinstance(row, Opinion)] if paths else []
    if len(texts) <= ARCHIVE:
        return texts
    return [texts[i] for i in sorted(np.random.default_rng(0).permutation(len(texts))[:ARCHIVE].tolist())]


def keys_of(items: Sequence[Labelled]) -> npt.NDArray[np.uint64]:
    """The texts' keys (:func:`~pipeline.learn.prepare.text_key`), shape (n,)."""
    return np.array([text_key(mask(normalise(item.opinion.text))) for item in items], dtype=np.uint64)
