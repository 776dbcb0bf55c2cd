"""What measurements rest on: load made by repeating with edits, processes on given cores, and what is drawn of them."""

from __future__ import annotations

import os
import random
import re
import statistics
import sys
import tracemalloc
import xml.etree.ElementTree as ET
from itertools import islice

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.clusters import partitioned
from benchmarks.figures import Bar, bars, publish, spread, table
from benchmarks.messages import clauses, edited, messages, originals, short, write
from benchmarks.processes import cores, timed
from pipeline.intake.files import find_files
from pipeline.intake.reading import Intake
from pipeline.records import Opinion


@pytest.fixture(scope="module")
def letters() -> list[str]:
    return originals(None)[:2000]


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # load, not a secret


def test_every_copy_differs_from_its_original_and_from_the_other_copies(letters):
    made = list(messages(letters, 10_000))
    assert made[:2000] == letters
    for i, first in enumerate(letters):
        assert first not in made[i + 2000 :: 2000]
    assert len(set(made)) > 0.99 * len(made)


def test_a_copy_is_changed_in_a_few_clauses_only(letters):
    copies = list(messages(letters, 4000, edits=1))[2000:]
    for first, copy in zip(letters, copies, strict=True):
        assert len(set(clauses(first)) - set(clauses(copy))) <= 2  # two that change places may run together


def test_the_same_load_is_made_again_and_another_by_another_seed(letters):
    assert list(messages(letters, 5000)) == list(messages(letters, 5000))
    assert list(messages(letters, 5000)) != list(messages(letters, 5000, seed=1))


def test_messages_come_one_at_a_time(letters):
    assert len(list(islice(messages(letters, 10**12), 3000))) == 3000


def test_partitions_hold_every_message_once_in_order(letters, tmp_path):
    load = partitioned(letters[:7], 10, 3, 4, tmp_path / "files")
    files = sorted((tmp_path / "files").iterdir())
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert len(files) == 4
    assert [row["id"] for row in rows] == [f"M{n:07d}" for n in range(10)]
    assert [row["text"] for row in rows] == list(messages(letters[:7], 10))
    assert load == (10, sum(len(row["text"]) for row in rows))


def test_more_edits_leave_less(letters):
    few, many = (list(messages(letters, 4000, edits=n))[2000:] for n in (1, 12))
    kept = [
        sum(len(set(clauses(first)) & set(clauses(copy))) for first, copy in zip(letters, made, strict=True))
        for made in (few, many)
    ]
    assert kept[1] < 0.5 * kept[0]


@given(st.text())
def test_clauses_joined_are_the_text(text):
    assert "".join(clauses(text)) == text


@given(st.text(), st.integers(0, 2**32), st.integers(1, 20))
def test_any_text_can_be_edited(text, seed, edits):
    assert edited(text, chance(seed), edits) == edited(text, chance(seed), edits)


def test_a_number_becomes_another_of_as_many_digits():
    made = {edited("0739元，罚5000元", chance(seed), edits=1) for seed in range(200)}
    changed = [text for text in made if re.fullmatch("[0-9]+元，罚[0-9]+元", text)]
    assert len(changed) > 20
    for text in changed:
        assert re.fullmatch("0[0-9]{3}元，罚[1-9][0-9]{3}元", text)


def test_short_messages_have_about_a_hundred_characters_and_lose_nothing_but_the_rest(letters):
    made = list(short(letters))
    assert 95 <= statistics.mean(map(len, made)) <= 105
    assert max(map(len, made)) < 200
    whole = "".join("".join(letters).split())
    assert whole.startswith("".join("".join(made).split()))
    assert len(whole) - sum(map(len, made)) < 200


def test_what_is_written_is_read_by_the_program(letters, tmp_path):
    load = write(messages(letters, 3000), tmp_path / "load.csv")
    read = [row for row in Intake(find_files([tmp_path / "load.csv"])) if isinstance(row, Opinion)]
    assert [row.text for row in read] == [text.strip() for text in messages(letters, 3000)]
    assert load == (3000, sum(map(len, messages(letters, 3000))))


def test_writing_holds_no_messages(letters, tmp_path):
    tracemalloc.start()
    try:
        write(messages(letters, 20_000), tmp_path / "load.csv")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000 < (tmp_path / "load.csv").stat().st_size


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores are chosen on Linux only")
def test_a_command_runs_on_the_cores_it_is_given_and_this_process_keeps_its_own(tmp_path):
    before = os.sched_getaffinity(0)
    told = "import os; open('cores', 'w').write(f'{len(os.sched_getaffinity(0))} {os.environ[\"WORD\"]}')"
    timed(sys.executable, "-c", told, folder=tmp_path, on=1, variables={"WORD": "said"})
    assert (tmp_path / "cores").read_text() == "1 said"
    with cores(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores are chosen on Linux only")
def test_the_memory_of_a_command_is_that_of_all_its_processes(tmp_path):
    holding = "import time; held = bytes(range(256)) * 400_000; time.sleep(1.5)"
    family = f"import subprocess, sys; held = bytes(range(256)) * 400_000; subprocess.run([sys.executable, '-c', {holding!r}], check=True)"
    assert 195 < timed(sys.executable, "-c", family, folder=tmp_path, on=1).mebibytes < 300


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores are chosen on Linux only")
def test_the_memory_of_a_short_command_is_its_own_and_not_of_who_began_it(tmp_path):
    held = bytes(range(256)) * 400_000
    assert (
        1 < timed(sys.executable, "-c", "import time; time.sleep(0.3)", folder=tmp_path, on=1).mebibytes < 50
    )
    assert held


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores are chosen on Linux only")
def test_a_command_that_fails_ends_the_measurement(tmp_path):
    with pytest.raises(SystemExit, match="ended with 3"):
        timed(sys.executable, "-c", "raise SystemExit(3)", folder=tmp_path, on=1)


def test_a_spread_is_median_least_and_most():
    assert spread([3.0, 1.0, 2000.0]) == "3.00（1.00–2,000.00）"
    assert spread([1.004, 1.0]) == "1.00"


def test_a_table_keeps_its_columns():
    assert table(["a", "b"], [["1|2", "3"]]) == "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |\n"


def test_bars_are_as_long_as_their_medians():
    drawn = bars("甲 < 乙", [Bar("<甲>", [1.0, 2.0, 9.0]), Bar("乙", [10.0], ours=True)])
    svg = ET.fromstring(drawn)  # noqa: S314  # our own
    space = "{http://www.w3.org/2000/svg}"
    widths = [float(bar.attrib["width"]) for bar in svg.iter(f"{space}rect")]
    assert widths[0] == pytest.approx(widths[1] / 5, abs=0.1)
    assert [text.text for text in svg.iter(f"{space}text")] == [
        "甲 < 乙",
        "<甲>",
        "2.00（1.00–9.00）",
        "乙",
        "10.00",
    ]
    right = float(svg.attrib["viewBox"].split()[2])
    assert max(float(line.attrib["x2"]) for line in svg.iter(f"{space}line")) < right


def test_what_is_published_names_the_machine_and_the_day(tmp_path, capsys):
    publish("speed", "# 速度\n", tmp_path / "figures", "<svg/>")
    text = (tmp_path / "figures/speed.md").read_text("utf-8")
    assert re.fullmatch(r"# 速度\n\n\d{4}-\d\d-\d\d，.+，可用 \d+ 核；清议 .+numpy .+。\n", text)
    assert capsys.readouterr().out == text + "\n"
    assert (tmp_path / "figures/speed.svg").read_text("utf-8") == "<svg/>"
