"""The command line as a promise: whole lines and exit codes."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time

import pytest

from pipeline import __version__
from pipeline.cli import qingyi
from pipeline.records import Opinion

ACCUSATION = "张科长收了两万块钱才肯盖章"


def test_help_and_version(run):
    status, out, err = run("--help")
    assert (status, err) == (0, "")
    assert out.startswith("用法：qingyi [选项] 命令 ...\n")
    assert [line.split()[0] for line in out.split("命令：\n")[1].split("\n\n")[0].splitlines()] == [
        "report", "classify", "compare", "evaluate", "review", "train", "models", "drift", "taxonomy", "corpus", "withdraw", "purge", "audit", "init",
    ]  # fmt: skip
    assert run("--version") == (0, f"qingyi {__version__}\n", "")
    assert run()[0] == 2


def test_help_of_every_command_is_in_chinese(run):
    words = [[name] for name in qingyi.commands]
    for name, command in qingyi.commands.items():
        words += [[name, inner] for inner in getattr(command, "commands", ())]
    assert len(words) == 28
    for each in words:
        status, out, _ = run(*each, "--help")
        assert status == 0
        assert not [word for word in ("Usage", "Options", "OPTIONS", "required", "Show this") if word in out]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["bogus"], "没有这个命令；可用命令：report、classify、compare、evaluate、review、train、models、drift、taxonomy、corpus、withdraw、purge、audit、init。"),
        (["review", "bogus"], "没有这个命令；可用命令：export、import、disputes、status。"),
        (["models", "bogus"], "没有这个命令；可用命令：list、show、promote、rollback、build。"),
        (["taxonomy", "bogus"], "没有这个命令；可用命令：check、migrate。"),
        (["drift"], "缺少“结果文件夹”；用法见“qingyi drift --help”。"),
        (["report"], "缺少“文件或文件夹...”；用法见“qingyi report --help”。"),
        (["report", "a.csv"], "缺少选项 --output ；用法见“qingyi report --help”。"),
        (["report", "a.csv", "-o"], "选项 -o 后面缺少值。"),
        (["report", "--foo"], "没有选项 --foo；用法见“qingyi report --help”。"),
        (["init", "a", "b"], "多余的参数；用法见“qingyi init --help”。"),
        (["report", "a.csv", "-o", "out", "--jobs", "0"], "--jobs 应为不小于 1 的整数。"),
        (["report", "a.csv", "-o", "out", "--column", "text"], "--column 应写成 字段=列名，例如 --column text=反映事项。"),
        (["report", "a.csv", "-o", "out"], "找不到文件或文件夹：a.csv；请检查路径。"),
        (["report", "a.csv", "-o", "out", "--workspace", "w"], "工作区文件夹 w 不存在；可用“qingyi init w”建立。"),
        (["evaluate", "a.jsonl"], "读不到标注文件 a.jsonl：路径不存在。"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_exit_2(run, words, line):
    assert run(*words) == (2, "", f"错误：{line}\n")


def test_unusable_input_says_what_where_and_what_to_do(run, write):
    write("a.csv", "甲,乙\n1,2\n")
    assert run("report", "a.csv", "-o", "out") == (
        2, "", "错误：文件 a.csv 找不到意见内容列；见到的列名：甲、乙。请用 --column text=列名 指定。\n",
    )  # fmt: skip
    write("b.csv", "反映事项\n办事拖拉，跑了八趟\n")
    status, out, err = run("classify", "b.csv", "-o", "out", "--column", "text=反映事项")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "读入 1 行，采用 1，未采用 0；重复 0。"


def test_a_result_that_cannot_be_written_is_exit_1(run, write):
    write("a.csv", "意见内容\n好\n")
    assert run("report", "a.csv", "-o", "a.csv") == (
        1, "", "错误：不能写入输出文件夹 a.csv：同名的文件已存在，请换一个名字。\n",
    )  # fmt: skip


def test_the_closing_summary_and_nothing_else(run, write):
    write(
        "a.csv",
        f"意见内容,部门,日期\n{ACCUSATION},城管局,昨天\n,质检站,2025-03-04\n质检站办事公道，从不收礼,,\n",
    )
    status, out, err = run("report", "a.csv", "-o", "out")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "读入 3 行，采用 2，未采用 1；重复 0。"
    assert lines[2:4] == [
        "提示：日期认不出，按空白处理（1 行）。",
        "提示：部门列中有 1 个名称不在部门目录里，按“未指明”统计（见 run.json）。",
    ]
    assert lines[4] == (
        "有 1 件问题线索另存在 out/sealed，只供纪检监察机构；其他文书里没有，件数也不含它们"
        "（opinions、findings、summary.csv 是数据，仍有）。"
    )
    assert lines[5].startswith("结果：out/report.html（用时 ")
    assert len(lines) == 6


def test_an_unexpected_error_shows_where_but_never_a_text(run, write, monkeypatch):
    def fail(*_args):
        raise ValueError(f"cannot read {ACCUSATION}")

    monkeypatch.setattr("pipeline.classifier.sight.is_valid", fail)
    write("a.csv", f"意见内容\n{ACCUSATION}\n")
    words = ("report", "a.csv", "-o", "out", "--jobs", "1")
    assert run(*words) == (
        1, "", "错误：程序内部出错（ValueError），没有写出结果，加 --debug 看出错的位置。\n",
    )  # fmt: skip
    status, out, err = run(*words, "--debug")
    assert (status, out) == (1, "")
    assert "in fail" in err
    assert err.endswith("错误：程序内部出错（ValueError），没有写出结果。\n")
    assert ACCUSATION not in err


def test_debug_keeps_the_exit_status(run):
    status, _, err = run("--debug", "report", "a.csv", "-o", "out")
    assert status == 2
    assert "find_files" in err
    assert err.endswith("错误：找不到文件或文件夹：a.csv；请检查路径。\n")


def test_interrupting_leaves_nothing(run, write, monkeypatch, tmp_path):
    def stop(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.classifier.sight.is_valid", stop)
    write("a.csv", "意见内容\n好\n")
    assert run("report", "a.csv", "-o", "out") == (130, "", "\n错误：已中断，没有写出结果。\n")
    assert not (tmp_path / "out").exists()


def test_being_told_to_end_leaves_nothing_either(tmp_path, write):
    many = write(
        "a.csv", "意见内容\n" + "\n".join(f"第{i}回去问，窗口说再等等，材料又退了回来" for i in range(4000))
    )
    started = [
        sys.executable,
        "-m",
        "pipeline",
        "report",
        str(many),
        "-o",
        str(tmp_path / "out"),
        "--jobs",
        "1",
    ]
    with subprocess.Popen(started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob("out/.qingyi-*/opinions.csv")) and process.poll() is None:
            time.sleep(0.02)
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, "\n错误：已中断，没有写出结果。\n")
    assert not (tmp_path / "out").exists()


def test_what_is_skipped_is_counted_not_named(run, write):
    write("in/a.csv", "意见内容\n好\n")
    write("in/李四举报.docx", "x")
    status, out, _ = run("classify", "in", "-o", "out")
    assert status == 0
    assert "提示：有 1 个文件不是可读的格式，已跳过（名称见 run.json）。" in out.splitlines()
    assert "李四" not in out


def test_a_workbook_that_is_open_is_named(run, write):
    write("in/下/a.csv", "意见内容\n质检站办事公道，从不收礼\n")
    write("in/下/~$a.csv", "\x05")
    write("in/~$别的.xlsx", "\x05")
    status, out, err = run("classify", "in", "-o", "out")
    assert (status, err) == (0, "")
    assert [line for line in out.splitlines() if line.startswith("提示：")] == [
        "提示：下/a.csv 正在被打开，可能有没保存的修改；请保存并关闭，再运行一次。"
    ]


def test_a_table_without_a_row_is_told(run, write):
    write("a.csv", "意见内容,部门\n")
    line = "提示：一行意见也没有读到，表里只有表头；请检查给的是不是这个文件。out 里现在是空的结果，以前的已被换下。"
    assert line in run("report", "a.csv", "-o", "out")[1].splitlines()
    write("a.csv", "意见内容,部门\n好,\n")
    assert line not in run("report", "a.csv", "-o", "out")[1].splitlines()


LABELLED = "\n".join(
    json.dumps({"id": identity, "text": text, "labels": labels}, ensure_ascii=False)
    for identity, text, labels in (
        ("a", ACCUSATION, ["gifts_and_bribes"]),
        ("b", "检验站的同志饭钱自己付，清正廉洁。", ["praise"]),
        ("c", "供应处办事热情周到，从不收礼。", ["stalling"]),
    )
)


def test_evaluation_names_the_worst_errors_by_id_and_shows_texts_only_when_asked(run, write, tmp_path):
    write("a.jsonl", LABELLED)
    status, out, _ = run("evaluate", "a.jsonl", "--json", "figures.json", "--page", "page.html")
    assert status == 0
    assert "c　漏判“推诿拖延”" in out
    assert out.splitlines()[-2:] == ["指标：figures.json", "页面：page.html"]
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("figures.json", "page.html")] == [
        0o600,
        0o600,
    ]
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    missed = [error["id"] for error in figures["worst"] if error["label"] == "stalling"]
    assert missed == ["c"]
    assert page.count("<svg") == 17
    assert "http" not in page
    for said in (out, page, json.dumps(figures, ensure_ascii=False)):
        assert "两万" not in said
        assert "热情周到" not in said
    assert "供应处办事热情周到，从不收礼。" in run("evaluate", "a.jsonl", "--texts")[1]
    assert run("evaluate", "a.jsonl", "--page", "nowhere/p.html")[::2] == (
        1,
        "错误：不能写入 nowhere/p.html：路径不存在。\n",
    )


def test_corpus_check_counts_and_names_repeats(run, write):
    again = {"id": "d", "text": f"{ACCUSATION}，真的。", "labels": ["stalling"], "note": "反语"}
    write("a.jsonl", LABELLED + "\n" + json.dumps(again, ensure_ascii=False))
    status, out, err = run("corpus", "check", "a.jsonl")
    assert (status, err) == (0, "")
    assert out.startswith("4 件：没有标签 0，两个以上标签 0，写明部门 0；")
    assert "  推诿拖延：2 件\n" in out
    assert "难例：反语 1，" in out
    assert "与前面重复或近似的 1 件（25.0%）\n  d 近似 a\n" in out
    assert ACCUSATION not in out


def test_evaluate_prints_and_writes_figures(run, write, tmp_path, reader):
    texts = ["一个章跑了八趟，拖了半年还没办。", "没有意见"]
    readings = reader.read([Opinion(id=str(number), text=text) for number, text in enumerate(texts)])
    records = [
        {"text": text, "labels": found.labels, "pairs": [[f.department, f.label] for f in found.findings]}
        for text, found in zip(texts, readings, strict=True)
    ]
    write("a.jsonl", "\n".join(json.dumps(record, ensure_ascii=False) for record in records))
    status, out, _ = run("evaluate", "a.jsonl", "--json", "figures.json")
    assert status == 0
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert f"模型 {figures['model']}，意见 2 件" in out
    assert figures["micro_f1"] == figures["pair_f1"] == 1.0
    assert run("evaluate", "a.jsonl", "--json", "nowhere/f.json")[::2] == (
        1, "错误：不能写入 nowhere/f.json：路径不存在。\n",
    )  # fmt: skip


def test_init_makes_a_workspace_and_never_overwrites(run, tmp_path):
    status, out, _ = run("init", "space")
    assert status == 0
    assert out.splitlines()[0] == "已建立 space/data/taxonomy.toml"
    (tmp_path / "space/data/departments.csv").write_text("mine", encoding="utf-8")
    assert run("init", "space") == (0, "space 已是完整的工作区，没有改动。\n", "")
    assert (tmp_path / "space/data/departments.csv").read_text(encoding="utf-8") == "mine"


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom pipeline.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'numpy', 'sklearn', 'rjieba', 'pyarrow', 'joblib', 'tqdm', 'jinja2', 'pydantic'}\n"
        "sys.exit(' '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_module_runs_as_the_command_does():
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"qingyi {__version__}\n")
