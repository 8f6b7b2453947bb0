"""Verify a corpus on disk: missing, corrupt, unreadable, duplicate and extra files, told apart and named."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd

from ser_classic import audio
from ser_classic.audio import Part, audio_files
from ser_classic.corpora import CORPORA
from ser_classic.corpora.clips import Corpus, find, parts, speakers_known
from ser_classic.corpora.warnings import by_speaker, warnings_of
from ser_classic.runtime.progress import track


@dataclass(frozen=True)
class Verification:
    """What was found of a corpus, and what is wrong with it.

    Attributes
    ----------
    corpus, root : str
    clips, speakers : int
        Found, clips without the excluded ones.
    expected_clips, expected_speakers : int
        Published, clips without the excluded ones; 0 where nothing is published.
    official : int
        Files whose checksum is that of the official file.
    converted : int
        Files in another format than the official one, to which its checksum does not apply.
    missing : tuple of str
        Official clips that are not there.
    corrupt : tuple of str
        Files that are readable and look like the official ones of their name, and are not; most of those are
        there.
    altered : int
        Files that differ from the official ones as most do, or have a sample rate or channels that none of
        these has: they were encoded anew, so their checksums do not apply.
    unreadable : dict
        Files that are no usable audio, or parts that their files do not have, with the reason.
    duplicates : tuple of tuples of str
        Files of different clips with identical bytes (or the same parts of such), that are not so in the
        official release.
    conflicting : tuple of tuples of str
        Those of the duplicates whose emotions differ: at most one label is right.
    known_duplicates : tuple of tuples of str
        Files that are identical in the official release, too.
    copies : tuple of str
        Second copies of a clip: a doubled tree, counted once.
    extra : tuple of str
        Audio that is no clip of the corpus.
    excluded : dict
        Clips of the release that are left out on purpose, with the reason.
    left_out : dict
        Number of clips by label that the standard task leaves out.
    unlabelled : tuple of str
        Files of clips of which no label file tells anything.
    formats : dict
        Number of files by format, sample rate and channels.
    warnings : tuple of str
        What is to be said against learning from these clips, with what to do; see `warnings_of`
        and `by_speaker`.
    """

    corpus: str
    root: str
    clips: int
    speakers: int
    expected_clips: int
    expected_speakers: int
    official: int
    converted: int
    altered: int
    missing: tuple[str, ...]
    corrupt: tuple[str, ...]
    unreadable: dict[str, str]
    duplicates: tuple[tuple[str, ...], ...]
    conflicting: tuple[tuple[str, ...], ...]
    known_duplicates: tuple[tuple[str, ...], ...]
    copies: tuple[str, ...]
    extra: tuple[str, ...]
    excluded: dict[str, str]
    left_out: dict[str, int]
    unlabelled: tuple[str, ...]
    formats: dict[str, int]
    warnings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every published clip is there, readable, and what it should be; extra files do no harm."""
        return not (self.deviations or self.missing or self.corrupt or self.unreadable or self.duplicates)

    @property
    def deviations(self) -> tuple[str, ...]:
        """How the counts differ from those that are published, in words; fewer is a fault, more is told."""
        told = []
        for what, found, expected in (
            ("clips", self.clips, self.expected_clips),
            ("speakers", self.speakers, self.expected_speakers),
        ):
            if expected and found < expected:
                are = "is" if expected - found == 1 else "are"
                told.append(f"{expected - found} of the {expected} {what} {are} not there")
        return tuple(told)

    @property
    def surplus(self) -> str:
        """That there is more than is published, in words; empty where there is not."""
        if not self.expected_clips or self.clips <= self.expected_clips:
            return ""
        return (
            f"{self.clips - self.expected_clips} more clips than the {self.expected_clips} published: "
            "another edition, or files of another corpus that are called alike"
        )

    @property
    def checksums(self) -> str:
        """How far checksums could be compared, in one sentence."""
        if self.official + self.converted + self.altered + len(self.corrupt) == 0:
            return "no checksums are published: files were read, not compared"
        told = [f"{self.official} files are byte for byte the official ones"] if self.official else []
        for number, how in (
            (self.converted, "were converted to another format"),
            (self.altered, "have other bytes than the official ones, as files have that were encoded anew"),
        ):
            if number:
                told.append(
                    f"{number} files {how}: the official checksums do not apply, they were read instead"
                )
        return "; ".join(told) or "no file is byte for byte the official one"


STATES = ("official", "converted", "corrupt", "unreadable", "excluded", "own")  # of one file


class _Seen(NamedTuple):
    """What a file turned out to be, the digest of its bytes, its format, and why it is unreadable."""

    state: str
    digest: str = ""
    reason: str = ""
    format: str = ""


def verify(root: Path, clips: pd.DataFrame, corpus: Corpus) -> Verification:
    """Read and compare every file of a corpus, as `load` found it.

    Parameters
    ----------
    root : Path
    clips : pd.DataFrame
        Its clips table.
    corpus : Corpus

    Returns
    -------
    Verification
        Faults are reported in it, never raised.
    """
    root = Path(root)
    official, files, copies, extra = _listed(root, clips, corpus)
    left_out, unlabelled = _not_counted(root, corpus)
    published = {} if official is None else official[["file", "sha256"]].to_dict("index")
    sections = {clip: part for clip, part in zip(clips.index, parts(clips), strict=True) if part is not None}
    seen = {
        clip: _look(root, file, corpus, published.get(clip), clip in corpus.excluded, sections.get(clip))
        for clip, file in track(sorted(files.items()), len(files), f"verify {corpus.name}")
    }
    state = {name: [clip for clip, one in seen.items() if one.state == name] for name in STATES}
    differing = state["corrupt"]
    usual = {seen[clip].format for clip in state["official"]}
    if len(differing) > len(state["official"]):  # not some files: the release
        state["corrupt"] = []
    else:  # at another rate or with other channels, a file was encoded anew
        state["corrupt"] = [clip for clip in differing if seen[clip].format in usual]
    altered = len(differing) - len(state["corrupt"])
    digests = {clip: one.digest for clip, one in seen.items() if one.digest}
    groups = _identical({clip: (digest, sections.get(clip)) for clip, digest in digests.items()})
    known = [group for group in groups if set(group) in map(set, _whole(corpus).identical)]
    unexpected = [group for group in groups if group not in known]
    if len(unexpected) <= corpus.duplicates:  # as many as the release has, of which there is no list
        known, unexpected = [*known, *unexpected], []
    emotion = clips["emotion"].to_dict()
    conflicting = [group for group in unexpected if len({emotion.get(clip) for clip in group}) > 1]

    def called(clip: str) -> str:
        return f"{files[clip]} ({sections[clip]} s)" if clip in sections else files[clip]

    def names(groups: list[list[str]]) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(map(called, group)) for group in groups)

    formats = {files[clip]: one.format for clip, one in seen.items() if one.format}
    return Verification(
        corpus=corpus.name,
        root=str(root),
        clips=len(clips),
        speakers=clips["speaker"].nunique() if speakers_known(clips) else 0,
        expected_clips=(
            corpus.clips if official is None or corpus.part_of else len(official) - len(corpus.excluded)
        ),
        expected_speakers=corpus.speakers,
        official=len(state["official"]),
        converted=len(state["converted"]),
        altered=altered,
        missing=tuple(sorted(set(published) - set(files))),
        corrupt=tuple(files[clip] for clip in state["corrupt"]),
        unreadable={called(clip): seen[clip].reason for clip in state["unreadable"]},
        duplicates=names(unexpected),
        conflicting=names(conflicting),
        known_duplicates=names(known),
        copies=copies,
        extra=extra,
        excluded=dict(corpus.excluded),
        left_out=left_out,
        unlabelled=unlabelled,
        formats=dict(Counter(formats.values()).most_common()),
        warnings=(
            *warnings_of(clips.assign(sha256=[digests.get(clip) for clip in clips.index])),
            *by_speaker(clips),
        ),
    )


def _whole(corpus: Corpus) -> Corpus:
    """The corpus of which this one is a part, or itself."""
    return CORPORA[corpus.part_of] if corpus.part_of else corpus


def _listed(
    root: Path, clips: pd.DataFrame, corpus: Corpus
) -> tuple[pd.DataFrame | None, dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """The official list, the file of each clip, second copies of these, and audio that is no clip.

    A part of a corpus has of the list and of the files those of its emotions; the rest is nothing foreign.
    """
    whole = _whole(corpus)
    official = whole.official()
    if official is None and whole.rows is None:
        files = clips["file"].to_dict()
        named = set(files.values())
        return None, files, (), tuple(str(file) for file in audio_files(root) if str(file) not in named)
    found = find(root, whole.name, whole.parse, whole.checksums)
    if official is None:
        files = {clip: str(file) for clip, (file, _) in found.clips.items()}
        copies = tuple(str(file) for _, file in found.copies)
        return None, files, copies, tuple(map(str, found.extra))
    if corpus.part_of:
        emotions = [whole.parse(PurePosixPath(file))["emotion"] for file in official["file"]]
        official = official[[emotion in corpus.emotions for emotion in emotions]]
    files = {clip: str(file) for clip, (file, _) in found.clips.items() if clip in official.index}
    copies = tuple(str(file) for clip, file in found.copies if clip in official.index)
    return official, files, copies, tuple(map(str, found.extra))


def _not_counted(root: Path, corpus: Corpus) -> tuple[dict[str, int], tuple[str, ...]]:
    """Clips that the standard task leaves out, by label, and files of which no label file tells anything."""
    if corpus.rows is None:
        return {}, ()
    rows = corpus.rows(root)
    aside = rows[rows["emotion"].isna()]
    unlabelled = tuple(aside["file"][aside["label"].isna()])
    return aside["label"].dropna().value_counts().to_dict(), unlabelled


def _format(path: Path) -> str:
    """Container, sample rate and channels, in a few words; empty for a file that has no such header."""
    try:
        found = audio.shape(path)
    except audio.AudioError:
        return ""
    channels = {1: "mono", 2: "stereo"}.get(found.channels, f"{found.channels} channels")
    return f"{found.container} {found.rate} Hz {channels}"


def _look(
    root: Path,
    file: str,
    corpus: Corpus,
    published: dict[str, str] | None,
    excluded: bool,
    part: Part | None,
) -> _Seen:
    """Read a file, or a part of it, and compare it to what is published of its clip, if anything is."""
    path = root / file
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return _Seen("unreadable", reason=str(error))
    comparable = published is not None and _same_format(file, published["file"])
    written = _format(path)
    if comparable and digest == published["sha256"]:
        return _Seen("official", digest, format=written)
    if excluded:
        return _Seen("excluded", digest)
    try:
        audio.read(path, channel=corpus.channel, part=part)
    except audio.AudioError as error:
        return _Seen("unreadable", digest, str(error).removeprefix(f"{path}: "))
    if comparable:
        return _Seen("corrupt", digest, format=written)
    return _Seen("own" if published is None else "converted", digest, format=written)


def _identical(digests: dict[str, tuple[str, Part | None]]) -> list[list[str]]:
    """Groups of clips that are the same part of files of one digest."""
    groups: dict[tuple[str, Part | None], list[str]] = defaultdict(list)
    for clip, digest in digests.items():
        groups[digest].append(clip)
    return [group for group in groups.values() if len(group) > 1]


def _same_format(file: str, official: str) -> bool:
    """Whether a file has the extension of the official one, so that its checksum applies."""
    return Path(file).suffix.lower() == Path(official).suffix.lower()
