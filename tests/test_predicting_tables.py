"""Predictors that were fitted on a table of features: they take tables, and say so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_cli_predict import command

from ser_classic.features import FEATURES
from ser_classic.features.extraction import extract
from ser_classic.predictor import load_predictor


@pytest.fixture(scope="module")
def brought(own_folder, tiny, cache, tmp_path_factory) -> Path:
    """A folder with a table, a predictor of it, and one of recordings on the same features."""
    folder = tmp_path_factory.mktemp("brought")
    features = extract(tiny.clips, tiny.root, FEATURES["mfcc13"], cache)
    np.savez(
        folder / "t.npz", X=features.values, columns=features.columns, clip=tiny.clips.index.to_numpy(str)
    )
    words = ("fit", own_folder, "--speaker", r"/(s\d\d)_", "--model", "svm_rbf", "--cache", cache)
    words += ("--no-evaluate", "--jobs", 1)
    given = ("--table", f"mine={folder / 't.npz'}", "--features", "mine")
    assert command(*words, *given, "-o", folder / "table.skops") == 0
    assert command(*words, "--no-robust", "--features", "mfcc13", "-o", folder / "audio.skops") == 0
    return folder


def test_the_rows_of_a_table_are_answered_as_recordings_are(brought, tiny, capsys):
    given = f"mine={brought / 't.npz'}"
    assert command("predict", brought / "table.skops", "--table", given, "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["file"] for row in rows] == list(tiny.clips.index)
    files = [tiny.root / file for file in tiny.clips["file"]]
    predictor = load_predictor(brought / "audio.skops")
    heard = predictor.answer(predictor.describe(files))
    assert [row["emotion"] for row in rows] == [row["emotion"] for row in heard]
    np.testing.assert_allclose(
        [row["confidence"] for row in rows], [row["confidence"] for row in heard], atol=1e-5
    )
    for shape in ((), ("--csv",)):
        assert command("predict", brought / "table.skops", "--table", given, *shape) == 0
        out = capsys.readouterr().out
        assert len(out.splitlines()) == 1 + len(rows)
        assert "nan" not in out


def test_its_card_says_that_it_takes_tables(brought, capsys):
    assert command("card", brought / "table.skops") == 0
    assert "--table" in capsys.readouterr().out
    assert command("card", brought / "audio.skops") == 0
    assert "--table" not in capsys.readouterr().out


def test_recordings_and_tables_do_not_pass_for_each_other(brought, tiny, capsys):
    clip, given = tiny.root / tiny.clips["file"].iloc[0], f"mine={brought / 't.npz'}"
    assert command("predict", brought / "table.skops", clip) == 1
    assert "--table mine=FILE" in capsys.readouterr().err
    assert command("predict", brought / "audio.skops", "--table", given) == 1
    assert "takes recordings" in capsys.readouterr().err
    assert command("predict", brought / "table.skops", clip, "--table", given) == 2


def test_another_table_is_refused(brought, tmp_path, capsys):
    assert command("predict", brought / "table.skops", "--table", f"yours={brought / 't.npz'}") == 1
    assert "yours" in capsys.readouterr().err
    with np.load(brought / "t.npz") as held:
        np.savez(tmp_path / "less.npz", X=held["X"][:, 1:], columns=held["columns"][1:], clip=held["clip"])
    assert command("predict", brought / "table.skops", "--table", f"mine={tmp_path / 'less.npz'}") == 1
    assert "less.npz" in capsys.readouterr().err


def test_what_would_need_both_is_not_fitted(brought, own_folder, cache, tmp_path, capsys):
    given = ("--table", f"mine={brought / 't.npz'}", "--features", "pooled+mine")
    words = ("fit", own_folder, *given, "--model", "ridge", "-o", tmp_path / "m.skops", "--cache", cache)
    assert command(*words) == 1
    assert "pooled+mine" in capsys.readouterr().err
    assert not (tmp_path / "m.skops").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "synthetic", "--features", "mfcc13", "--model", "ridge", "-o", "m.skops", "--no-evaluate"),
        ("bench", "quick", "--results", "results"),
    ],
)
def test_a_table_that_nothing_names_is_refused(brought, tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    assert command(*words, "--table", f"mine={brought / 't.npz'}") == 2
    assert "mine" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
