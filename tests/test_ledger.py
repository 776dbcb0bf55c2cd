"""The rectification ledger: what is written, what people may do to it, how it is carried to the next round."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.documents.disclosure import DisclosedDepartment, Disclosure
from pipeline.documents.ledger import round_cells, write_ledger
from pipeline.errors import InputError
from pipeline.ledger.carrying import carry, together, under_present_labels
from pipeline.ledger.reading import read_ledger
from pipeline.ledger.rows import COLUMNS, KEY, STATES, LedgerRow, RoundCell
from pipeline.records import UNSPECIFIED

SUPPLY, SALT = "物资供应处", "盐业公司"
DUE, LATER = dt.date(2025, 8, 31), dt.date(2026, 3, 31)
MIDNIGHT = dt.datetime.combine(DUE, dt.time())
ROW = LedgerRow(
    department=SUPPLY, label="stalling", category="推诿拖延", statement="意见反映……", rounds="第一轮", count=12, unit=SUPPLY,
    leader="分管领导", person="张三", goal="限时办结", measure="逐件定承办人", due=DUE, progress="清理中\n已办三件", state="整改中",
    reviewer="李四", follow_up="电话回访满意",
)  # fmt: skip
CLOSED = replace(
    ROW, label="gifts_and_bribes", category="收受财物", state="已完成", closed=True, follow_up=""
)


@pytest.fixture
def ledger(tmp_path):
    """Rows written to a file."""

    def make(*rows):
        write_ledger(rows, tmp_path / "ledger.xlsx", title="整改台账（第一轮）")
        return tmp_path / "ledger.xlsx"

    return make


@pytest.fixture
def edited(ledger, tmp_path):
    """The path of a ledger after ``change`` was made to its sheet."""

    def make(change, *rows):
        book = openpyxl.load_workbook(ledger(*(rows or (ROW, CLOSED))))
        change(book["整改台账"])
        book.save(tmp_path / "edited.xlsx")
        return tmp_path / "edited.xlsx"

    return make


@pytest.fixture
def read(workspace):
    return lambda path: read_ledger(path, workspace.taxonomy, workspace.directory)


def carried(workspace, previous, cells, today=dt.date(2025, 10, 9), round_name="第二轮"):
    return carry(previous, cells, workspace.taxonomy, round_name=round_name, today=today, due=LATER)


def cell(label="stalling", after: int | None = 6, department=SUPPLY, **rest):
    return RoundCell(department=department, label=label, after=after, **rest)


def column(name):
    return COLUMNS.index(name) + 1


# --- writing --------------------------------------------------------------------------------------------------------


def test_the_columns_are_those_of_the_form(ledger):
    sheet = openpyxl.load_workbook(ledger(ROW))["整改台账"]
    assert [c.value for c in sheet[1]] == [
        *"序号 问题类别 问题表述（脱敏） 来源轮次 件数 责任单位 责任领导 责任人 整改目标 整改措施 完成时限 进展情况".split(),
        *"状态（未启动/整改中/已完成/逾期） 复核人 是否销号 回访结果 行码".split(),
    ]
    assert [c.value for c in sheet[2]] == [
        1, "推诿拖延", "意见反映……", "第一轮", 12, SUPPLY, "分管领导", "张三", "限时办结", "逐件定承办人", MIDNIGHT,
        "清理中\n已办三件", "整改中", "李四", "否", "电话回访满意", "stalling@物资供应处",
    ]  # fmt: skip
    assert sheet.column_dimensions["Q"].hidden
    assert not sheet.column_dimensions["P"].hidden
    assert not sheet.protection.sheet


def test_state_and_closing_are_chosen_from_lists_below_the_table_too(ledger):
    sheet = openpyxl.load_workbook(ledger(ROW))["整改台账"]
    lists = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert lists == {"M2:M202": '"未启动,整改中,已完成,逾期"', "O2:O202": '"是,否"'}


def test_the_workbook_explains_itself_and_calculates_nothing(ledger):
    book = openpyxl.load_workbook(ledger(replace(ROW, progress="=1+1", extra=(("备注", "=2"),))))
    assert book.sheetnames == ["整改台账", "说明"]
    assert "没有意见原文" in book["说明"]["B2"].value
    assert all(c.data_type != "f" for sheet in book for row in sheet.iter_rows() for c in row)


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in "ab":
        write_ledger([ROW, CLOSED], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


TEXT = st.text(st.sampled_from("整改进展，。；12 年月\n@（）=张*＊"), max_size=12).map(str.strip)
ROWS = st.builds(
    LedgerRow,
    department=st.sampled_from([SUPPLY, SALT, "目录外的单位"]),
    label=st.sampled_from(["stalling", "gifts_and_bribes", "gone_label"]),
    count=st.none() | st.integers(5, 10**6),
    due=st.dates(dt.date(1949, 1, 1), dt.date(2100, 12, 31)) | st.sampled_from(["", "长期", "立行立改"]),
    state=st.sampled_from(STATES),
    closed=st.booleans(),
    extra=st.just(()) | st.just((("备注", "甲"), ("联系电话", ""))),
    **dict.fromkeys(
        ("category", "statement", "rounds", "unit", "leader", "person", "goal", "measure", "progress", "reviewer", "follow_up"),
        TEXT,
    ),
)  # fmt: skip


@given(st.lists(ROWS, max_size=4, unique_by=lambda row: row.cell))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_back(tmp_path, workspace, rows):
    write_ledger(rows, tmp_path / "l.xlsx")
    back = read_ledger(tmp_path / "l.xlsx", workspace.taxonomy, workspace.directory)
    names = list(dict.fromkeys(name for row in rows for name, _ in row.extra))
    assert back == tuple(
        replace(row, extra=tuple((name, dict(row.extra).get(name, "")) for name in names)) for row in rows
    )


# --- reading --------------------------------------------------------------------------------------------------------


def test_columns_may_be_moved_added_and_taken_away_and_rows_too(edited, read):
    def change(sheet):
        sheet.delete_cols(column("来源轮次"))
        sheet.insert_cols(1)
        sheet["A1"], sheet["A3"] = "备 注", "等上级文件"
        sheet.move_range("P1:P3", cols=10)
        sheet.delete_rows(2)
        sheet.insert_rows(1, 2)
        sheet["B1"] = "某厅整改台账"

    (row,) = read(edited(change))
    assert row == replace(CLOSED, rounds="", extra=(("备注", "等上级文件"),))


def test_a_row_without_its_code_is_told_by_unit_and_category(edited, read):
    def change(sheet):
        sheet.delete_cols(len(COLUMNS) + 1)
        sheet.cell(2, column("责任单位")).value = "供应处"
        sheet.append(["", "吃喝玩乐", "", "", "", SALT])
        sheet.append(["填表人：王五"])

    rows = read(edited(change))
    assert [row.cell for row in rows] == [
        (SUPPLY, "stalling"), (SUPPLY, "gifts_and_bribes"), (SALT, "banquets_and_travel"),
    ]  # fmt: skip
    assert rows[0].unit == "供应处"
    assert (rows[2].state, rows[2].count, rows[2].due, rows[2].closed) == ("未启动", None, "", False)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (dt.date(2025, 12, 31), dt.date(2025, 12, 31)),
        ("2025年12月31日前", dt.date(2025, 12, 31)),
        ("2025-12-31", dt.date(2025, 12, 31)),
        ("2025.12.31", dt.date(2025, 12, 31)),
        (20251231, dt.date(2025, 12, 31)),
        ("2024年2月", dt.date(2024, 2, 29)),
        ("2025年9月底前", dt.date(2025, 9, 30)),
        ("长期坚持", "长期坚持"),
        (None, ""),
    ],
)
def test_dates_as_people_write_them(edited, read, written, meant):
    def change(sheet):
        sheet.cell(2, column("完成时限")).value = written

    assert read(edited(change))[0].due == meant


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("完成时限", "年底前", "（完成时限）：看不出是哪一天；请写成 2025年12月31日，没有期限的写“长期”。"),
        (
            "完成时限",
            "2025年13月",
            "（完成时限）：看不出是哪一天；请写成 2025年12月31日，没有期限的写“长期”。",
        ),
        (
            "状态（未启动/整改中/已完成/逾期）",
            "差不多了",
            "（状态）：不认识；可填：未启动、整改中、已完成、逾期。",
        ),
        ("是否销号", "待定", "（是否销号）：不认识；可填：是、否，或留空。"),
        ("件数", "十来件", "（件数）：应为整数，不知道的留空或写“＊”。"),
        (KEY, "物资供应处", "（行码）：被改动了，认不出是哪个部门的哪类问题；请恢复，或者清空。"),
        (KEY, "stalling@供应处", "（行码）：与第 2 行是同一部门的同一类问题；请合并成一行，或改正行码。"),
    ],
)
def test_a_wrong_cell_is_told_by_place(edited, read, name, value, message):
    def change(sheet):
        sheet.cell(3, [*COLUMNS, KEY].index(name) + 1).value = value

    with pytest.raises(InputError) as caught:
        read(edited(change))
    assert str(caught.value) == "edited.xlsx“整改台账”第 3 行" + message


@pytest.mark.parametrize(
    ("unit", "category", "message"),
    [
        ("外星处", "推诿拖延", "（责任单位）：不是目录里的部门；没有行码的行要写部门的正式名称。"),
        (SALT, "拖拉", "（问题类别）：不认识；没有行码的行要写：索要产品、"),
    ],
)
def test_a_row_that_cannot_be_told(edited, read, unit, category, message):
    with pytest.raises(InputError) as caught:
        read(edited(lambda sheet: sheet.append(["", category, "", "", "", unit])))
    assert str(caught.value).startswith("edited.xlsx“整改台账”第 4 行" + message)


def test_a_file_that_is_no_ledger(tmp_path, edited, read):
    with pytest.raises(InputError, match=r"^整改台账应是 \.xlsx 文件，a\.csv 不是或找不到。$"):
        read(tmp_path / "a.csv")
    with pytest.raises(
        InputError, match=r"edited\.xlsx 里没有整改台账：找不到有“责任单位”和“问题类别”两列的表头"
    ):
        read(edited(lambda sheet: sheet.delete_rows(1)))

    def doubled(sheet):
        sheet["A1"] = "责任人"

    with pytest.raises(InputError, match=r"edited\.xlsx“整改台账”有两列都叫“责任人”"):
        read(edited(doubled))


# --- carrying -------------------------------------------------------------------------------------------------------


def test_a_first_ledger_has_a_row_for_every_cell_of_five(workspace):
    cells = [
        cell(after=5), cell("gifts_and_bribes", after=4), cell("opacity", after=None), cell("praise", after=30),
        cell("suggestion", after=30), cell(department=UNSPECIFIED, after=90), cell("opacity", department=SALT, after=12),
    ]  # fmt: skip
    first, second = carried(workspace, (), cells, round_name="第一轮")
    label = workspace.taxonomy["stalling"]
    assert first == LedgerRow(
        department=SUPPLY, label="stalling", category="推诿拖延", rounds="第一轮", count=5, unit=SUPPLY, measure=label.remedy,
        statement=f"意见反映，物资供应处存在“推诿拖延”方面的问题，即：{label.definition}", due=LATER,
    )  # fmt: skip
    assert (second.cell, second.count) == ((SALT, "opacity"), 12)


def test_what_people_wrote_is_carried(workspace):
    (row,) = carried(workspace, [ROW], [cell(after=8)], today=DUE)
    assert row == replace(ROW, rounds="第一轮；第二轮", count=8, follow_up="电话回访满意\n第二轮：8件")


def test_a_date_that_has_passed_and_one_that_was_put_off(workspace):
    day = dt.timedelta(days=1)

    def state(row, today):
        return carried(workspace, [row], [], today=today)[0].state

    assert state(ROW, DUE) == "整改中"
    assert state(ROW, DUE + day) == "逾期"
    assert state(replace(ROW, state="未启动"), DUE + day) == "逾期"
    assert state(replace(ROW, state="已完成"), DUE + day) == "已完成"
    assert state(replace(ROW, state="逾期"), DUE) == "整改中"
    assert state(replace(ROW, due="长期"), LATER) == "整改中"
    assert state(replace(ROW, due="长期", state="逾期"), LATER) == "逾期"


def test_a_closed_row_stays_closed_or_relapses(workspace):
    gone = cell("gifts_and_bribes", after=0, before=12, share_before=0.08, share_after=0.0, change="gone")
    (row,) = carried(workspace, [replace(CLOSED, state="整改中")], [gone])
    assert row == replace(
        CLOSED, count=0, follow_up="第二轮：由12件（按件数占8.0%）到0件（按件数占0.0%），没有再出现"
    )
    few = replace(gone, after=None, share_after=None, change="fallen")
    (row,) = carried(workspace, [CLOSED], [few])
    assert (row.closed, row.state, row.follow_up) == (
        True,
        "已完成",
        "第二轮：由12件（按件数占8.0%）到＊件",
    )
    back = replace(gone, after=7, share_after=0.05, change="fallen")
    (row,) = carried(workspace, [CLOSED], [back])
    assert row == replace(
        CLOSED, state="未启动", closed=False, due=LATER, count=7, rounds="第一轮；第二轮",
        follow_up="第二轮：复发，由12件（按件数占8.0%）到7件（按件数占5.0%），明显减少",
    )  # fmt: skip


def test_a_small_count_is_never_written(workspace):
    (row,) = carried(
        workspace, [ROW], [cell(after=3, before=4, share_after=0.01, share_before=0.02, change="level")]
    )
    assert row.follow_up.endswith("第二轮：由＊件到＊件")
    assert row.count is None


def test_carrying_twice_changes_nothing_more(workspace):
    cells = [
        cell(after=8, before=12, change="fallen"),
        cell("opacity", department=SALT, after=9, before=0, change="new"),
    ]
    once = carried(workspace, [ROW, CLOSED], cells)
    assert [row.cell for row in once] == [ROW.cell, CLOSED.cell, (SALT, "opacity")]
    assert carried(workspace, once[:2], cells)[:2] == once[:2]


def test_a_row_of_a_category_that_is_no_more_is_carried_as_it_is(workspace):
    old = replace(ROW, label="former", category="旧类别", measure="")
    (row,) = carried(workspace, [old], [], today=DUE)
    assert row == replace(old, follow_up="电话回访满意\n第二轮：没有可比的件数")


def test_rows_go_on_under_the_present_labels_and_those_of_merged_ones_as_one(workspace):
    becomes = {"slow_work": "stalling", "red_tape": "stalling"}
    old = replace(
        ROW, label="slow_work", category="办事慢", rounds="第一轮", progress="已约谈", leader="", due=DUE
    )
    other = replace(
        old, label="red_tape", category="手续繁", rounds="第二轮", progress="已精简", leader="钱六", due=LATER
    )
    same = replace(ROW, label="opacity")

    def present(*rows):
        return under_present_labels(rows, lambda code: becomes.get(code, code))

    assert present(old, same) == (replace(old, label="stalling", category=""), same)
    (row,) = present(old, other)
    assert (row.label, row.category, row.rounds) == ("stalling", "", "第一轮；第二轮")
    assert (row.progress, row.leader, row.due, row.closed) == ("已约谈\n已精简", "钱六", DUE, False)
    closed = replace(old, closed=True, state="已完成")
    (row,) = present(closed, other)
    assert (row.closed, row.state, row.due) == (False, "整改中", LATER), "what is open stays open"
    (row,) = present(closed, replace(other, closed=True, state="已完成"))
    assert (row.closed, row.state) == (True, "已完成")
    (filled, *_) = carried(workspace, present(old), [])
    assert filled.category == "推诿拖延"


def test_cells_that_were_emptied_are_filled_again(workspace):
    (row,) = carried(workspace, [replace(ROW, measure="", statement="", leader="")], [], today=DUE)
    assert row.measure == workspace.taxonomy["stalling"].remedy
    assert row.statement.startswith("意见反映，物资供应处存在“推诿拖延”")
    assert row.leader == ""


def disclosed(taxonomy, opinions, **counts):
    cells = tuple((label, counts.get(label.code, 0)) for label in taxonomy.labels if label.kind == "issue")
    department = DisclosedDepartment(
        name=SUPPLY, series="处室", opinions=opinions, issue=None, praise=None, cells=cells
    )
    return Disclosure(
        issue=None, praise=None, suggestion=None, issues=(), sources=(), channels=(),
        departments=(department, replace(department, name=UNSPECIFIED)),
    )  # fmt: skip


def test_the_cells_of_two_rounds(workspace):
    taxonomy = workspace.taxonomy
    before = disclosed(taxonomy, 100, stalling=12, opacity=9, formalism=None)
    after = disclosed(taxonomy, 8, stalling=6, formalism=7, retaliation=5)
    cells = {c.label: c for c in round_cells(after, before, {(SUPPLY, "stalling"): "fallen"})}
    assert len(cells) == len(taxonomy.issues)
    assert cells["stalling"] == RoundCell(
        department=SUPPLY, label="stalling", after=6, before=12, share_before=0.12, change="fallen"
    )
    assert cells["opacity"].change == "gone"
    assert cells["retaliation"].change == "new"
    assert (cells["formalism"].before, cells["formalism"].change) == (None, "level")
    assert {c.change for c in round_cells(after)} == {None}


def test_the_first_ledger_of_a_run_gives_only_counts_that_may_be_given(workspace, tmp_path, round1, reader):
    from pipeline.documents.facts import Facts

    disclosure = Disclosure.of(Facts.collect(round1.tables, round1.run, reader.model.card, reader.taxonomy))
    rows = carried(workspace, (), round_cells(disclosure), round_name="第一轮")
    shown = {
        (d.name, label.code): n for d in disclosure.named for label, n in d.cells if n is not None and n >= 5
    }
    assert rows
    assert {row.cell: row.count for row in rows} == shown
    write_ledger(rows, tmp_path / "l.xlsx")
    assert read_ledger(tmp_path / "l.xlsx", workspace.taxonomy, workspace.directory) == rows


def test_ledgers_of_several_folders_are_one(workspace):
    """What a later round made by itself never takes the place of what people wrote of the round before."""
    worked = replace(ROW, progress="已约谈", person="", rounds="第一轮")
    fresh = replace(ROW, progress="", person="值班员", rounds="第二轮", count=7)
    assert together([[worked], [fresh]]) == (replace(worked, person="值班员"),)
    both = replace(worked, rounds="第一轮；第二轮", progress="已约谈，已退款")
    assert together([[worked], [fresh], [both]]) == (both,)
    assert together([[worked], [replace(fresh, progress="又约谈")]])[0].progress == "已约谈\n又约谈"
    closed = together([[worked], [replace(fresh, closed=True, state="已完成")]])[0]
    assert (closed.closed, closed.state, closed.rounds) == (True, "已完成", "第一轮")
    other = replace(ROW, label="opacity")
    assert together([[worked], [other], []]) == (worked, other)
