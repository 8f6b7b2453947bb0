"""Utterances of a recording: found where somebody speaks, the same however the recording comes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from ser_classic.predictor.cutting import HOP, LONGEST, MARGIN, Utterances

RATE = 8000


def voice(seconds: float, pitch: float = 140.0) -> np.ndarray:
    """A tone with harmonics, in syllables."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * pitch * harmonic * time) / harmonic for harmonic in range(1, 6))
    return (0.2 * tone * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))).astype(np.float32)


def found(waveform: np.ndarray, cuts: list[int] = (), rate: int = RATE) -> list:
    return list(Utterances(np.split(waveform, sorted(cuts)), rate))


def conversation(seed: int, turns: int = 8) -> tuple[np.ndarray, list[tuple[float, float]]]:
    random = np.random.default_rng(seed)
    parts, truth, time = [], [], 0.0
    for _ in range(turns):
        pause, spoken = random.uniform(0.8, 4), random.uniform(1.2, 6)
        parts += [np.zeros(round(pause * RATE)), voice(spoken, random.uniform(90, 250))]
        truth.append((time + pause, time + pause + spoken))
        time += pause + spoken
    waveform = np.concatenate([*parts, np.zeros(RATE)])
    return (waveform + 0.002 * random.normal(size=len(waveform))).astype(np.float32), truth


@pytest.mark.parametrize("hum", [0, 0.15], ids=["clean", "mains hum"])
def test_every_turn_is_found_where_it_is(hum):
    waveform, truth = conversation(0)
    mains = hum * np.sin(2 * np.pi * 50 * np.arange(len(waveform)) / RATE)
    spans = [span for span, _ in found((waveform + mains).astype(np.float32))]
    assert len(spans) == len(truth)
    for span, (start, end) in zip(spans, truth, strict=True):
        assert span == pytest.approx((start, end), abs=MARGIN + 0.1)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 30 * RATE), max_size=6))
def test_it_does_not_matter_in_which_blocks_the_recording_comes(seed, cuts):
    waveform, _ = conversation(seed, turns=4)
    whole, blocks = found(waveform), found(waveform, cuts)
    assert [span for span, _ in whole] == [span for span, _ in blocks]
    for span, piece in blocks:
        first, last = round(span.start * RATE), round(span.end * RATE)
        np.testing.assert_array_equal(piece, waveform[first:last])


def test_a_long_speech_is_split_and_none_of_it_lost():
    waveform = np.concatenate([np.zeros(RATE), voice(50), np.zeros(RATE)])
    spans = [span for span, _ in found(waveform)]
    assert all(LONGEST / 3 <= span.seconds / HOP <= LONGEST for span in spans[:-1])
    assert 1 <= spans[-1].seconds <= LONGEST * HOP
    assert spans[0].start == pytest.approx(1, abs=0.2)
    assert spans[-1].end == pytest.approx(51, abs=0.2)
    assert all(0 <= after.start - before.end < 0.1 for before, after in itertools.pairwise(spans))


@pytest.mark.parametrize(("word", "pause", "count"), [(0.4, 0.5, 3), (0.7, 0.5, 6), (0.4, 0.9, 6)])
def test_short_ones_are_given_with_what_surrounds_them_or_joined_but_never_overlap(word, pause, count):
    quiet = np.zeros(round(RATE * pause))
    words = [part for _ in range(6) for part in (voice(word), quiet)]
    whole = np.concatenate([np.zeros(RATE), *words, np.zeros(RATE)]).astype(np.float32)
    spans = [span for span, _ in found(whole)]
    assert len(spans) == count
    assert all(after.start >= before.end for before, after in itertools.pairwise(spans))
    assert all(span.end - span.start >= 0.99 for span in spans)
    for number in range(6):
        middle = 1 + (word + pause) * number + word / 2
        assert sum(span.start < middle < span.end for span in spans) == 1


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100])
def test_what_is_no_voice_is_no_utterance(rate):
    random = np.random.default_rng(0)
    noise = 0.1 * random.normal(size=20 * rate)
    rumble = signal.lfilter([0.1], [1, -0.999], noise)
    clicks = np.zeros(20 * rate)
    clicks[:: 2 * rate] = 1
    silence, offset = np.zeros(20 * rate), np.full(5 * rate, 0.3)
    for waveform in (noise, rumble, clicks, silence, np.zeros(0), offset):
        assert found(waveform.astype(np.float32), rate=rate) == []


def test_no_more_is_held_of_an_endless_recording():
    speech, _ = conversation(1)
    cutter = Utterances([speech] * 12, RATE)
    assert list(cutter)
    assert len(cutter._samples) < 60 * RATE


@pytest.mark.parametrize("silent", [(0.0, 3.0), (3.0, 0.0), (0.1, 3.0), (3.0, 0.1)])
def test_a_word_at_an_edge_of_the_recording_is_given_with_a_second_of_it(silent):
    before, after = (np.zeros(round(RATE * seconds)) for seconds in silent)
    waveform = np.concatenate([before, voice(0.4), after]).astype(np.float32)
    (segment, piece), *others = Utterances([waveform], RATE)
    assert not others
    assert segment.seconds == pytest.approx(1, abs=0.02)
    assert len(piece) == round(segment.seconds * RATE)
    assert segment.start <= silent[0]
    assert segment.end >= silent[0] + 0.4 - HOP
