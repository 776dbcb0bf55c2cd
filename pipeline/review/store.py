"""The store of answers in a workspace: append-only, whole or absent, nothing overwritten but by a withdrawal.

``feedback/questions/<batch>.jsonl`` holds what was asked (with the masked texts), ``feedback/answers/<number>-<digest>.jsonl``
what was answered, one file an import. Every file is written beside its place, flushed to the disk and then renamed, so
a kill at any moment leaves all of an import or none of it; what it left half-written is swept by the next that writes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.carrying import carry_pairs, needs_review
from pipeline.errors import OutputError, ResourceError, cause
from pipeline.lock import held
from pipeline.migration import Migration
from pipeline.review.answers import Answer, Batch, Question, as_record, batch_id
from pipeline.review.stored import (
    HEADER,
    LEFT,
    STAGING,
    answers_in,
    batch_in,
    lines,
    readable,
    records_of,
    short_digest,
    write,
)

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

    def add_batch(self, batch: Batch) -> bool:
        """Keep what is asked, and whether it was not kept yet; a batch already kept stays as it is.

        What is asked later counts as later, though the clock was put back meanwhile.

        Raises:
            OutputError: the store cannot be written, or somebody else holds it for a minute.
        """
        header = {name: getattr(batch, name) for name in HEADER}
        target = self.root / "questions" / f"{batch.id}.jsonl"
        with self._locked():
            if target.exists():
                return False
            header["at"] = max([batch.at, *(_next_second(kept.at) for kept in self.batches())])
            write(target, [header, *map(as_record, batch.questions)])
        return True

    def remove_batch(self, identity: str) -> None:
        """Take out a batch that nobody was asked after all.

        Raises:
            OutputError: the store cannot be written, or somebody else holds it for a minute.
        """
        with self._locked():
            (self.root / "questions" / f"{identity}.jsonl").unlink(missing_ok=True)

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
        return batch_in(path)

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
        with self._locked():
            taken = {(answer.content, answer.by) for answer in self.answers() if answer.content}
            if any((answer.content, answer.by) in taken for answer in answers):
                return 0  # this very file was taken in before; what was said since counts
            latest = {(answer.key, answer.by, answer.settles): answer for answer in self.answers()}
            fresh = [
                answer
                for answer in answers
                if not (
                    (before := latest.get((answer.key, answer.by, answer.settles))) and before.same(answer)
                )
            ]
            if fresh:
                records = [as_record(answer) for answer in fresh]
                number = 1 + max((int(path.name[:6]) for path in self._files()), default=0)
                name = f"{number:06d}-{short_digest(lines(records))}.jsonl"
                write(self.root / "answers" / name, records)
        return len(fresh)

    def withdraw(self, keys: Collection[str]) -> tuple[int, int]:
        """Take opinions out, by key: ``(questions, answers)`` that were taken out. A batch keeps its id.

        Answers go before their questions: a kill in between leaves a store that can be read, and the same call finishes.

        Raises:
            ResourceError: a file of the store is damaged; it is named.
            OutputError: the store cannot be written, or somebody else holds it for a minute.
        """
        if not self.root.exists():
            return 0, 0
        with self._locked():
            answers = sum(self._without_answers(path, keys) for path in self._files())
            asked = sorted((self.root / "questions").glob("*.jsonl"))
            return sum(self._without_questions(path, keys) for path in asked), answers

    def _without_answers(self, path: Path, keys: Collection[str]) -> int:
        with readable(path):
            records = records_of(path)
            kept = [record for record in records if record["key"] not in keys]
        if len(kept) < len(records):
            if kept:
                write(path.with_name(f"{path.name[:6]}-{short_digest(lines(kept))}.jsonl"), kept)
            path.unlink()
        return len(records) - len(kept)

    def _without_questions(self, path: Path, keys: Collection[str]) -> int:
        batch = self.batch(path.stem)
        kept = tuple(question for question in batch.questions if question.key not in keys)
        if len(kept) < len(batch.questions):
            header = {name: getattr(batch, name) for name in HEADER}
            left = batch_id(batch.kind, batch.model, batch.taxonomy, kept)
            write(path, [{**header, LEFT: left}, *map(as_record, kept)])
        return len(batch.questions) - len(kept)

    def answers(self) -> Iterator[Answer]:
        """All answers ever given, in order of their import.

        Raises:
            ResourceError: a file of the store is damaged; it is named.
        """
        for path in self._files():
            yield from answers_in(path)

    def ids_answered_in(self, digest: str) -> set[str]:
        """Ids of the opinions about which the file with this SHA-256 said something new when it was imported."""
        keys = {
            answer.key for answer in self.answers() if answer.content and digest.startswith(answer.content)
        }
        return {state.question.id for key, state in self.states().items() if key in keys}

    def states(self) -> dict[str, State]:
        """Every opinion ever asked about, by key, as it was asked last, with what people said of it.

        Once drawn at random it stays ``audit``, though it was asked again to settle it: it is never to be learnt from.
        """
        questions: dict[str, Question] = {}
        for batch in self.batches():
            for question in reversed(batch.questions):
                before = questions.get(question.key)
                audited = before is not None and before.why == "audit"
                questions[question.key] = replace(question, why="audit") if audited else question
        given: dict[str, dict[str, Answer]] = {key: {} for key in questions}
        settled: dict[str, Answer] = {}
        for answer in self.answers():
            if answer.settles and not answer.skipped:
                settled[answer.key] = answer
            elif not answer.settles:
                people = given.setdefault(answer.key, {})
                people.pop(answer.by, None)
                people[answer.by] = answer
        lost = {answer.batch for answer in self.answers() if answer.key not in questions}
        if lost:
            raise ResourceError(
                f"复核记录 questions/{min(lost)}.jsonl 不见了，答过的意见找不到原文；请从备份恢复这个文件。"
            )
        return {
            key: self._state(question, list(given[key].values()), settled.get(key))
            for key, question in questions.items()
        }

    def _state(self, question: Question, answers: list[Answer], settled: Answer | None) -> State:
        # what a split left undecided gives way to what was said since
        decided = [a for a in (*answers, settled) if a and not needs_review(a, self.migrations)]
        if decided:
            answers = [answer for answer in answers if answer in decided]
            settled = settled if settled in decided else None
        labelled = [answer for answer in answers if not answer.skipped]
        said = {frozenset(carry_pairs(self.migrations, a.pairs, a.taxonomy)) for a in labelled}
        final = settled or (labelled[-1] if len(said) == 1 else None)
        skipped = final is None and not labelled and bool(answers)
        return State(question=question, answers=tuple(labelled), final=final, skipped=skipped)

    def _files(self) -> list[Path]:
        return sorted((self.root / "answers").glob("[0-9]*.jsonl"))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """The store's folders made, held by this process alone, and swept of what a killed one left half-written."""
        folders = self.root, self.root / "questions", self.root / "answers"
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with held(self.root / ".lock", f"写复核记录 {self.root}", patience=_LOCK_SECONDS):
                for folder in folders[1:]:
                    for left in folder.glob(STAGING + "*"):
                        left.unlink(missing_ok=True)
                yield
        except OSError as error:
            raise OutputError(f"不能写入复核记录的文件夹 {self.root}：{cause(error)}。") from None


def _next_second(at: str) -> str:
    return (datetime.fromisoformat(at) + timedelta(seconds=1)).isoformat(timespec="seconds")
