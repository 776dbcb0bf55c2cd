"""The leaders' page as a file: what it holds, whatever the names, the size and the lack of opinions."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.aggregate.intervals import wilson
from pipeline.aggregate.rounds import compare_rounds
from pipeline.aggregate.series import compare_within_series
from pipeline.aggregate.tally import Tally
from pipeline.directory import KINDS, Department, Directory
from pipeline.documents.drill import LEAST, Drill, Earlier
from pipeline.documents.facts import SMALL, Facts
from pipeline.documents.page import period_name, write_page
from pipeline.records import UNSPECIFIED, Finding, Opinion, Reading
from pipeline.workspace import SHIPPED, Workspace

TAXONOMY = Workspace(root=SHIPPED).taxonomy
UNITS = ("某某厂", "某某局", "某居民", "")
RUN = {
    "files": [{"name": "a.csv"}], "rows_read": 1, "rows_accepted": 1, "rows_rejected": 0, "repeat_similarity": 0.6, "notices": {},
    "skipped_sheets": [], "files_passed_over": [], "departments_not_listed": {}, "program": "0", "model": "m", "taxonomy": "1",
}  # fmt: skip
CARD = {
    "cross_validation": {
        "micro_precision": 0.85,
        "micro_recall": 0.57,
        "false_accusation_rate": 0.04,
        "labels": {},
    }
}
HOSTILE = (
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "\"'><b>处", "<!--<script>", "&lt;处&amp;",
    "处\\u003c/script>", "${alert(1)}", "{{ 7*7 }}处", "__proto__", "处\u2028行", "data-d=0", "#&=%20+处",
)  # fmt: skip


def opinion(number, cells=(), about=(), unit="", day="", channel="问卷", review=False):
    """A reading without any text; ``cells`` are (department, label code)."""
    departments = tuple(dict.fromkeys([d for d, _ in cells] + list(about)))
    return Reading(
        opinion=Opinion(id=str(number), text="", source_unit=unit, collected_on=day, channel=channel),
        valid=True,
        findings=tuple(Finding(department=d, label=c, probability=0.9, start=0, end=0, needs_review=review) for d, c in cells),
        departments=departments,
        needs_review=review,
        signature=b"",
        beliefs=np.zeros((len(departments), len(TAXONOMY.codes)), dtype=np.float32),
    )  # fmt: skip


def directory_of(names, kinds=("office", "company", "institute")):
    return Directory(
        departments=tuple(
            Department(code=f"D{n}", name=name, parent="", kind=kinds[n % len(kinds)], aliases=())
            for n, name in enumerate(names)
        )
    )


def facts_of(readings, directory, taxonomy=TAXONOMY):
    tally = Tally(taxonomy, directory)
    for reading in readings:
        tally.add(reading, "")
    return Facts.collect(tally.tables(), RUN, CARD, taxonomy)


def invent(departments, opinions, seed=0, months=12):
    """Facts of opinions drawn at random: a few departments are spoken about much, most of them little."""
    rng = np.random.default_rng(seed)
    names = [f"第{n + 1}{('处', '公司', '研究所')[n % 3]}" for n in range(departments)]
    weights = rng.pareto(1.5, departments) + 0.2
    about = rng.choice(departments, size=opinions, p=weights / weights.sum())
    second = rng.integers(departments, size=opinions)
    sizes = rng.choice([0, 1, 2], size=opinions, p=[0.3, 0.5, 0.2])
    codes = [rng.choice(TAXONOMY.codes, size=size, replace=False).tolist() for size in sizes]
    units, period = rng.choice(UNITS, size=opinions).tolist(), rng.integers(months, size=opinions)
    review = rng.random(opinions) < 0.3
    readings = []
    for n in range(opinions):
        where = (
            [UNSPECIFIED] if n % 20 == 7 else [names[about[n]], *([names[second[n]]] if n % 10 == 3 else [])]
        )
        cells = [(name, code) for code in codes[n] for name in dict.fromkeys(where)]
        day = f"2025-{period[n] + 1:02d}-03"
        readings.append(opinion(n, cells, where, units[n], day, review=bool(review[n])))
    return facts_of(readings, directory_of(names))


class Page(HTMLParser):
    """Elements with their attributes, and the text of some; an element closed wrongly is an error."""

    VOID = ("meta", "input", "br", "wbr")

    def __init__(self, html):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.blocks: list[tuple[str, dict[str, str], str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), "an attribute given twice"
        if tag in ("script", "style"):
            self.blocks.append((tag, dict(attrs), ""))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] in ("script", "style"):
            tag, attrs, text = self.blocks[-1]
            self.blocks[-1] = (tag, attrs, text + data)
        else:
            self.text += data

    @property
    def data(self):
        return json.loads(next(text for tag, attrs, text in self.blocks if attrs.get("id") == "data"))


@pytest.fixture
def page(tmp_path):
    """Write a page and return its text."""

    def make(facts, *arguments):
        write_page(facts, tmp_path / "page.html", *arguments)
        return (tmp_path / "page.html").read_text(encoding="utf-8")

    return make


@pytest.fixture(scope="module")
def middling():
    return invent(30, 900)


def test_the_policy_lets_run_only_what_is_in_the_page(page, middling):
    read = Page(page(middling))
    policy = next(a["content"] for t, a in read.elements if a.get("http-equiv") == "Content-Security-Policy")
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == ["'none'"]
    assert set(rules) == {"default-src", "base-uri", "form-action", "style-src", "script-src"}
    for tag, attrs, text in read.blocks:
        if attrs.get("type") != "application/json":
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert rules[f"{tag}-src"] == [f"'sha256-{digest}'"]
    assert [tag for tag, _, _ in read.blocks] == ["style", "script", "script"]
    assert (
        len([1 for _, attrs in read.elements for name in attrs if name == "style" or name.startswith("on")])
        == 0
    )


def test_nothing_in_the_page_points_outside_it(page, middling):
    read = Page(page(middling))
    ids = [attrs["id"] for _, attrs in read.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for tag, attrs in read.elements:
        assert not {"src", "srcset", "action", "data", "poster"} & set(attrs)
        assert tag not in ("link", "base", "iframe", "object", "embed", "form", "img")
        if "href" in attrs:
            assert attrs["href"][0] == "#"
            assert attrs["href"][1:] in ids
        if "aria-labelledby" in attrs and tag != "dialog":
            assert attrs["aria-labelledby"] in ids
    (_, _, style), *_ = read.blocks
    assert "url(" not in style
    assert "@import" not in style


def test_a_screen_reader_finds_its_way(page, middling):
    read = Page(page(middling))
    assert [tag for tag, _ in read.elements if tag in ("header", "main")] == ["header", "main"]
    tags = [tag for tag, _ in read.elements]
    assert tags.count("caption") == tags.count("table") > 5
    assert all("scope" in attrs for tag, attrs in read.elements if tag == "th")
    bars = [
        attrs for tag, attrs in read.elements if tag == "svg" and attrs.get("class", "").startswith("bar")
    ]
    assert len(bars) > 10
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in bars)
    (timeline,) = [attrs for tag, attrs in read.elements if attrs.get("class") == "columns"]
    assert "2025年12月有效意见" in timeline["aria-label"]
    assert ("p", {"id": "status", "class": "status", "role": "status", "hidden": None}) in read.elements


def test_what_the_script_counts_are_the_tables(page, middling):
    data = Page(page(middling)).data
    codes = [label["code"] for label in data["labels"]]
    counted = {}
    for department in data["departments"]:
        cube = department["cube"]
        for label, source, period, n in zip(*(cube[start::4] for start in range(4)), strict=True):
            code = codes[label] if label < len(codes) else ""
            counted[department["name"], code, data["sources"][source], data["periods"][period]] = n
    cube = middling.tables.cube
    assert counted == {tuple(row[:4]): row[4] for row in cube.itertuples(index=False, name=None)}
    summary = middling.tables.summary
    for department, code, k in zip(
        summary["department"], summary["label"], summary["count_distinct"], strict=True
    ):
        assert k == sum(n for key, n in counted.items() if key[:2] == (department, code))
    shares = {d["name"]: d["shares"] for d in data["departments"]}
    for row in summary[summary["count"] > 0].itertuples():
        expected = [round(100 * x, 1) for x in (row.estimated_share, row.ci_low, row.ci_high)]
        assert shares[row.department][str(codes.index(row.label))] == expected


def test_without_a_script_the_annex_has_every_count(page, middling):
    html = page(middling)
    drill = Drill.of(middling)
    for number, department in enumerate(middling.departments):
        part = html.split(f'<section id="d{number}"')[1].split("</section>")[0]
        assert f">{department.name}" in part
        for cell in department.cells:
            counts = "".join(f"<td>{n}</td>" for n in drill.by_source(department.name, cell.label.code))
            assert (
                f'<th scope="row">{cell.label.name_zh}</th><td>{cell.distinct}</td><td>{cell.count}</td>'
                in part
            )
            assert counts in part
            assert sum(drill.by_source(department.name, cell.label.code)) == cell.distinct
        assert sum(drill.by_period(department.name)) == department.distinct


def named(names, labels):
    """Facts with these names of departments and these words for the first labels, in every table of the page."""
    renamed = [
        label.model_copy(update={"name_zh": f"类{n}{word}", "definition": word, "remedy": word})
        for n, (label, word) in enumerate(zip(TAXONOMY.labels, labels, strict=False))
    ]
    taxonomy = TAXONOMY.model_copy(update={"labels": (*renamed, *TAXONOMY.labels[len(renamed) :])})
    channels = [f"网{labels[2][:4]}", "热线", "问卷"]
    readings = [
        opinion(f"{n}-{again}", [(name, code) for code in taxonomy.codes], (), UNITS[n % 4], f"2025-0{1 + n % 3}-01", channels[n % 3])
        for again in range(5)
        for n, name in enumerate(names)
    ]  # fmt: skip
    return facts_of(readings, directory_of(names), taxonomy)


def test_whatever_the_names_they_are_text(page):
    facts = named(HOSTILE, HOSTILE)
    html = page(facts)
    read = Page(html)
    words = [f"无害{n}" for n in range(len(HOSTILE))]
    plain = Page(page(named(words, words)))
    assert [tag for tag, _ in read.elements] == [tag for tag, _ in plain.elements]
    assert [set(attrs) for _, attrs in read.elements] == [set(attrs) for _, attrs in plain.elements]
    assert [d["name"] for d in read.data["departments"]] == list(HOSTILE)
    assert [label["about"] for label in read.data["labels"]][: len(HOSTILE)] == list(HOSTILE)
    assert "网\"'><" in read.text
    for name in HOSTILE:
        assert name in read.text
    assert "<script>alert" not in html
    assert "49处" not in html


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(0, len(TAXONOMY.codes) - 1), st.sampled_from(UNITS), st.sampled_from(["", "2025-03-01", "2025-04-01"])
        ),
        max_size=25,
    )
)  # fmt: skip
def test_filtered_counts_add_up(rows):
    names = ["甲处", "乙公司", "丙所", "丁处"]
    readings = [
        opinion(n, [(names[d], TAXONOMY.codes[c])], unit=unit, day=day)
        for n, (d, c, unit, day) in enumerate(rows)
    ]
    drill = Drill.of(facts_of(readings, directory_of(names)))
    for department in drill.departments:
        assert (
            sum(drill.by_source(department.name))
            == sum(drill.by_period(department.name))
            == department.distinct
        )
        for cell in department.cells:
            assert sum(drill.by_source(department.name, cell.label.code)) == cell.distinct
    assert sorted(d.name for s in drill.series for d in s.departments) == sorted(
        d.name for d in drill.departments
    )


def many(department, code, n, of):
    return [
        opinion(f"{department}{code}{k}", [(department, code)] if k < n else (), [department])
        for k in range(of)
    ]


def test_what_to_do_first_is_told_within_series_by_lower_bounds():
    names = ["甲处", "乙公司", "丙处", "丁公司", "戊处"]
    readings = [
        *many("甲处", "stalling", 30, 60), *many("丙处", "opacity", 9, 60), *many("戊处", "formalism", 5, 6),
        *many("乙公司", "stalling", 12, 40), *many("丁公司", "opacity", 14, 40), *many("丁公司", "formalism", LEAST - 1, 2),
    ]  # fmt: skip
    offices, companies = Drill.of(facts_of(readings, directory_of(names, kinds=("office", "company")))).series
    assert (offices.name, companies.name) == (KINDS["office"], KINDS["company"])
    assert [(c.department, c.label.code) for c in offices.first] == [
        ("甲处", "stalling"),
        ("丙处", "opacity"),
        ("戊处", "formalism"),
    ]
    low = wilson(30, 60)[0]
    assert offices.first[0].low == pytest.approx(low, abs=1e-4)
    assert wilson(9, 60)[1] < low < wilson(5, 6)[1]
    assert offices.level == 2, "the few opinions about 戊处 cannot be told apart from the first"
    assert offices.first[2].opinions < SMALL, "and stand after the departments of which there are enough"
    assert [c.department for c in companies.first] == ["丁公司", "乙公司"]
    assert companies.level == 2
    assert (offices.largest, companies.largest) == (30, 14)


def test_the_page_says_what_cannot_be_told_apart(page):
    readings = [*many("甲处", "stalling", 30, 60), *many("丙处", "opacity", 9, 60)]
    html = page(facts_of(readings, directory_of(["甲处", "丙处"], kinds=("office",))))
    assert "第 1 项明显高于其余各项。" in html
    assert f"至少 {wilson(30, 60)[0] * 100:.1f}%" in html
    level = [*many("甲处", "stalling", 12, 60), *many("丙处", "opacity", 11, 60)]
    html = page(facts_of(level, directory_of(["甲处", "丙处"], kinds=("office",))))
    assert "第 1 至第 2 项区间重叠，分不出高低，应当同等对待" in html


def test_no_list_mixes_series(page, middling):
    html = page(middling)
    first = html.split("<h2>先看这几处</h2>")[1].split("</section>")[0]
    series = {d.name: d.series for d in middling.departments}
    for card in first.split('<div class="card">')[1:]:
        (title,) = re.findall(r"<h3>(.*?)</h3>", card.split("</ol>")[0])
        listed = re.findall(r'data-label="\w+">(.*?)</a>', card.split("</div>")[0])
        assert listed
        assert {series[name] for name in listed} == {title}
    for body in re.findall(r'<tbody data-series="(.*?)">(.*?)</tbody>', html, re.DOTALL):
        names = re.findall(r'<th scope="row"><a [^>]*>(.*?)</a>', body[1])
        assert {series[name] for name in names} == {body[0]}
        sizes = [next(d.distinct for d in middling.departments if d.name == name) for name in names]
        assert sizes == sorted(sizes, reverse=True)


def test_grave_issues_are_named_however_rare(page):
    readings = [opinion(1, [("甲处", "gifts_and_bribes")]), *many("乙公司", "stalling", 5, 40)]
    html = page(facts_of(readings, directory_of(["甲处", "乙公司"])))
    grave = html.split("性质较重的")[1].split("</ul>")[0]
    assert "甲处" in grave
    assert "乙公司" not in grave
    assert "性质较重的" not in page(facts_of(readings[1:], directory_of(["甲处", "乙公司"])))


def test_departments_that_stand_out_from_their_series(page):
    names = [f"{n}处" for n in "甲乙丙丁戊己庚辛"]
    readings = [
        row for n, name in enumerate(names) for row in many(name, "stalling", 45 if n == 2 else 6, 60)
    ]
    facts = facts_of(readings, directory_of(names, kinds=("office",)))
    table = facts.tables.by_department
    compared = compare_within_series(
        table["department"].tolist(),
        table["kind"].tolist(),
        table["issue_distinct"],
        table["opinions_distinct"],
    )
    assert Drill.of(facts).series[0].above is None
    assert Drill.of(facts, compared).series[0].above == ("丙处",)
    told = page(facts, compared)
    assert "反映问题的比例明显高于同类的：" in told
    assert "明显高于同类" not in page(facts)


def test_what_rose_and_fell_is_told_where_an_earlier_round_is_given(page):
    names = ["甲处", "乙处"]
    before = facts_of(
        [*many("甲处", "stalling", 40, 60), *many("乙处", "opacity", 2, 40)], directory_of(names)
    )
    after = facts_of(
        [*many("甲处", "stalling", 10, 60), *many("乙处", "opacity", 20, 40)], directory_of(names)
    )
    changes = compare_rounds(before.tables.summary, after.tables.summary, TAXONOMY.issues)
    html = page(after, (), Earlier("2025年3月", before.totals["valid_distinct"], changes))
    section = html.split("<h2>与上一轮比</h2>")[1].split("</section>")[0]
    assert "有效意见：2025年3月 100 件，本轮 100 件。" in section
    stalling, opacity = re.findall(r"<tr><th scope=\"row\">.*?</tr>", section)
    assert ">甲处</a>" in stalling
    assert "<td>40／60</td><td>10／60</td>" in stalling
    assert "▼ 下降 75.0%" in stalling
    assert "<td>2／40</td><td>20／40</td>" in opacity
    assert re.search(r"▲ 上升</td>", opacity), "no percentage on so small a base"
    same = compare_rounds(after.tables.summary, after.tables.summary, TAXONOMY.issues)
    html = page(after, (), Earlier("2025年3月", 100, same))
    assert "各类意见没有可以确认的升降" in html
    assert "其余 2 项不能确认有变化" in html
    assert "与上一轮比" not in page(after)


@pytest.mark.parametrize(
    ("readings", "names", "said", "unsaid"),
    [
        ([], ["甲处"], ["本批没有收到可用的意见"], ["总体评价", "先看这几处", "问题在哪些部门", "有多大把握", "<dialog"]),
        ([opinion(0, [("甲处", "stalling")])], ["甲处"], [f"没有哪个部门的哪类问题达到 {LEAST} 件"], ["从哪里来", "查找"]),
        ([opinion(0, [], ["甲处"])], ["甲处", "乙处"], ["没有识别出问题、表扬或建议"], ["总体评价", "先看", "<dialog"]),
        (many("甲处", "praise", 40, 40), ["甲处", "乙处"], ["意见以肯定为主，没有反映问题。"], ["先看这几处", "反映了哪些问题"]),
        (many(UNSPECIFIED, "stalling", 9, 12), ["甲处"], ["没有写明部门", "反映了哪些问题"], ["<dialog", "先看这几处", "分部门明细"]),
        (many("甲处", "suggestion", 9, 12), ["甲处"], ["提出建议"], ["先看这几处", "<dialog"]),
    ],
)  # fmt: skip
def test_with_little_to_say_it_reads_well(page, readings, names, said, unsaid):
    html = page(facts_of(readings, directory_of(names)))
    Page(html)
    for words in said:
        assert words in html
    body = html.split("<body>")[1].split("<script>")[0]
    for words in unsaid:
        assert words not in body
    for section in re.findall(r"<section[^>]*>(.*?)</section>", body, re.DOTALL):
        rest = re.sub(r"<h2>.*?</h2>|<[^>]+>|\s", "", section)
        assert len(rest) > 5, section


def test_a_big_round_stays_small(tmp_path):
    facts = invent(500, 20_000)
    path = tmp_path / "page.html"
    write_page(facts, path)
    assert path.stat().st_size < 5_000_000
    html = path.read_text(encoding="utf-8")
    assert html.count("<tr data-n=") == len(facts.departments)
    again = tmp_path / "again.html"
    write_page(facts, again)
    assert path.read_bytes() == again.read_bytes()


def test_periods_are_written_as_an_office_does():
    assert [period_name(p) for p in ("2025-03", "2025-12", "2025", "未注明")] == [
        "2025年3月",
        "2025年12月",
        "2025年",
        "未注明",
    ]
