"""Audio files to mono float32 waveforms at a wanted rate, or an AudioError that names the file."""

from ser_classic.audio.containers import mistaken
from ser_classic.audio.decoding import Info, info, read, stream
from ser_classic.audio.files import SUFFIXES, audio_files, digest, is_recording, other_files
from ser_classic.audio.waveforms import AudioError, Segment, as_read, check, floats, resample, seconds

__all__ = [
    "SUFFIXES",
    "AudioError",
    "Info",
    "Segment",
    "as_read",
    "audio_files",
    "check",
    "digest",
    "floats",
    "info",
    "is_recording",
    "mistaken",
    "other_files",
    "read",
    "resample",
    "seconds",
    "stream",
]
