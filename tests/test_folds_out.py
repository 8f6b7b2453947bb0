"""Folds out: as a file, and as scikit-learn's splitter."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import check_cv, cross_val_predict, cross_validate
from sklearn.naive_bayes import GaussianNB

from ser_classic import PROTOCOLS
from ser_classic.errors import SerClassicError
from ser_classic.protocols.export import digest, fold_table

OWN = ("--speaker", r"/(s\d\d)_")


@pytest.fixture
def many(tiny):
    """Six speakers: the clips of `tiny`, and two of its speakers again under other names."""
    clips = tiny.clips
    more = clips[clips["speaker"].str.contains("s01|s02")].copy()
    more["speaker"] = more["speaker"].str.replace("/s0", "/s1")
    return pd.concat([clips, more.set_axis(more.index + "_again")])


@pytest.mark.parametrize("protocol", ["loso", "loso_adapted", "random5", "unseen_text", "holdout25"])
def test_the_table_holds_each_fold_as_it_is_dealt(tiny, protocol):
    clips = tiny.clips.assign(sentence=["t1", "t2"] * 24)
    table = fold_table(clips, PROTOCOLS[protocol], seed=3)
    dealt = PROTOCOLS[protocol].folds(clips, 3)
    assert list(table["fold"].unique()) == [fold.name for fold in dealt]
    for fold in dealt:
        own = table[table["fold"] == fold.name]
        for part, rows in (("train", fold.train), ("test", fold.test)):
            held = own[own["part"] == part]
            assert sorted(held["clip"]) == sorted(clips.index[rows])
            of_clips = clips.loc[held["clip"]]
            for name in ("file", "speaker", "emotion", "sentence"):
                assert held[name].tolist() == of_clips[name].tolist()
        assert len(own) == len(fold.train) + len(fold.test)


def test_validation_speakers_are_in_no_other_part(many):
    plain, table = (fold_table(many, PROTOCOLS["loso"], validation=each) for each in (False, True))
    assert digest(plain) != digest(table)
    for _, fold in table.groupby("fold"):
        speakers = fold.groupby("part")["speaker"].unique().map(set)
        assert not speakers["validation"] & (speakers["train"] | speakers["test"])
        assert not speakers["train"] & speakers["test"]
        training = fold[fold["part"] == "train"]
        assert set(training["emotion"]) == set(fold["emotion"])
    merged = table.assign(part=table["part"].replace("validation", "train"))
    pd.testing.assert_frame_equal(merged.drop(columns="digest"), plain.drop(columns="digest"))


def test_too_few_speakers_to_validate_on_are_an_error_and_clips_are_held_out_under_a_leaky_protocol(tiny):
    with pytest.raises(SerClassicError, match=r"loso, fold s01.*3 speaker"):
        fold_table(tiny.clips, PROTOCOLS["loso"], validation=True)
    table = fold_table(tiny.clips, PROTOCOLS["holdout25"], validation=True)
    assert set(table["part"]) == {"train", "validation", "test"}


def test_the_digest_tells_other_folds_and_not_other_files(tiny):
    told = {fold_table(tiny.clips, PROTOCOLS["random5"], seed)["digest"].iloc[0] for seed in (0, 0, 1)}
    assert len(told) == 2
    moved = tiny.clips.assign(file=tiny.clips["file"] + ".flac")
    assert fold_table(moved, PROTOCOLS["random5"])["digest"].iloc[0] in told
    assert digest(fold_table(moved, PROTOCOLS["random5"])) in told


def test_parts_of_files_are_told(tiny):
    clips = tiny.clips.assign(start="0", end=[None, "0.3"] * 24)
    table = fold_table(clips, PROTOCOLS["loso"])
    plain = fold_table(tiny.clips, PROTOCOLS["loso"])
    assert set(table) - set(plain) == {"start", "end"}
    assert table["end"].isna().tolist() == clips.loc[table["clip"], "end"].isna().tolist()
    assert digest(table) != digest(plain)


def test_the_command_writes_csv_and_json_lines_of_the_same_rows(ser, own_folder, tmp_path):
    written = {}
    for name in ("folds.csv", "folds.jsonl"):
        code, told, errors = ser("folds", own_folder, "loso", "-o", tmp_path / name, *OWN)
        assert (code, errors) == (0, "")
        assert "tiny, loso" in told
        written[name] = tmp_path / name
    table = pd.read_csv(written["folds.csv"], keep_default_na=False)
    rows = [json.loads(line) for line in written["folds.jsonl"].read_text().splitlines()]
    assert [{key: value or "" for key, value in row.items()} for row in rows] == table.to_dict("records")
    assert table["digest"].nunique() == 1
    assert str(own_folder) in told
    assert all((own_folder / file).is_file() for file in table["file"])


def test_cross_deals_the_clips_of_both_corpora(ser, own_folder, tmp_path):
    done = ser("folds", own_folder, "cross_from_synthetic", "-o", tmp_path / "folds.csv", *OWN)
    assert done[0] == 0
    table = pd.read_csv(tmp_path / "folds.csv")
    assert {part: set(rows["corpus"]) for part, rows in table.groupby("part")} == {
        "train": {"synthetic"},
        "test": {"tiny"},
    }


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("synthetic", "losso", "-o", "f.csv"), 1, "loso"),
        (("synthetic", "loso", "-o", "f.txt"), 1, ".jsonl"),
        (("synthetic", "emobox", "-o", "f.csv"), 1, "loso or speakers5"),
        (("absent.csv", "loso", "-o", "f.csv"), 1, "absent.csv"),
    ],
)
def test_what_cannot_be_dealt_says_so_and_writes_nothing(ser, tmp_path, monkeypatch, words, code, reason):
    monkeypatch.chdir(tmp_path)
    found, _, told = ser("folds", *words)
    assert found == code
    assert reason in told
    assert not list(tmp_path.iterdir())


def test_scikit_learn_takes_the_splitter(tiny, mfcc13):
    cv = PROTOCOLS["loso"].splitter(tiny.clips)
    assert check_cv(cv) is cv
    X, y, groups = mfcc13.frame, tiny.clips["emotion"], tiny.clips["speaker"]
    scores = cross_validate(GaussianNB(), X, y, groups=groups, cv=cv)
    assert len(scores["test_score"]) == cv.get_n_splits() == 4
    assert len(cross_val_predict(GaussianNB(), X, y, cv=cv)) == len(y)
    for (train, test), fold in zip(
        cv.split(np.zeros((48, 2))), PROTOCOLS["loso"].folds(tiny.clips), strict=True
    ):
        assert (train.tolist(), test.tolist()) == (fold.train.tolist(), fold.test.tolist())


def test_a_splitter_refuses_other_clips_and_what_is_more_than_a_split(tiny):
    cv = PROTOCOLS["loso"].splitter(tiny.clips)
    for wrong in (np.zeros((47, 2)), pd.DataFrame(np.zeros((48, 2)), index=tiny.clips.index[::-1])):
        with pytest.raises(SerClassicError, match="48 clips"):
            next(cv.split(wrong))
    for name in ("loso_adapted", "loso_degraded_noise10"):
        with pytest.raises(SerClassicError, match=name):
            PROTOCOLS[name].splitter(tiny.clips)
