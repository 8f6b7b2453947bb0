"""The clips table: one row per clip, with its file, speaker and emotion."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from ser_classic.audio import Part
from ser_classic.errors import SerClassicError

COLUMNS = ("file", "corpus", "speaker", "emotion", "label", "sex", "sentence")
PART = ("start", "end")  # [s] columns of a table some of whose clips are parts of a file
PARTITIONS = {  # spellings, in lower case, of the official parts
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("dev", "devel", "development", "val", "valid", "validation"), "dev"),
    **dict.fromkeys(("test", "testing"), "test"),
}
SEXES = ("female", "male")


class CorpusError(SerClassicError):
    """A corpus that is absent, incomplete or not laid out as expected."""


def check_clips(clips: pd.DataFrame) -> pd.DataFrame:
    """Check a clips table, once, when a corpus is loaded; sorted by clip, `COLUMNS` first.

    It is indexed by `clip`, with strings throughout, NA for what is not known; speakers all known or all NA.
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
    _refuse(clips, _outside(clips, clips.index), None, "a clip named <corpus>/...")
    wordless = ~clips["emotion"].str.fullmatch(r"[^\s,/]+")
    _refuse(clips, wordless, "emotion", "one word without spaces, commas or slashes")
    sexless = ~clips["sex"].isin(SEXES) & clips["sex"].notna()
    _refuse(clips, sexless, "sex", f"{' or '.join(SEXES)}, or nothing")
    if clips["speaker"].notna().any():
        outside = _outside(clips, clips["speaker"])
        _refuse(clips, outside, "speaker", "<corpus>/<speaker> for every clip, or for none")
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


def require_speakers(clips: pd.DataFrame, purpose: str) -> None:
    """Refuse clips without speakers, of one corpus or of several, for a purpose that needs them."""
    unknown = clips["corpus"][clips["speaker"].isna()]
    if len(unknown):
        raise CorpusError(
            f"{unknown.iloc[0]}: its speakers are unknown, and {purpose} needs them. Add a column "
            "`speaker` to the manifest, or give a pattern with --speaker, such as '^[^/]+/([^_]+)_'. "
            "Without speakers only a leaky protocol can be run (random5, holdout25); its scores say nothing "
            "about new speakers"
        )


def _outside(clips: pd.DataFrame, names: Iterable[object]) -> list[bool]:
    """Which names are not `<corpus>/` and something more."""
    pairs = zip(names, clips["corpus"], strict=True)
    return [
        not str(name).startswith(f"{corpus}/") or len(str(name)) < len(corpus) + 2 for name, corpus in pairs
    ]


def _leaves(file: str) -> bool:
    """Whether a path is not one below its folder."""
    return "\\" in file or file.startswith("/") or ".." in file.split("/")


def _refuse(clips: pd.DataFrame, bad: Iterable[bool], column: str | None, expected: str) -> None:
    bad = clips[list(bad)]
    if bad.empty:
        return
    first = bad.index[0]
    what = f"clip {first!r}" if column is None else f"{column} {bad[column].iloc[0]!r} of {first}"
    more = f" (one of {len(bad)} such clips)" if len(bad) > 1 else ""
    raise CorpusError(f"clips table: bad {what}{more}; expected {expected}")
