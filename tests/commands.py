"""Real commands in processes of their own, forked from one that has loaded the program: they start in hundredths of a second."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from pipeline.cli import main

SECONDS = 300
"""What a command may take at most."""

_SERVED = multiprocessing.get_context("forkserver")
_SERVED.set_forkserver_preload(["pipeline.run", "pipeline.reviewing", "pipeline.training", "tests.commands"])


@dataclass(frozen=True)
class Command:
    """A command under way, or one that was; where it prints."""

    process: ForkServerProcess
    printed: tempfile.TemporaryDirectory[str] = field(repr=False)

    def ended(self, after: float | None = None) -> tuple[int, str, str]:
        """(status, standard output, standard error); killed ``after`` so many seconds where that is given, else when it takes too long."""
        self.process.join(SECONDS if after is None else after)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        status, place = self.process.exitcode, Path(self.printed.name)
        assert status is not None
        self.process.close()
        out, err = (
            (place / name).read_text("utf-8") if (place / name).exists() else "" for name in ("1", "2")
        )
        self.printed.cleanup()
        return status, out, err


def start(*words: object, folder: Path | None = None, memory: int | None = None) -> Command:
    """Start ``qingyi`` with these words, in a folder, with so many bytes of address space; one processor for its learning."""
    printed = tempfile.TemporaryDirectory(prefix="command-")
    process = _SERVED.Process(
        target=_run, args=([str(word) for word in words], str(folder or Path.cwd()), memory, printed.name)
    )
    process.start()
    return Command(process, printed)


def _run(words: list[str], folder: str, memory: int | None, printed: str) -> None:
    if memory is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for number in (1, 2):
        file = os.open(Path(printed, str(number)), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"
    main(words)
