"""Every error the program raises on purpose.

::

    QingyiError                 exit  when
    ├── InputError               2    a file or table cannot be used as it is
    ├── ResourceError            2    taxonomy, directory, lexicon or model file is wrong
    │   └── ModelError           2    a model that is damaged, foreign or made for other resources
    ├── OutputError              1    a result, model or workspace cannot be written
    └── ShortageError            1    memory is short

The message is one line in Chinese: what is wrong, where, what to do. It never holds text of an opinion.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable


class QingyiError(Exception):
    """Base of all; ``exit_code`` is the command's exit status."""

    exit_code = 1


class InputError(QingyiError):
    """Input that cannot be used: no text column, unreadable file, unknown format, wrong usage."""

    exit_code = 2


class ResourceError(QingyiError):
    """A taxonomy, directory, lexicon or corpus file with a wrong line; names the file and line."""

    exit_code = 2


class ModelError(ResourceError):
    """A model whose digest, structure or origin does not fit what is loaded beside it."""


class OutputError(QingyiError):
    """A result that cannot be written: no permission, disk full, something else in its place."""

    exit_code = 1


class ShortageError(QingyiError):
    """Memory is limited to less than a run needs, or a process was ended, as the system does where memory runs out."""

    exit_code = 1


def listed(names: Iterable[str], most: int = 12) -> str:
    """Join names for a message with ``、``, at most ``most`` of them, each at most 40 characters long."""
    shown = [name if len(name) <= 40 else name[:39] + "…" for name in names]
    tail = f" 等 {len(shown)} 项" if len(shown) > most else ""
    return "、".join(shown[:most]) + tail


_CAUSES = {
    errno.ENOENT: "路径不存在",
    errno.EACCES: "没有权限，请换一个位置或检查权限",
    errno.EPERM: "没有权限，请换一个位置或检查权限",
    errno.EROFS: "所在的盘是只读的，请换一个位置",
    errno.ENOSPC: "磁盘已满，请腾出空间",
    errno.EDQUOT: "磁盘配额已用完，请腾出空间",
    errno.EEXIST: "同名的文件已存在，请换一个名字",
    errno.ENOTDIR: "路径中有一段是文件，不是文件夹",
    errno.EISDIR: "这是文件夹，不是文件",
    errno.ENAMETOOLONG: "文件名太长",
    errno.EFBIG: "文件太大，超过了系统允许的大小",
    errno.EIO: "磁盘读写出错，请检查这块盘",
    errno.ENOMEM: "内存不足，请关掉别的程序",
    errno.EBUSY: "文件正被占用，请关闭打开它的程序",
}

DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO})
"""Refusals of a disk, whatever file is written."""


RESUMABLE = "没有写出结果，再运行同一条命令就接着做"
"""Note on an interruption that left what was read so far."""


def cause(error: OSError) -> str:
    """Why the system refused, in Chinese, with what to do where that is known."""
    number = error.errno
    if number is None and (
        told := re.search(r"\[Errno (\d+)\]", str(error))
    ):  # copying a folder: many refusals in one
        number = int(told[1])
    return _CAUSES.get(number or 0, error.strerror or type(error).__name__)
