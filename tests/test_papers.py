"""The papers read back: sections, numbers as the tables have them, and nothing that must not leave the office."""

from __future__ import annotations

import dataclasses
import re

import docx
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.aggregate.suppression import PublishedTable, suppress
from pipeline.aggregate.tally import Tally
from pipeline.directory import Department, Directory
from pipeline.documents.briefing import Beside, write_briefing
from pipeline.documents.commendation import Commended, write_commendation
from pipeline.documents.disclosure import HIDDEN, Disclosure
from pipeline.documents.facts import Facts
from pipeline.documents.feedback import raised_issues, write_feedback
from pipeline.documents.filenames import LONGEST, file_names
from pipeline.documents.notice import widespread, wording, write_notices
from pipeline.documents.sentences import Changes, Moved
from pipeline.documents.word import Imprint
from pipeline.papers import commended_of
from pipeline.records import UNSPECIFIED, Finding, Opinion, Reading
from pipeline.taxonomy import Label

IMPRINT = Imprint("评议工作组", "2026-11-23", "2026-12-23")


def text_of(path):
    """All text of a paper, paragraphs and cells."""
    document = docx.Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    sections = [p.text for section in document.sections for p in section.header.paragraphs]
    return "\n".join([*(p.text for p in document.paragraphs), *cells, *sections])


def headings(path):
    return [p.text for p in docx.Document(str(path)).paragraphs if p._p.style == "Heading1"]


def rows_of(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def reading(number, *cells, departments=None, unit="", day="2025-03-04"):
    """A reading whose cells are (department, label)."""
    about = tuple(dict.fromkeys(d for d, _ in cells)) if departments is None else departments
    return Reading(
        opinion=Opinion(id=str(number), text="文", source_unit=unit, collected_on=day, channel="问卷"),
        valid=True,
        findings=tuple(
            Finding(department=d, label=c, probability=0.9, start=0, end=1, needs_review=False)
            for d, c in cells
        ),
        departments=about,
        needs_review=False,
        signature=b"",
        beliefs=np.zeros((len(about), 16), dtype=np.float32),
    )


@pytest.fixture(scope="module")
def collect(reader):
    """Facts of opinions, each given by its cells; with a directory of its own where one is named."""

    def make(opinions, directory=None):
        tally = Tally(reader.taxonomy, directory or reader.directory)
        for number, cells in enumerate(opinions):
            tally.add(reading(number, *cells), "")
        return Facts.collect(tally.tables(), {"rows_rejected": 0}, reader.model.card, reader.taxonomy)

    return make


@pytest.fixture(scope="module")
def facts(round1, reader):
    return Facts.collect(round1.tables, round1.run, reader.model.card, reader.taxonomy)


@pytest.fixture(scope="module")
def disclosure(facts):
    return Disclosure.of(facts)


@pytest.fixture(scope="module")
def folder(facts, disclosure, tmp_path_factory):
    """Every paper of the first sample round."""
    folder = tmp_path_factory.mktemp("papers")
    write_briefing(facts, disclosure, IMPRINT, folder / "briefing.docx")
    write_feedback(facts, disclosure, IMPRINT, folder / "feedback")
    write_notices(facts, disclosure, IMPRINT, folder / "notices")
    return folder


def briefing_of(facts, path, changes=None, commended=None):
    write_briefing(facts, Disclosure.of(facts), IMPRINT, path, Beside(changes=changes, commended=commended))
    return path


# secrecy


def test_no_paper_holds_a_source_or_eight_characters_of_an_opinion(folder, round1):
    texts = {path: text_of(path) for path in folder.rglob("*.docx")}
    assert len(texts) > 20
    pieces, units = set(), set()
    for opinion in pq.read_table(round1.folder / "opinions.parquet").to_pylist():
        text = opinion["text"]
        pieces |= {text[start : start + 8] for start in range(len(text) - 7)}
        units.add(opinion["source_unit"])
    for path, text in texts.items():
        assert not [text[i : i + 8] for i in range(len(text) - 7) if text[i : i + 8] in pieces], path.name
        assert not [unit for unit in units - {""} if unit in text], path.name


def test_no_small_count_is_in_any_paper(folder):
    for path in folder.rglob("*.docx"):
        said = [p.text for p in docx.Document(str(path)).paragraphs]
        said = [text for text in said if "合并重复" not in text and "不列的件数" not in text]
        assert not re.findall(r"(?<![\d至.])[1-4]件", "\n".join(said)), path.name
        for table in docx.Document(str(path)).tables:
            head, *body = rows_of(table)
            counts = [
                n
                for n, title in enumerate(head)
                if title not in {"完成时限", "具体所指", "整改要求", "整改措施", "责任部门"}
            ]
            assert not [row for row in body for n in counts if row[n] in {"1", "2", "3", "4"}], path.name


def test_what_is_disclosed_is_what_the_rule_of_suppression_leaves(facts, disclosure):
    labels = [label.code for label in facts.taxonomy.labels if label.kind == "issue"]
    frame = facts.tables.by_department.set_index("department")
    names = [d.name for d in facts.departments]
    cells = facts.tables.summary.pivot_table(
        index="department", columns="label", values="count_distinct"
    ).loc[names, labels]
    hidden = suppress(
        PublishedTable(
            cells=cells.to_numpy(dtype=np.int64),
            rows=frame.loc[names, "issue_distinct"].to_numpy(),
            columns=facts.tables.by_label.set_index("label").loc[labels, "count_distinct"].to_numpy(),
            opinions=frame.loc[names, "opinions_distinct"].to_numpy(),
        )
    )  # fmt: skip
    for r, department in enumerate(disclosure.departments):
        assert [count for _, count in department.cells] == [
            None if hidden.cells[r, c] else cells.iloc[r, c] for c in range(len(labels))
        ]
        assert department.issue == (None if hidden.rows[r] else frame.loc[names[r], "issue_distinct"])


def test_where_the_total_is_hidden_its_parts_by_source_are_too(collect):
    told = Disclosure.of(collect([[("盐业公司", "stalling")]] * 3 + [[("盐业公司", "praise")]] * 20))
    assert told.issue is None
    assert told.praise == 20
    assert {row.issue for row in (*told.sources, *told.channels)} == {None}
    assert {row.opinions for row in (*told.sources, *told.channels)} == {23}


@given(st.lists(st.integers(0, 12), max_size=7))
def test_hidden_counts_of_sources_are_never_one_alone(counts):
    from pipeline.documents.disclosure import _partition

    given_counts = _partition(counts)
    kept = [count for count, told in zip(counts, given_counts, strict=True) if told is None]
    assert all(told is None or told == count for count, told in zip(counts, given_counts, strict=True))
    assert not [told for told in given_counts if told and told < 5]
    if kept and any(told for told in given_counts):
        assert len(kept) > 1
        assert sum(kept) >= 5


# the briefing


def test_the_briefing_has_its_sections_and_annexes(folder):
    path = folder / "briefing.docx"
    assert headings(path) == ["一、基本情况", "二、总体评价", "三、意见分布", "四、突出问题", "五、整改建议"]
    text = text_of(path)
    assert "关于2025年3月至4月评议意见情况的专报" in text
    for part in (
        "附件：1. 统计表",
        "　　　2. 整改任务",
        "　　　3. 方法说明",
        "附件1",
        "附件2",
        "附件3",
        "评议工作组",
        "2026年11月23日",
    ):
        assert part in text


def test_the_briefing_says_what_the_tables_say(folder, facts):
    text, totals = text_of(folder / "briefing.docx"), facts.totals
    assert (
        f"2025年3月3日至4月11日，共收到意见{totals['accepted']}件，合并重复后{totals['distinct']}件" in text
    )
    assert (
        f"表扬肯定的{totals['praise_distinct']}件，占{100 * totals['praise_distinct'] / totals['valid_distinct']:.1f}%"
        in text
    )
    assert f"另有{facts.run['rows_rejected']}行不是意见或者不符合要求" in text
    top = facts.issues[0]
    assert f"反映最多的是{top.name}（{top.distinct}件）" in text
    assert f"{facts.card['cross_validation']['micro_precision'] * 100:.1f}%与标注一致" in text
    assert f"{totals['needs_review']}件有效意见判定的把握不够" in text


def test_the_table_of_issues_is_that_of_the_run(folder, facts):
    (table,) = [
        t for t in docx.Document(str(folder / "briefing.docx")).tables if t.cell(0, 3).text == "95%区间"
    ]
    by_label = facts.tables.by_label.set_index("label")
    names = {label.name_zh: label.code for label in facts.taxonomy.labels}
    rows = rows_of(table)[1:]
    assert len(rows) == (by_label.loc[list(facts.taxonomy.issues), "count"] > 0).sum()
    for name, count, share, interval, meaning in rows:
        assert meaning == facts.taxonomy[names[name]].definition
        row = by_label.loc[names[name]]
        assert (count, share) == (f"{row['count_distinct']:.0f}", f"{row['estimated_share'] * 100:.1f}%")
        assert interval == f"{row['ci_low'] * 100:.1f}%至{row['ci_high'] * 100:.1f}%"
        assert row["ci_low"] <= row["estimated_share"] <= row["ci_high"]
    counts = [int(count) for _, count, *_ in rows]
    assert counts == sorted(counts, reverse=True)


def annex_of(path):
    """The annex's table by department: counts beside 部门, bands apart."""
    (table,) = [t for t in docx.Document(str(path)).tables if t.cell(0, 1).text == "有效意见"]
    head, *body = rows_of(table)
    rows = {row[0]: dict(zip(head, row, strict=True)) for row in body if len(set(row)) > 1}
    return rows, [row[0] for row in body if len(set(row)) == 1]


def test_the_annex_holds_every_count_or_its_mark(folder, facts, disclosure):
    rows, bands = annex_of(folder / "briefing.docx")
    assert bands == ["厅本级", "处室", "公司", "院所校站"]
    assert list(rows) == ["合计", *(d.name for d in facts.departments)]
    summary = facts.tables.summary.set_index(["department", "label"])["count_distinct"]
    frame = facts.tables.by_department.set_index("department")
    seen = set()
    for department in disclosure.departments:
        row, counts = rows[department.name], frame.loc[department.name]
        expected = {
            "有效意见": (department.opinions, counts["opinions_distinct"]),
            "表扬肯定": (department.praise, counts["praise_distinct"]),
            "反映问题": (department.issue, counts["issue_distinct"]),
            **{
                label.name_zh: (count, summary[department.name, label.code])
                for label, count in department.cells
            },
        }
        for title, (count, number) in expected.items():
            assert row[title] == (HIDDEN if count is None else str(number or "—"))
            seen.add(row[title])
        if row["占比"] not in {HIDDEN, "—"}:
            assert row["占比"] == f"{100 * counts['issue_distinct'] / counts['opinions_distinct']:.1f}%"
            assert counts["opinions_distinct"] >= 10
    assert {HIDDEN, "—", "6"} < seen
    totals = facts.totals
    assert [rows["合计"][title] for title in ("有效意见", "表扬肯定", "反映问题")] == [
        str(totals[name]) for name in ("valid_distinct", "praise_distinct", "issue_distinct")
    ]


def test_what_to_put_right_is_the_taxonomys_with_departments_and_a_day(folder, facts):
    (table,) = [
        t for t in docx.Document(str(folder / "briefing.docx")).tables if t.cell(0, 1).text == "整改措施"
    ]
    remedies = {label.name_zh: label.remedy for label in facts.taxonomy.labels}
    rows = rows_of(table)[1:]
    assert {label.name_zh for label in facts.taxonomy.labels if label.protected} <= {row[0] for row in rows}
    assert "完成时限：2026年12月23日前" in text_of(folder / "briefing.docx")
    for name, remedy, who in rows:
        assert remedy == remedies[name]
        if facts.taxonomy[facts.taxonomy.parse(name)[0]].protected:
            assert who == "由纪检监察机构核查处理"
            continue
        first = re.split("[、和等]", who)[0]
        assert any(d.name == first and d.count(facts.taxonomy.parse(name)[0]) for d in facts.departments)


def test_changes_are_a_section_of_their_own(facts, tmp_path):
    label = facts.taxonomy["product_solicitation"]
    changes = Changes(
        "2024年9月至10月",
        250,
        288,
        risen=(Moved(label, 0, 28),),
        fallen=(Moved(facts.taxonomy["stalling"], 40, 18),),
        counts={"product_solicitation": 7, "stalling": None},
        ledger={"整改中": 2, "逾期": 1},
        overdue=("盐业公司的索要产品",),
    )
    path = briefing_of(facts, tmp_path / "b.docx", changes)
    assert "整改台账共3项，整改中2项、逾期1项。逾期的是盐业公司的索要产品。" in text_of(path)
    (table,) = [t for t in docx.Document(str(path)).tables if t.cell(0, 4).text == "上轮件数"]
    before = {row[0]: row[4] for row in rows_of(table)[1:]}
    assert (before["索要产品"], before["推诿拖延"], before["形式主义"]) == ("7", HIDDEN, "不可比")
    assert headings(path)[4:] == ["五、变化与新苗头", "六、整改建议"]
    assert "（一）上升和新出现的。索要产品新出现28件。" in text_of(path)
    assert "（二）下降的。推诿拖延由40件降至18件，下降55.0%。" in text_of(path)


@pytest.mark.parametrize(
    ("commended", "said"),
    [
        (None, "表扬先进。按表扬名单审定后予以表扬，总结做法。"),
        ((), "没有部门达到表扬名单的条件；受到肯定较多的，经核实可以表扬"),
        (("盐业公司", "糖业公司"), "对盐业公司和糖业公司通报表扬，总结做法并推广。"),
    ],
)
def test_nobody_is_to_be_commended_who_is_not_on_the_list(facts, tmp_path, commended, said):
    assert said in text_of(briefing_of(facts, tmp_path / "b.docx", commended=commended))


@pytest.mark.parametrize(
    ("opinions", "sections", "said"),
    [
        ([], ["一、基本情况", "二、工作建议"], "本次评议没有收到意见。"),
        ([[("盐业公司", "stalling")]], ["一、基本情况", "二、工作建议"], "有效意见不足10件，不宜作分类统计"),
        ([[]] * 12, ["一、基本情况", "二、总体评价"], "有效意见没有涉及具体的表扬、问题和建议。"),
        ([[("盐业公司", "praise")]] * 12, ["一、基本情况", "二、总体评价", "三、工作建议"], "意见以肯定为主，没有反映问题"),
        ([[("盐业公司", "stalling")]] * 12, ["一、基本情况", "二、总体评价", "三、意见分布", "四、突出问题", "五、整改建议"], "反映的问题只有推诿拖延一类。"),
        ([[(UNSPECIFIED, "stalling")]] * 12, ["一、基本情况", "二、总体评价", "三、意见分布", "四、突出问题", "五、整改建议"], "反映问题的意见没有写明部门，不能分部门统计。"),
    ],
)  # fmt: skip
def test_rounds_at_the_edges(collect, tmp_path, opinions, sections, said):
    path = briefing_of(collect(opinions), tmp_path / "b.docx")
    assert headings(path) == sections
    text = text_of(path)
    assert said in text
    assert not re.search(r"(?<!\d)0件|None|nan", text)


def test_a_share_that_nothing_is_known_of_is_not_given(collect, tmp_path):
    facts = collect([[("盐业公司", "stalling")]] * 12)
    unknown = dataclasses.replace(
        facts, tables=dataclasses.replace(facts.tables, by_label=facts.tables.by_label.assign(method="none"))
    )
    text = text_of(briefing_of(unknown, tmp_path / "b.docx"))
    assert "推诿拖延\n12\n—\n—" in text
    assert "（一）推诿拖延。12件。" in text


def test_an_issue_too_rare_to_count_is_named_without_a_number(collect, tmp_path):
    opinions = [[("盐业公司", "stalling")]] * 40 + [[("糖业公司", "retaliation")]] * 2
    text = text_of(briefing_of(collect(opinions), tmp_path / "b.docx"))
    assert "（二）打击报复。有意见反映，件数不列。" in text
    assert "打击报复\n＊\n＊\n＊" in text


@pytest.fixture(scope="module")
def crowd():
    """A directory of 500 departments."""
    return Directory(
        departments=tuple(
            Department(
                code=f"D{n}",
                name=f"第{n}分公司",
                parent="",
                kind="company" if n % 2 else "office",
                aliases=(),
            )
            for n in range(500)
        )
    )


def test_five_hundred_departments_make_a_readable_annex(collect, crowd, tmp_path):
    rng = np.random.default_rng(7)
    codes = ["stalling", "opacity", "praise", "formalism", "retaliation"]
    opinions = [
        [(f"第{rng.integers(500)}分公司", codes[rng.integers(len(codes))])] for _ in range(5000)
    ]  # fmt: skip
    facts = collect(opinions, crowd)
    document = docx.Document(str(briefing_of(facts, tmp_path / "b.docx")))
    (table,) = [t for t in document.tables if t._tbl.tr_lst[0].tc_lst[1].p_lst[0].text == "有效意见"]
    rows = table._tbl.tr_lst
    assert len(rows) == 504  # head, total, two bands, and every department
    assert len(rows[0].tc_lst) == 19
    assert all(
        int(cell.xpath("w:tcPr/w:tcW/@w:w")[0]) >= 480 for cell in rows[0].tc_lst
    )  # two characters of 五号
    body = "\n".join(p.text for p in document.paragraphs)
    assert len(body) < 4000


def test_a_taxonomy_with_many_issues_continues_its_table(collect, reader, tmp_path):
    facts = collect([[("盐业公司", "stalling")]] * 12)
    more = tuple(
        Label(code=f"more_{chr(97 + n)}", name_zh=f"新类{n}", name_en="x", kind="issue", definition="某事。", excludes="", four_winds="不适用", official_row="不适用", remedy="改正。")
        for n in range(6)
    )  # fmt: skip
    by_label = facts.tables.by_label
    extra = pd.DataFrame(
        [
            {
                "label": label.code,
                "count": 0,
                "count_distinct": 0,
                "share": 0.0,
                "ci_low": 0.0,
                "ci_high": 0.1,
            }
            for label in more
        ]
    )
    wide = dataclasses.replace(
        facts,
        taxonomy=facts.taxonomy.model_copy(update={"labels": (*facts.taxonomy.labels, *more)}),
        tables=dataclasses.replace(facts.tables, by_label=pd.concat([by_label, extra])),
    )
    document = docx.Document(str(briefing_of(wide, tmp_path / "b.docx")))
    captions = [p.text for p in document.paragraphs if p._p.style == "Caption" and "各部门" in p.text]
    assert captions == ["各部门意见情况（件）", "各部门意见情况（件）（续）"]
    titles = [cell.p_lst[0].text for table in document.tables[1:3] for cell in table._tbl.tr_lst[0].tc_lst]
    assert titles[5:21] + titles[22:] == [
        label.name_zh for label in wide.taxonomy.labels if label.kind == "issue"
    ]


# the letters


def test_every_department_spoken_about_gets_one_letter(folder, facts):
    letters = {path.stem for path in (folder / "feedback").iterdir()}
    assert letters == {d.name for d in facts.departments} - {UNSPECIFIED}


def test_a_letter_tells_its_department_its_counts_and_nothing_else(folder, facts, disclosure):
    channels = set(facts.tables.by_channel["channel"]) | {"企业意见", "来源"}
    for department in disclosure.named:
        text = text_of(folder / "feedback" / f"{department.name}.docx")
        others = {d.name for d in facts.departments} - {department.name, UNSPECIFIED}
        assert not [name for name in others if name in text and name not in department.name]
        assert not [name for name in channels if name in text]
        assert "%" not in text
        given = any(count for _, count in raised_issues(department))
        assert ("列出件数的，列入整改台账督办。" in text) == given
        tables = docx.Document(str(folder / "feedback" / f"{department.name}.docx")).tables
        rows = rows_of(tables[0])[1:] if tables else []
        assert [(name, count) for name, count, _, _ in rows] == [
            (label.name_zh, HIDDEN if count is None else str(count))
            for label, count in raised_issues(department)
        ]
        assert [tuple(row[2:]) for row in rows] == [
            (label.definition, label.remedy) for label, _ in raised_issues(department)
        ]
        assert ("肯定的方面" in text) == (department.praise != 0)
        assert ("2026年12月23日前完成整改" in text) == bool(raised_issues(department))


@pytest.mark.parametrize(
    ("opinions", "said", "sections"),
    [
        ([[("盐业公司", "praise")]] * 8, "收到涉及你单位的有效意见8件（重复的已合并）。其中，表扬肯定的8件。没有反映问题的意见。现将有关情况反馈如下。", ["一、肯定的方面", "二、有关事项"]),
        ([[("盐业公司", "praise")]] * 2, "收到涉及你单位的有效意见。没有反映问题的意见。", ["一、肯定的方面", "二、有关事项"]),
        ([[("盐业公司", "stalling")]], "收到涉及你单位的有效意见。现将有关情况反馈如下，请认真研究，抓好整改。", ["一、反映的问题", "二、整改要求", "三、有关事项"]),
    ],
)  # fmt: skip
def test_letters_at_the_edges(collect, tmp_path, opinions, said, sections):
    facts = collect(opinions)
    (path,) = write_feedback(facts, Disclosure.of(facts), IMPRINT, tmp_path / "feedback")
    assert path.name == "盐业公司.docx"
    assert said in text_of(path)
    assert headings(path) == sections


@pytest.mark.parametrize("label", ["suggestion", "gifts_and_bribes", "retaliation"])
def test_nothing_to_tell_is_no_letter(collect, tmp_path, label):
    """Suggestions alone; and one grave accusation that nobody verified, which would only warn the accused."""
    facts = collect([[("盐业公司", label)]] * (6 if label == "suggestion" else 2))
    assert write_feedback(facts, Disclosure.of(facts), IMPRINT, tmp_path / "feedback") == []


def test_grave_issues_that_many_tell_are_in_the_letter(collect, tmp_path):
    facts = collect([[("盐业公司", "gifts_and_bribes")]] * 6)
    (path,) = write_feedback(facts, Disclosure.of(facts), IMPRINT, tmp_path)
    assert "收受财物" in "".join(
        cell.text for row in docx.Document(str(path)).tables[0].rows for cell in row.cells
    )


def test_without_a_day_the_term_is_counted_from_receipt(collect, tmp_path):
    facts = collect([[("盐业公司", "stalling")]] * 6)
    (path,) = write_feedback(facts, Disclosure.of(facts), Imprint(), tmp_path)
    assert "收到之日起30日内完成整改" in text_of(path)


# file names


@pytest.mark.parametrize(
    ("name", "file_name"),
    [
        ("盐业公司", "盐业公司"), ("市局/一处", "市局／一处"), ('a:b*c?"<d>|\\', "a：b＊c？＂＜d＞｜＼"), (" 甲 \n 乙. ", "甲 乙"),
        ("CON", "＿CON"), ("nul.x", "＿nul.x"), ("...", "＿"), ("\x00\u202e", "＿"), ("长" * 80, "长" * 60),
    ],
)  # fmt: skip
def test_file_names(name, file_name):
    assert file_names([name]) == {name: file_name}


def test_clashing_names_are_numbered_in_order():
    assert file_names(["A处", "a处", "A处（2）", "A/处", "A／处"]) == {
        "A处": "A处", "a处": "a处（2）", "A处（2）": "A处（2）（2）", "A/处": "A／处", "A／处": "A／处（2）",
    }  # fmt: skip


@given(st.lists(st.text(st.sampled_from("甲Aa./:（2）\x00 "), max_size=70), max_size=8))
def test_every_name_becomes_a_different_file_name_that_every_system_takes(names):
    made = file_names(names)
    assert set(made) == set(names)
    assert len({name.casefold() for name in made.values()}) == len(made)
    for name in made.values():
        assert 0 < len(name) <= LONGEST
        assert len(f"{name}.docx".encode()) <= 255
        assert not set(name) & set('/\\:*?"<>|\x00\n')
        assert name == name.strip(". ")


def test_letters_of_clashing_departments_do_not_overwrite_one_another(collect, tmp_path):
    names = ("甲/处", "甲／处")
    directory = Directory(
        departments=tuple(Department(code=n, name=n, parent="", kind="office", aliases=()) for n in names)
    )
    facts = collect([[(name, "stalling")] for name in names], directory)
    paths = write_feedback(facts, Disclosure.of(facts), IMPRINT, tmp_path)
    assert [path.name for path in paths] == ["甲／处.docx", "甲／处（2）.docx"]
    assert [docx.Document(str(path)).paragraphs[2].text for path in paths] == ["甲/处：", "甲／处："]


# notices


def spread(*counts):
    """Opinions on one issue, so many about each of the first departments; praise about six others."""
    names = [
        "办公室",
        "盐业公司",
        "糖业公司",
        "轻工设计院",
        "轻工业学校",
        "物资供应处",
        "轻工业厅",
        "人事教育处",
        "计划财务处",
        "企业管理处",
    ]
    about = [[(name, "stalling")] for name, count in zip(names, counts, strict=False) for _ in range(count)]
    return about + [[(name, "praise")] for name in names]


@pytest.mark.parametrize(
    ("counts", "chosen"),
    [
        ((), False),
        ((5, 5), False),  # two departments only
        ((5, 5, 5), True),
        ((5, 5, 4), False),  # the third is not given, and three of ten are not half
        ((2, 2, 2, 2, 2), True),  # half of them, 10 opinions
        ((2, 2, 2, 2), False),
        ((2, 2, 1, 1, 1), False),  # under one and a half each
        ((8, 1, 1, 1, 1, 1, 1, 1, 1, 1), True),
        ((40,), False),
        ((1,) * 10, False),
    ],
)
def test_when_an_issue_is_widespread(collect, counts, chosen):
    disclosure = Disclosure.of(collect(spread(*counts)))
    assert [label.code for label in widespread(disclosure)] == ["stalling"] * chosen


def test_a_notice_says_nothing_of_counts_that_are_not_given(collect):
    """Two rounds that differ in hidden counts alone have the same notices."""
    for one, other in (((6, 5, 1, 4), (6, 5, 3, 2)), ((4, 4, 1, 1, 1), (3, 3, 2, 2, 1))):
        found = [Disclosure.of(collect(spread(*counts))) for counts in (one, other)]
        shown = [[d.count("stalling") for d in each.named] for each in found]
        assert shown[0] == shown[1]
        assert found[0].issues == found[1].issues
        assert widespread(found[0]) == widespread(found[1])


def test_nothing_widespread_makes_no_folder(collect, tmp_path):
    facts = collect(spread(5))
    assert write_notices(facts, Disclosure.of(facts), IMPRINT, tmp_path / "notices") == []
    assert not (tmp_path / "notices").exists()


def test_the_samples_call_for_the_notice_on_products(folder, facts, disclosure):
    names = sorted(path.name for path in (folder / "notices").iterdir())
    assert names == sorted(f"{label.name_zh}.docx" for label in widespread(disclosure))
    told = "和".join(label.name_zh for label in widespread(disclosure))
    assert f"{told}涉及的部门多，已起草通知（草稿）" in text_of(folder / "briefing.docx")
    path = folder / "notices/索要产品.docx"
    text = text_of(path)
    count = facts.tables.by_label.set_index("label").loc["product_solicitation", "count_distinct"]
    assert "关于不准个人向企业要产品的通知\n（草稿）" in text
    assert f"有{count}件意见反映“索要产品”问题" in text
    assert "各部门、各单位：" in text
    assert text.endswith("草稿")
    assert [p.text[:2] for p in docx.Document(str(path)).paragraphs if re.match("[一二三四五]、", p.text)] == [
        "一、", "二、", "三、", "四、", "五、",
    ]  # fmt: skip


def test_every_issue_of_the_taxonomy_has_a_notice_of_its_own(reader):
    taxonomy = reader.taxonomy
    words = [wording(taxonomy[code]) for code in taxonomy.issues]
    assert len({each["title"] for each in words}) == len(taxonomy.issues) == 14
    for each in words:
        assert re.fullmatch("关于.{4,14}的通知", each["title"])
        assert each["reason"].endswith("。")
        assert len(each["rules"]) >= 3
        assert all(lead.endswith("。") and text.endswith("。") for lead, text in each["rules"])


def test_an_issue_of_the_users_own_gets_a_notice_from_its_definition(reader):
    label = reader.taxonomy["stalling"].model_copy(update={"code": "own_issue", "name_zh": "乱停车"})
    words = wording(label)
    assert words["title"] == "关于纠正“乱停车”问题的通知"
    assert label.definition in words["rules"][0][1]
    assert words["rules"][1][1] == label.remedy


# commendation


def test_the_commendation_lists_departments_and_grounds(tmp_path):
    rows = [
        Commended("物资供应处", "处室", 8, 16, ("收到表扬意见8件", "占有效意见的50.0%")),
        Commended("盐业公司", "公司", None, 17, ("没有反映收受财物的意见",)),
    ]
    write_commendation(rows, "2025-03-03", "2025-04-11", IMPRINT, tmp_path / "c.docx")
    (table,) = docx.Document(str(tmp_path / "c.docx")).tables
    assert rows_of(table)[1:] == [
        ["1", "物资供应处", "处室", "8", "16"],
        ["2", "盐业公司", "公司", HIDDEN, "17"],
    ]
    text = text_of(tmp_path / "c.docx")
    assert "2025年3月3日至4月11日的评议中，下列2个部门受到的肯定和表扬较多" in text
    assert "（一）物资供应处。收到表扬意见8件，占有效意见的50.0%。" in text


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "最近一次评议中，没有达到表扬条件的部门。"),
        ([Commended("盐业公司", "公司", 9, 10, ("表扬9件",))], "盐业公司受到的肯定和表扬较多"),
    ],
)
def test_a_commendation_of_none_or_one(tmp_path, rows, said):
    write_commendation(rows, "", "", IMPRINT, tmp_path / "c.docx")
    assert said in text_of(tmp_path / "c.docx")
    assert not docx.Document(str(tmp_path / "c.docx")).tables


# all


def test_the_same_facts_make_the_same_files(folder, facts, disclosure, tmp_path):
    write_briefing(facts, disclosure, IMPRINT, tmp_path / "briefing.docx")
    write_feedback(facts, disclosure, IMPRINT, tmp_path / "feedback")
    write_notices(facts, disclosure, IMPRINT, tmp_path / "notices")
    again = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.docx"))
    assert again == sorted(path.relative_to(folder) for path in folder.rglob("*.docx"))
    assert all((tmp_path / path).read_bytes() == (folder / path).read_bytes() for path in again)


def test_nobody_is_commended_whom_a_sealed_opinion_is_about(collect, reader):
    facts = collect([[("盐业公司", "praise")]] * 60)
    told = Disclosure.of(facts)
    for without, names in (((), ["盐业公司"]), (("盐业公司",), []), (("糖业公司",), ["盐业公司"])):
        rows = commended_of(facts.tables, reader.model.card, reader.taxonomy, told, without)
        assert [row.department for row in rows] == names
        assert all(
            row.basis == ("有效意见60件，其中表扬肯定的60件，占100.0%", "没有反映问题的意见") for row in rows
        )
