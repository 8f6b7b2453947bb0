"""The clips table: checked once, with errors that name the bad value."""

import pandas as pd
import pytest

from ser_classic.corpora import check_clips, require_speakers
from ser_classic.errors import SerClassicError


@pytest.fixture
def clips() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "file": ["a.wav", "b.wav"],
            "corpus": "own",
            "speaker": ["own/1", "own/2"],
            "emotion": ["sad", "happy"],
            "label": ["s", "h"],
            "sex": ["male", pd.NA],
            "sentence": pd.NA,
        },
        index=pd.Index(["own/b", "own/a"], name="clip"),
    )


def test_clips_table_is_sorted_and_keeps_further_columns(clips):
    checked = check_clips(clips.assign(age="7"))
    assert checked.index.tolist() == ["own/a", "own/b"]
    assert list(checked) == [*clips, "age"]
    assert checked["speaker"].notna().all()


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("speaker", ["own/1", pd.NA], "own/a has no speaker"),
        ("speaker", ["own/1", "2"], "own/a has the speaker '2'"),
        ("file", ["../a.wav", "b.wav"], r"own/b has the file '../a\.wav'"),
        ("file", ["/a.wav", "b.wav"], "/a.wav"),
        ("file", ["a\\a.wav", "b.wav"], "file"),
        ("file", ["a.wav", "a.wav"], "a.wav"),
        ("sex", ["x", pd.NA], "own/b has the sex 'x'.*female or male"),
        ("corpus", ["own", "other"], "clip 'own/a'.*<corpus>"),
        ("label", ["s", ""], "own/a has no label"),
    ],
)
def test_bad_value_of_a_clips_table_is_named(clips, column, values, message):
    with pytest.raises(SerClassicError, match=message):
        check_clips(clips.assign(**{column: values}))


def test_clips_table_refuses_other_shapes(clips):
    with pytest.raises(SerClassicError, match=r"column speaker, label.*file, corpus"):
        check_clips(clips.drop(columns=["speaker", "label"]))
    with pytest.raises(SerClassicError, match="rows"):
        check_clips(clips[:0])
    with pytest.raises(SerClassicError, match="clip 'own/b'"):
        check_clips(clips.rename(index={"own/a": "own/b"}))


def test_any_emotion_of_one_word_is_allowed(clips):
    words = clips.assign(emotion=["tense", "relaxed"])
    assert check_clips(words)["emotion"].tolist() == ["relaxed", "tense"]
    with pytest.raises(SerClassicError, match="very tense"):
        check_clips(clips.assign(emotion=["very tense", "relaxed"]))


def test_without_speakers_a_purpose_that_needs_them_is_refused(clips):
    require_speakers(clips, "loso")
    nameless = check_clips(clips.assign(speaker=pd.NA))
    with pytest.raises(SerClassicError, match=r"own: .*loso .*leaky"):
        require_speakers(nameless, "loso")
