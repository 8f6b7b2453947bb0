"""Predictors: they answer as evaluation does, survive a round trip, and nothing else gets in."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from threadpoolctl import threadpool_info, threadpool_limits
from tiny_corpus import SPEAKERS, record

from ser_classic import audio
from ser_classic.corpora import Reading
from ser_classic.degradations import COPIES
from ser_classic.errors import SerClassicError
from ser_classic.experiment import fold
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.experiment.fold import Trial, run_alike
from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract
from ser_classic.machines import Constant, Linear, Machine, Scores
from ser_classic.models import MODELS
from ser_classic.predictor import cards, load_predictor
from ser_classic.predictor.fitting import fit
from ser_classic.protocols import PROTOCOLS, Fold


@pytest.fixture(scope="session")
def predictor(fitted):
    return fitted("svm_rbf")


@pytest.fixture(scope="session")
def recordings(tiny) -> list[Path]:
    return [tiny.root / file for file in tiny.clips["file"]]


def evaluated(tiny, cache, model: str, features: str, track: str):
    """What the evaluation loop answers for all clips, trained on all of them."""
    everything = np.arange(len(tiny.clips))
    extracted = extract(tiny.clips, tiny.root, FEATURES[features], cache)
    labels = tiny.clips[["speaker", "emotion"]]
    protocol = PROTOCOLS["loso_adapted" if track == "adapted" else "loso"]
    fold, entry = Fold("all", everything, everything), MODELS[model]
    return run_alike([Trial("", (extracted,), labels, [fold], entry, protocol)], 0)[0]


@pytest.mark.usefixtures("brief_networks")
@pytest.mark.parametrize("model", MODELS)
def test_a_saved_predictor_answers_as_evaluation_does(model, own_folder, tiny, cache, recordings, tmp_path):
    entry = MODELS[model]
    if entry.library:
        pytest.importorskip(entry.library, reason=f"the extra `{entry.extra}` is not installed")
    features = next(name for name, each in FEATURES.items() if each.gives == entry.takes)  # a quick one
    made = fit(str(own_folder), features, model, reading=SPEAKERS, evaluate=False, cache=cache)
    made.save(tmp_path / "m.skops")
    answers = load_predictor(tmp_path / "m.skops").predict(recordings)
    told = evaluated(tiny, cache, model, features, "blind")
    assert list(answers["emotion"]) == list(told.guess)
    if told.probabilities is None:
        assert "confidence" not in answers
    else:
        probabilities = answers[[f"p_{word}" for word in told.probabilities.columns]]
        np.testing.assert_allclose(probabilities.to_numpy(), told.probabilities.to_numpy(), atol=1e-6)
        np.testing.assert_allclose(answers["confidence"], told.probabilities.max(axis=1), atol=1e-6)


def test_an_adapted_predictor_answers_as_evaluation_does_for_each_speaker(fitted, tiny, cache, recordings):
    predictor = fitted("svm_rbf", adapted=True)
    told = evaluated(tiny, cache, "svm_rbf", "mfcc13", "adapted")
    for speaker in tiny.clips["speaker"].unique():
        rows = np.flatnonzero(tiny.clips["speaker"] == speaker)
        answers = predictor.predict([recordings[row] for row in rows], adapt=True)
        assert list(answers["emotion"]) == list(told.guess[rows])
        np.testing.assert_allclose(
            answers[[f"p_{word}" for word in predictor.classes]],
            told.probabilities.to_numpy()[rows],
            atol=1e-6,
        )


def test_a_clip_alone_in_a_batch_from_memory_and_by_processes_gets_one_answer(predictor, recordings):
    batch = predictor.predict(recordings)
    single = predictor.predict(recordings[5])
    waveform, rate = audio.read(recordings[5])
    array = predictor.predict((waveform, rate))
    assert single["emotion"][0] == array["emotion"][0] == batch["emotion"][5]
    assert single["confidence"][0] == array["confidence"][0]
    assert single["confidence"][0] == pytest.approx(batch["confidence"][5], abs=1e-12)
    twice = predictor.predict([recordings[5], recordings[0], recordings[5]])
    assert list(twice["file"]) == [str(recordings[row]) for row in (5, 0, 5)]
    many = {str(number): recordings[number % len(recordings)] for number in range(130)}
    parallel = predictor.predict(many, jobs=2)
    assert list(parallel["file"]) == list(many)
    np.testing.assert_array_equal(parallel["confidence"][: len(recordings)], batch["confidence"])


def test_adaptation_is_asked_for_where_it_is_due_and_nowhere_else(fitted, predictor, recordings):
    with pytest.raises(SerClassicError, match="--adapt"):
        predictor.predict(recordings, adapt=True)
    adapted = fitted("svm_rbf", adapted=True)
    with pytest.raises(SerClassicError, match=r"--adapt|recordings"):
        adapted.predict(recordings)
    with pytest.raises(SerClassicError, match="recordings"):
        adapted.predict(recordings[0], adapt=True)


def test_probabilities_that_are_no_numbers_are_no_answer(predictor, recordings):
    weights = np.full((13, 3), 1e300)
    diverged = Machine((Linear(weights, np.zeros(3)), Linear(np.eye(3) * 1e300, np.zeros(3))), Scores(1.0))
    with pytest.raises(SerClassicError, match=r"machine"):
        replace(predictor, machine=diverged).predict(recordings[:2])


def test_a_model_without_confidence_is_not_asked_for_any(predictor, recordings):
    silent = replace(predictor, machine=Machine((Constant(np.array([0.0, 0.0, 1.0])),), Scores(None)))
    columns = ["file", "start", "end", "seconds", "emotion", "distance", "unlike"]
    assert list(silent.predict(recordings[:2]).columns) == columns
    assert set(silent.predict(recordings[:2])["emotion"]) == {"sad"}
    with pytest.raises(SerClassicError, match="probabilities"):
        silent.predict(recordings[:2], min_confidence=0.5)


def test_below_the_confidence_asked_for_the_answer_is_uncertain(predictor, recordings):
    sure = predictor.predict(recordings)
    limit = float(sure["confidence"].median())
    answers = predictor.predict(recordings, min_confidence=limit)
    unsure = sure["confidence"] < limit
    assert unsure.any()
    assert (answers["emotion"][unsure] == "uncertain").all()
    assert (answers["emotion"][~unsure] == sure["emotion"][~unsure]).all()


def test_corpora_can_be_pooled_and_the_card_tells_of_each(own_folder, cache, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(own_folder / "angry", other / "angry")
    shutil.copytree(own_folder / "sad", other / "happy")
    for path in other.rglob("*.*"):
        waveform, rate = audio.read(path)
        soundfile.write(path, 0.8 * waveform, rate)  # other recordings, or they would be refused as copies
    folders = [str(own_folder), other]
    pooled = fit(folders, "mfcc13", "prior", cache=cache, reading=SPEAKERS, evaluate=False)
    assert [corpus["name"] for corpus in pooled.card["corpora"]] == ["tiny", "other"]
    assert pooled.card["counts"] == {"angry": 32, "neutral": 16, "sad": 16, "happy": 16}
    assert (pooled.card["clips"], pooled.card["speakers"]) == (80, 8)
    assert pooled.classes == ("angry", "happy", "neutral", "sad")


def test_speakers_of_two_corpora_may_have_one_name_and_the_pool_is_evaluated(own_folder, cache, tmp_path):
    record(tmp_path / "other", ("s01", "s02"), seed=1)
    pooled = fit([str(own_folder), str(tmp_path / "other")], "mfcc13", "lda", cache=cache, reading=SPEAKERS)
    found = pooled.card["evaluation"]
    assert (found["protocol"], found["clips"], found["speakers"]) == ("loso", 72, 6)


def test_how_to_read_is_for_the_own_ones_of_a_pool(own_folder, cache):
    reading = Reading({"sad": "fear"}, speaker=SPEAKERS.speaker, channel=1)
    options = {"cache": cache, "reading": reading, "evaluate": False}
    card = fit([str(own_folder), "synthetic"], "mfcc13", "prior", **options).card
    assert card["counts"]["fear"] == 16 + 72
    assert card["channel"] == 1
    assert "**Channel:** 1" in cards.text(card)
    with pytest.raises(SerClassicError, match="corpora of your own"):
        fit("synthetic", "mfcc13", "prior", **options)


def test_the_card_bears_the_score_of_the_stored_run_or_computes_the_same(fitted, tiny, cache, tmp_path):
    computed = fitted("ridge", evaluate=True).card["evaluation"]
    assert (computed["protocol"], computed["clips"], computed["speakers"]) == ("loso", 48, 4)
    cell = Cell("tiny", "loso", "mfcc13", "ridge")
    assert bench([cell], tmp_path, cache=cache, own={"tiny": tiny}).done == [cell.id]
    found = fitted("ridge", evaluate=True, results=str(tmp_path)).card["evaluation"]
    assert "stored run" in found["source"]
    assert {**found, "source": ""} == {**computed, "source": ""}
    other = fitted("ridge", evaluate=True, results=tmp_path, seed=1).card["evaluation"]
    assert other["source"] == computed["source"] != found["source"]


def test_a_stored_run_with_another_number_of_copies_is_not_the_cards(fitted, tiny, cache, tmp_path):
    cell = Cell("tiny", "loso_multi", "mfcc13", "ridge")
    assert bench([cell], tmp_path, cache=cache, own={"tiny": tiny}).done == [cell.id]
    for copies in (1, COPIES):
        card = fitted("ridge", evaluate=True, results=tmp_path, copies=copies).card
        assert ("stored run" in card["evaluation"]["source"]) == (copies == COPIES)


def test_a_card_has_no_interval_over_fewer_than_five_speakers(fitted):
    found = fitted("prior", evaluate=True).card["evaluation"]
    assert (found["speakers"], found["uar_low"], found["uar_high"]) == (4, None, None)
    assert "**33.3 %**" in cards.score_text(found)


def test_a_corpus_is_not_pooled_with_a_copy_of_itself(own_folder, cache, tmp_path):
    """Its score on speakers not heard would be one on speakers heard."""
    copied = tmp_path / "copied"
    shutil.copytree(own_folder, copied)
    with pytest.raises(SerClassicError, match="copied"):
        fit([str(own_folder), str(copied)], "mfcc13", "ridge", reading=SPEAKERS, cache=cache)


def test_without_speakers_the_card_says_why_there_is_no_score(own_folder, cache):
    card = fit(str(own_folder), "mfcc13", "prior", cache=cache).card
    assert card["evaluation"]["reason"].startswith("tiny: ")


def test_what_cannot_be_evaluated_is_fitted_all_the_same(own_folder, cache, tmp_path):
    """One speaker alone is sad: tested on this one, none is left to train on."""
    shutil.copytree(own_folder, tmp_path / "tiny", ignore=shutil.ignore_patterns("s0[234]_*"))
    for emotion in ("angry", "neutral"):
        shutil.copytree(own_folder / emotion, tmp_path / "tiny" / emotion, dirs_exist_ok=True)
    made = fit(str(tmp_path / "tiny"), "mfcc13", "lda", reading=SPEAKERS, cache=cache)
    assert "sad" in made.card["evaluation"]["reason"]
    assert made.classes == ("angry", "neutral", "sad")


def test_a_speaker_of_one_clip_is_not_z_scored(own_folder, cache, tmp_path):
    shutil.copytree(own_folder, tmp_path / "tiny")
    _, *others = sorted((tmp_path / "tiny").rglob("s01_*"))
    for path in others:
        path.unlink()
    words = (str(tmp_path / "tiny"), "mfcc13", "prior")
    options = {"reading": SPEAKERS, "cache": cache, "evaluate": False}
    with pytest.raises(SerClassicError, match=r"tiny/s01 .*2"):
        fit(*words, adapted=True, **options)
    assert fit(*words, **options).card["speakers"] == 4


def test_what_cannot_be_fitted_is_refused_with_the_reason(own_folder, cache):
    with pytest.raises(SerClassicError, match="'mfcc13'"):
        fit("synthetic", "mfcc31", "ridge", cache=cache)
    with pytest.raises(SerClassicError, match=r"--speaker|speaks"):
        fit(str(own_folder), "mfcc13", "ridge", adapted=True, cache=cache)
    with pytest.raises(SerClassicError, match="each corpus once"):
        fit([str(own_folder), str(own_folder)], "mfcc13", "ridge", cache=cache)
    with pytest.raises(SerClassicError, match="sad"):
        fit(str(own_folder), "mfcc13", "knn", reading=Reading(drop=("angry", "neutral")), cache=cache)


def test_a_model_is_fitted_and_evaluated_with_one_thread(own_folder, cache, monkeypatch):
    seen = []

    def watched(function):
        def watch(*given, **more):
            seen.append({library["num_threads"] for library in threadpool_info()})
            return function(*given, **more)

        return watch

    monkeypatch.setattr(fold, "fit", watched(fold.fit))
    with threadpool_limits(2):
        fit(str(own_folder), "mfcc13", "ridge", reading=SPEAKERS, cache=cache)
    assert seen == [{1}] * 5, "the whole corpus, and four speakers left out"


@pytest.mark.parametrize(
    "wrong",
    [{"hop": 0.5}, {"window": 1.0, "segments": True}, {"min_confidence": 2}, {"min_confidence": np.nan}],
)
def test_what_would_be_ignored_or_mean_nothing_is_refused(predictor, recordings, wrong):
    with pytest.raises(SerClassicError, match=next(iter(wrong))):
        predictor.predict(recordings[0], **wrong)


def test_an_array_is_answered_as_its_file(predictor, voice, tmp_path):
    soundfile.write(tmp_path / "offset.wav", 0.5 * voice + 0.2, 16000, subtype="FLOAT")
    for options in ({}, {"window": 0.5}):
        of_file = predictor.predict(tmp_path / "offset.wav", **options)
        of_array = predictor.predict((0.5 * voice + np.float32(0.2), 16000), **options)
        np.testing.assert_allclose(of_array["confidence"], of_file["confidence"], atol=1e-5)


def test_integers_from_a_microphone_have_the_full_scale_of_their_type(predictor, voice):
    whole = np.round(voice * 2**15).astype(np.int16)
    (heard,) = predictor.listen([whole[:5000], whole[5000:]], 16000, window=9)
    assert heard["confidence"] == pytest.approx(predictor.rows((whole, 16000))[0]["confidence"], abs=1e-6)
    with pytest.raises(SerClassicError, match="one channel"):
        next(predictor.listen([voice[:, None]], 16000))


@pytest.mark.parametrize(
    "wrong",
    [np.ones(16000), [np.ones(16000)], [(np.ones(16000), "16000")], None, [None], [b"a.wav"]],
    ids=type,
)
def test_what_is_no_recording_is_refused_with_what_would_be_one(predictor, wrong):
    with pytest.raises(SerClassicError, match=r"paths.* rates"):
        predictor.predict(wrong)


def test_recordings_may_come_in_a_tuple(predictor, recordings):
    assert list(predictor.predict(tuple(recordings[:2]))["file"]) == list(map(str, recordings[:2]))


def test_a_sample_rate_need_not_be_an_integer(predictor, voice):
    options = {"window": 0.5, "hop": 0.25}
    assert predictor.rows((voice, 16000.0), **options) == predictor.rows((voice, 16000), **options)
