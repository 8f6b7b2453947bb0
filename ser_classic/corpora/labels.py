"""Labels that are not in a file's name but in tables beside the recordings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ser_classic.audio import SUFFIXES
from ser_classic.corpora.clips import CorpusError
from ser_classic.corpora.spelling import SEX
from ser_classic.corpora.tables import keyed, read_rows
from ser_classic.errors import some, wrap_errors
from ser_classic.vocabulary import LISTED


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
        for clip in table["clip"][table["clip"].duplicated()]:
            where = some((path.name for path in paths), 3)
            raise CorpusError(f"{name}: {where}: two different rows for the clip {clip!r}; keep one")
        return table.set_index("clip")

    def table(self, path: Path) -> pd.DataFrame:
        """One label file: column `clip`, and those of the clips table; NA where nothing is written."""
        rows = read_rows(path) if self.line is None else _matching(path, self.line)
        if self.of_name is not None:
            match = re.search(self.of_name, path.name)
            rows = rows.assign(**(match.groupdict() if match else {}))
        keys, table = keyed(rows, path, self.key, self.columns)
        table = table.drop(columns=[column.lower() for column in self.drop], errors="ignore")
        for column, codes in self.codes.items():
            if column in table:
                table[column] = table[column].map(lambda value, codes=codes: codes.get(value, value))
        if "sex" in table:
            table["sex"] = [SEX.get(value[:1].lower(), "") for value in table["sex"]]
        table = table.replace("", pd.NA)
        table.insert(0, "clip", [bare(key) for key in keys])
        return table[table["clip"] != ""]


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


def named(keys: pd.Series, clips: pd.DataFrame) -> pd.Series:
    """The clip that each key means: its name or its file, with or without the corpus and an audio suffix.

    Its file may be as its manifest lists it, too. NaN where it means no clip, or several.
    """
    keys = keys.str.replace("\\", "/", regex=False).str.removeprefix("./")
    names = pd.Series(clips.index, clips.index)
    listed = [clips[LISTED].dropna().str.removeprefix("./")] if LISTED in clips else []
    forms = (
        names,
        names.str.partition("/")[2],
        clips["file"],
        clips["corpus"] + "/" + clips["file"],
        *listed,
    )
    known = pd.concat(forms).rename_axis("clip").rename("name").reset_index()
    found = pd.Series(float("nan"), keys.index, dtype=object)
    for form in (str, bare):
        of = known.assign(name=known["name"].map(form)).drop_duplicates()
        of = of.drop_duplicates("name", keep=False).set_index("name")["clip"]
        found = found.fillna(keys.map(form).map(of))
    return found


def example_key(clips: pd.DataFrame) -> str:
    """A key that names a clip: the file of the last one, or its name where a file holds several."""
    return clips["file"].iloc[-1] if clips["file"].is_unique else clips.index[-1]


def _matching(path: Path, line: str) -> pd.DataFrame:
    """The named groups of a regular expression as columns, a row for each line of a text that it matches."""
    with wrap_errors(f"{path}: cannot be read as UTF-8 text"):
        found = [re.match(line, each) for each in path.read_text("utf-8-sig").splitlines()]
    if not any(found):
        raise CorpusError(f"{path}: no line has a label in the form that is expected")
    return pd.DataFrame([match.groupdict("") for match in found if match])
