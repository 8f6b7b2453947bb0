"""The predictor: recordings to features as in evaluation, features to emotions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_classic import audio
from ser_classic.adaptation import self_taught
from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.features import FEATURES, FeatureSet
from ser_classic.features.inputs import Features
from ser_classic.machines import Machine
from ser_classic.predictor import saving
from ser_classic.predictor.cards import html, takes_tables
from ser_classic.predictor.cutting import Cutter, Utterances, hop_of, windows
from ser_classic.predictor.describing import EACH, Channel, Described, Describer, Recording
from ser_classic.predictor.familiarity import Familiarity

if TYPE_CHECKING:
    import pandas as pd

# Fitted by `benchmarks/built_in.py`; its licence is not that of the code.
BUILT_IN = Path(__file__).parent.parent / "data" / "voices.skops"
BUILT_IN_NOTICE = (
    "no model named, so the built-in one answers: four emotions, fitted on RAVDESS and EMO-DB (actors), not "
    "for commercial use"
)
MICROPHONE = "microphone"  # the recording that is listened to
UNCERTAIN = "uncertain"  # the answer if no emotion reaches the confidence asked for

Answer = dict[str, Any]  # a row of the table that `Predictor.predict` returns


@dataclass(frozen=True, eq=False)
class Predictor:
    """A machine with its feature set, class order and card.

    Attributes
    ----------
    machine : Machine
        The fitted pipeline as plain arrays.
    features : FeatureSet
    classes : tuple of str
        The emotions, in the order of the machine's probabilities.
    card : dict
        What the predictor is, what it was fitted on and how good it is; see `cards`.
    familiarity : Familiarity
        How far recordings lie from what it was fitted on.
    pipeline : sklearn Pipeline, optional
        The one that the machine was made from; None for a loaded predictor (see `load_pipeline`).

    Examples
    --------
    >>> from ser_classic import fit, load
    >>> predictor = fit("synthetic", "mfcc13", "lda", evaluate=False)
    >>> root, clips, corpus = load("synthetic")
    >>> recordings = [root / file for file in clips["file"][:3]]
    >>> predictor.predict(recordings)["emotion"].isin(predictor.classes).all()
    np.True_
    >>> list(predictor.predict(recordings[0], window=0.5, hop=0.25)["start"][:3])
    [0.0, 0.25, 0.5]
    """

    machine: Machine
    features: FeatureSet
    classes: tuple[str, ...]
    card: dict[str, Any]
    familiarity: Familiarity
    pipeline: Any = None
    file: str = ""  # where it was loaded from, for messages

    def __repr__(self) -> str:
        return f"Predictor: {self.card['title']} ({', '.join(self.classes)})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the card."""
        return html(self.card)

    @property
    def named(self) -> str:
        """What messages call it: its file, or its title where it was not loaded from one."""
        return self.file or self.card["title"]

    @property
    def adapted(self) -> bool:
        """Whether it was fitted on features z-scored per speaker, and so expects them."""
        return self.card["track"] == "adapted"

    @property
    def channel(self) -> Channel:
        """Channel to take from multi-channel recordings, as in fitting; None is the mean of all."""
        return self.card["channel"]

    def taking(self, channel: Channel) -> Predictor:
        """The same predictor for another channel: its number from 0, "each", or None for their mean."""
        return replace(self, card=self.card | {"channel": channel})

    @property
    def has_probabilities(self) -> bool:
        """Whether its answers have probabilities."""
        return self.machine.has_probabilities

    def save(self, path: str | Path, *, pipeline: bool = False) -> None:
        """Write the predictor to a file, which `load_predictor` reads.

        Parameters
        ----------
        path : str or Path
        pipeline : bool
            Also store the scikit-learn pipeline, for `load_pipeline`.

        Raises
        ------
        SerClassicError
            The file cannot be written; or there is no pipeline to store, as the predictor was loaded from a
            file.
        """
        if pipeline and self.pipeline is None:
            raise SerClassicError(f"{self.named}: was loaded from a file, without its pipeline; fit it again")
        given = self.pipeline if pipeline else None
        saving.save(path, self.card, self.machine, self.familiarity, given)

    def predict(
        self,
        sources: Recording | Iterable[Recording] | Mapping[str, Recording],
        *,
        adapt: bool = False,
        window: float | None = None,
        hop: float | None = None,
        segments: bool = False,
        min_confidence: float = 0.0,
        jobs: int = 1,
        problem: Callable[[str], None] | None = None,
    ) -> pd.DataFrame:
        """Recognise the emotion of recordings.

        Parameters
        ----------
        sources : path, (waveform, sample rate), an iterable of these, or a mapping from names to these
            A waveform [shape=(n,)] holds floats of full scale 1, or integers of that of their type.
        adapt : bool
            All given recordings (or windows) are of one speaker. A predictor of the adapted track needs this,
            to z-score their features together; one fitted across corpora can use it, to learn from the
            recordings themselves (`adaptation.self_taught`); others refuse it.
        window, hop : float, optional [s]
            Answer for windows of this length, one every `hop` (by default half a window).
        segments : bool
            Answer for every utterance of 1 to 15 s that is found; see `Utterances`.
        min_confidence : float
            The answer is "uncertain" if no emotion has at least this probability, or if the recording is
            unlike the training clips (its probabilities then mean little). At 0, no answer is.
        jobs : int
            Processes to extract with, if there are enough recordings to pay for starting them.
        problem : callable, optional
            Called with the message of each recording that cannot be used, which is then left out; without
            it, the first one is raised.

        Returns
        -------
        pd.DataFrame
            One row per recording: `file`, `start`, `end` and `seconds` [s], `emotion`; if there are
            probabilities, `confidence` (the largest) and `p_<emotion>`; `distance` from the training clips,
            and whether the recording is `unlike` them (a distance above 1). With `window` or `segments` one
            row per piece; a silent one has no emotion.

        Raises
        ------
        AudioError
            A recording cannot be used, and `problem` is not given.
        SerClassicError
            The predictor cannot be used with these arguments; see `require`.
        """
        pieces = {"window": window, "hop": hop, "segments": segments}
        given = {"adapt": adapt, "min_confidence": min_confidence, "jobs": jobs, "problem": problem}
        return tabled(self.rows(sources, **pieces, **given))

    def rows(
        self,
        sources: Recording | Iterable[Recording] | Mapping[str, Recording],
        *,
        adapt: bool = False,
        window: float | None = None,
        hop: float | None = None,
        segments: bool = False,
        min_confidence: float = 0.0,
        jobs: int = 1,
        problem: Callable[[str], None] | None = None,
    ) -> list[Answer]:
        """The rows of `predict`, each a dict from column to value; parameters and errors as there."""
        self.require(adapt=adapt, window=window, hop=hop, segments=segments, min_confidence=min_confidence)
        cutter: Cutter | None = Utterances if segments else None
        if window is not None:
            cutter = partial(windows, window=window, hop=hop)
        # A recording may be long: features of its pieces are kept only if they are needed together
        at_once = cutter is None or adapt
        answer = partial(replace(self, pipeline=None).answer, min_confidence=min_confidence)
        keep = list if at_once else answer
        describer = replace(self._describer, channel=self.channel, cutter=cutter, keep=keep)
        kept = []
        for item in describer.describe(sources, jobs):
            if not isinstance(item, str):
                kept.append(item)
            elif problem is None:
                raise audio.AudioError(item)
            else:
                problem(item)
        return self.answer(kept, adapt, min_confidence) if at_once else kept

    @property
    def _describer(self) -> Describer:
        """What computes the features of recordings; an error if it takes tables of features instead."""
        if self.features.brought:
            name = self.features.name
            raise SerClassicError(
                f"{self.named}: was fitted on the table {name} and takes no recordings; give "
                f"their features with --table {name}=FILE (describe_table)"
            )
        return Describer(self.features)

    def listen(
        self,
        blocks: Iterable[np.ndarray],
        rate: int,
        window: float = 3.0,
        hop: float | None = None,
        min_confidence: float = 0.0,
    ) -> Iterator[Answer]:
        """Answer window by window for a recording that comes in mono blocks [shape=(n,)] of any size.

        Blocks hold floats of full scale 1, or integers of that of their type. `rate` is in Hz, `window` and
        `hop` in seconds. The answers equal those of `predict` for the whole recording, which has the other
        parameters and the errors. A predictor of the adapted track is refused, as it needs all recordings of
        a speaker first.
        """
        describer = self._describer
        samples = (audio.floats(block, MICROPHONE) for block in blocks)
        for segment, waveform in windows(samples, rate, window, hop):
            described = describer.piece(MICROPHONE, waveform, rate, segment)
            yield from self.answer([described], min_confidence=min_confidence)

    def require(
        self,
        *,
        adapt: bool = False,
        window: float | None = None,
        hop: float | None = None,
        segments: bool = False,
        min_confidence: float = 0.0,
    ) -> None:
        """Raise an error for arguments of `predict` that this predictor cannot serve."""
        if self.adapted and not adapt:
            raise SerClassicError(
                f"{self.named}: was fitted on features z-scored per speaker, and needs several recordings "
                "of one speaker to do the same; give them together, with predict --adapt (adapt=True)"
            )
        if adapt and not (self.adapted or (self.card["across"] and self.has_probabilities)):
            raise SerClassicError(
                f"{self.named}: was fitted without --adapt; leave it out here, too (adapt=False), or fit "
                "another with --adapt"
            )
        if adapt and self.channel == EACH:
            raise SerClassicError(
                f"{self.named}: adapts to one speaker, and each channel has its own; choose one "
                "(--channel left)"
            )
        if (segments and window is not None) or (window is None and hop is not None):
            raise SerClassicError("choose one of segments and window; hop needs window")
        if window is not None:
            hop_of(window, hop)  # raises an error if they do not fit
        if not 0 <= min_confidence <= 1:
            raise SerClassicError(f"min_confidence {min_confidence}; expected a probability, 0 to 1")
        if min_confidence and not self.has_probabilities:
            raise SerClassicError(f"{self.named}: gives no probabilities, so --min-confidence cannot be used")

    def answer(
        self, described: Sequence[Described], adapt: bool = False, min_confidence: float = 0.0
    ) -> list[Answer]:
        """Answers for described recordings: the rows of `predict`."""
        self.require(adapt=adapt, min_confidence=min_confidence)
        vectors = [item.vector for item in described if item.vector is not None]
        if adapt and len(vectors) == 1:
            raise SerClassicError(
                f"{described[0].name}: adapting takes several recordings of the same speaker, and there is "
                "only one"
            )
        answers = iter(self.classify(vectors, adapt) if vectors else ())
        none = None, np.full(len(self.classes), np.nan), np.nan
        rows = []
        for item in described:
            emotion, probabilities, distance = none if item.vector is None else next(answers)
            row: Answer = {"file": item.name}
            if item.channel:
                row["channel"] = item.channel
            row |= {"start": item.segment.start, "end": item.segment.end}
            row |= {"seconds": item.segment.seconds, "emotion": emotion}
            if self.has_probabilities:
                row["confidence"] = float(probabilities.max())
                if row["confidence"] < min_confidence or (min_confidence and distance > 1):
                    row["emotion"] = UNCERTAIN
                row |= {
                    f"p_{name}": float(probability)
                    for name, probability in zip(self.classes, probabilities, strict=True)
                }
            rows.append(row | {"distance": distance, "unlike": distance > 1})
        return rows

    def describe_table(self, name: str, path: str | Path, adapt: bool = False) -> list[Described]:
        """The rows of a table of features, for `answer`; with `adapt` they must be of one speaker.

        The table must have the name and columns of the one that it was fitted on; see `brought_set`.
        """
        from ser_classic.features.tables import brought_set

        title, wanted = self.named, self.features
        if name != wanted.name or not wanted.brought:
            takes = f"the table {wanted.name}" if wanted.brought else "recordings"
            raise SerClassicError(
                f"{title}: takes {takes}, not the table {name}; use that, or fit another with --table "
                f"{name}=FILE"
            )
        given = brought_set(name, path)
        table: Any = given.extractor
        if given.columns != wanted.columns:
            raise SerClassicError(
                f"{path}: its {len(given.columns)} columns are not the {len(wanted.columns)} that {title} "
                "was fitted on, in the same order; make the table in the same way as for the fit"
            )
        if adapt and table.speakers is not None and len(there := set(table.speakers)) > 1:
            raise SerClassicError(
                f"{path}: has rows of {len(there)} speakers, and adapting takes those of one; give a table "
                "for each speaker"
            )
        rows = zip(table.keys, table.values, strict=True)
        return [Described(str(key), vector=row) for key, row in rows]

    def classify(
        self, vectors: Sequence[np.ndarray], adapt: bool = False
    ) -> Iterable[tuple[str, np.ndarray | None, float]]:
        """Emotion, probabilities or None, and distance for the features of each clip."""
        vectors = [np.atleast_2d(vector) for vector in vectors]
        lengths, gives = np.array(list(map(len, vectors))), self.features.gives
        features = Features(
            range(len(vectors)), self.features.columns, np.concatenate(vectors), lengths, gives
        )
        if adapt and self.adapted:
            features = features.adapted(np.zeros(len(vectors), dtype=int))
        X = features.array
        what = f"{self.named}: its machine fails"  # not the features, which are checked
        remedy = "was its file changed? Fit it again"
        with wrap_errors(what, remedy), np.errstate(all="ignore"):  # what is not finite is refused
            distances = self.familiarity.distance(features.means)
            codes, probabilities = self.machine.classify(X)
            if probabilities is not None and probabilities.shape[1] != len(self.classes):
                raise ValueError("its card and its machine have different emotions")
            if not (
                np.isfinite(distances).all() and (probabilities is None or np.isfinite(probabilities).all())
            ):
                raise ValueError("its answers are not numbers")
            if adapt and not self.adapted:
                probabilities = self_taught(probabilities, features.means)
                codes = probabilities.argmax(axis=1)
            each = [None] * len(X) if probabilities is None else list(probabilities)
            emotions = [self.classes[code] for code in codes]
            return list(zip(emotions, each, map(float, distances), strict=True))


def tabled(rows: Sequence[Answer]) -> pd.DataFrame:
    """Rows of answers as a table."""
    import pandas as pd

    table = pd.DataFrame(list(rows), columns=None if rows else ["file", "start", "end", "seconds", "emotion"])
    # As objects: pandas would turn None into NaN in a column of words
    table["emotion"] = pd.Series([row["emotion"] for row in rows], dtype=object)
    return table


def load_predictor(path: str | Path = BUILT_IN) -> Predictor:
    """Read a saved predictor, or the one that comes with the package.

    The file contains numbers and a card, and no code: loading runs nothing from it and does not depend on
    scikit-learn.

    Parameters
    ----------
    path : str or Path
        By default the built-in predictor: four emotions, for real voices from outside its corpora, not for
        commercial use.

    Raises
    ------
    SerClassicError
        The file is missing, truncated, changed or not saved by ser-classic; or it was made with another
        version of its feature set or of the file format.

    Examples
    --------
    >>> from ser_classic import fit
    >>> fit("synthetic", "mfcc13", "lda", evaluate=False).save("m.skops")
    >>> load_predictor("m.skops").card["clips"]
    504
    """
    card, machine, familiarity = saving.load(path)
    stated = card["features"]
    with wrap_errors(f"{path}: not loaded, its parts do not fit together", "fit it again"):
        if takes_tables(card):
            from ser_classic.features.tables import awaited

            features: FeatureSet = awaited(stated["name"], stated["names"], stated["table"])
        else:
            features = FEATURES[stated["name"]]
    return Predictor(machine, features, tuple(card["classes"]), card, familiarity, file=str(path))
