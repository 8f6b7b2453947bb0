"""A confounded corpus is told of wherever somebody sets out to learn from it."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score
from tiny_corpus import write_wav
from typer.testing import CliRunner

from ser_classic.corpora import load
from ser_classic.corpora.verifying import verify
from ser_classic.experiment.bench import bench
from ser_classic.experiment.cells import Cell
from ser_classic.explore import corpus_facts
from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract
from ser_classic.report import score
from ser_classic.statistics import interval


@pytest.fixture
def confounded(tmp_path):
    """Ten clips of URDU: each speaker has one emotion; one recording stands under two speakers."""
    for number in range(10):
        speaker, folder = (("SM1", "Angry"), ("SF2", "Sad"))[number % 2]
        write_wav(
            tmp_path / "urdu" / folder / f"{speaker}_F{number}_{folder[0]}{number:02d}.wav",
            number if number else 1,
        )
    return tmp_path


def test_bench_tells_and_runs_all_the_same_and_explore_tells(confounded, tmp_path):
    outcome = bench([Cell("urdu", "random5", "mfcc13", "prior")], tmp_path / "results", confounded, tmp_path)
    assert len(outcome.done) == 1
    assert any("2 of 2 speakers " in notice for notice in outcome.notices)
    loaded = load("urdu", confounded)
    features = extract(loaded.clips, loaded.root, FEATURES["mfcc13"], tmp_path)
    told = corpus_facts(loaded, "mfcc13", features)["Warnings"]
    assert all(word in told for word in ("2 of 2 speakers ", "SM1_F0_A00", "SF2_F1_S01"))


def test_verify_tells_with_one_recording_under_two_speakers(confounded):
    from ser_classic.cli.corpora import app

    found = verify(*load("urdu", confounded))
    assert len(found.warnings) == 1
    (pair,) = found.found["duplicate"]
    assert all(word in pair for word in ("SM1_F0_A00", "SF2_F1_S01", "two emotions", "two speakers"))
    stdout = CliRunner().invoke(app, ["verify", "urdu", "--data", str(confounded)]).stdout
    assert all(told in stdout for told in (pair, *found.warnings))


def test_bench_tells_of_folds_that_lack_an_emotion(tiny, cache, tmp_path, caplog):
    """Once, however many cells have these folds, and not of folds that hold every emotion."""
    sad = tiny.clips["emotion"].eq("sad") & tiny.clips["speaker"].eq("tiny/s01")
    less = tiny._replace(clips=tiny.clips[~sad])
    cells = [
        Cell("tiny", protocol, "mfcc13", model)
        for protocol in ("loso", "loso_adapted", "random5")
        for model in ("prior", "ridge")
    ]
    bench(cells, tmp_path, cache=cache, own={"tiny": less})
    told = [message for message in caplog.messages if "lack" in message]
    assert len(told) == 1
    assert re.match(r"tiny, loso: 1 of 4 folds .*sad in 1", told[0])


def test_the_uar_of_folds_of_one_emotion_is_that_of_all_clips_together():
    """As scikit-learn has it."""
    random = np.random.default_rng(0)
    speakers = np.repeat(np.arange(12), 6)
    truth = np.array(["angry", "happy", "sad"])[speakers % 3]
    guess = np.where(random.random(72) < 0.6, truth, random.choice(["angry", "happy", "sad"], 72))
    clips = pd.DataFrame(
        {"corpus": "c", "speaker": [f"c/{who:02d}" for who in speakers], "emotion": truth},
        index=[f"c/{number}" for number in range(72)],
    )
    predictions = pd.DataFrame({"fold": speakers.astype(str), "clip": clips.index, "guess": guess})
    assert score(predictions, clips)["uar"] == pytest.approx(balanced_accuracy_score(truth, guess))


def test_an_interval_stands_where_each_speaker_has_one_emotion():
    """Folds of one class each: recalls are pooled over all, and speakers are resampled, not classes."""
    counts = np.zeros((9, 3, 3), dtype=int)
    for speaker in range(9):
        truth = speaker % 3
        counts[speaker, truth, truth] = 6 + truth
        counts[speaker, truth, (truth + 1) % 3] = speaker // 3
    found = interval(counts)
    recalls = [sum(6 + truth for _ in range(3)) / (3 * (6 + truth) + 3) for truth in range(3)]
    assert found.value == pytest.approx(np.mean(recalls))
    assert found.low < found.value < found.high
    assert found.trusted
