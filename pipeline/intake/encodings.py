"""Text encodings told apart: BOM, then UTF-16 by its zero bytes, then strict UTF-8, then GB18030."""

from __future__ import annotations

import codecs
from pathlib import Path

from pipeline.errors import InputError

_BLOCK = 1 << 20


def detect(path: Path, name: str) -> str:
    """The codec to open a text file with; the whole file has been decoded once when this returns.

    Raises:
        InputError: no encoding fits; says at which byte UTF-8 and GB18030 fail.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) >= 4:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > len(head) // 8 and even == 0:
            return "utf-16-le"
        if even > len(head) // 8 and odd == 0:
            return "utf-16-be"
    failures = []
    for codec in ("utf-8", "gb18030"):
        place = _first_failure(path, codec)
        if place is None:
            return codec
        failures.append(f"{codec.upper()} 在第 {place} 字节处不合")
    raise InputError(f"认不出文件 {name} 的编码（{'，'.join(failures)}）；请另存为 UTF-8 再试。")


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
