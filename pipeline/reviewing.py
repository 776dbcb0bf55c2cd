"""The ways of ``qingyi review`` on one page: results → sheet, sheet → store, disagreements → sheet, and where things stand."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.carrying import carry_pairs, needs_review
from pipeline.classifier.read import open_reader
from pipeline.documents.review_sheet import write_review_sheet
from pipeline.errors import InputError, OutputError, cause
from pipeline.learn.registry import now
from pipeline.migration_files import editions
from pipeline.outputs.folder import private_file
from pipeline.review.agreement import by_label
from pipeline.review.answers import Answer, Batch
from pipeline.review.export import AUDIT_SHARE, batch_of, disputes_of, origin_of, questions_of
from pipeline.review.label_studio import labelling_config, read_tasks, tasks
from pipeline.review.sheet import read_review_sheet
from pipeline.review.store import Store
from pipeline.workspace import Workspace, open_workspace

SHEET_SIZE = 200
"""Opinions in a sheet: what a person looks through in a morning."""


def export(
    folder: str | Path,
    output: str | Path,
    *,
    workspace: str | Path | None = None,
    n: int = SHEET_SIZE,
    audit: float = AUDIT_SHARE,
    labels: Sequence[str] = (),
    departments: Sequence[str] = (),
) -> Batch:
    """Write the ``n`` opinions of a run most worth a look to ``output``: ``.xlsx``, or ``.json`` for Label Studio.

    ``audit`` is the share drawn at random. ``labels`` (codes or Chinese names) and ``departments`` narrow the choice.
    Opinions already asked about and answered are not asked again. What was asked is kept in the workspace's store, unless
    the file cannot be written.

    Raises:
        InputError, ResourceError, OutputError: see :mod:`pipeline.errors`.
    """
    space = open_workspace(Path(workspace) if workspace is not None else None)
    target = _target(Path(output))
    model = origin_of(Path(folder), space.taxonomy)
    reader = open_reader(space)
    store = Store(space.feedback, space.migrations)
    answered = {
        key: state.question.why
        for key, state in store.states().items()
        if (state.answers or state.skipped)
        and not (state.final and needs_review(state.final, space.migrations))
    }
    questions = questions_of(
        Path(folder),
        reader,
        n=n,
        audit=audit,
        labels=space.taxonomy.parse(labels),
        departments=[_department(space, name) for name in departments],
        answered=answered.keys(),
        audited={key for key, why in answered.items() if why == "audit"},
        seed=len(store.batches()),
    )
    batch = batch_of(questions, "review", model or reader.model.version, space.taxonomy, now())
    _ask(batch, store, space, target)
    return batch


def disputes(output: str | Path, *, workspace: str | Path | None = None) -> Batch:
    """Write the opinions on which people disagree to a sheet in which one person settles them.

    Raises:
        InputError: nobody disagrees.
        OutputError: the sheet or the store cannot be written.
    """
    space = open_workspace(Path(workspace) if workspace is not None else None)
    target = _target(Path(output))
    store = Store(space.feedback, space.migrations)
    questions = disputes_of(store.states().values(), space.taxonomy, space.migrations)
    if not questions:
        raise InputError("没有意见不一的标注，不用裁定。")
    batch = batch_of(questions, "settle", "", space.taxonomy, now())
    _ask(batch, store, space, target)
    return batch


@dataclass(frozen=True)
class Imported:
    """What an import came to: answers read, those of them ``fresh``, rows still ``open``, and ``problems`` by place."""

    read: int
    fresh: int
    skipped: int
    open: int
    problems: tuple[str, ...]


def take_in(path: str | Path, *, workspace: str | Path | None = None, by: str = "") -> Imported:
    """Read a filled-in sheet (``.xlsx``) or Label Studio's export (``.json``) into the store; all of it, or nothing.

    Importing the same sheet again adds nothing; a later one adds what changed, and what was said before is kept.

    Raises:
        InputError, ResourceError, OutputError: see :mod:`pipeline.errors`. Wrong cells are no error but ``problems``.
    """
    space = open_workspace(Path(workspace) if workspace is not None else None)
    store, source = Store(space.feedback, space.migrations), Path(path)
    read = read_tasks if source.suffix.lower() == ".json" else read_review_sheet
    known = editions(space.taxonomy, space.migrations)
    filled = read(source, store, known, space.directory, by=by, at=now())
    fresh = store.add_answers(filled.answers)
    skipped = sum(answer.skipped for answer in filled.answers)
    return Imported(len(filled.answers), fresh, skipped, filled.open, filled.problems)


@dataclass(frozen=True)
class Status:
    """Opinions asked about, by where they stand; ``people`` with how many each labelled; ``agreement`` per label code."""

    asked: int
    labelled: int
    disputed: int
    skipped: int
    open: int
    audited: int
    people: dict[str, int]
    agreement: dict[str, dict[str, float | int | None]]


def status(workspace: str | Path | None = None) -> Status:
    """Where the review stands.

    Raises:
        ResourceError: a file of the store is damaged.
    """
    space = open_workspace(Path(workspace) if workspace is not None else None)
    states = Store(space.feedback, space.migrations).states()
    given = {key: {a.by: frozenset(_codes(a, space)) for a in state.answers} for key, state in states.items()}
    labelled = [state for state in states.values() if state.final]
    return Status(
        asked=len(states),
        labelled=len(labelled),
        disputed=sum(state.disputed for state in states.values()),
        skipped=sum(state.skipped for state in states.values()),
        open=sum(not (state.final or state.answers or state.skipped) for state in states.values()),
        audited=sum(state.question.why == "audit" for state in labelled),
        people=dict(sorted(Counter(by for people in given.values() for by in people).items())),
        agreement=by_label(given, space.taxonomy.codes),
    )


def _codes(answer: Answer, space: Workspace) -> tuple[str, ...]:
    """The labels of an answer in the present taxonomy."""
    return tuple(code for _, code in carry_pairs(space.migrations, answer.pairs, answer.taxonomy))


def _department(space: Workspace, name: str) -> str:
    found = space.directory.resolve(name)
    if found is None:
        raise InputError(f"部门目录里没有“{name[:20]}”；请写目录里的名称或别名。")
    return found


def _target(path: Path) -> Path:
    if path.suffix.lower() not in {".xlsx", ".json"}:
        raise InputError(f"-o 应是 .xlsx（复核表）或 .json（Label Studio）文件，{path.name} 不是。")
    if path.exists():
        raise InputError(f"{path} 已经有了，里面可能有人填好的；请换一个文件名，或先把它移走。")
    return path


def _ask(batch: Batch, store: Store, space: Workspace, target: Path) -> None:
    """Write the sheet and keep its batch, both or neither; killed in between, the batch alone: a sheet is always answerable."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"不能写入 {target}：{cause(error)}。") from None
    config = target.with_suffix(".xml") if target.suffix.lower() == ".json" else None
    settings = labelling_config(space.taxonomy, space.directory).encode()
    if config and config.exists() and config.read_bytes() != settings:
        raise InputError(f"{config} 已经有了，不是这里的标注设置；请换一个文件名，或先把它移走。")
    added = False
    try:
        if config:
            with private_file(config) as path:
                path.write_bytes(settings)
        with private_file(target) as path:
            _write(batch, space, path)
            added = store.add_batch(batch)
    except BaseException:
        if not os.path.lexists(target):
            if config:
                with contextlib.suppress(OSError):  # it holds no opinion
                    config.unlink()
            if added:
                store.remove_batch(batch.id)
        raise


def _write(batch: Batch, space: Workspace, path: Path) -> None:
    if path.suffix.lower() == ".xlsx":
        write_review_sheet(batch, space.taxonomy, space.directory, path)
    else:
        content = json.dumps(tasks(batch, space.taxonomy, space.directory), ensure_ascii=False, indent=1)
        path.write_text(content + "\n", encoding="utf-8")
