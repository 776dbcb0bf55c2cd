"""The paper: page and styles after GB/T 9704-2012, numbering, tables, and files that are the same byte for byte."""

from __future__ import annotations

import re
import zipfile

import docx
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Length

from pipeline.documents.word import Column, Imprint, Paper

COLUMNS = (Column("部门", 60), Column("件数", 20, "number"))


def written(path):
    """A paper with everything in it."""
    paper = Paper("关于评议意见情况的专报", mark="内部资料", subtitle="（送审稿）")
    paper.addressee("盐业公司")
    paper.heading("基本情况")
    paper.text("收到意见300件，“试用”、“借用”——各有反映。")
    paper.heading("意见分布")
    paper.point("索要产品。", "28件。")
    paper.heading("建议")
    paper.table(
        "各部门件数", COLUMNS, [["处室"], ["办公室", "12"], ["人事处", "—"]], note="注：件数已合并重复。"
    )
    paper.text("最后一段。")
    paper.enclosures(("统计表", "方法说明"))
    paper.sign(Imprint("轻工业厅", "2026-11-03"))
    paper.annex(1, "统计表", landscape=True)
    paper.table("", COLUMNS, [["甲", "1"]], look="Grid")
    paper.annex(2, "方法说明")
    paper.point("分类。", "由计算机判定。")
    paper.save(path)
    return docx.Document(str(path))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "paper.docx"


@pytest.fixture
def document(path):
    return written(path)


def font(document, style):
    return document.styles[style].element.rPr.find(qn("w:rFonts")).get(qn("w:eastAsia"))


def parts(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_page_is_a4_with_the_margins_of_the_standard(document):
    first = document.sections[0]
    sizes = (
        first.page_width,
        first.page_height,
        first.top_margin,
        first.bottom_margin,
        first.left_margin,
        first.right_margin,
    )
    assert [round(size.mm, 1) for size in sizes] == [210.0, 297.0, 37.0, 35.0, 28.0, 26.0]


def test_a_page_has_22_lines_of_28_characters(document):
    first = document.sections[0]
    body = document.styles["Normal"].element
    line = int(body.pPr.find(qn("w:spacing")).get(qn("w:line"))) / 20
    assert body.pPr.find(qn("w:spacing")).get(qn("w:lineRule")) == "exact"
    assert 28 <= line <= 29
    assert Length(first.page_height - first.top_margin - first.bottom_margin).pt // line == 22
    closer = int(body.rPr.find(qn("w:spacing")).get(qn("w:val"))) / 20
    size = int(document.styles.element.xpath("w:docDefaults//w:sz/@w:val")[0]) / 2
    assert size == 16
    assert Length(first.page_width - first.left_margin - first.right_margin).pt // (size + closer) == 28


@pytest.mark.parametrize(
    ("style", "east_asian", "size"),
    [
        ("Title", "方正小标宋简体", 22),
        ("Heading 1", "黑体", None),
        ("Heading 2", "楷体", None),
        ("footer", "宋体", 14),
    ],
)
def test_titles_and_headings_have_their_fonts(document, style, east_asian, size):
    assert font(document, style) == east_asian
    assert (document.styles[style].font.size.pt if size else None) == size


def test_the_body_is_fangsong_with_an_indent_of_two_characters(document):
    assert document.styles.element.xpath("w:docDefaults//w:rFonts/@w:eastAsia") == ["仿宋"]
    assert document.styles["Body Text"].element.pPr.ind.get(qn("w:firstLineChars")) == "200"


def test_fonts_are_named_with_free_fallbacks_and_not_shipped(path, document):
    held = parts(path)
    fallbacks = dict(re.findall(r'w:name="([^"]+)"><w:altName w:val="([^"]+)"', held["word/fontTable.xml"]))
    named = set(re.findall(r'<w:rFonts[^>]*w:eastAsia="([^"]+)"', held["word/styles.xml"]))
    assert {"仿宋", "黑体", "楷体"} < named <= set(fallbacks)
    assert all(re.search("Fandol|Noto|Liberation", fallback) for fallback in fallbacks.values())
    assert not [name for name in held if "font" in name.lower() and name != "word/fontTable.xml"]


def test_pages_are_numbered_by_a_field_outside_on_both_sides(document):
    section = document.sections[0]
    assert document.settings.odd_and_even_pages_header_footer
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        (paragraph,) = footer.paragraphs
        assert paragraph._p.xpath("w:fldSimple/@w:instr") == [" PAGE "]
        assert re.fullmatch(r"— \d —", "".join(paragraph._p.xpath(".//w:t/text()")))
        assert paragraph._p.xpath("w:pPr/w:jc/@w:val") == [side]


def test_headings_and_points_number_themselves(document):
    numbered = [p.text for p in document.paragraphs if re.match("[（一二三]", p.text)]
    assert numbered == [
        "（送审稿）", "一、基本情况", "二、意见分布", "（一）索要产品。28件。", "三、建议", "（一）分类。由计算机判定。",
    ]  # fmt: skip
    assert [p.text for p in document.paragraphs if p.style.name == "Heading 1"] == [
        numbered[n] for n in (1, 2, 4)
    ]


def test_a_table_repeats_its_header_breaks_no_row_and_fills_the_width(document):
    table = document.tables[0]
    rows = table._tbl.tr_lst
    assert [bool(row.xpath("w:trPr/w:tblHeader")) for row in rows] == [True, False, False, False]
    assert all(row.xpath("w:trPr/w:cantSplit") for row in rows)
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["部门", "件数"], ["处室", "处室"], ["办公室", "12"], ["人事处", "—"],
    ]  # fmt: skip
    assert rows[1].xpath("w:tc/w:tcPr/w:gridSpan/@w:val") == ["2"]
    assert sum(column.width for column in table.columns) == pytest.approx(156 * 36000, rel=0.001)
    assert table.style.name == "三线表"
    assert document.tables[1].style.name == "全框表"


def test_annexes_begin_new_sections_and_a_wide_one_lies_on_its_side(document):
    assert [section.orientation for section in document.sections] == [
        WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE, WD_ORIENT.PORTRAIT,
    ]  # fmt: skip
    wide, last = document.sections[1:]
    assert round(wide.page_width.mm) == 297
    assert round(Length(wide.page_width - wide.left_margin - wide.right_margin).mm) == 225
    assert [round(size.mm) for size in (last.top_margin, last.left_margin)] == [37, 28]
    assert sum(column.width for column in document.tables[1].columns) == pytest.approx(225 * 36000, rel=0.001)


def test_the_signature_never_stands_alone_on_a_page(document):
    texts = [p.text for p in document.paragraphs]
    last, date = texts.index("最后一段。"), texts.index("2026年11月3日")
    assert texts[date - 1] == "轻工业厅"
    assert texts[last + 2 : last + 4] == ["附件：1. 统计表", "　　　2. 方法说明"]
    assert all(p.paragraph_format.keep_with_next for p in document.paragraphs[last:date])


def test_what_is_not_known_is_left_to_be_sealed_and_written_in(path):
    paper = Paper("函")
    paper.text("正文。")
    paper.sign(Imprint())
    paper.save(path)
    assert [p.text for p in docx.Document(str(path)).paragraphs][-2:] == [
        "（印发单位盖章）",
        "　　　年　月　日",
    ]


def test_a_running_mark_stands_on_odd_and_even_pages(path):
    paper = Paper("通知", running="草稿")
    paper.text("正文。")
    paper.save(path)
    section = docx.Document(str(path)).sections[0]
    assert [h.paragraphs[0].text for h in (section.header, section.even_page_header)] == ["草稿", "草稿"]


def test_quotation_marks_are_set_in_the_chinese_font(document):
    runs = document.element.xpath(".//w:r[w:t]")
    assert runs
    assert all(run.xpath("w:rPr/w:rFonts/@w:hint") == ["eastAsia"] for run in runs)


def test_the_same_paper_is_the_same_file(tmp_path):
    written(tmp_path / "a.docx")
    written(tmp_path / "b.docx")
    assert (tmp_path / "a.docx").read_bytes() == (tmp_path / "b.docx").read_bytes()


def test_the_file_tells_nothing_of_machine_person_or_time(path, document):
    with zipfile.ZipFile(path) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.create_system for entry in archive.infolist()} == {0}
        assert archive.namelist()[0] == "[Content_Types].xml"
        assert not [name for name in archive.namelist() if "app.xml" in name or "thumbnail" in name]
    properties = document.core_properties
    assert (properties.author, properties.last_modified_by, properties.comments) == ("", "", "")
    assert properties.created.year == properties.modified.year == 2000
    assert properties.title == "关于评议意见情况的专报"


def test_characters_that_xml_cannot_hold_are_left_out(path):
    paper = Paper("函\x00")
    paper.addressee("盐业\x0b公司<&>")
    paper.table("", COLUMNS, [["甲\x01<乙>&", "1"]])
    paper.save(path)
    document = docx.Document(str(path))
    assert document.paragraphs[2].text == "盐业公司<&>："
    assert document.tables[0].cell(1, 0).text == "甲<乙>&"
