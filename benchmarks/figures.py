"""What a measurement leaves in ``docs/figures/``: a table (Markdown) and bars (SVG), with the machine they are of."""

from __future__ import annotations

import datetime as dt
import html
import statistics
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import available

FIGURES = Path(__file__).parent.parent / "docs/figures"
LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "rjieba",
    "jieba",
    "fasttext-community",
    "pandas",
    "pyarrow",
)

_LINE, _LEFT, _WIDTH, _RIGHT = 34, 300, 330, 190
"""Pixels: height of a bar's line, widths of names, bars and values."""


class Bar(NamedTuple):
    """A name and the values measured, not negative; drawn to their median, with a line from the least to the most."""

    name: str
    values: Sequence[float]
    ours: bool = False


def spread(values: Sequence[float], digits: int = 2) -> str:
    """``median (minimum–maximum)``, or the value where all are one."""
    least, middle, most = (f"{of(values):,.{digits}f}" for of in (min, statistics.median, max))
    return middle if least == most else f"{middle}（{least}–{most}）"


def machine() -> str:
    """Processor, cores, day and versions, in one sentence."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    day = dt.datetime.now(dt.UTC).astimezone().date()
    versions = "、".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{day.isoformat()}，{names[0] if names else '处理器型号不明'}，可用 {available()} 核；"
        f"清议 {version('qingyi')}，{versions}。"
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def bars(title: str, drawn: Sequence[Bar], digits: int = 2) -> str:
    """Horizontal bars from 0, the longest value filling the width, as an SVG file's text."""
    most = max(max(bar.values) for bar in drawn) or 1.0
    top = 40

    def across(value: float) -> float:
        return _LEFT + _WIDTH * value / most

    shapes = []
    for n, bar in enumerate(drawn):
        y = top + n * _LINE + _LINE / 2
        middle = across(statistics.median(bar.values))
        end = across(max(bar.values))
        shapes.append(
            f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{html.escape(bar.name)}</text>'
            f'<rect x="{_LEFT}" y="{y - 9}" width="{middle - _LEFT:.1f}" height="18" fill="{"#0A6A8F" if bar.ours else "#9AA5AB"}"/>'
            f'<line x1="{across(min(bar.values)):.1f}" x2="{end:.1f}" y1="{y}" y2="{y}" stroke="#222222"/>'
            f'<text x="{end + 8:.1f}" y="{y + 4}">{spread(bar.values, digits)}</text>'
        )
    width, height = _LEFT + _WIDTH + _RIGHT, top + len(drawn) * _LINE + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">\n'
        f'<text x="10" y="22" font-size="15">{html.escape(title)}</text>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def publish(name: str, text: str, folder: Path, drawing: str = "") -> None:
    """Print a Markdown text and keep it as ``name.md``, the machine named last; with its ``drawing`` as ``name.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f"{text}\n{machine()}\n"
    print(text, flush=True)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    if drawing:
        (folder / f"{name}.svg").write_text(drawing, encoding="utf-8")
