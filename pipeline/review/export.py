"""A run's results → the questions most worth a person's look."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.carrying import carry_pairs
from pipeline.classifier.read import Reader
from pipeline.errors import InputError
from pipeline.journal import settle
from pipeline.migration import Migration
from pipeline.outputs.stored import stored_table
from pipeline.records import Opinion, key_of
from pipeline.review.answers import Batch, Kind, Question, Why, batch_id
from pipeline.review.queue import choose, unsureness
from pipeline.review.store import State
from pipeline.taxonomy import Taxonomy

AUDIT_SHARE = 0.2
"""Of a sheet's places, those given to opinions drawn at random."""


def questions_of(
    folder: Path,
    reader: Reader,
    *,
    n: int,
    audit: float,
    labels: Collection[str],
    departments: Collection[str],
    answered: Collection[str],
    audited: Collection[str],
    seed: int,
) -> list[Question]:
    """At most ``n`` opinions of a run in ``folder``: first the audited ones, then the others in order of worth.

    Repeats, opinions that are not valid, sealed ones and those ``answered`` (keys) are left out. But whom chance draws for the
    audit is asked again unless that answer came of an audit (``audited``): a sample of those nobody doubted would flatter. With ``labels`` or ``departments`` only
    opinions found to carry one of them, or to speak about one, are asked about, and none is audited: a random choice among
    them measures nothing about the whole.

    Raises:
        InputError: the folder holds no results, or nothing in it is left to ask about.
    """
    narrowed = bool(labels or departments)
    pool = _pool(folder, labels, departments, answered if narrowed else audited)
    known = [row for row, question in enumerate(pool) if question.key in answered]
    if len(known) == len(pool):
        raise InputError(f"{folder} 里没有可问的意见：都已复核过，或没有符合 --label、--department 的。")
    opinions = [
        Opinion(id=question.id, text=question.text, department=question.department) for question in pool
    ]
    judged = reader.judge(opinions)
    unsure = unsureness(judged.probabilities, reader.model.threshold)
    drawn, chosen = choose(unsure, judged.rows, n, 0.0 if narrowed else audit, seed, known)
    why: Why = "asked" if narrowed else "unsure"
    return [
        *(replace(pool[row], why="audit") for row in drawn),
        *(replace(pool[row], why=why) for row in chosen),
    ]


def batch_of(questions: Sequence[Question], kind: Kind, model: str, taxonomy: Taxonomy, at: str) -> Batch:
    """The questions as a batch; ``model`` is the one whose findings are suggested."""
    return Batch(
        id=batch_id(kind, model, taxonomy.version, questions),
        kind=kind,
        model=model,
        taxonomy=taxonomy.version,
        at=at,
        questions=tuple(questions),
    )


def model_of(folder: Path) -> str:
    """The model that made the results in ``folder``, as ``run.json`` says; "" where it does not."""
    return _made_by(folder, "model")


def origin_of(folder: Path, taxonomy: Taxonomy) -> str:
    """As :func:`model_of`, for results whose codes are those of ``taxonomy``.

    Raises:
        InputError: they were made by another version of the taxonomy.
    """
    made_for = _made_by(folder, "taxonomy")
    if made_for not in {"", taxonomy.version}:
        raise InputError(
            f"{folder} 的结果是按类别表 {made_for} 判的，现在是 {taxonomy.version}；请重新运行“qingyi report”再导出。"
        )
    return model_of(folder)


def sealed_in(folder: Path) -> frozenset[str]:
    """Ids of the opinions that are for the discipline office alone."""
    try:
        return frozenset(json.loads((folder / "run.json").read_text(encoding="utf-8")).get("sealed", ()))
    except (OSError, ValueError, AttributeError, TypeError):
        return frozenset()


def _made_by(folder: Path, what: str) -> str:
    settle(folder)
    try:
        return str(json.loads((folder / "run.json").read_text(encoding="utf-8"))[what])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def disputes_of(
    states: Iterable[State], taxonomy: Taxonomy, migrations: Sequence[Migration]
) -> list[Question]:
    """Opinions on which people disagree, with what each said (in codes of ``taxonomy``), as questions to settle."""
    return [
        replace(
            state.question,
            why="disputed",
            suggested=tuple(found for found in state.question.suggested if found[1] in taxonomy.codes),
            answers=tuple((a.by, carry_pairs(migrations, a.pairs, a.taxonomy)) for a in state.answers),
        )
        for state in states
        if state.disputed
    ]


def _pool(
    folder: Path, labels: Collection[str], departments: Collection[str], answered: Collection[str]
) -> list[Question]:
    opinions, findings = (_table(folder, name) for name in ("opinions", "findings"))
    suggested: dict[str, list[tuple[str, str, float, int, int]]] = {}
    for row in findings:
        suggested.setdefault(row["opinion_id"], []).append(
            (row["department"], row["label"], row["probability"], row["start"], row["end"])
        )
    sealed, pool = sealed_in(folder), []
    for row in opinions:
        found = suggested.get(row["id"], [])
        named = {department for department, *_ in found} | {row["department"]}
        key = key_of(row["id"], row["text"])
        if (
            row["valid"]
            and not row["duplicate_of"]
            and row["id"] not in sealed
            and key not in answered
            and (not labels or any(code in labels for _, code, *_ in found))
            and (not departments or named.intersection(departments))
        ):
            pool.append(
                Question(
                    key=key,
                    id=row["id"],
                    text=row["text"],
                    department=row["department"],
                    why="unsure",
                    suggested=tuple(found),
                )
            )
    return pool


def _table(folder: Path, name: str) -> list[dict[str, Any]]:
    try:
        return list(stored_table(folder, name).to_pylist())
    except (OSError, ValueError):
        raise InputError(
            f"{folder} 里没有完整的判定结果（{name}.parquet）；请给出“qingyi report”或“classify”的结果文件夹。"
        ) from None
