"""Tables: both counts, zeros, intervals checked against another implementation."""

from __future__ import annotations

import dataclasses
import random
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from statsmodels.stats.proportion import proportion_confint

from pipeline.aggregate.breakdowns import label_column
from pipeline.aggregate.ids import Ids
from pipeline.aggregate.intervals import wilson
from pipeline.aggregate.likelihood import HeldOutPosteriors
from pipeline.aggregate.sources import GROUPS, source_group
from pipeline.aggregate.stored import dumped, loaded
from pipeline.aggregate.tables import SUMMARY, unspecified_share
from pipeline.aggregate.tally import Tally
from pipeline.records import UNSPECIFIED, Finding, Opinion, Reading, key_of


@given(n=st.integers(1, 20_000), share=st.floats(0, 1))
def test_wilson_agrees_with_statsmodels(n, share):
    hits = round(n * share)
    low, high = proportion_confint(hits, n, method="wilson")
    np.testing.assert_allclose(wilson(hits, n), (max(low, 0.0), min(high, 1.0)), atol=1e-9)


def test_wilson_at_the_edges():
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 12)[0] == 0.0
    assert wilson(12, 12)[1] == 1.0
    with pytest.raises(ValueError, match=r"hits 3 outside 0…2"):
        wilson(3, 2)


def reading(number, *cells, valid=True, review=False, day="2025-03-04", departments=None, clue=(), unit=""):
    """A reading whose cells are (department, label)."""
    findings = tuple(
        Finding(department=d, label=c, probability=0.9, start=0, end=1, needs_review=review) for d, c in cells
    )
    about = dict.fromkeys(d for d, _ in cells) if departments is None else departments
    return Reading(
        opinion=Opinion(id=str(number), text="文", source_unit=unit, collected_on=day, channel="问卷"),
        valid=valid,
        findings=findings,
        departments=tuple(about),
        needs_review=review,
        signature=b"",
        beliefs=np.zeros((len(about), 16), dtype=np.float32),
        clue=tuple(clue),
    )


@pytest.fixture
def tables(workspace):
    tally = Tally(workspace.taxonomy, workspace.directory)
    tally.add(reading(1, ("盐业公司", "stalling"), ("盐业公司", "opacity")), "")
    tally.add(reading(2, ("盐业公司", "stalling"), review=True), "1")
    tally.add(reading(3, ("盐业公司", "praise"), ("糖业公司", "stalling"), day="2025-04-01"), "")
    tally.add(reading(4, departments=["盐业公司"]), "")
    tally.add(reading(5, valid=False, departments=[]), "")
    tally.add(reading(6, (UNSPECIFIED, "suggestion"), day=""), "")
    return tally.tables()


def cell(tables, department, label):
    frame = tables.summary
    return frame[(frame["department"] == department) & (frame["label"] == label)].iloc[0]


def test_summary_has_every_cell_once_in_order(tables, workspace):
    assert list(tables.summary.columns) == list(SUMMARY)
    expected = [
        (department, code)
        for department in (*workspace.directory.names, UNSPECIFIED)
        for code in workspace.taxonomy.codes
    ]
    assert list(zip(tables.summary["department"], tables.summary["label"], strict=True)) == expected


def test_a_cell_gives_both_counts_and_the_share_of_distinct_opinions(tables):
    stalling = cell(tables, "盐业公司", "stalling")
    assert (stalling["opinions"], stalling["opinions_distinct"]) == (4, 3)
    assert (stalling["count"], stalling["count_distinct"]) == (2, 1)
    assert stalling["estimated_share"] == pytest.approx(1 / 3, abs=1e-4)
    assert (stalling["ci_low"], stalling["ci_high"]) == tuple(round(b, 4) for b in wilson(1, 3))
    empty = cell(tables, "造纸工业公司", "stalling")
    assert (empty["opinions"], empty["count"], empty["estimated_share"]) == (0, 0, 0.0)
    assert (empty["ci_low"], empty["ci_high"]) == (0.0, 1.0)


def test_suppressed_are_counts_of_one_to_four(workspace):
    tally = Tally(workspace.taxonomy, workspace.directory)
    for number in range(5):
        tally.add(
            reading(number, ("盐业公司", "stalling"), *([("盐业公司", "opacity")] if number < 4 else [])), ""
        )
    tables = tally.tables()
    assert not cell(tables, "盐业公司", "stalling")["suppressed"]
    assert cell(tables, "盐业公司", "opacity")["suppressed"]
    assert not cell(tables, "盐业公司", "praise")["suppressed"]


def test_totals_and_breakdowns(tables):
    assert tables.totals == {
        "accepted": 6, "distinct": 5, "valid": 5, "valid_distinct": 4, "issue": 3, "issue_distinct": 2,
        "praise": 1, "praise_distinct": 1, "suggestion": 1, "suggestion_distinct": 1, "needs_review": 1,
        "first_day": "2025-03-04", "last_day": "2025-04-01",
    }  # fmt: skip
    periods = tables.by_period.set_index("period")
    assert list(periods.columns[:3]) == ["opinions", "issue", "praise"]
    assert periods.loc["2025-03"].iloc[:3].tolist() == [3, 2, 0]
    assert periods.loc["未注明"].iloc[:3].tolist() == [1, 0, 0]
    assert periods.loc["2025-03", label_column("stalling")] == 2
    assert periods.loc["2025-03", label_column("opacity")] == 1
    assert periods[label_column("stalling")].sum() == 3
    assert tables.by_source["source"].tolist() == ["未注明"]
    salt = tables.by_department.set_index("department").loc["盐业公司"]
    assert (salt["issue_distinct"], salt["praise_distinct"], salt["needs_review"]) == (1, 1, 1)
    labels = tables.by_label.set_index("label")
    assert (labels.loc["stalling", "count"], labels.loc["stalling", "count_distinct"]) == (3, 2)
    assert labels.loc["stalling", "share"] == 2 / 4


def test_an_empty_run_has_tables_too(workspace):
    tables = Tally(workspace.taxonomy, workspace.directory).tables()
    assert tables.totals["accepted"] == 0
    assert len(tables.summary) == len(workspace.taxonomy.codes) * (len(workspace.directory.names) + 1)
    assert not tables.summary["count"].any()


def test_what_is_told_without_tables_is_what_they_say(workspace):
    tally = Tally(workspace.taxonomy, workspace.directory)
    assert tally.unspecified_share() == 0
    for number in range(4):
        tally.add(reading(number, ("盐业公司", "stalling")), "")
    tally.add(reading(4, (UNSPECIFIED, "praise"), day="2025-06-01"), "")
    tally.add(reading(5, (UNSPECIFIED, "praise"), valid=False), "4")
    tally.add(reading(6, valid=False, departments=[]), "")
    tables = tally.tables()
    assert tally.totals() == tables.totals
    assert tally.unspecified_share() == unspecified_share(tables) == 1 / 5


def test_papers_count_without_sealed_opinions_and_their_repeats(workspace):
    tally = Tally(workspace.taxonomy, workspace.directory)
    tally.add(reading(1, ("盐业公司", "stalling")), "")
    tally.add(reading(2, ("盐业公司", "gifts_and_bribes"), clue=["money"]), "")
    tally.add(reading(3, ("盐业公司", "gifts_and_bribes")), "2")
    tally.add(reading(4, ("盐业公司", "gifts_and_bribes"), day="2025-06-01", clue=["date"]), "")
    everything, papers = tally.tables(), tally.tables(sealed=False)
    assert (everything.totals["accepted"], papers.totals["accepted"]) == (4, 1)
    assert cell(everything, "盐业公司", "gifts_and_bribes")["count"] == 3
    assert cell(papers, "盐业公司", "gifts_and_bribes")["count"] == 0
    assert cell(papers, "盐业公司", "gifts_and_bribes")["opinions"] == 1
    assert papers.totals["last_day"] == "2025-03-04"
    assert papers.by_period["opinions"].sum() == papers.by_channel["opinions"].sum() == 1


@pytest.mark.parametrize(
    ("unit", "group"),
    [
        ("", "未注明"),
        ("青石县制伞厂", "企业"),
        ("云岭县坡脚腊味坊", "企业"),
        ("柳溪县轻工局", "基层单位"),
        ("白藤县轻工业局", "基层单位"),
        ("城关镇人民政府", "基层单位"),
        ("群众", "群众"),
        ("退休职工", "群众"),
        ("龙津县便民供销店", "企业"),
    ],
)
def test_units_become_groups(unit, group):
    assert source_group(unit) == group


def test_sources_are_counted_in_the_order_of_the_papers(workspace):
    tally = Tally(workspace.taxonomy, workspace.directory)
    for number, unit in enumerate(("柳溪县轻工局", "甲厂", "", "乙厂")):
        tally.add(reading(number, ("盐业公司", "stalling"), unit=unit), "")
    table = tally.tables().by_source
    assert table["source"].tolist() == ["企业", "基层单位", "未注明"]
    assert table["opinions"].tolist() == table[label_column("stalling")].tolist() == [2, 1, 1]
    assert set(table["source"]) <= set(GROUPS)


def test_the_cube_adds_up_to_the_summary(tables):
    sums = tables.cube.groupby(["department", "label"])["distinct"].sum().to_dict()
    for row in tables.summary.to_dict("records"):
        assert sums.get((row["department"], row["label"]), 0) == row["count_distinct"]
        assert sums.get((row["department"], ""), 0) == row["opinions_distinct"]
    april = tables.cube[tables.cube["period"] == "2025-04"]
    assert list(april.itertuples(index=False, name=None)) == [
        ("盐业公司", "", "未注明", "2025-04", 1),
        ("盐业公司", "praise", "未注明", "2025-04", 1),
        ("糖业公司", "", "未注明", "2025-04", 1),
        ("糖业公司", "stalling", "未注明", "2025-04", 1),
    ]


def test_stored_tables_come_back(tables):
    again = loaded(dumped(tables))
    assert again.totals == tables.totals
    for name in ("summary", "by_label", "by_department", "by_period", "by_channel", "by_source", "cube"):
        assert_frame_equal(getattr(again, name), getattr(tables, name), check_dtype=False)
    assert dumped(again) == dumped(tables)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "{}", '{"edition": 0}', '{"edition": 1, "totals": {}, "summary": []}']
)
def test_what_is_no_stored_table_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  # of several kinds, the caller names the file
        loaded(text)


def believed(number, belief, unit="盐业公司", text="文", given=True):
    """A reading about one department whose first label has a probability, given or not."""
    beliefs = np.zeros((1, 16), dtype=np.float32)
    beliefs[0, 0] = belief
    cells = ((unit, "product_solicitation"),) if given else ()
    made = reading(number, *cells, departments=[unit])
    return dataclasses.replace(made, beliefs=beliefs, opinion=dataclasses.replace(made.opinion, text=text))


def held_out(reader):
    return HeldOutPosteriors(reader.model.held_out.astype(np.int64))


def test_shares_are_corrected_for_what_the_classifier_misses(workspace, reader):
    """Forty opinions whose label is likely but never given: counted none, estimated some; another department stays low."""
    tally = Tally(workspace.taxonomy, workspace.directory, held_out(reader))
    for number in range(40):
        tally.add(believed(number, 0.45, given=False), "")
        tally.add(believed(100 + number, 0.001, "糖业公司", given=False), "")
    tables = tally.tables()
    doubtful, clean = (cell(tables, name, "product_solicitation") for name in ("盐业公司", "糖业公司"))
    assert doubtful["count"] == clean["count"] == 0
    assert doubtful["method"] == clean["method"] == "likelihood"
    assert doubtful["estimated_share"] > 0.1 > clean["ci_high"] > clean["estimated_share"]
    assert cell(tables, "办公室", "product_solicitation")["method"] == "none"
    overall = tables.by_label.set_index("label").loc["product_solicitation"]
    assert clean["estimated_share"] < overall["estimated_share"] < doubtful["estimated_share"]


def test_repeats_count_once_in_estimates(workspace, reader):
    once, often = (Tally(workspace.taxonomy, workspace.directory, held_out(reader)) for _ in range(2))
    for number in range(30):
        for tally in (once, often):
            tally.add(believed(number, 0.9 if number < 10 else 0.001, given=number < 10), "")
    for copy in range(50):
        often.add(believed(1000 + copy, 0.9), "0")
    pairs = [cell(tally.tables(), "盐业公司", "product_solicitation") for tally in (once, often)]
    assert pairs[0]["estimated_share"] == pairs[1]["estimated_share"]
    assert pairs[1]["count"] == pairs[0]["count"] + 50


def test_an_audit_corrects_the_share(workspace, reader):
    """Sixty of a hundred were read by people, who found the label in half of them though the classifier is sure of it."""
    audits = {
        key_of(str(number), "文"): frozenset([("盐业公司", "product_solicitation")] if number % 2 else [])
        for number in range(60)
    }
    tally = Tally(workspace.taxonomy, workspace.directory, held_out(reader), audits)
    for number in range(100):
        tally.add(believed(number, 0.97), "")
    found = cell(tally.tables(), "盐业公司", "product_solicitation")
    assert found["method"] == "ppi"
    assert found["count"] == 100
    assert found["ci_low"] < 0.5 < found["ci_high"] < 0.7
    assert found["estimated_share"] == pytest.approx(0.5, abs=0.02)
    overall = tally.tables().by_label.set_index("label").loc["product_solicitation"]
    assert overall["method"] == "ppi"


def many(workspace, number=300):
    """Readings of all kinds, each with the number of the first opinion that it repeats."""
    rng = random.Random(0)  # noqa: S311
    departments, codes = [*workspace.directory.names[:4], UNSPECIFIED], workspace.taxonomy.codes
    readings: list[Reading] = []
    firsts: list[int] = []
    for n in range(number):
        about = rng.sample(departments, rng.randint(0, 2))
        cells = [(name, code) for name in about for code in rng.sample(codes, rng.randint(0, 3))]
        made = reading(
            n,
            *cells,
            valid=bool(about),
            review=rng.random() < 0.3,
            day=rng.choice(("", "2025-03-04", "2025-04-01", "2025-04-30")),
            departments=about,
            clue=["money"] if rng.random() < 0.05 else (),
            unit=rng.choice(("", "甲厂", "柳溪县轻工局", "群众")),
        )
        opinion = dataclasses.replace(made.opinion, channel=rng.choice(("", "来信", "问卷")))
        beliefs = np.array([[rng.random() ** 3 for _ in codes] for _ in about], dtype=np.float32)
        beliefs = beliefs.reshape(len(about), len(codes))
        readings.append(dataclasses.replace(made, opinion=opinion, beliefs=beliefs))
        earlier = rng.randrange(number) if rng.random() < 0.3 else n
        firsts.append(firsts[earlier] if earlier < n else n)
    return readings, firsts


@pytest.mark.parametrize("sealed", [True, False])
def test_many_at_once_are_counted_as_one_by_one(workspace, reader, sealed):
    readings, firsts = many(workspace)
    audits = {
        key_of(one.opinion.id, one.text): frozenset((f.department, f.label) for f in one.findings[:1])
        for one in readings[::3]
    }
    single, at_once, by_seven = (
        Tally(workspace.taxonomy, workspace.directory, held_out(reader), audits) for _ in range(3)
    )
    for number, (one, first) in enumerate(zip(readings, firsts, strict=True)):
        single.add(one, "" if first == number else str(first))
    at_once.add_all(readings, np.array(firsts))
    for at in range(0, len(readings), 7):
        by_seven.add_all(readings[at : at + 7], firsts[at : at + 7])
    for tally in (at_once, by_seven):
        assert dumped(tally.tables(sealed=sealed)) == dumped(single.tables(sealed=sealed))
        assert tally.sealed() == single.sealed() != frozenset()
        assert list(tally.ids) == [one.opinion.id for one in readings]


def test_tables_are_what_a_count_by_hand_gives(workspace):
    """Breakdowns and cube of what the papers count, opinion by opinion."""
    readings, firsts = many(workspace)
    tally = Tally(workspace.taxonomy, workspace.directory)
    tally.add_all(readings, firsts)
    hidden = {first for one, first in zip(readings, firsts, strict=True) if one.clue}
    kinds = {label.code: label.kind for label in workspace.taxonomy.labels}
    opinions: Counter[str] = Counter()
    praise: Counter[str] = Counter()
    stalling: Counter[str] = Counter()
    cube: dict[tuple[str, str, int], tuple[str, str, str, str]] = {}
    occurring = set()
    for one, first in zip(readings, firsts, strict=True):
        if first in hidden:
            continue
        period, group = one.opinion.collected_on[:7] or "未注明", source_group(one.opinion.source_unit)
        occurring.add(period)
        opinions[period] += one.valid
        praise[period] += any(kinds[label] == "praise" for label in one.labels)
        stalling[period] += "stalling" in one.labels
        for name in one.departments:
            cube.setdefault((name, "", first), (name, "", group, period))
        for finding in one.findings:
            key = finding.department, finding.label
            cube.setdefault((*key, first), (*key, group, period))
    tables = tally.tables(sealed=False)
    periods = tables.by_period.set_index("period")
    assert periods.index.tolist() == sorted(occurring)
    for column, counts in (("opinions", opinions), ("praise", praise), (label_column("stalling"), stalling)):
        assert periods[column].to_dict() == {period: counts[period] for period in occurring}
    places = [*workspace.directory.names, UNSPECIFIED], ["", *workspace.taxonomy.codes], list(GROUPS)
    expected = sorted(
        Counter(cube.values()).items(),
        key=lambda item: (*(known.index(x) for known, x in zip(places, item[0], strict=False)), item[0][3]),
    )
    rows = tables.cube.itertuples(index=False, name=None)
    assert list(rows) == [(*key, count) for key, count in expected]


def test_an_opinion_takes_a_hundred_and_fifty_bytes(workspace):
    readings = many(workspace, 1000)[0]
    tally = Tally(workspace.taxonomy, workspace.directory)
    tracemalloc.start()
    try:
        for copy in range(20):
            numbers = range(copy * 1000, copy * 1000 + 1000)
            tally.add_all(
                [named(one, f"id{n:08}") for one, n in zip(readings, numbers, strict=True)], numbers
            )
        assert tracemalloc.get_traced_memory()[0] < 160 * 20_000
    finally:
        tracemalloc.stop()


def named(one, identity):
    return dataclasses.replace(one, opinion=dataclasses.replace(one.opinion, id=identity))


@given(ids=st.lists(st.text(st.characters(), max_size=12)), at=st.integers(-20, 20))
def test_ids_come_back_as_they_were(ids, at):
    kept = Ids()
    kept.extend(ids[: len(ids) // 2])
    kept.extend(ids[len(ids) // 2 :])
    assert list(kept) == ids == [kept[n - len(ids)] for n in range(len(ids))]
    assert kept[at:] == ids[at:]
    assert kept[::-2] == ids[::-2]
    with pytest.raises(IndexError):
        kept[len(ids)]
