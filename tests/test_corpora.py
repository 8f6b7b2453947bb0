"""Corpora: what file names say, official lists, and packagings."""

from collections import Counter
from pathlib import PurePosixPath

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import lay_out, touch

from ser_classic.corpora import CORPORA, shortfall
from ser_classic.vocabulary import EMOTIONS

OFFICIAL = ("ravdess", "emodb", "tess", "savee", "crema_d", "emovo")
OTHERS = ("urdu", "cafe", "jl", "subesco", "nemo", "baved", "ravdess_song", "emov_db", "esd")

# Counts as published, by emotion; for CREMA-D of all 7442 clips.
COUNTS = {
    "ravdess": dict.fromkeys(["calm", "happy", "sad", "angry", "fear", "disgust", "surprise"], 192)
    | {"neutral": 96},
    "emodb": {"angry": 127, "boredom": 81, "disgust": 46, "fear": 69, "happy": 71, "sad": 62, "neutral": 79},
    "tess": dict.fromkeys(["angry", "disgust", "fear", "happy", "neutral", "surprise", "sad"], 400),
    "savee": dict.fromkeys(["angry", "disgust", "fear", "happy", "sad", "surprise"], 60) | {"neutral": 120},
    "crema_d": dict.fromkeys(["angry", "disgust", "fear", "happy", "sad"], 1271) | {"neutral": 1087},
    "emovo": dict.fromkeys(["neutral", "disgust", "happy", "fear", "angry", "surprise", "sad"], 84),
}


@given(stem=st.text(max_size=30), folder=st.text(max_size=10))
def test_parsers_bear_any_name(stem, folder):
    file = PurePosixPath(folder.replace("/", "_") or "x") / (stem.replace("/", "_") + ".wav")
    for name in OFFICIAL:
        row = CORPORA[name].parse(file)
        assert row is None or row["emotion"] in EMOTIONS


@given(data=st.data(), name=st.sampled_from(OFFICIAL))
def test_clip_name_does_not_depend_on_folder_or_format(data, name):
    """A clip's name, taken as a file name itself, is that of the same clip; so is the bare file name."""
    corpus = CORPORA[name]
    file = PurePosixPath(data.draw(st.sampled_from(corpus.official["file"].tolist())))
    row = corpus.parse(file)
    assert corpus.parse(PurePosixPath(row["clip"] + ".flac")) == row
    if name != "savee":  # where the folder is what tells the speaker
        assert corpus.parse(PurePosixPath("elsewhere") / file.name) == row


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_list_has_the_published_counts(name):
    corpus = CORPORA[name]
    official = corpus.official
    rows = [corpus.parse(PurePosixPath(file)) for file in official["file"]]
    assert len(official) == corpus.clips == official.index.nunique()
    assert official["speaker"].nunique() == corpus.speakers
    assert Counter(row["emotion"] for row in rows) == COUNTS[name]
    assert official["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert (official["bytes"] > 1000).all() or name == "crema_d"  # which has one file without audio
    assert set(corpus.excluded) <= set(official.index)


@pytest.mark.parametrize("name", OFFICIAL)
def test_scan_of_the_official_layout(tmp_path, name):
    corpus = CORPORA[name]
    lay_out(tmp_path, name)
    clips = corpus.scan(tmp_path)
    assert len(clips) == corpus.clips - len(corpus.excluded)
    assert clips["speaker"].nunique() == corpus.speakers
    assert clips.index.is_monotonic_increasing
    assert all((tmp_path / file).is_file() for file in clips["file"])
    assert shortfall(corpus, clips) is None


@pytest.mark.parametrize("name", [*OFFICIAL, *OTHERS])
def test_packaging_does_not_change_the_clips(tmp_path, name):
    """In other folders and formats, doubled, and with an archiver's shadows: the same table but `file`."""
    corpus = CORPORA[name]
    if name in OTHERS:  # where a folder may tell what the name does not
        official = flat = [PurePosixPath(file) for file in corpus.layout]
    else:
        files = corpus.official["file"]
        official = [PurePosixPath(file) for file in files[:: len(files) // 200]]
        told = "{file.parent.name}_" if name == "savee" else ""
        flat = [PurePosixPath(told.format(file=file) + file.name) for file in official]
    touch(tmp_path / "official", *map(str, official))
    for suffix in (".flac", ".mp3"):
        touch(tmp_path / suffix, *(f"deep/er/{file.with_suffix(suffix)}" for file in flat))
    touch(tmp_path / "doubled", *map(str, official), *(f"again/{file}" for file in official))
    shadows = (f"__MACOSX/._{file.name}" for file in official[:5])
    touch(tmp_path / "doubled", *shadows, "notes.wav", ".hidden.wav")
    expected = corpus.scan(tmp_path / "official")
    pd.testing.assert_frame_equal(corpus.scan(tmp_path / "doubled"), expected)
    for suffix in (".flac", ".mp3"):
        pd.testing.assert_frame_equal(
            corpus.scan(tmp_path / suffix).drop(columns="file"), expected.drop(columns="file")
        )


def test_unlisted_recordings_of_emodb_are_not_among_its_535(tmp_path):
    lay_out(tmp_path, "emodb")
    touch(tmp_path, "wav/03a01Ab.wav", "wav/08b10Ez.wav")  # match the pattern; the second edition has such
    assert len(CORPORA["emodb"].scan(tmp_path)) == 535
    corpus = CORPORA["emodb"]
    assert corpus.find(tmp_path).extra == [
        PurePosixPath("wav/03a01Ab.wav"),
        PurePosixPath("wav/08b10Ez.wav"),
    ]


def test_conflicting_and_soundless_clips_of_crema_d_are_left_out(tmp_path):
    touch(
        tmp_path,
        *(
            f"AudioWAV/{clip}_XX.wav"
            for clip in ("1006_TIE_HAP", "1006_TIE_NEU", "1076_MTI_SAD", "1006_TIE_SAD")
        ),
    )
    assert CORPORA["crema_d"].scan(tmp_path).index.tolist() == ["crema_d/1006_TIE_SAD_XX"]
