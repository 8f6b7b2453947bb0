"""Decoding: from a file to all of its samples; the only module that calls a decoder.

Every error of a decoder becomes an AudioError that names the file. The length in a header is compared with
the file; see `containers`. Files that libsndfile cannot read go through ffmpeg, if that is installed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ser_classic.audio.containers import AGAIN, CHECKED, FOREIGN, UNKNOWN, View, mistaken, sources
from ser_classic.audio.files import HEADERLESS
from ser_classic.audio.waveforms import AudioError, Downmix, Part, check, notice, peak, resample

BLOCK = 2**18  # frames decoded at a time
CLAIMED = 2**36  # [bytes] added to the file size, so that the decoder reads to the true end
SILENT = (b"RIFF", b"fLaC", b"OggS", b"FORM")  # first bytes of files whose decoders write nothing to stderr
FFMPEG_BEFORE = ("-nostdin", "-v", "error", "-protocol_whitelist", "file", "-i")
FFMPEG_AFTER = ("-map", "0:a:0", "-c:a", "pcm_f32le", "-rf64", "auto")
_ALONE = threading.RLock()  # held while stderr is redirected


class Shape(NamedTuple):
    """Length of a recording in frames, sample rate [Hz], number of channels, and container."""

    frames: int
    rate: int
    channels: int
    container: str


def read(
    path: str | Path,
    sample_rate: int | None = None,
    channel: int | None = None,
    part: Part | None = None,
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
        Channel of several, counted from 0; their mean by default.

    Raises
    ------
    AudioError
        The file is missing, unreadable, empty, not audio, truncated, too short, silent or has NaN, lacks the
        channel, has channels that cancel each other, or ends before the part does.
    """
    path = Path(path)
    downmix = Downmix(channel, name=str(path))
    taken, rate, frames = [], 0, 0
    for block, rate in blocks(path):
        taken.append(downmix.take(block, rate))
        frames += len(block)
        if part is not None and part.end is not None and frames > round(part.end * rate):
            break
    samples = taken[0] if len(taken) == 1 else np.concatenate(taken)
    taken.clear()
    if part is not None:
        samples = part.of(samples, rate, name=str(path))
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


def shape(path: str | Path) -> Shape:
    """Length, rate, channels and container of a file, decoded only if it does not state its length."""
    path = Path(path)
    with _opened(path) as opened:
        first, known = opened.files[0], sum(opened.expected)
        if not 0 < known < UNKNOWN:
            known = sum(len(block) for block, _ in blocks(path))
        return Shape(known, first.samplerate, first.channels, opened.container)


def blocks(path: str | Path) -> Iterator[tuple[np.ndarray, int]]:
    """Decode a file to the end of its data, in one or more blocks [shape=(n, channels), float32]."""
    path = Path(path)
    with _opened(path) as opened:
        for file, expected in zip(opened.files, opened.expected, strict=True):
            frames, more = 0, True
            while more:
                with _blamed(path), _quiet(file.format == "MP3"):
                    block = file.read(min(BLOCK, expected - frames), dtype="float32", always_2d=True)
                if len(block) or not frames:
                    yield block, file.samplerate
                frames += len(block)
                more = len(block) > 0 and frames < expected
            if 0 < frames < expected < UNKNOWN:
                raise AudioError(f"{path}: truncated, {frames} of {expected} samples are there; {AGAIN}")
        for kind, message in opened.notices:
            notice(kind, f"{path}: {message}")


class _Opened(NamedTuple):
    files: list[Any]  # decoders, in order
    expected: list[int]  # frames of each, or `UNKNOWN`
    container: str
    notices: list[tuple[str, str]]  # for the log


@contextmanager
def _opened(path: Path) -> Iterator[_Opened]:
    with ExitStack() as stack:
        content = stack.enter_context(_file(path))
        with _blamed(path):
            head, size = content.read(512), os.fstat(content.fileno()).st_size
            if size == 0:
                raise AudioError(f"{path}: the file is empty; {AGAIN}")
            given, most, odd = sources(path, content, size)
        notices = [("length", f"{odd}; all that is there was read")] if odd else []
        try:
            with _quiet(not head.startswith(SILENT)):
                files = [stack.enter_context(_forward(source)) for source in given]
                container = files[0].format
                if container == "MP3":
                    # With a much larger size, so that its decoder does not stop early
                    written = given[0].written if isinstance(given[0], View) else (0, b"")
                    endless = View(content, size, written, claimed=CLAIMED)
                    more = stack.enter_context(_forward(endless))
                    if more.frames != files[0].frames:  # a guess by file size grows with it
                        files, most = [more], None
                elif container not in CHECKED:
                    reason = "files do not state their length, so a missing end would go unnoticed"
                    notices.append(("unchecked", f"{container} {reason}"))
        except UnicodeEncodeError as error:
            raise AudioError(f"{path}: its name is not valid {error.encoding.upper()}; rename it") from error
        except Exception as error:
            converted = stack.enter_context(_converted(path, head, error))
            files, most, notices = [stack.enter_context(_forward(converted))], UNKNOWN, []
            container = path.suffix[1:].upper() or "converted"
        if len({(file.samplerate, file.channels) for file in files}) > 1:
            raise AudioError(f"{path}: has recordings of several rates or numbers of channels; split it")
        expected = [UNKNOWN if most is None else min(file.frames, most) for file in files]
        yield _Opened(files, expected, container, notices)


def _forward(source: Any) -> Any:
    """A decoder that never seeks; soundfile would after every block, which not every decoder can."""
    import soundfile

    file = soundfile.SoundFile(source)
    file.seekable = lambda: False
    return file


def _file(path: Path) -> IO[bytes]:
    try:
        if not path.is_file():
            raise AudioError(f"{path}: {'not a regular file' if path.exists() else 'there is no such file'}")
        return path.open("rb")
    except OSError as error:  # no permission for its folder, a name too long, a disk error
        raise AudioError(f"{path}: cannot be read ({error.strerror})") from error


@contextmanager
def _blamed(path: Path) -> Iterator[None]:
    """Turn any error of a decoder into one that names the file."""
    try:
        yield
    except AudioError:
        raise
    except MemoryError as error:
        raise AudioError(f"{path}: too long for this machine's memory; split it, or give a window") from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = reason.split(": ", 1)[-1].rstrip(".")
        raise AudioError(f"{path}: not readable as audio ({reason}); {AGAIN}") from error


@contextmanager
def _converted(path: Path, head: bytes, error: Exception) -> Iterator[Path]:
    """Convert a file that libsndfile cannot read through ffmpeg, to a temporary file."""
    if what := mistaken(head):
        raise AudioError(f"{path}: {what}")
    command = f"ffmpeg -i {shlex.quote(str(path))} {shlex.quote(str(path.with_suffix('.wav')))}"
    if path.suffix.lower() in HEADERLESS:
        command = command.replace("-i", "-f s16le -ar 16000 -ac 1 -i", 1)
        raise AudioError(f"{path}: raw samples; convert it, with its rate and format: {command}")
    kind = next((name for pattern, name in FOREIGN if pattern.match(head)), None)
    if kind is None:
        with _blamed(path):
            raise error
    program = shutil.which("ffmpeg")
    if program is None:
        raise AudioError(f"{path}: {kind}; install ffmpeg to read it, or convert it elsewhere: {command}")
    with tempfile.TemporaryDirectory(prefix="ser-classic-") as folder:
        made = Path(folder) / "converted.wav"
        result = subprocess.run(
            [program, *FFMPEG_BEFORE, f"file:{path}", *FFMPEG_AFTER, str(made)],
            capture_output=True,
            check=False,
        )
        why = result.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        if result.returncode or not made.is_file():
            raise AudioError(f"{path}: {kind}, which ffmpeg cannot read ({why[-1]}); {AGAIN}")
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
