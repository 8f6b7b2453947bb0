"""Audio files to mono float32 waveforms at a wanted rate, or an AudioError that names the file."""

from ser_classic.audio.containers import mistaken
from ser_classic.audio.decoding import Shape, blocks, read, shape, stream
from ser_classic.audio.files import SUFFIXES, audio_files, digest, is_recording, other_files
from ser_classic.audio.waveforms import AudioError, Part, check, mono, resample, seconds

__all__ = [
    "SUFFIXES",
    "AudioError",
    "Part",
    "Shape",
    "audio_files",
    "blocks",
    "check",
    "digest",
    "is_recording",
    "mistaken",
    "mono",
    "other_files",
    "read",
    "resample",
    "seconds",
    "shape",
    "stream",
]
