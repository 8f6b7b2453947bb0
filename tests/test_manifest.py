"""Bring your own corpus: manifests and folders per emotion, their emotion words and speakers."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_classic.audio import AudioError
from ser_classic.corpora import EMOTIONS, CorpusError, load, parse_map, speakers_known
from ser_classic.corpora.manifest import SYNONYMS, emotion_words


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


def test_manifest_without_speakers(tmp_path):
    manifest = write(tmp_path / "m.tsv", "file\temotion\na.wav\tsad\nb.wav\tjoy\n", "a.wav b.wav")
    clips = load(manifest).clips
    assert clips["speaker"].isna().all()
    assert not speakers_known(clips)
    clips = load(manifest, speaker=r"^(.)").clips
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
    root, clips, corpus = load(tmp_path / "play", speaker=r"([a-z]+)_\d")
    assert (root, corpus.name) == (tmp_path / "play", "play")
    assert clips.index.tolist() == ["play/anger/anna_1", "play/anger/ben_1", "play/happy/deep/anna_2"]
    assert clips["emotion"].tolist() == ["angry", "angry", "happy"]
    assert clips["speaker"].tolist() == ["play/anna", "play/ben", "play/anna"]
    assert load(tmp_path / "play").clips["speaker"].isna().all()


@pytest.mark.parametrize(
    ("text", "files", "options", "message"),
    [
        (
            "path,emotion\na.wav,sad\n",
            "a.wav",
            {},
            "no column file; expected file, emotion.*found path, emotion",
        ),
        ("file,emotion\na.wav,\n", "a.wav", {}, "line 2 lacks its file or its emotion"),
        (
            "file,emotion\na.wav,sad\nb.wav,sad\n",
            "a.wav",
            {},
            r"1 of its 2 files are not there, first .*b\.wav",
        ),
        ("file,emotion\na.wav,sad\na.wav,sad\n", "a.wav", {}, "expected each clip once"),
        ("file,emotion\na.wav,sad\na.flac,sad\n", "a.wav a.flac", {}, "clip 'm/a'; expected each clip once"),
        (
            "file,emotion,speaker\na.wav,sad,x\nb.wav,sad,\n",
            "a.wav b.wav",
            {},
            "speaker nan of m/b; expected .* for every clip, or",
        ),
        ("file,emotion\n", "", {}, r"m\.csv: has no rows below its header"),
        ("file,emotion\na.wav,sad,x\n", "a.wav", {}, "more fields than its header"),
        ("file,emotion,emotion\na.wav,sad,angry\n", "a.wav", {}, "column 'emotion' is there twice"),
        ("file,emotion,Emotion\na.wav,sad,angry\n", "a.wav", {}, "column 'emotion' is there twice"),
        (f"file,emotion\n{'a' * 5000},sad\n", "", {}, "1 of its 1 files are not there"),
        ("", "", {}, "not readable as a table"),
        (
            "file,emotion\na.wav,sad\nb.wav,smug\n",
            "a.wav b.wav",
            {},
            "words 'smug' is unknown, 'sad' known.*--map smug",
        ),
        (
            "file,emotion\na.wav,sad\n",
            "a.wav",
            {"words": {"rage": "angry"}},
            "--map names 'rage', which does not",
        ),
        ("file,emotion,speaker\na.wav,sad,x\n", "a.wav", {"speaker": "(.)"}, "leave --speaker out"),
        ("file,emotion\na.wav,sad\n", "a.wav", {"speaker": "("}, "not a regular expression"),
        ("file,emotion\na.wav,sad\n", "a.wav", {"speaker": "a"}, "put the speaker in parentheses"),
        ("file,emotion\na.wav,sad\n", "a.wav", {"speaker": "(z)"}, "finds no speaker in 'a.wav'"),
    ],
)
def test_faults_of_a_manifest_are_told(tmp_path, text, files, options, message):
    manifest = write(tmp_path / "m.csv", text, files)
    with pytest.raises(CorpusError, match=message):
        load(manifest, **options)


def test_a_name_that_is_not_utf_8_is_refused(tmp_path):
    for name in (b"a.wav", b"caf\xe9.wav"):
        write(tmp_path / "own" / "sad" / os.fsdecode(name), "")
    with pytest.raises(CorpusError, match=r"own: the name of 'sad/caf\\udce9\.wav' is not UTF-8; rename it"):
        load(tmp_path / "own")


def test_empty_folder_says_what_was_expected(tmp_path):
    with pytest.raises(CorpusError, match="one subfolder per emotion"):
        load(tmp_path)


def test_own_corpus_may_not_take_a_known_name(tmp_path):
    manifest = write(tmp_path / "ravdess.csv", "file,emotion\na.wav,sad\n", "a.wav")
    with pytest.raises(CorpusError, match=f"say `ravdess`, with --data {tmp_path}; rename it if"):
        load(manifest)
    write(tmp_path / "Audio_Speech_Actors_01-24" / "x", "", "Actor_01/03-01-01-01-01-01-01.wav")
    with pytest.raises(CorpusError, match="called like the corpus ravdess"):
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
    with pytest.raises(CorpusError, match="words 'smug' is unknown, 'rage' known"):
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
    assert parse_map(["anger=angry", " joy = happy "]) == {"anger": "angry", "joy": "happy"}
    with pytest.raises(CorpusError, match="expected WORD=EMOTION"):
        parse_map(["anger"])
    with pytest.raises(CorpusError, match="'anger' is mapped to 'angry' already"):
        parse_map(["anger=angry", "anger=sad"])


def test_label_words_that_look_like_missing_values_are_kept(tmp_path):
    manifest = write(
        tmp_path / "m.csv", "file,emotion,speaker\na.wav,null,NA\nb.wav,none,nan\n", "a.wav b.wav"
    )
    clips = load(manifest).clips
    assert clips["emotion"].tolist() == ["null", "none"]
    assert clips["speaker"].tolist() == ["m/NA", "m/nan"]
    assert isinstance(clips, pd.DataFrame)


def test_a_pipe_among_the_recordings_is_told_rather_than_waited_for(tmp_path):
    (tmp_path / "voices" / "angry").mkdir(parents=True)
    os.mkfifo(tmp_path / "voices" / "angry" / "a.wav")
    with pytest.raises(AudioError, match=r"a\.wav: no regular file"):
        load(tmp_path / "voices")
