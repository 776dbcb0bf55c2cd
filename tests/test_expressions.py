"""Typical expressions: shared by many, traceable to none."""

from __future__ import annotations

import pytest

from pipeline.expressions import CELL, LONGEST, SHARED, Evidence, typical_expressions
from pipeline.text.segment import Segmenter


@pytest.fixture(scope="module")
def segmenter(workspace):
    return Segmenter(workspace.lexicon)


def cell(texts, units=None, department="盐业公司", label="stalling"):
    units = units or [""] * len(texts)
    return [
        Evidence(department, label, str(number), unit, text)
        for number, (text, unit) in enumerate(zip(texts, units, strict=True))
    ]


OTHERS = ["窗口没人", "电话打不通", "说领导不在家", "等了一上午", "让下周再来"]
MORE = ["价目表没贴", "账目看不到", "结果不公示", "名额谁定的", "标准说不清"]
SAME = [
    "材料要反复修改",
    "他们说材料要反复修改才行",
    "又是材料要反复修改",
    "材料要反复修改，真累",
    "还要材料要反复修改",
]


def test_what_many_say_is_typical(segmenter):
    found = typical_expressions(cell(SAME + OTHERS), segmenter)
    assert list(found) == [("盐业公司", "stalling")]
    assert all(
        sum(expression in text for text in SAME + OTHERS) >= SHARED
        for expression in found["盐业公司", "stalling"]
    )
    assert found["盐业公司", "stalling"][0] in "材料要反复修改"
    assert all(len(expression) <= LONGEST for expression in found["盐业公司", "stalling"])


def test_small_cells_and_rare_words_are_not_quoted(segmenter):
    assert not typical_expressions(cell((SAME + OTHERS)[: CELL - 1]), segmenter)
    assert not typical_expressions(cell(SAME[: SHARED - 1] + OTHERS + ["好", "行", "快"]), segmenter)


def test_repeats_of_one_opinion_do_not_make_it_typical(segmenter):
    repeated = [item._replace(cluster="0") for item in cell(SAME)]
    assert not typical_expressions(repeated + cell(OTHERS * 3), segmenter)


def test_what_one_unit_says_is_not_quoted_and_no_units_name(segmenter):
    units = ["甲厂"] * len(SAME) + ["乙厂", "丙厂", "丁厂", "戊厂", "己厂"]
    assert not typical_expressions(cell(SAME + OTHERS, units), segmenter)
    named = [f"长城机械厂{end}" for end in ("来了", "去过", "问过", "等着", "找过")]
    others = ["长城机械厂", "乙厂", "丙厂", "丁厂", "戊厂", "己厂", "庚厂", "辛厂", "壬厂", "癸厂"]
    assert typical_expressions(cell(named + OTHERS, others), segmenter)
    assert not typical_expressions(cell(named + OTHERS, others), segmenter, units=["长城机械厂"])


def test_names_numbers_and_masked_data_are_in_no_expression(segmenter):
    texts = [
        "秦卓拿了材料",
        "秦卓要好处费",
        "秦卓收了东西",
        "秦卓总不办事",
        "秦卓拿材料卡人",
        "〔手机号〕打过去没人",
        "花了300块钱办证",
    ]
    found = typical_expressions(cell(texts * 2 + OTHERS), segmenter)
    said = "".join(expression for expressions in found.values() for expression in expressions)
    assert "秦卓" not in said
    assert "〔" not in said
    assert "3" not in said


def test_what_is_said_of_everything_is_typical_of_nothing(segmenter):
    common = [f"{text}，相关部门的答复" for text in SAME + OTHERS]
    both = cell(common) + [
        item._replace(cluster=f"x{item.cluster}")
        for item in cell([f"{text}，相关部门的答复" for text in (*OTHERS, *MORE)], label="opacity")
    ]
    found = typical_expressions(both, segmenter)
    assert not any("部门" in expression for expressions in found.values() for expression in expressions)
    assert found["盐业公司", "stalling"]


def test_no_department_is_in_an_expression(segmenter):
    said = cell(
        [f"材料要反复修改，供销公司{end}" for end in ("说的", "要的", "定的", "压的", "管的")] + OTHERS
    )
    assert any(
        "供销公司" in phrase for phrase in typical_expressions(said, segmenter)["盐业公司", "stalling"]
    )
    found = typical_expressions(said, segmenter, ["轻工供销公司", "供销公司"])["盐业公司", "stalling"]
    assert found
    assert not any("供销公司" in phrase for phrase in found)


def test_one_text_pasted_for_many_departments_is_one_voice(segmenter):
    pasted = [
        Evidence("", "stalling", f"copy{number}", "", "窗口那个染红头发的不给办") for number in range(15)
    ]
    found = typical_expressions(pasted + cell(OTHERS * 3, department=""), segmenter)
    assert not any("红头发" in phrase for phrases in found.values() for phrase in phrases)
