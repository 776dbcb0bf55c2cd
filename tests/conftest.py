"""Shared fixtures: the shipped workspace, its reader, the sample's run, and text files written by tests; no network for any of them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.classifier.read import Reader, open_reader
from pipeline.cli import main
from pipeline.run import Result, report
from pipeline.text.segment import Segmenter
from pipeline.workspace import SHIPPED, Workspace
from tests.canary import desk

__all__ = ["desk"]

SHARED = SHIPPED.parent / "shared" / "data"

ALONE = "--no-interfaces"
"""The option by which the whole suite runs where no interface is up, not even the machine's own (Linux, by root or with user namespaces)."""

_asked: list[str] = []
"""What a test asked of the internet."""


def _watch(event: str, words: tuple[object, ...]) -> None:
    """See every socket of the internet and every question for an address; a library may swallow the refusal."""
    internet = event == "socket.__new__" and words[1] in {socket.AF_INET, socket.AF_INET6}
    if internet or event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        _asked.append(event)
        raise PermissionError("a test may not ask the internet")


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def no_network():
    """Fail a test that opens a socket of the internet, in this process or in a fork of it."""
    _asked.clear()
    yield
    assert _asked == [], "asked the internet"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(ALONE, action="store_true", help="run all tests where there is no network interface")


LONGEST = (
    "test_learn",
    "test_retrain",
    "test_resources",
    "test_faults",
    "test_bad_input",
    "test_interrupted",
    "test_review",
)
"""Files that take longest: begun first where files are shared out, so that at the end no processor waits long for another."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Run the same command once more in a network namespace of its own."""
    if not config.getoption(ALONE):
        return None
    words = [word for word in config.invocation_params.args if word != ALONE]
    alone = ["unshare", "--net", "--map-root-user", sys.executable, "-m", "pytest", *words]
    return subprocess.run(alone, check=False).returncode


@pytest.fixture(scope="session", autouse=True)
def tokenizers():
    """Build a tokenizer once for each lexicon: it depends on nothing else, and each run of a command opens a reader of its own."""
    build = Segmenter._build
    built: dict[tuple[str, ...], Any] = {}

    def once(self: Segmenter):
        if self._built is None:  # asked for each clause
            key = tuple(self.lexicon.classes)
            self._built = built[key] if key in built else built.setdefault(key, build(self))
        return self._built

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Segmenter, "_build", once)
        yield


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
