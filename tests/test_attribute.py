"""Departments by name and alias, clause by clause."""

from __future__ import annotations

import pytest

from pipeline.attribute import Mentions, assign_clauses, fallback_department
from pipeline.records import UNSPECIFIED
from pipeline.text.clauses import split_clauses
from pipeline.text.segment import Segmenter


def departments(workspace, text, column=""):
    mentions, fallback = Mentions(workspace.directory, Segmenter(workspace.lexicon)).spoken_about(
        text, fallback_department(column, workspace.directory)
    )
    clauses = split_clauses(text)
    assigned = assign_clauses(clauses, mentions, fallback)
    return {
        name: [text[clauses[i].start : clauses[i].end] for i in indices] for name, indices in assigned.items()
    }


def test_each_clause_goes_to_the_department_last_named(workspace):
    text = "供应处办事快，物资公司却要我们按优惠价供货，还要赊账。"
    assert departments(workspace, text, "质检站") == {
        "物资供应处": ["供应处办事快"],
        "轻工物资公司": ["物资公司却要我们按优惠价供货", "还要赊账"],
    }


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("拿走两箱酒", "质监站", {"产品质量监督检验站"}),
        ("拿走两箱酒", "城管局", {UNSPECIFIED}),
        ("拿走两箱酒", "", {UNSPECIFIED}),
        ("轻工物资公司卖高价", "", {"轻工物资公司"}),
        ("石油公司供应处卖高价", "供应处", {UNSPECIFIED}),
        ("县盐业公司卖高价", "", {UNSPECIFIED}),
        ("到县里的盐业公司去问", "", {"盐业公司"}),
        ("厅里管不住物资公司", "", {"轻工物资公司"}),
        ("厅里开会太多", "", {"轻工业厅"}),
        ("尊敬的质检站领导：供销公司多扣了钱", "", {"轻工供销公司"}),
        ("在办公室里坐着没人理", "", {UNSPECIFIED}),
        ("厅办公室答复快", "", {"办公室"}),
        ("几个人在大厅里闲聊", "", {UNSPECIFIED}),
        ("去移动营业厅办理套餐", "", {UNSPECIFIED}),
        ("最年轻校长是他", "", {UNSPECIFIED}),
        ("人事处长的侄子进了厂", "", {"人事教育处"}),
        ("省教育厅领导来过", "", {UNSPECIFIED}),
        ("厅领导来过", "", {"轻工业厅"}),
        ("省建筑设计院的图", "", {UNSPECIFIED}),
        ("设计院改图要加钱", "", {"轻工设计院"}),
        ("省教育厅人事处的人来过", "", {UNSPECIFIED}),
        ("我们厂的质检站扣了三箱", "", {UNSPECIFIED}),
        ("没去过质检站，只听说供应处要酒", "", {"物资供应处"}),
        ("外经处9分，设计院没打过交道，质量标准处，无意见", "", {"对外经济处"}),
        ("质检站没有意见箱，供应处不讲理", "", {"产品质量监督检验站", "物资供应处"}),
    ],
)
def test_departments(workspace, text, column, expected):
    assert set(departments(workspace, text, column)) == expected
