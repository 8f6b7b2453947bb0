"""Protocols by what a corpus says of its clips: official parts and sessions."""

import numpy as np
import pandas as pd
import pytest

from ser_classic.corpora import CORPORA, Loaded
from ser_classic.errors import SerClassicError
from ser_classic.experiment import duplicates
from ser_classic.models import MODELS
from ser_classic.models.tuning import fit
from ser_classic.protocols import PROTOCOLS

PARTS = {"a": "train", "b": "train", "c": "Development", "d": "test", "e": "test2"}


def table(parts: dict[str, str] = PARTS) -> pd.DataFrame:
    """Four clips a speaker, of two emotions."""
    rows = [
        ("mine", f"mine/{speaker}", emotion, part, f"s{place // 2}")
        for place, (speaker, part) in enumerate(parts.items())
        for emotion in ("happy", "sad", "happy", "sad")
    ]
    names = pd.Index([f"mine/{number:02d}" for number in range(len(rows))], name="clip")
    return pd.DataFrame(
        rows, index=names, columns=["corpus", "speaker", "emotion", "partition", "session"]
    ).assign(sentence="t")


def test_official_parts_are_trained_tuned_and_tested_as_given():
    clips = table()
    (fold,) = PROTOCOLS["official"].folds(clips)
    assert set(clips["speaker"].iloc[fold.train]) == {"mine/a", "mine/b", "mine/c"}
    assert set(clips["speaker"].iloc[fold.dev]) == {"mine/c"}
    assert set(clips["speaker"].iloc[fold.test]) == {"mine/d"}  # the second test set stands aside
    (without,) = PROTOCOLS["official"].folds(table({"a": "train", "d": "test"}))
    assert without.dev is None


def test_official_parts_that_share_speakers_are_leaky_and_said_so():
    clips = table()
    clips.loc[clips.index[-8:-6], "speaker"] = "mine/a"  # two of the four test clips
    with pytest.raises(SerClassicError, match=r"50\.0 %.*official_leaky"):
        PROTOCOLS["official"].folds(clips)
    (fold,) = PROTOCOLS["official_leaky"].folds(clips)
    assert len(fold.test) == 4
    assert PROTOCOLS["official_leaky"].leaky
    with pytest.raises(SerClassicError, match="official"):
        PROTOCOLS["official_leaky"].folds(table())


@pytest.mark.parametrize("name", ["official", "sessions"])
def test_clips_that_do_not_tell_are_refused_with_the_column(name):
    column = {"official": "partition", "sessions": "session"}[name]
    for clips in (table().drop(columns=column), table().assign(**{column: "x"})):
        with pytest.raises(SerClassicError, match=f"`{column}`"):
            PROTOCOLS[name].folds(clips)


def test_one_session_is_left_out_after_the_other():
    clips = table()
    folds = PROTOCOLS["sessions"].folds(clips)
    assert [fold.name for fold in folds] == ["s0", "s1", "s2"]
    for fold in folds:
        assert set(clips["session"].iloc[fold.test]) == {fold.name}
        assert fold.name not in set(clips["session"].iloc[fold.train])


def test_a_speaker_in_two_sessions_is_refused():
    clips = table()
    clips.loc[clips.index[0], "speaker"] = "mine/c"
    with pytest.raises(SerClassicError, match="both sides"):
        PROTOCOLS["sessions"].folds(clips)


@pytest.mark.parametrize("name", ["svm_linear", "ridge", "logistic"])
def test_a_model_is_tuned_on_the_given_clips(name):
    """Grids of the three kinds: over the pipeline, and two of an estimator's own."""
    random = np.random.default_rng(0)
    y = np.array(["happy", "sad"] * 30)
    X = pd.DataFrame(random.normal(size=(60, 4)) + (y == "sad")[:, None], columns=list("abcd"))
    speakers = np.repeat(list("uvwxyz"), 10)
    dev = np.arange(50, 60)
    given = fit(MODELS[name], X, y, speakers, dev=dev)
    assert given.tuned
    assert set(given.estimator.predict(X)) == {"happy", "sad"}
    search = given.estimator[-1]
    assert getattr(search, "cv", None) is None  # the folds of this training part mean nothing to others


def test_corpora_of_the_same_people_are_not_crossed():
    loaded = [Loaded(None, table(), CORPORA[name]) for name in ("ravdess", "ravdess_song")]
    for one, other in (loaded, loaded[::-1]):
        with pytest.raises(SerClassicError, match="ravdess_song"):
            duplicates.require_apart(one, other, None, None)
