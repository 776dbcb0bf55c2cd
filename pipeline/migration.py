"""How the label space changes: rename, merge, split, add, retire, written down in a file.

What becomes of labels stored under an older version is the matter of :mod:`pipeline.carrying`.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from pydantic import Field

from pipeline.errors import ResourceError
from pipeline.migration_steps import Add, Merge, Rename, Retire, Split, Step, Table, Version, nth
from pipeline.taxonomy import Label, Taxonomy


@dataclass(frozen=True, slots=True)
class Carried:
    """What a stored label set became.

    ``codes``, each once, are there for certain. Of those in ``unknown`` it is not known whether they are: nobody was
    asked, or a split left it open. The latter are also in ``waiting``: somebody must look. No code is in both.
    """

    codes: tuple[str, ...]
    unknown: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()


class Migration(Table):
    """The way from one version of the taxonomy to the next.

    ``labels`` define what the old version lacks. ``gone`` are the labels that were done away with or redefined, as they
    were: put in when the migration is applied, so that what was stored under them can be read for good.
    """

    old_version: Version = Field(alias="from")
    new_version: Version = Field(alias="to")
    note: str = ""
    rename: tuple[Rename, ...] = ()
    merge: tuple[Merge, ...] = ()
    split: tuple[Split, ...] = ()
    add: tuple[Add, ...] = ()
    retire: tuple[Retire, ...] = ()
    labels: tuple[Label, ...] = ()
    gone: tuple[Label, ...] = ()

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All changes: renamed, merged, split, added, retired, each kind in the file's order."""
        return (
            *(Step("rename", (s.old,), (s.new,), nth("rename", n)) for n, s in enumerate(self.rename)),
            *(Step("merge", s.old, (s.new,), nth("merge", n)) for n, s in enumerate(self.merge)),
            *(Step("split", (s.old,), s.new, nth("split", n)) for n, s in enumerate(self.split)),
            *(Step("add", (), (s.new,), nth("add", n)) for n, s in enumerate(self.add)),
            *(Step("retire", (s.old,), (), nth("retire", n)) for n, s in enumerate(self.retire)),
        )

    @cached_property
    def _step_of(self) -> dict[str, Step]:
        return {code: step for step in self.steps for code in step.old}

    @cached_property
    def _added(self) -> frozenset[str]:
        return frozenset(step.new for step in self.add)

    @property
    def produced(self) -> frozenset[str]:
        """Codes of the new version that a step made or gave another meaning."""
        return frozenset(code for step in self.steps for code in step.new)

    def apply(self, taxonomy: Taxonomy) -> Taxonomy:
        """The taxonomy of the new version.

        Untouched labels keep their order. A renamed label, the parts of a split one and what labels were merged into stand
        where the (first) old one stood; added ones stand last of their kind.

        Raises:
            ResourceError: another version than ``from``, no change, an unknown code (the nearest known one is named), a
                new code that is there already or used twice, a definition that is missing or unused, a Chinese name
                given twice, or no label left. The message names the place but not the file.
        """
        self._check(taxonomy)
        defined = {label.code: label for label in (*taxonomy.labels, *self.labels)}
        for renamed in self.rename:
            changes = {"code": renamed.new} | ({"name_zh": renamed.name_zh} if renamed.name_zh else {})
            defined.setdefault(renamed.new, taxonomy[renamed.old].model_copy(update=changes))
        labels: list[Label] = []
        placed: set[str] = set()
        for label in taxonomy.labels:
            step = self._step_of.get(label.code)
            for code in (label.code,) if step is None else step.new:
                if code not in placed:
                    labels.append(defined[code])
                    placed.add(code)
        for added in self.add:
            label = defined[added.new]
            after = [place for place, other in enumerate(labels, start=1) if other.kind == label.kind]
            labels.insert(after[-1] if after else len(labels), label)
        if not labels:
            raise ResourceError("各步做完，一个类别也不剩。")
        repeated = [name for name, n in Counter(label.name_zh for label in labels).items() if n > 1]
        if repeated:
            raise ResourceError(f"各步做完，中文名“{repeated[0]}”有两个类别在用，请改为唯一。")
        return Taxonomy(version=self.new_version, labels=tuple(labels))

    def recorded(self, taxonomy: Taxonomy) -> Migration:
        """The same with ``gone`` as ``taxonomy``, that of the old version, defines it."""
        gone = tuple(label for label in taxonomy.labels if label.code in self._step_of)
        return self.model_copy(update={"gone": gone})

    def undo(self, taxonomy: Taxonomy) -> Taxonomy:
        """The labels of the old version, from those of the new one; their order is not the old one.

        Raises:
            ResourceError: ``gone`` lacks a label; the file was not written by ``qingyi taxonomy migrate``.
        """
        missing = self._step_of.keys() - {label.code for label in self.gone}
        if missing:
            raise ResourceError(
                f"从 {self.old_version} 到 {self.new_version} 的迁移记录没有记下“{min(missing)}”原来的定义；"
                "请用“qingyi taxonomy migrate”写出的文件。"
            )
        kept = (label for label in taxonomy.labels if label.code not in self.produced)
        return Taxonomy(version=self.old_version, labels=(*kept, *self.gone))

    def carry(
        self, codes: Iterable[str], unknown: Iterable[str] = (), waiting: Iterable[str] = ()
    ) -> Carried:
        """What a label set of the old version becomes; ``unknown`` and ``waiting`` as an earlier migration left them.

        A renamed or merged label is the new one, a retired one is gone. For a split one its parts are ``waiting``, but the
        part that keeps its code stays. A set without the split label has none of the parts. Added labels are ``unknown``.
        """
        codes = tuple(codes)
        certain = dict.fromkeys(new for code in codes for new in self._certain(code))
        opened = {
            new
            for code in codes
            if (step := self._step_of.get(code)) and step.action == "split"
            for new in step.new
        }
        open_still = opened.union(*map(self._possible, waiting)).difference(certain)
        nobody_asked = self._added.union(*map(self._possible, unknown)).difference(certain)
        return Carried(tuple(certain), nobody_asked | open_still, frozenset(open_still))

    def _certain(self, code: str) -> tuple[str, ...]:
        step = self._step_of.get(code)
        if step is None:
            return (code,)
        return tuple(new for new in step.new if new == code) if step.action == "split" else step.new

    def _possible(self, code: str) -> tuple[str, ...]:
        step = self._step_of.get(code)
        return (code,) if step is None else step.new

    def _check(self, taxonomy: Taxonomy) -> None:
        if self.old_version != taxonomy.version:
            raise ResourceError(f"from 是 {self.old_version}，现在的问题类型表却是 {taxonomy.version} 版。")
        if self.new_version == self.old_version:
            raise ResourceError("to 与 from 相同；请给新的版本号。")
        if not self.steps:
            raise ResourceError("没有一步改动；请写 rename、merge、split、add 或 retire。")
        taken: dict[str, Step] = {}
        made: dict[str, Step] = {}
        for step in self.steps:
            for code in step.old:
                if code not in taxonomy.codes:
                    near = difflib.get_close_matches(code, taxonomy.codes, n=1, cutoff=0.0)[0]
                    raise ResourceError(f"{step.place} 的标签代码“{code}”不认识，最接近的是“{near}”。")
                _claim(taken, code, step)
            for code in step.new:
                keeps = step.action in {"merge", "split"} and code in step.old
                if code in taxonomy.codes and not keeps:
                    raise ResourceError(f"{step.place} 的新代码“{code}”原来就有，请另取一个。")
                _claim(made, code, step)
        self._check_definitions(made, taxonomy)

    def _check_definitions(self, made: dict[str, Step], taxonomy: Taxonomy) -> None:
        defined = [label.code for label in self.labels]
        for number, code in enumerate(defined):
            place = nth("labels", number)
            if code not in made:
                raise ResourceError(f"{place} 定义了“{code}”，却没有哪一步用到它；请删去或补上那一步。")
            if code in defined[:number]:
                raise ResourceError(f"{place} 又定义了一次“{code}”，请只留一个。")
        for renamed in self.rename:
            if renamed.name_zh and renamed.new in defined:
                raise ResourceError(
                    f"“{renamed.new}”既有 [[labels]] 定义，rename 里又写了 name_zh；请只留一处。"
                )
        for code, step in made.items():
            if step.action != "rename" and code not in (*defined, *taxonomy.codes):
                raise ResourceError(f"{step.place} 的新类别“{code}”没有定义，请补上它的 [[labels]]。")


def _claim(owners: dict[str, Step], code: str, step: Step) -> None:
    if code in owners:
        raise ResourceError(
            f"{step.place} 与 {owners[code].place} 都用了代码“{code}”，一个代码只能用在一步里。"
        )
    owners[code] = step
