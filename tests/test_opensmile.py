"""Functionals of openSMILE: the library's own values, whatever the clip, and the published score."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from test_contracts import RATE, voice_like

from ser_classic import store
from ser_classic.cli import app
from ser_classic.errors import SerClassicError
from ser_classic.extras import opensmile as extra
from ser_classic.features import FEATURES
from ser_classic.features.extraction import compute, extract
from ser_classic.predictor import cards
from ser_classic.report import score
from ser_classic.runtime.engines import Local

RESULTS = Path(__file__).parents[1] / "results"
NAMES = {"egemaps": "eGeMAPSv02", "compare": "ComParE_2016"}


@pytest.fixture
def smile():
    """The library's own way to the functionals of a set."""
    library = pytest.importorskip("opensmile", reason="the extra `opensmile` is not installed")

    def process(name: str, waveform: np.ndarray) -> np.ndarray:
        made = library.Smile(library.FeatureSet[NAMES[name]], library.FeatureLevel.Functionals)
        return made.process_signal(waveform, RATE).to_numpy()[0]

    return process


@pytest.mark.parametrize(("name", "number"), [("egemaps", 88), ("compare", 6373)])
def test_the_values_are_those_of_the_library(smile, name, number):
    waveform = voice_like(0.8)
    values = compute(FEATURES[name], waveform, RATE)
    assert values.shape == (number,) == (len(FEATURES[name].columns),)
    np.testing.assert_array_equal(values, smile(name, waveform))


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_of_less_than_a_frame_is_followed_by_silence(smile, name):
    short = voice_like(0.0599)
    padded = np.pad(short, (0, round(0.06 * RATE) - len(short)))
    np.testing.assert_array_equal(compute(FEATURES[name], short, RATE), smile(name, padded))


@pytest.mark.parametrize("name", NAMES)
def test_what_exceeds_full_scale_is_clipped_and_does_not_wrap_around(smile, name):
    loud = 20 * voice_like(0.3)
    assert loud.max() > 1
    clipped = np.clip(loud, -1, 32767 / 32768)
    np.testing.assert_array_equal(compute(FEATURES[name], loud, RATE), smile(name, clipped))


def test_processes_that_share_the_work_give_the_values_of_one(smile, tiny, tmp_path):
    root, clips, _ = tiny
    alone, shared = (
        extract(clips[:9], root, FEATURES["egemaps"], tmp_path / str(jobs), Local(jobs)) for jobs in (1, 2)
    )
    assert alone.digest == shared.digest


def test_without_the_library_all_else_works_and_the_command_that_installs_it_is_told(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    extra._smile.cache_clear()
    entry = FEATURES["compare"]
    for ask in (entry.require, lambda: entry.columns, lambda: compute(entry, voice_like(0.1), RATE)):
        with pytest.raises(SerClassicError, match=r"pip install 'ser-classic\[opensmile\]'"):
            ask()
    app(["features", "list", "--json"], standalone_mode=False)
    listed = {told["name"]: told for told in json.loads(capsys.readouterr().out)}
    assert listed["compare"]["columns"] is None
    assert listed["compare"]["extra"] == "opensmile"
    assert len(listed["pooled"]["columns"]) == 920
    app(["features", "list"], standalone_mode=False)
    assert "opensmile" in capsys.readouterr().out


def test_the_card_of_a_predictor_tells_the_terms_of_its_features(smile, fitted):
    made = fitted("svc_auto", "egemaps")
    assert "research and education" in cards.text(made.card)
    assert not made.has_probabilities


def test_the_committed_run_of_compare_on_emodb_has_the_published_score():
    """UAR .7708, leave one speaker out: audEERING's w2v2-how-to, as in data/published.csv."""
    run = store.read_run(RESULTS / "runs" / "emodb--loso--compare--svc_auto--0")
    clips = store.read_clips(RESULTS, "emodb")
    assert score(run.predictions(), clips)["uar"] == pytest.approx(0.7708, abs=0.0005)
