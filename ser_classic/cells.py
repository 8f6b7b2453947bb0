"""Cells, and what running one takes: clips, features and folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.corpora import Loaded
from ser_classic.errors import SerClassicError
from ser_classic.extraction import Features, extract
from ser_classic.features import FEATURES
from ser_classic.models import MODELS
from ser_classic.protocols import PROTOCOLS, Fold


@dataclass(frozen=True, order=True)
class Cell:
    """The five names that determine a run; `corpus` is the one to test on."""

    corpus: str
    protocol: str
    features: str
    model: str
    seed: int = 0

    @property
    def id(self) -> str:
        """Name of the run's folder; names hold no double hyphen, so no two cells share one."""
        return "--".join(map(str, (self.corpus, self.protocol, self.features, self.model, self.seed)))

    @property
    def corpora(self) -> tuple[str, ...]:
        """The corpus to test on, and the one to train on where that is another."""
        source = PROTOCOLS[self.protocol].trained_on
        return (self.corpus, source) if source else (self.corpus,)


@dataclass
class Work:
    """A cell made ready: what its folds need, and what the record will say of it.

    `degraded` holds the features of the degraded clips, where those are to be tested.
    """

    cell: Cell
    features: Features
    degraded: Features | None
    labels: pd.DataFrame
    folds: list[Fold]
    digests: dict[str, str]


@dataclass(frozen=True)
class Refused:
    """A cell that cannot be run, and why."""

    cell: Cell
    error: str
    digests: dict[str, str]


def prepare(
    loaded: Loaded, cells: list[Cell], source: Callable[[str], Loaded], cache: Path | None, jobs: int
) -> Iterator[Work | Refused]:
    """Make cells of one corpus ready.

    Parameters
    ----------
    loaded : Loaded
        The corpus to test on.
    cells : list of Cell
    source : callable (name) -> Loaded
        Finds another corpus to train on.
    cache : Path, optional
        See `extraction.cache_folder`.
    jobs : int
        Processes to extract with.
    """
    clips_digest = store.digest(store.clips_text(loaded.clips))
    features_of = _once(partial(_extracted, cache=cache, jobs=jobs))
    corpus_of = _once(source)
    for cell in cells:
        digests = {"clips": clips_digest}
        try:
            protocol, feature_set = PROTOCOLS[cell.protocol], FEATURES[cell.features]
            parts = [loaded]
            if protocol.trained_on:
                parts.insert(0, corpus_of(protocol.trained_on))
                digests["trained_clips"] = store.digest(store.clips_text(parts[0].clips))
            clips = parts[0].clips if len(parts) == 1 else pd.concat([part.clips for part in parts])
            folds = protocol.folds(clips, cell.seed)
            MODELS[cell.model].accept(feature_set)
            MODELS[cell.model].require()
            features = joined([features_of(part, feature_set) for part in parts])
            digests["features"] = features.digest
            degraded = None
            if protocol.degradation:
                degraded = features_of(loaded, feature_set, protocol.degradation)
                digests["degraded"] = degraded.digest
        except SerClassicError as error:
            yield Refused(cell, str(error), digests)
            continue
        yield Work(cell, features, degraded, labels_of(clips), folds, digests)


def joined(parts: list[Features]) -> Features:
    """Features of several corpora, one after the other."""
    first = parts[0]
    if len(parts) == 1:
        return first
    return Features(
        first.clips.append([part.clips for part in parts[1:]]),
        first.columns,
        np.concatenate([part.values for part in parts]),
        None if first.lengths is None else np.concatenate([part.lengths for part in parts]),
    )


def labels_of(clips: pd.DataFrame) -> pd.DataFrame:
    """What a model may know of clips."""
    return clips[["speaker", "emotion"]]


def _extracted(
    loaded: Loaded, feature_set: Any, degradation: str | None = None, *, cache: Path | None, jobs: int
) -> Features:
    root, clips, corpus = loaded
    return extract(clips, root, feature_set, cache, jobs, corpus.channel, degradation)


def _once(call: Callable[..., Any]) -> Callable[..., Any]:
    """Call once for each set of names; an error is kept, too, so that every cell that needs it tells it."""
    held: dict[tuple[str, ...], Any] = {}

    def found(*arguments: Any) -> Any:
        key = tuple(_name(argument) for argument in arguments)
        if key not in held:
            try:
                held[key] = call(*arguments)
            except SerClassicError as error:
                held[key] = error
        if isinstance(held[key], SerClassicError):
            raise held[key]
        return held[key]

    return found


def _name(argument: Any) -> str:
    if isinstance(argument, Loaded):
        return argument.corpus.name
    return getattr(argument, "name", argument)
