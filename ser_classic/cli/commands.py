"""The table of commands, which plug-ins add to through the entry-point group `ser_classic.commands`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
    """

    name: str
    function: Callable[..., Any]


class Commands(TyperGroup):
    """Commands of the package, and below them those of `COMMANDS`, which are loaded when they are wanted."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order of the help."""
        return [*super().list_commands(ctx), *(name for name in COMMANDS if name not in self.commands)]

    def get_command(self, ctx: Any, name: str) -> Any:
        """The command of a name, None where there is none."""
        return super().get_command(ctx, name) or (_command(COMMANDS[name]) if name in COMMANDS else None)


def _command(entry: Command) -> TyperCommand:
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(entry.name)(entry.function)
    return typer.main.get_command(alone)


COMMANDS = Registry("commands", (), Command)
