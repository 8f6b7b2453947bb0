"""Corpora: where a corpus comes from, how its files are named, and its clips table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ser_classic.errors import SerClassicError

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise", "boredom")
COLUMNS = ("file", "corpus", "speaker", "emotion", "label", "sex", "sentence")


class CorpusError(SerClassicError):
    """A corpus that is absent, incomplete or not laid out as expected."""


@dataclass(frozen=True)
class Corpus:
    """A corpus and what its publisher says of it.

    Attributes
    ----------
    name : str
        Its name everywhere: table, folder under the data folder, column, command line.
    scan : callable (Path) -> pd.DataFrame
        Clips table of the files below a folder, as checked by `check_clips`; audio is not read.
    clips, speakers : int
        Published counts; 0 where nothing is published (a manifest).
    channel : int, optional
        Channel to take from files with several; their mean by default.
    make : callable (Path) -> None, optional
        Writes the audio of an embedded corpus below a folder.
    """

    name: str
    title: str
    url: str
    licence: str
    citation: str
    language: str
    scan: Callable[[Path], pd.DataFrame]
    clips: int
    speakers: int
    channel: int | None = None
    make: Callable[[Path], None] | None = None
