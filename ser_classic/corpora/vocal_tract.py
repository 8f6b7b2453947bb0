"""A source-filter voice: control tracks (F0, formants, voicing, breath, hiss) to a waveform.

References
----------
Klatt (1980). Software for a cascade/parallel formant synthesizer. JASA 67, 971-995.
Klatt & Klatt (1990). Analysis, synthesis, and perception of voice quality variations among female and male
talkers. JASA 87, 820-857.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAMPLE_RATE = 16000  # [Hz]
HOP = 128  # [samples] between the frames of the tracks: 8 ms
BANDWIDTHS = (60.0, 90.0, 150.0, 250.0, 300.0, 350.0, 400.0)  # [Hz], as Klatt (1980) has for vowels

_SIZE = 8 * HOP  # transform length: 48 ms beyond a frame, in which a formant 60 Hz wide falls by 78 dB
_OVERSAMPLING = 4  # the closing of the glottis is a corner in the flow, whose harmonics would alias
_TAPS = 48
_BIN = np.exp(-2j * np.pi * np.fft.rfftfreq(_SIZE))  # z^-1 at every bin


@dataclass(frozen=True)
class Tracks:
    """What a voice does during an utterance, frame by frame (every `HOP` samples at `SAMPLE_RATE`)."""

    f0: np.ndarray  # [shape=(t,)] fundamental frequency [Hz], also where nothing is voiced
    formants: np.ndarray  # [shape=(t, 7)] resonances of the vocal tract [Hz]
    voicing: np.ndarray  # [shape=(t,)] amplitude of the glottal pulses,
    breath: np.ndarray  # of the noise made at the glottis,
    hiss: np.ndarray  # and of that made at a constriction in the mouth;
    hiss_centre: np.ndarray  # the latter's centre
    hiss_width: np.ndarray  # and bandwidth [Hz]
    open_quotient: float  # part of each period in which the glottis is open
    tilt: float  # attenuation of the glottal pulses at 3 kHz [dB], > 0
    jitter: float  # standard deviation of the F0 of single periods, relative
    shimmer: float  # and of their amplitude
    level: float  # RMS of the utterance [dB re full scale]


def render(tracks: Tracks, random: np.random.RandomState) -> np.ndarray:
    """Let the vocal tract ring; [shape=(t * HOP,)] at `SAMPLE_RATE`, full scale is 1.

    The glottal flow is the polynomial pulse of KLGLOTT88 (Klatt & Klatt 1990), its tilt a one-pole
    low-pass; the tract is a cascade of resonators (Klatt 1980), applied to each frame's spectrum and
    overlap-added, so that the formants glide.
    """
    frames = len(tracks.f0)
    flow = _flow(tracks, random)
    # Radiation from the lips differentiates. The factor brings the pulses of a man's voice to a peak near 1,
    # which is what the amplitudes of noise are relative to.
    pulses = 8.0 * np.diff(flow, prepend=0.0) * _by_sample(tracks.voicing)
    # Noise is made where air flows: most of it while the glottis is open (Klatt & Klatt 1990).
    breath = random.standard_normal(frames * HOP) * (0.3 + flow) * _by_sample(tracks.breath)
    hiss = random.standard_normal(frames * HOP) * _by_sample(tracks.hiss)
    spectrum = _spectra(pulses) * _tilt(tracks.tilt) + _spectra(breath)
    spectrum *= _tract(tracks.formants)
    spectrum += _spectra(hiss) * _constriction(tracks.hiss_centre, tracks.hiss_width)
    waveform = _overlap_add(spectrum)
    return waveform * 10 ** (tracks.level / 20) / np.sqrt(np.mean(waveform**2))


def _flow(tracks: Tracks, random: np.random.RandomState) -> np.ndarray:
    """Glottal flow [shape=(t * HOP,)]: x**2 * (1 - x) over the open part of a period, with peak 1."""
    rate = _OVERSAMPLING * SAMPLE_RATE
    f0 = _by_sample(tracks.f0, _OVERSAMPLING)
    # A period lies between the closings that excite the tract: jitter changes at these.
    period = (np.cumsum(f0 / rate) + 1.0 - tracks.open_quotient).astype(int)
    wobble = 1.0 + tracks.jitter * random.standard_normal(period[-1] + 1)
    phase = np.cumsum(f0 * wobble[period] / rate)
    period = phase.astype(int)
    strength = 1.0 + tracks.shimmer * random.standard_normal(period[-1] + 1)
    x = np.minimum((phase - period) / tracks.open_quotient, 1.0)
    flow = 6.75 * x * x * (1.0 - x) * strength[period]
    position = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(position * 0.92 / _OVERSAMPLING) * np.hamming(_TAPS)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(flow, (_TAPS, 0)), _TAPS)
    return windows[1::_OVERSAMPLING] @ (taps / taps.sum())


def _by_sample(track: np.ndarray, oversampling: int = 1) -> np.ndarray:
    hop = HOP * oversampling
    return np.interp(np.arange(len(track) * hop), np.arange(len(track)) * hop, track)


def _spectra(signal: np.ndarray) -> np.ndarray:
    """Spectra [shape=(t + 1, bins)] of Hann frames two hops long, which sum to the signal."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(signal, HOP), 2 * HOP)[::HOP]
    window = 0.5 - 0.5 * np.cos(np.pi * np.arange(2 * HOP) / HOP)
    return np.fft.rfft(frames * window, _SIZE)


def _overlap_add(spectra: np.ndarray) -> np.ndarray:
    parts = _SIZE // HOP
    chunks = np.fft.irfft(spectra, _SIZE).reshape(len(spectra), parts, HOP)
    out = np.zeros((len(spectra) + parts, HOP))
    for part in range(parts):
        out[part : part + len(spectra)] += chunks[:, part]
    return out[1 : len(spectra)].ravel()


def _poles(frequency: np.ndarray, bandwidth: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Feedback coefficients of z^-1 and z^-2 of resonators with a frequency and a bandwidth [Hz]."""
    radius = np.exp(-np.pi * bandwidth / SAMPLE_RATE)
    return -2 * radius * np.cos(2 * np.pi * frequency / SAMPLE_RATE), radius**2


def _tract(formants: np.ndarray) -> np.ndarray:
    """Response [shape=(t + 1, bins)] of the cascade of formants, each with gain 1 at 0 Hz."""
    formants = np.vstack([formants, formants[-1:]])
    denominator = np.ones((len(formants), 1))
    for frequency, bandwidth in zip(formants.T, BANDWIDTHS, strict=True):
        b, c = _poles(frequency, bandwidth)
        padded = np.pad(denominator, ((0, 0), (0, 2)))
        denominator = padded + b[:, None] * np.roll(padded, 1, axis=1) + c * np.roll(padded, 2, axis=1)
    return denominator.sum(axis=1)[:, None] / np.fft.rfft(denominator, _SIZE)


def _constriction(centre: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Response [shape=(t + 1, bins)] of one broad resonance with gain 1 at its centre, nothing at 0 Hz."""
    centre, width = (np.append(track, track[-1]) for track in (centre, width))
    b, c = _poles(centre, width)
    response = (1 - _BIN) / (1 + b[:, None] * _BIN + c[:, None] * _BIN**2)
    return response * (0.5 * (1 - np.sqrt(c)))[:, None]


def _tilt(attenuation: float) -> np.ndarray:
    """Response [shape=(bins,)] of the one-pole low-pass with an attenuation [dB] at 3 kHz, > 0."""
    power = 10 ** (-attenuation / 10)
    middle = (1 - power * np.cos(2 * np.pi * 3000 / SAMPLE_RATE)) / (1 - power)
    pole = middle - np.sqrt(middle**2 - 1)
    return (1 - pole) / (1 - pole * _BIN)
