"""Where things lie: a workspace's own ``data/`` and ``models/``, each file falling back to the shipped one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.directory import Directory, load_directory
from pipeline.errors import InputError, OutputError, cause
from pipeline.lexicon import Lexicon, load_lexicon
from pipeline.migration import Migration
from pipeline.migration_files import in_force, load_migrations
from pipeline.taxonomy import Taxonomy, load_taxonomy

_INSTALLED = Path(__file__).parent / "_shipped"
SHIPPED = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parent.parent
"""Folder that holds the shipped ``data/`` and ``models/``: inside the wheel, or the checkout's root."""

_EDITABLE = ("data/taxonomy.toml", "data/departments.csv", "data/lexicon.tsv")


@dataclass(frozen=True)
class Workspace:
    """A folder with the layout of the project; what it lacks is taken from the shipped set."""

    root: Path

    def path(self, relative: str) -> Path:
        """The workspace's own file or folder where it exists, the shipped one otherwise."""
        own = self.root / relative
        return own if own.exists() else SHIPPED / relative

    @cached_property
    def taxonomy(self) -> Taxonomy:
        """The label space."""
        return load_taxonomy(self.path("data/taxonomy.toml"))

    @cached_property
    def migrations(self) -> tuple[Migration, ...]:
        """The migrations that led to the taxonomy, oldest first: the workspace's own, none where it has none."""
        return in_force(load_migrations(self.root / "data/migrations"), self.taxonomy.version)

    @cached_property
    def directory(self) -> Directory:
        """The department directory."""
        return load_directory(self.path("data/departments.csv"))

    @cached_property
    def lexicon(self) -> Lexicon:
        """The domain lexicon."""
        return load_lexicon(self.path("data/lexicon.tsv"))

    @property
    def models(self) -> Path:
        """The folder of models: the workspace's where it has an ``active`` pointer, the shipped one otherwise."""
        return self.path("models/active").parent

    @property
    def feedback(self) -> Path:
        """The store of people's answers, always the workspace's own."""
        return self.root / "feedback"

    @property
    def corpus(self) -> Path:
        """The folder of labelled opinions."""
        return self.path("data/labelled")

    @property
    def evaluation(self) -> Path | None:
        """The folder of labelled opinions that no model learns; None for a corpus of one's own without any."""
        own = self.root / "data/evaluation"
        return (
            own
            if own.is_dir()
            else None
            if (self.root / "data/labelled").is_dir()
            else SHIPPED / "data/evaluation"
        )


def open_workspace(root: Path | None = None) -> Workspace:
    """Open a workspace; None means the current folder.

    Raises:
        InputError: the folder named does not exist.
    """
    if root is not None and root.is_file():
        raise InputError(f"工作区 {root} 是文件，不是文件夹。")
    if root is not None and not root.is_dir():
        raise InputError(f"工作区文件夹 {root} 不存在；可用“qingyi init {root}”建立。")
    return Workspace(root=root if root is not None else Path.cwd())


def init_workspace(root: Path) -> list[str]:
    """Copy the editable resources, the samples and the shipped model into ``root``; nothing is overwritten.

    Returns:
        What was made, relative to ``root``, in order.

    Raises:
        OutputError: the folder cannot be written.
    """
    made: list[str] = []
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for relative in _EDITABLE:
            target = root / relative
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(SHIPPED / relative, target)
                made.append(relative)
        for relative in ("data/samples", "models"):
            if not (root / relative).exists():
                shutil.copytree(SHIPPED / relative, root / relative)
                made.append(relative + "/")
    except OSError as error:
        raise OutputError(f"不能建立工作区 {root}：{cause(error)}。") from None
    return made
