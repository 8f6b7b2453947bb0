"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_corpus import record

from ser_classic.corpora import Loaded, Reading, load


@pytest.fixture(scope="session")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per emotion: 4 synthetic speakers x 3 emotions x 2 sentences x 2 takes, 48 short clips."""
    root = tmp_path_factory.mktemp("corpora") / "tiny"
    record(root, ("s01", "s02", "s03", "s04"))
    return root


@pytest.fixture(scope="session")
def tiny(own_folder: Path) -> Loaded:
    """The folder above as a corpus called `tiny`, with its speakers."""
    return load(own_folder, Path("data"), Path("cache"), reading=Reading(speaker=r"/(s\d\d)_"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A feature cache for these tests alone."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session", autouse=True)
def no_other_cache(cache: Path) -> Iterator[None]:
    """Nothing that tests do comes from the user's cache folder or gets into it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SER_CACHE", str(cache))
        yield


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Ctrl-C is for these tests again where the command line, called in this process, has had it."""
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.fixture
def corpora() -> Path:
    """The folder with the real corpora; skips where `$SER_DATA` names none."""
    folder = os.environ.get("SER_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no real corpora: set SER_DATA to the folder that holds them")
    return Path(folder)
