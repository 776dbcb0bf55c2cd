"""Coverage-guided fuzzing of what the program reads from outside; see ``README.md`` here.

A target is a module with ``seeds()``, the inputs that fuzzing starts from, and ``check(data)``, which does with any bytes
what the program would, and raises unless the result is right or a :class:`~pipeline.errors.QingyiError` of one line.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path


def temporary_folder() -> Path:
    """A new folder that is gone when the process ends."""
    folder = tempfile.mkdtemp(prefix="fuzz-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
