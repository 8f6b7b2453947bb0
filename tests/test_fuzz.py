"""Hostile and broken input: no traceback, no hang, no crash, no word past the one line, no other process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ser_classic.runtime.workers import THREADS

WORKER = Path(__file__).with_name("fuzzing.py")
LIMIT = 900  # [s] for all inputs together, on a machine with other work


@pytest.fixture(scope="module")
def models(fitted, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    for model in ("svm_rbf", "lda", "knn", "mlp", "random_forest", "xgboost", "fusion"):
        fitted(model).save(folder / f"{model}.skops")
    return [folder / "svm_rbf.skops", *sorted(folder.glob("[!s]*.skops"))]


def fuzz(kind: str, seed: int, number: int, folder: Path, models: list[Path]) -> tuple[dict, str]:
    """Run the inputs in a process of its own; what it counted, and what was written past it."""
    words = [sys.executable, "-W", "ignore", *map(str, (WORKER, kind, seed, number, folder, *models))]
    alone = os.environ | dict.fromkeys(THREADS, "1")
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT, env=alone)
    assert done.returncode == 0, f"died of {done.returncode} at {folder / 'last'}: {done.stderr[-500:]}"
    return json.loads(done.stdout), done.stderr


def test_broken_recordings_are_answered_or_refused_in_one_line(models, tmp_path):
    told, noise = fuzz("audio", 20, 150, tmp_path, models[:1])
    assert told["wrong"] == []
    assert told["inputs"] == told["answered"] + told["refused"] == 157
    assert told["refused"] > 60, "most of them are broken"
    assert told["answered"] > 20, "a changed sample is no fault"
    assert noise == "", "a decoder wrote past the one line"


def test_broken_and_hostile_model_files_are_refused_in_one_line(models, tmp_path):
    told, noise = fuzz("models", 20, 300, tmp_path, models)
    assert told["wrong"] == []
    assert told["inputs"] == told["answered"] + told["refused"] == 307
    assert told["refused"] > 100
    assert noise == ""


def test_the_worker_tells_what_goes_wrong(models, tmp_path, monkeypatch):
    """A fuzz test that could not fail would say nothing."""
    import fuzzing

    printed: list[str] = []

    def broken(path, waveform):
        if path.read_bytes().startswith(b"PK"):
            raise ZeroDivisionError("planted")
        return False

    monkeypatch.setattr(fuzzing, "answer_with_model", broken)
    monkeypatch.setattr(fuzzing, "print", printed.append, raising=False)
    monkeypatch.setattr(fuzzing.resource, "setrlimit", lambda *_: None)
    fuzzing.main("models", 1, 4, tmp_path, models[:1])
    assert "ZeroDivisionError: planted" in json.loads(printed[0])["wrong"][0]
