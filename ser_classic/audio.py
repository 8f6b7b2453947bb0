"""Audio files to mono float32 waveforms at a wanted rate, or an AudioError that names the file."""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ser_classic.errors import SerClassicError

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")
SHORTEST = 0.01  # [s]; a single short analysis frame
LOUDEST = 1e10  # full scale is 1, or 2**31 where integers were written as floats; more overflows in powers
PART_TOLERANCE = 0.05  # [s] by which a part may end after its file, as times are rounded
LOWEST_RATE = 1000  # [Hz]; a header that states less is broken


class AudioError(SerClassicError):
    """A recording that cannot be used; the message names the file, the fault and the remedy."""


@dataclass(frozen=True)
class Part:
    """Where a clip begins and ends in its file [s]; an end that is None is the file's."""

    start: float
    end: float | None = None

    def of(self, samples: np.ndarray, sample_rate: int, name: str) -> np.ndarray:
        """Cut the part out of a recording [shape=(n, ...)].

        Raises
        ------
        AudioError
            The recording ends before the part does.
        """
        first = round(self.start * sample_rate)
        last = len(samples) if self.end is None else round(self.end * sample_rate)
        if last > len(samples) + PART_TOLERANCE * sample_rate or first >= len(samples):
            raise AudioError(
                f"{name}: ends after {len(samples) / sample_rate:.2f} s, before its part {self} s does; "
                "are start and end seconds, of this file?"
            )
        return samples[first:last]

    def __str__(self) -> str:
        return "-".join("" if time is None else seconds(time) for time in (self.start, self.end))


def seconds(time: float) -> str:
    """A time [s] to the microsecond, without needless digits.

    Examples
    --------
    >>> seconds(0.40), seconds(12345.678901)
    ('0.4', '12345.678901')
    """
    return f"{time:.6f}".rstrip("0").rstrip(".")


def read(
    path: str | Path,
    sample_rate: int | None = None,
    channel: int | None = None,
    part: Part | None = None,
) -> tuple[np.ndarray, int]:
    """Read a recording.

    Parameters
    ----------
    path : str or Path
        WAV, FLAC, OGG, MP3 or AIFF; the content counts, not the extension.
    sample_rate : int, optional
        Resample to this rate [Hz]; the file's own rate by default.
    channel : int, optional
        Take this channel, counted from 0, of a recording with several, by default their mean; one with a
        single channel gives that.
    part : Part, optional
        Take this part of the recording.

    Returns
    -------
    waveform : np.ndarray [shape=(n,), dtype=float32]
        Samples, full scale is 1.
    sample_rate : int [Hz]

    Raises
    ------
    AudioError
        The file is missing, unreadable, empty, not audio, truncated, too short, silent, holds NaN, has
        several channels and not this one, or a name that is not in the system's encoding.
    """
    import soundfile

    path = Path(path)
    try:
        if not path.is_file():
            raise AudioError(f"{path}: {'no regular file' if path.exists() else 'there is no such file'}")
        if path.stat().st_size == 0:
            raise AudioError(f"{path}: the file is empty; copy or download it again")
        _refuse_truncated_riff(path)
    except OSError as error:  # its folder may not be looked into, its name is too long, the disk fails
        raise AudioError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        with soundfile.SoundFile(path) as file:
            expected, rate = file.frames, file.samplerate
            samples = file.read(dtype="float32", always_2d=True)
    except UnicodeEncodeError as error:
        raise AudioError(f"{path}: the name is not {error.encoding.upper()}; rename it") from error
    except (soundfile.SoundFileError, RuntimeError, OSError) as error:
        reason = str(error).split(": ", 1)[-1].rstrip(".")
        raise AudioError(f"{path}: not readable as audio ({reason}); copy or download it again") from error
    if 0 < len(samples) < expected < 2**62:  # libsndfile does not know the length of every stream
        raise AudioError(
            f"{path}: truncated, {len(samples)} of {expected} samples are there; copy or download it again"
        )
    if part is not None:
        samples = part.of(samples, rate, name=str(path))
    waveform = check(mono(samples, channel, name=str(path)), rate, name=str(path))
    return resample(waveform, rate, sample_rate or rate), sample_rate or rate


def duration(path: str | Path) -> float:
    """Length of a recording [s].

    Raises
    ------
    AudioError
        It cannot be read.
    """
    waveform, rate = read(path)
    return len(waveform) / rate


def digest(path: Path) -> str:
    """SHA-256 of a recording's file.

    Raises
    ------
    AudioError
        It cannot be read, or is a pipe or a device, which might never end.
    """
    try:
        if not path.is_file() and path.exists():
            raise AudioError(f"{path}: no regular file; leave it out")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError(
            f"{path}: cannot be read ({error.strerror}); is the corpus still in place?"
        ) from error


def parse_channel(text: str | None) -> int | None:
    """A channel as a person calls it, counted from 0; None is the mean of all.

    Raises
    ------
    AudioError

    Examples
    --------
    >>> parse_channel("right"), parse_channel("0"), parse_channel("mix")
    (1, 0, None)
    """
    named = {None: None, "mix": None, "left": 0, "right": 1}
    if text in named:
        return named[text]
    if not text.isdecimal():
        raise AudioError(f"{text!r}: no channel; expected left, right, mix, or a number counted from 0")
    return int(text)


def mistaken(content: bytes) -> str | None:
    """What the begin of a file shows it to be instead, with what to do; None where nothing is known."""
    head = content[:512].lstrip().lower()
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS stands here instead of the file; get it with: git lfs pull"
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "a web page was saved instead of the file; download it again, logged in where that is asked"
    return None


def mono(samples: np.ndarray, channel: int | None, name: str) -> np.ndarray:
    """One channel [shape=(n,)] of samples [shape=(n, channels)], or their mean; the only one is itself both.

    Raises
    ------
    AudioError
        There are several channels, and not this one.
    """
    channels = samples.shape[1]
    if channels == 1:
        return samples[:, 0]
    if channel is None:
        return samples.mean(axis=1)
    if not 0 <= channel < channels:
        raise AudioError(f"{name}: there is no channel {channel}, it has {channels}, counted from 0")
    return samples[:, channel]


def check(waveform: np.ndarray, sample_rate: int, name: str = "waveform") -> np.ndarray:
    """Return a waveform as contiguous float32, or refuse one that holds nothing to analyse.

    Parameters
    ----------
    waveform : np.ndarray [shape=(n,)]
    sample_rate : int [Hz]
    name : str
        What the message calls it.

    Raises
    ------
    AudioError
        Not one-dimensional, shorter than 10 ms, silent, NaN, infinite or absurdly loud, or an unusable
        sample rate.
    """
    waveform = np.ascontiguousarray(waveform, dtype=np.float32)
    if sample_rate < LOWEST_RATE:
        raise AudioError(f"{name}: a sample rate of {sample_rate} Hz; at least {LOWEST_RATE} Hz is needed")
    if waveform.ndim != 1:
        raise AudioError(f"{name}: expected one channel, found an array of shape {waveform.shape}")
    if len(waveform) < SHORTEST * sample_rate:
        raise AudioError(
            f"{name}: {len(waveform)} samples at {sample_rate} Hz, at least {1000 * SHORTEST:.0f} ms needed"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        energy = np.dot(waveform, waveform)
    if 0 < energy < LOUDEST**2:  # one pass, which tells that all below is well
        return waveform
    loudest = np.maximum(waveform.max(), -waveform.min())  # NaN where there is one
    if not np.isfinite(loudest):
        raise AudioError(f"{name}: holds NaN or infinite samples; export it again")
    if loudest > LOUDEST:
        raise AudioError(f"{name}: samples as large as {loudest:.0e}, full scale is 1; export it again")
    if loudest == 0:
        raise AudioError(f"{name}: silent, every sample is zero; record it again or leave it out")
    return waveform


def resample(waveform: np.ndarray, sample_rate: int, wanted: int) -> np.ndarray:
    """Resample [shape=(n,)] from one rate to another [Hz] with soxr's high quality."""
    if sample_rate == wanted:
        return waveform
    import soxr

    return soxr.resample(waveform, sample_rate, wanted, quality="HQ")


def audio_files(root: Path) -> list[PurePosixPath]:
    """Audio files below a folder, relative to it; flattest first, official WAV before conversions.

    Hidden files, and the shadows (`__MACOSX`, `._name.wav`) that some archivers add, are no audio.
    """
    files = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if name != "__MACOSX" and not name.startswith(".")]
        below = PurePosixPath(Path(folder).relative_to(root).as_posix())
        files += [
            below / name for name in names if not name.startswith(".") and name.lower().endswith(SUFFIXES)
        ]
    return sorted(files, key=lambda file: (len(file.parts), file.suffix.lower() != ".wav", str(file)))


def _refuse_truncated_riff(path: Path) -> None:
    """libsndfile shortens a cut WAV silently; its data chunk says how long it was."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return
        while len(chunk := file.read(8)) == 8:
            tag, length = struct.unpack("<4sI", chunk)
            if tag == b"data":
                missing = file.tell() + length - size
                if missing > 0 and length < 0xFFFFFF00:  # a stream's writer leaves a length near 2**32
                    raise AudioError(
                        f"{path}: truncated, {missing} of {length} bytes of audio are missing; "
                        "copy or download it again"
                    )
                return
            file.seek(length + length % 2, 1)
