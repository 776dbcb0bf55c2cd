"""Which departments may be commended (表扬名单), and on what basis.

A department may be commended when it was praised by several opinions, when nothing says that it has a problem, and when
enough was said about it for that silence to mean something. The classifier finds issues that are not there at a known
rate; a few found among many opinions are no evidence, and are not held against a department, unless the label is one of
the protected ones (bribes, retaliation): of those not even one more than that rate gives is passed over.

The verdict proposes: what the classifier does not find it does not count, so the opinions about a department are read
before it is commended.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import beta, binom, false_discovery_control

Reason = Literal[
    "little praise",
    "small share of praise",
    "few opinions",
    "issue share",
    "issue found",
    "protected issue found",
]
"""Why a department is not commended:

``little praise``, ``small share of praise``: below :attr:`Rules.praise` or :attr:`Rules.praise_share`. ``few opinions``: even
without any issue their number could not show that issues are rare. ``issue share``: it could, but with the issues found it
does not. ``issue found``: a label more often than false findings explain. ``protected issue found``: such a label at all
beyond what false findings give.
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """The stated limits. Shares are of the distinct opinions about the department, in [0, 1].

    ``praise``: least number of distinct opinions with praise; ``praise_share``: least share of them. ``issue_share``: the
    upper bound of the share of opinions with an issue has to be below it, at the one-sided ``confidence``; at 0.10 and
    0.95 that takes 29 opinions without any. ``false_discoveries``: the level at which a label is found more often than
    false findings explain, over all issue labels of the department (Benjamini & Hochberg 1995; with none truly there,
    that is also the chance of finding any).
    """

    praise: int = 5
    praise_share: float = 0.10
    issue_share: float = 0.10
    confidence: float = 0.95
    false_discoveries: float = 0.05


@dataclass(frozen=True, slots=True)
class IssueFigures:
    """An issue label that was found: ``found`` opinions, and how many false findings alone would give (``expected``).

    ``q`` tests whether ``found`` is more (exact binomial test, one-sided, adjusted for the number of issue labels).
    """

    label: str
    found: int
    expected: float
    q: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a department may be commended, and the figures it rests on.

    ``opinions``, ``praised`` and ``issues`` are numbers of distinct opinions; ``issue_bound`` is the upper bound of the
    share of opinions with an issue (Clopper & Pearson 1934, one-sided; 1 without opinions). ``found`` are the issue labels
    that occur, in the order of labels. ``reasons`` are all that speak against it, in the order of :data:`Reason`.
    """

    department: str
    kind: str
    opinions: int
    praised: int
    issues: int
    issue_bound: float
    found: tuple[IssueFigures, ...]
    reasons: tuple[Reason, ...]

    @property
    def commended(self) -> bool:
        """Nothing speaks against it."""
        return not self.reasons

    @property
    def praise_share(self) -> float:
        """Of the opinions about the department; 0 without any."""
        return self.praised / self.opinions if self.opinions else 0.0


def commend(
    summary: pd.DataFrame,
    by_department: pd.DataFrame,
    issues: Sequence[str],
    protected: Collection[str],
    false_findings: Mapping[str, float],
    rules: Rules | None = None,
) -> tuple[Verdict, ...]:
    """The verdict on every department of ``by_department``, in its order; rows without a kind (未指明) are left out.

    Needed columns: of ``summary`` department, label, count_distinct; of ``by_department`` department, kind,
    opinions_distinct, issue_distinct, praise_distinct. ``issues`` are the codes of all issue labels, some of them
    ``protected``. ``false_findings`` has for each the share of opinions without the label that are given it (see
    :func:`false_finding_rates`).

    Raises:
        ValueError: a rate is missing or not within [0, 1], a protected label is no issue, or ``summary`` lacks a cell.
    """
    rules = rules or Rules()
    rates = np.array([false_findings.get(code, np.nan) for code in issues])
    if not ((rates >= 0) & (rates <= 1)).all():
        raise ValueError("a rate of false findings is missing or not within [0, 1]")
    if not set(protected) <= set(issues):
        raise ValueError("a protected label is not among the issues")
    rows = by_department[by_department["kind"] != ""].set_index("department")
    wide = summary.pivot_table(index="department", columns="label", values="count_distinct")
    found = wide.reindex(index=rows.index, columns=list(issues)).to_numpy(dtype=float)
    if np.isnan(found).any():
        raise ValueError("a department or an issue label is missing in the summary")
    opinions, with_issue, praised = (
        rows[name].to_numpy(dtype=np.int64)
        for name in ("opinions_distinct", "issue_distinct", "praise_distinct")
    )
    expected = opinions[:, None] * rates
    q = (
        false_discovery_control(binom.sf(found - 1, opinions[:, None], rates), axis=1)
        if found.size
        else found
    )
    return tuple(
        _verdict(
            str(department),
            kind,
            (int(opinions[d]), int(praised[d]), int(with_issue[d])),
            tuple(
                IssueFigures(code, int(found[d, c]), float(expected[d, c]), float(q[d, c]))
                for c, code in enumerate(issues)
                if found[d, c]
            ),
            protected,
            rules,
        )
        for d, (department, kind) in enumerate(rows["kind"].items())
    )


def false_finding_rates(measured: Mapping[str, Mapping[str, float]], opinions: int) -> dict[str, float]:
    """Share of opinions without a label that are given it, for each label of a model card's cross-validation.

    ``measured`` is ``card["cross_validation"]["labels"]`` (precision, recall, support), ``opinions`` is
    ``card["opinions"]``. 0, the most careful value, for a label of which nothing found was right.
    """
    return {
        code: of["recall"] * of["support"] * (1 / of["precision"] - 1) / (opinions - of["support"])
        if of["precision"] and of["support"] < opinions
        else 0.0
        for code, of in measured.items()
    }


def upper_bound(hits: int, n: int, confidence: float) -> float:
    """One-sided exact upper bound of a share (Clopper & Pearson 1934); 1 where ``n`` is 0 or all are hits."""
    return float(beta.ppf(confidence, hits + 1, n - hits)) if hits < n else 1.0


def _verdict(
    department: str,
    kind: str,
    counts: tuple[int, int, int],
    found: tuple[IssueFigures, ...],
    protected: Collection[str],
    rules: Rules,
) -> Verdict:
    opinions, praised, issues = counts
    bound = upper_bound(issues, opinions, rules.confidence)
    enough = upper_bound(0, opinions, rules.confidence) < rules.issue_share
    against: dict[Reason, bool] = {
        "little praise": praised < rules.praise,
        "small share of praise": praised < rules.praise_share * opinions,
        "few opinions": not enough,
        "issue share": enough and bound >= rules.issue_share,
        "issue found": any(one.q < rules.false_discoveries for one in found),
        "protected issue found": any(one.found > one.expected for one in found if one.label in protected),
    }
    return Verdict(
        department=department,
        kind=kind,
        opinions=opinions,
        praised=praised,
        issues=issues,
        issue_bound=bound,
        found=found,
        reasons=tuple(reason for reason, holds in against.items() if holds),
    )
