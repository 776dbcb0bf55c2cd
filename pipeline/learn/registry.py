"""Models under ``models/``: one folder a version, never overwritten; ``active`` names the one in use.

``history.jsonl`` has a line for every time the pointer was moved: when, from which version to which, forward or back, and why. A version's
folder is written whole beside its place and then renamed, the pointer is replaced in one step, and both happen under a lock: two
trainings at once, or a kill at any moment, leave a registry that loads.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from pipeline.classifier.files import active_version, read_card, save_model, verified
from pipeline.classifier.model import Model
from pipeline.errors import InputError, ModelError, OutputError, cause
from pipeline.learn.corpus import corpus_digest, corpus_files, load_labelled
from pipeline.learn.held_out import HELD_OUT, held_out_bytes
from pipeline.learn.train import Trained, train_model
from pipeline.lock import held
from pipeline.workspace import Workspace

_STAGING = ".building-"
_POINTER = ".active.new"

_LOCK_SECONDS = 60.0

_MOVE = ("at", "from", "to", "reason")
"""What every line of the history says."""

Move = Literal["forward", "back"]


@dataclass(frozen=True)
class Entry:
    """A version in the registry; ``fault`` says what is wrong with its card, whose content is then empty."""

    version: str
    active: bool
    card: dict[str, Any]
    fault: str = ""


def now() -> str:
    """The time to the second, ISO 8601 with its offset."""
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")


def build(workspace: Workspace, models: Path, progress: Callable[[str], None] = lambda _: None) -> Model:
    """Rebuild the base model from the workspace's taxonomy, lexicon and corpus, and make it active.

    Raises:
        OutputError: ``models`` cannot be written.
        ResourceError: a resource or a line of the corpus is wrong.
    """
    _make(models)
    files = corpus_files(workspace.corpus)
    labelled = load_labelled(files, workspace.taxonomy, workspace.directory, workspace.migrations)
    trained = train_model(
        labelled,
        workspace.taxonomy,
        workspace.lexicon,
        about={"corpus": corpus_digest(files)},
        progress=progress,
    )
    publish(models, trained)
    activate(models, trained.model.version, "由 data/ 重建")
    return trained.model


def publish(
    models: Path,
    trained: Trained,
    notes: Mapping[str, Any] | None = None,
    beside: Mapping[str, bytes] | None = None,
) -> None:
    """Put a version into the registry, whole or not at all, without making it active.

    ``notes`` are added to its card, ``beside`` are further files. A version that is there already stays.

    Raises:
        OutputError: ``models`` cannot be written.
    """
    model = trained.model
    noted = Model(**{**vars(model), "card": {**model.card, **(notes or {})}})
    with _locked(models):
        folder = models / model.version
        if folder.exists() and intact(models, model.version):
            return
        with tempfile.TemporaryDirectory(dir=models, prefix=_STAGING) as temporary:
            made = Path(temporary) / model.version
            save_model(noted, made, {HELD_OUT: held_out_bytes(trained.held_out), **(beside or {})})
            if folder.exists():
                folder.rename(Path(temporary) / "damaged")
            made.rename(folder)


def activate(
    models: Path, version: str, reason: str, *, only_from: str | None = None, kind: Move = "forward"
) -> None:
    """Point ``active`` at a version, and note it in the history.

    Raises:
        ModelError: no such version, or one whose files do not have the digests of its card.
        InputError: the active version is no longer ``only_from``: somebody else moved the pointer meanwhile.
        OutputError: the registry cannot be written.
    """
    card = read_card(models, version)
    for name in card["files"]:
        verified(models, card, name)
    with _locked(models):
        before = _active(models)
        if only_from is not None and before != only_from:
            raise InputError(
                f"训练期间当前模型换成了 {before}，与它比较的结论不再适用；请重新运行“qingyi train”。"
            )
        line = {"at": now(), "from": before, "to": version, "kind": kind, "reason": reason}
        with (models / "history.jsonl").open("a+b") as file:
            # a line that was cut short must not take this one with it
            if file.tell() and not _ends_line(file):
                file.write(b"\n")
            file.write((json.dumps(line, ensure_ascii=False) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        pointer = models / _POINTER
        pointer.write_text(version + "\n", encoding="utf-8")
        os.replace(pointer, models / "active")  # noqa: PTH105  # the atomic replace is the point


def previous(models: Path) -> str:
    """The version that was active before the present one was first made so.

    Raises:
        InputError: there is none.
    """
    active = _active(models)
    # a line whose move was cut short before the pointer followed is passed over
    forward = [line for line in history(models) if line["to"] == active and line.get("kind") != "back"]
    came_from = [str(line["from"]) for line in forward if line["from"] not in {"", active}]
    if not came_from:
        raise InputError("没有更早的模型可以退回；用“qingyi models list”看有哪些版本。")
    return came_from[-1]


def rollback(models: Path, reason: str) -> str:
    """Go back to the :func:`previous` version; its name.

    Raises:
        InputError: there is none.
        ModelError: it is damaged.
    """
    version = previous(models)
    activate(models, version, reason or "退回", only_from=_active(models), kind="back")
    return version


def history(models: Path) -> list[dict[str, Any]]:
    """Every move of the pointer, oldest first; a line that was cut short, or is none of the program's, is left out."""
    path = models / "history.jsonl"
    moves = []
    for line in path.read_text("utf-8", errors="replace").split("\n") if path.exists() else []:
        with contextlib.suppress(ValueError, RecursionError):
            move = json.loads(line)
            if isinstance(move, dict) and all(isinstance(move.get(name), str) for name in _MOVE):
                moves.append(move)
    return moves


def entries(models: Path) -> list[Entry]:
    """All versions by name, the damaged ones too."""
    active = _active(models)
    found = []
    for folder in sorted(path for path in models.iterdir() if path.is_dir() and path.name[0] != "."):
        try:
            found.append(Entry(folder.name, folder.name == active, read_card(models, folder.name)))
        except ModelError as error:
            found.append(Entry(folder.name, folder.name == active, {}, str(error)))
    return found


def intact(models: Path, version: str) -> bool:
    """Whether a version's card can be read and all its files have their digests."""
    try:
        card = read_card(models, version)
        for name in card["files"]:
            verified(models, card, name)
    except ModelError:
        return False
    return True


def own_models(space: Workspace) -> Path:
    """The workspace's own registry, made with a copy of the shipped active model where it has none yet.

    Raises:
        OutputError: it cannot be made.
        ModelError: there is no model to begin with.
    """
    models = space.root / "models"
    shipped = space.models
    if shipped.resolve() == models.resolve():
        _sweep(models)
        return models
    version = active_version(shipped)
    _make(models)
    with _locked(models):
        if not (models / version).exists():
            with tempfile.TemporaryDirectory(dir=models, prefix=_STAGING) as temporary:
                made = Path(temporary) / version
                shutil.copytree(shipped / version, made)
                made.rename(models / version)
    if not (models / "active").exists():
        activate(models, version, "随程序带的模型")
    return models


def _active(models: Path) -> str:
    try:
        return active_version(models)
    except ModelError:
        return ""


def _make(models: Path) -> None:
    try:
        models.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"不能建立模型文件夹 {models}：{cause(error)}。") from None
    _sweep(models)


def _sweep(models: Path) -> None:
    """Take away what a killed run left half-written; a run in progress holds the lock while it writes."""
    with _locked(models):
        for left in models.glob(_STAGING + "*"):
            shutil.rmtree(left, ignore_errors=True)
        (models / _POINTER).unlink(missing_ok=True)


def _ends_line(file: IO[bytes]) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


@contextlib.contextmanager
def _locked(models: Path) -> Iterator[None]:
    try:
        with held(models / ".lock", f"改模型登记 {models}", patience=_LOCK_SECONDS):
            yield
    except OSError as error:
        raise OutputError(f"不能写入模型文件夹 {models}：{cause(error)}。") from None
