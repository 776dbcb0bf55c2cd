"""The ways of ``qingyi taxonomy`` on one page: where the label space stands, what a file would do, and doing it.

Applying writes three files of the workspace's own ``data/``, each beside its place and then renamed: the old taxonomy
(``taxonomy-<version>.toml``), the migration (``migrations/0001-<from>-<to>.toml``) and, last, the new ``taxonomy.toml``. A migration
beyond the taxonomy's version is not in force, so a kill before the last rename leaves the old state, after it the new one.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.carrying import carry_all, carry_pairs, needs_review
from pipeline.classifier.files import active_version, read_card
from pipeline.errors import ModelError, OutputError, ResourceError, cause
from pipeline.learn.corpus import corpus_files, load_labelled
from pipeline.lock import held
from pipeline.migration import Migration
from pipeline.migration_files import load_migration
from pipeline.migration_steps import Step
from pipeline.review.store import Store
from pipeline.taxonomy import Taxonomy
from pipeline.workspace import Workspace

FEW = 50
"""Below so many opinions with a label, the model has hardly seen it."""

_LOCK_SECONDS = 60.0
_HEAD = """\
# 问题类型表 · the label space: ordered, versioned. The order here is the order everywhere (matrices, tables, reports).
# 由“qingyi taxonomy migrate”写出；上一版在 {before}，怎样改的在 {record}。
# kind: issue 问题 | praise 表扬 | suggestion 建议;  protected = true: 重新训练的模型不得丢掉它的召回
"""


@dataclass(frozen=True)
class Standing:
    """Where a workspace's label space stands.

    ``model`` is the active version ("" where there is none), ``fits`` whether it was made for this taxonomy. ``support`` are the
    opinions it saw per code, in taxonomy order, carried over where the model is of an earlier version: exact for
    renamed labels, at most so many for merged ones. ``waiting`` stored answers have a label that was split since.
    """

    taxonomy: Taxonomy
    migrations: tuple[Migration, ...]
    model: str
    fits: bool
    support: dict[str, int]
    waiting: int

    @property
    def unseen(self) -> tuple[str, ...]:
        """Codes the model has never seen."""
        return tuple(code for code, n in self.support.items() if not n)

    @property
    def hardly_seen(self) -> tuple[str, ...]:
        """Codes the model has seen, in fewer than :data:`FEW` opinions."""
        return tuple(code for code, n in self.support.items() if 0 < n < FEW)


@dataclass(frozen=True)
class Touched:
    """A step, and how many labelled opinions of the corpus and of the answers carry a label it changes.

    Of an added label nobody was asked: then all of them count.
    """

    step: Step
    corpus: int
    answers: int


@dataclass(frozen=True)
class Plan:
    """What a migration does: the taxonomy before and after, and its steps in order."""

    migration: Migration
    before: Taxonomy
    after: Taxonomy
    steps: tuple[Touched, ...]

    @property
    def split(self) -> bool:
        """Whether answers must be looked at again."""
        return any(touched.step.action == "split" and touched.answers for touched in self.steps)


def standing(space: Workspace) -> Standing:
    """The label space, the active model's fit to it, and the answers that wait.

    Raises:
        ResourceError: the taxonomy, a migration or a file of the store is wrong, or the migrations do not fit.
    """
    try:
        card = read_card(space.models, active_version(space.models))
    except ModelError:
        card = {}
    finals = (state.final for state in Store(space.feedback, space.migrations).states().values())
    return Standing(
        taxonomy=space.taxonomy,
        migrations=space.migrations,
        model=str(card.get("version", "")),
        fits=card.get("taxonomy") == space.taxonomy.digest,
        support=_support(card, space),
        waiting=sum(needs_review(final, space.migrations) for final in finals if final),
    )


def is_migration(path: Path) -> bool:
    """Whether a file is a migration, by its ``from`` or ``to``; one that cannot be read is none."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False
    return not table.keys().isdisjoint({"from", "to"})


def plan(space: Workspace, file: Path) -> Plan:
    """What a migration file would do to a workspace; nothing is written.

    Raises:
        ResourceError: the file is wrong or does not fit the taxonomy, or what is stored cannot be read.
    """
    migration = load_migration(file)
    used = {earlier.old_version for earlier in space.migrations}
    if migration.new_version in used:
        raise ResourceError(
            f"迁移文件 {file.name}：to 写的 {migration.new_version} 版已经用过；请给新的版本号。"
        )
    try:
        after = migration.apply(space.taxonomy)
    except ResourceError as error:
        raise ResourceError(f"迁移文件 {file.name}：{error}") from None
    corpus, answers = _stored(space)
    steps = tuple(
        Touched(step, *(_count(given, step) for given in (corpus, answers))) for step in migration.steps
    )
    return Plan(migration.recorded(space.taxonomy), space.taxonomy, after, steps)


def migrate(root: Path, file: Path) -> Plan:
    """Apply a migration file to the workspace at ``root``; all is checked first, and all or nothing takes force.

    A workspace without a taxonomy of its own gets one, begun from the shipped one, which stays as it is.

    Raises:
        ResourceError: see :func:`plan`; nothing is written.
        OutputError: the workspace cannot be written; the old taxonomy is in force.
    """
    plan(Workspace(root=root), file)  # a wrong file leaves no trace, not even the folder of the lock
    folder = root / "data/migrations"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with held(folder / ".lock", f"改 {root} 的类别", patience=_LOCK_SECONDS):
            space = Workspace(root=root)
            planned = plan(space, file)
            _take_force(space, planned, folder)
    except OSError as error:
        raise OutputError(f"不能写入 {root / 'data'}：{cause(error)}；类别没有改。") from None
    return planned


def difference(before: Taxonomy, after: Taxonomy) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """``(codes only after, codes only before)``, each in its taxonomy's order."""
    return (
        tuple(code for code in after.codes if code not in before.codes),
        tuple(code for code in before.codes if code not in after.codes),
    )


def as_toml(table: Mapping[str, Any]) -> str:
    """Texts, truth values, lists of texts and lists of flat tables as TOML; reading it gives the same values."""
    plain = {key: value for key, value in table.items() if not _is_tables(value)}
    tables = {key: value for key, value in table.items() if _is_tables(value)}
    blocks = ["".join(f"{key} = {_value(value)}\n" for key, value in plain.items())]
    blocks += [f"[[{key}]]\n{as_toml(row)}" for key, rows in tables.items() for row in rows]
    return "\n".join(blocks)


def taxonomy_toml(taxonomy: Taxonomy) -> str:
    """``taxonomy.toml`` of a taxonomy, without comments."""
    return as_toml(taxonomy.model_dump(exclude_defaults=True))


def migration_toml(migration: Migration) -> str:
    """The file of a migration, without comments."""
    return as_toml(migration.model_dump(by_alias=True, exclude_defaults=True))


def _take_force(space: Workspace, planned: Plan, folder: Path) -> None:
    old, new = planned.migration.old_version, planned.migration.new_version
    record = f"{len(space.migrations) + 1:04d}-{old}-{new}.toml"
    kept = f"taxonomy-{old}.toml"
    for migration_file in sorted(folder.glob("[0-9]*.toml"))[len(space.migrations) :]:
        # recorded but not in force: a kill, or a taxonomy put back by hand; set aside, so that the chain stays one
        migration_file.replace(migration_file.with_suffix(".unused"))
    _write(space.root / "data" / kept, space.path("data/taxonomy.toml").read_bytes())
    _write(folder / record, migration_toml(planned.migration).encode())
    head = _HEAD.format(before=kept, record=f"migrations/{record}")
    _write(space.root / "data/taxonomy.toml", (head + taxonomy_toml(planned.after)).encode())


def _write(target: Path, content: bytes) -> None:
    temporary = target.with_name(f".{target.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    # JSON's escapes are TOML's, which also wants DEL escaped
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _support(card: Mapping[str, Any], space: Workspace) -> dict[str, int]:
    """Opinions per present code that a model saw; of a version that the migrations do not know, by the same code."""
    version = str(card.get("taxonomy_version", ""))
    known = version in {migration.old_version for migration in space.migrations}
    support: Counter[str] = Counter()
    for code, n in card.get("support", {}).items():
        if code not in card.get("unseen", ()):
            for present in carry_all(space.migrations, [code], version).codes if known else (code,):
                support[present] += n
    return {code: support[code] for code in space.taxonomy.codes}


def _stored(space: Workspace) -> tuple[list[frozenset[str]], list[frozenset[str]]]:
    """Label sets of the corpus, and of each opinion's answers together, in the present version."""
    corpus = load_labelled(
        corpus_files(space.corpus), space.taxonomy, space.directory, migrations=space.migrations
    )
    answers = [
        frozenset(
            code
            for answer in state.answers
            for _, code in carry_pairs(space.migrations, answer.pairs, answer.taxonomy)
        )
        for state in Store(space.feedback, space.migrations).states().values()
        if state.answers
    ]
    return [frozenset(item.labels) for item in corpus], answers


def _count(given: Sequence[frozenset[str]], step: Step) -> int:
    return len(given) if not step.old else sum(not labels.isdisjoint(step.old) for labels in given)
