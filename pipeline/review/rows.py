"""Rows of a filled-in review sheet → answers, and what is wrong in them, by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.directory import Directory
from pipeline.errors import listed
from pipeline.intake.files import printable
from pipeline.records import UNSPECIFIED
from pipeline.review import columns as c
from pipeline.review.answers import Answer, Batch, Pair, Question
from pipeline.taxonomy import Taxonomy

Row = tuple[int, Mapping[str, str]]
"""Row number as the program shows it, and cells by header."""


@dataclass(frozen=True)
class Filled:
    """A sheet that was read: its ``batch``, the ``answers``, how many rows are ``open``, and what is wrong, by place.

    With ``problems`` there are no answers.
    """

    batch: Batch
    answers: tuple[Answer, ...]
    open: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Context:
    """What a row's cells are read by. ``places`` gives each header's column letter."""

    file: str
    batch: Batch
    taxonomy: Taxonomy
    directory: Directory
    places: Mapping[str, str]
    by: str
    at: str
    content: str

    def problem(self, row: int, column: str, what: str) -> str:
        """One line: where, and what is wrong."""
        return f"{self.file}“{c.SHEET}”第 {row} 行{self.places.get(column, '')}列（{column}）：{what}"


def filled(context: Context, rows: Sequence[Row]) -> Filled:
    """What a sheet's rows say: all of it, or nothing but what is wrong."""
    questions = {question.key: question for question in context.batch.questions}
    answers: dict[str, tuple[int, Answer]] = {}
    problems: list[str] = []
    left = set(questions)
    for number, cells in rows:
        key = cells.get(c.CODE, "")
        question = questions.get(key)
        if question is None:
            what = "这个行码不在导出的批次里，可能被改动，或这件意见已撤回；请从导出的表里恢复，撤回的删去这一行。"
            problems.append(context.problem(number, c.CODE, what))
        elif c.ID in cells and cells[c.ID] != question.id:
            what = f"与导出时的编号“{listed([printable(question.id)])}”不同；请恢复。"
            problems.append(context.problem(number, c.ID, what))
        else:
            answer, wrong = _answer(context, number, cells, question)
            problems += wrong
            if answer is not None:
                if key in answers and not answers[key][1].same(answer):
                    what = f"与第 {answers[key][0]} 行是同一件意见而填得不同；请只留一行。"
                    problems.append(context.problem(number, c.CODE, what))
                answers[key] = (number, answer)
                left.discard(key)
    kept = () if problems else tuple(answer for _, answer in answers.values())
    return Filled(context.batch, kept, len(left), tuple(problems))


def _answer(
    context: Context, number: int, cells: Mapping[str, str], question: Question
) -> tuple[Answer | None, list[str]]:
    """The row's answer, None where nobody looked; and what is wrong in it."""
    problems: list[str] = []
    verdict = cells.get(c.VERDICT, "")
    if verdict and verdict not in c.VERDICTS:
        what = f"不认识；可填：{'、'.join(c.VERDICTS)}，或留空。"
        problems.append(context.problem(number, c.VERDICT, what))
    pairs, wrong = _pairs(context, number, cells, question)
    problems += wrong
    if problems:
        return None, problems
    # by the same directory as the cells: it may have changed since the sheet went out
    suggested = {(context.directory.resolve(name) or UNSPECIFIED, code) for name, code in question.pairs}
    changed = set(pairs) != suggested
    if verdict == c.RIGHT and changed:
        what = "填了“对”，类别或部门却与建议不同；改过的请选“改”。"
        return None, [context.problem(number, c.VERDICT, what)]
    if not verdict and not changed:
        return None, []
    skipped = verdict == c.SKIPPED
    answer = Answer(
        key=question.key,
        pairs=() if skipped else pairs,
        skipped=skipped,
        by=context.by,
        at=context.at,
        batch=context.batch.id,
        source=context.file,
        content=context.content,
        model=context.batch.model,
        taxonomy=context.taxonomy.version,
        suggested=question.pairs,
        settles=context.batch.kind == "settle",
        remark=cells.get(c.REMARK, ""),
    )
    return answer, []


def _pairs(
    context: Context, number: int, cells: Mapping[str, str], question: Question
) -> tuple[tuple[Pair, ...], list[str]]:
    """(department, label) pairs of a row in taxonomy order, and what is wrong in its cells."""
    problems: list[str] = []
    said = cells.get(c.DEPARTMENT, question.about)
    row_department = context.directory.resolve(said) or UNSPECIFIED
    if said and row_department == UNSPECIFIED and said not in {UNSPECIFIED, question.about}:
        what = f"不是目录里的部门；请从下拉里选，目录外的选“{UNSPECIFIED}”。"
        problems.append(context.problem(number, c.DEPARTMENT, what))
    pairs: list[Pair] = []
    for name, code in c.label_columns(context.taxonomy).items():
        cell = cells.get(name, "")
        if cell.lower() in c.NO_WORDS:
            continue
        if cell.lower() in c.YES_WORDS:
            pairs.append((row_department, code))
            continue
        for part in filter(None, (part.strip() for part in cell.replace(";", "；").split("；"))):
            department = UNSPECIFIED if part == UNSPECIFIED else context.directory.resolve(part)
            if department is None:
                what = f"既不是 {c.YES}，也不是目录里的部门；有这个问题填 {c.YES}，没有就清空。"
                problems.append(context.problem(number, name, what))
            else:
                pairs.append((department, code))
    return tuple(dict.fromkeys(pairs)), problems
