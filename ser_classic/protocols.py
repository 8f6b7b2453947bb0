"""Protocols: how clips are dealt into folds, and what the system may know of the test speaker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

import numpy as np
import pandas as pd

from ser_classic.corpora import require_speakers
from ser_classic.degradations import DEGRADATIONS
from ser_classic.errors import SerClassicError
from ser_classic.registry import Registry


class ProtocolError(SerClassicError):
    """A corpus that a protocol cannot deal, or a deal that breaks the protocol's own promise."""


@dataclass(frozen=True)
class Fold:
    """Row numbers of the clips to train on and to test on, each [shape=(n,), dtype=int]."""

    name: str
    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Protocol:
    """A way of dealing clips into folds.

    Attributes
    ----------
    name : str
    title : str
        What it does, in a few words.
    deal : callable (clips table, seed) -> list of Fold
    unit : str or None
        Column of the clips table whose values may not stand on both sides; None marks a leaky protocol.
    apart : tuple of str
        Further such columns.
    heard : int or None
        Unlabelled clips of a test speaker that an adapted protocol may use; all by default.
    trained_on : str or None
        Corpus to train on, where that is not the one to test on; `deal` is then given the clips of both.
    degradation : str or None
        What is done to the test clips, of `DEGRADATIONS`; training clips stay as they are.
    track : {"blind", "adapted"}
        `adapted` z-scores the features of each speaker over his own unlabelled clips.
    version : int
        Raised whenever clips are dealt otherwise under the same name, so that older runs are known as such.

    Raises
    ------
    ProtocolError
        A value that is not known, or fields that contradict each other.
    """

    name: str
    title: str
    deal: Callable[[pd.DataFrame, int], list[Fold]]
    unit: str | None = "speaker"
    track: str = "blind"
    apart: tuple[str, ...] = ()
    heard: int | None = None
    trained_on: str | None = None
    degradation: str | None = None
    version: int = 1

    def __post_init__(self) -> None:
        for wrong, what in (
            (self.track not in ("blind", "adapted"), f"track {self.track!r}; expected 'blind' or 'adapted'"),
            (self.heard is not None and self.heard < 0, f"heard {self.heard}; expected 0 or more"),
            (self.heard is not None and self.track == "blind", "`heard` is for the adapted track alone"),
            (self.heard is not None and self.degradation, "`heard` cannot be had with a degradation"),
            (self.trained_on and self.degradation, "`trained_on` cannot be had with a degradation"),
        ):
            if wrong:
                raise ProtocolError(f"{self.name}: {what}")

    @property
    def leaky(self) -> bool:
        """Whether speakers may stand on both sides."""
        return self.unit is None

    def folds(self, clips: pd.DataFrame, seed: int = 0) -> list[Fold]:
        """Deal the clips.

        Raises
        ------
        ProtocolError
            The clips lack what the protocol needs, or a speaker straddles train and test.
        CorpusError
            The protocol needs to know who speaks, and the clips do not tell.
        """
        corpus = clips["corpus"].iloc[0]
        if self.unit or self.track == "adapted":
            require_speakers(clips, f"protocol {self.name}")
        if self.track == "adapted":
            _require_two_clips(clips)
        try:
            folds = self.deal(clips, seed)
        except ValueError as error:  # scikit-learn's, of more folds than clips
            raise ProtocolError(
                f"{corpus}: {self.name} cannot deal these {len(clips)} clips: {error}"
            ) from error
        if not folds:
            raise ProtocolError(f"{corpus}: {self.name} deals no fold")
        for fold in folds:
            where = f"{corpus}: {self.name}, fold {fold.name}"
            if clips["emotion"].iloc[fold.train].nunique() < 2:
                raise ProtocolError(f"{where}: it trains on one emotion only; two are needed")
            if np.intersect1d(fold.train, fold.test).size:
                raise ProtocolError(f"{where}: clips stand on both sides")
            for unit in filter(None, (self.unit, *self.apart)):
                owners = clips[unit].to_numpy()
                both = sorted(set(owners[fold.train]) & set(owners[fold.test]))
                if both:
                    raise ProtocolError(f"{where}: on both sides: {unit} {', '.join(both)}")
        return folds


def leave_one_speaker_out(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """One fold a speaker; nothing is drawn."""
    owners = clips["speaker"].to_numpy()
    speakers = sorted(set(owners))
    _require_speakers(clips, len(speakers), 2)
    return [_fold(speaker.partition("/")[2], owners == speaker) for speaker in speakers]


def five_speaker_groups(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """Five groups of speakers, balanced in emotions as far as speakers allow."""
    _require_speakers(clips, clips["speaker"].nunique(), 5)
    return _groups(clips, "speaker", seed)


def published(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """The published speaker-disjoint folds (`data/folds.csv`; EmoBox, and EMO-SUPERB for CREMA-D).

    Raises
    ------
    ProtocolError
        None are published for this corpus, or its speakers are not those of the folds.
    """
    corpus = clips["corpus"].iloc[0]
    table = published_folds()
    if corpus not in set(table["corpus"]):
        raise ProtocolError(
            f"{corpus}: no speaker-disjoint folds are published for it (they are for "
            f"{', '.join(sorted(set(table['corpus'])))}); use loso or speakers5"
        )
    owners = clips["speaker"].to_numpy()
    dealt = {
        row.fold: _spelled_out(corpus, row.test_speakers)
        for row in table.itertuples()
        if row.corpus == corpus
    }
    everyone = set().union(*dealt.values())
    if everyone != set(owners):
        lacking, foreign = sorted(everyone - set(owners)), sorted(set(owners) - everyone)
        what = (
            f"speakers are missing: {', '.join(lacking)}"
            if lacking
            else f"unknown speakers: {', '.join(foreign)}"
        )
        raise ProtocolError(f"{corpus}: the published folds need the whole corpus; {what}")
    return [_fold(str(name), np.isin(owners, sorted(speakers))) for name, speakers in dealt.items()]


def published_folds() -> pd.DataFrame:
    """Columns corpus, fold, test_speakers and source."""
    return pd.read_csv(files("ser_classic") / "data" / "folds.csv", dtype=str)


def unseen_text(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """A fold for each group of speakers with each group of sentences: both are absent from training.

    Clips of the test speakers that say other sentences, and those of other speakers that say the test
    sentences, stand on neither side. Speakers are grouped as published where folds are, else into five
    groups (or one by one, where they are fewer); sentences into five groups or one by one.

    Raises
    ------
    ProtocolError
        The clips do not tell the sentence, or all say the same.
    """
    corpus = clips["corpus"].iloc[0]
    if clips["sentence"].isna().any() or clips["sentence"].nunique() < 2:
        found = "some clips do not tell theirs" if clips["sentence"].isna().any() else "all say the same"
        raise ProtocolError(
            f"{corpus}: unseen_text needs to know the sentence of every clip, and two of them at least; "
            f"{found}. Add a column `sentence` to the manifest, or use loso or speakers5"
        )
    if corpus in set(published_folds()["corpus"]):
        by_speaker = published(clips, seed)
    else:
        _require_speakers(clips, clips["speaker"].nunique(), 2)
        by_speaker = _groups(clips, "speaker", seed)
    by_sentence = _groups(clips, "sentence", seed)
    everything = np.arange(len(clips))
    return [
        Fold(
            f"{speakers.name}x{sentences.name}",
            np.setdiff1d(everything, np.union1d(speakers.test, sentences.test)),
            np.intersect1d(speakers.test, sentences.test),
        )
        for speakers in by_speaker
        for sentences in by_sentence
        if np.intersect1d(speakers.test, sentences.test).size
    ]


def _groups(clips: pd.DataFrame, unit: str, seed: int) -> list[Fold]:
    """Up to five groups of speakers or sentences, balanced in emotions as far as those allow."""
    from sklearn.model_selection import StratifiedGroupKFold

    deal = StratifiedGroupKFold(min(5, clips[unit].nunique()), shuffle=True, random_state=seed)
    return _numbered(deal.split(clips, clips["emotion"], clips[unit]))


def other_corpus(clips: pd.DataFrame, seed: int, source: str) -> list[Fold]:
    """One fold: trained on all clips of one corpus, tested on all of another, of the emotions both have.

    Raises
    ------
    ProtocolError
        The clips are not those of two corpora, or these share fewer than two emotions.
    """
    corpora = clips["corpus"].to_numpy()
    tested = " ".join(sorted(set(corpora) - {source}))
    if source not in corpora or not tested or " " in tested:
        raise ProtocolError(
            f"cross: expected the clips of {source} and of one other corpus, found those of "
            f"{' and '.join(sorted(set(corpora)))}; test on another corpus than {source}"
        )
    emotions = clips["emotion"].to_numpy()
    train = corpora == source
    shared = sorted(set(emotions[train]) & set(emotions[~train]))
    if len(shared) < 2:
        raise ProtocolError(
            f"cross: {source} and {tested} share {len(shared)} emotion(s), 2 are needed to tell apart"
        )
    kept = np.isin(emotions, shared)
    return [Fold(f"{source}-{tested}", np.flatnonzero(kept & train), np.flatnonzero(kept & ~train))]


def random_five(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """Five folds drawn clip by clip, balanced in emotions: speakers stand on both sides."""
    from sklearn.model_selection import StratifiedKFold

    _require_clips(clips, 5)
    return _numbered(StratifiedKFold(5, shuffle=True, random_state=seed).split(clips, clips["emotion"]))


def holdout(clips: pd.DataFrame, seed: int, share: float) -> list[Fold]:
    """One random split that tests a share of the clips, balanced in emotions: speakers on both sides."""
    from sklearn.model_selection import StratifiedShuffleSplit

    _require_clips(clips, 2)
    split = StratifiedShuffleSplit(1, test_size=share, random_state=seed)
    return _numbered(split.split(clips, clips["emotion"]))


def _fold(name: str, tested: np.ndarray) -> Fold:
    return Fold(name, np.flatnonzero(~tested), np.flatnonzero(tested))


def _numbered(splits: object) -> list[Fold]:
    return [
        Fold(str(number), np.sort(train), np.sort(test))
        for number, (train, test) in enumerate(splits, start=1)  # type: ignore[call-overload]
    ]


def _spelled_out(corpus: str, speakers: str) -> set[str]:
    """`01 11` and `1001-1018` as the speakers of the clips table."""
    names: set[str] = set()
    for word in speakers.split():
        first, dash, last = word.partition("-")
        names |= {str(number) for number in range(int(first), int(last) + 1)} if dash else {word}
    return {f"{corpus}/{name}" for name in names}


def _require_speakers(clips: pd.DataFrame, found: int, wanted: int) -> None:
    if found < wanted:
        raise ProtocolError(
            f"{clips['corpus'].iloc[0]}: {found} speaker(s), {wanted} are needed to keep speakers apart"
            + ("; use loso" if found > 1 else "")
        )


def _require_two_clips(clips: pd.DataFrame) -> None:
    """Of one clip the z-scores are zeros, from which a model reads which emotion training lacks a clip of."""
    counts = clips["speaker"].value_counts()
    if counts.min() < 2:
        raise ProtocolError(
            f"{clips['corpus'].iloc[0]}: a speaker's own clips scale his features on the adapted track, and "
            f"{counts.idxmin()} has one; 2 are needed of every speaker"
        )


def _require_clips(clips: pd.DataFrame, wanted: int) -> None:
    rarest = clips["emotion"].value_counts()
    if rarest.min() < wanted:
        raise ProtocolError(
            f"{clips['corpus'].iloc[0]}: {rarest.min()} clip(s) of {rarest.idxmin()!r}; "
            f"at least {wanted} of every emotion are needed"
        )


SOURCES = (
    "ravdess",
    "emodb",
    "tess",
    "savee",
    "crema_d",
    "emovo",
    "synthetic",
)  # to train on and go elsewhere
FEW = (0, 4, 8, 16, 32)  # unlabelled clips of a test speaker, beside all of them
_LOSO = ("loso", "leave one speaker out", leave_one_speaker_out)
_EMOBOX = ("emobox", "published speaker-disjoint folds", published)

PROTOCOLS: Registry[Protocol] = Registry(
    "protocols",
    [
        Protocol(*_LOSO),
        Protocol("loso_adapted", *_LOSO[1:], track="adapted"),
        Protocol("speakers5", "five groups of speakers", five_speaker_groups),
        Protocol("speakers5_adapted", "five groups of speakers", five_speaker_groups, track="adapted"),
        Protocol(*_EMOBOX),
        Protocol("emobox_adapted", *_EMOBOX[1:], track="adapted"),
        Protocol(
            "unseen_text",
            "test speakers and test sentences both absent from training",
            unseen_text,
            apart=("sentence",),
        ),
        Protocol(
            "unseen_text_adapted",
            "test speakers and test sentences both absent from training",
            unseen_text,
            track="adapted",
            apart=("sentence",),
        ),
        Protocol("random5", "five random folds, speakers on both sides", random_five, unit=None),
        Protocol(
            "holdout25", "random 75:25 split, speakers on both sides", partial(holdout, share=0.25), unit=None
        ),
        Protocol(
            "holdout15",
            "random split, 15 % to test on, 15 % to validate on where a model does, speakers on both sides",
            partial(holdout, share=0.15),
            unit=None,
        ),
        *(
            Protocol(
                f"cross_from_{source}{ending}",
                f"trained on all of {source}, tested on all of another corpus, on the emotions both have",
                partial(other_corpus, source=source),
                track=ending[1:] or "blind",
                trained_on=source,
            )
            for source in SOURCES
            for ending in ("", "_adapted")
        ),
        *(
            Protocol(
                f"{name}_adapted_m{heard}",
                f"{title}; {heard} unlabelled clips of a test speaker are used",
                deal,
                track="adapted",
                heard=heard,
            )
            for name, title, deal in (_LOSO, _EMOBOX)
            for heard in FEW
        ),
        *(
            Protocol(
                f"{name}_degraded_{spoilt.name}",
                f"{title}; test clips degraded: {spoilt.kind}, {spoilt.level}",
                deal,
                degradation=spoilt.name,
            )
            for name, title, deal in (_LOSO, _EMOBOX)
            for spoilt in DEGRADATIONS.values()
        ),
    ],
)
