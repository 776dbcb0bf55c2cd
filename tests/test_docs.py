"""What is written is what is there: commands, options, columns, the map, the snippet, the notebook."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator

import click
import nbformat
import pytest
from nbclient import NotebookClient

import pipeline
from pipeline.aggregate.tables import SUMMARY
from pipeline.classifier.files import active_version
from pipeline.cli import qingyi
from pipeline.learn.gate import FEW, MARGIN, PROMISED
from pipeline.learn.newlabels import ARCHIVE
from pipeline.learn.paired import PERMUTATIONS, RESAMPLES
from pipeline.outputs.files import FINDINGS, OPINIONS, REJECTED
from pipeline.review.answers import Answer, Question
from pipeline.workspace import SHIPPED

README = (SHIPPED / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((SHIPPED / "notebooks").glob("*.ipynb"))


def commands(group: click.Group, words: str = "qingyi") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} {name}")
        else:
            yield f"{words} {name}", command


def test_every_command_and_option_is_in_the_readme():
    for words, command in commands(qingyi):
        assert f"`{words}" in README, words
        for option in command.params:
            if isinstance(option, click.Option) and option.name != "output":
                assert option.opts[-1] in README, (words, option.opts)


def test_every_column_written_is_in_the_readme():
    for columns in (OPINIONS.names, FINDINGS.names, SUMMARY, REJECTED):
        assert f"`{', '.join(columns)}`" in README


def test_the_store_and_the_gate_are_as_documented():
    text = (SHIPPED / "docs/retraining.md").read_text(encoding="utf-8")
    for fields in (Question.__slots__, Answer.__slots__):
        assert f"`{', '.join(fields)}`" in text
    for words in (
        f"差过 {MARGIN:.0%}（`MARGIN`）".replace("%", " %"),
        f"不超过 {PROMISED:.0%}（`PROMISED`）".replace("%", " %"),
        f"不到 {FEW} 件（`FEW`）",
        f"成对自助抽样（{RESAMPLES:,} 次",
        f"打乱 {PERMUTATIONS} 次",
        f"至多 {ARCHIVE:,} 件",
    ):
        assert words in text


def test_the_map_names_every_room():
    rooms = {
        path.stem for path in (SHIPPED / "pipeline").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }  # fmt: skip
    words = set(re.findall(r"[a-z_]+", str(pipeline.__doc__)))
    assert rooms - {"__init__", "__main__"} <= words


def test_no_room_hides_a_public_name():
    rooms = {path.stem for path in (SHIPPED / "pipeline").iterdir()}
    assert not rooms & set(pipeline.__all__)


def test_the_map_has_the_order_of_the_contract():
    project = tomllib.loads((SHIPPED / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    order = [room.strip() for layer in reversed(layers) for room in layer.split("|")]
    mapped = re.findall(r"^    ([a-z]+)  ", str(pipeline.__doc__), re.MULTILINE)
    rooms = (
        "intake text compiled classifier attribute clues expressions aggregate outputs parts journal ledger documents review learn "
        "engine papers counting judging cluster run comparing reviewing training drifting migrating withdrawing cli"
    )
    assert mapped == rooms.split()
    assert set(mapped) <= set(order)
    assert order.index("text") < order.index("intake") < order.index("classifier") < order.index("aggregate")


def test_the_readmes_python_runs(monkeypatch, tmp_path, capsys):
    (tmp_path / "data").symlink_to(SHIPPED / "data")
    (tmp_path / "models").symlink_to(SHIPPED / "models")
    monkeypatch.chdir(tmp_path)
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(snippet, {})  # noqa: S102  # the snippet is ours, and running it is the test
    assert "304 300 4" in capsys.readouterr().out
    assert (tmp_path / "out/round1/report.html").is_file()


def test_the_readmes_figures_are_those_of_the_shipped_model():
    card = json.loads(
        (SHIPPED / "models" / active_version(SHIPPED / "models") / "card.json").read_text("utf-8")
    )
    assert f"语料 {card['opinions']:,} 件" in README


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run_and_are_stored_without_output(path, tmp_path_factory):
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}})
    kernel = client.create_kernel_manager()
    kernel.transport, kernel.ip = (
        "ipc",
        str(tmp_path_factory.mktemp("k") / "k"),
    )  # no port: tests ask no network
    client.execute()


def test_there_are_the_notebooks():
    assert [path.name for path in NOTEBOOKS] == ["first-batch.ipynb", "retraining.ipynb"]


def test_the_tests_that_the_reliability_page_names_are_there():
    page = (SHIPPED / "docs/reliability.md").read_text(encoding="utf-8")
    file, checked = "", 0
    for named, test, open_end in re.findall(r"`(test_\w+|…)(?:::(test_\w+))?(…|\*)?`", page):
        file = file if named == "…" else named
        source = (SHIPPED / f"tests/{file}.py").read_text(encoding="utf-8")
        assert re.search(
            rf"^def {test}{'' if open_end or not test else chr(92) + 'b'}", source, re.MULTILINE
        ), test
        checked += 1
    assert checked > 50
