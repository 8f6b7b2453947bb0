"""Bring your own corpus: a CSV manifest, or a folder per emotion."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

import pandas as pd

from ser_classic.audio import audio_files, digest
from ser_classic.corpora.clips import COLUMNS, EMOTIONS, Corpus, CorpusError, check_clips

SYNONYMS = {
    "anger": "angry",
    "bored": "boredom",
    "calmness": "calm",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "scared": "fear",
    "anxiety": "fear",
    "happiness": "happy",
    "joy": "happy",
    "joyful": "happy",
    "neutrality": "neutral",
    "sadness": "sad",
    "surprised": "surprise",
    "pleasant_surprise": "surprise",
    "pleasant_surprised": "surprise",
    "ps": "surprise",
}
REQUIRED = ("file", "emotion")
GENERIC = ("manifest", "clips", "index", "labels", "metadata")


def own(
    path: Path, words: Mapping[str, str] | None = None, speaker: str | None = None
) -> tuple[Path, Corpus]:
    """A corpus of one's own.

    Parameters
    ----------
    path : Path
        A CSV (or TSV) manifest with the columns file, emotion and, where they are known, speaker, sex,
        sentence and any others; files are relative to it. Or a folder with one subfolder per emotion.
    words : mapping, optional
        Its emotion words to ours, `{"anger": "angry"}`; a word mapped to itself is kept as it is.
    speaker : str, optional
        Regular expression whose first group is the speaker in a file's path, relative to the folder and
        with forward slashes; for a folder, or a manifest without the column.

    Returns
    -------
    root : Path
        What the column `file` is relative to.
    corpus : Corpus
        Named after the manifest, or after its folder where the manifest's name says nothing. Its clips table
        has the digest of every file, `sha256`, so that recordings replaced since are other clips.

    Raises
    ------
    CorpusError
        The pattern is no regular expression with a group; and, on scanning, whatever is wrong with the
        manifest or the folder.
    """
    path = Path(path)
    pattern = _pattern(speaker)
    if path.is_dir():
        root, stem = path, path.resolve().name
        read = _read_folder
    else:
        generic = path.stem.lower() in GENERIC
        root, stem = _manifest_root(path), path.resolve().parent.name if generic else path.stem
        read = partial(_read_manifest, manifest=path)
    name = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_") or "own"
    scan = partial(_scan, name=name, read=read, words=dict(words or {}), pattern=pattern)
    return root, Corpus(
        name=name,
        title=str(path),
        url="",
        licence="your own",
        citation="",
        language="",
        scan=scan,
        clips=0,
        speakers=0,
    )


def emotion_words(
    labels: Iterable[str], words: Mapping[str, str] | None = None, name: str = "corpus"
) -> dict[str, str]:
    """Emotion of each label: as mapped, else a word of `EMOTIONS` or a synonym, else kept if all are new.

    Raises
    ------
    CorpusError
        Some words are known and others are not, or a mapped word does not occur.

    Examples
    --------
    >>> emotion_words(["Anger", "joy"])
    {'Anger': 'angry', 'joy': 'happy'}
    >>> emotion_words(["tense", "relaxed"])
    {'relaxed': 'relaxed', 'tense': 'tense'}
    """
    labels = sorted(set(labels))
    given = {_word(label): _word(emotion) for label, emotion in (words or {}).items()}
    absent = sorted(set(given) - {_word(label) for label in labels})
    if absent:
        raise CorpusError(
            f"{name}: --map names {', '.join(map(repr, absent))}, which does not occur; "
            f"its emotion words are {', '.join(labels)}"
        )
    meaning, new = {}, []
    for label in labels:
        word = _word(label)
        if word in given:
            meaning[label] = given[word]
        elif word in EMOTIONS or word in SYNONYMS:
            meaning[label] = SYNONYMS.get(word, word)
        else:
            meaning[label] = word
            new.append(label)
    known = [label for label in labels if meaning[label] in EMOTIONS]
    if new and known:
        keep = f"{_word(new[0])}={_word(new[0])}"
        raise CorpusError(
            f"{name}: of its emotion words {', '.join(map(repr, new))} {'is' if len(new) == 1 else 'are'} "
            f"unknown, {', '.join(map(repr, known))} known; map each unknown one to one of "
            f"{', '.join(EMOTIONS)} (--map {_word(new[0])}=angry), or keep it (--map {keep})"
        )
    return meaning


def parse_map(options: Iterable[str]) -> dict[str, str]:
    """Read `--map` options, `anger=angry`.

    Raises
    ------
    CorpusError
        One that is not word=word, or a word mapped twice.
    """
    words: dict[str, str] = {}
    for option in options:
        word, equals, emotion = (part.strip() for part in option.partition("="))
        if not (word and equals and emotion):
            raise CorpusError(f"--map {option!r}: expected WORD=EMOTION, such as --map anger=angry")
        if words.get(word, emotion) != emotion:
            raise CorpusError(f"--map {option!r}: {word!r} is mapped to {words[word]!r} already")
        words[word] = emotion
    return words


def _word(label: str) -> str:
    return re.sub(r"[\s,/]+", "_", str(label).strip().lower())


def _pattern(speaker: str | None) -> re.Pattern[str] | None:
    if speaker is None:
        return None
    try:
        pattern = re.compile(speaker)
    except re.error as error:
        raise CorpusError(f"--speaker {speaker!r}: not a regular expression ({error})") from error
    if pattern.groups < 1:
        raise CorpusError(
            f"--speaker {speaker!r}: put the speaker in parentheses, such as '/([^_/]+)_[^/]*$'"
        )
    return pattern


def _scan(
    root: Path, name: str, read, words: dict[str, str], pattern: re.Pattern[str] | None
) -> pd.DataFrame:
    rows = read(root)
    if pattern is not None:
        if "speaker" in rows:
            raise CorpusError(f"{name}: the manifest has a column `speaker`; leave --speaker out")
        rows["speaker"] = [_speaker(file, pattern) for file in rows["file"]]
    for column in COLUMNS:
        if column not in rows and column not in ("corpus", "label"):
            rows[column] = pd.NA
    meaning = emotion_words(rows["emotion"], words, name)
    rows["corpus"] = name
    rows["label"] = rows["emotion"]
    rows["emotion"] = rows["label"].map(meaning)
    rows["speaker"] = [f"{name}/{who}" if pd.notna(who) else pd.NA for who in rows["speaker"]]
    rows["sha256"] = [digest(root / file) for file in rows["file"]]  # of audio that others may replace
    rows.index = pd.Index(
        [f"{name}/{PurePosixPath(file).with_suffix('')}" for file in rows["file"]], name="clip"
    )
    return check_clips(rows.astype("str"), emotions=None)


def _speaker(file: str, pattern: re.Pattern[str]) -> str:
    match = pattern.search(file)
    if match is None or not match[1]:
        raise CorpusError(f"--speaker {pattern.pattern!r} finds no speaker in {file!r}")
    return match[1]


def _read_folder(root: Path) -> pd.DataFrame:
    """A row a file: its first folder is its emotion."""
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
    return pd.DataFrame({"file": [str(file) for file in files], "emotion": [file.parts[0] for file in files]})


def _read_table(manifest: Path) -> pd.DataFrame:
    if not manifest.is_file():
        raise CorpusError(f"{manifest}: there is no such manifest")
    separator = "\t" if manifest.suffix.lower() == ".tsv" else ","
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row with too many fields
            rows = pd.read_csv(
                manifest,
                sep=separator,
                dtype="str",
                keep_default_na=False,
                encoding="utf-8-sig",
                index_col=False,
            )
    except pd.errors.ParserWarning as error:
        raise CorpusError(
            f"{manifest}: its rows have more fields than its header; name every column, and put a value with "
            "a comma in quotes"
        ) from error
    except (OSError, ValueError) as error:
        raise CorpusError(f"{manifest}: not readable as a table ({error}); save it as UTF-8 CSV") from error
    rows.columns = [str(column).strip().lower() for column in rows.columns]
    repeated = re.compile(rf"({'|'.join(COLUMNS)})\.\d+")  # how pandas calls a name's second column
    rows.columns = [repeated.sub(r"\1", column) for column in rows.columns]
    twice = rows.columns[rows.columns.duplicated()]
    if len(twice):
        raise CorpusError(f"{manifest}: the column {twice[0]!r} is there twice; keep one")
    absent = [column for column in REQUIRED if column not in rows]
    if absent:
        raise CorpusError(
            f"{manifest}: no column {', '.join(absent)}; expected file, emotion and, if known, speaker, sex, "
            f"sentence; found {', '.join(rows.columns)}"
        )
    if rows.empty:
        raise CorpusError(f"{manifest}: has no rows below its header; expected one for every clip")
    rows = rows.apply(lambda column: column.str.strip())
    blank = (rows["file"] == "") | (rows["emotion"] == "")
    if blank.any():
        raise CorpusError(f"{manifest}: line {blank.to_numpy().argmax() + 2} lacks its file or its emotion")
    rows["file"] = rows["file"].str.replace("\\", "/")
    return rows


def _absolute(path: Path) -> Path:
    """Without `..`, and without following links: a manifest may list links into a store elsewhere."""
    return Path(os.path.normpath(path.absolute()))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be read
        return False


def _manifest_root(manifest: Path) -> Path:
    """The manifest's folder; or, where files lie outside it, the folder that holds them all."""
    home = _absolute(manifest.parent)
    places = {_absolute(home / file).parent for file in _read_table(manifest)["file"]}
    if all(place.is_relative_to(home) for place in places):
        return home
    try:
        return Path(os.path.commonpath(places))
    except ValueError as error:
        raise CorpusError(
            f"{manifest}: its files lie on several drives; move them below one folder"
        ) from error


def _read_manifest(root: Path, manifest: Path) -> pd.DataFrame:
    rows = _read_table(manifest).replace("", pd.NA)
    files = [_absolute(manifest.parent / file) for file in rows["file"]]
    missing = [str(file) for file in files if not _is_file(file)]
    if missing:
        raise CorpusError(
            f"{manifest}: {len(missing)} of its {len(files)} files are not there, first {missing[0]}; "
            "paths are relative to the manifest"
        )
    rows["file"] = [file.relative_to(root).as_posix() for file in files]
    if "sex" in rows:
        rows["sex"] = rows["sex"].str.lower().replace({"f": "female", "w": "female", "m": "male"})
    return rows.drop(columns=[column for column in ("corpus", "label", "clip") if column in rows])
