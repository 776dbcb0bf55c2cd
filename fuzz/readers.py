"""Any bytes, read as a table: every row is an opinion or a rejection, or the file is refused in one line."""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path

from fuzz import temporary_folder
from pipeline.errors import InputError
from pipeline.intake.files import FORMATS, find_files
from pipeline.intake.reading import Intake
from pipeline.records import Opinion

PACKAGE = len(FORMATS)
"""First byte of data whose rest is the parts of an .xlsx package, ``name NUL content NUL`` in turn: mutated inside, not in its zip."""

SAID = "供应处某人收了我们厂两箱酒不给就拖着不办"
_SHOWN = 13
"""Characters; a cell that is longer can be no header, and must be in no message."""


def seeds() -> list[bytes]:
    """A small table in every format and encoding, and a workbook's parts."""
    rows = f'编号,意见,部门,日期\n1,"{SAID}，电话13912345678",供应处,2025-03-05\n2,=1+1,,\n'
    texts = {".csv": rows, ".tsv": rows.replace(",", "\t"), ".txt": f"{SAID}\n没有意见\n"}
    found = [
        _marked(suffix, text.encode(encoding))
        for suffix, text in texts.items()
        for encoding in ("utf-8-sig", "gb18030", "utf-16")
    ]
    record = f'{{"id": 1, "text": "{SAID}", "labels": ["praise", 2], "date": null}}\n'
    found += [_marked(".jsonl", (record + '{"text": ""}\n[]\n').encode()), _marked(".parquet", _parquet())]
    workbook = _workbook()
    found += [_marked(".xlsx", workbook), _marked(".xls", workbook), bytes([PACKAGE]) + _parts(workbook)]
    return found


def check(data: bytes) -> None:
    """Read the bytes as the format that the first of them names.

    Raises:
        AssertionError: a row is lost, two opinions share an id, or an error quotes a cell or is of several lines.
    """
    if not data:
        return
    kind, content = data[0] % (PACKAGE + 1), data[1:]
    if kind == PACKAGE:
        kind, content = FORMATS.index(".xlsx"), _packed(content)
    path = _folder() / f"a{FORMATS[kind]}"
    path.write_bytes(content)
    intake = Intake(find_files([path]))
    try:
        results = list(intake)
    except InputError as error:
        if "\n" in str(error) or SAID[:_SHOWN] in str(error):
            raise AssertionError("an error is of several lines, or quotes a cell") from None
        return
    opinions = [result for result in results if isinstance(result, Opinion)]
    if not len(results) == intake.rows == intake.accepted + intake.rejected:
        raise AssertionError("rows are lost")
    if not len({opinion.id for opinion in opinions}) == len(opinions) == intake.accepted:
        raise AssertionError("ids are not unique")
    for opinion in opinions:
        (opinion.id + opinion.text + opinion.source_unit + opinion.channel).encode()


@functools.cache
def _folder() -> Path:
    return temporary_folder()


def _marked(suffix: str, content: bytes) -> bytes:
    return bytes([FORMATS.index(suffix)]) + content


def _parquet() -> bytes:
    import pyarrow as pa  # noqa: PLC0415  # instrumented imports come first
    import pyarrow.parquet as pq  # noqa: PLC0415

    buffer = io.BytesIO()
    pq.write_table(pa.table({"id": ["1", "2"], "text": [SAID, None]}), buffer, compression="none")
    return buffer.getvalue()


def _workbook() -> bytes:
    import xlsxwriter  # noqa: PLC0415

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("意见")
        sheet.write_row(0, 0, ["编号", "意见", "日期"])
        sheet.write_row(1, 0, [1, SAID, 45000])
        sheet.write_formula(2, 1, "=1/0", value="")
        sheet.merge_range(3, 0, 4, 1, "合并")
        book.add_worksheet().hide()
    return buffer.getvalue()


def _parts(workbook: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(workbook)) as package:
        return b"".join(name.encode() + b"\0" + package.read(name) + b"\0" for name in package.namelist())


def _packed(parts: bytes) -> bytes:
    buffer = io.BytesIO()
    words = parts.split(b"\0")
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in dict(zip(words[::2], words[1::2], strict=False)).items():
            package.writestr(zipfile.ZipInfo(name.decode("latin-1")), content)
    return buffer.getvalue()
