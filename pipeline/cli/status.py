"""Errors → one line and an exit status. What an error quotes might be an opinion: only our own messages are shown."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

import click

from pipeline.cli.chinese import usage_message
from pipeline.errors import QingyiError

DONE, FAILED, UNUSABLE = 0, 1, 2


def exit_status(command: Callable[[], Any], *, debug: bool) -> int:
    """Run a command; 0 done, 1 a failure while working, 2 wrong usage or unusable input.

    With ``debug`` the places the error passed through are printed before its line, never the message of an error
    that is not ours.
    """
    # being told to end is being interrupted: what was written on the way is taken away
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # a library's thread that dies when a run is interrupted would print its own traceback
    threading.excepthook = lambda _: None
    try:
        command()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return UNUSABLE
    except click.UsageError as error:
        return _failed(usage_message(error), UNUSABLE)
    except (click.Abort, KeyboardInterrupt):
        return _failed("已中断，没有写出结果。", FAILED)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except QingyiError as error:
        return _failed(str(error), error.exit_code, error if debug else None)
    except Exception as error:  # noqa: BLE001  # the last line of defence: its message may quote a text
        hint = "" if debug else "，加 --debug 看出错的位置"
        message = f"程序内部出错（{type(error).__name__}），没有写出结果{hint}。"
        return _failed(message, FAILED, error if debug else None)
    return DONE


def _failed(message: str, status: int, traced: BaseException | None = None) -> int:
    while traced:
        click.echo(f"{type(traced).__name__}\n{''.join(traceback.format_tb(traced.__traceback__))}", err=True)
        traced = traced.__cause__ or traced.__context__
    click.echo(f"错误：{message}", err=True)
    return status
