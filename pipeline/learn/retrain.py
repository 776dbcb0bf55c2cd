"""New labels → a candidate model, judged against the active one, promoted only when it is not worse.

The way of ``qingyi train``: gather what people labelled → hold a part back for good → list labels that look wrong → train
→ compare on the same opinions → judge → register → move the pointer, or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.carrying import carried_answer
from pipeline.classifier.model import Model, active_version, load_model, read_card
from pipeline.classifier.read import Reader, reader_of
from pipeline.errors import InputError, ModelError
from pipeline.intake.files import find_files
from pipeline.intake.reading import Intake
from pipeline.intake.repeats import Repeats
from pipeline.learn.corpus import Labelled, corpus_digest, corpus_files, label_matrix, load_labelled
from pipeline.learn.gate import FEW, Sides, Verdict, agreement_beyond_chance, compare, judge
from pipeline.learn.prepare import text_key
from pipeline.learn.registry import load_held_out, own_models
from pipeline.learn.suspects import Suspect, suspects
from pipeline.learn.train import HeldOut, Trained, train_model
from pipeline.records import Opinion
from pipeline.review.answers import Answer, Question
from pipeline.review.store import Store
from pipeline.taxonomy import Taxonomy
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.text.shingles import signature
from pipeline.workspace import Workspace

IMPORTANCE = 5.0
"""How many opinions of the corpus one of the user's own counts as: it is of the kind that will be read."""

FROZEN_SHARE = 5
"""One in so many labelled opinions is never trained on, always the same ones; audited opinions never are."""

ARCHIVE = 20_000
"""Most unlabelled opinions that are used; beyond that, a random choice of them."""


@dataclass(frozen=True)
class NewLabels:
    """What people labelled beside the corpus: ``train`` to learn from, ``frozen`` to judge on.

    ``files`` says where it came from, for the card: name, digest, opinions. ``disputed`` opinions are left out.
    """

    train: tuple[Labelled, ...]
    frozen: tuple[Labelled, ...]
    files: tuple[dict[str, Any], ...]
    disputed: int


@dataclass(frozen=True)
class Outcome:
    """What a training came to. ``parts`` and ``fit`` are what the verdict was passed on; ``reason`` is that of a forced promotion."""

    trained: Trained
    parent: str
    new: NewLabels
    parts: dict[str, dict[str, Any]]
    fit: float | None
    verdict: Verdict
    suspected: tuple[tuple[str, Suspect], ...]
    forgotten: tuple[str, ...]
    at: str
    reason: str = field(default="")

    importance: float = IMPORTANCE

    @property
    def promoted(self) -> bool:
        """Whether the candidate became the active model."""
        return self.verdict.passed or bool(self.reason)


def gather(space: Workspace, paths: Sequence[Path]) -> NewLabels:
    """Labelled files and the workspace's stored answers, each text once, the later label counting.

    Raises:
        InputError: there is nothing new to learn from.
    """
    files_given = find_labelled(paths)
    items = (
        _own(load_labelled(files_given, space.taxonomy, space.directory, space.migrations)) if paths else []
    )
    files = [
        {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in files_given
    ]
    states = Store(space.feedback, space.migrations).states().values()
    answered, audited = [], set()
    for state in states:
        if state.final and not state.final.skipped:
            question = state.question
            item = _answered(state.question, state.final, space)
            answered.append(item)
            if question.why == "audit":
                audited.add(item.opinion.id)
    if answered:
        digest = hashlib.sha256(repr([(i.opinion.id, i.labels) for i in answered]).encode()).hexdigest()
        files.append({"name": "feedback", "sha256": digest})
    if not items and not answered:
        raise InputError("没有新的标注：请给出标注文件，或先用“qingyi review import”导入复核表。")
    train, frozen = _divided([*items, *answered], audited)
    disputed = sum(state.disputed for state in states)
    return NewLabels(tuple(train), tuple(frozen), tuple(files), disputed)


def find_labelled(paths: Sequence[Path]) -> list[Path]:
    """The files of what was named, folders opened, in order."""
    return [source.path for source in find_files(paths)]


def _answered(question: Question, answer: Answer, space: Workspace) -> Labelled:
    """A stored answer as a labelled opinion, its labels carried over to the present taxonomy."""
    pairs, unknown, waiting = carried_answer(answer, space.migrations)
    opinion = Opinion(id=question.id, text=question.text, department=question.department)
    labels = space.taxonomy.parse(code for _, code in pairs)
    item = Labelled(opinion=opinion, labels=labels, pairs=frozenset(pairs), unknown=unknown, waiting=waiting)
    return _own([item])[0]


def _own(items: Sequence[Labelled]) -> list[Labelled]:
    """The user's own labelled opinions: each a source of its own, each counting as several of the corpus."""
    own = []
    for item in items:
        identity = f"new:{text_key(mask(normalise(item.opinion.text))):016x}"
        opinion = Opinion(id=identity, text=item.opinion.text, department=item.opinion.department)
        own.append(
            replace(item, opinion=opinion, source=identity, note=item.opinion.id, importance=IMPORTANCE)
        )
    return own


def _divided(items: Sequence[Labelled], audited: set[str]) -> tuple[list[Labelled], list[Labelled]]:
    """``(train, frozen)``; repeats go together.

    An audited opinion is frozen. Where none was audited it is one in :data:`FROZEN_SHARE`, by its text's digest, so that it
    stays frozen whatever is labelled later.
    """
    latest = {item.opinion.id: item for item in items}
    repeats = Repeats()
    clusters: dict[str, list[Labelled]] = {}
    for identity, item in latest.items():
        first = repeats.first_of(identity, signature(mask(normalise(item.opinion.text)))) or identity
        clusters.setdefault(first, []).append(item)
    train: list[Labelled] = []
    frozen: list[Labelled] = []
    for first, members in clusters.items():
        held = any(member.opinion.id in audited for member in members) or (
            not audited and int(first.removeprefix("new:"), 16) % FROZEN_SHARE == 0
        )
        (frozen if held else train).extend(members)
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


@dataclass(frozen=True)
class Champion:
    """The active model, and what it said of the opinions it was trained on without having seen them."""

    reader: Reader
    held_out: HeldOut | None

    @property
    def version(self) -> str:
        """The version's name."""
        return self.reader.model.version


def champion(space: Workspace) -> Champion | None:
    """The active model; None where it was made for another taxonomy or lexicon, and so cannot be compared."""
    try:
        reader = reader_of(space, load_model(space.models, space.taxonomy, space.lexicon))
        return Champion(reader, load_held_out(space.models, reader.model.card))
    except ModelError:
        return None


def suspected(
    new: NewLabels, active: Champion | None, corpus: Sequence[Labelled]
) -> list[tuple[str, Suspect]]:
    """New labels that the active model, which did not learn from them, confidently disagrees with: ``(id, suspect)``.

    The opinion's id as the person who labelled it knows it.
    """
    items = [*new.train, *new.frozen]
    if not items or active is None:
        return []
    taxonomy = active.reader.taxonomy
    probabilities, _ = _said(items, active)
    truth = label_matrix(items, taxonomy)
    reference = (truth, probabilities)
    if active.held_out is not None:
        rows, theirs = _matched(keys_of(corpus), active.held_out.keys)
        if len(rows):
            known = label_matrix(corpus, taxonomy)[rows]
            reference = (known, active.held_out.labels[theirs])
    return [(items[found.row].note, found) for found in suspects(truth, probabilities, reference, taxonomy)]


def keys_of(items: Sequence[Labelled]) -> npt.NDArray[np.uint64]:
    """The texts' keys (:func:`~pipeline.learn.prepare.text_key`), shape (n,)."""
    return np.array([text_key(mask(normalise(item.opinion.text))) for item in items], dtype=np.uint64)


def _matched(
    mine: npt.NDArray[np.uint64], theirs: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row numbers of the keys that occur in both, in the order of the first."""
    place = {key: row for row, key in reversed(list(enumerate(theirs.tolist())))}
    rows = [row for row, key in enumerate(mine.tolist()) if key in place]
    return np.array(rows, np.int64), np.array([place[int(mine[row])] for row in rows], np.int64)


def _said(items: Sequence[Labelled], model: Champion) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and decisions of a model on opinions, held out where it was trained on them."""
    probabilities, given, _ = model.reader.judge([item.opinion for item in items])
    if model.held_out is not None:
        rows, theirs = _matched(keys_of(items), model.held_out.keys)
        probabilities[rows], given[rows] = model.held_out.labels[theirs], model.held_out.given[theirs]
    return probabilities, given


def confront(
    active: Champion, trained: Trained, space: Workspace, new: NewLabels, corpus: Sequence[Labelled]
) -> dict[str, dict[str, Any]]:
    """Both models on the same opinions, part by part; parts without opinions are left out."""
    taxonomy = space.taxonomy
    candidate = Champion(reader_of(space, trained.model), trained.held_out)
    parts: dict[str, dict[str, Any]] = {}
    for name, items in (("corpus", corpus), ("frozen", new.frozen), ("new", new.train)):
        chosen: Sequence[Labelled] = items
        if name == "corpus":
            known = active.held_out.keys if active.held_out else np.array([], np.uint64)
            rows, _ = _matched(keys_of(items), known)
            chosen = [items[row] for row in rows.tolist()]
        if not chosen:
            continue
        before_probability, before = _said_briefly(chosen, active, name)
        after_probability, after = _said_briefly(chosen, candidate, name)
        parts[name] = compare(
            Sides(
                truth=label_matrix(chosen, taxonomy),
                before=before,
                after=after,
                before_probability=before_probability,
                after_probability=after_probability,
                groups=_groups(chosen, trained.held_out),
            ),
            taxonomy,
        )
    return parts


def _said_briefly(items: Sequence[Labelled], model: Champion, part: str) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`_said`; the corpus, all of it held out, need not be read again."""
    if part != "corpus" or model.held_out is None:
        return _said(items, model)
    _, theirs = _matched(keys_of(items), model.held_out.keys)
    return model.held_out.labels[theirs], model.held_out.given[theirs]


def _groups(items: Sequence[Labelled], held_out: HeldOut) -> npt.NDArray[np.int64]:
    """What was held out together in training is resampled together; frozen opinions each by itself."""
    rows, theirs = _matched(keys_of(items), held_out.keys)
    groups = -1 - np.arange(len(items))
    groups[rows] = held_out.groups[theirs]
    return groups


def retrain(
    space: Workspace,
    new: NewLabels,
    corpus: Sequence[Labelled],
    *,
    archive: Sequence[str],
    active: Champion | None,
    at: str,
    reason: str = "",
    suspected: Sequence[tuple[str, Suspect]] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Train on corpus and new labels, compare with the active model, judge; nothing is written.

    Raises:
        ResourceError: see :func:`~pipeline.learn.train.train_model`.
    """
    parent = active.version if active else ""
    about = {
        "corpus": corpus_digest(corpus_files(space.corpus)),
        "labelled": [*new.files],
        "new_opinions": len(new.train),
        "frozen_opinions": len(new.frozen),
        "parent": parent,
    }
    trained = train_model(
        [*corpus, *new.train],
        space.taxonomy,
        space.lexicon,
        about=about,
        kind="trained",
        unlabelled=archive,
        progress=progress,
    )
    progress("与当前模型比较")
    parts = confront(active, trained, space, new, corpus) if active else {}
    fit = _fit(trained, new, space.taxonomy)
    return Outcome(
        trained=trained,
        parent=parent,
        new=new,
        parts=parts,
        fit=fit,
        verdict=judge(parts, fit, space.taxonomy),
        suspected=tuple(suspected),
        forgotten=_forgotten(active.reader.model if active else None, new),
        at=at,
        reason=reason,
    )


def _fit(trained: Trained, new: NewLabels, taxonomy: Taxonomy) -> float | None:
    """P that the new labels have nothing to do with their texts, by the candidate's held-out probabilities."""
    if len(new.train) < FEW:
        return None
    rows, theirs = _matched(keys_of(new.train), trained.held_out.keys)
    truth = label_matrix(new.train, taxonomy)[rows]
    return agreement_beyond_chance(truth, trained.held_out.labels[theirs])


def _forgotten(active: Model | None, new: NewLabels) -> tuple[str, ...]:
    """Names of labelled files the active model was trained on and this training was not given."""
    given = {file["sha256"] for file in new.files}
    before = active.card.get("labelled", []) if active else []
    return tuple(
        file["name"] for file in before if file["sha256"] not in given and file["name"] != "feedback"
    )


def start(space: Workspace) -> tuple[Path, str]:
    """``(models, active version)``: the workspace's own registry, where training will write."""
    models = own_models(space)
    version = active_version(models)
    read_card(models, version)
    return models, version
