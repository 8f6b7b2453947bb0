"""Listening: blocks of any size give the windows and the answers of the whole recording."""

import io
import json
import sys
import types

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_classic.audio import Segment
from ser_classic.corpora.synthetic import synthesise
from ser_classic.errors import SerClassicError
from ser_classic.extras.listen import command as listen
from ser_classic.extras.listen import microphone
from ser_classic.predictor.cutting import hop_of, windows

RATE = 16_000


@pytest.fixture(scope="module")
def predictor(fitted):
    return fitted("svm_rbf")


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    """Some seven seconds, with a silence in the middle."""
    said = [synthesise("s05", word, "t2") for word in ("neutral", "angry", "sad")]
    return np.concatenate([said[0], np.zeros(40_000, np.float32), said[1], said[2]])


@st.composite
def cuttings(draw):
    rate = draw(st.sampled_from([1000, 8000]))
    window = draw(st.floats(0.1, 1.0))
    hop = draw(st.one_of(st.none(), st.floats(0.02, 1.0).map(lambda share: max(0.01, share * window))))
    sizes = draw(st.lists(st.integers(0, 3000), max_size=12))
    return rate, window, hop, sizes


def spans(samples: int, rate: int, window: float, hop: float | None = None) -> list[tuple[int, int]]:
    """First and last sample (exclusive) of every window of a recording that is cut as a whole."""
    size, step = round(window * rate), round(hop_of(window, hop) * rate)
    if samples <= size:
        return [(0, samples)] if samples else []
    cut = [(first, first + size) for first in range(0, samples - size + 1, step)]
    return cut if cut[-1][1] == samples else [*cut, (samples - size, samples)]


@settings(max_examples=200, deadline=None)
@given(cuttings())
def test_any_blocks_give_the_windows_of_the_whole(cutting):
    rate, window, hop, sizes = cutting
    whole = np.arange(sum(sizes), dtype=np.float32)
    blocks = np.split(whole, np.cumsum(sizes)[:-1]) if sizes else []
    got = list(windows(blocks, rate, window, hop))
    expected = spans(len(whole), rate, window, hop)
    assert [span for span, _ in got] == [Segment(first / rate, last / rate) for first, last in expected]
    for (_, piece), (first, last) in zip(got, expected, strict=True):
        np.testing.assert_array_equal(piece, whole[first:last])
    covered = {sample for first, last in expected for sample in range(first, last)}
    assert covered == set(range(len(whole)))


def test_windows_by_hand():
    for samples, window, hop, expected in (
        (0, 0.4, None, []),
        (3, 0.4, None, [(0, 0.3)]),
        (8, 0.4, 0.2, [(0, 0.4), (0.2, 0.6), (0.4, 0.8)]),
        (9, 0.4, 0.2, [(0, 0.4), (0.2, 0.6), (0.4, 0.8), (0.5, 0.9)]),
    ):
        assert [span for span, _ in windows([np.zeros(samples)], 10, window, hop)] == expected


@pytest.mark.parametrize(("window", "hop"), [(0.05, None), (1.0, 1.5), (1.0, 0.0), (float("nan"), 1.0)])
def test_a_window_or_hop_that_cannot_be_used_is_refused(window, hop):
    with pytest.raises(SerClassicError, match="expected"):
        list(windows([], RATE, window, hop))


@pytest.mark.parametrize("size", [160, 1600, 4410, 100_000])
def test_listening_in_blocks_of_any_size_answers_as_predict_does(predictor, waveform, tmp_path, size):
    path = tmp_path / "a.wav"
    soundfile.write(path, waveform, RATE, subtype="FLOAT")
    whole = predictor.predict(path, window=1.0, hop=0.4)
    blocks = [waveform[start : start + size] for start in range(0, len(waveform), size)]
    heard = list(predictor.listen(blocks, RATE, 1.0, 0.4))
    assert [(row["start"], row["end"], row["emotion"]) for row in heard if row["emotion"]] == [
        (row.start, row.end, row.emotion) for row in whole.itertuples() if row.emotion
    ]
    answered = whole[whole["emotion"].notna()]
    sure = [row["confidence"] for row in heard if row["emotion"]]
    np.testing.assert_allclose(sure, answered["confidence"], rtol=1e-12)
    assert whole["emotion"].isna().any(), "the silence has no emotion"


def test_a_program_reads_what_is_heard_as_json(predictor, waveform, capsys):
    with listen.shown(predictor.card, as_json=True) as show:
        listen.hear(predictor, [waveform[:RATE]], RATE, show, window=0.5, hop=0.5)
    first, *_ = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["start"], first["end"]) == (0, 0.5)
    assert set(first["probabilities"]) == set(predictor.classes)


def test_listening_stops_when_its_time_is_over_and_keeps_what_it_heard(predictor, waveform, tmp_path):
    heard = []
    blocks = (waveform[start : start + 1000] for start in range(0, len(waveform), 1000))
    with listen.kept(blocks, tmp_path / "out.wav", RATE) as passing:
        listen.hear(predictor, passing, RATE, lambda _, seconds, __: heard.append(seconds), seconds=1.2)
    assert heard[-1] == pytest.approx(1.2)
    recorded, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert rate == RATE
    assert len(recorded) == 20_000
    np.testing.assert_allclose(recorded, waveform[:20_000], atol=1 / 32768)


def test_stopping_with_the_keyboard_still_answers_to_the_rest(predictor, waveform):
    def interrupted():
        yield waveform[:4000]
        raise KeyboardInterrupt

    seen = []
    listen.hear(predictor, interrupted(), RATE, lambda *given: seen.append(len(given[-1])), window=1.0)
    assert seen == [0, 1]


def test_what_cannot_be_heard_or_kept_is_refused_before_the_microphone_is_opened(fitted, tmp_path):
    path = tmp_path / "m.skops"
    adapted = fitted("ridge", adapted=True)
    adapted.save(path)
    with pytest.raises(SerClassicError, match="recordings"):
        list(adapted.listen([np.ones(RATE)], RATE))
    with pytest.raises(SerClassicError, match="predict --adapt"):
        listen.listen(path)
    for record, complaint in (
        (path, r"m\.skops.*\.wav"),
        (tmp_path / "no" / "a.wav", "folder"),
    ):
        with pytest.raises(SerClassicError, match=complaint):
            listen.listen(path, record=record)


def test_a_disk_that_is_full_while_listening_is_told(waveform, tmp_path, monkeypatch):
    def full(*given):
        raise soundfile.SoundFileRuntimeError("No space left on device")

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    with (
        pytest.raises(SerClassicError, match=r"out\.wav: .*No space left on device"),
        listen.kept([waveform], tmp_path / "out.wav", RATE) as passing,
    ):
        list(passing)


def test_the_level_is_that_of_a_meter():
    tone = np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE).astype(np.float32)
    assert listen.level(tone) == pytest.approx(-3.01, abs=0.01)
    assert listen.level(tone / 10) == pytest.approx(-23.01, abs=0.01)
    assert listen.level(np.zeros(10)) == listen.level(np.zeros(0)) == -60


def test_the_live_view_shows_level_emotion_and_what_was_before(predictor, waveform):
    from rich.console import Console

    recent = list(predictor.listen([waveform], RATE, 1.0, 0.5))
    console = Console(record=True, width=80, file=io.StringIO())
    console.print(listen.view(predictor.card, -20.0, 7.0, recent))
    told = console.export_text()
    assert recent[-1]["emotion"] in told
    assert "dB" in told
    assert "0.0 to 1.0 s" in told
    assert "silent" in told


class FakePortAudio(types.ModuleType):
    """A microphone that says one recording, as sounddevice would hand it over."""

    PortAudioError = type("PortAudioError", (Exception,), {})
    default = types.SimpleNamespace(device=(1, 0))

    def __init__(self, waveform: np.ndarray) -> None:
        super().__init__("sounddevice")
        outer = self
        self.waveform = waveform

        class InputStream:
            def __init__(self, samplerate, device, channels, dtype, blocksize, callback):
                assert (samplerate, channels, dtype) == (RATE, 1, "float32")
                self.callback, self.size = callback, blocksize

            def __enter__(self):
                for start in range(0, len(outer.waveform), self.size):
                    block = outer.waveform[start : start + self.size, None]
                    self.callback(block, len(block), None, None)

            def __exit__(self, *_):
                pass

        self.InputStream = InputStream

    def query_devices(self, device=None, kind=None):
        found = [
            {"name": "speaker", "max_input_channels": 0, "default_samplerate": 44100.0},
            {"name": "mic", "max_input_channels": 2, "default_samplerate": float(RATE)},
        ]
        if kind is None:
            return found
        if device not in (None, 1, "mic"):
            raise ValueError(f"No input device matching {device!r}")
        return found[1]


@pytest.fixture
def fake(monkeypatch, waveform):
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(waveform))


def test_the_command_listens_records_and_prints_a_line_a_window(fake, saved, tmp_path, capsys, waveform):
    record = tmp_path / "out.wav"
    listen.listen(saved, window=1.0, hop=1.0, seconds=3.0, record=record)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["0.00", "1.00"], ["1.00", "2.00"], ["2.00", "3.00"]]
    assert soundfile.info(record).frames == 3 * RATE


def test_windows_unlike_what_the_model_was_fitted_on_are_marked_and_uncertain(saved, monkeypatch, capsys):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 3 * RATE).astype(np.float32)
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(noise))
    listen.listen(saved, window=1.0, hop=1.0, seconds=3.0, min_confidence=0.01)
    out, err = capsys.readouterr()
    assert [line.split()[2:4] for line in out.splitlines()] == 3 * [["uncertain", "(unlike)"]]
    assert len(err.splitlines()) == 1
    assert "tiny" in err, "it says what the model was fitted on"


def test_devices_are_listed_with_the_default_marked_and_one_that_is_not_there_is_told(fake, capsys, saved):
    listen.listen(devices=True)
    assert capsys.readouterr().out == "* 1: mic (2 channels, 16000 Hz)\n"
    with pytest.raises(SerClassicError, match=r"'nonsense'.* ser-classic listen --devices") as told:
        listen.listen(saved, device="nonsense")
    assert "Error" not in str(told.value)


def test_a_microphone_that_falls_silent_ends_the_wait(fake, monkeypatch):
    monkeypatch.setattr(microphone, "SILENT_FOR", 0.01)
    with microphone.opened() as (rate, blocks):
        assert rate == RATE
        with pytest.raises(SerClassicError, match="unplugged"):
            list(blocks)


def test_what_is_not_installed_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(SerClassicError, match=r"pip install 'ser-classic\[mic\]'"):
        microphone.devices()

    def without_portaudio(*_):
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(microphone, "need", without_portaudio)
    with pytest.raises(SerClassicError, match="apt install libportaudio2"):
        microphone.devices()
