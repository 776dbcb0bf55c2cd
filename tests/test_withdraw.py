"""Withdrawing and purging: no byte of the text is left, everything else is as if it had never been read."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import html
import io
import json
import os
import re
import shutil
import stat
import zipfile
from dataclasses import replace

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audit.recording import recorded, recording
from pipeline.classifier.files import active_version
from pipeline.comparing import compare
from pipeline.documents.ledger import write_ledger
from pipeline.errors import InputError
from pipeline.intake.files import find_files
from pipeline.intake.reading import Intake
from pipeline.learn.corpus import corpus_files
from pipeline.ledger.reading import read_ledger
from pipeline.ledger.rows import LedgerRow
from pipeline.papers import Order
from pipeline.records import Opinion, Rejection
from pipeline.review import columns as c
from pipeline.review.answers import Answer, Question, batch_id
from pipeline.review.answers import Batch as Asked
from pipeline.review.store import Store
from pipeline.reviewing import export, take_in
from pipeline.run import classify, report
from pipeline.withdrawing.files import label_files, without_labels, without_questions
from pipeline.withdrawing.places import places_of
from pipeline.withdrawing.plan import plan
from pipeline.withdrawing.results import Kept, ResultFolder
from pipeline.withdrawing.wanted import Wanted, different, masked
from pipeline.withdrawing.ways import purge, withdraw
from pipeline.workspace import SHIPPED, Workspace

HEADER = ("编号", "意见内容", "部门", "来源单位", "日期", "渠道")
VICTIM = "甲-7"
TEXT = "盐业公司质检科几个人每逢过节就到我们厂里来要海鲜礼盒，不给就说产品抽检不合格，卡着不放行，厂里敢怒不敢言。"
NEARLY = TEXT.replace("敢怒不敢言", "敢怒不敢说")
OTHER = "办事大厅三号窗口态度生硬，问两句就不耐烦，材料退回来也不说明白缺什么，来回跑了四趟。"


def table(path, opinions):
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(
            (o.id, o.text, o.department, o.source_unit, o.collected_on, o.channel) for o in opinions
        )
    return path


@pytest.fixture(scope="module")
def opinions():
    """Thirty of the sample, one with a repeat of it that is to go, dates of two months."""
    read = [
        row
        for row in Intake(find_files([SHIPPED / "data/samples/round1/board.csv"]))
        if isinstance(row, Opinion)
    ]
    victim = Opinion(id=VICTIM, text=TEXT, department="盐业公司", collected_on="2025-03-20", channel="来信")
    twin = replace(victim, id="甲-8", text=NEARLY, collected_on="2025-03-21")
    return [*read[:15], victim, twin, *read[15:30]]


def run_of(root, name, opinions, judge=classify, **options):
    folder = root / "收到"
    folder.mkdir(exist_ok=True)
    source = table(folder / f"{name}.csv", opinions)
    return judge([source], root / name, workspace=root, jobs=1, **options).folder


@pytest.fixture(scope="module")
def full(tmp_path_factory, opinions):
    """A workspace with a reported round, a sheet, an answer, a comparison and a labelled file: all with the victim's text."""
    root = tmp_path_factory.mktemp("full")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        out = run_of(root, "一轮", opinions, report, order=Order(office="评议办", round="第一轮", days=20))
        with recording(root, "review export", options={"folder": out}, outputs=[root / "复核.xlsx"]):
            batch = export(out, root / "复核.xlsx", workspace=root, n=100, audit=1.0)
        with recording(root, "review export", options={"folder": out}, outputs=[root / "复核.json"]):
            export(out, root / "复核.json", workspace=root, n=100, audit=1.0)
        told = {"before": out, "after": out, "notices": {}, "office": "", "day": "", "days": 30}
        with recording(root, "compare", options=told, outputs=[root / "对比"]):
            compare(out, out, root / "对比", workspace=root)
    book = openpyxl.load_workbook(root / "复核.xlsx")
    book[c.GUIDE]["B2"] = "王审"
    sheet = book[c.SHEET]
    places = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, len(batch.questions) + 2):
        sheet.cell(row, places[c.VERDICT]).value = c.RIGHT
    book.save(root / "填好.xlsx")
    with recording(root, "review import", options={"file": root / "填好.xlsx"}):
        take_in(root / "填好.xlsx", workspace=root)
    (root / "data/labelled").mkdir(parents=True)
    lines = [{"text": TEXT, "labels": ["other"]}, {"id": "别的", "text": OTHER, "labels": []}]
    (root / "data/labelled/自己.jsonl").write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8"
    )
    return root


def moved(full, tmp_path):
    """A copy of the workspace; its log tells of places in the copy."""
    root = tmp_path / "工作区"
    shutil.copytree(full, root)
    shutil.rmtree(root / "audit")
    for one in recorded(full):
        here = {
            name: str(value).replace(str(full), str(root)) if isinstance(value, str) else value
            for name, value in one.options.items()
        }
        outputs = [str(path).replace(str(full), str(root)) for path in one.outputs]
        with recording(root, one.command, options=here, outputs=outputs):
            pass
    return root


def squeezed(text):
    return "".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())


def parts(name, content):
    """Every text in a file: members of archives, columns of Parquet files, JSON with its escapes undone."""
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from parts(f"{name}!{member}", archive.read(member))
    elif content[:4] == b"PAR1":
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
        yield name, "\n".join(str(value) for row in rows for value in row.values())
    else:
        text = content.decode("utf-8", "replace")
        yield name, text
        with contextlib.suppress(ValueError):
            yield name, json.dumps(json.loads(text), ensure_ascii=False)


def holding(root, text=TEXT):
    """Files below a folder that hold a text anywhere, but for the inputs, which are the user's."""
    return sorted(
        {
            name
            for path in root.rglob("*")
            if path.is_file() and "收到" not in path.parts
            for name, said in parts(path.relative_to(root).as_posix(), path.read_bytes())
            if squeezed(text) in squeezed(said)
        }
    )


def ids_in(folder):
    return pq.read_table(folder / "opinions.parquet", columns=["id"])["id"].to_pylist()


@pytest.fixture(scope="module")
def withdrawn(full, tmp_path_factory):
    """A copy of the workspace in which people worked in the ledger, then the victim was withdrawn; and what that said."""
    root = moved(full, tmp_path_factory.mktemp("withdrawn"))
    row = LedgerRow(
        department="盐业公司", label="product_solicitation", rounds="2024年", leader="赵主管", goal="不再发生"
    )
    write_ledger([row], root / "一轮/ledger.xlsx")
    return root, withdraw([VICTIM], workspace=root, reason="本人要求")


def test_no_byte_of_it_is_left_and_all_else_is(full, withdrawn, opinions):
    places = {name.split("!")[0].split("/")[0] for name in holding(full)}
    assert places == {"一轮", "复核.xlsx", "复核.json", "填好.xlsx", "feedback", "data"}
    root, done = withdrawn
    assert holding(root) == []
    # the near repeat is another opinion: it stays wherever it was, and is told
    assert holding(root, NEARLY) == holding(full, NEARLY) != []
    assert done.plan.near == ("甲-8",)
    assert ids_in(root / "一轮") == [o.id for o in opinions if o.id != VICTIM]
    run = json.loads((root / "一轮/run.json").read_text(encoding="utf-8"))
    assert run["rows_read"] == run["rows_accepted"] + run["rows_rejected"] == len(opinions) - 1
    assert (run["withdrawn"], run["files"][0]["name"]) == (1, "一轮.csv")
    assert (done.models, done.lost, done.left) == ((), (), ())
    space = Workspace(root=root)
    (ledger,) = read_ledger(root / "一轮/ledger.xlsx", space.taxonomy, space.directory)
    assert (ledger.leader, ledger.goal) == ("赵主管", "不再发生")
    # labels: the line is empty, the other is there
    assert (root / "data/labelled/自己.jsonl").read_text(encoding="utf-8").startswith("\n")
    assert holding(root / "data", OTHER)
    # the store reads, its batches keep their ids, the answers about others count
    before, after = (Store(base / "feedback") for base in (full, root))
    digest = hashlib.sha256((full / "填好.xlsx").read_bytes()).hexdigest()
    assert before.ids_answered_in(digest) == {state.question.id for state in before.states().values()}
    assert VICTIM in before.ids_answered_in(digest)
    assert [batch.id for batch in after.batches()] == [batch.id for batch in before.batches()]
    left = {key for key, state in before.states().items() if state.question.id != VICTIM}
    assert set(after.states()) == left
    assert {answer.key for answer in after.answers()} == left
    assert done.answers == 1
    # sheets: what was filled in of the others can be brought in; nothing of it is new
    assert take_in(root / "填好.xlsx", workspace=root).fresh == 0
    assert (
        len(json.loads((root / "复核.json").read_text(encoding="utf-8")))
        == len(json.loads((full / "复核.json").read_text(encoding="utf-8"))) - 1
    )
    last = recorded(root)[-1]
    assert (last.command, last.outcome, last.rows["ids"]) == ("withdraw", "done", [VICTIM])
    assert last.options["reason"] == "本人要求"
    files = [path for path in root.rglob("*") if path.is_file() and "收到" not in path.parts]
    assert not [path for path in files if path.name.startswith(".qingyi-")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (root / "一轮").rglob("*") if path.is_file()} == {
        0o600
    }
    # again: nothing to do, no error
    again = withdraw([VICTIM], workspace=root)
    assert (again.agreed, again.plan.touched) == (False, ())


def test_the_round_is_byte_for_byte_one_without_it(withdrawn, tmp_path, opinions):
    root, _ = withdrawn
    other = tmp_path / "other"
    other.mkdir()
    shutil.copytree(root / "feedback", other / "feedback")
    without = [o for o in opinions if o.id != VICTIM]
    fresh = run_of(other, "一轮", without, report, order=Order(office="评议办", round="第一轮", days=20))
    names = {path.relative_to(fresh).as_posix() for path in fresh.rglob("*") if path.is_file()}
    ours = {p.relative_to(root / "一轮").as_posix() for p in (root / "一轮").rglob("*") if p.is_file()}
    assert ours == names
    assert len(names) > 12
    for name in names - {"run.json", "ledger.xlsx"}:
        assert (root / "一轮" / name).read_bytes() == (fresh / name).read_bytes(), name
    one, two = (json.loads((base / "run.json").read_text("utf-8")) for base in (root / "一轮", fresh))
    assert {key for key in one if one[key] != two.get(key)} == {"files", "read_on", "seconds", "withdrawn"}


def test_a_dry_run_changes_and_records_nothing(full, tmp_path, run):
    root = moved(full, tmp_path)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    status, out, _ = run("withdraw", VICTIM, "--workspace", root, "--dry-run")
    assert status == 0
    for what in ("标注文件", "复核表", "复核记录", "结果文件夹", "两轮对比"):
        assert what in out
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_an_unknown_id_is_refused_before_anything_is_done(full, tmp_path, run):
    root = moved(full, tmp_path)
    status, out, err = run("withdraw", VICTIM, "甲-99", "--workspace", root)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"错误：.*甲-99；.*\n", err)
    assert "甲-7" not in err
    assert holding(root)
    assert recorded(root)[-1].command != "withdraw"


@pytest.fixture(scope="module")
def two(tmp_path_factory, opinions):
    """A workspace with two classified rounds in which one id means two opinions, and the first asked about."""
    root = tmp_path_factory.mktemp("two")
    run_of(root, "一", opinions[13:20])
    run_of(root, "二", [*opinions[:3], Opinion(id=VICTIM, text=OTHER, collected_on="2025-06-01")])
    with recording(root, "review export", options={}, outputs=[root / "表.xlsx"]):
        export(root / "一", root / "表.xlsx", workspace=root, n=20, audit=1.0)
    with recording(
        root, "compare", options={"before": root / "一", "after": root / "二"}, outputs=[root / "对比"]
    ):
        (root / "对比").mkdir()
        for name in ("comparison.csv", "ledger.xlsx"):
            (root / "对比" / name).write_text("件数")
    with recording(
        root, "drift", options={"folder": root / "二", "since": root / "一"}, outputs=[root / "漂移.html"]
    ):
        (root / "漂移.html").write_text("词")
    return root


@pytest.fixture
def small(two, tmp_path):
    return moved(two, tmp_path)


def test_an_id_of_two_opinions_must_be_said_which(small, run):
    status, _, err = run("withdraw", VICTIM, "--workspace", small)
    assert (status, "--of" in err, str(small / "一") in err) == (2, True, True)
    assert run("withdraw", VICTIM, "--of", small / "一", "--workspace", small)[0] == 0
    assert holding(small) == []
    # what was made of the round and cannot be made again is gone, but for people's ledger
    assert [path.name for path in (small / "对比").iterdir()] == ["ledger.xlsx"]
    assert not (small / "漂移.html").exists()
    assert VICTIM in ids_in(small / "二")
    assert holding(small, OTHER)
    status, _, err = run("withdraw", VICTIM, "--workspace", small)
    assert (status, "以前撤回过一件" in err, str(small / "二") in err) == (2, True, True)
    assert holding(small, OTHER), "the same words again do not take somebody else's"
    assert run("withdraw", VICTIM, "--of", small / "二", "--workspace", small)[0] == 0
    assert holding(small, OTHER) == []


@pytest.mark.parametrize(
    ("moment", "after"),
    [
        ("recording._append", True), ("ways.replace", False), ("ways.replace", True), ("ways.Store.withdraw", False),
        ("ways.Store.withdraw", True), ("ways.recount", False), ("results.OutputFolder.__exit__", False),
        ("results.OutputFolder.__exit__", True), ("ways._compare_again", False), ("ways.delete", False), ("ways.delete", True),
    ],
)  # fmt: skip
def test_the_same_command_finishes_what_a_kill_cut_short(small, monkeypatch, moment, after):
    """Killed before and after each step; what was begun is finished, and nothing is taken out twice."""
    module, _, name = moment.partition(".")
    place = f"pipeline.{'audit' if module == 'recording' else 'withdrawing'}.{module}.{name}"
    if module == "results":
        place = "pipeline.outputs.folder.OutputFolder.__exit__"
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            owner, _, attribute = place.rpartition(".")
            real = monkeypatch_target(owner, attribute)

            def die(*args, **options):
                if after:
                    real(*args, **options)
                os._exit(9)

            monkeypatch.setattr(place, die)
            withdraw([VICTIM], workspace=small, of=small / "一")
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    expected = [identity for identity in ids_of_first(small) if identity != VICTIM]
    with contextlib.suppress(InputError):
        withdraw([VICTIM], workspace=small, of=small / "一")
    assert holding(small) == []
    assert ids_in(small / "一") == expected
    assert len(ids_in(small / "二")) == 4
    run = json.loads((small / "一/run.json").read_text(encoding="utf-8"))
    assert (run["rows_read"], run["withdrawn"]) == (6, 1)
    assert list(small.rglob(".qingyi-*")) == []
    assert not (small / "漂移.html").exists()
    assert not (small / "对比/comparison.csv").exists()
    assert all(state.question.id != VICTIM for state in Store(small / "feedback").states().values())
    assert recorded(small)[-1].outcome == "done"


def monkeypatch_target(owner, attribute):
    import pkgutil

    return getattr(pkgutil.resolve_name(owner), attribute)


def ids_of_first(root):
    with (root / "收到/一.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row["编号"] for row in csv.DictReader(file)]


def test_locked_clues_need_the_password_and_nothing_is_done_without(small):
    sealed = small / "一/sealed"
    sealed.mkdir()
    (sealed / "clues.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    with pytest.raises(InputError, match="--seal"):
        withdraw([VICTIM], workspace=small, of=small / "一")
    assert VICTIM in ids_in(small / "一")
    assert len(holding(small)) > 2


def test_a_model_that_is_gone_is_replaced_and_said(small, workspace):
    path = small / "一/run.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "model": "base-gone"}), "utf-8")
    done = withdraw([VICTIM], workspace=small, of=small / "一")
    active = active_version(workspace.models)
    assert done.models == ((small / "一", active),)
    run = json.loads(path.read_text("utf-8"))
    assert (run["model"], run["model_before"]) == (active, "base-gone")


def test_a_folder_that_the_log_does_not_know_is_given(small, tmp_path_factory, run):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert run("withdraw", "甲-8", "--workspace", elsewhere)[0] == 2
    status, _, err = run("withdraw", "甲-8", "--workspace", elsewhere, "--in", elsewhere)
    assert (status, "--in" in err) == (2, True)
    assert run("withdraw", "甲-8", "--workspace", elsewhere, "--in", small / "一")[0] == 0
    assert "甲-8" not in ids_in(small / "一")


def test_what_the_model_learnt_is_said(small, run, workspace):
    line = json.loads(corpus_files(workspace.corpus)[-1].read_text("utf-8").split("\n")[0])
    run_of(small, "三", [Opinion(id="学过", text=line["text"])])
    status, out, _ = run("withdraw", "学过", "--workspace", small)
    assert (status, "模型学过其中 1 件" in out) == (0, True)
    # the only opinion of a round: the folder goes as a set
    assert not (small / "三").exists()


def test_purging_takes_whole_rounds_and_parts_of_others(small, run, monkeypatch):
    (small / "一/别人的.txt").write_text("不是程序的文件")
    days = pq.read_table(small / "一/opinions.parquet", columns=["collected_on"])["collected_on"].to_pylist()
    assert max(days) < "2025-05-01"
    status, out, _ = run("purge", "--before", "2025-05-01", "--workspace", small, "--dry-run")
    assert (status, "全部 7 件" in out, len(ids_in(small / "一"))) == (0, True, 7)
    monkeypatch.setattr("click.confirm", lambda *_args, **_options: False)
    status, out, _ = run("purge", "--before", "2025-05-01", "--workspace", small)
    assert (status, "没有改动" in out, len(ids_in(small / "一"))) == (0, True, 7)
    assert run("purge", "--before", "2025-05-01", "--workspace", small, "--yes")[0] == 0
    assert [path.name for path in (small / "一").iterdir()] == ["别人的.txt"]
    assert ids_in(small / "二") == [VICTIM]
    assert holding(small) == []
    assert Store(small / "feedback").states() == {}
    status, out, _ = run("purge", "--before", "2025-05-01", "--workspace", small, "--yes")
    assert (status, out) == (0, "没有 2025-05-01 以前的意见。\n")
    assert run("purge", "--before", "昨天", "--workspace", small)[0] == 2


def test_undated_opinions_are_as_old_as_their_run(small):
    run_of(
        small,
        "三",
        [Opinion(id="无日期", text=OTHER[:-1]), Opinion(id="早", text=TEXT, collected_on="2020-01-01")],
    )
    purge("2025-01-01", workspace=small)
    assert ids_in(small / "三") == ["无日期"]
    purge("9999-01-01", workspace=small)
    assert not (small / "三").exists()


def test_papers_without_text_are_kept(full, tmp_path):
    root = moved(full, tmp_path)
    letters = json.loads((root / "一轮/run.json").read_text("utf-8"))["letters"]
    summary = (root / "一轮/summary.csv").read_bytes()
    purge("2026-01-01", workspace=root, keep_papers=True)
    left = {
        path.relative_to(root / "一轮").as_posix() for path in (root / "一轮").rglob("*") if path.is_file()
    }
    assert left == {
        "summary.csv", "tables.json", "run.json", "report.html", "briefing.docx", "commendation.docx", "ledger.xlsx", *letters,
    }  # fmt: skip
    assert (root / "一轮/summary.csv").read_bytes() == summary
    assert holding(root) == holding(root, NEARLY) == []
    assert (root / "对比/comparison.html").exists()


LONG = f"{TEXT}后面还有很多话。" * 40


def rejecting(root, name, *rows):
    """Add rows to a round's rejected.csv, as the program writes them."""
    with (root / name / "rejected.csv").open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def rejected_in(root, name):
    folder = ResultFolder.at(root / name)
    assert folder is not None
    return [(row.file, row.row, row.content) for _, row in folder.rejections]


def test_rejected_rows_are_read_as_they_were_written(small):
    folder = ResultFolder.at(small / "一")
    assert folder is not None
    rejecting(
        small,
        "一",
        ["'=x.csv", "3", "意见内容超过 20000 字，请拆开或缩短", "丙-1 | 很长", "'-表"],
        ["a.csv", "4", "意见内容为空", "丙-2", ""],
        ["甲.csv", "7", "意见内容为空", "", ""],
    )
    kept = Kept(folder, Wanted({"丙-1": {"丙-1 | 很长"}, "丙-2": {"丙-2"}, VICTIM: {TEXT}, "甲:7": {""}}))
    rejected = [row for row in kept if isinstance(row, Rejection)]
    assert [(row.file, row.row, row.sheet, row.content) for row in rejected] == [("a.csv", 4, "", "丙-2")]
    assert (kept.rows, kept.accepted, kept.rejected, kept.done) == (7, 6, 1, 1.0)
    ids, first = folder.rejections[0]
    assert (first.file, first.sheet, ids) == ("=x.csv", "-表", ("=x:-表:3", "丙-1"))


@pytest.mark.parametrize("named", ["LONG9", "d:4"])
def test_an_opinion_that_was_only_rejected_is_withdrawn(small, run, named):
    rejecting(
        small,
        "一",
        ["d.csv", "4", "意见内容超过 20000 字，请拆开或缩短", f"LONG9 | {LONG}", ""],
        ["d.csv", "5", "单位超过 2000 字，请缩短", "LONG8 | 别的一件", ""],
    )
    status, out, _ = run("withdraw", named, "--workspace", small)
    assert (status, "已撤去 1 件" in out) == (0, True)
    assert rejected_in(small, "一") == [("d.csv", 5, "LONG8 | 别的一件")]
    assert holding(small, LONG) == []
    assert len(ids_in(small / "一")) == 7


def test_rejected_rows_are_purged_by_the_day_of_their_run(small):
    rejecting(small, "二", ["d.csv", "4", "意见内容超过 20000 字，请拆开或缩短", f"LONG9 | {LONG}", ""])
    purge("2025-01-01", workspace=small)
    assert len(rejected_in(small, "二")) == 1
    purge("9999-01-01", workspace=small)
    assert holding(small, LONG) == []


def test_a_rejected_row_that_only_mentions_an_id_stays_and_is_told(small, run):
    """The id of an opinion of the round in whatever cell; an id in another cell than the first."""
    rows = [
        ["d.csv", "4", "意见内容超过 20000 字，请拆开或缩短", f"LONG9 | {LONG} | {VICTIM}", ""],
        ["d.csv", "5", "意见内容超过 20000 字，请拆开或缩短", f"{VICTIM} | 别的一件", ""],
    ]
    rejecting(small, "一", *rows)
    status, out, _ = run("withdraw", VICTIM, "--of", small / "一", "--workspace", small)
    assert status == 0
    assert "d:4、d:5 里也写着这个编号" in out
    assert len(rejected_in(small, "一")) == 2
    status, out, err = run("withdraw", "LONG", "--workspace", small)
    assert (status, "文件名:行号" in err) == (2, True)
    # by its place it can be taken out
    assert run("withdraw", "d:5", "--workspace", small)[0] == 0
    assert [row for _, row, _ in rejected_in(small, "一")] == [4]


@pytest.mark.parametrize("damage", [b"\xff\xfe\xff", "d.csv,四,原因,内容,\r\n".encode()])
def test_a_damaged_list_of_rejected_rows_is_named_before_anything_is_done(small, run, damage):
    with (small / "一/rejected.csv").open("ab") as file:
        file.write(damage)
    before = holding(small)
    status, _, err = run("withdraw", VICTIM, "--of", small / "一", "--workspace", small)
    assert (status, str(small / "一/rejected.csv") in err, err.count("\n")) == (2, True, 1)
    assert holding(small) == before
    assert recorded(small)[-1].command != "withdraw"


def test_a_folder_that_was_moved_is_told_and_one_that_was_emptied_is_not(small, run):
    assert "不在原处" not in run("withdraw", "甲-8", "--of", small / "一", "--workspace", small)[1]
    (small / "一").rename(small / "移走")
    (small / "表.xlsx").rename(small / "移走.xlsx")
    _, _, err = run("withdraw", "甲-8", "谁", "--workspace", small)
    assert f"{small / '一'} 不在原处" in err
    _, out, _ = run("withdraw", ids_in(small / "二")[0], "--workspace", small, "--dry-run")
    assert f"日志记着的 {small / '一'} 不在原处，没有动；移走了请加 --in" in out
    assert f"日志记着的 {small / '表.xlsx'} 不在原处" in out
    purge("9999-01-01", workspace=small)
    _, out, _ = run("purge", "--before", "9999-01-01", "--workspace", small, "--yes")
    assert str(small / "一") in out
    assert str(small / "二") not in out


def prefixed(path):
    """The same workbook as some programs save it: every element of a sheet with a prefix."""
    with zipfile.ZipFile(path) as book:
        members = [(info, book.read(info)) for info in book.infolist()]
    with zipfile.ZipFile(path, "w") as book:
        for info, member in members:
            if info.filename.startswith("xl/worksheets/sheet") or info.filename == "xl/sharedStrings.xml":
                said = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", member.decode())
                book.writestr(info, said.replace("xmlns=", "xmlns:x="))
            else:
                book.writestr(info, member)


def test_a_sheet_that_is_not_understood_is_not_called_clean(full, tmp_path, run):
    root = moved(full, tmp_path)
    for name in ("复核.xlsx", "填好.xlsx"):
        prefixed(root / name)
    _, out, _ = run("withdraw", VICTIM, "--workspace", root)
    # ours is taken away, the one that was brought in is told
    assert holding(root) == [name for name in holding(root) if name.startswith("填好.xlsx")] != []
    assert not (root / "复核.xlsx").exists()
    assert f"复核表 {root / '填好.xlsx'}：改不了，没有动" in out


def test_what_killed_exports_left_goes_too(small):
    log = [("review export", "甲/表.xlsx"), ("review disputes", "乙/裁定.xlsx"), ("drift", "丙/漂移.html")]
    for command, name in log:
        left = small / name.split("/")[0] / ".qingyi-abc"
        left.mkdir(parents=True)
        (left / "表.txt").write_text(TEXT, "utf-8")
        with recording(small, command, options={}, outputs=[small / name]):
            pass
    withdraw([VICTIM], workspace=small, of=small / "一")
    assert holding(small) == []


@pytest.mark.parametrize(
    ("stop", "says"), [(KeyboardInterrupt, "已中断，做了一半"), (ZeroDivisionError, "），做了一半")]
)
def test_what_stops_it_halfway_says_so(small, run, monkeypatch, stop, says):
    def stopped(*_args, **_options):
        raise stop

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.withdrawing.ways.plan", stopped)
        assert "没有写出结果" in run("withdraw", VICTIM, "--of", small / "一", "--workspace", small)[2]
    monkeypatch.setattr("pipeline.withdrawing.ways.recount", stopped)
    _, _, err = run("withdraw", VICTIM, "--of", small / "一", "--workspace", small)
    assert says in err
    assert "请再运行同一条命令" in err


def cut_short(small, monkeypatch, moment, act):
    def stopped(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"pipeline.withdrawing.ways.{moment}", stopped)
        with pytest.raises(KeyboardInterrupt):
            act()


def test_the_same_command_finishes_where_the_folder_is_left_without_opinions(small, run, monkeypatch):
    run_of(small, "三", [Opinion(id="独", text=OTHER[:-1])])
    words = ("withdraw", "独", "--of", small / "三", "--in", small / "三", "--workspace", small)
    cut_short(
        small, monkeypatch, "_compare_again", lambda: withdraw(["独"], workspace=small, of=small / "三")
    )
    assert not (small / "三").exists()
    status, out, _ = run(*words)
    assert (status, "上一次中断的已经做完" in out) == (0, True)
    status, out, _ = run(*words)
    assert (status, "早已撤回" in out) == (0, True)
    assert run("withdraw", "独", "--in", small / "从来没有", "--workspace", small)[0] == 2


def test_finishing_a_purge_asks_nothing_and_says_what_it_did(small, run, monkeypatch):
    cut_short(small, monkeypatch, "_compare_again", lambda: purge("2025-05-01", workspace=small))
    monkeypatch.setattr("click.confirm", lambda *_args, **_options: pytest.fail("it asked"))
    words = ("purge", "--before", "2025-05-01", "--workspace", small)
    status, out, _ = run(*words, "--dry-run")
    assert (status, "0 件" in out, "会做完上一次中断的" in out) == (0, False, True)
    status, out, _ = run(*words)
    assert (status, "上一次中断的已经做完" in out, "0 件" in out) == (0, True, False)
    assert not (small / "对比/comparison.csv").exists()
    assert run(*words)[1] == "没有 2025-05-01 以前的意见。\n"


def test_another_withdrawal_does_not_make_an_unfinished_one_forgotten(small, run, monkeypatch):
    cut_short(small, monkeypatch, "recount", lambda: withdraw([VICTIM], workspace=small, of=small / "一"))
    _, out, _ = run("withdraw", "甲-8", "--workspace", small)
    assert f"“qingyi withdraw {VICTIM}”上次没有做完" in out
    _, out, _ = run("withdraw", VICTIM, "--of", small / "一", "--workspace", small)
    assert "没有做完" not in out
    assert holding(small) == []


def test_undated_opinions_become_no_younger(small, monkeypatch, tmp_path_factory):
    """By a run that was refused, which read nothing; by a withdrawal, which writes a folder anew that no log knows."""
    run_of(small, "三", [Opinion(id="无日期", text=OTHER[:-1]), Opinion(id="又一", text=TEXT)])
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setattr("pipeline.audit.recording._now", lambda: "9000-01-01T00:00:00Z")
    with pytest.raises(InputError), recording(small, "report", options={}, outputs=[small / "三"]):
        raise InputError("不行。")
    folder = ResultFolder.at(small / "三")
    assert folder is not None
    assert places_of(Workspace(root=small)).day(folder) < "3000"
    os.utime(small / "三/run.json", (10**9, 10**9))
    withdraw(["又一"], workspace=elsewhere, folders=[small / "三"])
    again = ResultFolder.at(small / "三")
    assert again is not None
    assert places_of(Workspace(root=elsewhere), [small / "三"]).day(again) == "2001-09-09"


def test_a_purge_counts_opinions_and_not_ids(small, run):
    _, out, _ = run("purge", "--before", "9999-01-01", "--workspace", small, "--dry-run")
    assert "会撤去 11 件" in out  # ten ids: one is of two opinions
    done = purge("9999-01-01", workspace=small)
    last = recorded(small)[-1]
    assert (done.plan.count, last.rows["count"], len(last.rows["ids"])) == (11, 11, 10)


def test_a_linked_label_file_is_rewritten_where_it_lies(small, tmp_path):
    target = tmp_path / "别处.jsonl"
    target.write_text(json.dumps({"id": VICTIM, "text": TEXT}) + "\n", "utf-8")
    beside = tmp_path / ".qingyi-别处.jsonl.new"
    beside.write_text("")
    beside.chmod(0o644)
    (small / "data/labelled").mkdir(parents=True)
    (small / "data/labelled/链.jsonl").symlink_to(target)
    held = os.open(beside, os.O_RDONLY)
    withdraw([VICTIM], workspace=small, of=small / "一")
    assert (small / "data/labelled/链.jsonl").is_symlink()
    assert target.read_bytes() == b"\n"
    assert os.read(held, 10) == b""  # who had the old file open reads nothing of the new one
    os.close(held)
    shipped = next((SHIPPED / "data/labelled").glob("*.jsonl"))
    (small / "data/labelled/随程序.jsonl").symlink_to(shipped)
    assert [path.name for path in label_files(Workspace(root=small))] == ["链.jsonl"]


def test_a_task_of_the_same_text_goes_under_whatever_key(tmp_path):
    path = tmp_path / "任务.json"
    data = [{"data": {"key": "k", "text": f" {TEXT}"}}, {"data": {"key": "j", "text": OTHER}}]
    path.write_text(json.dumps(data), "utf-8")
    rows, content, _ = without_questions(path, (), Wanted({VICTIM: {TEXT}}))
    assert (rows, [task["data"]["key"] for task in json.loads(content or b"")]) == (1, ["j"])


def test_a_sheet_without_its_key_column_is_known_by_the_text(full, tmp_path):
    path = tmp_path / "无码.xlsx"
    book = openpyxl.load_workbook(full / "填好.xlsx")
    book[c.SHEET].delete_cols(1)
    book.save(path)
    wanted = Wanted({VICTIM: {TEXT}})
    rows, content, _ = without_questions(path, wanted.keys, wanted)
    assert (rows, content is not None) == (1, True)
    book[c.SHEET]["B3"].comment = openpyxl.comments.Comment(TEXT, "王审")
    book.save(path)
    assert without_questions(path, wanted.keys, wanted) == (1, None, True)
    assert TEXT not in repr(without_questions(path, wanted.keys, wanted))
    path.write_bytes(b"PK\x03\x04 no archive")
    assert without_questions(path, wanted.keys, wanted) == (0, None, False)


def test_shipped_labels_are_never_touched(workspace, tmp_path):
    assert label_files(Workspace(root=SHIPPED)) == []
    path = tmp_path / "a.jsonl"
    lines = [
        '{"id": "7", "text": "另一件，与它无关的意见"}',
        "坏行",
        json.dumps({"id": "x", "text": f" {TEXT}"}),
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    rows, content, _ = without_labels(path, Wanted({"7": {TEXT}}))
    assert (rows, content) == (1, "\n".join([*lines[:2], "", ""]).encode())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["王", "李"])), max_size=12),
    st.sets(st.sampled_from("abcdef")),
)
def test_any_opinions_can_be_taken_out_of_the_store(tmp_path_factory, said, gone):
    store = Store(tmp_path_factory.mktemp("store") / "feedback")
    questions = tuple(
        Question(key=key, id=f"编号{key}", text=f"文{key}", department="", why="audit", suggested=())
        for key in "abcdef"
    )
    identity = batch_id("review", "m", "1", questions)
    store.add_batch(
        Asked(id=identity, kind="review", model="m", taxonomy="1", at="2026", questions=questions)
    )
    for number, (key, by) in enumerate(said):
        store.add_answers(
            [
                Answer(
                    key=key, pairs=(), skipped=False, by=by, at=str(number), batch=identity, source="表", model="m",
                    taxonomy="1", suggested=(), remark=str(number),
                )
            ]
        )  # fmt: skip
    before = list(store.answers())
    questions_gone, answers_gone = store.withdraw(gone)
    assert (questions_gone, answers_gone) == (len(gone), sum(answer.key in gone for answer in before))
    assert list(store.answers()) == [answer for answer in before if answer.key not in gone]
    assert set(store.states()) == set("abcdef") - gone
    assert store.batch(identity).id == identity
    assert store.withdraw(gone) == (0, 0)


def test_one_id_two_opinions_or_one_masked_otherwise():
    assert different([TEXT, NEARLY, OTHER]) == [TEXT, OTHER]
    assert different([]) == []
    wanted = Wanted({"a": {TEXT}})
    assert wanted.holds("a", NEARLY)
    assert not wanted.holds("a", OTHER)
    assert not wanted.holds("b", TEXT)
    assert wanted.says(f"  {TEXT}")
    assert not Wanted({"a": {"没有意见"}}).says("没有意见")
    assert not Wanted({"a": {TEXT}}, nearly=False).holds("a", NEARLY)
    assert TEXT not in repr(wanted)
    assert masked(masked(TEXT)) == masked(TEXT)


def test_a_text_is_in_no_repr(full, workspace):
    folder = ResultFolder.at(full / "一轮")
    assert folder is not None
    space = Workspace(root=full)
    found = plan(Wanted({VICTIM: {TEXT}}), places_of(space), space)
    for value in (folder, found, found.touched):
        assert TEXT[:12] not in repr(value)
