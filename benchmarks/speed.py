"""Speed of scoring, from segmentation to probabilities, on one core beside the usual ways; and what it costs to start.

    python -m benchmarks.speed [../shared/data] [--rounds 5] [--parts titles messages start]

``titles``: news titles in 10 classes, everybody taught on the set's own training part; accuracy beside speed. ``messages``: real
messages (without them, the labelled corpus) by the shipped model and by peers taught on the labelled corpus; speed alone. All
score the same texts, clean and masked, in the same run in alternating order; the program is timed from the raw texts as well,
with normalising and masking. Figures are medians over the rounds with the least and the most. Each part leaves a table, and
bars, in ``docs/figures/``.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jieba
import numpy as np
import rjieba

from benchmarks.figures import FIGURES, Bar, bars, publish, spread, table
from benchmarks.messages import originals
from benchmarks.other_labels import titles
from benchmarks.peers import Labels, Scorer, Texts, fast_text, in_order, learnt, notebook
from benchmarks.processes import cores
from benchmarks.starting import starts
from pipeline.classifier.read import Reader, open_reader
from pipeline.learn.corpus import corpus_files, load_labelled
from pipeline.records import Opinion
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.workspace import open_workspace

jieba.setLogLevel("ERROR")

NOTEBOOK = "通常的脚本：jieba + tf-idf + 逻辑回归"
FAST_TEXT = "fastText，按字"
PLAIN = "清议，未编译，从原文起"
COMPILED = "清议，编译后，从原文起"
SCORED = "清议，编译后，从分词起"
PARTS = ["titles", "messages", "start"]


class Side(NamedTuple):
    """One way from texts to probabilities: ``texts`` many, of so many ``characters`` together."""

    score: Callable[[], Any]
    likeliest: Callable[[Any], list[str]]
    texts: int
    characters: int


class Timed(NamedTuple):
    """What a side gave, and its seconds in every round."""

    given: Any
    seconds: list[float]


def peers(train: Texts, labels: Labels, texts: Texts, epochs: int) -> dict[str, Side]:
    """The others, taught on ``train`` and to score ``texts``."""

    def side(scorer: Scorer) -> Side:
        return Side(lambda: scorer.score(texts), scorer.likeliest, len(texts), sum(map(len, texts)))

    return {
        NOTEBOOK: side(notebook(train, labels, jieba.lcut)),
        "rjieba + tf-idf + 逻辑回归": side(notebook(train, labels, rjieba.cut)),
        FAST_TEXT: side(fast_text(train, labels, list, n_grams=3, epochs=epochs)),
        "fastText，按 jieba 的词": side(fast_text(train, labels, jieba.lcut, n_grams=2, epochs=epochs)),
    }


def programs(reader: Reader, names: Sequence[str], raw: Texts, texts: Texts) -> dict[str, Side]:
    """The program, plain and compiled, from ``raw`` texts; and from the same ones, ``texts``, made clean before."""
    from pipeline.classifier.compiled.read import compiled  # noqa: PLC0415  # like the program: only where texts are many

    fast = compiled(reader)
    opinions = [Opinion(id=str(n), text=text) for n, text in enumerate(raw)]

    def side(score: Callable[[], Any], texts: Texts) -> Side:
        return Side(score, in_order(names), len(texts), sum(map(len, texts)))

    return {
        PLAIN: side(lambda: reader.probabilities(opinions), raw),
        COMPILED: side(lambda: fast.probabilities(opinions), raw),
        SCORED: side(lambda: fast.scored(texts), texts),
    }


def clean(texts: Texts) -> list[str]:
    """As the program reads them: normalised and masked."""
    return [mask(normalise(text)) for text in texts]


def measured(sides: dict[str, Side], rounds: int) -> dict[str, Timed]:
    """Every side once untimed, which compiles and loads, then timed in every round, the order turned around each time."""
    with cores(1):
        found = {name: Timed(side.score(), []) for name, side in sides.items()}
        for number in range(rounds):
            for name in list(sides)[:: -1 if number % 2 else 1]:
                gc.collect()
                begun = time.perf_counter()
                sides[name].score()
                found[name].seconds.append(time.perf_counter() - begun)
    return found


def times(found: dict[str, Timed], base: str, name: str) -> list[float]:
    """How many times as fast as ``base``, round by round."""
    return [theirs / own for theirs, own in zip(found[base].seconds, found[name].seconds, strict=True)]


def tell(part: str, title: str, sides: dict[str, Side], rounds: int, folder: Path, truth: Texts = ()) -> None:
    """Measure, and publish speeds; where there is a ``truth``, accuracy as well."""
    found = measured(sides, rounds)
    rows = []
    for name, side in sides.items():
        seconds = found[name].seconds
        right = [f"{np.mean(np.array(side.likeliest(found[name].given)) == truth):.4f}"] if truth else []
        rows.append(
            [
                name,
                *right,
                spread([1e9 * each / side.characters for each in seconds], 0),
                f"{side.texts / statistics.median(seconds):,.0f}",
                spread(times(found, NOTEBOOK, name)),
                spread(times(found, FAST_TEXT, name)),
            ]
        )
    header = [
        "做法",
        *(["准确率"] if truth else []),
        "每字纳秒",
        "每秒件数",
        "速度是通常的脚本的几倍",
        "速度是 fastText（按字）的几倍",
    ]
    apart = float(np.abs(found[PLAIN].given - found[COMPILED].given).max())
    text = (
        f"# {title}\n\n{table(header, rows)}\n"
        f"从分词到概率，一个核，同一次运行 {rounds} 轮；数字是中位数，括号内是最小和最大。"
        f"清议编译前后，同一件意见的概率最多相差 {apart:.1g}。\n"
    )
    drawn = [Bar(name, times(found, NOTEBOOK, name), ours=name.startswith("清议")) for name in sides]
    publish(f"speed-{part}", text, folder, bars(f"{title}：速度是通常的脚本的几倍", drawn))


def tell_titles(shared: Path, rounds: int, most: int, folder: Path) -> None:
    """News titles, with the task's own labels."""
    train, labels = titles(shared, "train")
    raw, truth = (part[:most] for part in titles(shared, "dev"))
    reader, names = learnt(train, labels)
    texts = clean(raw)
    sides = {
        **peers(clean(train), [[label] for label in labels], texts, epochs=25),
        **programs(reader, names, raw, texts),
    }
    tell("titles", f"{len(raw):,} 条新闻标题分 {len(names)} 类", sides, rounds, folder, truth)


def tell_messages(given: Path | None, rounds: int, most: int, folder: Path) -> None:
    """Messages, with the shipped taxonomy; how well peers learnt it is not asked, so fastText learns for one epoch."""
    space = open_workspace()
    reader = open_reader(space)
    items = load_labelled(corpus_files(space.corpus), space.taxonomy, space.directory)
    whole = originals(given)
    raw = [whole[n] for n in np.random.default_rng(0).permutation(len(whole))[:most].tolist()]
    texts = clean(raw)
    sides = {
        **peers(
            clean([item.opinion.text for item in items]), [item.labels for item in items], texts, epochs=1
        ),
        **programs(reader, space.taxonomy.codes, raw, texts),
    }
    kind = "真实留言" if given else "语料"
    tell("messages", f"{len(raw):,} 件{kind}按随附的类别判定", sides, rounds, folder)


def tell_starts(given: Path | None, rounds: int, folder: Path) -> None:
    """Seconds and memory of whole commands from cold."""
    rows = [
        [name, spread([cost.seconds for cost in costs]), f"{max(cost.mebibytes for cost in costs):,.0f}"]
        for name, costs in starts(originals(given), rounds).items()
    ]
    text = (
        f"# 启动\n\n{table(['命令', '秒', '全部进程合计最多占内存，MiB'], rows)}\n"
        f"整个进程从起到止；数字是中位数，括号内是最小和最大。“先编译”的一次用空的编译缓存，只量一次。\n"
    )
    publish("start", text, folder)


def main() -> None:
    """Measure the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shared", nargs="?", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--titles", type=int, default=10_000, help="at most so many")
    parser.add_argument("--messages", type=int, default=4_000, help="at most so many")
    parser.add_argument("-o", "--output", type=Path, default=FIGURES)
    wanted = parser.parse_args()
    real: Path | None = wanted.shared / "real/messages.csv"
    if real and not real.is_file():
        real = None
        print(f"no messages in {wanted.shared}: the labelled corpus is used")
    if "titles" in wanted.parts and (wanted.shared / "thucnews/train.csv").is_file():
        tell_titles(wanted.shared, wanted.rounds, wanted.titles, wanted.output)
    elif "titles" in wanted.parts:
        print(f"no titles in {wanted.shared}: left out")
    if "messages" in wanted.parts:
        tell_messages(real, wanted.rounds, wanted.messages, wanted.output)
    if "start" in wanted.parts:
        tell_starts(real, wanted.rounds, wanted.output)


if __name__ == "__main__":
    main()
