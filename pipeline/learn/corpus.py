"""Labelled opinions read from files, every line checked against the taxonomy and the directory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.directory import Directory
from pipeline.errors import InputError, ResourceError, cause, listed
from pipeline.intake.encodings import detect
from pipeline.intake.files import find_files
from pipeline.intake.reading import EMPTY, Intake
from pipeline.records import UNSPECIFIED, Opinion, Rejection
from pipeline.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An opinion with the labels people gave it. ``pairs`` is None where the file does not tell departments.

    ``source`` names the file it came from: whoever wrote or collected it. ``note`` is the labeller's remark.
    ``importance`` is how many opinions of the corpus it counts as when a model is trained; of labels in ``unknown`` it
    says neither that they are there nor that they are not.
    """

    opinion: Opinion
    labels: tuple[str, ...]
    pairs: frozenset[tuple[str, str]] | None = field(repr=False)
    source: str = ""
    note: str = field(default="", repr=False)
    importance: float = 1.0
    unknown: frozenset[str] = frozenset()


def corpus_files(folder: Path) -> list[Path]:
    """The corpus' JSONL files by name.

    Raises:
        ResourceError: there is none.
    """
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise ResourceError(f"文件夹 {folder.name} 里没有标注语料（*.jsonl）。")
    return files


def corpus_digest(files: Sequence[Path]) -> str:
    """SHA-256 over the files' names and contents, in order."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def load_labelled(paths: Iterable[Path], taxonomy: Taxonomy, directory: Directory) -> list[Labelled]:
    """Read labelled files of any intake format, in order; JSONL files may carry ``pairs``. Rows without text are none.

    Raises:
        InputError: no opinion, no labels column, or a row that intake rejects.
        ResourceError: an unknown label or department, pairs that do not fit the labels, or a repeated id; file
            and line are named.
    """
    loaded: list[Labelled] = []
    for path in paths:
        loaded += (
            _jsonl(path, taxonomy, directory) if path.suffix.lower() == ".jsonl" else _table(path, taxonomy)
        )
    if not loaded:
        raise InputError("标注文件里没有一件意见。")
    seen: set[str] = set()
    for item in loaded:
        if item.opinion.id in seen:
            raise ResourceError(f"标注文件中编号“{item.opinion.id[:40]}”出现两次，请改为唯一。")
        seen.add(item.opinion.id)
    return loaded


def _jsonl(path: Path, taxonomy: Taxonomy, directory: Directory) -> list[Labelled]:
    try:
        lines = path.read_text(encoding=detect(path, path.name)).split("\n")
    except OSError as error:
        raise InputError(f"读不到标注文件 {path.name}：{cause(error)}。") from None
    loaded = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f"标注文件 {path.name} 第 {number} 行"
            try:
                record = json.loads(line)
                record.setdefault("id", f"{path.stem}:{number}")
                loaded.append(_record(record, path.stem, taxonomy, directory))
            except ResourceError as error:
                raise ResourceError(f"{where}：{error}") from None
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                raise ResourceError(f"{where}不是完整的标注记录（需要 text、labels）。") from None
    return loaded


def _record(record: dict[str, Any], source: str, taxonomy: Taxonomy, directory: Directory) -> Labelled:
    labels = taxonomy.parse(record["labels"])
    pairs: frozenset[tuple[str, str]] | None = None
    if "pairs" in record:
        pairs = frozenset((str(department), taxonomy[code].code) for department, code in record["pairs"])
        unknown = {department for department, _ in pairs} - {*directory.names, UNSPECIFIED}
        if unknown:
            raise ResourceError(f"pairs 中的部门不在目录里：{listed(sorted(unknown))}")
        if {code for _, code in pairs} - set(labels):
            raise ResourceError("pairs 中有 labels 没有的标签")
    opinion = Opinion(
        id=str(record["id"]), text=str(record["text"]).strip(), department=str(record.get("department") or "")
    )
    if not opinion.text:
        raise ResourceError("text 为空")
    return Labelled(
        opinion=opinion, labels=labels, pairs=pairs, source=source, note=str(record.get("note") or "")
    )


def _table(path: Path, taxonomy: Taxonomy) -> list[Labelled]:
    loaded = []
    for row in Intake(find_files([path])):
        if isinstance(row, Rejection):
            if row.reason.startswith(EMPTY):
                continue
            raise InputError(f"标注文件 {row.file} 第 {row.row} 行：{row.reason}。")
        try:
            labels = taxonomy.parse(row.labels)
        except ResourceError as error:
            raise ResourceError(f"标注文件 {path.name} 中编号“{row.id[:40]}”一行：{error}") from None
        loaded.append(Labelled(opinion=row, labels=labels, pairs=None, source=path.stem))
    if not any(item.labels for item in loaded):
        raise InputError(f"标注文件 {path.name} 没有标签列（labels、标签、问题类型），或全部为空。")
    return loaded


def label_matrix(labelled: Sequence[Labelled], taxonomy: Taxonomy) -> npt.NDArray[np.bool_]:
    """Shape (n_opinions, n_labels), columns in taxonomy order."""
    return np.array(
        [[code in item.labels for code in taxonomy.codes] for item in labelled], dtype=bool
    ).reshape(len(labelled), len(taxonomy.codes))
