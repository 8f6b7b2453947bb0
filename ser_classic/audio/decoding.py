"""Decoding: from a file to all of its samples; the only module that calls a decoder.

Every error of a decoder becomes an AudioError that names the file. The length in a header is compared with
the file; see `containers`. Files that libsndfile cannot read go through ffmpeg, if that is installed.
"""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ser_classic.audio.containers import (
    AGAIN,
    ANY_LENGTH,
    CHECKED,
    CLAIMED,
    FOREIGN,
    UNKNOWN,
    LenientFile,
    announced,
    check_length,
    is_audio,
    left_over,
    mistaken,
    recordings,
    wrong_length,
)
from ser_classic.audio.files import HEADERLESS, opened_file
from ser_classic.audio.waveforms import AudioError, Downmix, Segment, check, notice, peak, resample
from ser_classic.runtime.files import temporary

BLOCK = 2**18  # frames decoded at a time
HEAD = 8192  # [bytes] examined before decoding
SILENT = (b"RIFF", b"fLaC", b"OggS", b"FORM")  # first bytes of files whose decoders write nothing to stderr
FFMPEG_BEFORE = ("-nostdin", "-v", "error", "-protocol_whitelist", "file", "-i")
FFMPEG_AFTER = ("-map", "0:a:0", "-c:a", "pcm_f32le", "-rf64", "auto")
_ALONE = threading.RLock()  # held while stderr is redirected


class Info(NamedTuple):
    """Length of a recording in frames, sample rate [Hz], number of channels, and container."""

    frames: int
    rate: int
    channels: int
    container: str


def read(
    path: str | Path,
    sample_rate: int | None = None,
    channel: int | None = None,
    segment: Segment | None = None,
) -> tuple[np.ndarray, int]:
    """Read a recording: its waveform [shape=(n,), float32], full scale 1, and its sample rate [Hz].

    It reads what libsndfile reads (WAV, FLAC, OGG, MP3, AIFF and more), or ffmpeg if installed (MP4, WebM,
    AMR ...), by content, not suffix. Floats in the range of integers are scaled, and a constant offset of
    more than 7.5 % of full scale is removed, each with a warning in the log.

    Parameters
    ----------
    sample_rate : int, optional
        Resample to this rate [Hz]; the file's own rate by default.
    channel : int, optional
        Channel of several, counted from 0; their mean by default. Mono counts as left (0) and right (1).
    segment : Segment, optional
        Cut this piece out; the whole recording by default.

    Raises
    ------
    AudioError
        The file is missing, unreadable, empty, not audio, truncated, too short, silent or has NaN, lacks the
        channel, has channels that cancel each other, or ends before the segment does.
    """
    path = Path(path)
    downmix = Downmix(channel, name=str(path))
    taken, rate, frames = [], 0, 0
    for block, rate in blocks(path):
        taken.append(downmix.take(block, rate))
        frames += len(block)
        if segment is not None and segment.end is not None and frames > round(segment.end * rate):
            break
    samples = taken[0] if len(taken) == 1 else np.concatenate(taken)
    taken.clear()
    if segment is not None:
        samples = segment.cut(samples, rate, name=str(path))
    waveform = check(downmix.correction()(samples), rate, name=str(path))
    return resample(waveform, rate, sample_rate or rate), sample_rate or rate


def stream(path: str | Path, channel: int | None = None) -> Iterator[tuple[np.ndarray, int]]:
    """Read a recording block by block, in constant memory, at its own rate.

    It yields the next samples and the rate as `read` returns them, but takes scale and offset from the first
    block, and finds a fault near the end only there.
    """
    downmix, correct = Downmix(channel, name=str(path)), None
    for block, rate in blocks(path):
        samples = downmix.take(block, rate)
        correct = correct or downmix.correction()
        if not np.isfinite(peak(samples)):
            raise AudioError(f"{path}: has NaN or infinite samples; export it again")
        yield correct(samples), rate


def info(path: str | Path) -> Info:
    """Length, rate, channels and container of a file, decoded only if it does not state its length."""
    path = Path(path)
    with _opened(path) as opened:
        first, known = opened.decoders[0], sum(opened.expected)
        if not 0 < known < UNKNOWN:
            known = sum(len(block) for block, _ in blocks(path))
        return Info(known, first.samplerate, first.channels, opened.container)


def blocks(path: str | Path) -> Iterator[tuple[np.ndarray, int]]:
    """Decode a file to the end of its data, in one or more blocks [shape=(n, channels), float32]."""
    path = Path(path)
    with _opened(path) as opened:
        for decoder, expected in zip(opened.decoders, opened.expected, strict=True):
            frames, more = 0, True
            while more:
                with _blamed(path, "truncated or damaged"), _quiet(decoder.format == "MP3"):
                    block = decoder.read(min(BLOCK, expected - frames), dtype="float32", always_2d=True)
                if len(block) or not frames:
                    yield block, decoder.samplerate
                frames += len(block)
                more = len(block) > 0 and frames < expected
            if 0 < frames < expected < UNKNOWN:
                raise AudioError(f"{path}: truncated, it has {frames} of {expected} samples; {AGAIN}")
        for kind, message in opened.notices:
            notice(kind, f"{path}: {message}")
        if left := left_over(opened.file, opened.size):
            unread = f"{left} of {opened.size} bytes follow the audio that its header announces"
            notice("length", f"{path}: {unread}, and were not read; if they are audio, repair or split it")


class _Opened(NamedTuple):
    decoders: list[Any]  # one after the other
    expected: list[int]  # frames of each, or `UNKNOWN`
    container: str
    file: IO[bytes]
    size: int
    notices: list[tuple[str, str]]  # for the log


@contextmanager
def _opened(path: Path) -> Iterator[_Opened]:
    """A file opened by libsndfile, or what ffmpeg makes of it if libsndfile cannot read it."""
    with ExitStack() as stack:
        file = stack.enter_context(opened_file(path))
        head, size = file.read(HEAD), os.fstat(file.fileno()).st_size
        file.seek(0)
        if size == 0:
            raise AudioError(f"{path}: the file is empty; {AGAIN}")
        try:
            with _quiet(not head.startswith(SILENT)):
                opened = _by_libsndfile(file, head, size)
        except AudioError:
            raise
        except Exception as error:
            made = stack.enter_context(_converted(path, head, error))
            file = stack.enter_context(opened_file(made))
            decoder, container = _forward(file), path.suffix[1:].upper() or "converted"
            opened = _Opened([decoder], [decoder.frames], container, file, made.stat().st_size, [])
        for decoder in opened.decoders:
            stack.enter_context(decoder)
        yield opened


def _by_libsndfile(file: IO[bytes], head: bytes, size: int) -> _Opened:
    """A file ready to be decoded by libsndfile; an AudioError if its header announces more audio."""
    odd = ""
    if head.startswith(b"OggS"):
        contents, whole = recordings(file.read())
        decoders = [_forward(io.BytesIO(content)) for content in contents]
        odd = "" if whole else "it has no end mark and may have been cut short"
    else:
        source = LenientFile(file.fileno(), closefd=False)
        decoders = [_forward(source)]
        if decoders[0].format == "MP3":
            source.seek(0)
            source.claimed = CLAIMED
            decoders = [_forward(source)]
        elif field := wrong_length(file, head, size, decoders[0].extra_info):
            file.seek(0)
            decoders = [_forward(io.BytesIO(file.read().replace(field, ANY_LENGTH, 1)))]
            odd = "its header announces less audio than there is; all of it was read"
    if len({(decoder.samplerate, decoder.channels) for decoder in decoders}) > 1:
        raise AudioError(f"{file.name}: has recordings of several rates or numbers of channels; split it")
    container = decoders[0].format
    check_length(file, head, size, decoders[0].extra_info)
    notices = [("length", odd)] if odd else []
    if container not in CHECKED:
        reason = "files do not state their length, so a missing end would go unnoticed"
        notices.append(("unchecked", f"{container} {reason}"))
    there = size - file.tell()
    expected = [announced(decoder, head, there) for decoder in decoders]
    return _Opened(decoders, expected, container, file, size, notices)


def _forward(source: IO[bytes]) -> Any:
    """A decoder that never seeks; soundfile would after every block, which not every decoder can."""
    import soundfile

    decoder = soundfile.SoundFile(source)
    decoder.seekable = lambda: False
    return decoder


@contextmanager
def _blamed(path: Path, fault: str) -> Iterator[None]:
    """Turn any error of a decoder into one that names the file."""
    try:
        yield
    except Exception as error:
        raise AudioError(f"{path}: {fault} ({_reason(error)}); {AGAIN}") from error


def _reason(error: Exception) -> str:
    """What a decoder says, without the name that it gives the file."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return reason.split(": ", 1)[-1].rstrip(".")


@contextmanager
def _converted(path: Path, head: bytes, error: Exception) -> Iterator[Path]:
    """Convert a file that libsndfile cannot read through ffmpeg, to a temporary file."""
    if what := mistaken(head):
        raise AudioError(f"{path}: {what}")
    other = path.with_suffix(".flac" if path.suffix.lower() == ".wav" else ".wav")
    command = f"ffmpeg -i {shlex.quote(str(path))} {shlex.quote(str(other))}"
    if path.suffix.lower() in HEADERLESS:
        command = command.replace("-i", "-f s16le -ar 16000 -ac 1 -i", 1)
        raise AudioError(f"{path}: raw samples; convert it, with its rate and format: {command}")
    if not FOREIGN.match(head):
        with _blamed(path, "truncated or damaged" if is_audio(head) else "no recording, or a damaged one"):
            raise error
    program = shutil.which("ffmpeg")
    if program is None:
        kind = f"damaged, or of a kind that only ffmpeg reads ({_reason(error)})"
        raise AudioError(f"{path}: {kind}; install ffmpeg, or convert it elsewhere: {command}")
    with temporary() as folder:
        made = Path(folder) / "converted.wav"
        result = subprocess.run(
            [program, *FFMPEG_BEFORE, f"file:{path}", *FFMPEG_AFTER, str(made)],
            capture_output=True,
            check=False,
        )
        why = result.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        if result.returncode or not made.is_file():
            raise AudioError(f"{path}: ffmpeg cannot read it ({why[-1]}); {AGAIN}")
        if result.stderr.strip():
            notice("ffmpeg", f"{path}: read through ffmpeg, which says: {why[-1]}")
        yield made


@contextmanager
def _quiet(needed: bool) -> Iterator[None]:
    """Silence a decoder that writes to stderr about a damaged file."""
    if not needed:
        yield
        return
    with _ALONE:  # or two threads could restore each other's redirection
        if sys.stderr:
            sys.stderr.flush()
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
