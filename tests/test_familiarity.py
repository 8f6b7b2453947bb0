"""Familiarity: what is unlike all that a model was fitted on is told; what is like it is not."""

from pathlib import Path

import numpy as np
import pytest
import skops.io
import soundfile
from test_cli_predict import OWN

from ser_classic import load_pipeline
from ser_classic.predictor.familiarity import SHARE, measure

RATE = 16_000


@pytest.fixture(scope="module")
def pooled(fitted, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("models") / "m.skops"
    fitted("lda", "pooled").save(path, pipeline=True)
    return path


def odd(what: str) -> np.ndarray:
    """A second that is no speech."""
    t = np.arange(RATE) / RATE
    random = np.random.default_rng(0)
    return {
        "noise": 0.3 * random.uniform(-1, 1, RATE),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * t),
        "hum": 0.05 * np.sin(2 * np.pi * 50 * t),
        "almost silence": random.integers(-1, 2, RATE) / 2**15,
    }[what]


@pytest.mark.parametrize("what", ["noise", "tone", "hum", "almost silence"])
def test_no_speech_is_told_on_stderr_and_in_json(what, pooled, own_folder, tmp_path, ser):
    known, strange = own_folder / "angry" / "s01_t1_1.wav", tmp_path / "odd.wav"
    soundfile.write(strange, odd(what), RATE)
    done = ser("predict", pooled, known, strange, "--json")
    told, err = done.rows(), done.stderr
    assert [row["unlike"] for row in told] == [False, True]
    assert told[0]["distance"] < 1 < told[1]["distance"]
    assert len(err.splitlines()) == 1
    assert str(strange) in err
    assert "tiny" in err, "it says what the model was fitted on"
    again = ser("predict", pooled, known, strange, "--json", "--min-confidence", ".01").rows()
    assert [row["emotion"] for row in again] == [told[0]["emotion"], "uncertain"]
    assert ser("predict", pooled, known).stderr == ""


def test_the_limit_is_what_unheard_speakers_keep():
    random = np.random.default_rng(0)
    speakers = np.repeat(np.arange(20), 25)
    own = random.normal(size=(20, 30))[speakers]
    X = (own + random.normal(size=(500, 30))).astype(np.float32)
    known = measure(X, speakers)
    unheard = (random.normal(size=30) + random.normal(size=(2000, 30))).astype(np.float32)
    assert SHARE - 0.08 < (known.distance(unheard) <= 1).mean() <= 1
    assert (known.distance(unheard + 5) > 1).all()
    assert measure(X, speakers).limit == known.limit


def test_a_single_constant_feature_and_a_single_speaker_can_be_measured():
    X = np.column_stack([np.ones(9), np.arange(9)]).astype(np.float32)
    known = measure(X, np.full(9, "a"))
    assert np.isfinite(known.distance(X)).all()
    assert known.distance(X + np.float32([1, 0]))[0] > 1


def test_the_pipeline_that_was_kept_is_written_for_skops(pooled, own_folder, tmp_path, ser):
    ser("card", pooled, "--pipeline", "pipeline.skops").said()
    assert list(load_pipeline(pooled).classes_) == ["angry", "neutral", "sad"]
    assert list(skops.io.load(tmp_path / "pipeline.skops").classes_) == ["angry", "neutral", "sad"]
    ran = ("fit", own_folder, *OWN, "--model", "prior", "--no-robust", "-o", "bare.skops", "--fact")
    ser(*ran, "licence").refused("--fact")
    ser(*ran, "licence=MIT").said()
    assert "licence: MIT" in ser("card", "bare.skops").said()
    ser("card", "bare.skops", "--pipeline", "pipeline.skops").refused("pipeline")
