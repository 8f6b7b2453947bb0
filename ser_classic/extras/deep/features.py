"""The feature sets of the plug-in: sequences of frames."""

from __future__ import annotations

from ser_classic.extras.deep.preparation import Preparation, Prepared
from ser_classic.extras.deep.sequences import Frames
from ser_classic.features import RATE, FeatureSet
from ser_classic.features.descriptors import Descriptor, Framing

_DYNAMICS = Frames((Descriptor("mfcc", 13), Descriptor("rms"), Descriptor("zcr")))
# As a widely copied TESS project prepares its clips: peak at -5 dB, 30 dB of silence, padded, noise reduced.
_CLEAN = Preparation(level="peak", target=-5.0, trim=30.0, denoise=True, seconds=3.0)

MFCC_SEQUENCE = FeatureSet("mfcc_sequence", RATE, Frames((Descriptor("mfcc", 40),)))
MFCC_RMS_ZCR_SEQUENCE = FeatureSet("mfcc_rms_zcr_sequence", RATE, _DYNAMICS)
LOGMEL_SEQUENCE = FeatureSet("logmel_sequence", RATE, Frames((Descriptor("logmel", 64),), Framing(1024, 512)))
CLEAN_SEQUENCE = FeatureSet(
    "clean_sequence", RATE, Prepared(_CLEAN, _DYNAMICS), library="noisereduce", extra="deep"
)
