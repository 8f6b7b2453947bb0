"""Every entry of every table, plug-ins included, keeps the table's promises."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from ser_classic.audio import AudioError
from ser_classic.corpora import CORPORA
from ser_classic.extraction import compute
from ser_classic.features import FEATURES, FeatureSet
from ser_classic.models import MODELS
from ser_classic.protocols import PROTOCOLS

RATE = 16_000


def voice_like(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """A harmonic tone with noise, gliding."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(140 + 30 * np.sin(3 * t)) / rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 15))
    return (0.1 * tone + 0.003 * random.normal(size=len(t))).astype(np.float32)


def at_hand(name: str) -> FeatureSet:
    """A feature set; skips where its optional library is absent."""
    feature_set = FEATURES[name]
    if feature_set.library:
        pytest.importorskip(feature_set.library, reason=f"the extra `{feature_set.extra}` is not installed")
    return feature_set


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_says_what_it_is(name):
    corpus = CORPORA[name]
    assert corpus.name == name
    for fact in (corpus.title, corpus.licence, corpus.language):
        assert fact.strip()
    assert corpus.clips > 0
    assert corpus.speakers > 0


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_set_keeps_its_promises(name):
    feature_set = at_hand(name)
    columns = feature_set.columns
    assert len(set(columns)) == len(columns)
    json.dumps(feature_set.parameters, allow_nan=False)
    assert pickle.loads(pickle.dumps(feature_set)) == feature_set
    vector = compute(feature_set, voice_like(1.5), RATE)
    assert vector.dtype == np.float32
    assert vector.shape[-1] == len(columns)
    assert vector.ndim == (2 if feature_set.sequence else 1)
    np.testing.assert_array_equal(vector, compute(feature_set, voice_like(1.5), RATE))


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize(
    "waveform",
    [
        voice_like(0.011),
        voice_like(0.06),
        np.clip(20 * voice_like(0.7), -1, 1),
        1e-4 * voice_like(0.7),
        np.r_[np.zeros(RATE), voice_like(0.3), np.zeros(RATE)].astype(np.float32),
        np.random.default_rng(0).normal(size=RATE).astype(np.float32),
        np.eye(1, RATE, RATE // 2, dtype=np.float32)[0],
        np.full(RATE, 0.5, dtype=np.float32),
    ],
    ids=["11 ms", "60 ms", "clipped", "faint", "in silence", "noise", "a click", "constant"],
)
def test_a_feature_set_is_finite_in_every_corner_or_refuses(name, waveform):
    feature_set = at_hand(name)
    try:
        vector = compute(feature_set, waveform, RATE)
    except AudioError:
        vector = None
    if vector is None:
        assert np.ptp(waveform) == 0  # only what holds no sound at all is refused
    else:
        assert np.isfinite(vector).all()


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_a_feature_set_takes_any_rate(name, rate):
    assert np.isfinite(compute(at_hand(name), voice_like(0.8, rate), rate)).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_says_what_it_is(name):
    model = MODELS[name]
    assert model.name == name
    assert model.title.strip()
    if not model.extra:
        json.dumps(model.parameters(), allow_nan=False)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_says_what_it_is(name):
    protocol = PROTOCOLS[name]
    assert protocol.name == name
    assert protocol.title.strip()
    assert protocol.track in ("blind", "adapted")
    assert protocol.leaky == (protocol.unit is None)
    if protocol.leaky:
        assert "both sides" in protocol.title
