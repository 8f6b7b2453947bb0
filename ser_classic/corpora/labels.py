"""Labels that are not in a file's name: tables beside the recordings, joined to them clip by clip."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from ser_classic.audio import SUFFIXES, audio_files
from ser_classic.corpora.clips import CorpusError

logger = logging.getLogger(__name__)

SEPARATORS = "\t;|,"
SEXES = {"f": "female", "w": "female", "m": "male"}  # by first letter


@dataclass(frozen=True)
class LabelFile:
    """A table, or several, that say of clips what their names do not.

    Attributes
    ----------
    files : str
        Which they are below a corpus's folder: `Labels/labels_consensus.csv`, `**/EmoEvaluation/*.txt`. CSV,
        TSV and TXT with a header, or JSON: objects by clip, or a list of them.
    key : str
        What names the clip: a column, or several as in `dia{Dialogue_ID}_utt{Utterance_ID}`. `key` is what
        a JSON file's objects are called by. Folders and audio suffixes in it count for nothing, unless the
        clips of the corpus are told apart by folder.
    columns : mapping
        Their columns to those of the clips table: `{"EmoClass": "label"}`. Others are kept as they are
        called, in lower case.
    values : mapping
        For a column of the clips table, their words to ours.
    line : str, optional
        Where the file is no table: a regular expression with named groups, for columns; other lines say
        nothing of clips.
    of_name : str, optional
        A regular expression whose groups are further columns, found in the name of the label file.
    drop : tuple of str
        Their columns that are left out.
    obtain : str
        How to get the files, where they are not part of the release.
    """

    files: str
    key: str
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    line: str | None = None
    of_name: str | None = None
    drop: tuple[str, ...] = ()
    obtain: str = ""

    def found(self, root: Path) -> list[Path]:
        """The label files below a folder; without the shadows that archivers leave."""
        return sorted(path for path in root.glob(self.files) if not path.name.startswith("."))

    def read(self, root: Path, name: str) -> pd.DataFrame:
        """What the label files say, indexed by `clip`; strings, NA where nothing is said.

        Raises
        ------
        CorpusError
            There is no such file, it is no table, lacks the key, or says two things of one clip.
        """
        paths = self.found(root)
        if not paths:
            how = f". {self.obtain[0].upper()}{self.obtain[1:]}" if self.obtain else ""
            raise CorpusError(
                f"{name}: its labels are not in the file names, and {root / self.files} is not there{how}"
            )
        table = pd.concat([self.table(path) for path in paths], ignore_index=True).drop_duplicates()
        _require_once(table, f"{name}: {', '.join(path.name for path in paths[:3])}")
        return table.set_index("clip")

    def table(self, path: Path) -> pd.DataFrame:
        """What one label file says: column `clip`, and those of the clips table; NA where nothing is said.

        Raises
        ------
        CorpusError
            As `read`.
        """
        rows = read_rows(path, self.line)
        if self.of_name is not None:
            match = re.search(self.of_name, path.name)
            rows = rows.assign(**(match.groupdict() if match else {}))
        wanted = re.findall(r"{(\w+)}", self.key) or [self.key]
        absent = [column for column in wanted if column not in rows]
        if absent:
            raise CorpusError(
                f"{path}: no column {', '.join(absent)} to name clips by; it has {', '.join(rows.columns)}"
            )
        template = self.key if "{" in self.key else f"{{{self.key}}}"
        keys = [template.format_map(row) for row in rows.to_dict("records")]
        table = rows.drop(columns=[c for c in (*wanted, *self.drop) if c in rows and c not in self.columns])
        table = table.rename(columns=lambda column: self.columns.get(column, column.strip().lower()))
        for column, words in self.values.items():
            if column in table:
                table[column] = table[column].map(lambda value, words=words: words.get(value, value))
        if "sex" in table:
            table["sex"] = [SEXES.get(value[:1].lower(), "") for value in table["sex"]]
        table = table.replace("", pd.NA)
        table.insert(0, "clip", [bare(key) for key in keys])
        return table[table["clip"] != ""]


def read_labelled(root: Path, file: Path, labels: LabelFile) -> pd.DataFrame:
    """The recordings below a folder that a label file names, with what it says of them.

    A name with a folder in it is a path below the root; one without is the name of one recording, wherever it
    lies. Recordings that are not named are left out, and their number is told.

    Parameters
    ----------
    root : Path
    file : Path
        The label file.
    labels : LabelFile
        How it is read.

    Returns
    -------
    pd.DataFrame
        Columns file, emotion, and whatever else is said.

    Raises
    ------
    CorpusError
        As `LabelFile.read`; no column says the emotion; a recording that is named is not there, or two are
        called so.
    """
    table = labels.table(file).drop_duplicates()
    _require_once(table, str(file))
    if "emotion" not in table:
        told = ", ".join(column for column in table if column != "clip")
        raise CorpusError(
            f"{file}: no column emotion; say which one it is with --column, such as --column "
            f"{(told.split(', ') or ['label'])[0]}=emotion; its columns beside the key are {told}"
        )
    places: dict[str, list[PurePosixPath]] = {}
    for place in audio_files(root):
        for name in dict.fromkeys((bare(str(place)), bare(place.name))):
            places.setdefault(name, []).append(place)
    absent = [clip for clip in table["clip"] if clip not in places]
    if absent:
        raise CorpusError(
            f"{file}: {len(absent)} of {len(table)} are not below {root}, first {absent[0]!r}; "
            "bring them, or take their rows out"
        )
    for clip in table["clip"]:
        if len(places[clip]) > 1:
            one, other = places[clip][:2]
            raise CorpusError(
                f"{file}: {clip!r} may be {one} or {other}; name a key with the folder in it, such as "
                "--key '{folder}/{name}'"
            )
    if left := len(audio_files(root)) - len(table):
        logger.warning(f"{root}: {left} recordings are left out, of which {file} says nothing")
    files = [places[clip][0].as_posix() for clip in table["clip"]]
    return table.drop(columns="clip").assign(file=files).reset_index(drop=True)


def _require_once(table: pd.DataFrame, where: str) -> None:
    twice = table["clip"].duplicated(keep=False)
    if twice.any():
        raise CorpusError(
            f"{where}: two things are said of the clip {table['clip'][twice].iloc[0]!r}; keep one row of "
            "each, or name a key that tells them apart"
        )


def bare(key: str) -> str:
    """A clip's name without an audio suffix, with forward slashes.

    Examples
    --------
    >>> bare("train\\\\a.b.WAV"), bare("m1.a_dom_1")
    ('train/a.b', 'm1.a_dom_1')
    """
    key = str(key).strip().replace("\\", "/")
    suffix = key[key.rfind(".") :].lower()
    return key[: -len(suffix)] if suffix in (*SUFFIXES, ".mp4", ".avi") else key


def read_rows(path: Path, line: str | None = None) -> pd.DataFrame:
    """Rows of a label file, as strings.

    Parameters
    ----------
    path : Path
        CSV, TSV or TXT with a header, whatever separates its columns (tab, comma, semicolon, bar; spaces,
        where it is none of these); or JSON.
    line : str, optional
        A regular expression whose named groups are the columns; lines it does not match are passed over.

    Raises
    ------
    CorpusError
        The file cannot be read, or is no table.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if line is not None:
            found = (re.match(line, each) for each in text.splitlines())
            table = pd.DataFrame([match.groupdict("") for match in found if match])
        elif path.suffix.lower() == ".json":
            table = _objects(json.loads(text))
        else:
            table = _separated(text)
    except (OSError, ValueError, csv.Error) as error:
        raise CorpusError(
            f"{path}: not readable as a table of labels ({error}); expected CSV, TSV or TXT with a header, "
            "or JSON with an object for each clip, in UTF-8"
        ) from error
    if table.empty:
        raise CorpusError(f"{path}: says nothing of any clip; expected a row for each below a header")
    return table


def _objects(content: object) -> pd.DataFrame:
    """`{"clip": {...}}`, `{"clip": "angry"}` or `[{...}]` as a table."""
    if isinstance(content, Mapping):
        content = [
            {"key": key, **(told if isinstance(told, Mapping) else {"label": told})}
            for key, told in content.items()
        ]
    if not isinstance(content, list) or not all(isinstance(row, Mapping) for row in content):
        raise ValueError("neither an object nor a list of objects")
    return pd.DataFrame(content).map(lambda value: "" if _absent(value) else str(value).strip())


def _absent(value: object) -> bool:
    return value is None or value != value  # NaN, of an object that lacks what others have


def _separated(text: str) -> pd.DataFrame:
    first = next((each for each in text.splitlines() if each.strip()), "")
    separator = max(SEPARATORS, key=first.count)
    if separator in first:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True))
    else:
        rows = [each.split() for each in text.splitlines()]
    rows = [[value.strip() for value in row] for row in rows if any(value.strip() for value in row)]
    header, *rows = rows or [[]]
    if len(set(header)) < len(header):
        raise ValueError(f"a column is there twice among {', '.join(header)}")
    for number, row in enumerate(rows, start=2):
        if any(row[len(header) :]):
            raise ValueError(f"row {number} has more fields than the header")
    padded = [(row + [""] * len(header))[: len(header)] for row in rows]
    return pd.DataFrame(padded, columns=header, dtype="object")
