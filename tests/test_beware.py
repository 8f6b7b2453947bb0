"""A confounded corpus is told of wherever somebody sets out to learn from it."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_corpus import write_wav
from typer.testing import CliRunner

from ser_classic.corpora import load
from ser_classic.corpora.verifying import verify
from ser_classic.experiment import bench
from ser_classic.experiment.cells import Cell
from ser_classic.explore import corpus_lead
from ser_classic.statistics.speakers import interval


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


def test_bench_tells_and_runs_all_the_same(confounded, tmp_path):
    outcome = bench([Cell("urdu", "random5", "mfcc13", "prior")], tmp_path / "results", confounded, tmp_path)
    assert len(outcome.done) == 1
    assert any("2 of 2 speakers have one alone" in notice for notice in outcome.notices)


def test_verify_tells_with_one_recording_under_two_speakers(confounded):
    from ser_classic.cli.corpora import app

    found = verify(*load("urdu", confounded))
    assert len(found.warnings) == 2
    assert any("SM1_F0_A00" in told and "SF2_F1_S01" in told for told in found.warnings)
    stdout = CliRunner().invoke(app, ["verify", "urdu", "--data", str(confounded)]).stdout
    assert all(told in stdout for told in found.warnings)


def test_explore_tells(confounded):
    assert "have one alone" in corpus_lead(load("urdu", confounded), "pooled")


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
