"""Corpora: what file names say, official lists, and packagings."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path, PurePosixPath

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import lay_out, touch

from ser_classic.corpora import CORPORA, EMOTIONS, available, load, shortfall

OFFICIAL = ("ravdess", "emodb", "tess", "savee", "crema_d", "emovo")

NAMES = """
ravdess Actor_12/03-01-06-02-01-02-12.wav clip=Actor_12/03-01-06-02-01-02-12 speaker=12 emotion=fear
    label=fearful sex=female sentence=01 intensity=strong repetition=02
ravdess 03-01-08-01-02-01-07.flac clip=Actor_07/03-01-08-01-02-01-07 sex=male emotion=surprise
emodb wav/03a01Fa.wav clip=03a01Fa speaker=03 emotion=happy sex=male sentence=a01
emodb 14b10Wc.wav speaker=14 emotion=angry sex=female sentence=b10 version=c
emodb 16a07Ea.flac emotion=disgust
emodb 03a01fa.wav clip=03a01Fa emotion=happy
emodb 12a05Ab.wav emotion=fear label=fear
emodb 15b03Lc.wav emotion=boredom sex=male
emodb 08b01Ta.wav emotion=sad
tess OAF_angry/OAF_back_angry.wav clip=OAF_back_angry speaker=OAF emotion=angry sentence=back
tess YAF_pleasant_surprised/YAF_back_ps.wav speaker=YAF emotion=surprise label=ps sex=female
tess x/y/OAF_Pleasant_surprise/OAF_witch_ps.wav clip=OAF_witch_ps emotion=surprise
tess OAF_neutral/OA_bite_neutral.wav clip=OA_bite_neutral speaker=OAF emotion=neutral
savee AudioData/DC/sa07.wav clip=DC_sa07 speaker=DC emotion=sad sex=male sentence=sa07
savee KL_su15.wav clip=KL_su15 speaker=KL emotion=surprise
savee ALL/JE_a01.wav speaker=JE emotion=angry
savee AudioData/JK/n30.wav speaker=JK emotion=neutral
crema_d AudioWAV/1001_IEO_ANG_HI.wav clip=1001_IEO_ANG_HI speaker=1001 emotion=angry sex=male
    sentence=IEO intensity=high
crema_d 1091_WSI_NEU_XX.flac speaker=1091 emotion=neutral sex=female intensity=unspecified
emovo f1/dis-f1-b1.wav clip=dis-f1-b1 speaker=f1 emotion=disgust sex=female sentence=b1
emovo m3/gio-m3-n5.wav speaker=m3 emotion=happy label=gioia sex=male
emovo rab-m1-l4.wav emotion=angry
emovo m2/pau-m2-d2.wav emotion=fear
"""  # a corpus, a file name, and what that tells

FOREIGN = [
    ("ravdess", "03-02-05-01-01-01-01.wav"),  # song
    ("ravdess", "01-01-05-01-01-01-01.mp4"),  # video
    ("ravdess", "03-01-05-01-01-01-25.wav"),  # no such actor
    ("emodb", "03a01F.wav"),
    ("emodb", "07a01Fa.wav"),
    ("emodb", "03a01ga.wav"),
    ("tess", "OAF_back_surprise.wav"),
    ("tess", "MAF_back_sad.wav"),
    ("savee", "a01.wav"),  # nothing tells the speaker
    ("savee", "XX/a01.wav"),
    ("savee", "DC_x01.wav"),
    ("crema_d", "1092_DFA_ANG_XX.wav"),
    ("crema_d", "1001_DFA_SUR_XX.wav"),
    ("emovo", "dis-f4-b1.wav"),
    ("emovo", "dis_f1_b1.wav"),
]

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


@pytest.mark.parametrize("line", re.split(r"\n(?! )", NAMES.strip()))
def test_file_name_tells(line):
    name, file, *told = line.split()
    row = CORPORA[name].parse(PurePosixPath(file))
    assert {f"{key}={value}" for key, value in row.items()} >= set(told)


@pytest.mark.parametrize(("name", "file"), FOREIGN)
def test_foreign_file_name_is_no_clip(name, file):
    assert CORPORA[name].parse(PurePosixPath(file)) is None


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
def test_identical_files_are_those_of_equal_checksums(name):
    official = CORPORA[name].official
    groups = official.groupby("sha256").groups.values()
    assert {frozenset(group) for group in groups if len(group) > 1} == set(
        map(frozenset, CORPORA[name].identical)
    )


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


@pytest.mark.parametrize("name", OFFICIAL)
def test_packaging_does_not_change_the_clips(tmp_path, name):
    """Flat, in other folders, as FLAC, doubled, and with an archiver's shadows: the same table but `file`."""
    files = CORPORA[name].official["file"]
    official = [PurePosixPath(file) for file in files[:: len(files) // 200]]
    flat = [
        PurePosixPath(f"{file.parent.name}_{file.name}" if name == "savee" else file.name)
        for file in official
    ]
    touch(tmp_path / "official", *map(str, official))
    touch(tmp_path / "flac", *(str(PurePosixPath("deep/er") / file.with_suffix(".flac")) for file in flat))
    touch(tmp_path / "doubled", *map(str, official), *(f"again/{file}" for file in official))
    touch(
        tmp_path / "doubled",
        *(f"__MACOSX/._{file.name}" for file in official[:5]),
        "notes.wav",
        ".hidden.wav",
    )
    expected = CORPORA[name].scan(tmp_path / "official")
    flac = CORPORA[name].scan(tmp_path / "flac")
    pd.testing.assert_frame_equal(flac.drop(columns="file"), expected.drop(columns="file"))
    pd.testing.assert_frame_equal(CORPORA[name].scan(tmp_path / "doubled"), expected)
    assert set(flac["file"]) <= {f"deep/er/{file.with_suffix('.flac')}" for file in flat}


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


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "clips", "speakers"), [("ravdess", 1440, 24), ("emodb", 535, 10), ("tess", 2800, 2)]
)
def test_real_corpus_is_whole(name, clips, speakers):
    data = os.environ.get("SER_DATA")
    if not data or name not in available(Path(data)):
        pytest.skip(f"{name} is not under $SER_DATA")
    loaded = load(name, Path(data))
    assert len(loaded.clips) == clips
    assert loaded.clips["speaker"].nunique() == speakers
    assert loaded.clips["emotion"].value_counts().to_dict() == COUNTS[name]
    assert shortfall(loaded.corpus, loaded.clips) is None
