"""What a look at drift found, in plain words: the lines of the screen and the page, which holds no opinion's text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.documents.templating import environment
from pipeline.documents.wording import percent
from pipeline.learn.drift import LOOK_AT, Drift, Theme
from pipeline.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Line:
    """One figure in a sentence: ``title``, what was ``found``, and whether it has ``moved`` (None: it decides nothing)."""

    title: str
    found: str
    moved: bool | None


def verdict_of(drift: Drift) -> str:
    """What to do, in one sentence."""
    reasons = [
        reason
        for reason, so in (
            ("语言变了", drift.language_moved),
            ("没有把握的意见多了", drift.unsure.moved),
            (f"有 {len(drift.rising)} 个新的或增多的主题", bool(drift.rising)),
        )
        if so
    ]
    return {
        "retrain": f"重新训练：{'，'.join(reasons)}。",
        "look": f"看看这 {len(drift.look_at)} 件：{'，'.join(reasons)}。",
        "nothing": "不用做什么：语言、没有把握的比例、主题都没有明显变化。",
    }[drift.verdict]


def next_step(drift: Drift, folder: Path) -> str:
    """The commands that follow from the verdict; "" where nothing is to be done."""
    export = f"qingyi review export {folder} -o 复核表.xlsx"
    return {
        "retrain": f"先标一些这一轮的意见（{export}，填好后 qingyi review import 复核表.xlsx），再 qingyi train。",
        "look": f"按编号在 {folder / 'opinions.csv'} 里看；要标注，用 {export} --n {LOOK_AT}（由它挑最值得标的）。",
        "nothing": "",
    }[drift.verdict]


def lines(drift: Drift) -> list[Line]:
    """The figures, in the order of the question: has the language moved, is the model less sure."""
    unsure, unseen = drift.unsure, drift.unseen
    return [
        Line("语言", _language(drift), drift.language_moved),
        Line(
            "没见过的词",
            f"占 {percent(unseen.share)}，"
            + (
                f"两轮混在一起随机对分时是 {percent(unseen.usual)}"
                if drift.since
                else f"语料里一位写作者对其余写作者通常是 {percent(unseen.usual)}"
            ),
            None,
        ),
        Line(
            "没有把握的意见",
            f"占 {percent(unsure.now)}，{'上一轮' if drift.since else '模型在语料上（留出）'}是 {percent(unsure.before)}"
            f"（{_p(unsure.p)}）",
            unsure.moved,
        ),
    ]


def _language(drift: Drift) -> str:
    if drift.apart is None:
        return "意见太少（不到 50 件），看不出来"
    apart = drift.apart
    auc = f"AUC {apart.auc:.2f}（{apart.low:.2f}–{apart.high:.2f}）"
    if drift.since:
        return f"与上一轮分得开的程度 {auc}，0.50 是完全分不开"
    if drift.writers is None:
        return f"与语料分得开的程度 {auc}；语料的写作者太少，没有可比的"
    return f"与语料的差别比 {drift.writers.share:.0%} 的写作者与其余语料的差别大；分得开的程度 {auc}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def theme_words(theme: Theme) -> str:
    """The words that name a theme."""
    return "、".join(theme.words)


def theme_state(theme: Theme) -> str:
    """Whether a theme is new or growing, with the figure that says so."""
    if theme.q is not None:
        word = "增多" if theme.rising and theme.before else "新出现" if theme.rising else "没有明显增多"
        return f"{word}（上一轮 {theme.before} 件，{_p(theme.q).replace('p', 'q')}）"
    word = "语料里少见" if theme.rising else "语料里也有"
    return f"{word}（语料中 {theme.elsewhere or 0:.2%}）"


def drift_page(drift: Drift, taxonomy: Taxonomy, folder: Path) -> str:
    """One HTML file, no network."""
    return (
        environment()
        .get_template("drift.html")
        .render(
            drift=drift,
            verdict=verdict_of(drift),
            next_step=next_step(drift, folder),
            lines=lines(drift),
            themes=[(theme, theme_words(theme), theme_state(theme)) for theme in drift.themes],
            names={label.code: label.name_zh for label in taxonomy.labels},
            dots=[(_place(auc), auc) for auc in (drift.writers.each if drift.writers else ())],
            batch=_place(drift.writers.batch) if drift.writers else None,
        )
    )


def _place(auc: float) -> float:
    """Where an AUC is on a line from 0.5 to 1, in [0, 100]; one below 0.5 at its beginning."""
    return round(200 * (max(auc, 0.5) - 0.5), 1)
