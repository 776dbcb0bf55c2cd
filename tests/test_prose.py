"""Sentences from figures: tables of facts → what an office would write, edge cases among them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.aggregate.series import Prior, Series, Standing
from pipeline.documents import prose, sentences
from pipeline.documents.disclosure import DisclosedSource
from pipeline.documents.sentences import Changes, Moved
from pipeline.documents.word import Imprint
from pipeline.taxonomy import Label

COUNTS = st.lists(
    st.tuples(st.sampled_from("甲乙丙丁戊己庚辛壬癸"), st.integers(0, 12)), unique_by=lambda item: item[0]
)


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "一"), (9, "九"), (10, "十"), (11, "十一"), (20, "二十"), (23, "二十三"), (99, "九十九"), (100, "一百"),
     (101, "一百零一"), (110, "一百一十"), (500, "五百"), (1000, "一千"), (1005, "一千零五"), (1020, "一千零二十"), (9999, "九千九百九十九")],
)  # fmt: skip
def test_numbers_of_headings(number, said):
    assert prose.chinese_number(number) == said


@pytest.mark.parametrize("number", [0, -1, 10_000])
def test_no_heading_has_such_a_number(number):
    with pytest.raises(ValueError, match=f"{number} outside 1…9999"):
        prose.chinese_number(number)


@pytest.mark.parametrize(
    ("names", "said"),
    [([], ""), (["甲"], "甲"), (["甲", "乙"], "甲和乙"), (["甲", "乙", "丙"], "甲、乙和丙"), (["人事和教育处", "办公室"], "人事和教育处、办公室")],
)  # fmt: skip
def test_lists(names, said):
    assert prose.listing(names) == said


@pytest.mark.parametrize(
    ("names", "said"),
    [([], ""), (["甲", "乙"], "甲和乙"), (["甲", "乙", "丙"], "甲、乙等3个部门")],
)
def test_long_lists_are_cut_and_counted(names, said):
    assert prose.some(names, 2, "个部门") == said


@pytest.mark.parametrize(
    ("count", "base", "said"),
    [(62, 288, "，占21.5%"), (1, 10, "，占10.0%"), (10, 10, "，占100.0%"), (9, 9, ""), (0, 0, "")],
)
def test_shares_only_on_a_base_of_ten(count, base, said):
    assert prose.share(count, base) == said


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([], ""),
        ([("甲", 0)], ""),
        ([("甲", 1)], "反映最多的是甲（1件）。"),
        ([("甲", 28), ("乙", 18)], "反映最多的是甲（28件），其次是乙（18件）。"),
        ([("乙", 18), ("甲", 28), ("丙", 18), ("丁", 0)], "反映最多的是甲（28件），其次是乙和丙（各18件）。"),
        ([("甲", 9), ("乙", 9)], "反映最多的是甲和乙（并列，各9件）。"),
        (
            [("甲", 9), ("乙", 8), ("丙", 7), ("丁", 6)],
            "反映最多的是甲（9件），其次是乙（8件），再次是丙（7件）。",
        ),
        ([("甲", 9), *((name, 5) for name in "乙丙丁戊己")], "反映最多的是甲（9件）。"),
        ([(name, 5) for name in "甲乙丙丁戊己庚辛壬"], ""),
    ],
)
def test_ranking(counts, said):
    assert prose.ranking(counts) == said


@given(COUNTS, st.integers(1, 6))
def test_the_leading_divide_no_tie_and_are_the_most_frequent(counts, most):
    kept = prose.leading(counts, most)
    left = [item for item in counts if item not in kept and item[1]]
    assert bool(kept) == any(count for _, count in counts)
    assert all(count for _, count in kept)
    assert not {count for _, count in kept} & {count for _, count in left}
    assert min((count for _, count in kept), default=99) > max((count for _, count in left), default=0)
    assert len(kept) <= most or len({count for _, count in kept}) == 1


@pytest.mark.parametrize(
    ("first", "last", "said", "title"),
    [
        ("", "", "", ""),
        ("2026-11-23", "2026-11-23", "2026年11月23日", "2026年11月"),
        ("2026-11-03", "2026-11-23", "2026年11月3日至23日", "2026年11月"),
        ("2025-03-03", "2025-04-11", "2025年3月3日至4月11日", "2025年3月至4月"),
        ("2024-12-30", "2025-01-02", "2024年12月30日至2025年1月2日", "2024年12月至2025年1月"),
    ],
)
def test_periods(first, last, said, title):
    assert prose.span(first, last) == said
    assert prose.months(first, last) == title


@pytest.mark.parametrize(
    ("due", "days", "said"),
    [("2025-05-11", 30, "2025年5月11日前"), ("", 30, "收到之日起30日内"), ("", 60, "收到之日起60日内")],
)
def test_terms(due, days, said):
    assert Imprint(due=due, days=days).term == said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (28, 11, "由28件降至11件，下降60.7%"),
        (10, 15, "由10件增至15件，上升50.0%"),
        (9, 20, "由9件增至20件"),
        (0, 6, "新出现6件"),
        (12, 0, "由12件降至没有反映"),
        (12, 12, "仍为12件"),
    ],
)
def test_changes_of_a_count(before, after, said):
    assert prose.change(before, after) == said


def totals(accepted, distinct=None, valid=None, days=("2025-03-03", "2025-04-11")):
    distinct = accepted if distinct is None else distinct
    return {
        "accepted": accepted, "distinct": distinct, "valid_distinct": distinct if valid is None else valid,
        "first_day": days[0], "last_day": days[1],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "rejected", "said"),
    [
        (totals(0), 0, "本次评议没有收到意见。"),
        (totals(0), 3, "收到的3行均不是意见或者不符合要求，未予采用。"),
        (totals(1, days=("", "")), 0, "本次评议共收到意见1件，内容有效。"),
        (totals(2), 0, "2025年3月3日至4月11日，共收到意见2件，内容均有效。"),
        (totals(5, 5, 0), 0, "2025年3月3日至4月11日，共收到意见5件，没有实际内容。"),
        (
            totals(300, 298, 288),
            4,
            "2025年3月3日至4月11日，共收到意见300件，合并重复后298件，其中内容有效的288件，其余为“没有意见”等没有实际内容的。另有4行不是意见或者不符合要求，未予采用。除注明的外，以下件数均已合并重复。",
        ),
    ],
)
def test_what_was_received(counts, rejected, said):
    assert sentences.received(counts, rejected) == said


@pytest.mark.parametrize(
    ("series", "unspecified", "said"),
    [
        ({}, 7, "意见没有写明部门，也没有提到部门目录中的部门。"),
        ({"公司": 1}, 0, "意见涉及1个部门、单位。"),
        ({"公司": 1}, None, "意见涉及1个部门、单位。"),
        ({"处室": 9, "公司": 7}, 20, "意见涉及16个部门、单位，其中处室9个、公司7个；没有写明部门的20件。"),
    ],
)
def test_which_departments_were_spoken_about(series, unspecified, said):
    assert sentences.concerned(series, unspecified) == said


SOURCES = [
    DisclosedSource("企业", 188, 107),
    DisclosedSource("群众", None, None),
    DisclosedSource("未注明", 88, 30),
]
CHANNELS = [
    DisclosedSource("问卷", 78, 29),
    DisclosedSource("网上留言", 95, None),
    DisclosedSource("走访", 9, 6),
]


@pytest.mark.parametrize(
    ("sources", "channels", "said"),
    [
        ([], [], ""),
        ([DisclosedSource("未注明", 300, 100)], [DisclosedSource("未注明", 300, 100)], ""),
        (SOURCES, [], "有效意见（含重复）按来源分，企业188件、未注明88件，另有群众的。"),
        (SOURCES[1:2], [], "有效意见（含重复）按来源分，有群众的。"),
        (
            SOURCES[:1],
            CHANNELS,
            "有效意见（含重复）按来源分，企业188件；按渠道分，网上留言95件、问卷78件、走访9件。",
        ),
    ],
)
def test_where_opinions_come_from(sources, channels, said):
    assert sentences.origins(sources, channels) == said


@pytest.mark.parametrize(
    ("sources", "channels", "said"),
    [
        ([], [], ""),
        ([DisclosedSource("群众", 20, None)], [DisclosedSource("未注明", 20, 9)], ""),
        (SOURCES, CHANNELS, "反映问题的，按来源看，企业107件（56.9%）；按渠道看，问卷29件（37.2%）、走访6件。括号内是占其有效意见的比例，均含重复。"),
        ([], CHANNELS[2:], "反映问题的，按渠道看，走访6件。本段件数含重复。"),
    ],
)  # fmt: skip
def test_who_accuses_most(sources, channels, said):
    assert sentences.from_where(sources, channels) == said


@pytest.mark.parametrize(
    ("valid", "praise", "issue", "suggestion", "said"),
    [
        (288, 62, 156, 14, "总的看，反映问题的意见多于肯定的意见。按判定的件数，有效意见中，表扬肯定的62件，占21.5%；反映问题的156件，占54.2%；提出建议的14件，占4.9%。一件意见可以兼有几项。"),
        (20, 20, 0, 0, "总的看，意见以肯定为主，没有反映问题。按判定的件数，有效意见中，表扬肯定的20件，占100.0%。"),
        (20, 0, 11, 0, "总的看，意见以反映问题为主。按判定的件数，有效意见中，反映问题的11件，占55.0%。"),
        (30, 9, 9, 0, "总的看，肯定的意见和反映问题的意见相当。按判定的件数，有效意见中，表扬肯定的9件，占30.0%；反映问题的9件，占30.0%。一件意见可以兼有几项。"),
        (30, 12, 7, None, "总的看，肯定的意见多于反映问题的意见。按判定的件数，有效意见中，表扬肯定的12件，占40.0%；反映问题的7件，占23.3%；也有提出建议的，件数不列。一件意见可以兼有几项。"),
        (30, None, 9, 0, "按判定的件数，有效意见中，反映问题的9件，占30.0%；也有表扬肯定的，件数不列。一件意见可以兼有几项。"),
        (12, None, None, None, "按判定的件数，有效意见中，有表扬肯定的、反映问题的和提出建议的，件数不列。一件意见可以兼有几项。"),
        (1, 0, None, 0, "按判定的件数，有效意见中，有反映问题的，件数不列。"),
        (12, 0, 0, 0, "有效意见没有涉及具体的表扬、问题和建议。"),
    ],
)  # fmt: skip
def test_the_overall_picture(valid, praise, issue, suggestion, said):
    assert sentences.overall(valid, praise, issue, suggestion) == said


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([], ""),
        ([("处室", "甲处", 0)], ""),
        ([("处室", "甲处", 8), ("处室", "乙处", 6), ("公司", "丙公司", 5), ("处室", "丁处", 6)], "较多的，处室有甲处（8件）、乙处和丁处（各6件）；公司有丙公司（5件）。"),
        ([("处室", name, 5) for name in "甲乙丙丁戊己庚"], ""),
    ],
)  # fmt: skip
def test_departments_are_named_within_their_series(counts, said):
    assert sentences.by_series("较多的", counts) == said


def a_series(kind, **positions):
    """A series with departments at given positions."""
    standings = tuple(
        Standing(department=name, found=1, opinions=2, share=0.5, low=0.1, high=0.9, above=0.5, below=0.5, position=position)
        for name, position in positions.items()
    )  # fmt: skip
    return Series(kind, Prior(0.5, 10.0, "fitted"), standings)


OUT = a_series("office", 甲="above", 乙="not told apart", 丙="below")
LEVEL = a_series("company", 丁="not told apart", 戊="not told apart")
ALONE = a_series("bureau", 己="not told apart")


@pytest.mark.parametrize(
    ("series", "told", "said"),
    [
        ([], "", ""),
        ([ALONE], "己", ""),
        ([LEVEL], "", "按反映问题的占比看，公司各部门之间分不出高低。"),
        ([ALONE, OUT, LEVEL], "甲乙丙", "按反映问题的占比看，处室中高于同类的是甲，低于同类的是丙；公司各部门之间分不出高低。"),
        ([OUT], "乙丙", "按反映问题的占比看，处室中低于同类的是丙。"),
        ([OUT], "乙", ""),
    ],
)  # fmt: skip
def test_who_stands_out_from_the_series(series, told, said):
    assert sentences.standings(series, told) == said


LABEL = Label(code="a", name_zh="索要产品", name_en="A", kind="issue", definition="。", excludes="", four_winds="不适用", official_row="不适用", remedy="。")  # fmt: skip


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (Moved(LABEL, 28, 11), "索要产品由28件降至11件，下降60.7%"),
        (Moved(LABEL, 28, 20, "", 288, 100), "索要产品由28件（占9.7%）变为20件（占20.0%）"),
        (Moved(LABEL, 7, 6, "盐业公司", 9, 30), "盐业公司的索要产品由7件降至6件"),
        (Moved(LABEL, 0, 6, "盐业公司", 20, 30), "盐业公司的索要产品新出现6件"),
        (Moved(LABEL, 0, 6, "盐业公司"), "盐业公司的索要产品新出现6件"),
    ],
)
def test_how_an_issue_moved(one, said):
    assert sentences.moved(one) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (Changes("2025年3月", 288, 284), "与2025年3月的评议相比，有效意见由288件变为284件，两轮件数都列出的，没有可以确认的升降。"),
        (Changes("2025年3月", 288, 288, fallen=(Moved(LABEL, 28, 11),)), "与2025年3月的评议相比，有效意见同为288件。"),
        (Changes("2025年3月", 9, 30, risen=(Moved(LABEL, 0, 6),)), "与2025年3月的评议相比，有效意见由9件变为30件，件数较少，升降仅供参考。"),
    ],
)  # fmt: skip
def test_two_rounds_side_by_side(changes, said):
    assert sentences.compared(changes) == said


KNOWN = st.one_of(st.none(), st.just(0), st.integers(5, 200))


@given(st.integers(200, 400), KNOWN, KNOWN, KNOWN)
def test_no_sentence_speaks_of_nothing_or_hints_at_a_hidden_count(valid, praise, issue, suggestion):
    said = sentences.overall(valid, praise, issue, suggestion)
    assert not re.search(r"(?<!\d)0件", said)
    assert not re.search("None|个别|不足", said)
    assert said.endswith("。")
    assert "，，" not in said
    assert "。。" not in said
