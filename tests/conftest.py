"""Shared fixtures: the shipped workspace, its reader, the sample's run, and text files written by tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.classifier.read import Reader, open_reader
from pipeline.cli import main
from pipeline.run import Result, report
from pipeline.workspace import SHIPPED, Workspace

SHARED = SHIPPED.parent / "shared" / "data"


@pytest.fixture(scope="session")
def workspace() -> Workspace:
    return Workspace(root=SHIPPED)


@pytest.fixture(scope="session")
def reader(workspace: Workspace) -> Reader:
    return open_reader(workspace)


@pytest.fixture(scope="session")
def round1(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The main job on the first sample round, run once."""
    return report([SHIPPED / "data/samples/round1"], tmp_path_factory.mktemp("round1"), jobs=1)


@pytest.fixture
def write(tmp_path: Path):
    """Write a text file and return its path."""

    def make(name: str, text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
        return path

    return make


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run a command line in an empty folder; returns (status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        with pytest.raises(SystemExit) as done:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return done.value.code or 0, printed.out, printed.err

    return call
