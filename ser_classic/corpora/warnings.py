"""Warnings: what in a clips table will make scores misleading, each with a remedy."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from ser_classic.corpora.clips import PART, CorpusError
from ser_classic.errors import some
from ser_classic.vocabulary import ordered

FOLDS = 5  # into which protocols part clips or speakers where nothing else is published
CONFOUNDED = 0.75  # UAR of guessing emotions from the speaker alone, from which a corpus is confounded
SHORTEST = 6  # letters from which two files' names are hardly equal by chance, as 001 is


def warnings_of(clips: pd.DataFrame) -> list[str]:
    """Warnings, a sentence each, before models are trained on the clips table of a corpus.

    Of speakers that give the emotion away (a confounded corpus), emotions with fewer clips than folds,
    emotions of a single speaker, one recording (with a column `sha256`) or one file name under two speakers,
    and speakers whose names differ only in an ending.

    Examples
    --------
    >>> clips = pd.DataFrame({"corpus": "c", "speaker": ["c/a", "c/b"] * 5, "emotion": ["calm", "sad"] * 5})
    >>> clips["label"] = clips["emotion"]
    >>> print(warnings_of(clips)[0].partition(",")[0])
    c: the speaker gives the emotion away: 2 of 2 speakers have only one
    """
    found = [_rare(clips)]
    if clips["speaker"].notna().all():
        found += [confounded(clips) or _of_one_speaker(clips)]
        found += [_same_recording(clips) or _same_name(clips), _endings(clips)]
    return [f"{clips['corpus'].iloc[0]}: {warning}" for warning in found if warning]


def require_trained(name: str, emotions: np.ndarray, folds: Sequence[Any]) -> str | None:
    """Refuse folds that never train on an emotion that they test; warn of those that at times do not.

    `name` is that of the corpus and of the protocol, for the message.
    """
    lost: Counter[str] = Counter()  # clips that are tested where no clip of their emotion is trained on
    for fold in folds:
        there = emotions[fold.test]
        lost.update(there[~np.isin(there, emotions[fold.train])].tolist())
    tested = Counter(emotions[np.concatenate([fold.test for fold in folds])].tolist())
    never = [word for word in ordered(lost) if lost[word] == tested[word]]
    if never:
        raise CorpusError(
            f"{name}: wherever {some(never)} is tested, no clip of it is left to train on, so its recall "
            "is 0 whatever the system. Are these words emotions, and not speakers? Record it with more "
            "speakers, or leave it out with --drop"
        )
    if not lost:
        return None
    clips = ", ".join(f"{lost[word]} of {tested[word]} clips of {word}" for word in ordered(lost))
    return (
        f"{name}: {clips} are tested in folds that do not train on that emotion: they count as wrong "
        "whatever the system. Record more speakers with it, or leave it out with --drop"
    )


def incomplete(name: str, emotions: np.ndarray, tests: Sequence[np.ndarray]) -> str | None:
    """Warn of folds, here the rows that they test, that do not test every emotion; None where all do."""
    counts = Counter(emotions[np.concatenate(tests)].tolist())
    tested = [set(emotions[test]) for test in tests]
    without = Counter(word for words in tested for word in counts.keys() - words)
    if not without:
        return None
    short = sum(len(words) < len(counts) for words in tested)
    alone = sum(len(words) == 1 for words in tested)
    lacked = [
        f"{word} in {without[word]} ({counts[word]} clip{'s' * (counts[word] > 1)} in all)"
        for word in ordered(without)
    ]
    larger = "use fewer and larger folds (speakers5), " if len(tests) > FOLDS else ""
    return (
        f"{name}: {short} of {len(tests)} folds lack{'s' * (short == 1)} an emotion: {some(lacked)}"
        + (f"; {alone} have only one" if alone else "")
        + ". Do not score single folds: UAR is over the test clips of all of them, and its interval over "
        f"speakers. For complete folds {larger}record more, or leave out rare emotions with --drop"
    )


def by_speaker(clips: pd.DataFrame) -> list[str]:
    """As `incomplete`, for folds that leave one speaker out: before a protocol is chosen."""
    if clips["speaker"].isna().any() or clips["speaker"].nunique() < 2:
        return []
    tests = list(clips.groupby("speaker", sort=True).indices.values())
    name = f"{clips['corpus'].iloc[0]}, loso"
    warning = incomplete(name, clips["emotion"].to_numpy(dtype=str), tests)
    return [warning] if warning else []


def confounded(clips: pd.DataFrame) -> str | None:
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


def _rare(clips: pd.DataFrame) -> str | None:
    counts = clips["emotion"].value_counts()
    rare = [f"{word} ({counts[word]})" for word in ordered(counts.index) if counts[word] < FOLDS]
    if not rare:
        return None
    return (
        f"fewer than {FOLDS} clips of {some(rare)}: some of {FOLDS} folds cannot test such an emotion, "
        "and a recall over so few clips says little. Record more, merge it with another by --map, "
        "or leave it out with --drop"
    )


def _of_one_speaker(clips: pd.DataFrame) -> str | None:
    if clips["speaker"].nunique() < 2:
        return None
    owners = clips.groupby("emotion")["speaker"].unique().to_dict()
    single = [f"{word} ({_bare(owners[word][0])})" for word in ordered(owners) if len(owners[word]) == 1]
    if not single:
        return None
    return (
        f"only one speaker has {some(single)}: where that speaker is tested, no clip of such an "
        "emotion is left to train on. Record others, or leave it out with --drop"
    )


def _same_recording(clips: pd.DataFrame) -> str | None:
    """Files of equal bytes under several speakers; copies in another format are found by their features."""
    if "sha256" not in clips:
        return None
    same = clips.fillna({"start": "", "end": ""}).groupby(["sha256", *PART] if PART[0] in clips else "sha256")
    shared = clips[same["speaker"].transform("nunique") > 1].sort_values("sha256", kind="stable")
    if shared.empty:
        return None
    one, other = _first_pair(shared, "sha256")
    return (
        f"{len(shared)} clips are the same recordings under several speakers, such as {one.name} and "
        f"{other.name}: a model trained on the one knows the other. Remove the copies, or merge the speakers "
        "(--map-speaker)"
    )


def _same_name(clips: pd.DataFrame) -> str | None:
    """Files with the same name, but for folder and ending, under two speakers.

    A name that three speakers have is a sentence; so it is where two share most of their names.
    """
    if "file" not in clips:
        return None
    files = clips.drop_duplicates("file")
    files = files.assign(stem=[PurePosixPath(file).stem.casefold() for file in files["file"]])
    files = files[files["stem"].str.len() >= SHORTEST]
    owners = files.groupby("stem")["speaker"].transform("nunique")
    shared = files[owners == 2]
    most = clips["speaker"].nunique() == 2 and 2 * len(shared) > len(files)
    if shared.empty or owners.max() > 2 or most:
        return None
    one, other = _first_pair(shared, "stem")
    return (
        f"{len(shared)} files have the same name under two speakers, such as {one['file']} "
        f"({_bare(one['speaker'])}) and {other['file']} ({_bare(other['speaker'])}). If they are one "
        "recording, a model trained on the one knows the other: listen, then remove the copies or merge the "
        "speakers (--map-speaker)"
    )


def _first_pair(clips: pd.DataFrame, column: str) -> tuple[pd.Series, pd.Series]:
    """The first clip, and the first of another speaker that has the same in a column."""
    one = clips.iloc[0]
    return one, clips[(clips[column] == one[column]) & (clips["speaker"] != one["speaker"])].iloc[0]


def _endings(clips: pd.DataFrame) -> str | None:
    """Speakers whose name is that of another with an ending, or with an emotion in it."""
    known = {_bare(speaker) for speaker in clips["speaker"]}
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


def _bare(speaker: str) -> str:
    return speaker.partition("/")[2]
