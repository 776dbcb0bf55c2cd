"""A result folder: its files are put in place together, and are their owner's alone."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pipeline.errors import DISK, RESUMABLE, OutputError, ShortageError, cause
from pipeline.journal import LOCK, STAGING, commit, discard, sweep
from pipeline.lock import held
from pipeline.parts import PARTS, end_parts

RESULTS = (
    "opinions.csv", "opinions.parquet", "findings.csv", "findings.parquet", "rejected.csv", "summary.csv", "tables.json",
    "run.json", "report.html", "report.xlsx", "briefing.docx", "commendation.docx", "ledger.xlsx",
    "sealed/clues.xlsx", "drift.html",
)  # fmt: skip
"""Every file a run may write, but for letters and notices, whose names differ; what a run does not write but an earlier one did is taken away."""

TABLES = ("opinions", "findings", "rejected")
"""What a run on a cluster writes as folders of parts, ``part-00000.parquet`` and so on; rejected rows as csv."""

LEDGER = "ledger.xlsx"
"""People work in it: no run takes it away."""

STOPS = (KeyboardInterrupt, MemoryError, ShortageError)
"""What stops a run from outside: given again, it may come through."""

_PATIENCE_SECONDS = 10.0
_OF_A_ROUND = re.compile(r"(?:feedback|notices)/[^/\\]+\.docx")
_OF_A_CLUSTER = re.compile(r"part-\d{5,}\.(?:parquet|csv)")


class OutputFolder:
    """A staging folder inside the result folder; leaving the ``with`` block without error moves its files in place.

    Files are created readable by their owner only, in a folder of the same kind. After an error nothing of the
    run remains; what a killed run left behind is completed or swept by the next. Results of an earlier run in the
    same folder are replaced as a set: none of them stays beside the new ones. One run at a time writes there.
    """

    def __init__(self, folder: Path, results: Sequence[str] = RESULTS, *, resuming: bool = False) -> None:
        """``results``: names of all files that such a run may write.

        ``resuming``: parts that were read (:mod:`pipeline.parts`) outlive a run that is stopped from outside, for the same run
        to go on with; otherwise, and after any other error, they are taken away.
        """
        self.folder = folder
        self._results = results
        self._resuming = resuming
        self._stopped = False

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack, self._refusals():
            if self._made_by_runs():
                stack.callback(self._remove_where_empty)
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            stack.enter_context(held(self.folder / LOCK, f"写入 {self.folder}", lasting=False))
            sweep(self.folder, spared=PARTS if self._resuming else None)
            stack.callback(self._end_parts)
            blocked = [name for name in self._results if (self.folder / name).is_dir()]
            if blocked:
                raise OutputError(
                    f"输出文件夹 {self.folder} 里有名为 {blocked[0]} 的文件夹；请移开，或换一个位置。"
                )
            self.staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=self.folder))
            stack.callback(discard, self.staging)
            self._held = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = isinstance(error, STOPS)
        if self._stopped and error and self._resuming and any(self.folder.glob(f"{PARTS}*/*")):
            error.add_note(RESUMABLE)
        with self._held, self._refusals():
            if isinstance(error, OSError) and error.errno in DISK:
                raise error
            if kind is None:
                earlier = {
                    *self._results,
                    *self._letters_of_an_earlier_run(),
                    *self._parts_of_an_earlier_run(),
                }
                commit(self.folder, self.staging, earlier - {LEDGER}, precious=LEDGER)

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        """What the system refuses is said in one line."""
        try:
            yield
        except OSError as error:
            raise OutputError(f"不能写入输出文件夹 {self.folder}：{cause(error)}。") from None

    def _made_by_runs(self) -> bool:
        """Whether the folder is absent, or holds only what a killed run left: one that a person made stays."""
        if not self.folder.is_dir():
            return not self.folder.exists()
        left = [path.name for path in self.folder.iterdir()]
        return bool(left) and all(name.startswith((STAGING, LOCK)) for name in left)

    def _end_parts(self) -> None:
        end_parts(self.folder, kept=self._resuming and self._stopped)

    def _remove_where_empty(self) -> None:
        with contextlib.suppress(OSError):  # results, or somebody else's files, keep it
            self.folder.rmdir()

    def path(self, name: str) -> Path:
        """Where to write a file that will be moved into the result folder; ``name`` may be in a folder of its own."""
        path = self.staging / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return path

    def _letters_of_an_earlier_run(self) -> list[str]:
        """Names that ``run.json`` tells; a file that somebody else put beside them is none of ours."""
        try:
            run = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
            return [name for name in run["letters"] if _OF_A_ROUND.fullmatch(name)]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _parts_of_an_earlier_run(self) -> list[str]:
        """Names of what a cluster wrote."""
        return [
            path.relative_to(self.folder).as_posix()
            for table in TABLES
            for path in (self.folder / table).glob("part-*")
            if _OF_A_CLUSTER.fullmatch(path.name)
        ]

    def open_csv(self, name: str) -> IO[str]:
        """A new csv file, UTF-8 with BOM; closed at the end of the run if it is not before."""
        file = self.path(name).open("w", encoding="utf-8-sig", newline="")
        self._held.callback(_close, file)
        return file


def _close(file: IO[str]) -> None:
    with contextlib.suppress(OSError):  # what could not be written has been told
        file.close()


@contextlib.contextmanager
def private_file(target: Path) -> Iterator[Path]:
    """Where to write a file that lies at ``target`` when the ``with`` block ends: its owner's alone, whole or absent.

    What a kill leaves of it the next that writes in its folder sweeps.

    Raises:
        OutputError: it cannot be written, or another process has been writing in its folder for ten seconds.
    """
    folder = target.parent
    try:
        with held(folder / LOCK, f"写入 {folder}", patience=_PATIENCE_SECONDS, lasting=False):
            sweep(folder)
            with tempfile.TemporaryDirectory(dir=folder, prefix=STAGING) as staging:
                made = Path(staging) / target.name
                yield made
                made.chmod(0o600)
                made.replace(target)
    except OSError as error:
        raise OutputError(f"不能写入 {target}：{cause(error)}。") from None
