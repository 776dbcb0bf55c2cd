"""The audit log: what is recorded, that nothing secret is, and that every change of it shows, by its place."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import stat
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audit.chain import HEAD, LOG, Fault, append, check, records
from pipeline.audit.recording import FOLDER, _who, recorded, recording
from pipeline.errors import InputError, OutputError
from pipeline.papers import Order
from pipeline.run import classify
from pipeline.workspace import SHIPPED

CANARY = "局长张三收红包五万元一事"
TABLE = f"编号,意见内容,日期\nk1,{CANARY}，群众反映强烈。,2026-03-01\nk2,办事窗口态度很好，提出表扬。,2026-03-02\n"


def log_of(folder, count):
    for number in range(count):
        append(folder, {"event": "begun", "command": f"命令{number}"})
    return folder


def lines_of(folder):
    return (folder / LOG).read_bytes().splitlines(keepends=True)


def changed(folder, lines):
    (folder / LOG).write_bytes(b"".join(lines))
    return check(folder).fault


@pytest.fixture
def long(tmp_path):
    return log_of(tmp_path / "audit", 6)


def test_an_untouched_log_is_whole(long):
    found = check(long)
    assert (found.lines, found.fault, found.unfinished, found.ahead) == (6, None, False, False)
    assert [record["n"] for record in records(long)] == [1, 2, 3, 4, 5, 6]
    assert stat.S_IMODE(long.stat().st_mode) == 0o700
    assert {stat.S_IMODE((long / name).stat().st_mode) for name in (LOG, HEAD)} == {0o600}


@pytest.mark.parametrize("at", range(6))
def test_an_edited_line_is_named(long, at):
    lines = lines_of(long)
    lines[at] = lines[at].replace("命令".encode(), "口令".encode())
    assert changed(long, lines) == Fault(at + 1, "edited")


@pytest.mark.parametrize("at", range(6))
def test_a_removed_line_is_named(long, at):
    lines = lines_of(long)
    del lines[at]
    assert changed(long, lines) == Fault(at + 1, "removed" if at < 5 else "cut")


@pytest.mark.parametrize("at", range(1, 6))
def test_a_line_put_in_again_is_named(long, at):
    lines = lines_of(long)
    lines.insert(at, lines[0])
    assert changed(long, lines) == Fault(at + 1, "inserted")


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 4), (4, 5)])
def test_lines_that_changed_places_are_named(long, one, other):
    lines = lines_of(long)
    lines[one], lines[other] = lines[other], lines[one]
    assert changed(long, lines) == Fault(one + 1, "reordered")


@pytest.mark.parametrize("left", range(6))
def test_a_tail_cut_off_shows_also_after_another_command(long, left):
    assert changed(long, lines_of(long)[:left]) == Fault(left + 1, "cut")
    append(long, {"event": "begun", "command": "后来的"})
    assert check(long).fault == Fault(left + 1, "removed")


def test_a_tail_cut_off_with_the_head_shows(long):
    (long / LOG).write_bytes(b"".join(lines_of(long)[:3]))
    (long / HEAD).unlink()
    assert check(long).fault == Fault(3, "headless")
    append(long, {"event": "begun"})
    assert check(long).fault == Fault(4, "headless")


@pytest.mark.parametrize("left", [0, 1])
def test_a_log_cut_to_its_first_line_or_to_nothing_with_the_head_shows(long, left):
    (long / LOG).write_bytes(b"".join(lines_of(long)[:left]))
    (long / HEAD).unlink()
    assert check(long).fault == Fault(1, "headless")
    append(long, {"event": "begun"})
    assert check(long).fault == Fault(left + 1, "headless")


def test_a_log_taken_away_without_its_head_shows(long):
    (long / LOG).unlink()
    assert check(long).fault == Fault(1, "cut")


def test_a_kill_within_the_very_first_line_is_no_tampering(tmp_path, monkeypatch):
    def die(*_args):
        raise KeyboardInterrupt

    folder = tmp_path / "audit"
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.audit.chain._digest", die)
        with pytest.raises(KeyboardInterrupt):
            append(folder, {"event": "begun"})
    assert (check(folder).fault, check(folder).ahead) == (None, True)
    append(folder, {"event": "begun"})
    assert (check(folder).fault, check(folder).lines) == (None, 2)


def test_an_account_without_a_name_is_recorded(monkeypatch):
    def none(*_args):
        raise ImportError

    monkeypatch.setitem(sys.modules, "pwd", None)  # as where there is none
    monkeypatch.setattr("getpass.getuser", none)
    assert _who() == str(os.getuid())
    monkeypatch.delattr("os.getuid")
    assert _who() == "未知"


def test_lines_forged_at_the_end_show(long):
    head = (long / HEAD).read_bytes()
    append(long, {"event": "begun", "command": "伪造"})
    append(long, {"event": "begun", "command": "伪造"})
    (long / HEAD).write_bytes(head)
    assert check(long).fault == Fault(7, "inserted")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_of_a_byte_shows(tmp_path_factory, data):
    folder = log_of(tmp_path_factory.mktemp("log") / "audit", 3)
    content = bytearray((folder / LOG).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    (folder / LOG).write_bytes(content)
    found = check(folder)
    # the very last line break cannot be told from one that was never written
    assert found.fault or (at == len(content) - 1 and found.unfinished)


@pytest.mark.parametrize("half", [1, 40, -1])
def test_a_line_half_written_by_a_kill_is_no_tampering(long, half):
    whole, before = lines_of(long), (long / HEAD).read_bytes()
    append(long, {"event": "begun", "command": "被杀"})
    last = lines_of(long)[-1]
    (long / LOG).write_bytes(b"".join(whole) + last[:half])
    (long / HEAD).write_bytes(before)
    found = check(long)
    assert (found.fault, found.unfinished, found.lines) == (None, True, 6)
    append(long, {"event": "begun", "command": "下一条"})
    found = check(long)
    assert (found.fault, found.unfinished, found.lines) == (None, False, 8)
    assert ("被杀" in [record.get("command") for record in records(long)]) == (half == -1)


def test_a_kill_before_the_head_is_no_tampering(long):
    before = (long / HEAD).read_bytes()
    append(long, {"event": "begun", "command": "被杀"})
    (long / HEAD).write_bytes(before)
    assert (check(long).fault, check(long).ahead) == (None, True)
    append(long, {"event": "begun", "command": "下一条"})
    assert (check(long).fault, check(long).ahead, check(long).lines) == (None, False, 8)


def test_commands_at_once_chain_properly(tmp_path):
    folder = tmp_path / "audit"
    folder.mkdir()
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=log_of, args=(folder, 15)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert (check(folder).lines, check(folder).fault) == (60, None)


def test_what_became_of_a_command_is_recorded(tmp_path):
    with recording(tmp_path, "report", options={"day": ""}, outputs=["out"]) as entry:
        entry.model = "m"
        entry.counted(["b", "a"])
    with pytest.raises(InputError), recording(tmp_path, "train", options={}):
        raise InputError("不行")
    with pytest.raises(KeyboardInterrupt), recording(tmp_path, "drift", options={}):
        raise KeyboardInterrupt
    with pytest.raises(ZeroDivisionError), recording(tmp_path, "compare", options={}):
        raise ZeroDivisionError
    append(tmp_path / FOLDER, {"event": "begun", "command": "purge"})
    found = recorded(tmp_path)
    assert [(one.command, one.outcome, one.error) for one in found] == [
        ("report", "done", ""),
        ("train", "refused", "InputError"),
        ("drift", "interrupted", ""),
        ("compare", "failed", "ZeroDivisionError"),
        ("purge", "killed", ""),
    ]
    assert found[0].outputs[0].is_absolute()
    assert found[0].rows["count"] == 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found[0].at)


def test_names_that_no_encoding_knows_are_kept(tmp_path):
    with recording(tmp_path, "report", options={"file": "\udcff名"}):
        pass
    assert recorded(tmp_path)[0].options == {"file": "\udcff名"}
    assert check(tmp_path / FOLDER).fault is None


def test_a_run_is_recorded_by_files_and_ids_without_a_word_or_a_password(tmp_path):
    (tmp_path / "意见.csv").write_text(TABLE, encoding="utf-8")
    order = Order(office="某某办", password="十分保密的长口令")
    classify([tmp_path / "意见.csv"], tmp_path / "out", workspace=tmp_path, jobs=1, order=order)
    begun, ended = records(tmp_path / FOLDER)
    assert (begun["command"], begun["outputs"]) == ("classify", [str((tmp_path / "out").resolve())])
    assert (begun["options"]["office"], begun["options"]["seal"]) == ("某某办", True)
    assert (ended["of"], ended["outcome"], ended["rows"]["count"]) == (1, "done", 2)
    run = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
    assert ended["inputs"] == [{"name": "意见.csv", "sha256": run["files"][0]["sha256"]}]
    assert ended["model"] == run["model"]
    written = (tmp_path / FOLDER / LOG).read_text(encoding="utf-8")
    assert CANARY not in written
    assert "保密" not in written


def test_where_the_log_cannot_be_written_the_command_says_so_and_works(tmp_path, capsys):
    (tmp_path / FOLDER).write_text("不是文件夹")
    (tmp_path / "意见.csv").write_text(TABLE, encoding="utf-8")
    result = classify([tmp_path / "意见.csv"], tmp_path / "out", workspace=tmp_path, jobs=1)
    assert result.run["rows_accepted"] == 2
    assert re.fullmatch(r"提示：不能写入操作日志 .*，这次操作没有记入。\n", capsys.readouterr().err)
    with (
        pytest.raises(OutputError, match="没有改动任何东西"),
        recording(tmp_path, "withdraw", options={}, needed=True),
    ):
        pytest.fail("it went on")


def test_the_commands_record_and_verify_and_show(run, tmp_path):
    (tmp_path / "意见.csv").write_text(TABLE, encoding="utf-8")
    assert run("audit", "verify")[0] == 0
    assert run("classify", "意见.csv", "-o", "out", "--jobs", "1")[0] == 0
    assert run("classify", "没有.csv", "-o", "out2")[0] == 2
    assert run("review", "export", "out", "-o", "复核.xlsx")[0] == 0
    assert run("compare", "out", "out2", "-o", "比较")[0] == 2
    status, out, _ = run("audit", "show")
    assert status == 0
    rows = [re.split("　", line.strip()) for line in out.splitlines()]
    assert [(row[3], row[4], row[5]) for row in rows] == [
        ("classify", "完成", "2 件"),
        ("classify", "未做（InputError）", "—"),
        ("review export", "完成", "1 件"),
        ("compare", "未做（InputError）", "—"),
    ]
    assert len(run("audit", "show", "--last", "2")[1].splitlines()) == 2
    assert run("audit", "show", "--last", "0")[0] == 2
    status, out, _ = run("audit", "verify")
    assert (status, "完好：8 行" in out) == (0, True)
    path = tmp_path / FOLDER / LOG
    path.write_bytes(path.read_bytes().replace(b"out2", b"out3", 1))
    status, _, err = run("audit", "verify")
    assert (status, "第 3 行被改动过" in err, err.count("\n")) == (1, True, 1)


def test_models_and_migrations_are_recorded(run, tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise InputError("不行。")

    monkeypatch.setattr("pipeline.learn.registry.own_models", refuse)
    monkeypatch.setattr("pipeline.training.train", refuse)
    taxonomy = (SHIPPED / "data/taxonomy.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"', taxonomy, re.MULTILINE)
    assert version
    (tmp_path / "改.toml").write_text(
        f'from = "{version[1]}"\nto = "99"\n[[steps]]\naction = "没有"\n', encoding="utf-8"
    )
    assert run("taxonomy", "migrate", "改.toml")[0] == 2
    assert run("models", "promote", "没有这个")[0] == 2
    assert run("models", "rollback")[0] == 2
    assert run("review", "import", "没有.xlsx")[0] == 2
    assert run("train", "没有.csv")[0] == 2
    assert run("drift", "没有")[0] == 2
    assert run("evaluate", "没有.csv")[0] == 2
    found = [(one.command, one.outcome) for one in recorded(tmp_path)]
    commands = (
        "taxonomy migrate",
        "models promote",
        "models rollback",
        "review import",
        "train",
        "drift",
        "evaluate",
    )
    assert found == [(command, "refused") for command in commands]
