"""Preparation: from corpora, features, model and protocol to a `Trial`, which folds are run on."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from ser_classic import store
from ser_classic.corpora import CORPORA, CorpusError, Loaded, load, shortfall
from ser_classic.corpora.dimensions import rated, values_of
from ser_classic.corpora.warnings import warnings_of_folds
from ser_classic.degradations import DEGRADATIONS, Degradation, training_copy
from ser_classic.errors import SerClassicError
from ser_classic.experiment.cells import Cell, new_record, parameters
from ser_classic.experiment.copies import require_apart
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
    """Loads corpora and features, each once; an error in features is raised again on every request.

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
    copied: Sequence[Loaded] = (),
) -> Trial:
    """A trial on corpora, checked to be apart and to have features that fit the model.

    The protocol degrades the last corpus, and trains on copies of those in `copied` (all by default), which
    the seed determines.
    """
    model.require()
    require_match(model, feature_set)
    features = tuple(sources.features(each, feature_set) for each in corpora)
    for (one, known), (other, found) in combinations(zip(corpora, features, strict=True), 2):
        require_apart(one, other, known, found)
    degraded = None
    if protocol.degradation:
        degraded = sources.features(corpora[-1], feature_set, DEGRADATIONS[protocol.degradation])
    chains = [training_copy(number, seed) for number in range(1, (protocol.copies or 0) + 1)]
    copies = [
        tuple(sources.features(each, feature_set, chain) for each in copied or corpora) for chain in chains
    ]
    return Trial(name, features, labels, folds, model, protocol, seed, degraded, copies)


def require_match(model: Model, features: FeatureSet) -> None:
    """Raise an error if a model does not take what a feature set gives."""
    if model.takes != features.gives:
        raise SerClassicError(
            f"unsupported combination: model {model.name} takes {model.takes.name} per clip, but "
            f"{features.name} gives {features.gives.name}"
        )


def labels_and_folds(
    protocol: Protocol, clips: pd.DataFrame, seed: int, target: str, name: str, warned: set[str]
) -> tuple[pd.DataFrame, list[Fold]]:
    """Labels and folds of clips; warns of emotions that are not tested or not trained in every fold.

    The warnings name corpus and protocol by `name`; those in `warned` are not repeated, new ones are added.
    """
    folds, labels = protocol.folds(clips, seed), labels_of(clips, target, protocol.knows.by)
    if target == EMOTION:
        emotions = labels[EMOTION].to_numpy(dtype=str)
        for warning in warnings_of_folds(name, emotions, folds):
            if warning not in warned:
                warned.add(warning)
                logger.warning(warning)
    return labels, folds


@dataclass
class Work:
    """A cell, what is stored of it, and its trial or the error that keeps it from running."""

    cell: Cell
    record: dict[str, Any]
    trial: Trial | None = None
    error: str = ""

    @property
    def training(self) -> Hashable:
        """What a fit depends on; cells with equal values differ only in what is tested."""
        protocol = self.trial.protocol
        conditions = protocol.conditions(self.cell.corpus) | {"degradation": None}
        rows = tuple((fold.train.tobytes(), fold.test.tobytes()) for fold in self.trial.folds)
        return (
            replace(self.cell, protocol=""),
            protocol.track,
            protocol.leaky,
            json.dumps(conditions, sort_keys=True),
            rows,
        )


def prepare_cells(cells: Sequence[Cell], sources: Sources) -> Iterator[Work]:
    """Prepare cells that test on the same corpus."""
    loaded = sources.corpus(cells[0].corpus)
    warned: set[str] = set()

    @functools.cache
    def split(name: str, seed: int, target: str) -> tuple[pd.DataFrame, list[Fold]]:
        protocol, corpus = PROTOCOLS[name], loaded.corpus.name
        others = map(sources.corpus, protocol.sources(corpus))
        clips = pd.concat([each.clips for each in (*others, loaded)])
        return labels_and_folds(protocol, clips, seed, target, f"{corpus}, {protocol.base}", warned)

    def trial_of(cell: Cell, record: dict[str, Any]) -> Trial:
        """The trial of a cell; its parameters and digests are added to the record, up to an error."""
        protocol, digests = PROTOCOLS[cell.protocol], record["digests"]
        cell.entry.require()
        record["parameters"] = parameters(cell)
        if others := protocol.sources(cell.corpus):
            digests["trained_clips"] = {name: sources.digest(name) for name in others}
        labels, folds = split(cell.protocol, cell.seed, cell.target)
        trained, features = [*map(sources.corpus, others)], FEATURES[cell.features]
        corpora = [*trained, loaded]
        trial = prepare(
            cell.id, corpora, labels, folds, features, cell.entry, protocol, sources, cell.seed, trained
        )
        *known, digests["features"] = [part.digest for part in trial.features]
        if others:
            digests["trained_features"] = dict(zip(others, known, strict=True))
        if trial.degraded:
            digests["degraded"] = trial.degraded.digest
        if trial.copies:
            digests["copies"] = [[part.digest for part in copy] for copy in trial.copies]
        return trial

    for cell in cells:
        work = Work(cell, new_record(cell))
        work.record["digests"]["clips"] = sources.digest(cell.corpus)
        try:
            work.trial = trial_of(cell, work.record)
        except SerClassicError as error:
            work.error = str(error)
        yield work


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
