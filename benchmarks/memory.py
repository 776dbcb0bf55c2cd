"""Memory of a process and all its children, shared pages counted once."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

FIRST, EVERY = 0.02, 0.5
"""Seconds to the first look, and between two looks in the long run: at first they come faster, for what is soon over."""


class Memory:
    """Within the ``with`` block, ``peak`` is the most bytes that a process and its children had together (Linux).

    Of this process, or of another by its number. What comes and goes between two looks is not seen.
    """

    def __init__(self, process: int | None = None) -> None:
        self.peak = 0
        self._process = os.getpid() if process is None else process
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._watch.join()

    def _look(self) -> None:
        pause = FIRST
        while not self._done.wait(pause):
            self.peak = max(self.peak, _together(self._process))
            pause = min(2 * pause, EVERY)


def _together(process: int) -> int:
    """Proportional set sizes of a process and its descendants; what ends meanwhile counts nothing."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
        own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        children = [
            int(child)
            for task in Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text(encoding="ascii").split()
        ]
    except (OSError, StopIteration):
        return 0
    return own * 1024 + sum(map(_together, children))
