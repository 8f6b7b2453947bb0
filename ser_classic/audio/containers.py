"""Containers of audio: how much a header promises, and how much is there.

Length fields lie: a program that writes to a pipe cannot go back to fill them in, a recorder that lost its
power never did, and a copy that broke off left less than they say. libsndfile believes some of them, shortens
others, and tells nothing. Here a field counts as a promise only where it can be one.

Checked are AIFF, AU, CAF, IFF (8SVX, 16SV), NIST SPHERE, RF64, W64 and WAV; that an Ogg comes to its end; and
by their decoders FLAC, HTK and MP3. Of the others that libsndfile reads (AVR, IRCAM, MAT, PAF, PVF, SD2, SDS,
VOC, WVE ...) whatever decodes is taken for all, and a notice says that this was not checked.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import BinaryIO, NamedTuple

PLACEHOLDER = 0x7F000000  # [bytes] what writers to a pipe leave in 32 bits lies between this and 2**32
GSM = b"\x31\0"  # in WAV
TAG = 128  # [bytes] at the end of an MP3, where its title may stand
LITTLE = 0.05  # share of a file below which what follows the audio is taken for no more of it
PADDING = 64  # [bytes] after the audio that are looked at to tell what they are
NAME = re.compile(rb"[\x20-\x7e]{4}")  # begins what chunks are called
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")


@dataclass(frozen=True)
class Layout:
    """How a container of chunks writes them: a name, a length, the content."""

    name: int  # [bytes]
    length: str  # of `struct`
    first: int  # [bytes] from the begin of the file
    data: bytes  # name of the chunk of audio
    align: int = 1  # [bytes] that a chunk begins at a multiple of
    inclusive: bool = False  # whether a length counts the name and itself


W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0O\x8e\xdb\x8a"
LAYOUTS = (
    (re.compile(rb"(RIFF|RF64)....(WAVE)", re.DOTALL), Layout(4, "<I", 12, b"data", 2)),
    (re.compile(rb"RIFX....WAVE", re.DOTALL), Layout(4, ">I", 12, b"data", 2)),
    (re.compile(rb"FORM....AIF[FC]", re.DOTALL), Layout(4, ">I", 12, b"SSND", 2)),
    (re.compile(rb"FORM....(8SVX|16SV)", re.DOTALL), Layout(4, ">I", 12, b"BODY", 2)),
    (re.compile(rb"riff\x2e\x91\xcf\x11"), Layout(16, "<Q", 40, W64_DATA, 8, inclusive=True)),
    (re.compile(rb"caff"), Layout(4, ">Q", 8, b"data", 1)),
)
UNKNOWN = (0, 2**32 - 1, 2**64 - 1)
CHECKED = {  # containers, as libsndfile calls them, of which a file that was cut short is known
    *("AIFF", "AU", "CAF", "FLAC", "HTK", "MP3", "NIST", "OGG", "RF64", "SVX", "W64", "WAV", "WAVEX"),
}
FOREIGN = (  # what only ffmpeg reads, by how it begins
    (re.compile(rb"....ftyp", re.DOTALL), "MP4 (AAC)"),
    (re.compile(rb"\x1aE\xdf\xa3"), "WebM or Matroska"),
    (re.compile(rb"#!AMR"), "AMR"),
    (re.compile(rb"0&\xb2u\x8ef\xcf\x11"), "Windows Media"),
    (re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"), "AAC"),
    (re.compile(rb"FLV\x01"), "Flash video"),
    (re.compile(rb"(MAC |wvpk|TTA1)"), "a lossless format"),
    (re.compile(rb"RIFF....(WAVE|AVI )", re.DOTALL), "a WAV or AVI that is damaged or has another codec"),
    (re.compile(rb"(FORM....AIF|caff|OggS)", re.DOTALL), "a container that is damaged or has another codec"),
)
OURS = re.compile(  # what libsndfile reads; of an MP3, its tag or the first frame
    rb"RF64|RIFX|fLaC|\.snd|dns\.|NIST_1A|riff\x2e\x91\xcf\x11|FORM....(8SVX|16SV)|ID3[\x02-\x04]"
    rb"|\xff[\xe2\xe3\xf2-\xf5\xfa-\xfd][\x10-\xeb]|Creative Voice File|\x64\xa3[\x01-\x04]\0"
    rb"|2BIT|PVF1|ALawSound| paf|fap ",
    re.DOTALL,
)


class Promise(NamedTuple):
    """What a header says of its audio, and what is there [bytes]."""

    there: int  # from the begin of the audio to its end in the file
    stated: int | None  # None where the field is a placeholder
    field: tuple[int, bytes] | None  # where to write which length, so that all is read
    end: int | None = None  # of the audio in the file, where something else follows
    frames: int | None = None  # where libsndfile takes padding for more of them
    parts: int = 1  # of which the first is read


def promise(file: BinaryIO, size: int) -> Promise | None:
    """What a file says of the length of its audio; None where it says nothing, or cannot be read."""
    file.seek(0)
    head = file.read(1024)
    if head.startswith((b".snd", b"dns.")):
        order = ">" if head[:1] == b"." else "<"
        first, length = struct.unpack(f"{order}II", head[4:12].ljust(8, b"\0"))
        return _promise(file, size, first, length, Field(8, f"{order}I", 0), None)
    if head.startswith(b"NIST_1A"):
        return _of_sphere(head, size)
    if head.startswith((b"ID3", b"\xff")):
        return _of_mp3(file, size, head)
    for pattern, layout in LAYOUTS:
        if pattern.match(head):
            return _of_chunks(file, size, layout)
    return None


class Field(NamedTuple):
    """A length in a file: where it stands, how, and what it counts beside the audio."""

    place: int
    kind: str
    more: int


def _of_chunks(file: BinaryIO, size: int, layout: Layout) -> Promise | None:
    coded = b""  # how, as WAV says
    wide = None  # of RF64, whose lengths are in a chunk of their own
    for place, name, length in _chunks(file, size, layout, layout.first):
        begin = place + layout.name + struct.calcsize(layout.length)
        file.seek(begin)
        if name == b"ds64":
            wide = begin + 8, struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        if name == b"fmt " and layout.align == 2:
            coded = file.read(20)
        if name != layout.data:
            continue
        field = Field(place + layout.name, layout.length, begin - place if layout.inclusive else 0)
        if wide is not None and length == 2**32 - 1:
            field, length = Field(wide[0], "<Q", 0), wide[1]
        stated = length - field.more if length not in UNKNOWN else length
        found = _promise(file, size, begin, stated, field, layout)
        if found.end is not None:
            found = found._replace(parts=1 + _more(file, size, layout, found.end))
        if len(coded) == 20 and coded[:2] == GSM:
            block, frames = struct.unpack("<12xH4xH", coded)
            return found._replace(frames=found.there // max(block, 1) * frames)
        return found
    return None


def _chunks(file: BinaryIO, size: int, layout: Layout, first: int) -> Iterator[tuple[int, bytes, int]]:
    """Where each chunk begins, its name and its length."""
    place, head = first, layout.name + struct.calcsize(layout.length)
    step = head
    while place + head <= size and step >= head:
        file.seek(place)
        content = file.read(head)
        length = struct.unpack(layout.length, content[layout.name :])[0]
        yield place, content[: layout.name], length
        step = length if layout.inclusive else head + length
        place += step + -step % layout.align


def _more(file: BinaryIO, size: int, layout: Layout, place: int) -> int:
    """Chunks of audio after the first, which ends at a place."""
    starts = _next(place, layout)
    names = ((name for _, name, _ in _chunks(file, size, layout, start)) for start in starts)
    return max(sum(name == layout.data for name in takewhile(NAME.match, each)) for each in names)


def _next(place: int, layout: Layout) -> set[int]:
    """Where the chunk after one that ends at a place may begin: some writers align, some forget it."""
    return {place, place + -place % layout.align}


def _promise(
    file: BinaryIO, size: int, begin: int, length: int, field: Field, layout: Layout | None
) -> Promise:
    there = max(size - begin, 0)
    most = 2 ** (8 * struct.calcsize(field.kind)) - 1
    all_of_it = field.place, struct.pack(field.kind, min(there + field.more, most))
    if length in UNKNOWN or (there < length and PLACEHOLDER <= length < 2**32):
        return Promise(there, None if length or not there else 0, all_of_it if there else None)
    if length > there:
        return Promise(there, length, None)
    if length == there or _explains(file, begin + length, size, layout):
        return Promise(length, length, None, None if length == there else begin + length)
    return Promise(there, length, all_of_it)


def _explains(file: BinaryIO, place: int, size: int, layout: Layout | None) -> bool:
    """Whether what follows the audio is something else than more of it: chunks, tags, padding, or little."""
    file.seek(place)
    rest = file.read(PADDING)
    if not rest.strip(b"\0") or rest.lstrip(b"\0").startswith(TAGS) or size - place < LITTLE * size:
        return True
    if layout is None:
        return False
    chunks = (next(_chunks(file, size, layout, first), None) for first in _next(place, layout))
    return any(chunk and NAME.match(chunk[1]) and chunk[2] <= size - chunk[0] for chunk in chunks)


def _of_mp3(file: BinaryIO, size: int, head: bytes) -> Promise | None:
    """What the header in the first frame says, where there is one; a file with another appended has more."""
    begin = 0
    while head.startswith(b"ID3"):
        begin += 10 + sum(
            (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
        )
        file.seek(begin)
        head = file.read(256)
    found = re.match(rb"\xff.{3,38}?(?:Xing|Info)\0\0\0([\x02\x03\x06\x07\x0a\x0b\x0e\x0f])", head, re.DOTALL)
    if found is None:
        return None
    place = found.end() + (4 if found[1][0] & 1 else 0)
    stated, there = int.from_bytes(head[place : place + 4]), size - begin
    if stated == 0 or stated >= there or _explains(file, begin + stated, size, None):
        return None  # that one was cut short its decoder tells
    return Promise(there, stated, (begin + found.end() - 8, bytes(4)))


def _of_sphere(head: bytes, size: int) -> Promise | None:
    fields = dict(re.findall(rb"(\w+) -i (\d+)", head))
    begin = re.match(rb"NIST_1A\s+(\d+)", head)
    count, channels = fields.get(b"sample_count"), fields.get(b"channel_count", b"1")
    if begin is None or count is None:
        return None
    there = max(size - int(begin[1]), 0)
    stated = int(count) * int(channels) * int(fields.get(b"sample_n_bytes", b"1"))
    return Promise(min(there, stated), stated, None, int(begin[1]) + stated if stated < there else None)


def chains(file: BinaryIO, size: int) -> tuple[list[tuple[int, int]], bool]:
    """Begin and end of each recording in an Ogg file, and whether all its pages are there to the last.

    Several recordings may stand in a file, one after the other. What is no page ends the last of them.
    """
    begins, place, flags, heads = [0], 0, 0, True
    while place + 27 <= size:
        file.seek(place)
        head = file.read(27 + 255)
        if head[:4] != b"OggS":
            break
        flags, starts = head[5], bool(head[5] & 2)
        if starts and not heads:
            begins.append(place)
        heads = starts
        place += 27 + head[26] + sum(head[27 : 27 + head[26]])
    end = min(size, place) if place else size
    return list(zip(begins, [*begins[1:], end], strict=True)), bool(flags & 4) and place <= size


class View(io.RawIOBase):
    """A file from a place to its size [bytes], as it would be with other bytes written at some place.

    One may claim to be larger than that. What is beyond its end is not to be had, but for zeros in the last
    bytes, where MP3 may have a tag.
    """

    def __init__(
        self,
        file: BinaryIO,
        size: int,
        written: tuple[int, bytes] | None = None,
        begin: int = 0,
        claimed: int | None = None,
    ) -> None:
        self._file, self._begin, self._size, self.written = file, begin, size - begin, written
        self._claimed = self._size if claimed is None else claimed
        self._place = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {0: 0, 1: self._place, 2: self._claimed}[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview) -> int:
        here = min(len(buffer), min(self._size, self._claimed) - self._place)
        if here > 0:
            self._file.seek(self._begin + self._place)
            content = bytearray(self._file.read(here))
            place, written = self.written or (0, b"")
            for number, value in enumerate(written, start=place - self._place):
                if 0 <= number < len(content):
                    content[number] = value
        else:
            left = self._claimed - self._place
            content = bytearray(min(len(buffer), left) if 0 < left <= TAG else 0)
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)


def sounds(head: bytes) -> bool:
    """Whether a file that begins so is a recording, whatever it is called.

    >>> sounds(b"RIFF....WAVEfmt "), sounds(b"file,emotion")
    (True, False)
    """
    return any(pattern.match(head) for pattern in (OURS, *(pattern for pattern, _ in FOREIGN)))


def mistaken(content: bytes) -> str | None:
    """What the begin of a file shows it to be instead, with what to do; None where nothing is known."""
    head = content[:512].lstrip().lower()
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS stands here instead of the file; get it with: git lfs pull"
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "a web page was saved instead of the file; download it again, logged in where that is asked"
    return None
