"""Splits: the ways in which the built-in protocols split clips into folds."""

from __future__ import annotations

import warnings
from importlib.resources import files

import numpy as np
import pandas as pd

from ser_classic.corpora.clips import PARTITIONS
from ser_classic.errors import SerClassicError, counted
from ser_classic.protocols.protocol import Fold


def leave_one_speaker_out(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """One fold per speaker; not random."""
    _require_speakers(clips, 2)
    owners = clips["speaker"].to_numpy()
    several = clips["corpus"].nunique() > 1  # may each have a speaker of the same name
    return [
        _fold(speaker if several else speaker.partition("/")[2], owners == speaker)
        for speaker in sorted(set(owners))
    ]


def five_speaker_groups(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """Five groups of speakers, their emotions balanced as far as possible."""
    _require_speakers(clips, 5)
    return _groups(clips, "speaker", seed)


def published(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """The published speaker-disjoint folds (`data/folds.csv`; EmoBox, and EMO-SUPERB for CREMA-D)."""
    corpus = clips["corpus"].iloc[0]
    table = published_folds()
    if corpus not in set(table["corpus"]):
        raise SerClassicError(
            f"{corpus}: no speaker-disjoint folds are published for it (they are for "
            f"{', '.join(sorted(set(table['corpus'])))}); use loso or speakers5"
        )
    owners = clips["speaker"].to_numpy()
    groups = {
        row.fold: _spelled_out(corpus, row.test_speakers)
        for row in table.itertuples()
        if row.corpus == corpus
    }
    everyone = set().union(*groups.values())
    if everyone != set(owners):
        lacking, foreign = sorted(everyone - set(owners)), sorted(set(owners) - everyone)
        what = (
            f"speakers are missing: {', '.join(lacking)}"
            if lacking
            else f"unknown speakers: {', '.join(foreign)}"
        )
        raise SerClassicError(f"{corpus}: the published folds need the whole corpus; {what}")
    return [_fold(str(name), np.isin(owners, sorted(speakers))) for name, speakers in groups.items()]


def published_folds() -> pd.DataFrame:
    """Columns corpus, fold, test_speakers and source."""
    return pd.read_csv(files("ser_classic") / "data" / "folds.csv", dtype=str)


def unseen_text(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """A fold for each pair of a speaker group and a sentence group, both absent from training.

    Clips of the test speakers with other sentences, and clips of other speakers with the test sentences, are
    on neither side. Speakers are grouped by the published folds if there are any, else into five groups (or
    one by one, if there are fewer); sentences into five groups or one by one.
    """
    corpus = clips["corpus"].iloc[0]
    if clips["sentence"].isna().any() or clips["sentence"].nunique() < 2:
        found = "some clips have none" if clips["sentence"].isna().any() else "all say the same"
        raise SerClassicError(
            f"{corpus}: unseen_text needs the sentence of every clip, and at least two different ones; "
            f"{found}. Add a column `sentence` to the manifest, or use loso or speakers5"
        )
    if corpus in set(published_folds()["corpus"]):
        by_speaker = published(clips, seed)
    else:
        _require_speakers(clips, 2)
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
    """Up to five groups of speakers or sentences, their emotions balanced as far as possible."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(min(5, clips[unit].nunique()), shuffle=True, random_state=seed)
    # `warnings_of` tells of rare emotions
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        return _numbered(splitter.split(clips, clips["emotion"], clips[unit]))


def other_corpora(clips: pd.DataFrame, seed: int, among: tuple[str, ...] = ()) -> list[Fold]:
    """One fold: tested on the corpus of the last clip, trained on all others, on the emotions of both sides.

    `among`, if given, restricts these emotions.
    """
    corpora, emotions = clips["corpus"].to_numpy(), clips["emotion"].to_numpy()
    tested = corpora[-1]
    train = corpora != tested
    sources = "+".join(dict.fromkeys(corpora[train]))
    shared = sorted(set(emotions[train]) & set(emotions[~train]) & set(among or emotions))
    if len(shared) < 2:
        raise SerClassicError(
            f"cross: {sources} and {tested} share {len(shared)} emotion(s); at least 2 are needed"
        )
    kept = np.isin(emotions, shared)
    return [Fold(f"{sources}-{tested}", np.flatnonzero(kept & train), np.flatnonzero(kept & ~train))]


def random_five(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """Five random folds of clips, balanced in emotions; speakers are on both sides."""
    from sklearn.model_selection import StratifiedKFold

    counts = clips["emotion"].value_counts()
    if counts.min() < 5:
        raise SerClassicError(
            f"{clips['corpus'].iloc[0]}: only {counted(counts.min(), 'clip')} of {counts.idxmin()!r}; "
            "random5 needs at least 5 of every emotion"
        )
    return _numbered(StratifiedKFold(5, shuffle=True, random_state=seed).split(clips, clips["emotion"]))


def holdout(clips: pd.DataFrame, seed: int, share: float) -> list[Fold]:
    """One random split, with a share of the clips to test on, balanced in emotions; leaky."""
    from sklearn.model_selection import StratifiedShuffleSplit

    split = StratifiedShuffleSplit(1, test_size=share, random_state=seed)
    return _numbered(split.split(clips, clips["emotion"]))


def official_parts(clips: pd.DataFrame, seed: int, shared: bool) -> list[Fold]:
    """One fold: trained on the parts train and dev, tested on the part test.

    Parameters are tuned on dev, if there is one. Clips of other parts are on neither side. `shared` says
    whether speakers may be on both.
    """
    corpus = clips["corpus"].iloc[0]
    found = clips["partition"] if "partition" in clips else pd.Series(dtype=object)
    known = found.str.lower().map(PARTITIONS)
    counts = known.value_counts()
    if not counts.get("train") or not counts.get("test"):
        raise SerClassicError(
            f"{corpus}: official needs a column `partition` with train, test and, if there is one, dev; "
            f"found: {', '.join(sorted(set(found.dropna()))) or 'none'}. Add it to the manifest or label "
            "file, or use loso or speakers5"
        )
    part = known.to_numpy(dtype=object)
    learned, tested = np.isin(part, ["train", "dev"]), part == "test"
    speakers = clips["speaker"].to_numpy(dtype=object)
    heard = set(speakers[learned]) if clips["speaker"].notna().all() else set()
    both = float(np.mean([who in heard for who in speakers[tested]]))
    if both and not shared:
        raise SerClassicError(
            f"{corpus}: its official parts are not speaker-independent: {100 * both:.1f} % of the test clips "
            "are of speakers heard in training. Take official_leaky, which is marked as leaky everywhere, or "
            "loso or speakers5"
        )
    if heard and not both and shared:
        raise SerClassicError(f"{corpus}: its official parts keep speakers apart; take official")
    dev = np.flatnonzero(part == "dev")
    return [Fold("test", np.flatnonzero(learned), np.flatnonzero(tested), dev if dev.size else None)]


def leave_one_session_out(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """One fold per session; not random."""
    corpus = clips["corpus"].iloc[0]
    sessions = clips["session"] if "session" in clips else pd.Series(pd.NA, clips.index)
    if sessions.isna().any() or sessions.nunique() < 2:
        found = "some clips have none" if sessions.isna().any() else "there is one"
        raise SerClassicError(
            f"{corpus}: sessions needs a column `session`, set for every clip, with at least two sessions; "
            f"{found}. Add it to the manifest or label file, or use loso or speakers5"
        )
    tested = sessions.to_numpy(dtype=str)
    return [_fold(name, tested == name) for name in sorted(set(tested))]


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


def _require_speakers(clips: pd.DataFrame, wanted: int) -> None:
    if (found := clips["speaker"].nunique()) < wanted:
        raise SerClassicError(
            f"{clips['corpus'].iloc[0]}: {counted(found, 'speaker')}, {wanted} are needed to keep them apart"
            + ("; use loso" if found > 1 else "")
        )
