"""The label space as a value: ordered, versioned, loaded once and passed in, never inferred from data."""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ResourceError, cause

Kind = Literal["issue", "praise", "suggestion"]
_REASONS = {
    "missing": "没有填",
    "extra_forbidden": "不是认识的项目，请删去或改正拼写",
    "string_too_short": "是空的",
    "too_short": "是空的",
    "string_pattern_mismatch": "应为小写英文与下划线",
    "literal_error": "应为 issue、praise 或 suggestion",
}


class Label(BaseModel):
    """One label: its code is a data contract, the rest is what people read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=r"^[a-z][a-z_]*$")
    name_zh: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    kind: Kind
    definition: str = Field(min_length=1)
    excludes: str
    four_winds: str = Field(min_length=1)
    official_row: str = Field(min_length=1)
    remedy: str = Field(min_length=1)
    protected: bool = False
    """No retrained model may lose recall on it."""


class Taxonomy(BaseModel):
    """Labels in order. Guaranteed: codes and Chinese names unique, at least one label."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    version: str = Field(min_length=1)
    labels: tuple[Label, ...] = Field(min_length=1)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Codes in taxonomy order: the column order of every (n_opinions, n_labels) array."""
        return tuple(label.code for label in self.labels)

    @cached_property
    def issues(self) -> tuple[str, ...]:
        """Codes of the labels that accuse."""
        return tuple(label.code for label in self.labels if label.kind == "issue")

    @cached_property
    def protected(self) -> tuple[str, ...]:
        """Codes on which no retrained model may lose recall."""
        return tuple(label.code for label in self.labels if label.protected)

    @cached_property
    def _by_code(self) -> dict[str, Label]:
        return {label.code: label for label in self.labels}

    def __getitem__(self, code: str) -> Label:
        """Return the label of a code.

        Raises:
            ResourceError: unknown code; the message names the nearest known code or Chinese name. What resembles none is
                not quoted: where columns are shifted it is an opinion's text.
        """
        try:
            return self._by_code[code]
        except KeyError:
            names = {name: label.code for label in self.labels for name in (label.code, label.name_zh)}
            near = difflib.get_close_matches(code, names, n=1, cutoff=0.5)
            if not near:
                raise ResourceError("未知的标签，不像任何一个标签代码或名称，内容不列出。") from None
            raise ResourceError(f"未知的标签代码“{code[:40]}”，最接近的是“{names[near[0]]}”。") from None

    def parse(self, codes: str | Iterable[str]) -> tuple[str, ...]:
        """Read codes or Chinese names (``a;b`` or a sequence) into known codes, once each, in taxonomy order.

        Raises:
            ResourceError: a code is unknown.
        """
        parts = codes.replace("；", ";").split(";") if isinstance(codes, str) else list(codes)
        by_name = {label.name_zh: label.code for label in self.labels}
        wanted = {self[by_name.get(part.strip(), part.strip())].code for part in parts if part.strip()}
        return tuple(code for code in self.codes if code in wanted)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the version and the ordered codes with their kinds: what a model is bound to."""
        lines = [self.version, *(f"{label.code} {label.kind}" for label in self.labels)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def load_taxonomy(path: Path) -> Taxonomy:
    """Read ``taxonomy.toml``.

    Raises:
        ResourceError: the file is missing, not TOML, has an unknown key, a missing field or a repeated code.
    """
    try:
        taxonomy = Taxonomy.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise ResourceError(f"读不到问题类型表 {path.name}：{cause(error)}。") from None
    except UnicodeDecodeError:
        raise ResourceError(f"问题类型表 {path.name} 不是 UTF-8 编码，请另存为 UTF-8。") from None
    except tomllib.TOMLDecodeError as error:
        raise ResourceError(f"问题类型表 {path.name} 不是有效的 TOML（{error}）。") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = _REASONS.get(first["type"], "的值不对")
        raise ResourceError(f"问题类型表 {path.name} 的 {place} {reason}。") from None
    for what, names in (
        ("代码", taxonomy.codes),
        ("中文名", tuple(label.name_zh for label in taxonomy.labels)),
    ):
        repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if repeated:
            raise ResourceError(f"问题类型表 {path.name} 中{what}“{repeated[0]}”重复，请改为唯一。")
    return taxonomy
