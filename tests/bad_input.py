"""Files as offices and their enemies send them, made by the tests: packages written by hand, old workbooks by changing one."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

OLD_WORKBOOK = Path(__file__).parent / "files/opinions.xls"
SAID = "张三科长收了两万元才肯盖章"
"""An opinion: it may be in no message."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def cell(place: str, text: str) -> str:
    """An inline text."""
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def row(number: int, *cells: str) -> str:
    """A row of cells."""
    return f'<row r="{number}">{"".join(cells)}</row>'


def table(texts: Iterable[str], header: str = "意见") -> str:
    """The rows of a sheet with one column."""
    lines = [header, *texts]
    return "".join(row(number, cell(f"A{number}", text)) for number, text in enumerate(lines, start=1))


def workbook(
    path: Path,
    rows: str | Iterable[str],
    *,
    after: str = "",
    shared: str | Iterable[str] = "",
    sheet: str = "一",
) -> Path:
    """An .xlsx of one sheet: the XML of its rows, of what follows them, and of its shared strings."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_TYPES}"><Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        package.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_RELATIONS}">'
            f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        package.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name={quoteattr(sheet)} sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        package.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_RELATIONS}">'
            f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        )
        body = (f'<worksheet xmlns="{_MAIN}"><sheetData>', *_parts(rows), f"</sheetData>{after}</worksheet>")
        _stream(package, "xl/worksheets/sheet1.xml", body)
        if shared:
            _stream(package, "xl/sharedStrings.xml", (f'<sst xmlns="{_MAIN}">', *_parts(shared), "</sst>"))
    return path


def _parts(text: str | Iterable[str]) -> Iterable[str]:
    return (text,) if isinstance(text, str) else text


def _stream(package: zipfile.ZipFile, name: str, parts: Iterable[str]) -> None:
    with package.open(name, "w") as file:
        for part in parts:
            file.write(part.encode())


def bomb(path: Path, size: int, *, says: int | None = None) -> Path:
    """A workbook whose shared strings unpack to ``size`` bytes, compressed once and repeated; ``says`` is what it pretends."""
    text = f"<si><t>{'啊' * (1 << 20)}</t></si>".encode()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    begin = deflate.compress(f'<sst xmlns="{_MAIN}">'.encode()) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(text) + deflate.flush(zlib.Z_FULL_FLUSH)
    end = deflate.compress(b"</sst>") + deflate.flush()
    times = size // len(text)
    workbook(path, table([SAID]))
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/sharedStrings.xml", begin + block * times + end)
        part = package.getinfo(
            "xl/sharedStrings.xml"
        )  # stored as it is; the directory says that it is compressed
        part.compress_type = zipfile.ZIP_DEFLATED
        part.file_size = says or size
    return path


def old_workbook_with_password(path: Path) -> Path:
    """An .xls whose name of the last user (record 5C) has become the record of a password (2F)."""
    content = bytearray(OLD_WORKBOOK.read_bytes())
    place = content.index(b"\x5c\x00\x70\x00")
    content[place] = 0x2F
    content[place + 4 : place + 10] = b"\x01\x00\x01\x00\x01\x00"  # encrypted with RC4
    path.write_bytes(content)
    return path


def damaged_old_workbooks(folder: Path, number: int) -> list[Path]:
    """Copies of an .xls with some bytes changed, each at other places; the same on every machine."""
    content = OLD_WORKBOOK.read_bytes()
    paths = []
    for index in range(number):
        changed = bytearray(content)
        for step in range(4):
            at = zlib.crc32(f"{index}:{step}".encode())
            changed[at % len(changed)] = at >> 24
        path = folder / f"{index}.xls"
        path.write_bytes(changed)
        paths.append(path)
    return paths
