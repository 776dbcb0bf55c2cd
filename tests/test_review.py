"""Review: what is asked, sheets out and in, the store that forgets nothing, agreement against published figures."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import shutil
import stat
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import scipy.sparse as sp

from pipeline.errors import InputError, OutputError, ResourceError
from pipeline.records import key_of
from pipeline.review import columns as c
from pipeline.review.agreement import by_label, cohen_kappa, krippendorff_alpha
from pipeline.review.answers import Answer
from pipeline.review.label_studio import labelling_config
from pipeline.review.queue import choose, typicality, unsureness
from pipeline.review.store import Store
from pipeline.reviewing import disputes, export, status, take_in
from pipeline.workspace import SHIPPED


@pytest.fixture(scope="module")
def exported(tmp_path_factory, round1):
    """A workspace, the sheet of 30 opinions exported into it, and its batch."""
    root = tmp_path_factory.mktemp("exported")
    return root, export(round1.folder, root / "review.xlsx", workspace=root, n=30)


@pytest.fixture
def desk(tmp_path, exported):
    """A copy of it that a test may change."""
    root, batch = exported
    return shutil.copytree(root, tmp_path / "desk"), batch


def fill(root, changes, name="filled.xlsx", source="review.xlsx", reviewer="王审"):
    """Fill in a copy of the sheet: ``changes`` are {row: {header: value}}; the file's path."""
    book = openpyxl.load_workbook(root / source)
    book[c.GUIDE]["B2"] = reviewer
    sheet = book[c.SHEET]
    places = {cell.value: cell.column for cell in sheet[1]}
    for row, cells in changes.items():
        for header, value in cells.items():
            sheet.cell(row, places[header]).value = value
    book.save(root / name)
    return root / name


def cells_of(root, row, source="review.xlsx"):
    sheet = openpyxl.load_workbook(root / source)[c.SHEET]
    return {head.value: sheet.cell(row, head.column).value or "" for head in sheet[1]}


def test_kappa_of_a_published_table():
    """Cohen 1960 as worked in Fleiss, Levin & Paik (2003), table 18.1 collapsed: 45 yes-yes, 15, 25, 15 → κ 0.1304."""
    first = ["yes"] * 60 + ["no"] * 40
    second = ["yes"] * 45 + ["no"] * 15 + ["yes"] * 25 + ["no"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.1304, abs=5e-5)
    assert cohen_kappa(["a", "a"], ["a", "a"]) == 1.0
    with pytest.raises(ValueError, match="same, non-empty items"):
        cohen_kappa([], [])


def test_alpha_of_published_tables():
    """Krippendorff (2011), "Computing Krippendorff's alpha-reliability", examples A (binary) and C (four observers, gaps)."""
    binary = zip("0100000010", "1110010000", strict=True)
    assert krippendorff_alpha(binary) == pytest.approx(0.095, abs=5e-4)
    rows = [
        "1 2 3 3 2 1 4 1 2 . . .".split(),
        "1 2 3 3 2 2 4 1 2 5 . 3".split(),
        ". 3 3 3 2 3 4 2 2 5 1 .".split(),
        "1 2 3 3 2 4 4 1 2 5 1 .".split(),
    ]
    units = [[value for value in unit if value != "."] for unit in zip(*rows, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha([["a"], ["b"]]) is None


def test_agreement_is_label_by_label_over_opinions_that_two_people_saw():
    answers: dict[str, dict[str, frozenset[str]]] = {
        "1": {"甲": frozenset({"praise"}), "乙": frozenset({"praise"})},
        "2": {"甲": frozenset(), "乙": frozenset({"praise"})},
        "3": {"甲": frozenset(), "乙": frozenset()},
        "4": {"甲": frozenset({"praise"})},
    }
    found = by_label(answers, ("praise", "stalling"))
    assert found["praise"]["n"] == 3
    assert found["praise"]["prevalence"] == 0.5
    assert found["praise"]["kappa"] == pytest.approx(cohen_kappa([1, 0, 0], [1, 1, 0]))
    assert found["stalling"] == {"n": 3, "prevalence": 0.0, "alpha": None, "kappa": 1.0}


def test_what_is_unsure_by_hand():
    threshold = np.array([0.3, 0.3])
    at, sure, torn = unsureness(np.array([[0.3, 0.3], [0.999, 0.001], [0.3, 0.03]]), threshold)
    assert at == pytest.approx(np.log(2)), "both labels at their thresholds"
    assert sure < 1e-6
    odds = (0.03 / 0.97) / (0.3 / 0.7)
    bent = odds / (1 + odds)
    entropy = -(bent * np.log(bent) + (1 - bent) * np.log(1 - bent))
    assert torn == pytest.approx((np.log(2) + entropy) / 2 * odds)
    assert unsureness(np.array([[0.5]]), np.array([0.5])) == pytest.approx([np.log(2)])


def test_the_queue_audits_at_random_and_spreads_the_rest():
    rows = sp.csr_array(np.repeat(np.eye(5), 20, axis=0))  # five kinds of opinion, twenty of each
    unsure = np.concatenate([np.full(20, 0.6), np.full(80, 0.5)])
    audited, chosen = choose(unsure, rows, 25, 0.2, seed=1)
    assert len(audited) == 5
    assert len(chosen) == 20
    assert not set(audited) & set(chosen)
    assert len({index // 20 for index in chosen[:5]}) == 5, "one of each kind before a second of any"
    drawn = Counter(itertools.chain.from_iterable(choose(unsure, rows, 25, 0.2, s)[0] for s in range(400)))
    assert max(drawn.values()) < 50, "every opinion is audited about as often: 20 of 400 draws"


def test_the_queue_prefers_what_is_typical_and_unlike_what_is_answered():
    kinds = np.repeat(np.eye(4), [6, 4, 1, 1], axis=0)  # two kinds of opinion, and two like no other
    rows, unsure = sp.csr_array(kinds), np.full(12, 0.5)
    np.testing.assert_allclose(typicality(rows), np.repeat([6, 4, 1, 1], [6, 4, 1, 1]) / 12)
    _, chosen = choose(unsure, rows, 3, 0.0)
    assert [int(kinds[row].argmax()) for row in chosen] == [0, 1, 2], "the commonest kind first"
    _, chosen = choose(unsure, rows, 3, 0.0, answered=[0])
    assert int(kinds[chosen[0]].argmax()) == 1, "one of the commonest is answered"
    assert choose(unsure, sp.csr_array((12, 4)), 2, 0.0)[1] == [0, 1], (
        "opinions without a known word are asked all the same"
    )


def test_an_export_is_private_asks_for_a_random_share_and_keeps_what_it_asked(desk):
    root, batch = desk
    assert stat.S_IMODE((root / "review.xlsx").stat().st_mode) == 0o600
    assert [question.why for question in batch.questions].count("audit") == 6
    kept = Store(root / "feedback").batch(batch.id)
    assert kept == batch
    assert stat.S_IMODE((root / "feedback/questions" / f"{batch.id}.jsonl").stat().st_mode) == 0o600


def test_a_sheet_works_in_office_programs(desk):
    root, batch = desk
    book = openpyxl.load_workbook(root / "review.xlsx")
    assert book.sheetnames == [c.GUIDE, c.SHEET, c.CHOICES]
    assert book[c.CHOICES].sheet_state == "hidden"
    sheet = book[c.SHEET]
    assert sheet.protection.sheet
    header = [cell.value for cell in sheet[1]]
    lists = sheet.data_validations.dataValidation
    assert all(rule.type == "list" and rule.formula1.startswith("选项!") for rule in lists)
    verdict = sheet.cell(2, header.index(c.VERDICT) + 1)
    assert verdict.protection.locked is False
    assert sheet.cell(2, header.index(c.CODE) + 1).protection.locked is True
    assert sheet.cell(2, header.index(c.CODE) + 1).value == batch.questions[0].key


def test_a_part_of_a_sheet_is_taken_in_and_again_adds_nothing(desk):
    root, batch = desk
    question = batch.questions[0]
    path = fill(
        root,
        {
            2: {c.VERDICT: c.RIGHT},
            3: {c.VERDICT: c.SKIPPED},
            4: {c.VERDICT: c.CHANGED, "索要产品": "✓", c.DEPARTMENT: "盐业公司", c.REMARK: "看原件"},
        },
    )
    done = take_in(path, workspace=root)
    assert (done.read, done.fresh, done.skipped, done.open, done.problems) == (3, 3, 1, 27, ())
    again = take_in(path, workspace=root)
    assert again.fresh == 0
    states = Store(root / "feedback").states()
    final = states[question.key].final
    assert final is not None
    assert (final.by, final.pairs, final.model) == ("王审", question.pairs, batch.model)
    changed = states[batch.questions[2].key].final
    assert changed is not None
    assert ("盐业公司", "product_solicitation") in changed.pairs
    assert changed.remark == "看原件"
    assert states[batch.questions[1].key].skipped
    now = status(root)
    assert (now.asked, now.labelled, now.skipped, now.open) == (30, 2, 1, 27)


def test_a_changed_mind_is_kept_with_what_was_said_before(desk):
    root, batch = desk
    take_in(fill(root, {2: {c.VERDICT: c.CHANGED, "形式主义": "✓"}}), workspace=root)
    take_in(fill(root, {2: {c.VERDICT: c.RIGHT}}), workspace=root)
    store = Store(root / "feedback")
    assert len(list(store.answers())) == 2
    final = store.states()[batch.questions[0].key].final
    assert final is not None
    assert final.pairs == batch.questions[0].pairs


def test_the_same_sheet_again_does_not_undo_what_was_corrected_since(desk):
    root, batch = desk
    first = fill(root, {2: {c.VERDICT: c.RIGHT}}, "first.xlsx")
    take_in(first, workspace=root)
    take_in(fill(root, {2: {c.VERDICT: c.CHANGED, "形式主义": "✓"}}, "better.xlsx"), workspace=root)
    assert take_in(first, workspace=root).fresh == 0
    final = Store(root / "feedback").states()[batch.questions[0].key].final
    assert final is not None
    assert "formalism" in final.labels


def test_a_cell_may_name_the_department_it_is_about(desk):
    root, batch = desk
    take_in(fill(root, {2: {c.VERDICT: c.CHANGED, "推诿拖延": "盐业公司；厅办"}}), workspace=root)
    final = Store(root / "feedback").states()[batch.questions[0].key].final
    assert final is not None
    assert {("盐业公司", "stalling"), ("办公室", "stalling")} <= set(final.pairs)


def test_columns_may_be_moved_and_those_not_needed_deleted(desk):
    root, batch = desk
    path = fill(root, {2: {c.VERDICT: c.RIGHT}, 3: {c.VERDICT: c.RIGHT}})
    book = openpyxl.load_workbook(path)
    sheet = book[c.SHEET]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    keep = [i for i, name in enumerate(rows[0]) if name not in {c.TEXT, c.WHY, c.SUGGESTION, c.REMARK}]
    sheet.delete_rows(1, len(rows) + 1)
    sheet.append(["别动这一行"])
    for row in [rows[0], *sorted(rows[1:], key=lambda row: str(row[0]))]:
        sheet.append([row[i] for i in reversed(keep)])
    book.save(path)
    done = take_in(path, workspace=root)
    assert (done.read, done.problems) == (2, ())
    assert {answer.key for answer in Store(root / "feedback").answers()} == {
        question.key for question in batch.questions[:2]
    }


@pytest.mark.parametrize(
    ("change", "place", "what"),
    [
        ({c.CODE: "abc"}, "A列（行码）", "这个行码不在导出的批次里，可能被改动，或这件意见已撤回；请从导出的表里恢复，撤回的删去这一行。"),
        ({c.VERDICT: "差不多"}, "列（复核）", "不认识；可填：对、改、不确定/跳过，或留空。"),
        ({c.VERDICT: c.CHANGED, "推诿拖延": "大概"}, "列（推诿拖延）", "既不是 ✓，也不是目录里的部门；有这个问题填 ✓，没有就清空。"),
        ({c.VERDICT: c.RIGHT, "形式主义": "✓"}, "列（复核）", "填了“对”，类别或部门却与建议不同；改过的请选“改”。"),
        ({c.VERDICT: c.CHANGED, c.DEPARTMENT: "城管局"}, "列（部门）", "不是目录里的部门；请从下拉里选，目录外的选“未指明”。"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_told_by_place_and_nothing_is_taken_in(desk, change, place, what):
    root, _ = desk
    done = take_in(fill(root, {2: {c.VERDICT: c.RIGHT}, 3: change}), workspace=root)
    assert len(done.problems) == 1
    assert done.problems[0].startswith("filled.xlsx“复核”第 3 行")
    assert done.problems[0].endswith(f"{place}：{what}")
    assert list(Store(root / "feedback").answers()) == []


def test_an_edited_id_is_refused_and_an_edited_text_cannot_enter(desk):
    root, batch = desk
    wrong = take_in(fill(root, {2: {c.VERDICT: c.RIGHT, c.ID: "别的"}}), workspace=root)
    assert wrong.problems[0].endswith(f"（编号）：与导出时的编号“{batch.questions[0].id}”不同；请恢复。")
    take_in(fill(root, {2: {c.VERDICT: c.RIGHT, c.TEXT: "全换掉"}}), workspace=root)
    state = Store(root / "feedback").states()[batch.questions[0].key]
    assert state.final is not None
    assert state.question.text == batch.questions[0].text


def test_a_sheet_that_cannot_be_taken_says_why(desk, write):
    root, _ = desk
    nameless = fill(root, {2: {c.VERDICT: c.RIGHT}}, reviewer=None)
    with pytest.raises(
        InputError, match=r"^filled\.xlsx 没有写复核人；请在“说明”表填上名字，或加 --by 姓名。$"
    ):
        take_in(nameless, workspace=root)
    assert take_in(nameless, workspace=root, by="李复").fresh == 1
    book = openpyxl.load_workbook(root / "review.xlsx")
    header = [cell.value for cell in book[c.SHEET][1]]
    book[c.SHEET].delete_cols(header.index("推诿拖延") + 1)
    book.save(root / "short.xlsx")
    with pytest.raises(InputError, match="少了类别列：推诿拖延；删去的列说不清有没有，请恢复"):
        take_in(root / "short.xlsx", workspace=root, by="李复")
    elsewhere = root / "elsewhere"
    elsewhere.mkdir()
    with pytest.raises(ResourceError, match="本工作区没有导出过复核批次"):
        take_in(root / "review.xlsx", workspace=elsewhere, by="李复")
    with pytest.raises(InputError, match="不是复核表：没有“复核”或“说明”工作表"):
        take_in(SHIPPED / "data/samples/round1/interviews.xlsx", workspace=root, by="李复")
    with pytest.raises(InputError, match=r"复核表应是 \.xlsx 文件"):
        take_in(write("a.csv", "x"), workspace=root)


def test_two_people_disagree_and_a_third_settles_it_for_good(desk):
    root, batch = desk
    first, second = batch.questions[:2]
    take_in(fill(root, {2: {c.VERDICT: c.RIGHT}, 3: {c.VERDICT: c.RIGHT}}), workspace=root, by="甲")
    take_in(
        fill(root, {2: {c.VERDICT: c.RIGHT}, 3: {c.VERDICT: c.CHANGED, "形式主义": "✓"}}),
        workspace=root,
        by="乙",
    )
    store = Store(root / "feedback")
    assert store.states()[first.key].final is not None
    assert store.states()[second.key].disputed
    now = status(root)
    assert (now.disputed, now.people) == (1, {"乙": 2, "甲": 2})
    assert now.agreement["formalism"]["n"] == 2
    asked = disputes(root / "settle.xlsx", workspace=root)
    assert [question.key for question in asked.questions] == [second.key]
    shown = cells_of(root, 2, "settle.xlsx")[c.OTHERS]
    assert shown.startswith("甲：")
    assert "乙：" in shown
    assert "形式主义" in shown
    take_in(fill(root, {2: {c.VERDICT: c.RIGHT}}, source="settle.xlsx"), workspace=root, by="丙")
    state = store.states()[second.key]
    assert state.final is not None
    assert (state.final.by, state.final.settles, state.disputed) == ("丙", True, False)
    assert [answer.by for answer in state.answers] == ["甲", "乙"], "what was said before is kept"
    with pytest.raises(InputError, match="没有意见不一的标注，不用裁定。"):
        disputes(root / "none.xlsx", workspace=root)


def test_what_is_answered_is_not_asked_again_and_a_choice_can_be_narrowed(desk, round1):
    root, batch = desk
    take_in(fill(root, {row: {c.VERDICT: c.RIGHT} for row in range(2, 32)}), workspace=root)
    second = export(round1.folder, root / "second.xlsx", workspace=root, n=30)
    again = {q.why for q in second.questions if q.key in {asked.key for asked in batch.questions}}
    assert again <= {"audit"}, "a random audit is of all opinions, also those answered before"
    narrow = export(
        round1.folder, root / "n.xlsx", workspace=root, labels=["推诿拖延"], departments=["盐业公司"]
    )
    assert narrow.questions
    assert {question.why for question in narrow.questions} == {"asked"}
    assert all(any(code == "stalling" for _, code in question.pairs) for question in narrow.questions)
    with pytest.raises(InputError, match="部门目录里没有“城管局”"):
        export(round1.folder, root / "m.xlsx", workspace=root, departments=["城管局"])
    with pytest.raises(InputError, match="没有完整的判定结果"):
        export(root, root / "m.xlsx", workspace=root)
    with pytest.raises(InputError, match=r"review\.xlsx 已经有了，里面可能有人填好的"):
        export(round1.folder, root / "review.xlsx", workspace=root)


@pytest.mark.parametrize("name", ["a.xlsx", "a.json"])
@pytest.mark.parametrize("ask", [lambda target, round1, root: export(round1.folder, target, workspace=root, n=3),
                                 lambda target, _, root: disputes(target, workspace=root)], ids=["export", "disputes"])  # fmt: skip
def test_a_sheet_that_cannot_be_put_in_place_leaves_nothing_asked(desk, round1, monkeypatch, ask, name):
    root, _ = desk
    for by, change in (("甲", {c.VERDICT: c.RIGHT}), ("乙", {c.VERDICT: c.CHANGED, "形式主义": "✓"})):
        take_in(fill(root, {2: change}), workspace=root, by=by)
    store = Store(root / "feedback")
    before, folder = store.batches(), root / "sheets"
    replace_file = Path.replace

    def refuse(path, target):
        if Path(target).name == name:
            assert len(store.batches()) == len(before) + 1, "a sheet in place can always be answered"
            raise OSError(errno.EROFS, "read-only")
        return replace_file(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(OutputError, match=rf"^不能写入 .*{name}：所在的盘是只读的"):
            ask(folder / name, round1, root)
    assert store.batches() == before
    assert list(folder.iterdir()) == []
    batch = ask(folder / name, round1, root)
    assert store.batches() == [*before, store.batch(batch.id)]
    with monkeypatch.context() as patch, contextlib.suppress(OutputError):
        patch.setattr(Path, "replace", refuse)
        patch.setattr(Store, "batches", lambda _: [*before, batch])
        ask(folder / "again" / name, round1, root)
    assert store.batch(batch.id), "one that was asked before stays"


def test_a_sheet_that_cannot_be_written_leaves_nothing_asked(desk, round1):
    root, batch = desk
    with pytest.raises(OutputError, match=r"^不能写入 /proc/a\.xlsx：路径不存在。$"):
        export(round1.folder, "/proc/a.xlsx", workspace=root)
    assert Store(root / "feedback").batches() == [batch]


def an_answer(key, **changes):
    made = Answer(
        key=key, pairs=(), skipped=False, by="甲", at="", batch="b", source="s", model="m", taxonomy="1.0", suggested=()
    )  # fmt: skip
    return replace(made, **changes)


def test_a_damaged_store_is_named_and_no_text_is_in_a_repr(desk):
    root, batch = desk
    assert batch.questions[0].text not in repr(batch)
    store = Store(root / "feedback")
    store.add_answers([an_answer(batch.questions[0].key, remark="很私密")])
    assert "很私密" not in repr(next(store.answers()))
    kept = next((root / "feedback/answers").glob("*.jsonl"))
    whole = kept.read_text(encoding="utf-8")
    for damage in (whole[:-5], "", whole.replace("甲", "乙"), "[]"):
        kept.write_text(damage, encoding="utf-8")
        with pytest.raises(ResourceError, match=rf"复核记录 answers/{kept.name} 读不出来或已损坏"):
            store.states()
    kept.write_text(whole, encoding="utf-8")
    asked = root / "feedback/questions" / f"{batch.id}.jsonl"
    asked.unlink()
    with pytest.raises(ResourceError, match=r"questions/b\.jsonl 不见了，答过的意见找不到原文"):
        store.states()


def test_a_key_is_another_for_another_id_or_text():
    assert key_of("1", "甲") == key_of("1", "甲")
    assert len({key_of("1", "甲"), key_of("2", "甲"), key_of("1", "乙")}) == 3


# Label Studio's documentation ("Import data", "Import pre-annotations"): what a task and an annotation must look like
RESULT = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["from_name", "to_name", "type", "value"],
        "properties": {
            "id": {"type": "string"},
            "from_name": {"type": "string"},
            "to_name": {"type": "string"},
            "type": {"const": "choices"},
            "value": {
                "type": "object",
                "required": ["choices"],
                "properties": {"choices": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
            },
        },
    },
}
TASKS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {"type": "object", "required": ["text"]},
            "predictions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["result"],
                    "properties": {
                        "model_version": {"type": "string"},
                        "score": {"type": "number", "minimum": 0, "maximum": 1},
                        "result": RESULT,
                    },
                },
            },
        },
    },
}


def test_label_studio_tasks_have_the_published_form_and_come_back(tmp_path, round1, workspace):
    jsonschema = pytest.importorskip("jsonschema")
    batch = export(round1.folder, tmp_path / "tasks.json", workspace=tmp_path, n=12)
    exported = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    jsonschema.validate(exported, TASKS)
    config = (tmp_path / "tasks.xml").read_text(encoding="utf-8")
    assert config == labelling_config(workspace.taxonomy, workspace.directory)
    for task in exported:
        for region in task["predictions"][0]["result"]:
            assert all(f'value="{choice}"' in config for choice in region["value"]["choices"])
    exported[0]["annotations"] = [
        {"id": 1, "completed_by": {"email": "a@b.c"}, "was_cancelled": False, "result": exported[0]["predictions"][0]["result"]}
    ]  # fmt: skip
    exported[1]["annotations"] = [{"id": 2, "completed_by": 7, "was_cancelled": True, "result": []}]
    exported[2]["annotations"] = [
        {
            "id": 3,
            "completed_by": 7,
            "was_cancelled": False,
            "result": [
                {
                    "from_name": "labels",
                    "to_name": "text",
                    "type": "choices",
                    "value": {"choices": ["形式主义"]},
                },
                {
                    "from_name": "department",
                    "to_name": "text",
                    "type": "choices",
                    "value": {"choices": ["盐业公司"]},
                },
            ],
        }
    ]
    path = tmp_path / "done.json"
    path.write_text(json.dumps(exported, ensure_ascii=False), encoding="utf-8")
    done = take_in(path, workspace=tmp_path)
    assert (done.read, done.fresh, done.skipped, done.open) == (3, 3, 1, 9)
    states = Store(tmp_path / "feedback").states()
    finals = [states[question.key].final for question in batch.questions]
    assert finals[0] is not None
    assert (finals[0].by, set(finals[0].labels)) == ("a@b.c", {code for _, code in batch.questions[0].pairs})
    assert finals[2] is not None
    assert finals[2].pairs == (("盐业公司", "formalism"),)
    exported[3]["annotations"] = [
        {
            "completed_by": 7,
            "result": [{**exported[2]["annotations"][0]["result"][0], "value": {"choices": ["贪污"]}}],
        }
    ]
    path.write_text(json.dumps(exported, ensure_ascii=False), encoding="utf-8")
    assert take_in(path, workspace=tmp_path).problems == (
        "done.json 第 4 个任务：有一个类别不在类别表里；请用随任务导出的界面配置。",
    )
    path.write_text("[{}]", encoding="utf-8")
    with pytest.raises(InputError, match="不是由本程序导出、在 Label Studio 里标注后导出的 JSON"):
        take_in(path, workspace=tmp_path)
