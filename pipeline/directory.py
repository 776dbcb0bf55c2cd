"""The department directory: canonical names and the aliases people use for them."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.errors import ResourceError, cause, listed
from pipeline.records import UNSPECIFIED

COLUMNS = ("code", "name", "parent", "kind", "aliases")
KINDS = {"bureau": "厅本级", "office": "处室", "company": "公司", "institute": "院所校站"}
"""The series of departments, each with its name in documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One line of the directory. ``kind`` is its series, one of :data:`KINDS`."""

    code: str
    name: str
    parent: str
    kind: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Directory:
    """Departments in file order. Guaranteed: every name and alias means exactly one department."""

    departments: tuple[Department, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Canonical names in file order."""
        return tuple(department.name for department in self.departments)

    @cached_property
    def by_alias(self) -> dict[str, str]:
        """Every name and alias → canonical name."""
        return {
            alias: department.name
            for department in self.departments
            for alias in (department.name, *department.aliases)
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of names, aliases and kinds in order: what a run was counted by."""
        return hashlib.sha256(repr(self.departments).encode()).hexdigest()

    def resolve(self, name: str) -> str | None:
        """Canonical name for a name or alias as written in a column, or None where it is not listed."""
        return self.by_alias.get("".join(name.split()))


def load_directory(path: Path) -> Directory:
    """Read ``departments.csv``; aliases are separated by ``;`` or ``；``.

    Raises:
        ResourceError: columns missing, an empty name, an unknown parent or kind, a name of one character or one
            that the program uses itself, or an alias claimed twice (both lines are named).
    """
    departments: list[Department] = []
    codes: dict[str, int] = {}
    claimed: dict[str, int] = {}
    for line, department in _read(path):
        where = f"部门目录 {path.name}"
        if not department.name or not department.code:
            raise ResourceError(f"{where} 第 {line} 行没有 code 或 name，请补上。")
        if department.code in codes:
            raise ResourceError(
                f"{where} 代码“{department.code}”重复：第 {codes[department.code]} 行与第 {line} 行。"
            )
        codes[department.code] = line
        if department.kind not in KINDS:
            raise ResourceError(
                f"{where} 第 {line} 行的 kind“{department.kind[:20]}”不认识；可用：{listed(KINDS)}。"
            )
        for alias in dict.fromkeys((department.name, *department.aliases)):
            if alias in claimed:
                raise ResourceError(
                    f"{where} 的名称或别名“{alias}”不唯一：第 {claimed[alias]} 行与第 {line} 行，请只留一处。"
                )
            if len(alias) < 2 or alias == UNSPECIFIED:
                raise ResourceError(
                    f"{where} 第 {line} 行的名称或别名“{alias}”不能用：至少两个字，且不是“{UNSPECIFIED}”。"
                )
            claimed[alias] = line
        departments.append(department)
    for department in departments:
        if department.parent and department.parent not in codes:
            line = codes[department.code]
            raise ResourceError(f"部门目录 {path.name} 第 {line} 行的上级代码“{department.parent}”不存在。")
    return Directory(departments=tuple(departments))


def _read(path: Path) -> list[tuple[int, Department]]:
    """Lines of the file as departments, unchecked, with their line numbers."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise ResourceError(
                    f"部门目录 {path.name} 缺少列：{listed(missing)}；应有列：{listed(COLUMNS)}。"
                )
            return [
                (
                    reader.line_num,
                    Department(
                        code=(row["code"] or "").strip(),
                        name=(row["name"] or "").strip(),
                        parent=(row["parent"] or "").strip(),
                        kind=(row["kind"] or "").strip(),
                        aliases=tuple(
                            filter(None, map(str.strip, (row["aliases"] or "").replace("；", ";").split(";")))
                        ),
                    ),
                )
                for row in reader
            ]
    except OSError as error:
        raise ResourceError(f"读不到部门目录 {path.name}：{cause(error)}。") from None
    except UnicodeDecodeError:
        raise ResourceError(f"部门目录 {path.name} 不是 UTF-8 编码，请另存为“CSV UTF-8”。") from None
