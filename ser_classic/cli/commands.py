"""The table of commands, which plug-ins add to through the entry-point group `ser_classic.commands`."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
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
    """Help in plain words: CORPUS, not {corpus} <str>; N, not N [0<=x<=4294967295]; nothing beside a flag."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Parameters, and the option --help."""
        parameters = super().get_params(ctx)
        for parameter in parameters:
            if parameter.param_type_name == "argument":
                more = "..." if parameter.nargs != 1 else ""
                name = parameter.metavar or parameter.name.upper() + more
                parameter.metavar = name
                piece = name if parameter.required else f"[{name}]"
                parameter.get_usage_pieces = lambda ctx, piece=piece: [piece]
            elif getattr(parameter, "is_flag", False):
                parameter.metavar = ""
        return parameters

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, as Typer does, but with all types as those of flags, which it does not show."""
        _load_panels()
        for parameter in self.get_params(ctx):
            parameter.type = self.get_help_option(ctx).type
        super().format_help(ctx, formatter)


def _load_panels() -> None:
    """Import Typer's panels without Markdown and tracebacks, which our help lacks: a fifth of its time."""
    unused = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
    missing = [name for name in unused if name not in sys.modules]
    for name in missing:
        sys.modules[name] = ModuleType(name)
        setattr(sys.modules[name], unused[name], type(unused[name], (), {}))
    importlib.import_module("typer.rich_utils")
    for name in missing:
        del sys.modules[name]


class _PlainCommand(_Plain, TyperCommand):
    pass


class PlainGroup(_Plain, TyperGroup):
    """A group of commands whose help shows no type beside a flag."""


class Group(typer.Typer):
    """A Typer app with examples, which are what follows `ser-classic`, below each help."""

    def __init__(self, *examples: str, cls: type[PlainGroup] = PlainGroup, **settings: Any) -> None:
        super().__init__(
            cls=cls,
            epilog=_below(examples),
            no_args_is_help=True,
            pretty_exceptions_enable=False,
            **settings,
        )

    def add(self, function: Callable[..., Any], *examples: str, name: str | None = None) -> None:
        """Add a command, called like its function."""
        text = inspect.getdoc(function).replace("[", "\\[")  # no markup
        self.command(name, cls=_PlainCommand, help=text, epilog=_below(examples))(function)


def _below(examples: Sequence[str]) -> str | None:
    lines = [f"  ser-classic {example}" for example in examples]
    return "\n".join(["Examples:", *lines]) if lines else None


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
