"""The main job at its edges: one opinion, none, nothing but praise, one department, five hundred, names that no file system takes."""

from __future__ import annotations

import docx
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from pipeline.run import report

LONG = "信访接待与政策法规咨询服务中心/西片区:第三分理处*综合窗口（含周末值班及节假日轮岗）" + "甲" * 18
PAPERS = (
    "report.html",
    "report.xlsx",
    "briefing.docx",
    "commendation.docx",
    "ledger.xlsx",
    "tables.json",
    "summary.csv",
)


def space_of(root, names):
    """A workspace whose directory has these departments and no others."""
    (root / "data").mkdir(parents=True)
    rows = "".join(f'D{number},"{name}",,office,\n' for number, name in enumerate(names))
    (root / "data/departments.csv").write_text(f"code,name,parent,kind,aliases\n{rows}", encoding="utf-8")
    return root


def run(tmp_path, write, rows, names=("质检站", "盐业公司")):
    table = "".join(f"{text},{department}\n" for text, department in rows)
    path = write("a.csv", f"意见内容,部门\n{table}")
    return report([path], tmp_path / "out", workspace=space_of(tmp_path / "space", names), jobs=1)


def whole(result):
    """Every paper is there and can be opened."""
    for name in PAPERS:
        assert (result.folder / name).stat().st_size
    for path in result.folder.rglob("*.docx"):
        assert docx.Document(str(path)).paragraphs
    for path in result.folder.rglob("*.xlsx"):
        assert CalamineWorkbook.from_path(path).sheet_names


@pytest.mark.parametrize(
    ("rows", "letters"),
    [
        ([], []),
        ([("质检站的人要红包，不给就拖着不办，来回跑了八趟", "")], ["质检站"]),
        ([("无", ""), ("没有意见", "质检站")], []),
        ([("质检站办事公道，从不收礼，态度热情", "")] * 12, ["质检站"]),
    ],
    ids=["none", "one", "nothing-said", "all-praise"],
)
def test_small_rounds_have_all_papers(tmp_path, write, rows, letters):
    result = run(tmp_path, write, rows)
    whole(result)
    assert [name.removeprefix("feedback/").removesuffix(".docx") for name in result.run["letters"]] == letters
    assert not (result.folder / "sealed").exists()


def test_names_that_no_file_system_takes(tmp_path, write):
    names = [LONG, "处/办", "处:办", "处*办", "处／办"]
    assert len(LONG) >= 60
    result = run(tmp_path, write, [("办事公道，从不收礼，态度热情", f'"{name}"') for name in names], names)
    whole(result)
    letters = sorted((result.folder / "feedback").iterdir())
    assert len(letters) == len(names)
    addressed = {docx.Document(str(path)).paragraphs[2].text.removesuffix("：") for path in letters}
    assert addressed == set(names)
    assert all(len(path.name.encode()) < 255 and not set('/\\:*?"<>|') & set(path.name) for path in letters)


def test_five_hundred_departments(tmp_path, write):
    names = [f"第{number}处室" for number in range(1, 501)]
    rows = [(f"第{number}处室办事公道，从不收礼，态度热情", "") for number in range(1, 501)]
    result = run(tmp_path, write, rows, names)
    whole(result)
    found = pq.read_table(result.folder / "findings.parquet")["department"].to_pylist()
    assert len(set(found) - {"未指明"}) > 480
    assert len(list((result.folder / "feedback").iterdir())) == sum(
        name.startswith("feedback/") for name in result.run["letters"]
    )
    assert len(list((result.folder / "feedback").iterdir())) > 480
    assert (result.folder / "report.html").stat().st_size < 5_000_000


def test_the_same_input_gives_the_same_papers(tmp_path, write):
    rows = [(f"质检站拖了{number}天不给办，第{number}次才盖章", "") for number in range(8)]
    path = write("a.csv", "意见内容,部门\n" + "".join(f"{text},{department}\n" for text, department in rows))
    folders = [report([path], tmp_path / name, jobs=1).folder for name in ("a", "b")]
    names = [path.relative_to(folders[0]) for path in sorted(folders[0].rglob("*")) if path.is_file()]
    assert len(names) > 12
    for name in names:
        if name.name != "run.json":
            assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
