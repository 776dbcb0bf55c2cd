"""Text encodings told apart: BOM, then strict UTF-8, then UTF-16 by what it would say, then GB18030."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from pipeline.errors import InputError

_BLOCK = 1 << 20
_USUAL = re.compile(r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef\u2010-\u2027\t\r\n -~]")
_MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect(path: Path, name: str) -> str:
    """The codec to open a text file with; the whole file has been decoded with it once when this returns.

    Raises:
        InputError: no encoding fits; says at which byte each fails.
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
        if place is None:
            return codec
        failures.append(f"{codec.upper()} 在第 {place} 字节处不合")
    raise InputError(f"认不出文件 {name} 的编码（{'，'.join(failures)}）；请另存为 UTF-8 再试。")


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
