"""Text encodings told apart: BOM, then strict UTF-8, then UTF-16 by what it would say, then GB18030."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from pipeline.errors import InputError

_BLOCK = 1 << 20
_USUAL = re.compile(r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef\u2010-\u2027\t\r\n -~]")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect(path: Path, name: str) -> str:
    """The codec to open a text file with; the whole file has been decoded with it once when this returns.

    Raises:
        InputError: no encoding fits, says at which line and byte each fails; or lines of two encodings are mixed.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    marked = [codec for mark, codec in _MARKED if head.startswith(mark)]
    sixteen = [codec for codec in ("utf-16-le", "utf-16-be") if _reads_well(head, codec)]
    # a short Chinese text in UTF-16 may be valid UTF-8 only where it holds zero bytes
    candidates = marked or (
        [*sixteen, "utf-8", "gb18030"] if b"\0" in head else ["utf-8", *sixteen, "gb18030"]
    )
    failures = []
    for codec in candidates:
        place = _first_failure(path, codec)
        mixed = _line_of_utf8(path) if codec == "gb18030" and place is None else None
        if place is None and mixed is None:
            return codec
        line = mixed or (0 if codec.startswith("utf-16") else _line_at(path, place or 0))
        where = f" 第 {line} 行" if line else ""
        what = "其实是 UTF-8" if mixed else f"在第 {place} 字节处不合"
        failures.append(f"{codec.upper()}{where} {what}")
    raise InputError(
        f"认不出文件 {name} 的编码（{'，'.join(failures)}）；文件可能不完整，或混有两种编码，请另存为 UTF-8 再试。"
    )


def _reads_well(head: bytes, codec: str) -> bool:
    """Whether nearly all of what the codec makes of the bytes is Chinese or ASCII; GB18030 read so is neither."""
    text = head[: len(head) // 2 * 2].decode(codec, errors="replace")
    return bool(text) and len(_USUAL.findall(text)) >= 0.9 * len(text)


def _first_failure(path: Path, codec: str) -> int | None:
    decoder = codecs.getincrementaldecoder(codec)()
    done = 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return done + error.start
            if not block:
                return None
            done += len(block)


def _line_at(path: Path, place: int) -> int:
    """Number of the line that a byte lies in, from 1."""
    number, left = 1, place
    with path.open("rb") as file:
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            number, left = number + block.count(b"\n"), left - len(block)
    return number


def _line_of_utf8(path: Path) -> int | None:
    """Number of the first line that is UTF-8 in a file that can be read as GB18030: there it would be other characters.

    A line of GB18030 that happens to be UTF-8 with three Chinese characters occurs once in a million.
    """
    with path.open("rb") as file:
        number, begins = 0, True
        while line := file.readline(_BLOCK):
            number += begins
            begins = line.endswith(b"\n")
            try:
                said = line.decode()
            except UnicodeDecodeError:
                continue
            if not said.isascii() and len(_CHINESE.findall(said)) >= 3:
                return number
    return None
