"""Multi-condition training: copies are of training clips alone, their speaker's, and never tested."""

from dataclasses import replace

import numpy as np
import pytest

from ser_classic import estimators, store
from ser_classic.degradations import COPIES, DEGRADATIONS, training_copy
from ser_classic.errors import SerClassicError
from ser_classic.experiment import fold
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.evaluation import evaluate
from ser_classic.experiment.suites import read_suite
from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract
from ser_classic.features.inputs import joined
from ser_classic.models import MODELS
from ser_classic.predictor import cards
from ser_classic.protocols import PROTOCOLS, Protocol, families


def features_of(corpus, cache, degradation=None, name="mfcc13"):
    return extract(corpus.clips, corpus.root, FEATURES[name], cache, degradation=degradation)


@pytest.fixture(scope="module")
def copies(tiny, cache):
    return [features_of(tiny, cache, training_copy(number)) for number in range(1, COPIES + 1)]


def predicted(corpus, features, copies, protocol="loso_multi", model="ridge", **others):
    table = evaluate(corpus.clips, features, MODELS[model], PROTOCOLS[protocol], copies=copies, **others)
    return table.set_index("clip")


def test_copies_are_trained_on_and_those_of_the_test_speaker_are_not(tiny, mfcc13, copies):
    expected = predicted(tiny, mfcc13, copies)
    assert sorted(expected.index) == sorted(tiny.clips.index), "every clip is tested once, and no copy is"
    plain = predicted(tiny, mfcc13, [], "loso")
    assert np.abs(plain["p_sad"] - expected["p_sad"]).max() > 0.01
    own = (tiny.clips["speaker"] == "tiny/s01").to_numpy()[:, None]
    rows = tiny.clips.index[own[:, 0]]
    spoilt = [replace(copy, values=np.where(own, 1e9, copy.values)) for copy in copies]
    np.testing.assert_array_equal(
        predicted(tiny, mfcc13, spoilt).loc[rows, "p_sad"], expected.loc[rows, "p_sad"]
    )


def test_inner_folds_keep_a_copy_with_its_speaker(tiny, mfcc13, copies, monkeypatch):
    seen = []
    original = fold.fit

    def watched(model, X, y, speakers, *rest, **options):
        seen.append((len(X), y, speakers))
        return original(model, X, y, speakers, *rest, **options)

    monkeypatch.setattr(fold, "fit", watched)
    predicted(tiny, mfcc13, copies)
    clips = tiny.clips[tiny.clips["speaker"] != "tiny/s01"]
    length, y, speakers = seen[0]
    assert length == len(y) == len(speakers) == (1 + COPIES) * len(clips)
    np.testing.assert_array_equal(y, np.tile(clips["emotion"], 1 + COPIES))
    np.testing.assert_array_equal(speakers, np.tile(clips["speaker"], 1 + COPIES))


def test_inner_folds_keep_a_copy_with_its_clip_where_nothing_says_who_speaks(
    tiny, mfcc13, copies, monkeypatch
):
    dealt = []
    original = estimators.inner_folds

    def watched(y, groups, **others):
        dealt.append(original(y, groups, **others))
        return dealt[-1]

    monkeypatch.setattr(estimators, "inner_folds", watched)
    unknown = tiny._replace(clips=tiny.clips.assign(speaker=None))
    protocol = replace(PROTOCOLS["holdout25"], name="holdout25_multi", copies=COPIES)
    tested = evaluate(unknown.clips, mfcc13, "lda", protocol, copies=copies)
    (splits,) = dealt
    trained = len(tiny.clips) - len(tested)
    for train, test in splits:
        assert len(train) + len(test) == (1 + COPIES) * trained
        assert not set(train % trained) & set(test % trained)


@pytest.mark.parametrize("model", ["lda", "ridge"])
def test_the_adapted_track_scales_copies_by_their_speaker(tiny, mfcc13, copies, model):
    protocol = replace(PROTOCOLS["loso_adapted"], name="loso_multi_adapted", copies=1)
    moved = replace(copies[0], values=copies[0].values * 3 + 1)
    one, two = (
        evaluate(tiny.clips, mfcc13, MODELS[model], protocol, copies=[each])["guess"]
        for each in (copies[0], moved)
    )
    np.testing.assert_array_equal(one, two)


def test_sequences_have_copies_too(tiny, cache):
    clean = features_of(tiny, cache, name="mfcc_rms_zcr_sequence")
    copy = features_of(tiny, cache, training_copy(1), "mfcc_rms_zcr_sequence")
    parts = joined([clean, copy]).array
    assert len(parts) == 2 * len(tiny.clips)
    assert all(clip.ndim == 2 for clip in parts)


def test_copies_are_asked_for_and_refused(tiny, mfcc13):
    with pytest.raises(SerClassicError, match="loso_multi"):
        evaluate(tiny.clips, mfcc13, MODELS["ridge"], PROTOCOLS["loso_multi"])
    with pytest.raises(SerClassicError, match="loso"):
        evaluate(tiny.clips, mfcc13, MODELS["ridge"], PROTOCOLS["loso"], copies=[mfcc13])
    with pytest.raises(SerClassicError, match="copies"):
        PROTOCOLS["loso_multi"].splitter(tiny.clips)
    for wrong in ({"copies": 0}, {"speakers": 0}, {"copies": 1, "heard": 4, "track": "adapted"}):
        with pytest.raises(SerClassicError):
            Protocol("wrong", "", print, **wrong)


def test_runs_that_differ_in_what_is_tested_are_fitted_once_and_stored_each(
    tiny, cache, tmp_path, monkeypatch
):
    calls = []
    original = fold.fit

    def counted(*given, **more):
        calls.append(len(given[1]))
        return original(*given, **more)

    monkeypatch.setattr(fold, "fit", counted)
    protocols = ("loso", "loso_degraded_faint", "loso_multi", "loso_multi_faint", "loso_multi_noise0")
    cells = [Cell("tiny", protocol, "mfcc13", "ridge") for protocol in protocols]
    outcome = bench(cells, tmp_path, cache=cache, own={"tiny": tiny})
    assert sorted(outcome.done) == sorted(cell.id for cell in cells)
    assert len(calls) == 2 * tiny.clips["speaker"].nunique(), "clean training, and with copies"
    runs = {run.record["protocol"]: run for run in store.runs(tmp_path)}
    alone = bench(cells[3:4], tmp_path / "alone", cache=cache, own={"tiny": tiny})
    assert alone.done == [cells[3].id]
    one = next(store.runs(tmp_path / "alone"))
    np.testing.assert_array_equal(one.predictions()["p_sad"], runs["loso_multi_faint"].predictions()["p_sad"])
    record = runs["loso_multi_faint"].record
    assert (record["copies"], record["degradation"], record["base"]) == (COPIES, "faint", "loso")
    assert record["parameters"]["protocol"]["copied_by"] == training_copy(1, 0).key
    assert "copies" not in runs["loso_degraded_faint"].record
    assert len(record["digests"]["copies"]) == COPIES
    again = bench(cells, tmp_path, cache=cache, own={"tiny": tiny})
    assert len(again.kept) == len(cells)


def test_a_family_has_every_degradation_and_the_clean_test():
    for folds in ("loso", "emobox"):
        family = families()[f"{folds}_multi_degraded"]
        assert [protocol.degradation for protocol in family] == list(DEGRADATIONS)
        assert {protocol.base for protocol in family} == {folds}
        assert PROTOCOLS[f"{folds}_multi"].copies == COPIES


def test_fewer_speakers_are_among_more_and_the_test_stays(tiny):
    smaller, larger = (replace(PROTOCOLS["loso"], name=f"s{n}", speakers=n) for n in (2, 3))
    whole = PROTOCOLS["loso"].folds(tiny.clips)
    owners = tiny.clips["speaker"].to_numpy()
    for all_of, few, more in zip(whole, smaller.folds(tiny.clips), larger.folds(tiny.clips), strict=True):
        np.testing.assert_array_equal(few.test, all_of.test)
        assert set(owners[few.train]) < set(owners[more.train]) <= set(owners[all_of.train])
        assert len(set(owners[few.train])) == 2
    drawn = {
        tuple(sorted(set(owners[each.train]))) for s in range(6) for each in smaller.folds(tiny.clips, s)
    }
    assert len(drawn) > len(whole), "another seed draws others"
    with pytest.raises(SerClassicError, match="99"):
        replace(PROTOCOLS["loso"], name="many", speakers=99).folds(tiny.clips)


@pytest.mark.parametrize("suite", ["multi", "speakers"])
def test_the_suites_list_what_they_are_for(suite):
    conditions = {"multi": "copies", "speakers": "speakers"}[suite]
    assert any(getattr(PROTOCOLS[cell.protocol], conditions) for cell in read_suite(suite))


def test_a_robust_predictor_is_trained_on_copies_and_its_card_says_so(tiny, fitted):
    plain, robust = (fitted("ridge", evaluate=True, copies=copies) for copies in (0, COPIES))
    assert (plain.card["copies"], robust.card["copies"]) == (0, COPIES)
    assert plain.card["evaluation"]["protocol"] == "loso"
    assert robust.card["evaluation"]["protocol"] == "loso_multi"
    assert robust.card["evaluation"]["uar"] != plain.card["evaluation"]["uar"]
    assert f"{COPIES} degraded copies" in cards.text(robust.card)
    file = tiny.root / tiny.clips["file"].iloc[0]
    probabilities = [each.predict(file)["p_sad"].iloc[0] for each in (plain, robust)]
    assert abs(probabilities[0] - probabilities[1]) > 1e-3
