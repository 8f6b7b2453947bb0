"""The predictor itself: recordings to features as in evaluation, features to emotions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_classic import audio
from ser_classic.adaptation import adapt as z_score
from ser_classic.errors import SerClassicError, blaming
from ser_classic.features import FeatureSet
from ser_classic.features.extraction import BATCH, compute
from ser_classic.predictor import saving
from ser_classic.predictor.errors import PredictorError
from ser_classic.predictor.sources import quiet_decoder
from ser_classic.predictor.windows import Span, spans
from ser_classic.runtime import workers
from ser_classic.runtime.progress import track

UNCERTAIN = "uncertain"  # the answer where no emotion is as probable as asked for
WORTH_PROCESSES = 128  # recordings; starting processes costs about as much as extracting these

Source = str | Path | tuple[np.ndarray, int]


@dataclass(frozen=True)
class Described:
    """One recording, or one window of it, as features or as the reason why there are none."""

    name: str
    span: Span
    vector: np.ndarray | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Predictor:
    """A fitted pipeline with its feature set, class order and card.

    Attributes
    ----------
    estimator : sklearn Pipeline
    features : FeatureSet
    classes : tuple of str
        The emotions, in the order of the estimator's probabilities.
    card : dict
        What the predictor is, what it was fitted on and how good it is; see `cards`.
    """

    estimator: Any
    features: FeatureSet
    classes: tuple[str, ...]
    card: dict[str, Any]

    @property
    def adapted(self) -> bool:
        """Whether it was fitted on features z-scored per speaker, and so expects them."""
        return self.card["track"] == "adapted"

    @property
    def channel(self) -> int | None:
        """Channel to take from recordings with several, as in fitting; None is their mean."""
        return self.card["channel"]

    @property
    def has_probabilities(self) -> bool:
        """Whether it says how sure it is."""
        return hasattr(self.estimator, "predict_proba")

    def save(self, path: str | Path) -> None:
        """Write the predictor into one file, which `load_predictor` reads; see `saving.save`."""
        saving.save(self.estimator, self.card, path)

    def predict(
        self,
        sources: Source | Iterable[Source] | Mapping[str, Source],
        *,
        adapt: bool = False,
        window: float | None = None,
        hop: float | None = None,
        min_confidence: float = 0.0,
        jobs: int = 1,
        problem: Callable[[str], None] | None = None,
    ) -> pd.DataFrame:
        """Recognise the emotion of recordings.

        Parameters
        ----------
        sources : path, (waveform, sample rate), an iterable of these, or a mapping from names to these
        adapt : bool
            Z-score the features with the statistics of all the given recordings (or windows), which are
            of one speaker. Needed for a predictor of the adapted track, and for no other.
        window, hop : float, optional [s]
            Answer for every window of this length, one every `hop` (by default half a window).
        min_confidence : float
            Where no emotion has at least this probability, the answer is "uncertain".
        jobs : int
            Processes to extract with, where there are recordings enough to pay for starting them.
        problem : callable, optional
            Is handed the message of a recording that cannot be used, which is then left out; without it,
            the first one is raised.

        Returns
        -------
        pd.DataFrame
            A row a recording: `file`, `start`, `end` and `seconds` [s], `emotion`, and where there are
            probabilities `confidence` (the largest) and `p_<emotion>`. With `window` a row a window; one
            that holds nothing to analyse (silence) has no emotion.

        Raises
        ------
        AudioError
            A recording cannot be used, and there is no `problem` to tell it to.
        PredictorError
            The predictor cannot be used so.
        """
        self.require(adapt=adapt, min_confidence=min_confidence)
        described = self.describe(sources, window, hop, jobs)
        kept = []
        for item in described:
            if item.vector is not None or (window is not None and item.span.seconds > 0):
                kept.append(item)
            elif problem is None:
                raise audio.AudioError(item.problem)
            else:
                problem(item.problem)
        return self.answer(kept, adapt, min_confidence)

    def require(self, *, adapt: bool = False, min_confidence: float = 0.0) -> None:
        """Refuse what this predictor cannot do.

        Raises
        ------
        PredictorError
            It is adapted and `adapt` is false or the other way round; or confidence is asked for and it
            has no probabilities.
        """
        if self.adapted and not adapt:
            raise PredictorError(
                f"{self.card['title']}: was fitted on features z-scored per speaker, and needs several "
                "recordings of one speaker to do the same; give them together, with --adapt (adapt=True)"
            )
        if adapt and not self.adapted:
            raise PredictorError(
                f"{self.card['title']}: was fitted on features as they are; leave out --adapt (adapt=False), "
                "or fit another with --adapted"
            )
        if min_confidence > 0 and not self.has_probabilities:
            raise PredictorError(
                f"{self.card['title']}: gives no probabilities, so there is no confidence to ask for"
            )

    def describe(
        self,
        sources: Source | Iterable[Source] | Mapping[str, Source],
        window: float | None = None,
        hop: float | None = None,
        jobs: int = 1,
    ) -> list[Described]:
        """Features of recordings or of their windows, in order; those without say why."""
        named = _named(sources)
        work = (self.features, self.channel, window, hop)
        calls = [
            (number, named[start : start + BATCH], *work)
            for number, start in enumerate(range(0, len(named), BATCH))
        ]
        done = workers.run(
            _describe_batch, calls, jobs if len(named) >= WORTH_PROCESSES else 1, "batches of recordings"
        )
        if len(calls) > 1:
            done = track(done, len(calls), "recordings")
        described = dict(done)
        return [item for number in range(len(calls)) for item in described[number]]

    def answer(
        self, described: Sequence[Described], adapt: bool = False, min_confidence: float = 0.0
    ) -> pd.DataFrame:
        """Emotions of described recordings; the table of `predict`."""
        table = pd.DataFrame(
            {
                "file": [item.name for item in described],
                "start": [item.span.start for item in described],
                "end": [item.span.end for item in described],
                "seconds": [item.span.seconds for item in described],
                "emotion": None,
            }
        )
        rows = np.array([row for row, item in enumerate(described) if item.vector is not None], dtype=int)
        if not len(rows):
            return table
        X = self._inputs(
            [described[row].vector for row in rows], [described[row].name for row in rows], adapt
        )
        emotion = np.full(len(table), None, dtype=object)
        emotion[rows], found = self._judge(X)
        if found is not None:
            chances = np.full((len(table), len(self.classes)), np.nan)
            chances[rows] = found
            confidence = np.full(len(table), np.nan)
            confidence[rows] = chances[rows].max(axis=1)
            emotion[rows] = np.where(confidence[rows] < min_confidence, UNCERTAIN, emotion[rows])
            table["confidence"] = confidence
            table = table.assign(
                **{f"p_{name}": chances[:, place] for place, name in enumerate(self.classes)}
            )
        # As objects: pandas would make NaN of None in a column of words
        table["emotion"] = pd.Series(emotion, dtype=object)
        return table

    def _judge(self, X: pd.DataFrame | np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Emotions [shape=(n,)] and probabilities [shape=(n, classes)], or none."""
        what = f"{self.card['title']}: its pipeline fails"  # as features are checked by now
        with blaming(what, PredictorError, "was its file changed? Fit it again"):
            emotions = self.estimator.predict(X)
            chances = self.estimator.predict_proba(X) if self.has_probabilities else None
            if chances is not None and not np.isfinite(chances).all():
                raise ValueError("probabilities that are no numbers")
            return emotions, None if chances is None else chances.reshape(len(X), len(self.classes))

    def _inputs(
        self, vectors: list[np.ndarray], names: list[str], adapted: bool
    ) -> pd.DataFrame | np.ndarray:
        """What the estimator was fitted on: a DataFrame of vectors, or an object array of sequences."""
        if adapted and len(vectors) < 2:
            raise PredictorError(
                f"{names[0]}: one recording has no statistics to adapt to; give several of the same speaker"
            )
        if self.features.sequence:
            lengths = [len(vector) for vector in vectors]
            rows = np.concatenate(vectors)
            if adapted:
                rows = z_score(rows, np.zeros(len(rows), dtype=int))
            X = np.empty(len(vectors), dtype=object)
            X[:] = np.split(rows, np.cumsum(lengths)[:-1])
            return X
        rows = np.stack(vectors)
        if adapted:
            rows = z_score(rows, np.zeros(len(rows), dtype=int))
        return pd.DataFrame(rows, index=names, columns=list(self.features.columns), copy=False)


def load_predictor(path: str | Path) -> Predictor:
    """Read a saved predictor.

    Only scikit-learn's, XGBoost's and our own types are built, by name; nothing that the file says is run.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    PredictorError
        There is no such file; it was truncated or changed; it holds a type that is not trusted; or it was
        made with another version of its feature set, of scikit-learn or of this format.

    Examples
    --------
    >>> load_predictor("m.skops").predict("recording.wav")  # doctest: +SKIP
    """
    return Predictor(*saving.load(path))


def _named(sources: Source | Iterable[Source] | Mapping[str, Source]) -> list[tuple[str, Source]]:
    if isinstance(sources, Mapping):
        return list(sources.items())
    if isinstance(sources, str | Path | tuple):
        sources = [sources]
    return [
        (f"array {number}" if isinstance(source, tuple) else str(source), source)
        for number, source in enumerate(sources, start=1)
    ]


def _describe_batch(
    number: int,
    batch: list[tuple[str, Source]],
    features: FeatureSet,
    channel: int | None,
    window: float | None,
    hop: float | None,
) -> tuple[int, list[Described]]:
    return number, [
        item for name, source in batch for item in _describe(name, source, features, channel, window, hop)
    ]


def _describe(
    name: str,
    source: Source,
    features: FeatureSet,
    channel: int | None,
    window: float | None,
    hop: float | None,
) -> list[Described]:
    try:
        # Windows are cut at the recording's own rate, as they come from a microphone.
        if isinstance(source, tuple):
            waveform, rate = audio.check(*source, name=name), source[1]
        else:
            with quiet_decoder(source):
                waveform, rate = audio.read(source, features.sample_rate if window is None else None, channel)
    except (SerClassicError, MemoryError) as error:
        told = f"{name}: too long for this machine's memory"
        if isinstance(error, SerClassicError):
            # It names the file, which with standard input is a passing one.
            told = str(error) if isinstance(source, tuple) else str(error).replace(str(source), name)
        return [Described(name, Span(0.0, 0.0), problem=told)]
    if window is None:
        return [describe_span(name, waveform, rate, Span(0.0, len(waveform) / rate), features)]
    return [
        describe_span(name, waveform[first:last], rate, Span(first / rate, last / rate), features)
        for first, last in spans(len(waveform), rate, window, hop)
    ]


def describe_span(name: str, waveform: np.ndarray, rate: int, span: Span, features: FeatureSet) -> Described:
    """Features of a piece [shape=(n,)] of a recording, or the reason why there are none."""
    try:
        return Described(name, span, compute(features, waveform, rate, name))
    except SerClassicError as error:
        return Described(name, span, problem=str(error))
