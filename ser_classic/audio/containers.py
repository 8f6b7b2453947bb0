"""Containers of audio: how much audio a header announces, and how much a file has.

Announced lengths can be wrong: a program that writes to a pipe cannot go back to fill them in, a recorder
that lost power never did, and an interrupted copy is shorter than they say. libsndfile believes some of them,
shortens others, and reports nothing. Here an impossible length counts as unknown.

AIFF, AU, CAF, IFF (8SVX, 16SV), NIST SPHERE, RF64, W64 and WAV are checked, and that an Ogg has its last
page; decoders check FLAC, HTK and MP3. Other files that libsndfile reads (AVR, IRCAM, MAT, PAF, PVF, SD2,
SDS, VOC, WVE ...) count as complete, with a notice that this was not checked.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ser_classic.audio.waveforms import AudioError

UNKNOWN = 2**62  # frames; for an unknown length libsndfile reports more than that
UNFILLED = (0, 2**32 - 1, 2**64 - 1)  # lengths of audio that was written to a pipe ...
PLACEHOLDER = 0x7F000000  # [bytes] ... or, in 32 bits, anything from this on
GSM = b"\x31\0"  # in WAV
TAG = 128  # [bytes] at the end of an MP3, where its title may be
LITTLE = 0.05  # share of a file below which what follows the audio is not taken for more audio
PADDING = 64  # [bytes] after the audio that are examined
NAME = re.compile(rb"[\x20-\x7e]{4}")  # first bytes of a chunk's name
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")
AGAIN = "copy or download it again"


@dataclass(frozen=True)
class Layout:
    """How a container writes its chunks: name, length, content."""

    name: int  # [bytes]
    length: str  # of `struct`
    first: int  # [bytes] from the start of the file
    data: bytes  # name of the chunk of audio
    align: int = 1  # [bytes]; a chunk starts at a multiple of it
    inclusive: bool = False  # whether a length counts name and length, too

    @property
    def head(self) -> int:
        """Size of name and length [bytes]."""
        return self.name + struct.calcsize(self.length)


W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0O\x8e\xdb\x8a"
LAYOUTS = (
    (re.compile(rb"(RIFF|RF64)....(WAVE)", re.DOTALL), Layout(4, "<I", 12, b"data", 2)),
    (re.compile(rb"RIFX....WAVE", re.DOTALL), Layout(4, ">I", 12, b"data", 2)),
    (re.compile(rb"FORM....AIF[FC]", re.DOTALL), Layout(4, ">I", 12, b"SSND", 2)),
    (re.compile(rb"FORM....(8SVX|16SV)", re.DOTALL), Layout(4, ">I", 12, b"BODY", 2)),
    (re.compile(rb"riff\x2e\x91\xcf\x11"), Layout(16, "<Q", 40, W64_DATA, 8, inclusive=True)),
    (re.compile(rb"caff"), Layout(4, ">Q", 8, b"data", 1)),
)
CHECKED = {  # containers, as libsndfile calls them, whose files are checked to be complete
    *("AIFF", "AU", "CAF", "FLAC", "HTK", "MP3", "NIST", "OGG", "RF64", "SVX", "W64", "WAV", "WAVEX"),
}
FOREIGN = (  # files that only ffmpeg reads, by their first bytes
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
OURS = re.compile(  # files that libsndfile reads; for MP3, its tag or first frame
    rb"RF64|RIFX|fLaC|\.snd|dns\.|NIST_1A|riff\x2e\x91\xcf\x11|FORM....(8SVX|16SV)|ID3[\x02-\x04]"
    rb"|\xff[\xe2\xe3\xf2-\xf5\xfa-\xfd][\x10-\xeb]|Creative Voice File|\x64\xa3[\x01-\x04]\0"
    rb"|2BIT|PVF1|ALawSound| paf|fap ",
    re.DOTALL,
)


class Plan(NamedTuple):
    """How to read all of a file, and a notice if its header is wrong."""

    end: int | None = None  # of the audio, if something else follows it
    written: tuple[int, bytes] = (0, b"")  # a corrected length, and where it belongs
    frames: int = UNKNOWN  # at most; libsndfile takes padding for more
    notice: str = ""


def sources(path: Path, file: BinaryIO, size: int) -> tuple[list[Any], int, str]:
    """What to open with decoders to read all of a file, the most frames to read, and a notice or "".

    AudioError says that it was cut short, has several pieces of audio, or more than its header can state.
    """
    file.seek(0)
    head = file.read(1024)
    if head.startswith(b"OggS"):
        recordings, whole = _chained(file, size)
        notice = "" if whole else "it has no end mark and may have been cut short"
        plain = recordings == [(0, size)]
        given = [path] if plain else [View(file, end, begin=begin) for begin, end in recordings]
        return given, UNKNOWN, notice
    plan = _planned(file, size, head)
    plain = plan.end is None and not plan.written[1]
    given = [path] if plain else [View(file, plan.end or size, plan.written)]
    return given, plan.frames or UNKNOWN, plan.notice


def _planned(file: BinaryIO, size: int, head: bytes) -> Plan:
    if head.startswith((b".snd", b"dns.")):
        order = ">" if head[:1] == b"." else "<"
        first, length = struct.unpack(f"{order}II", head[4:12].ljust(8, b"\0"))
        return _plan(file, size, first, length, Field(8, f"{order}I"))
    if head.startswith(b"NIST_1A"):
        return _of_sphere(file, size, head)
    if head.startswith((b"ID3", b"\xff")):
        return _of_mp3(file, size, head)
    layouts = (layout for pattern, layout in LAYOUTS if pattern.match(head))
    return next((_of_chunks(file, size, layout) for layout in layouts), Plan())


class Field(NamedTuple):
    """A length in a file: where it is, its `struct` format, and what it counts besides the audio [bytes]."""

    place: int
    kind: str
    more: int = 0


def _of_chunks(file: BinaryIO, size: int, layout: Layout) -> Plan:
    coding = b""  # as WAV states it
    wide = None  # lengths in RF64, which are in a chunk of their own
    for place, name, length in _chunks(file, size, layout, layout.first):
        begin = place + layout.head
        file.seek(begin)
        if name == b"ds64":
            wide = begin + 8, struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        if name == b"fmt " and layout.align == 2:
            coding = file.read(20)
        if name != layout.data:
            continue
        field = Field(place + layout.name, layout.length, layout.head if layout.inclusive else 0)
        if wide is not None and length == 2**32 - 1:
            field, length = Field(wide[0], "<Q"), wide[1]
        plan = _plan(file, size, begin, length, field, layout)
        if plan.end is not None and (more := _more(file, size, layout, plan.end)):
            raise AudioError(f"{file.name}: has {1 + more} pieces of audio; join or split them")
        if len(coding) == 20 and coding[:2] == GSM:
            block, frames = struct.unpack("<12xH4xH", coding)
            return plan._replace(frames=((plan.end or size) - begin) // max(block, 1) * frames)
        return plan
    return Plan()


def _chunks(file: BinaryIO, size: int, layout: Layout, place: int) -> Iterator[tuple[int, bytes, int]]:
    """Place, name and length of each chunk from a place on."""
    step = layout.head
    while place + layout.head <= size and step >= layout.head:
        file.seek(place)
        content = file.read(layout.head)
        length = struct.unpack(layout.length, content[layout.name :])[0]
        yield place, content[: layout.name], length
        step = length if layout.inclusive else layout.head + length
        place += step + -step % layout.align


def _more(file: BinaryIO, size: int, layout: Layout, end: int) -> int:
    """How many chunks of audio follow the first, which has this end."""
    names = ((name for _, name, _ in _chunks(file, size, layout, start)) for start in _next(end, layout))
    return max(sum(name == layout.data for name in takewhile(NAME.match, each)) for each in names)


def _next(end: int, layout: Layout) -> set[int]:
    """Where the next chunk may start: some writers align it, some forget to."""
    return {end, end + -end % layout.align}


def _plan(
    file: BinaryIO, size: int, begin: int, stated: int, field: Field | None, layout: Layout | None = None
) -> Plan:
    """The plan for a file with a stated length of audio; without a field, it cannot be corrected."""
    there, unknown = max(size - begin, 0), False
    if field is not None:
        stated -= 0 if stated in UNFILLED else field.more
        unknown = stated in UNFILLED or (there < stated and PLACEHOLDER <= stated < 2**32)
    if stated > there and not unknown:
        raise AudioError(f"{file.name}: truncated, {there} of {stated} bytes are there; {AGAIN}")
    if stated == there or not there:
        return Plan()
    if field is None or (not unknown and _explained(file, begin + stated, size, layout)):
        return Plan(end=begin + stated)
    limit = 2 ** (8 * struct.calcsize(field.kind))
    if there >= limit:
        much = f"{there / 2**30:.1f} GiB of audio, more than its header can state"
        raise AudioError(f"{file.name}: {much}; convert it to FLAC, or split it")
    written = field.place, struct.pack(field.kind, min(there + field.more, limit - 1))
    notice = "" if unknown and stated else f"its header announces {stated} of {there} bytes of audio"
    return Plan(written=written, notice=notice)


def _explained(file: BinaryIO, place: int, size: int, layout: Layout | None) -> bool:
    """Whether what follows the audio is not more audio, but chunks, tags, padding, or too little."""
    file.seek(place)
    rest = file.read(PADDING)
    if not rest.strip(b"\0") or rest.lstrip(b"\0").startswith(TAGS) or size - place < LITTLE * size:
        return True
    if layout is None:
        return False
    chunks = (next(_chunks(file, size, layout, start), None) for start in _next(place, layout))
    return any(chunk and NAME.match(chunk[1]) and chunk[2] <= size - chunk[0] for chunk in chunks)


def _of_mp3(file: BinaryIO, size: int, head: bytes) -> Plan:
    """The plan by the header in the first frame, if there is one; another file may have been appended."""
    begin = 0
    while head.startswith(b"ID3"):
        begin += 10 + sum(
            (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
        )
        file.seek(begin)
        head = file.read(256)
    found = re.match(rb"\xff.{3,38}?(?:Xing|Info)\0\0\0([\x02\x03\x06\x07\x0a\x0b\x0e\x0f])", head, re.DOTALL)
    if found is None:
        return Plan()
    place = found.end() + (4 if found[1][0] & 1 else 0)
    stated, there = int.from_bytes(head[place : place + 4]), size - begin
    if not 0 < stated < there or _explained(file, begin + stated, size, None):
        return Plan()  # its decoder reports one that was cut short
    notice = f"its header announces {stated} of {there} bytes of audio"
    return Plan(written=(begin + found.end() - 8, bytes(4)), notice=notice)


def _of_sphere(file: BinaryIO, size: int, head: bytes) -> Plan:
    fields = dict(re.findall(rb"(\w+) -i (\d+)", head))
    begin = re.match(rb"NIST_1A\s+(\d+)", head)
    count, channels = fields.get(b"sample_count"), fields.get(b"channel_count", b"1")
    if begin is None or count is None:
        return Plan()
    stated = int(count) * int(channels) * int(fields.get(b"sample_n_bytes", b"1"))
    return _plan(file, size, int(begin[1]), stated, None, None)


def _chained(file: BinaryIO, size: int) -> tuple[list[tuple[int, int]], bool]:
    """Begin and end of each recording in an Ogg file, and whether its last page is there.

    Several recordings may follow each other. Whatever is not a page ends the last of them.
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


@dataclass(eq=False)
class View(io.RawIOBase):
    """A file from `begin` to `size` [bytes], with the bytes at a place replaced by those `written`.

    It may claim to have more. Beyond its end it has nothing, but zeros in the last bytes, where an MP3 may
    have a tag.
    """

    file: BinaryIO
    size: int
    written: tuple[int, bytes] = (0, b"")
    begin: int = 0
    claimed: int = 0  # [bytes] beyond its end
    place: int = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + (0, self.place, self.size - self.begin + self.claimed)[whence]
        return self.place

    def tell(self) -> int:
        return self.place

    def readinto(self, buffer: memoryview) -> int:
        left = self.size - self.begin - self.place
        if left > 0:
            self.file.seek(self.begin + self.place)
            content = bytearray(self.file.read(min(len(buffer), left)))
            start, written = self.written
            for number, value in enumerate(written, start - self.place):
                if 0 <= number < len(content):
                    content[number] = value
        else:
            left += self.claimed
            content = bytearray(min(len(buffer), left) if 0 < left <= TAG else 0)
        buffer[: len(content)] = content
        self.place += len(content)
        return len(content)


def is_audio(head: bytes) -> bool:
    """Whether a file with these first bytes is a recording, whatever its name.

    >>> is_audio(b"RIFF....WAVEfmt "), is_audio(b"file,emotion")
    (True, False)
    """
    return any(pattern.match(head) for pattern in (OURS, *(pattern for pattern, _ in FOREIGN)))


def mistaken(content: bytes) -> str | None:
    """What a file is instead of a recording, by its first bytes, and what to do; None if that is unknown."""
    head = content[:512].lstrip().lower()
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the file itself; get the file with: git lfs pull"
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "it is a web page, not the file itself; download the file again, logged in if that is required"
    return None
