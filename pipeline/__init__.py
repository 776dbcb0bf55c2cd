"""清议 qingyi: integrity opinions, from spreadsheets to the leaders' page.

The map, in the order of the data's way (``run.py`` is the same way as code)::

    intake      files → opinions and rejections            rows read = opinions + rejections
    text        opinion → clean, masked text → clauses → tokens
    compiled    the same loops compiled, for large inputs (classifier/compiled: the same reading)
    classifier  text → label probabilities → labels with evidence
    attribute   clauses → the departments they speak about
    clues       who is named with money, a date or bribery: for the discipline office alone
    expressions  what many say in the same words
    aggregate   findings → tables, with the statistics
    outputs     opinions, findings, tables → private files
    parts       what was read so far, in files: a run that was stopped goes on with them
    journal     many files put in place as one, whatever moment a kill comes at
    ledger      what is to be put right, as people left it → the next round
    documents   tables → page, workbook, Word papers       computes nothing
    review      results → questions → people's answers     nothing stored is overwritten
    learn       labelled opinions → a model, and how good it is
    engine      opinions → readings on all processors
    papers      which papers a round has
    counting    opinions as they go by → counts, clues, repeats
    judging     opinions from anywhere → readings, tables, papers
    cluster     the same judging by many machines, partition by partition
    run         the whole way, from files
    comparing   two rounds → what rose and fell
    reviewing   results → sheet → store
    training    answers → candidate → comparison → registry
    drifting    results → has the language moved?
    migrating   categories that change
    withdrawing  what is taken back, or old, leaves every store and result
    cli         the commands

beside the nouns they share: ``errors``, ``records``, ``columns``, ``taxonomy``, ``migration`` (of ``migration_steps``, kept in
``migration_files``) and ``carrying`` (old labels in new categories), ``directory``, ``lexicon``, ``workspace``, ``lock``, ``workers`` (the processes of this machine); and ``audit``, the chain of what was done.

In Python, under the names of the commands::

    from pipeline import report
    result = report(["data/samples/round1"], "out/round1")
    result.summary          # a DataFrame: department × label, both counts, share with interval
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Result", "__version__", "classify", "report"]

if TYPE_CHECKING:
    from pipeline.run import Result, classify, report


def __getattr__(name: str) -> Any:
    """Load :mod:`pipeline.run` on first use: pandas and the rest cost a second that ``--help`` need not pay."""
    if name in {"Result", "classify", "report"}:
        from pipeline import run  # noqa: PLC0415

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
