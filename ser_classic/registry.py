"""Registry: a table of named entries whose unknown-name error suggests the nearest names."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import ModuleType
from typing import Generic, Protocol, TypeVar

from ser_classic.errors import SerClassicError, some
from ser_classic.extras import ENTRY_POINTS

MANY = 40  # names that a message lists; of more, it lists none if it can guess which is meant

logger = logging.getLogger(__name__)


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=Named)


class Registry(Mapping[str, Entry], Generic[Entry]):
    """Entries by name: the built-in ones, and those of installed packages (entry points `ser_classic.KIND`).

    `kind` is a plural noun, and the last part of the entry-point group; `wanted` is the type of plug-ins'
    entries, by default that of the built-in ones, which are asked for at the first look-up. Looking up an
    unknown name is an error that suggests the nearest ones. A plug-in that cannot be loaded, or whose name is
    invalid or taken, is left out with a warning.
    """

    def __init__(self, kind: str, entries: Iterable[Entry], wanted: type[Entry] | None = None) -> None:
        self.kind = kind
        self._entries = entries
        self._wanted = wanted

    @cached_property
    def _built_in(self) -> dict[str, Entry]:
        table: dict[str, Entry] = {}
        for entry in self._entries:
            self._add(table, entry, "ser_classic")
        return table

    def _add(self, table: dict[str, Entry], entry: Entry, source: str) -> None:
        if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", entry.name):
            raise SerClassicError(
                f"{self.kind}: {source} offers the name {entry.name!r}; a name is lower-case words, digits "
                "and single underscores"
            )
        if entry.name in table:
            raise SerClassicError(f"{self.kind}: {source} offers {entry.name!r}, which is already taken")
        table[entry.name] = entry

    @cached_property
    def _all(self) -> dict[str, Entry]:
        from importlib.metadata import EntryPoint, entry_points  # 15 ms that a prediction does not need

        table = dict(self._built_in)
        wanted = self._wanted or type(next(iter(table.values())))
        broken: dict[str, list[str]] = {}
        group = f"ser_classic.{self.kind}"
        own = [EntryPoint(value.partition(":")[2], value, group) for value in ENTRY_POINTS.get(self.kind, ())]
        for point in [*own, *sorted(entry_points(group=group), key=lambda point: point.value)]:
            try:
                if not isinstance(entry := point.load(), wanted):
                    raise SerClassicError(f"expected {wanted.__name__}, found {type(entry).__name__}")
                self._add(table, entry, point.value)
            except (Exception, SystemExit) as error:
                broken.setdefault(str(error), []).append(point.value)
        for error, values in broken.items():
            logger.warning(
                f"{self.kind}: left out plug-ins that cannot be loaded: {', '.join(values)} ({error}); "
                "fix, reinstall or remove the package that provides them"
            )
        return table

    @contextlib.contextmanager
    def also(self, entries: Iterable[Entry]) -> Iterator[None]:
        """Add further entries for the duration of a block."""
        before = self._all
        table = dict(before)
        for entry in entries:
            self._add(table, entry, "your table")
        self.__dict__["_all"] = table
        try:
            yield
        finally:
            self.__dict__["_all"] = before

    def __getitem__(self, name: str) -> Entry:
        if name in self._built_in:  # built-in names need no scan of the installed packages
            return self._built_in[name]
        try:
            return self._all[name]
        except KeyError:
            raise SerClassicError(unknown(self.kind, name, self._all)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._built_in or name in self._all

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return f"{self.kind}: {', '.join(self)}"


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Message for an unknown name, with the nearest known ones first."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(map(repr, near))}?" if near else ""
    if near and len(known) > MANY:
        return f"{kind}: there is no {name!r}; {meant}"
    return f"{kind}: there is no {name!r}; {meant}{' ' if meant else ''}known: {some(known, MANY) or 'none'}"


def need(library: str, extra: str | None = None) -> ModuleType:
    """Import an optional library; if it is not installed, the error names the command that installs it.

    This is the command for the `extra` of this package that contains the library, if one does.
    """
    try:
        return importlib.import_module(library)
    except ImportError as error:
        command = f"pip install 'ser-classic[{extra}]'" if extra else f"pip install {library}"
        raise SerClassicError(
            f"this needs {library}, which is not installed ({error}). Install it with: {command}"
        ) from error
