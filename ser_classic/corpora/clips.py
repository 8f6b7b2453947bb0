"""The clips table: one row per clip, with its file, speaker and emotion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ser_classic.audio import Segment
from ser_classic.errors import SerClassicError

COLUMNS = ("file", "corpus", "speaker", "emotion", "label", "sex", "sentence")
TIMES = ("start", "end")  # [s] columns of a table some of whose clips are parts of a file
PARTITIONS = {  # spellings, in lower case, of the official parts
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("dev", "devel", "development", "val", "valid", "validation"), "dev"),
    **dict.fromkeys(("test", "testing"), "test"),
}
SEXES = ("female", "male")
NAME_SPEAKERS = (
    "Find them in the paths with --speaker, such as '^[^/]+/([^_]+)_' (the first group is the speaker), or "
    "add a column `speaker` where the corpus is a table"
)


class CorpusError(SerClassicError):
    """A corpus that is absent, incomplete or not laid out as expected."""


def check_clips(
    clips: pd.DataFrame, source: str = "clips table", rows: Sequence[str] | None = None
) -> pd.DataFrame:
    """Check a clips table, once, when a corpus is loaded; sorted by clip, `COLUMNS` first.

    It is indexed by `clip`, with strings throughout, NA for what is not known; speakers all known or all NA.

    Parameters
    ----------
    clips : pd.DataFrame
        The table.
    source : str
        Where it comes from, for messages.
    rows : sequence of str, optional
        What messages call its rows, such as `line 3`; by default their clips.

    Raises
    ------
    SerClassicError
        A column is absent, or a value is not what it should be.
    """
    absent = [column for column in COLUMNS if column not in clips.columns]
    if absent:
        raise SerClassicError(
            f"{source}: no column {', '.join(absent)}; expected {', '.join(COLUMNS)}, "
            f"found {', '.join(map(str, clips.columns))}"
        )
    if clips.empty:
        raise SerClassicError(f"{source}: it has no rows; a corpus has at least one clip")
    clips = clips[[*COLUMNS, *(column for column in clips.columns if column not in COLUMNS)]]
    clips = clips.rename_axis("clip")
    called = list(clips.index if rows is None else rows)

    def refuse(bad: Iterable[bool], column: str, expected: str) -> None:
        values = clips.index.to_series() if column == "clip" else clips[column]
        for place in np.flatnonzero(list(bad))[:1]:
            value = values.iloc[place]
            what = f"no {column}" if pd.isna(value) or value == "" else f"the {column} {value!r}"
            raise SerClassicError(f"{source}: {called[place]} has {what}; expected {expected}")

    refuse(clips["emotion"].fillna("").eq(""), "emotion", "a word; --drop '' leaves clips without one out")
    for column in ("file", "corpus", "label"):
        refuse(clips[column].fillna("").eq(""), column, "one for every clip")
    for place in np.flatnonzero(clips.index.duplicated())[:1]:
        first = called[list(clips.index).index(clips.index[place])]
        refuse(clips.index.duplicated(), "clip", f"each clip once, and {first} has it, too; remove one")
    for column in (column for column in TIMES if column in clips):
        wrong = pd.to_numeric(clips[column], errors="coerce").isna() & clips[column].notna()
        refuse(wrong, column, "seconds from the start of the file")
    known = [column for column in ("file", *TIMES) if column in clips]
    refuse(clips.duplicated(known), "file", "each file, or part of one, once")
    empty = [each is not None and each.end is not None and each.end <= each.start for each in segments(clips)]
    refuse(empty, "clip", "one that ends after it has started")
    refuse(clips["file"].map(_leaves), "file", "a path below the corpus's folder, with forward slashes")
    broken = clips["file"].str.contains(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
    refuse(broken, "file", "a name without line breaks and the like; rename it")
    refuse(_outside(clips, clips.index), "clip", "a name such as <corpus>/...")
    refuse(~clips["emotion"].str.fullmatch(r"[^\s,/]+"), "emotion", "one word, no spaces, commas or slashes")
    refuse(~clips["sex"].isin(SEXES) & clips["sex"].notna(), "sex", f"{' or '.join(SEXES)}, or nothing")
    if clips["speaker"].notna().any():
        refuse(clips["speaker"].isna(), "speaker", "one for every clip, or for none")
        refuse(_outside(clips, clips["speaker"]), "speaker", "<corpus>/<speaker>")
    return clips.sort_index()


def segments(clips: pd.DataFrame) -> list[Segment | None]:
    """Of each clip, the part of its file that it is; None where it is the whole file."""
    if not set(TIMES) <= set(clips):
        return [None] * len(clips)
    starts, ends = (pd.to_numeric(clips[column]) for column in TIMES)
    return [
        None
        if pd.isna(start) and pd.isna(end)
        else Segment(0.0 if pd.isna(start) else start, None if pd.isna(end) else end)
        for start, end in zip(starts, ends, strict=True)
    ]


def require_speakers(clips: pd.DataFrame, purpose: str) -> None:
    """Refuse clips without speakers, of one corpus or of several, for a purpose that needs them."""
    unknown = clips["corpus"][clips["speaker"].isna()]
    if len(unknown):
        raise CorpusError(
            f"{unknown.iloc[0]}: its speakers are unknown, and {purpose} needs them. {NAME_SPEAKERS}. "
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
