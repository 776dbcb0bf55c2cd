"""What the papers for departments and leaders must not say: an opinion's words, who gave it, what was masked."""

from __future__ import annotations

import csv
import html
import re
import shutil
from pathlib import Path

import docx
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from pipeline.clues.reasons import _Opinion
from pipeline.expressions import Evidence
from pipeline.intake.files import find_files
from pipeline.intake.reading import Intake
from pipeline.learn.prepare import _count
from pipeline.records import Opinion
from pipeline.run import report

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared/data"
RUN = 8
"""Characters in a row that must not be an opinion's."""


def runs(text):
    """All runs of :data:`RUN` characters, blanks and markup aside."""
    text = re.sub(r"\s+", "", text)
    return {text[at : at + RUN] for at in range(len(text) - RUN + 1)}


def said(folder):
    """Text of every paper that leaves the office or goes to leaders, by name."""
    papers = {}
    for path in sorted(folder.rglob("*.docx")):
        paper = docx.Document(str(path))
        parts = [paragraph.text for paragraph in paper.paragraphs]
        parts += [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
        for section in paper.sections:
            parts += [p.text for p in (*section.header.paragraphs, *section.footer.paragraphs)]
        properties = paper.core_properties
        parts += [properties.author, properties.title, properties.comments, properties.subject]
        papers[path.relative_to(folder).as_posix()] = "\n".join(parts)
    papers["report.html"] = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    book = CalamineWorkbook.from_path(folder / "ledger.xlsx")
    papers["ledger.xlsx"] = "\n".join(
        str(cell)
        for name in book.sheet_names
        for row in book.get_sheet_by_name(name).to_python()
        for cell in row
    )
    return papers


@pytest.fixture(scope="module")
def boilerplate():
    """Runs that the program itself writes: its sources, its label definitions and the names of departments."""
    files = [*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "pipeline/documents/templates").iterdir()]
    files += [ROOT / "data/taxonomy.toml", ROOT / "data/departments.csv"]
    return runs("\n".join(path.read_text(encoding="utf-8") for path in files))


def check(folder, boilerplate, units):
    opinions = pq.read_table(folder / "opinions.parquet").to_pylist()
    told = set().union(*(runs(opinion["text"]) for opinion in opinions)) - boilerplate
    papers = said(folder)
    assert len(papers) > 10
    for name, text in papers.items():
        assert not runs(text) & told, name
        assert not [unit for unit in units if unit in text], name
        assert not re.search(r"〔(?!姓名〕)[^〔〕]{1,6}〕", text), name
    sealed = {
        row[0]
        for row in CalamineWorkbook.from_path(folder / "sealed/clues.xlsx")
        .get_sheet_by_name("问题线索")
        .to_python()[1:]
    }
    workbook = CalamineWorkbook.from_path(folder / "report.xlsx")
    shown = {
        str(cell)
        for name in workbook.sheet_names
        for row in workbook.get_sheet_by_name(name).to_python()
        for cell in row
    }
    assert sealed
    assert not sealed & shown


def test_no_paper_of_the_sample_says_an_opinions_words(round1, boilerplate):
    """Of the sample, whose opinions are short and whose units are many."""
    units = {
        row.source_unit
        for row in Intake(find_files([ROOT / "data/samples/round1"]))
        if isinstance(row, Opinion) and row.source_unit
    }
    assert len(units) > 50
    check(round1.folder, boilerplate, units)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real messages are not on this machine")
def test_no_paper_of_real_messages_says_their_words(tmp_path, boilerplate, workspace):
    """Of 2,000 letters whose departments and units are invented."""
    names = workspace.directory.names
    units = [f"临河县第{number}拖拉机配件厂" for number in range(40)]
    source = tmp_path / "messages.csv"
    with (
        (SHARED / "real/messages.csv").open(encoding="utf-8-sig", newline="") as file,
        source.open("w", encoding="utf-8", newline="") as made,
    ):
        writer = csv.writer(made)
        writer.writerow(["id", "title", "text", "department", "source_unit", "date"])
        for number, row in zip(range(2000), csv.DictReader(file), strict=False):
            department = names[number * number % len(names)]
            writer.writerow(
                [row["id"], row["title"], row["text"], department, units[number % 40], row["collected_on"]]
            )
    report([source], tmp_path / "out", workspace=ROOT)
    check(tmp_path / "out", boilerplate, units)


def test_what_is_looked_for_would_be_found(round1, tmp_path, boilerplate):
    """The check itself: a letter with eight characters of an opinion does not pass."""
    shutil.copytree(round1.folder, tmp_path, dirs_exist_ok=True)
    opinion = max(pq.read_table(tmp_path / "opinions.parquet")["text"].to_pylist(), key=len)
    letter = next((tmp_path / "feedback").iterdir())
    paper = docx.Document(str(letter))
    paper.paragraphs[-1].text = opinion[10:30]
    paper.save(str(letter))
    with pytest.raises(AssertionError, match=letter.name):
        check(tmp_path, boilerplate, set())


def test_no_value_that_holds_a_text_shows_it(reader):
    """In no repr on the way, of which a traceback or a debugger would print one."""
    text = "供应处的人收了两条烟才给批条子"
    seen = reader._see([Opinion(id="1", text=text)])
    part = _count([text], reader.segmenter.lexicon)
    clue = _Opinion(text, (), ())
    for value in (seen, part, clue, Evidence("盐业公司", "stalling", "1", "", text)):
        assert not runs(repr(value).replace("\\n", "")) & runs(text)
        assert "两条烟" not in repr(value)
