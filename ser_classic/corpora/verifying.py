"""Verify a corpus on disk: missing, corrupt, unreadable, duplicate and extra files, told apart and named."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ser_classic import audio
from ser_classic.corpora.clips import Corpus, audio_files, find, speakers_known
from ser_classic.progress import track


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
        Files that are readable, and differ from the official ones of their name.
    unreadable : dict
        Files that are no usable audio, with the reason.
    duplicates : tuple of tuples of str
        Files of different clips with identical bytes, that are not so in the official release.
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
    """

    corpus: str
    root: str
    clips: int
    speakers: int
    expected_clips: int
    expected_speakers: int
    official: int
    converted: int
    missing: tuple[str, ...]
    corrupt: tuple[str, ...]
    unreadable: dict[str, str]
    duplicates: tuple[tuple[str, ...], ...]
    conflicting: tuple[tuple[str, ...], ...]
    known_duplicates: tuple[tuple[str, ...], ...]
    copies: tuple[str, ...]
    extra: tuple[str, ...]
    excluded: dict[str, str]

    @property
    def ok(self) -> bool:
        """Whether every published clip is there, readable, and what it should be; extra files do no harm."""
        short = self.clips < self.expected_clips or self.speakers < self.expected_speakers
        return not (short or self.missing or self.corrupt or self.unreadable or self.duplicates)

    @property
    def checksums(self) -> str:
        """How far checksums could be compared, in one sentence."""
        if self.official + self.converted + len(self.corrupt) == 0:
            return "no checksums are published: files were read, not compared"
        compared = f"{self.official} files are byte for byte the official ones"
        if not self.converted:
            return compared
        text = (
            f"{self.converted} files were converted to another format: the official checksums do not apply, "
            "they were read instead"
        )
        return f"{compared}; {text}" if self.official else text


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
    official = corpus.official()
    if official is not None:
        found = find(root, corpus.name, corpus.parse, corpus.checksums)
        files = {clip: file.as_posix() for clip, (file, _) in found.clips.items()}
        copies, extra = [file for _, file in found.copies], found.extra
        missing = sorted(set(official.index) - set(files))
        expected = len(official) - len(corpus.excluded)
    else:
        files = clips["file"].to_dict()
        named = set(files.values())
        copies, extra = [], [file for file in audio_files(root) if file.as_posix() not in named]
        missing, expected = [], corpus.clips

    digests: dict[str, list[str]] = defaultdict(list)
    matching, converted, corrupt, unreadable = 0, 0, [], {}
    for clip, file in track(sorted(files.items()), len(files), f"verify {corpus.name}"):
        path = root / file
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            unreadable[file] = str(error)
            continue
        digests[digest].append(clip)
        comparable = official is not None and _same_format(file, official["file"][clip])
        if comparable and digest == official["sha256"][clip]:
            matching += 1
            continue
        if clip in corpus.excluded:
            continue
        try:
            audio.read(path, channel=corpus.channel)
        except audio.AudioError as error:
            unreadable[file] = str(error).removeprefix(f"{path}: ")
        else:
            corrupt += [file] if comparable else []
            converted += official is not None and not comparable

    known = {frozenset(group) for group in corpus.identical}
    groups = [group for group in digests.values() if len(group) > 1]
    unexpected = [group for group in groups if frozenset(group) not in known]
    emotion = clips["emotion"].to_dict()
    conflicting = [group for group in unexpected if len({emotion.get(clip) for clip in group}) > 1]

    def names(groups: list[list[str]]) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(files[clip] for clip in group) for group in groups)

    return Verification(
        corpus=corpus.name,
        root=str(root),
        clips=len(clips),
        speakers=clips["speaker"].nunique() if speakers_known(clips) else 0,
        expected_clips=expected,
        expected_speakers=corpus.speakers,
        official=matching,
        converted=converted,
        missing=tuple(missing),
        corrupt=tuple(corrupt),
        unreadable=unreadable,
        duplicates=names(unexpected),
        conflicting=names(conflicting),
        known_duplicates=names([group for group in groups if frozenset(group) in known]),
        copies=tuple(str(file) for file in copies),
        extra=tuple(str(file) for file in extra),
        excluded=dict(corpus.excluded),
    )


def _same_format(file: str, official: str) -> bool:
    """Whether a file has the extension of the official one, so that its checksum applies."""
    return Path(file).suffix.lower() == Path(official).suffix.lower()
