"""`ser-classic cache`: where the cache is, how large, and how to clear it."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Annotated

from ser_classic.cli import options
from ser_classic.cli.printing import show

KEPT = ("corpora", "features", "reports")  # folders of the cache; nothing else in it is ours to remove


def cache(
    folder: options.Cache = None,
    clear: Annotated[
        bool, options.option("--clear", "Delete everything in it; later commands compute it anew.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Show where the cache is and how large, or clear it.

    Clear it only while no other command is running.
    """
    from rich.filesize import decimal

    from ser_classic.runtime.files import cache_folder

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
    """Bytes in each part of the cache; 0 for what is not there."""
    return {
        name: sum(path.stat().st_size for path in (folder / name).rglob("*") if path.is_file())
        for name in KEPT
    }


def _empty(folder: Path) -> None:
    """Each entry gets another name first: an interrupted removal leaves no part that passes for the whole."""
    for name in KEPT:
        for entry in (folder / name).iterdir() if (folder / name).is_dir() else ():
            entry = entry.rename(entry.with_name(f".removed-{uuid.uuid4().hex}"))
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
