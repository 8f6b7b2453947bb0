"""Decoding: whatever a file holds, all of its audio is had, or a message that names it."""

import contextlib
import os
import re
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ser_classic import audio
from ser_classic.audio import AudioError, containers, decoding, waveforms

RATE, FRAMES = 8000, 4000
FORMATS = sorted(set(soundfile.available_formats()) - {"RAW", "SD2"})  # SD2 is two files
CHECKED = sorted(set(FORMATS) & containers.CHECKED)
COARSE = 400  # frames that a block coder may add


@pytest.fixture(autouse=True)
def everything_is_told(monkeypatch):
    monkeypatch.setattr(waveforms, "MOST_NOTICES", sys.maxsize)


def voice(frames: int = FRAMES) -> np.ndarray:
    rng, t = np.random.default_rng(0), np.arange(frames) / RATE
    return (0.4 * np.sin(2 * np.pi * 200 * t) * np.cos(5 * t) + 0.02 * rng.standard_normal(frames)).astype(
        "f4"
    )


def made(folder: Path, kind: str, subtype: str | None = None, samples: np.ndarray | None = None) -> Path:
    path = folder / f"{kind}_{subtype}.x"
    soundfile.write(path, voice() if samples is None else samples, RATE, format=kind, subtype=subtype)
    return path


def every_subtype(folder: Path, kind: str) -> list[Path]:
    """A file of each coding that a container can be written with here."""
    files = []
    for subtype in soundfile.available_subtypes(kind):
        with contextlib.suppress(soundfile.SoundFileError):
            files.append(made(folder, kind, subtype))
    return files


def outcome(path: Path, content: bytes, caplog) -> tuple[np.ndarray | None, bool]:
    """What is read of a content, None for an error that names the file; and whether something is told."""
    changed = path.with_suffix(".y")
    changed.write_bytes(content)
    caplog.clear()
    waveforms._noticed.clear()
    with contextlib.suppress(AudioError):
        return audio.read(changed)[0], bool(caplog.records)
    with pytest.raises(AudioError, match=changed.name) as caught:
        audio.read(changed)
    assert "\n" not in str(caught.value)
    return None, True


@pytest.mark.parametrize("kind", FORMATS)
def test_every_container_and_coding_is_read_whole(tmp_path, kind):
    files = every_subtype(tmp_path, kind)
    assert files
    for path in files:
        samples, rate = audio.read(path)
        assert rate == RATE or kind == "XI"  # which tells no rate
        assert FRAMES <= len(samples) <= FRAMES + COARSE, path.name
        assert np.corrcoef(samples[:FRAMES], voice())[0, 1] > 0.5, path.name
        assert audio.info(path)[:3] == (len(samples), rate, 1), path.name


@pytest.mark.parametrize("kind", FORMATS)
def test_less_than_there_was_is_never_taken_without_a_word(tmp_path, kind, caplog):
    for path in every_subtype(tmp_path, kind):
        content = path.read_bytes()
        for share in (0.2, 0.5, 0.97):
            samples, told = outcome(path, content[: int(share * len(content))], caplog)
            assert told or len(samples) >= FRAMES, path.name


@pytest.mark.parametrize("kind", CHECKED)
def test_a_recording_is_known_by_how_it_begins(tmp_path, kind):
    """Whatever it is called, or however it is numbered; HTK and SDS have no mark to begin with."""
    if kind == "HTK":
        pytest.skip("begins with a number")
    contents = [path.read_bytes() for path in every_subtype(tmp_path, kind)]
    folder = tmp_path / "recordings"
    folder.mkdir()
    recordings = {"bare": contents[0], **{f"rec.{number:03d}": each for number, each in enumerate(contents)}}
    others = {"notes.txt": b"RIFF and OGG", "wide.csv": "file".encode("utf-16"), "empty": b""}
    for name, content in {**recordings, **others}.items():
        (folder / name).write_bytes(content)
    os.mkfifo(folder / "pipe")
    assert set(map(str, audio.audio_files(folder))) == set(recordings)
    assert set(map(str, audio.other_files(folder))) == {*others, "pipe"}


@pytest.mark.parametrize("kind", sorted(set(CHECKED) - {"HTK"}))
def test_what_follows_the_audio_is_no_audio(tmp_path, kind, caplog):
    """In the blocks of W64 and in G.72x within AU, libsndfile takes some of it for audio."""
    for path in every_subtype(tmp_path, kind):
        if re.search("AU_G72|W64_(GSM|.*ADPCM)", path.name):
            continue
        content, samples = path.read_bytes(), audio.read(path)[0]
        even = content + bytes(len(content) % 2)
        for more in (
            content + b"\0",
            even + bytes(4096),
            even + b"LIST\4\0\0\0INFO",
            even + b"TAG" + bytes(125),
        ):
            np.testing.assert_array_equal(outcome(path, more, caplog)[0], samples, path.name)


LENGTHS = [
    ("WAV", "PCM_16", b"data", "<I", 0),
    ("WAV", "GSM610", b"data", "<I", 0),
    ("WAV", "FLOAT", b"data", "<I", 0),
    ("AIFF", "PCM_16", b"SSND", ">I", 8),
    ("W64", "PCM_16", b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0O\x8e\xdb\x8a", "<Q", 24),
    ("CAF", "PCM_16", b"data", ">Q", 4),
    ("AU", "PCM_16", b".snd", ">I", 0),
    ("RF64", "PCM_16", b"ds64", "<Q", 0),
]


@pytest.mark.parametrize(("kind", "subtype", "name", "form", "more"), LENGTHS)
@pytest.mark.parametrize("length", ["none", "all bits", "a quarter", "2 GiB"])
def test_a_length_that_lies_does_not_shorten_a_recording_without_a_word(
    tmp_path, caplog, kind, subtype, name, form, more, length
):
    path = made(tmp_path, kind, subtype)
    content, samples = bytearray(path.read_bytes()), audio.read(path)[0]
    place = content.index(name) + {"AU": 8, "RF64": 16}.get(kind, len(name))
    width = struct.calcsize(form)
    stated = struct.unpack(form, content[place : place + width])[0]
    lie = {
        "none": 0,
        "all bits": 2 ** (8 * width) - 1,
        "a quarter": more + (stated - more) // 4,
        "2 GiB": 2**31 - 4097,
    }
    content[place : place + width] = struct.pack(form, lie[length])
    found, told = outcome(path, bytes(content), caplog)
    whole = found is not None and np.array_equal(found[:FRAMES], samples[:FRAMES])
    assert whole or told
    assert whole or kind != "WAV"
    assert not told or length not in ("all bits", "2 GiB") or kind in ("CAF", "RF64")


def test_flac_written_to_a_pipe_is_read_to_its_end(tmp_path, caplog):
    path = made(tmp_path, "FLAC", "PCM_16")
    content, samples = bytearray(path.read_bytes()), audio.read(path)[0]
    content[21:26] = bytes([content[21] & 0xF0]) + bytes(4)  # the number of samples; 0 is unknown
    found, _ = outcome(path, bytes(content), caplog)
    np.testing.assert_array_equal(found, samples)


def without_header(path: Path) -> bytes:
    """An MP3 without its first frame, which says how long it is."""
    content = path.read_bytes()
    return content[content.index(content[:2], 4) :]


@pytest.mark.parametrize("loud_first", [True, False])
def test_an_mp3_without_a_header_is_read_to_its_end(tmp_path, caplog, loud_first):
    """Its decoder guesses the length from the first frame, which is a guess too low, or too high."""
    speech, silence = voice(3 * RATE), np.zeros(3 * RATE, dtype="f4")
    samples = np.r_[speech, silence] if loud_first else np.r_[silence, speech]
    path = tmp_path / "a.mp3"
    soundfile.write(path, samples, RATE, format="MP3", bitrate_mode="VARIABLE", compression_level=0.2)
    found, _ = outcome(path, without_header(path), caplog)
    assert len(found) == pytest.approx(len(samples), abs=3000)
    half = len(found) // 2
    first, last = (np.sqrt(np.mean(np.square(part))) for part in (found[:half], found[half:]))
    assert first > 3 * last if loud_first else last > 3 * first


@pytest.mark.parametrize("before", [b"", b"ID3\3\0\0\0\0\0\x10" + bytes(16)], ids=["bare", "tagged"])
def test_an_mp3_with_another_appended_is_told(tmp_path, caplog, before):
    """The header of the first counts the first alone."""
    content = made(tmp_path, "MP3").read_bytes()
    assert outcome(tmp_path / "MP3_None.x", before + content + content, caplog)[1]
    alone, told = outcome(tmp_path / "MP3_None.x", before + content, caplog)
    assert len(alone) == FRAMES
    assert not told


def test_a_recording_of_more_than_its_header_can_tell_is_not_taken_for_less(tmp_path):
    path = made(tmp_path, "WAV", "PCM_16")
    content = path.read_bytes()
    place = content.index(b"data") + 4
    path.write_bytes(content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :])
    os.truncate(path, 2**32 + 2**20)  # of which the disk holds the begin alone
    with pytest.raises(AudioError, match=r"4\.0 GiB of audio.*FLAC"):
        audio.info(path)


def test_audio_in_two_pieces_is_not_taken_for_its_first(tmp_path, caplog):
    content = made(tmp_path, "WAV", "PCM_16").read_bytes()
    samples, _ = outcome(tmp_path / "WAV_PCM_16.x", content + content[content.index(b"data") :], caplog)
    assert samples is None


@pytest.mark.parametrize("kind", sorted(set(CHECKED) - {"HTK", "NIST", "OGG"}))
def test_a_recording_with_another_appended_is_not_taken_for_its_first_without_a_word(tmp_path, kind, caplog):
    path = made(tmp_path, kind, samples=np.tile(voice(), 20))
    assert outcome(path, 2 * path.read_bytes(), caplog)[1]


def test_a_recording_that_is_cut_short_after_many_texts_is_refused(tmp_path, caplog):
    """So many that the log of libsndfile ends before the audio."""
    content = made(tmp_path, "WAV", "PCM_16").read_bytes()
    text = b"LIST" + struct.pack("<I", 412) + b"INFOICMT" + struct.pack("<I", 400) + 400 * b"x"
    place = content.index(b"data")
    content = content[:place] + 8 * text + content[place:]
    content = content[:4] + struct.pack("<I", len(content) - 8) + content[8:]
    samples, told = outcome(tmp_path / "WAV_PCM_16.x", content, caplog)
    assert len(samples) == FRAMES
    assert not told
    assert outcome(tmp_path / "WAV_PCM_16.x", content[:-4000], caplog)[0] is None


@pytest.mark.parametrize("between", [b"", bytes(99), b"OggS and no page of it"])
def test_chained_ogg_is_read_whole(tmp_path, caplog, between):
    path = made(tmp_path, "OGG", "VORBIS")
    (tmp_path / "other").mkdir()
    soundfile.write(tmp_path / "other" / "b.x", -voice(), RATE, format="OGG")
    both, told = outcome(
        path, path.read_bytes() + between + (tmp_path / "other" / "b.x").read_bytes(), caplog
    )
    assert len(both) == 2 * FRAMES
    assert not told


@pytest.mark.parametrize("rate", [8000, 44100])
@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.995])
def test_an_mp3_that_is_cut_short_is_called_truncated(tmp_path, rate, share):
    """Its first frame states a length, of which the decoder complains in words of its own."""
    soundfile.write(tmp_path / "a.mp3", np.tile(voice(), 9), rate)
    content = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(content[: int(share * len(content))])
    with pytest.raises(AudioError, match=r"a\.mp3: truncated"):
        audio.read(tmp_path / "a.mp3")


@pytest.fixture(scope="module")
def contents(tmp_path_factory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("contents")
    return [path.read_bytes() for kind in FORMATS for path in every_subtype(folder, kind)]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_done_to_a_file_no_other_error_is_raised(tmp_path_factory, contents, data):
    content = bytearray(data.draw(st.sampled_from(contents)))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, min(len(content) - 1, 200)))
        content[place] = data.draw(st.integers(0, 255))
    first, last = data.draw(st.integers(0, 8)), data.draw(st.integers(0, len(content)))
    path = tmp_path_factory.getbasetemp() / "changed.x"
    path.write_bytes(content[first:last] + data.draw(st.binary(max_size=40)))
    with contextlib.suppress(AudioError):
        samples, rate = audio.read(path)
        assert np.isfinite(samples).all()
        assert audio.info(path).rate == rate


def test_a_stream_gives_what_is_read_in_constant_memory(tmp_path, monkeypatch):
    path = made(tmp_path, "WAV", "FLOAT", np.stack([voice(), 0.5 * voice()], axis=1))
    monkeypatch.setattr(decoding, "BLOCK", 999)
    pieces = [piece for piece, _ in audio.stream(path)]
    assert max(map(len, pieces)) <= 999
    np.testing.assert_array_equal(np.concatenate(pieces), audio.read(path)[0])


def test_a_part_is_cut_out(tmp_path, monkeypatch):
    path = made(tmp_path, "WAV", "FLOAT")
    monkeypatch.setattr(decoding, "BLOCK", 999)
    np.testing.assert_array_equal(audio.read(path, segment=audio.Segment(0.1, 0.2))[0], voice()[800:1600])
    np.testing.assert_array_equal(audio.read(path, segment=audio.Segment(0.25))[0], voice()[2000:])
    with pytest.raises(AudioError, match="part"):
        audio.read(path, segment=audio.Segment(0.4, 9))


# What only ffmpeg reads.

BEGINS = {
    "a.m4a": b"\0\0\0\x20ftypM4A \0\0\0\0",
    "a.webm": b"\x1aE\xdf\xa3" + bytes(60),
    "a.amr": b"#!AMR\n" + bytes(60),
    "a.aac": b"\xff\xf1\x50\x80" + bytes(60),
    "a.wma": b"0&\xb2u\x8ef\xcf\x11" + bytes(60),
    "a.wav": b"RIFF\x24\0\0\0WAVE",
}


@pytest.mark.parametrize("name", BEGINS)
def test_what_ffmpeg_reads_says_so_where_it_is_not_there(tmp_path, monkeypatch, name):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    (tmp_path / name).write_bytes(BEGINS[name])
    with pytest.raises(AudioError) as caught:
        audio.read(tmp_path / name)
    made = "a.flac" if name == "a.wav" else "a.wav"
    assert f"ffmpeg -i {tmp_path / name} {tmp_path / made}" in str(caught.value)
    assert "download" not in str(caught.value)
    assert "FileIO" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "remedy"),
    [
        ("a.raw", bytes(range(256)), "ffmpeg -f s16le -ar 16000 -ac 1 -i"),
        ("a.wav", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("a.mp3", b"<!DOCTYPE html><html>Log in</html>", "web page"),
        ("m.onnx", b"\x08\x0a\x12\x0bser-classic\x1a", "exported model"),
        ("a.wav", b"PK\3\4\x14\0", "archive"),
    ],
)
def test_what_is_no_recording_is_called_what_it_is(tmp_path, name, content, remedy):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioError, match=remedy):
        audio.read(tmp_path / name)


def stand_in(folder: Path, script: str) -> None:
    """A program called ffmpeg."""
    program = folder / "ffmpeg"
    program.write_text(f"#!{sys.executable}\nimport shutil, sys\n{script}\n")
    program.chmod(0o755)


def test_what_ffmpeg_makes_is_read_and_what_it_says_is_told(tmp_path, monkeypatch, caplog):
    (tmp_path / "b.m4a").write_bytes(BEGINS["a.m4a"])
    wav = made(tmp_path, "WAV", "FLOAT")
    monkeypatch.setenv("PATH", str(tmp_path))
    stand_in(tmp_path, f"shutil.copy({str(wav)!r}, sys.argv[-1]); print('odd', file=sys.stderr)")
    np.testing.assert_array_equal(audio.read(tmp_path / "b.m4a")[0], voice())
    assert re.search(r"b\.m4a: .*odd", caplog.text)
    assert audio.info(tmp_path / "b.m4a").frames == FRAMES
    stand_in(tmp_path, "sys.exit('moov atom not found')")
    with pytest.raises(AudioError, match=r"b\.m4a: .*moov atom not found"):
        audio.read(tmp_path / "b.m4a")
