"""Features of clips, and how they become the input of a model."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_classic.adaptation import adapt
from ser_classic.errors import SerClassicError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Inputs:
    """What a model takes for each clip, and what a feature set for it gives."""

    name: str  # in messages, for one clip
    dimensions: int  # of the array that an extractor gives: 1, or 2 for rows of features
    # From values [shape=(rows, d)] and the number of rows of each clip [shape=(clips,)] to an array of clips.
    gather: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _row_by_row(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return values


VECTORS = Inputs("one vector", 1, _row_by_row)


@dataclass(frozen=True)
class Features:
    """Features of clips, in their order; a process to which they are sent maps the same file."""

    clips: pd.Index | Sequence[str]
    columns: tuple[str, ...]
    values: np.ndarray  # [shape=(rows, d), dtype=float32] memory-mapped: the rows of clip after clip
    lengths: np.ndarray | None = None  # [shape=(clips,)] rows of each clip; one by default
    inputs: Inputs = VECTORS

    def __post_init__(self) -> None:
        if self.lengths is None:
            object.__setattr__(self, "lengths", np.ones(len(self.clips), dtype=np.int64))

    def __repr__(self) -> str:
        rows = "" if len(self.values) == len(self.clips) else f", {len(self.values)} rows"
        return f"Features: {len(self.clips)} clips{rows}, {len(self.columns)} columns"

    def _repr_html_(self) -> str:
        first = "" if self.inputs.dimensions > 1 else self.frame.iloc[:5].to_html(max_cols=8)
        return f"<p>{self!r}</p>{first}"

    def __getstate__(self) -> dict[str, Any]:
        if isinstance(getattr(self.values, "base", None), mmap.mmap):  # a whole file
            return self.__dict__ | {"values": Path(self.values.filename)}
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(path := state["values"], Path):
            try:
                state = state | {"values": np.load(path, mmap_mode="r")}
            except (OSError, ValueError) as error:
                raise SerClassicError(
                    f"{path}: cannot be read by another process ({error}); every process needs the feature "
                    "cache under the same path"
                ) from error
        self.__dict__.update(state)

    def take(self, clips: np.ndarray) -> Features:
        """Features of some clips, by their numbers [shape=(n,), dtype=int]."""
        lengths = self.lengths[clips]
        rows = row_numbers(np.cumsum(self.lengths)[clips], lengths)
        return replace(self, clips=self.clips[clips], values=np.asarray(self.values)[rows], lengths=lengths)

    def adapted(self, speakers: np.ndarray | None) -> Features:
        """Z-scored by speaker [shape=(clips,)] if speakers are given; see `adaptation.adapt`."""
        if speakers is None:
            return self
        return replace(self, values=adapt(self.values, np.repeat(speakers, self.lengths)))

    @property
    def array(self) -> np.ndarray:
        """What a model takes, an array with one item per clip: for vectors a matrix [shape=(clips, d)]."""
        return self.inputs.gather(np.asarray(self.values), self.lengths)

    @property
    def frame(self) -> pd.DataFrame:
        """The vectors as a DataFrame, clips x columns; an error if a clip has several rows."""
        if self.inputs.dimensions > 1:
            raise SerClassicError(f"{self.inputs.name} per clip does not fit in a table; use `array`")
        import pandas as pd  # which a prediction does not need

        return pd.DataFrame(np.asarray(self.values), index=self.clips, columns=list(self.columns), copy=False)

    @property
    def table(self) -> pd.DataFrame | np.ndarray:
        """What a pipeline takes: `array`, or vectors with the names of their columns."""
        return self.array if self.inputs.dimensions > 1 else self.frame

    @property
    def means(self) -> np.ndarray:
        """One vector per clip [shape=(clips, d)]: the mean of its rows."""
        if len(self.values) == len(self.clips):
            return np.asarray(self.values)
        return np.stack([rows.mean(axis=0) for rows in np.split(self.values, np.cumsum(self.lengths)[:-1])])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the values, and of the number of rows of each clip if some have several."""
        sha = hashlib.sha256(np.ascontiguousarray(self.values).data)
        if len(self.values) != len(self.clips):
            sha.update(self.lengths.tobytes())
        return sha.hexdigest()


def row_numbers(ends: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Numbers of the rows of clips, one clip after the other, by their ends and lengths [shape=(clips,)]."""
    return np.repeat(ends - np.cumsum(lengths), lengths) + np.arange(lengths.sum())


def joined(parts: Sequence[Features]) -> Features:
    """Features of several corpora, one after the other."""
    first = parts[0]
    if len(parts) == 1:
        return first
    return replace(
        first,
        clips=first.clips.append([part.clips for part in parts[1:]]),
        values=np.concatenate([part.values for part in parts]),
        lengths=np.concatenate([part.lengths for part in parts]),
    )
