"""What coverage-guided fuzzing found, each as the smallest input; and the targets of ``fuzz/`` themselves, kept alive by chance."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import shutil
import zipfile

import numpy as np
import pytest

from fuzz.__main__ import TARGETS
from fuzz.model_file import shelf
from fuzz.mutation import mutations
from fuzz.review_import import desk
from pipeline.classifier.files import active_version, load_model, packed, read_card, unpacked
from pipeline.cli.figures import show_card
from pipeline.errors import InputError, ModelError
from pipeline.intake.reading import Intake
from pipeline.intake.sheets import Row, Sheet
from pipeline.learn.registry import history, previous
from pipeline.review import columns as c
from pipeline.review.sheet import name_of, read_review_sheet, read_sheets
from pipeline.review.store import Store
from pipeline.reviewing import take_in
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.workspace import SHIPPED, Workspace

MUTATIONS = {"readers": 150, "masker": 600, "review_import": 600, "model_file": 150}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_for_its_seeds_and_what_chance_makes_of_them(name):
    target = importlib.import_module(f"fuzz.{name}")
    for data in mutations(target.seeds(), MUTATIONS[name], seed=20250305):
        target.check(data)


def test_a_target_notices_what_is_wrong(monkeypatch):
    from fuzz import masker, readers

    monkeypatch.setattr(masker, "mask", lambda text: text + "x")
    with pytest.raises(AssertionError, match="masking twice"):
        masker.check("意见".encode())
    monkeypatch.setattr(Intake, "__iter__", lambda _: iter([None]))
    with pytest.raises(AssertionError, match="rows are lost"):
        readers.check(readers.seeds()[0])


# ---- text


@pytest.mark.parametrize(
    "text",
    [
        "&nb\u200bsp;",
        "&ｎｂｓｐ;甲",
        "_x0\u200b00D_甲",
        "<b\u200br>甲",
        "Ａ\u0301",
        "＝\u0338甲",
        "甲&nb\ufeffsp;乙",
    ],
)
def test_what_is_dropped_or_folded_leaves_nothing_to_clean(text):
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "text",
    [
        "(0771)2345678-123(0771)2345678-123",
        "13912345678(0771)2345678",
        "(0771)2345678-1(0771)2345678-2(0771)2345678",
    ],
)
def test_numbers_in_a_row_are_masked_at_once(text):
    once = mask(normalise(text))
    assert mask(once) == once
    assert "2345678" not in once


@pytest.mark.parametrize("number", ["110001185003071230", "110001215003071235", "138181299003071234"])
def test_a_number_of_a_place_that_no_county_has_is_no_failure(number):
    said = normalise(f"合同号{number}。")
    assert mask(mask(said)) == mask(said)


# ---- review


def sheets(batch="", code=None, header=None):
    """The exported sheets, with another batch, the first row's key, or one more header."""
    changed = {name: [list(cells) for cells in rows] for name, rows in desk().sheets.items()}
    guide, asked = changed[c.GUIDE], changed[c.SHEET]
    for cells in guide:
        if cells[0] == c.BATCH_CELL and batch:
            cells[1] = batch
    if code is not None:
        asked[1] = asked[1][:code]
    if header:
        asked[0] += [header, header]
    return [
        Sheet(name, iter([Row(number, tuple(cells), 0.0) for number, cells in enumerate(rows, start=1)]))
        for name, rows in changed.items()
    ]


@pytest.fixture
def asked(tmp_path):
    """A store that holds the exported batch, and what a reader of sheets needs besides."""
    store = Store(tmp_path / "feedback")
    store.add_batch(desk().batch)
    return store, (desk().space.taxonomy,), desk().space.directory


@pytest.mark.parametrize("batch", ["人" * 3000, "a" * 300, "a\nb", "../feedback", "\x00"])
def test_a_batch_that_is_no_name_is_refused_in_one_line(asked, batch):
    with pytest.raises(InputError, match="没有批次号，或被改动") as error:
        read_sheets(sheets(batch), "a.xlsx", "", *asked, by="王审", at="")
    assert "\n" not in str(error.value)


def test_a_row_that_is_cut_short_is_told_by_its_place(asked):
    filled = read_sheets(sheets(code=0), "a.xlsx", "", *asked, by="王审", at="")
    assert filled.problems == ()
    assert filled.open == len(desk().batch.questions)
    place = desk().sheets[c.SHEET][0].index(c.ID)
    rows = sheets()
    moved = [Sheet(s.name, iter([Row(r.number, r.cells[place:], 0.0) for r in s.rows]) if s.name == c.SHEET else s.rows) for s in rows]  # fmt: skip
    with pytest.raises(InputError, match="没有“行码”一列"):
        read_sheets(moved, "a.xlsx", "", *asked, by="王审", at="")


def test_a_header_that_stands_twice_is_told_on_one_line(asked):
    with pytest.raises(InputError, match="列的列名相同") as error:
        read_sheets(sheets(header="多\n余"), "a.xlsx", "", *asked, by="王审", at="")
    assert "\n" not in str(error.value)


def test_names_are_kept_on_one_line_and_without_halves_of_characters():
    assert name_of(" 王\n审\udc80") == "王 审�"
    assert name_of("\ud800") == "�"


def test_a_file_whose_name_is_no_text_is_named_all_the_same(asked, tmp_path):
    path = tmp_path / "复\n核\udcff.xlsx"
    with pytest.raises(InputError) as error:
        read_review_sheet(path, *asked, by="", at="")
    str(error.value).encode()
    assert "\n" not in str(error.value)


@pytest.fixture
def take(tmp_path):
    """Take in Label Studio's tasks, changed by a function, as the command does."""
    Store(tmp_path / "feedback").add_batch(desk().batch)

    def taken(change, by=""):
        exported = json.loads(json.dumps(desk().tasks))
        path = tmp_path / "filled.json"
        path.write_text(json.dumps(change(exported) or exported), encoding="utf-8")
        return take_in(path, workspace=tmp_path, by=by)

    return taken


@pytest.mark.parametrize(
    "change",
    [
        lambda tasks: tasks[0].update(annotations=7),
        lambda tasks: tasks[0].update(annotations=[None]),
        lambda tasks: tasks[0].update(annotations={"0": {}}),
        lambda tasks: tasks[0].update(data="batch"),
        lambda tasks: [*tasks, None],
        lambda tasks: {"data": tasks[0]},
        lambda tasks: 7,
    ],
)
def test_tasks_of_another_form_are_refused(take, change):
    with pytest.raises(InputError, match="不是由本程序导出"):
        take(change)


def test_tasks_by_people_without_a_proper_name_are_kept(take, tmp_path):
    people: tuple[object, ...] = ({"email": "\ud800a\nb"}, {"email": None, "id": 7}, [[]], None)

    def unnamed(tasks):
        for task, who in zip(tasks, people, strict=True):
            task["annotations"][0] |= {"completed_by": who, "updated_at": ["\ud800"]}

    assert take(unnamed).fresh == len(desk().tasks)
    kept = [answer.by for answer in Store(tmp_path / "feedback").answers()]
    assert kept == ["�a b", "7", "用户", "用户"]


def test_one_opinion_in_two_tasks_is_one_answer_or_told(take):
    assert take(lambda tasks: [*tasks, tasks[0]]).fresh == len(desk().tasks)

    def contradicted(tasks):
        again = json.loads(json.dumps(tasks[0]))
        again["annotations"][0]["was_cancelled"] = True
        return [*tasks, again]

    found = take(contradicted)
    assert (found.read, found.problems) == (
        0, ("filled.json 第 5 个任务：与第 1 个任务是同一件意见，同一个人标得不同；请只留一个。",),
    )  # fmt: skip


# ---- models


@pytest.fixture
def models(tmp_path):
    """A registry with the small model of the target, and a way to change its files with the digests put right."""
    folder = tmp_path / "models"
    version = shelf().version
    (folder / version).mkdir(parents=True)
    (folder / "active").write_text(version, encoding="utf-8")

    def changed(**files):
        contents = {**shelf().files, **{name.replace("_", "."): content for name, content in files.items()}}
        card = json.loads(contents.pop("card.json"))
        if isinstance(card, dict) and "card_json" not in files:
            card["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        for name, content in {**contents, "card.json": json.dumps(card).encode()}.items():
            (folder / version / name).write_bytes(content)
        return folder

    return changed


def load(folder):
    space = Workspace(root=shelf().space.root)
    return load_model(folder, space.taxonomy, space.lexicon)


def test_the_small_model_loads(models):
    assert load(models()).version == shelf().version


@pytest.mark.parametrize(
    "pointer", [b"\xff\xfe", b"base-\xce", b"a\nb", b"", b"\0", b"a" * 300, "模型".encode()]
)
def test_a_pointer_that_is_no_name_is_refused(models, pointer):
    folder = models()
    (folder / "active").write_bytes(pointer)
    with pytest.raises(ModelError, match="不是模型版本名"):
        active_version(folder)


@pytest.mark.parametrize(
    "words", [None, 7, True, {"a": 0, "b": 1, "c": 2}, ["a", "a", "b"], ["a", "b", 3], ["a", "b", []], "abc"]
)
def test_a_vocabulary_that_is_no_list_of_words_is_refused(models, words):
    with pytest.raises(ModelError, match=r"vocabulary\.json 不是一列不重复的词"):
        load(models(vocabulary_json=json.dumps(words).encode()))


def npy(header, version=b"\x01\x00"):
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + b"\0" * 12


def archive(content, method=zipfile.ZIP_STORED, name="idf.npy"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as package:
        package.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }")[:-125],
        archive(b"no array"),
        archive(b"", name="idf"),
        archive(npy("{'descr': '<f4', 'fortran_order': False, 'shape':3,), }")),
        archive(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3L,), }")),
        archive(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000,), }")),
        archive(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }")),
        archive(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")),
        archive(npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }")),
        archive(npy("{'descr': '<U1', 'fortran_order': False, 'shape': (3,), }")),
        archive(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", b"\x09\x09")),
        archive(b"x" * 1000, zipfile.ZIP_LZMA)[:60]
        + archive(b"x" * 1000, zipfile.ZIP_LZMA)[60:].replace(b"\x00", b"\xff"),
    ],
)
def test_arrays_that_are_none_are_refused(content):
    with pytest.raises(ModelError, match="不是本程序写的数组文件"):
        unpacked(content, ["idf"], "模型")


def test_a_package_that_unpacks_without_end_is_refused(monkeypatch):
    from pipeline.classifier import files

    content = packed({"idf": np.zeros(100_000, np.float32)})
    assert len(content) < 2000
    monkeypatch.setattr(files, "LARGEST_UNPACKED", 100_000)
    with pytest.raises(ModelError, match="不是本程序写的数组文件"):
        unpacked(content, ["idf"], "模型")


@pytest.mark.parametrize(
    ("name", "value"), [("held_out", -1.0), ("weights", np.nan), ("idf", np.inf), ("bias", 0.5)]
)
def test_arrays_of_wrong_numbers_are_refused(models, name, value):
    arrays = dict(np.load(io.BytesIO(shelf().files["weights.npz"])))
    arrays[name] = np.full(arrays[name].shape, value, np.float64 if name == "bias" else np.float32)
    with pytest.raises(ModelError, match="数组形状不对"):
        load(models(weights_npz=packed(arrays)))


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.pop("cross_validation"),
        lambda card: card.pop("corpus"),
        lambda card: card["cross_validation"].pop("labels"),
        lambda card: card["cross_validation"]["labels"]["praise"].pop("recall"),
        lambda card: card["cross_validation"].update(micro_f1="0.7"),
        lambda card: card.update(libraries=["numpy"]),
        lambda card: card.update(features="5\n6"),
        lambda card: card.update(corpus="\x1b[2J"),
        lambda card: card.update(taxonomy="\ud800"),
        lambda card: card["files"].update({"../../elsewhere": ""}),
        lambda card: card["files"].update({"a\0": ""}),
        lambda card: card.update(gate={"rules": [{}]}),
        lambda card: card.update(version=7),
    ],
)
def test_a_card_that_lacks_something_or_breaks_lines_is_refused(models, change):
    card = json.loads(json.dumps(shelf().card))
    change(card)
    folder = models(card_json=b"{}")
    (folder / shelf().version / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ModelError, match=r"不完整或 card\.json 损坏"):
        read_card(folder, shelf().version)


def test_lines_of_the_history_that_are_none_are_passed_over(models):
    folder = models()
    whole = {"at": "", "from": "old", "to": shelf().version, "kind": "forward", "reason": ""}
    lines = ["7", "[]", "null", '{"to": 7}', '{"at": "", "to": "x"}', json.dumps(whole), "[" * 100_000]
    (folder / "history.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert history(folder) == [whole]
    assert previous(folder) == "old"
    shutil.rmtree(folder)


@pytest.mark.parametrize("changes", [{"gate": None}, {"parent": "base-0"}])
def test_a_card_with_what_it_may_lack_is_shown(tmp_path, workspace, changes):
    version = active_version(SHIPPED / "models")
    shutil.copytree(SHIPPED / "models" / version, tmp_path / version)
    card = json.loads((tmp_path / version / "card.json").read_text(encoding="utf-8")) | changes
    (tmp_path / version / "card.json").write_text(json.dumps(card), encoding="utf-8")
    show_card(read_card(tmp_path, version), workspace.taxonomy, [])
