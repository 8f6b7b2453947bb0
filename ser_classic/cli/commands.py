"""The table of commands, which plug-ins add to through the entry-point group `ser_classic.commands`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ser_classic.registry import Registry


@dataclass(frozen=True)
class Command:
    """An entry of `COMMANDS`.

    Attributes
    ----------
    name : str
    function : callable
        As Typer takes it: its parameters are the command's, its docstring the help. What it needs beyond
        Typer it imports when it is called.
    examples : tuple of str
        What may follow `ser-classic`, shown below the help.
    """

    name: str
    function: Callable[..., Any]
    examples: tuple[str, ...] = ()


class _Plain:
    """Help with CORPUS where Typer has {corpus}, and with options under the headings of their panels."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Parameters, and the option --help."""
        parameters = super().get_params(ctx)
        for each in parameters:
            if each.param_type_name == "argument":
                name = each.metavar or each.name.upper() + ("..." if each.nargs != 1 else "")
                each.metavar, each.get_usage_pieces = name, partial(_in_usage, each)
        return parameters

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, options by panel, and the commands of a group."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for each in self.get_params(ctx):
            title = getattr(each, "rich_help_panel", None) or f"{each.param_type_name.title()}s"
            sections.setdefault(title, []).append(each.get_help_record(ctx))
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)


def _in_usage(argument: Any, ctx: Any) -> list[str]:
    return [argument.metavar if argument.required else f"[{argument.metavar}]"]


class _PlainCommand(_Plain, TyperCommand):
    pass


class PlainGroup(_Plain, TyperGroup):
    """A group of commands with such help."""


class Group(typer.Typer):
    """A Typer app with examples, which are what follows `ser-classic`, below each help."""

    def __init__(self, *examples: str, cls: type[PlainGroup] = PlainGroup, **settings: Any) -> None:
        super().__init__(
            cls=cls,
            epilog=_below(examples),
            no_args_is_help=True,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
            **settings,
        )

    def add(self, function: Callable[..., Any], *examples: str, name: str | None = None) -> None:
        """Add a command, called like its function."""
        first = inspect.getdoc(function).partition("\n\n")[0]
        self.command(name, cls=_PlainCommand, short_help=first, epilog=_below(examples))(function)


def _below(examples: tuple[str, ...]) -> str:
    lines = [f"  ser-classic {example}" for example in examples]
    return "\n".join(["\b", "Examples:", *lines])  # \b: the lines are not filled


class Commands(PlainGroup):
    """Commands of the package, then those of `COMMANDS`, which are loaded when they are needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order of the help."""
        return [*super().list_commands(ctx), *(name for name in COMMANDS if name not in self.commands)]

    def get_command(self, ctx: Any, name: str) -> Any:
        """The command of a name, None where there is none."""
        return super().get_command(ctx, name) or (_command(COMMANDS[name]) if name in COMMANDS else None)


def _command(entry: Command) -> TyperCommand:
    alone = Group(add_completion=False)
    alone.add(entry.function, *entry.examples, name=entry.name)
    return typer.main.get_command(alone)


COMMANDS = Registry("commands", (), Command)
