"""Warnings about clips tables and folds that make scores misleading, each with a remedy."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.corpora.clips import PARTITIONS, CorpusError
from ser_classic.errors import counted, some
from ser_classic.vocabulary import ordered

FOLDS = 5  # into which protocols part clips or speakers where nothing else is published
CONFOUNDED = 0.75  # UAR of guessing emotions from the speaker alone, from which a corpus is confounded


def warnings_of(clips: pd.DataFrame) -> list[str]:
    """Warnings, a sentence each, before models are trained on the clips table of a corpus.

    They are about speakers that give the emotion away (a confounded corpus), emotions with fewer clips than
    folds or with a single speaker, speakers whose names differ only in an ending, and partitions that
    `official` does not know.

    Examples
    --------
    >>> clips = pd.DataFrame({"corpus": "c", "speaker": ["c/a", "c/b"] * 5, "emotion": ["calm", "sad"] * 5})
    >>> clips["label"] = clips["emotion"]
    >>> print(warnings_of(clips)[0].partition(",")[0])
    c: the speaker gives the emotion away: 2 of 2 speakers have only one
    """
    if clips["speaker"].notna().all():
        found = [_confounded(clips) or _few(clips), _endings(clips)]
    else:
        found = [_few(clips)]
    return [f"{clips['corpus'].iloc[0]}: {warning}" for warning in (*found, _unknown_parts(clips)) if warning]


def warnings_of_folds(name: str, emotions: np.ndarray, folds: Sequence[Any]) -> list[str]:
    """Warnings about folds that do not train on an emotion that they test, or do not test every emotion.

    `name` is that of the corpus and of the protocol, for the message.

    Raises
    ------
    CorpusError
        No fold that tests an emotion trains on it.
    """
    words = list(ordered(emotions[np.concatenate([fold.test for fold in folds])].tolist()))
    tested = pd.DataFrame(
        [[np.sum(emotions[fold.test] == word) for word in words] for fold in folds], columns=words
    )
    trained = pd.DataFrame(
        [[word in emotions[fold.train] for word in words] for fold in folds], columns=words
    )
    found, counts, absent = [], tested.sum(), tested.eq(0)
    lost = tested.mask(trained, 0).sum().loc[lambda clips: clips > 0]
    never = [word for word in lost.index if lost[word] == counts[word]]
    if never:
        raise CorpusError(
            f"{name}: wherever {some(never)} is tested, no clip of it is left to train on, so its recall "
            "is 0 whatever the system. Are these words emotions, and not speakers? Record it with more "
            "speakers, or leave it out with --drop"
        )
    if len(lost):
        clips = ", ".join(f"{lost[word]} of {counts[word]} clips of {word}" for word in lost.index)
        found.append(
            f"{name}: {clips} are tested in folds that do not train on that emotion: they count as wrong "
            "whatever the system. Record more speakers with it, or leave it out with --drop"
        )
    if short := int(absent.any(axis=1).sum()):
        lacked = [
            f"{word} in {number} ({counted(counts[word], 'clip')} in all)"
            for word, number in absent.sum().items()
            if number
        ]
        larger = "use fewer and larger folds (speakers5), " if len(folds) > FOLDS else ""
        found.append(
            f"{name}: {short} of {len(folds)} folds lack{'s' * (short == 1)} an emotion: {some(lacked)}. Do "
            "not score single folds: UAR is over the test clips of all of them, and its interval over "
            f"speakers. For complete folds {larger}record more, or leave out rare emotions with --drop"
        )
    return found


def _confounded(clips: pd.DataFrame) -> str | None:
    """Warn of speakers with an emotion each, whose voices and emotions cannot be separated."""
    counts = clips.groupby(["speaker", "emotion"]).size().unstack(fill_value=0)
    if counts.shape[1] < 2:
        return None
    guess = counts.idxmax(axis=1)  # the most frequent emotion of each speaker
    right = pd.Series({word: counts.loc[guess == word, word].sum() for word in counts})
    uar = float((right / counts.sum()).mean())
    if uar < CONFOUNDED:
        return None
    told = f"{uar:.2f}".lstrip("0")
    single = int((counts.gt(0).sum(axis=1) == 1).sum())
    return (
        f"the speaker gives the emotion away: {single} of {len(counts)} speakers have only one, and knowing "
        f"the speaker gives a UAR of {told}. Voices and emotions cannot be separated here: random5 "
        "and holdout25 score voices, and the adapted track removes the emotion with the voice. Record "
        "several emotions of every speaker"
    )


def _few(clips: pd.DataFrame) -> str | None:
    """Emotions that not every fold can test, or that are never learned where they are tested."""
    counts = clips.groupby("emotion")["speaker"].agg(clips="size", speakers="nunique")
    alone = (counts["speakers"] == 1) & (clips["speaker"].nunique() > 1)
    few = counts[alone | (counts["clips"] < FOLDS)]
    if few.empty:
        return None
    shown = [
        f"{word} ({counted(few.at[word, 'clips'], 'clip')}{' of one speaker' if alone[word] else ''})"
        for word in ordered(few.index)
    ]
    return (
        f"too little data for {some(shown)}: not every fold can test an emotion with fewer than {FOLDS} "
        "clips, and a fold that tests the only speaker of an emotion cannot train on it. Record more, merge "
        "it with another by --map, or leave it out with --drop"
    )


def _unknown_parts(clips: pd.DataFrame) -> str | None:
    """Partitions that `official` does not know, beside some that it does."""
    parts = clips["partition"].fillna("(none)") if "partition" in clips else pd.Series(dtype=str)
    known = parts.str.lower().isin(PARTITIONS)
    if known.all() or not known.any():
        return None
    return (
        f"{counted(sum(~known), 'clip')} of the partition {some(sorted(set(parts[~known])))} are left out by "
        "official, which takes train, dev and test; correct the column if they belong to one of these"
    )


def _endings(clips: pd.DataFrame) -> str | None:
    """Speakers whose name is that of another with an ending, or with an emotion in it."""
    known = set(clips["speaker"].str.partition("/")[2])
    words = sorted({word for word in {*clips["emotion"], *clips["label"]} if len(word) > 2}, key=len)
    emotion = re.compile(rf"[\W_]*({'|'.join(map(re.escape, reversed(words)))})[\W_]*", re.IGNORECASE)
    stems = defaultdict(list)
    for name in sorted(known):
        bare = emotion.sub("", name) if words else name
        parts = re.match(r"(.*\w)[\s_.(+-]", name)
        stem = bare if bare and bare != name else parts[1] if parts and parts[1] in known else name
        stems[stem].append(name)
    same = [group for group in stems.values() if len(group) > 1]
    if not same:
        return None
    shown = some((" and ".join(group[:3]) for group in same), apart="; ")
    return (
        f"some speakers' names differ only in an ending: {shown}. If they are one person, that person is on "
        "both sides of a fold; merge them with --map-speaker"
    )
