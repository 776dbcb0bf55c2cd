"""Two rounds side by side: the sample's, and rounds by another taxonomy or damaged ones."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
from dataclasses import replace

import docx
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.aggregate.rounds import Change
from pipeline.comparing import COMPARED, compare
from pipeline.documents.comparison import Comparison, changes_told
from pipeline.documents.disclosure import DisclosedDepartment, DisclosedIssue, Disclosure
from pipeline.documents.ledger import write_ledger
from pipeline.documents.sentences import Moved
from pipeline.errors import InputError
from pipeline.ledger.reading import read_ledger
from pipeline.papers import Order
from pipeline.run import report
from pipeline.workspace import SHIPPED, Workspace, open_workspace


@pytest.fixture(scope="module")
def rounds(tmp_path_factory, round1):
    root = tmp_path_factory.mktemp("rounds")
    shutil.copytree(round1.folder, root / "round1")
    report([SHIPPED / "data/samples/round2"], root / "round2", workspace=SHIPPED, jobs=1)
    return root


@pytest.fixture(scope="module")
def compared(rounds, tmp_path_factory):
    output = tmp_path_factory.mktemp("compared") / "out"
    ledger = rounds / "round1/ledger.xlsx"
    book = openpyxl.load_workbook(ledger)
    sheet = book["整改台账"]
    columns = {cell.value: cell.column for row in sheet.iter_rows(max_row=3) for cell in row if cell.value}
    first = next(row for row in range(1, 9) if sheet.cell(row, 1).value == 1)
    sheet.cell(first, columns["进展情况"]).value = "已约谈，样品已退回"
    book.save(ledger)
    found = compare(
        rounds / "round1",
        rounds / "round2",
        output,
        workspace=SHIPPED,
        order=Order(office="厅纪检组"),
        notices={"索要产品": "2025-09-01"},
    )
    return found, output


def test_a_comparison_writes_its_files_and_no_others(compared):
    assert sorted(path.name for path in compared[1].iterdir()) == sorted(COMPARED)


def test_cells_are_those_of_the_two_rounds(compared, rounds):
    found, output = compared
    with (output / "comparison.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {(row["department"], row["label"]): row for row in csv.DictReader(file)}
    tables = [json.loads((rounds / name / "tables.json").read_text("utf-8")) for name in ("round1", "round2")]
    for side, table in zip(("before", "after"), tables, strict=True):
        columns = table["summary"]["columns"]
        for values in table["summary"]["rows"]:
            cell = dict(zip(columns, values, strict=True))
            row = rows.get((cell["department"], cell["label"]))
            assert int(row[side] if row else 0) == cell["count_distinct"]
            assert row is None or int(row[f"opinions_{side}"]) == cell["opinions_distinct"]
    overall = {cell.label: cell for cell in found.overall}
    assert overall["product_solicitation"].before >= 1.5 * overall["product_solicitation"].after
    assert all(
        cell.kind in {"rose", "fell", "appeared"} for cell in found.certain("rose", "fell", "appeared")
    )


def test_the_notice_about_products_shows(compared):
    ((label, day, change),) = compared[0].notices
    assert (label, day, change.kind) == ("product_solicitation", "2025-09-01", "fell")
    assert change.before.found > change.after.found
    assert change.p_share < 0.05
    page = (compared[1] / "comparison.html").read_text("utf-8")
    assert "索要产品：2025-09-01 通知前后" in page
    assert f"{change.before.opinions} 件意见中有 {change.before.found} 件" in page


def test_an_opinion_handed_in_with_both_rounds_counts_once_around_a_notice(tmp_path):
    said = [
        f"2025-0{3 + n % 6}-11,{text}\n"
        for n, text in enumerate(
            [
                "盐业公司的人开口要了两箱样品",
                "窗口态度很好，没有刁难",
                "质检站检查一次拿走一批货",
                "供应处办事公道",
                "材料退了三回也不说哪里不对",
                "到厂里就点名要新产品带走",
                "价格打听了半年没有答复",
                "收费有票据，清清楚楚",
            ]
        )
    ]
    for name, rows in (("a", said[:5]), ("b", said)):
        (tmp_path / f"{name}.csv").write_text("日期,意见内容\n" + "".join(rows), encoding="utf-8")
        report([tmp_path / f"{name}.csv"], tmp_path / name, workspace=SHIPPED, jobs=1)
    found = compare(
        tmp_path / "a", tmp_path / "b", tmp_path / "out",
        workspace=SHIPPED, notices={"索要产品": "2025-06-01"},
    )  # fmt: skip
    ((_, _, change),) = found.notices
    rows = pq.read_table(tmp_path / "b/opinions.parquet").to_pylist()
    distinct = sum(row["valid"] and not row["duplicate_of"] for row in rows)
    assert change.before.opinions + change.after.opinions == distinct > 4


def test_the_briefing_tells_what_changed_and_the_ledger_keeps_what_people_wrote(compared):
    paper = docx.Document(str(compared[1] / "briefing.docx"))
    text = "\n".join(paragraph.text for paragraph in paper.paragraphs)
    assert "变化与新苗头" in text
    assert "厅纪检组" in text
    rows = [
        [str(cell.value or "") for cell in row]
        for row in openpyxl.load_workbook(compared[1] / "ledger.xlsx")["整改台账"].iter_rows()
    ]
    kept = next(row for row in rows if "已约谈，样品已退回" in row)
    assert any("2025年" in cell and "件" in cell for cell in kept)


def test_a_change_is_told_only_where_both_counts_are_given():
    taxonomy = open_workspace(SHIPPED).taxonomy
    label = taxonomy["stalling"]

    def disclosure(salt, sugar, total):
        def department(name, count):
            return DisclosedDepartment(name, "公司", 60, None, 0, ((label, count),))

        return Disclosure(
            None, 0, 0, (DisclosedIssue(label, total, None, 0, 1),),
            (department("盐业公司", salt), department("糖业公司", sugar)), (), (),
        )  # fmt: skip

    cells = (
        Change("盐业公司", "stalling", 12, 60, 2, 60, 0.01, 0.02, "fell"),  # 2 is not disclosed
        Change("糖业公司", "stalling", 30, 60, 9, 60, 0.01, 0.02, "fell"),
    )
    overall = (Change("", "stalling", 42, 120, 11, 120, 0.01, 0.02, "fell"),)
    totals: dict[str, int | str] = {
        "first_day": "2025-03-01",
        "last_day": "2025-03-31",
        "valid_distinct": 120,
    }
    comparison = Comparison(("a", "b"), totals, totals, cells, overall, {})
    told = changes_told(comparison, disclosure(12, 30, 42), disclosure(None, 9, 11), taxonomy)
    assert told.fallen == (
        Moved(label, 42, 11, "", 120, 120),
        Moved(label, 30, 9, "糖业公司", 60, 60),
    )
    hidden = changes_told(comparison, disclosure(12, 30, 42), disclosure(None, 9, None), taxonomy)
    assert [one.department for one in hidden.fallen] == ["糖业公司"]


def test_who_signed_the_round_signs_its_comparison(rounds, tmp_path):
    later = tmp_path / "round2"
    shutil.copytree(rounds / "round2", later)
    run = json.loads((later / "run.json").read_text(encoding="utf-8"))
    run["order"] |= {"office": "厅机关党委", "day": "2025-11-20", "days": 15}
    (later / "run.json").write_text(json.dumps(run), encoding="utf-8")
    compare(rounds / "round1", later, tmp_path / "out", workspace=SHIPPED)
    signed = [paragraph.text for paragraph in docx.Document(str(tmp_path / "out/briefing.docx")).paragraphs]
    assert {"厅机关党委", "2025年11月20日"} <= set(signed)
    assert any("2025年12月5日前" in said for said in signed)


def test_no_percentage_is_given_of_what_is_not_certain(compared):
    page = (compared[1] / "comparison.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", page, re.DOTALL)
    steady = [row for row in rows if "不能确认有变化" in row]
    assert steady
    assert not [row for row in steady if "%" in row]


def test_comparing_again_keeps_what_was_written_since(rounds, tmp_path):
    output = tmp_path / "out"
    compare(rounds / "round1", rounds / "round2", output, workspace=SHIPPED)
    book = openpyxl.load_workbook(output / "ledger.xlsx")
    sheet = book["整改台账"]
    columns = {cell.value: cell.column for row in sheet.iter_rows(max_row=3) for cell in row if cell.value}
    first = next(row for row in range(1, 9) if sheet.cell(row, 1).value == 1)
    sheet.cell(first, columns["责任人"]).value = "办公室值班员"
    book.save(output / "ledger.xlsx")
    found = compare(rounds / "round1", rounds / "round2", output, workspace=SHIPPED)
    values = [
        cell.value
        for row in openpyxl.load_workbook(output / "ledger.xlsx")["整改台账"].iter_rows()
        for cell in row
    ]
    assert "办公室值班员" in values
    assert sum(found.ledger.values()) > 0


def test_rounds_in_the_wrong_order_are_refused(rounds, tmp_path):
    with pytest.raises(InputError, match=r"前一轮写在前面，后一轮写在后面。$"):
        compare(rounds / "round2", rounds / "round1", tmp_path / "out", workspace=SHIPPED)


def test_a_label_that_does_not_exist_is_answered_with_those_that_do(rounds, tmp_path):
    with pytest.raises(InputError, match=r"--notice 的类别“索要”不在类别表里；有：索要产品、"):
        compare(
            rounds / "round1",
            rounds / "round2",
            tmp_path / "out",
            workspace=SHIPPED,
            notices={"索要": "2025-09-01"},
        )


def test_pages_need_no_network(compared):
    for name in ("comparison.html", "report.html"):
        page = html.unescape((compared[1] / name).read_text("utf-8"))
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert "https://" not in page
        assert "default-src 'none'" in page


def test_the_same_rounds_give_the_same_files(rounds, tmp_path):
    for name in ("a", "b"):
        compare(rounds / "round1", rounds / "round2", tmp_path / name, workspace=SHIPPED)
    for name in COMPARED:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_a_round_against_itself_has_not_changed(rounds, tmp_path):
    found = compare(rounds / "round1", rounds / "round1", tmp_path / "out", workspace=SHIPPED)
    assert not found.certain("rose", "fell", "appeared")
    assert all(cell.before == cell.after for cell in (*found.cells, *found.overall))
    assert "没有哪个部门的哪一类问题能确认上升" in (tmp_path / "out/comparison.html").read_text("utf-8")


@pytest.fixture
def older(rounds, tmp_path):
    """Make the first round one of an older taxonomy that a migration led from, and the workspace that knows it."""

    def make(step, old_code):
        space, old = tmp_path / "space", tmp_path / "old"
        shutil.copytree(SHIPPED / "data", space / "data")
        shutil.copytree(SHIPPED / "models", space / "models")
        shutil.copytree(rounds / "round1", old)
        (space / "data/migrations").mkdir()
        text = f'from = "0.9"\nto = "1.0"\n\n{step}\n'
        (space / "data/migrations/0001.toml").write_text(text, encoding="utf-8")
        run = json.loads((old / "run.json").read_text("utf-8"))
        (old / "run.json").write_text(json.dumps({**run, "taxonomy": "0.9"}), encoding="utf-8")
        findings = pq.read_table(old / "findings.parquet").to_pandas()
        findings["label"] = findings["label"].replace("stalling", old_code)
        pq.write_table(pa.Table.from_pandas(findings), old / "findings.parquet")
        return old, space

    return make


def test_a_renamed_label_is_compared(older, rounds, tmp_path):
    old, space = older('[[rename]]\nold = "slow_work"\nnew = "stalling"', "slow_work")
    known = Workspace(root=space)
    rows = read_ledger(old / "ledger.xlsx", known.taxonomy, known.directory)
    assert "stalling" not in {row.label for row in rows}
    write_ledger([*rows, replace(rows[0], label="slow_work", progress="已约谈")], old / "ledger.xlsx")
    found = compare(old, rounds / "round1", tmp_path / "out", workspace=space)
    carried = read_ledger(tmp_path / "out/ledger.xlsx", known.taxonomy, known.directory)
    assert {row.cell for row in carried} == {row.cell for row in rows} | {(rows[0].department, "stalling")}
    assert [row.progress for row in carried if row.label == "stalling"] == ["已约谈"]
    assert all(cell.before == cell.after for cell in (*found.cells, *found.overall))
    assert {cell.label for cell in found.cells if cell.before} >= {"stalling", "product_solicitation"}
    paper = docx.Document(str(tmp_path / "out/briefing.docx"))
    (table,) = [t for t in paper.tables if t.cell(0, 4).text == "上轮件数"]
    assert {row.cells[4].text for row in table.rows[1:]} == {"不可比"}


def test_what_people_wrote_in_the_ledger_is_not_in_the_briefing(rounds, tmp_path):
    earlier = tmp_path / "round1"
    shutil.copytree(rounds / "round1", earlier)
    known = open_workspace(SHIPPED)
    rows = read_ledger(earlier / "ledger.xlsx", known.taxonomy, known.directory)
    write_ledger([replace(row, category="某厂王某反映的事") for row in rows], earlier / "ledger.xlsx")
    compare(earlier, rounds / "round2", tmp_path / "out", workspace=SHIPPED)
    paper = docx.Document(str(tmp_path / "out/briefing.docx"))
    text = "\n".join(paragraph.text for paragraph in paper.paragraphs)
    assert "逾期的是" in text
    assert known.taxonomy[rows[0].label].name_zh in text
    assert "某厂王某" not in text


def test_labels_that_were_split_are_not_compared(older, rounds, tmp_path):
    old, space = older('[[split]]\nold = "slow_work"\nnew = ["stalling", "formalism"]', "slow_work")
    found = compare(old, rounds / "round1", tmp_path / "out", workspace=space)
    assert {"stalling", "formalism", "slow_work"} <= set(found.incomparable)
    assert not {"stalling", "formalism"} & {cell.label for cell in (*found.cells, *found.overall)}
    assert all(cell.before == cell.after for cell in found.cells)
    assert "推诿拖延（拆分过）" in (tmp_path / "out/comparison.html").read_text("utf-8")


@pytest.mark.parametrize("missing", ["run.json", "tables.json"])
def test_a_folder_that_holds_no_round_is_refused(rounds, tmp_path, missing):
    damaged = tmp_path / "damaged"
    shutil.copytree(rounds / "round1", damaged)
    (damaged / missing).unlink()
    with pytest.raises(InputError, match=r"damaged 里没有一轮完整的结果"):
        compare(damaged, rounds / "round2", tmp_path / "out", workspace=SHIPPED)
    assert not (tmp_path / "out").exists()


def undated(folder, n):
    """A file of ``n`` opinions of the corpus, all about stalling by one department."""
    lines = (SHIPPED / "data/labelled/added-A.jsonl").read_text(encoding="utf-8").splitlines()
    told = [one["text"] for one in map(json.loads, lines) if one["labels"] == ["stalling"]][:n]
    with (folder / f"{n}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["意见内容", "部门"], *([text, "盐业公司"] for text in told)])
    return folder / f"{n}.csv"


@pytest.mark.parametrize("named", [True, False])
def test_the_ledger_of_rounds_without_dates_moves_on_where_they_have_names(run, tmp_path, named):
    for number, name in ((30, "2025年第一轮"), (20, "2025年第二轮")):
        words = [
            "report",
            undated(tmp_path, number),
            "-o",
            tmp_path / f"{number}",
            "--workspace",
            SHIPPED,
            "--jobs",
            "1",
        ]
        assert run(*words, *(("--round", name) if named else ()))[0] == 0
    status, out, err = run(
        "compare", tmp_path / "30", tmp_path / "20", "-o", tmp_path / "out", "--workspace", SHIPPED
    )
    assert (status, err) == (0, "")
    assert ("提示：两轮都叫“本轮”，整改台账当作同一轮" in out) is not named
    space = Workspace(root=SHIPPED)
    rows = read_ledger(tmp_path / "out/ledger.xlsx", space.taxonomy, space.directory)
    (row,) = (row for row in rows if row.cell == ("盐业公司", "stalling"))
    if named:
        assert row.rounds == "2025年第一轮；2025年第二轮"
        assert row.follow_up.startswith("2025年第二轮：由")
    else:
        assert (row.rounds, row.follow_up) == ("本轮", "")


@pytest.mark.parametrize("name", ["一；二", "第二轮：", "行\n行", "长" * 31])
def test_a_name_that_the_ledger_cannot_hold_is_refused(name):
    with pytest.raises(InputError, match=r"^--round 的名称最多 30 个字，不能有分号、冒号和换行。$"):
        Order(round=name)


def test_results_are_not_written_over(rounds):
    with pytest.raises(InputError, match="请给比较另选一个文件夹"):
        compare(rounds / "round1", rounds / "round2", rounds / "round2", workspace=SHIPPED)


def test_the_command_line(rounds, run, tmp_path):
    status, out, err = run(
        "compare", rounds / "round1", rounds / "round2", "-o", tmp_path / "cmp", "--workspace", SHIPPED,
        "--notice", "索要产品=2025-09-01",
    )  # fmt: skip
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("上升：")
    assert lines[1].startswith("下降：")
    assert lines[2].startswith("索要产品，2025-09-01 通知前 ")
    assert lines[-1] == f"结果：{tmp_path / 'cmp/comparison.html'}"
    for words, line in (
        (("--notice", "索要产品"), "--notice 应写成 类别=日期，例如 --notice 索要产品=2026-05-01。"),
        (("--notice", "索要产品=五月"), "--notice 的日期“五月”不对，应写成 2026-11-23。"),
    ):
        status, _, err = run(
            "compare",
            rounds / "round1",
            rounds / "round2",
            "-o",
            tmp_path / "no",
            "--workspace",
            SHIPPED,
            *words,
        )
        assert (status, err) == (2, f"错误：{line}\n")
