"""The place of models under ``models/``: one folder a version, ``active`` names the one in use."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.classifier.model import Model, save_model
from pipeline.errors import OutputError, cause
from pipeline.learn.corpus import corpus_digest, corpus_files, load_labelled
from pipeline.learn.train import train_model
from pipeline.workspace import Workspace


def build(workspace: Workspace, models: Path, progress: Callable[[str], None] = lambda _: None) -> Model:
    """Rebuild the base model from the workspace's taxonomy, lexicon and corpus, and make it active.

    The folder is written whole beside its place and then renamed, so that ``models`` is usable at any moment.

    Raises:
        OutputError: ``models`` cannot be made.
        ResourceError: a resource or a line of the corpus is wrong.
    """
    try:
        models.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"不能建立模型文件夹 {models}：{cause(error)}。") from None
    files = corpus_files(workspace.corpus)
    labelled = load_labelled(files, workspace.taxonomy, workspace.directory)
    model = train_model(
        labelled, workspace.taxonomy, workspace.lexicon, corpus=corpus_digest(files), progress=progress
    )
    folder = models / model.version
    with tempfile.TemporaryDirectory(dir=models, prefix=".building-") as temporary:
        made = Path(temporary) / model.version
        save_model(model, made)
        if folder.exists():
            folder.rename(Path(temporary) / "old")
        made.rename(folder)
    pointer = models / ".active.new"
    pointer.write_text(model.version + "\n", encoding="utf-8")
    os.replace(pointer, models / "active")  # noqa: PTH105  # the atomic replace is the point
    return model
