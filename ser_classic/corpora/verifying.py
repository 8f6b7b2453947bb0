"""Verify a corpus on disk: name its missing, corrupt, unreadable, duplicate and extra files."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ser_classic import audio
from ser_classic.audio import Part, audio_files
from ser_classic.corpora.clips import parts
from ser_classic.corpora.corpus import Corpus
from ser_classic.corpora.warnings import warnings_of
from ser_classic.runtime.progress import track


@dataclass(frozen=True)
class Verification:
    """What was found of a corpus, and what is wrong with it.

    Counts are without the excluded clips, and 0 where nothing is published. `official` files have the
    official checksum, `converted` ones another format; `altered` ones were encoded anew, that is differ as
    most files do, or have a sample rate or channels that no official file has; `corrupt` ones are readable
    and look like official ones, and differ from theirs. `duplicates` are files of different clips with
    identical bytes (or the same parts of such) that are not so in the official release, `conflicting` those
    of them with different emotions. `copies` are second files of a clip, counted once; `extra` is audio that
    is no clip. `left_out` counts clips by labels that the standard task leaves out; `formats` counts files by
    format, sample rate and channels.
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
        return not (self.broken or self.duplicates)

    @property
    def broken(self) -> bool:
        """Whether there is anything that fetching the corpus again would bring."""
        few = self.clips < self.expected_clips or self.speakers < self.expected_speakers
        return bool(few or self.missing or self.corrupt or self.unreadable)

    @property
    def surplus(self) -> str:
        """How many more clips there are than published, in words; empty where there are none."""
        if not self.expected_clips or self.clips <= self.expected_clips:
            return ""
        return (
            f"{self.clips - self.expected_clips} more clips than the {self.expected_clips} published: "
            "another edition, or files of another corpus with the same names"
        )

    @property
    def checksums(self) -> str:
        """How far checksums could be compared, in one sentence."""
        if self.official + self.converted + self.altered + len(self.corrupt) == 0:
            return "no checksums are published: files were read, not compared"
        texts = (
            (self.official, "are identical to the official ones"),
            (self.converted, "were converted to another format: they were read, not compared"),
            (self.altered, "were re-encoded: they were read, as official checksums do not apply"),
        )
        found = [f"{number} files {text}" for number, text in texts if number]
        return "; ".join(found) or "no file is identical to the official one"


class _Seen(NamedTuple):
    state: str  # official, converted, corrupt, unreadable, excluded or own
    digest: str = ""
    reason: str = ""  # why it is unreadable
    format: str = ""


def verify(root: Path, clips: pd.DataFrame, corpus: Corpus) -> Verification:
    """Read and compare every file of a corpus, as `load` found it; reports faults and never raises them."""
    root, official = Path(root), corpus.official
    if corpus.table is not None or not corpus.pattern:
        files, copies, left_out = clips["file"].to_dict(), [], clips[:0]
        extra = sorted(set(map(str, audio_files(root))) - set(files.values()))
    else:
        found = corpus.find(root)
        files = {clip: str(file) for clip, (file, _) in found.clips.items()}
        copies, extra = map(str, found.copies), map(str, found.extra)
        left_out = corpus.rows(root).query("emotion.isna()")
    published = {} if official is None else official[["file", "sha256"]].to_dict("index")
    sections = {clip: part for clip, part in zip(clips.index, parts(clips), strict=True) if part is not None}
    seen = {
        clip: _look(root / file, corpus, published.get(clip), clip in corpus.excluded, sections.get(clip))
        for clip, file in track(sorted(files.items()), len(files), f"verify {corpus.name}")
    }

    def called(clip: str) -> str:
        return f"{files[clip]} ({sections[clip]} s)" if clip in sections else files[clip]

    def names(groups: list[list[str]]) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(map(called, group)) for group in groups)

    states, same = defaultdict(list), defaultdict(list)
    for clip, one in seen.items():
        states[one.state].append(clip)
        same[one.digest or clip, sections.get(clip)].append(clip)
    usual = {seen[clip].format for clip in states["official"]}
    corrupt = [clip for clip in states["corrupt"] if seen[clip].format in usual]  # else encoded anew
    if len(states["corrupt"]) > len(states["official"]):  # not some files: the release
        corrupt = []
    groups = [group for group in same.values() if len(group) > 1]
    known = [group for group in groups if set(group) in map(set, corpus.identical)]
    unexpected = [group for group in groups if group not in known]
    if len(unexpected) <= corpus.duplicates:  # as many as the release has, of which there is no list
        known, unexpected = [*known, *unexpected], []
    emotion = clips["emotion"].to_dict()
    formats = {files[clip]: one.format for clip, one in seen.items() if one.format}
    return Verification(
        corpus=corpus.name,
        root=str(root),
        clips=len(clips),
        speakers=clips["speaker"].nunique(),
        expected_clips=corpus.expected,
        expected_speakers=corpus.speakers,
        official=len(states["official"]),
        converted=len(states["converted"]),
        altered=len(states["corrupt"]) - len(corrupt),
        missing=tuple(sorted(set(published) - set(files))),
        corrupt=tuple(files[clip] for clip in corrupt),
        unreadable={called(clip): seen[clip].reason for clip in states["unreadable"]},
        duplicates=names(unexpected),
        conflicting=names([group for group in unexpected if len({emotion.get(clip) for clip in group}) > 1]),
        known_duplicates=names(known),
        copies=tuple(copies),
        extra=tuple(extra),
        excluded=dict(corpus.excluded),
        left_out=left_out["label"].dropna().value_counts().to_dict(),
        unlabelled=tuple(left_out["file"][left_out["label"].isna()]),
        formats=dict(Counter(formats.values()).most_common()),
        warnings=tuple(warnings_of(clips.assign(sha256=[seen[clip].digest or None for clip in clips.index]))),
    )


def _look(
    path: Path, corpus: Corpus, published: dict[str, str] | None, excluded: bool, part: Part | None
) -> _Seen:
    """Read a file, or a part of it, and compare it to what is published of its clip, if anything is."""
    comparable = published is not None and path.suffix.lower() == Path(published["file"]).suffix.lower()
    digest = ""
    try:
        digest = audio.digest(path)
        official = comparable and digest == published["sha256"]
        if excluded and not official:
            return _Seen("excluded", digest)
        shape = audio.shape(path)
        if not official:
            audio.read(path, channel=corpus.channel, part=part)
    except audio.AudioError as error:
        return _Seen("unreadable", digest, str(error).removeprefix(f"{path}: "))
    channels = {1: "mono", 2: "stereo"}.get(shape.channels, f"{shape.channels} channels")
    written = f"{shape.container} {shape.rate} Hz {channels}"
    other = "corrupt" if comparable else "own" if published is None else "converted"
    return _Seen("official" if official else other, digest, format=written)
