"""How much personal data the masks find, kind by kind, and what they hide that is none: the composed texts in ``data/masking``.

python benchmarks/masking.py [even|odd|all]

A span counts as masked only when no three consecutive letters or digits of its value survive (of a name: none).
False masks are masked characters outside any span, as a share of the characters outside any span.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field

from pipeline.aggregate.intervals import wilson
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.workspace import SHIPPED

KINDS = {
    "mobile": "手机号",
    "landline": "座机",
    "identity": "身份证号",
    "passport": "护照、通行证等",
    "bank": "银行卡号、账号",
    "plate": "车牌",
    "email": "邮箱",
    "qq": "QQ 号",
    "account": "微信等账号",
    "address": "住址",
    "name": "姓名",
    "birth": "出生日期",
    "number": "学号、工号、病历号等",
}
PARTS = ("even", "odd", "all")
_SURVIVES = 3
_MARK = re.compile(r"〔[^〔〕\n\d]{1,6}〕")  # 〔1989〕 is part of a document's number


@dataclass(frozen=True)
class Example:
    """A composed text and where its personal data stand: ``(start, end, kind)``, in order, not overlapping."""

    id: str
    text: str
    spans: tuple[tuple[int, int, str], ...]


@dataclass
class Tally:
    """Counts over examples; ``missed`` and ``false`` hold ``(id, value)`` of what went wrong."""

    spans: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[str, str, str]] = field(default_factory=list)
    false: list[tuple[str, str]] = field(default_factory=list)
    false_characters: int = 0
    characters: int = 0

    @property
    def recall(self) -> float:
        """Share of spans wholly masked."""
        return self.masked.total() / self.spans.total()

    @property
    def false_share(self) -> float:
        """Masked characters outside any span / characters outside any span."""
        return self.false_characters / self.characters


def examples(name: str, part: str = "all") -> list[Example]:
    """The texts of ``data/masking/<name>.jsonl``: those with an even number, an odd one, or all."""
    lines = (SHIPPED / f"data/masking/{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        Example(row["id"], row["text"], tuple((start, end, kind) for start, end, kind in row["spans"]))
        for row in rows
        if part == "all" or int(row["id"][1:]) % 2 == (part == "odd")
    ]


def masked_stretches(text: str) -> list[tuple[int, int]]:
    """Where in a normalised text without marks of its own the masks fall."""
    kept = _MARK.split(mask(text))
    match = re.fullmatch("(.+?)".join(map(re.escape, kept)), text, re.DOTALL)
    if match is None:
        raise ValueError("the masked text does not follow from the text")
    return [match.span(group) for group in range(1, len(kept))]


def survives(text: str, hidden: set[int], start: int, end: int, kind: str) -> bool:
    """Whether too much of ``text[start:end]`` is still to be read when the characters at ``hidden`` are gone."""
    seen = "".join("." if at in hidden else text[at] for at in range(start, end) if text[at].isalnum())
    return bool(re.search(r"[^.]" if kind == "name" else rf"[^.]{{{_SURVIVES}}}", seen))


def tally(texts: list[Example]) -> Tally:
    """Mask every text and count."""
    counts = Tally()
    for example in texts:
        text = normalise(example.text)
        found = masked_stretches(text)
        hidden = {at for start, end in found for at in range(start, end)}
        personal = {at for start, end, _ in example.spans for at in range(start, end)}
        for start, end, kind in example.spans:
            counts.spans[kind] += 1
            if survives(text, hidden, start, end, kind):
                counts.missed.append((example.id, kind, text[start:end]))
            else:
                counts.masked[kind] += 1
        counts.characters += len(text) - len(personal)
        counts.false_characters += len(hidden - personal)
        counts.false += [
            (example.id, text[start:end])
            for start, end in found
            if not personal.issuperset(range(start, end))
        ]
    return counts


def _row(kind: str, masked: int, spans: int) -> str:
    low, high = wilson(masked, spans)
    return f"| {kind} | {spans} | {masked} | {masked / spans:.1%} | {low:.1%} – {high:.1%} |"


def main() -> None:
    """Print the table of one part of the texts, as Markdown; with ``-v`` also what went wrong."""
    part = next((word for word in sys.argv[1:] if word in PARTS), "all")
    personal, without = tally(examples("with", part)), tally(examples("without", part))
    print("| 种类 | 处数 | 遮住 | 召回率 | 95% 区间 |\n|---|---:|---:|---:|---|")
    for kind, name in KINDS.items():
        print(_row(name, personal.masked[kind], personal.spans[kind]))
    print(_row("**合计**", personal.masked.total(), personal.spans.total()))
    for name, counts in (("没有个人信息的", without), ("有个人信息的，其余文字", personal)):
        print(f"\n误遮，{name}：{counts.false_characters} / {counts.characters} 字，{counts.false_share:.2%}")
    if "-v" in sys.argv:
        for line in (*personal.missed, *personal.false, *without.false):
            print(*line, sep="\t")


if __name__ == "__main__":
    main()
