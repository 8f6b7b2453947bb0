"""How a corpus's release is read: the grammar of its names, its words, label files where it has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from ser_classic.corpora.clips import COLUMNS, EMOTIONS, Corpus, CorpusError, check_clips, find
from ser_classic.corpora.labels import SEXES, LabelFile
from ser_classic.vocabulary import ordered


@dataclass(frozen=True, eq=False)
class Release:
    """What the names of a release's files tell, and where the rest is told.

    Attributes
    ----------
    name : str
        Of the corpus.
    pattern : str
        Regular expression of a file's name without suffix. Its groups are columns of the clips table:
        `emotion` is the label, `speaker`, `sex`, `sentence`, and any other.
    emotions : mapping
        Labels to our words; the words of the corpus's standard task.
    left_out : mapping
        Labels whose clips the standard task leaves out, and why.
    whole : bool
        The pattern is looked for in the path below the corpus's folder, not in the name alone.
    clip, speaker : str
        What they are called, of the groups and `{stem}`.
    sex : callable or mapping, optional
        Sex of a speaker by number or name, where no group tells it.
    words : mapping
        For a group, what its codes mean.
    more : callable, optional
        Further columns, from the groups.
    labels : LabelFile, optional
        Says what the names do not; its columns take the place of what the names say.
    excluded : mapping
        Clips that the table leaves out, and why.
    own_words : tuple of str
        Of `emotions`, those that are no words of `EMOTIONS`.
    """

    name: str
    pattern: str
    emotions: Mapping[str, str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    clip: str = "{stem}"
    speaker: str = "{speaker}"
    sex: Callable[[str], str] | Mapping[str, str] | None = None
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    more: Callable[[dict[str, str]], dict[str, str]] | None = None
    labels: LabelFile | None = None
    excluded: Mapping[str, str] = field(default_factory=dict)
    own_words: tuple[str, ...] = ()

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the clips table beside those that every corpus has."""
        told = [*self._compiled.groupindex]
        if self.labels is not None:
            told += [*self.labels.columns.values(), *re.findall(r"\?P<(\w+)>", self.labels.line or "")]
        return tuple(dict.fromkeys(name for name in told if name not in (*COLUMNS, "clip")))

    def parse(self, file: PurePosixPath) -> dict[str, str] | None:
        """What a file's name tells: the columns of its row, and `clip`; None for no clip of the corpus.

        `emotion` and `label` are absent where a label file tells them; `emotion` is absent of a clip that is
        left out.
        """
        bare = str(file.with_suffix("")) if file.suffix else str(file)
        match = self._compiled.search(bare) if self.whole else self._compiled.fullmatch(file.stem)
        if match is None:
            return None
        told = {
            name: self.words.get(name, {}).get(value, value)
            for name, value in match.groupdict().items()
            if value is not None
        }
        row = {"clip": self.clip.format_map(told | {"stem": file.stem})}
        if "speaker" in match.re.groupindex or self.speaker != "{speaker}":
            row["speaker"] = self.speaker.format_map(told)
        label = told.pop("emotion", None)
        if label is not None:
            if label not in self.emotions and label not in self.left_out:
                return None
            row["label"] = label
            if label in self.emotions:
                row["emotion"] = self.emotions[label]
        row |= {name: value for name, value in told.items() if name not in row}
        if "sex" in told:
            row["sex"] = SEXES[told["sex"][0].lower()]
        elif self.sex is not None:
            sex = self.sex(row["speaker"]) if callable(self.sex) else self.sex.get(row["speaker"])
            row |= {"sex": sex} if sex else {}
        if self.more is not None:
            row |= self.more(told | row)
        return row

    def scan(self, root: Path) -> pd.DataFrame:
        """The clips table of the standard task.

        Raises
        ------
        CorpusError
            There is no clip below the folder, or no label file; or a label is not known.
        """
        rows = self.rows(root)
        rows = rows[rows["emotion"].notna() & ~rows.index.isin(list(self.excluded))]
        if rows.empty:
            raise CorpusError(
                f"{self.name}: {root} holds none of its clips that has a label of the standard task"
            )
        return check_clips(rows.astype("str"), emotions={*EMOTIONS, *self.own_words})

    def rows(self, root: Path) -> pd.DataFrame:
        """A row for every clip found; `label` is NA where nothing tells it, `emotion` where it is left out.

        Raises
        ------
        CorpusError
            As `scan`.
        """
        found = find(root, self.name, self.parse).clips
        if not found:
            raise CorpusError(
                f"{self.name}: no clip of it under {root}; expected audio files called as in its release "
                f"(see: ser-classic corpora show {self.name})"
            )
        told = {clip: {"file": file.as_posix(), **row} for clip, (file, row) in found.items()}
        rows = pd.DataFrame.from_dict(told, orient="index", dtype="object").rename_axis("clip")
        if self.labels is not None:
            rows = self._joined(rows, self.labels.read(root, self.name))
        rows = rows.drop(columns="clip", errors="ignore")
        rows["corpus"] = self.name
        for column in COLUMNS:
            if column not in rows:
                rows[column] = pd.NA
        rows["speaker"] = [pd.NA if pd.isna(who) else f"{self.name}/{who}" for who in rows["speaker"]]
        return rows

    def _joined(self, rows: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
        """Rows with what the label files say of them."""
        said = labels.reindex(rows["clip"])
        said.index = rows.index
        rows = rows.drop(columns=[column for column in said if column in rows]).join(said)
        if "label" in rows:
            rows["emotion"] = rows["label"].map(self.emotions)
            new = rows[rows["label"].notna() & ~rows["label"].isin([*self.emotions, *self.left_out])]
            if len(new):
                raise CorpusError(
                    f"{self.name}: the label {new['label'].iloc[0]!r} of {new.index[0]} is not known; its "
                    f"labels are {', '.join([*self.emotions, *self.left_out])}"
                )
        return rows


def odd_is_male(number: str) -> str:
    """Sex of speakers that are numbered so."""
    return "male" if int(number) % 2 else "female"


def by_name(female: str, male: str) -> dict[str, str]:
    """Sex of speakers, listed."""
    return dict.fromkeys(female.split(), "female") | dict.fromkeys(male.split(), "male")


def described(release: Release, *, also: Collection[str] = (), **facts: Any) -> Corpus:
    """A corpus that its release describes.

    Parameters
    ----------
    release : Release
    also : collection of str
        Other names of its folder.
    **facts
        Of `Corpus`.
    """
    return Corpus(
        name=facts.pop("name", release.name),
        scan=release.scan,
        parse=release.parse,
        rows=release.rows,
        left_out=release.left_out,
        emotions=ordered(release.emotions.values()),
        columns=release.columns,
        label_files=release.labels.files if release.labels else "",
        folders=tuple(also),
        excluded=release.excluded,
        **facts,
    )
