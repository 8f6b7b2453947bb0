"""Channels: what rooms, microphones, amplifiers, telephones, coders and networks do to a recording."""

from __future__ import annotations

import io

import numpy as np

from ser_classic import audio
from ser_classic.degradations.degradation import RATE
from ser_classic.errors import SerClassicError

SILENCE = 1.0  # [s]
EARLIEST = 0.005  # [s] from the direct sound to the first echo of `room`
FIRST = (0.002, 0.02)  # [s], range of the same in `reflections`
DENSITY = (2.7, 3.9)  # range of the common logarithm of echoes per second in `reflections`
NARROW = 8000  # [Hz]
TELEPHONE = (300, 3400)  # [Hz], ITU-T G.712
PACKET = 0.02  # [s], as RTP sends speech
BURST = 2.0  # packets lost in a row, on average


def gain(waveform: np.ndarray, random: np.random.Generator, level: float) -> np.ndarray:
    """Louder or fainter by a level [dB]."""
    return waveform * 10 ** (level / 20)


def levelled(waveform: np.ndarray, level: float) -> np.ndarray:
    """Scaled so that the largest sample is at a level [dB] of full scale; silence stays silent."""
    peak = np.abs(waveform).max(initial=0.0)
    return waveform * (10 ** (level / 20) / peak) if peak > 0 else waveform


def clipped(waveform: np.ndarray, random: np.random.Generator, share: float) -> np.ndarray:
    """Amplified until this share of the samples exceeds full scale, and cut off there."""
    scale = np.quantile(np.abs(waveform), 1 - share)
    return np.clip(waveform / scale, -1, 1) if scale > 0 else np.sign(waveform)


def silence(waveform: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One second of silence before and after it."""
    return np.pad(waveform, int(SILENCE * RATE))


def room(waveform: np.ndarray, random: np.random.Generator, decay: float) -> np.ndarray:
    """A room with a distant microphone: the direct sound, then fading noise of the same energy.

    Polack's model of late reverberation (1988): within the `decay` [s], the level falls by 60 dB.
    """
    from scipy.signal import fftconvolve

    length = int(decay * RATE)
    tail = random.normal(size=length) * 10 ** (-3 * np.arange(length) / length)
    tail[: int(EARLIEST * RATE)] = 0
    response = tail / np.sqrt(np.sum(tail**2))
    response[0] = 1.0
    return fftconvolve(waveform, response)


def reflections(waveform: np.ndarray, random: np.random.Generator, decay: float, ratio: float) -> np.ndarray:
    """Another room: echoes one by one at random times, duller than the direct sound.

    The ratio [dB] is of the direct sound's energy to that of all echoes. They are velvet noise (Karjalainen
    and Järveläinen 2007, "Reverberation modeling using velvet noise") that fades by 60 dB in the `decay` [s].
    """
    from scipy.signal import fftconvolve, lfilter

    length = int(decay * RATE)
    density, damping = 10 ** random.uniform(*DENSITY), random.uniform(0, 0.8)
    echoes = np.where(random.random(length) < density / RATE, random.choice((-1.0, 1.0), length), 0.0)
    echoes *= 10 ** (-3 * np.arange(length) / length)
    echoes[: int(random.uniform(*FIRST) * RATE)] = 0
    response = lfilter([1 - damping], [1, -damping], echoes)
    energy = np.sum(response**2)
    if energy > 0:
        response *= 10 ** (-ratio / 20) / np.sqrt(energy)
    response[0] += 1.0
    return fftconvolve(waveform, response)


def telephone(waveform: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """What a telephone transmits: 300 to 3400 Hz, sampled at 8 kHz."""
    low = audio.resample(waveform, RATE, NARROW)
    return audio.resample(band_passed(low, *TELEPHONE, NARROW), NARROW, RATE)


def band_passed(waveform: np.ndarray, low: float, high: float, rate: int = RATE) -> np.ndarray:
    """A band [Hz] of a waveform, without delay: fourth-order Butterworth, forwards and backwards."""
    from scipy.signal import butter, sosfiltfilt

    band = butter(4, (low, high), "bandpass", fs=rate, output="sos")
    return sosfiltfilt(band, waveform, padlen=min(100, len(waveform) - 1))


def narrowed(waveform: np.ndarray, low: float, high: float) -> np.ndarray:
    """A line that passes a band [Hz] alone and is sampled at a low rate: nothing at all is left far above."""
    from scipy import fft

    passed = band_passed(waveform, low, high)
    size = fft.next_fast_len(len(passed), real=True)
    spectrum = fft.rfft(passed, size)
    spectrum[fft.rfftfreq(size, 1 / RATE) > 1.1 * high] = 0
    return fft.irfft(spectrum, size)[: len(passed)]


def coded(
    waveform: np.ndarray, random: np.random.Generator, rate: int = RATE, **coder: str | float
) -> np.ndarray:
    """A waveform after a coder at low bit rate, at a sample rate [Hz]."""
    import soundfile

    file = io.BytesIO()
    peak = max(1.0, float(np.abs(waveform).max()))
    sent = waveform if rate == RATE else audio.resample(waveform, RATE, rate)
    try:
        soundfile.write(file, sent / peak, rate, **coder)  # type: ignore[arg-type]
    except (soundfile.SoundFileError, ValueError) as error:
        raise SerClassicError(
            f"libsndfile {soundfile.__libsndfile_version__} cannot write {coder['format']}/"
            f"{coder['subtype']} ({error}); install a newer soundfile: pip install -U soundfile"
        ) from error
    file.seek(0)
    received = peak * soundfile.read(file)[0]
    if rate == RATE:
        return received
    return audio.resample(received[: len(sent)], rate, RATE)  # GSM fills up its last block


def lossy(waveform: np.ndarray, random: np.random.Generator, share: float) -> np.ndarray:
    """Packets of 20 ms lost in bursts, this share on average, and played as silence.

    Two states, after Gilbert (1960), "Capacity of a burst-noise channel".
    """
    size = int(PACKET * RATE)
    packets = -(-len(waveform) // size)
    drawn = random.random(packets + 1)
    lost = np.empty(packets, dtype=bool)
    before = drawn[-1] < share
    for number in range(packets):
        chance = 1 - 1 / BURST if before else share / (1 - share) / BURST
        before = lost[number] = drawn[number] < chance
    return np.where(np.repeat(lost, size)[: len(waveform)], 0.0, waveform)
