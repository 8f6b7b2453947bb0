"""Folders of a corpus of one's own: which of the names above a file is its emotion."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path, PurePosixPath

import pandas as pd

from ser_classic.audio import audio_files
from ser_classic.corpora.clips import CorpusError
from ser_classic.corpora.spelling import emotion_word
from ser_classic.errors import some

SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval", "devel"}

logger = logging.getLogger(__name__)


def read_folder(root: Path, known: Collection[str]) -> pd.DataFrame:
    """One row per file, with the emotion that the folders above it say.

    That is the first folder; or the first level whose names are all known emotion words, where there is one:
    `angry/...`, `train/angry/...` and `0011/Angry/...` are all understood. `known` are emotion words in lower
    case.
    """
    files = [file for file in audio_files(root) if len(file.parts) > 1]
    if not files:
        raise CorpusError(
            f"{root}: no audio in subfolders; expected one subfolder per emotion, such as {root / 'angry'}, "
            "or a CSV manifest with the columns file, emotion, speaker"
        )
    for file in files:
        try:
            str(file).encode()
        except UnicodeEncodeError as error:
            raise CorpusError(f"{root}: the name of {str(file)!r} is not UTF-8; rename it") from error
    level = _level(root, files, known)
    return pd.DataFrame({"file": map(str, files), "emotion": [file.parts[level] for file in files]})


def _level(root: Path, files: list[PurePosixPath], known: Collection[str]) -> int:
    """Number of the folder, from the root, that names the emotion."""
    depth = min(len(file.parts) for file in files) - 1  # folders that every file lies in
    names = [{file.parts[level] for file in files} for level in range(depth)]
    emotions = [{name for name in found if emotion_word(name) in known} for found in names]
    for level, found in enumerate(names):
        if emotions[level] == found:
            if level:
                above = files[0].parts[level - 1]
                advice = (
                    "The parts above them are not kept apart"
                    if above.lower() in SPLITS
                    else "Where the folders above are speakers, say so with "
                    f"--speaker '^{'[^/]+/' * (level - 1)}([^/]+)/'"
                )
                logger.warning(
                    f"{root}: emotions are taken from the folders of level {level + 1}, such as "
                    f"{files[0].parts[level]!r} below {above!r}. {advice}"
                )
            return level
    deeper = next((level for level in range(1, depth) if emotions[level]), None)
    if not emotions[0] and deeper is not None:
        other = sorted(names[deeper] - emotions[deeper])
        raise CorpusError(
            f"{root}: emotion words such as {sorted(emotions[deeper])[0]!r} stand at level {deeper + 1} of "
            f"its folders, beside {some(map(repr, other))}; say what these mean with --map, or "
            "leave them out with --drop"
        )
    if {emotion_word(name) for name in names[0]} <= SPLITS:
        raise CorpusError(
            f"{root}: its folders {', '.join(sorted(names[0]))} are parts of a corpus, no emotions; put a "
            "folder per emotion into each, or write a manifest (CSV) with the columns file, emotion, speaker"
        )
    if len(names[0]) == 1 and not emotions[0]:
        tables = sorted(path.name for path in root.glob("*.csv"))
        beside = f"; found beside it: {some(tables, 3)}" if tables else ""
        raise CorpusError(
            f"{root}: all its recordings are in {', '.join(names[0])}, which is no emotion; name a manifest "
            f"(CSV) with the columns file, emotion, speaker{beside}"
        )
    return 0
