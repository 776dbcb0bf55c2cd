"""``python -m fuzz TARGET [SECONDS]``: fuzz one target, guided by the lines of the program that each input reaches."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from fuzz.mutation import TOKENS

TARGETS = ("readers", "masker", "review_import", "model_file")
SECONDS = 180
"""How long a target is fuzzed where nothing is said."""

_FOUND = Path(__file__).parent / "found"
_SLOWEST, _MEMORY = 20, 3000
"""Seconds that one input may take, and megabytes of memory."""


def main(target: str, seconds: int) -> None:
    """Fuzz a target until an input breaks it, which is then kept in ``fuzz/found``, or the time is over."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["pipeline"]):
        module = importlib.import_module(f"fuzz.{target}")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        corpus, words = Path(folder) / "corpus", Path(folder) / "words"
        corpus.mkdir()
        for number, seed in enumerate(module.seeds()):
            (corpus / str(number)).write_bytes(seed)
        words.write_text("".join(f'"{_escaped(token)}"\n' for token in TOKENS), encoding="ascii")
        _FOUND.mkdir(exist_ok=True)
        options = {
            "max_total_time": seconds, "timeout": _SLOWEST, "rss_limit_mb": _MEMORY, "max_len": 1 << 16, "dict": words,
            "artifact_prefix": f"{_FOUND}/{target}-", "print_final_stats": 1,
        }  # fmt: skip
        atheris.Setup(
            [sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(corpus)], module.check
        )
        atheris.Fuzz()


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


if __name__ == "__main__":
    given = sys.argv[1:]
    if not given or given[0] not in TARGETS:
        sys.exit(f"python -m fuzz {{{','.join(TARGETS)}}} [秒数]")
    main(given[0], int(given[1]) if given[1:] else SECONDS)
