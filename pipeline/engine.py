"""Opinions → readings on all processors of one machine, in order, whatever their number.

Several processes read a part each and write it into the run's own folder (:mod:`pipeline.parts`); who began them takes the parts
in order, while the next are being read. What an earlier run of the same has left there is not read again.
"""

from __future__ import annotations

import contextlib
import functools
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.classifier.read import Reader, open_reader
from pipeline.errors import InputError, OutputError
from pipeline.parts import PART, Parts
from pipeline.parts.files import opinion_of, values_of
from pipeline.records import Opinion, Reading, Rejection
from pipeline.workers import deaf_to_ctrl_c, workers
from pipeline.workspace import Workspace

_CHARACTERS = 1_000_000
"""Of one part: a thousand texts as long as they may be would take a gigabyte to read."""

_AHEAD = 3
"""Parts that a worker is given at a time: one that it reads, and two that wait while who gives reads one itself and takes some."""

_WAITING = 3
"""Parts for each process that are read or being read, while an earlier one keeps them waiting."""

if TYPE_CHECKING:
    from joblib.externals.loky import ProcessPoolExecutor

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
def _prepared(root: Path) -> tuple[tuple[str, str], Read]:
    """How a process reads in a workspace as it is now, and by what."""
    reader = open_reader(Workspace(root=root))
    return identity_of(reader), _reading(reader, large=True)


def worker_reading(root: Path, identity: tuple[str, str]) -> Read:
    """How a worker process reads, prepared once and again when the parent's reader differs: workers outlive a run.

    Raises:
        InputError: it differs even so.
    """
    if _prepared(root)[0] != identity:
        _prepared.cache_clear()
    found, read = _prepared(root)
    if found != identity:
        raise InputError("运行途中模型或部门目录被换过，请重新运行。")
    return read


def get_ready(root: Path) -> None:
    """Load all that a worker process of this workspace reads with, compiled loops included."""
    _, read = _prepared(root)
    calling_all_loops = "窗口的王科长收了我两条烟才给办"
    read([Opinion(id="", text=calling_all_loops)])


def _read_in_worker(
    root: Path, identity: tuple[str, str], parts: Parts, number: int, values: Sequence[tuple[str, ...]]
) -> str:
    """Read a part and write it; returns what it is a part of."""
    opinions = [*map(opinion_of, values)]
    of = parts.of(opinions)
    parts.put(number, of, worker_reading(root, identity)(opinions))
    return of


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
    else:
        yield from _read_in_parts(chain(first, chunks), reader, root, jobs, begin())


class _Workers:
    """Worker processes that are given parts to read, no more at a time than keep them busy."""

    def __init__(
        self, pool: ProcessPoolExecutor, count: int, root: Path, identity: tuple[str, str], parts: Parts
    ) -> None:
        self._pool, self._count = pool, count
        self._told = root, identity, parts
        self._given: list[Future[str]] = []
        self._ahead = 1  # at first: while they start, who gives has time enough to read the next one itself

    def given(self, number: int, chunk: list[Opinion]) -> Future[str] | None:
        """The promise to write a part, which says what it is a part of; None where they have enough to do."""
        under_way = self._given = [part for part in self._given if not part.done()]
        if len(under_way) >= self._ahead * self._count:
            self._ahead = _AHEAD
            return None
        values = list(map(values_of, chunk))  # opinions themselves travel five times slower
        with deaf_to_ctrl_c():
            under_way.append(self._pool.submit(_read_in_worker, *self._told, number, values))
        return under_way[-1]


def _read_in_parts(
    chunks: Iterable[list[Opinion]], reader: Reader, root: Path, jobs: int, parts: Parts
) -> Iterator[list[Reading]]:
    """By ``jobs`` processes. This one is one of them: it reads what the others have no room for."""
    own = functools.cache(lambda: _reading(reader, large=True))
    waiting: deque[tuple[int, list[Reading] | Future[str]]] = deque()

    def begun(number: int, chunk: list[Opinion], others: _Workers | None) -> list[Reading] | Future[str]:
        part = parts.find(number, chunk) or (others.given(number, chunk) if others else None)
        if part is None:
            part = own()(chunk)
            parts.put(number, parts.of(chunk), part)
        return part

    def due() -> bool:
        first = waiting[0][1]
        return not isinstance(first, Future) or first.done() or len(waiting) > _WAITING * jobs

    with contextlib.ExitStack() as stack:
        others = None
        if jobs > 1:
            pool = stack.enter_context(workers(jobs - 1))
            others = _Workers(pool, jobs - 1, root, identity_of(reader), parts)
        for number, chunk in enumerate(chunks):
            waiting.append((number, begun(number, chunk, others)))
            while waiting and due():
                yield _taken(parts, *waiting.popleft())
        while waiting:
            yield _taken(parts, *waiting.popleft())


def _taken(parts: Parts, number: int, part: list[Reading] | Future[str]) -> list[Reading]:
    """The readings of a part, once they are there."""
    readings = parts.get(number, part.result()) if isinstance(part, Future) else part
    if readings is None:
        raise OutputError(f"{parts.folder} 里刚写好的中间文件读不出来；请检查这块盘，再运行一次。")
    return readings
