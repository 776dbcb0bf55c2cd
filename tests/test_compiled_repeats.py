"""First occurrences by compiled loops: what the plain index finds, and what comparing every opinion with every other finds."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.intake.repeats import BANDS, COMMON, NEAR, Repeats
from pipeline.text.normalise import normalise
from pipeline.text.shingles import N_PERMUTATIONS, signature
from pipeline.workspace import SHIPPED
from tests.conftest import SHARED

NEVER = 10**9


def by_comparing_all(signatures, abouts):
    """The numbers of first occurrences by the definition: whole values, every one with every first, no table."""
    firsts: list[int] = []
    rows: list[np.ndarray] = []
    answers: dict[tuple[object, bytes], int] = {}
    found = []
    for number, (mark, about) in enumerate(zip(signatures, abouts, strict=True)):
        if mark and (about, mark) not in answers:
            row = np.frombuffer(mark, dtype="<u4")
            same = np.array(rows).reshape(-1, len(row)) == row
            likeness = same[:, :-1].mean(axis=1) * same[:, -1] * [abouts[first] == about for first in firsts]
            likeness *= (
                same[:, :-1].reshape(len(rows), BANDS, N_PERMUTATIONS // BANDS).all(axis=2).any(axis=1)
            )
            if likeness.max(initial=0) >= NEAR:
                answers[about, mark] = firsts[int(likeness.argmax())]
            else:
                answers[about, mark] = number
                firsts.append(number)
                rows.append(row)
        found.append(answers.get((about, mark), number))
    return found


def by_index(signatures, abouts, large, size):
    repeats = Repeats(large)
    parts = [
        repeats.firsts(signatures[at : at + size], abouts[at : at + size]).tolist()
        for at in range(0, len(signatures), size)
    ]
    return [number for part in parts for number in part]


def edited(text, rng):
    """A copy with some of its characters changed, dropped or doubled, or the text itself."""
    letters = list(text)
    for _ in range(rng.choice((0, 1, 3, 8))):
        at = rng.randrange(len(letters))
        letters[at] = rng.choice(("", letters[at] * 2, "也", "7", "不"))
    return "".join(letters)


def with_copies(texts, rng):
    """The texts and as many edited copies of them, each after what it is made of, each about some departments."""
    texts = [text for text in texts if text]
    given = list(texts)
    for text in texts:
        given.insert(rng.randrange(given.index(text), len(given)) + 1, edited(text, rng))
    abouts = [rng.choice(((), ("甲处",), ("甲处", "乙处"))) if rng.random() < 0.2 else () for _ in given]
    return [signature(normalise(text)) for text in given], abouts


def check(signatures, abouts):
    plain = by_index(signatures, abouts, NEVER, 300)
    assert plain == by_comparing_all(signatures, abouts)
    for large, size in ((0, 1), (0, 300), (len(signatures) // 2, 7)):
        assert by_index(signatures, abouts, large, size) == plain
    assert len({*plain}) < len(signatures)


def test_corpus_with_edited_copies():
    files = sorted((SHIPPED / "data/labelled").glob("*.jsonl"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    rng = random.Random(0)  # noqa: S311
    texts = [json.loads(line)["text"] for line in rng.sample(lines, 400)]
    check(*with_copies(texts, rng))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real messages are not on this machine")
def test_real_messages_with_edited_copies():
    with (SHARED / "real/messages.csv").open(encoding="utf-8-sig", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    rng = random.Random(0)  # noqa: S311
    check(*with_copies(rng.sample(texts, 250), rng))


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=12),
    rng=st.randoms(use_true_random=False),
)
def test_any_texts_with_edited_copies(texts, rng):
    signatures, abouts = with_copies(texts, rng)
    signatures[rng.randrange(len(signatures))] = b""
    expected = by_comparing_all(signatures, abouts)
    for large in (0, len(signatures) // 2, NEVER):
        assert by_index(signatures, abouts, large, 3) == expected


def drawn(number, seed=0):
    """Signatures that have nothing in common, as rows."""
    rows = np.random.default_rng(seed).integers(0, 1 << 25, (number, N_PERMUTATIONS + 1), dtype=np.uint32)
    rows[:, -1] = 0
    return rows


def as_bytes(rows):
    return [row.tobytes() for row in rows]


def test_tables_grow_with_the_opinions():
    """Several times over, and both of what is new and of what repeats in other words."""
    rows = drawn(9000)
    copies = rows[np.arange(9000) // 3]
    copies[:, ::5] = rows[:, ::5]
    signatures = as_bytes(np.stack([rows, copies], axis=1).reshape(-1, N_PERMUTATIONS + 1))
    abouts = [()] * len(signatures)
    compiled = by_index(signatures, abouts, 0, 500)
    assert compiled == by_index(signatures, abouts, 3000, 999)
    assert compiled[::2] == list(range(0, 18_000, 2))
    assert compiled[1::2] == [2 * (number // 3) for number in range(9000)]


@pytest.mark.parametrize("large", [0, COMMON + 3, NEVER])
def test_a_band_that_many_share_is_entered_for_the_first_of_them_alone(large):
    """Copies with one value changed in every band but the first are found by that one: if at all."""
    rows = drawn(COMMON + 10)
    rows[:, :4] = rows[0, :4]
    copies = rows.copy()
    copies[:, 7::4] += 1
    copies[:, -1] = 0
    found = by_index(as_bytes([*rows, *copies]), [()] * 2 * len(rows), large, 1)
    assert found[: len(rows)] == list(range(len(rows)))
    assert found[len(rows) :] == [*range(COMMON), *range(len(rows) + COMMON, 2 * len(rows))]


@pytest.mark.parametrize("large", [0, NEVER])
@pytest.mark.parametrize(("equal", "first"), [(84, 0), (85, 1)])
def test_of_several_the_likest_and_of_equally_like_ones_the_earliest(large, equal, first):
    asked = drawn(1)[0]
    early, late = asked.copy(), asked.copy()
    early[84:-1] += 1
    late[: N_PERMUTATIONS - equal] += 1
    assert by_index(as_bytes([early, late, asked]), [()] * 3, large, 3) == [0, 1, first]


@pytest.mark.parametrize("large", [0, 1, NEVER])
def test_other_departments_and_a_negation_are_another_opinion(large):
    rows = drawn(1).repeat(4, axis=0)
    rows[2:, -1] = 1
    found = by_index(as_bytes(rows), [("甲处",), ("乙处",), ("甲处",), ("甲处",)], large, 2)
    assert found == [0, 1, 2, 2]


def test_opinions_without_a_signature_count_and_repeat_nothing():
    mark = signature("质检站每次来抽样都多拿两箱酒")
    assert Repeats().firsts([b"", mark, b"", mark], [()] * 4).tolist() == [0, 1, 2, 1]
    assert Repeats().firsts([], []).tolist() == []


def test_ids_come_back():
    repeats = Repeats(large=2)
    marks = as_bytes(drawn(3)[[0, 0, 1, 2, 2, 0]])
    assert [repeats.first_of(name, mark) for name, mark in zip("abcdef", marks, strict=True)] == [
        "", "a", "", "", "d", "a",
    ]  # fmt: skip


def test_many_take_five_hundred_bytes_each():
    signatures = as_bytes(drawn(30_000))
    repeats = Repeats(large=0)
    repeats.firsts(signatures[:100], [()] * 100)
    del repeats
    tracemalloc.start()
    try:
        repeats = Repeats(large=0)
        for at in range(0, 30_000, 1000):
            repeats.firsts(signatures[at : at + 1000], [()] * 1000)
        assert tracemalloc.get_traced_memory()[0] < 520 * 30_000
    finally:
        tracemalloc.stop()


def test_few_opinions_are_looked_up_without_the_compiler():
    program = (
        "import sys; from pipeline.intake.repeats import Repeats; from pipeline.text.shingles import signature;"
        "Repeats().firsts([signature('质检站每次来抽样都多拿两箱酒')] * 100, [()] * 100);"
        "sys.exit('numba' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], check=False, cwd=Path(__file__).parents[1]).returncode
        == 0
    )
