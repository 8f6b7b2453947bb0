"""Fitting a predictor: a model on whole corpora, with the cross-validated score on its card."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import statistics, store
from ser_classic.corpora import CORPORA, Loaded, Reading, load
from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.duplicates import shared_by_speakers
from ser_classic.experiment.evaluation import evaluate
from ser_classic.experiment.fold import Trial, learn
from ser_classic.experiment.preparation import Sources, labels_of, prepare
from ser_classic.experiment.stale import differences
from ser_classic.features import FEATURES, FeatureSet
from ser_classic.features.inputs import Features, joined
from ser_classic.models import MODELS
from ser_classic.models.tuning import Fitted
from ser_classic.predictor import cards
from ser_classic.predictor.core import Predictor
from ser_classic.predictor.familiarity import measure
from ser_classic.predictor.freezing import freeze
from ser_classic.protocols import Fold, Protocol, ordinary_protocol, require_two_clips
from ser_classic.runtime.engines import SERIAL, Engine, Local
from ser_classic.runtime.progress import busy
from ser_classic.runtime.provenance import versions
from ser_classic.vocabulary import ordered

logger = logging.getLogger(__name__)

INTERRUPTED = {"reason": "that was interrupted"}  # the card's evaluation after Ctrl-C
MANY_SPEAKERS = 30  # with more, evaluation uses five speaker groups instead of leave-one-speaker-out


def fit(
    corpora: str | Path | Sequence[str | Path],
    features: str,
    model: str,
    *,
    adapted: bool = False,
    copies: int = 0,
    emotions: Sequence[str] = (),
    across: bool = False,
    seed: int = 0,
    evaluate: bool = True,
    reading: Reading | None = None,
    facts: Mapping[str, str] | None = None,
    results: str | Path | None = None,
    data: Path | None = None,
    cache: Path | None = None,
    jobs: int = 1,
) -> Predictor:
    """Fit a model on all clips of one or more corpora, tuned in folds that keep speakers apart.

    Parameters
    ----------
    corpora : str, Path or sequence of these
        Names in CORPORA, or paths of manifests or folders of your own; several are pooled.
    features, model : str
        Names in FEATURES and MODELS.
    adapted : bool
        Z-score the features per speaker.
    copies : int
        Degraded copies of every clip to train on as well, for noisy, faint or clipped audio; see
        `degradations.training_copy`. The evaluation trains on as many.
    emotions : sequence of str
        Fit on clips of these emotions only; of all by default.
    across : bool
        For use on other corpora: every corpus counts the same, and tuning leaves out one corpus at a time
        instead of speakers. With `adapt` such a predictor uses `adaptation.self_taught`. There is no
        evaluation for such a fit, so it needs `evaluate=False`.
    seed : int
    evaluate : bool
        Put the cross-validated UAR of the same cell on the card: from a stored run under `results` with the
        same clips, features and parameters if there is one, else computed. Ctrl-C ends only this evaluation:
        the card says so, and the fitted model is kept.
    reading : Reading, optional
        How to read your own among these corpora; see `corpora.load`.
    facts : mapping of str to str, optional
        Further lines for the card, such as its licence, author or purpose.
    results, data, cache : Path, optional
        Folders of the stored runs, the corpora and the feature cache.
    jobs : int
        Processes for extraction and evaluation.

    Raises
    ------
    SerClassicError
        A name is unknown, a corpus is missing, or clips cannot be used or do not fit together.

    Examples
    --------
    >>> predictor = fit("synthetic", "mfcc13", "lda", evaluate=False)
    >>> predictor
    Predictor: synthetic, mfcc13, lda (angry, disgust, fear, happy, neutral, sad, surprise)
    >>> predictor.save("voices.skops")
    """
    names = list(map(str, [corpora] if isinstance(corpora, str | Path) else corpora))
    feature_set, entry = FEATURES[features], MODELS[model]
    if feature_set.brought and len(feature_set.parts) > 1:
        raise SerClassicError(
            f"{features}: a predictor takes either recordings or a table, and this would need both; join "
            "all columns in one table, or fit on one part"
        )
    if across and (evaluate or adapted or len(names) < 2):
        raise SerClassicError("across=True needs several corpora, evaluate=False and adapted=False")
    own = [name for name in names if name not in CORPORA] or names  # `load` refuses a reading of the others
    loaded = [_only(load(name, data, cache, reading if name in own else None), emotions) for name in names]
    clips = pd.concat([clips for _, clips, _ in loaded])
    _check_clips("+".join(names), clips, loaded, adapted)
    whole = Fold("all", np.arange(len(clips)), np.arange(0))
    protocol = Protocol(
        "all",
        "all clips are trained on",
        lambda table, seed: [whole],
        track="adapted" if adapted else "blind",
        trained_on=tuple(corpus.name for _, _, corpus in loaded) if across else (),
        copies=copies or None,
    )
    sources = Sources(cache=cache, engine=Local(jobs))
    trial = prepare("all", loaded, labels_of(clips), [whole], feature_set, entry, protocol, sources, seed)
    shared = list(filter(None, map(shared_by_speakers, loaded, trial.features)))
    for notice in shared:
        logger.warning(notice)
    with busy(f"fitting {entry.name} to {len(clips)} clips"):
        ((_, learned),) = SERIAL.run(learn, [(trial, whole)], "fits")
    pipeline = learned.fitted.estimator
    machine = freeze(pipeline, learned.features, entry.name)
    familiarity = measure(learned.features.means, learned.speakers, seed)
    card = _card(loaded, clips, feature_set, trial, learned.fitted)
    card["facts"] = {str(name): str(value) for name, value in (facts or {}).items()}
    card["limits"] = " ".join([cards.LIMITS, *shared])
    if evaluate:
        cell = Cell(loaded[0].corpus.name if len(loaded) == 1 else "", "", features, model, seed)
        try:
            where = None if results is None else Path(results)
            card["evaluation"] = _evaluation(cell, clips, trial, where, sources.engine)
        except KeyboardInterrupt:  # keep the model, which may have taken minutes to fit
            card["evaluation"] = INTERRUPTED
    return Predictor(machine, feature_set, tuple(card["classes"]), card, familiarity, pipeline)


def _only(loaded: Loaded, emotions: Sequence[str]) -> Loaded:
    """A corpus with the clips of some emotions only; with all if none are named."""
    found = set(loaded.clips["emotion"])
    if absent := [word for word in emotions if word not in found]:
        raise SerClassicError(
            f"{loaded.corpus.name}: has no clip of {', '.join(absent)}; its emotions are "
            f"{', '.join(ordered(found))}"
        )
    return loaded._replace(clips=loaded.clips[loaded.clips["emotion"].isin(list(emotions or found))])


def _check_clips(name: str, clips: pd.DataFrame, loaded: list[Loaded], adapted: bool) -> None:
    """Refuse the clips of these corpora if no model can be fitted to them."""
    if clips.index.has_duplicates:
        raise SerClassicError(f"{name}: name each corpus once")
    if clips["emotion"].nunique() < 2:
        raise SerClassicError(
            f"{name}: every clip is {clips['emotion'].iloc[0]}; clips of two emotions are needed"
        )
    if adapted and clips["speaker"].isna().any():
        raise SerClassicError(
            f"{name}: some clips have no speaker, so features cannot be z-scored per speaker; "
            "name them (--speaker), or leave out --adapt"
        )
    for _, table, _ in loaded if adapted else ():
        require_two_clips(table)


def _card(
    loaded: list[Loaded], clips: pd.DataFrame, features: FeatureSet, trial: Trial, fitted: Fitted
) -> dict[str, Any]:
    """All but the facts, the limits and the evaluation."""
    model, protocol = trial.model, trial.protocol
    adapted = protocol.track == "adapted"
    counts = clips["emotion"].value_counts()
    used = [corpus for _, _, corpus in loaded]
    channels = {corpus.channel for corpus in [own for own in used if own.name not in CORPORA] or used}
    names = "+".join(corpus.name for _, _, corpus in loaded)
    with wrap_errors(f"{model.name} has no list of its classes"):
        classes = [str(word) for word in fitted.estimator.classes_]
    return {
        "title": f"{names}, {features.name}, {model.name}" + (", adapted" if adapted else ""),
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "corpora": [
            {
                "name": corpus.name,
                "title": corpus.title,
                "licence": corpus.licence,
                "citation": corpus.citation,
                "clips": len(table),
                "clips_digest": store.table_digest(table),
                "features_digest": part.digest,
            }
            for (_, table, corpus), part in zip(loaded, trial.features, strict=True)
        ],
        "clips": len(clips),
        "speakers": int(clips["speaker"].nunique()),
        "classes": classes,
        "counts": {str(word): int(count) for word, count in counts.items()},
        "features": features.parameters | ({"names": list(features.columns)} if features.brought else {}),
        "columns": len(features.columns),
        "model": model.parameters(trial.seed),
        "chosen": fitted.chosen,
        "tuned": fitted.tuned,
        "track": protocol.track,
        "channel": channels.pop() if len(channels) == 1 else None,
        "seed": trial.seed,
        "evaluation": None,
        "versions": versions(model.extra) | versions(features.extra),
        "intended_use": f"{cards.INTENDED} {features.terms}".rstrip(),
        "copies": len(trial.copies),
        "across": bool(protocol.trained_on),
    }


def _evaluation(
    cell: Cell, clips: pd.DataFrame, trial: Trial, results: Path | None, engine: Engine
) -> dict[str, Any]:
    """The cross-validated UAR and its interval over speakers, or the reason why there is none."""
    features, *copies = map(joined, (trial.features, *trial.copies))
    reason = ""
    many = clips["speaker"].nunique() > MANY_SPEAKERS
    # The published folds first, for comparison with other work
    for base in (*(["emobox"] if cell.corpus else []), "speakers5" if many else "loso"):
        protocol = ordinary_protocol(base, trial.protocol.track)
        if copies:
            protocol = protocol.with_copies(len(copies))
        run = replace(cell, protocol=protocol.name)
        found = _stored(run, clips, features, copies, results)
        try:
            predictions = (
                found
                if found is not None
                else evaluate(clips, features, trial.model, protocol, cell.seed, copies=copies, engine=engine)
            )
        except SerClassicError as error:  # the model is fitted, and kept
            reason = str(error)
            continue
        truth = clips["emotion"].loc[predictions["clip"]].to_numpy(dtype=str)
        owners = clips["speaker"].loc[predictions["clip"]].to_numpy(dtype=str)
        table = statistics.count(truth, predictions["guess"].to_numpy(dtype=str), owners)
        uar = statistics.interval(table.counts)
        return {
            "protocol": protocol.name,
            "title": protocol.title,
            "uar": float(uar.value),
            "uar_low": float(uar.low) if uar.trusted else None,
            "uar_high": float(uar.high) if uar.trusted else None,
            "clips": len(predictions),
            "speakers": len(table.speakers),
            "classes": int(clips["emotion"].nunique()),
            "source": "computed for this card" if found is None else f"from the stored run {run.id}",
            "confusion": {
                truth: dict(zip(table.classes, row, strict=True))
                for truth, row in zip(table.classes, table.counts.sum(axis=0).tolist(), strict=True)
            },
        }
    return {"reason": reason}


def _stored(
    cell: Cell, clips: pd.DataFrame, features: Features, copies: list[Features], results: Path | None
) -> pd.DataFrame | None:
    """Predictions of the stored run of this cell, if clips, features, copies and parameters are equal."""
    if not cell.corpus or results is None or not (results / "runs" / cell.id).is_dir():
        return None
    try:
        run = store.read_run(results / "runs" / cell.id)
        same = (
            run.ok
            and not differences(run.record, lambda corpus: store.table_digest(clips))
            and run.record["digests"]["features"] == features.digest
            and run.record["digests"].get("copies", []) == [[copy.digest] for copy in copies]
        )
        return run.predictions() if same else None
    except SerClassicError:
        return None
