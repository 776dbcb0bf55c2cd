"""What is to go and what that touches: looked up before anything is changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipeline.audit.recording import Recorded
from pipeline.classifier.files import active_version, read_card
from pipeline.errors import InputError, ModelError, listed
from pipeline.learn.held_out import load_held_out
from pipeline.learn.prepare import text_key
from pipeline.records import Rejection, key_of
from pipeline.review.answers import Question
from pipeline.review.store import Store
from pipeline.withdrawing.files import (
    Rewritten,
    label_files,
    labelled_texts,
    without_labels,
    without_questions,
)
from pipeline.withdrawing.places import Places
from pipeline.withdrawing.rejected import HOW, cells_of, has_text, place_of
from pipeline.withdrawing.results import ResultFolder
from pipeline.withdrawing.wanted import Wanted, different, masked
from pipeline.workspace import Workspace

Found = dict[str, list[tuple[str, str]]]
"""Id → (text, where it was found)."""


@dataclass(frozen=True)
class Touched:
    """One place: ``what`` it is, in words, and how many opinions, rows or answers go from it; ``whole`` if nothing stays.

    ``left``: why it stays as it is, though it may hold a text; empty where it does not.
    """

    what: str
    path: Path
    count: int
    whole: bool = False
    left: str = ""


class Held(NamedTuple):
    """What goes from a result folder: the ids of opinions, and the rejected rows."""

    folder: ResultFolder
    ids: tuple[str, ...]
    refused: tuple[Rejection, ...]

    @property
    def whole(self) -> bool:
        """Whether no opinion stays; where there never was one, no rejected row."""
        if self.folder.rows:
            return len(self.ids) == len(self.folder.rows)
        return len(self.refused) == len(self.folder.rejections)


@dataclass(frozen=True)
class Plan:
    """What a withdrawal does. ``folders`` hold wanted opinions or rejected rows.

    ``exported`` are the sheets that were written here. ``again`` are comparisons made of such folders, ``pages`` looks at drift.
    ``near`` are ids of other opinions with nearly the same words; ``unsure`` the places of rejected rows that stay, in which
    a wanted id stands. ``learnt`` is how many of them the active model learnt from.
    """

    wanted: Wanted
    folders: tuple[Held, ...] = field(repr=False)
    labels: Mapping[Path, Rewritten]
    sheets: Mapping[Path, Rewritten]
    exported: frozenset[Path]
    keys: frozenset[str]
    asked: int
    again: Mapping[Path, Recorded] = field(repr=False)
    pages: tuple[Path, ...]
    near: tuple[str, ...]
    unsure: tuple[str, ...]
    learnt: int
    store: Path

    @property
    def touched(self) -> tuple[Touched, ...]:
        """Every place, in the order in which it is seen to."""
        return (
            *(Touched("标注文件", path, new.rows) for path, new in self.labels.items()),
            *(self._sheet(path, new) for path, new in self.sheets.items()),
            *([Touched("复核记录", self.store, self.asked)] if self.asked else ()),
            *(
                Touched("结果文件夹", held.folder.path, len(held.ids) + len(held.refused), whole=held.whole)
                for held in self.folders
            ),
            *(Touched("两轮对比", path, 0) for path in self.again),
            *(Touched("漂移页", path, 0, whole=True) for path in self.pages),
        )

    def _sheet(self, path: Path, new: Rewritten) -> Touched:
        if new.content is not None:
            return Touched("复核表", path, new.rows)
        if not new.readable:
            return Touched("复核表", path, new.rows, left="读不出来")
        ours = path in self.exported
        return Touched("复核表", path, new.rows, whole=ours, left="" if ours else "改不了")

    @property
    def count(self) -> int:
        """How many opinions go, and rejected rows with them."""
        return len(self.wanted.opinions)


def wanted_by_id(ids: Sequence[str], places: Places, space: Workspace, of: Path | None) -> Wanted:
    """The opinions with these ids: in the folder ``of``, or in all places where each id means one opinion only.

    Raises:
        InputError: an id that is nowhere and was never withdrawn, one that means several opinions, or, without ``of``, one of
            which an opinion was withdrawn before: another may be called so.
    """
    found = _found(ids, places, space, of)
    unknown = [identity for identity, told in found.items() if not told and identity not in places.withdrawn]
    if unknown:
        where = f"{of} 里" if of else "日志记着的结果、复核记录和标注文件里都"
        gone = f"（{'、'.join(map(str, places.moved))} 不在原处，移走了请加 --in）" if places.moved else ""
        raise InputError(
            f"{where}没有这些编号：{listed(unknown)}{gone}；请核对，结果不在日志里的请加 --in 结果文件夹，没有读入的行（rejected.csv）请写 {HOW}。"
        )
    for identity, told in found.items():
        if len(different(text for text, _ in told)) > 1:
            where = "、".join(dict.fromkeys(place for _, place in told))
            raise InputError(
                f"编号“{identity[:40]}”在几处是不同的意见（{where}）；请加 --of 结果文件夹，说明要撤回的是哪里的。"
            )
        again = [
            str(folder.path) for folder in places.folders if str(folder.path) in {place for _, place in told}
        ]
        if again and of is None and identity in places.withdrawn and not places.unfinished:
            raise InputError(
                f"编号“{identity[:40]}”以前撤回过一件，{'、'.join(again)} 里现在的可能是另一件；确要撤它，请加 --of {again[0]}。"
            )
    return Wanted({identity: {text for text, _ in told} for identity, told in found.items() if told})


def _found(ids: Sequence[str], places: Places, space: Workspace, of: Path | None) -> Found:
    chosen = [folder for folder in places.folders if of is None or folder.path == of.resolve()]
    found: Found = {identity: [] for identity in ids}
    for folder in chosen:
        for identity, text, *_ in folder.rows:
            if identity in found:
                found[identity].append((text, str(folder.path)))
        for names, row in folder.rejections:
            for identity in found.keys() & names:
                found[identity].append((row.content, str(folder.path)))
    if of is None:
        for question in _asked(space):
            if question.id in found:
                found[question.id].append((question.text, "复核记录"))
        alone = [identity for identity, told in found.items() if not told]
        for identity, text, path in labelled_texts(label_files(space), alone):
            found[identity].append((text, str(path)))
    return found


def wanted_before(day: str, places: Places, space: Workspace) -> Wanted:
    """The opinions collected before a day; undated ones, and rejected rows, by the day of the run that read them.

    What was asked about is known by the folders; what is in none of them any more, by the day on which it was asked.
    """
    texts: dict[str, set[str]] = {}
    present: set[str] = set()
    for folder in places.folders:
        run = places.day(folder)
        for identity, text, collected, _ in folder.rows:
            present.add(key_of(identity, text))
            if (collected or run) < day:
                texts.setdefault(identity, set()).add(text)
        if run < day:
            for _, row in folder.rejections:
                texts.setdefault(place_of(row), set()).add(row.content)
    for batch in Store(space.feedback, space.migrations).batches():
        for question in batch.questions:
            if question.key not in present and batch.at[:10] < day:
                texts.setdefault(question.id, set()).add(question.text)
    return Wanted(texts, nearly=False)


def plan(wanted: Wanted, places: Places, space: Workspace, *, keep_papers: bool = False) -> Plan:
    """What taking these opinions out touches; nothing is changed.

    With ``keep_papers``, what was made of a folder that is left without opinions is not touched: it holds counts.

    Raises:
        InputError, ResourceError, OutputError: something that holds opinions cannot be read.
    """
    looked = [
        Held(folder, tuple(folder.held(wanted)), tuple(folder.refused(wanted))) for folder in places.folders
    ]
    folders = tuple(held for held in looked if held.ids or held.refused)
    asked = [question for question in _asked(space) if wanted.holds(question.id, question.text)]
    keys = wanted.keys | {question.key for question in asked}
    labels = {path: without_labels(path, wanted) for path in label_files(space)}
    sheets = {path: without_questions(path, keys, wanted) for path in places.sheets if wanted.texts}
    touched = set(places.unfinished)
    touched |= {held.folder.path for held in folders if not (keep_papers and held.whole)}
    return Plan(
        wanted=wanted,
        folders=folders,
        labels={path: new for path, new in labels.items() if new.rows},
        sheets={path: new for path, new in sheets.items() if new.rows or new.content is None},
        exported=frozenset(path for path, ours in places.sheets.items() if ours),
        keys=keys,
        asked=len(asked),
        again={
            path: one
            for path, one in places.comparisons.items()
            if (path / "comparison.csv").is_file() and _about(one, ("before", "after"), touched)
        },
        pages=tuple(
            path
            for one in places.pages
            if _about(one, ("folder", "since"), touched)
            for path in one.outputs
            if path.is_file()
        ),
        near=tuple(dict.fromkeys(other for held in folders for other in held.folder.near(held.ids))),
        unsure=tuple(dict.fromkeys(place for held in looked for place in _unsure(held, wanted))),
        learnt=_learnt(wanted, space),
        store=space.feedback,
    )


def _unsure(held: Held, wanted: Wanted) -> list[str]:
    refused = set(held.refused)
    return [
        place_of(row)
        for _, row in held.folder.rejections
        if has_text(row) and row not in refused and not wanted.texts.keys().isdisjoint(cells_of(row))
    ]


def _asked(space: Workspace) -> list[Question]:
    batches = Store(space.feedback, space.migrations).batches()
    return [question for batch in batches for question in batch.questions]


def _about(one: Recorded, names: Sequence[str], folders: Collection[Path]) -> bool:
    return any(Path(str(one.options.get(name))) in folders for name in names)


def _learnt(wanted: Wanted, space: Workspace) -> int:
    """How many of the opinions the active model was trained on."""
    try:
        held_out = load_held_out(space.models, read_card(space.models, active_version(space.models)))
    except ModelError:
        return 0
    known = set(held_out.keys.tolist()) if held_out else set()
    return sum(any(text_key(masked(text)) in known for text in texts) for _, texts in wanted.opinions)
