"""Which files a cluster reads: paths, patterns and URLs of file systems that all its workers see; one file is one partition."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import InputError, listed
from pipeline.intake.files import FORMATS, LARGEST, LOCK, SourceFile, find_files, printable

_CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A file to read. ``place`` is its absolute path or its URL; name and size as :class:`SourceFile` has them."""

    place: str
    name: str
    size: int

    @contextlib.contextmanager
    def file(self, beside: Path) -> Iterator[SourceFile]:
        """The file itself, or a private copy of what a URL names, made in the folder ``beside`` and taken away at the end.

        Raises:
            InputError: it cannot be fetched.
        """
        if not is_url(self.place):
            yield SourceFile(path=Path(self.place), name=self.name, size=self.size)
            return
        with tempfile.TemporaryDirectory(prefix=".copy-", dir=beside) as folder:
            copy = Path(folder, "copy").with_suffix(PurePosixPath(self.name).suffix)
            system, path = _file_system(self.place)
            with _refusals(self.place):
                system.get_file(path, str(copy))
            yield SourceFile(path=copy, name=self.name, size=copy.stat().st_size)


def is_url(place: str | Path) -> bool:
    """Whether an input is a URL rather than a path."""
    return "://" in str(place)


def without_password(url: str | Path) -> str:
    """A URL without the name and password that it may carry, as it may be told."""
    return printable(_CREDENTIALS.sub("", str(url)))


def partitions_of(inputs: Sequence[str | Path], output: Path) -> tuple[list[Partition], list[str]]:
    """The partitions of the inputs, in order, and the names of what lay beside them in folders and is not read.

    Paths and patterns come first and are found as :func:`~pipeline.intake.files.find_files` finds them, the files of a
    pattern by name; then the URLs, of a pattern or folder by name.

    Raises:
        InputError: as ``find_files``; no file fits a pattern; a URL's file system is unknown, needs a package that is not
            there, cannot be asked, or is seen by one process alone.
    """
    paths: list[Path] = []
    remote: dict[str, Partition] = {}
    for given in inputs:
        if is_url(given):
            system, path = _file_system(str(given))
            if "file" in _protocols(system):
                paths += _matching(path)
            else:
                remote.update((partition.place, partition) for partition in _remote(str(given), system, path))
        else:
            paths += _matching(str(given))
    found = find_files(paths, output)
    near = [
        Partition(place=os.path.abspath(file.path), name=file.name, size=file.size)  # noqa: PTH100  # links stay
        for file in found
    ]
    return [*near, *remote.values()], found.passed_over


def _matching(path: str) -> list[Path]:
    if not glob.has_magic(path) or os.path.lexists(path):
        return [Path(path)]
    fitting = sorted(glob.glob(path, recursive=True))  # noqa: PTH207  # of any root
    if not fitting:
        raise InputError(f"没有文件符合 {printable(path)}；请检查路径。")
    return [Path(one) for one in fitting]


def _file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path there."""
    from fsspec.core import url_to_fs  # noqa: PLC0415  # comes with the cluster's packages

    protocol = url.partition("://")[0]
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        wanted = re.findall(r"\b(?:s3fs|gcsfs|adlfs|requests|aiohttp|paramiko|pyarrow|ossfs)\b", str(error))
        install = f"pip install {' '.join(wanted)}" if wanted else "见 fsspec 的说明"
        raise InputError(f"读 {protocol}:// 还要另装程序包（{install}），每个工作节点上都要装。") from None
    except ValueError:
        raise InputError(f"不认识 {printable(protocol)}:// 这种地址；请检查，或先存成文件。") from None
    return system, str(path)


def _protocols(system: Any) -> tuple[str, ...]:
    protocol = system.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _remote(url: str, system: Any, path: str) -> list[Partition]:
    """The partitions of a URL: one file, what fits a pattern, or what can be read in a folder."""
    if "memory" in _protocols(system):
        raise InputError("memory:// 只有本进程看得见，工作节点读不到；请放到共享盘上。")
    with _refusals(url):
        root, fitting = path, [path]
        if glob.has_magic(path):
            fitting = [one for one in sorted(system.glob(path)) if not _hidden(one)]
        elif system.isdir(path):
            fitting = [one for one in sorted(system.find(path)) if _readable(one)]
        sizes = [int(system.size(one) or 0) for one in fitting]
    if not fitting:
        raise InputError(f"{without_password(url)} 里没有可读的文件；可读格式：{listed(FORMATS)}。")
    server = url.removesuffix(path) if path else url
    partitions = []
    for one, size in zip(fitting, sizes, strict=True):
        name = one.removeprefix(root).lstrip("/") if one != root and one.startswith(root) else ""
        name = printable(name or PurePosixPath(one).name)
        if not _readable(one):
            raise InputError(f"文件 {name} 的格式不能读；可读格式：{listed(FORMATS)}。")
        if size > LARGEST:
            raise InputError(f"文件 {name} 超过 {LARGEST >> 30} GB；请拆成几个文件再试。")
        place = server + one if server != url else str(system.unstrip_protocol(one))
        partitions.append(Partition(place=place, name=name, size=size))
    return partitions


def _hidden(path: str) -> bool:
    return PurePosixPath(path).name.startswith((".", LOCK))


def _readable(path: str) -> bool:
    return not _hidden(path) and PurePosixPath(path).suffix.lower() in FORMATS


@contextlib.contextmanager
def _refusals(url: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  # every file system has errors of its own, which may quote keys
        raise InputError(
            f"读不到 {without_password(url)}（{type(error).__name__}）；请检查地址和权限。"
        ) from None
