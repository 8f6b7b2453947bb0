"""Folds as a file for other programs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from ser_classic.corpora.clips import TIMES
from ser_classic.errors import SerClassicError, counted
from ser_classic.protocols.protocol import Protocol
from ser_classic.runtime.files import replacing, require_writable

COLUMNS = ("file", "corpus", "speaker", "emotion", "sentence")  # of each clip
DIGITS = 16  # of the digest
ENDINGS = (".csv", ".jsonl")


def fold_table(
    clips: pd.DataFrame, protocol: Protocol, seed: int = 0, validation: bool = False
) -> pd.DataFrame:
    """The folds of a protocol, one row for each clip that takes part in a fold.

    Columns fold, part (`train`, `validation`, `test`), clip, file, corpus, speaker, emotion, sentence and
    digest (of the whole table, in every row); if clips are parts of files, also start and end [s]. For a
    protocol that trains on other corpora, give the clips of all. With `validation`, one speaker in five of
    each training part is held out, as the networks of this package do to stop early; under a leaky protocol,
    one clip in five.

    Examples
    --------
    >>> from ser_classic import PROTOCOLS, load
    >>> table = fold_table(load("synthetic").clips, PROTOCOLS["speakers5"], validation=True)
    >>> sorted(table["part"].unique())
    ['test', 'train', 'validation']
    """
    columns = [*COLUMNS, *(column for column in TIMES if column in clips)]
    tables = []
    for fold in protocol.folds(clips, seed):
        part = np.full(len(clips), "", dtype=object)
        part[fold.train], part[fold.test] = "train", "test"
        if validation:
            part[_held_out(clips, protocol, fold.name, fold.train, seed)] = "validation"
        rows = np.flatnonzero(part != "")
        part_of = clips.reindex(columns=columns).iloc[rows].reset_index()
        tables.append(part_of.assign(fold=fold.name, part=part[rows]))
    table = pd.concat(tables, ignore_index=True)[["fold", "part", "clip", *columns]]
    return table.assign(digest=digest(table))


def _held_out(clips: pd.DataFrame, protocol: Protocol, fold: str, train: np.ndarray, seed: int) -> np.ndarray:
    """Rows of the training part to validate on."""
    from ser_classic.estimators import held_out

    known = clips.iloc[train]
    codes = np.unique(known["emotion"].to_numpy(dtype=str), return_inverse=True)[1]
    speakers = None if protocol.leaky else known["speaker"].to_numpy(dtype=str)
    split = held_out(codes, speakers, seed=seed)
    if split is None:
        raise SerClassicError(
            f"{clips['corpus'].iloc[0]}: {protocol.name}, fold {fold}: it trains on "
            f"{counted(known['speaker'].nunique(), 'speaker')}, too few to hold one out for "
            "validation; leave out --validation"
        )
    return train[split[1]]


def digest(table: pd.DataFrame) -> str:
    """Digest of a table of folds without `file`, which differs between distributions of the same corpus."""
    text = table.drop(columns=["file", "digest"], errors="ignore").to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def save(path: Path, table: pd.DataFrame) -> None:
    """Write a table of folds as `.csv`, or as `.jsonl`: one object per row."""
    require_writable(path, "folds", *ENDINGS)
    with replacing(path) as draft:
        if path.suffix.lower() == ".csv":
            table.to_csv(draft, index=False, lineterminator="\n")
        else:
            table.to_json(draft, orient="records", lines=True, force_ascii=False)
