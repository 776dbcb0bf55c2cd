"""Names, ids and texts written to do harm, through every paper: they stay words, wherever they are shown."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from html.parser import HTMLParser
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

import openpyxl
import pytest

from pipeline.cli import main
from tests.canary import files_below, labelled_lines

MARK = "戕害"
"""In everything harmful, so that it can be found in what was written."""

DEPARTMENTS = (
    f"../../{MARK}", f"..\\..\\{MARK}", "CON", f"{MARK}处. . ", "nul.txt", f'=HYPERLINK("http://x/{MARK}","看")', f"+cmd|' /C calc'!{MARK}",
    f"-2+3{MARK}", f"@SUM({MARK})", f"</script><xss onload=a>{MARK}", f'"><xss onerror=a>{MARK}', f"']]></w:t><xss/>{MARK}",
    f"{{{{ 7*7 }}}}{MARK}", f"&lt;xss&gt;{MARK}", f"\u202e{MARK}\u2066局", f"{MARK}" * 150,
)  # fmt: skip
SHEETS = ("report.xlsx", "ledger.xlsx", "sealed/clues.xlsx")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def rows(month):
    """Every department six times over, in an opinion's own words too, with ids, units and channels of the same kind."""
    said = ("拖了半个月不给办，来回跑了八趟", "索要两箱酒才肯盖章", "办事公道，从不收礼，态度热情")
    for number, name in enumerate(DEPARTMENTS):
        for turn in range(6):
            text = f"{name}的人{said[turn % 3]}，第{number}{turn}回"
            yield [
                f"{name[:40]}{turn}",
                f"{name[:60]}",
                text,
                name,
                f"{name[:80]}厂",
                f"2025-{month}-1{turn}",
                name[:30],
            ]
    yield [
        "=2+2",
        "",
        f"=1+1{MARK}科长王建国2025年3月5日收了5000元回扣<xss>",
        DEPARTMENTS[0],
        "@厂",
        f"2025-{month}-15",
        "来信",
    ]
    yield [f"\t=3{MARK}", f"={MARK}", "", "", "-厂", "", ""]


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A folder in which everything was done once with harmful words; its name is three folders deep."""
    root = tmp_path_factory.mktemp("hostile")
    space = root / "a/b/c"
    (space / "data").mkdir(parents=True)
    with (space / "data/departments.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "name", "parent", "kind", "aliases"])
        writer.writerows([[f"D{number}", name, "", "office", ""] for number, name in enumerate(DEPARTMENTS)])
    for folder, month in (("one", "03"), ("two", "09")):
        with (root / f"{folder}.csv").open("w", encoding="utf-8", newline="") as file:
            header = ["编号", "标题", "意见内容", "部门", "填报单位", "日期", "渠道"]
            csv.writer(file).writerows([header, *rows(month)])
    (root / "labelled.jsonl").write_text(labelled_lines(DEPARTMENTS), encoding="utf-8")
    for words in (
        ["report", root / "one.csv", "-o", space / "one", "--office", DEPARTMENTS[5], "--jobs", "1"],
        ["report", root / "two.csv", "-o", space / "two", "--office", DEPARTMENTS[9], "--jobs", "1"],
        ["compare", space / "one", space / "two", "-o", space / "compared", "--office", DEPARTMENTS[9]],
        ["review", "export", space / "two", "-o", space / "review.xlsx", "--n", "20"],
        ["drift", space / "two", "--since", space / "one", "-o", space / "drift.html"],
        [
            "evaluate",
            root / "labelled.jsonl",
            "--page",
            space / "evaluation.html",
            "--json",
            space / "evaluation.json",
        ],
    ):
        with pytest.raises(SystemExit) as done:
            main([*map(str, words), "--workspace", str(space)])
        assert not done.value.code, words
    return root


def papers(office, suffix):
    found = [path for path in files_below(office / "a") if path.suffix == suffix and "data" not in path.parts]
    assert found
    return found


def test_no_file_is_anywhere_else_and_every_system_takes_its_name(office):
    assert {path.name for path in office.iterdir()} == {"a", "one.csv", "two.csv", "labelled.jsonl"}
    assert {path.name for path in (office / "a").rglob("*") if path.parent.name in {"a", "b"}} == {"b", "c"}
    letters = list((office / "a/b/c/one/feedback").iterdir())
    assert len(letters) == len(DEPARTMENTS)
    for path in files_below(office / "a"):
        assert len(path.name.encode()) <= 255
        assert not set('/\\:*?"<>|\0\u202e\u2066') & set(path.name)
        assert not RESERVED.match(path.name)
        assert path.stem == path.stem.rstrip(". ")


def test_no_cell_of_a_csv_file_calculates(office):
    seen = 0
    for path in papers(office, ".csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for cell in (cell for row in csv.reader(file) for cell in row):
                assert cell[:1] not in set("=+-@\t\r") or re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell), path
                seen += MARK in cell
    assert seen > 200


def test_no_cell_of_a_workbook_calculates_or_leads_elsewhere(office):
    seen = 0
    books = papers(office, ".xlsx")
    assert {path.name for path in books} == {"report.xlsx", "ledger.xlsx", "clues.xlsx", "review.xlsx"}
    for path in books:
        for sheet in openpyxl.load_workbook(path):
            for cell in (cell for row in sheet.iter_rows() for cell in row):
                assert cell.hyperlink is None, path
                assert cell.data_type != "f" or MARK not in str(cell.value), path
                seen += MARK in str(cell.value)
        assert not leads(path)
    assert seen > 100


def leads(path):
    """Where the parts of an Office file lead to outside of it; every part is whole XML."""
    targets = []
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            assert not PurePosixPath(name).is_absolute()
            assert ".." not in PurePosixPath(name).parts
            if name.endswith((".xml", ".rels")):
                root = ET.parse(io.BytesIO(packed.read(name))).getroot()  # noqa: S314  # of our own making
                targets += [
                    part.get("Target") for part in root.iter() if part.get("TargetMode") == "External"
                ]
                assert not [part for part in root.iter() if part.tag.endswith(("xss", "externalLink"))]
                fields = [part for part in root.iter() if part.tag.endswith(("instrText", "fldSimple"))]
                told = {"".join((*part.attrib.values(), part.text or "")).split()[0] for part in fields}
                assert told <= {"PAGE"}, name
    return targets


def test_no_paper_in_word_has_anything_but_words(office):
    seen = 0
    for path in papers(office, ".docx"):
        assert not leads(path)
        with zipfile.ZipFile(path) as packed:
            seen += MARK in packed.read("word/document.xml").decode()
    assert seen > len(DEPARTMENTS)


class Seen(HTMLParser):
    """Tags, attributes and addresses of a page as a browser would see them."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs


def test_no_page_has_a_tag_or_a_script_of_theirs(office):
    names = set()
    for path in papers(office, ".html"):
        page = path.read_text(encoding="utf-8")
        seen = Seen()
        seen.feed(page)
        assert "xss" not in seen.tags, path
        assert not [name for name, _ in seen.attributes if name.startswith("on")], path
        assert not [
            value
            for name, value in seen.attributes
            if name in {"src", "href"} and not value.startswith(("#", "data:"))
        ], path
        assert "49" + MARK not in page, path
        names.add(path.name)
    assert names == {"report.html", "comparison.html", "drift.html", "evaluation.html"}
