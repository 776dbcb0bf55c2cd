"""The whole way on one page: files → opinions → readings → tables → documents; the log of the workspace keeps each run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from pipeline.audit.recording import recording
from pipeline.classifier.read import open_reader
from pipeline.cluster.partitions import is_url, without_password
from pipeline.errors import InputError
from pipeline.intake.files import FoundFiles, find_files
from pipeline.intake.reading import Intake
from pipeline.judging import Options, Progress, Result, judge, ordered
from pipeline.workspace import Workspace, open_workspace

__all__ = ["Options", "Progress", "Result", "classify", "report"]


def classify(inputs: Sequence[str | Path], output: str | Path, **options: Unpack[Options]) -> Result:
    """Read, classify, attribute and count; write ``opinions.*``, ``findings.*``, ``rejected.csv``, ``run.json``.

    ``inputs`` are files or folders, ``output`` is the folder of the results; see :class:`Options`.

    Raises:
        InputError, ResourceError, OutputError: see :mod:`pipeline.errors`; nothing is written then.
    """
    return _run(inputs, Path(output), options, documents=False)


def report(inputs: Sequence[str | Path], output: str | Path, **options: Unpack[Options]) -> Result:
    """Do the main job: everything of :func:`classify`, ``summary.csv`` and ``tables.json``, and all papers.

    The papers are ``report.html``, ``report.xlsx``, ``briefing.docx``, ``feedback/``, ``notices/``, ``commendation.docx``,
    ``ledger.xlsx`` and ``sealed/clues.xlsx``. A ledger in the result folder is carried on with what people wrote in it.

    Raises:
        InputError, ResourceError, OutputError: see :mod:`pipeline.errors`; nothing is written then.
    """
    return _run(inputs, Path(output), options, documents=True)


def _run(inputs: Sequence[str | Path], output: Path, options: Options, *, documents: bool) -> Result:
    root = options.get("workspace")
    space = open_workspace(Path(root) if root is not None else None)
    command = "report" if documents else "classify"
    with recording(space.root, command, options=_told(inputs, options), outputs=[output]) as entry:
        run = _on_cluster if options.get("engine") == "dask" else _here
        result, ids = run(inputs, space, output, options, documents=documents)
        entry.model = result.run["model"]
        entry.inputs = [{"name": file["name"], "sha256": file["sha256"]} for file in result.run["files"]]
        entry.counted(ids)
    return result


def _here(
    inputs: Sequence[str | Path], space: Workspace, output: Path, options: Options, *, documents: bool
) -> tuple[Result, Sequence[str]]:
    """By the processors of this machine."""
    if options.get("scheduler"):
        raise InputError("--scheduler 要和 --engine dask 一起用。")
    files = find_files(map(Path, inputs), output)
    return judge(
        Intake(files, options.get("columns", {})),
        lambda: open_reader(space),
        space,
        output,
        options,
        functools.cache(lambda: _origin(files)),
        documents=documents,
        resuming=True,
    )


def _on_cluster(
    inputs: Sequence[str | Path], space: Workspace, output: Path, options: Options, *, documents: bool
) -> tuple[Result, Sequence[str]]:
    """By the workers of a cluster."""
    from pipeline.cluster.counting import judge_on_cluster  # noqa: PLC0415  # few want one

    return judge_on_cluster(inputs, space, output, options, documents=documents)


def _told(inputs: Sequence[str | Path], options: Options) -> dict[str, Any]:
    """What the log keeps of a run's options: never the password."""
    order = options.get("order")
    return {
        "inputs": [without_password(path) if is_url(path) else Path(path) for path in inputs],
        "columns": options.get("columns", {}),
        "jobs": options.get("jobs"),
        "engine": options.get("engine", "local"),
        "scheduler": options.get("scheduler", ""),
        **ordered(order),
        "seal": bool(order and order.password is not None),
    }


def _origin(files: FoundFiles) -> dict[str, Any]:
    return {
        "files": [{"name": source.name, "sha256": source.sha256(), "bytes": source.size} for source in files],
        "files_passed_over": files.passed_over,
    }
