"""Opinions → readings on all processors of one machine, in order, whatever their number."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from pipeline.classifier.read import Reader, open_reader
from pipeline.errors import InputError, ShortageError
from pipeline.records import Opinion, Reading, Rejection
from pipeline.workspace import Workspace

CHUNK = 256
"""Opinions read at once by one process."""

_WINDOW = 16
"""Chunks held in memory at once; an input of one chunk is read without starting processes."""

_LOOK_SECONDS = 1.0


def _identity(reader: Reader) -> tuple[str, str]:
    """Model and directory: with the model's own taxonomy and lexicon, all that a reading depends on."""
    return reader.model.version, reader.directory.digest


@functools.lru_cache(maxsize=1)
def _worker_reader(root: Path, identity: tuple[str, str]) -> Reader:
    """The reader of a worker process, loaded once and again when the parent's differs: workers outlive a run."""
    reader = open_reader(Workspace(root=root))
    if _identity(reader) != identity:
        raise InputError("运行途中模型或部门目录被换过，请重新运行。")
    return reader


def _end_with_parent(parent: int) -> None:
    """Begin a worker's watch: without it a worker waits minutes for the next task of a run that was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    if os.name == "posix":  # elsewhere an orphan keeps its parent's number
        threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes begun within do not hear Ctrl-C: who began them does, and ends them; one just starting would print a traceback.

    Blocked and not ignored: a Ctrl-C that comes meanwhile is heard afterwards.
    """
    if os.name != "posix":
        yield
        return
    from multiprocessing.resource_tracker import ensure_running  # noqa: PLC0415  # not on every system

    ensure_running()  # begun later, among the workers, it would unblock the signal again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _read_in_worker(root: Path, identity: tuple[str, str], chunk: Sequence[Opinion]) -> list[Reading]:
    return _worker_reader(root, identity).read(chunk)


def chunked(
    rows: Iterable[Opinion | Rejection], reject: Callable[[Rejection], None]
) -> Iterator[list[Opinion]]:
    """Opinions in chunks of :data:`CHUNK`; what is not accepted goes to ``reject``."""
    chunk: list[Opinion] = []
    for row in rows:
        if isinstance(row, Rejection):
            reject(row)
            continue
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _quietly(readings: Generator[list[Reading]]) -> Iterator[list[Reading]]:
    """The same, without a word about the tasks left undone where nobody asks for the rest."""
    try:
        for chunk in readings:  # noqa: UP028  # what delegates would close it before the warning is off
            yield chunk
    finally:
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            readings.close()


def read_all(
    chunks: Iterator[list[Opinion]], reader: Reader, root: Path, jobs: int
) -> Iterator[list[Reading]]:
    """Readings chunk by chunk, in order, whatever the number of processes.

    Raises:
        ShortageError: a process was ended from outside; none is started in its place.
    """
    window = list(islice(chunks, _WINDOW))
    if jobs == 1 or len(window) <= 1:
        yield from map(reader.read, window)
        yield from map(reader.read, chunks)
        return
    watched: dict[str, Any] = {"initializer": _end_with_parent, "initargs": (os.getpid(),)}
    try:
        with Parallel(
            n_jobs=jobs, return_as="generator", batch_size=1, pre_dispatch="all", **watched
        ) as pool:
            while window:
                with _deaf_to_ctrl_c():
                    tasks = (delayed(_read_in_worker)(root, _identity(reader), chunk) for chunk in window)
                    readings = pool(tasks)
                yield from _quietly(readings)
                window = list(islice(chunks, _WINDOW))
    except TerminatedWorkerError:
        raise ShortageError(
            "一个工作进程中途被系统结束，多半是内存不足；请关掉别的程序，或加 --jobs 1 再运行。"
        ) from None
