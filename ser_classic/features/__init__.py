"""Feature sets: names for recipes that turn a recording into a fixed-length vector (or a sequence)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ser_classic.errors import SerClassicError, blaming
from ser_classic.features import flagship, functionals, sequences
from ser_classic.features.extractor import Extractor
from ser_classic.registry import Registry, need

RATE = 16_000  # [Hz]; the highest that every corpus offers, so that a feature means the same in all of them


@dataclass(frozen=True)
class FeatureSet:
    """A named extractor.

    Attributes
    ----------
    name : str
    sample_rate : int or None [Hz]
        Rate to which recordings are brought; None leaves them at their own.
    extractor : Extractor
        A frozen dataclass; two sets with equal fields and version give equal features.
    version : int
        Raised whenever the same parameters give other values, so that no old cache or model is used.
    library, extra : str, optional
        The optional library it needs, and the extra that installs it.
    terms : str
        What this library's licence asks of all that is made with the features, in a sentence.

    Raises
    ------
    SerClassicError
        An extractor that is no dataclass or has fields that JSON does not know, so that nothing would tell
        its features from those of another; or a library without its extra.
    """

    name: str
    sample_rate: int | None
    extractor: Extractor
    version: int = 1
    library: str | None = None
    extra: str | None = None
    terms: str = ""

    def __post_init__(self) -> None:
        with blaming(f"{self.name}: its extractor is no dataclass of numbers, words and the like"):
            json.dumps(self.parameters)
        if (self.library is None) != (self.extra is None):
            raise SerClassicError(f"{self.name}: give `library` and `extra`, or neither")

    def require(self) -> None:
        """Raise an error that names the command to install what this set needs, where it is absent."""
        if self.library and self.extra:
            need(self.library, self.extra)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features, in their order.

        Raises
        ------
        SerClassicError
            They are those of an optional library that is not installed, or the extractor cannot tell them.
        """
        with blaming(f"{self.name} cannot tell its columns"):
            return tuple(self.extractor.columns)

    @property
    def sequence(self) -> bool:
        """Whether a clip gives a row a frame instead of one vector."""
        return getattr(self.extractor, "sequence", False)

    @property
    def parameters(self) -> dict[str, Any]:
        """All that the values depend on, ready for JSON."""
        return {
            "name": self.name,
            "version": self.version,
            "sample_rate": self.sample_rate,
            "extractor": type(self.extractor).__name__,
            **asdict(self.extractor),  # type: ignore[call-overload]
        }


_OPENSMILE = partial(
    FeatureSet,
    library="opensmile",
    extra="opensmile",
    terms="Its features are openSMILE's, which is free for research and education only: a product made with "
    "them needs a licence of audEERING.",
)

FEATURES: Registry[FeatureSet] = Registry(
    "features",
    [
        FeatureSet("mfcc13", RATE, functionals.MFCC13),
        FeatureSet("mfcc_chroma_contrast", RATE, functionals.MFCC_CHROMA_CONTRAST),
        FeatureSet("classic67", RATE, functionals.CLASSIC67),
        FeatureSet("classic180", RATE, functionals.CLASSIC180),
        FeatureSet("classic193", RATE, functionals.CLASSIC193),
        FeatureSet("pooled", RATE, functionals.POOLED),
        FeatureSet("functionals", RATE, flagship.Functionals()),
        FeatureSet("prosody", RATE, flagship.Prosody()),
        FeatureSet("correlations", RATE, flagship.Correlations()),
        FeatureSet("lagged_correlations", RATE, flagship.LaggedCorrelations()),
        FeatureSet("random_kernels", RATE, flagship.RandomKernels()),
        FeatureSet("voiced_kernels", RATE, flagship.VoicedKernels()),
        FeatureSet("patch_kernels", RATE, flagship.PatchKernels()),
        FeatureSet("source_kernels", RATE, flagship.SourceKernels()),
        FeatureSet("flagship", RATE, flagship.Flagship(), version=2),
        _OPENSMILE("egemaps", RATE, functionals.EGEMAPS),
        _OPENSMILE("compare", RATE, functionals.COMPARE),
        FeatureSet("mfcc_sequence", RATE, sequences.MFCC_SEQUENCE),
        FeatureSet("mfcc_rms_zcr_sequence", RATE, sequences.MFCC_RMS_ZCR_SEQUENCE),
        FeatureSet("logmel_sequence", RATE, sequences.LOGMEL_SEQUENCE),
        FeatureSet("clean_sequence", RATE, sequences.CLEAN_SEQUENCE, library="noisereduce", extra="deep"),
    ],
)
