"""Degradations: each by an independent measure, the same for the same clip, and only ever on test clips."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import welch

from ser_classic import store
from ser_classic.degradations import DEGRADATIONS, RATE
from ser_classic.errors import SerClassicError
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.evaluation import evaluate
from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract
from ser_classic.models import MODELS
from ser_classic.protocols import PROTOCOLS

CODERS = ("mp3", "opus", "mulaw", "gsm", "opus12")


def decibels(ratio):
    return 10 * np.log10(ratio)


def power(waveform, low=0, high=RATE / 2):
    """Power in a band, by Welch's method."""
    frequencies, density = welch(waveform, RATE, nperseg=1024)
    return density[(frequencies >= low) & (frequencies <= high)].sum()


@pytest.mark.parametrize(("name", "ratio"), [("noise20", 20), ("noise10", 10), ("noise0", 0)])
def test_noise_has_the_stated_ratio_and_is_white(voice, name, ratio):
    added = DEGRADATIONS[name](voice, "a clip").astype(float) - voice
    assert decibels(np.sum(voice.astype(float) ** 2) / np.sum(added**2)) == pytest.approx(ratio, abs=0.01)
    octaves = [power(added, low, 2 * low) / low for low in (500, 1000, 2000, 4000)]
    assert decibels(max(octaves) / min(octaves)) < 1.5
    assert abs(np.corrcoef(added, voice)[0, 1]) < 0.05


def test_a_telephone_passes_on_its_band_alone():
    sound = np.random.default_rng(0).normal(0, 0.1, 5 * RATE).astype(np.float32)
    heard = DEGRADATIONS["telephone"](sound, "a clip")
    assert len(heard) == len(sound)
    for low, high in ((0, 150), (3900, 8000)):
        assert decibels(power(heard, low, high) / power(sound, low, high)) < -25
    assert decibels(power(heard, 500, 3000) / power(sound, 500, 3000)) == pytest.approx(0, abs=0.3)
    lag = np.argmax(np.correlate(heard[:4000], sound[:4000], "full")) - 3999
    assert lag == 0


def test_faint_is_20_dB_down_and_nothing_else(voice):
    faint = DEGRADATIONS["faint"](voice, "a clip")
    np.testing.assert_allclose(10 * faint, voice, rtol=1e-6)
    assert 20 * np.log10(np.abs(faint).max() / np.abs(voice).max()) == pytest.approx(-20, abs=1e-4)


def test_a_tenth_of_the_samples_is_clipped_and_the_rest_only_louder(voice):
    clipped = DEGRADATIONS["clipped"](voice, "a clip")
    flat = np.abs(clipped) == 1
    assert flat.mean() == pytest.approx(0.1, abs=0.001)
    scale = np.sort(np.abs(voice))[int(0.9 * len(voice)) - 1 :][:3].mean()
    np.testing.assert_allclose(clipped[~flat] * scale, voice[~flat], rtol=1e-2, atol=1e-6)
    assert np.abs(voice[flat]).min() > np.abs(voice[~flat]).max()


def test_silence_stands_before_and_after(voice):
    longer = DEGRADATIONS["silence"](voice, "a clip")
    assert len(longer) - len(voice) == 2 * RATE
    assert not longer[:RATE].any()
    assert not longer[-RATE:].any()
    np.testing.assert_array_equal(longer[RATE:-RATE], voice)


@pytest.mark.parametrize(
    ("name", "form", "rate", "most", "alike"),
    [
        ("mp3", "MP3", RATE, 32, 0.95),
        ("opus", "OGG", RATE, 32, 0.95),
        ("opus12", "OGG", RATE, 16, 0.9),
        ("mulaw", "WAV", 8000, 65, 0.9),
        ("gsm", "WAV", 8000, 14, 0.8),
    ],
)
def test_a_coder_writes_a_small_file_of_its_kind_that_sounds_alike(
    voice, monkeypatch, name, form, rate, most, alike
):
    written = {}

    def read(file):
        written["bytes"], written["info"] = file.getbuffer().nbytes, soundfile.info(file)
        file.seek(0)
        return original(file)

    original = soundfile.read
    monkeypatch.setattr("soundfile.read", read)
    long = np.tile(voice, 4)
    coded = DEGRADATIONS[name](long, "a clip")
    assert (written["info"].format, written["info"].samplerate) == (form, rate)
    assert 8 < 8 * written["bytes"] / (len(long) / RATE) / 1000 < most  # [kbit/s]; PCM takes 256
    assert abs(len(coded) - len(long)) <= 0.1 * RATE
    shared = min(len(coded), len(long))
    assert np.corrcoef(coded[:shared], long[:shared])[0, 1] > alike
    assert np.abs(coded[:shared] - long[:shared]).max() > 1e-3


@pytest.mark.parametrize("name", CODERS)
def test_loud_waveforms_pass_a_coder_unclipped(voice, name):
    loud = voice * np.float32(5 / np.abs(voice).max())
    assert np.abs(DEGRADATIONS[name](loud, "a clip")).max() > 3


def test_a_lacking_coder_says_what_to_install(voice, monkeypatch):
    def refuse(*arguments, **options):
        raise ValueError("Unknown format: 'MP3'")

    monkeypatch.setattr("soundfile.write", refuse)
    with pytest.raises(SerClassicError, match=r"MP3/MPEG_LAYER_III .*pip install -U soundfile"):
        DEGRADATIONS["mp3"](voice, "a clip")


@pytest.mark.parametrize("name", ["babble10", "music10"])
def test_voices_and_music_have_the_stated_ratio_and_are_no_steady_noise(voice, name):
    long = np.tile(voice, 3)
    added = DEGRADATIONS[name](long, "a clip").astype(float) - long
    assert decibels(np.sum(long.astype(float) ** 2) / np.sum(added**2)) == pytest.approx(10, abs=0.01)
    assert power(added, 0, 2000) > 3 * power(added, 2000, RATE / 2)
    other = DEGRADATIONS[name](long, "another clip") - long
    assert abs(np.corrcoef(added, other)[0, 1]) < 0.5
    tonal, flat = (flatness(each) for each in (added, np.random.default_rng(0).normal(size=len(added))))
    assert tonal < 0.3 * flat


def flatness(waveform):
    """Of a spectrum up to 4 kHz: 1 where it is level, near 0 where it has peaks."""
    density = welch(waveform, RATE, nperseg=1024)[1][8:256]
    return np.exp(np.log(density).mean()) / density.mean()


def test_a_room_goes_on_sounding_and_fades_by_60_dB_in_its_time():
    click = np.zeros(RATE, np.float32)
    click[0] = 1
    heard = DEGRADATIONS["room"](click, "a clip").astype(float)
    assert heard[0] == pytest.approx(1, abs=1e-6)
    assert np.sum(heard[1:] ** 2) == pytest.approx(1, rel=1e-5)
    early, late = (np.mean(heard[start : start + 1600] ** 2) for start in (160, 160 + 4800))
    assert decibels(early / late) == pytest.approx(30, abs=1.5)  # .3 s later
    assert len(heard) > len(click)


def test_a_tenth_of_the_packets_is_lost_in_bursts_and_the_rest_is_untouched():
    sound = np.random.default_rng(0).normal(0, 0.1, 300 * RATE).astype(np.float32)
    heard = DEGRADATIONS["lost10"](sound, "a clip")
    packets = (heard.reshape(-1, 320) == 0).all(axis=1)
    assert packets.mean() == pytest.approx(0.1, abs=0.02)
    np.testing.assert_array_equal(heard.reshape(-1, 320)[~packets], sound.reshape(-1, 320)[~packets])
    assert packets[1:][packets[:-1]].mean() == pytest.approx(0.5, abs=0.1), "two in a row on average"


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_the_same_clip_gives_the_same(voice, name):
    one, two = (DEGRADATIONS[name](voice, "ravdess/01") for _ in range(2))
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, two)


def test_noise_is_drawn_for_every_clip_and_level_anew(voice):
    drawn = [DEGRADATIONS[name](voice, clip) - voice for name in ("noise10", "noise0") for clip in "ab"]
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < 0.05


def test_noise_does_not_hang_on_the_process(python):
    code = (
        "import numpy; from ser_classic.degradations import DEGRADATIONS as D;"
        "print(D['noise0'](numpy.ones(400), 'a clip').tobytes().hex())"
    )
    expected = DEGRADATIONS["noise0"](np.ones(400), "a clip").tobytes().hex() + "\n"
    assert python(code, PYTHONHASHSEED="1").said() == python(code, PYTHONHASHSEED="2").said() == expected


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(sorted(DEGRADATIONS)), st.integers(160, 20_000), st.floats(-4, 1), st.integers(0, 2**16)
)
def test_whatever_is_heard_stays_finite(name, samples, loudness, seed):
    waveform = np.random.default_rng(seed).normal(0, 10**loudness, samples).astype(np.float32)
    degraded = DEGRADATIONS[name](waveform, "a clip")
    assert degraded.ndim == 1
    assert np.isfinite(degraded).all()
    swallowed = samples < 1600 or loudness < -3.4  # by a coder: a click, and noise below -68 dB
    assert degraded.any() or (name in (*CODERS, "lost10") and swallowed)


def test_what_is_silent_stays_silent():
    for name in DEGRADATIONS:
        assert np.abs(DEGRADATIONS[name](np.zeros(4000, np.float32), "a clip")).max() < 1e-3


def test_the_key_tells_the_version_and_of_coders_their_library():
    assert DEGRADATIONS["noise10"].key == "noise10.1"
    assert replace(DEGRADATIONS["noise10"], version=2).key == "noise10.2"
    library = soundfile.__libsndfile_version__
    with_library = [name for name, each in DEGRADATIONS.items() if library in each.key]
    assert with_library == list(CODERS)


def degraded_features(corpus, cache, name, clips=None):
    rows = corpus.clips if clips is None else clips
    return extract(rows, corpus.root, FEATURES["mfcc13"], cache, degradation=DEGRADATIONS[name])


def test_degraded_features_are_kept_apart_and_clip_by_clip(tiny, mfcc13, cache, monkeypatch):
    noisy = degraded_features(tiny, cache, "noise0")
    assert (np.abs(mfcc13.values - noisy.values).max(axis=1) > 0).all()
    again = extract(tiny.clips, tiny.root, FEATURES["mfcc13"], cache)
    np.testing.assert_array_equal(mfcc13.values, again.values)
    renamed = tiny.clips.head(2).rename(index=lambda name: f"{name}x")
    other = degraded_features(tiny, cache, "noise0", renamed)
    assert (np.abs(other.values - noisy.values[:2]).max(axis=1) > 0).all(), "noise follows the clip's name"
    monkeypatch.setattr("ser_classic.features.extraction._extract_missing", pytest.fail)
    np.testing.assert_array_equal(noisy.values, degraded_features(tiny, cache, "noise0").values)


def test_a_new_version_is_not_answered_from_the_cache(tiny, cache):
    clips = tiny.clips.head(3)
    before = degraded_features(tiny, cache, "faint", clips)
    newer = replace(DEGRADATIONS["clipped"], name="faint", version=2)
    after = extract(clips, tiny.root, FEATURES["mfcc13"], cache, degradation=newer)
    assert np.abs(after.values - before.values).max() > 1


def test_training_never_sees_a_degraded_clip_and_the_test_no_clean_one(tiny, mfcc13, cache):
    protocol, ridge, clean = PROTOCOLS["loso_degraded_noise10"], MODELS["ridge"], mfcc13
    noisy = degraded_features(tiny, cache, "noise10")
    expected = evaluate(tiny.clips, clean, ridge, protocol, degraded=noisy).set_index("clip")
    one = "tiny/s01"
    own = (tiny.clips["speaker"] == one).to_numpy()[:, None]
    only_clean = replace(clean, values=np.where(own, 1e9, clean.values))  # never tested on...
    only_noisy = replace(noisy, values=np.where(own, noisy.values, 1e9))  # ...nor trained on
    spoilt = evaluate(tiny.clips, only_clean, ridge, protocol, degraded=only_noisy).set_index("clip")
    rows = tiny.clips.index[own[:, 0]]
    np.testing.assert_array_equal(spoilt.loc[rows, "p_sad"], expected.loc[rows, "p_sad"])
    assert expected.loc[rows, "p_sad"].nunique() > 2
    straight = evaluate(tiny.clips, clean, ridge, PROTOCOLS["loso"]).set_index("clip")
    assert np.abs(straight["p_sad"] - expected["p_sad"]).max() > 0.01


def test_a_degraded_protocol_asks_for_the_degraded_features_and_no_other_does(tiny, mfcc13):
    with pytest.raises(SerClassicError, match=r"noise0.*`degraded`"):
        evaluate(tiny.clips, mfcc13, MODELS["ridge"], PROTOCOLS["loso_degraded_noise0"])
    with pytest.raises(SerClassicError, match="loso"):
        evaluate(tiny.clips, mfcc13, MODELS["ridge"], PROTOCOLS["loso"], degraded=mfcc13)


def test_a_run_tells_its_degradation_and_is_resumed(tiny, cache, tmp_path, monkeypatch):
    cells = [Cell("tiny", f"loso_degraded_{name}", "mfcc13", "ridge") for name in ("faint", "mp3")]

    def lacking(*arguments, **options):
        raise ValueError("Unknown format")

    with monkeypatch.context() as patch:
        patch.setattr("soundfile.write", lacking)
        first = bench(cells, tmp_path, cache=cache, own={"tiny": tiny})
    assert (first.done, first.failed) == ([cells[0].id], [cells[1].id])
    assert "MP3" in first.problems[0]
    second = bench(cells, tmp_path, cache=cache, own={"tiny": tiny})
    assert (second.kept, second.done, second.failed) == ([cells[0].id], [cells[1].id], [])
    records = {run.record["degradation"]: run.record for run in store.runs(tmp_path)}
    assert sorted(records) == ["faint", "mp3"]
    assert records["mp3"]["parameters"]["protocol"]["degraded_by"] == DEGRADATIONS["mp3"].key
    assert records["faint"]["digests"]["features"] != records["faint"]["digests"]["degraded"]
    assert (records["faint"]["track"], records["faint"]["leaky"]) == ("blind", False)
