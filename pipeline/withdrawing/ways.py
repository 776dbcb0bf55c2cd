"""The ways of ``qingyi withdraw`` and ``qingyi purge``: what is to go → everything it touches → all of it rewritten.

Labels, sheets and the store come first, then the result folders one by one, then what was made of them. Each is rewritten
whole or not at all; a kill in between leaves the rest to the same command given again, and the log knows what that is.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.audit.recording import recording
from pipeline.comparing import COMPARED, compare
from pipeline.errors import InputError, ResourceError
from pipeline.outputs.folder import LEDGER
from pipeline.papers import Order
from pipeline.review.store import Store
from pipeline.withdrawing import HALFWAY
from pipeline.withdrawing.files import delete, replace
from pipeline.withdrawing.places import Places, begun_as, places_of
from pipeline.withdrawing.plan import Plan, plan, wanted_before, wanted_by_id
from pipeline.withdrawing.results import clear, recount, remove
from pipeline.workspace import Workspace, open_workspace

Agree = Callable[[Plan], bool]


@dataclass(frozen=True)
class Withdrawal:
    """What was found, and done unless ``agreed`` is False.

    ``answers`` are the stored answers that went. ``models`` says of folders read by another model than before which. ``lost`` are
    comparisons that could not be made again and are gone; ``left`` files that may hold a text and could not be rewritten.
    ``unfinished``: an earlier withdrawal was cut short; if ``agreed`` it has been finished, as far as it is known.
    ``moved``, ``strayed`` are result folders and sheets that the log knows and that are not there; ``begun`` earlier
    withdrawals that are still to be given again.
    """

    plan: Plan
    agreed: bool
    answers: int = 0
    models: tuple[tuple[Path, str], ...] = ()
    lost: tuple[Path, ...] = ()
    left: tuple[Path, ...] = ()
    unfinished: bool = False
    moved: tuple[Path, ...] = ()
    strayed: tuple[Path, ...] = ()
    begun: tuple[str, ...] = ()


def withdraw(
    ids: Sequence[str],
    *,
    workspace: str | Path | None = None,
    reason: str = "",
    folders: Sequence[str | Path] = (),
    of: str | Path | None = None,
    password: str | None = None,
    dry_run: bool = False,
) -> Withdrawal:
    """Take opinions out, by id, of everything that the workspace keeps and its log knows, and of ``folders`` besides.

    ``of`` says by which result folder an id is meant where several give it to different opinions. ``password`` locks files of
    clues that were locked. With ``dry_run`` nothing is changed or recorded; otherwise what runs cut short left on the way goes in any
    case: which opinions are in it nobody can tell.

    Raises:
        InputError: an id is nowhere, or means several opinions, or a locked file of clues has no ``password``.
        ResourceError, OutputError: see :mod:`pipeline.errors`; the same call finishes what was begun.
    """
    space = open_workspace(Path(workspace) if workspace is not None else None)
    meant = Path(of) if of is not None else None
    places = places_of(space, [*map(Path, folders), *([meant] if meant else [])])
    if not dry_run:
        _clear(places)
    found = plan(wanted_by_id(ids, places, space, meant), places, space)
    options = {"ids": list(ids), "reason": reason, "of": meant}
    looked = _looked(found, places, begun_as("withdraw", options))
    if dry_run or not (found.touched or looked.unfinished):
        return looked
    return _carried_out("withdraw", options, found, places, space, password, last=meant)


def purge(
    before: str,
    *,
    workspace: str | Path | None = None,
    folders: Sequence[str | Path] = (),
    keep_papers: bool = False,
    password: str | None = None,
    dry_run: bool = False,
    agree: Agree = lambda _: True,
) -> Withdrawal:
    """Take out all opinions collected before a day (``YYYY-MM-DD``), undated ones by the day of the run that read them.

    A result folder with no other opinions is emptied of all that runs wrote but the ledger; with ``keep_papers`` the files
    without text stay. Nothing is changed or recorded with ``dry_run``, or unless ``agree`` says so of what would be done; it is
    not asked where only an earlier withdrawal is to be finished.

    Raises:
        InputError: a locked file of clues has no ``password``.
        ResourceError, OutputError: see :mod:`pipeline.errors`; the same call finishes what was begun.
    """
    space = open_workspace(Path(workspace) if workspace is not None else None)

    def look() -> tuple[Places, Plan]:
        places = places_of(space, [Path(path) for path in folders])
        wanted = wanted_before(before, places, space)
        return places, plan(wanted, places, space, keep_papers=keep_papers)

    options = {"before": before, "keep_papers": keep_papers}
    places, found = look()
    looked = _looked(found, places, begun_as("purge", options))
    something = found.touched or looked.unfinished
    if dry_run or (something and found.count and not agree(found)):
        return looked
    _clear(places)
    if not something:
        return looked
    places, found = look()  # while somebody was asked, others may have written
    return _carried_out("purge", options, found, places, space, password, keep_papers=keep_papers)


def _carried_out(
    command: str,
    options: dict[str, Any],
    found: Plan,
    places: Places,
    space: Workspace,
    password: str | None,
    *,
    keep_papers: bool = False,
    last: Path | None = None,
) -> Withdrawal:
    for held in found.folders:
        if not held.whole:
            held.folder.check_seal(password)
    told = {
        "places": sorted({*(touched.path for touched in found.touched), *places.unfinished}),
        "emptied": [touched.path for touched in found.touched if touched.whole],
    }
    with (
        recording(space.root, command, options={**options, **told}, needed=True) as entry,
        _halfway(),
    ):
        entry.named(found.wanted.texts, found.count)
        _rewrite_files(found)
        _, answers = Store(space.feedback, space.migrations).withdraw(found.keys)
        models = []
        # the folder that says which opinion is meant goes last: a kill must not leave that unknown
        for held in sorted(
            found.folders, key=lambda one: last is not None and one.folder.path == last.resolve()
        ):
            folder = held.folder
            if held.whole:
                remove(folder, keep_papers=keep_papers)
                continue
            used = str(recount(folder, found.wanted, space, password, places.day(folder)).run["model"])
            if used != folder.run["model"]:
                models.append((folder.path, used))
        lost = _compare_again(found, space)
        for path in found.pages:
            delete(path)
    name = begun_as(command, options)
    looked = _looked(found, places, name)
    return dataclasses.replace(
        looked,
        agreed=True,
        answers=answers,
        models=tuple(models),
        lost=lost,
        begun=tuple(one for one in looked.begun if one != name),
    )


def _clear(places: Places) -> None:
    for path in places.written:
        clear(path)


def _looked(found: Plan, places: Places, name: str) -> Withdrawal:
    return Withdrawal(
        found,
        agreed=False,
        left=tuple(touched.path for touched in found.touched if touched.left),
        unfinished=bool(places.unfinished) or name in places.begun,
        moved=places.moved,
        strayed=places.strayed,
        begun=places.begun,
    )


@contextlib.contextmanager
def _halfway() -> Iterator[None]:
    """Whatever stops what runs inside is marked: part of it is done."""
    try:
        yield
    except BaseException as problem:
        problem.add_note(HALFWAY)
        raise


def _rewrite_files(found: Plan) -> None:
    """Rewrite labelled files and sheets; a sheet of ours that cannot be is taken away, one of somebody else's stays."""
    for path, new in (*found.labels.items(), *found.sheets.items()):
        if new.content is not None:
            replace(path, new.content)
        elif new.readable and path in found.exported:
            delete(path)


def _compare_again(found: Plan, space: Workspace) -> tuple[Path, ...]:
    """Make comparisons again as they were made; returns those that cannot be, of which only the ledger stays."""
    lost = []
    for path, one in found.again.items():
        told = one.options
        try:
            compare(
                str(told["before"]),
                str(told["after"]),
                path,
                workspace=space.root,
                order=Order(office=told["office"], day=told["day"], days=told["days"]),
                notices=told["notices"],
            )
        except (InputError, ResourceError, KeyError):
            for name in COMPARED:
                if name != LEDGER:
                    delete(path / name)
            lost.append(path)
    return tuple(lost)
