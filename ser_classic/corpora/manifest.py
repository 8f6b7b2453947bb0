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
from ser_classic.corpora.clips import COLUMNS, PARTITIONS, TIMES, CorpusError, check_clips
from ser_classic.corpora.labels import bare
from ser_classic.corpora.spelling import (
    SEX,
    SYNONYMS,
    emotion_word,
    mapped,
    most_frequent,
    plain,
    require_occurring,
)
from ser_classic.corpora.tables import read_table
from ser_classic.errors import counted, some, wrap_errors
from ser_classic.vocabulary import EMOTIONS, LISTED

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
        What its emotion words mean, `{"anger": "angry"}` (`--map`); a word mapped to itself is kept.
    drop : collection of str
        Emotion words whose clips are left out (`--drop`).
    speaker : str, optional
        Regular expression whose first group is the speaker in a file's path, relative to the folder and with
        forward slashes (`--speaker`); for a folder, or a manifest without the column.
    speakers : mapping
        What a spelling of a speaker means, `{"ANNA": "Anna"}` (`--map-speaker`); one mapped to itself is
        kept apart from similar spellings.
    channel : int, optional
        Channel to take from files with several, counted from 0 (`--channel`); their mean by default.
    labels : Path, optional
        For a folder whose names say nothing: a table of its recordings (`--labels`), as a manifest may be.
    key : str
        Column of the manifest, or of `labels`, that names the recording; or several as in `{folder}/{name}`
        (`--key`).
    columns : mapping
        What columns mean, `{"EmoClass": "emotion"}` (`--column`); others keep their names.

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

    A manifest is a table (CSV, TSV, TXT with header, JSON or Parquet) with the columns file, emotion and, if
    known, speaker, sex, sentence and any others; files are relative to it. With start and end [s], a clip is
    that part of its file. A folder has one subfolder per emotion, or comes with `labels`, a table like a
    manifest whose files are looked for below the folder. The clips table has the digest of every file
    and the channel taken, `sha256`, so that recordings replaced since or heard otherwise are other clips.
    """
    source, (root, rows) = Path(reading.labels or path), _rows(path, reading, name)
    if reading.speaker is not None:
        if "speaker" in rows:
            raise CorpusError(f"{name}: the manifest has a column `speaker`; leave --speaker out")
        rows["speaker"] = _speakers(rows["file"], reading.speaker)
    rows[[column for column in COLUMNS if column not in rows]] = pd.NA
    rows["corpus"] = name
    labels = rows["emotion"].dropna()
    rows["label"] = labels.map(plain)
    rows["emotion"] = labels.map(emotion_words(labels, reading.words, name))
    speakers = mapped(rows["speaker"].dropna(), reading.speakers, "speakers", "--map-speaker", name)
    rows["speaker"] = [f"{name}/{speakers[who]}" if pd.notna(who) else pd.NA for who in rows["speaker"]]
    for column in {"sentence", "session"}.intersection(rows):
        rows[column] = most_frequent(rows[column])
    clips = check_clips(rows.set_axis([f"{name}/{clip}" for clip in _names(rows)]), str(source), rows.index)
    taken = "" if reading.channel is None else f":{reading.channel}"
    clips["sha256"] = [digest(root / file) + taken for file in clips["file"]]  # audio that may be replaced
    return root, clips.astype("str")


def words_in(path: Path, reading: Reading) -> set[str]:
    """The emotion words of a corpus of one's own, before they are mapped; as `emotion_word` spells them."""
    rows = _rows(path, reading, name_of(path))[1]
    return {emotion_word(word) for word in rows["emotion"].dropna()}


def _rows(path: Path, reading: Reading, name: str) -> tuple[Path, pd.DataFrame]:
    """The root, and a row for each clip that is not left out, with what is written of it."""
    source = Path(reading.labels or path)
    if reading.labels is not None and not path.is_dir():
        raise CorpusError(f"{path}: --labels needs a folder of recordings, and this is not one")
    if reading.labels is None and path.is_dir():
        if reading.key != "file" or reading.columns:
            raise CorpusError(f"{path}: --key and --column go with a table; give one with --labels")
        known = {*EMOTIONS, *SYNONYMS, *map(emotion_word, (*reading.words, *reading.drop))}
        root, rows = path, _read_folder(path, known)
    else:
        rows = read_table(source, reading.key, reading.columns)
        listed = rows["file"].tolist()
        if reading.labels is None:
            root, rows["file"] = _listed(rows["file"], path)
        else:
            root, rows["file"] = path, _below(rows["file"], path, source)
        rows = _understood(rows)
        if listed != rows["file"].tolist():
            rows[LISTED] = listed
    return root, _dropped(rows, reading, name)


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
    meaning = mapped(labels, words, "emotion words", "--map", name, emotion_word, SYNONYMS)
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


def _dropped(rows: pd.DataFrame, reading: Reading, name: str) -> pd.DataFrame:
    """Rows without those of the emotion words that are left out; an empty word is one, too."""
    words = rows["emotion"].fillna("").map(emotion_word)
    drop = {emotion_word(word) for word in reading.drop}
    require_occurring(drop, words, "emotion words", "--drop", name)
    rows = rows[~words.isin(drop)].copy()
    if rows.empty:
        raise CorpusError(f"{name}: nothing is left after --drop; keep at least two emotions")
    return rows


def _names(rows: pd.DataFrame) -> pd.Series:
    """What each clip is called: its file without the suffix where that is one clip's, and its part."""
    short = rows["file"].map(lambda file: bare(unicodedata.normalize("NFC", file)))
    names = short.where(rows["file"].groupby(short).transform("nunique") == 1, rows["file"])
    if TIMES[0] not in rows:
        return names
    start, end = (rows[column].astype("object") for column in TIMES)
    part = "@" + start.fillna("0") + "-" + end.fillna("")
    return names + part.where(start.notna() | end.notna(), "")


def _speakers(files: pd.Series, speaker: str) -> pd.Series:
    """What the first group of a regular expression matches in each path."""
    remedy = "give a regular expression with the speaker in parentheses, such as '/([^_/]+)_[^/]*$'"
    with wrap_errors(f"--speaker {speaker!r}", remedy):
        found = files.str.extract(speaker).iloc[:, 0]
    for file in files[found.fillna("") == ""]:
        raise CorpusError(f"--speaker {speaker!r} finds no speaker in {file!r}; {remedy}")
    return found


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
    names = list(map(str, files))
    return pd.DataFrame({"file": names, "emotion": [file.parts[level] for file in files]}, index=names)


def _level(root: Path, files: list[PurePosixPath], known: Collection[str]) -> int:
    """Number of the folder, from the root, that names the emotion."""
    depth = min(len(file.parts) for file in files) - 1  # folders that every file lies in
    names = [{file.parts[level] for file in files} for level in range(depth)]
    other = [{name for name in found if emotion_word(name) not in known} for found in names]
    for level in range(depth):
        if not other[level]:
            if level:
                logger.warning(
                    f"{root}: emotions are taken from the folders of level {level + 1}, such as "
                    f"{files[0].parts[level]!r} below {files[0].parts[level - 1]!r}. Where those above are "
                    f"speakers, say so with --speaker '^{'[^/]+/' * (level - 1)}([^/]+)/'"
                )
            return level
    mixed = next((level for level in range(depth) if other[level] != names[level]), None)
    if mixed or (mixed is None and (len(names[0]) == 1 or {name.lower() for name in names[0]} <= SPLITS)):
        beside = sorted(path.name for path in root.glob("*.csv"))
        raise CorpusError(
            f"{root}: its folders {some(sorted(map(repr, other[mixed or 0])))} are not known emotions; say "
            "what they mean with --map, leave them out with --drop, or give a manifest with columns file, "
            f"emotion, speaker{f', such as {some(beside)}' if beside else ''}"
        )
    return 0


def _absolute(path: Path) -> Path:
    """Without `..`, and without following links: a manifest may list links into a store elsewhere."""
    return Path(os.path.normpath(path.absolute()))


def _there(path: Path) -> Path | None:
    """The file at a path, or at one with its accents composed or decomposed; None where there is none."""
    forms = (path, *(Path(unicodedata.normalize(form, str(path))) for form in ("NFC", "NFD")))
    return next((form for form in forms if os.path.isfile(form)), None)  # noqa: PTH113 (Path's raises)


def _listed(named: pd.Series, manifest: Path) -> tuple[Path, list[str]]:
    """The manifest's folder, or a folder above it that holds all files; and the files relative to it."""
    root = _absolute(manifest.parent)
    named = named.map(lambda file: _absolute(root / file))
    files = list(map(_there, named))
    missing = [f"{file} (line {line})" for line, file in named[[file is None for file in files]].items()]
    if missing:
        raise CorpusError(
            f"{manifest}: {len(missing)} of its {len(files)} files are not there, first {missing[0]}; "
            "paths are relative to the manifest"
        )
    if not all(file.is_relative_to(root) for file in files):
        root = Path(os.path.commonpath([file.parent for file in files]))
    return root, [file.relative_to(root).as_posix() for file in files]


def _below(named: pd.Series, root: Path, labels: Path) -> list[str]:
    """The recordings below a folder that a table names: by path, or by name in any subfolder.

    Recordings that are not named are left out, with a warning.
    """
    places: dict[str, list[PurePosixPath]] = {}
    recordings = audio_files(root)
    for place in recordings:
        for name in {bare(str(place)), bare(place.name)}:
            places.setdefault(name, []).append(place)
    named = named.map(bare)
    absent = [f"{name!r} (line {line})" for line, name in named.items() if name not in places]
    if absent:
        raise CorpusError(
            f"{labels}: {len(absent)} of its {len(named)} recordings are not below {root}, first "
            f"{absent[0]}; add them, or remove their rows"
        )
    for name in named:
        if len(places[name]) > 1:
            one, other = places[name][:2]
            raise CorpusError(
                f"{labels}: {name!r} may be {one} or {other}; name a key with the folder in it, such as "
                "--key '{folder}/{name}'"
            )
    if left := len(recordings) - named.nunique():
        logger.warning(f"{root}: {counted(left, 'recording')} left out, as {labels} has no row for them")
    return [places[name][0].as_posix() for name in named]


def _understood(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with sexes and times in our spelling, where they are understood."""
    if "sex" in rows:
        rows["sex"] = rows["sex"].map(_sex)
    if set(TIMES) & set(rows):
        for column in TIMES:
            rows[column] = rows[column].map(_seconds) if column in rows else pd.NA
    rows.index = pd.Index([f"line {line}" for line in rows.index])
    return rows.drop(columns=["corpus", "label", "clip", "sha256", LISTED], errors="ignore")


def _sex(word: object) -> object:
    known = "" if pd.isna(word) else plain(str(word)).lower()
    return SEX.get(known, pd.NA if known in UNKNOWN else word)


def _seconds(value: object) -> object:
    """A time [s] as text without needless digits; as a number, `0:01.5` or `0 days 00:00:01.5`."""
    text = str(value).replace(",", ".")
    try:
        time = float(text) if re.fullmatch(r"[\d.eE+-]+", text) else pd.Timedelta(text).total_seconds()
    except ValueError:
        return value
    return seconds(time) if 0 <= time < 1e9 else value
