"""What a task answers: errors come back as values, since Dask logs what is raised, and may quote a text."""

from __future__ import annotations

import functools
import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pipeline.errors import OutputError, QingyiError, ShortageError, cause

Task = TypeVar("Task")
Result = TypeVar("Result")

_alone = threading.Lock()
"""One task at a time in a process: reading csv files sets a limit that is the whole process's."""


@dataclass(frozen=True)
class Refused:
    """A task that ended in an error of ours."""

    kind: type[QingyiError]
    message: str

    def error(self) -> QingyiError:
        """The error, to be raised by who gave the task."""
        return self.kind(self.message)


def answered(act: Callable[[Task], Result]) -> Callable[[Task], Result | Refused]:
    """The same act, of whose errors nothing but our own one line leaves the worker."""

    @functools.wraps(act)
    def answer(task: Task) -> Result | Refused:
        try:
            with _alone:
                return act(task)
        except QingyiError as error:
            return Refused(type(error), str(error))
        except MemoryError:
            return Refused(ShortageError, f"工作节点 {platform.node()} 内存不足；请减少每台机器上的进程。")
        except OSError as error:
            return Refused(OutputError, f"工作节点 {platform.node()} 读写失败：{cause(error)}。")
        except Exception as error:  # noqa: BLE001  # its message may quote a text
            return Refused(QingyiError, f"工作节点上程序内部出错（{type(error).__name__}），没有写出结果。")

    return answer
