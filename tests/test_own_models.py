"""`evaluate` takes what people have at hand, and `score` refuses what would give another figure."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ser_classic import MODELS, PROTOCOLS, SerClassicError, evaluate, score


def test_an_estimator_and_a_dataframe_give_what_scikit_learn_gives(tiny, mfcc13):
    model = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis())
    found = evaluate(tiny.clips, mfcc13.frame.sample(frac=1, random_state=0), model, "loso")
    cv = PROTOCOLS["loso"].splitter(tiny.clips)
    expected = cross_val_predict(model, mfcc13.frame, tiny.clips["emotion"], cv=cv)
    assert found.set_index("clip")["guess"].loc[tiny.clips.index].tolist() == expected.tolist()


def test_names_stand_for_entries(tiny, mfcc13):
    named = evaluate(tiny.clips, mfcc13, "ridge", "loso_adapted")
    assert named.equals(evaluate(tiny.clips, mfcc13, MODELS["ridge"], PROTOCOLS["loso_adapted"]))


def test_a_dataframe_of_other_clips_is_refused(tiny, mfcc13):
    with pytest.raises(SerClassicError, match="1 clip"):
        evaluate(tiny.clips, mfcc13.frame.iloc[1:], "ridge", "loso")


@pytest.mark.parametrize(
    ("change", "named"),
    [(lambda frame: frame.to_numpy(), "ndarray"), (lambda frame: frame.assign(speaker="s01"), "speaker")],
)
def test_features_of_another_kind_are_refused_with_what_is_expected(tiny, mfcc13, change, named):
    with pytest.raises(SerClassicError, match=named):
        evaluate(tiny.clips, change(mfcc13.frame), "ridge", "loso")


def test_missing_clips_and_columns_are_refused_in_words(tiny, mfcc13):
    found = evaluate(tiny.clips, mfcc13, "ridge", "loso")
    assert score(found, tiny.clips)["clips"] == 48
    with pytest.raises(SerClassicError, match="5 of 48 clips"):
        score(found.iloc[5:], tiny.clips)
    with pytest.raises(SerClassicError, match="column guess"):
        score(found.drop(columns="guess"), tiny.clips)
    part = evaluate(tiny.clips, mfcc13, "ridge", "holdout25")
    assert score(part, tiny.clips, protocol="holdout25")["clips"] == len(part) < 48
    with pytest.raises(SerClassicError, match="not predicted"):
        score(part, tiny.clips)
    assert np.isfinite(score(found, tiny.clips)["uar"])
