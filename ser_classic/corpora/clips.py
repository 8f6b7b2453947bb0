"""The clips table and what a corpus is: its facts, its label grammar, its official list of files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from ser_classic.audio import Part, audio_files
from ser_classic.errors import SerClassicError
from ser_classic.vocabulary import DIMENSIONS, EMOTIONS

COLUMNS = ("file", "corpus", "speaker", "emotion", "label", "sex", "sentence")
PART = ("start", "end")  # [s] columns of a table some of whose clips are parts of a file
SEXES = ("female", "male")
CHECKSUMS = Path(__file__).parent / "checksums"

Parser = Callable[[PurePosixPath], "dict[str, str] | None"]


class CorpusError(SerClassicError):
    """A corpus that is absent, incomplete or not laid out as expected."""


@dataclass(frozen=True)
class Archive:
    """One archive that holds a whole corpus.

    Attributes
    ----------
    url : str
    file : str
        The archive's own name, which a mirror is expected to keep.
    checksum : str, optional
        `md5:...` or `sha256:...` of the archive, where its publisher states one.
    """

    url: str
    file: str
    checksum: str | None = None


@dataclass(frozen=True)
class Corpus:
    """A corpus and what its publisher says of it.

    Attributes
    ----------
    name : str
        Its name everywhere: table, folder under the data folder, column, command line.
    scan : callable (Path) -> pd.DataFrame
        Clips table of the files below a folder, as checked by `check_clips`; audio is not read.
    clips, speakers : int
        Published counts; 0 where nothing is published (a manifest).
    channel : int, optional
        Channel to take from files with several; their mean by default.
    make : callable (Path) -> None, optional
        Writes the audio of an embedded corpus below a folder.
    version : int
        Of an embedded corpus: raised whenever `make` writes something else, so that old audio is not reused.
    parse : callable (PurePosixPath) -> dict or None, optional
        What a file's path tells: the columns of its row, and `clip`, its name without the corpus; None for a
        file that is no clip of the corpus.
    checksums : Path, optional
        TSV of every official file: file, sha256, bytes.
    folders : tuple of str
        Other names that the corpus's folder has in common packagings.
    excluded : mapping
        Clips of the release that the table leaves out, with the reason.
    identical : tuple of tuples of str
        Clips that are byte-identical in the official release.
    archive : Archive, optional
        Where the corpus can be downloaded in one piece.
    files_url : str, optional
        Where the files of the official list can be downloaded one by one.
    obtain : str
        How to get it by hand, where it may not or cannot be downloaded by a program.
    part_of : str, optional
        The corpus in whose folder it lies and with which it is downloaded.
    emotions : tuple of str
        Of a part of a corpus, or where there is no official list: the words of its standard task.
    access : {"open", "registration", "request", "made"}
        What it takes to get it; `made` is made here.
    style : str
        How the emotions came about: acted, elicited, natural, and where.
    layout : tuple of str
        Files as the release calls them, one of each kind.
    anomalies : tuple of str
        What is odd about the release.
    rows : callable (Path) -> pd.DataFrame, optional
        As `scan`, with the clips of the release that the standard task leaves out; `emotion` is NA for them,
        and `label` where nothing tells it.
    left_out : mapping
        Labels whose clips are left out, and why.
    label_files : str
        Pattern of the files below its folder that hold labels.
    columns : tuple of str
        Further columns of its clips table.
    duplicates : int
        Groups of identical files in the release, where `identical` does not list them.
    same_speakers : tuple of str
        Corpora of the same people, which are not other speakers to it.
    ratings : mapping of str to callable (clips table) -> np.ndarray
        Of an embedded corpus: the dimensions of `DIMENSIONS` that it knows and its clips table lacks.

    Raises
    ------
    CorpusError
        A count that is no number.
    """

    name: str
    title: str
    url: str
    licence: str
    citation: str
    language: str
    scan: Callable[[Path], pd.DataFrame]
    clips: int
    speakers: int
    channel: int | None = None
    make: Callable[[Path], None] | None = None
    version: int = 1
    parse: Parser | None = None
    checksums: Path | None = None
    folders: tuple[str, ...] = ()
    excluded: Mapping[str, str] = field(default_factory=dict)
    identical: tuple[tuple[str, ...], ...] = ()
    archive: Archive | None = None
    files_url: str | None = None
    obtain: str = ""
    part_of: str | None = None
    emotions: tuple[str, ...] = ()
    access: str = "open"
    style: str = ""
    layout: tuple[str, ...] = ()
    anomalies: tuple[str, ...] = ()
    rows: Callable[[Path], pd.DataFrame] | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    label_files: str = ""
    columns: tuple[str, ...] = ()
    duplicates: int = 0
    same_speakers: tuple[str, ...] = ()
    ratings: Mapping[str, Callable[[pd.DataFrame], np.ndarray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for count in (self.clips, self.speakers):
            if not isinstance(count, int):
                raise CorpusError(f"{self.name}: {count!r} clips or speakers, expected a number, or 0")

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Those of `DIMENSIONS` that its clips have as numbers."""
        return tuple(name for name in DIMENSIONS if name in self.columns or name in self.ratings)

    def remedy(self, what: str = "it") -> str:
        """How to get it, or what of it `what` stands for: a command, or what is to be done by hand before."""
        fetch = f"ser-classic corpora fetch {self.part_of or self.name}"
        if not self.obtain:
            return f"Get {what} with: {fetch}"
        return f"{self.obtain[0].upper()}{self.obtain[1:]}, then: {fetch} --from ARCHIVE_OR_FOLDER"

    def official(self) -> pd.DataFrame | None:
        """Official files by clip, columns file, sha256, bytes, speaker; None where there is no list."""
        if self.checksums is None or self.parse is None:
            return None
        return official(self.name, self.parse, self.checksums)


@dataclass(frozen=True)
class Found:
    """What lies below a corpus's folder.

    Attributes
    ----------
    clips : dict
        File and row of every clip, excluded ones too.
    copies : list of (clip, file)
        Further files of a clip that was found already: a doubled tree.
    extra : list of PurePosixPath
        Audio that is no clip of the corpus.
    """

    clips: dict[str, tuple[PurePosixPath, dict[str, str]]]
    copies: list[tuple[str, PurePosixPath]]
    extra: list[PurePosixPath]


@lru_cache(maxsize=16)
def official(name: str, parse: Parser, checksums: Path) -> pd.DataFrame:
    """Read the list of a corpus's official files; indexed by clip, columns file, sha256, bytes, speaker."""
    files = pd.read_csv(checksums, sep="\t", dtype={"file": str, "sha256": str, "bytes": "int64"})
    rows = [parse(PurePosixPath(file)) for file in files["file"]]
    if None in rows:
        raise CorpusError(
            f"{checksums}: {files['file'][rows.index(None)]!r} does not follow {name}'s own grammar"
        )
    files["speaker"] = [row["speaker"] for row in rows]
    files.index = pd.Index([f"{name}/{row['clip']}" for row in rows], name="clip")
    return files


def find(root: Path, name: str, parse: Parser, checksums: Path | None = None) -> Found:
    """Tell a corpus's clips, second copies of them, and foreign audio apart, by file name alone.

    Where there is an official list, only its clips count.
    """
    known = official(name, parse, checksums).index if checksums else None
    found = Found({}, [], [])
    for file in audio_files(root):
        row = parse(file)
        clip = f"{name}/{row['clip']}" if row else None
        if clip is None or (known is not None and clip not in known):
            found.extra.append(file)
        elif clip in found.clips:
            found.copies.append((clip, file))
        else:
            found.clips[clip] = (file, row)
    return found


def scan_names(
    root: Path,
    name: str,
    parse: Parser,
    checksums: Path | None = None,
    excluded: Collection[str] = (),
) -> pd.DataFrame:
    """Build the clips table of a corpus whose file names tell everything.

    Raises
    ------
    CorpusError
        There is no clip of the corpus below the folder.
    """
    clips = find(root, name, parse, checksums).clips
    rows = {
        clip: {"file": file.as_posix(), "corpus": name, **row, "speaker": f"{name}/{row['speaker']}"}
        for clip, (file, row) in clips.items()
        if clip not in excluded
    }
    if not rows:
        such = f" such as {official(name, parse, checksums)['file'].iloc[0]}" if checksums else ""
        raise CorpusError(
            f"{name}: no clip of it under {root}; expected files{such}. "
            f"Get them with: ser-classic corpora fetch {name}"
        )
    table = pd.DataFrame.from_dict(rows, orient="index", dtype="str").drop(columns="clip")
    return check_clips(table.rename_axis("clip"))


def check_clips(clips: pd.DataFrame, emotions: Collection[str] | None = EMOTIONS) -> pd.DataFrame:
    """Check a clips table, once, where it is made.

    Parameters
    ----------
    clips : pd.DataFrame
        Indexed by `clip`, with at least the columns of `COLUMNS`.
    emotions : collection of str, optional
        Emotion words that may occur; None allows any word (a corpus of one's own).

    Returns
    -------
    pd.DataFrame
        The table sorted by clip, `COLUMNS` first; strings throughout, NA for what is not known. Speakers are
        all known or all NA.

    Raises
    ------
    CorpusError
        Naming the bad value and the expected ones.
    """
    absent = [column for column in COLUMNS if column not in clips.columns]
    if absent:
        raise CorpusError(
            f"clips table: no column {', '.join(absent)}; expected {', '.join(COLUMNS)}, "
            f"found {', '.join(map(str, clips.columns))}"
        )
    if clips.empty:
        raise CorpusError("clips table: it has no rows; a corpus has at least one clip")
    clips = clips[[*COLUMNS, *(column for column in clips.columns if column not in COLUMNS)]]
    clips = clips.rename_axis("clip").sort_index()

    for column in ("file", "corpus", "emotion", "label"):
        _refuse(clips, clips[column].isna() | clips[column].eq(""), column, "a value")
    _refuse(clips, clips.index.duplicated(), None, "each clip once")
    known = [column for column in ("file", *PART) if column in clips]
    _refuse(clips, clips.duplicated(known), "file", "each file, or part of one, once")
    empty = [part is not None and part.end is not None and part.end <= part.start for part in parts(clips)]
    _refuse(clips, empty, None, "a part with its end after its start")
    _refuse(
        clips, clips["file"].map(_leaves), "file", "a path below the corpus's folder, with forward slashes"
    )
    broken = clips["file"].str.contains(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
    _refuse(clips, broken, "file", "a name without line breaks and the like; rename it")
    named = [
        str(clip).startswith(f"{corpus}/") for clip, corpus in zip(clips.index, clips["corpus"], strict=True)
    ]
    _refuse(clips, [not known for known in named], None, "a clip named <corpus>/...")
    if emotions is not None:
        _refuse(clips, ~clips["emotion"].isin(list(emotions)), "emotion", f"one of {', '.join(emotions)}")
    else:
        wordless = ~clips["emotion"].str.fullmatch(r"[^\s,/]+")
        _refuse(clips, wordless, "emotion", "one word without spaces, commas or slashes")
    _refuse(
        clips, ~clips["sex"].isin(SEXES) & clips["sex"].notna(), "sex", f"{' or '.join(SEXES)}, or nothing"
    )
    if speakers_known(clips):
        owned = [
            isinstance(speaker, str) and re.match(rf"{re.escape(corpus)}/.", speaker) is not None
            for speaker, corpus in zip(clips["speaker"], clips["corpus"], strict=True)
        ]
        _refuse(
            clips, [not known for known in owned], "speaker", "<corpus>/<speaker> for every clip, or for none"
        )
    return clips


def parts(clips: pd.DataFrame) -> list[Part | None]:
    """Of each clip, the part of its file that it is; None where it is the whole file."""
    if not set(PART) <= set(clips):
        return [None] * len(clips)
    starts, ends = (pd.to_numeric(clips[column]) for column in PART)
    return [
        None
        if pd.isna(start) and pd.isna(end)
        else Part(0.0 if pd.isna(start) else start, None if pd.isna(end) else end)
        for start, end in zip(starts, ends, strict=True)
    ]


def speakers_known(clips: pd.DataFrame) -> bool:
    """Whether a clips table says who speaks; without, only a leaky protocol can be run."""
    return bool(clips["speaker"].notna().any())


def require_speakers(clips: pd.DataFrame, purpose: str) -> None:
    """Refuse clips without speakers, of one corpus or of several, for a purpose that needs them.

    Raises
    ------
    CorpusError
        Nothing is known of the speakers of a corpus; says how to name them and what can be run without.
    """
    unknown = clips["corpus"][clips["speaker"].isna()]
    if len(unknown):
        raise CorpusError(
            f"{unknown.iloc[0]}: nothing says who speaks, and {purpose} needs to know. Add a column "
            "`speaker` to the manifest, or give a pattern with --speaker, such as '^[^/]+/([^_]+)_'. "
            "Without speakers only a leaky protocol can be run (random5, holdout25); its scores say nothing "
            "about new speakers"
        )


def _leaves(file: str) -> bool:
    """Whether a path is not one below its folder."""
    return "\\" in file or PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts


def _refuse(clips: pd.DataFrame, bad: Collection[bool], column: str | None, expected: str) -> None:
    bad = pd.Series(list(bad), index=clips.index, dtype=bool).to_numpy()
    if not bad.any():
        return
    first = clips[bad].iloc[0]
    value = first.name if column is None else first[column]
    what = f"clip {value!r}" if column is None else f"{column} {value!r} of {first.name}"
    more = f" (and {bad.sum() - 1} more)" if bad.sum() > 1 else ""
    raise CorpusError(f"clips table: bad {what}{more}; expected {expected}")
