"""Parts: what comes back is what was written, bit for bit, or nothing; and reading in parts changes no result."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import stat
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import engine
from pipeline.parts import PARTS, PartError, Parts, end_parts, read_part, write_part
from pipeline.records import Finding, Opinion, Reading
from pipeline.run import classify
from pipeline.workers import kept_pool
from tests.conftest import SHARED

WORDS = st.text(st.characters(exclude_categories=()), max_size=12)
"""Of code points of all kinds, halves of characters too."""

FINDINGS = st.builds(
    Finding,
    department=WORDS,
    label=WORDS,
    probability=st.floats(0, 1),
    start=st.integers(0, 20_000),
    end=st.integers(0, 20_000),
    needs_review=st.booleans(),
)
OPINIONS = st.builds(
    Opinion,
    id=WORDS,
    text=st.text(st.characters(exclude_categories=()), max_size=60),
    department=WORDS,
    source_unit=WORDS,
    collected_on=st.sampled_from(["", "2026-01-31"]),
    channel=WORDS,
    labels=WORDS,
)


@st.composite
def made_readings(draw):
    departments = draw(st.lists(WORDS, max_size=3).map(tuple))
    width = draw(st.integers(0, 5))
    bits = draw(st.binary(min_size=4 * width * len(departments), max_size=4 * width * len(departments)))
    return Reading(
        opinion=draw(OPINIONS),
        valid=draw(st.booleans()),
        findings=draw(st.lists(FINDINGS, max_size=3).map(tuple)),
        departments=departments,
        needs_review=draw(st.booleans()),
        signature=draw(st.binary(max_size=8)),
        beliefs=np.frombuffer(bits, "<f4").reshape(len(departments), width),  # not-a-numbers too
        clue=draw(st.lists(st.sampled_from(["money", "date"]), max_size=2).map(tuple)),
    )


def there_and_back(readings):
    file = io.BytesIO()
    write_part(file, readings)
    return read_part(file)


def assert_same(back, readings):
    assert back == readings
    for one, other in zip(back, readings, strict=True):
        assert (one.beliefs.dtype, one.beliefs.shape) == (np.float32, other.beliefs.shape)
        assert one.beliefs.tobytes() == other.beliefs.tobytes()


@given(st.lists(made_readings(), max_size=6))
@settings(max_examples=60, deadline=None)
def test_made_readings_come_back_as_they_were(readings):
    assert_same(there_and_back(readings), readings)


@pytest.fixture(scope="module")
def read(workspace, reader):
    """Readings of the corpus's first file."""
    lines = sorted(workspace.corpus.glob("*.jsonl"))[0].read_text("utf-8").splitlines()[:400]
    return reader.read([Opinion(id=str(n), text=json.loads(line)["text"]) for n, line in enumerate(lines)])


def test_readings_of_the_corpus_come_back_as_they_were(read):
    assert any(reading.findings for reading in read)
    assert_same(there_and_back(read), read)


def test_readings_of_real_messages_come_back_as_they_were(reader):
    path = SHARED / "real/messages.csv"
    if not path.exists():
        pytest.skip("the real messages are not on this machine")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(200), strict=False)]
    readings = reader.read([Opinion(id=row["id"], text=f"{row['title']}\n{row['text']}") for row in rows])
    assert_same(there_and_back(readings), readings)


def test_without_texts_all_else_is_there(read):
    file = io.BytesIO()
    write_part(file, read)
    told = [
        (one.opinion.id, one.findings, one.departments, one.signature) for one in read_part(file, texts=False)
    ]
    assert told == [(one.opinion.id, one.findings, one.departments, one.signature) for one in read]
    assert {one.text for one in read_part(file, texts=False)} == {""}


def test_a_part_is_its_owners_alone_whatever_the_umask(tmp_path, read):
    before = os.umask(0)
    try:
        parts = Parts.begin(tmp_path, {})
        parts.put(0, "x", read[:5])
    finally:
        os.umask(before)
    (path,) = parts.folder.iterdir()
    assert [stat.S_IMODE(one.stat().st_mode) for one in (parts.folder, path)] == [0o700, 0o600]


def test_a_damaged_part_is_never_taken_for_whole(read):
    """Each third byte of a small one changed, and cut short anywhere: as it was, or refused."""
    file = io.BytesIO()
    few = [reading for reading in read if reading.findings][:3]
    write_part(file, few, "of these")
    content = file.getvalue()
    refused = 0
    for at in range(0, len(content), 3):
        damaged = content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :]
        try:
            assert_same(read_part(io.BytesIO(damaged), "of these"), few)
        except PartError:
            refused += 1
    assert refused > len(content) / 3 * 0.8, "the rest says what nobody asks for"
    for at in range(0, len(content), 7):
        with pytest.raises(PartError):
            read_part(io.BytesIO(content[:at]), "of these")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"{}", "意见".encode() * 999])
def test_what_is_no_part_is_refused(content):
    with pytest.raises(PartError):
        read_part(io.BytesIO(content))


def test_a_table_of_something_else_is_refused(read):
    file = io.BytesIO()
    pq.write_table(pa.table({"id": ["1"], "text": ["好"]}), file)
    with pytest.raises(PartError):
        read_part(file)
    other = io.BytesIO()
    write_part(other, read[:2], "others")
    with pytest.raises(PartError):
        read_part(other, "of these")


def test_parts_are_found_by_what_was_read_and_by_what(tmp_path, read):
    opinions = [reading.opinion for reading in read[:9]]
    parts = Parts.begin(tmp_path, {"model": "one"})
    parts.put(0, parts.of(opinions), read[:9])
    again = Parts.begin(tmp_path, {"model": "one"})
    assert (again, again.count()) == (parts, 9)
    assert_same(again.find(0, opinions), read[:9])
    assert again.find(1, opinions) is None
    for changed in (opinions[1:], opinions[::-1], [*opinions[:-1], Opinion(id="8", text="好")]):
        assert again.find(0, changed) is None
    moved = Opinion(id=opinions[0].id + opinions[0].text[:1], text=opinions[0].text[1:])
    assert again.find(0, [moved, *opinions[1:]]) is None, "a border moved is another opinion"
    other = Parts.begin(tmp_path, {"model": "two"})
    assert other.count() == 0
    assert list(tmp_path.iterdir()) == [other.folder]


def test_a_folder_that_others_may_enter_is_not_used(tmp_path, read):
    for name in ("a", "b", "elsewhere"):
        (tmp_path / name).mkdir()
    parts = Parts.begin(tmp_path / "a", {})
    parts.put(0, "x", read[:1])
    parts.folder.chmod(0o755)
    assert Parts.begin(tmp_path / "a", {}).count() == 0
    (tmp_path / "elsewhere/kept.txt").write_text("x")
    (tmp_path / "b" / parts.folder.name).symlink_to(tmp_path / "elsewhere")
    assert not Parts.begin(tmp_path / "b", {}).folder.is_symlink()
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["kept.txt"]


def test_what_was_not_whole_is_swept(tmp_path, read):
    parts = Parts.begin(tmp_path, {})
    (parts.folder / "000000.part.4711").write_bytes(b"half")
    end_parts(tmp_path, kept=True)
    assert list(tmp_path.iterdir()) == [], "nothing whole, nothing kept"
    parts = Parts.begin(tmp_path, {})
    parts.put(0, "x", read[:1])
    (parts.folder / "000001.part.4711").write_bytes(b"half")
    end_parts(tmp_path, kept=True)
    assert [path.name for path in parts.folder.iterdir()] == ["000000.part"]
    end_parts(tmp_path, kept=False)
    assert list(tmp_path.iterdir()) == []


# the engine


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(engine, "PART", 20)


def sayings(path, n=90):
    said = (
        "质检站的人要红包，不给就拖着不办",
        "盐业公司窗口态度很好，从不收礼",
        "好",
        "来回跑了八趟，材料退了又退",
    )
    rows = "".join(f"{said[i % 4]}，第{i // 3}回\n" for i in range(n))
    path.write_text("意见内容\n" + rows, encoding="utf-8")
    return path


def unexpected(rejection):
    pytest.fail(f"row {rejection.row} was rejected")


def bytes_of(folder):
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    found["run.json"] = {**json.loads(found["run.json"]), "seconds": 0}
    return found


def test_in_one_part_or_several_and_by_one_process_or_two_the_results_are_the_same(tmp_path, monkeypatch):
    path = sayings(tmp_path / "a.csv")
    whole = bytes_of(classify([path], tmp_path / "whole", workspace=tmp_path, jobs=1).folder)
    monkeypatch.setattr(engine, "PART", 20)
    alone = bytes_of(classify([path], tmp_path / "alone", workspace=tmp_path, jobs=1).folder)
    together = bytes_of(classify([path], tmp_path / "together", workspace=tmp_path, jobs=2).folder)
    assert alone == together
    for name in ("opinions.csv", "findings.csv", "run.json"):
        assert alone[name] == whole[name]
    for name in ("opinions.parquet", "findings.parquet"):
        tables = [pq.read_table(io.BytesIO(found[name])) for found in (alone, whole)]
        assert tables[0].equals(tables[1])


def test_one_chunk_is_read_without_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(Parts, "begin", lambda *_: pytest.fail("parts for one chunk"))
    classify([sayings(tmp_path / "a.csv")], tmp_path / "out", workspace=tmp_path, jobs=2)


def test_long_texts_make_small_parts(monkeypatch):
    monkeypatch.setattr(engine, "_CHARACTERS", 100)
    rows = [Opinion(id=str(n), text="长" * 60) for n in range(5)]
    assert [len(chunk) for chunk in engine.chunked(rows, unexpected)] == [2, 2, 1]


@pytest.mark.usefixtures("small_parts")
def test_workers_that_outlive_a_run_read_by_the_directory_of_the_next(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("意见内容\n" + "\n".join(f"第{i}回到支队，队长收了我两条烟" for i in range(60)), "utf-8")
    (tmp_path / "data").mkdir()
    for name in ("消防支队", "水警支队"):
        directory = f"code,name,parent,kind,aliases\nFIRE,{name},,office,支队\n"
        (tmp_path / "data/departments.csv").write_text(directory, encoding="utf-8")
        classify([path], tmp_path / "out", workspace=tmp_path, jobs=2)
        findings = pq.read_table(tmp_path / "out/findings.parquet")
        assert set(findings["department"].to_pylist()) == {name}
    pool = kept_pool(1, os.getpid())
    before = set(pool._processes)
    classify([path], tmp_path / "out", workspace=tmp_path, jobs=2)
    assert kept_pool(1, os.getpid()) is pool
    assert set(pool._processes) == before, "the same processes"


@pytest.mark.usefixtures("small_parts")
@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_workers_ended_while_idle_cost_nothing(tmp_path):
    path = sayings(tmp_path / "a.csv", 50)
    classify([path], tmp_path / "out", workspace=tmp_path, jobs=2)
    pool = kept_pool(1, os.getpid())
    for worker in list(pool._processes):
        os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while pool._flags.broken is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert classify([path], tmp_path / "out", workspace=tmp_path, jobs=2).run["rows_accepted"] == 50


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("jobs", [1, 2])
def test_few_parts_are_under_way_at_once(tmp_path, reader, jobs):
    """Memory does not grow with the input: rows are asked for only as readings are taken."""
    asked = 0

    def rows():
        nonlocal asked
        for n in range(400):
            asked += 1
            yield Opinion(id=str(n), text=f"来回跑了{n}趟")

    chunks = engine.chunked(rows(), unexpected)
    ahead = [
        asked - 20 * n
        for n, _ in enumerate(
            engine.read_all(chunks, reader, tmp_path, jobs, lambda: Parts.begin(tmp_path, {}))
        )
    ]
    assert max(ahead) <= 20 * (engine._WAITING * jobs + 2)
    assert len(list(tmp_path.glob(PARTS + "*/*"))) == 20


@pytest.mark.usefixtures("small_parts")
def test_who_begins_a_worker_reads_as_well(tmp_path, reader, monkeypatch):
    """On two processors there are two readers: the worker that is begun, and who began it."""
    making, read = engine._reading, []

    def watched(reader, *, large):
        reading = making(reader, large=large)

        def noted(opinions):
            read.append(len(opinions))
            return reading(opinions)

        return noted

    monkeypatch.setattr(engine, "_reading", watched)
    chunks = engine.chunked((Opinion(id=str(n), text=f"来回跑了{n}趟") for n in range(400)), unexpected)
    parts = list(engine.read_all(chunks, reader, tmp_path, 2, lambda: Parts.begin(tmp_path, {})))
    assert sum(map(len, parts)) == 400
    assert 20 <= sum(read) <= 380
