"""Opinions → readings on all processors of one machine, in order, whatever their number.

Several processes read a part each and write it into the run's own folder (:mod:`pipeline.parts`); who began them takes the parts
in order, while the next are being read. What an earlier run of the same has left there is not read again.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from joblib.externals.loky import ProcessPoolExecutor, process_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from pipeline.classifier.read import Reader, open_reader
from pipeline.errors import InputError, OutputError, ShortageError
from pipeline.parts import PART, Parts
from pipeline.parts.files import COLUMNS, values_of
from pipeline.records import Opinion, Reading, Rejection
from pipeline.workspace import Workspace

_CHARACTERS = 1_000_000
"""Of one part: a thousand texts as long as they may be would take a gigabyte to read."""

_AHEAD = 2
"""Parts for each process that are under way or wait to be taken."""

_LOOK_SECONDS = 1.0
_IDLE_SECONDS = 300
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

if TYPE_CHECKING:
    from pipeline.classifier.compiled.read import Tables

Read = Callable[[Sequence[Opinion]], list[Reading]]


def _reading(reader: Reader, *, large: bool) -> Read:
    """How opinions are read: the same readings for a large input as for a small one, for which compiled loops are not worth loading."""
    if not large:
        return reader.read
    from pipeline.classifier.compiled.read import CompiledReader  # noqa: PLC0415  # numba takes most of a second

    same = _Same((reader.model.version, reader.segmenter.lexicon.digest), reader)
    return CompiledReader(reader, _tables(same)).read


@dataclass(frozen=True)
class _Same:
    """A reader that looks things up in the same tables as any with the same ``key``."""

    key: tuple[str, ...]
    reader: Reader = field(compare=False)


@functools.lru_cache(maxsize=1)
def _tables(same: _Same) -> Tables:
    """What compiled loops look things up in, made once: it takes a second or two."""
    from pipeline.classifier.compiled.read import tables_of  # noqa: PLC0415  # the same

    return tables_of(same.reader)


def identity_of(reader: Reader) -> tuple[str, str]:
    """Model and directory: with the model's own taxonomy and lexicon, all that a reading depends on."""
    return reader.model.version, reader.directory.digest


@functools.lru_cache(maxsize=1)
def worker_reading(root: Path, identity: tuple[str, str]) -> Read:
    """How a worker process reads, prepared once and again when the parent's reader differs: workers outlive a run."""
    reader = open_reader(Workspace(root=root))
    if identity_of(reader) != identity:
        raise InputError("运行途中模型或部门目录被换过，请重新运行。")
    return _reading(reader, large=True)


def _read_in_worker(
    root: Path, identity: tuple[str, str], parts: Parts, number: int, values: Sequence[tuple[str, ...]]
) -> str:
    """Read a part and write it; returns what it is a part of."""
    opinions = [Opinion(**dict(zip(COLUMNS, row, strict=True))) for row in values]
    of = parts.of(opinions)
    parts.put(number, of, worker_reading(root, identity)(opinions))
    return of


def _end_with_parent(parent: int) -> None:
    """Begin a worker's watch: without it a worker waits minutes for the next task of a run that was killed."""
    # loky takes a worker that came to hold 300 MB for a leaking one, ends it, and waits for ever for what it was given
    process_executor._USE_PSUTIL = False

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    if os.name == "posix":  # elsewhere an orphan keeps its parent's number
        threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes begun within do not hear Ctrl-C: who began them does, and ends them; one just starting would print a traceback.

    Who begins them hears what ends it (Ctrl-C, a terminal closed, ``kill``) only afterwards: a process half begun cannot be ended.
    """
    if os.name != "posix":
        yield
        return
    from multiprocessing.resource_tracker import ensure_running  # noqa: PLC0415  # not on every system

    ensure_running()  # begun later, among the workers, it would unblock the signal again
    with _hearing_later(signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _hearing_later(*signals: signal.Signals) -> Iterator[None]:
    """Signals are answered at the end. Blocking is not enough: they reach any thread, and the main one answers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: deque[signal.Signals] = deque()
    answers = {
        told: signal.signal(told, lambda number, _: heard.append(signal.Signals(number))) for told in signals
    }
    try:
        yield
    finally:
        for told, answer in answers.items():
            signal.signal(told, answer)
        for told in heard:
            signal.raise_signal(told)


@functools.lru_cache(maxsize=1)
def _kept_pool(jobs: int, parent: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=jobs,
        timeout=_IDLE_SECONDS,
        initializer=_end_with_parent,
        initargs=(parent,),
        env={
            name: os.environ.get(name, "1") for name in _THREADS
        },  # the processes are as many as the processors
    )


@contextlib.contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes: those of the run before, while they are there and none of them was ended from outside.

    Kept for the next run, but when anything is raised: nobody writes a part any more then, nor is left half begun.
    """
    try:
        try:
            with deaf_to_ctrl_c():
                _kept_pool(jobs, os.getpid()).submit(int)
        except BrokenExecutor:
            _kept_pool.cache_clear()
        yield _kept_pool(jobs, os.getpid())
    except BaseException:
        with deaf_to_ctrl_c():
            _kept_pool(jobs, os.getpid()).shutdown(kill_workers=True)
            _kept_pool.cache_clear()
        raise


def chunked(
    rows: Iterable[Opinion | Rejection], reject: Callable[[Rejection], None]
) -> Iterator[list[Opinion]]:
    """Opinions in chunks of :data:`~pipeline.parts.PART`, fewer where they are long; what is not accepted goes to ``reject``."""
    chunk: list[Opinion] = []
    characters = 0
    for row in rows:
        if isinstance(row, Rejection):
            reject(row)
            continue
        chunk.append(row)
        characters += len(row.text)
        if len(chunk) == PART or characters >= _CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def read_all(
    chunks: Iterator[list[Opinion]], reader: Reader, root: Path, jobs: int, begin: Callable[[], Parts]
) -> Generator[list[Reading]]:
    """Readings chunk by chunk, in order, whatever the number of processes; who does not want the rest closes it.

    An input of one chunk is read at once; a larger one in parts, which ``begin`` is asked for.

    Raises:
        ShortageError: a process was ended from outside; none is started in its place.
        OutputError: a part that was just written cannot be read.
        OSError: a part cannot be written.
    """
    first = list(islice(chunks, 2))
    if len(first) < 2:
        yield from map(_reading(reader, large=False), first)
    elif jobs == 1:
        yield from _read_alone(chain(first, chunks), reader, begin())
    else:
        yield from _read_together(chain(first, chunks), reader, root, jobs, begin())


def _read_alone(chunks: Iterable[list[Opinion]], reader: Reader, parts: Parts) -> Iterator[list[Reading]]:
    read = _reading(reader, large=True)
    for number, chunk in enumerate(chunks):
        readings = parts.find(number, chunk)
        if readings is None:
            readings = read(chunk)
            parts.put(number, parts.of(chunk), readings)
        yield readings


def _read_together(
    chunks: Iterable[list[Opinion]], reader: Reader, root: Path, jobs: int, parts: Parts
) -> Iterator[list[Reading]]:
    identity = identity_of(reader)

    def begun(pool: ProcessPoolExecutor, number: int, chunk: list[Opinion]) -> Callable[[], list[Reading]]:
        """Have a part read; what comes back waits for it."""
        readings = parts.find(number, chunk)
        if readings is not None:
            return lambda: readings
        values = list(map(values_of, chunk))  # opinions themselves travel five times slower
        with deaf_to_ctrl_c():
            written = pool.submit(_read_in_worker, root, identity, parts, number, values)
        return lambda: _taken(parts, number, written.result())

    waiting: deque[Callable[[], list[Reading]]] = deque()
    try:
        with _pool(jobs) as pool:
            for number, chunk in enumerate(chunks):
                waiting.append(begun(pool, number, chunk))
                if len(waiting) > _AHEAD * jobs:
                    yield waiting.popleft()()
            while waiting:
                yield waiting.popleft()()
    except TerminatedWorkerError:
        raise ShortageError(
            "一个工作进程中途被系统结束，多半是内存不足；请关掉别的程序，或加 --jobs 1 再运行。"
        ) from None


def _taken(parts: Parts, number: int, of: str) -> list[Reading]:
    readings = parts.get(number, of)
    if readings is None:
        raise OutputError(f"{parts.folder} 里刚写好的中间文件读不出来；请检查这块盘，再运行一次。")
    return readings
