"""The papers of a round on one page: tables → page and workbook, briefing, letters, notices, commendations, ledger, clues."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.aggregate.commendation import commend, false_finding_rates
from pipeline.aggregate.series import Series, compare_within_series
from pipeline.aggregate.tables import Tables
from pipeline.carrying import present_code
from pipeline.directory import KINDS
from pipeline.documents.briefing import Beside, write_briefing
from pipeline.documents.clues import LONGEST_PASSWORD, SHORTEST_PASSWORD, ClueRow, is_locked, write_clues
from pipeline.documents.commendation import Commended, write_commendation
from pipeline.documents.disclosure import DisclosedDepartment, Disclosure
from pipeline.documents.facts import Facts
from pipeline.documents.feedback import write_feedback
from pipeline.documents.ledger import round_cells, write_ledger
from pipeline.documents.notice import write_notices
from pipeline.documents.page import write_page
from pipeline.documents.prose import share, span
from pipeline.documents.word import Imprint
from pipeline.documents.workbook import write_workbook
from pipeline.errors import InputError
from pipeline.expressions import Evidence, typical_expressions
from pipeline.ledger.carrying import carry, under_present_labels
from pipeline.ledger.reading import read_ledger
from pipeline.ledger.rows import LedgerRow
from pipeline.outputs.folder import OutputFolder
from pipeline.outputs.stored import table_rows
from pipeline.taxonomy import Taxonomy
from pipeline.text.segment import Segmenter
from pipeline.workspace import Workspace

LAST_DAY = "9900-01-01"
"""Of issue: calendars end a century later."""

_LONGEST_NAME = 30
_NAME = re.compile(r"[^；;：:\r\n]*")
"""Of a round: the ledger writes several with these signs between them."""

DAYS = 30
"""For putting right, from the day of issue."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What an office says of its papers.

    ``office`` signs; ``round`` is what this round is called, its days where it is empty; ``day`` of issue is ``YYYY-MM-DD``, the round's last day where it is empty; ``days`` are given for
    putting right; ``password`` locks the sealed file.

    Raises:
        InputError: the password or the round's name is too short or too long, or the day too late.
    """

    office: str = ""
    round: str = ""
    day: str = ""
    days: int = DAYS
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.password is not None and not SHORTEST_PASSWORD <= len(self.password) <= LONGEST_PASSWORD:
            raise InputError(f"问题线索的密码应为 {SHORTEST_PASSWORD} 至 {LONGEST_PASSWORD} 个字符。")
        if len(self.round) > _LONGEST_NAME or not _NAME.fullmatch(self.round):
            raise InputError(f"--round 的名称最多 {_LONGEST_NAME} 个字，不能有分号、冒号和换行。")
        if self.day > LAST_DAY:
            raise InputError(f"文书日期应在 {LAST_DAY} 以前。")

    def imprint(self, last_day: str) -> Imprint:
        """As the papers carry it; no day where neither the office nor the round has one."""
        day = self.day or min(last_day, LAST_DAY)
        due = (dt.date.fromisoformat(day) + dt.timedelta(days=self.days)).isoformat() if day else ""
        return Imprint(office=self.office, day=day, due=due, days=self.days)


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What no paper but ``sealed/clues.xlsx`` may say.

    Its rows, the ids of those opinions and of their repeats, and the departments that they are about.
    """

    rows: Sequence[ClueRow] = field(repr=False)
    ids: Collection[str] = field(repr=False)
    departments: Collection[str] = field(repr=False)


def write_papers(
    tables: Tables,
    run: Mapping[str, Any],
    card: Mapping[str, Any],
    space: Workspace,
    sealed: Sealed,
    ledger: Sequence[LedgerRow],
    folder: OutputFolder,
    order: Order,
) -> list[str]:
    """Write all papers; returns the names of the letters and notices, which differ from round to round.

    ``tables`` are those without sealed opinions; no department that one of these is about is commended. ``run`` and ``card``
    are the records of the run and its model. The ``ledger`` that people worked in is carried on.

    Raises:
        OutputError: a file cannot be written.
    """
    facts = Facts.collect(tables, run, card, space.taxonomy)
    disclosure = Disclosure.of(facts)
    period = str(tables.totals["first_day"]), str(tables.totals["last_day"])
    imprint = order.imprint(period[1])
    series = series_of(tables)
    write_page(facts, folder.path("report.html"), series)
    write_workbook(facts, folder.staging, folder.path("report.xlsx"), without=sealed.ids)
    expressions = expressions_in(folder.staging, sealed.ids, space)
    commended = commended_of(tables, card, space.taxonomy, disclosure, sealed.departments)
    names = [one.department for one in commended]
    beside = Beside(series=series, expressions=expressions, commended=names)
    write_briefing(facts, disclosure, imprint, folder.path("briefing.docx"), beside)
    write_commendation(commended, *period, imprint, folder.path("commendation.docx"))
    letters = write_feedback(facts, disclosure, imprint, folder.staging / "feedback")
    notices = write_notices(facts, disclosure, imprint, folder.staging / "notices")
    rows = carry(
        ledger,
        round_cells(disclosure),
        space.taxonomy,
        round_name=order.round or period_of(tables),
        today=dt.date.fromisoformat(imprint.day) if imprint.day else dt.date.min,
        due=dt.date.fromisoformat(imprint.due) if imprint.due else "",
    )
    write_ledger(rows, folder.path("ledger.xlsx"))
    if sealed.rows:
        write_clues(sealed.rows, folder.staging / "sealed", password=order.password)
    return [path.relative_to(folder.staging).as_posix() for path in (*letters, *notices)]


def expressions_in(folder: Path, without: Collection[str], space: Workspace) -> Mapping[str, Sequence[str]]:
    """Typical expressions by label, of all departments together, from a run's files in ``folder``."""
    opinions = table_rows(folder, "opinions", ["id", "source_unit", "duplicate_of"])
    known = {identity: (first or identity, unit) for identity, unit, first in opinions}
    evidence = (
        Evidence("", label, *known[identity], text)
        for identity, label, text in table_rows(folder, "findings", ["opinion_id", "label", "evidence"])
        if identity not in without
    )
    names = [name for d in space.directory.departments for name in (d.name, *d.aliases)]
    units = {unit for _, unit in known.values()}
    found = typical_expressions(evidence, Segmenter(space.lexicon), names, units)
    return {label: expressions for (_, label), expressions in found.items()}


def series_of(tables: Tables) -> tuple[Series, ...]:
    """Which departments accusing opinions are about more or less often than is usual in their series."""
    frame = tables.by_department
    return compare_within_series(
        frame["department"].tolist(),
        frame["kind"].tolist(),
        frame["issue_distinct"],
        frame["opinions_distinct"],
    )


def commended_of(
    tables: Tables,
    card: Mapping[str, Any],
    taxonomy: Taxonomy,
    disclosure: Disclosure,
    without: Collection[str],
) -> list[Commended]:
    """Who may be commended, in directory order, with the counts that may be given."""
    measured = card["cross_validation"]["labels"]
    known = {code: figures for code, figures in measured.items() if code in taxonomy.codes}
    rates = dict.fromkeys(taxonomy.issues, 0.0) | false_finding_rates(known, card["opinions"])
    protected = [code for code in taxonomy.protected if code in taxonomy.issues]
    verdicts = commend(tables.summary, tables.by_department, taxonomy.issues, protected, rates)
    told = {department.name: department for department in disclosure.named}
    return [
        Commended(
            department=verdict.department,
            series=KINDS.get(verdict.kind, verdict.kind),
            praise=told[verdict.department].praise,
            opinions=told[verdict.department].opinions,
            basis=_basis(told[verdict.department]),
        )
        for verdict in verdicts
        if verdict.commended and verdict.department in told and verdict.department not in without
    ]


def _basis(department: DisclosedDepartment) -> tuple[str, ...]:
    """On what ground, in clauses of a sentence; figures only where both counts may be given."""
    praise = "有意见表扬肯定"
    if department.praise and department.opinions:
        praise = f"有效意见{department.opinions}件，其中表扬肯定的{department.praise}件"
        praise += share(department.praise, department.opinions)
    issues = "没有反映问题的意见" if department.issue == 0 else "反映问题的意见不多于计算机误判可能造成的"
    return praise, issues


def check_seal(folder: Path, order: Order) -> None:
    """Refuse to replace a locked file of clues by an open one.

    Raises:
        InputError: so it would be.
    """
    path = folder / "sealed" / "clues.xlsx"
    if order.password is None and is_locked(path):
        raise InputError(f"{path} 是加密的，这一次没有加密；请加上 --seal，或先把它移走。")


def ledger_in(folder: Path, space: Workspace) -> tuple[LedgerRow, ...]:
    """The ledger that lies in a result folder, as people left it, under the present labels; no rows where there is none.

    Raises:
        InputError: it cannot be read as a ledger.
    """
    path = folder / "ledger.xlsx"
    if not path.exists():
        return ()
    rows = read_ledger(path, space.taxonomy, space.directory)
    return under_present_labels(rows, lambda code: present_code(space.migrations, code, space.taxonomy))


def period_of(tables: Tables) -> str:
    """A round's days, by which the ledger calls it where it was given no name."""
    return span(str(tables.totals["first_day"]), str(tables.totals["last_day"])) or "本轮"
