"""Worker processes of one machine: kept for the next run, deaf to Ctrl-C, and never left behind."""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import math
import os
import pkgutil
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future
from typing import TYPE_CHECKING, Any

from pipeline.errors import ShortageError

if TYPE_CHECKING:
    from joblib.externals.loky import ProcessPoolExecutor

_LOOK_SECONDS = 1.0
_IDLE_SECONDS = 300
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@functools.cache
def collect_seldom() -> None:
    """Have this process look for garbage that refers to itself a hundred times less often than Python does, and not when it ends.

    There is hardly any: opinions and readings go when nothing refers to them. Looking for it took a fifth of a small run.
    """
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)


def _begin_worker(parent: int) -> None:
    """Begin a worker's watch: without it a worker waits minutes for the next task of a run that was killed."""
    from joblib.externals.loky import process_executor  # noqa: PLC0415  # it is there already

    # loky takes a worker that came to hold 300 MB for a leaking one, ends it, and waits for ever for what it was given; where it
    # cannot measure, it looks for garbage every second, a tenth of the worker's time
    process_executor._MEMORY_LEAK_CHECK_DELAY = math.inf
    collect_seldom()

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
    answers: dict[signal.Signals, Any] = {}
    try:
        for told in signals:
            answers[told] = signal.signal(told, lambda number, _: heard.append(signal.Signals(number)))
        yield
    finally:
        for told, answer in answers.items():
            signal.signal(told, answer)
        for told in heard:
            signal.raise_signal(told)


@functools.lru_cache(maxsize=1)
def kept_pool(count: int, parent: int) -> ProcessPoolExecutor:
    """The pool of so many processes that ``parent`` began; :func:`workers` sees to it that it is whole."""
    from joblib.externals.loky import ProcessPoolExecutor  # noqa: PLC0415  # small runs have no workers

    return ProcessPoolExecutor(
        max_workers=count,
        timeout=_IDLE_SECONDS,
        initializer=_begin_worker,
        initargs=(parent,),
        # the processes are as many as the processors
        env={name: os.environ.get(name, "1") for name in _THREADS},
    )


def processes(jobs: int | None) -> int:
    """How many processes a run may use on this machine: ``jobs``, but no more than there are processors, each of which may where it is None."""
    processors = os.cpu_count() or 1
    return min(jobs or processors, processors)


def _call(name: str, *given: object) -> None:
    pkgutil.resolve_name(name)(*given)


@contextlib.contextmanager
def begun_ahead(count: int, name: str, *given: object) -> Iterator[None]:
    """Begin worker processes before they are needed: they make themselves ready, by ``name(*given)`` ("module:function"), while we load.

    Whatever comes of it: where it fails, they are begun when they are needed. They end where anything is raised within, and with
    the block where they are not ready even then.
    """
    ready: list[Future[None]] = []
    try:
        with contextlib.suppress(OSError, BrokenExecutor), deaf_to_ctrl_c():
            ready = [kept_pool(count, os.getpid()).submit(_call, name, *given) for _ in range(count)]
        yield
    except BaseException:
        _end(count)
        raise
    if not all(one.done() for one in ready):
        _end(count)


def _end(count: int) -> None:
    if kept_pool.cache_info().currsize:
        with deaf_to_ctrl_c():
            kept_pool(count, os.getpid()).shutdown(kill_workers=True)
            kept_pool.cache_clear()


@contextlib.contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes: those of the run before, while they are there and none of them was ended from outside.

    Kept for the next run, but when anything is raised: nobody writes a part any more then, nor is left half begun.

    Raises:
        ShortageError: one of them was ended from outside; none is started in its place.
    """
    try:
        try:
            with deaf_to_ctrl_c():
                kept_pool(count, os.getpid()).submit(int)
        except BrokenExecutor:
            kept_pool.cache_clear()
        yield kept_pool(count, os.getpid())
    except BaseException as problem:
        from joblib.externals.loky.process_executor import TerminatedWorkerError  # noqa: PLC0415  # the same

        _end(count)
        if isinstance(problem, TerminatedWorkerError):
            raise ShortageError(
                "一个工作进程中途被系统结束，多半是内存不足；请关掉别的程序，或加 --jobs 1 再运行。"
            ) from None
        raise
