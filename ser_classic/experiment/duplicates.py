"""Duplicates: one recording under several names, which folds by speaker name cannot keep apart."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from ser_classic import audio
from ser_classic.corpora import Loaded, segments
from ser_classic.errors import SerClassicError
from ser_classic.features.inputs import Features

KNOWN_BY = 64  # columns compared to find candidates; reading all columns is slow


def require_apart(trained: Loaded, tested: Loaded, known: Features, found: Features) -> None:
    """Raise an error if two corpora share speakers or recordings."""
    for one, other in ((trained.corpus, tested.corpus), (tested.corpus, trained.corpus)):
        if other.name in one.same_speakers:
            raise SerClassicError(
                f"{tested.corpus.name} has the speakers of {trained.corpus.name}, so training on one and "
                "testing on the other tests no new speakers; choose another corpus"
            )
    there = set(trained.clips.index)
    groups = duplicates((trained, known), (tested, found))
    if same := sum(len(set(group) - there) for group in groups if there.intersection(group)):
        raise SerClassicError(
            f"{tested.corpus.name}: {same} of its {len(tested.clips)} clips are the same recordings as clips "
            f"of {trained.corpus.name}; use other recordings"
        )


def shared_by_speakers(loaded: Loaded, features: Features) -> str | None:
    """A notice if clips of different speakers of a corpus are the same recording; else None."""
    speakers = loaded.clips["speaker"]
    groups = [group for group in duplicates((loaded, features)) if speakers[group].nunique() > 1]
    if not groups:
        return None
    one = groups[0][0]
    other = next(clip for clip in groups[0] if speakers[clip] != speakers[one])
    return (
        f"{loaded.corpus.name}: {sum(map(len, groups))} of its {len(speakers)} clips are the same recordings "
        f"as clips of other speakers, such as {one} and {other}: a model trained on one knows the other, so "
        "scores are too high, and tuning is not on new speakers. Remove the copies, or correct the speakers"
    )


def duplicates(*parts: tuple[Loaded, Features]) -> list[list[str]]:
    """Clips of corpora that are the same recording, one list per such recording.

    Only the audio of clips with equal features is read and compared: features may be too coarse to tell.
    """
    values = pd.DataFrame(np.concatenate([features.means[:, :KNOWN_BY] for _, features in parts]))
    places = [(part, row) for part, (loaded, _) in enumerate(parts) for row in range(len(loaded.clips))]
    pieces = [segments(loaded.clips) for loaded, _ in parts]
    same: dict[tuple[int, bytes], list[str]] = {}
    for part, row in (places[place] for place in np.flatnonzero(values.duplicated(keep=False))):
        root, clips, corpus = parts[part][0]
        segment = pieces[part][row]
        waveform, rate = audio.read(root / clips["file"].iloc[row], None, corpus.channel, segment)
        same.setdefault((rate, hashlib.sha256(waveform.data).digest()), []).append(clips.index[row])
    return [group for group in same.values() if len(group) > 1]
