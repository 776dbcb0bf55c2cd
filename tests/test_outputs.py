"""Files: private, whole or absent, harmless in a spreadsheet program."""

from __future__ import annotations

import csv
import json
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import OutputError
from pipeline.outputs import files
from pipeline.outputs.cells import csv_cell
from pipeline.outputs.files import RunFiles, TableFile
from pipeline.outputs.folder import OutputFolder
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
        table.write(["多行\n文字，“引号”"], [True])
        table.write([], [])
        table.write(["=HYPERLINK()"], [False])
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


SIGNS = st.sampled_from(
    ["=", "+", "-", "@", "\t", "\r", "\n", ",", '"', "'", "甲", "🧧", "", " ", "\u2028", "\0"]
)
CELLS = st.lists(SIGNS, max_size=5).map("".join)


@given(st.lists(st.tuples(CELLS, CELLS, st.booleans(), st.integers(-9, 9), st.floats()), max_size=6))
@settings(deadline=None)
def test_the_csv_file_has_the_bytes_that_a_writer_of_csv_would_write(tmp_path_factory, rows):
    kinds = (pa.string(), pa.string(), pa.bool_(), pa.int32(), pa.float64())
    schema = pa.schema([(str(number), kind) for number, kind in enumerate(kinds)])
    folder = tmp_path_factory.mktemp("bytes")
    with OutputFolder(folder) as output:
        table = TableFile(output, "t", schema)
        for row in rows:
            table.write(*[[value] for value in row])
        if rows:
            table.write(*zip(*rows, strict=True))
        table.close()
    with (folder / "expected.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([schema.names, *([csv_cell(value) for value in row] for row in rows * 2)])
    assert (folder / "t.csv").read_bytes() == (folder / "expected.csv").read_bytes()
    found = pq.read_table(folder / "t.parquet").to_pylist()
    assert repr([tuple(row.values()) for row in found]) == repr(rows * 2)


@pytest.mark.parametrize(("name", "most"), [("_GROUP_ROWS", 5), ("_GROUP_BYTES", 100)])
def test_rows_of_many_chunks_make_one_group_and_a_group_has_its_bounds(tmp_path, monkeypatch, name, most):
    schema = pa.schema([("id", pa.string()), ("n", pa.int32())])

    def groups():
        with OutputFolder(tmp_path) as output:
            table = TableFile(output, "t", schema)
            for number in range(0, 40, 2):
                table.write(["a" * 8] * 2, [number, number + 1])
            table.close()
        file = pq.ParquetFile(tmp_path / "t.parquet")
        assert file.read()["n"].to_pylist() == list(range(40))
        return file.num_row_groups

    assert groups() == 1
    monkeypatch.setattr(files, name, most)
    assert groups() > 4


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
