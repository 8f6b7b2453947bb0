"""What a corpus is: its facts, how its files are named, and the official list of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser_classic.audio import audio_files
from ser_classic.corpora.clips import COLUMNS, CorpusError
from ser_classic.corpora.labels import LabelFile
from ser_classic.corpora.spelling import SEX, SYNONYMS
from ser_classic.vocabulary import DIMENSIONS

CHECKSUMS = Path(__file__).parent / "checksums"


class Found(NamedTuple):
    """Below a corpus's folder: file and row of each clip, second copies of clips, and other audio."""

    clips: dict[str, tuple[PurePosixPath, dict[str, str]]]
    copies: list[PurePosixPath]
    extra: list[PurePosixPath]


@dataclass(frozen=True, eq=False)
class Corpus:
    """A corpus: what its publisher says of it, and how its files are read.

    Attributes
    ----------
    name : str
        Its name everywhere: table, folder under the data folder, column, command line.
    title, url, licence, citation, language : str
    clips, speakers : int
        Published counts; 0 where nothing is published.
    pattern : str
        Regular expression of a file's name without suffix; one with a slash is looked for in the path below
        the corpus's folder. Its groups are columns of the clips table: `emotion` is the label, `speaker`,
        `sex`, `sentence`, and any other.
    emotions : mapping
        Labels to our words, those of the corpus's standard task; see `parse_codes`.
    left_out : mapping
        Labels whose clips the standard task leaves out, and why.
    clip, speaker : str
        How their names are made of the groups and `{stem}`.
    by_speaker : mapping
        For a column that is not a group, such as `sex`, its value by speaker.
    codes : mapping
        For a group, what its codes mean; see `parse_codes`.
    recurring : int
        Number of sentences, if the group `number` goes on counting when they are repeated.
    labels : LabelFile, optional
        Labels that are not in the file names; its columns replace those from the names.
    excluded : mapping
        Clips that the table leaves out, and why.
    misspelled : mapping
        File names without suffix that other packagings misspell, and the official ones.
    checksums : str, optional
        TSV of every official file: file, sha256, bytes. With it, no other file is a clip, and names may
        differ in case.
    table : callable (Path) -> pd.DataFrame, optional
        For a corpus that is read in another way: gives the clips table of the files below a folder, as
        `check_clips` requires it, without reading audio.
    channel : int, optional
        Channel to take from files with several; their mean by default.
    make : callable (Path) -> None, optional
        Writes the audio of an embedded corpus below a folder.
    version : int
        Of an embedded corpus: raised whenever `make` writes something else, so that old audio is not reused.
    folders : tuple of str
        Other names of the corpus's folder in common packagings; punctuation and case do not matter.
    duplicates : int
        Number of groups of identical files in the release, if it has no list of checksums.
    archive : str
        Address of the whole corpus as one file; after a `#`, the file's name if the address lacks it.
    files_url : str
        Address from which the official files can be downloaded one by one.
    obtain : str
        How to get it by hand, if a program may not or cannot download it; by default, from its `url`.
    part_of : str, optional
        The corpus that it is a part of, in whose folder its clips are and with which they are downloaded.
    access : {"open", "registration", "request", "made"}
        How to get it; `made` is made by this package.
    style : str
        How the emotions came about: acted, elicited, natural, and where.
    layout : tuple of str
        Examples of file names in the release, one of each kind.
    anomalies : tuple of str
        What is odd about the release.
    same_speakers : tuple of str
        Corpora with the same people, who are not new speakers for it.
    ratings : mapping of str to callable (clips table) -> np.ndarray
        Of an embedded corpus: dimensions of `DIMENSIONS` that are not in its clips table.

    Raises
    ------
    CorpusError
        A count is not a number.
    """

    name: str
    title: str
    url: str = ""
    licence: str = ""
    citation: str = ""
    language: str = ""
    clips: int = 0
    speakers: int = 0
    pattern: str = ""
    emotions: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    clip: str = "{stem}"
    speaker: str = "{speaker}"
    by_speaker: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    recurring: int = 0
    labels: LabelFile | None = None
    excluded: Mapping[str, str] = field(default_factory=dict)
    misspelled: Mapping[str, str] = field(default_factory=dict)
    checksums: str | Path | None = None
    table: Callable[[Path], pd.DataFrame] | None = None
    channel: int | None = None
    make: Callable[[Path], None] | None = None
    version: int = 1
    folders: tuple[str, ...] = ()
    duplicates: int = 0
    archive: str = ""
    files_url: str = ""
    obtain: str = ""
    part_of: str | None = None
    access: str = "open"
    style: str = ""
    layout: tuple[str, ...] = ()
    anomalies: tuple[str, ...] = ()
    same_speakers: tuple[str, ...] = ()
    ratings: Mapping[str, Callable[[pd.DataFrame], np.ndarray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for count in (self.clips, self.speakers):
            if not isinstance(count, int):
                raise CorpusError(f"{self.name}: {count!r} clips or speakers, expected a number, or 0")
        if self.url and not (self.make or self.archive or self.files_url or self.obtain):
            how = "ask for it at" if self.access == "request" else "download it from"
            object.__setattr__(self, "obtain", f"{how} {self.url}")

    @property
    def release(self) -> str:
        """The corpus whose name its clips begin with: the one that it is a part of, or itself."""
        return self.part_of or self.name

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that its file names and labels add to those that every clips table has."""
        names = [*self._compiled.groupindex]
        if self.labels is not None:
            names += [*self.labels.columns.values(), *re.findall(r"\?P<(\w+)>", self.labels.line or "")]
        return tuple(dict.fromkeys(name for name in names if name not in (*COLUMNS, "clip")))

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Those of `DIMENSIONS` that its clips have as numbers."""
        return tuple(name for name in DIMENSIONS if name in self.columns or name in self.ratings)

    @property
    def expected(self) -> int:
        """Clips of the whole corpus, without the excluded ones; 0 where nothing is published."""
        return self.clips if self.official is None else len(self.official) - len(self.excluded)

    def remedy(self, what: str = "it") -> str:
        """How to get it, or the part of it that `what` names: a command, or first something by hand."""
        fetch = f"ser-classic corpora fetch {self.release}"
        if not self.obtain:
            return f"Get {what} with: {fetch}"
        return f"{self.obtain[0].upper()}{self.obtain[1:]}, then: {fetch} --from ARCHIVE_OR_FOLDER"

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def parse(self, file: PurePosixPath) -> dict[str, str] | None:
        """The columns of a file's row, from its name, and `clip`; None if it is not a clip of the corpus.

        `emotion` and `label` are absent if a label file has them, and `emotion` if the clip is left out.
        """
        stem = self._spellings.get(file.stem.casefold(), file.stem)
        whole = "/" in self.pattern
        match = self._compiled.search(f"{file.parent}/{stem}") if whole else self._compiled.fullmatch(stem)
        if match is None:
            return None
        groups = {
            name: self.codes.get(name, {}).get(value, value)
            for name, value in match.groupdict().items()
            if value is not None
        }
        row = {"clip": self.clip.format_map(groups | {"stem": stem})}
        if "speaker" in match.re.groupindex or self.speaker != "{speaker}":
            row["speaker"] = self.speaker.format_map(groups)
        label = groups.pop("emotion", None)
        if label is not None:
            if label not in self.emotions and label not in self.left_out:
                return None
            row["label"] = label
            if label in self.emotions:
                row["emotion"] = self.emotions[label]
        row |= {name: value for name, value in groups.items() if name not in row}
        if "sex" in groups:
            row["sex"] = SEX[groups["sex"][0].lower()]
        for column, values in self.by_speaker.items():
            if row.get("speaker") in values:
                row[column] = values[row["speaker"]]
        if self.recurring:
            said = (int(row["number"]) - 1) % self.recurring + 1
            row["sentence"] = f"{row.get('language', '')} {said}".strip()
        return row

    @cached_property
    def _listed(self) -> pd.DataFrame | None:
        if self.checksums is None:
            return None
        return pd.read_csv(CHECKSUMS / self.checksums, sep="\t", dtype={"file": str, "sha256": str})

    @cached_property
    def _spellings(self) -> dict[str, str]:
        """Official file names without suffix, by the same in lower case."""
        listed = () if self._listed is None else map(PurePosixPath, self._listed["file"])
        return {file.stem.casefold(): file.stem for file in listed} | {
            wrong.casefold(): right for wrong, right in self.misspelled.items()
        }

    @cached_property
    def official(self) -> pd.DataFrame | None:
        """Official files of the standard task by clip: file, sha256, bytes, speaker; None without a list."""
        if self._listed is None:
            return None
        files = self._listed.copy()
        rows = [self.parse(PurePosixPath(file)) for file in files["file"]]
        if None in rows:
            raise CorpusError(
                f"{self.checksums}: {files['file'][rows.index(None)]!r} does not match {self.name}'s pattern"
            )
        files["speaker"] = [row["speaker"] for row in rows]
        files.index = pd.Index([f"{self.release}/{row['clip']}" for row in rows], name="clip")
        return files[["emotion" in row for row in rows]]

    def find(self, root: Path) -> Found:
        """Clips, second copies of them and other audio below a folder, by file name alone."""
        found = Found({}, [], [])
        for file in audio_files(root):
            row = self.parse(file)
            clip = f"{self.release}/{row['clip']}" if row else None
            unlisted = self.official is not None and clip not in self.official.index
            if row is None or (unlisted and "emotion" in row):
                found.extra.append(file)
            elif clip in found.clips:
                found.copies.append(file)
            else:
                found.clips[clip] = (file, row)
        return found

    def scan(self, root: Path) -> pd.DataFrame:
        """The clips table of the standard task.

        Raises
        ------
        CorpusError
            There is no clip below the folder, no label file, or a label is not known.
        """
        if self.table is not None:
            return self.table(root)
        rows = self.rows(root)
        rows = rows[rows["emotion"].notna() & ~rows.index.isin(list(self.excluded))]
        if rows.empty:
            raise CorpusError(
                f"{self.name}: no clip under {root} has one of the labels {', '.join(self.emotions)}"
            )
        return rows.astype("str")

    def rows(self, root: Path) -> pd.DataFrame:
        """A row for every clip found; `label` is NA if it has none, `emotion` if it is left out."""
        found = self.find(root).clips
        if not found:
            such = "" if self.official is None else f" such as {self.official['file'].iloc[0]}"
            raise CorpusError(
                f"{self.name}: no clip of it under {root}; expected audio files{such}, named as in its "
                f"release (see: ser-classic corpora show {self.name})"
            )
        named = {clip: {"file": file.as_posix(), **row} for clip, (file, row) in found.items()}
        rows = pd.DataFrame.from_dict(named, orient="index", dtype="object").rename_axis("clip").sort_index()
        if self.labels is not None:
            rows = self._joined(rows, self.labels.read(root, self.name))
        rows = rows.drop(columns="clip", errors="ignore")
        rows["corpus"] = self.release
        rows[[column for column in COLUMNS if column not in rows]] = pd.NA
        rows["speaker"] = [pd.NA if pd.isna(who) else f"{self.release}/{who}" for who in rows["speaker"]]
        return rows

    def _joined(self, rows: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
        """Rows with the columns of the label files."""
        labels = labels.reindex(rows["clip"]).set_axis(rows.index)
        rows = rows.drop(columns=[column for column in labels if column in rows]).join(labels)
        if "label" in rows:
            rows["emotion"] = rows["label"].map(self.emotions)
            new = rows[rows["label"].notna() & ~rows["label"].isin([*self.emotions, *self.left_out])]
            if len(new):
                raise CorpusError(
                    f"{self.name}: the label {new['label'].iloc[0]!r} of {new.index[0]} is not known; its "
                    f"labels are {', '.join([*self.emotions, *self.left_out])}"
                )
        return rows


def parse_codes(text: str) -> dict[str, str]:
    """What codes mean, as in `W=angry`; a word alone is an emotion, one of ours or a synonym.

    Examples
    --------
    >>> parse_codes("fearful sad N=neutral")
    {'fearful': 'fear', 'sad': 'sad', 'N': 'neutral'}
    """
    pairs = (each.partition("=") for each in text.split())
    return {word: meaning or SYNONYMS.get(word.lower(), word.lower()) for word, _, meaning in pairs}
