"""Verifying: missing, corrupt, unreadable, duplicate and extra files are told apart."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tiny_corpus import FILES, install, tiny, write_release, write_wav

from ser_classic.corpora import CORPORA, load
from ser_classic.corpora.verifying import Verification, verify

RELEASED, LEFT_OUT = "duplicate in the official release, too", "left out by the standard task"


@pytest.fixture
def corpus(tmp_path):
    return tiny(write_release(tmp_path / "ravdess"))


@pytest.fixture
def root(tmp_path, corpus):
    return tmp_path / "ravdess"


def verified(root: Path, corpus) -> Verification:
    return verify(root, corpus.scan(root), corpus)


def test_official_release_is_ok(root, corpus):
    found = verified(root, corpus)
    assert found.ok
    assert (found.clips, found.speakers, found.found) == (8, 2, {})
    assert found.compared == {"identical": 8, "converted": 0, "re-encoded": 0}


def test_each_fault_is_told_apart(root, corpus):
    missing, corrupt, cut, empty, text, copied, *_ = FILES
    (root / missing).unlink()
    write_wav(root / corrupt, seed=99)
    content = (root / cut).read_bytes()
    (root / cut).write_bytes(content[: len(content) // 2])
    (root / empty).write_bytes(b"")
    (root / text).write_text("not audio")
    (root / "again").mkdir()
    shutil.copy(root / copied, root / "again" / Path(copied).name)
    write_wav(root / "jingle.wav", seed=77)
    (root / "licence.txt").touch()

    found = verified(root, corpus)
    assert not found.ok
    assert {name.partition(":")[0] for name in found.found.pop("unreadable")} == {cut, empty, text}
    assert found.found == {
        "missing": [f"ravdess/{missing.removesuffix('.wav')}"],
        "corrupt": [corrupt],
        "second copy": [f"again/{Path(copied).name}"],
        "extra": ["jingle.wav"],
    }
    assert (found.clips, found.expected_clips, found.compared["identical"]) == (7, 8, 3)


def test_extra_files_and_second_copies_do_no_harm(root, corpus):
    shutil.copytree(root / "Actor_01", root / "again" / "Actor_01")
    write_wav(root / "jingle.wav", seed=77)
    found = verified(root, corpus)
    assert found.ok
    assert len(found.found["second copy"]) == 4
    assert found.clips == 8


def test_identical_recordings_of_different_clips(root, corpus):
    one, other, *_ = FILES
    shutil.copy(root / one, root / other)
    found = verified(root, corpus)
    assert found.found == {"corrupt": [other], "duplicate": [f"{one} = {other}, under two emotions"]}
    assert not found.ok


def test_parts_of_one_file_are_no_duplicates_and_each_is_read(tmp_path):
    write_wav(tmp_path / "call.wav", 1, seconds=0.5)
    rows = ["0,0.2,sad,a", "0.2,,calm,b", "0.4,0.9,sad,a"]
    (tmp_path / "calls.csv").write_text(
        "file,start,end,emotion,speaker\n" + "".join(f"call.wav,{row}\n" for row in rows)
    )
    found = verify(*load(tmp_path / "calls.csv"))
    assert (found.clips, found.formats) == (3, {"WAV 16000 Hz mono": 1})
    assert list(found.found) == ["unreadable"]
    assert "call.wav (0.4-0.9 s): " in found.found["unreadable"][0]


def test_the_format_is_told_by_the_decoder_of_all_others(tmp_path):
    """A length that a pipe left open does not keep the format from being told."""
    write_wav(tmp_path / "sad" / "s1.wav", 1)
    content = bytearray((tmp_path / "sad" / "s1.wav").read_bytes())
    content[4:8] = content[40:44] = b"\xff" * 4
    (tmp_path / "sad" / "s1.wav").write_bytes(content)
    soundfile.write(tmp_path / "sad" / "s2.ogg", [[0.1, 0.2]] * 4000, 8000)
    found = verify(*load(tmp_path))
    assert found.ok
    assert found.formats == {"WAV 16000 Hz mono": 1, "OGG 8000 Hz stereo": 1}


def test_a_duplicate_of_the_release_is_known(root, corpus):
    one, other, *_ = FILES
    lines = (root.parent / "ravdess.tsv").read_text().splitlines()
    digest = lines[1].split("\t")[1]
    lines[2] = lines[2].replace(lines[2].split("\t")[1], digest)
    checksums = root.parent / "identical.tsv"
    checksums.write_text("\n".join(lines) + "\n")
    shutil.copy(root / one, root / other)
    found = verified(root, tiny(checksums))
    assert found.ok
    assert found.found == {RELEASED: [f"{one} = {other}, under two emotions"]}


def test_checksums_do_not_apply_to_converted_files(root, corpus):
    for file in FILES:
        samples, rate = soundfile.read(root / file, dtype="int16")
        soundfile.write(root / file.replace(".wav", ".flac"), samples, rate)
        (root / file).unlink()
    found = verified(root, corpus)
    assert found.ok
    assert (found.compared, found.found) == ({"identical": 0, "converted": 8, "re-encoded": 0}, {})
    (root / FILES[0].replace(".wav", ".flac")).write_bytes(b"fLaC")
    broken = verified(root, corpus)
    assert not broken.ok
    assert broken.found["unreadable"][0].startswith(FILES[0].replace(".wav", ".flac"))


def test_an_excluded_clip_need_not_be_readable(root, corpus):
    silent = FILES[0]
    (root / silent).write_bytes(b"RIFF")
    clip = f"ravdess/{silent.removesuffix('.wav')}"
    excluded = tiny(root.parent / "ravdess.tsv", excluded={clip: "silent"})
    found = verified(root, excluded)
    assert found.ok
    assert found.found == {"excluded": [f"{clip}: silent"]}
    assert found.expected_clips == 7


def test_own_corpus_is_read_and_searched_for_duplicates(tmp_path):
    for name, seed in (("sad/a", 1), ("sad/b", 1), ("happy/c", 1), ("happy/d", 2)):
        write_wav(tmp_path / "own" / f"{name}.wav", seed)
    write_wav(tmp_path / "own" / "stray.wav", 5)
    (tmp_path / "own" / "happy" / "e.wav").write_bytes(b"RIFF")
    found = verify(*load(tmp_path / "own"))
    assert found.found["duplicate"] == ["happy/c.wav = sad/a.wav = sad/b.wav, under two emotions"]
    assert [name.partition(":")[0] for name in found.found["unreadable"]] == ["happy/e.wav"]
    assert found.found["extra"] == ["stray.wav"]
    assert not found.ok


def test_command_reports_and_exits(root, corpus, monkeypatch, ser):
    install(monkeypatch, corpus)
    data = ("--data", root.parent)
    assert "8 of 8 clips, 2 of 2 speakers" in ser("corpora", "verify", "ravdess", *data).said()
    (root / FILES[0]).unlink()
    missing = "ravdess/Actor_01/03-01-01-01-01-01-01"
    assert f"missing: 1\n    {missing}" in ser("corpora", "verify", *data).said(code=1)
    (told,) = json.loads(ser("corpora", "verify", "ravdess", "--json", *data).said(code=1))
    assert (told["ok"], told["found"]) == (False, {"missing": [missing]})


@pytest.fixture
def part(root, corpus):
    """The clips of two emotions of the corpus."""
    emotions = {"happy": "happy", "sad": "sad"}
    left_out = dict.fromkeys(set(CORPORA["ravdess"].emotions) - set(emotions), "none of the two")
    facts = {"emotions": emotions, "left_out": left_out, "name": "some", "part_of": "ravdess", "clips": 4}
    return tiny(root.parent / "ravdess.tsv", **facts)


def test_a_part_is_judged_by_what_is_published_of_it(root, part):
    neutral, happy, *_ = FILES
    write_wav(root / "jingle.wav", seed=77)
    found = verified(root, part)
    assert found.ok
    assert (found.clips, found.expected_clips, found.compared["identical"]) == (4, 4, 4)
    assert found.found == {"extra": ["jingle.wav"], LEFT_OUT: ["neutral: 2 clips", "angry: 2 clips"]}
    (root / neutral).unlink()
    assert verified(root, part).ok
    write_wav(root / happy, seed=99)
    assert verified(root, part).found["corrupt"] == [happy]
    (root / happy).unlink()
    lacking = verified(root, part)
    assert not lacking.ok
    assert lacking.found["missing"] == [f"ravdess/{happy.removesuffix('.wav')}"]


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["ravdess", "emodb", "tess"])
def test_real_corpus_verifies(name, real, tmp_path):
    """Whole, but for TESS: of its 2800 clips every ninth, so that the others are missing."""
    root, clips, corpus = real(name)
    if name == "tess":
        for file in clips["file"][::9]:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).symlink_to(root / file)
        root, clips = tmp_path, clips[::9]
    found = verify(root, clips, corpus)
    assert found.compared["identical"] + found.compared["converted"] == len(clips)
    assert found.ok == (len(clips) == found.expected_clips)
    assert list(found.found) == {"ravdess": [RELEASED], "emodb": [], "tess": ["missing"]}[name]


def test_a_release_that_was_encoded_anew_is_not_corrupt(root, corpus):
    """Every WAV at another sample rate: none is the official file, and none is called corrupt."""
    for file in FILES:
        samples, rate = soundfile.read(root / file, dtype="int16")
        soundfile.write(root / file, samples, rate // 2)
    found = verified(root, corpus)
    assert found.ok
    assert (found.compared["re-encoded"], found.found) == (8, {})
    assert found.formats == {"WAV 8000 Hz mono": 8}
    (root / FILES[0]).write_bytes((root / FILES[0]).read_bytes()[:100])
    assert verified(root, corpus).found["unreadable"][0].startswith(FILES[0])


def test_some_files_that_were_encoded_anew_are_not_corrupt(root, corpus):
    """Two of eight at another sample rate; one that looks as the others and has other samples is corrupt."""
    for file in FILES[:2]:
        samples, rate = soundfile.read(root / file, dtype="int16")
        soundfile.write(root / file, samples, rate // 2)
    write_wav(root / FILES[2], seed=99)
    found = verified(root, corpus)
    assert found.compared == {"identical": 5, "converted": 0, "re-encoded": 2}
    assert found.found == {"corrupt": [FILES[2]]}


def test_what_is_missing_is_told_with_how_to_get_it(tmp_path, ser):
    write_wav(tmp_path / "urdu" / "Angry" / "SM1_F1_A01.wav", 1)
    write_wav(tmp_path / "urdu" / "Sad" / "SF2_F1_S01.wav", 2)
    told = ser("corpora", "verify", "urdu", "--data", tmp_path).said(code=1)
    assert "2 of 400 clips" in told
    assert "ser-classic corpora fetch urdu" in told


@pytest.mark.parametrize(
    "name", ["emovo", "savee", "crema_d", "ravdess_song", "nemo", "turev_db", "ased", "baved"]
)
@pytest.mark.parametrize(("ending", "rate"), [(".WAV", 48000), (".flac", 8000), (".mp3", 44100)])
def test_a_real_corpus_in_another_format_is_read_and_not_corrupt(name, ending, rate, tmp_path):
    """Of a few clips under their literal names, whatever was made of their sound."""
    official = CORPORA[name].official
    files = list(CORPORA[name].layout) if official is None else list(official["file"][:3])
    for seed, file in enumerate(files):
        path = (tmp_path / name / file).with_suffix(ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).normal(0, 0.1, rate // 5)
        soundfile.write(path, noise, rate, format=ending[1:].upper())
    soundfile.write(tmp_path / name / "notes.wav", noise, rate)
    found = verify(*load(name, tmp_path))
    assert found.clips == len(files)
    assert found.found.keys() <= {"extra", "excluded", "missing"}
    assert found.found["extra"] == ["notes.wav"]
    assert next(iter(found.formats)).endswith(f"{rate} Hz mono")


def test_a_described_corpus_tells_every_deviation(tmp_path, ser):
    for seed, name in enumerate(("female1_happy_1a_1", "female1_happy_1a_2", "male2_anxious_1a_1", "notes")):
        write_wav(tmp_path / "jl" / f"{name}.wav", seed)
    (tmp_path / "jl" / "deep").mkdir()
    shutil.copy(tmp_path / "jl" / "notes.wav", tmp_path / "jl" / "deep" / "female1_happy_1a_1.wav")
    told = ser("corpora", "verify", "jl", "--data", tmp_path).said(code=1)
    found = verify(*load("jl", tmp_path))
    kinds = {LEFT_OUT: ["anxious: 1 clips"], "extra": ["notes.wav"]}
    assert found.found.items() > kinds.items()
    assert len(found.found["second copy"]) == 1
    assert (found.clips, found.expected_clips, found.speakers, found.expected_speakers) == (2, 1200, 1, 4)
    for word in ("anxious", "notes.wav", "2 of 1200 clips, 1 of 4 speakers", "16000 Hz mono"):
        assert word in told


def test_clips_without_a_label_are_named(tmp_path):
    for number in range(1, 4):
        write_wav(tmp_path / "emozionalmente" / "audio" / f"162323456789{number}.wav", number)
    (tmp_path / "emozionalmente" / "samples.csv").write_text(
        "file_name,actor,emotion_expressed\n1623234567891.wav,1,joy\n1623234567892.wav,2,anger\n"
    )
    found = verify(*load("emozionalmente", tmp_path))
    assert found.found["without a label"] == ["audio/1623234567893.wav"]


def test_duplicates_that_the_release_has_are_no_fault(tmp_path):
    for number in range(6):
        write_wav(tmp_path / "ased" / f"n1-01-01-01-0{number}.wav", min(number, 4))
    found = verify(*load("ased", tmp_path))
    assert list(found.found) == [RELEASED]
