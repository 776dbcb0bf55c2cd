"""Labels stored under an older version of the taxonomy, as they are in the present one.

Nothing stored is rewritten: it keeps the codes it was given, with the version they were given by, and is carried over each time
it is read. The store is the history. What a migration leaves open is said to be open: after a split somebody must look
again, and of a label that was added nobody has been asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pipeline.errors import ResourceError
from pipeline.migration import Carried, Migration
from pipeline.migration_steps import Action
from pipeline.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

Pair = tuple[str, str]
"""(department, label code)."""


def carry_all(migrations: Sequence[Migration], codes: Iterable[str], version: str) -> Carried:
    """What a label set of ``version`` is in the last version; unchanged where there are no migrations.

    Raises:
        ResourceError: no migration begins or ends with ``version``.
    """
    carried = Carried(tuple(dict.fromkeys(codes)))
    for migration in _since(migrations, version):
        carried = migration.carry(carried.codes, carried.unknown, carried.waiting)
    return carried


def carry_pairs(migrations: Sequence[Migration], pairs: Iterable[Pair], version: str) -> tuple[Pair, ...]:
    """As :func:`carry_all` for (department, label) pairs: each once, those whose label is not certain left out."""
    return tuple(
        dict.fromkeys(
            (department, code)
            for department, old in pairs
            for code in carry_all(migrations, [old], version).codes
        )
    )


def present_code(migrations: Sequence[Migration], code: str, taxonomy: Taxonomy) -> str:
    """What a label, of whichever version, is called in the present one: the code itself where that is not certain."""
    codes: tuple[str, ...] = (code,)
    for migration in migrations if code not in taxonomy.codes else ():
        codes = migration.carry(codes).codes
    return codes[0] if codes else code


def heirs(migrations: Sequence[Migration], codes: Iterable[str]) -> frozenset[str]:
    """All labels of the present version that came of some of the first one, by a split too."""
    found = set(codes)
    for migration in migrations:
        carried = migration.carry(found)
        found = {*carried.codes, *carried.waiting}
    return frozenset(found)


class Stored(Protocol):
    """What somebody said of an opinion: pairs, with codes of the taxonomy's version."""

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """(department, label code)."""

    @property
    def taxonomy(self) -> str:
        """The version."""


class CarriedAnswer(NamedTuple):
    """An answer in the present version; ``unknown`` and ``waiting`` as in :class:`~pipeline.migration.Carried`."""

    pairs: tuple[Pair, ...]
    unknown: frozenset[str]
    waiting: frozenset[str]


def carried_answer(answer: Stored, migrations: Sequence[Migration]) -> CarriedAnswer:
    """An answer as it is in the present version; unchanged where there are no migrations.

    Raises:
        ResourceError: the answer is of a version that the migrations do not know.
    """
    carried = carry_all(migrations, (code for _, code in answer.pairs), answer.taxonomy)
    pairs = carry_pairs(migrations, answer.pairs, answer.taxonomy)
    return CarriedAnswer(pairs, carried.unknown, carried.waiting)


def needs_review(answer: Stored, migrations: Sequence[Migration]) -> bool:
    """Whether the answer has a label that was split since: somebody must say which part it is.

    Raises:
        ResourceError: the answer is of a version that the migrations do not know.
    """
    return bool(carried_answer(answer, migrations).waiting)


@dataclass(frozen=True)
class CarriedFindings:
    """An earlier round's findings in the present labels.

    ``incomparable`` names the labels whose counts before and after must not be compared, and why: present codes that
    came of a split or were added, and codes that are gone because they were split or retired.
    """

    findings: pd.DataFrame = field(repr=False)
    incomparable: dict[str, Action]


def carry_findings(
    findings: pd.DataFrame, migrations: Sequence[Migration], version: str, taxonomy: Taxonomy
) -> CarriedFindings:
    """A round's findings, made by ``version``, as they would be counted now: exact where a comparison is possible.

    ``findings`` has a row a finding, with columns ``opinion_id``, ``department`` and ``label`` at least; the rows' order is
    kept. Findings are carried rather than sums of them: an opinion that had two of the labels that were merged counts once,
    which no summary can tell. Of such rows that with the highest ``probability`` (where there is that column) stays, else the
    first. Rows of retired labels, and of split ones, are left out and their labels named.

    Raises:
        ResourceError: a version or a label that the migrations and the taxonomy do not know.
    """
    chain = _since(migrations, version)
    becomes = {code: carry_all(chain, [code], version).codes for code in findings["label"].unique()}
    for codes in becomes.values():
        taxonomy.parse(codes)
    incomparable = _incomparable(chain)
    present = {code: codes[0] for code, codes in becomes.items() if codes and codes[0] not in incomparable}
    carried = findings.assign(label=findings["label"].map(present)).dropna(subset=["label"])
    if "probability" in carried:
        carried = carried.sort_values("probability", ascending=False, kind="stable")
    carried = carried.drop_duplicates(["opinion_id", "department", "label"]).sort_index()
    order = [*taxonomy.codes, *sorted(incomparable.keys() - set(taxonomy.codes))]
    return CarriedFindings(carried, {code: incomparable[code] for code in order if code in incomparable})


def _incomparable(chain: Sequence[Migration]) -> dict[str, Action]:
    """Codes whose counts before and after the chain say different things, with the first step that made it so."""
    found: dict[str, Action] = {}
    for migration in chain:
        before = dict(found)
        for step in migration.steps:
            spoilt = next((before[code] for code in step.old if code in before), None)
            for code in step.old:
                if code not in migration.produced:
                    found.pop(code, None)
            for code in step.new:
                found.pop(code, None)
            if step.action in {"split", "add", "retire"}:
                found.update(dict.fromkeys((*step.new, *step.old), spoilt or step.action))
            elif spoilt:
                found.update(dict.fromkeys(step.new, spoilt))
    return found


def _since(migrations: Sequence[Migration], version: str) -> tuple[Migration, ...]:
    for number, migration in enumerate(migrations):
        if migration.old_version == version:
            return tuple(migrations[number:])
    if not migrations or migrations[-1].new_version == version:
        return ()
    raise ResourceError(
        f"有按问题类型表 {version[:40]} 版标的记录，迁移记录里没有这一版；请检查 data/migrations 里的文件。"
    )
