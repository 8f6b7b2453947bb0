"""Predictors that were fitted on a table of features: they take tables, and say so."""

from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import SPEAKERS

from ser_classic.errors import SerClassicError
from ser_classic.features.tables import bring, save
from ser_classic.predictor import load_predictor
from ser_classic.predictor.fitting import fit


@pytest.fixture(scope="module")
def brought(own_folder, mfcc13, cache, tmp_path_factory) -> Path:
    """A folder with a table of thirteen means, and a predictor of it."""
    folder = tmp_path_factory.mktemp("brought")
    np.savez(folder / "t.npz", X=mfcc13.values, columns=mfcc13.columns, clip=mfcc13.clips.to_numpy(str))
    with bring({"mine": folder / "t.npz"}):
        made = fit(str(own_folder), "mine", "svm_rbf", reading=SPEAKERS, evaluate=False, cache=cache)
    made.save(folder / "table.skops")
    return folder


def test_the_rows_of_a_table_are_answered_as_recordings_are(brought, own_folder, saved, tiny, ser):
    given = ("--table", f"mine={brought / 't.npz'}")
    own = ("--speaker", r"/(s\d\d)_", "--no-evaluate", "--features", "mine", "--model", "svm_rbf")
    ser("fit", own_folder, *given, *own, "-o", "table.skops").said()
    ask = ("predict", "table.skops", *given)
    rows = ser(*ask, "--json").rows()
    assert [row["file"] for row in rows] == list(tiny.clips.index)
    predictor = load_predictor(saved)
    heard = predictor.rows([tiny.root / file for file in tiny.clips["file"]])
    assert [row["emotion"] for row in rows] == [row["emotion"] for row in heard]
    np.testing.assert_allclose(
        [row["confidence"] for row in rows], [row["confidence"] for row in heard], atol=1e-5
    )
    for shape in ((), ("--csv",)):
        out = ser(*ask, *shape).said()
        assert len(out.splitlines()) == 1 + len(rows)
        assert "nan" not in out


def test_its_card_says_that_it_takes_tables(brought, saved, ser):
    assert "--table" in ser("card", brought / "table.skops").said()
    assert "--table" not in ser("card", saved).said()


def test_recordings_and_tables_do_not_pass_for_each_other(brought, saved, tiny, ser):
    clip, given = tiny.root / tiny.clips["file"].iloc[0], f"mine={brought / 't.npz'}"
    ser("predict", brought / "table.skops", clip).refused("--table mine=FILE")
    ser("predict", saved, "--table", given).refused("recordings")
    ser("predict", brought / "table.skops", clip, "--table", given).said(code=2)
    with pytest.raises(SerClassicError, match="--table mine=FILE"):
        next(load_predictor(brought / "table.skops").listen([np.ones(32000, dtype=np.float32)], 16000))


def test_a_table_has_no_recordings_to_degrade(brought, own_folder, ser):
    given = ("--table", f"mine={brought / 't.npz'}", "--features", "mine", "--model", "ridge", "--robust")
    ser("fit", own_folder, *given, "-o", "m.skops").said(code=2)


def test_another_table_is_refused(brought, tmp_path, ser):
    ser("predict", brought / "table.skops", "--table", f"yours={brought / 't.npz'}").refused("yours")
    with np.load(brought / "t.npz") as held:
        np.savez(tmp_path / "less.npz", X=held["X"][:, 1:], columns=held["columns"][1:], clip=held["clip"])
    ser("predict", brought / "table.skops", "--table", "mine=less.npz").refused("less.npz")


def test_rows_of_several_speakers_are_not_z_scored_as_one(own_folder, mfcc13, tiny, cache, tmp_path, ser):
    save(tmp_path / "t.csv", tiny.clips, mfcc13)
    of_one = np.flatnonzero(tiny.clips["speaker"] == "tiny/s01")
    save(tmp_path / "one.csv", tiny.clips.iloc[of_one], mfcc13.take(of_one))
    with bring({"mine": tmp_path / "t.csv"}):
        options = {"reading": SPEAKERS, "evaluate": False, "cache": cache, "adapted": True}
        fit(str(own_folder), "mine", "lda", **options).save(tmp_path / "m.skops")
    ser("predict", "m.skops", "--table", "mine=t.csv", "--adapt").refused("t.csv")
    assert len(ser("predict", "m.skops", "--table", "mine=one.csv", "--adapt", "--json").rows()) == 12


FIT = ("fit", "synthetic", "-o", "m.skops", "--model", "ridge", "--no-evaluate", "--features")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((*FIT, "pooled+mine"), "pooled+mine"),  # which would take both, a table and recordings
        ((*FIT, "mfcc13"), "mine"),
        (("bench", "quick", "--results", "results"), "mine"),
    ],
)
def test_what_would_need_both_or_names_no_table_is_refused(brought, tmp_path, ser, words, named):
    ser(*words, "--table", f"mine={brought / 't.npz'}").refused(named)
    assert not list(tmp_path.iterdir())
