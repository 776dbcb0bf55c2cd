"""Worker processes begun before they are needed."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import time
from concurrent.futures import BrokenExecutor

import pytest

from pipeline import engine
from pipeline.classifier.read import open_reader
from pipeline.cli import batch
from pipeline.errors import InputError
from pipeline.workers import begun_ahead, kept_pool, workers
from pipeline.workspace import Workspace


def end_workers():
    if kept_pool.cache_info().currsize:
        with contextlib.suppress(RuntimeError), workers(1) as pool:
            pool.submit(int).result()  # else the library ends it while it hands it out
            raise RuntimeError


@pytest.fixture(autouse=True)
def no_pool():
    """None of another test is there, none stays."""
    end_workers()
    yield
    end_workers()


def test_who_is_begun_ahead_is_who_works():
    with begun_ahead(1, "os:getpid"), workers(1) as pool:
        ahead = set(pool._processes)
        assert len(ahead) == 1
        assert pool.submit(os.getpid).result() in ahead
    with workers(1) as pool:
        assert set(pool._processes) == ahead, "kept for the next run"


def test_a_worker_does_not_look_for_garbage_every_second():
    with workers(1) as pool:
        pool.submit(int).result()  # the library looks once, after the first task
        before = pool.submit(gc.get_stats).result()
        time.sleep(1.2)
        pool.submit(int).result()
        assert pool.submit(gc.get_stats).result()[2] == before[2]


def test_who_is_not_ready_in_the_end_is_not_waited_for():
    begun = time.monotonic()
    with begun_ahead(1, "time:sleep", 60):
        pass
    assert time.monotonic() - begun < 30
    assert not kept_pool.cache_info().currsize
    assert not multiprocessing.active_children()


def test_an_error_on_the_way_ends_them():
    with pytest.raises(InputError), begun_ahead(1, "time:sleep", 60):
        raise InputError("一句话")
    assert not kept_pool.cache_info().currsize
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("name", ["pipeline.engine:nothing_of_that_name", "os:abort"])
@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_one_that_cannot_get_ready_costs_nothing(name):
    with begun_ahead(1, name):
        with contextlib.suppress(BrokenExecutor):  # comes after the getting ready, however long that takes
            kept_pool(1, os.getpid()).submit(int).result(60)
        with workers(1) as pool:
            assert pool.submit(int).result() == 0


def test_ready_is_all_that_a_reading_needs(tmp_path):
    engine._prepared.cache_clear()
    engine.get_ready(tmp_path)
    ready = engine._prepared(tmp_path)[1]
    assert engine.worker_reading(tmp_path, engine.identity_of(open_reader(Workspace(tmp_path)))) is ready
    with pytest.raises(InputError, match="被换过"):
        engine.worker_reading(tmp_path, ("another", "model"))


@pytest.mark.parametrize(
    ("size", "options", "ahead"),
    [
        (batch._LARGE, {}, True),
        (batch._LARGE, {"jobs": 2}, True),
        (batch._LARGE - 1, {}, False),
        (batch._LARGE, {"jobs": 1}, False),
        (batch._LARGE, {"engine": "dask"}, False),
    ],
)
def test_only_what_is_large_has_workers_begun_ahead(size, options, ahead, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    begun = []

    def note(*told):
        begun.append(told)
        return contextlib.nullcontext()

    monkeypatch.setattr(batch, "begun_ahead", note)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(b"x" * (size // 2 + (name == "a.csv") * (size % 2)))
    for inputs in ([tmp_path], [tmp_path / "a.csv", tmp_path / "b.csv"]):
        with batch._workers(tuple(inputs), options | {"workspace": tmp_path}):
            assert bool(begun) == ahead
        if ahead:
            assert begun.pop() == (1, "pipeline.engine:get_ready", tmp_path)
    with batch._workers((tmp_path / "not there.csv",), {}):
        assert not begun
