"""`evaluate` takes what people have at hand, and `score` refuses what would give another figure."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ser_classic import FEATURES, MODELS, PROTOCOLS, SerClassicError, evaluate, extract, score


@pytest.fixture
def features(tiny, cache):
    return extract(tiny.clips, tiny.root, FEATURES["mfcc13"], cache)


def test_an_estimator_and_a_dataframe_give_what_scikit_learn_gives(tiny, features):
    model = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis())
    found = evaluate(tiny.clips, features.frame.sample(frac=1, random_state=0), model, "loso")
    cv = PROTOCOLS["loso"].splitter(tiny.clips)
    expected = cross_val_predict(model, features.frame, tiny.clips["emotion"], cv=cv)
    assert found.set_index("clip")["guess"].loc[tiny.clips.index].tolist() == expected.tolist()


def test_names_stand_for_entries(tiny, features):
    named = evaluate(tiny.clips, features, "ridge", "loso_adapted")
    assert named.equals(evaluate(tiny.clips, features, MODELS["ridge"], PROTOCOLS["loso_adapted"]))


def test_a_dataframe_of_other_clips_is_refused(tiny, features):
    with pytest.raises(SerClassicError, match="1 clip"):
        evaluate(tiny.clips, features.frame.iloc[1:], "ridge", "loso")


def test_missing_clips_and_columns_are_refused_in_words(tiny, features):
    found = evaluate(tiny.clips, features, "ridge", "loso")
    assert score(found, tiny.clips)["clips"] == 48
    with pytest.raises(SerClassicError, match="5 of 48 clips"):
        score(found.iloc[5:], tiny.clips)
    with pytest.raises(SerClassicError, match="column guess"):
        score(found.drop(columns="guess"), tiny.clips)
    part = evaluate(tiny.clips, features, "ridge", "holdout25")
    assert score(part, tiny.clips, protocol="holdout25")["clips"] == len(part) < 48
    with pytest.raises(SerClassicError, match="not predicted"):
        score(part, tiny.clips)
    assert np.isfinite(score(found, tiny.clips)["uar"])
