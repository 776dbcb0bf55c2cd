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

from pipeline.carrying import carry_all, carry_pairs
from pipeline.directory import Directory
from pipeline.errors import InputError, ResourceError, cause, listed
from pipeline.intake.encodings import detect
from pipeline.intake.files import find_files
from pipeline.intake.reading import EMPTY, Intake
from pipeline.migration import Migration
from pipeline.migration_files import editions
from pipeline.records import UNSPECIFIED, Opinion
from pipeline.taxonomy import Taxonomy

_INCOMPLETE = "不是完整的标注记录（需要 text、labels）。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An opinion with the labels people gave it. ``pairs`` is None where the file does not tell departments.

    ``source`` names the file it came from: whoever wrote or collected it. ``note`` is the labeller's remark.
    It is the user's ``own`` where it is no part of the corpus. Of labels in ``unknown`` it says neither that they are there nor
    that they are not. Those ``waiting`` among them came of a split: it may carry one.
    """

    opinion: Opinion
    labels: tuple[str, ...]
    pairs: frozenset[tuple[str, str]] | None = field(repr=False)
    source: str = ""
    note: str = field(default="", repr=False)
    own: bool = False
    unknown: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()


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


def load_labelled(
    paths: Iterable[Path], taxonomy: Taxonomy, directory: Directory, migrations: Sequence[Migration] = ()
) -> list[Labelled]:
    """Read labelled files of any intake format, in order; JSONL files may carry ``pairs``. Rows without text are none.

    ``migrations`` led to ``taxonomy``: labels given by an earlier version are carried over, and what that leaves open is
    ``unknown``. A JSONL record may say its version (``"taxonomy": "1.1"``). Records and tables that do not are taken by the file:
    it is of the version that knows the most of its label sets, the oldest of those, so of the oldest where nothing speaks
    against it.

    Raises:
        InputError: no opinion, no labels column, or a row that intake rejects.
        ResourceError: an unknown label, department or version, pairs that do not fit the labels, or a repeated id;
            file and line are named.
    """
    versions = _Versions(editions(taxonomy, migrations), tuple(migrations))
    loaded: list[Labelled] = []
    for path in paths:
        loaded += (
            _jsonl(path, versions, directory) if path.suffix.lower() == ".jsonl" else _table(path, versions)
        )
    if not loaded:
        raise InputError("标注文件里没有一件意见。")
    seen: set[str] = set()
    for item in loaded:
        if item.opinion.id in seen:
            raise ResourceError(f"标注文件中编号“{item.opinion.id[:40]}”出现两次，请改为唯一。")
        seen.add(item.opinion.id)
    return loaded


@dataclass(frozen=True)
class _Versions:
    """The taxonomy's versions, oldest first, the present one last, and the migrations between them."""

    editions: tuple[Taxonomy, ...]
    migrations: tuple[Migration, ...]

    def of(self, version: str) -> Taxonomy:
        """The edition of a version.

        Raises:
            ResourceError: there is no such version; those there are are listed.
        """
        for edition in self.editions:
            if edition.version == version:
                return edition
        known = listed(edition.version for edition in self.editions)
        raise ResourceError(f"没有问题类型表 {version[:40]} 版；有的版本：{known}。")

    def most_likely(self, given: Iterable[Any]) -> Taxonomy:
        """The version that knows the most of these label sets, the oldest of those."""
        if not self.migrations:
            return self.editions[-1]
        sets = {
            labels if isinstance(labels, str) else ";".join(map(str, labels))
            for labels in given
            if isinstance(labels, str | list)
        }
        return min(self.editions, key=lambda edition: sum(not _known(labels, edition) for labels in sets))

    def hint(self, edition: Taxonomy) -> str:
        """By which version a record was read, and how to say another; "" where there is only one."""
        if not self.migrations:
            return ""
        present = self.editions[-1].version
        return f'（按 {edition.version} 版读；按别的版本标的，请在记录里写明，如 "taxonomy": "{present}"）'

    def carry(self, codes: Sequence[str], edition: Taxonomy) -> dict[str, Any]:
        """``labels`` in taxonomy order, ``unknown`` and ``waiting`` of a :class:`Labelled` in the present version."""
        carried = carry_all(self.migrations, codes, edition.version)
        labels = self.editions[-1].parse(carried.codes)
        return {"labels": labels, "unknown": carried.unknown, "waiting": carried.waiting}


def _known(labels: str, edition: Taxonomy) -> bool:
    try:
        edition.parse(labels)
    except ResourceError:
        return False
    return True


def _jsonl(path: Path, versions: _Versions, directory: Directory) -> list[Labelled]:
    try:
        lines = path.read_text(encoding=detect(path, path.name)).split("\n")
    except OSError as error:
        raise InputError(f"读不到标注文件 {path.name}：{cause(error)}。") from None
    records = [
        (number, _parsed(line, f"标注文件 {path.name} 第 {number} 行"))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    silent = versions.most_likely(record.get("labels") for _, record in records if "taxonomy" not in record)
    loaded = []
    for number, record in records:
        where = f"标注文件 {path.name} 第 {number} 行"
        try:
            record.setdefault("id", f"{path.stem}:{number}")
            loaded.append(_record(record, path.stem, versions, silent, directory))
        except ResourceError as error:
            raise ResourceError(f"{where}：{error}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ResourceError(f"{where}{_INCOMPLETE}") from None
    return loaded


def _parsed(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise ResourceError(f"{where}{_INCOMPLETE}")
    return record


def _record(
    record: dict[str, Any], source: str, versions: _Versions, silent: Taxonomy, directory: Directory
) -> Labelled:
    migrated = bool(versions.migrations)
    edition = versions.of(str(record["taxonomy"])) if migrated and "taxonomy" in record else silent
    try:
        given = edition.parse(record["labels"])
    except ResourceError as error:
        raise ResourceError(f"{error}{versions.hint(edition)}") from None
    pairs: frozenset[tuple[str, str]] | None = None
    if "pairs" in record:
        pairs = frozenset((str(department), edition[code].code) for department, code in record["pairs"])
        unknown = {department for department, _ in pairs} - {*directory.names, UNSPECIFIED}
        if unknown:
            raise ResourceError(f"pairs 中有 {len(unknown)} 个部门不在目录里")
        if {code for _, code in pairs} - set(given):
            raise ResourceError("pairs 中有 labels 没有的标签")
        pairs = frozenset(carry_pairs(versions.migrations, pairs, edition.version))
    opinion = Opinion(
        id=str(record["id"]), text=str(record["text"]).strip(), department=str(record.get("department") or "")
    )
    if not opinion.text:
        raise ResourceError("text 为空")
    note = str(record.get("note") or "")
    return Labelled(opinion=opinion, pairs=pairs, source=source, note=note, **versions.carry(given, edition))


def _table(path: Path, versions: _Versions) -> list[Labelled]:
    rows: list[Opinion] = []
    for row in Intake(find_files([path])):
        if isinstance(row, Opinion):
            rows.append(row)
        elif not row.reason.startswith(EMPTY):
            raise InputError(f"标注文件 {row.file} 第 {row.row} 行：{row.reason}。")
    edition = versions.most_likely(row.labels for row in rows)
    loaded = []
    for row in rows:
        try:
            carried = versions.carry(edition.parse(row.labels), edition)
        except ResourceError as error:
            raise ResourceError(f"标注文件 {path.name} 中编号“{row.id[:40]}”一行：{error}") from None
        loaded.append(Labelled(opinion=row, pairs=None, source=path.stem, **carried))
    if not any(row.labels for row in rows):
        raise InputError(
            f"标注文件 {path.name} 没有标签列（labels、标签、问题类型），或全部为空；请加一列“标签”，写类别代码，几个的用分号隔开。没有标注的表请用“qingyi report”。"
        )
    return loaded


def label_matrix(labelled: Sequence[Labelled], taxonomy: Taxonomy) -> npt.NDArray[np.bool_]:
    """Shape (n_opinions, n_labels), columns in taxonomy order."""
    return np.array(
        [[code in item.labels for code in taxonomy.codes] for item in labelled], dtype=bool
    ).reshape(len(labelled), len(taxonomy.codes))


def unknown_matrix(labelled: Sequence[Labelled], taxonomy: Taxonomy) -> npt.NDArray[np.bool_]:
    """Where nobody was asked: shape (n_opinions, n_labels), columns in taxonomy order."""
    return np.array(
        [[code in item.unknown for code in taxonomy.codes] for item in labelled], dtype=bool
    ).reshape(len(labelled), len(taxonomy.codes))
