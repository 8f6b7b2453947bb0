"""`ser-classic doctor` and `cache`: what is installed, where files are, and how large the cache is."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from ser_classic.cli import options
from ser_classic.cli.printing import show
from ser_classic.errors import SerClassicError
from ser_classic.runtime.files import cache_folder, data_folder
from ser_classic.runtime.workers import THREADS
from ser_classic.tables import Table

KEPT = ("corpora", "features", "reports")  # folders of the cache; nothing else in it is ours to remove


def doctor(data: options.Data = None, cache: options.Cache = None, as_json: options.Json = False) -> None:
    """Show versions, extras, corpora, folders and devices, for a bug report.

    Exit code 1: something keeps commands from working.
    """
    from rich.filesize import decimal

    found = examined(data, cache)
    cached = {"folder": found["cache"]["folder"], "size": decimal(found["cache"]["bytes"])}
    facts = found | {"cache": cached}
    for name, libraries in facts.pop("extras").items():
        install = f"not installed: pip install 'ser-classic[{name}]'"
        facts[f"extra {name}"] = install if None in libraries.values() else libraries
    rows = [(name, _text(fact)) for name, fact in facts.items()]
    show(Table(("installation", ""), rows), found, as_json)
    if found["faults"]:
        raise typer.Exit(1)


def examined(data: Path | None = None, cache: Path | None = None) -> dict[str, Any]:
    """Facts of this installation; `faults` are those that keep commands from working."""
    from ser_classic.corpora import available
    from ser_classic.runtime.provenance import machine, versions

    folder = cache_folder(cache).absolute()
    fault = f"{folder}: the cache cannot be written; name another folder with --cache or $SER_CACHE"
    return {
        "versions": versions(),
        "machine": machine(),
        "jobs": options.CORES,
        "threads": {name: os.environ.get(name) for name in THREADS},
        "data": {"folder": str(data_folder(data).absolute()), "corpora": available(data)},
        "cache": {"folder": str(folder), "bytes": sum(contents(folder).values())},
        "folder": str(Path.cwd()),
        "ffmpeg": shutil.which("ffmpeg"),
        "microphone": _microphone(),
        "faults": [] if _writable(folder) else [fault],
        "extras": _extras(),
    }


def _extras() -> dict[str, dict[str, str | None]]:
    """The libraries of each extra, with their versions; None for one that is not installed."""
    from importlib.metadata import PackageNotFoundError, requires, version

    found: dict[str, dict[str, str | None]] = {}
    for requirement in requires("ser-classic") or ():
        if extra := re.search(r"extra == ['\"](\w+)", requirement):
            library = re.match(r"[\w.-]+", requirement)[0]
            libraries = found.setdefault(extra[1], {})
            try:
                libraries[library] = version(library)
            except PackageNotFoundError:
                libraries[library] = None
    return found


def _microphone() -> str:
    from ser_classic.extras.listen import microphone

    try:
        return ", ".join(device["name"] for device in microphone.devices()) or "none"
    except SerClassicError as error:
        return str(error)


def _writable(folder: Path) -> bool:
    """Whether a file can be made in a folder, or in the nearest above it that exists."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _text(fact: Any) -> str:
    """A fact in words, for the table."""
    if isinstance(fact, dict):
        return ", ".join(f"{name} {_text(value)}" for name, value in fact.items())
    if isinstance(fact, list):
        return ", ".join(fact) or "none"
    return "none" if fact is None else str(fact)


def cache(
    folder: options.Cache = None,
    clear: Annotated[
        bool, options.option("--clear", "Delete everything in it; later commands compute it anew.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Show where the cache is and how large it is, or clear it.

    Clear it only while no other command is running.
    """
    from rich.filesize import decimal

    folder = cache_folder(folder).absolute()
    before = contents(folder)
    if clear:
        _empty(folder)
    lines = [
        f"  {name:8}  {decimal(size):>9}{'  removed' if clear and size else ''}"
        for name, size in before.items()
    ]
    facts = {"folder": str(folder), "bytes": contents(folder) if clear else before}
    show("\n".join([str(folder), *lines]), facts, as_json)


def contents(folder: Path) -> dict[str, int]:
    """Bytes in each part of the cache; 0 if it does not exist."""
    return {
        name: sum(path.stat().st_size for path in (folder / name).rglob("*") if path.is_file())
        for name in KEPT
    }


def _empty(folder: Path) -> None:
    """Remove every entry, renamed first: after an interruption, none that is half removed is ever read."""
    for name in KEPT:
        for entry in (folder / name).iterdir() if (folder / name).is_dir() else ():
            entry = entry.rename(entry.with_name(f".removed-{uuid.uuid4().hex}"))
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
