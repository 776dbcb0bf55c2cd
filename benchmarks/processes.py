"""Commands run as whole processes on a given number of cores: their time, and their memory."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.memory import Memory

PROGRAM = Path(sys.executable).parent / "qingyi"


class Cost(NamedTuple):
    """Wall seconds of a command, and the most MiB that its processes held together."""

    seconds: float
    mebibytes: float


def available() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


@contextlib.contextmanager
def cores(n: int) -> Iterator[None]:
    """This thread, and every process started within, on the first ``n`` of the cores it may use (Linux)."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:n])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def timed(*command: str | Path, folder: Path, on: int, variables: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end in ``folder``, on ``on`` cores, with environment ``variables`` added.

    Raises:
        SystemExit: it failed.
    """
    environment = {**os.environ, **(variables or {})}
    words = [str(word) for word in command]
    begun = time.perf_counter()
    with (
        cores(on),
        subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process,
        Memory(process.pid) as memory,
    ):
        status = process.wait()
        seconds = time.perf_counter() - begun
    if status:
        raise SystemExit(f"{' '.join(words[:2])} ended with {status}")
    return Cost(seconds, memory.peak / 2**20)
