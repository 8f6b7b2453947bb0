"""Cells, and what running one takes: clips, features and folds."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.corpora import CORPORA, CorpusError, Loaded
from ser_classic.corpora.dimensions import values_of
from ser_classic.corpora.warnings import incomplete, require_trained
from ser_classic.degradations import DEGRADATIONS, Degradation, training_copy
from ser_classic.errors import SerClassicError
from ser_classic.experiment.copies import require_apart
from ser_classic.features import FEATURES, FeatureSet
from ser_classic.features.extraction import Features, extract
from ser_classic.models import Model
from ser_classic.models.regressors import model_for
from ser_classic.protocols import PROTOCOLS, Fold
from ser_classic.runtime.engines import Engine
from ser_classic.vocabulary import EMOTION

logger = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class Cell:
    """The names that determine a run; `corpus` is the one to test on, `target` what is predicted."""

    corpus: str
    protocol: str
    features: str
    model: str
    seed: int = 0
    target: str = EMOTION

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Cell:
        """The cell of which a run's record is."""
        return cls(*(record[name] for name in store.NAMES), record.get("target", EMOTION))

    @property
    def id(self) -> str:
        """Name of the run's folder; names hold no double hyphen, so no two cells share one."""
        return "--".join(str(value) for value in self.names.values())

    @property
    def names(self) -> dict[str, Any]:
        """Its fields as a record has them; emotions are not named as the target, dimensions are."""
        return {name: value for name, value in vars(self).items() if (name, value) != ("target", EMOTION)}

    @property
    def entry(self) -> Model:
        """The model, among those that predict its target; errors as `model_for`."""
        return model_for(self.target, self.model)

    @property
    def corpora(self) -> tuple[str, ...]:
        """The corpus to test on, and those to train on where these are others."""
        return (self.corpus, *PROTOCOLS[self.protocol].sources(self.corpus))


def parameters(cell: Cell) -> dict[str, Any]:
    """What today's tables say of a cell: all that its predictions depend on."""
    return {
        "features": FEATURES[cell.features].parameters,
        "model": cell.entry.parameters(cell.seed),
        **parameters_of_protocol(cell),
    }


def parameters_of_protocol(cell: Cell) -> dict[str, Any]:
    """The part of `parameters` that features and model have nothing to do with."""
    protocol = PROTOCOLS[cell.protocol]
    spoilt = {"degraded_by": DEGRADATIONS[protocol.degradation].key} if protocol.degradation else {}
    copied = {"copied_by": training_copy(1, cell.seed).key} if protocol.copies else {}
    versioned = [name for name in cell.corpora if name in CORPORA and CORPORA[name].make is not None]
    return {
        "protocol": {
            "title": protocol.title,
            "version": protocol.version,
            "unit": protocol.unit,
            "track": protocol.track,
        }
        | protocol.conditions(cell.corpus)
        | spoilt
        | copied,
        **({"corpora": {name: CORPORA[name].version for name in versioned}} if versioned else {}),
    }


@dataclass
class Work:
    """A cell made ready: what its folds need, and what the record will say of it.

    `parts` are the features of the corpora to train on, where they are others, and of the one to test on;
    they lie on disk and are joined by the process that needs them, or those of every pair of corpora would be
    in memory together. `degraded` are those of the degraded clips, where these are to be tested.
    """

    cell: Cell
    parts: tuple[Features, ...]
    degraded: Features | None
    copies: list[tuple[Features, ...]]
    labels: pd.DataFrame
    folds: list[Fold]
    digests: dict[str, Any]
    parameters: dict[str, Any]

    @property
    def features(self) -> Features:
        """Of the clips that the folds count."""
        return joined(self.parts)

    @property
    def training(self) -> Hashable:
        """What a fit depends on: cells in which it is equal differ in what is tested alone."""
        protocol = PROTOCOLS[self.cell.protocol]
        conditions = protocol.conditions(self.cell.corpus) | {"degradation": None}
        dealt = tuple((fold.train.tobytes(), fold.test.tobytes()) for fold in self.folds)
        said = (protocol.track, protocol.leaky, json.dumps(conditions, sort_keys=True))
        return (replace(self.cell, protocol=""), *said, dealt)


@dataclass(frozen=True)
class Refused:
    """A cell that cannot be run, and why; `parameters` are empty where its entries cannot tell them."""

    cell: Cell
    error: str
    digests: dict[str, Any]
    parameters: dict[str, Any]


@dataclass
class Shelf:
    """Features that cells share, extracted once; an error is kept, too, so that each of them tells it.

    Attributes
    ----------
    cache : Path, optional
        See `places.cache_folder`.
    engine : Engine
        Who extracts.
    """

    cache: Path | None
    engine: Engine
    _held: dict[tuple[str, str, str | None], Features | SerClassicError] = field(default_factory=dict)

    def features(
        self, loaded: Loaded, feature_set: FeatureSet, degradation: Degradation | None = None
    ) -> Features:
        """Features of a corpus as it is, or of its clips degraded.

        Raises
        ------
        SerClassicError
            As `extraction.extract`.
        """
        root, clips, corpus = loaded
        key = (corpus.name, feature_set.name, degradation and degradation.name)
        if key not in self._held:
            try:
                self._held[key] = extract(
                    clips, root, feature_set, self.cache, self.engine, corpus.channel, degradation
                )
            except SerClassicError as error:
                self._held[key] = error
        held = self._held[key]
        if isinstance(held, SerClassicError):
            raise held
        return held


def prepare(
    loaded: Loaded, cells: list[Cell], source: Callable[[str], Loaded], shelf: Shelf
) -> Iterator[Work | Refused]:
    """Make cells of one corpus ready.

    Parameters
    ----------
    loaded : Loaded
        The corpus to test on.
    cells : list of Cell
    source : callable (name) -> Loaded
        Finds another corpus to train on.
    shelf : Shelf
        Where their features are had from.
    """
    clips_digest, warned = store.table_digest(loaded.clips), set()
    for cell in cells:
        digests, said = {"clips": clips_digest}, {}
        try:
            cell.entry.require()
            said = parameters(cell)
            protocol, feature_set = PROTOCOLS[cell.protocol], FEATURES[cell.features]
            sources = {name: source(name) for name in protocol.sources(cell.corpus)}
            if sources:
                digests["trained_clips"] = {
                    name: store.table_digest(of.clips) for name, of in sources.items()
                }
            parts = [*sources.values(), loaded]
            trained = parts[:-1] or parts
            clips = pd.concat([part.clips for part in parts])
            folds = protocol.folds(clips, cell.seed)
            labels = labels_of(clips, cell.target)
            for told in require_learnable(f"{cell.corpus}, {protocol.base}", labels, folds):
                if told not in warned:
                    warned.add(told)
                    logger.warning(told)
            require_match(cell.entry, feature_set)
            features = tuple(shelf.features(part, feature_set) for part in parts)
            digests["features"] = features[-1].digest
            if sources:
                digests["trained_features"] = {
                    name: part.digest for name, part in zip(sources, features, strict=False)
                }
            for (one, known), (other, found) in combinations(zip(parts, features, strict=True), 2):
                require_apart(one, other, known, found)
            degraded = None
            if protocol.degradation:
                degraded = shelf.features(loaded, feature_set, DEGRADATIONS[protocol.degradation])
                digests["degraded"] = degraded.digest
            copies = [
                tuple(shelf.features(part, feature_set, training_copy(number, cell.seed)) for part in trained)
                for number in range(1, (protocol.copies or 0) + 1)
            ]
            if copies:
                digests["copies"] = [[part.digest for part in copy] for copy in copies]
        except SerClassicError as error:
            yield Refused(cell, str(error), digests, said)
            continue
        yield Work(cell, features, degraded, copies, labels, folds, digests, said)


def require_match(model: Model, features: FeatureSet) -> None:
    """Raise an error where a model cannot read such features: vectors or sequences of frames."""
    if model.sequence != features.sequence:
        takes, gives = "sequences of frames", "one vector a clip"
        if not model.sequence:
            takes, gives = gives, takes
        raise SerClassicError(
            f"unsupported combination: model {model.name} takes {takes}, but {features.name} gives {gives}"
        )


def joined(parts: Sequence[Features]) -> Features:
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


def labels_of(clips: pd.DataFrame, target: str = EMOTION) -> pd.DataFrame:
    """What a model may know of clips: columns speaker and the target, emotion words or numbers.

    Raises
    ------
    CorpusError
        The clips are of two corpora, whose scales are not one; or as `values_of`.
    """
    if target == EMOTION:
        return clips[["speaker", EMOTION]]
    if clips["corpus"].nunique() > 1:
        raise CorpusError(
            f"{' and '.join(dict.fromkeys(clips['corpus']))}: every corpus rates {target} on a scale of its "
            "own; train and test on one"
        )
    return clips[["speaker"]].assign(**{target: values_of(clips, target)})


def require_learnable(name: str, labels: pd.DataFrame, folds: Sequence[Fold]) -> list[str]:
    """What to tell of folds in which emotions are learned, and not tested or not trained everywhere.

    Errors as `require_trained`. Of numbers nothing is asked.
    """
    if EMOTION not in labels:
        return []
    emotions = labels[EMOTION].to_numpy(dtype=str)
    found = require_trained(name, emotions, folds), incomplete(name, emotions, folds)
    return [told for told in found if told]
