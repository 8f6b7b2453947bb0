"""Verify a corpus on disk: name its missing, corrupt, unreadable, duplicate and extra files."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ser_classic import audio
from ser_classic.audio import Segment, audio_files
from ser_classic.corpora import CORPORA
from ser_classic.corpora.clips import segments
from ser_classic.corpora.corpus import Corpus
from ser_classic.corpora.warnings import warnings_of
from ser_classic.runtime.progress import track

BROKEN = ("missing", "corrupt", "unreadable")  # faults that fetching the corpus again would mend


@dataclass(frozen=True)
class Verification:
    """What was found of a corpus, and what is wrong with it.

    Attributes
    ----------
    corpus, root : str
        Its name and folder.
    clips, speakers, expected_clips, expected_speakers : int
        Counts found and published, without the excluded clips; 0 where nothing is published.
    compared : dict of str to int
        How many files are identical to the official ones, converted to another format, and re-encoded: they
        differ as most files do, or have a sample rate or channels that no official file has. Empty where
        no checksums are published.
    formats : dict of str to int
        How many files have a format, sample rate and number of channels.
    found : dict of str to list of str
        Faults and oddities by kind, each as text. A `corrupt` file is readable and looks like an official
        one, but differs from it; a `duplicate` has the bytes of another clip (or is the same part of such a
        file), unlike in the official release; a `second copy` of a clip is not counted; an `extra` file is
        no clip.
    warnings : list of str
        See `warnings_of`; `load` gives those of a corpus of one's own.
    """

    corpus: str
    root: str
    clips: int
    speakers: int
    expected_clips: int
    expected_speakers: int
    compared: dict[str, int]
    formats: dict[str, int]
    found: dict[str, list[str]]
    warnings: list[str]

    @property
    def ok(self) -> bool:
        """Whether every published clip is there, readable, and what it should be; extra files do no harm."""
        return not (self.broken or "duplicate" in self.found)

    @property
    def broken(self) -> bool:
        """Whether there is anything that fetching the corpus again would bring."""
        few = self.clips < self.expected_clips or self.speakers < self.expected_speakers
        return few or any(kind in self.found for kind in BROKEN)


class _Seen(NamedTuple):
    state: str  # identical, converted, corrupt, unreadable, excluded or own
    digest: str = ""
    reason: str = ""  # why it is unreadable
    format: str = ""


def verify(root: Path, clips: pd.DataFrame, corpus: Corpus) -> Verification:
    """Read and compare every file of a corpus, as `load` found it; reports faults and never raises them."""
    root = Path(root)
    files, others = _listed(root, clips, corpus)
    published = {} if corpus.official is None else corpus.official[["file", "sha256"]].to_dict("index")
    segment = dict(zip(clips.index, segments(clips), strict=True))
    seen = {
        clip: _look(root / file, corpus, published.get(clip), clip in corpus.excluded, segment.get(clip))
        for clip, file in track(sorted(files.items()), len(files), f"verify {corpus.name}")
    }
    called = files | {clip: f"{files[clip]} ({segment[clip]} s)" for clip in files if segment.get(clip)}
    states, same = defaultdict(list), defaultdict(list)
    for clip, one in seen.items():
        states[one.state].append(clip)
        same[one.digest or clip, segment.get(clip)].append(clip)
    usual = {seen[clip].format for clip in states["identical"]}
    corrupt = [files[clip] for clip in states["corrupt"] if seen[clip].format in usual]  # else encoded anew
    if len(states["corrupt"]) > len(states["identical"]):  # not a few damaged files, but another release
        corrupt = []
    duplicates, official = [], []  # the latter are also in the official release
    for group in (group for group in same.values() if len(group) > 1):
        digests = {published[clip]["sha256"] if clip in published else clip for clip in group}
        (official if len(digests) == 1 else duplicates).append(_described(group, called, clips))
    if len(duplicates) <= corpus.duplicates:  # as many as the release has, of which there is no list
        duplicates, official = [], official + duplicates
    found = {
        "missing": sorted(set(published) - set(files)),
        "corrupt": corrupt,
        "unreadable": [f"{called[clip]}: {seen[clip].reason}" for clip in states["unreadable"]],
        "duplicate": duplicates,
        "duplicate in the official release, too": official,
        "excluded": [f"{clip}: {why}" for clip, why in corpus.excluded.items()],
    }
    compared = {state: len(states[state]) for state in ("identical", "converted")}
    formats = {files[clip]: one.format for clip, one in seen.items() if one.format}
    return Verification(
        corpus=corpus.name,
        root=str(root),
        clips=len(clips),
        speakers=clips["speaker"].nunique(),
        expected_clips=corpus.expected,
        expected_speakers=corpus.speakers,
        compared=compared | {"re-encoded": len(states["corrupt"]) - len(corrupt)} if published else {},
        formats=dict(Counter(formats.values()).most_common()),
        found={kind: names for kind, names in (found | others).items() if names},
        # `load` has given those of a corpus of one's own
        warnings=warnings_of(clips) if corpus.name in CORPORA else [],
    )


def _listed(root: Path, clips: pd.DataFrame, corpus: Corpus) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The file of each clip, and by kind what else is below the folder."""
    if corpus.table is not None or not corpus.pattern:
        files = clips["file"].to_dict()
        return files, {"extra": sorted(set(map(str, audio_files(root))) - set(files.values()))}
    below, left_out = corpus.find(root), corpus.rows(root).query("emotion.isna()")
    return {clip: str(file) for clip, (file, _) in below.clips.items()}, {
        "second copy": list(map(str, below.copies)),
        "extra": list(map(str, below.extra)),
        "left out by the standard task": [
            f"{label}: {number} clips" for label, number in left_out["label"].value_counts().items()
        ],
        "without a label": left_out["file"][left_out["label"].isna()].tolist(),
    }


def _described(group: list[str], called: dict[str, str], clips: pd.DataFrame) -> str:
    """Identical clips as text, and whether they contradict each other."""
    text = " = ".join(called[clip] for clip in group)
    rows = clips.reindex(group)
    if rows["emotion"].nunique(dropna=False) > 1:
        text += ", under two emotions"
    if rows["speaker"].nunique() > 1:
        text += ", under two speakers: remove one, or merge the speakers"
    return text


def _look(
    path: Path, corpus: Corpus, published: dict[str, str] | None, excluded: bool, segment: Segment | None
) -> _Seen:
    """Read a file, or a part of it, and compare it to what is published of its clip, if anything is."""
    comparable = published is not None and path.suffix.lower() == Path(published["file"]).suffix.lower()
    digest = ""
    try:
        digest = audio.digest(path)
        official = comparable and digest == published["sha256"]
        if excluded and not official:
            return _Seen("excluded", digest)
        info = audio.info(path)
        if not official:
            audio.read(path, channel=corpus.channel, segment=segment)
    except audio.AudioError as error:
        return _Seen("unreadable", digest, str(error).removeprefix(f"{path}: "))
    channels = {1: "mono", 2: "stereo"}.get(info.channels, f"{info.channels} channels")
    written = f"{info.container} {info.rate} Hz {channels}"
    other = "corrupt" if comparable else "own" if published is None else "converted"
    return _Seen("identical" if official else other, digest, format=written)
