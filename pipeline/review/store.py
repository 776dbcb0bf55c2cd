"""The store of answers in a workspace: append-only, whole or absent, nothing ever overwritten.

``feedback/questions/<batch>.jsonl`` holds what was asked (with the masked texts), ``feedback/answers/<number>-<digest>.jsonl``
what was answered, one file an import. Every file is written beside its place, flushed to the disk and then renamed, so
a kill at any moment leaves all of an import or none of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.carrying import carry_pairs
from pipeline.errors import OutputError, ResourceError, cause
from pipeline.migration import Migration
from pipeline.review.answers import Answer, Batch, Question, as_record

_LOCK_SECONDS = 60.0


@dataclass(frozen=True)
class State:
    """Where one opinion stands. ``answers`` are the latest of each person, in order of time, skipped ones left out.

    ``final`` is the settled decision, or what everybody said alike; None while nobody labelled it, or while two
    disagree (``disputed``).
    """

    question: Question
    answers: tuple[Answer, ...]
    final: Answer | None
    skipped: bool

    @property
    def disputed(self) -> bool:
        """Whether people disagree and nobody has settled it."""
        return self.final is None and bool(self.answers)


class Store:
    """Questions and answers under ``root`` (made on first write); safe for several processes at once.

    Answers are compared as ``migrations`` of the taxonomy carry them over.
    """

    def __init__(self, root: Path, migrations: Sequence[Migration] = ()) -> None:
        self.root = root
        self.migrations = migrations

    def add_batch(self, batch: Batch) -> None:
        """Keep what is asked; a batch already kept stays as it is.

        Raises:
            OutputError: the store cannot be written.
        """
        header = {name: getattr(batch, name) for name in ("id", "kind", "model", "taxonomy", "at")}
        target = self.root / "questions" / f"{batch.id}.jsonl"
        if not target.exists():
            self._write(target, [header, *map(as_record, batch.questions)])

    def batch(self, identity: str) -> Batch:
        """A batch by its id.

        Raises:
            ResourceError: this workspace asked no such batch, or its file is damaged.
        """
        path = self.root / "questions" / f"{identity}.jsonl"
        if not identity.isalnum() or not path.exists():
            raise ResourceError(
                f"本工作区没有导出过复核批次“{identity[:20]}”；请在导出它的工作区里导入（--workspace）。"
            )
        header, *questions = _records(path)
        return Batch(questions=tuple(map(_question, questions)), **header)

    def batches(self) -> list[Batch]:
        """All batches, by time and id."""
        found = [self.batch(path.stem) for path in (self.root / "questions").glob("*.jsonl")]
        return sorted(found, key=lambda batch: (batch.at, batch.id))

    def add_answers(self, answers: Sequence[Answer]) -> int:
        """Keep answers that say something new, in one file; how many those were.

        An answer equal to the latest one of the same person about the same opinion is not kept twice.

        Raises:
            OutputError: the store cannot be written, or another import holds it for a minute.
        """
        self._make(self.root / "answers")
        try:
            with FileLock(self.root / ".lock", timeout=_LOCK_SECONDS, mode=0o600):
                latest = {(answer.key, answer.by, answer.settles): answer for answer in self.answers()}
                fresh = [
                    answer
                    for answer in answers
                    if not (
                        (before := latest.get((answer.key, answer.by, answer.settles)))
                        and before.same(answer)
                    )
                ]
                if fresh:
                    records = [as_record(answer) for answer in fresh]
                    digest = hashlib.sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()[:10]
                    number = 1 + max((int(path.name[:6]) for path in self._files()), default=0)
                    self._write(self.root / "answers" / f"{number:06d}-{digest}.jsonl", records)
        except Timeout:
            raise OutputError("另一个导入正在写复核记录，一分钟内没有写完；请稍后再试。") from None
        return len(fresh)

    def answers(self) -> Iterator[Answer]:
        """All answers ever given, in order of their import.

        Raises:
            ResourceError: a file of the store is damaged; it is named.
        """
        for path in self._files():
            for record in _records(path):
                yield _answer(record)

    def states(self) -> dict[str, State]:
        """Every opinion ever asked about, by key, with what people said of it."""
        questions = {
            question.key: question for batch in self.batches() for question in reversed(batch.questions)
        }
        given: dict[str, dict[str, Answer]] = {key: {} for key in questions}
        settled: dict[str, Answer] = {}
        for answer in self.answers():
            if answer.settles and not answer.skipped:
                settled[answer.key] = answer
            elif not answer.settles:
                people = given.setdefault(answer.key, {})
                people.pop(answer.by, None)
                people[answer.by] = answer
        return {
            key: self._state(question, list(given[key].values()), settled.get(key))
            for key, question in questions.items()
        }

    def _state(self, question: Question, answers: list[Answer], settled: Answer | None) -> State:
        labelled = [answer for answer in answers if not answer.skipped]
        said = {frozenset(carry_pairs(self.migrations, a.pairs, a.taxonomy)) for a in labelled}
        final = settled or (labelled[-1] if len(said) == 1 else None)
        skipped = final is None and not labelled and bool(answers)
        return State(question=question, answers=tuple(labelled), final=final, skipped=skipped)

    def _files(self) -> list[Path]:
        return sorted((self.root / "answers").glob("[0-9]*.jsonl"))

    def _make(self, folder: Path) -> None:
        try:
            for path in (self.root, folder):
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise OutputError(f"不能建立复核记录的文件夹 {folder}：{cause(error)}。") from None

    def _write(self, target: Path, records: Iterable[dict[str, Any]]) -> None:
        self._make(target.parent)
        try:
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=target.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except OSError as error:
            raise OutputError(f"不能写入复核记录 {target.name}：{cause(error)}。") from None


def _records(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (OSError, ValueError):
        raise ResourceError(
            f"复核记录 {path.parent.name}/{path.name} 读不出来或已损坏；请从备份恢复这个文件。"
        ) from None


def _question(record: dict[str, Any]) -> Question:
    suggested = tuple((d, code, p, start, end) for d, code, p, start, end in record["suggested"])
    answers = tuple((by, _pairs(pairs)) for by, pairs in record["answers"])
    return Question(**{**record, "suggested": suggested, "answers": answers})


def _answer(record: dict[str, Any]) -> Answer:
    return Answer(**{**record, "pairs": _pairs(record["pairs"]), "suggested": _pairs(record["suggested"])})


def _pairs(values: Iterable[Iterable[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((department, code) for department, code in values)
