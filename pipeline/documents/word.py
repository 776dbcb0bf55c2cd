"""A paper as offices print it: A4 and sizes after GB/T 9704-2012, the same bytes for the same content.

Page, fonts and styles are in ``templates/paper.xml``; here they are filled.
"""

from __future__ import annotations

import functools
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

import docx
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.opc.oxml import serialize_part_xml
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm
from docx.text.paragraph import Paragraph

from pipeline.documents.prose import chinese_number
from pipeline.documents.wording import chinese_date

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML file may hold."""

_PACKAGE = "{http://schemas.microsoft.com/office/2006/xmlPackage}"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
PORTRAIT, LANDSCAPE = 156, 225
"""Millimetres between the left and the right margin."""


@dataclass(frozen=True)
class Imprint:
    """Who issues a paper and when: ``office`` as it signs; ``day`` of issue and ``due`` day as ``YYYY-MM-DD``, ``days`` between them.

    What is empty is left for a person: a line to be sealed, a date to be written in, a term counted from receipt.
    """

    office: str = ""
    day: str = ""
    due: str = ""
    days: int = 30

    @property
    def term(self) -> str:
        """By when: ``2025年5月11日前``, or counted from receipt where no day is set."""
        return f"{chinese_date(self.due)}前" if self.due else f"收到之日起{self.days}日内"


@dataclass(frozen=True)
class Column:
    """A table's column: its width is a share of the sum of all; numbers are centred."""

    title: str
    width: float
    kind: Literal["text", "number"] = "text"


class Paper:
    """A paper, written from top to bottom; headings and points number themselves."""

    def __init__(self, title: str, *, mark: str = "", subtitle: str = "", running: str = "") -> None:
        """``mark`` stands above the title, ``running`` on top of every page."""
        self._document = docx.Document(io.BytesIO(_blank()))
        self._document.core_properties.title = _clean(title)[:255]
        self._headings = self._points = 0
        self._width = PORTRAIT
        if running:
            section = self._document.sections[0]
            for header in (section.header, section.even_page_header):
                _filled(header.paragraphs[0], running, "Mark")
        if mark:
            self._paragraph(mark, "Mark")
        self._paragraph(title, "Title")
        if subtitle:
            self._paragraph(subtitle, "Subtitle")
        self._paragraph("", "Normal")

    def addressee(self, name: str) -> None:
        """Whom the paper is for."""
        self._paragraph(f"{name}：", "Addressee")

    def heading(self, text: str) -> None:
        """``一、`` and so on."""
        self._paragraph(self._next_heading() + text, "Heading1")

    def text(self, text: str) -> None:
        """A paragraph of the body."""
        self._paragraph(text, "BodyText")

    def clause(self, lead: str, text: str) -> None:
        """A paragraph that begins with its own heading of the first level, as notices have them."""
        _run(self._paragraph(self._next_heading() + lead, "BodyText", "Lead1"), text)

    def point(self, lead: str, text: str) -> None:
        """A paragraph that begins with its own heading of the second level."""
        _run(self._paragraph(self._next_point() + lead, "BodyText", "Lead2"), text)

    def table(
        self,
        caption: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[str]],
        *,
        note: str = "",
        look: Literal["Ruled", "Grid"] = "Ruled",
    ) -> None:
        """A table over the whole width whose header row repeats on every page; no row breaks over two.

        A row with one value only is a band across all columns.
        """
        if caption:
            self._paragraph(caption, "Caption")
        scale = self._width / sum(column.width for column in columns)
        widths = [Mm(column.width * scale).twips for column in columns]
        styles = ["TableText" if column.kind == "text" else "TableNumber" for column in columns]
        lines = [_row([column.title for column in columns], ["TableHead"] * len(columns), widths, head=True)]
        lines += [_row(row, styles if len(row) > 1 else ["TableHead"], widths) for row in rows]
        grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
        table = (
            f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblStyle w:val="{look}"/><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
            f'<w:tblLayout w:type="fixed"/><w:tblLook w:val="0020" w:firstRow="1"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(lines)}</w:tbl>'
        )
        # cell by cell, the library takes a second for a thousand cells
        self._document.element.body._insert_tbl(parse_xml(table))
        self._paragraph(note, "TableNote")

    def enclosures(self, names: Sequence[str]) -> None:
        """The list of annexes below the body."""
        self._paragraph("", "Normal")
        for number, name in enumerate(names, start=1):
            self._paragraph(f"{'附件：' if number == 1 else '　　　'}{number}. {name}", "Enclosure")

    def sign(self, imprint: Imprint) -> None:
        """Who issues the paper, and the day."""
        for _ in range(2):
            self._paragraph("", "Normal")
        self._paragraph(imprint.office or "（印发单位盖章）", "Signed")
        for paragraph in reversed(self._document.paragraphs):  # never a page with a signature alone
            paragraph.paragraph_format.keep_with_next = True
            if paragraph._p.style == "BodyText":
                break
        self._paragraph(chinese_date(imprint.day) if imprint.day else "　　　年　月　日", "Signed")

    def remark(self, text: str) -> None:
        """A note in small print to whoever finishes the paper."""
        self._paragraph("", "Normal")
        self._paragraph(text, "TableNote")

    def annex(self, number: int, name: str, *, landscape: bool = False) -> None:
        """Begin an annex on a page of its own, with its own numbering of headings."""
        self._headings = self._points = 0
        section = self._document.add_section(WD_SECTION.NEW_PAGE)
        if landscape != (section.orientation == WD_ORIENT.LANDSCAPE):
            section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
            section.page_width, section.page_height = section.page_height, section.page_width
        margins = (28, 26, 37, 35, 14) if landscape else (37, 35, 28, 26, 23)
        section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = map(
            Mm, margins[:4]
        )
        section.footer_distance = Mm(margins[4])
        self._width = LANDSCAPE if landscape else PORTRAIT
        self._paragraph(f"附件{number}", "Annex")
        self._paragraph(name, "Title")
        self._paragraph("", "Normal")

    def save(self, path: Path) -> None:
        """Write the file: fixed times, fixed order, nothing about the machine or the person."""
        unpacked = io.BytesIO()
        self._document.save(unpacked)
        with zipfile.ZipFile(unpacked) as source:
            path.write_bytes(_packed((name, source.read(name)) for name in source.namelist()))

    def _next_heading(self) -> str:
        self._headings, self._points = self._headings + 1, 0
        return f"{chinese_number(self._headings)}、"

    def _next_point(self) -> str:
        self._points += 1
        return f"（{chinese_number(self._points)}）"

    def _paragraph(self, text: str, style: str, look: str = "") -> Paragraph:
        return _filled(self._document.add_paragraph(), text, style, look)


def _filled(paragraph: Paragraph, text: str, style: str, look: str = "") -> Paragraph:
    paragraph._p.style = style  # by id: by name, the library searches all styles
    if text:
        _run(paragraph, text, look)
    return paragraph


def _run(paragraph: Paragraph, text: str, look: str = "") -> None:
    element: Any = paragraph.add_run(_clean(text)).element
    properties = element.get_or_add_rPr()
    if look:
        properties.style = look
    # quotation marks and dashes are in both fonts: they are meant as Chinese ones
    properties.get_or_add_rFonts().set(qn("w:hint"), "eastAsia")


def _row(values: Sequence[str], styles: Sequence[str], widths: Sequence[int], *, head: bool = False) -> str:
    """A table's row as XML; a single value spans all columns."""
    band = f'<w:gridSpan w:val="{len(widths)}"/>' if len(values) < len(widths) else ""
    cells = [
        f'<w:tc><w:tcPr><w:tcW w:w="{sum(widths) if band else width}" w:type="dxa"/>{band}</w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:rPr><w:rFonts w:hint="eastAsia"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(_clean(value))}</w:t></w:r></w:p></w:tc>'
        for value, style, width in zip(values, styles, widths, strict=False)
    ]
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' * head}</w:trPr>{''.join(cells)}</w:tr>"


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)


@functools.cache
def _blank() -> bytes:
    """The empty paper as a docx file."""
    root: Any = parse_xml(files("pipeline.documents").joinpath("templates/paper.xml").read_bytes())
    parts = {
        part.get(_PACKAGE + "name"): (part.get(_PACKAGE + "contentType"), part[0][0])
        for part in root.iterchildren(_PACKAGE + "part")
    }
    types = "".join(
        f'<Override PartName="{name}" ContentType="{kind}"/>'
        for name, (kind, _) in parts.items()
        if not name.endswith(".rels")
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    head = f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType="{relations}"/>{types}</Types>'
    return _packed(
        [
            ("[Content_Types].xml", head.encode()),
            *((name[1:], serialize_part_xml(body)) for name, (_, body) in parts.items()),
        ]
    )


def _packed(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip file whose bytes depend on names and contents only."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in entries:
            entry = zipfile.ZipInfo(name)  # dated 1980-01-01
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            target.writestr(entry, content)
    return buffer.getvalue()
