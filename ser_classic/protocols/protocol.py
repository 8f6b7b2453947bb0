"""Protocol: clips split into folds, and the checks that every split must pass."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.corpora import require_speakers
from ser_classic.degradations import DEGRADATIONS
from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.tracks import TRACKS, Track
from ser_classic.vocabulary import CONDITIONS


@dataclass(frozen=True)
class Fold:
    """Row numbers of the clips to train on and to test on, each [shape=(n,), dtype=int], in any sequence.

    `dev` are some of the training clips, to choose parameters on, if the corpus defines them.
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    dev: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", str(self.name))
        for side in ("train", "test", "dev"):
            if (rows := getattr(self, side)) is not None:
                object.__setattr__(self, side, np.asarray(rows))

    @property
    def key(self) -> Hashable:
        """Equal for folds with the same rows, whatever their names."""
        return tuple(rows is not None and rows.tobytes() for rows in (self.train, self.test, self.dev))


@dataclass(frozen=True)
class Splitter:
    """The folds of a protocol as a scikit-learn splitter: for the `cv` of `cross_validate` and others.

    X and y must have the rows of the clips table, in the same order.
    """

    protocol: str
    clips: pd.Index
    folds: list[Fold]

    def __repr__(self) -> str:
        return f"<{len(self.folds)} folds of {self.protocol} over {len(self.clips)} clips>"

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of folds."""
        return len(self.folds)

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Row numbers to train on and to test on, fold by fold; y and groups are not needed."""
        if len(X) != len(self.clips) or (isinstance(X, pd.DataFrame) and not X.index.equals(self.clips)):
            raise SerClassicError(
                f"{self.protocol}: X has {len(X)} rows, but the folds are for {len(self.clips)} clips; "
                "give the features of all clips, in the order of the clips table"
            )
        for fold in self.folds:
            yield fold.train, fold.test


SplitFunction = Callable[[pd.DataFrame, int], list[Fold]]  # from a clips table and a seed


@dataclass(frozen=True)
class Protocol:
    """A way of splitting clips into folds.

    Attributes
    ----------
    name : str
    title : str
        What it does, in a few words.
    split : callable (clips table, seed) -> list of Fold
    unit : {"speaker"} or None
        Column of the clips table whose values may not be on both sides; None marks a leaky protocol.
    apart : tuple of str
        Further such columns.
    base : str
        Name of the protocol whose folds it shares and with which it is compared; by default its own.
    family : str
        Name by which a suite lists it together with others.
    heard : int or None
        Unlabelled clips of a test speaker that an adapted protocol may use; all by default.
    trained_on : tuple of str
        Corpora to train on instead of the one to test on, which is left out if it is among them; `split` gets
        the clips of all of them, the test corpus last.
    copies : int or None
        Degraded copies of every training clip to train on as well, each made by a `training_copy`; none by
        default. They belong to the clip's speaker and are never tested.
    speakers : int or None
        Training speakers drawn from each fold; all by default. Smaller draws are subsets of larger ones.
    degradation : str or None
        Name in `DEGRADATIONS` of what is done to the test clips; training clips stay as they are.
    track : str
        Name in `TRACKS`: what the system may know of the clips to test on, such as `adapted`.
    version : int
        Raised whenever the same name splits clips differently, which marks older runs as stale.

    Raises
    ------
    SerClassicError
        A field has an unknown value, or fields contradict each other.
    """

    name: str
    title: str
    split: SplitFunction
    unit: str | None = "speaker"
    track: str = "blind"
    apart: tuple[str, ...] = ()
    base: str = ""
    family: str = ""
    heard: int | None = None
    trained_on: tuple[str, ...] = ()
    copies: int | None = None
    speakers: int | None = None
    degradation: str | None = None
    version: int = 1

    def __post_init__(self) -> None:
        for field, value, table in (
            ("track", self.track, TRACKS),
            ("degradation", self.degradation, DEGRADATIONS),
        ):
            if value is not None and value not in table:
                raise SerClassicError(f"{self.name}: {field} {value!r}; expected one of {', '.join(table)}")
        for wrong, what in (
            (
                self.unit not in ("speaker", None),
                f"unit {self.unit!r}; expected 'speaker', or None if leaky; name other columns to keep "
                "apart in `apart`",
            ),
            *(
                (isinstance(value, str), f"{name} {value!r}; expected a tuple of names")
                for name, value in (("trained_on", self.trained_on), ("apart", self.apart))
            ),
            (self.unit is None and "speaker" in self.apart, "keeps speakers apart; give unit='speaker'"),
            *(
                (value is not None and value < least, f"{name} {value}; expected {least} or more")
                for name, value, least in (
                    ("heard", self.heard, 0),
                    ("copies", self.copies, 1),
                    ("speakers", self.speakers, 1),
                )
            ),
            (self.speakers and self.unit is None, "`speakers` is for a protocol that keeps them apart"),
            (
                self.heard is not None
                and (self.track != "adapted" or self.copies or self.degradation or self.trained_on),
                "`heard` is for the adapted track, without copies, degradation or `trained_on`",
            ),
            (self.trained_on and self.degradation, "`trained_on` cannot be combined with a degradation"),
        ):
            if wrong:
                raise SerClassicError(f"{self.name}: {what}")
        object.__setattr__(self, "base", self.base or self.name)

    @property
    def knows(self) -> Track:
        """Its track."""
        return TRACKS[self.track]

    @property
    def leaky(self) -> bool:
        """Whether speakers may be on both sides."""
        return self.unit is None

    @property
    def independent(self) -> bool:
        """Whether it keeps speakers apart and nothing else: what the literature calls speaker-independent."""
        return self.unit == "speaker" and not self.apart

    def sources(self, corpus: str) -> tuple[str, ...]:
        """The corpora that it trains on to test on this one, if they are others."""
        return tuple(name for name in self.trained_on if name != corpus)

    def conditions(self, corpus: str) -> dict[str, Any]:
        """The `CONDITIONS` that it sets, for tests on this corpus; empty for an ordinary protocol."""
        values = {name: getattr(self, name) for name in CONDITIONS}
        if self.trained_on:
            values["trained_on"] = list(self.sources(corpus))
        return {name: value for name, value in values.items() if value not in (None, ())}

    def with_copies(self, number: int) -> Protocol:
        """The same, which also trains on so many degraded copies of each training clip."""
        title = f"{self.title}; {number} degraded copies of each training clip are trained on, too"
        return replace(self, name=f"{self.name}_multi", title=title, copies=number)

    def folds(self, clips: pd.DataFrame, seed: int = 0) -> list[Fold]:
        """Split the clips.

        Raises
        ------
        SerClassicError
            The clips lack what the protocol needs, or a speaker straddles train and test.
        CorpusError
            The protocol needs speakers, and the clips have none.
        """
        corpus = clips["corpus"].iloc[0]
        if self.unit or self.knows.by == "speaker":
            require_speakers(clips, f"protocol {self.name}")
        if self.knows.by:
            require_two_clips(clips, self.knows.by)
        *others, tested = dict.fromkeys(clips["corpus"])
        if self.trained_on and (not others or set(others) != set(self.sources(tested))):
            raise SerClassicError(
                f"{self.name}: expected the clips of {', '.join(self.trained_on)} and then those of another "
                f"corpus, to test on; found those of {', '.join([*others, tested])}"
            )
        with wrap_errors(f"{corpus}: {self.name} cannot split these {len(clips)} clips"):
            folds, again = (list(self.split(clips.copy(), seed)) for _ in range(2))  # it may change the table
            if [fold.key for fold in folds] != [fold.key for fold in again]:
                raise SerClassicError(
                    f"{corpus}: {self.name} splits the same clips in another way each time; draw at random "
                    "with the seed that it is given"
                )
            if self.speakers:
                folds = [_fewer_speakers(fold, clips, self.speakers, seed) for fold in folds]
            self._check(folds, clips)
        return folds

    def splitter(self, clips: pd.DataFrame, seed: int = 0) -> Splitter:
        """The folds as a scikit-learn splitter: `cv=PROTOCOLS["emobox"].splitter(clips)`.

        Raises
        ------
        SerClassicError
            The protocol does more than split clips, or cannot split these.
        """
        if self.knows.by or self.degradation or self.copies:
            raise SerClassicError(
                f"{self.name} does more than split clips ({self.title}; {self.knows.title}): use `evaluate`, "
                "or the splitter of a protocol with these folds that only splits clips"
            )
        return Splitter(self.name, clips.index, self.folds(clips, seed))

    def _check(self, folds: list[Fold], clips: pd.DataFrame) -> None:
        """Check that a split keeps the protocol's promises."""
        corpus = clips["corpus"].iloc[0]
        units = [unit for unit in (self.unit, *self.apart) if unit]
        if absent := [unit for unit in units if unit not in clips]:
            raise SerClassicError(
                f"{corpus}: {self.name} keeps {', '.join(absent)} apart, but the clips table lacks it; "
                f"its columns are {', '.join(clips.columns)}"
            )
        if not folds:
            raise SerClassicError(f"{corpus}: {self.name} gives no fold")
        if len({fold.name for fold in folds if fold.name and fold.name.isprintable()}) < len(folds):
            raise SerClassicError(
                f"{corpus}: {self.name} gives folds whose names are empty, equal or not printable"
            )
        for fold in folds:
            where = f"{corpus}: {self.name}, fold {fold.name}"
            for side, rows in (("train", fold.train), ("test", fold.test), ("dev", fold.dev)):
                if rows is None:
                    continue
                known = np.unique(rows)
                whole = rows.ndim == 1 and rows.dtype.kind in "iu" and rows.size
                if not whole or known[0] < 0 or known[-1] >= len(clips):
                    raise SerClassicError(
                        f"{where}: `{side}` must hold row numbers from 0 to {len(clips) - 1}"
                    )
                if len(known) < len(rows):
                    raise SerClassicError(f"{where}: `{side}` holds a clip twice")
            if clips["emotion"].iloc[fold.train].nunique() < 2:
                raise SerClassicError(f"{where}: it trains on one emotion only; at least two are needed")
            dev = fold.dev
            if dev is not None and (len(dev) == len(fold.train) or not np.isin(dev, fold.train).all()):
                raise SerClassicError(f"{where}: `dev` must hold some of the clips of `train`, not all")
            if np.intersect1d(fold.train, fold.test).size:
                raise SerClassicError(f"{where}: clips are on both sides")
            for unit in units:
                owners = clips[unit].to_numpy()
                both = sorted(map(str, set(owners[fold.train]) & set(owners[fold.test])))
                if both:
                    raise SerClassicError(f"{where}: on both sides: {unit} {', '.join(both)}")


def _fewer_speakers(fold: Fold, clips: pd.DataFrame, number: int, seed: int) -> Fold:
    """The fold with only some of its training speakers; a smaller draw is a subset of a larger one."""
    owners = clips["speaker"].to_numpy(dtype=str)[fold.train]
    there = np.unique(owners)
    if len(there) < number:
        raise SerClassicError(
            f"{clips['corpus'].iloc[-1]}: fold {fold.name} has {len(there)} training speakers; "
            f"{number} are needed"
        )
    random = np.random.default_rng([seed, zlib.crc32(fold.name.encode())])
    return replace(fold, train=fold.train[np.isin(owners, random.permutation(there)[:number])])


def require_two_clips(clips: pd.DataFrame, by: str = "speaker") -> None:
    """Refuse a speaker (or what else `by` names) with a single clip, for a track that goes by it.

    The z-scores of a single clip are all zero; from these a model can tell which emotion training lacks.
    """
    corpus = clips["corpus"].iloc[0]
    if by not in clips or clips[by].isna().any():
        raise SerClassicError(
            f"{corpus}: this track uses the clips of each {by} together, but not every clip has a {by}; add "
            f"a column `{by}` to the clips table, or choose another track"
        )
    counts = clips[by].value_counts()
    if counts.min() < 2:
        raise SerClassicError(
            f"{corpus}: this track uses the clips of each {by} together, but {counts.idxmin()} has only one; "
            f"every {by} needs at least 2"
        )
