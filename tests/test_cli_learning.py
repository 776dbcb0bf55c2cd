"""The commands by which people teach, as a promise: whole lines and exit codes, and no opinion's text in any of them."""

from __future__ import annotations

import itertools
import json
import shutil

import openpyxl
import pytest

from pipeline.classifier.files import active_version, read_card
from pipeline.learn.prepare import text_key
from pipeline.learn.registry import build, history
from pipeline.review import columns as c
from pipeline.review.store import Store
from pipeline.taxonomy import load_taxonomy
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.workspace import SHIPPED, Workspace

PIECE = 8
"""So many characters of an opinion in a row are its text."""


@pytest.fixture
def sheet(run, round1, tmp_path):
    """The sheet of 30 opinions exported by command; its batch."""
    assert run("review", "export", round1.folder, "-o", "review.xlsx", "--n", "30")[0] == 0
    (batch,) = Store(tmp_path / "feedback").batches()
    return batch


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """A workspace with a small corpus and lexicon of its own and the model built from them."""
    root = tmp_path_factory.mktemp("school") / "space"
    (root / "data/labelled").mkdir(parents=True)
    for path in sorted((SHIPPED / "data/labelled").glob("starter-*.jsonl")):
        head(path, root / "data/labelled" / path.name, 84)
    head(SHIPPED / "data/lexicon.tsv", root / "data/lexicon.tsv", 300)
    build(Workspace(root=root), root / "models")
    return root


@pytest.fixture
def pupil(school, tmp_path):
    """A copy of it where commands run."""
    shutil.copytree(school, tmp_path, dirs_exist_ok=True)
    return tmp_path


def head(source, target, n):
    target.write_text(
        "".join(source.read_text(encoding="utf-8").splitlines(keepends=True)[:n]), encoding="utf-8"
    )


def fill(root, rows, name, *, by=None, source="review.xlsx"):
    """Fill in a copy of the sheet: {row: labels}, ticks elsewhere taken away, or {row: {header: value}} as it is."""
    book = openpyxl.load_workbook(root / source)
    book[c.GUIDE]["B2"] = by
    page = book[c.SHEET]
    places = {cell.value: cell.column for cell in page[1]}
    names = c.label_columns(load_taxonomy(SHIPPED / "data/taxonomy.toml"))
    for row, wanted in rows.items():
        ticks = {c.VERDICT: c.CHANGED, **{name: c.YES if name in wanted else None for name in names}}
        for header, value in (wanted if isinstance(wanted, dict) else ticks).items():
            page.cell(row, places[header]).value = value
    book.save(root / name)
    return name


def silent(printed, texts):
    """What a command printed, once no piece of a text was found in it."""
    said = printed[1] + printed[2]
    assert not [
        text
        for text in texts
        if any(text[i : i + PIECE] in said for i in range(max(1, len(text) - PIECE + 1)))
    ]
    return printed


def test_reviewing_from_the_sheet_to_the_settled_label(run, sheet, tmp_path):
    texts = [question.text for question in sheet.questions]
    assert run("review", "status") == (
        0, "问过 30 件：有结论 0（其中随机抽查 0），意见不一待裁定 0，不确定/跳过 0，没有看 30。\n", "",
    )  # fmt: skip
    fill(tmp_path, {2: ["推诿拖延"], 3: ["推诿拖延"], 4: {c.VERDICT: c.SKIPPED}}, "a.xlsx", by="王审")
    fill(tmp_path, {2: ["推诿拖延"], 3: ["形式主义"]}, "b.xlsx")
    line = "读到 {} 件判断（不确定/跳过 {}），新的或改过的 {} 件已存；没有看的 {} 件。\n"
    assert silent(run("review", "import", "a.xlsx"), texts) == (0, line.format(3, 1, 3, 27), "")
    assert run("review", "import", "a.xlsx") == (0, line.format(3, 1, 0, 27), "")
    assert run("review", "import", "b.xlsx", "--by", "李复") == (0, line.format(2, 0, 2, 28), "")
    status, out, err = silent(run("review", "status"), texts)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "问过 30 件：有结论 1（其中随机抽查 1），意见不一待裁定 1，不确定/跳过 1，没有看 27。",
        "  李复：标了 2 件",
        "  王审：标了 2 件",
        "两人以上都标过的 2 件，一致程度（1 为完全一致，0 为凑巧）：",
        "  推诿拖延：Krippendorff α 0.00，Cohen κ 0.00（出现比例 75%）",
        "  形式主义：Krippendorff α 0.00，Cohen κ 0.00（出现比例 25%）",
    ]
    status, out, err = silent(run("review", "disputes", "-o", "settle.xlsx"), texts)
    asked = next(batch for batch in Store(tmp_path / "feedback").batches() if batch.kind == "settle")
    assert (status, err) == (0, "")
    assert out == f"批次 {asked.id}：1 件待裁定。\n裁定表：settle.xlsx（含意见原文，只有你可读）\n"
    fill(tmp_path, {2: ["形式主义"]}, "settled.xlsx", by="丙", source="settle.xlsx")
    assert run("review", "import", "settled.xlsx") == (0, line.format(1, 0, 1, 0), "")
    assert run("review", "status")[1].startswith("问过 30 件：有结论 2（其中随机抽查 2），意见不一待裁定 0，")


def test_an_export_says_its_batch_and_that_the_sheet_is_private(run, round1, tmp_path):
    printed = run("review", "export", round1.folder, "-o", "review.xlsx", "--n", "30", "--audit", "10%")
    (batch,) = Store(tmp_path / "feedback").batches()
    assert silent(printed, [question.text for question in batch.questions]) == (
        0, f"批次 {batch.id}：30 件，其中随机抽查 3 件。\n复核表：review.xlsx（含意见原文，只有你可读）\n", "",
    )  # fmt: skip
    status, out, err = run(
        "review", "export", round1.folder, "-o", "tasks.json", "--label", "推诿拖延", "--n", "2"
    )
    assert (status, err) == (0, "")
    assert out.splitlines()[1:] == [
        "提示：指定了类别或部门，没有随机抽查；这样选出来的不能用来估计总的准确程度。",
        "复核表：tasks.json（含意见原文，只有你可读）",
    ]
    assert out.splitlines()[0].endswith("：2 件，其中随机抽查 0 件。")


def test_a_wrong_sheet_lists_its_problems_and_ends_with_one_error_line(run, sheet, tmp_path):
    fill(
        tmp_path, {2: {c.VERDICT: "差不多"}, 3: {c.CODE: "abc"}, 4: {c.VERDICT: c.RIGHT}}, "bad.xlsx", by="甲"
    )
    printed = silent(run("review", "import", "bad.xlsx"), [question.text for question in sheet.questions])
    assert (printed[0], printed[2]) == (2, "错误：bad.xlsx 有 2 处填得不对，没有导入；改好再导入即可。\n")
    assert printed[1].splitlines() == [
        "bad.xlsx“复核”第 2 行G列（复核）：不认识；可填：对、改、不确定/跳过，或留空。",
        "bad.xlsx“复核”第 3 行A列（行码）：这个行码不在导出的批次里，可能被改动，或这件意见已撤回；请从导出的表里恢复，撤回的删去这一行。",
    ]
    fill(tmp_path, {row: {c.VERDICT: "?"} for row in range(2, 32)}, "worse.xlsx", by="甲")
    status, out, err = run("review", "import", "worse.xlsx")
    assert (status, len(out.splitlines())) == (2, 20)
    assert err == "错误：worse.xlsx 有 30 处填得不对（只列出前 20 处），没有导入；改好再导入即可。\n"
    assert list(Store(tmp_path / "feedback").answers()) == []
    fill(tmp_path, {2: {c.VERDICT: c.RIGHT}}, "nameless.xlsx")
    assert run("review", "import", "nameless.xlsx") == (
        2, "", "错误：nameless.xlsx 没有写复核人；请在“说明”表填上名字，或加 --by 姓名。\n",
    )  # fmt: skip
    (tmp_path / "other").mkdir()
    assert run("review", "import", "bad.xlsx", "--workspace", "other") == (
        2, "", f"错误：本工作区没有导出过复核批次“{sheet.id}”；请在导出它的工作区里导入（--workspace）。\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["review", "export", "out"], "缺少选项 --output ；用法见“qingyi review export --help”。"),
        (["review", "export", "-o", "a.xlsx"], "缺少“结果文件夹”；用法见“qingyi review export --help”。"),
        (["review", "export", "out", "-o", "a.doc"], "-o 应是 .xlsx（复核表）或 .json（Label Studio）文件，a.doc 不是。"),
        (["review", "export", "out", "-o", "a.xlsx", "--n", "0"], "--n 应为 1 到 100000 的整数。"),
        (["review", "export", "out", "-o", "a.xlsx", "--audit", "2"], "--audit 应为 0 到 1 的比例，例如 0.2 或 20%。"),
        (["review", "export", "out", "-o", "a.xlsx"], "out 里没有完整的判定结果（opinions.parquet）；请给出“qingyi report”或“classify”的结果文件夹。"),
        (["review", "export", "out", "-o", "a.xlsx", "--department", "城管局"], "部门目录里没有“城管局”；请写目录里的名称或别名。"),
        (["review", "import"], "缺少“FILE”；用法见“qingyi review import --help”。"),
        (["review", "import", "a.xlsx"], "复核表应是 .xlsx 文件，a.xlsx 不是或找不到。"),
        (["review", "disputes", "-o", "a.xlsx"], "没有意见不一的标注，不用裁定。"),
        (["review", "status", "--workspace", "w"], "工作区文件夹 w 不存在；可用“qingyi init w”建立。"),
        (["train", "--force", ""], "--force 后面要写理由，理由会记下来。"),
        (["train", "--force", " "], "--force 后面要写理由，理由会记下来。"),
        (["models", "show", "nix"], "没有模型 nix；用“qingyi models list”看有哪些。"),
        (["models", "show", "../nix"], "这不是模型版本名；用“qingyi models list”看有哪些。"),
        (["models", "promote"], "缺少“版本”；用法见“qingyi models promote --help”。"),
        (["models", "promote", "nix"], "没有模型 nix；用“qingyi models list”看有哪些。"),
        (["models", "promote", "nix", "--reason", ""], "--reason 后面要写理由，理由会记下来。"),
        (["models", "rollback", "--reason", ""], "--reason 后面要写理由，理由会记下来。"),
        (["models", "rollback"], "没有更早的模型可以退回；用“qingyi models list”看有哪些版本。"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_exit_2(run, words, line):
    assert run(*words) == (2, "", f"错误：{line}\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "没有新的标注：请给出标注文件，或先用“qingyi review import”导入复核表。"),
        (["a.jsonl"], "找不到文件或文件夹：a.jsonl；请检查路径。"),
    ],
)
def test_training_without_labels_is_one_line_and_exit_2(run, pupil, words, line):
    assert run("train", *words) == (2, "", f"错误：{line}\n")


def test_labels_that_are_all_held_back_teach_nothing(run, pupil):
    text = next(
        text
        for text in (f"窗口让我跑了{i}趟还没办好。" for i in itertools.count(3))
        if text_key(mask(normalise(text))) % 5 == 0
    )
    (pupil / "a.jsonl").write_text(
        json.dumps({"id": "1", "text": text, "labels": ["stalling"]}, ensure_ascii=False), encoding="utf-8"
    )
    assert silent(run("train", "a.jsonl"), [text]) == (
        2, "", "错误：新标注全部落在冻结的检验部分，没有可学的；请多标一些再训练。\n",
    )  # fmt: skip


def test_a_refused_candidate_waits_for_a_reason_and_can_be_taken_back(run, pupil):
    models, base = pupil / "models", active_version(pupil / "models")
    head(SHIPPED / "data/labelled/added-T.jsonl", pupil / "new.jsonl", 35)
    texts = [
        json.loads(line)["text"] for line in (pupil / "new.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    stages = "分词与特征…\n训练与交叉验证…\n与当前模型比较…\n"

    # thirty-five opinions change a model of five hundred by more than the corpus part of the gate allows
    status, out, err = silent(run("train", "new.jsonl"), texts)
    candidate = next(path.name for path in models.glob("trained-*"))
    card = read_card(models, candidate)
    learnt, held = card["new_opinions"], card["frozen_opinions"]
    assert (status, err, learnt + held) == (0, stages, 35)
    lines = out.splitlines()
    assert lines[0] == f"新标注 {learnt} 件用来学，{held} 件冻结，只用来检验。"
    assert (
        lines[1]
        == f"像是标错的 {len(card['gate']['suspected'])} 件（照样用来学；请核对，全部列在检验页里）："
    )
    assert "开始训练，可能要几分钟。" in lines
    rules = [
        f"  {'✓' if rule['kept'] else '✗'} {rule['rule']}：{rule['found']}" for rule in card["gate"]["rules"]
    ]
    assert lines[-2 - len(rules) :] == [
        *rules,
        f"没有通过检验，没有启用；候选 {candidate} 留在登记里，当前模型不变。",
        f"检验页：{models}/{candidate}/report.html",
    ]
    assert active_version(models) == base

    figures = [
        f"意见 {one['opinions']} 件　交叉验证 micro-F1 {one['cross_validation']['micro_f1']:.3f}，"
        f"macro-F1 {one['cross_validation']['macro_f1']:.3f}"
        for one in (read_card(models, base), card)
    ]
    assert silent(run("models", "list"), texts) == (
        0,
        f"* {base}　随程序或由语料重建　{figures[0]}\n  {candidate}　{card['trained_at']}　{figures[1]}　没有通过检验\n",
        "",
    )

    status, out, err = silent(run("models", "show", candidate), texts)
    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == [
        f"模型 {candidate}　类别表 1.0　意见 {504 + learnt} 件",
        f"上一个模型 {base}；新标注 {learnt} 件，冻结检验 {held} 件",
        f"  学过 new.jsonl　{card['labelled'][0]['sha256'][:16]}…",
    ]
    assert out.splitlines()[-len(rules) :] == rules, "never active yet"

    assert run("models", "promote", candidate) == (
        2, "", f"错误：模型 {candidate} 没有通过检验；确要启用，请加 --reason 理由。\n",
    )  # fmt: skip
    assert run("models", "promote", candidate, "--reason", "领导同意") == (0, f"已启用 {candidate}。\n", "")
    move = history(models)[-1]
    assert (move["from"], move["to"], move["reason"]) == (base, candidate, "领导同意")
    assert run("models", "show")[1].splitlines()[-1] == f"{move['at']} 启用：领导同意"

    # the same labels again: no change, and so nothing worse
    status, out, err = silent(run("train", "new.jsonl"), texts)
    second = active_version(models)
    assert (status, err) == (0, stages)
    assert out.splitlines()[-2:] == [f"通过检验，已启用 {second}。", f"检验页：{models}/{second}/report.html"]
    assert second not in {base, candidate}
    assert run("models", "rollback", "--reason", "再看看") == (0, f"已退回 {candidate}。\n", "")
    assert (history(models)[-1]["to"], history(models)[-1]["reason"]) == (candidate, "再看看")
    assert run("models", "rollback") == (0, f"已退回 {base}。\n", "")
    assert active_version(models) == base


def test_an_archive_alone_that_does_not_help_is_said_in_words(run, pupil, write):
    write("a.txt", "\n".join(f"第{i}张发票，第{i}回去窗口问，再等等" for i in range(30)))
    status, out, _ = run("train", "--unlabelled", "a.txt")
    lines = out.splitlines()
    assert status == 0
    assert lines[:2] == [
        "没有新的标注可学，这次只看未标注的存档有没有帮助。",
        "开始训练，可能要几分钟。",
    ]
    rule = next(i for i, line in enumerate(lines) if line.startswith("  ✗ "))
    assert "提示：未标注的存档没有帮助，当前模型不变，可以不用。" in lines[rule:]


def test_a_damaged_version_is_listed_and_cannot_be_promoted(run, pupil):
    models, base = pupil / "models", active_version(pupil / "models")
    for name in ("cut", "empty"):
        shutil.copytree(models / base, models / name)
        card = {**read_card(models, base), "version": name}
        (models / name / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (models / "cut/card.json").write_text("{", encoding="utf-8")
    (models / "empty/weights.npz").write_bytes(b"")
    status, out, _ = run("models", "list")
    assert status == 0
    assert out.splitlines()[1] == "  cut　模型 cut 不完整或 card.json 损坏；请换一个版本或重建。"
    assert run("models", "promote", "cut") == (
        2, "", "错误：模型 cut 不完整或 card.json 损坏；请换一个版本或重建。\n",
    )  # fmt: skip
    assert run("models", "promote", "empty") == (
        2, "", "错误：模型 empty 的 weights.npz 与登记的摘要不符，可能损坏或被改动；请换一个版本或重建。\n",
    )  # fmt: skip
    assert active_version(models) == base
