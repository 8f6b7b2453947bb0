"""Feature sets: named recipes that turn a recording into the input of a model, usually a vector."""

from __future__ import annotations

from functools import partial

from ser_classic.extras.opensmile import OpenSmile
from ser_classic.features import flagship, functionals
from ser_classic.features.sets import Extractor, FeatureSet, join
from ser_classic.registry import Registry

__all__ = ["FEATURES", "RATE", "Extractor", "FeatureSet", "FeatureSets"]

RATE = 16_000  # [Hz]; the highest that every corpus has, so that a feature means the same in all of them


class FeatureSets(Registry[FeatureSet]):
    """Feature sets by name; `flagship+prosody` has the columns of both."""

    def __getitem__(self, name: str) -> FeatureSet:
        if "+" not in name:
            return super().__getitem__(name)
        return join(tuple(map(super().__getitem__, name.split("+"))))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and all(map(super().__contains__, name.split("+")))


_OPENSMILE = partial(
    FeatureSet,
    library="opensmile",
    extra="opensmile",
    terms="Its features are openSMILE's, which is free for research and education only: a product made with "
    "them needs a licence from audEERING.",
)

FEATURES = FeatureSets(
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
        FeatureSet("portable", RATE, flagship.Portable()),
        FeatureSet("flagship", RATE, flagship.Flagship(), version=2),
        _OPENSMILE("egemaps", RATE, OpenSmile("eGeMAPSv02")),
        _OPENSMILE("compare", RATE, OpenSmile("ComParE_2016")),
    ],
)
