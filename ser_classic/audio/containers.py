"""Audio containers: the kind of a file by its first bytes, and whether all of its audio is there.

libsndfile reads what is left of a truncated recording, and never more than the header announces. Its log has
the length in the header, and the place where it stops shows what it left unread. A program that writes to a
pipe never fills in the length, which then counts as unknown.

This module checks AIFF, AU, CAF, IFF (8SVX, 16SV), NIST SPHERE, RF64, W64 and WAV, and that an Ogg has its
last page; decoders check FLAC, HTK and MP3. Other files that libsndfile reads (AVR, IRCAM, MAT, PAF, PVF,
SDS, VOC, WVE ...) count as complete, with a notice that this was not checked.
"""

from __future__ import annotations

import io
import re
from typing import Any, BinaryIO

from ser_classic.audio.waveforms import AudioError

UNKNOWN = 2**62  # frames; for an unknown length libsndfile reports more than that
PLACEHOLDER = 0x7F000000  # [bytes]; a length of at least this was never filled in
ANY_LENGTH = b"data\xff\xff\xff\xff"  # in a WAV
CLAIMED = 2**36  # [bytes] that an MP3 is said to have after its end
GUESSED = CLAIMED // 8  # frames; if an MP3 has more, its length was guessed from that claim
GSM_BLOCK = 320  # frames
TAG = 128  # [bytes] at the end of an MP3, where its title may be
LITTLE = 0.05  # share of a file below which what follows the audio is not taken for more audio
EXAMINED = 2**20  # [bytes] after the audio
AGAIN = "copy or download it again"
LOG = 2000  # characters; libsndfile may have cut a log of this length
STATED = re.compile(r"\b(?:data|SSND|BODY|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)")
OF_FILE = re.compile(r"\b(?:RIFF|FORM|riff|Riff size) *: (\d+) \(should be (\d+)\)")  # begins the log
OF_WAV = re.compile(r"^data : (\d+)$", re.MULTILINE)
OF_AUDIO = re.compile(r"^ ?(?:BODY|data) : (\d+)$", re.MULTILINE)
TO_THE_END = {"SVX": 0, "W64": 24}  # libsndfile reads them to the end; [bytes] by which a length is too long
SAMPLES = re.compile(rb"NIST_1A.*?sample_count -i (\d+)", re.DOTALL)
FIRST_PAGE = re.compile(rb"OggS\0[\2\3\6\7]")  # of a stream
FOLLOWING = re.compile(rb"\Z|ID3|TAG|APETAGEX|LYRICSBEGIN")  # not audio
CHUNK = re.compile(rb"[\x20-\x7e]{4}")
CHECKED = {  # containers, as libsndfile calls them, whose files are checked to be complete
    *("AIFF", "AU", "CAF", "FLAC", "HTK", "MP3", "NIST", "OGG", "RF64", "SVX", "W64", "WAV", "WAVEX"),
}
FOREIGN = re.compile(  # files for ffmpeg; libsndfile reads some kinds of them, if undamaged
    rb"....ftyp|\x1aE\xdf\xa3|#!AMR|0&\xb2u\x8ef\xcf\x11|\xff[\xf0\xf1\xf8\xf9]|FLV\x01|MAC |wvpk|TTA1"
    rb"|RIFF....(WAVE|AVI )|FORM....AIF|caff|OggS",
    re.DOTALL,
)
OURS = re.compile(  # files for libsndfile alone; for MP3, its tag or first frame
    rb"RF64|RIFX|fLaC|\.snd|dns\.|NIST_1A|riff\x2e\x91\xcf\x11|FORM....(8SVX|16SV)|ID3[\x02-\x04]"
    rb"|\xff[\xe2\xe3\xf2-\xf5\xfa-\xfd][\x10-\xeb]|Creative Voice File|\x64\xa3[\x01-\x04]\0"
    rb"|2BIT|PVF1|ALawSound| paf|fap ",
    re.DOTALL,
)

MISTAKEN = {  # what files are, by their first bytes in lower case, that are taken for recordings or tables
    rb"version https://git-lfs": "it is a Git LFS pointer, not the file itself; get the file with: "
    "git lfs pull",
    rb"<!doctype html|<html|<\?xml": "it is a web page, not the file itself; download the file again, logged "
    "in if that is required",
    rb"\x08.\x12.ser-classic": "it is an exported model, which needs an ONNX runtime; name the file of "
    "`ser-classic fit` (.skops)",
    rb"pk\x03\x04": "it is an archive or a spreadsheet; unpack it, or save it as CSV",
}


def announced(decoder: Any, head: bytes, there: int) -> int:
    """How many frames a header announces, or `UNKNOWN`; `there` is the number of bytes from the audio on."""
    if found := SAMPLES.match(head):
        return int(found[1])
    if decoder.format == "MP3" and decoder.frames > GUESSED:
        return UNKNOWN
    if decoder.subtype == "GSM610" and "seems to be truncated" in decoder.extra_info:
        return decoder.frames - GSM_BLOCK  # for which libsndfile takes the padding of a WAV
    if decoder.format in TO_THE_END and (found := OF_AUDIO.search(decoder.extra_info)):
        stated = int(found[1]) - TO_THE_END[decoder.format]
        if 0 < stated < there:
            return -(-decoder.frames * stated // there)
    return min(decoder.frames, UNKNOWN)


def check_length(file: BinaryIO, head: bytes, size: int, log: str) -> None:
    """Raise an AudioError if, by the log of libsndfile, a file lacks audio that its header announces."""
    if size >= 2**32 and head.startswith((b"RIFF", b"FORM", b".snd")):
        much = f"{size / 2**30:.1f} GiB of audio, more than its header can state"
        raise AudioError(f"{file.name}: {much}; convert it to FLAC, or split it")
    for stated, there in (STATED if len(log) < LOG else OF_FILE).findall(log):
        if int(there) < int(stated) < PLACEHOLDER:
            raise AudioError(f"{file.name}: truncated, it has {there} of {stated} bytes; {AGAIN}")


def wrong_length(file: BinaryIO, head: bytes, size: int, log: str) -> bytes | None:
    """Name and length of the audio in a WAV, if far more follows: its recorder never filled in the length."""
    stated = OF_WAV.search(log) if head.startswith(b"RIFF") else None
    if stated is None:
        return None
    field = b"data" + int(stated[1]).to_bytes(4, "little")
    place = file.tell()  # where the decoder goes on
    file.seek(head.find(field) + len(field) + int(stated[1]))
    left = left_over(file, size)
    file.seek(place)
    return field if left and field in head else None


def left_over(file: BinaryIO, size: int) -> int:
    """How many bytes that may be audio a decoder has left unread; 0 for few, or padding, tags or chunks."""
    left = size - file.tell()
    if left < LITTLE * size:
        return 0
    rest = file.read(EXAMINED).lstrip(b"\0")
    length = min(int.from_bytes(rest[4:8], "little"), int.from_bytes(rest[4:8], "big"))
    chunk = CHUNK.match(rest) and length <= left and not is_audio(rest)
    return 0 if chunk or FOLLOWING.match(rest) else left


def recordings(content: bytes) -> tuple[list[bytes], bool]:
    """The recordings in an Ogg, which may follow each other, and whether the last page is there."""
    begins, end = [0], 0
    for page in FIRST_PAGE.finditer(content):
        if page.start() not in (0, end):  # or it starts another stream of the same recording
            begins.append(page.start())
        end = _page_end(content, page.start())
    last = content.rfind(b"OggS")
    stop = _page_end(content, last)  # whatever follows is not read
    whole = content[last + 5 : last + 6] >= b"\4" and stop <= len(content)
    ends = [*begins[1:], stop]
    return [content[begin:end] for begin, end in zip(begins, ends, strict=True)], whole


def _page_end(content: bytes, place: int) -> int:
    count = sum(content[place + 26 : place + 27])
    return place + 27 + count + sum(content[place + 27 : place + 27 + count])


class LenientFile(io.FileIO):
    """A file for a decoder, which may seek anywhere in a damaged one.

    It can claim to be longer, by `claimed` bytes, so that no decoder stops where it guesses the end of an
    MP3. There is nothing to read beyond the real end, except zeros in the last bytes, where a tag may be.
    """

    claimed = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return super().seek(offset + self.claimed if whence == io.SEEK_END else offset, whence)
        except OSError:
            return -1

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer) or 0
        if not count and self.claimed and self.tell() >= self.claimed:
            count = min(len(buffer), TAG)
            buffer[:count] = bytes(count)
        return count


def is_audio(head: bytes) -> bool:
    """Whether a file with these first bytes is a recording, whatever its name.

    >>> is_audio(b"RIFF....WAVEfmt "), is_audio(b"file,emotion")
    (True, False)
    """
    return bool(OURS.match(head) or FOREIGN.match(head))


def mistaken(content: bytes) -> str | None:
    """What a file is instead, by its first bytes, and what to do; None if that is unknown."""
    head = content[:512].lstrip().lower()
    return next((what for signs, what in MISTAKEN.items() if re.match(signs, head, re.DOTALL)), None)
