"""Feature sets, alone and side by side."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from ser_classic import audio
from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.features.inputs import VECTORS, Inputs
from ser_classic.registry import need


class Extractor(Protocol):
    """What a feature set computes: a frozen dataclass whose fields are all of its parameters.

    If it does not give a vector for each clip, its attribute `gives` is the `Inputs` that it gives. If it is
    faster for several clips at once, it also has a method `together`: from waveforms and their sample rate to
    the features of each.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of every feature: `<family>_<index>_<functional>`, after `<group>/` if there are groups.

        An optional library may use its own names, and needs to be installed for them.
        """
        ...

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Features [shape=(d,), float32] of a waveform [shape=(n,)] at a rate [Hz]."""
        ...


@dataclass(frozen=True)
class FeatureSet:
    """A named extractor.

    Attributes
    ----------
    name : str
    sample_rate : int or None [Hz]
        Rate to which recordings are resampled; None leaves them at their own.
    extractor : Extractor
        A frozen dataclass; two sets with equal fields and version give equal features.
    version : int
        Raised whenever the same parameters give other values: older caches and models are then not used.
    library, extra : str, optional
        The optional library it needs, and the extra of this package that installs it, if one does.
    terms : str
        What the library's licence demands of anything made with the features, in one sentence.

    Raises
    ------
    SerClassicError
        The extractor is not a dataclass, or has fields that JSON cannot store.
    """

    name: str
    sample_rate: int | None
    extractor: Extractor
    version: int = 1
    library: str | None = None
    extra: str | None = None
    terms: str = ""

    def __post_init__(self) -> None:
        with wrap_errors(f"{self.name}: its extractor must be a dataclass of numbers, words and the like"):
            json.dumps(self.parameters, allow_nan=False)
        if self.extra and not self.library:
            raise SerClassicError(f"{self.name}: `extra` installs a library; give its name as `library`")

    def require(self) -> None:
        """Raise an error with the install command if a library that this set needs is missing."""
        for part in self.parts:
            if part.library:
                need(part.library, part.extra)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features in order; `<set>/<name>` if sets are joined and this one has no groups."""
        with wrap_errors(f"{self.name}: its columns cannot be listed"):
            return tuple(self.extractor.columns)

    @property
    def parts(self) -> tuple[FeatureSet, ...]:
        """The feature sets that this one joins, or itself."""
        return self.extractor.sets if isinstance(self.extractor, _SideBySide) else (self,)

    @property
    def brought(self) -> bool:
        """Whether values come from a user's table, so that they cannot be computed for other recordings."""
        return any(getattr(part.extractor, "brought", False) for part in self.parts)

    @property
    def gives(self) -> Inputs:
        """What it gives for each clip; `VECTORS` unless the extractor says otherwise."""
        return getattr(self.extractor, "gives", VECTORS)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Everything that the values depend on, ready for JSON; not to be changed."""
        if isinstance(self.extractor, _SideBySide):
            return {"name": self.name, "parts": [part.parameters for part in self.parts]}
        if self.brought:
            columns = len(self.extractor.columns)
            return {"name": self.name, "table": self.extractor.digest, "columns": columns}  # type: ignore[attr-defined]
        own = {
            "name": self.name,
            "version": self.version,
            "sample_rate": self.sample_rate,
            "extractor": type(self.extractor).__name__,
        }
        fields = asdict(self.extractor)  # type: ignore[call-overload]
        return own | {f"extractor.{name}" if name in own else name: fields[name] for name in fields}


@dataclass(frozen=True)
class _SideBySide:
    """Extractor: the vectors of several feature sets, one after the other."""

    sets: tuple[FeatureSet, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        columns = tuple(name for part in self.sets for name in grouped(part.name, part.columns))
        if len(set(columns)) < len(columns):
            twice = next(name for name in columns if columns.count(name) > 1)
            name = "+".join(part.name for part in self.sets)
            raise SerClassicError(f"{name}: several of these sets contain {twice}; leave one out")
        return columns

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        vectors = []
        for part in self.sets:
            rate = part.sample_rate or sample_rate
            vectors.append(part.extractor(audio.resample(waveform, sample_rate, rate), rate))
        return np.concatenate(vectors, dtype=np.float32)


def join(parts: tuple[FeatureSet, ...]) -> FeatureSet:
    """One feature set with the vectors of several, `flagship+prosody`, in this order."""
    name = "+".join(part.name for part in parts)
    if len({part.name for part in parts}) < len(parts):
        raise SerClassicError(f"{name}: names a feature set twice; name each once")
    for part in parts:
        if part.gives.dimensions > 1:
            raise SerClassicError(f"{name}: {part.name} gives {part.gives.name}; only vectors can be joined")
    rates = {part.sample_rate for part in parts}
    rate = rates.pop() if len(rates) == 1 else None
    needing = next((part for part in parts if part.library), parts[0])
    terms = " ".join(dict.fromkeys(part.terms for part in parts if part.terms))
    optional = {"library": needing.library, "extra": needing.extra}
    return FeatureSet(name, rate, _SideBySide(parts), terms=terms, **optional)


def grouped(name: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of a feature set after the name of their group: their own, or the set's."""
    return tuple(column if "/" in column else f"{name}/{column}" for column in columns)
