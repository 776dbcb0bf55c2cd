"""Opinions → readings on all processors of one machine, in order, whatever their number."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from joblib import Parallel, delayed

from pipeline.classifier.read import Reader, open_reader
from pipeline.errors import InputError
from pipeline.records import Opinion, Reading, Rejection
from pipeline.workspace import Workspace

CHUNK = 256
"""Opinions read at once by one process."""

_WINDOW = 16
"""Chunks held in memory at once; an input of one chunk is read without starting processes."""


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


def read_all(
    chunks: Iterator[list[Opinion]], reader: Reader, root: Path, jobs: int
) -> Iterator[list[Reading]]:
    """Readings chunk by chunk, in order, whatever the number of processes."""
    window = list(islice(chunks, _WINDOW))
    if jobs == 1 or len(window) <= 1:
        yield from map(reader.read, window)
        yield from map(reader.read, chunks)
        return
    with Parallel(n_jobs=jobs, return_as="generator", batch_size=1, pre_dispatch="all") as pool:
        while window:
            yield from pool(delayed(_read_in_worker)(root, _identity(reader), chunk) for chunk in window)
            window = list(islice(chunks, _WINDOW))
