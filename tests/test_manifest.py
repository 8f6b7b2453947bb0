"""Bring your own corpus: manifests and folders per emotion, their emotion words and speakers."""

import hashlib
import os
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ser_classic.audio import AudioError
from ser_classic.cli.options import channel_of, pairs
from ser_classic.corpora import Reading, load
from ser_classic.corpora.manifest import SYNONYMS, emotion_words
from ser_classic.errors import SerClassicError
from ser_classic.features import FEATURES
from ser_classic.features.extraction import compute, extract
from ser_classic.vocabulary import EMOTIONS


def write(path: Path, text: str, files: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    for file in files.split():
        (path.parent / file).parent.mkdir(parents=True, exist_ok=True)
        (path.parent / file).touch()
    return path


def test_manifest_becomes_a_clips_table(tmp_path):
    manifest = write(
        tmp_path / "Call Centre.csv",
        "File, emotion ,speaker,sex,age\nwav/1.wav,Anger,anna,F,33\nwav/2.flac,neutral,ben,m,44\n",
        "wav/1.wav wav/2.flac",
    )
    root, clips, corpus = load(manifest)
    assert root == tmp_path
    assert corpus.name == "call_centre"
    assert clips.reset_index().to_dict("list") | {"sentence": None} == {
        "clip": ["call_centre/wav/1", "call_centre/wav/2"],
        "file": ["wav/1.wav", "wav/2.flac"],
        "corpus": ["call_centre"] * 2,
        "speaker": ["call_centre/anna", "call_centre/ben"],
        "emotion": ["angry", "neutral"],
        "label": ["Anger", "neutral"],
        "sex": ["female", "male"],
        "sentence": None,
        "age": ["33", "44"],
        "sha256": [hashlib.sha256(b"").hexdigest()] * 2,
    }


def test_one_session_in_two_spellings_is_one(tmp_path):
    rows = "a.wav,sad,S1\nb.wav,joy,s1\nc.wav,joy,S1\nd.wav,joy,S2\n"
    manifest = write(tmp_path / "m.csv", f"file,emotion,session\n{rows}", "a.wav b.wav c.wav d.wav")
    assert load(manifest).clips["session"].tolist() == ["S1", "S1", "S1", "S2"]


def test_manifest_without_speakers(tmp_path):
    manifest = write(tmp_path / "m.tsv", "file\temotion\na.wav\tsad\nb.wav\tjoy\n", "a.wav b.wav")
    clips = load(manifest).clips
    assert clips["speaker"].isna().all()
    clips = load(manifest, reading=Reading(speaker=r"^(.)")).clips
    assert clips["speaker"].tolist() == ["m/a", "m/b"]


def test_manifest_with_a_name_that_says_nothing_is_called_after_its_folder(tmp_path):
    manifest = write(tmp_path / "My voices" / "manifest.csv", "file,emotion\na.wav,sad\n", "a.wav")
    assert load(manifest).corpus.name == "my_voices"


def test_files_outside_the_manifest_s_folder_are_relative_to_what_holds_them_all(tmp_path):
    write(tmp_path / "audio" / "x", "", "one/a.wav two/b.wav")
    manifest = write(
        tmp_path / "lists" / "calls.csv",
        f"file,emotion\n../audio/one/a.wav,sad\n{tmp_path}/audio/two/b.wav,happy\n",
    )
    root, clips, _ = load(manifest)
    assert root == tmp_path / "audio"
    assert clips["file"].tolist() == ["one/a.wav", "two/b.wav"]
    assert clips.index.tolist() == ["calls/one/a", "calls/two/b"]


def test_folder_per_emotion(tmp_path):
    write(
        tmp_path / "play" / "readme.txt",
        "",
        "anger/anna_1.wav anger/ben_1.wav happy/deep/anna_2.flac stray.wav",
    )
    root, clips, corpus = load(tmp_path / "play", reading=Reading(speaker=r"([a-z]+)_\d"))
    assert (root, corpus.name) == (tmp_path / "play", "play")
    assert clips.index.tolist() == ["play/anger/anna_1", "play/anger/ben_1", "play/happy/deep/anna_2"]
    assert clips["emotion"].tolist() == ["angry", "angry", "happy"]
    assert clips["speaker"].tolist() == ["play/anna", "play/ben", "play/anna"]
    assert load(tmp_path / "play").clips["speaker"].isna().all()


@pytest.mark.parametrize(
    ("text", "files", "reading", "message"),
    [
        ("path,emotion\na.wav,sad\n", "a.wav", None, "column file.*path, emotion"),
        ("file,emotion\na.wav,\n", "a.wav", None, "line 2 .*emotion"),
        ("file,emotion\na.wav,sad\nb.wav,sad\n", "a.wav", None, r"1 of .*2 .*b\.wav"),
        ("file,emotion\na.wav,sad\na.wav,sad\n", "a.wav", None, r"m\.csv: line 3 .*line 2"),
        ("file,emotion,speaker\na.wav,sad,x\nb.wav,sad,\n", "a.wav b.wav", None, r"m\.csv: line 3 .*speaker"),
        ("file,emotion\n", "", None, r"m\.csv: "),
        ("file,emotion\na.wav,sad,x\n", "a.wav", None, "line 2|header"),
        ("file,emotion,emotion\na.wav,sad,angry\n", "a.wav", None, "column 'emotion'"),
        ("file,emotion,Emotion\na.wav,sad,angry\n", "a.wav", None, "column 'emotion'"),
        (f"file,emotion\n{'a' * 5000},sad\n", "", None, "1 of .*1 "),
        ("", "", None, r"m\.csv: "),
        ("file,emotion\n,sad\n", "", None, "line 2 .*file"),
        ("file,emotion\na.wav,sad\nb.wav,smug\n", "a.wav b.wav", None, "'smug'.*'sad'.*--map smug"),
        ("file,emotion\na.wav,sad\n", "a.wav", Reading(words={"rage": "angry"}), "--map .*'rage'"),
        ("file,emotion,speaker\na.wav,sad,x\n", "a.wav", Reading(speaker="(.)"), "--speaker"),
        ("file,emotion\na.wav,sad\n", "a.wav", Reading(speaker="("), "'\\('"),
        ("file,emotion\na.wav,sad\n", "a.wav", Reading(speaker="a"), "'a'"),
        ("file,emotion\na.wav,sad\n", "a.wav", Reading(speaker="(z)"), "'a.wav'"),
    ],
)
def test_faults_of_a_manifest_are_told(tmp_path, text, files, reading, message):
    manifest = write(tmp_path / "m.csv", text, files)
    with pytest.raises(SerClassicError, match=message):
        load(manifest, reading=reading)


def test_a_name_that_is_not_utf_8_is_refused(tmp_path):
    for name in (b"a.wav", b"caf\xe9.wav"):
        write(tmp_path / "own" / "sad" / os.fsdecode(name), "")
    with pytest.raises(SerClassicError, match=r"own: .*'sad/caf\\udce9\.wav'.* rename"):
        load(tmp_path / "own")


def test_a_file_of_a_folder_that_will_not_do_is_named(tmp_path):
    write(tmp_path / "own" / "x.txt", "", "sad/a.wav sad/b.wav")
    (tmp_path / "own" / "sad" / "b.wav").rename(tmp_path / "own" / "sad" / "b\tc.wav")
    with pytest.raises(SerClassicError, match=r"own: sad/b\tc\.wav has .* rename"):
        load(tmp_path / "own")


def test_empty_folder_says_what_was_expected(tmp_path):
    with pytest.raises(SerClassicError, match="subfolder"):
        load(tmp_path)


def test_own_corpus_may_not_take_a_known_name(tmp_path):
    manifest = write(tmp_path / "ravdess.csv", "file,emotion\na.wav,sad\n", "a.wav")
    with pytest.raises(SerClassicError, match=f"`ravdess`.* --data {tmp_path}.* rename"):
        load(manifest)
    write(tmp_path / "Audio_Speech_Actors_01-24" / "x", "", "Actor_01/03-01-01-01-01-01-01.wav")
    with pytest.raises(SerClassicError, match="corpus ravdess"):
        load(tmp_path / "Audio_Speech_Actors_01-24")


@pytest.mark.parametrize(
    ("labels", "words", "meaning"),
    [
        (["Anger", "JOY", "neutral"], {}, ["angry", "happy", "neutral"]),
        (["pleasant surprise"], {}, ["surprise"]),
        (["tense", "Very relaxed"], {}, ["very_relaxed", "tense"]),
        (["rage", "sad"], {"rage": "angry"}, ["angry", "sad"]),
        (["rage", "sad"], {"RAGE": "Angry"}, ["angry", "sad"]),
        (["smug", "sad"], {"smug": "smug"}, ["sad", "smug"]),
        (["calm", "sad"], {"calm": "neutral"}, ["neutral", "sad"]),
    ],
)
def test_emotion_words(labels, words, meaning):
    assert list(emotion_words(labels, words).values()) == meaning


def test_mapping_some_new_words_does_not_hide_the_others():
    with pytest.raises(SerClassicError, match=r"'smug'.*'rage'"):
        emotion_words(["rage", "smug"], {"rage": "angry"})


def test_every_synonym_means_a_known_emotion():
    assert set(SYNONYMS.values()) <= set(EMOTIONS)
    assert not set(SYNONYMS) & set(EMOTIONS)


@given(st.sets(st.sampled_from([*EMOTIONS, *SYNONYMS]), min_size=1))
def test_known_words_always_become_emotions(labels):
    meaning = emotion_words(labels)
    assert set(meaning) == labels
    assert set(meaning.values()) <= set(EMOTIONS)


def test_map_options():
    form = "--map anger=angry"
    assert pairs(["anger=angry", " joy = happy "], form) == {"anger": "angry", "joy": "happy"}
    with pytest.raises(SerClassicError, match="anger=angry"):
        pairs(["anger"], form)
    with pytest.raises(SerClassicError, match=r"--map: 'anger' .*'angry'"):
        pairs(["anger=angry", "anger=sad"], form)


def test_channels_have_names_and_numbers():
    named = {"left": 0, "right": 1, "0": 0, "7": 7, "mix": None}
    assert {given: channel_of(given) for given in named} == named
    for wrong in ("up", "-1", ""):
        with pytest.raises(SerClassicError, match="left"):
            channel_of(wrong)


def test_words_that_pandas_would_take_for_missing_values_are_kept(tmp_path):
    manifest = write(
        tmp_path / "m.csv", "file,emotion,speaker\na.wav,none,NA\nb.wav,tense,None\n", "a.wav b.wav"
    )
    clips = load(manifest).clips
    assert clips["emotion"].tolist() == ["none", "tense"]
    assert clips["speaker"].tolist() == ["m/NA", "m/None"]
    assert isinstance(clips, pd.DataFrame)


def test_a_pipe_among_the_recordings_is_told_rather_than_waited_for(tmp_path):
    (tmp_path / "voices" / "angry").mkdir(parents=True)
    os.mkfifo(tmp_path / "voices" / "angry" / "a.wav")
    with pytest.raises(AudioError, match=r"a\.wav: "):
        load(tmp_path / "voices")


def read(folder: Path, content: bytes) -> pd.DataFrame:
    manifest = write(folder / "m.csv", "", "a.wav b.wav")
    manifest.write_bytes(content)
    return load(manifest).clips


@pytest.mark.parametrize(
    "text",
    [
        "file,emotion,speaker\na.wav,sad,x\nb.wav,angry,y\n",
        "file;emotion;speaker\na.wav;sad;x\nb.wav;angry;y\n",
        "file\temotion\tspeaker\na.wav\tsad\tx\nb.wav\tangry\ty\n",
        "sep=;\r\nfile;emotion;speaker\r\na.wav;sad;x\r\nb.wav;angry;y\r\n",
        "\ufefffile,emotion,speaker\r\na.wav,sad,x\r\n\r\nb.wav,angry,y\r\n,,\r\n",
        "file,emotion,speaker,\na.wav,sad,x,\nb.wav,angry,y,\n",
        '"file","emotion","speaker"\n"a.wav","sad","x"\n"b.wav","angry","y"',
    ],
    ids=["commas", "semicolons", "tabs", "Excel", "blank lines", "a comma at the end", "quotes"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_table_is_read_however_a_spreadsheet_saves_it(tmp_path, text, encoding):
    clips = read(tmp_path, text.encode(encoding))
    assert clips[["file", "emotion", "speaker"]].values.tolist() == [
        ["a.wav", "sad", "m/x"],
        ["b.wav", "angry", "m/y"],
    ]


@pytest.mark.parametrize("begin", ["", "\n\n", "sep=,\n"])
def test_the_line_that_is_named_is_the_line_in_the_file(tmp_path, begin):
    text = f"{begin}file,emotion\n\na.wav,sad\n\n\nb.wav,\n"
    with pytest.raises(SerClassicError, match=f"line {text[: text.index('b.wav')].count(chr(10)) + 1} "):
        read(tmp_path, text.encode())
    with pytest.raises(SerClassicError, match="--drop ''"):
        read(tmp_path, text.encode())
    assert len(load(tmp_path / "m.csv", reading=Reading(drop=[""])).clips) == 1


def test_files_of_one_stem_are_two_clips(tmp_path):
    files = "x.wav x.flac rec.001 rec.002 y.wav"
    rows = "".join(f"{file},sad\n" for file in files.split())
    manifest = write(tmp_path / "m.csv", f"file,emotion\n{rows}", files)
    clips = load(manifest).clips
    assert set(clips.index) == {"m/x.wav", "m/x.flac", "m/rec.001", "m/rec.002", "m/y"}


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_found_with_its_accents_composed_or_decomposed(tmp_path, forms):
    there, written = (unicodedata.normalize(form, "Zoë.wav") for form in forms)
    clips = load(write(tmp_path / "m.csv", f"file,emotion\n{written},sad\n", there)).clips
    assert clips.index.tolist() == [unicodedata.normalize("NFC", "m/Zoë")]
    assert (tmp_path / clips["file"].iloc[0]).is_file()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "web page"),
    ],
)
def test_what_stands_in_place_of_a_manifest_is_named(tmp_path, content, named):
    with pytest.raises(SerClassicError, match=named):
        read(tmp_path, content)


def test_the_sex_that_is_not_known_is_not_known(tmp_path):
    words = {"F": "female", "Man": "male", "unknown": None, "nan": None, "": None}
    rows = "".join(f"{number}.wav,sad,{word}\n" for number, word in enumerate(words))
    files = " ".join(f"{number}.wav" for number in range(len(words)))
    clips = load(write(tmp_path / "m.csv", "file,emotion,sex\n" + rows, files)).clips
    assert [None if pd.isna(sex) else sex for sex in clips["sex"]] == list(words.values())
    with pytest.raises(SerClassicError, match=r"line 2 .*'zebra'"):
        load(write(tmp_path / "m.csv", "file,emotion,sex\n0.wav,sad,zebra\n"))


def test_segments_are_clips(tmp_path):
    """Two parts of one file with two emotions are as good as two files."""
    loud, low = (amplitude * np.sin(np.arange(8000) / 3) for amplitude in (0.9, 0.1))
    soundfile.write(tmp_path / "both.wav", np.r_[loud, low], 16_000, subtype="FLOAT")
    manifest = write(
        tmp_path / "m.csv",
        "file,start,end,emotion,speaker\nboth.wav,0,0.5,angry,a\nboth.wav,0 days 00:00:00.5,,sad,a\n",
    )
    root, clips, _ = load(manifest)
    assert clips.index.tolist() == ["m/both@0-0.5", "m/both@0.5-"]
    assert clips["emotion"].tolist() == ["angry", "sad"]
    features = extract(clips, root, FEATURES["mfcc13"], tmp_path / "cache").frame
    for place, half in enumerate((loud, low)):
        expected = compute(FEATURES["mfcc13"], half.astype(np.float32), 16_000)
        np.testing.assert_array_equal(features.iloc[place], expected)


def test_a_parquet_file_is_a_manifest_with_its_index_and_times(tmp_path):
    pytest.importorskip("pyarrow")
    rows = pd.DataFrame(
        {
            "file": ["a.wav", "a.wav"],
            "start": pd.to_timedelta([0, 0.5], unit="s"),
            "end": [pd.Timedelta(0.5, unit="s"), pd.NaT],
            "emotion": pd.Categorical(["angry", "sad"]),
            "gender": ["female", None],
        }
    )
    write(tmp_path / "m.csv", "", "a.wav")
    rows.set_index(["file", "start", "end"]).to_parquet(tmp_path / "m.parquet")
    clips = load(tmp_path / "m.parquet").clips
    assert clips.index.tolist() == ["m/a@0-0.5", "m/a@0.5-"]
    assert clips["emotion"].tolist() == ["angry", "sad"]
    assert clips["sex"].iloc[0] == "female"
    assert pd.isna(clips["sex"].iloc[1])
    (tmp_path / "n.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(SerClassicError, match=r"n\.parquet: "):
        load(tmp_path / "n.parquet")


def test_a_part_beyond_the_end_of_its_file_is_told(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.sin(np.arange(8000) / 3), 16_000)
    root, clips, _ = load(write(tmp_path / "m.csv", "file,start,end,emotion\na.wav,0.4,3,angry\n"))
    with pytest.raises(SerClassicError, match=r"a\.wav: .*0.50 s.* 0.4-3 s"):
        extract(clips, root, FEATURES["mfcc13"], tmp_path / "cache")


@pytest.mark.parametrize(
    ("header", "row", "named"),
    [
        ("file,onset,emotion", "a.wav,1,sad", "'start'"),
        ("file,start,duration,emotion", "a.wav,1,2,sad", "'end'"),
        ("file,start,stop,emotion", "a.wav,1,2,sad", "'end'"),
        ("file,channel,emotion", "a.wav,1,sad", "--channel"),
        ("file,start,end,emotion", "a.wav,noon,2,sad", "line 2 .*'noon'"),
        ("file,start,end,emotion", "a.wav,2,1,sad", r"m\.csv: line 2 "),
    ],
)
def test_what_says_which_part_is_meant_and_is_not_understood_is_refused(tmp_path, header, row, named):
    with pytest.raises(SerClassicError, match=named):
        load(write(tmp_path / "m.csv", f"{header}\n{row}\n", "a.wav"))


@pytest.mark.parametrize(
    "layout",
    ["{emotion}/{who}", "{split}/{emotion}/{who}", "{who}/{Emotion}/{who}", "Audio/{who}/{Emotion}/x"],
)
def test_the_folders_that_are_emotions_are_found(tmp_path, layout):
    said = {}
    for number, emotion in enumerate(("angry", "sad", "happiness") * 2):
        words = {"who": f"00{number + 11}", "emotion": emotion, "Emotion": emotion.title()}
        file = layout.format(**words, split=("train", "test")[number > 3]) + f"_{number}.wav"
        write(tmp_path / "own" / file, "")
        said[file] = SYNONYMS.get(emotion, emotion)
    clips = load(tmp_path / "own").clips
    assert dict(zip(clips["file"], clips["emotion"], strict=True)) == said


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ("train/1.wav test/2.wav", "train"),
        ("0011/angry/1.wav 0012/grumpy/2.wav", "'grumpy'.*--map"),
        ("wav/1.wav wav/2.wav db.csv", "wav.*db.csv"),
    ],
)
def test_folders_that_cannot_be_emotions_are_told(tmp_path, files, named):
    write(tmp_path / "own" / "x.txt", "", files)
    with pytest.raises(SerClassicError, match=named):
        load(tmp_path / "own")
