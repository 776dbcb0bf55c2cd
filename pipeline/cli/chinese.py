"""click in Chinese: headings, usage lines and usage errors, whatever the locale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click


class Option(click.Option):
    """An option whose help says itself what click would add in English ([required], ranges)."""

    def get_help_extra(self, ctx: click.Context) -> Any:  # click's signature
        """Nothing: the help text says it."""
        return {}


class Command(click.Command):
    """A command whose help has Chinese headings; arguments stand in the usage line only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"options_metavar": "[选项]", **kwargs})

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix="用法：")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their heading."""
        records = [
            record
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx))
        ]
        _section(formatter, "选项", records)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The ``--help`` option, explained in Chinese."""
        option = super().get_help_option(ctx)
        if option:
            option.help = "显示本说明。"
        return option


class Group(Command, click.Group):
    """Commands listed in the order of the data, not of the alphabet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"subcommand_metavar": "命令 ...", **kwargs})

    def list_commands(self, ctx: click.Context) -> list[str]:  # click's signature
        """Command names as they were defined."""
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        Command.format_options(self, ctx, formatter)
        names = self.list_commands(ctx)
        _section(formatter, "命令", [(n, self.commands[n].get_short_help_str(80)) for n in names])


def _section(formatter: click.HelpFormatter, title: str, rows: Sequence[tuple[str, str]]) -> None:
    formatter.write_paragraph()
    formatter.write(f"{title}：\n")
    with formatter.indentation():
        formatter.write_dl(rows)


def usage_message(error: click.UsageError) -> str:
    """One Chinese sentence for a usage error; what exists is listed where something was not found."""
    hint = f"；用法见“{error.ctx.command_path} --help”。" if error.ctx else "。"
    if isinstance(error, click.NoSuchOption):
        return f"没有选项 {error.option_name}{hint}"
    if isinstance(error, click.BadOptionUsage):
        return f"选项 {error.option_name} 后面缺少值{hint}"
    if isinstance(error, click.MissingParameter):
        return f"缺少{_name(error.param, error.ctx)}{hint}"
    if isinstance(error, click.BadParameter):
        return f"{_name(error.param, error.ctx)}的值不对{hint}"
    if error.ctx and isinstance(error.ctx.command, click.Group):
        return f"没有这个命令；可用命令：{'、'.join(error.ctx.command.commands)}。"
    return f"多余的参数{hint}"


def _name(param: click.Parameter | None, ctx: click.Context | None) -> str:
    if isinstance(param, click.Option):
        return f"选项 {param.opts[-1]} "
    return f"“{param.make_metavar(ctx)}”" if param and ctx else "参数"
