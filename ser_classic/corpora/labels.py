"""Labels that are not in a file's name but in tables beside the recordings."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from ser_classic.audio import SUFFIXES, audio_files
from ser_classic.corpora.clips import CorpusError
from ser_classic.corpora.spelling import SEX
from ser_classic.corpora.tables import read_rows
from ser_classic.errors import counted, some

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelFile:
    """A table, or several, with what the names of clips do not say."""

    files: str  # pattern below a corpus's folder, as `**/EmoEvaluation/*.txt`, of tables as for `read_rows`
    # What names the clip: a column, or several as in `dia{Dialogue_ID}_utt{Utterance_ID}`; `key` is what a
    # JSON file's objects are called by. Folders and audio suffixes in it count for nothing, unless the clips
    # of the corpus are told apart by folder.
    key: str
    columns: Mapping[str, str] = field(default_factory=dict)  # to those of the clips table; others stay
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of a column, what its codes mean
    # Where the file is no table: a regular expression whose groups are columns; other lines are not read
    line: str | None = None
    of_name: str | None = None  # a regular expression whose groups are further columns, in the file's name
    drop: tuple[str, ...] = ()  # their columns that are left out
    obtain: str = ""  # how to get the files, where they are not part of the release

    def found(self, root: Path) -> list[Path]:
        """The label files below a folder; without the shadows that archivers leave."""
        return sorted(path for path in root.glob(self.files) if not path.name.startswith("."))

    def read(self, root: Path, name: str) -> pd.DataFrame:
        """Columns of the clips table, indexed by `clip`; strings, NA where nothing is written."""
        paths = self.found(root)
        if not paths:
            how = f". {self.obtain}" if self.obtain else ""
            raise CorpusError(
                f"{name}: its labels are not in the file names, and {root / self.files} is missing{how}"
            )
        table = pd.concat([self.table(path) for path in paths], ignore_index=True).drop_duplicates()
        _require_once(table, f"{name}: {some((path.name for path in paths), 3)}")
        return table.set_index("clip")

    def table(self, path: Path) -> pd.DataFrame:
        """One label file: column `clip`, and those of the clips table; NA where nothing is written."""
        rows = read_rows(path) if self.line is None else _matching(path, self.line)
        if self.of_name is not None:
            match = re.search(self.of_name, path.name)
            rows = rows.assign(**(match.groupdict() if match else {}))
        template = self.key if "{" in self.key else f"{{{self.key}}}"
        wanted = re.findall(r"{(\w+)}", template)
        for columns, purpose in ((wanted, " to name clips by"), (self.columns, "")):
            if absent := [column for column in columns if column not in rows]:
                raise CorpusError(
                    f"{path}: no column {', '.join(absent)}{purpose}; it has {', '.join(rows.columns)}"
                )
        keys = [template.format_map(row) for row in rows.to_dict("records")]
        table = rows.drop(columns=[c for c in (*wanted, *self.drop) if c in rows and c not in self.columns])
        table = table.rename(columns=lambda column: self.columns.get(column, column.strip().lower()))
        for column, codes in self.codes.items():
            if column in table:
                table[column] = table[column].map(lambda value, codes=codes: codes.get(value, value))
        if "sex" in table:
            table["sex"] = [SEX.get(value[:1].lower(), "") for value in table["sex"]]
        table = table.replace("", pd.NA)
        table.insert(0, "clip", [bare(key) for key in keys])
        return table[table["clip"] != ""]


def read_labelled(root: Path, file: Path, labels: LabelFile) -> pd.DataFrame:
    """The recordings below a folder that a label file names: columns file, emotion, and what else it has.

    A name with a folder in it is a path below the root; one without is the name of one recording, wherever it
    lies. Recordings that are not named are left out, with a warning.
    """
    table = labels.table(file)
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise CorpusError(
            f"{file}: two of its columns mean {twice}; give another meaning to one with --column"
        )
    table = table.drop_duplicates()
    _require_once(table, str(file))
    if "emotion" not in table:
        names = [column for column in table if column != "clip"]
        raise CorpusError(
            f"{file}: no column emotion; say which one it is with --column, such as --column "
            f"{(names or ['label'])[0]}=emotion; its columns beside the key are {', '.join(names)}"
        )
    places: dict[str, list[PurePosixPath]] = {}
    recordings = audio_files(root)
    for place in recordings:
        for name in {bare(str(place)), bare(place.name)}:
            places.setdefault(name, []).append(place)
    absent = [clip for clip in table["clip"] if clip not in places]
    if absent:
        raise CorpusError(
            f"{file}: {len(absent)} of {len(table)} are not below {root}, first {absent[0]!r}; "
            "add them, or remove their rows"
        )
    for clip in table["clip"]:
        if len(places[clip]) > 1:
            one, other = places[clip][:2]
            raise CorpusError(
                f"{file}: {clip!r} may be {one} or {other}; name a key with the folder in it, such as "
                "--key '{folder}/{name}'"
            )
    if left := len(recordings) - len(table):
        logger.warning(f"{root}: {counted(left, 'recording')} left out, without a row in {file}")
    files = [places[clip][0].as_posix() for clip in table["clip"]]
    return table.drop(columns="clip").assign(file=files).reset_index(drop=True)


def _require_once(table: pd.DataFrame, where: str) -> None:
    twice = table["clip"].duplicated(keep=False)
    if twice.any():
        raise CorpusError(
            f"{where}: two different rows for the clip {table['clip'][twice].iloc[0]!r}; keep one, or name a "
            "key that tells them apart"
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
    return key[: -len(suffix)] if suffix in SUFFIXES else key


def _matching(path: Path, line: str) -> pd.DataFrame:
    """The named groups of a regular expression as columns, a row for each line of a text that it matches."""
    try:
        found = [re.match(line, each) for each in path.read_text("utf-8-sig").splitlines()]
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    if not any(found):
        raise CorpusError(f"{path}: no line has a label in the form that is expected")
    return pd.DataFrame([match.groupdict("") for match in found if match])
