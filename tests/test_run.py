"""The main job on the shipped sample, checked by its numbers, and what must always hold of a run."""

from __future__ import annotations

import json
import re
import shutil
import socket
import stat

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.documents.clues import is_locked
from pipeline.errors import InputError, ModelError, OutputError
from pipeline.learn.metrics import f1
from pipeline.papers import Order
from pipeline.records import UNSPECIFIED
from pipeline.run import classify, report
from pipeline.workspace import SHIPPED

FILES = (
    "briefing.docx", "commendation.docx", "findings.csv", "findings.parquet", "ledger.xlsx", "opinions.csv",
    "opinions.parquet", "rejected.csv", "report.html", "report.xlsx", "run.json", "summary.csv", "tables.json",
)  # fmt: skip
FOLDERS = ("feedback", "notices", "sealed")


def read(path):
    return pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def round2(tmp_path_factory):
    """The second sample round, classified."""
    return classify([SHIPPED / "data/samples/round2"], tmp_path_factory.mktemp("round2"), jobs=1)


@pytest.fixture(scope="module")
def opinions(round1):
    return pq.read_table(round1.folder / "opinions.parquet").to_pandas()


@pytest.fixture(scope="module")
def findings(round1):
    return pq.read_table(round1.folder / "findings.parquet").to_pandas()


def test_every_file_is_there_and_private(round1):
    assert sorted(path.name for path in round1.folder.iterdir()) == sorted((*FILES, *FOLDERS))
    paths = list(round1.folder.rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    letters = {
        path.relative_to(round1.folder).as_posix() for path in paths if path.parent.name in FOLDERS[:2]
    }
    assert letters == set(round1.run["letters"])
    assert len(letters) > 15


def test_rows_are_conserved(round1, opinions):
    run = json.loads((round1.folder / "run.json").read_text(encoding="utf-8"))
    assert (run["rows_read"], run["rows_accepted"], run["rows_rejected"]) == (304, 300, 4)
    assert len(opinions) == 300
    assert opinions["id"].is_unique
    rejected = read(round1.folder / "rejected.csv")
    assert set(rejected["reason"]) == {"意见内容为空（表尾说明或合计行）"}
    assert sorted(zip(rejected["file"], rejected["sheet"], rejected["row"], strict=True)) == [
        ("interviews.xlsx", "企业座谈", "76"), ("interviews.xlsx", "企业座谈", "77"),
        ("interviews.xlsx", "基层走访", "62"), ("interviews.xlsx", "基层走访", "63"),
    ]  # fmt: skip
    assert run["rows_duplicate"] == (opinions["duplicate_of"] != "").sum() > 0
    assert run["skipped_sheets"] == ["interviews.xlsx：填表人"]
    assert [source["name"] for source in run["files"]] == [
        "board.csv",
        "interviews.xlsx",
        "questionnaire.jsonl",
    ]


def test_dates_in_five_styles_are_read(opinions):
    assert opinions["collected_on"].str.fullmatch(r"2025-0[34]-\d\d").all()


def test_csv_and_parquet_say_the_same(round1, opinions, findings):
    for name, frame in (("opinions", opinions), ("findings", findings)):
        table = read(round1.folder / f"{name}.csv")
        assert list(table.columns) == list(frame.columns)
        for column in frame.columns:
            typed = frame[column]
            shown = typed.map({True: "true", False: "false"}) if typed.dtype == bool else typed.map(str)
            assert table[column].tolist() == shown.tolist(), column


def test_evidence_is_at_its_offsets(opinions, findings):
    text = opinions.set_index("id")["text"]
    assert len(findings) > 200
    for row in findings.itertuples():
        assert text[row.opinion_id][row.start : row.end] == row.evidence != ""


def test_labels_of_an_opinion_are_those_of_its_findings(opinions, findings, workspace):
    codes = workspace.taxonomy.codes
    found = findings.groupby("opinion_id")["label"].agg(
        lambda labels: ";".join(sorted(set(labels), key=codes.index))
    )
    assert opinions["labels"].tolist() == [found.get(identity, "") for identity in opinions["id"]]
    assert not opinions.loc[~opinions["valid"], "labels"].any()
    assert set(findings["department"]) <= {*workspace.directory.names, UNSPECIFIED}


def test_summary_counts_what_the_findings_hold(round1, opinions, findings):
    first = {row.id: row.duplicate_of or row.id for row in opinions.itertuples()}
    merged = findings.assign(cluster=findings["opinion_id"].map(first))
    by_cell = merged.groupby(["department", "label"])
    count, distinct = by_cell["opinion_id"].nunique().to_dict(), by_cell["cluster"].nunique().to_dict()
    summary = read(round1.folder / "summary.csv")
    assert len(summary) == 22 * 16
    for row in summary.itertuples():
        cell = (row.department, row.label)
        assert (int(row.count), int(row.count_distinct)) == (count.get(cell, 0), distinct.get(cell, 0))
        low, share, high = float(row.ci_low), float(row.estimated_share), float(row.ci_high)
        assert 0 <= low <= share <= high <= 1
        assert row.method == ("likelihood" if int(row.opinions_distinct) else "none")
        assert row.suppressed == ("true" if 1 <= int(row.count) <= 4 else "false")


def test_no_personal_data_is_written(round1):
    everything = "".join(
        (round1.folder / name).read_text(encoding="utf-8-sig")
        for name in ("opinions.csv", "findings.csv", "rejected.csv", "report.html")
    )
    assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", everything)
    assert {"〔手机号〕", "〔身份证号〕", "〔车牌〕", "〔账号〕", "〔姓名〕"} <= set(
        re.findall(r"〔.+?〕", everything)
    )


@pytest.mark.parametrize("number", [1, 2])
def test_the_shipped_model_reads_the_samples(number, round1, round2):
    result = round1 if number == 1 else round2
    truth = (
        read(SHIPPED / "data/samples/labels.csv").query(f"round == 'round{number}'").set_index("id")["labels"]
    )
    given = read(result.folder / "opinions.csv").set_index("id")["labels"]
    assert set(truth.index) == set(given.index)
    pairs = [(set(given[i].split(";")) - {""}, set(truth[i].split(";")) - {""}) for i in truth.index]
    score = f1(
        sum(len(a & b) for a, b in pairs), sum(len(a) for a, _ in pairs), sum(len(b) for _, b in pairs)
    )
    assert score > 0.55


def test_the_second_round_shows_what_changed(round1, round2):
    def share(result, label):
        rows = result.tables.by_label.set_index("label")
        return rows.loc[label, "share"]

    assert share(round2, "product_solicitation") < share(round1, "product_solicitation")
    assert share(round2, "formalism") > share(round1, "formalism")


def test_two_processes_give_the_same_bytes(round1, tmp_path):
    report([SHIPPED / "data/samples/round1"], tmp_path, jobs=2)
    for name in FILES:
        one, other = (round1.folder / name).read_bytes(), (tmp_path / name).read_bytes()
        if name == "run.json":
            one, other = ({**json.loads(run), "seconds": None} for run in (one, other))
        assert one == other, name


def test_nothing_reaches_for_the_network(monkeypatch, tmp_path, write):
    def refuse(*_args, **_kwargs):
        raise AssertionError("network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    path = write("a.csv", "意见内容,部门\n质检站抽样搬走两箱酒,质检站\n办事公道热情,\n")
    assert report([path], tmp_path / "out", jobs=1).run["rows_accepted"] == 2


def test_a_failed_run_writes_nothing(tmp_path, write):
    good = write("a.csv", "意见内容\n供应处办事公道\n")
    bad = write("b.csv", "甲,乙\n1,2\n")
    with pytest.raises(InputError, match=r"^文件 b.csv 找不到意见内容列；见到的列名：甲、乙。"):
        report([good, bad], tmp_path / "out", jobs=1)
    assert not (tmp_path / "out").exists()


def test_results_are_replaced_as_a_set(tmp_path, write):
    path = write("a.csv", "意见内容\n质检站拖了半年\n")
    report([path], tmp_path / "out", jobs=1)
    (tmp_path / "out/mine.txt").write_text("x")
    classify([path], tmp_path / "out", jobs=1)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "findings.csv", "findings.parquet", "ledger.xlsx", "mine.txt", "opinions.csv", "opinions.parquet", "rejected.csv",
        "run.json",
    ]  # fmt: skip


def test_a_folder_in_a_results_place_is_refused_before_anything_is_written(tmp_path, write):
    (tmp_path / "out/report.html").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"里有名为 report\.html 的文件夹"):
        report([write("a.csv", "意见内容\n好\n")], tmp_path / "out", jobs=1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]


def test_csv_offsets_are_right_for_texts_that_begin_with_a_bullet(tmp_path, write):
    path = write("a.csv", "意见内容\n-质检站拖了半年不给报告，跑了八趟\n=供应处主任收了我们两条烟一箱酒\n")
    classify([path], tmp_path / "out", jobs=1)
    texts = read(tmp_path / "out/opinions.csv").set_index("id")["text"]
    rows = read(tmp_path / "out/findings.csv")
    assert len(rows) >= 2
    for row in rows.itertuples():
        assert texts[row.opinion_id][int(row.start) : int(row.end)] == row.evidence


def test_every_column_is_masked(tmp_path, write):
    path = write(
        "a.csv",
        "编号,意见,部门,来源单位,渠道,日期\n13912345678,态度很好,王建国处长13812345678,张三厂长13712345678,微信abc_12345,\n",
    )
    result = report([path], tmp_path / "out", jobs=1)
    row = read(tmp_path / "out/opinions.csv").iloc[0]
    assert (row["id"], row["department"]) == ("a:2", "〔姓名〕处长〔手机号〕")
    assert (row["source_unit"], row["channel"]) == ("〔姓名〕厂长〔手机号〕", "微信〔账号〕")
    assert "13812345678" not in json.dumps(result.run)


def test_an_edited_directory_is_used_by_workers_that_outlive_a_run(tmp_path, write):
    space = tmp_path / "space"
    texts = "\n".join(f"第{i}回到支队，队长收了我两条烟才办" for i in range(600))
    path = write("a.csv", f"意见内容\n{texts}\n")
    for name in ("消防支队", "水警支队"):
        write("space/data/departments.csv", f"code,name,parent,kind,aliases\nFIRE,{name},,office,支队\n")
        result = classify([path], tmp_path / "out", workspace=space, jobs=2)
        assert set(read(tmp_path / "out/findings.csv")["department"]) == {name}
        assert len(result.run["directory_sha256"]) == 64


def test_opposite_short_texts_are_no_repeats(tmp_path, write):
    path = write(
        "a.csv",
        "意见内容,部门\n他们从来都没有多拿过一瓶酒，办事也很公道,质检站\n他们从来都多拿过一瓶酒，办事也很公道,质检站\n",
    )
    classify([path], tmp_path / "out", jobs=1)
    assert read(tmp_path / "out/opinions.csv")["duplicate_of"].tolist() == ["", ""]


def test_a_header_without_rows_gives_whole_but_empty_results(tmp_path, write):
    result = report([write("a.csv", "意见内容,部门\n")], tmp_path / "out", jobs=1)
    assert sorted(path.name for path in result.folder.iterdir()) == list(FILES)
    assert result.run["letters"] == []
    assert not result.summary["count"].any()
    assert "本批没有收到可用的意见" in (result.folder / "report.html").read_text(encoding="utf-8")


def test_the_same_words_of_another_department_are_another_opinion(tmp_path, write):
    words = "办事公道，从不收礼，材料齐了当天就办，没有让我们多跑一趟"
    path = write("a.csv", f"意见内容,部门\n{words},质检站\n{words},盐业公司\n{words}。,质检站\n")
    classify([path], tmp_path / "out", jobs=1)
    assert read(tmp_path / "out/opinions.csv")["duplicate_of"].tolist() == ["", "", "a:2"]


def test_a_workspaces_own_directory_is_used(tmp_path, write):
    space = tmp_path / "space"
    (space / "data").mkdir(parents=True)
    (space / "data/departments.csv").write_text(
        "code,name,parent,kind,aliases\nFIRE,消防支队,,office,支队\n", encoding="utf-8"
    )
    path = write("a.csv", "意见内容\n支队乱收费，不给发票。\n")
    result = classify([path], tmp_path / "out", workspace=space, jobs=1)
    assert result.summary["department"].unique().tolist() == ["消防支队", UNSPECIFIED]
    assert set(read(tmp_path / "out/findings.csv")["department"]) == {"消防支队"}


def test_a_changed_taxonomy_asks_for_another_model(tmp_path, write):
    space = tmp_path / "space"
    (space / "data").mkdir(parents=True)
    shutil.copy(SHIPPED / "data/taxonomy.toml", space / "data/taxonomy.toml")
    text = (space / "data/taxonomy.toml").read_text(encoding="utf-8")
    (space / "data/taxonomy.toml").write_text(
        text.replace('code = "stalling"', 'code = "delay"'), encoding="utf-8"
    )
    with pytest.raises(ModelError, match="按另一份问题类型表训练"):
        classify([write("a.csv", "意见内容\n好\n")], tmp_path / "out", workspace=space)


def test_columns_not_in_the_directory_are_counted(tmp_path, write):
    path = write("a.csv", "意见内容,部门\n拖了半年不给办,城管局\n态度恶劣,城管局\n办事热情,质检站\n")
    run = classify([path], tmp_path / "out", jobs=1).run
    assert run["departments_not_listed"] == {"城管局": 2}
    assert read(tmp_path / "out/opinions.csv")["department"].tolist() == [
        "城管局",
        "城管局",
        "产品质量监督检验站",
    ]


CLUE = "供应处王处长收了我两万元现金，不给钱就不批指标，这是行贿"


def test_clues_are_sealed_and_nowhere_else(tmp_path, write):
    rows = "".join(f"{number},质检站的人态度冷淡，把材料一扔不理人，第{number}回了\n" for number in range(9))
    path = write("a.csv", f"编号,意见内容\n{rows}c1,{CLUE}\n")
    result = report([path], tmp_path / "out", jobs=1)
    assert (result.run["clues"], result.run["sealed"]) == (1, ["c1"])
    tables = json.loads((result.folder / "tables.json").read_text("utf-8"))
    assert tables["totals"]["accepted"] == 9
    book = openpyxl.load_workbook(result.folder / "sealed/clues.xlsx")
    assert [row[0].value for row in book["问题线索"].iter_rows(min_row=2)] == ["c1"]
    columns = tables["summary"]["columns"]
    cells = [dict(zip(columns, row, strict=True)) for row in tables["summary"]["rows"]]
    assert not any(cell["count"] for cell in cells if cell["label"] == "gifts_and_bribes")
    assert not (result.folder / "feedback/物资供应处.docx").exists()
    assert "物资供应处" not in (result.folder / "report.html").read_text("utf-8")


def test_a_locked_file_of_clues_is_not_replaced_by_an_open_one(tmp_path, write):
    path = write("a.csv", f"意见内容\n{CLUE}\n")
    report([path], tmp_path / "out", jobs=1, order=Order(password="很长的密码很长的密码"))
    with pytest.raises(
        InputError, match=r"clues\.xlsx 是加密的，这一次没有加密；请加上 --seal，或先把它移走。$"
    ):
        report([path], tmp_path / "out", jobs=1)
    assert is_locked(tmp_path / "out/sealed/clues.xlsx")
    report([path], tmp_path / "out", jobs=1, order=Order(password="另一个更长的密码啊"))


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"password": "短"}, "问题线索的密码应为 8 至 255 个字符。"),
        ({"day": "9999-12-31"}, "文书日期应在 9900-01-01 以前。"),
    ],
)
def test_a_wrong_order_is_refused_at_once(wrong, line):
    with pytest.raises(InputError, match=re.escape(line)):
        Order(**wrong)
