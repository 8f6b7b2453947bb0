"""`fit`, `predict` and `card` on the command line: what they print, where, and with which exit code."""

import csv
import io
import os
import shlex
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_classic import audio
from ser_classic.audio import decoding
from ser_classic.degradations import COPIES
from ser_classic.predictor import Predictor, cards, describing, load_predictor
from ser_classic.predictor import recordings as named

OWN = ("--speaker", r"/(s\d\d)_", "--features", "mfcc13", "--no-evaluate", "--jobs", "1")


@pytest.mark.parametrize(("words", "copies"), [((), COPIES), (("--no-robust",), 0)])
def test_what_is_fitted_is_fit_for_the_field_unless_told(words, copies, own_folder, ser, tmp_path):
    ser("fit", own_folder, *OWN, "--model", "prior", "-o", "m.skops", *words).said()
    assert load_predictor(tmp_path / "m.skops").card["copies"] == copies


@pytest.fixture
def recordings(own_folder) -> list[Path]:
    return sorted((own_folder / "angry").glob("s01*.wav"))


def test_a_table_for_people(saved, recordings, ser):
    head, *lines = ser("predict", saved, *recordings, "--top", 2).said().splitlines()
    assert head.split() == ["recording", "seconds", "emotion", "probability"]
    assert [line.split()[0] for line in lines] == [str(path) for path in recordings]
    assert all(len(line.split()) == 6 for line in lines), "a second emotion and its probability follow"


def test_a_pipe_is_not_waited_for(saved, recordings, tmp_path, ser):
    os.mkfifo(tmp_path / "pipe.wav")
    pipe = os.open(tmp_path / "pipe.wav", os.O_RDWR | os.O_NONBLOCK)
    os.write(pipe, b"RIFF")
    told = ser("predict", saved, tmp_path / "pipe.wav", recordings[0])
    assert os.read(pipe, 4) == b"RIFF"
    os.close(pipe)
    told.refused("pipe.wav: ")
    assert str(recordings[0]) in told.stdout


def test_json_is_one_object_a_line_in_full_precision(saved, recordings, ser):
    told = ser("predict", saved, *recordings, "--json").rows()
    expected = load_predictor(saved).predict(recordings)
    for got, (_, row) in zip(told, expected.iterrows(), strict=True):
        head = ["file", "seconds", "emotion", "confidence", "probabilities", "distance", "unlike"]
        assert list(got) == head
        assert got["emotion"] == row["emotion"] == next(iter(got["probabilities"]))
        assert got["probabilities"] == {word: row[f"p_{word}"] for word in ("angry", "neutral", "sad")}
        assert sum(got["probabilities"].values()) == pytest.approx(1)


def test_csv_has_a_column_an_emotion_or_the_best_side_by_side(saved, recordings, ser):
    rows, best, more = (
        list(csv.DictReader(io.StringIO(ser("predict", saved, *recordings, "--csv", *words).said())))
        for words in ((), ("--top", 2), ("--top", 99))
    )
    head, tail = ["file", "seconds", "emotion"], ["distance", "unlike"]
    assert list(rows[0]) == [*head, "confidence", "p_angry", "p_neutral", "p_sad", *tail]
    assert list(best[0]) == [*head, "emotion_1", "p_1", "emotion_2", "p_2", *tail]
    assert [row["p_1"] for row in best] == [row["confidence"] for row in rows]
    assert list(more[0])[-4:-2] == ["emotion_3", "p_3"]


def test_a_timeline_has_a_row_a_window_and_can_be_drawn(saved, recordings, tmp_path, ser):
    drawing = tmp_path / "timeline.png"
    options = ("--window", 0.5, "--hop", 0.25)
    told = ser("predict", saved, recordings[0], *options, "--json", "--draw", drawing).rows()
    assert [row["start"] for row in told[:2]] == [0.0, 0.25]
    assert told[-1]["end"] == pytest.approx(soundfile.info(recordings[0]).duration)
    assert all(row["seconds"] == pytest.approx(0.5) for row in told)
    assert drawing.read_bytes().startswith(b"\x89PNG")


def test_a_silent_window_has_no_emotion_and_json_stays_json(saved, recordings, tmp_path, ser):
    waveform, rate = audio.read(recordings[0])
    path = tmp_path / "gap.wav"
    soundfile.write(path, np.concatenate([waveform, np.zeros(2 * rate)]), rate)
    last = ser("predict", saved, path, "--window", 0.5, "--json").rows()[-1]
    assert last["emotion"] is None
    assert "confidence" not in last
    assert ser("predict", saved, path, "--window", 0.5).said().splitlines()[-1].split()[-1] == "silent"


def test_folders_patterns_and_formats(saved, own_folder, tmp_path, ser):
    waveform, rate = audio.read(own_folder / "sad" / "s01_t1_1.wav")
    folder = tmp_path / "calls"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.wav", "deep/b.flac", "c.OGG", "deep/d.mp3", "e.aiff", ".hidden.wav"):
        soundfile.write(folder / name, waveform, rate, format=Path(name).suffix[1:].upper())
    (folder / "notes.txt").write_text("no audio")
    for given, names in (
        ([folder], ["a.wav", "c.OGG", "b.flac", "d.mp3", "e.aiff"]),
        ([f"{folder}/**/*.flac", f"{folder}/a.wav"], ["b.flac", "a.wav"]),
    ):
        assert [Path(row["file"]).name for row in ser("predict", saved, *given, "--json").rows()] == names


def test_a_recording_on_standard_input(saved, recordings, monkeypatch, ser):
    content = recordings[0].read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    (told,) = ser("predict", saved, "-", "--json").rows()
    assert told["file"] == "-"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content[:5000])))
    ser("predict", saved, "-").refused("ser-classic: -: truncated")


def test_a_closed_standard_input_is_missed_only_where_it_is_named(saved, recordings, monkeypatch, ser):
    monkeypatch.setattr(sys, "stdin", None)
    ser("predict", saved, recordings[0]).said()
    ser("predict", saved, "-").refused("ser-classic: standard input: ")


def test_standard_input_without_end_is_cut_off(monkeypatch):
    class Endless:
        def read(self, size):
            return b"\0" * size

    monkeypatch.setattr(named, "LARGEST", 2**22)
    with (
        pytest.raises(audio.AudioError, match="standard input"),
        named.opened(["-"], Endless(), print, print),
    ):
        pass


def test_a_bad_file_is_one_line_on_stderr_and_exit_code_1(saved, recordings, tmp_path, ser):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF....WAVEfmt ")
    missing, empty = tmp_path / "missing.wav", tmp_path / "empty"
    empty.mkdir()
    named = [recordings[0], broken, missing, empty, f"{tmp_path}/*.flac", recordings[1]]
    told = ser("predict", saved, *named, "--json")
    assert len(told.rows(code=1)) == 2
    wrong = [empty, f"{tmp_path}/*.flac", broken, missing]
    for name, line in zip(wrong, told.stderr.splitlines(), strict=True):
        assert line.startswith(f"ser-classic: {name}: ")


def test_an_empty_name_is_not_the_folder_one_is_in(saved, recordings, tmp_path, ser):
    shutil.copy(recordings[0], tmp_path)
    told = ser("predict", saved, "")
    assert told.said(code=1) == ""
    assert len(told.stderr.splitlines()) == 1


def test_what_stdout_cannot_encode_is_escaped(own_folder, tmp_path, ser):
    path = tmp_path / os.fsdecode(b"caf\xe9.skops")
    told = ser("fit", own_folder, *OWN, "--model", "ridge", "--no-robust", "-o", path).said()
    assert told.startswith(f"{tmp_path}/caf\\udce9.skops: tiny")


def test_a_drawing_of_nothing_tells_why_there_is_nothing(saved, recordings, tmp_path, ser):
    options = ("--window", 1, "--draw", tmp_path / "q.png")
    ser("predict", saved, f"{tmp_path}/nothing*.wav", *options).refused(f"{tmp_path}/nothing*.wav: ")
    ser("predict", saved, *recordings[:2], *options).refused("--draw", code=2)


@pytest.mark.parametrize(
    ("options", "complaint", "code"),
    [
        (["--json", "--csv"], "--json, --csv", 2),
        (["--hop", "1"], "--window", 2),
        (["--draw", "a.png"], "--window", 2),
        (["--top", "0"], "--top", 2),
        (["--min-confidence", "2"], "--min-confidence", 2),
        (["--window", "0"], "a window of 0 s", 1),
        (["--window", "nan"], "a window of nan s", 1),
        (["--window", "inf"], "a window of inf s", 1),
        (["--window", "2", "--hop", "5"], "a hop of 5 s", 1),
        (["--window", "1", "--draw", "a.gif"], "a.gif: ", 1),
        (["--window", "1", "--draw", "absent/a.png"], "absent/a.png: ", 1),
        (["--adapt"], "--adapt", 1),
    ],
)
def test_wrong_usage_answers_nothing(saved, recordings, options, complaint, code, ser):
    told = ser("predict", saved, recordings[0], *options)
    told.refused(complaint, code=code)
    assert told.stdout == ""


@pytest.mark.parametrize("options", [["--window", "0"], ["--hop", "5"]])
def test_windows_to_listen_in_are_checked_before_the_microphone_is_opened(options, ser):
    ser("listen", *options).refused(f"a {options[0].removeprefix('--')} of ")


def test_what_a_model_cannot_do_is_told_with_the_option(fitted, recordings, tmp_path, monkeypatch, ser):
    fitted("ridge", adapted=True).save(tmp_path / "m.skops")
    ser("predict", "m.skops", *recordings).refused("--adapt", "m.skops: ")
    monkeypatch.setattr(Predictor, "has_probabilities", False)
    words = ("--adapt", "--min-confidence", ".5")
    ser("predict", "m.skops", *recordings, *words).refused("--min-confidence")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--features", "mfcc31"], "features: there is no 'mfcc31'"),
        (["--model", "ridg"], "models: there is no 'ridg'"),
        (["--map", "angry"], "--map: "),
        (["-o", "m.txt"], "m.txt: "),
        (["-o", "absent/m.skops"], "absent/m.skops: "),
    ],
)
def test_wrong_values_of_fit_are_told_before_any_work(options, complaint, ser):
    given = {"--features": "mfcc13", "--model": "ridge", "-o": "m.skops"} | dict([options])
    ser("fit", "absent", *(word for pair in given.items() for word in pair)).refused(complaint)


def test_the_way_to_a_predictor_that_is_told_can_be_gone(recordings, tmp_path, ser):
    """The command that a message prints, typed as it is."""
    told = ser("predict", "my voices.skops", recordings[0])
    told.refused("make one with: ser-classic ")
    remedy = told.stderr.partition("make one with: ser-classic ")[2]
    ser(*shlex.split(remedy), "--no-evaluate", "--no-robust", "--jobs", "1").said()
    assert (tmp_path / "my voices.skops").is_file()
    for path in (tmp_path, tmp_path / "notes.txt"):
        ser("card", path).refused(f"{path}: ")
        (tmp_path / "notes.txt").write_text("no predictor")


def test_a_model_behind_recordings_is_not_taken_for_one_of_them(saved, recordings, ser):
    ser("predict", recordings[0], saved).refused(str(saved), code=2)


def test_a_recording_named_twice_is_answered_once(saved, recordings, ser):
    one, other, *_ = recordings
    files = [row["file"] for row in ser("predict", saved, one, other, one, one.parent, "--json").rows()]
    assert len(files) == len(set(files)) == 16


EVALUATES_FOR_AN_HOUR = """
import time
from ser_classic import cli
from ser_classic.predictor import fitting

def evaluate(*given, **more):
    print("evaluating", flush=True)
    time.sleep(3600)

fitting.evaluate = evaluate
cli.main()
"""


def test_ctrl_c_in_the_evaluation_keeps_the_model(start, own_folder, recordings, tmp_path):
    path = tmp_path / "m.skops"
    words = ["fit", own_folder, *OWN[:4], "--model", "ridge", "--no-robust", "-o", path, "--jobs", "1"]
    process = start("-c", EVALUATES_FOR_AN_HOUR, *words)
    assert process.stdout.readline() == "evaluating\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert out.startswith(f"{path}: tiny, mfcc13, ridge; 48 clips, 3 emotions\n")
    assert len(err.splitlines()) == 1
    predictor = load_predictor(path)
    assert "interrupted" in cards.text(predictor.card)
    assert len(predictor.predict(recordings)) == len(recordings)


def test_the_card_is_shown_and_given_as_json(saved, ser):
    assert "Intended use." in ser("card", saved).said()
    assert "CC BY-NC-SA" in ser("card").said()  # of the built-in one
    (told,) = ser("card", saved, "--json").rows()
    assert told["model"]["name"] == "svm_rbf"


def test_a_card_moves_no_cursor(saved, ser, tmp_path):
    predictor = load_predictor(saved)
    predictor.card["title"] = "mine\x1b[2J"
    predictor.save(tmp_path / "m.skops")
    assert "\x1b" not in ser("card", "m.skops").said()


def test_a_terminal_parts_the_lines_of_a_card_between_words(saved, ser, monkeypatch):
    piped = ser("card", saved).said()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    shown = ser("card", saved).said()
    assert shown.split() == piped.split()
    assert max(map(len, piped.splitlines())) > 100
    assert all(len(line) <= 40 or " " not in line.strip() for line in shown.splitlines())


def test_a_stereo_recording_is_their_mean_where_the_corpus_says_nothing(saved, recordings, tmp_path):
    waveform, rate = audio.read(recordings[0])
    soundfile.write(tmp_path / "stereo.wav", np.column_stack([waveform, waveform]), rate, subtype="FLOAT")
    predictor = load_predictor(saved)
    assert predictor.channel is None
    mono, stereo = predictor.predict(recordings[0]), predictor.predict(tmp_path / "stereo.wav")
    assert mono["confidence"][0] == stereo["confidence"][0]


def test_no_recording_in_a_folder_is_passed_over_without_a_word(
    saved, recordings, tmp_path, ser, monkeypatch
):
    """What libsndfile reads is read, links are followed once, the rest is told; and what is no recording."""
    monkeypatch.setenv("PATH", "")
    samples, rate = soundfile.read(recordings[0])
    folder = tmp_path / "calls"
    (folder / "deep").mkdir(parents=True)
    kinds = {"a.opus": "OGG", "b.au": "AU", "c.w64": "W64", "d.caf": "CAF", "e.sph": "NIST"}
    for name, kind in kinds.items():
        soundfile.write(folder / "deep" / name, samples, rate, format=kind)
    for name in ("f.m4a", "f.m4v"):
        (folder / name).write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0")
    (folder / "g.txt").write_text("notes")
    (tmp_path / "store").mkdir()
    soundfile.write(tmp_path / "store" / "h.wav", samples, rate)
    (folder / "linked").symlink_to(tmp_path / "store")
    (folder / "deep" / "loop").symlink_to(folder)
    told = ser("predict", saved, folder, "--json")
    assert sorted(Path(row["file"]).name for row in told.rows(code=1)) == [*kinds, "h.wav"]
    told.refused("f.m4a", "f.m4v", "ffmpeg -i", "g.txt")


def test_a_line_break_in_a_name_stays_in_its_line(saved, recordings, tmp_path, ser):
    odd = tmp_path / "one\ntwo.wav"
    shutil.copy(recordings[0], odd)
    told = ser("predict", saved, odd, tmp_path / "no\nsuch.wav")
    out, err = told.said(code=1).splitlines(), told.stderr.splitlines()
    assert [line for line in out if "one" in line or "two" in line] == [out[1]]
    assert len([line for line in err if "such" in line or line.endswith("no")]) == 1


def test_a_folder_that_may_not_be_looked_into_is_told_and_the_others_are_answered(
    saved, recordings, tmp_path, ser, monkeypatch
):
    closed = tmp_path / "closed"
    closed.mkdir()
    scan, status = os.scandir, os.stat

    def refused(call):
        def may(path, *more, **how):
            if str(closed) in os.fspath(path) and (call is scan or Path(path) != closed):
                raise PermissionError(13, "Permission denied", os.fspath(path))
            return call(path, *more, **how)

        return may

    monkeypatch.setattr(os, "scandir", refused(scan))
    monkeypatch.setattr(os, "stat", refused(status))
    told = ser("predict", saved, closed, closed / "a.wav", recordings[0], "--json")
    assert len(told.rows(code=1)) == 1
    told.refused(f"{closed}: ", f"{closed / 'a.wav'}: ")


def test_a_channel_is_taken(saved, recordings, tmp_path, ser):
    left, rate = soundfile.read(recordings[0])
    right = soundfile.read(recordings[1])[0][: len(left)]
    left = left[: len(right)]
    for name, samples in {"left": left, "right": right, "mix": (left + right) / 2}.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, rate, subtype="FLOAT")
    both = tmp_path / "both.wav"
    soundfile.write(both, np.stack([left, right], axis=1), rate, subtype="FLOAT")

    def confidence(*words):
        return ser("predict", saved, *words, "--json").rows()[0]["confidence"]

    for name in ("left", "right", "mix"):
        assert confidence(both, "--channel", name) == confidence(f"{name}.wav")
    ser("predict", saved, both, "--channel", "middle").refused("--channel")
    soundfile.write(both, np.stack([left, -left], axis=1), rate, subtype="FLOAT")
    ser("predict", saved, both).refused("--channel")


def test_windows_of_a_recording_are_those_of_its_samples(saved, recordings, monkeypatch):
    """They are answered while it is decoded; and one that is cut is refused as a whole."""
    predictor = load_predictor(saved)
    samples, rate = audio.read(recordings[0])
    monkeypatch.setattr(decoding, "BLOCK", 777)
    streamed = predictor.predict(recordings[0], window=0.3)
    whole = predictor.predict((samples, rate), window=0.3)
    pd.testing.assert_frame_equal(streamed.drop(columns="file"), whole.drop(columns="file"))


def test_ten_minutes_in_one_answer_are_told(saved, recordings, caplog, monkeypatch):
    monkeypatch.setattr(describing, "LONG", 0.5)
    load_predictor(saved).predict(recordings[0])
    assert "--segments" in caplog.text
    caplog.clear()
    load_predictor(saved).predict(recordings[0], window=0.3)
    assert not caplog.records
