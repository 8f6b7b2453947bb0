"""Cross-corpus: trained on one, tested on the other, on the emotions both have, never mixed up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.svm import LinearSVC
from tiny_corpus import record

from ser_classic import store
from ser_classic.corpora import CorpusError, Loaded, Reading, load
from ser_classic.errors import SerClassicError
from ser_classic.experiment import fold
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.duplicates import require_apart
from ser_classic.experiment.evaluation import evaluate
from ser_classic.experiment.preparation import Sources, prepare_cell
from ser_classic.experiment.suites import read_suite
from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract
from ser_classic.features.inputs import joined
from ser_classic.metrics import METRICS
from ser_classic.models import MODELS, Model
from ser_classic.protocols import PROTOCOLS, SOURCES, TOGETHER


def in_place_of_emodb(loaded: Loaded) -> Loaded:
    """A corpus under the name of EMO-DB."""
    clips = loaded.clips.copy()
    for column in ("corpus", "speaker"):
        clips[column] = clips[column].str.replace(loaded.corpus.name, "emodb")
    clips.index = clips.index.str.replace(loaded.corpus.name, "emodb")
    return loaded._replace(clips=clips, corpus=replace(loaded.corpus, name="emodb"))


@pytest.fixture(scope="session")
def other(tmp_path_factory):
    """Two voices of another cast in the place of EMO-DB: two of the tiny corpus's emotions, one more."""
    root = tmp_path_factory.mktemp("corpora") / "cast"
    record(root, ("s03", "s04"), seed=1)
    (root / "neutral").rename(root / "boredom")
    return in_place_of_emodb(load(root, Path("data"), Path("cache"), reading=Reading(speaker=r"/(s\d\d)_")))


def test_recordings_of_the_corpus_trained_on_are_not_tested(tiny, cache):
    """Under whatever names they lie there: their emotions would be learned by heart."""
    some = in_place_of_emodb(tiny._replace(clips=tiny.clips[::7]))
    told = "tiny: 7 of its 48 clips "
    cell = Cell("tiny", "cross_from_emodb", "mfcc13", "ridge")
    sources, sequences = (
        Sources(cache=cache, own={"tiny": tiny, "emodb": some}),
        FEATURES["mfcc_rms_zcr_sequence"],
    )
    with pytest.raises(SerClassicError, match=told):
        prepare_cell(cell, sources)
    with pytest.raises(SerClassicError, match=told):  # of sequences, too
        require_apart(some, tiny, *(sources.features(each, sequences) for each in (some, tiny)))


def test_copies_within_the_corpus_trained_on_are_told(tiny, other, cache, tmp_path):
    again = other.clips[other.clips["emotion"] == "sad"].head(1)
    (speaker,) = set(other.clips["speaker"]) - set(again["speaker"])
    again = again.assign(speaker=speaker).set_axis(again.index + "_again")
    own = {"tiny": tiny, "emodb": other._replace(clips=pd.concat([other.clips, again]))}
    cells = [Cell("tiny", "cross_from_emodb", "mfcc13", model) for model in ("prior", "ridge")]
    outcome = bench(cells, tmp_path / "results", cache=cache, own=own)
    assert len(outcome.done) == 2
    (told,) = [line for line in outcome.notices if "same recordings" in line]
    assert told.startswith("emodb: 2 of its 25 clips ")
    assert again.index[0] in told


def test_a_fold_holds_the_shared_emotions_of_both_sides(tiny, other):
    clips = pd.concat([other.clips, tiny.clips])
    (fold,) = PROTOCOLS["cross_from_emodb"].folds(clips)
    assert set(clips["corpus"].iloc[fold.train]) == {"emodb"}
    assert set(clips["corpus"].iloc[fold.test]) == {"tiny"}
    for rows in (fold.train, fold.test):
        assert set(clips["emotion"].iloc[rows]) == {"angry", "sad"}
    assert len(fold.train) == 2 * 2 * 4
    assert len(fold.test) == 4 * 2 * 4


def test_what_cannot_be_crossed_is_refused(tiny, other):
    with pytest.raises(SerClassicError, match=r"emodb$"):
        PROTOCOLS["cross_from_emodb"].folds(other.clips)
    with pytest.raises(SerClassicError, match="emodb, tiny"):
        PROTOCOLS["cross_from_ravdess"].folds(pd.concat([other.clips, tiny.clips]))
    apart = other.clips[other.clips["emotion"] == "sad"]
    with pytest.raises(SerClassicError, match=r"emodb and tiny .*1 "):
        PROTOCOLS["cross_from_emodb"].folds(pd.concat([apart, tiny.clips]))


@pytest.mark.parametrize("ending", ["", "_adapted"])
@pytest.mark.parametrize("nameless", ["emodb", "tiny"])
def test_a_side_without_speakers_is_refused(tiny, other, nameless, ending):
    clips = pd.concat([other.clips, tiny.clips])
    clips.loc[clips["corpus"] == nameless, "speaker"] = pd.NA
    with pytest.raises(CorpusError, match=f"{nameless}: "):
        PROTOCOLS[f"cross_from_emodb{ending}"].folds(clips)


@pytest.mark.parametrize("ending", ["", "_adapted"])
def test_a_run_is_stored_under_the_corpus_it_was_tested_on(tiny, other, cache, tmp_path, ending):
    cell = Cell("tiny", f"cross_from_emodb{ending}", "mfcc13", "ridge")
    outcome = bench([cell], tmp_path, cache=cache, own={"tiny": tiny, "emodb": other})
    assert (outcome.done, outcome.problems) == ([cell.id], [])
    (run,) = store.runs(tmp_path)
    assert run.record["corpus"] == "tiny"
    assert run.record["trained_on"] == ["emodb"]
    assert run.record["track"] == (ending[1:] or "blind")
    assert run.record["folds"][0]["tuned"]  # in folds of the speakers trained on
    clips = store.read_clips(tmp_path, "tiny")
    predictions = run.predictions()
    truth = clips.loc[predictions["clip"], "emotion"]
    assert set(truth) == set(predictions["guess"]) == {"angry", "sad"}
    assert [path.name for path in (tmp_path / "clips").iterdir()] == ["tiny.csv"]
    assert METRICS["uar"](truth.to_numpy(), predictions["guess"].to_numpy()) > 0.8  # two emotions far apart
    assert bench([cell], tmp_path, cache=cache, own={"tiny": tiny, "emodb": other}).kept == [cell.id]


def test_without_a_store_the_predictions_are_the_same(tiny, other, cache, tmp_path, ser):
    cell = Cell("tiny", "cross_from_emodb", "mfcc13", "ridge")
    bench([cell], tmp_path, cache=cache, own={"tiny": tiny, "emodb": other})
    (run,) = store.runs(tmp_path)
    told = ser("report", "--results", tmp_path).said()  # where there is no other run
    assert "leaderboard.md" in told
    assert "No run" not in told + (tmp_path / "leaderboard.md").read_text()
    features = joined([extract(each.clips, each.root, FEATURES["mfcc13"], cache) for each in (other, tiny)])
    clips = pd.concat([other.clips, tiny.clips])
    again = evaluate(clips, features, MODELS["ridge"], PROTOCOLS["cross_from_emodb"])
    np.testing.assert_allclose(again["p_sad"], run.predictions()["p_sad"], atol=0.5 * 10**-store.DECIMALS)


def test_an_absent_training_corpus_fails_its_cells_alone(tiny, cache, tmp_path):
    cells = [Cell("tiny", protocol, "mfcc13", "ridge") for protocol in ("cross_from_tess", "loso")]
    outcome = bench(cells, tmp_path, data=tmp_path, cache=cache, own={"tiny": tiny})
    assert outcome.done == [cells[1].id]
    assert outcome.failed == [cells[0].id]
    assert "corpora fetch tess" in outcome.problems[0]


def test_a_suite_spells_out_every_ordered_pair(tmp_path):
    (tmp_path / "s.toml").write_text(
        "[[grid]]\ncorpora = ['emodb', 'tess', 'synthetic']\nprotocols = ['cross', 'cross_adapted']\n"
        "features = ['mfcc13']\nmodels = ['ridge']\n"
    )
    cells = read_suite(str(tmp_path / "s.toml"))
    pairs = {cell.corpora for cell in cells}
    assert len(cells) == 2 * 6
    assert len(pairs) == 6
    assert all(tested != source for tested, source in pairs)


def test_every_source_has_both_tracks_and_a_corpus_of_other_emotions_is_none():
    for source in SOURCES:
        assert PROTOCOLS[f"cross_from_{source}"].trained_on == (source,)
        assert PROTOCOLS[f"cross_from_{source}_adapted"].track == "adapted"
    assert "baved" not in SOURCES, "its three levels share only neutral with other corpora"
    assert "iemocap6" not in SOURCES, "a part of another corpus"


def test_a_pair_is_joined_where_it_is_needed_and_told_by_both_digests(tiny, other, cache, tmp_path):
    cell = Cell("tiny", "cross_from_emodb_adapted", "mfcc13", "ridge")
    sources = Sources(cache=cache, own={"tiny": tiny, "emodb": other})
    trial = prepare_cell(cell, sources)
    parts = trial.features
    assert [len(part.clips) for part in parts] == [len(other.clips), len(tiny.clips)]
    assert all(isinstance(part.values, np.memmap) for part in parts), "nothing is in memory yet"
    assert joined(parts).clips.equals(trial.labels.index)
    np.testing.assert_array_equal(joined(parts).values[len(other.clips) :], parts[1].values)
    own, trained = (sources.features(each, FEATURES["mfcc13"]).digest for each in (tiny, other))
    digests = trial.record["digests"]
    assert digests["features"] == own != trained
    assert digests["trained_features"] == {"emodb": trained}
    assert digests["clips"] != digests["trained_clips"]["emodb"]


def test_speakers_of_either_corpus_are_adapted_by_their_own_clips_alone(tiny, other, cache):
    features = joined([extract(each.clips, each.root, FEATURES["mfcc13"], cache) for each in (other, tiny)])
    clips = pd.concat([other.clips, tiny.clips])
    protocol, ridge = PROTOCOLS["cross_from_emodb_adapted"], MODELS["ridge"]
    expected = evaluate(clips, features, ridge, protocol).set_index("clip")["p_sad"]
    moved = (clips["speaker"] == "tiny/s02").to_numpy()
    values = np.where(moved[:, None], 3 * features.values + 7, features.values).astype(np.float32)
    again = evaluate(clips, replace(features, values=values), ridge, protocol).set_index("clip")["p_sad"]
    np.testing.assert_allclose(again, expected, atol=1e-3)  # his offset and scale are gone


@pytest.mark.parametrize("few", ["", "_4"])
def test_a_corpus_is_left_out_of_all_others_together(tiny, other, few):
    """On the emotions of both sides, or on the four that nearly all corpora have."""
    casts = []
    for name in TOGETHER[:3]:
        clips = other.clips.replace({"corpus": {"emodb": name}})
        clips["speaker"] = clips["speaker"].str.replace("emodb", name)
        casts.append(clips.set_index(clips.index.str.replace("emodb", name)))
    urdu = tiny.clips.replace({"corpus": {"tiny": "urdu"}, "emotion": {"happy": "boredom"}})
    urdu["speaker"] = urdu["speaker"].str.replace("tiny", "urdu")
    clips = pd.concat([*casts, urdu])
    protocol = PROTOCOLS[f"leave_one_corpus_out{few}"]
    (fold,) = protocol.folds(clips)
    assert protocol.sources("urdu") == TOGETHER[:3]
    assert set(clips["corpus"].iloc[fold.train]) == set(TOGETHER[:3])
    assert set(clips["corpus"].iloc[fold.test]) == {"urdu"}
    shared = {"angry", "sad", "boredom"} & set(urdu["emotion"])
    assert set(clips["emotion"].iloc[fold.test]) == (shared - {"boredom"} if few else shared)


def test_tracks_that_change_the_answers_alone_share_one_fit(tiny, other, cache, tmp_path, monkeypatch):
    calls, original = [], fold.fit
    monkeypatch.setattr(fold, "fit", lambda *given, **more: calls.append(1) or original(*given, **more))
    own = {"tiny": tiny, "emodb": other}
    endings = ("", "_evened", "_self_taught")
    cells = [Cell("tiny", f"cross_from_emodb{ending}", "mfcc13", "ridge") for ending in endings]
    assert len(bench(cells, tmp_path, cache=cache, own=own).done) == 3
    assert len(calls) == 1
    alone = bench(cells[2:], tmp_path / "alone", cache=cache, own=own).done
    one, two = (store.find_run(folder, *alone) for folder in (tmp_path, tmp_path / "alone"))
    assert one.record["digests"] == two.record["digests"]


def test_a_track_that_fails_takes_no_other_with_it(tiny, other, cache, tmp_path, monkeypatch):
    bare = Model("knn", "no probabilities", lambda seed: LinearSVC())
    monkeypatch.setitem(MODELS._built_in, "knn", bare)
    cells = [Cell("tiny", f"cross_from_emodb{ending}", "mfcc13", "knn") for ending in ("", "_evened")]
    outcome = bench(cells, tmp_path, cache=cache, own={"tiny": tiny, "emodb": other})
    assert (outcome.done, outcome.failed) == ([cells[0].id], [cells[1].id])
