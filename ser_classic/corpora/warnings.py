"""Warnings: what a clips table says against the scores that will be had on it, each with a remedy."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ser_classic.corpora.clips import PART, CorpusError
from ser_classic.vocabulary import ordered

FOLDS = 5  # into which protocols part clips or speakers where nothing else is published
TELLING = 0.75  # UAR of knowing who speaks from which emotions can be had without listening to them
MEANING = 6  # letters of a file's name from which it is hardly equal by chance, as 001 is
SHOWN = 4


def warnings_of(clips: pd.DataFrame) -> list[str]:
    """What to be told of a clips table before it is learned from; nothing where it is fit for use.

    Parameters
    ----------
    clips : pd.DataFrame
        Of one corpus, as `load` gives it. With a column `sha256`, copies are found too.

    Returns
    -------
    list of str
        A sentence for each: speakers that tell the emotion (a confounded corpus), emotions with fewer clips
        than folds, emotions of a single speaker, one recording or one file name under two speakers, speakers
        whose names differ in an ending alone.

    Examples
    --------
    >>> clips = pd.DataFrame({"corpus": "c", "speaker": ["c/a", "c/b"] * 5, "emotion": ["calm", "sad"] * 5})
    >>> clips["label"] = clips["emotion"]
    >>> print(warnings_of(clips)[0].partition(",")[0])
    c: who speaks tells the emotion: 2 of 2 speakers have one alone
    """
    name = clips["corpus"].iloc[0]
    known = clips["speaker"].notna().all()
    found = [_rare(clips)]
    if known:
        same = _same_recording(clips) or _same_name(clips)
        found = [confounded(clips), *found, _of_one_speaker(clips), same, _endings(clips)]
    return [f"{name}: {told}" for told in found if told]


def untrained(emotions: np.ndarray, folds: Sequence[Any]) -> dict[str, int]:
    """Clips of each emotion that are tested in a fold whose training part has none of it.

    Nothing can recognise them: they count as wrong whatever the system, which a score does not show.

    Parameters
    ----------
    emotions : np.ndarray [shape=(clips,)]
    folds : sequence of Fold
        With row numbers `train` and `test`.
    """
    lost: Counter[str] = Counter()
    for fold in folds:
        tested = emotions[fold.test]
        lost.update(tested[~np.isin(tested, emotions[fold.train])].tolist())
    return dict(lost)


def require_trained(name: str, emotions: np.ndarray, folds: Sequence[Any]) -> str | None:
    """Refuse folds in which an emotion is never learned where it is tested; tell of one that at times is not.

    Raises
    ------
    CorpusError
        The score would hold a recall of 0 that says nothing of the system.
    """
    lost = untrained(emotions, folds)
    tested = Counter(emotions[np.concatenate([fold.test for fold in folds])].tolist())
    never = [word for word in ordered(lost) if lost[word] == tested[word]]
    if never:
        raise CorpusError(
            f"{name}: wherever {_listed(never)} is tested, no clip of it is left to learn it from, so its "
            "recall is 0 whatever the system. Are the emotions emotions, and not speakers? Record it of more "
            "speakers, or leave it out with --drop"
        )
    if not lost:
        return None
    told = ", ".join(f"{lost[word]} of {tested[word]} clips of {word}" for word in ordered(lost))
    return (
        f"{name}: {told} are tested in folds whose training part has no such emotion: they count as wrong "
        "whatever the system. Record more speakers with it, or leave it out with --drop"
    )


def incomplete(name: str, emotions: np.ndarray, folds: Sequence[Any]) -> str | None:
    """What to tell of folds that do not test every emotion; None where all do.

    Parameters
    ----------
    name : str
        Of the corpus and of the protocol, for the message.
    emotions : np.ndarray [shape=(clips,)]
    folds : sequence of Fold
        With row numbers `test`.
    """
    counts = Counter(emotions[np.concatenate([fold.test for fold in folds])].tolist())
    tested = [set(emotions[fold.test]) for fold in folds]
    without = Counter(word for words in tested for word in counts.keys() - words)
    if not without:
        return None
    short, alone = (sum(map(of, tested)) for of in (lambda words: len(words) < len(counts), _one))
    lacked = [
        f"{word} in {without[word]}"
        + (f" (its {counts[word]} clips are fewer than folds)" if counts[word] < len(folds) else "")
        for word in ordered(without)
    ]
    larger = "take fewer and larger folds (speakers5), " if len(folds) > FOLDS else ""
    return (
        f"{name}: {short} of {len(folds)} folds lack{'s' * (short == 1)} an emotion ({_listed(lacked)})"
        + (f", and {alone} hold one alone" if alone else "")
        + ". Do not score folds one by one: UAR is over the test clips of all of them, and its interval over "
        f"speakers. For whole folds {larger}record more, or leave out what is rare with --drop"
    )


def by_speaker(clips: pd.DataFrame) -> list[str]:
    """As `incomplete`, of the folds that leave one speaker out: for whoever has not chosen a protocol yet."""
    if clips["speaker"].isna().any() or clips["speaker"].nunique() < 2:
        return []
    rows = clips.groupby("speaker", sort=True).indices.values()
    name = f"{clips['corpus'].iloc[0]}, loso"
    told = incomplete(name, clips["emotion"].to_numpy(dtype=str), [_Tested(each) for each in rows])
    return [told] if told else []


class _Tested(NamedTuple):
    """What is asked of a fold."""

    test: np.ndarray


def _one(words: set[str]) -> bool:
    return len(words) == 1


def confounded(clips: pd.DataFrame) -> str | None:
    """What to tell where speakers have an emotion each, so that voices and emotions cannot be told apart."""
    counts = clips.groupby(["speaker", "emotion"]).size().unstack(fill_value=0)
    if counts.shape[1] < 2:
        return None
    guess = counts.idxmax(axis=1)  # of each speaker: the emotion that he has most of
    right = pd.Series({word: counts.loc[guess == word, word].sum() for word in counts})
    uar = float((right / counts.sum()).mean())
    if uar < TELLING:
        return None
    single = int((counts.gt(0).sum(axis=1) == 1).sum())
    return (
        f"who speaks tells the emotion: {single} of {len(counts)} speakers have one alone, and knowing the "
        f"speaker gives a UAR of {_short(uar)}. Voices and emotions cannot be told apart here: scores of "
        "random5 and holdout25 are of voices, and the adapted track takes the emotion away with "
        "the voice. Record several emotions of every speaker"
    )


def _rare(clips: pd.DataFrame) -> str | None:
    counts = clips["emotion"].value_counts()
    rare = [f"{word} ({counts[word]})" for word in ordered(counts.index) if counts[word] < FOLDS]
    if not rare:
        return None
    return (
        f"fewer than {FOLDS} clips of {_listed(rare)}: some of {FOLDS} folds cannot test "
        f"{'it' if len(rare) == 1 else 'them'}, and a recall of so few says little. Record more, give "
        f"{'it' if len(rare) == 1 else 'them'} another meaning with --map, or leave out with --drop"
    )


def _of_one_speaker(clips: pd.DataFrame) -> str | None:
    if clips["speaker"].nunique() < 2 or confounded(clips):
        return None
    owners = clips.groupby("emotion")["speaker"].agg(["nunique", "first"])
    held = [
        f"{word} ({_bare(owners.at[word, 'first'])})"
        for word in ordered(owners.index)
        if owners.at[word, "nunique"] == 1
    ]
    if not held:
        return None
    one = len(held) == 1
    return (
        f"one speaker alone has {_listed(held)}: where that speaker is tested, nobody is left to learn "
        f"{'it' if one else 'them'} from. Record others, or leave {'it' if one else 'them'} out with --drop"
    )


def _same_recording(clips: pd.DataFrame) -> str | None:
    """Files of equal bytes under several speakers; copies in another format are found by their features."""
    if "sha256" not in clips:
        return None
    same = clips.fillna({"start": "", "end": ""}).groupby(["sha256", *PART] if PART[0] in clips else "sha256")
    shared = clips[same["speaker"].transform("nunique") > 1].sort_values("sha256", kind="stable")
    if shared.empty:
        return None
    first = shared[shared["sha256"] == shared["sha256"].iloc[0]]
    one = first.index[0]
    other = first.index[first["speaker"] != first["speaker"].iloc[0]][0]
    return (
        f"{len(shared)} clips are the same recordings under several speakers, such as {one} and {other}: "
        "what is learned of the one is known of the other. Remove the copies, or name one speaker for both "
        "(--map-speaker)"
    )


def _same_name(clips: pd.DataFrame) -> str | None:
    """Files called alike, but for folder and ending, under two speakers.

    What three have names a sentence; and so it does where two speakers have most of their files so.
    """
    if "file" not in clips:
        return None
    files = clips.drop_duplicates("file")
    stems = files["file"].map(lambda file: PurePosixPath(file).stem.casefold())
    files, stems = files[stems.str.len() >= MEANING], stems[stems.str.len() >= MEANING]
    owners = files.groupby(stems)["speaker"].transform("nunique")
    shared = files[owners == 2]
    most = clips["speaker"].nunique() == 2 and 2 * len(shared) > len(files)
    if shared.empty or owners.max() > 2 or most:
        return None
    first = shared[stems[shared.index] == stems[shared.index[0]]]
    one = first.iloc[0]
    other = first[first["speaker"] != one["speaker"]].iloc[0]
    return (
        f"{len(shared)} files are called alike under two speakers, such as {one['file']} "
        f"({_bare(one['speaker'])}) and {other['file']} ({_bare(other['speaker'])}): where they are one "
        "recording, what is learned of the one is known of the other. Listen; remove the copies, or name one "
        "speaker for both (--map-speaker)"
    )


def _endings(clips: pd.DataFrame) -> str | None:
    """Speakers called as another with something after it, or alike but for an emotion in the name."""
    names = sorted({_bare(speaker) for speaker in clips["speaker"]})
    words = sorted({word for word in {*clips["emotion"], *clips["label"]} if len(word) > 2}, key=len)
    emotion = re.compile(rf"[\W_]*({'|'.join(map(re.escape, reversed(words)))})[\W_]*", re.IGNORECASE)
    stems = defaultdict(list)
    known = set(names)
    for name in names:
        bare = emotion.sub("", name) if words else name
        parts = re.match(r"(.*\w)[\s_.(+-]", name)
        stem = bare if bare and bare != name else parts[1] if parts and parts[1] in known else name
        stems[stem].append(name)
    same = [group for group in stems.values() if len(group) > 1]
    if not same:
        return None
    shown = "; ".join(" and ".join(group[:3]) for group in same[:SHOWN])
    return (
        f"some speakers' names differ in an ending alone: {shown}. Where they are one person, that person "
        "stands on both sides of a fold; say so with --map-speaker"
    )


def _bare(speaker: str) -> str:
    return speaker.partition("/")[2]


def _short(share: float) -> str:
    return "1" if share == 1 else f"{share:.2f}".removeprefix("0")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
