"""Questions and answers in Label Studio's JSON: tasks with predictions out, annotations in.

A task is ``{"data": {…}, "predictions": [{"model_version", "score", "result": […]}]}``; an export adds ``annotations``, each with
``completed_by``, ``was_cancelled`` (skipped) and the same kind of ``result``. The regions are choices of two controls, ``labels`` and
``department``, on the text ``text``: see :func:`labelling_config`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pipeline.directory import Directory
from pipeline.errors import InputError, cause
from pipeline.intake.files import printable
from pipeline.records import UNSPECIFIED
from pipeline.review.answers import WHY, Answer, Batch, Pair, Question, is_batch_id
from pipeline.review.rows import Filled
from pipeline.review.sheet import edition_of, name_of
from pipeline.review.store import Store
from pipeline.taxonomy import Taxonomy


def labelling_config(taxonomy: Taxonomy, directory: Directory) -> str:
    """The labelling interface (XML) that the tasks are made for: paste it into the project's settings."""
    view = Element("View")
    SubElement(view, "Header", value="$why")
    SubElement(view, "Text", name="text", value="$text")
    labels = SubElement(view, "Choices", name="labels", toName="text", choice="multiple", showInline="true")
    for label in taxonomy.labels:
        SubElement(labels, "Choice", value=label.name_zh, hint=label.definition)
    about = SubElement(view, "Choices", name="department", toName="text", choice="single", layout="select")
    for name in (*directory.names, UNSPECIFIED):
        SubElement(about, "Choice", value=name)
    indent(view)
    return tostring(view, encoding="unicode") + "\n"


def tasks(batch: Batch, taxonomy: Taxonomy, directory: Directory) -> list[dict[str, Any]]:
    """The batch as tasks, suggestions as predictions."""
    return [
        {
            "data": {
                "text": question.text,
                "why": WHY[question.why],
                "id": question.id,
                "key": question.key,
                "batch": batch.id,
            },
            "predictions": [
                {
                    "model_version": batch.model,
                    "score": max((suggestion[2] for suggestion in question.suggested), default=0.0),
                    "result": _regions(question, taxonomy, directory),
                }
            ],
        }
        for question in batch.questions
    ]


def _regions(question: Question, taxonomy: Taxonomy, directory: Directory) -> list[dict[str, Any]]:
    labels = [taxonomy[code].name_zh for code in dict.fromkeys(code for _, code in question.pairs)]
    department = directory.resolve(question.about)
    return [
        {
            "id": f"{question.key}-{name}",
            "from_name": name,
            "to_name": "text",
            "type": "choices",
            "value": {"choices": choices},
        }
        for name, choices in (("labels", labels), ("department", [department] if department else []))
        if choices
    ]


def read_tasks(
    path: Path, store: Store, editions: Sequence[Taxonomy], directory: Directory, *, by: str, at: str
) -> Filled:
    """Read Label Studio's JSON export. ``by`` names the person; "" takes ``completed_by`` of each annotation.

    Of a task's annotations the latest of each person counts; tasks without any are open. A label that the suggestion tied to a
    department keeps it where no department was chosen. Tasks are read by the edition of the taxonomy they were made for.

    Raises:
        InputError: not such a file, tasks of several batches, made for an unknown taxonomy, or ``by`` for several people's work.
        ResourceError: a batch that this workspace did not export.
    """
    file, name = printable(path.name), name_of(by)
    exported, batch = _exported(path, file, store)
    taxonomy = edition_of(batch, editions, file)
    people = {_person(annotation) for task in exported for annotation in task.get("annotations") or []}
    if name and len(people) > 1:
        raise InputError(f"{file} 里有 {len(people)} 个人的标注，不能用 --by 都算一个人的；请去掉 --by。")
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    questions = {question.key: question for question in batch.questions}
    answers: dict[tuple[str, str], tuple[int, Answer]] = {}
    problems: list[str] = []
    for number, task in enumerate(exported, start=1):
        question = questions.get(_word(task["data"].get("key")))
        if question is None:
            problems.append(f"{file} 第 {number} 个任务：data.key 不在导出的批次里，可能被改动。")
            continue
        for person, annotation in _latest(task).items():
            try:
                pairs = _pairs(annotation, question, taxonomy, directory)
            except (KeyError, TypeError, AttributeError):
                problems.append(
                    f"{file} 第 {number} 个任务：标注不完整（需要 result、from_name、value.choices）。"
                )
                continue
            except ValueError as error:
                problems.append(f"{file} 第 {number} 个任务：{error}")
                continue
            skipped = bool(annotation.get("was_cancelled"))
            answer = Answer(
                key=question.key,
                pairs=() if skipped else pairs,
                skipped=skipped,
                by=name or person,
                at=_time(annotation) or at,
                batch=batch.id,
                source=file,
                content=content,
                model=batch.model,
                taxonomy=taxonomy.version,
                suggested=question.pairs,
                settles=batch.kind == "settle",
            )
            first, said = answers.setdefault((answer.key, answer.by), (number, answer))
            if not said.same(answer):
                problems.append(
                    f"{file} 第 {number} 个任务：与第 {first} 个任务是同一件意见，同一个人标得不同；请只留一个。"
                )
    left = set(questions) - {key for key, _ in answers}
    kept = () if problems else tuple(answer for _, answer in answers.values())
    return Filled(batch, kept, len(left), tuple(problems))


def _exported(path: Path, file: str, store: Store) -> tuple[list[dict[str, Any]], Batch]:
    try:
        exported = json.loads(path.read_text(encoding="utf-8-sig"))
        whole = all(map(_is_task, exported))
        batches = {_word(task["data"]["batch"]) for task in exported} if whole else set()
        whole = whole and all(map(is_batch_id, batches))
    except OSError as error:
        raise InputError(f"读不到 {file}：{cause(error)}。") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise InputError(f"{file} 不是由本程序导出、在 Label Studio 里标注后导出的 JSON（需要 data.batch）。")
    if len(batches) != 1:
        raise InputError(f"{file} 里没有任务，或混有几个批次；请分开导出再导入。")
    return exported, store.batch(batches.pop())


def _is_task(value: Any) -> bool:
    """Whether a value of the file has the form of a task: data, and a list of annotations where there are any."""
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        return False
    annotations = value.get("annotations") or []
    return isinstance(annotations, list) and all(isinstance(annotation, dict) for annotation in annotations)


def _word(value: Any) -> str:
    """A text or number of the file, on one line; "" for anything else."""
    return name_of(str(value)) if isinstance(value, str | int) else ""


def _latest(task: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The latest annotation of each person."""
    annotations = sorted(task.get("annotations") or [], key=_time)
    return {_person(annotation): annotation for annotation in annotations}


def _time(annotation: Mapping[str, Any]) -> str:
    return _word(annotation.get("updated_at") or annotation.get("created_at") or "")


def _person(annotation: Mapping[str, Any]) -> str:
    """Who made an annotation: the e-mail where the export has it, the account's number otherwise."""
    who = annotation.get("completed_by")
    named = _word(who.get("email") or who.get("id")) if isinstance(who, dict) else ""
    return named or f"用户{_word(who)}"


def _pairs(
    annotation: Mapping[str, Any], question: Question, taxonomy: Taxonomy, directory: Directory
) -> tuple[Pair, ...]:
    chosen = dict(_chosen(annotation["result"]))
    by_name = {label.name_zh: label.code for label in taxonomy.labels}
    unknown = [name for name in chosen.get("labels", []) if name not in by_name]
    if unknown:
        message = "有一个类别不在类别表里；请用随任务导出的界面配置。"
        raise ValueError(message)
    about = next(iter(chosen.get("department", [])), "")
    if about and about != UNSPECIFIED and directory.resolve(about) is None:
        message = "部门不在部门目录里；请用随任务导出的界面配置。"
        raise ValueError(message)
    pairs: list[Pair] = []
    for code in (by_name[name] for name in chosen.get("labels", [])):
        suggested = [pair for pair in question.pairs if pair[1] == code]
        named = about not in {"", directory.resolve(question.about) or ""}
        pairs += [(about, code)] if named or not suggested else suggested
    return tuple((directory.resolve(department) or UNSPECIFIED, code) for department, code in pairs)


def _chosen(result: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    for region in result:
        if region.get("type") == "choices":
            yield str(region["from_name"]), [str(choice) for choice in region["value"]["choices"]]
