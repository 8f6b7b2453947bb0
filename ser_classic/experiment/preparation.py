"""Preparation: from corpora, features, model and protocol to a `Trial`, which folds are run on."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import store
from ser_classic.corpora import CORPORA, CorpusError, Loaded, load, shortfall
from ser_classic.corpora.dimensions import rated, values_of
from ser_classic.corpora.warnings import warnings_of_folds
from ser_classic.degradations import DEGRADATIONS, Degradation, training_copy
from ser_classic.errors import SerClassicError
from ser_classic.experiment.cells import Cell, new_record, parameters
from ser_classic.experiment.duplicates import require_apart
from ser_classic.experiment.fold import Trial
from ser_classic.features import FEATURES, FeatureSet
from ser_classic.features.extraction import extract
from ser_classic.features.inputs import Features
from ser_classic.models import Model
from ser_classic.protocols import PROTOCOLS, Fold, Protocol
from ser_classic.runtime.engines import SERIAL, Engine
from ser_classic.vocabulary import EMOTION

logger = logging.getLogger(__name__)


class Sources:
    """Corpora, their folds and features, each made once; an error in features is raised each time.

    With `dimensions`, only clips with rated dimensions are taken; the other parameters are those of `bench`.
    """

    def __init__(
        self,
        data: Path | None = None,
        cache: Path | None = None,
        engine: Engine = SERIAL,
        own: Mapping[str, Loaded] | None = None,
        dimensions: bool = False,
    ) -> None:
        self.data, self.cache, self.engine, self.own = data, cache, engine, own or {}
        self.dimensions = dimensions
        self._corpora: dict[str, Loaded] = {}
        self._digests: dict[str, str] = {}
        self._folds_of = ""
        self._folds: dict[Hashable, tuple[pd.DataFrame, list[Fold]]] = {}
        self._warned: set[str] = set()
        self._features: dict[Hashable, Features | SerClassicError] = {}

    def corpus(self, name: str) -> Loaded:
        """A corpus by its name."""
        if name not in self._corpora:
            loaded = self.own.get(name) or load(name, self.data, self.cache)
            self._corpora[name] = rated(loaded) if self.dimensions else loaded
        return self._corpora[name]

    def digest(self, name: str) -> str:
        """Digest of a corpus's clips table."""
        if name not in self._digests:
            self._digests[name] = store.table_digest(self.corpus(name).clips)
        return self._digests[name]

    def clips_today(self, name: str) -> str | None:
        """Digest of a corpus's clips table; None if it is missing or incomplete.

        A built-in corpus is not loaded: its version says whether it has changed.
        """
        try:
            if name not in self.own and CORPORA[name].make is not None:
                return None
            loaded = self.corpus(name)
        except SerClassicError:
            return None
        return None if shortfall(loaded.corpus, loaded.clips) else self.digest(name)

    def labels_and_folds(self, cell: Cell) -> tuple[pd.DataFrame, list[Fold]]:
        """Labels and folds of the clips that a cell trains and tests on, kept for one tested corpus."""
        if self._folds_of != cell.corpus:
            self._folds_of, self._folds = cell.corpus, {}
        key = (cell.protocol, cell.seed, cell.target)
        if key not in self._folds:
            protocol = PROTOCOLS[cell.protocol]
            names = (*protocol.sources(cell.corpus), cell.corpus)
            clips = pd.concat([self.corpus(name).clips for name in names])
            self._folds[key] = labels_and_folds(protocol, clips, cell.seed, cell.target, self._warned)
        return self._folds[key]

    def features(
        self, loaded: Loaded, feature_set: FeatureSet, degradation: Degradation | None = None
    ) -> Features:
        """Features of a corpus as it is, or of its clips degraded."""
        root, clips, corpus = loaded
        key = (corpus.name, feature_set.name, degradation and degradation.name)
        if key not in self._features:
            try:
                self._features[key] = extract(
                    clips, root, feature_set, self.cache, self.engine, corpus.channel, degradation
                )
            except SerClassicError as error:
                self._features[key] = error
        found = self._features[key]
        if isinstance(found, SerClassicError):
            raise found
        return found


def prepare(
    name: str,
    corpora: Sequence[Loaded],
    labels: pd.DataFrame,
    folds: Sequence[Fold],
    feature_set: FeatureSet,
    model: Model,
    protocol: Protocol,
    sources: Sources,
    seed: int = 0,
) -> Trial:
    """A trial on corpora, checked to be apart and to have features that fit the model.

    The protocol degrades the last corpus; it trains on copies of all corpora up to the last training clip,
    which the seed determines.
    """
    model.require()
    require_match(model, feature_set)
    features = tuple(sources.features(each, feature_set) for each in corpora)
    for (one, known), (other, found) in combinations(zip(corpora, features, strict=True), 2):
        require_apart(one, other, known, found)
    degraded = None
    if protocol.degradation:
        degraded = sources.features(corpora[-1], feature_set, DEGRADATIONS[protocol.degradation])
    starts = np.cumsum([0, *(len(part.clips) for part in features)])
    last = max(fold.train.max() for fold in folds)
    copied = [each for each, start in zip(corpora, starts, strict=False) if start <= last]
    chains = [training_copy(number, seed) for number in range(1, (protocol.copies or 0) + 1)]
    copies = [tuple(sources.features(each, feature_set, chain) for each in copied) for chain in chains]
    return Trial(name, features, labels, folds, model, protocol, seed, degraded, copies)


def require_match(model: Model, features: FeatureSet) -> None:
    """Raise an error if a model does not take what a feature set gives."""
    if model.takes != features.gives:
        raise SerClassicError(
            f"unsupported combination: model {model.name} takes {model.takes.name} per clip, but "
            f"{features.name} gives {features.gives.name}"
        )


def labels_and_folds(
    protocol: Protocol, clips: pd.DataFrame, seed: int, target: str, warned: set[str]
) -> tuple[pd.DataFrame, list[Fold]]:
    """Labels and folds of clips; warns of emotions that are not tested or not trained in every fold.

    Warnings that are in `warned` are not repeated, new ones are added.
    """
    folds, labels = protocol.folds(clips, seed), labels_of(clips, target, protocol.knows.by)
    if target == EMOTION:
        name, emotions = f"{clips['corpus'].iloc[-1]}, {protocol.base}", labels[EMOTION].to_numpy(dtype=str)
        for warning in warnings_of_folds(name, emotions, folds):
            if warning not in warned:
                warned.add(warning)
                logger.warning(warning)
    return labels, folds


def prepare_cell(cell: Cell, sources: Sources) -> Trial:
    """The trial of a cell, with the record of its run but for the results."""
    protocol, model = PROTOCOLS[cell.protocol], cell.entry
    labels, folds = sources.labels_and_folds(cell)
    others = protocol.sources(cell.corpus)
    corpora = [sources.corpus(name) for name in (*others, cell.corpus)]
    features = FEATURES[cell.features]
    trial = prepare(cell.id, corpora, labels, folds, features, model, protocol, sources, cell.seed)
    digests: dict[str, Any] = {"clips": sources.digest(cell.corpus)}
    if others:
        digests["trained_clips"] = {name: sources.digest(name) for name in others}
    *known, digests["features"] = [part.digest for part in trial.features]
    if others:
        digests["trained_features"] = dict(zip(others, known, strict=True))
    if trial.degraded:
        digests["degraded"] = trial.degraded.digest
    if trial.copies:
        digests["copies"] = [[part.digest for part in copy] for copy in trial.copies]
    return replace(trial, record=new_record(cell) | {"parameters": parameters(cell), "digests": digests})


def labels_of(clips: pd.DataFrame, target: str = EMOTION, by: str = "") -> pd.DataFrame:
    """What a model may know of clips.

    Columns corpus, speaker, the one that its track goes by, and the target (emotion words or numbers).
    """
    known = clips[[*dict.fromkeys(("corpus", "speaker", by or "speaker"))]]
    if target == EMOTION:
        return known.assign(emotion=clips[EMOTION])
    if clips["corpus"].nunique() > 1:
        raise CorpusError(
            f"{' and '.join(dict.fromkeys(clips['corpus']))}: corpora rate {target} on different "
            "scales; train and test on one"
        )
    return known.assign(**{target: values_of(clips, target)})
