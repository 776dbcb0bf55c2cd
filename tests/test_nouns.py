"""Taxonomy, directory and lexicon: what is guaranteed after loading, and what is refused."""

from __future__ import annotations

import pytest

from pipeline.directory import load_directory
from pipeline.errors import ResourceError
from pipeline.lexicon import load_lexicon
from pipeline.taxonomy import load_taxonomy

CODES = (
    "product_solicitation preferential_supply relatives_business cold_treatment favoritism unfair_evaluation "
    "gifts_and_bribes banquets_and_travel arbitrary_charges stalling retaliation opacity formalism other_issue "
    "praise suggestion"
).split()


def test_taxonomy_is_the_guides_sixteen_labels_in_order(workspace):
    assert list(workspace.taxonomy.codes) == CODES
    assert workspace.taxonomy.issues == tuple(CODES[:14])
    for label in workspace.taxonomy.labels:
        assert label.remedy.endswith("。")


def test_taxonomy_parses_in_its_own_order_and_names_the_nearest_code(workspace):
    assert workspace.taxonomy.parse("stalling; praise;stalling；favoritism") == (
        "favoritism",
        "stalling",
        "praise",
    )
    with pytest.raises(ResourceError, match="未知的标签代码“staling”，最接近的是“stalling”"):
        workspace.taxonomy.parse("staling")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace('code = "praise"', 'code = "stalling"'), "代码“stalling”重复"),
        (
            lambda t: t.replace('kind = "praise"', 'kind = "good"'),
            "labels.14.kind 应为 issue、praise 或 suggestion。",
        ),
        (lambda t: t + '\nextra = "x"\n', "labels.15.extra 不是认识的项目，请删去或改正拼写。"),
        (lambda t: t.replace('code = "praise"', 'code = "Praise!"'), "labels.14.code 应为小写英文与下划线。"),
        (lambda t: t + "\n[[labels", "不是有效的 TOML"),
    ],
)
def test_taxonomy_refuses(workspace, write, change, message):
    text = workspace.path("data/taxonomy.toml").read_text(encoding="utf-8")
    with pytest.raises(ResourceError, match=message):
        load_taxonomy(write("taxonomy.toml", change(text)))


HEADER = "code,name,parent,kind,aliases\n"


def test_directory_resolves_names_and_aliases(workspace):
    assert len(workspace.directory.names) == 21
    assert workspace.directory.resolve(" 质检 站") == "产品质量监督检验站"
    assert workspace.directory.resolve("城管局") is None


def test_aliases_may_be_parted_by_chinese_semicolons(write):
    directory = load_directory(write("departments.csv", HEADER + "A,甲处,,office,一处；甲科;甲股\n"))
    assert directory.departments[0].aliases == ("一处", "甲科", "甲股")


def test_labels_may_be_written_by_their_chinese_names(workspace):
    assert workspace.taxonomy.parse("表扬肯定；推诿拖延") == ("stalling", "praise")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("A,甲处,,office,一处\nB,乙处,,office,一处\n", "“一处”不唯一：第 2 行与第 3 行"),
        ("A,甲处,,office,\nA,乙处,,office,\n", "代码“A”重复：第 2 行与第 3 行"),
        ("A,,,office,\n", "第 2 行没有 code 或 name"),
        ("A,甲处,Z,office,\n", "第 2 行的上级代码“Z”不存在"),
        ("A,甲处,,offices,\n", "第 2 行的 kind“offices”不认识；可用：bureau、office、company、institute"),
        ("A,甲处,,office,的\n", "第 2 行的名称或别名“的”不能用"),
        ("A,未指明,,office,\n", "第 2 行的名称或别名“未指明”不能用"),
    ],
)
def test_directory_refuses_and_names_the_lines(write, lines, message):
    with pytest.raises(ResourceError, match=message):
        load_directory(write("departments.csv", HEADER + lines))


def test_lexicon_terms_are_single_words_with_a_class(workspace, reader):
    lexicon = workspace.lexicon
    assert len(lexicon.classes) + len(lexicon.patterns) >= 4000
    assert len(set(lexicon.classes.values())) >= 60
    assert lexicon.classes["小舅子"] == "kin"
    assert lexicon.patterns["跑了#趟"] == "counting_trips"
    assert not [term for term in lexicon.classes if "#" in term]
    for phrase in ("优亲厚友", "冷硬横推", "推诿扯皮", "门难进", "庸懒散", "吃拿卡要"):
        assert reader.segmenter.tokens(f"他们{phrase}") == ["他们", phrase]


def test_a_pattern_may_open_a_line_and_a_comment_needs_a_blank(write):
    lexicon = load_lexicon(write("lexicon.tsv", "term\tclass\tnote\n# 句式\n#趟\ttrips\t\n红包\tgift\t\n"))
    assert lexicon.patterns == {"#趟": "trips"}
    assert lexicon.classes == {"红包": "gift"}
    assert lexicon.digest != load_lexicon(write("b.tsv", "term\tclass\tnote\n红包\tgift\t\n")).digest


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("红 包\tgift\t", "第 2 行的词“红 包”含空格"),
        ("红包\tGift\t", "第 2 行的类别"),
        ("#次#趟\ttrips\t", "第 2 行的词“#次#趟”含"),
        ("红包", "第 2 行应有 2 或 3 列"),
        ("红包\tgift\t\n红包\tmeal\t", "第 3 行的词“红包”与第 2 行重复"),
    ],
)
def test_lexicon_refuses_and_names_the_line(write, line, message):
    with pytest.raises(ResourceError, match=message):
        load_lexicon(write("lexicon.tsv", "term\tclass\tnote\n" + line + "\n"))
