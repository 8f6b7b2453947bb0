"""Where corpora and caches lie."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder(chosen: Path | None = None) -> Path:
    """Folder that holds the corpora: the one given, else `$SER_DATA`, else `./data`."""
    return Path(chosen or os.environ.get("SER_DATA") or "data")


def cache_folder(chosen: Path | None = None) -> Path:
    """The cache: the folder given, else `$SER_CACHE`, else the user's cache folder."""
    from platformdirs import user_cache_path

    return chosen or Path(os.environ.get("SER_CACHE") or user_cache_path("ser_classic"))
