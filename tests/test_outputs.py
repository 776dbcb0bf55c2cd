"""Files: private, whole or absent, harmless in a spreadsheet program."""

from __future__ import annotations

import csv
import json
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import OutputError
from pipeline.outputs import OutputFolder, RunFiles, TableFile, csv_cell
from pipeline.records import Rejection


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_their_owners_only_and_arrive_together(tmp_path):
    folder = tmp_path / "out"
    with OutputFolder(folder) as output:
        output.path("a.txt").write_text("x")
        assert mode(output.staging) == 0o700
        assert not (folder / "a.txt").exists()
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
    assert mode(folder / "a.txt") == 0o600
    assert mode(folder) == 0o700


def test_folders_of_their_own_are_private_and_an_earlier_runs_letters_go(tmp_path):
    folder = tmp_path / "out"

    def run(*letters):
        with OutputFolder(folder) as output:
            for letter in letters:
                output.path(f"feedback/{letter}.docx").write_text("x")
            output.path("run.json").write_text(
                json.dumps({"letters": [f"feedback/{x}.docx" for x in letters]})
            )

    run("盐业公司", "糖业公司")
    assert mode(folder / "feedback") == 0o700
    assert mode(folder / "feedback/盐业公司.docx") == 0o600
    (folder / "feedback/签收回执.docx").write_text("somebody's own")
    run("盐业公司")
    assert sorted(path.name for path in (folder / "feedback").iterdir()) == ["盐业公司.docx", "签收回执.docx"]
    (folder / "feedback/签收回执.docx").unlink()
    run()
    assert not (folder / "feedback").exists()


@pytest.mark.parametrize("name", ["../kept.docx", "feedback/../../kept.docx", "feedback/x/../kept.docx", 7])
def test_a_run_record_from_elsewhere_deletes_nothing(tmp_path, name):
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / "kept.docx").write_text("x")
    (folder / "run.json").write_text(json.dumps({"letters": [name]}))
    with OutputFolder(folder) as output:
        output.path("a.txt").write_text("x")
    assert (tmp_path / "kept.docx").exists()


def test_after_an_error_nothing_of_the_run_remains(tmp_path):
    (tmp_path / "a.txt").write_text("before")
    (tmp_path / ".qingyi-killed").mkdir()

    def half():
        with OutputFolder(tmp_path) as output:
            output.path("a.txt").write_text("half")
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        half()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "before"


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match=r"不能写入输出文件夹 .*out：同名的文件已存在，请换一个名字。$"):
        OutputFolder(tmp_path / "out").__enter__()


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+86", "'+86"),
        ("-3", "'-3"),
        ("@x", "'@x"),
        ("\t=1", "'\t=1"),
        ("意见=好", "意见=好"),
        (True, "true"),
        (False, "false"),
        (-3, -3),
        ("", ""),
    ],
)
def test_csv_cells_never_calculate(value, cell):
    assert csv_cell(value) == cell


def test_the_same_rows_in_csv_and_parquet(tmp_path):
    schema = pa.schema([("text", pa.string()), ("valid", pa.bool_())])
    with OutputFolder(tmp_path) as output:
        table = TableFile(output, "t", schema)
        table.write([("多行\n文字，“引号”", True)])
        table.write([])
        table.write([("=HYPERLINK()", False)])
        table.close()
    raw = (tmp_path / "t.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["text", "valid"],
            ["多行\n文字，“引号”", "true"],
            ["'=HYPERLINK()", "false"],
        ]
    assert pq.read_table(tmp_path / "t.parquet").to_pylist() == [
        {"text": "多行\n文字，“引号”", "valid": True},
        {"text": "=HYPERLINK()", "valid": False},
    ]


def test_rejected_rows_are_masked(tmp_path):
    with OutputFolder(tmp_path) as output:
        files = RunFiles(output)
        files.reject(
            [Rejection(file="a.csv", sheet="", row=3, reason="意见内容为空", content="电话13912345678")]
        )
        files.close()
    content = (tmp_path / "rejected.csv").read_text(encoding="utf-8-sig")
    assert content.splitlines()[0] == "file,row,reason,content,sheet"
    assert content.splitlines()[1].startswith("a.csv,3,意见内容为空,")
    assert "13912345678" not in content
