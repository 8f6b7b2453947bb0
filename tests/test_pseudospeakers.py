"""Pseudo-speakers say the same in another voice, and nobody is tested on what they say."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from ser_classic import audio, models, pseudospeakers, store
from ser_classic.corpora.synthetic import synthesise
from ser_classic.errors import SerClassicError
from ser_classic.experiment import Cell, bench, evaluate
from ser_classic.extraction import extract
from ser_classic.features import FEATURES
from ser_classic.models import MODELS, Model
from ser_classic.predictor.fitting import fit
from ser_classic.protocols import PROTOCOLS, Fold
from ser_classic.pseudospeakers import Manner, PseudoSpeakers, manner, said
from ser_classic.stale import differences

RATE = 16_000
SPEAKER = r"/(s\d\d)_"
RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def sentence() -> np.ndarray:
    return synthesise("s01", "neutral", "t1")


def praat(waveform: np.ndarray):
    parselmouth = pytest.importorskip("parselmouth")
    return parselmouth.Sound(waveform.astype(float), RATE)


def pitch(waveform: np.ndarray) -> np.ndarray:
    """Pitch [Hz] of the voiced frames, by Praat."""
    frequency = praat(waveform).to_pitch(pitch_floor=65, pitch_ceiling=500).selected_array["frequency"]
    return frequency[frequency > 0]


@pytest.mark.parametrize("semitones", [-3, 0, 3])
@pytest.mark.parametrize("formants", [0.87, 1.0, 1.15])
def test_pitch_is_moved_whatever_becomes_of_the_formants(sentence, semitones, formants):
    moved = said(sentence, Manner(formants=formants, pitch=semitones), RANDOM)
    found = 12 * np.log2(np.median(pitch(moved)) / np.median(pitch(sentence)))
    assert found == pytest.approx(semitones, abs=0.35)


def vowel(semitones: float = 0.0) -> np.ndarray:
    """Two seconds of pulses about 120 Hz, moving so far up and down, through resonances of 700 to 3500 Hz."""
    time = np.arange(2 * RATE) / RATE
    phase = np.cumsum(120 * 2 ** (semitones / 12 * np.sin(2 * np.pi * time)) / RATE)
    sound = np.diff(np.floor(phase), prepend=0)
    for centre in (700, 1200, 2500, 3500):
        pole = np.exp((-np.pi * 80 + 2j * np.pi * centre) / RATE)
        sound = lfilter([1], np.poly([pole, pole.conj()]).real, sound)
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


@pytest.mark.parametrize("factor", [0.88, 1.12])
def test_formants_are_scaled_whatever_becomes_of_the_pitch(factor):
    def formants(waveform: np.ndarray) -> np.ndarray:
        track = praat(waveform).to_formant_burg()
        times = np.linspace(0.3, 1.7, 50)
        return np.array([np.median([track.get_value_at_time(n, time) for time in times]) for n in (1, 2)])

    scaled = said(vowel(), Manner(formants=factor, pitch=2), RANDOM)
    np.testing.assert_allclose(formants(scaled) / formants(vowel()), factor, rtol=0.07)


def test_the_range_of_pitch_grows_about_its_median():
    moved = 12 * np.log2(pitch(said(vowel(2), Manner(range=1.5), RANDOM)) / 120)
    assert np.percentile(moved, [2, 50, 98]) == pytest.approx([-3, 0, 3], abs=0.3)


@pytest.mark.parametrize(("formants", "duration"), [(1.0, 0.88), (1.15, 1.0), (0.87, 1.12)])
def test_duration_is_as_asked_for(sentence, formants, duration):
    longer = said(sentence, Manner(formants=formants, duration=duration), RANDOM)
    assert len(longer) == pytest.approx(duration * len(sentence), abs=2)


def test_nothing_asked_for_leaves_the_spectrum_as_it_was(sentence):
    again = said(sentence, Manner(), RANDOM)
    powers = [np.abs(np.fft.rfft(each, 2**17)) ** 2 for each in (sentence, again)]
    bands = [10 * np.log10(np.add.reduceat(power, np.arange(0, 2**15, 2**12))) for power in powers]
    assert np.abs(bands[0] - bands[1]).max() < 1.5


def test_gain_tilt_and_noise_are_as_asked_for(sentence):
    plain = said(sentence, Manner(), RANDOM).astype(float)
    np.testing.assert_allclose(said(sentence, Manner(gain=6), RANDOM), 10**0.3 * plain, rtol=1e-5, atol=1e-7)
    brighter = said(sentence, Manner(tilt=0.25), RANDOM)
    np.testing.assert_allclose(brighter[1:], plain[1:] - 0.25 * plain[:-1], atol=1e-6)
    noise = said(sentence, Manner(noise=20), RANDOM) - plain
    assert 10 * np.log10(np.mean(plain**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.2)


def test_the_end_is_not_faded_out_and_a_constant_does_not_hum():
    tone = np.sin(2 * np.pi * 150 * np.arange(RATE) / RATE).astype(np.float32)
    again = said(tone, Manner(pitch=1, duration=1.1), RANDOM)
    assert np.std(again[-100:]) > 0.7 * np.std(again)
    np.testing.assert_allclose(said(tone + 0.5, Manner(pitch=1, duration=1.1), RANDOM), again, atol=1e-3)


@pytest.mark.parametrize("semitones", [-3, 3])
def test_the_level_does_not_follow_the_pitch(sentence, semitones):
    moved = said(sentence, Manner(pitch=semitones), RANDOM)
    assert np.std(moved) == pytest.approx(np.std(sentence), rel=0.01)


def test_speaker_and_clip_are_drawn_apart_even_where_they_share_a_name():
    drawn = [manner(name, name, 0) for name in map(str, range(300))]
    pairs = [(np.log(each.range), np.log(each.duration)) for each in drawn]
    assert abs(np.corrcoef(np.transpose(pairs))[0, 1]) < 0.2


def test_a_pseudo_speaker_keeps_the_voice_and_varies_the_clip():
    one, two = manner("ravdess/01", "a", 0), manner("ravdess/01", "b", 0)
    assert (one.formants, one.range, one.tilt) == (two.formants, two.range, two.tilt)
    assert 0 < abs(one.pitch - two.pitch) <= 1
    assert one.duration != two.duration
    others = [manner("ravdess/01", "a", 1), manner("ravdess/02", "a", 0)]
    assert len({each.formants for each in (one, *others)}) == 3
    drawn = [manner(f"s{number}", "a", 0) for number in range(300)]
    assert 0.86 < min(each.formants for each in drawn) < 0.88
    assert 1.13 < max(each.formants for each in drawn) < 1.16


def test_the_same_names_give_the_same_samples(sentence):
    voice = PseudoSpeakers(0)
    np.testing.assert_array_equal(voice(sentence, "a", "s"), voice(sentence, "a", "s"))
    for other in (
        PseudoSpeakers(1)(sentence, "a", "s"),
        voice(sentence, "b", "s"),
        voice(sentence, "a", "t"),
    ):
        assert not np.array_equal(other, voice(sentence, "a", "s"))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    length=st.integers(160, 9000),
    kind=st.sampled_from(["noise", "clicks", "constant", "tone", "loud", "faint"]),
)
def test_any_waveform_can_be_said_again(seed, length, kind):
    random = np.random.default_rng(seed)
    time = np.arange(length) / RATE
    waveform = {
        "noise": random.normal(size=length),
        "clicks": (random.random(length) < 0.01) + 1e-6,
        "constant": np.full(length, 0.5),
        "tone": np.sin(2 * np.pi * random.uniform(60, 700) * time) + 1e-9,
        "loud": 1e9 * random.normal(size=length),
        "faint": 1e-30 * random.normal(size=length),
    }[kind].astype(np.float32)
    again = PseudoSpeakers(0)(waveform, f"clip {seed}", f"speaker {seed}")
    assert again.dtype == np.float32
    assert np.isfinite(again).all()
    audio.check(again, RATE)
    assert max(160, 0.88 * length - 2) <= len(again) < 1.13 * length + 2


def test_copies_are_kept_apart_by_voice_clip_and_speaker(tiny, cache, monkeypatch):
    def features(clips, copy: int = 0) -> np.ndarray:
        return np.array(
            extract(clips, tiny.root, FEATURES["mfcc13"], cache, alteration=PseudoSpeakers(copy)).values
        )

    clips = tiny.clips.head(3)
    first = features(clips)
    others = [
        np.array(extract(clips, tiny.root, FEATURES["mfcc13"], cache).values),
        features(clips, copy=1),
        features(clips.rename(index=lambda name: f"{name}x")),
        features(clips.assign(speaker="somebody")),
    ]
    assert all((np.abs(first - other).max(axis=1) > 0).all() for other in others)
    monkeypatch.setattr(pseudospeakers, "VERSION", pseudospeakers.VERSION + 1)
    monkeypatch.setattr(pseudospeakers, "manner", lambda *names: Manner(gain=20))
    assert (np.abs(first - features(clips)).max(axis=1) > 1).all(), "a new version is not answered of old"


def test_without_speakers_every_clip_is_one(tiny, cache):
    clips = tiny.clips.head(2)
    anonymous, own = (
        extract(table, tiny.root, FEATURES["mfcc13"], cache, alteration=PseudoSpeakers(0)).values
        for table in (clips.assign(speaker=None), clips.assign(speaker=clips.index))
    )
    np.testing.assert_array_equal(anonymous, own)


class Spy:
    """Stands for an estimator that tunes itself; keeps what it is given."""

    def __init__(self) -> None:
        self.cv = None
        self.best_params_: dict = {}

    def get_params(self, deep: bool = True) -> dict:
        return {"cv": self.cv}

    def set_params(self, cv) -> Spy:
        if cv is not None:
            self.cv = cv
        return self

    def fit(self, X, y) -> Spy:
        self.X, self.y = X, y
        return self


def test_inner_folds_train_on_the_copies_of_their_training_clips_and_test_none():
    speakers = np.repeat(["a", "b", "c", "d"], 6)
    y = np.tile(["angry", "sad"], 12)
    X = np.tile(np.arange(24), 3)[:, None]
    spy = Spy()
    models.fit(Model("spy", "", lambda seed: spy, scale=False, voices=2), X, y, speakers)
    np.testing.assert_array_equal(spy.y, np.tile(y, 3))
    assert len(spy.cv) == 4
    for train, test in spy.cv:
        assert test.max() < 24
        assert len(train) == 3 * (24 - len(test))
        assert not set(speakers[X[train, 0]]) & set(speakers[test])


def test_a_model_of_voices_learns_from_them_and_only_of_the_training_speakers(tiny, cache):
    from ser_classic.folds import run_fold

    features = extract(tiny.clips, tiny.root, FEATURES["mfcc13"], cache)
    copies = [extract(tiny.clips, tiny.root, FEATURES["mfcc13"], cache, alteration=PseudoSpeakers(0))]
    labels = tiny.clips[["speaker", "emotion"]]
    tested = (labels["speaker"] == "tiny/s01").to_numpy()
    fold = Fold("s01", np.flatnonzero(~tested), np.flatnonzero(tested))
    model = replace(MODELS["lda"], voices=1)

    def chances(track: str, where: np.ndarray) -> np.ndarray:
        values = np.where(where[:, None], 1e3 * RANDOM.normal(size=13), copies[0].values)
        spoilt = [replace(copies[0], values=values.astype(np.float32))]
        return run_fold(features, labels, model, fold, track, 0, copies=spoilt).probabilities.to_numpy()

    for track in ("blind", "adapted"):
        np.testing.assert_array_equal(chances(track, tested), chances(track, np.zeros(48, bool)))
    assert np.abs(chances("blind", ~tested) - chances("blind", np.zeros(48, bool))).max() > 0.01


def test_as_many_copies_are_asked_for_as_the_model_is_trained_on(tiny, cache):
    features = extract(tiny.clips, tiny.root, FEATURES["mfcc13"], cache)
    with pytest.raises(SerClassicError, match=r"fusion_voices is trained on 2 copies .* `copies` has 0"):
        evaluate(tiny.clips, features, MODELS["fusion_voices"], PROTOCOLS["loso"])
    with pytest.raises(SerClassicError, match=r"lda is trained on 0 copies .* `copies` has 1"):
        evaluate(tiny.clips, features, MODELS["lda"], PROTOCOLS["loso"], copies=[features])


def test_a_model_that_holds_clips_out_by_itself_is_refused():
    with pytest.raises(SerClassicError, match="would hold copies"):
        replace(MODELS["lda"], voices=1, stops_early=True)


def test_a_stored_run_of_other_voices_is_not_taken_for_the_card(own_folder, tiny, cache, tmp_path):
    bench([Cell("tiny", "loso", "mfcc13", "fusion_voices")], tmp_path, cache=cache, own={"tiny": tiny})

    def source() -> str:
        options = {"speaker": SPEAKER, "results": tmp_path, "cache": cache}
        card = fit(str(own_folder), "mfcc13", "fusion_voices", **options).card
        return card["evaluation"]["source"]

    assert source() == "from the stored run of this cell"
    path = next((tmp_path / "runs").glob("tiny*")) / "run.json"
    record = json.loads(path.read_text())
    record["digests"]["voices"] = "0" * 64
    path.write_text(json.dumps(record))
    assert source() == "computed for this card"


def test_a_run_tells_of_its_voices_and_is_stale_where_they_are_others(tiny, cache, tmp_path, monkeypatch):
    cell = Cell("tiny", "loso", "mfcc13", "fusion_voices")
    bench([cell, replace(cell, model="fusion")], tmp_path, cache=cache, own={"tiny": tiny})
    records = {run.record["model"]: run.record for run in store.runs(tmp_path)}
    assert records["fusion_voices"]["parameters"]["model"]["voices"] == 2
    assert "voices" in records["fusion_voices"]["digests"]
    assert "voices" not in records["fusion"]["digests"]
    assert not differences(records["fusion_voices"], lambda corpus: None)
    monkeypatch.setattr(pseudospeakers, "VERSION", pseudospeakers.VERSION + 1)
    assert list(differences(records["fusion_voices"], lambda corpus: None)) == ["model.voices_version"]
    assert not differences(records["fusion"], lambda corpus: None)
