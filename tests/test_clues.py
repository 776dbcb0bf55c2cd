"""Clues: who is named with what, in sixty-odd opinions; the sealed workbook, its lock and its bytes."""

from __future__ import annotations

import dataclasses
import io
import stat

import msoffcrypto  # type: ignore[import-untyped]
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clues.named import who_is_named
from pipeline.clues.reasons import CONCERNS, REASONS, Evidence, clue_reasons
from pipeline.clues.words import gives, may_give
from pipeline.documents.clues import ClueRow, clue_row, write_clues
from pipeline.errors import InputError, OutputError
from pipeline.records import Finding, Opinion
from pipeline.text.clauses import split_clauses
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise

GIFTS, PRODUCT, RELATIVES, STALLING = (
    "gifts_and_bribes",
    "product_solicitation",
    "relatives_business",
    "stalling",
)
FEES, COLD, MEALS, PRAISE = "arbitrary_charges", "cold_treatment", "banquets_and_travel", "praise"

CLUES = [
    # bribery by label
    ("供应处王处长收了两条烟才给批条子。", GIFTS, "bribery"),
    ("质检站的李科长暗示要红包，不给就不发报告。", GIFTS, "bribery"),
    ("物资公司陈经理来厂里，走时拎了四箱汽水，没给钱。", PRODUCT, "bribery"),
    ("厂长黄大力说试用，拿去三台电扇，到现在没还。", PRODUCT, "bribery"),
    ("质检站的小赵，每次来都要样品，拿回家自己用。", PRODUCT, "bribery"),
    ("盐业公司老周，过年前挨家收红包。", GIFTS, "bribery"),
    ("张会计说账不好走。要走得先表示一下，我封了个信封给他。", GIFTS, "bribery"),
    ("被举报人：韦桂芳。收受购物卡，帮人内定名额。", GIFTS, "bribery"),
    ("求赵处长签个字，他要两瓶茅台。", GIFTS, "bribery"),
    ("请了钱副处长吃饭，席上塞给他一个信封。", GIFTS, "bribery"),
    ("希望纪委查处供销公司马经理收回扣的事。", GIFTS, "bribery"),
    ("建议把吴科长调走，他收了五百块。", f"{GIFTS};suggestion", "money bribery"),
    ("检验站导致许处长收红包成了惯例。", GIFTS, "bribery"),
    ("建议核实一下计财处孙科长的购物卡是从哪里来的。", GIFTS, "bribery"),
    # bribery by words alone: the label was missed, or another was given
    ("供应处李科长吃回扣，厂里谁不知道。", "", "bribery"),
    ("物资公司的老韩，认钱不认人，塞红包才发货。", STALLING, "bribery"),
    ("郑站长不送礼不办，拖了我们半年。", STALLING, "bribery"),
    ("外经处吴处长把批件压着，等我们送烟酒。", STALLING, "bribery"),
    ("罗科长收了五千，名额就给了别人。", "unfair_evaluation", "money"),
    ("开饭店的老刘给抄表员塞了两条烟，表就走得慢。", "other_issue", "bribery"),
    # amounts
    ("李科长收了500元才给办。", GIFTS, "money bribery"),
    ("开饭店的老刘给抄表员塞了五百块钱，表就走得慢。", GIFTS, "money bribery"),
    ("每家交了五百元水费。开饭店的老刘给抄表员塞了两条烟，表就走得慢。", GIFTS, "bribery"),
    ("企管处徐处长要三千块赞助费，不给发票。", FEES, "money"),
    ("培训班是人教处林科长办的。每人交了八百，一张收据也没有。", FEES, "money"),
    ("许主任的侄子没考试就进来了，听说花了2万。", RELATIVES, "money"),
    ("糖业公司唐经理一顿饭吃掉公家一千二百元。", MEALS, "money"),
    ("彭局长压着我们5万元补助不发。", STALLING, "money"),
    ("何站长罚了我们￥2000，没有罚款单。", FEES, "money"),
    ("余科长每月从运费里抽三百，年年如此。", GIFTS, "money bribery"),
    # dates
    ("蒋科长2023年5月把中标单位换成他表弟的公司。", RELATIVES, "date"),
    ("去年中秋，造纸公司何经理带着一家人来厂里吃住三天。", MEALS, "date"),
    ("3月8号，董科长当着大家的面把我轰出来。", COLD, "date"),
    ("一九八八年五月，夏处长把我们的钢材指标给了他战友的厂。", RELATIVES, "date"),
    ("方主任从2019年5月起用公车送孩子上学。", "other_issue", "date"),
    ("上个月15号，办公室秦主任让我们给他家修房子，人工没算钱。", "other_issue", "date"),
    ("田处长今年春节前说要“意思意思”。", GIFTS, "date bribery"),
    ("石校长去年九月收了三千块择校费，没开票。", FEES, "money date"),
    ("九月底评奖，评委罗主任给自己的徒弟打了满分。", "unfair_evaluation", "date"),
    ("二〇二四年三月十二日，供销公司余经理从仓库提走六箱酒，价值四千元。", PRODUCT, "money date bribery"),
    # the one addressed is not meant, another is
    ("尊敬的张厅长：供应处王科长去年中秋收了我们两条烟。", GIFTS, "date bribery"),
    (
        "王处长为人正派，两袖清风。可是他手下的李科长，报一次账要五百元好处费。",
        f"{GIFTS};{PRAISE}",
        "money bribery",
    ),
    ("我叫韦桂芳，实名反映设计院宋院长收回扣。", GIFTS, "bribery"),
]

NEAR_CLUES = [
    # nobody is named
    ("处长收了两条烟才给批条子。", GIFTS),
    ("有个科长2023年5月收了五千块。", GIFTS),
    ("检验站的人每次来都要拿样品。", PRODUCT),
    ("班主任收了我家三千块择校费。", FEES),
    ("对方经理要了500元，说是咨询费。", GIFTS),
    ("两任局长都收过礼。", GIFTS),
    # named, with nothing but conduct
    ("计财处的王处长态度差，话也不让人说完。", COLD),
    ("李科长总说研究研究，跑了五趟没办成。", STALLING),
    ("陈经理的弟弟包了全部运输。", RELATIVES),
    ("许主任开会只念稿子，表格一天三报。", "formalism"),
    # praise only
    ("王处长退回了我们送的两条烟，还批评了我们。", PRAISE),
    ("2023年5月李科长自己掏了500元给困难学生买鞋。", PRAISE),
    ("供应处老周从不收礼，说送红包就是看不起他。", PRAISE),
    ("感谢质检站陈站长，去年中秋加班给我们出报告。", PRAISE),
    ("感谢陈科长3月8号上门服务。窗口排队排了半天。", f"{STALLING};{PRAISE}"),
    # the writer's own name
    ("我叫王小明，去年5月交了500元押金没退。", FEES),
    ("举报人：李四。检验站2023年收了我厂三千块，没开票。", FEES),
    ("本人韦桂芳，2019年买断，补偿9340元至今没给。", STALLING),
    ("联系人黄大力，反映供应处收红包。", GIFTS),
    ("签名：黄大力。2024年3月1日", STALLING),
    ("姓名：张伟。乱收费500元，请查。", FEES),
    # greetings, requests, thanks
    ("尊敬的王书记：学校收了我们三千块建校费。", FEES),
    ("尊敬的省轻工厅张厅长：2023年5月检验站收了我们的红包。", GIFTS),
    ("陈厅长您好！我厂去年中秋送了两条烟才拿到指标。", GIFTS),
    ("李局长：2019年我交了5万元集资款，至今没有说法。", STALLING),
    ("王书记，我厂2023年交了5万元押金，拖到现在不退。", STALLING),
    ("检验站乱收费500元，恳请王书记查一查。", FEES),
    ("2023年5月交的材料没人管，希望张厅长过问。", STALLING),
    ("检验站收了我们三千块，请李书记为我们做主。", FEES),
    ("谢谢马书记。检验站要红包的事请查一查。", GIFTS),
    ("我们向刘主任反映了检验站2023年收红包的事。", GIFTS),
    # private persons beside an amount or a date
    ("邻居老刘2019年买的房，比我家少交500元。", "favoritism"),
    ("赵先生3月8号去办证，等了一上午。", STALLING),
    ("我们组小李年年销售第一，优秀给了陪领导打球的。去年奖金少了500元。", "unfair_evaluation"),
    # numbers that are neither amounts nor dates
    ("王科长管三万人的保险，忙得不见人影。", STALLING),
    ("李主任要我们填十几张表，盖了五个公章。", "formalism"),
    ("陈站长说万一查出来不好办，让我们等。", STALLING),
    # far away, or in another paragraph
    ("张科长讲话难听。窗口的人也一样。柜台上没有笔。椅子是坏的。灯不亮。2023年5月才修好。", COLD),
    ("王处长态度差。\n检验站2023年收了三千块。", f"{COLD};{FEES}"),
    # the clause says that nothing was given
    ("王处长为难人。没收过红包，就是脸难看。", COLD),
    ("贺科长讲廉政课时说不准收受红包，自己却天天迟到。", "other_issue"),
    # masked by mistake
    ("我的养老金，2019年起少了500元。", STALLING),
]


def reasons(text, labels, workspace, reader, evidence=""):
    """The reasons for a text as written; every label's evidence is ``evidence``, the whole text without it."""
    masked = mask(normalise(text))
    start = masked.index(evidence)
    end = start + len(evidence or masked)
    shown = [Evidence(code, start, end) for code in workspace.taxonomy.parse(labels)]
    return clue_reasons(
        masked, who_is_named(masked), split_clauses(masked), shown, workspace.taxonomy, reader.segmenter
    )


@pytest.mark.parametrize(("text", "labels", "expected"), CLUES)
def test_a_clue_and_its_reasons(text, labels, expected, workspace, reader):
    assert reasons(text, labels, workspace, reader) == tuple(expected.split())


@pytest.mark.parametrize(("text", "labels"), NEAR_CLUES)
def test_no_clue(text, labels, workspace, reader):
    assert reasons(text, labels, workspace, reader) == ()


def test_evidence_far_away_or_about_another_department_does_not_count(workspace, reader):
    text = "质标处〔姓名〕处长讲得细，条条听得懂。检验站就不同了，样品三台，留下一台没还。"

    def found(text, about=None):
        shown = Evidence(PRODUCT, text.index("样品"), len(text), about)
        return clue_reasons(
            text, who_is_named(text), split_clauses(text), [shown], workspace.taxonomy, reader.segmenter
        )

    assert found(text) == ("bribery",)
    assert found(text, [0, 1, 2, 3, 4]) == ("bribery",)
    assert found(text, [2, 3, 4]) == ()
    assert found(text.replace("检验站", "灯坏了，门也关不上，椅子没有。检验站")) == ()
    assert reasons("王处长2023年5月来过。", "", workspace, reader) == ()


def test_labels_of_another_taxonomy_are_concerned_as_they_are_told(workspace, reader):
    text = "质标处〔姓名〕处长来过，样品留下一台没还。"
    clauses, shown = split_clauses(text), [Evidence(STALLING, 0, len(text))]

    def found(concerns):
        return clue_reasons(
            text, who_is_named(text), clauses, shown, workspace.taxonomy, reader.segmenter, concerns
        )

    assert found(CONCERNS) == ()
    assert found(CONCERNS._replace(bribery=frozenset({STALLING}))) == ("bribery",)


def test_reasons_come_in_order_and_only_with_a_name(workspace, reader):
    assert REASONS == ("money", "date", "bribery")
    text = "处长2023年5月收了500元红包。"
    assert reasons(text, GIFTS, workspace, reader) == ()
    assert reasons("王" + text, GIFTS, workspace, reader) == REASONS


SAID = st.lists(
    st.one_of(
        st.sampled_from(
            "收了 送 两条烟 一箱酒 塞 红包 回扣 吃回扣 三 3 箱 条 购物卡 好处 打点 表示 五百块 礼 跑了三趟 ， 。 拿".split()
        ),
        st.text("收送塞拿红包礼烟酒卡钱一二三箱条斤0123，。 ", max_size=4),
    ),
    max_size=8,
).map("".join)


@given(parts=st.lists(SAID, min_size=1, max_size=5))
@settings(deadline=None)
def test_what_no_part_may_say_is_said_by_none(parts, reader):
    """A stretch is looked at as one before its clauses are: that may save work, and never a clue."""
    if any(gives(part, reader.segmenter) for part in parts):
        assert may_give("".join(parts), reader.segmenter.lexicon)


def test_most_stretches_need_not_be_looked_at_closely(reader):
    assert gives("塞了两条烟", reader.segmenter)
    assert not may_give("王科长态度不好，问了也没人理。", reader.segmenter.lexicon)


@given(
    st.lists(
        st.sampled_from(
            ["〔姓名〕", "处长", "收了", "500元", "2023年5月", "红包", "，", "。", "\n", "您好", "一", "万"]
        )
    )
)
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_and_names_are_needed(workspace, reader, pieces):
    text = "".join(pieces)
    found = clue_reasons(
        text,
        who_is_named(text),
        split_clauses(text),
        [Evidence(GIFTS, 0, len(text))],
        workspace.taxonomy,
        reader.segmenter,
    )
    assert list(found) == [reason for reason in REASONS if reason in found]
    assert not found or "〔姓名〕" in text
    assert who_is_named(text.replace("〔姓名〕", "")) == []


ROWS = (
    ClueRow(
        id="a-1", date="2025-03-12", departments=("物资供应处", "盐业公司"), labels=("收受财物",),
        reasons=("money", "bribery"), text="〔姓名〕处长收了500元。", probability=0.913,
    ),
    ClueRow(
        id="=1+1", date="", departments=("未指明",), labels=(), reasons=("bribery",), text='=HYPERLINK("x")\n〔姓名〕科长吃回扣。',
        probability=None,
    ),
)  # fmt: skip


LOCK = "清议-2026-密"


def sheet_rows(file):
    return list(openpyxl.load_workbook(file)["问题线索"].iter_rows(values_only=True))


def test_the_workbook_has_a_row_for_each_clue(tmp_path):
    assert write_clues(iter(ROWS), tmp_path / "sealed") == 2
    head, first, second = sheet_rows(tmp_path / "sealed/clues.xlsx")
    assert head == ("编号", "日期", "部门", "类别", "涉及", "意见（已脱敏）", "把握")
    assert first[:6] == (
        "a-1",
        "2025-03-12",
        "物资供应处、盐业公司",
        "收受财物",
        "钱款、收受财物",
        "〔姓名〕处长收了500元。",
    )
    assert first[6] == pytest.approx(0.913)
    assert (second[1], second[3], second[6]) == (None, None, None)


def test_the_first_sheet_says_what_it_is_and_who_may_read_it(tmp_path):
    write_clues(ROWS, tmp_path / "sealed")
    book = openpyxl.load_workbook(tmp_path / "sealed/clues.xlsx")
    assert book.sheetnames == ["说明", "问题线索"]
    guide = dict(row[:2] for row in book["说明"].iter_rows(values_only=True))
    assert {"这是什么", "谁可以看", "怎样办理", "涉及", "把握", "存放"} <= set(guide)
    assert "严禁转给或告知被反映的单位和个人" in guide["谁可以看"]
    assert "没有加密" in guide["存放"]


def test_no_cell_is_a_formula_and_no_long_text_is_lost_silently(tmp_path):
    long = dataclasses.replace(ROWS[0], text="〔姓名〕处长收红包。" * 4000)
    write_clues([*ROWS, long], tmp_path / "sealed")
    sheet = openpyxl.load_workbook(tmp_path / "sealed/clues.xlsx")["问题线索"]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert sheet["A3"].value == "=1+1"
    assert sheet["F4"].value.endswith("…（余下见原始材料）")


def test_only_the_owner_may_open_it(tmp_path):
    sealed = tmp_path / "sealed"
    sealed.mkdir(mode=0o755)
    write_clues(ROWS, sealed)
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o700
    assert stat.S_IMODE((sealed / "clues.xlsx").stat().st_mode) == 0o600
    assert [path.name for path in sealed.iterdir()] == ["clues.xlsx"]


def test_the_same_clues_give_the_same_bytes(tmp_path):
    write_clues(ROWS, tmp_path / "a")
    write_clues(iter(ROWS), tmp_path / "b")
    assert (tmp_path / "a/clues.xlsx").read_bytes() == (tmp_path / "b/clues.xlsx").read_bytes()


def test_rows_on_their_way_lie_in_the_sealed_folder_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    seen = []

    def rows():
        for row in ROWS:
            seen.append(sorted(path.name for path in (tmp_path / "sealed").iterdir()))
            yield row

    write_clues(rows(), tmp_path / "sealed")
    assert all(len(names) == 1 and names[0].startswith(".clues-") for names in seen)


def test_an_error_on_the_way_leaves_the_older_file_alone(tmp_path):
    write_clues(ROWS, tmp_path / "sealed")
    before = (tmp_path / "sealed/clues.xlsx").read_bytes()

    def broken():
        yield ROWS[0]
        raise InputError("坏了")

    with pytest.raises(InputError, match="坏了"):
        write_clues(broken(), tmp_path / "sealed")
    assert (tmp_path / "sealed/clues.xlsx").read_bytes() == before
    assert [path.name for path in (tmp_path / "sealed").iterdir()] == ["clues.xlsx"]


def test_what_does_not_fit_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.documents.clues.MOST_ROWS", 1)
    with pytest.raises(OutputError, match=r"^问题线索超过 1 件，一个表放不下；请把意见分成几批处理。$"):
        write_clues(ROWS, tmp_path / "sealed")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="不能写入问题线索"):
        write_clues(ROWS, tmp_path / "file" / "sealed")


def test_a_password_locks_it(tmp_path):
    write_clues(ROWS, tmp_path / "open")
    write_clues(iter(ROWS), tmp_path / "locked", password=LOCK)
    file = tmp_path / "locked/clues.xlsx"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "locked").iterdir()] == ["clues.xlsx"]
    assert "〔姓名〕".encode() not in file.read_bytes()
    with file.open("rb") as handle, pytest.raises(msoffcrypto.exceptions.InvalidKeyError):
        unlocked(handle, "清议-2026-错")
    with file.open("rb") as handle:
        content = unlocked(handle, LOCK)
    assert sheet_rows(content) == sheet_rows(tmp_path / "open/clues.xlsx")
    guide = [row[1] for row in openpyxl.load_workbook(content)["说明"].iter_rows(values_only=True)]
    assert any("AES-256" in text for text in guide)


def unlocked(handle, password):
    office = msoffcrypto.OfficeFile(handle)
    assert office.is_encrypted()
    office.load_key(password=password, verify_password=True)
    content = io.BytesIO()
    office.decrypt(content, verify_integrity=True)
    return content


@pytest.mark.parametrize("password", ["", "短", "x" * 256])
def test_a_password_has_a_length(tmp_path, password):
    with pytest.raises(InputError, match=r"^问题线索的密码应为 8 至 255 个字符。$"):
        write_clues(ROWS, tmp_path / "sealed", password=password)
    assert not (tmp_path / "sealed").exists()


def test_the_row_of_a_reading(reader, workspace):
    opinion = Opinion(id="7", text="盐业公司的老李，过年前挨家收红包。", collected_on="2025-03-01")
    (read,) = reader.read([opinion])
    findings = tuple(
        Finding(
            department="盐业公司", label=code, probability=probability, start=0, end=5, needs_review=False
        )
        for code, probability in ((GIFTS, 0.7), (MEALS, 0.8), (PRAISE, 0.9))
    )
    row = clue_row(dataclasses.replace(read, findings=findings, clue=("bribery",)), workspace.taxonomy)
    assert (row.id, row.date, row.departments) == ("7", "2025-03-01", ("盐业公司",))
    assert (row.labels, row.probability) == (("收受财物", "吃喝玩乐", "表扬肯定"), 0.8)
    assert "红包" not in repr(row)
    assert clue_row(dataclasses.replace(read, findings=()), workspace.taxonomy).probability is None
