"""Bring your own corpus: a CSV manifest, or a folder per emotion."""

from __future__ import annotations

import logging
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from ser_classic.audio import audio_files, digest, seconds
from ser_classic.corpora.clips import COLUMNS, PART, PARTITIONS, CorpusError
from ser_classic.corpora.labels import LabelFile, bare, read_labelled
from ser_classic.corpora.spelling import (
    SEX,
    SYNONYMS,
    emotion_word,
    is_missing,
    mapped,
    most_frequent,
    plain,
    require_occurring,
)
from ser_classic.corpora.tables import read_table
from ser_classic.errors import some
from ser_classic.vocabulary import EMOTIONS

GENERIC = ("manifest", "clips", "index", "labels", "metadata")
UNKNOWN = ("", "unknown", "u", "?", "-", "none", "na", "n/a", "other", "o", "x", "d", "diverse", "nonbinary")
SPLITS = {*PARTITIONS, "eval"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """How a corpus of one's own is to be read.

    Attributes
    ----------
    words : mapping
        Its emotion words to ours, `{"anger": "angry"}` (`--map`); a word mapped to itself is kept as it is.
    drop : collection of str
        Emotion words whose clips are left out (`--drop`).
    speaker : str, optional
        Regular expression whose first group is the speaker in a file's path, relative to the folder and with
        forward slashes (`--speaker`); for a folder, or a manifest without the column.
    speakers : mapping
        What a spelling of a speaker means, `{"ANNA": "Anna"}` (`--map-speaker`); one mapped to itself is
        another speaker than those that are spelled alike.
    channel : int, optional
        Channel to take from files with several, counted from 0 (`--channel`); their mean by default.
    labels : Path, optional
        For a folder whose names say nothing: a table of its recordings (`--labels`), CSV, TSV, TXT or JSON.
    key : str
        Column of it that names the recording, or several as in `{folder}/{name}` (`--key`).
    columns : mapping
        Its columns to ours, `{"EmoClass": "emotion"}` (`--column`); others are kept as they are called.

    Examples
    --------
    >>> import tempfile
    >>> from ser_classic import load
    >>> root, clips, corpus = load("synthetic")
    >>> mine = clips[["file", "emotion", "speaker"]].replace({"angry": "wrath"})
    >>> mine["file"] = [str(root / file) for file in mine["file"]]
    >>> reading = Reading({"wrath": "angry"}, drop={"fear", "disgust"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mine.to_csv(f"{folder}/mine.csv", index=False)
    ...     sorted(load(f"{folder}/mine.csv", reading=reading).clips["emotion"].unique())
    ['angry', 'happy', 'neutral', 'sad', 'surprise']
    """

    words: Mapping[str, str] = field(default_factory=dict)
    drop: Collection[str] = ()
    speaker: str | None = None
    speakers: Mapping[str, str] = field(default_factory=dict)
    channel: int | None = None
    labels: Path | None = None
    key: str = "file"
    columns: Mapping[str, str] = field(default_factory=dict)


def name_of(path: Path) -> str:
    """Name of a corpus of one's own: that of its manifest, or of its folder if the manifest's is generic."""
    if path.is_dir() or path.stem.lower() in GENERIC:
        stem = (path if path.is_dir() else path.parent).resolve().name
    else:
        stem = path.stem
    return re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_") or "own"


def read_own(path: Path, reading: Reading, name: str) -> tuple[Path, pd.DataFrame]:
    """The root, which files are relative to, and the clips at the path of a manifest or folder of one's own.

    A manifest is a CSV, separated by commas, semicolons or tabs, with the columns file, emotion and, where
    they are known, speaker, sex, sentence and any others; files are relative to it. With start and end [s],
    a clip is that part of its file. A folder has one subfolder per emotion, or comes with `labels`. The
    clips table has the digest of every file, `sha256`, so that recordings replaced since are other clips.
    """
    if reading.labels is None and (reading.key != "file" or reading.columns):
        raise CorpusError("--key and --column go with --labels")
    root = path
    if reading.labels is not None:
        if not path.is_dir():
            raise CorpusError(f"{path}: --labels goes with a folder of recordings, and this is none")
        labels = LabelFile(str(reading.labels), reading.key, reading.columns)
        rows = read_labelled(root, Path(reading.labels), labels)
        rows.index = pd.Index(rows["file"], name=None)
    elif path.is_dir():
        rows = _read_folder(root, {*EMOTIONS, *SYNONYMS, *map(emotion_word, (*reading.words, *reading.drop))})
    else:
        root, rows = _read_manifest(path)
    source = reading.labels or path
    rows = _dropped(rows, reading, name, source)
    if reading.speaker is not None:
        if "speaker" in rows:
            raise CorpusError(f"{name}: the manifest has a column `speaker`; leave --speaker out")
        rows["speaker"] = _speakers(rows["file"], reading.speaker)
    rows[[column for column in COLUMNS if column not in rows]] = pd.NA
    rows["corpus"] = name
    rows["label"] = rows["emotion"].map(plain)
    rows["emotion"] = rows["emotion"].map(emotion_words(rows["emotion"], reading.words, name))
    for row in rows.index[rows["speaker"].isna() & rows["speaker"].notna().any()]:
        raise CorpusError(f"{source}: {row} lacks its speaker; name one for every clip, or for none")
    speakers = mapped(rows["speaker"].dropna(), reading.speakers, "speakers", "--map-speaker", name)
    rows["speaker"] = [f"{name}/{speakers[who]}" if pd.notna(who) else pd.NA for who in rows["speaker"]]
    rows["sentence"] = most_frequent(rows["sentence"])
    rows["sha256"] = [digest(root / file) for file in rows["file"]]  # of audio that others may replace
    names = _names(rows)
    for row, clip in names[names.duplicated()].items():
        first = names.index[names == clip][0]
        raise CorpusError(f"{source}: {row} has the clip {clip} again, first {first}; remove one of them")
    rows.index = pd.Index([f"{name}/{clip}" for clip in names], name="clip")
    return root, rows.astype("str")


def emotion_words(
    labels: Iterable[str], words: Mapping[str, str] | None = None, name: str = "corpus"
) -> dict[str, str]:
    """Emotion of each label: as mapped, else a word of `EMOTIONS` or a synonym, else kept if all are new.

    Examples
    --------
    >>> emotion_words(["Anger", "joy"])
    {'Anger': 'angry', 'joy': 'happy'}
    >>> emotion_words(["tense", "relaxed"])
    {'relaxed': 'relaxed', 'tense': 'tense'}
    """
    words = words or {}
    keep = "leave its clips out with --drop, or keep it"
    meaning = mapped(labels, words, "emotion words", "--map", name, emotion_word, SYNONYMS, keep)
    given = set(map(emotion_word, words))
    known = [label for label, emotion in meaning.items() if emotion in EMOTIONS]
    new = [label for label in meaning if label not in known and emotion_word(label) not in given]
    if new and known:
        word = emotion_word(new[0])
        raise CorpusError(
            f"{name}: of its emotion words {', '.join(map(repr, new))} {'is' if len(new) == 1 else 'are'} "
            f"unknown, {', '.join(map(repr, known))} known; map each unknown one to one of "
            f"{', '.join(EMOTIONS)} (--map {word}=angry), keep it (--map {word}={word}), or leave its clips "
            f"out (--drop {word})"
        )
    return meaning


def _dropped(rows: pd.DataFrame, reading: Reading, name: str, source: Path) -> pd.DataFrame:
    """Rows without those of the emotion words that are left out; an empty word is one, too."""
    words = rows["emotion"].fillna("").map(emotion_word)
    drop = {emotion_word(word) for word in reading.drop}
    require_occurring(drop, words, "emotion words", "--drop", name)
    rows = rows[~words.isin(drop)].copy()
    if rows.empty:
        raise CorpusError(f"{name}: nothing is left after --drop; keep two emotions at least")
    for row in rows.index[rows["emotion"].isna()]:
        raise CorpusError(f"{source}: {row} lacks its emotion; --drop '' leaves such out")
    return rows


def _names(rows: pd.DataFrame) -> pd.Series:
    """What each clip is called: its file without the suffix where that is one clip's, and its part."""
    short = rows["file"].map(lambda file: bare(unicodedata.normalize("NFC", file)))
    names = short.where(rows["file"].groupby(short).transform("nunique") == 1, rows["file"])
    if PART[0] not in rows:
        return names
    start, end = (rows[column].astype("object") for column in PART)
    part = "@" + start.fillna("0") + "-" + end.fillna("")
    return names + part.where(start.notna() | end.notna(), "")


def _speakers(files: Iterable[str], speaker: str) -> list[str]:
    """What the first group of a regular expression matches in each path."""
    try:
        pattern = re.compile(speaker)
    except re.error as error:
        raise CorpusError(f"--speaker {speaker!r}: not a regular expression ({error})") from error
    if pattern.groups < 1:
        raise CorpusError(
            f"--speaker {speaker!r}: put the speaker in parentheses, such as '/([^_/]+)_[^/]*$'"
        )
    found = {file: pattern.search(file) for file in files}
    for file, match in found.items():
        if match is None or not match[1]:
            raise CorpusError(f"--speaker {speaker!r} finds no speaker in {file!r}")
    return [found[file][1] for file in files]


def _read_folder(root: Path, known: Collection[str]) -> pd.DataFrame:
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


def _absolute(path: Path) -> Path:
    """Without `..`, and without following links: a manifest may list links into a store elsewhere."""
    return Path(os.path.normpath(path.absolute()))


def _there(path: Path) -> Path | None:
    """The file at a path, or at one with its accents composed or decomposed; None where there is none."""
    forms = (path, *(Path(unicodedata.normalize(form, str(path))) for form in ("NFC", "NFD")))
    return next((form for form in forms if os.path.isfile(form)), None)  # noqa: PTH113 (Path's raises)


def _read_manifest(manifest: Path) -> tuple[Path, pd.DataFrame]:
    """The manifest's folder, or, where files lie outside it, the folder that holds them all; and its rows."""
    rows = read_table(manifest).replace("", pd.NA)
    root = _absolute(manifest.parent)
    named = pd.Series([_absolute(root / file) for file in rows["file"]], rows.index)
    files = list(map(_there, named))
    missing = [f"{file} (line {line})" for line, file in named[[file is None for file in files]].items()]
    if missing:
        raise CorpusError(
            f"{manifest}: {len(missing)} of its {len(files)} files are not there, first {missing[0]}; "
            "paths are relative to the manifest"
        )
    if not all(file.is_relative_to(root) for file in files):
        try:
            root = Path(os.path.commonpath([file.parent for file in files]))
        except ValueError as error:
            raise CorpusError(
                f"{manifest}: its files lie on several drives; move them below one folder"
            ) from error
    rows["file"] = [file.relative_to(root).as_posix() for file in files]
    if "sex" in rows:
        rows["sex"] = [_sex(word, line, manifest) for line, word in rows["sex"].items()]
    if set(PART) & set(rows):
        for column in PART:
            values = rows[column] if column in rows else pd.Series(pd.NA, rows.index)
            rows[column] = [_seconds(value, column, line, manifest) for line, value in values.items()]
        start, end = (pd.to_numeric(rows[column].astype("str")) for column in PART)
        for line in rows.index[end <= start.fillna(0)]:
            raise CorpusError(f"{manifest}: line {line} ends before it has started; correct start and end")
    rows.index = pd.Index([f"line {line}" for line in rows.index])
    return root, rows.drop(columns=["corpus", "label", "clip", "sha256"], errors="ignore")


def _sex(word: object, line: int, manifest: Path) -> object:
    known = "" if pd.isna(word) else plain(str(word)).lower()
    if known in UNKNOWN or is_missing(known):
        return pd.NA
    if known not in SEX:
        raise CorpusError(
            f"{manifest}: line {line} has the sex {word!r}; expected female or male, or nothing"
        )
    return SEX[known]


def _seconds(value: object, column: str, line: int, manifest: Path) -> object:
    """A time [s] as text without needless digits; as a number, `0:01.5` or `0 days 00:00:01.5`."""
    if pd.isna(value) or is_missing(str(value)):
        return pd.NA
    text = str(value).replace(",", ".")
    try:
        time = float(text) if re.fullmatch(r"[\d.eE+-]+", text) else pd.Timedelta(text).total_seconds()
        if not 0 <= time < 1e9:
            raise ValueError("out of range")
    except ValueError as error:
        raise CorpusError(
            f"{manifest}: line {line} has the {column} {value!r}; expected seconds from the start of the file"
        ) from error
    return seconds(time)
