"""Workers to give tasks to: those of a scheduler that runs, or processes of this machine begun for one run."""

from __future__ import annotations

import contextlib
import logging
import socket
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.cluster.answers import Refused
from pipeline.errors import InputError, ShortageError
from pipeline.workers import deaf_to_ctrl_c

CONNECT_SECONDS = 10
"""To wait for a scheduler, and then for its first worker."""

_HOST = "127.0.0.1"
_AGAIN = "重新运行同一命令，已经判定的不再重做"


@dataclass(frozen=True)
class Workers:
    """The workers of a cluster, as Dask's ``client`` knows them."""

    client: Any

    def begin(self, act: Callable[[Any], Any], tasks: Sequence[Any]) -> list[Any]:
        """Give tasks to the workers; what is begun later goes first. What comes of each is for :meth:`ended`."""
        run = uuid.uuid4().hex[:8]  # keys are the scheduler's, and another run may be there
        keys = [f"{act.__name__}-{run}-{number}" for number in range(len(tasks))]
        futures: list[Any] = self.client.map(act, tasks, key=keys, pure=False, batch_size=None)
        return futures

    def ended(self, begun: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """``(number, result)`` of each task that was begun, as they end; a task whose worker was lost is done by another.

        Raises:
            QingyiError: a task was refused, as itself.
            ShortageError: workers or the scheduler were lost.
            InputError: the workers have not this program.
        """
        import distributed  # noqa: PLC0415  # an optional package, and a second

        if not begun:
            return
        number_of = {future.key: number for number, future in enumerate(begun)}
        finished = distributed.as_completed(begun, loop=self.client.loop)  # type: ignore[no-untyped-call]
        for future in finished:
            if future.status != "finished":
                raise _lost(future)
            result = future.result()
            if isinstance(result, Refused):
                raise result.error()
            yield number_of[future.key], result
            future.release()


def _lost(future: Any) -> InputError | ShortageError:
    """What it means that a task of ours, which answers every error, gave no answer."""
    from distributed import KilledWorker  # noqa: PLC0415

    error = future.exception() if future.status == "error" else None
    if isinstance(error, KilledWorker):
        return ShortageError(f"工作进程一再被结束，多半是内存不足；请减少每台机器上的进程，然后{_AGAIN}。")
    if isinstance(error, ImportError | AttributeError):
        return InputError("工作节点上没有装本程序，或不是同一版本；请在每个节点上装好同样的版本。")
    return ShortageError(f"和调度程序的连接断了；请检查后{_AGAIN}。")


@contextlib.contextmanager
def connected(scheduler: str, processes: int, scratch: Path) -> Iterator[Workers]:
    """Connect to the ``scheduler`` at an address; where it is "", begin one here with so many ``processes``.

    Those of this machine speak over 127.0.0.1 alone, encrypted and known to one another by certificates made for them; no
    dashboard is opened. They write in ``scratch`` only, do not hear Ctrl-C, and end with this process.

    Raises:
        InputError: Dask is not installed, no scheduler is at the address, it has no workers, or this machine has no 127.0.0.1.
    """
    try:
        import distributed  # noqa: PLC0415  # an optional package, and a second
    except ImportError:
        raise InputError(
            "用 --engine dask 要先装 Dask：pip install 'qingyi[cluster]'（或 dask 和 distributed）；不装也可以不加这个选项，只用本机。"
        ) from None
    for name in ("distributed", "distributed.client"):  # what is to be told, errors tell
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        address: Any = scheduler
        if not scheduler:
            address = stack.enter_context(contextlib.closing(_cluster(distributed, processes, scratch)))
        try:
            if scheduler:  # a client of no known kind of address goes on complaining
                distributed.comm.registry.get_backend(distributed.comm.addressing.parse_address(scheduler)[0])
            with warnings.catch_warnings(
                action="ignore"
            ):  # of Dask's versions, in English: tasks see to ours
                client: Any = distributed.Client(  # type: ignore[no-untyped-call]
                    address, timeout=CONNECT_SECONDS, set_as_default=False
                )
        except (OSError, ValueError, RuntimeError):
            raise InputError(
                f"连不上调度程序 {scheduler}；请检查地址（如 tcp://主机:8786），以及它是否在运行。"
            ) from None
        stack.enter_context(contextlib.closing(client))
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            raise InputError(f"调度程序 {scheduler} 还没有工作节点；请先启动（dask worker 地址）。") from None
        yield Workers(client)


def _cluster(distributed: Any, processes: int, scratch: Path) -> Any:
    import dask  # noqa: PLC0415

    plain = {
        "distributed.scheduler.http.routes": [],  # no page tells of tasks
        "distributed.worker.http.routes": [],
        "distributed.worker.profile.enabled": False,  # what nobody would look at takes a tenth of the time
        "distributed.admin.system-monitor.interval": "10s",
        "distributed.admin.tick.interval": "1s",
    }
    try:
        with socket.create_server((_HOST, 0)) as probe:  # where nobody answers Dask tries for a minute
            socket.create_connection(probe.getsockname(), timeout=CONNECT_SECONDS).close()
        with dask.config.set(plain), deaf_to_ctrl_c():
            cluster = distributed.LocalCluster(
                n_workers=processes,
                threads_per_worker=1,
                processes=True,
                host=_HOST,
                security=True,
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": f"{_HOST}:0"},
                memory_limit=None,
                local_directory=str(scratch),
                silence_logs=logging.CRITICAL,
            )
    except (OSError, RuntimeError):
        raise InputError(
            f"本机集群开不起来：{_HOST} 用不了；请启用本机回环接口，或去掉 --engine dask。"
        ) from None
    distributed.gc.disable_gc_diagnosis(
        force=True
    )  # it swallows a Ctrl-C that comes while rubbish is collected
    return cluster
