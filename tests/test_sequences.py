"""Sequences: the rows of the descriptors, frame by frame, and sets that say they are sequences."""

import librosa
import numpy as np
import pytest

from ser_classic.errors import SerClassicError
from ser_classic.experiment.preparation import require_match
from ser_classic.experiment.suites import read_suite
from ser_classic.extras.deep.features import Frames
from ser_classic.features import FEATURES
from ser_classic.features.descriptors import Descriptor, Framing
from ser_classic.models import MODELS

RATE = 16_000
NAMES = ("mfcc_sequence", "mfcc_rms_zcr_sequence", "logmel_sequence")


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, n).astype(np.float32)


def test_the_columns_of_a_sequence_are_librosas_rows():
    frames = Frames((Descriptor("mfcc", 13), Descriptor("rms"), Descriptor("zcr")))
    assert frames.columns == (*(f"mfcc_{row:02d}" for row in range(13)), "rms", "zcr")
    y = noise(RATE)
    sequence = frames(y, RATE)
    assert sequence.dtype == np.float32
    np.testing.assert_allclose(sequence[:, :13], librosa.feature.mfcc(y=y, sr=RATE, n_mfcc=13).T, atol=1e-3)
    rms = librosa.feature.rms(y=y, pad_mode="constant")[0]
    np.testing.assert_allclose(sequence[:, 13], rms, rtol=1e-5)


@pytest.mark.parametrize("n", [160, 1000, 2048, 16_000, 16_384])
def test_a_clip_has_a_frame_every_hop_and_one_at_least(n):
    frames = Frames((Descriptor("zcr"), Descriptor("rms")), Framing(1024, 320))
    assert frames(noise(n), RATE).shape == (1 + n // 320, 2)


def test_a_family_that_stands_twice_is_refused():
    with pytest.raises(SerClassicError, match="mfcc, mfcc"):
        Frames((Descriptor("mfcc", 13), Descriptor("mfcc", 20)))


@pytest.mark.parametrize(("model", "features"), [("lstm", "classic193"), ("lda", "mfcc_sequence")])
def test_vectors_and_sequences_are_not_mixed(model, features, tmp_path):
    with pytest.raises(SerClassicError, match=f"model {model} "):
        require_match(MODELS[model], FEATURES[features])
    suite = tmp_path / "s.toml"
    suite.write_text(
        '[[grid]]\ncorpora = ["tess"]\nprotocols = ["loso"]\n'
        f'features = ["{features}"]\nmodels = ["{model}"]\n'
    )
    with pytest.raises(SerClassicError, match=f"model {model} "):
        read_suite(str(suite))
