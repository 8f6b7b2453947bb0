"""`ser-classic doctor`: what a bug report needs to know of an installation."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import typer

from ser_classic.cli import options
from ser_classic.cli.printing import show, whole_words


def doctor(data: options.Data = None, cache: options.Cache = None, as_json: options.Json = False) -> None:
    """Show versions, extras, corpora, folders and devices, for a bug report.

    Exit code 1: something keeps commands from working.
    """
    found = examined(data, cache)
    width = shutil.get_terminal_size().columns
    lines = [whole_words(f"{name:16}  {text}", width, " " * 18) for name, text in _rows(found)]
    show("\n".join(lines), found, as_json)
    if found["faults"]:
        raise typer.Exit(1)


def examined(data: Path | None = None, cache: Path | None = None) -> dict[str, Any]:
    """Facts of this installation; `faults` are those that keep commands from working."""
    from ser_classic.cli.cache import contents
    from ser_classic.corpora import available
    from ser_classic.runtime.files import cache_folder, data_folder
    from ser_classic.runtime.provenance import machine, versions
    from ser_classic.runtime.workers import THREADS

    folder = cache_folder(cache).absolute()
    here = Path.cwd()
    writable = {"cache": _writable(folder), "this folder": _writable(here)}
    fault = f"{folder}: the cache cannot be written; name another folder with --cache or $SER_CACHE"
    return {
        "versions": versions(),
        "machine": machine(),
        "jobs": options.CORES,
        "threads": {name: os.environ.get(name) for name in THREADS},
        "extras": _extras(),
        "data": {"folder": str(data_folder(data).absolute()), "corpora": available(data)},
        "cache": {"folder": str(folder), "bytes": sum(contents(folder).values())},
        "folder": str(here),
        "writable": writable,
        "ffmpeg": shutil.which("ffmpeg"),
        "microphone": _microphone(),
        "faults": [] if writable["cache"] else [fault],
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
    from ser_classic.errors import SerClassicError
    from ser_classic.extras.listen import microphone

    try:
        return ", ".join(device["name"] for device in microphone.devices()) or "none found"
    except SerClassicError as error:
        return str(error)


def _writable(folder: Path) -> bool:
    """Whether a file can be made in a folder, or in the nearest above it that exists."""
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"-")
    except OSError:
        return False
    return True


def _rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    from rich.filesize import decimal

    machine = found["machine"]
    threads = ", ".join(f"{name}={value or 'not set'}" for name, value in found["threads"].items())
    rows = [
        ("versions", _versions(found["versions"])),
        ("machine", f"{machine['system']} {machine['architecture']}, {machine['processor']}"),
        ("jobs", f"{found['jobs']} by default; {threads}"),
    ]
    for extra, libraries in found["extras"].items():
        if missing := [name for name, number in libraries.items() if number is None]:
            text = f"not installed ({', '.join(missing)}): pip install 'ser-classic[{extra}]'"
        else:
            text = _versions(libraries)
        rows.append((f"extra {extra}", text))
    place = {name: "" if can else " (cannot be written)" for name, can in found["writable"].items()}
    size = decimal(found["cache"]["bytes"])
    return [
        *rows,
        ("corpora", f"{', '.join(found['data']['corpora'])}; searched in {found['data']['folder']}"),
        ("cache", f"{size} in {found['cache']['folder']}{place['cache']}"),
        ("folder", f"{found['folder']}{place['this folder']}"),
        ("ffmpeg", found["ffmpeg"] or "not found; only MP4, WebM and AMR files need it"),
        ("microphone", found["microphone"]),
        *(("FAULT", fault) for fault in found["faults"]),
    ]


def _versions(libraries: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in libraries.items())
