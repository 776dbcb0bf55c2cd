"""Migration files: read, chained in the order of their versions, and the editions of the taxonomy that they lead through."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from pipeline.errors import ResourceError, cause
from pipeline.migration import Migration
from pipeline.migration_steps import nth
from pipeline.taxonomy import Taxonomy

_REASONS = {
    "missing": "没有填",
    "extra_forbidden": "不是认识的项目，请删去或改正拼写",
    "string_too_short": "是空的",
    "too_short": "至少要写两个",
    "string_type": "应为文字，请加引号",
    "literal_error": "应为 issue、praise 或 suggestion",
}


def load_migration(path: Path) -> Migration:
    """Read a migration file. Only its form is checked; :meth:`Migration.apply` holds it against a taxonomy.

    Raises:
        ResourceError: the file is missing, not UTF-8, not TOML, has an unknown key, or a missing or wrong value.
    """
    try:
        return Migration.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise ResourceError(f"读不到迁移文件 {path.name}：{cause(error)}。") from None
    except UnicodeDecodeError:
        raise ResourceError(f"迁移文件 {path.name} 不是 UTF-8 编码，请另存为 UTF-8。") from None
    except tomllib.TOMLDecodeError as error:
        raise ResourceError(f"迁移文件 {path.name} 不是有效的 TOML（{error}）。") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise ResourceError(
            f"迁移文件 {path.name} 的 {_place(first['loc'])} {_reason(first['type'], first['loc'])}。"
        ) from None


def load_migrations(folder: Path) -> tuple[Migration, ...]:
    """The migrations kept in ``folder``, oldest first; none where there is no folder.

    Guaranteed: each begins with the version in which the one before it ended, and no version comes twice.

    Raises:
        ResourceError: a file is wrong, or they do not chain; the file is named.
    """
    chain: list[Migration] = []
    seen: set[str] = set()
    for path in sorted(folder.glob("[0-9]*.toml")):
        migration = load_migration(path)
        seen.add(migration.old_version)
        if chain and migration.old_version != chain[-1].new_version:
            raise ResourceError(
                f"迁移记录 {path.name} 从 {migration.old_version} 版起，前一份却到 {chain[-1].new_version} 版；"
                "请检查 data/migrations 里的文件。"
            )
        if migration.new_version in seen:
            raise ResourceError(
                f"迁移记录 {path.name} 又回到 {migration.new_version} 版；请给没有用过的版本号。"
            )
        seen.add(migration.new_version)
        chain.append(migration)
    return tuple(chain)


def in_force(migrations: Sequence[Migration], version: str) -> tuple[Migration, ...]:
    """Those that led to ``version``: one recorded beyond it has not come into force, or was taken back.

    Raises:
        ResourceError: there are migrations, but none of them begins or ends with ``version``.
    """
    if not migrations or migrations[0].old_version == version:
        return ()
    for number, migration in enumerate(migrations, start=1):
        if migration.new_version == version:
            return tuple(migrations[:number])
    raise ResourceError(
        f"问题类型表是 {version} 版，data/migrations 里的迁移记录却只到 {migrations[-1].new_version} 版；"
        "请改回 version，或用“qingyi taxonomy migrate”改类别。"
    )


def editions(taxonomy: Taxonomy, migrations: Sequence[Migration]) -> tuple[Taxonomy, ...]:
    """Every version from the oldest to ``taxonomy``, in which the migrations ended.

    Raises:
        ResourceError: the migrations end in another version, or see :meth:`Migration.undo`.
    """
    if in_force(migrations, taxonomy.version) != tuple(migrations):
        raise ResourceError(
            f"迁移记录到了 {migrations[-1].new_version} 版，问题类型表却是 {taxonomy.version} 版。"
        )
    found = [taxonomy]
    for migration in reversed(migrations):
        found.append(migration.undo(found[-1]))
    return tuple(reversed(found))


def _place(loc: Sequence[int | str]) -> str:
    """``("rename", 0, "old")`` as 第 1 个 [[rename]] 的 old."""
    if len(loc) < 2 or not isinstance(loc[1], int):
        return str(loc[0])
    inside = [f" 的 {part}" if isinstance(part, str) else f" 第 {part + 1} 个" for part in loc[2:]]
    return nth(str(loc[0]), loc[1]) + "".join(inside)


def _reason(kind: str, loc: Sequence[int | str]) -> str:
    if kind == "string_pattern_mismatch":
        return "应为字母、数字、点或横线" if loc[-1] in {"from", "to"} else "应为小写英文与下划线"
    return _REASONS.get(kind, "的值不对")
