"""Errors → one line and an exit status. What an error quotes might be an opinion: only our own messages are shown."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import click

from pipeline.cli.chinese import usage_message
from pipeline.errors import DISK, RESUMABLE, QingyiError, ShortageError, cause
from pipeline.withdrawing import HALFWAY

DONE, FAILED, UNUSABLE = 0, 1, 2

LEAST_MEMORY = 1536 << 20
"""Bytes of address space that a run needs; with less some libraries end the process, or try for ever, on being loaded."""


def exit_status(command: Callable[[], Any], *, debug: bool) -> int:
    """Run a command; 0 done, 1 a failure while working, 2 wrong usage or unusable input, 128 + its number for a signal.

    With ``debug`` the places the error passed through are printed before its line, never the message of an error
    that is not ours.
    """
    # being told to end, or losing the window, is being interrupted: what was written on the way is taken away
    for told in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, told):
            signal.signal(getattr(signal, told), _interrupted)
    # a library's thread that dies when a run is interrupted would print its own traceback
    threading.excepthook = lambda _: None
    try:
        _check_memory()
        command()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return UNUSABLE
    except click.UsageError as error:
        return _failed(usage_message(error), UNUSABLE)
    except (click.Abort, KeyboardInterrupt) as interruption:
        return _failed(f"已中断，{_left_by(interruption)}。", 128 + _signal_of(interruption))
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except QingyiError as error:
        return _failed(str(error), error.exit_code, error if debug else None)
    except Exception as error:  # noqa: BLE001  # the last line of defence: its message may quote a text
        return _failed(_unforeseen(error, debug=debug), FAILED, error if debug else None)
    return DONE


def _check_memory() -> None:
    """Refuse to begin where the system lets this process address less than :data:`LEAST_MEMORY`."""
    try:
        import resource  # noqa: PLC0415  # not everywhere
    except ImportError:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_MEMORY:
        raise ShortageError(
            f"内存不足：限额只有 {limit >> 20} MB，至少要 {LEAST_MEMORY >> 20} MB；请放宽限额（ulimit -v）再运行。"
        )


def _unforeseen(error: Exception, *, debug: bool) -> str:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return f"内存不足，{_left_by(error)}；请关掉别的程序，加 --jobs 1，或把输入分成几批再运行。"
    if isinstance(error, OSError) and error.errno in DISK:
        return f"不能写文件：{cause(error)}。"
    hint = "" if debug else "，加 --debug 看出错的位置"
    return f"程序内部出错（{type(error).__name__}），{_left_by(error)}{hint}。"


def _left_by(error: BaseException) -> str:
    """What a command that was stopped has done: nothing that is seen, but for a withdrawal."""
    notes = [getattr(one, "__notes__", ()) for one in (error, error.__cause__)]  # click wraps an interruption
    return next(
        (line for line in (HALFWAY, RESUMABLE) if any(line in told for told in notes)), "没有写出结果"
    )


def _signal_of(interruption: BaseException) -> int:
    told = interruption.__cause__ or interruption  # the command-line library wraps it
    return int(told.args[0]) if isinstance(told, KeyboardInterrupt) and told.args else int(signal.SIGINT)


def _interrupted(by: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(by)


def _failed(message: str, status: int, traced: BaseException | None = None) -> int:
    while traced:
        click.echo(f"{type(traced).__name__}\n{''.join(traceback.format_tb(traced.__traceback__))}", err=True)
        traced = traced.__cause__ or traced.__context__
    click.echo(f"错误：{message}", err=True)
    return status
