"""The benchmarks of speed in short: they run without a corpus and compare values; nothing is timed here."""

import json
import runpy
import sys
from pathlib import Path

import pytest

SPEED = Path(__file__).parents[1] / "benchmarks" / "speed"


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a benchmark on the embedded voices, and read what it measured."""
    monkeypatch.delenv("SER_DATA", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(script: str, *words: str) -> dict:
        monkeypatch.setattr(sys, "argv", [script, *words, "--json", "measured.json"])
        runpy.run_path(str(SPEED / script), run_name="__main__")
        return json.loads(Path("measured.json").read_text())

    return run


def test_extraction_is_set_against_its_floor_and_its_peers(measured):
    result = measured("extraction.py", "--clips", "2", "--rounds", "1", "--before", str(SPEED.parents[1]))
    systems = {row["name"] for row in result["systems"]}
    assert {"decode", "floor", "pooled", "flagship", "librosa_shared", "usual"} <= systems
    assert {claim["fast"] for claim in result["claims"]} >= {"floor", "pooled"}
    assert all(row["worst"] < 1e-3 for row in result["values"])  # in standard deviations of two clips
    assert {row["name"]: row["worst"] for row in result["before"]} == {"pooled": 0, "flagship": 0}


def test_prediction_is_set_against_scikit_learn(measured):
    short = ("--features", "mfcc13", "--model", "lda", "--clips", "4", "--rounds", "1", "--jobs", "1")
    result = measured("prediction.py", *short)
    assert result["clips"] == 4
    assert set(result["ratios"]) == {"predict", "help"}
    assert all(ratio > 0 for ratios in result["ratios"].values() for ratio in ratios)
    assert result["folder_share"] > 0


def test_a_wait_is_that_of_a_command_that_succeeds(tmp_path):
    waiting = runpy.run_path(str(SPEED / "waiting.py"))
    assert waiting["seconds"](["--version"]) > 0
    with pytest.raises(SystemExit, match="no runs found"):
        waiting["seconds"](["report", "--results", str(tmp_path)])
    assert waiting["stored_whole"](tmp_path) == []
